/*
 * Preloaded into the daemon: kill -9 at a certain write or sync of its store, so that every instant
 * between a write and the end of its commit can be hit. A large write is cut at a page, as the
 * kernel itself may cut it when the process is killed. Or a slow disk, so that kills at random fall
 * into commits on any machine.
 *
 *   ACMSENSOR_DIE_AT=N:after|half   at the N-th such call of this process; half: with half of its
 *                                   pages written, if there are several
 *   ACMSENSOR_DIE_AT=N:commit       right after the N-th commit, which is LMDB's write of one of
 *                                   its two meta pages, the first of the file
 *   ACMSENSOR_SYNC_MS=N             each sync of the store takes so much longer
 */
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, META_BYTES = 2 * PAGE_BYTES };
enum when { NEVER, HALF, AFTER };

static atomic_long calls;

static bool is_of_store(int fd)
{
	char name[64], path[PATH_MAX];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(name, path, sizeof(path) - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	return strstr(path, "/data/store.") != NULL;
}

/* Whether this call is the one, and where in it. Counts it. */
static enum when take_turn(int fd, bool is_commit)
{
	const char *at = getenv("ACMSENSOR_DIE_AT");
	char *how;
	if (at == NULL || !is_of_store(fd))
		return NEVER;
	long number = strtol(at, &how, 10);
	if (!is_commit && strcmp(how, ":commit") == 0)
		return NEVER;
	if (atomic_fetch_add(&calls, 1) + 1 != number)
		return NEVER;
	return strcmp(how, ":half") == 0 ? HALF : AFTER;
}

static void die_at(enum when when)
{
	if (when != NEVER)
		(void)kill(getpid(), SIGKILL); /* does not return */
}

/* The function that this one stands in front of. */
static void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);
	if (function == NULL)
		abort();
	return function;
}

/* Less than a page is written whole, or not at all. */
static size_t half_of(size_t size)
{
	return size < 2 * PAGE_BYTES ? size : size / 2 / PAGE_BYTES * PAGE_BYTES;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t) = next("pwrite");
	enum when when = take_turn(fd, at < META_BYTES);
	ssize_t written = real(fd, data, when == HALF ? half_of(size) : size, at);
	die_at(when);
	return written;
}

ssize_t writev(int fd, const struct iovec *part, int count)
{
	ssize_t (*real)(int, const struct iovec *, int) = next("writev");
	enum when when = take_turn(fd, false);
	ssize_t written = real(fd, part, when == HALF ? (count + 1) / 2 : count);
	die_at(when);
	return written;
}

static void delay_sync(int fd)
{
	const char *delay_ms = getenv("ACMSENSOR_SYNC_MS");
	if (delay_ms != NULL && is_of_store(fd))
		(void)usleep((useconds_t)strtoul(delay_ms, NULL, 10) * 1000);
}

static int sync_by(const char *name, int fd)
{
	int (*real)(int) = next(name);
	enum when when = take_turn(fd, false);
	delay_sync(fd);
	int rc = real(fd);
	die_at(when);
	return rc;
}

int fdatasync(int fd)
{
	return sync_by("fdatasync", fd);
}

int fsync(int fd)
{
	return sync_by("fsync", fd);
}

int ftruncate(int fd, off_t size)
{
	int (*real)(int, off_t) = next("ftruncate");
	enum when when = take_turn(fd, false);
	int rc = real(fd, size);
	die_at(when);
	return rc;
}
