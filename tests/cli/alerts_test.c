/* acmsensor alerts: the order of the list, what an empty one means, and the two orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/alerts.h"
#include "tests/cli/run_cli.h"

#define ROW(id, class, state, ends)                                                                \
	"{'id': '" id                                                                              \
	"', 'class': '" class "', 'state': '" state "', 'ends': " ends                             \
			      ", 'raised': '2026-11-21T00:00:00Z', 'subject': 's', 'text': 't'}"

/* --- the list --------------------------------------------------------------------------------- */

static void what_hurts_most_comes_first(void **state)
{
	(void)state;
	run_answer("[" ROW("over", "emergency", "resolved", "null") "," ROW("known", "emergency",
		"acknowledged", "null") "," ROW("newer", "catastrophe", "open", "null") "," ROW("b",
		"warning", "open", "'2026-11-22T01:00:00Z'") "," ROW("a", "warning", "open",
		"'2026-11-22T01:00:00Z'") "," ROW("never", "warning", "open",
		"null") "," ROW("sooner", "warning", "open",
		"'2026-11-20T01:00:00Z'") "," ROW("worst", "emergency", "open", "null") "]");
	run_is("alerts", EXIT_DONE,
		"ALERT   CLASS        STATE         KIND  WHAT  ACCOUNT  REGION  ENDS          RAISED      TEXT\n"
		"worst   emergency    open                s                      -             60 min ago  t\n"
		"sooner  warning      open                s                      24 hours ago  60 min ago  t\n"
		"a       warning      open                s                      in 24 hours   60 min ago  t\n"
		"b       warning      open                s                      in 24 hours   60 min ago  t\n"
		"never   warning      open                s                      -             60 min ago  t\n"
		"newer   catastrophe  open                s                      -             60 min ago  t\n"
		"known   emergency    acknowledged        s                      -             60 min ago  t\n"
		"over    emergency    resolved            s                      -             60 min ago  t\n",
		"");
	assert_string_equal(run_asked(), "rows 5\n");
}

static void what_was_asked_for_is_passed_on(void **state)
{
	(void)state;
	run_answer("[]");
	run_answer("{'status': {'alerts': {'looked': true}}}");
	run_is("alerts --all --class warning --kind job", EXIT_DONE, "",
		"acmsensor: there is no alert\n");
	assert_string_equal(run_asked(), "rows 5 all=yes class=warning kind=job\nget /v1/status\n");
}

static void one_that_is_over_says_why(void **state)
{
	(void)state;
	run_answer("[{'id': 'a', 'class': 'warning', 'state': 'resolved', 'text': 'ends soon',"
		   " 'domain_name': 'x.example', 'resolved': '2026-11-21T00:00:00Z',"
		   " 'resolution': 'renewed\\u001b[31m'}]");
	run_is("alerts --all", EXIT_DONE, NULL, "");
	run_shows("renewed\\x1b[31m\n");
	run_shows("x.example");
	run_hides("ends soon");
}

static void a_time_that_is_not_told_is_not_1970(void **state)
{
	(void)state;
	run_answer("[{'id': 'a', 'state': 'open'}, {}, 7]");
	run_is("alerts", EXIT_DONE, NULL, "");
	run_hides("ago");
}

static void on_40_columns_the_text_stands_below(void **state)
{
	(void)state;
	run_terminal.columns = 40;
	run_answer("[{'id': '0123456789abcdef', 'class': 'emergency', 'state': 'open',"
		   " 'domain_name': 'a-rather-long-name.example.com', 'account_id': '111122223333',"
		   " 'text': 'in use, ends in 3 days and AWS will not renew it'}]");
	run_is("alerts", EXIT_DONE,
		"ALERT             CLASS      WHAT\n"
		"0123456789abcdef  emergency  a-rather-l…\n"
		"  in use, ends in 3 days and AWS will\n"
		"  not renew it\n",
		"");
}

static void a_class_has_its_colour_while_it_is_open(void **state)
{
	(void)state;
	run_terminal.has_color = true;
	run_answer("[" ROW("1", "emergency", "open", "null") "," ROW(
		"2", "critical", "open", "null") "," ROW("3", "warning", "open",
		"null") "," ROW("4", "emergency", "resolved", "null") "]");
	run_is("alerts", EXIT_DONE, NULL, "");
	run_shows("\x1b[31memergency");
	run_shows("\x1b[31mcritical");
	run_shows("\x1b[33mwarning");
	run_shows("\x1b[2memergency");
}

