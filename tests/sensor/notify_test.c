#include "sensor/notify.h"

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

#include "tests/lib/temp_store.h"

static int bind_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	size_t len = strlen(path);
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

static void expect_heard(int fd, const char *expected)
{
	char heard[1024] = "";
	ssize_t len = recv(fd, heard, sizeof(heard) - 1, 0);
	assert_true(len > 0);
	assert_memory_equal(heard, expected, strlen(expected));
}

static void states_reach_a_socket_in_the_file_system(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	char *path = temp_path(folder, "notify");
	int fd = bind_to(path);
	assert_true(notify_is_wanted());
	notify_send("READY=1");
	expect_heard(fd, "READY=1");
	notify_status("%d connectors", 3);
	expect_heard(fd, "STATUS=3 connectors");
	notify_reloading();
	expect_heard(fd, "RELOADING=1\nMONOTONIC_USEC=");
	close(fd);
	free(path);
	temp_folder_remove(folder);
}

static void states_reach_an_abstract_socket(void **state)
{
	char name[64];
	(void)state;
	snprintf(name, sizeof(name), "@acmsensor-notify-test-%ld", (long)getpid());
	int fd = bind_to(name);
	notify_send("STOPPING=1");
	expect_heard(fd, "STOPPING=1");
	close(fd);
}

static void without_systemd_nothing_happens(void **state)
{
	char path[200];
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_false(notify_is_wanted());
	notify_send("READY=1");
	setenv("NOTIFY_SOCKET", "relative", 1);
	notify_send("READY=1");
	setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
	notify_send("READY=1");
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	notify_send("READY=1");
}

static void watchdog_is_the_time_that_systemd_gave_this_process(void **state)
{
	static const struct {
		const char *usec, *pid;
		int64_t ms;
	} given[] = {
		{NULL, NULL, 0},
		{"60000000", NULL, 60000},
		{"1500", NULL, 1},
		{"1", NULL, 1},
		{"0", NULL, 0},
		{"-5", NULL, 0},
		{"soon", NULL, 0},
		{"60000000", "1", 0},
		{"60000000", "", 0},
	};
	char self[32];
	(void)state;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (given[i].usec != NULL)
			setenv("WATCHDOG_USEC", given[i].usec, 1);
		if (given[i].pid != NULL)
			setenv("WATCHDOG_PID", given[i].pid, 1);
		assert_int_equal(notify_watchdog_ms(), given[i].ms);
	}
	snprintf(self, sizeof(self), "%ld", (long)getpid());
	setenv("WATCHDOG_PID", self, 1);
	assert_int_equal(notify_watchdog_ms(), 60000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_reach_a_socket_in_the_file_system),
		cmocka_unit_test(states_reach_an_abstract_socket),
		cmocka_unit_test(without_systemd_nothing_happens),
		cmocka_unit_test(watchdog_is_the_time_that_systemd_gave_this_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
