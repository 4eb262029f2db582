/* acmsensor status: what a person reads, whatever the daemon leaves out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

#define SENSOR                                                                                     \
	"'sensor': {'name': 'hq', 'pid': 7, 'version': '0.1.0', 'started': '2026-11-20T23:00:00Z'}"

/* status: the members of the status. */
static void is(const char *line, const char *status, const char *out)
{
	run_answerf("{'status': {%s}}", status);
	run_is(line, EXIT_DONE, out, "");
}

static void shows(const char *status, const char *part)
{
	is("status", status, NULL);
	run_shows(part);
}

/* Members of the cycle of one connector. */
static void cycle_shows(const char *cycle, const char *part)
{
	run_answerf("{'status': {'connectors': [{'name': 'prod', 'cycle': {%s}}]}}", cycle);
	run_is("status", EXIT_DONE, NULL, "");
	run_shows(part);
}

static void a_configuration_that_waits_for_the_cycles_end_is_said(void **state)
{
	(void)state;
	static const char said[] =
		"Reloaded            changes when the cycle that runs has ended\n";
	shows("'connectors': [{'name': 'prod', 'changes_after_cycle': true}]", said);
	is("status", "'connectors': [{'name': 'prod', 'changes_after_cycle': false}]", NULL);
	run_hides("Reloaded");
}

static void everything_is_shown_in_its_order(void **state)
{
	(void)state;
	is("status",
		SENSOR
		", 'attention': [], 'connectors': [{'name': 'prod', 'scope': 'organization',"
		" 'next': '2026-11-21T02:00:00Z', 'cycle': {'started': '2026-11-21T00:00:00Z',"
		" 'finished': '2026-11-21T00:01:30Z', 'last_complete': '2026-11-21T00:01:30Z',"
		" 'accounts': 2, 'account_regions': 4, 'account_regions_problem': 1,"
		" 'certificates': 9, 'calls': 20, 'throttles': 1, 'organization_id': 'o-1'}}],"
		"'counts': {'certificates': 9, 'issued': 8, 'pending': 0, 'expired': 1,"
		" 'in_use': 3, 'in_use_not_renewing_within_30_days': 1,"
		" 'expires': {'within_7_days': 1}, 'imported': 2, 'gone': 4},"
		"'coverage': {'ok': 4, 'denied': 0},"
		"'alerts': {'open': {'warning': 2, 'emergency': 1}, 'looked': true,"
		" 'channels': [{'name': 'ops', 'type': 'mail'}]},"
		"'store': {'file_bytes': 2500000, 'used_bytes': 1200000, 'events': 5}",
		"hq\n"
		"  Daemon              acmsensord 0.1.0, pid 7, up 2h\n"
		"  Attention           nothing needs it\n"
		"\n"
		"Connector prod\n"
		"  Last cycle          58 min ago (2026-11-21 00:01:30Z), took 1m 30s\n"
		"                      2 accounts, 4 account-regions\n"
		"                      1 account-regions could not be read\n"
		"                      9 certificates, 20 calls, 1 throttles\n"
		"  Last without gaps   58 min ago (2026-11-21 00:01:30Z)\n"
		"  Next cycle          in 60 min (2026-11-21 02:00:00Z)\n"
		"  Scope               organization\n"
		"                      o-1\n"
		"\n"
		"Certificates\n"
		"  Known               9\n"
		"                      8 issued, 1 expired\n"
		"  Ending              1 within 7 days\n"
		"  In use              3\n"
		"                      1 of them ending within 30 days and not renewed by AWS\n"
		"  Imported            2\n"
		"  Gone from ACM       4\n"
		"\n"
		"Account-regions\n"
		"  ok                  4\n"
		"\n"
		"Alerts\n"
		"  Open                1 emergency, 2 warning\n"
		"  Channel ops         mail, no message yet\n"
		"\n"
		"Store\n"
		"  Size                2.5 MB, of it 1.2 MB in use\n"
		"  Events              5\n");
	assert_string_equal(run_asked(), "get /v1/status\n");
}

static void an_answer_without_a_status_is_no_status(void **state)
{
	(void)state;
	static const char *const answers[] = {"{}", "{'status': null}", "{'status': [1]}"};
	static const char *const lines[] = {"status", "status -o json", "status -o csv"};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		run_answer(answers[i]);
		run_is(lines[i], EXIT_FAILED, "",
			"acmsensor: answer of the daemon: there is no status in it\n");
	}
}

static void no_daemon_is_3(void **state)
{
	(void)state;
	run_refuse(ERR_UNREACHABLE, "", "no daemon answers on /x");
	run_is("status", EXIT_NOT_REACHABLE, "", "acmsensor: no daemon answers on /x\n");
}

/* --- attention -------------------------------------------------------------------------------- */

