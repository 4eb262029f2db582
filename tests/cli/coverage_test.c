/* acmsensor coverage: problems first, and what an empty list means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

#define READ                                                                                       \
	"{'state': 'ok', 'account_id': '1', 'account_name': 'shop', 'region': 'eu-west-1',"        \
	" 'certificates': 0, 'last_success': '2026-11-21T00:00:00Z',"                              \
	" 'next_try': '2026-11-21T01:00:00Z'}"
#define DENIED                                                                                     \
	"{'state': 'denied', 'is_problem': true, 'account_id': '2', 'region': 'us-east-1',"        \
	" 'certificates': 7, 'reason': 'no\\u001b[31m role', 'code': 'AccessDenied',"              \
	" 'next_try': '2026-11-21T01:05:00Z'}"

static void problems_come_first_and_are_counted(void **state)
{
	(void)state;
	run_answer("[" READ "," DENIED ", {}, 7]");
	run_is("coverage", EXIT_DONE,
		"STATE   ACCOUNT  NAME  REGION     CERTS  LAST READ   REASON\n"
		"denied  2              us-east-1      -  never       no\\x1b[31m role\n"
		"ok      1        shop  eu-west-1      0  60 min ago\n"
		"                                      -  never\n"
		"                                      -  never\n",
		"acmsensor: 1 of 4 account-regions could not be read\n");
	assert_string_equal(run_asked(), "rows 3\n");
}

static void problems_alone_have_their_reason_and_next_try(void **state)
{
	(void)state;
	run_answer("[" DENIED "," READ "]");
	run_is("coverage --problems --connector c --account 2 --region r --state denied", EXIT_DONE,
		"STATE   ACCOUNT  NAME  REGION     LAST READ   NEXT TRY  REASON\n"
		"denied  2              us-east-1  never       in 5 min  no\\x1b[31m role\n"
		"ok      1        shop  eu-west-1  60 min ago  due\n",
		"");
	assert_string_equal(
		run_asked(), "rows 3 connector=c account=2 region=r state=denied problems=yes\n");
}

static void on_40_columns_the_reason_stands_below(void **state)
{
	(void)state;
	run_terminal.columns = 40;
	run_answer("[" DENIED "]");
	run_is("coverage --problems", EXIT_DONE,
		"STATE   ACCOUNT  REGION     LAST READ\n"
		"denied  2        us-east-1  never\n"
		"  no\\x1b[31m role\n",
		"");
}

static void wide_adds_since_and_code(void **state)
{
	(void)state;
	run_answer("[" DENIED "]");
	run_is("coverage -o wide", EXIT_DONE, NULL, NULL);
	run_shows("NEXT TRY  SINCE  CODE          REASON\n");
	run_shows("in 5 min  never  AccessDenied  no\\x1b[31m role\n");
}

static void a_state_has_its_colour(void **state)
{
	(void)state;
	run_terminal.has_color = true;
	run_answer("[" READ "," DENIED "]");
	run_is("coverage", EXIT_DONE, NULL, NULL);
	run_shows("\x1b[31mdenied");
	run_shows("\x1b[32mok");
}

static void nothing_is_said_for_what_it_is(void **state)
{
	(void)state;
	run_answer("[]");
	run_is("coverage --socket /s", EXIT_DONE, "",
		"acmsensor: no account-region matches; `acmsensor --socket /s status` tells "
		"whether a cycle has run\n");
	run_answer("[]");
	run_is("coverage --problems", EXIT_DONE, "",
		"acmsensor: no problems: every account-region in scope was read\n");
	run_answer("[]");
	run_is("coverage -o csv", EXIT_DONE, NULL, "acmsensor: no account-region matches\n");
	run_shows("connector,account_id,");
	run_answer("{'coverage': []}");
	run_is("coverage -o json", EXIT_DONE, "{\"coverage\":[]}", "");
}

static void a_list_that_fails_shows_nothing(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"coverage", "coverage --problems", "coverage -o csv", "coverage -o json"};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		run_refuse(ERR_PROTOCOL, "", "broke off");
		run_is(lines[i], EXIT_FAILED, NULL, "acmsensor: broke off\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(problems_come_first_and_are_counted),
		RUN_TEST(problems_alone_have_their_reason_and_next_try),
		RUN_TEST(on_40_columns_the_reason_stands_below),
		RUN_TEST(wide_adds_since_and_code),
		RUN_TEST(a_state_has_its_colour),
		RUN_TEST(nothing_is_said_for_what_it_is),
		RUN_TEST(a_list_that_fails_shows_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
