/* Jobs of delivery: what an end means, and how steps are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/dates.h"
#include "cli/job_show.h"
#include "tests/cli/print_fixture.h"

static void ends_with(const char *text, int code)
{
	json_t *job = print_fixture_json(text);
	assert_int_equal(job_exit_code(job), code);
	json_decref(job);
}

static void what_was_done_is_0(void **state)
{
	(void)state;
	ends_with("{'state': 'succeeded'}", EXIT_DONE);
	ends_with("{'state': 'restored', 'evidence': null}", EXIT_DONE);
	ends_with("{'state': 'succeeded', 'evidence': {'hosts': [{'outcome': 'served'}],"
		  " 'tags': {'missing': ''}}}",
		EXIT_DONE);
}

static void what_was_not_done_is_1(void **state)
{
	(void)state;
	ends_with("{'state': 'failed'}", EXIT_FAILED);
	ends_with("{'state': 'impossible'}", EXIT_FAILED);
	ends_with("{'state': 'cancelled'}", EXIT_FAILED);
	ends_with("{'state': 'failed', 'reason': 'x; warning: y'}", EXIT_FAILED);
	ends_with("{'state': 'of a newer daemon'}", EXIT_FAILED);
	ends_with("{}", EXIT_FAILED);
	ends_with("{'state': 7}", EXIT_FAILED);
}

static void what_must_be_looked_at_is_4(void **state)
{
	(void)state;
	ends_with("{'state': 'succeeded', 'evidence': {'hosts': [{'outcome': 'served'},"
		  " {'outcome': 'not reachable'}]}}",
		EXIT_WARNINGS);
	ends_with(
		"{'state': 'restored', 'evidence': {'hosts': [{'outcome': 'other certificate'}]}}",
		EXIT_WARNINGS);
	ends_with("{'state': 'succeeded', 'evidence': {'hosts': [{}]}}", EXIT_WARNINGS);
	ends_with(
		"{'state': 'succeeded', 'evidence': {'tags': {'missing': 'team'}}}", EXIT_WARNINGS);
	ends_with("{'state': 'succeeded', 'reason': 'ACM holds it; warning: tags'}", EXIT_WARNINGS);
}

static const struct cli narrow = {.terminal = {.columns = 60}, .now_s = 1795222800};

static char day[DATES_TEXT_MAX];

static void print_step(const struct cli *cli, const json_t *step)
{
	job_show_step(cli, step, day);
}

static void prints_step(const char *text, const char *expected)
{
	print_fixture_is(print_step, &narrow, text, expected);
}

static void a_day_is_said_once(void **state)
{
	(void)state;
	day[0] = '\0';
	prints_step("{'at': '2026-11-27T23:59:59Z', 'phase': 'import', 'text': 'sent'}",
		"  2026-11-27          UTC\n"
		"  23:59:59Z import    sent\n");
	prints_step("{'at': '2026-11-27T23:59:59Z', 'phase': 'confirm', 'text': 'not yet'}",
		"  23:59:59Z confirm   not yet\n");
	prints_step("{'at': '2026-11-28T00:00:00Z', 'phase': 'done', 'text': 'a b'}",
		"  2026-11-28          UTC\n"
		"  00:00:00Z done      a b\n");
}

static void text_from_outside_is_escaped_and_wrapped(void **state)
{
	(void)state;
	strcpy(day, "2026-11-28");
	prints_step("{'at': '2026-11-28T00:00:00Z', 'phase': 'a-phase-longer-than-any',"
		    " 'text': '\\u001b[31m word word word word word word word'}",
		"  00:00:00Z a-phase-l \\x1b[31m word word word word word word\n"
		"                      word\n");
}

static void a_step_without_its_time_or_that_failed_is_shown(void **state)
{
	static const struct cli colours = {.terminal = {.columns = 60, .has_color = true}};
	(void)state;
	strcpy(day, "2026-11-28");
	print_fixture_shows(print_step, &colours,
		"{'at': '2026-11-28T00:00:00Z', 'phase': 'import', 'text': 'sent', 'failure': true}",
		"\x1b[33msent\x1b[0m");
	free(print_fixture_run(print_step, &narrow, "{}"));
}

/* --- the whole -------------------------------------------------------------------------------- */

