/* What is to be completed on a command line that is being typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/complete_line.h"

enum { WORDS_MAX = 16 };

/* words: separated by single blanks; a blank at the end begins an empty word. */
static struct complete_line read_words(const char *words)
{
	static char copy[256];
	static char *argv[WORDS_MAX];
	struct complete_line line;
	int count = 0;
	snprintf(copy, sizeof(copy), "%s", words);
	for (char *at = copy, *word; (word = strsep(&at, " ")) != NULL;)
		argv[count++] = word;
	complete_line_read(commands, count, argv, &line);
	return line;
}

static void expect_to_fill(
	const char *words, const char *argument, const char *front, const char *typed)
{
	struct complete_line line = read_words(words);
	assert_int_equal(line.what, COMPLETE_VALUE);
	assert_string_equal(line.argument, argument);
	assert_int_equal(line.front_len, strlen(front));
	assert_memory_equal(line.front, front, strlen(front));
	assert_string_equal(line.typed, typed);
}

static void expect(const char *words, enum complete_what what, const char *typed)
{
	struct complete_line line = read_words(words);
	assert_int_equal(line.what, what);
	assert_string_equal(line.typed, typed);
}

static void the_first_word_is_a_command(void **state)
{
	(void)state;
	expect("", COMPLETE_COMMAND, "");
	expect("ce", COMPLETE_COMMAND, "ce");
	expect("--socket /run/x.sock ", COMPLETE_COMMAND, "");
	expect("-o json ", COMPLETE_COMMAND, "");
	expect("-ojson ", COMPLETE_COMMAND, "");
	expect("nonsense ", COMPLETE_COMMAND, "");
	expect("--unknown -x ", COMPLETE_COMMAND, "");
	expect("-h ", COMPLETE_COMMAND, "");
}

static void no_word_is_nothing(void **state)
{
	struct complete_line line;
	(void)state;
	complete_line_read(commands, 0, NULL, &line);
	assert_int_equal(line.what, COMPLETE_NOTHING);
}

static void dashes_begin_an_option(void **state)
{
	(void)state;
	expect("certs -", COMPLETE_OPTION, "-");
	expect("certs --re", COMPLETE_OPTION, "--re");
	expect("--so", COMPLETE_OPTION, "--so");
	expect("certs -h", COMPLETE_OPTION, "-h");
	expect("certs -o", COMPLETE_OPTION, "-o");
}

static void an_option_given_is_offered_once(void **state)
{
	struct complete_line line =
		read_words("plan --cert a --tag b=c --new-arn --output=json --");
	int cert = -1, tag = -1, key = -1, new_arn = -1, output = -1;
	(void)state;
	for (int i = 0; line.args.option[i].name != NULL; i++) {
		const char *name = line.args.option[i].name;
		cert = strcmp(name, "cert") == 0 ? i : cert;
		tag = strcmp(name, "tag") == 0 ? i : tag;
		key = strcmp(name, "key") == 0 ? i : key;
		new_arn = strcmp(name, "new-arn") == 0 ? i : new_arn;
	}
	for (int i = 0; global_options[i].name != NULL; i++)
		output = strcmp(global_options[i].name, "output") == 0 ? i : output;
	assert_false(complete_line_offers(&line.args, cert));
	assert_false(complete_line_offers(&line.args, new_arn));
	assert_false(complete_line_offers(&line.global, output));
	assert_true(complete_line_offers(&line.args, key));
	assert_true(complete_line_offers(&line.args, tag)); /* may be repeated */
}

static void an_option_is_followed_by_its_value(void **state)
{
	(void)state;
	expect_to_fill("certs --region ", "REGION", "", "");
	expect_to_fill("certs --region eu", "REGION", "", "eu");
	expect_to_fill("certs --region=eu", "REGION", "--region=", "eu");
	expect_to_fill("certs --region=", "REGION", "--region=", "");
	expect_to_fill("--socket ", "PATH", "", "");
	expect_to_fill("certs -o ", "FORMAT", "", "");
	expect_to_fill("certs -oj", "FORMAT", "-o", "j");
	expect_to_fill("certs --tag -", "KEY[=VALUE]", "", "-");
}

static void a_value_of_nothing_is_nothing(void **state)
{
	(void)state;
	expect("certs --gone=y", COMPLETE_NOTHING, "--gone=y");
	expect("certs --unknown=y", COMPLETE_NOTHING, "--unknown=y");
}

static void a_command_is_followed_by_its_arguments(void **state)
{
	(void)state;
	expect_to_fill("apply ", "PLAN", "", "");
	expect_to_fill("apply --wait ", "PLAN", "", "");
	expect_to_fill("jobs j", "[JOB]", "", "j");
	expect_to_fill("apply -- -", "PLAN", "", "-");
	expect_to_fill("apply --wait -- p", "PLAN", "", "p");
	expect_to_fill("alerts t", "[ack|test] [ALERT|CHANNEL]", "", "t");
	expect_to_fill("alerts test ", "[ALERT|CHANNEL]", "", "");
	assert_string_equal(read_words("alerts --all ack x").first, "ack");
	assert_null(read_words("alerts a").first);
	expect("alerts test ops ", COMPLETE_NOTHING, "");
	expect("apply p-1 ", COMPLETE_NOTHING, "");
	expect("status ", COMPLETE_NOTHING, "");
	expect("show - ", COMPLETE_NOTHING, "");
}

static void what_was_given_is_known(void **state)
{
	(void)state;
	struct complete_line line = read_words("--offline /x plan --account 1 --region=eu --arn ");
	assert_string_equal(line.command->name, "plan");
	assert_string_equal(complete_line_value(&line, "account"), "1");
	assert_string_equal(complete_line_value(&line, "region"), "eu");
	assert_null(complete_line_value(&line, "connector"));
	assert_null(complete_line_value(&line, "arn"));
	assert_string_equal(args_get(&line.global, "offline"), "/x");
	line = read_words("help ");
	assert_null(complete_line_value(&line, "account"));
	line = read_words("");
	assert_null(complete_line_value(&line, "account"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_word_is_a_command),
		cmocka_unit_test(no_word_is_nothing),
		cmocka_unit_test(dashes_begin_an_option),
		cmocka_unit_test(an_option_given_is_offered_once),
		cmocka_unit_test(an_option_is_followed_by_its_value),
		cmocka_unit_test(a_value_of_nothing_is_nothing),
		cmocka_unit_test(a_command_is_followed_by_its_arguments),
		cmocka_unit_test(what_was_given_is_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