#define BLIND "'connectors': [{'name': 'prod', 'cycle': {'started': '2026-11-21T00:00:00Z'}}]"

static void only_an_empty_list_after_a_cycle_is_nothing(void **state)
{
	(void)state;
	shows("'attention': [], " BLIND, "nothing so far; no cycle has ended yet\n");
	shows("'attention': []", "nothing so far; no cycle has ended yet\n");
	is("status", BLIND, NULL);
	run_hides("ttention");
	is("status", "'attention': {}, 'connectors': [{'cycle': {'last_complete': 'x'}}]", NULL);
	run_hides("nothing");
}

static void a_hint_asks_the_daemon_that_was_asked_and_is_not_broken(void **state)
{
	(void)state;
	run_terminal.columns = 40;
	is("status --socket /run/x",
		"'attention': [{'severity': 'critical', 'text': 'one two three four five',"
		" 'hint': 'acmsensor coverage --problems'},"
		" {'severity': 'warning', 'text': 'a\\nb', 'hint': 'acmsensord --check says why'},"
		" 7, {}]",
		NULL);
	run_shows("\nNeeds attention\n"
		  "  critical            one two three four\n"
		  "                      five\n"
		  "                      acmsensor --socket /run/x coverage --problems\n"
		  "  warning             a\\nb\n"
		  "                      acmsensord --check\n"
		  "                      says why\n"
		  "\n");
}

static void a_severity_has_its_colour(void **state)
{
	(void)state;
	run_terminal.has_color = true;
	shows("'attention': [{'severity': 'critical', 'text': 'a'}]", "\x1b[31ma\x1b[0m");
	shows("'attention': [{'severity': 'warning', 'text': 'a'}]", "\x1b[33ma\x1b[0m");
	shows("'attention': [{'severity': 'info', 'text': 'a'}]", "info                a\n");
}

/* --- the sensor, its cycles ------------------------------------------------------------------- */

static void the_age_of_a_daemon_is_said_when_it_is_known(void **state)
{
	(void)state;
	shows("'sensor': {'pid': 7, 'version': '1', 'started': '2026-11-21T01:00:05Z'}",
		"acmsensord 1, pid 7, up 0s\n");
	shows("'sensor': {'pid': 7, 'version': '1'}", "acmsensord 1, pid 7\n");
}

static void a_cycle_is_told_as_far_as_it_came(void **state)
{
	(void)state;
	cycle_shows("", "  Last cycle          none yet\n");
	cycle_shows("'started': '2026-11-21T00:00:00Z'",
		"  Cycle               began 60 min ago (2026-11-21 00:00:00Z), not finished\n");
	cycle_shows("'error': 'no\\u001b[2J role'", "  Failed              no\\x1b[2J role\n");
	/* The clock was put back while it ran. */
	cycle_shows("'started': '2026-11-21T00:00:30Z', 'finished': '2026-11-21T00:00:00Z'",
		"(2026-11-21 00:00:00Z), took 0s\n");
	cycle_shows("'finished': 'soon', 'accounts': 3", "none yet\n");
	run_hides("3 accounts");
}

static void a_next_cycle_that_has_passed_is_due(void **state)
{
	(void)state;
	shows("'connectors': [{'next': '2026-11-21T01:00:00Z'}]", "  Next cycle          due\n");
	shows("'connectors': [{'next': '2026-11-21T01:00:01Z'}]",
		"  Next cycle          in 1 s (2026-11-21 01:00:01Z)\n");
	shows("'connectors': [{'cycle': {'organization_id': 'o-1'}}]",
		"  Scope               o-1\n");
}

#define RUNS "'connectors': [{'name': 'a'}, {'name': 'prod', 'running': true}]"

static void of_a_cycle_that_runs_the_progress_is_asked_for(void **state)
{
	(void)state;
	run_answer("{'status': {" RUNS "}}");
	run_answer("{'progress': [{'connector': 'prod', 'result': 'complete', 'pairs_done': 1},"
		   " {'connector': 'other', 'phase': 'scan', 'pairs_done': 2},"
		   " {'connector': 'prod', 'phase': 'scan', 'pairs_done': 3, 'pairs_total': 4}]}");
	run_is("status", EXIT_DONE, NULL, "");
	assert_string_equal(run_asked(), "get /v1/status\nget /v1/progress\n");
	run_shows("Connector prod\n  Running             3/4 account-regions ");
	run_hides("2/");
	run_hides("1/");
}

