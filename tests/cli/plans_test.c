/* acmsensor plans: the list, and one that must be in the answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

static void the_list_says_which_can_still_be_applied(void **state)
{
	(void)state;
	run_answer("{'plans': [{'id': 'p-1', 'decision': 'reimport', 'state': 'open',"
		   " 'expires': '2026-11-21T01:30:00Z',"
		   " 'new': {'subject_alternative_names': ['x.example', 'y'], 'subject': 'CN=z'}},"
		   " {'id': 'p-2', 'decision': 'refuse', 'state': 'refused',"
		   " 'expires': '2026-11-21T01:30:00Z', 'reason': 'a\\u001b',"
		   " 'new': {'subject_alternative_names': [], 'subject': 'CN=z'}},"
		   " {'state': 'open', 'new': {'subject_alternative_names': [7]}}, {}, 7]}");
	run_is("plans", EXIT_DONE,
		"PLAN  DECISION  STATE    NAME       ACCOUNT  REGION  EXPIRES    REASON\n"
		"p-1   reimport  open     x.example                   in 30 min\n"
		"p-2   refuse    refused  CN=z                                   a\\x1b\n"
		"                open                                 -\n"
		"\n"
		"\n",
		"");
	assert_string_equal(run_asked(), "get /v1/plans\n");
}

static void a_state_has_its_colour(void **state)
{
	(void)state;
	run_terminal.has_color = true;
	run_answer("{'plans': [{'state': 'open'}, {'state': 'refused'}, {'state': 'void'}]}");
	run_is("plans", EXIT_DONE, NULL, "");
	run_shows("\x1b[32mopen");
	run_shows("\x1b[31mrefused");
	run_shows("\x1b[2mvoid");
}

static void no_plan_says_how_one_is_made(void **state)
{
	(void)state;
	run_answer("{'plans': []}");
	run_is("plans", EXIT_DONE, "",
		"acmsensor: there is no plan; `acmsensor help plan` tells how one is made\n");
	run_answer("{'plans': []}");
	run_is("plans -o csv", EXIT_DONE, "", "");
	run_refuse(ERR_TIMEOUT, "", "slow");
	run_is("plans", EXIT_FAILED, "", "acmsensor: slow\n");
}

static void one_is_shown_as_when_it_was_made(void **state)
{
	(void)state;
	run_answer("{'plans': [{'id': 'p-1', 'decision': 'refuse', 'reason': 'why'}]}");
	run_is("plans p-1", EXIT_DONE, NULL, "");
	run_shows("refuse");
	run_shows("why");
	assert_string_equal(run_asked(), "get /v1/plans id=p-1\n");
	run_answer("{'plans': [{'id': 'p-1', 'tags': {'a': 'b'}}]}");
	run_is("plans p-1 -o csv", EXIT_DONE, "id,tags\r\np-1,a=b\r\n", "");
}

static void an_answer_without_the_plan_is_an_error(void **state)
{
	(void)state;
	static const char *const answers[] = {"{}", "{'plans': []}", "{'plans': [7]}", "[]"};
	static const char *const lines[] = {
		"plans p-1", "plans p-1 -o json", "plans p-1 -o csv", "plans p-1"};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		run_answer(answers[i]);
		run_is(lines[i], EXIT_FAILED, "",
			"acmsensor: answer of the daemon: there is no plan in it\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(the_list_says_which_can_still_be_applied),
		RUN_TEST(a_state_has_its_colour),
		RUN_TEST(no_plan_says_how_one_is_made),
		RUN_TEST(one_is_shown_as_when_it_was_made),
		RUN_TEST(an_answer_without_the_plan_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
