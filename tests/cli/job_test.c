/* Orders of delivery, and following a job: daemons that go away, Ctrl-C, and exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

#define AWAY "acmsensor: the daemon went away; waiting for it, the job goes on with it\n"
#define BACK "acmsensor: the daemon is back\n"
#define STEP(number, text)                                                                         \
	"{'number': " number ", 'at': '2026-11-21T00:59:0" number                                  \
	"Z', 'phase': 'p', 'text': '" text "'}"
#define JOB(state, steps)                                                                          \
	"{'jobs': [{'id': 'j-1', 'kind': 'deliver', 'state': '" state "', 'reason': 'why',"        \
	" 'steps': [" steps "]}]}"
#define DAY "  2026-11-21          UTC\n"

/* --- following -------------------------------------------------------------------------------- */

static void each_step_is_shown_once_and_then_the_end(void **state)
{
	(void)state;
	run_answer(JOB("running", STEP("1", "a") "," STEP("2", "b")));
	run_answer(JOB("running", STEP("2", "b")));
	run_answer(JOB("succeeded", STEP("2", "b") "," STEP("3", "c\\u0007") ", 7"));
	run_is("jobs j-1 --follow", EXIT_DONE,
		DAY "  00:59:01Z p         a\n"
		    "  00:59:02Z p         b\n"
		    "  00:59:03Z p         c\\x07\n"
		    "\n"
		    "  deliver succeeded   why\n"
		    "  Job                 j-1\n",
		"");
	assert_string_equal(run_asked(), "get /v1/jobs id=j-1 after=0\n"
					 "get /v1/jobs id=j-1 after=2 wait_s=30\n"
					 "get /v1/jobs id=j-1 after=2 wait_s=30\n");
}

/* The daemon says it at each try; a person is told once. */
static void what_holds_a_job_up_is_said_once(void **state)
{
	(void)state;
	static const char full[] = "{'jobs': [{'id': 'j-1', 'kind': 'deliver', 'state': 'running',"
				   " 'held_up': 'the disk is full', 'steps': []}]}";
	run_answer(full);
	run_answer(JOB("running", ""));
	run_answer(full);
	run_answer(JOB("succeeded", ""));
	run_is("jobs j-1 --follow", EXIT_DONE, NULL,
		"acmsensor: the job does not go on: the disk is full; it is tried again\n");
	run_answer(full);
	run_is("jobs j-1", EXIT_DONE, NULL, "");
	run_shows("  Held up             the disk is full\n");
}

static void an_end_has_its_exit_code(void **state)
{
	(void)state;
	run_answer(JOB("failed", ""));
	run_is("jobs j-1 --follow", EXIT_FAILED, NULL, "");
	run_answer("{'jobs': [{'state': 'succeeded', 'reason': 'x; warning: y'}]}");
	run_is("jobs j-1 --follow", EXIT_WARNINGS, NULL, "");
	run_answer(JOB("of a newer daemon", ""));
	run_is("jobs j-1 --follow", EXIT_FAILED, NULL, "");
}

#define ROLLED_BACK                                                                                \
	"{'jobs': [{'id': 'j-1', 'kind': 'deliver', 'state': 'failed', 'reason': 'why; rollback "  \
	"r-1 was ordered', 'rollback': 'r-1', 'steps': [" STEP("1", "a") "]}]}"
#define RESTORED                                                                                   \
	"{'jobs': [{'id': 'r-1', 'kind': 'rollback', 'state': 'restored', 'reason': 'it is back'," \
	" 'rollback': '', 'steps': [" STEP("1", "b") "]}]}"
#define FOLLOWED "acmsensor: job j-1 has failed; rollback r-1 is followed\n"

/* What was asked for is not done, however well it was undone. */
static void an_automatic_rollback_is_followed_to_its_end(void **state)
{
	(void)state;
	run_answer(ROLLED_BACK);
	run_answer("{'jobs': [{'id': 'r-1', 'kind': 'rollback', 'state': 'running'}]}");
	run_answer(RESTORED);
	run_is("jobs j-1 --follow", EXIT_FAILED,
		DAY "  00:59:01Z p         a\n"
		    "\n"
		    "  deliver failed      why; rollback r-1 was ordered\n"
		    "  Job                 j-1\n"
		    "  Its rollback        r-1\n"
		    "  00:59:01Z p         b\n"
		    "\n"
		    "  rollback restored   it is back\n"
		    "  Job                 r-1\n",
		FOLLOWED);
	assert_string_equal(run_asked(), "get /v1/jobs id=j-1 after=0\n"
					 "get /v1/jobs id=r-1 after=0 wait_s=30\n"
					 "get /v1/jobs id=r-1 after=0 wait_s=30\n");
	run_answer(ROLLED_BACK);
	run_answer(RESTORED);
	run_is("jobs j-1 --follow -o csv", EXIT_FAILED, NULL,
		"acmsensor: 2026-11-21T00:59:01Z p: a\n" FOLLOWED
		"acmsensor: 2026-11-21T00:59:01Z p: b\n");
	run_shows("\r\nj-1,deliver,failed,");
	run_shows("\r\nr-1,rollback,restored,");
}

