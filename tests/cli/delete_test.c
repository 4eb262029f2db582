/* acmsensor delete: who types what, at a terminal and in a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

#define ARN   "arn:aws:acm:eu-west-1:111122223333:certificate/0-12345678"
#define TAKEN "{'job': {'id': 'j-1', 'state': 'running', 'kind': 'delete'}}"
#define ASKED "Type its domain name, or the last 8 characters of the ARN: "

static bool is_terminal;

int isatty(int fd)
{
	return fd == STDIN_FILENO && is_terminal;
}

static void types(const char *line, const char *typed, int code, const char *err)
{
	FILE *saved = stdin;
	stdin = fmemopen((char *)(uintptr_t)typed, strlen(typed), "r");
	is_terminal = true;
	run_is(line, code, NULL, err);
	is_terminal = false;
	fclose(stdin);
	stdin = saved;
}

static void a_script_says_the_arn_twice(void **state)
{
	(void)state;
	run_answer(TAKEN);
	run_is("delete " ARN " --yes " ARN " --connector prod --wait-until-unused", EXIT_DONE, NULL,
		"");
	assert_string_equal(run_asked(),
		"post /v1/delete {\"arn\":\"" ARN "\",\"connector\":\"prod\",\"wait\":true}\n");
	run_shows("  delete running      has begun\n");
	run_answer(TAKEN);
	run_answer("{'jobs': [{'state': 'failed', 'reason': 'in use'}]}");
	run_is("delete " ARN " --yes " ARN " --wait", EXIT_FAILED, NULL, NULL);
	assert_string_equal(run_asked(),
		"post /v1/delete {\"arn\":\"" ARN "\"}\nget /v1/jobs id=j-1 after=0\n");
}

static void a_script_that_does_not_deletes_nothing(void **state)
{
	(void)state;
	run_is("delete " ARN " --yes " ARN "9", EXIT_USAGE, "",
		"acmsensor: nothing was deleted: --yes must repeat the ARN that is to be deleted\n");
	run_is("delete " ARN, EXIT_USAGE, "",
		"acmsensor: nothing was deleted: without a terminal to ask at, --yes ARN must "
		"repeat the ARN\n");
	run_is("delete x.example --yes x.example", EXIT_USAGE, "",
		"acmsensor: x.example: expected arn:aws:acm:REGION:ACCOUNT:certificate/ID\n");
	run_is("delete " ARN "\xff", EXIT_USAGE, "",
		"acmsensor: " ARN "\\xff: expected arn:aws:acm:REGION:ACCOUNT:certificate/ID\n");
	run_is("delete " ARN " --yes " ARN " --connector \xfc", EXIT_USAGE, "",
		"acmsensor: an argument is not UTF-8 text\n");
	assert_string_equal(run_asked(), "");
}

#define FOUND "[{'domain_name': 'x.example', 'in_use_by': ['a', 'b']}]"

static void a_person_types_the_name_or_the_end_of_the_arn(void **state)
{
	(void)state;
	static const char *const typed[] = {"x.example\n", "X.EXAMPLE\r\n", "12345678\n"};
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		run_answer(FOUND);
		run_answer(TAKEN);
		types("delete " ARN, typed[i], EXIT_DONE,
			"This deletes x.example, " ARN ", for ever.\n"
			"It was in use by 2 when it was last looked at.\n" ASKED);
		assert_string_equal(
			run_asked(), "rows 1 q=" ARN "\npost /v1/delete {\"arn\":\"" ARN "\"}\n");
	}
}

/* Ctrl-D, behind the end of the ARN or nothing. */
static void an_end_without_a_line_leaves_the_question_alone(void **state)
{
	(void)state;
	run_answer(FOUND);
	run_answer(TAKEN);
	types("delete " ARN, "12345678", EXIT_DONE,
		"This deletes x.example, " ARN ", for ever.\n"
		"It was in use by 2 when it was last looked at.\n" ASKED "\n");
	run_answer("[{'domain_name': 'x.example'}]");
	types("delete " ARN, "", EXIT_FAILED,
		"This deletes x.example, " ARN ", for ever.\n" ASKED "\n"
		"acmsensor: nothing was deleted: what was typed is not the domain name, nor the "
		"end of the ARN\n");
}

static void what_is_typed_must_be_all_of_it(void **state)
{
	(void)state;
	static const char *const typed[] = {"\n", "x.exampl\n", "x.example \n", "2345678\n",
		"123456789\n", "1234567\n", "y\n", ARN "\n"};
	char longer[1024];
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		run_answer("[{'domain_name': 'x.example'}]");
		types("delete " ARN, typed[i], EXIT_FAILED,
			"This deletes x.example, " ARN ", for ever.\n" ASKED
			"acmsensor: nothing was deleted: what was typed is not the domain name, nor "
			"the end of the ARN\n");
	}
	memset(longer, 'x', sizeof(longer));
	strcpy(longer + sizeof(longer) - 10, "12345678\n"); /* its own end is not the ARN's */
	run_answer("[]");
	types("delete " ARN, longer, EXIT_FAILED, NULL);
	assert_string_equal(run_asked(), "rows 1 q=" ARN "\n");
}

static void what_the_inventory_does_not_have_can_be_deleted(void **state)
{
	(void)state;
	static const char asked[] =
		"This deletes " ARN ", for ever.\nType the last 8 characters of the ARN: ";
	run_refuse(ERR_NOT_FOUND, "", "no certificate matches");
	run_answer(TAKEN);
	types("delete " ARN, "12345678\n", EXIT_DONE, asked);
	run_answer("[{'domain_name': null}]");
	run_answer(TAKEN);
	types("delete " ARN, "12345678\n", EXIT_DONE, asked);
	run_answer("[]"); /* "" is no name */
	types("delete " ARN, "\n", EXIT_FAILED, NULL);
	assert_string_equal(run_asked(), "rows 1 q=" ARN "\n");
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	types("delete " ARN, "12345678\n", EXIT_NOT_REACHABLE, "acmsensor: nobody there\n");
}

/* Two connectors see the same account. */
static void seen_twice_the_larger_use_counts(void **state)
{
	(void)state;
	run_answer("[{'domain_name': 'x.example', 'in_use_by': ['a']}, {'in_use_by': []}]");
	run_answer(TAKEN);
	types("delete " ARN, "x.example\n", EXIT_DONE,
		"This deletes x.example, " ARN ", for ever.\n"
		"It was in use by 1 when it was last looked at.\n" ASKED);
}

static void a_name_from_outside_cannot_command_the_terminal(void **state)
{
	(void)state;
	run_answer("[{'domain_name': '\\u001b[2J\\nx'}]");
	types("delete " ARN, "\n", EXIT_FAILED, NULL);
	assert_non_null(strstr(run_err(), "This deletes \\x1b[2J\\nx, " ARN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(a_script_says_the_arn_twice),
		RUN_TEST(a_script_that_does_not_deletes_nothing),
		RUN_TEST(a_person_types_the_name_or_the_end_of_the_arn),
		RUN_TEST(an_end_without_a_line_leaves_the_question_alone),
		RUN_TEST(what_is_typed_must_be_all_of_it),
		RUN_TEST(what_the_inventory_does_not_have_can_be_deleted),
		RUN_TEST(seen_twice_the_larger_use_counts),
		RUN_TEST(a_name_from_outside_cannot_command_the_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
