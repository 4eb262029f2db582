/* acmsensor scan: the order, and with --wait the outcome of each cycle and what it could not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

static void the_order_names_what_is_to_be_scanned(void **state)
{
	(void)state;
	run_answer("{'scan': {'scans': [{'connector': 'a', 'state': 'started'},"
		   " {'connector': 'b', 'state': 'joined'}, {'connector': 'c', 'state': 'queued'},"
		   " {'connector': 'd\\u0007'}, 7]}}");
	run_is("scan --connector c --account 1 --region r --socket /s", EXIT_DONE,
		"  a                   a cycle has begun\n"
		"  b                   a cycle is under way; it serves this too\n"
		"  c                   begins when the cycle under way has ended\n"
		"  d\\x07               a cycle has begun\n"
		"                      a cycle has begun\n",
		"acmsensor: progress and outcome: acmsensor --socket /s scan --wait\n");
	assert_string_equal(run_asked(),
		"post /v1/scan {\"connector\":\"c\",\"account\":\"1\",\"region\":\"r\"}\n");
}

static void programs_get_the_answer(void **state)
{
	(void)state;
	run_answer("{'scan': {'scans': [{'connector': 'a', 'state': 'started'}]}}");
	run_is("scan -o csv", EXIT_DONE, "connector,state\r\na,started\r\n", "");
	run_answer("{'scan': {'cycle_ids': []}}");
	run_is("scan -o json", EXIT_DONE, NULL, "");
	run_shows("\"cycle_ids\": []");
	run_refuse(ERR_DENIED, "", "only root may ask");
	run_is("scan --wait", EXIT_FAILED, "", "acmsensor: only root may ask\n");
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* cycle: members of the last progress of the one cycle that was asked for. */
static void prepare(const char *cycle)
{
	run_answer("{'scan': {'cycle_ids': ['1']}}");
	run_answerf("{'progress': [{'cycle_id': '1', 'connector': 'prod', %s}]}", cycle);
}

static void all_that_was_read_is_said(void **state)
{
	(void)state;
	prepare("'result': 'complete', 'accounts_done': 2, 'pairs_done': 4, 'certificates': 9,"
		" 'started': '2026-11-21T00:00:00Z', 'finished': '2026-11-21T00:01:30Z',"
		" 'calls': 20, 'retries': 1, 'throttles': 3");
	run_is("scan --wait", EXIT_DONE,
		"  prod                everything in scope was read\n"
		"                      2 accounts, 4 account-regions, 9 certificates in 1m 30s\n"
		"                      20 calls, 1 retries, 3 throttles\n",
		NULL);
	/* The clock was put back; numbers of other types. */
	prepare("'result': 'complete', 'started': '2026-11-21T00:00:09Z', 'calls': 'x',"
		" 'finished': '2026-11-21T00:00:00Z'");
	run_is("scan --wait", EXIT_DONE, NULL, NULL);
	run_shows("0 accounts, 0 account-regions, 0 certificates in 0s\n");
}

static void what_was_not_read_is_listed_and_is_4(void **state)
{
	(void)state;
	prepare("'result': 'incomplete', 'pairs_done': 4, 'pairs_problem': 2");
	run_answer("[{'state': 'denied', 'account_id': '1', 'region': 'r', 'reason': 'no role'},"
		   " {'state': 'throttled', 'account_id': '2', 'code': 'Throttling\\u0007'}]");
	run_is("scan --wait --account 1", EXIT_WARNINGS, NULL, NULL);
	run_shows("  prod                2 of 4 account-regions could not be read\n");
	run_shows("\nCould not be read\n"
		  "STATE      ACCOUNT  NAME  REGION  REASON\n"
		  "denied     1              r       no role\n"
		  "throttled  2                      Throttling\\x07\n");
	assert_non_null(strstr(run_err(), "the reasons: acmsensor coverage --problems\n"));
	assert_non_null(strstr(run_asked(), "rows 3 account=1 problems=yes\n"));
}

