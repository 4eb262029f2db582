/* A plan as a person reads it: which line has which sign, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/plan_show.h"

static const struct cli narrow = {.terminal = {.columns = 80}, .now_s = 1764244800};

/* What is printed of a plan in JSON with ' for "; owned by the caller. */
static char *print(const struct cli *cli, const char *text)
{
	char copy[4096], *printed = NULL;
	size_t len = 0;
	json_error_t ignored;
	FILE *saved = stdout;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	json_t *plan = json_loads(copy, 0, &ignored);
	assert_non_null(plan);
	stdout = open_memstream(&printed, &len);
	plan_show(cli, plan);
	fclose(stdout);
	stdout = saved;
	json_decref(plan);
	return printed;
}

static void shows(const char *plan, const char *part)
{
	char *printed = print(&narrow, plan);
	if (strstr(printed, part) == NULL)
		fail_msg("not there: %s\nin:\n%s", part, printed);
	free(printed);
}

static void hides(const char *plan, const char *part)
{
	char *printed = print(&narrow, plan);
	if (strstr(printed, part) != NULL)
		fail_msg("there: %s\nin:\n%s", part, printed);
	free(printed);
}

static void what_stays_has_no_sign_and_what_differs_two_lines(void **state)
{
	(void)state;
	const char *plan = "{'current': {'key_algorithm': 'RSA_2048', 'issuer': 'CN=A',"
			   " 'key_usages': ['X', 'Y']},"
			   " 'new': {'key_algorithm': 'RSA_2048', 'issuer': 'CN=B',"
			   " 'key_usages': ['X']}}";
	shows(plan, "\n  Key                 RSA_2048\n"
		    "  Key usage         - X, Y\n"
		    "                    + X\n");
	shows(plan, "\n  Issuer            - CN=A\n"
		    "                    + CN=B\n");
}

static void what_one_side_lacks_is_said(void **state)
{
	(void)state;
	shows("{'current': {'key_usages': []}, 'new': {'key_usages': ['X']}}",
		"\n  Key usage         - (none)\n"
		"                    + X\n");
	shows("{'current': {'extended_key_usages': ['X']}, 'new': {}}",
		"\n  Extended usage    - X\n"
		"                    + (none)\n");
}

static void without_anything_to_replace_nothing_has_a_sign(void **state)
{
	(void)state;
	const char *plan = "{'decision': 'import', 'current': null, 'new': {'issuer': 'CN=B'},"
			   " 'names': {'added': ['a', 'b'], 'kept': [], 'lost': []},"
			   " 'tags': {'k': 'v'}}";
	shows(plan, "\nThe new certificate\n"
		    "  Names               a, b\n"
		    "  Issuer              CN=B\n"
		    "  Tags                k=v\n");
	hides(plan, " + ");
	hides(plan, " - ");
}

static void tags_are_kept_set_over_or_new(void **state)
{
	(void)state;
	shows("{'decision': 'reimport', 'current': {'tags': {'a': '1', 'b': '2', 'c': '3'}},"
	      " 'new': {}, 'tags': {'b': '9', 'c': '3', 'd': '4'}}",
		"\n  Tags                a=1\n"
		"                    - b=2\n"
		"                    + b=9\n"
		"                      c=3\n"
		"                    + d=4\n");
}

static void a_new_arn_takes_no_tags_over(void **state)
{
	(void)state;
	shows("{'decision': 'import', 'current': {'tags': {'a': '1'}}, 'new': {},"
	      " 'tags': {'b': '2'}}",
		"\n  Tags                b=2\n");
}

static void the_next_command_fits_the_state(void **state)
{
	(void)state;
	shows("{'id': 'p-1', 'decision': 'import'}",
		"\n  Next                acmsensor apply p-1 ");
	shows("{'id': 'p-1', 'decision': 'import', 'state': 'applied', 'job': 'j-1'}",
		"\n  Next                acmsensor jobs j-1\n");
	shows("{'id': 'p-1', 'decision': 'import', 'state': 'expired', 'job': ''}",
		"this one has expired\n");
	hides("{'id': 'p-1', 'decision': 'refuse', 'state': 'refused'}", "acmsensor apply");
}

static void rules_come_worst_first(void **state)
{
	(void)state;
	shows("{'rules': [{'verdict': 'passed', 'text': 'P'}, {'verdict': 'unconfirmed', 'text':"
	      " 'U'}, {'verdict': 'broken', 'text': '', 'name': 'B'}]}",
		"\nACM's rules\n"
		"  broken              B\n"
		"  not confirmed       U\n"
		"  passed              P\n");
}

static void nothing_is_shown_of_what_is_of_another_type(void **state)
{
	(void)state;
	free(print(&narrow, "{}"));
	free(print(&narrow, "[]"));
	free(print(&narrow,
		"{'id': 1, 'current': 'x', 'new': [], 'names': 3, 'rules': 'x', 'tags': [1],"
		" 'warnings': {}, 'rollback': [], 'verify_hosts': 'h', 'expires': []}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays_has_no_sign_and_what_differs_two_lines),
		cmocka_unit_test(what_one_side_lacks_is_said),
		cmocka_unit_test(without_anything_to_replace_nothing_has_a_sign),
		cmocka_unit_test(tags_are_kept_set_over_or_new),
		cmocka_unit_test(a_new_arn_takes_no_tags_over),
		cmocka_unit_test(the_next_command_fits_the_state),
		cmocka_unit_test(rules_come_worst_first),
		cmocka_unit_test(nothing_is_shown_of_what_is_of_another_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