static void a_rollback_of_a_rollback_is_somebody_elses(void **state)
{
	(void)state;
	run_answer("{'jobs': [{'id': 'r-1', 'kind': 'rollback', 'state': 'failed',"
		   " 'rollback': 'r-2'}]}");
	run_is("jobs r-1 --follow", EXIT_FAILED, NULL, "");
	run_answer("{'jobs': [{'id': 'j-1', 'kind': 'deliver', 'state': 'succeeded',"
		   " 'rollback': 'r-2'}]}");
	run_is("jobs j-1 --follow", EXIT_DONE, NULL, "");
}

static void for_programs_the_steps_are_said_on_stderr(void **state)
{
	(void)state;
	run_answer(JOB("succeeded", STEP("1", "a\\nb")));
	run_is("jobs j-1 --follow -o csv", EXIT_DONE, NULL,
		"acmsensor: 2026-11-21T00:59:01Z p: a\\nb\n");
	run_shows("id,kind,state,reason,steps\r\nj-1,deliver,succeeded,why,");
	run_answer("{'jobs': [{'state': 'restored'}]}");
	run_is("jobs j-1 --follow -o json", EXIT_DONE,
		"{\n  \"jobs\": [\n    {\n      \"state\": \"restored\"\n    }\n  ]\n}\n", "");
}

static void a_daemon_that_went_away_is_waited_for(void **state)
{
	(void)state;
	run_answer(JOB("running", STEP("1", "a")));
	run_refuse(ERR_TIMEOUT, "", "slow");
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_refuse(ERR_STOPPED, "", "stopping");
	run_answer(JOB("running", STEP("1", "a")));
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_answer(JOB("succeeded", STEP("2", "b")));
	run_is("jobs j-1 --follow", EXIT_DONE, NULL, AWAY BACK AWAY BACK);
	assert_non_null(strstr(run_asked(), "after=1\n" /* back: what is there, at once */
					    "get /v1/jobs id=j-1 after=1 wait_s=30\n"));
}

/* For ten minutes each time: a script is not to hang. A timeout takes a minute. */
static void a_daemon_that_stays_away_ends_it(void **state)
{
	(void)state;
	run_answer(JOB("running", ""));
	for (int i = 0; i < 6; i++)
		run_refuse(ERR_TIMEOUT, "", "slow");
	run_answer(JOB("running", ""));
	for (int i = 0; i < 6; i++)
		run_refuse(ERR_TIMEOUT, "", "slow");
	run_answer(JOB("succeeded", ""));
	run_is("jobs j-1 --follow", EXIT_DONE, NULL, AWAY BACK AWAY BACK);
	run_answer(JOB("running", ""));
	for (int i = 0; i < 11; i++)
		run_refuse(ERR_TIMEOUT, "", "slow");
	run_is("jobs j-1 --follow --socket /s", EXIT_NOT_REACHABLE, "",
		AWAY
		"acmsensor: the daemon has not come back for 10 minutes; the job goes on when it "
		"does: acmsensor --socket /s jobs j-1 --follow\n");
}

/* A kill in the middle of an answer says nothing about the job. */
static void an_answer_that_broke_off_is_asked_for_again(void **state)
{
	(void)state;
	run_answer(JOB("running", ""));
	run_refuse(ERR_PROTOCOL, "", "broke off");
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_answer(JOB("succeeded", ""));
	run_is("jobs j-1 --follow", EXIT_DONE, NULL, AWAY BACK);
	run_answer(JOB("running", ""));
	run_refuse(ERR_PROTOCOL, "", "no JSON");
	run_refuse(ERR_PROTOCOL, "", "no JSON again");
	run_is("jobs j-1 --follow", EXIT_FAILED, "", AWAY "acmsensor: no JSON again\n");
}