static const char finished[] =
	"{'id': 'j-1', 'kind': 'deliver', 'state': 'succeeded', 'reason': 'done', 'plan': 'p-1',"
	" 'arn': 'arn:x', 'account_id': '111122223333', 'region': 'eu-west-1', 'connector': 'prod',"
	" 'certificate_id': 'shop', 'old_serial': '01', 'new_serial': '02', 'phase': 'done',"
	" 'created': '2026-11-21T00:00:00Z', 'ended': '2026-11-21T00:01:00Z', 'attempts': 3,"
	" 'rollback_possible': true, 'evidence': {'hosts': [{'host': 'a:443', 'outcome': 'served',"
	" 'serial': '02'}, {'host': 'b:443', 'outcome': 'not reachable', 'error': 'refused'}],"
	" 'tags': {'missing': 'team', 'restored': 'cost'}}}";

static void a_job_that_ended_is_shown_with_its_evidence(void **state)
{
	(void)state;
	print_fixture_is(job_show, &narrow, finished,
		"  deliver succeeded   done\n"
		"  Job                 j-1\n"
		"  ARN                 arn:x\n"
		"  Where               account 111122223333, eu-west-1,\n"
		"                      connector prod\n"
		"  Certificate ID      shop\n"
		"  Plan                p-1\n"
		"  Serial before       01\n"
		"  Serial to be        02\n"
		"  Asked for           60 min ago (2026-11-21 00:00:00Z)\n"
		"  Ended               59 min ago (2026-11-21 00:01:00Z)\n"
		"  Hosts               a:443: served, serial 02\n"
		"                      b:443: not reachable, refused\n"
		"  Tags missing        team\n"
		"  Tags restored       cost\n"
		"  The way back        acmsensor rollback j-1 --wait\n");
}

static void a_job_that_runs_is_shown_with_what_comes_next(void **state)
{
	(void)state;
	const char *job = "{'id': 'r-1', 'kind': 'rollback', 'state': 'running', 'of_job': 'j-1',"
			  " 'phase': 'import', 'attempts': 2, 'rollback_possible': true,"
			  " 'next_attempt': '2026-11-21T01:05:00Z'}";
	print_fixture_shows(job_show, &narrow, job, "  rollback running    has begun\n");
	print_fixture_shows(job_show, &narrow, job,
		"  Undoes job          j-1\n"
		"  Phase               import\n"
		"  Attempts in it      2\n"
		"  Next attempt        in 5 min (2026-11-21 01:05:00Z)\n"
		"  Next                acmsensor jobs r-1 --follow\n");
	print_fixture_is(job_show_state, &narrow, job,
		"  rollback running    has begun\n"
		"  Job                 r-1\n"
		"  Next attempt        in 5 min (2026-11-21 01:05:00Z)\n"
		"  Next                acmsensor jobs r-1 --follow\n");
}

static void a_job_without_a_reason_says_so(void **state)
{
	(void)state;
	const char *job = "{'id': 'j-1', 'kind': 'deliver', 'state': 'failed'}";
	print_fixture_is(job_show_state, &narrow, job,
		"  deliver failed      (no reason was given)\n"
		"  Job                 j-1\n");
}

static void looks(const char *text, enum style style)
{
	json_t *job = print_fixture_json(text);
	assert_int_equal(job_style(job), style);
	json_decref(job);
}

static void a_rollback_of_it_is_named(void **state)
{
	(void)state;
	print_fixture_is(job_show_state, &narrow,
		"{'id': 'j-1', 'kind': 'deliver', 'state': 'failed', 'reason': 'no',"
		" 'rollback': 'r-1', 'rollback_possible': false}",
		"  deliver failed      no\n"
		"  Job                 j-1\n"
		"  Its rollback        r-1\n");
}

static void a_state_has_its_colour(void **state)
{
	(void)state;
	looks("{'state': 'succeeded'}", STYLE_GREEN);
	looks("{'state': 'restored'}", STYLE_GREEN);
	looks(finished, STYLE_YELLOW);
	looks("{'state': 'running'}", STYLE_BOLD);
	looks("{'state': 'cancelled'}", STYLE_YELLOW);
	looks("{'state': 'failed'}", STYLE_RED);
	looks("{}", STYLE_RED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_done_is_0),
		cmocka_unit_test(what_was_not_done_is_1),
		cmocka_unit_test(what_must_be_looked_at_is_4),
		cmocka_unit_test(a_day_is_said_once),
		cmocka_unit_test(text_from_outside_is_escaped_and_wrapped),
		cmocka_unit_test(a_step_without_its_time_or_that_failed_is_shown),
		cmocka_unit_test(a_job_that_ended_is_shown_with_its_evidence),
		cmocka_unit_test(a_job_that_runs_is_shown_with_what_comes_next),
		cmocka_unit_test(a_job_without_a_reason_says_so),
		cmocka_unit_test(a_rollback_of_it_is_named),
		cmocka_unit_test(a_state_has_its_colour),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
