#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void digits_are_ascii_digits_only(void **state)
{
	(void)state;
	assert_true(text_is_digits("0123456789", 10));
	assert_false(text_is_digits("", 0));
	assert_false(text_is_digits("12a", 3));
	assert_true(text_is_digits("12a", 2));
	assert_false(text_is_digits("-1", 2));
	assert_false(text_is_digits("\xd9\xa1", 2)); /* an Arabic digit */
}

static void account_id_is_twelve_digits(void **state)
{
	(void)state;
	assert_true(text_is_account_id("000000000012"));
	assert_false(text_is_account_id("00000000001"));
	assert_false(text_is_account_id("0000000000123"));
	assert_false(text_is_account_id("00000000001a"));
	assert_false(text_is_account_id(""));
}

static void region_is_a_short_lower_case_name(void **state)
{
	(void)state;
	assert_true(text_is_region("us-east-1"));
	assert_true(text_is_region("us-gov-west-1"));
	assert_true(text_is_region("eusc-de-east-1"));
	assert_true(text_is_region("ab-1"));
	assert_true(text_is_region("a12345678901234567890123456-890")); /* 31 */
	assert_false(text_is_region("a123456789012345678901234567-890"));
	assert_false(text_is_region("mars"));
	assert_false(text_is_region("aws-global"));
	assert_false(text_is_region("us-east-"));
	assert_false(text_is_region("a-1"));
	assert_false(text_is_region(""));
	assert_false(text_is_region("1ab-1"));
	assert_false(text_is_region("-ab-1"));
	assert_false(text_is_region("US-east-1"));
	assert_false(text_is_region("us-east-1.evil.example"));
	assert_false(text_is_region("us/east-1"));
	assert_false(text_is_region("{ab-1"));
	assert_false(text_is_region("ab{-1"));
	assert_false(text_is_region("ab`-1"));
}

static void prefix_and_suffix(void **state)
{
	(void)state;
	assert_true(text_has_prefix("arn:aws", "arn:"));
	assert_true(text_has_prefix("arn:", "arn:"));
	assert_true(text_has_prefix("x", ""));
	assert_false(text_has_prefix("ar", "arn:"));
	assert_true(text_has_suffix("a.pem", ".pem"));
	assert_true(text_has_suffix(".pem", ".pem"));
	assert_true(text_has_suffix("x", ""));
	assert_false(text_has_suffix("pem", ".pem"));
	assert_false(text_has_suffix("a.pem ", ".pem"));
}

static void case_is_ignored_in_ascii_only(void **state)
{
	(void)state;
	assert_true(text_equal_ci("Content-TYPE", "content-type"));
	assert_true(text_equal_ci("", ""));
	assert_false(text_equal_ci("a", ""));
	assert_false(text_equal_ci("", "a"));
	assert_false(text_equal_ci("ab", "abc"));
	assert_false(text_equal_ci("\xc3\x84", "\xc3\xa4")); /* umlauts */
	assert_false(text_equal_ci("@", "`"));
	char text[] = "AZaz09-\xc3\x84";
	text_lower(text);
	assert_string_equal(text, "azaz09-\xc3\x84");
}

static void copy_tells_when_it_cuts(void **state)
{
	(void)state;
	char copy[4];
	assert_true(text_copy(copy, sizeof(copy), "abc"));
	assert_string_equal(copy, "abc");
	assert_false(text_copy(copy, sizeof(copy), "abcd"));
	assert_string_equal(copy, "abc");
	assert_true(text_copy(copy, sizeof(copy), ""));
	assert_string_equal(copy, "");
	assert_false(text_copy(copy, 1, "x"));
	assert_string_equal(copy, "");
}