static void only_the_first_20_are_listed(void **state)
{
	(void)state;
	char rows[21 * 48] = "[";
	for (int i = 0; i < 21; i++)
		snprintf(rows + strlen(rows), sizeof(rows) - strlen(rows),
			"%s{'account_id': 'n%d'}", i > 0 ? "," : "", i);
	strcat(rows, "]");
	prepare("'result': 'incomplete'");
	run_answer(rows);
	run_is("scan --wait", EXIT_WARNINGS, NULL, NULL);
	run_shows("n19\n");
	run_hides("n20");
	assert_non_null(strstr(
		run_err(), "and 1 more; all, with reasons: acmsensor coverage --problems\n"));
}

static void problems_that_are_over_meanwhile_are_not_listed(void **state)
{
	(void)state;
	prepare("'result': 'incomplete'");
	run_answer("[]");
	run_is("scan --wait", EXIT_WARNINGS, NULL, NULL);
	run_hides("Could not be read");
	prepare("'result': 'incomplete'");
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_is("scan --wait", EXIT_NOT_REACHABLE, NULL, NULL);
}

static void a_cycle_that_failed_says_why_and_is_1(void **state)
{
	(void)state;
	prepare("'result': 'failed', 'error': 'no\\u001b[2J role'");
	run_is("scan --wait", EXIT_FAILED, NULL, NULL);
	run_shows("  prod                failed: no\\x1b[2J role\n");
	prepare("'result': 'cancelled', 'error': null");
	run_is("scan --wait", EXIT_FAILED, NULL, NULL);
	run_shows("  prod                cancelled\n");
}

static void one_failure_among_many_is_1(void **state)
{
	(void)state;
	run_answer("{'scan': {'cycle_ids': ['1', '2', '3']}}");
	run_answer(
		"{'progress': [{'cycle_id': '1', 'result': 'incomplete'},"
		" {'cycle_id': '2', 'result': 'failed'}, {'cycle_id': '3', 'result': 'complete'}]}");
	run_is("scan --wait -o csv", EXIT_FAILED,
		"cycle_id,result\r\n1,incomplete\r\n2,failed\r\n3,complete\r\n", NULL);
}

static void for_programs_what_was_not_read_is_said_on_stderr(void **state)
{
	(void)state;
	prepare("'result': 'incomplete'");
	run_is("scan --wait -o json", EXIT_WARNINGS, NULL, NULL);
	run_shows("{\n  \"schema\": 1,\n  \"progress\": [\n");
	assert_non_null(
		strstr(run_err(), "not everything could be read: acmsensor coverage --problems\n"));
}

static void a_cycle_that_is_lost_is_an_error(void **state)
{
	(void)state;
	run_answer("{'scan': {'cycle_ids': ['1']}}");
	run_answer("{'progress': []}");
	run_is("scan --wait", EXIT_FAILED, "",
		"acmsensor: the daemon no longer knows the cycle 1; it was probably restarted and "
		"goes on by itself: acmsensor status\n");
}

static void a_place_in_another_encoding_is_not_everywhere(void **state)
{
	(void)state;
	run_is("scan --account \xfc", EXIT_USAGE, "", "acmsensor: an argument is not UTF-8 text\n");
	assert_string_equal(run_asked(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(the_order_names_what_is_to_be_scanned),
		RUN_TEST(programs_get_the_answer),
		RUN_TEST(all_that_was_read_is_said),
		RUN_TEST(what_was_not_read_is_listed_and_is_4),
		RUN_TEST(only_the_first_20_are_listed),
		RUN_TEST(problems_that_are_over_meanwhile_are_not_listed),
		RUN_TEST(a_cycle_that_failed_says_why_and_is_1),
		RUN_TEST(one_failure_among_many_is_1),
		RUN_TEST(for_programs_what_was_not_read_is_said_on_stderr),
		RUN_TEST(a_cycle_that_is_lost_is_an_error),
		RUN_TEST(a_place_in_another_encoding_is_not_everywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
