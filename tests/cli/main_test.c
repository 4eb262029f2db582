/* The program: global options, and what happens when what was printed does not arrive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

int cli_main(int argc, char **argv); /* cli/main.c's, see run_cli.c */

enum { WORDS_MAX = 8 };

static char *out, *err;

static int end(void **state)
{
	free(out);
	free(err);
	out = err = NULL;
	return run_end(state);
}

/* to: NULL, or what is stdout. */
static int program(const char *line, const char *to)
{
	char *words = strdup(line), *rest = words, *word[WORDS_MAX] = {NULL};
	int count = 0;
	size_t out_len, err_len;
	FILE *old_out = stdout, *old_err = stderr;
	free(out);
	free(err);
	out = err = NULL;
	while ((word[count] = strsep(&rest, " ")) != NULL && count < WORDS_MAX - 1)
		count++;
	stdout = to != NULL ? fopen(to, "we") : open_memstream(&out, &out_len);
	stderr = open_memstream(&err, &err_len);
	int code = cli_main(count, word);
	fclose(stdout);
	fclose(stderr);
	stdout = old_out;
	stderr = old_err;
	free(words);
	return code;
}

static void a_line_without_a_command_is_told_what_there_is(void **state)
{
	(void)state;
	assert_int_equal(program("acmsensor", NULL), EXIT_USAGE);
	assert_non_null(strstr(out, "\nCommands:\n"));
	assert_int_equal(program("acmsensor --help", NULL), EXIT_DONE);
	assert_non_null(strstr(out, "\nCommands:\n"));
	assert_int_equal(program("acmsensor certs -h", NULL), EXIT_DONE);
	assert_non_null(strstr(out, "Usage: acmsensor certs "));
	assert_int_equal(program("acmsensor --version certs", NULL), EXIT_DONE);
	assert_string_equal(out, "acmsensor " ACMSENSOR_VERSION "\n");
	assert_string_equal(err, "");
}

static void global_options_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	static const char *const refused[][2] = {
		{"acmsensor certs -o xml",
			"acmsensor: -o: \"xml\" is none of table, wide, json and csv\n"},
		{"acmsensor -o JSON certs",
			"acmsensor: -o: \"JSON\" is none of table, wide, json and csv\n"},
		{"acmsensor certs --socket /a --offline /b",
			"acmsensor: --socket and --offline exclude each other\n"},
		{"acmsensor certz",
			"acmsensor: unknown command \"certz\"; did you mean \"certs\"?\n"},
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(program(refused[i][0], NULL), EXIT_USAGE);
		assert_string_equal(err, refused[i][1]);
		assert_string_equal(out, "");
	}
	assert_string_equal(run_asked(), "");
}

static void a_command_is_run(void **state)
{
	(void)state;
	run_answer("[{'domain_name': 'x.example'}]");
	assert_int_equal(program("acmsensor certs", NULL), EXIT_DONE);
	assert_non_null(strstr(out, "x.example"));
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	assert_int_equal(program("acmsensor certs", NULL), EXIT_NOT_REACHABLE);
	assert_string_equal(err, "acmsensor: nobody there\n");
}

static void a_full_disk_is_said_once(void **state)
{
	(void)state;
	static const char said[] =
		"acmsensor: standard output cannot be written: No space left on device\n";
	assert_int_equal(program("acmsensor help", "/dev/full"), EXIT_FAILED);
	assert_string_equal(err, said);
	assert_int_equal(program("acmsensor --version", "/dev/full"), EXIT_FAILED);
	assert_string_equal(err, said);
	/* Something is said between. */
	run_answer("[{'domain_name': 'x.example'}]");
	assert_int_equal(program("acmsensor coverage", "/dev/full"), EXIT_FAILED);
	assert_non_null(strstr(err, "could not be read\n"));
	assert_non_null(strstr(err, said));
	/* It failed anyway. */
	run_refuse(ERR_TIMEOUT, "", "slow");
	assert_int_equal(program("acmsensor certs", "/dev/full"), EXIT_FAILED);
	assert_string_equal(err, "acmsensor: slow\n");
}

static void completion_never_says_a_word_on_stderr(void **state)
{
	(void)state;
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	assert_int_equal(program("acmsensor complete certs --domain ", NULL), EXIT_DONE);
	assert_string_equal(out, "");
	assert_int_equal(program("acmsensor complete", NULL), EXIT_DONE);
	assert_int_equal(program("acmsensor complete sca", NULL), EXIT_DONE);
	assert_string_equal(out, "scan\tstart a cycle now\n");
	assert_string_equal(err, "");
}

#define MAIN_TEST(test) cmocka_unit_test_setup_teardown(test, run_begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MAIN_TEST(a_line_without_a_command_is_told_what_there_is),
		MAIN_TEST(global_options_that_make_no_sense_are_refused),
		MAIN_TEST(a_command_is_run),
		MAIN_TEST(a_full_disk_is_said_once),
		MAIN_TEST(completion_never_says_a_word_on_stderr),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