static void shortened_text_ends_in_dots_between_characters(void **state)
{
	(void)state;
	char text[8];
	text_shorten(text, sizeof(text), "1234567");
	assert_string_equal(text, "1234567");
	text_shorten(text, sizeof(text), "12345678");
	assert_string_equal(text, "1234...");
	text_shorten(text, sizeof(text),
		"123\xc3\xa4"
		"678");
	assert_string_equal(text, "123...");
	text_shorten(text, 4, "12345678");
	assert_string_equal(text, "...");
	text_shorten(text, 5, "\xc3\xa4\xc3\xa4\xc3\xa4");
	assert_string_equal(text, "...");
}

static void whole_numbers_are_parsed_to_the_ends_of_their_range(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	int64_t value = 0;
	assert_int_equal(text_parse_int("42", 0, 42, &value, &err), 0);
	assert_int_equal(value, 42);
	assert_int_equal(text_parse_int("-7", -7, 0, &value, &err), 0);
	assert_int_equal(value, -7);
	assert_int_equal(text_parse_int("0", 0, 0, &value, &err), 0);
	assert_int_equal(text_parse_int("-0", 0, 0, &value, &err), 0);
	assert_int_equal(value, 0);
	assert_int_equal(text_parse_int("007", 0, 9, &value, &err), 0);
	assert_int_equal(value, 7);
	assert_int_equal(
		text_parse_int("9223372036854775807", INT64_MIN, INT64_MAX, &value, &err), 0);
	assert_true(value == INT64_MAX);
	assert_int_equal(
		text_parse_int("-9223372036854775808", INT64_MIN, INT64_MAX, &value, &err), 0);
	assert_true(value == INT64_MIN);
}

static void what_is_no_number_or_out_of_range_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "-", "+1", " 1", "1 ", "1x", "x", "0x10", "1.5",
		"1e3", "--1", "9223372036854775808", "-9223372036854775809",
		"99999999999999999999999999"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = ERR_INIT;
		int64_t value = 77;
		assert_int_equal(text_parse_int(wrong[i], INT64_MIN, INT64_MAX, &value, &err), -1);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_int_equal(value, 77);
	}
	struct err err = ERR_INIT;
	int64_t value = 77;
	assert_int_equal(text_parse_int("65", 1, 64, &value, &err), -1);
	assert_string_equal(err.text, "\"65\" is not a whole number from 1 to 64");
	assert_int_equal(text_parse_int("0", 1, 64, &value, &err), -1);
	assert_int_equal(value, 77);
}

static void list_gives_items_without_blanks(void **state)
{
	(void)state;
	const char *at = " a, b c ,,\t,d\n,", *item = NULL;
	size_t len = 0;
	static const char *const expected[] = {"a", "b c", "d"};
	for (size_t i = 0; i < 3; i++) {
		assert_true(text_next_item(&at, &item, &len));
		assert_int_equal(len, strlen(expected[i]));
		assert_memory_equal(item, expected[i], len);
	}
	assert_false(text_next_item(&at, &item, &len));
	assert_false(text_next_item(&at, &item, &len)); /* the end stays the end */
	at = "";
	assert_false(text_next_item(&at, &item, &len));
	at = " , ,";
	assert_false(text_next_item(&at, &item, &len));
	at = "one";
	assert_true(text_next_item(&at, &item, &len));
	assert_int_equal(len, 3);
	assert_false(text_next_item(&at, &item, &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits_are_ascii_digits_only),
		cmocka_unit_test(account_id_is_twelve_digits),
		cmocka_unit_test(region_is_a_short_lower_case_name),
		cmocka_unit_test(prefix_and_suffix),
		cmocka_unit_test(case_is_ignored_in_ascii_only),
		cmocka_unit_test(copy_tells_when_it_cuts),
		cmocka_unit_test(shortened_text_ends_in_dots_between_characters),
		cmocka_unit_test(whole_numbers_are_parsed_to_the_ends_of_their_range),
		cmocka_unit_test(what_is_no_number_or_out_of_range_is_refused),
		cmocka_unit_test(list_gives_items_without_blanks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
