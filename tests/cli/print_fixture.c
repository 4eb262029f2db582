/* See print_fixture.h. */
#include "tests/cli/print_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

json_t *print_fixture_json(const char *text)
{
	char *copy = xstrdup(text);
	json_error_t why;
	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	json_t *value = json_loads(copy, 0, &why);
	if (value == NULL)
		fail_msg("%s: %s", why.text, copy);
	free(copy);
	return value;
}

char *print_fixture_run(print_fixture_fn *print, const struct cli *cli, const char *text)
{
	char *printed = NULL;
	size_t len = 0;
	FILE *saved = stdout;
	json_t *value = print_fixture_json(text);
	stdout = open_memstream(&printed, &len);
	print(cli, value);
	fclose(stdout);
	stdout = saved;
	json_decref(value);
	return printed;
}

void print_fixture_is(
	print_fixture_fn *print, const struct cli *cli, const char *text, const char *expected)
{
	char *printed = print_fixture_run(print, cli, text);
	assert_string_equal(printed, expected);
	free(printed);
}

static void check(print_fixture_fn *print, const struct cli *cli, const char *text,
	const char *part, bool is_there)
{
	char *printed = print_fixture_run(print, cli, text);
	if ((strstr(printed, part) != NULL) != is_there)
		fail_msg("%s: %s\nin:\n%s", is_there ? "not there" : "there", part, printed);
	free(printed);
}

void print_fixture_shows(
	print_fixture_fn *print, const struct cli *cli, const char *text, const char *part)
{
	check(print, cli, text, part, true);
}

void print_fixture_hides(
	print_fixture_fn *print, const struct cli *cli, const char *text, const char *part)
{
	check(print, cli, text, part, false);
}
