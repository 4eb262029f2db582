/* The command line: what is taken, what is refused and how it is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/options.h"

const struct option_spec global_options[] = {
	{"socket", "PATH", "a path"},
	{"output", "FORMAT", "a format"},
	{"help", NULL, "help"},
	{NULL, NULL, NULL},
};
static const struct option_spec certs_options[] = {
	{"expires", "WHEN", "by then"},
	{"gone", NULL, "gone too"},
	{"tag", "KEY=VALUE...", "may be repeated"},
	{"host", "HOST...", "may be repeated"},
	{NULL, NULL, NULL},
};
static const struct option_spec none[] = {{NULL, NULL, NULL}};

static int run(struct cli *cli, const struct args *args)
{
	(void)cli;
	(void)args;
	return 0;
}

static const struct command table[] = {
	{"certs", "", "certificates", certs_options, 0, 0, run, false},
	{"show", "ARN", "one", none, 1, 1, run, false},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, false},
};

enum { WORDS_MAX = 16 };

struct parsed {
	int rc;
	const struct command *command;
	struct args global, args;
	struct err err;
};

/* words: separated by single blanks. */
static struct parsed parse(const char *words)
{
	static char copy[256];
	static char *argv[WORDS_MAX];
	struct parsed parsed = {.command = NULL};
	int argc = 0;
	snprintf(copy, sizeof(copy), "%s", words);
	for (char *at = copy, *word; (word = strsep(&at, " ")) != NULL;)
		if (word[0] != '\0')
			argv[argc++] = word;
	parsed.rc = options_parse(
		table, argc, argv, &parsed.command, &parsed.global, &parsed.args, &parsed.err);
	return parsed;
}

static void refused(const char *words, const char *message)
{
	struct parsed parsed = parse(words);
	assert_int_equal(parsed.rc, -1);
	assert_int_equal(parsed.err.kind, ERR_CONFIG);
	assert_string_equal(parsed.err.text, message);
	assert_null(parsed.command);
}

static void options_stand_before_and_behind_the_command(void **state)
{
	(void)state;
	struct parsed parsed = parse("--socket /s certs --expires 30d -o json --gone");
	assert_int_equal(parsed.rc, 0);
	assert_ptr_equal(parsed.command, &table[0]);
	assert_string_equal(args_get(&parsed.global, "socket"), "/s");
	assert_string_equal(args_get(&parsed.global, "output"), "json");
	assert_string_equal(args_get(&parsed.args, "expires"), "30d");
	assert_true(args_has(&parsed.args, "gone"));
	assert_false(args_has(&parsed.global, "help"));
}

static void a_value_may_be_attached(void **state)
{
	(void)state;
	struct parsed parsed = parse("certs --expires=a=b -ocsv");
	assert_int_equal(parsed.rc, 0);
	assert_string_equal(args_get(&parsed.args, "expires"), "a=b");
	assert_string_equal(args_get(&parsed.global, "output"), "csv");
}

static void two_dashes_end_the_options(void **state)
{
	(void)state;
	struct parsed parsed = parse("show -- --odd");
	assert_int_equal(parsed.rc, 0);
	assert_int_equal(parsed.args.positional_count, 1);
	assert_string_equal(parsed.args.positional[0], "--odd");
	assert_string_equal(parse("show -").args.positional[0], "-");
}

static void no_command_is_not_an_error(void **state)
{
	(void)state;
	struct parsed parsed = parse("");
	assert_int_equal(parsed.rc, 0);
	assert_null(parsed.command);
}

static void help_needs_no_arguments(void **state)
{
	(void)state;
	assert_int_equal(parse("show --help").rc, 0);
	struct parsed parsed = parse("show -h");
	assert_true(args_has(&parsed.global, "help"));
}

static void mistakes_are_named_with_what_is_close(void **state)
{
	(void)state;
	refused("certz", "unknown command \"certz\"; did you mean \"certs\"?");
	refused("x", "unknown command \"x\"; `acmsensor help` lists them");
	refused("an-argument-that-is-longer-than-any-command-could-be",
		"unknown command \"an-argument-that-is-longer-than-any-command-could-be\"; "
		"`acmsensor help` lists them");
	refused("certs --exprise=3d", "unknown option \"--exprise\"; did you mean \"--expires\"?");
	refused("certs --sokcet x", "unknown option \"--sokcet\"; did you mean \"--socket\"?");
	refused("--sokcet x certs", "unknown option \"--sokcet\"; did you mean \"--socket\"?");
	refused("--zzzzz", "unknown option \"--zzzzz\"; `acmsensor help` lists them");
	refused("certs --zzzzz",
		"`acmsensor certs` has no option \"--zzzzz\"; `acmsensor help certs` lists them");
	refused("certs -x", "unknown option \"-x\"; options begin with --");
	/* Options of a command are known once it was named. */
	refused("--expires 3d certs", "unknown option \"--expires\"; `acmsensor help` lists them");
}

static void wrong_numbers_of_values_are_refused(void **state)
{
	(void)state;
	refused("show", "`acmsensor show` needs ARN");
	refused("show a b",
		"`acmsensor show` does not take \"b\"; `acmsensor help show` shows what it takes");
	refused("certs --expires", "--expires needs a value: WHEN");
	refused("certs --gone=yes", "--gone takes no value");
	refused("certs --gone --gone", "--gone is given twice");
	refused("certs -o", "--output needs a value: FORMAT");
	refused("certs -ojson -ocsv", "--output is given twice");
}

static void repeated_options_come_in_their_order(void **state)
{
	(void)state;
	struct parsed parsed = parse("certs --tag a=1 --host x --tag b=2 --host y --tag c");
	int at = 0;
	assert_int_equal(parsed.rc, 0);
	assert_string_equal(args_get(&parsed.args, "tag"), "a=1");
	assert_string_equal(args_next(&parsed.args, "tag", &at), "a=1");
	assert_string_equal(args_next(&parsed.args, "tag", &at), "b=2");
	assert_string_equal(args_next(&parsed.args, "tag", &at), "c");
	assert_null(args_next(&parsed.args, "tag", &at));
	at = 0;
	assert_string_equal(args_next(&parsed.args, "host", &at), "x");
	assert_string_equal(args_next(&parsed.args, "host", &at), "y");
	assert_null(args_next(&parsed.args, "host", &at));
	at = 0;
	assert_null(args_next(&parsed.args, "expires", &at));
	assert_null(args_next(&parsed.args, "expires", &at));
}

static void repeated_options_are_bounded(void **state)
{
	(void)state;
	static char *argv[2 + REPEATS_MAX + 1];
	const struct command *command;
	struct args global, args;
	struct err err = ERR_INIT;
	argv[0] = "certs";
	for (int i = 1; i < 2 + REPEATS_MAX + 1; i++)
		argv[i] = "--tag=x";
	assert_int_equal(
		options_parse(table, 2 + REPEATS_MAX, argv, &command, &global, &args, &err), 0);
	assert_int_equal(
		options_parse(table, 2 + REPEATS_MAX + 1, argv, &command, &global, &args, &err),
		-1);
	assert_string_equal(err.text, "--tag is given too often");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_before_and_behind_the_command),
		cmocka_unit_test(a_value_may_be_attached),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(no_command_is_not_an_error),
		cmocka_unit_test(help_needs_no_arguments),
		cmocka_unit_test(mistakes_are_named_with_what_is_close),
		cmocka_unit_test(wrong_numbers_of_values_are_refused),
		cmocka_unit_test(repeated_options_come_in_their_order),
		cmocka_unit_test(repeated_options_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
