/* An account's regions in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "cli/coverage_words.h"
#include "store/coverage.h"

static void says(const char *row_text, const char *expected, enum style style)
{
	struct buf words;
	json_t *row = json_loads(row_text, 0, NULL);
	assert_non_null(row);
	buf_init(&words, 4096);
	assert_int_equal(coverage_words(&words, row), style);
	assert_string_equal(buf_text(&words), expected);
	buf_clear(&words);
	json_decref(row);
}

static void problems_come_first_and_give_the_colour(void **state)
{
	(void)state;
	says("{\"coverage\": {\"ok\": 15, \"denied\": 2, \"denied_by_scp\": 1}}",
		"2 denied, 1 denied by SCP, 15 read", STYLE_RED);
	says("{\"coverage\": {\"ok\": 15, \"region_disabled\": 1}}", "15 read, 1 disabled",
		STYLE_GREEN);
	says("{\"coverage\": {\"ok\": 1, \"never_tried\": 1}}", "1 not tried yet, 1 read",
		STYLE_YELLOW);
	says("{\"coverage\": {\"unreachable\": 1, \"failed\": 2, \"throttled\": 3}}",
		"1 unreachable, 2 failed, 3 throttled", STYLE_RED);
}

static void what_concerns_the_whole_account_has_no_number(void **state)
{
	(void)state;
	says("{\"coverage\": {\"role_unassumable\": 1}}", "role cannot be assumed", STYLE_RED);
	says("{\"coverage\": {\"role_unassumable\": 2, \"ok\": 1}}",
		"2 where the role cannot be assumed, 1 read", STYLE_RED);
	says("{\"coverage\": {\"excluded\": 1}}", "excluded", STYLE_DIM);
	says("{\"coverage\": {\"excluded\": 1, \"ok\": 3}}", "3 read, 1 excluded", STYLE_GREEN);
}

static void an_inactive_account_is_called_what_aws_calls_it(void **state)
{
	(void)state;
	says("{\"state\": \"PENDING_CLOSURE\", \"coverage\": {\"account_inactive\": 1}}",
		"account pending closure", STYLE_DIM);
	says("{\"state\": null, \"coverage\": {\"account_inactive\": 1}}", "account inactive",
		STYLE_DIM);
}

static void nothing_known_is_not_tried_yet(void **state)
{
	(void)state;
	says("{\"coverage\": {}}", "not tried yet", STYLE_PLAIN);
	says("{}", "not tried yet", STYLE_PLAIN);
}

static void every_state_has_words_and_a_style(void **state)
{
	(void)state;
	for (int i = 0; i < COVERAGE_STATES; i++) {
		const char *name = coverage_state_name((enum coverage_state)i);
		struct buf words;
		json_t *row = json_pack("{s:{s:i}}", "coverage", name, 1);
		buf_init(&words, 4096);
		enum style style = coverage_words(&words, row);
		assert_true(words.len > 0);
		assert_int_equal(style, coverage_style(name));
		buf_clear(&words);
		json_decref(row);
	}
	assert_int_equal(coverage_style("of a newer daemon"), STYLE_PLAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(problems_come_first_and_give_the_colour),
		cmocka_unit_test(what_concerns_the_whole_account_has_no_number),
		cmocka_unit_test(an_inactive_account_is_called_what_aws_calls_it),
		cmocka_unit_test(nothing_known_is_not_tried_yet),
		cmocka_unit_test(every_state_has_words_and_a_style),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
