/* acmsensor jobs: the list, one with its steps, and what is refused. Following is in job_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

static void the_list_says_how_each_stands(void **state)
{
	(void)state;
	run_answer(
		"{'jobs': [{'id': 'j-1', 'kind': 'deliver', 'state': 'running', 'phase': 'import',"
		" 'created': '2026-11-21T00:59:00Z', 'next_attempt': '2026-11-21T01:00:30Z'},"
		" {'id': 'j-2', 'kind': 'delete', 'state': 'failed', 'phase': 'check',"
		" 'next_attempt': '2026-11-21T01:00:30Z', 'reason': 'denied\\u0007'}, {}, 7]}");
	run_is("jobs", EXIT_DONE,
		"JOB  KIND     STATE    PHASE   ASKED FOR  ACCOUNT  REGION  REASON\n"
		"j-1  deliver  running  import  1 min ago\n"
		"j-2  delete   failed           -                           denied\\x07\n"
		"                               -\n"
		"                               -\n",
		"");
	assert_string_equal(run_asked(), "get /v1/jobs\n");
}

static void wide_adds_the_next_try_of_what_runs(void **state)
{
	(void)state;
	run_answer("{'jobs': [{'id': 'j-1', 'state': 'running',"
		   " 'next_attempt': '2026-11-21T01:00:30Z', 'certificate_id': 'shop'},"
		   " {'id': 'j-2', 'state': 'failed', 'next_attempt': '2026-11-21T01:00:40Z'}]}");
	run_is("jobs -o wide", EXIT_DONE, NULL, "");
	run_shows("in 30 s   shop\n");
	run_hides("40 s");
}

static void no_job_says_how_one_is_made(void **state)
{
	(void)state;
	static const char said[] = "acmsensor: there is no job yet: acmsensor --socket /s plan, "
				   "then acmsensor --socket /s apply PLAN\n";
	run_answer("{'jobs': []}");
	run_is("jobs --socket /s", EXIT_DONE, "", said);
	run_answer("{'jobs': []}");
	run_is("jobs -o csv", EXIT_DONE, "", "");
	run_answer("{'jobs': []}");
	run_is("jobs -o json", EXIT_DONE, "{\n  \"jobs\": []\n}\n", "");
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_is("jobs", EXIT_NOT_REACHABLE, "", "acmsensor: nobody there\n");
}

static void one_is_shown_with_its_steps(void **state)
{
	(void)state;
	run_answer(
		"{'jobs': [{'id': 'j-1', 'kind': 'deliver', 'state': 'failed', 'reason': 'why',"
		" 'steps': [{'at': '2026-11-21T00:59:00Z', 'phase': 'import', 'text': 'sent'},"
		" {'at': '2026-11-21T00:59:01Z', 'phase': 'done', 'text': 'no', 'failure': true},"
		" 7]}]}");
	run_is("jobs j-1", EXIT_DONE, NULL, "");
	run_shows("  deliver failed      why\n");
	run_shows("\nSteps\n"
		  "  2026-11-21          UTC\n"
		  "  00:59:00Z import    sent\n"
		  "  00:59:01Z done      no\n");
	assert_string_equal(run_asked(), "get /v1/jobs id=j-1\n");
}

static void an_answer_without_the_job_is_an_error(void **state)
{
	(void)state;
	static const char *const answers[] = {"{}", "{'jobs': []}", "{'jobs': [7]}",
		"{'jobs': [{'id': 'j-1'}]}", "{'jobs': {'state': 'failed'}}"};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		run_answer(answers[i]);
		run_is("jobs j-1", EXIT_FAILED, "",
			"acmsensor: answer of the daemon: there is no job in it\n");
	}
	run_refuse(ERR_NOT_FOUND, "", "there is no job \"j-1\"");
	run_is("jobs j-1", EXIT_FAILED, "", "acmsensor: there is no job \"j-1\"\n");
}

static void all_cannot_be_followed(void **state)
{
	(void)state;
	run_is("jobs --follow", EXIT_USAGE, "",
		"acmsensor: --follow follows one job: acmsensor jobs JOB --follow\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(the_list_says_how_each_stands),
		RUN_TEST(wide_adds_the_next_try_of_what_runs),
		RUN_TEST(no_job_says_how_one_is_made),
		RUN_TEST(one_is_shown_with_its_steps),
		RUN_TEST(an_answer_without_the_job_is_an_error),
		RUN_TEST(all_cannot_be_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
