#include "sensor/heartbeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "tests/lib/fake_loop.h"

struct world {
	int systemd; /* the socket that hears */
	struct loop *loop;
	struct heartbeat *heartbeat;
	const char *line;
	bool is_busy;
	int asked; /* how often for the line */
};

static bool write_line(void *arg, struct buf *to)
{
	struct world *world = arg;
	buf_add_text(to, world->line);
	world->asked++;
	return world->is_busy;
}

static int listen_as_systemd(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64];
	int len = snprintf(name, sizeof(name), "@acmsensor-heartbeat-test-%ld", (long)getpid());
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void set_up(struct world *world, const char *watchdog_usec)
{
	struct err err = ERR_INIT;
	*world = (struct world){.line = "idle", .systemd = listen_as_systemd()};
	unsetenv("WATCHDOG_PID");
	if (watchdog_usec != NULL)
		setenv("WATCHDOG_USEC", watchdog_usec, 1);
	else
		unsetenv("WATCHDOG_USEC");
	world->loop = loop_new(&err);
	world->heartbeat = heartbeat_new(world->loop, write_line, world);
}

static void tear_down(struct world *world)
{
	heartbeat_free(world->heartbeat);
	assert_int_equal(fake_loop_timer_count(), 0);
	loop_free(world->loop);
	close(world->systemd);
	unsetenv("NOTIFY_SOCKET");
}

/* NULL: nothing more was sent. */
static void expect_heard(const struct world *world, const char *expected)
{
	char heard[1024] = "";
	ssize_t len = recv(world->systemd, heard, sizeof(heard) - 1, 0);
	if (expected == NULL)
		assert_true(len < 0);
	else
		assert_string_equal(heard, expected);
}

static void status_is_told_when_it_has_changed(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, NULL);
	expect_heard(&world, NULL);
	heartbeat_beat(world.heartbeat);
	expect_heard(&world, "STATUS=idle");
	heartbeat_beat(world.heartbeat);
	expect_heard(&world, NULL);
	world.line = "prod: cycle";
	heartbeat_beat(world.heartbeat);
	expect_heard(&world, "STATUS=prod: cycle");
	expect_heard(&world, NULL);
	tear_down(&world);
}

static void what_changes_soon_is_looked_at_soon(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, NULL);
	heartbeat_beat(world.heartbeat);
	assert_int_equal(fake_loop_next_ms(), HEARTBEAT_IDLE_MS);
	world.is_busy = true;
	world.line = "1 of 2";
	fake_loop_advance_ms(HEARTBEAT_IDLE_MS);
	expect_heard(&world, "STATUS=idle");
	expect_heard(&world, "STATUS=1 of 2");
	assert_int_equal(fake_loop_next_ms(), HEARTBEAT_BUSY_MS);
	world.line = "2 of 2";
	fake_loop_advance_ms(HEARTBEAT_BUSY_MS);
	expect_heard(&world, "STATUS=2 of 2");
	tear_down(&world);
}

static void watchdog_hears_of_the_loop_twice_in_its_time(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, "30000000");
	heartbeat_beat(world.heartbeat);
	expect_heard(&world, "STATUS=idle");
	expect_heard(&world, "WATCHDOG=1");
	assert_int_equal(fake_loop_next_ms(), 15000);
	fake_loop_advance_ms(15000);
	expect_heard(&world, "WATCHDOG=1");
	fake_loop_advance_ms(14999);
	expect_heard(&world, NULL); /* and if the loop stalls here, nothing will be */
	fake_loop_advance_ms(1);
	expect_heard(&world, "WATCHDOG=1");
	world.is_busy = true;
	heartbeat_beat(world.heartbeat);
	assert_int_equal(fake_loop_next_ms(), HEARTBEAT_BUSY_MS);
	tear_down(&world);
}

static void where_nobody_listens_nothing_runs(void **state)
{
	struct world world;
	(void)state;
	set_up(&world, "30000000");
	unsetenv("NOTIFY_SOCKET");
	heartbeat_beat(world.heartbeat);
	assert_int_equal(fake_loop_timer_count(), 0);
	assert_int_equal(world.asked, 0);
	heartbeat_beat(NULL);
	heartbeat_free(NULL);
	tear_down(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_is_told_when_it_has_changed),
		cmocka_unit_test(what_changes_soon_is_looked_at_soon),
		cmocka_unit_test(watchdog_hears_of_the_loop_twice_in_its_time),
		cmocka_unit_test(where_nobody_listens_nothing_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