static void no_alert_is_said_for_what_it_is(void **state)
{
	(void)state;
	static const struct {
		const char *status, *said;
	} cases[] = {
		{"{'status': {'alerts': {'looked': false}}}",
			"acmsensor: there is no alert yet: the daemon looks when its first cycle "
			"has ended\n"},
		{"{'status': {'alerts': {'looked': true, 'error': 'the store is full\\n'}}}",
			"acmsensor: there is no alert, but the last look failed: the store is "
			"full\\n\n"},
		{"{'status': {'alerts': {'looked': true, 'error': null}}}",
			"acmsensor: there is no alert\n"},
		{"{}", "acmsensor: there is no alert\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run_answer("[]");
		run_answer(cases[i].status);
		run_is("alerts", EXIT_DONE, "", cases[i].said);
	}
	run_answer("[]");
	run_refuse(ERR_TIMEOUT, "", "slow");
	run_is("alerts", EXIT_DONE, "", "acmsensor: there is no alert\n");
	run_answer("[]");
	run_is("alerts --offline /x", EXIT_DONE, "", "acmsensor: there is no alert\n");
}

static void a_list_that_fails_shows_nothing(void **state)
{
	(void)state;
	run_refuse(ERR_PROTOCOL, "", "broke off");
	run_is("alerts", EXIT_FAILED, "", "acmsensor: broke off\n");
	run_refuse(ERR_CONFIG, "", "class: \"x\" is none");
	run_is("alerts --class x -o csv", EXIT_USAGE, "", "acmsensor: class: \"x\" is none\n");
}

static void programs_get_it_as_it_comes(void **state)
{
	(void)state;
	run_answer("{'schema': 1, 'alerts': []}");
	run_is("alerts -o json --all", EXIT_DONE, "{\"schema\":1,\"alerts\":[]}", "");
	assert_string_equal(run_asked(), "document 5 all=yes\n");
	run_answer("[{'id': 'a', 'note': '+1'}, {'id': 'b', 'note': null}]");
	run_is("alerts -o csv", EXIT_DONE, "id,note\r\na,\"'+1\"\r\nb,\r\n", "");
	run_answer("[]");
	run_is("alerts -o csv", EXIT_DONE, NULL, "");
	run_shows("id,kind,class,state,");
}

/* --- orders ----------------------------------------------------------------------------------- */

static void what_is_acknowledged_is_said(void **state)
{
	(void)state;
	run_answer("{'acknowledged': {'alert': 'x', 'id': '3f'}}");
	run_is("alerts ack x --note=why", EXIT_DONE, "acknowledged 3f\n", "");
	assert_string_equal(
		run_asked(), "post /v1/alerts/ack {\"alert\":\"x\",\"note\":\"why\"}\n");
	run_answer("{'acknowledged': {'alert': 'x', 'id': '3f'}}");
	run_is("alerts ack x -o csv", EXIT_DONE, "alert,id\r\nx,3f\r\n", "");
	assert_string_equal(run_asked(), "post /v1/alerts/ack {\"alert\":\"x\"}\n");
	run_refuse(ERR_NOT_FOUND, "", "there is no alert \"x\"");
	run_is("alerts ack x", EXIT_FAILED, "", "acmsensor: there is no alert \"x\"\n");
}

static void what_a_receiver_said_cannot_command_the_terminal(void **state)
{
	(void)state;
	run_answer("{'test': {'channel': 'ops', 'said': '250 \\u001b]0;owned\\u0007\\r\\nok'}}");
	run_is("alerts test ops", EXIT_DONE, "sent on ops: 250 \\x1b]0;owned\\x07\\r\\nok\n", "");
	assert_string_equal(run_asked(), "post /v1/alerts/test {\"channel\":\"ops\"}\n");
	run_answer("{'acknowledged': {'id': '\\u001b[2J'}}");
	run_is("alerts ack x", EXIT_DONE, "acknowledged \\x1b[2J\n", "");
	run_answer("{}");
	run_is("alerts test ops", EXIT_DONE, "sent on : \n", "");
}

static void a_wrong_order_is_refused_before_it_is_sent(void **state)
{
	(void)state;
	static const char *const refused[][2] = {
		{"alerts --note why", "--note goes with alerts ack"},
		{"alerts test ops --note why", "--note goes with alerts ack"},
		{"alerts close x", "alerts: expected nothing, ack ALERT or test CHANNEL"},
		{"alerts ack", "alerts ack: expected an alert's id or a certificate's ARN"},
		{"alerts ack ", "alerts ack: expected an alert's id or a certificate's ARN"},
		{"alerts test", "alerts test: expected a channel's name"},
		{"alerts ack x --all", "--all, --class and --kind go with the list"},
		{"alerts test x --kind job", "--all, --class and --kind go with the list"},
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		char said[128];
		snprintf(said, sizeof(said), "acmsensor: %s\n", refused[i][1]);
		run_is(refused[i][0], EXIT_USAGE, "", said);
		assert_string_equal(run_asked(), "");
	}
}

static void a_note_has_a_limit(void **state)
{
	(void)state;
	char line[ALERT_NOTE_MAX + 64] = "alerts ack x --note=", said[64];
	size_t begin = strlen(line);
	memset(line + begin, 'n', ALERT_NOTE_MAX);
	run_answer("{'acknowledged': {'id': 'x'}}");
	run_is(line, EXIT_DONE, "acknowledged x\n", "");
	line[begin + ALERT_NOTE_MAX] = 'n';
	snprintf(said, sizeof(said), "acmsensor: --note: longer than %d bytes\n", ALERT_NOTE_MAX);
	run_is(line, EXIT_USAGE, "", said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(what_hurts_most_comes_first),
		RUN_TEST(what_was_asked_for_is_passed_on),
		RUN_TEST(one_that_is_over_says_why),
		RUN_TEST(a_time_that_is_not_told_is_not_1970),
		RUN_TEST(on_40_columns_the_text_stands_below),
		RUN_TEST(a_class_has_its_colour_while_it_is_open),
		RUN_TEST(no_alert_is_said_for_what_it_is),
		RUN_TEST(a_list_that_fails_shows_nothing),
		RUN_TEST(programs_get_it_as_it_comes),
		RUN_TEST(what_is_acknowledged_is_said),
		RUN_TEST(what_a_receiver_said_cannot_command_the_terminal),
		RUN_TEST(a_wrong_order_is_refused_before_it_is_sent),
		RUN_TEST(a_note_has_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
