/* Jobs of delivery: what an end means, and how steps are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/dates.h"
#include "cli/job_show.h"

/* text: JSON with ' for ". */
static json_t *parse(const char *text)
{
	char copy[1024];
	json_error_t ignored;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	json_t *value = json_loads(copy, 0, &ignored);
	assert_non_null(value);
	return value;
}

static void ends_with(const char *text, int code)
{
	json_t *job = parse(text);
	assert_int_equal(job_exit_code(job), code);
	json_decref(job);
}

static void what_was_done_is_0(void **state)
{
	(void)state;
	ends_with("{'state': 'succeeded'}", EXIT_DONE);
	ends_with("{'state': 'restored', 'evidence': null}", EXIT_DONE);
	ends_with("{'state': 'succeeded', 'evidence': {'hosts': [{'outcome': 'served'}],"
		  " 'tags': {'missing': ''}}}",
		EXIT_DONE);
}

static void what_was_not_done_is_1(void **state)
{
	(void)state;
	ends_with("{'state': 'failed'}", EXIT_FAILED);
	ends_with("{'state': 'impossible'}", EXIT_FAILED);
	ends_with("{'state': 'cancelled'}", EXIT_FAILED);
	ends_with("{'state': 'failed', 'reason': 'x; warning: y'}", EXIT_FAILED);
	ends_with("{'state': 'of a newer daemon'}", EXIT_FAILED);
	ends_with("{}", EXIT_FAILED);
	ends_with("{'state': 7}", EXIT_FAILED);
}

static void what_must_be_looked_at_is_4(void **state)
{
	(void)state;
	ends_with("{'state': 'succeeded', 'evidence': {'hosts': [{'outcome': 'served'},"
		  " {'outcome': 'not reachable'}]}}",
		EXIT_WARNINGS);
	ends_with(
		"{'state': 'restored', 'evidence': {'hosts': [{'outcome': 'other certificate'}]}}",
		EXIT_WARNINGS);
	ends_with("{'state': 'succeeded', 'evidence': {'hosts': [{}]}}", EXIT_WARNINGS);
	ends_with(
		"{'state': 'succeeded', 'evidence': {'tags': {'missing': 'team'}}}", EXIT_WARNINGS);
	ends_with("{'state': 'succeeded', 'reason': 'ACM holds it; warning: tags'}", EXIT_WARNINGS);
}

/* What the step printed; owned by the caller. */
static char *print_step(const char *text, char *day)
{
	static const struct cli cli = {.terminal = {.columns = 60}};
	char *printed = NULL;
	size_t len = 0;
	FILE *saved = stdout;
	json_t *step = parse(text);
	stdout = open_memstream(&printed, &len);
	job_show_step(&cli, step, day);
	fclose(stdout);
	stdout = saved;
	json_decref(step);
	return printed;
}

static void prints(const char *text, char *day, const char *expected)
{
	char *printed = print_step(text, day);
	assert_string_equal(printed, expected);
	free(printed);
}

static void a_day_is_said_once(void **state)
{
	(void)state;
	char day[DATES_TEXT_MAX] = "";
	prints("{'at': '2026-11-27T23:59:59Z', 'phase': 'import', 'text': 'sent'}", day,
		"  2026-11-27          UTC\n"
		"  23:59:59Z import    sent\n");
	prints("{'at': '2026-11-27T23:59:59Z', 'phase': 'confirm', 'text': 'not yet'}", day,
		"  23:59:59Z confirm   not yet\n");
	prints("{'at': '2026-11-28T00:00:00Z', 'phase': 'done', 'text': 'a b'}", day,
		"  2026-11-28          UTC\n"
		"  00:00:00Z done      a b\n");
}

static void text_from_outside_is_escaped_and_wrapped(void **state)
{
	(void)state;
	char day[DATES_TEXT_MAX] = "2026-11-28";
	prints("{'at': '2026-11-28T00:00:00Z', 'phase': 'a-phase-longer-than-any',"
	       " 'text': '\\u001b[31m word word word word word word word'}",
		day,
		"  00:00:00Z a-phase-l \\x1b[31m word word word word word word\n"
		"                      word\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_done_is_0),
		cmocka_unit_test(what_was_not_done_is_1),
		cmocka_unit_test(what_must_be_looked_at_is_4),
		cmocka_unit_test(a_day_is_said_once),
		cmocka_unit_test(text_from_outside_is_escaped_and_wrapped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
