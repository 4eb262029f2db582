/* The tables of commands and options: what parser, help and completion rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/values.h"
#include "tests/cli/run_cli.h"

static void names_are_given_once_and_every_command_runs(void **state)
{
	(void)state;
	for (const struct command *command = commands; command->name != NULL; command++) {
		assert_non_null(command->run);
		assert_in_range(command->positional_max, command->positional_min, POSITIONALS_MAX);
		assert_int_equal(command->positional_max > 0, command->arguments[0] != '\0');
		for (const struct command *other = commands; other != command; other++)
			assert_string_not_equal(command->name, other->name);
	}
}

static void check_value(const char *name, const char *argument)
{
	struct value value;
	for (const char *at = argument; value_next(&at, &value);)
		if (!value.is_known)
			fail_msg("%s: %s is not in cli/values.c", name, argument);
}

static void check_options(const struct command *command)
{
	const struct option_spec *option = command->option;
	for (; option->name != NULL; option++) {
		assert_non_null(option->help);
		if (option->argument != NULL)
			check_value(option->name, option->argument);
		for (const struct option_spec *other = command->option; other != option; other++)
			assert_string_not_equal(option->name, other->name);
		for (const struct option_spec *global = global_options; global->name != NULL;
			global++)
			assert_string_not_equal(option->name, global->name);
	}
	assert_in_range(option - command->option, 0, OPTIONS_MAX);
}

static void options_are_given_once_and_their_values_known(void **state)
{
	(void)state;
	for (const struct command *command = commands; command->name != NULL; command++) {
		check_options(command);
		/* Two arguments are two groups, of which this sees the first. */
		check_value(command->name, command->arguments);
	}
	for (const struct option_spec *option = global_options; option->name != NULL; option++)
		if (option->argument != NULL)
			check_value(option->name, option->argument);
}

static void help_is_one_sentence_without_its_end(void **state)
{
	(void)state;
	for (const struct command *command = commands; command->name != NULL; command++) {
		const char *summary = command->summary;
		assert_true(summary[0] >= 'a' && summary[0] <= 'z');
		assert_true(summary[strlen(summary) - 1] != '.');
		assert_in_range(strlen(command->name), 2, 15);
	}
}

static void a_command_that_does_not_fit_its_table_is_refused(void **state)
{
	(void)state;
	static const char *const lines[] = {"show", "show a b", "status x", "apply", "alerts a b c",
		"certs --problems", "statu", "certs --gone=yes", "certs --tag a --tag b"};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		run_is(lines[i], EXIT_USAGE, "", NULL);
		assert_string_equal(run_asked(), "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(names_are_given_once_and_every_command_runs),
		RUN_TEST(options_are_given_once_and_their_values_known),
		RUN_TEST(help_is_one_sentence_without_its_end),
		RUN_TEST(a_command_that_does_not_fit_its_table_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
