/*
 * Preloaded into the daemon: its clocks go as they do, but a test can put them forward, so that
 * minutes of patience pass at once.
 *
 *   ACMSENSOR_SKIP_FILE=PATH   a file of 8 bytes: by how many seconds (int64_t of this machine);
 *                              whoever writes there is obeyed within WAKE_MS
 *   ACMSENSOR_TICK_US=N        each look at a clock takes so long, as on a machine that is so busy
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { WAKE_MS = 10 };

static const _Atomic int64_t *skipped_s; /* mapped, shared with the test; NULL: none */
static int64_t tick_us;
static _Atomic int64_t ticked_us;
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_epoll_wait)(int, struct epoll_event *, int, int);

/* Before main, while there is one thread. */
__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("ACMSENSOR_SKIP_FILE"), *tick = getenv("ACMSENSOR_TICK_US");
	tick_us = tick != NULL ? strtoll(tick, NULL, 10) : 0;
	real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	real_epoll_wait = dlsym(RTLD_NEXT, "epoll_wait");
	if (path == NULL)
		return;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		abort();
	close(fd);
	skipped_s = map;
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	if (real_clock_gettime == NULL) /* a constructor that comes before ours */
		begin();
	int rc = real_clock_gettime(clock, ret_time);
	bool is_of_day = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
	bool is_steady = clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE;
	if (rc == 0 && skipped_s != NULL && (is_of_day || is_steady))
		ret_time->tv_sec += (time_t)atomic_load(skipped_s);
	if (rc == 0 && tick_us != 0 && (is_of_day || is_steady)) {
		int64_t late_us = atomic_fetch_add(&ticked_us, tick_us) + tick_us;
		int64_t nsec = ret_time->tv_nsec + late_us % 1000000 * 1000;
		ret_time->tv_sec += (time_t)(late_us / 1000000 + nsec / 1000000000);
		ret_time->tv_nsec = (long)(nsec % 1000000000);
	}
	return rc;
}

/* Wakes often, so that what became due by a skip is seen. */
int epoll_wait(int epoll, struct epoll_event *ret_events, int max, int timeout_ms)
{
	bool is_long = timeout_ms < 0 || timeout_ms > WAKE_MS;
	return real_epoll_wait(epoll, ret_events, max, is_long ? WAKE_MS : timeout_ms);
}
