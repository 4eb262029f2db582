#include "sensor/api_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "tests/lib/temp_store.h"

struct fixture {
	char *folder, *path;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture.folder = temp_folder_new();
	fixture.path = temp_path(fixture.folder, "run/control.sock");
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	free(fixture->path);
	temp_folder_remove(fixture->folder);
	return 0;
}

static struct api_socket open_well(const struct fixture *fixture)
{
	struct api_socket opened = {.fd = -1};
	struct err err = ERR_INIT;
	if (api_socket_open(fixture->path, &opened, &err) != 0)
		fail_msg("%s", err.text);
	return opened;
}

static void expect_refusal(const char *path, enum err_kind kind, const char *part)
{
	struct api_socket opened;
	struct err err = ERR_INIT;
	assert_int_equal(api_socket_open(path, &opened, &err), -1);
	assert_int_equal(err.kind, kind);
	if (strstr(err.text, part) == NULL)
		fail_msg("no \"%s\" in \"%s\"", part, err.text);
}

/* As after a kill -9: the path stays, nobody listens. */
static void abandon(struct api_socket *opened)
{
	close(opened->fd);
	free(opened->path);
}

static bool exists(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0;
}

static void socket_is_for_owner_and_group(void **state)
{
	const struct fixture *fixture = *state;
	struct api_socket opened = open_well(fixture);
	struct stat st;
	assert_int_equal(lstat(fixture->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	char *folder = temp_path(fixture->folder, "run");
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	free(folder);
	api_socket_close(&opened);
	assert_false(exists(fixture->path));
	api_socket_close(&opened); /* once is enough */
}

static void directory_that_is_there_is_left_as_it_is(void **state)
{
	const struct fixture *fixture = *state;
	char *folder = temp_path(fixture->folder, "run");
	struct stat st;
	assert_int_equal(mkdir(folder, 0700), 0);
	struct api_socket opened = open_well(fixture);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	api_socket_close(&opened);
	free(folder);
}

static void socket_that_answers_is_left_alone(void **state)
{
	const struct fixture *fixture = *state;
	struct api_socket first = open_well(fixture);
	expect_refusal(fixture->path, ERR_CONFIG, "another acmsensord answers there");
	assert_true(exists(fixture->path));
	api_socket_close(&first);
}

static void stale_socket_is_replaced(void **state)
{
	const struct fixture *fixture = *state;
	struct api_socket stale = open_well(fixture);
	abandon(&stale);
	assert_true(exists(fixture->path));
	struct api_socket opened = open_well(fixture);
	api_socket_close(&opened);
}

static void what_is_no_socket_is_not_touched(void **state)
{
	const struct fixture *fixture = *state;
	struct api_socket opened = open_well(fixture);
	api_socket_close(&opened);
	assert_int_equal(symlink("/dev/null", fixture->path), 0);
	expect_refusal(fixture->path, ERR_CONFIG, "something that is no socket is there");
	assert_int_equal(unlink(fixture->path), 0);
	assert_int_equal(mkdir(fixture->path, 0700), 0);
	expect_refusal(fixture->path, ERR_CONFIG, "something that is no socket is there");
	assert_int_equal(rmdir(fixture->path), 0);
}

static void socket_of_somebody_else_is_not_removed_at_the_end(void **state)
{
	const struct fixture *fixture = *state;
	struct api_socket first = open_well(fixture);
	assert_int_equal(unlink(fixture->path), 0);
	struct api_socket second = open_well(fixture);
	api_socket_close(&first);
	assert_true(exists(fixture->path));
	api_socket_close(&second);
}

static void paths_that_cannot_be_sockets_are_refused(void **state)
{
	char path[200];
	(void)state;
	expect_refusal("control.sock", ERR_CONFIG, "not an absolute path");
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	expect_refusal(path, ERR_CONFIG, "at most 107 bytes");
	expect_refusal("/nonexistent/run/control.sock", ERR_SYSTEM, "/nonexistent/run");
}

static void peer_is_known_by_its_uid(void **state)
{
	int pair[2];
	long uid = 0;
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_true(api_socket_may_change(pair[0], &uid));
	assert_int_equal(uid, getuid());
	close(pair[0]);
	close(pair[1]);
	assert_false(api_socket_may_change(-1, &uid));
	assert_int_equal(uid, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(socket_is_for_owner_and_group),
		TEST(directory_that_is_there_is_left_as_it_is),
		TEST(socket_that_answers_is_left_alone),
		TEST(stale_socket_is_replaced),
		TEST(what_is_no_socket_is_not_touched),
		TEST(socket_of_somebody_else_is_not_removed_at_the_end),
		TEST(paths_that_cannot_be_sockets_are_refused),
		TEST(peer_is_known_by_its_uid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
