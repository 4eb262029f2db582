/* The parts of man pages that come from tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "packaging/manual.h"
#include "sensor/config_table.h"

enum { PAGE_MAX = 1 << 18 };
#define SECTIONS ".\\\" @options sensor\n.\\\" @options connector\n.\\\" @options channel\n"

/* Owned by the caller. */
static char *expand(const char *page)
{
	struct buf to;
	struct err err = ERR_INIT;
	buf_init(&to, PAGE_MAX);
	if (manual_expand(page, strlen(page), &to, &err) != 0)
		fail_msg("%s", err.text);
	return buf_take(&to);
}

static void expect_refused(const char *page, size_t max_bytes, const char *why)
{
	struct buf to;
	struct err err = ERR_INIT;
	buf_init(&to, max_bytes);
	assert_int_equal(manual_expand(page, strlen(page), &to, &err), -1);
	assert_string_equal(err.text, why);
	buf_clear(&to);
}

static char *all_commands(void)
{
	struct buf page;
	buf_init(&page, PAGE_MAX);
	for (const struct command *command = commands; command->name != NULL; command++)
		buf_addf(&page, ".\\\" @command %s\n", command->name);
	return buf_take(&page);
}

static void other_lines_stay(void **state)
{
	(void)state;
	char *page = expand(".Dd today\n.\\\" a comment\n\ntext without end");
	assert_string_equal(page, ".Dd today\n.\\\" a comment\n\ntext without end\n");
	free(page);
}

static void every_option_of_the_configuration_is_told(void **state)
{
	(void)state;
	char *page = expand(SECTIONS "Text.\n");
	for (size_t i = 0; i < config_option_count; i++) {
		char item[128];
		snprintf(item, sizeof(item), ".It Ic %s\n", config_options[i].name);
		assert_non_null(strstr(page, item));
	}
	assert_non_null(strstr(page, ".It Ic keep_keys\nHow long"));
	assert_non_null(strstr(page, "Expected: a duration from 0s to 3650d (s, m, h, d or w).\n"
				     "Default:\n.Ql 30d .\n.It "));
	assert_non_null(strstr(page, ".El\n.Pp\nText.\n"));
	free(page);
}

static void every_command_and_option_is_told(void **state)
{
	(void)state;
	char *template = all_commands(), *page = expand(template);
	for (const struct command *command = commands; command->name != NULL; command++) {
		char item[128];
		snprintf(item, sizeof(item), ".Ss acmsensor %s\n.Nm acmsensor Ic %s", command->name,
			command->name);
		const char *at = strstr(page, item);
		assert_non_null(at);
		for (const struct option_spec *option = command->option; option->name != NULL;
			option++) {
			snprintf(item, sizeof(item), "\n.It Fl -%s", option->name);
			at = strstr(at, item);
			assert_non_null(at);
		}
	}
	assert_non_null(strstr(page, ".Nm acmsensor Ic apply Oo Ar options Oc Ar PLAN\n"));
	assert_non_null(strstr(page, ".Nm acmsensor Ic help Oo Ar COMMAND Oc\n"));
	assert_non_null(strstr(page, ".Nm acmsensor Ic status\n.Pp\nSensor, connectors"));
	assert_non_null(strstr(page, ".It Fl -verify-host Ar HOST[:PORT] ...\nProve it"));
	assert_non_null(strstr(page, "region_disabled, ...\n"));
	assert_non_null(strstr(page, "\nrsa2048 (default), rsa3072")); /* typed as it stands */
	free(page);
	free(template);
}

static void global_options_are_told(void **state)
{
	(void)state;
	char *page = expand(".\\\" @global-options\n.Ss Next\n");
	assert_memory_equal(
		page, ".Bl -tag -width indent\n.It Fl -socket Ar PATH\nThe daemon's", 58);
	assert_non_null(strstr(page, "Print the version.\n.El\n.Ss Next\n"));
	free(page);
}

static void source_lines_fit_an_editor(void **state)
{
	(void)state;
	char *page = expand(SECTIONS);
	for (char *at = page, *line; (line = strsep(&at, "\n")) != NULL;)
		assert_true(strlen(line) <= 80);
	free(page);
}

static void what_is_not_there_is_refused(void **state)
{
	(void)state;
	expect_refused("text\n.\\\" @nonsense\n", PAGE_MAX, "line 2: \"@nonsense\" is not known");
	expect_refused(".\\\" @command nonsense\n", PAGE_MAX,
		"line 1: there is no command \"nonsense\", or it is there");
	expect_refused(".\\\" @options nonsense\n", PAGE_MAX,
		"line 1: there is no section \"nonsense\", or it is there");
}

static void what_comes_twice_is_refused(void **state)
{
	(void)state;
	expect_refused(".\\\" @command scan\n.\\\" @command scan\n", PAGE_MAX,
		"line 2: there is no command \"scan\", or it is there");
	expect_refused(SECTIONS SECTIONS, PAGE_MAX,
		"line 4: there is no section \"sensor\", or it is there");
}

static void what_is_left_out_is_refused(void **state)
{
	(void)state;
	expect_refused(".\\\" @options sensor\n", PAGE_MAX, "section \"connector\" is missing");
	expect_refused(".\\\" @command scan\n", PAGE_MAX, "command \"status\" is missing");
}

static void a_page_that_does_not_fit_is_refused(void **state)
{
	(void)state;
	expect_refused(SECTIONS, 100, "the page is larger than 100 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_lines_stay),
		cmocka_unit_test(every_option_of_the_configuration_is_told),
		cmocka_unit_test(every_command_and_option_is_told),
		cmocka_unit_test(global_options_are_told),
		cmocka_unit_test(source_lines_fit_an_editor),
		cmocka_unit_test(what_is_not_there_is_refused),
		cmocka_unit_test(what_comes_twice_is_refused),
		cmocka_unit_test(what_is_left_out_is_refused),
		cmocka_unit_test(a_page_that_does_not_fit_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
