/* Waiting for cycles: whose end counts, and what is said when one is lost. */
#include "cli/scan_wait.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/source.h"
#include "tests/cli/print_fixture.h"
#include "tests/lib/fake_clock.h"

#define RUNS                                                                                       \
	"{'progress': [{'cycle_id': 'a', 'phase': 'scan', 'pairs_done': 1, 'pairs_total': 4,"      \
	" 'accounts_total': 1}]}"
#define DONE "{'progress': [{'cycle_id': 'a', 'result': 'complete'}]}"

static const struct cli cli = {.program = (char *)"acmsensor --socket /x"};

/* What the daemon answers, how often it was asked, and for how many times it answers that the cycle
 * runs before. Linked in place of cli/source.c. */
static const char *answer;
static int asked, running;
/* Ctrl-C while it is asked: it answers all the same, or not. */
static bool is_interrupted, is_answered_then;

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	(void)fds, (void)count;
	fake_clock_advance_ms(timeout_ms);
	return 0;
}

int source_get(const struct cli *of, const char *path, const struct params *params, long timeout_s,
	json_t **ret_document, struct err *err)
{
	assert_ptr_equal(of, &cli);
	assert_string_equal(path, "/v1/progress");
	assert_null(params);
	assert_true(timeout_s > 0);
	asked++;
	if (is_interrupted)
		raise(SIGINT);
	if (is_interrupted && !is_answered_then)
		return interrupt_fail("interrupted", err);
	if (answer == NULL)
		return err_set(err, ERR_UNREACHABLE, "no daemon");
	*ret_document = print_fixture_json(asked <= running ? RUNS : answer);
	return 0;
}

/* 0, or -1 with err; the results in order, each with a blank behind it. */
static int wait_for(const char *ids, char *results, size_t size, struct err *err)
{
	json_t *cycle_ids = print_fixture_json(ids), *progress = NULL, *one;
	size_t i;
	*err = (struct err)ERR_INIT;
	results[0] = '\0';
	asked = 0;
	int rc = scan_wait(&cli, cycle_ids, &progress, err);
	json_decref(cycle_ids);
	json_array_foreach(progress, i, one)
	{
		strncat(results, json_string_value(json_object_get(one, "result")),
			size - strlen(results) - 1);
		strncat(results, " ", size - strlen(results) - 1);
	}
	json_decref(progress);
	return rc;
}

static void cycles_that_ended_are_given_in_the_order_of_the_ids(void **state)
{
	(void)state;
	char results[64];
	struct err err;
	answer = "{'progress': [{'cycle_id': 'a', 'result': 'complete'},"
		 " {'cycle_id': 'other', 'phase': 'scan'}, {'cycle_id': 'b', 'result': 'failed'}]}";
	assert_int_equal(wait_for("['b', 'a']", results, sizeof(results), &err), 0);
	assert_string_equal(results, "failed complete ");
	assert_int_equal(asked, 1); /* another's that runs is not waited for */
	assert_int_equal(wait_for("[]", results, sizeof(results), &err), 0);
	assert_string_equal(results, "");
}

