/* acmsensor events: the list; and following, over daemons that go away and stores that are replaced. */
#include "cli/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

#define AWAY "acmsensor: the daemon went away; waiting for it\n"
#define BACK "acmsensor: the daemon is back\n"
#define END  "acmsensor: no answer is prepared\n" /* what ends these runs */

#define EVENT(number, hash, what)                                                                  \
	"{'sequence': " number ", 'hash': '" hash "', 'at': '2026-11-21T00:00:0" number            \
	"Z', 'kind': 'seen', 'subject': '" what "'}"

static void the_last_day_is_shown_oldest_first(void **state)
{
	(void)state;
	run_answer("[" EVENT("1", "a", "x\\nb") ", {'account_id': '111122223333'}, 7]");
	run_is("events", EXIT_DONE,
		"TIME                  EVENT  WHAT  ACCOUNT       REGION  DETAIL\n"
		"2026-11-21 00:00:01Z  seen   x\\nb\n"
		"-                                  111122223333\n"
		"-\n",
		"");
	assert_string_equal(run_asked(), "rows 4 since=1d\n");
}

static void nothing_says_how_to_look_further(void **state)
{
	(void)state;
	run_answer("[]");
	run_is("events --since 2h --limit 3", EXIT_DONE, "",
		"acmsensor: nothing happened since then; --since 30d looks further back\n");
	assert_string_equal(run_asked(), "rows 4 since=2h limit=3\n");
	run_answer("[]");
	run_is("events -o csv", EXIT_DONE,
		"sequence,at,kind,connector,account_id,region,arn,subject,detail,hash\r\n",
		"acmsensor: nothing happened since then; --since 30d looks further back\n");
	run_refuse(ERR_CONFIG, "", "since: \"x\" is no time");
	run_is("events --since x", EXIT_USAGE, "", "acmsensor: since: \"x\" is no time\n");
}

/* --- following -------------------------------------------------------------------------------- */

static void follow_is(const char *line, const char *out, const char *err)
{
	run_is(line, EXIT_FAILED, out, err);
}

static void each_event_is_one_line_and_the_next_is_asked_for(void **state)
{
	(void)state;
	run_answer("[]");
	run_answer("[" EVENT("1", "a", "x\\u001b") "," EVENT("2", "b", "") "]");
	run_answer("[" EVENT("2", "b", "") "]");
	run_answer("[" EVENT("3", "c", "z") "]");
	follow_is("events --follow",
		"2026-11-21 00:00:01Z  seen  x\\x1b\n"
		"2026-11-21 00:00:02Z  seen\n"
		"2026-11-21 00:00:03Z  seen  z\n",
		END);
	assert_string_equal(run_asked(), "rows 4 from=0 limit=1\n"
					 "rows 4 since=2026-11-21T01:00:00Z wait_s=30\n"
					 "rows 4 from=2 limit=1\n"
					 "rows 4 from=3 wait_s=30\n"
					 "rows 4 from=3 limit=1\n");
}

static void programs_get_lines_too(void **state)
{
	(void)state;
	run_answer("[]");
	run_answer("[{'sequence': 1, 'hash': 'a', 'detail': '=x'}, {'sequence': 2, 'hash': 'b',"
		   " 'detail': 'y'}]");
	follow_is(
		"events --follow -o csv", "sequence,hash,detail\r\n1,a,\"'=x\"\r\n2,b,y\r\n", END);
	run_answer("[]");
	run_answer("[{'sequence': 1, 'hash': 'a'}, {'sequence': 2, 'hash': '\\u009b'}]");
	follow_is("events --follow -o json --since 2h",
		"{\"sequence\":1,\"hash\":\"a\"}\n{\"sequence\":2,\"hash\":\"\\u009b\"}\n", END);
}

static void a_daemon_that_went_away_is_waited_for(void **state)
{
	(void)state;
	run_answer("[]");
	run_answer("[" EVENT("1", "a", "x") "]");
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_refuse(ERR_TIMEOUT, "", "slow");
	run_refuse(ERR_PROTOCOL, "", "broke off");
	run_refuse(ERR_STOPPED, "", "stopping");
	run_answer("[" EVENT("1", "a", "x") "]");
	run_answer("[" EVENT("2", "b", "y") "]");
	follow_is("events --follow",
		"2026-11-21 00:00:01Z  seen  x\n"
		"2026-11-21 00:00:02Z  seen  y\n",
		AWAY BACK END);
}

