/* acmsensor log: lines that can be piped, and another level for a while. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

static void lines_are_alone_on_stdout(void **state)
{
	(void)state;
	run_answer(
		"{'log': {'level': 'info', 'until': null, 'lines': ['a b', 'c\\u001b\\nd', 7]}}");
	run_is("log", EXIT_DONE, "a b\nc\\x1b\\nd\n\n", "acmsensor: the level is info\n");
	assert_string_equal(run_asked(), "get /v1/log\n");
	run_answer("{'log': {'lines': [], 'level': 'debug', 'configured': 'warning',"
		   " 'until': '2026-11-21T02:00:00Z'}}");
	run_is("log", EXIT_DONE, "",
		"acmsensor: the level is debug until 2026-11-21T02:00:00Z, then warning\n");
	run_answer("{'log': {'level': 'info'}}");
	run_is("log -o json", EXIT_DONE, NULL, "");
	run_shows("\"level\": \"info\"");
}

static void a_level_is_asked_for_with_its_time(void **state)
{
	(void)state;
	run_answer("{'log': {'level': 'debug', 'configured': 'info', 'until': 'then'}}");
	run_is("log debug --for 10m", EXIT_DONE, "",
		"acmsensor: the level is debug until then, then info\n");
	assert_string_equal(run_asked(), "post /v1/log {\"level\":\"debug\",\"for_s\":600}\n");
	run_answer("{'log': {'level': 'info'}}");
	run_is("log default", EXIT_DONE, "", "acmsensor: the level is info\n");
	assert_string_equal(run_asked(), "post /v1/log {\"level\":\"default\"}\n");
}

static void a_wrong_order_is_refused_before_it_is_sent(void **state)
{
	(void)state;
	run_is("log --for 10m", EXIT_USAGE, "",
		"acmsensor: --for needs a level: acmsensor log debug --for 10m\n");
	run_is("log debug -o csv", EXIT_USAGE, "",
		"acmsensor: -o: a change of the level prints nothing\n");
	run_line("log debug --for soon");
	assert_int_equal(run_code(), EXIT_USAGE);
	assert_non_null(strstr(run_err(), "acmsensor: --for: "));
	assert_string_equal(run_asked(), "");
	run_refuse(ERR_CONFIG, "", "level: \"loud\" is none");
	run_is("log loud", EXIT_USAGE, "", "acmsensor: level: \"loud\" is none\n");
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	run_is("log", EXIT_NOT_REACHABLE, "", "acmsensor: nobody there\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(lines_are_alone_on_stdout),
		RUN_TEST(a_level_is_asked_for_with_its_time),
		RUN_TEST(a_wrong_order_is_refused_before_it_is_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