static void without_its_progress_the_rest_is_shown(void **state)
{
	(void)state;
	run_answer("{'status': {" RUNS "}}");
	run_refuse(ERR_TIMEOUT, "", "slow");
	run_is("status", EXIT_DONE, NULL, "");
	run_shows("Connector prod\n  Last cycle          none yet\n");
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void what_is_missing_or_of_another_type_counts_as_none(void **state)
{
	(void)state;
	is("status", "'counts': {'certificates': 'many', 'issued': -1, 'expires': [1]}", NULL);
	run_shows("  Known               0\n"
		  "                      -1 issued\n"
		  "  Ending              none within 90 days\n"
		  "\n");
	shows("'counts': {'certificates': 9223372036854775807}", "9223372036854775807\n");
	shows("'store': {'file_bytes': 9223372036854775807, 'error': 'damaged'}",
		"  Cannot be read      damaged\n"
		"  Size                9223372036854.8 MB, of it 0.0 MB in use\n");
}

static void problems_come_before_what_was_read(void **state)
{
	(void)state;
	shows("'coverage': {'ok': 3, 'of_a_newer_daemon': 1, 'denied': 2, 'throttled': 'x'}",
		"Account-regions\n"
		"  denied              2\n"
		"  ok                  3\n"
		"  of_a_newer_daemon   1\n"
		"\n");
}

static void alerts_that_nobody_looked_for_are_not_none(void **state)
{
	(void)state;
	shows("'alerts': {'looked': true}", "  Open                none\n");
	shows("'alerts': {'looked': false}", "  Open                not looked yet\n");
	shows("'alerts': {}", "  Open                not looked yet\n");
	shows("'alerts': {'open': {'critical': 1}, 'acknowledged': 2}",
		"  Open                1 critical\n"
		"  Acknowledged        2\n");
	is("status", "'alerts': null", NULL);
	run_hides("Alerts");
}

static void a_channel_says_when_it_last_reached_somebody(void **state)
{
	(void)state;
	shows("'alerts': {'channels': [{'name': 'ops', 'type': 'mail',"
	      " 'sent': '2026-11-21T00:59:00Z'}, {'name': 'chat', 'type': 'webhook',"
	      " 'sent': '2026-11-21T00:59:00Z', 'failing_since': '2026-11-20T00:59:00Z',"
	      " 'error': 'refused\\u0007'}, {}, 7]}",
		"  Channel ops         mail, last message 1 min ago (2026-11-21 00:59:00Z)\n"
		"  Channel chat        webhook, failing since 24 hours ago (2026-11-20 00:59:00Z): "
		"refused\\x07\n");
}

/* --- other forms ------------------------------------------------------------------------------ */

static void wide_adds_the_epoch(void **state)
{
	(void)state;
	is("status", "'store': {'epoch': 'ab'}", NULL);
	run_hides("Epoch");
	is("status -o wide", "'store': {'epoch': 'ab'}", NULL);
	run_shows("  Epoch               ab\n");
}

static void csv_is_one_row_a_value(void **state)
{
	(void)state;
	is("status -o csv",
		"'sensor': {'name': '=1+1', 'pid': 7}, 'connectors': [{'name': 'a'}, 7,"
		" {'name': 'b', 'cycle': {'calls': 2}}], 'attention': [], 'other': 3",
		"section,item,name,value\r\n"
		"sensor,1,name,\"'=1+1\"\r\n"
		"sensor,1,pid,7\r\n"
		"connectors,1,name,a\r\n"
		"connectors,3,name,b\r\n"
		"connectors,3,cycle,calls=2\r\n");
}

static void json_is_the_document(void **state)
{
	(void)state;
	is("status -o json", RUNS, NULL);
	assert_string_equal(run_asked(), "get /v1/status\n"); /* no progress */
	run_shows("\"running\": true");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(everything_is_shown_in_its_order),
		RUN_TEST(a_configuration_that_waits_for_the_cycles_end_is_said),
		RUN_TEST(an_answer_without_a_status_is_no_status),
		RUN_TEST(no_daemon_is_3),
		RUN_TEST(only_an_empty_list_after_a_cycle_is_nothing),
		RUN_TEST(a_hint_asks_the_daemon_that_was_asked_and_is_not_broken),
		RUN_TEST(a_severity_has_its_colour),
		RUN_TEST(the_age_of_a_daemon_is_said_when_it_is_known),
		RUN_TEST(a_cycle_is_told_as_far_as_it_came),
		RUN_TEST(a_next_cycle_that_has_passed_is_due),
		RUN_TEST(of_a_cycle_that_runs_the_progress_is_asked_for),
		RUN_TEST(without_its_progress_the_rest_is_shown),
		RUN_TEST(what_is_missing_or_of_another_type_counts_as_none),
		RUN_TEST(problems_come_before_what_was_read),
		RUN_TEST(alerts_that_nobody_looked_for_are_not_none),
		RUN_TEST(a_channel_says_when_it_last_reached_somebody),
		RUN_TEST(wide_adds_the_epoch),
		RUN_TEST(csv_is_one_row_a_value),
		RUN_TEST(json_is_the_document),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
