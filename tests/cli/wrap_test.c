/* Where a text breaks into lines. */
#include "cli/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* lines: with "|" between them. */
static void wraps(const char *text, size_t width, bool breaks_words, const char *lines)
{
	char got[256] = "";
	for (const char *rest = text; *rest != '\0';) {
		size_t shown, len = wrap_line(rest, width, breaks_words, &shown);
		assert_in_range(len, 1, strlen(rest));
		assert_in_range(shown, 0, len);
		strncat(got, rest, shown);
		rest += len;
		if (*rest != '\0')
			strcat(got, "|");
	}
	assert_string_equal(got, lines);
}

static void lines_break_behind_blanks(void **state)
{
	(void)state;
	wraps("one two three", 7, false, "one two|three");
	wraps("one two three", 8, false, "one two|three");
	wraps("one two three", 13, false, "one two three");
	wraps("one two three", 3, false, "one|two|three");
	wraps("one   two", 4, false, "one|two");
	wraps("  one", 5, false, "  one");
	wraps("one two", SIZE_MAX, false, "one two");
}

static void blanks_at_an_end_are_not_shown(void **state)
{
	(void)state;
	wraps("one   ", 3, false, "one");
	wraps("   ", 1, false, "");
	wraps("   ", 1, true, "");
}

static void a_long_word_stays_whole_or_is_broken(void **state)
{
	(void)state;
	wraps("a abcdefgh b", 3, false, "a|abcdefgh|b");
	wraps("a abcdefgh b", 3, true, "a|abc|def|gh|b");
	wraps("abc", 0, true, "a|b|c");
	wraps("abc", 0, false, "abc");
}

static void wide_characters_take_two_columns_and_stay_whole(void **state)
{
	(void)state;
	wraps("日本語", 4, true, "日本|語");
	wraps("日本語", 5, true, "日本|語");
	wraps("日本語", 1, true, "日|本|語");
	wraps("e\u0301e\u0301e\u0301", 2, true, "e\u0301e\u0301|e\u0301");
	wraps("日 本", 2, false, "日|本");
}

static void broken_utf8_goes_byte_by_byte(void **state)
{
	(void)state;
	size_t shown;
	assert_int_equal(wrap_line("\xff\xff", 80, true, &shown), 2);
	assert_int_equal(shown, 2);
	assert_int_equal(wrap_line("a\xe6\x97", 80, true, &shown), 3); /* cut */
	assert_int_equal(wrap_line("", 80, true, &shown), 0);
	assert_int_equal(shown, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_break_behind_blanks),
		cmocka_unit_test(blanks_at_an_end_are_not_shown),
		cmocka_unit_test(a_long_word_stays_whole_or_is_broken),
		cmocka_unit_test(wide_characters_take_two_columns_and_stay_whole),
		cmocka_unit_test(broken_utf8_goes_byte_by_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
