/* "label   value" lines: wrapped, escaped, never broken inside what is copied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/facts.h"
#include "cli/wrap.h"

static void wraps(int columns, const char *label, const char *value, const char *expected)
{
	struct terminal terminal = {.columns = columns, .is_utf8 = true};
	struct buf lines;
	buf_init(&lines, 1 << 20);
	facts_wrap(&lines, &terminal, label, value, STYLE_RED);
	assert_string_equal(buf_text(&lines), expected);
	buf_clear(&lines);
}

static void a_value_stands_behind_its_label(void **state)
{
	(void)state;
	wraps(80, "Region", "eu-west-1", "  Region              eu-west-1\n");
	wraps(0, "Region", "eu-west-1", "  Region              eu-west-1\n");
	wraps(80, "Region", "", "");
}

static void a_long_value_goes_on_below_itself(void **state)
{
	(void)state;
	wraps(36, "Names", "a.example, b.example, c.example",
		"  Names               a.example,\n"
		"                      b.example,\n"
		"                      c.example\n");
	/* Without a terminal nothing is wrapped. */
	wraps(0, "Names", "a.example, b.example, c.example",
		"  Names               a.example, b.example, c.example\n");
}

static void a_word_longer_than_the_line_is_not_broken(void **state)
{
	(void)state;
	wraps(36, "ARN", "see arn:aws:acm:eu-west-1:123 there",
		"  ARN                 see\n"
		"                      arn:aws:acm:eu-west-1:123\n"
		"                      there\n");
}

static void a_narrow_terminal_still_shows_something(void **state)
{
	(void)state;
	wraps(20, "N", "aaaa bbbb cccc",
		"  N                   aaaa bbbb\n"
		"                      cccc\n");
}

static void labels_and_values_of_outsiders_are_escaped(void **state)
{
	(void)state;
	wraps(80, "\033[2J", "\033]0;x\007 \"quoted\" \\",
		"  \\x1b[2J             \\x1b]0;x\\x07 \"quoted\" \\\n");
}

static void a_label_too_long_has_a_line_of_its_own(void **state)
{
	(void)state;
	wraps(80, "aws:cloudformation:stack-name", "v",
		"  aws:cloudformation:stack-name\n"
		"                      v\n");
	wraps(80, "19-columns-of-label", "v", "  19-columns-of-label v\n");
}

static void wide_characters_count_as_two_columns(void **state)
{
	(void)state;
	wraps(32, "\u65e5", "\u65e5\u672c\u652f\u793e \u65e5\u672c",
		"  \u65e5                  \u65e5\u672c\u652f\u793e\n"
		"                      \u65e5\u672c\n");
}

static void colour_surrounds_each_line(void **state)
{
	(void)state;
	struct terminal terminal = {.columns = 32, .has_color = true};
	struct buf lines;
	buf_init(&lines, 1 << 20);
	facts_wrap(&lines, &terminal, "L", "aaaaaa bbbbbb", STYLE_RED);
	assert_string_equal(buf_text(&lines), "  L                   \033[31maaaaaa\033[0m\n"
					      "                      \033[31mbbbbbb\033[0m\n");
	buf_clear(&lines);
}

static void lines_break_at_blanks_or_inside_words_as_asked(void **state)
{
	(void)state;
	size_t shown;
	assert_int_equal(wrap_line("", 5, true, &shown), 0);
	assert_int_equal(wrap_line("ab cd", 5, true, &shown), 5);
	assert_int_equal(wrap_line("ab cd ef", 5, true, &shown), 6);
	assert_int_equal(shown, 5);
	assert_int_equal(wrap_line("abcdefgh", 5, true, &shown), 5);
	assert_int_equal(wrap_line("abcdefgh ij", 5, false, &shown), 9);
	assert_int_equal(shown, 8);
	assert_int_equal(wrap_line("abc", SIZE_MAX, true, &shown), 3);
	/* A character that does not fit at all is a line of its own, or nothing would go on. */
	assert_int_equal(wrap_line("\u65e5\u672c", 1, true, &shown), 3);
	/* Broken UTF-8 is passed over byte by byte. */
	assert_int_equal(wrap_line("\xff\xff\xff", 0, true, &shown), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_stands_behind_its_label),
		cmocka_unit_test(a_long_value_goes_on_below_itself),
		cmocka_unit_test(a_word_longer_than_the_line_is_not_broken),
		cmocka_unit_test(a_narrow_terminal_still_shows_something),
		cmocka_unit_test(labels_and_values_of_outsiders_are_escaped),
		cmocka_unit_test(a_label_too_long_has_a_line_of_its_own),
		cmocka_unit_test(wide_characters_count_as_two_columns),
		cmocka_unit_test(colour_surrounds_each_line),
		cmocka_unit_test(lines_break_at_blanks_or_inside_words_as_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