static void a_cycle_that_the_daemon_has_lost_is_an_error(void **state)
{
	(void)state;
	char results[64];
	struct err err;
	static const char *const answers[] = {
		"{'progress': [{'cycle_id': 'b'}]}", "{'progress': 'x'}", "{}", "[]"};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		answer = answers[i];
		assert_int_equal(wait_for("['a']", results, sizeof(results), &err), -1);
		assert_int_equal(err.kind, ERR_NOT_FOUND);
		assert_string_equal(err.text,
			"the daemon no longer knows the cycle a; it was probably restarted and "
			"goes on by itself: acmsensor --socket /x status");
	}
	answer = "{'progress': [{'cycle_id': 'b'}]}";
	assert_int_equal(wait_for("[7]", results, sizeof(results), &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void no_daemon_ends_the_wait(void **state)
{
	(void)state;
	char results[64];
	struct err err;
	answer = NULL;
	assert_int_equal(wait_for("['a']", results, sizeof(results), &err), -1);
	assert_int_equal(err.kind, ERR_UNREACHABLE);
	assert_int_equal(asked, 1);
}

/* --- what is said meanwhile ------------------------------------------------------------------- */

/* Nothing that is said holds it. */
#define END_MARK '\f'

/* Waits with stderr on fd, and takes what it was told from the other end: a terminal hands over what
 * was written piece by piece, so until a mark comes that is written behind it. */
static int wait_on(int fd, int other_end, char *told, size_t size, struct err *err)
{
	char results[64];
	int saved = dup(STDERR_FILENO);
	size_t len = 0;
	memset(told, 0, size);
	dup2(fd, STDERR_FILENO);
	int rc = wait_for("['a']", results, sizeof(results), err);
	dup2(saved, STDERR_FILENO);
	close(saved);
	const char mark = END_MARK;
	assert_int_equal(write(fd, &mark, 1), 1);
	char *end;
	while ((end = strchr(told, END_MARK)) == NULL) {
		ssize_t got = read(other_end, told + len, size - 1 - len);
		assert_true(got > 0);
		len += (size_t)got;
	}
	*end = '\0';
	return rc;
}

static void elsewhere_a_line_is_said_now_and_then(void **state)
{
	(void)state;
	char told[1024];
	struct err err;
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	running = 21; /* looks, half a second each: 10 s */
	answer = DONE;
	assert_int_equal(wait_on(ends[1], ends[0], told, sizeof(told), &err), 0);
	running = 0;
	static const char line[] = "acmsensor: 1/4 account-regions";
	const char *second = strstr(told + 1, line);
	assert_int_equal(strncmp(told, line, strlen(line)), 0);
	assert_non_null(second);
	const char *third = strstr(second + 1, line);
	assert_non_null(third);
	assert_null(strstr(third + 1, line));
	assert_null(strchr(told, '\r'));
	close(ends[0]);
	close(ends[1]);
}

static void a_terminal_gets_a_bar_that_goes_away(void **state)
{
	(void)state;
	char told[1024];
	struct err err;
	int master, tty;
	struct winsize size = {.ws_col = 40, .ws_row = 25};
	assert_int_equal(openpty(&master, &tty, NULL, NULL, &size), 0);
	unsetenv("COLUMNS");
	setenv("LC_ALL", "C", 1); /* a byte is a column */
	running = 2;
	answer = DONE;
	assert_int_equal(wait_on(tty, master, told, sizeof(told), &err), 0);
	running = 0;
	assert_int_equal(strncmp(told, "\r[", 2), 0);
	const char *end = strstr(told, "\033[K");
	assert_non_null(end);
	assert_in_range(end - told - 1, 20, 39); /* the last column stays free */
	assert_string_equal(told + strlen(told) - 4, "\r\033[K");
	close(tty);
	close(master);
}

static void ctrl_c_says_how_to_join_it_again(void **state)
{
	(void)state;
	static const char said[] =
		"interrupted; the cycle goes on: acmsensor --socket /x scan --wait joins it";
	char results[64];
	struct err err;
	is_interrupted = true;
	answer = RUNS;
	for (int i = 0; i < 2; i++) {
		is_answered_then = i == 0;
		assert_int_equal(wait_for("['a']", results, sizeof(results), &err), -1);
		assert_true(interrupt_is(&err));
		assert_string_equal(err.text, said);
		assert_int_equal(asked, 1);
	}
	is_interrupted = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cycles_that_ended_are_given_in_the_order_of_the_ids),
		cmocka_unit_test(a_cycle_that_the_daemon_has_lost_is_an_error),
		cmocka_unit_test(no_daemon_ends_the_wait),
		cmocka_unit_test(elsewhere_a_line_is_said_now_and_then),
		cmocka_unit_test(a_terminal_gets_a_bar_that_goes_away),
		cmocka_unit_test(ctrl_c_says_how_to_join_it_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
