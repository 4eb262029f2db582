/* Ctrl-C between catch and release, and after. */
#include "cli/interrupt.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"

static void a_signal_is_noticed_until_it_is_released(void **state)
{
	(void)state;
	static const int signals[] = {SIGINT, SIGTERM};
	for (size_t i = 0; i < 2; i++) {
		interrupt_catch();
		assert_false(interrupt_came());
		raise(signals[i]);
		raise(signals[i]);
		assert_true(interrupt_came());
		interrupt_release();
		assert_false(interrupt_came()); /* what is asked next is not interrupted */
	}
}

static void what_came_before_is_forgotten(void **state)
{
	(void)state;
	interrupt_catch();
	raise(SIGINT);
	interrupt_catch();
	assert_false(interrupt_came());
	interrupt_release();
}

/* Returns the signal that ended a child which releases, if it caught, and then raises it. */
static int dies_of(int number, bool catches)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		if (catches)
			interrupt_catch();
		interrupt_release();
		raise(number);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void once_released_it_ends_the_process(void **state)
{
	(void)state;
	assert_int_equal(dies_of(SIGINT, true), SIGINT);
	assert_int_equal(dies_of(SIGTERM, true), SIGTERM);
	assert_int_equal(dies_of(SIGINT, false), SIGINT);
}

/* Again and again, as it may come before the wait begins. */
static void a_wait_ends_with_the_signal(void **state)
{
	(void)state;
	int status = 0, pipes[2];
	char byte;
	assert_int_equal(pipe(pipes), 0);
	interrupt_catch(); /* the child has it from its beginning */
	pid_t child = fork();
	if (child == 0)
		_exit(read(pipes[0], &byte, 1) < 0 && interrupt_came() ? 7 : 0);
	interrupt_release();
	assert_true(child > 0);
	while (waitpid(child, &status, WNOHANG) == 0) {
		poll(NULL, 0, 20);
		kill(child, SIGTERM);
	}
	close(pipes[0]);
	close(pipes[1]);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void only_our_own_interruption_is_one(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_int_equal(interrupt_fail("interrupted; 100% goes on", &err), -1);
	assert_string_equal(err.text, "interrupted; 100% goes on");
	assert_int_equal(err.kind, ERR_STOPPED);
	assert_true(interrupt_is(&err));
	err_set(&err, ERR_STOPPED, "the daemon is stopping");
	assert_false(interrupt_is(&err));
	err_set(&err, ERR_SERVICE, "x");
	err_set_code(&err, "interrupted");
	assert_false(interrupt_is(&err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_is_noticed_until_it_is_released),
		cmocka_unit_test(what_came_before_is_forgotten),
		cmocka_unit_test(once_released_it_ends_the_process),
		cmocka_unit_test(a_wait_ends_with_the_signal),
		cmocka_unit_test(only_our_own_interruption_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