static void what_will_not_pass_ends_it(void **state)
{
	(void)state;
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_is("jobs j-1 --follow", EXIT_NOT_REACHABLE, "", "acmsensor: nobody there\n");
	run_refuse(ERR_PROTOCOL, "", "no JSON");
	run_is("jobs j-1 --follow", EXIT_FAILED, "", "acmsensor: no JSON\n");
	run_answer(JOB("running", ""));
	run_refuse(ERR_NOT_FOUND, "", "there is no job \"j-1\"");
	run_is("jobs j-1 --follow", EXIT_FAILED, "", "acmsensor: there is no job \"j-1\"\n");
}

static void ctrl_c_leaves_the_job_running_and_says_so(void **state)
{
	(void)state;
	run_answer(JOB("running", STEP("1", "a")));
	run_interrupt();
	run_is("jobs j-1 --follow --socket /s", EXIT_INTERRUPTED, DAY "  00:59:01Z p         a\n",
		"acmsensor: interrupted; the job goes on: acmsensor --socket /s jobs j-1 "
		"--follow\n");
	run_answer(JOB("running", ""));
	run_refuse(ERR_STOPPED, "interrupted", "interrupted");
	run_interrupt();
	run_is("jobs j-1 --follow", EXIT_INTERRUPTED, "",
		"acmsensor: interrupted; the job goes on: acmsensor jobs j-1 --follow\n");
}

/* --- orders ----------------------------------------------------------------------------------- */

static void an_order_says_how_to_follow_it(void **state)
{
	(void)state;
	run_answer("{'job': {'id': 'j-1', 'kind': 'deliver', 'state': 'running'}}");
	run_is("apply p-1", EXIT_DONE,
		"  deliver running     has begun\n"
		"  Job                 j-1\n"
		"  Next                acmsensor jobs j-1 --follow\n",
		"");
	assert_string_equal(run_asked(), "post /v1/apply {\"plan\":\"p-1\"}\n");
	run_answer("{'job': {'id': 'j-1', 'state': 'cancelled'}}");
	run_is("cancel j-1 -o csv", EXIT_DONE, "id,state\r\nj-1,cancelled\r\n", "");
	assert_string_equal(run_asked(), "post /v1/cancel {\"job\":\"j-1\"}\n");
}

static void an_order_that_is_waited_for_is_followed(void **state)
{
	(void)state;
	run_answer("{'job': {'id': 'r-1'}}");
	run_answer(JOB("impossible", ""));
	run_is("rollback j-1 --wait", EXIT_FAILED, NULL,
		"acmsensor: job r-1; it goes on when this is interrupted\n");
	assert_string_equal(
		run_asked(), "post /v1/rollback {\"job\":\"j-1\"}\nget /v1/jobs id=r-1 after=0\n");
}

static void an_order_that_was_not_taken_is_an_error(void **state)
{
	(void)state;
	run_refuse(ERR_REFUSED, "", "the plan is void");
	run_is("apply p-1 --wait", EXIT_FAILED, "", "acmsensor: the plan is void\n");
	run_answer("{'job': {'id': 7}}");
	run_is("apply p-1 --wait", EXIT_FAILED, "",
		"acmsensor: answer of the daemon: there is no job in it\n");
}

static void an_id_in_another_encoding_is_not_sent(void **state)
{
	(void)state;
	run_is("apply \xfc", EXIT_USAGE, "", "acmsensor: an argument is not UTF-8 text\n");
	run_is("log \xfc", EXIT_USAGE, "", "acmsensor: an argument is not UTF-8 text\n");
	run_is("alerts ack \xfc", EXIT_USAGE, "", "acmsensor: an argument is not UTF-8 text\n");
	assert_string_equal(run_asked(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(each_step_is_shown_once_and_then_the_end),
		RUN_TEST(what_holds_a_job_up_is_said_once),
		RUN_TEST(an_end_has_its_exit_code),
		RUN_TEST(an_automatic_rollback_is_followed_to_its_end),
		RUN_TEST(a_rollback_of_a_rollback_is_somebody_elses),
		RUN_TEST(for_programs_the_steps_are_said_on_stderr),
		RUN_TEST(a_daemon_that_went_away_is_waited_for),
		RUN_TEST(a_daemon_that_stays_away_ends_it),
		RUN_TEST(an_answer_that_broke_off_is_asked_for_again),
		RUN_TEST(what_will_not_pass_ends_it),
		RUN_TEST(ctrl_c_leaves_the_job_running_and_says_so),
		RUN_TEST(an_order_says_how_to_follow_it),
		RUN_TEST(an_order_that_is_waited_for_is_followed),
		RUN_TEST(an_order_that_was_not_taken_is_an_error),
		RUN_TEST(an_id_in_another_encoding_is_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
