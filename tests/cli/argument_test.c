/* Values of options: what is wrong with one is told with the option's name. */
#include "cli/argument.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/cli.h"

static const struct option_spec options[] = {{"name", "DN", ""}, {"domain", "DOMAIN...", ""},
	{"key-type", "KEY_TYPE", ""}, {"in-use", "yes|no", ""}, {NULL, NULL, NULL}};

const struct option_spec global_options[] = {{NULL, NULL, NULL}};

static int run(struct cli *cli, const struct args *args)
{
	(void)cli;
	(void)args;
	return 0;
}

static const struct command table[] = {{"x", "", "", options, 0, 0, run, false}, {.name = NULL}};

static struct args parse(char **words, int count)
{
	const struct command *command;
	struct args global, args = {.option = NULL};
	struct err err = ERR_INIT;
	assert_int_equal(options_parse(table, count, words, &command, &global, &args, &err), 0);
	return args;
}

#define ARGS(...)                                                                                  \
	parse((char *[]){(char *)"x", __VA_ARGS__},                                                \
		sizeof((char *[]){(char *)"x", __VA_ARGS__}) / sizeof(char *))

static void is(int rc, const struct err *err, const char *says)
{
	assert_int_equal(rc, says == NULL ? 0 : -1);
	if (says == NULL)
		return;
	assert_int_equal(err->kind, ERR_CONFIG);
	assert_string_equal(err->text, says);
}

static void texts_are_utf8_and_of_some_length(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {{"--name=abc", NULL}, {"--name=\xc3\xbc", NULL},
		{"--name=", "--name is empty"}, {"--name=\xff", "--name is not UTF-8 text"},
		{"--name=abcd", "--name is longer than 3 bytes: abcd..."}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;
		struct args args = ARGS((char *)cases[i].text);
		is(argument_check_text(&args, "name", 3, &err), &err, cases[i].says);
		is(argument_check_text(&args, "domain", 3, &err), &err, NULL);
	}
}

static void each_of_a_repeated_option_counts(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct args args = ARGS((char *)"--domain=a", (char *)"--domain=b", (char *)"--domain=");
	is(argument_check_text(&args, "domain", 3, &err), &err, "--domain is empty");
	is(argument_check_count(&args, "domain", 3, &err), &err, NULL);
	is(argument_check_count(&args, "domain", 2, &err), &err,
		"--domain is given 3 times, at most 2 are taken");
	is(argument_check_count(&args, "name", 0, &err), &err, NULL);
}

static void words_are_those_of_the_table(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct args args = ARGS((char *)"--key-type=ec384", (char *)"--in-use=no");
	is(argument_check_word(&args, "key-type", &err), &err, NULL);
	is(argument_check_word(&args, "in-use", &err), &err, NULL);
	args = ARGS((char *)"--key-type=ec38", (char *)"--in-use=maybe");
	is(argument_check_word(&args, "key-type", &err), &err,
		"--key-type ec38: expected rsa2048, rsa3072, rsa4096, ec256, ec384");
	is(argument_check_word(&args, "in-use", &err), &err, "--in-use maybe: expected yes, no");
	args = ARGS((char *)"--domain=a");
	is(argument_check_word(&args, "key-type", &err), &err, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_utf8_and_of_some_length),
		cmocka_unit_test(each_of_a_repeated_option_counts),
		cmocka_unit_test(words_are_those_of_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
