/* What may stand for a value: every word of the tables is known, and the words that are offered are
 * those that are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/values.h"
#include "store/coverage.h"
#include "store/list.h"

static struct value only(const char *argument)
{
	const char *at = argument;
	struct value value, more;
	assert_true(value_next(&at, &value));
	assert_false(value_next(&at, &more));
	return value;
}

static void brackets_dots_and_parts_are_no_words(void **state)
{
	(void)state;
	assert_int_equal(only("ARN").kind, VALUE_ARNS);
	assert_int_equal(only("[JOB]").kind, VALUE_JOBS);
	assert_int_equal(only("[COMMAND]").kind, VALUE_COMMANDS);
	assert_int_equal(only("DOMAIN...").kind, VALUE_DOMAINS);
	assert_int_equal(only("FILE").kind, VALUE_FILES);
	assert_int_equal(only("HOST[:PORT]...").kind, VALUE_FREE);
	assert_true(only("HOST[:PORT]...").is_known);
	assert_true(only("KEY[=VALUE]").is_known);
	assert_true(only("KEY=VALUE...").is_known);
}

static void nothing_has_no_value(void **state)
{
	const char *at = "";
	struct value value;
	(void)state;
	assert_false(value_next(&at, &value));
}

static void alternatives_come_one_by_one(void **state)
{
	const char *at = "ARN|FINGERPRINT|DOMAIN";
	struct value value;
	(void)state;
	assert_true(value_next(&at, &value));
	assert_int_equal(value.kind, VALUE_ARNS);
	assert_true(value_next(&at, &value));
	assert_int_equal(value.kind, VALUE_FREE);
	assert_true(value_next(&at, &value));
	assert_int_equal(value.kind, VALUE_DOMAINS);
	assert_false(value_next(&at, &value));
}

static void a_blank_ends_the_alternatives(void **state)
{
	const char *at = "[ack|test] [ALERT|CHANNEL]";
	struct value value;
	(void)state;
	assert_true(value_next(&at, &value));
	assert_memory_equal(value.words, "ack", 3);
	assert_true(value_next(&at, &value));
	assert_memory_equal(value.words, "test", 4);
	assert_int_equal(value.words_len, 4);
	assert_false(value_next(&at, &value));
}

static void lower_case_stands_for_itself(void **state)
{
	const char *at = "yes|no";
	struct value value;
	(void)state;
	assert_true(value_next(&at, &value));
	assert_int_equal(value.kind, VALUE_WORDS);
	assert_int_equal(value.words_len, 3);
	assert_memory_equal(value.words, "yes", 3);
	assert_true(value_next(&at, &value));
	assert_memory_equal(value.words, "no", 2);
	assert_false(value_next(&at, &value));
}

static void what_is_not_known_is_free(void **state)
{
	(void)state;
	struct value value = only("ARNS");
	assert_false(value.is_known);
	assert_int_equal(value.kind, VALUE_FREE);
}

static void expect_known(const char *command, const char *argument)
{
	struct value value;
	while (argument != NULL) {
		const char *all = argument;
		while (value_next(&argument, &value))
			if (!value.is_known)
				fail_msg("%s: a word of \"%s\" is not in values.c", command, all);
		argument = strchr(argument, ' ');
		argument = argument != NULL ? argument + 1 : NULL;
	}
}

static void every_word_of_the_tables_is_known(void **state)
{
	(void)state;
	for (const struct command *command = commands; command->name != NULL; command++) {
		expect_known(command->name, command->arguments);
		for (const struct option_spec *option = command->option; option->name != NULL;
			option++)
			expect_known(command->name, option->argument);
	}
	for (const struct option_spec *option = global_options; option->name != NULL; option++)
		expect_known("global", option->argument);
}

static size_t expect_taken(const char *argument, enum list_kind kind, const char *key)
{
	struct value value = only(argument);
	size_t count = 0;
	char copy[512], *at = copy;
	assert_true(value.words_len < sizeof(copy));
	memcpy(copy, value.words, value.words_len);
	copy[value.words_len] = '\0';
	for (char *word; (word = strsep(&at, " ")) != NULL; count++) {
		struct list_param param = {key, word};
		struct err err = ERR_INIT;
		struct list *list = list_new(kind, &param, 1, true, 1, &err);
		if (list == NULL)
			fail_msg("%s", err.text);
		list_free(list);
	}
	return count;
}

static void offered_words_are_taken(void **state)
{
	(void)state;
	assert_int_equal(expect_taken("STATE", LIST_COVERAGE, "state"), COVERAGE_STATES);
	assert_int_equal(expect_taken("FIELD", LIST_CERTIFICATES, "sort"), 8);
	assert_int_equal(expect_taken("STATUS", LIST_CERTIFICATES, "status"), 7);
	assert_int_equal(expect_taken("TYPE", LIST_CERTIFICATES, "type"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brackets_dots_and_parts_are_no_words),
		cmocka_unit_test(nothing_has_no_value),
		cmocka_unit_test(alternatives_come_one_by_one),
		cmocka_unit_test(a_blank_ends_the_alternatives),
		cmocka_unit_test(lower_case_stands_for_itself),
		cmocka_unit_test(what_is_not_known_is_free),
		cmocka_unit_test(every_word_of_the_tables_is_known),
		cmocka_unit_test(offered_words_are_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
