/* acmsensor backup: which store is copied, and how that is said. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/cli/folder_fixture.h"
#include "tests/cli/run_cli.h"
#include "tests/lib/temp_store.h"

static int setup(void **state)
{
	int rc = folder_enter(state);
	store_close(temp_store_open(NULL, "data"));
	return rc;
}

static void the_daemon_says_which_store(void **state)
{
	(void)state;
	run_answer("{'status': {'sensor': {'data_dir': 'data'}}}");
	run_is("backup b1", EXIT_DONE, "", "acmsensor: b1 holds a copy of data\n");
	assert_int_equal(access("b1", R_OK), 0);
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_is("backup b2", EXIT_NOT_REACHABLE, "", "acmsensor: nobody there\n");
	assert_int_equal(access("b2", F_OK), -1);
}

static void a_daemon_that_does_not_say_is_no_store(void **state)
{
	(void)state;
	static const char *const answers[] = {
		"{}", "{'status': {'sensor': {'data_dir': ''}}}", "{'status': {'sensor': 7}}"};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		run_answer(answers[i]);
		run_is("backup b3", EXIT_FAILED, "",
			"acmsensor: answer of the daemon: it does not say where its data are\n");
	}
	assert_int_equal(access("b3", F_OK), -1);
}

static void without_a_daemon_the_folder_is_given(void **state)
{
	(void)state;
	sigset_t blocked;
	run_is("backup b4 --offline data", EXIT_DONE, "", "acmsensor: b4 holds a copy of data\n");
	assert_string_equal(run_asked(), "");
	/* Ctrl-C works again. */
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &blocked), 0);
	assert_int_equal(sigismember(&blocked, SIGINT), 0);
	run_line("backup b4 --offline data"); /* nothing is overwritten */
	assert_int_equal(run_code(), EXIT_USAGE);
	run_line("backup b5 --offline nowhere");
	assert_int_equal(run_code(), EXIT_FAILED);
	assert_int_equal(access("b5", F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(the_daemon_says_which_store),
		RUN_TEST(a_daemon_that_does_not_say_is_no_store),
		RUN_TEST(without_a_daemon_the_folder_is_given),
	};
	return cmocka_run_group_tests(tests, setup, folder_leave);
}
