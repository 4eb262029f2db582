/* acmsensor help: every command and option of the tables is told, in 100 columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

static void every_command_is_listed(void **state)
{
	(void)state;
	run_is("help", EXIT_DONE, NULL, "");
	run_shows("Usage: acmsensor [OPTIONS] COMMAND [OPTIONS] [ARGUMENT]\n");
	run_shows("\nExit codes: 0 done, 1 failed, 2 usage, 3 daemon not reachable, 4 done with "
		  "warnings.\n");
	for (const struct command *command = commands; command->name != NULL; command++) {
		char line[256];
		snprintf(line, sizeof(line), "\n  %-10s %s\n", command->name, command->summary);
		run_shows(line);
	}
}

static void each_command_tells_its_options(void **state)
{
	(void)state;
	for (const struct command *command = commands; command->name != NULL; command++) {
		char line[64];
		snprintf(line, sizeof(line), "help %s", command->name);
		run_is(line, EXIT_DONE, NULL, "");
		assert_null(strstr(run_out(), "(null)"));
		for (const struct option_spec *option = command->option; option->name != NULL;
			option++) {
			snprintf(line, sizeof(line), "\n  --%s", option->name);
			run_shows(line);
			run_shows(option->help);
		}
		run_shows("\nOptions of every command:\n  --socket PATH");
		assert_int_equal(
			strstr(run_out(), "\n  --offline") != NULL, command->works_offline);
	}
}

static void one_command_is_told_in_full(void **state)
{
	(void)state;
	run_is("help cancel", EXIT_DONE, NULL, "");
	run_shows("Usage: acmsensor cancel JOB\n"
		  "\n"
		  "stop a job before it changes anything.\n"
		  "\n"
		  "Works until the import is sent; what was sent cannot be called back: see "
		  "rollback.\n"
		  "\n"
		  "Options of every command:\n");
	run_is("help apply", EXIT_DONE, NULL, "");
	run_shows("Usage: acmsensor apply [OPTIONS] PLAN\n");
	run_shows("\nOptions:\n  --wait                   show each step");
	run_is("help plan", EXIT_DONE, NULL, "");
	run_shows("  --verify-host HOST[:PORT]...\n"
		  "                           prove it by a TLS handshake there");
}

static void no_line_is_too_long_to_read(void **state)
{
	(void)state;
	for (const struct command *command = commands; command->name != NULL; command++) {
		char line[64];
		snprintf(line, sizeof(line), "help %s", command->name);
		run_is(line, EXIT_DONE, NULL, "");
		for (const char *at = run_out(); *at != '\0'; at += strcspn(at, "\n") + 1)
			if (strcspn(at, "\n") > 120)
				fail_msg("%.*s", (int)strcspn(at, "\n"), at);
	}
}

static void what_is_no_command_is_said_to_be_none(void **state)
{
	(void)state;
	run_is("help stat\x1b", EXIT_USAGE, "",
		"acmsensor: there is no command \"stat\\x1b\"; `acmsensor help` lists them\n");
	run_is("help complete", EXIT_USAGE, "",
		"acmsensor: there is no command \"complete\"; `acmsensor help` lists them\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(every_command_is_listed),
		RUN_TEST(each_command_tells_its_options),
		RUN_TEST(one_command_is_told_in_full),
		RUN_TEST(no_line_is_too_long_to_read),
		RUN_TEST(what_is_no_command_is_said_to_be_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