static void a_daemon_that_never_answered_is_not(void **state)
{
	(void)state;
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_is("events --follow", EXIT_NOT_REACHABLE, "", "acmsensor: nobody there\n");
	run_answer("[]");
	run_refuse(ERR_CONFIG, "", "since: \"x\" is no time");
	run_is("events --follow --since x", EXIT_USAGE, "", "acmsensor: since: \"x\" is no time\n");
}

static void another_store_is_noticed_and_what_is_new_in_it_shown(void **state)
{
	(void)state;
	run_answer("[]");
	run_answer("[" EVENT("2", "b", "x") "]");
	run_answer("[" EVENT("2", "other", "y") "]"); /* numbers anew */
	run_answer("[" EVENT("2", "b", "x") "," EVENT("3", "d", "z") "]");
	follow_is("events --follow",
		"2026-11-21 00:00:02Z  seen  x\n"
		"2026-11-21 00:00:03Z  seen  z\n",
		"acmsensor: the daemon has another store now; what is new in it follows\n" END);
	assert_string_equal(run_asked(), "rows 4 from=0 limit=1\n"
					 "rows 4 since=2026-11-21T01:00:00Z wait_s=30\n"
					 "rows 4 from=2 limit=1\n"
					 "rows 4 since=2026-11-21T00:00:02Z wait_s=30\n"
					 "rows 4 from=3 limit=1\n");
}

static void what_retention_cut_off_is_no_other_store(void **state)
{
	(void)state;
	run_answer("[]");
	run_answer("[" EVENT("2", "b", "x") "]");
	run_answer("[" EVENT("5", "e", "y") "]");
	run_answer("[" EVENT("5", "e", "y") "]");
	follow_is("events --follow",
		"2026-11-21 00:00:02Z  seen  x\n"
		"2026-11-21 00:00:05Z  seen  y\n",
		END);
}

static void following_goes_with_neither_a_limit_nor_a_store(void **state)
{
	(void)state;
	static const char said[] = "acmsensor: --follow goes with neither --offline nor --limit\n";
	run_is("events --follow --limit 3", EXIT_USAGE, "", said);
	run_is("events --follow --offline /x", EXIT_USAGE, "", said);
}

/* --- the last ones ---------------------------------------------------------------------------- */

static int print_last(size_t count, char *text, size_t size, struct err *err)
{
	const struct cli cli = {.output = OUTPUT_WIDE};
	FILE *saved = stdout;
	stdout = fmemopen(text, size, "w");
	int rc = events_print_last(&cli, "30d", count, err);
	fclose(stdout);
	stdout = saved;
	return rc;
}

static void only_the_last_ones_are_printed(void **state)
{
	(void)state;
	char text[256] = "";
	struct err err = ERR_INIT;
	run_answer("[" EVENT("1", "a", "x") "," EVENT("2", "b", "y") "," EVENT("3", "c", "z") "]");
	assert_int_equal(print_last(2, text, sizeof(text), &err), 0);
	assert_string_equal(text, "2026-11-21 00:00:02Z  seen  y\n2026-11-21 00:00:03Z  seen  z\n");
	memset(text, 0, sizeof(text));
	run_answer("[" EVENT("1", "a", "x") "]");
	assert_int_equal(print_last(2, text, sizeof(text), &err), 0);
	assert_string_equal(text, "2026-11-21 00:00:01Z  seen  x\n");
	memset(text, 0, sizeof(text));
	run_refuse(ERR_STORE, "", "damaged");
	assert_int_equal(print_last(2, text, sizeof(text), &err), -1);
	assert_string_equal(text, "");
	assert_string_equal(err.text, "damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(the_last_day_is_shown_oldest_first),
		RUN_TEST(nothing_says_how_to_look_further),
		RUN_TEST(each_event_is_one_line_and_the_next_is_asked_for),
		RUN_TEST(programs_get_lines_too),
		RUN_TEST(a_daemon_that_went_away_is_waited_for),
		RUN_TEST(a_daemon_that_never_answered_is_not),
		RUN_TEST(another_store_is_noticed_and_what_is_new_in_it_shown),
		RUN_TEST(what_retention_cut_off_is_no_other_store),
		RUN_TEST(following_goes_with_neither_a_limit_nor_a_store),
		RUN_TEST(only_the_last_ones_are_printed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
