#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"

/* Writes code_point as UTF-8, also those that must not be. */
static size_t put_utf8(uint32_t code_point, size_t size, char *to)
{
	static const unsigned char head[] = {0, 0, 0xc0, 0xe0, 0xf0};
	if (size == 1) {
		to[0] = (char)code_point;
		return 1;
	}
	for (size_t i = size - 1; i > 0; i--) {
		to[i] = (char)(0x80 | (code_point & 0x3f));
		code_point >>= 6;
	}
	to[0] = (char)(head[size] | code_point);
	return size;
}

static size_t utf8_size(uint32_t code_point)
{
	if (code_point < 0x80)
		return 1;
	if (code_point < 0x800)
		return 2;
	return code_point < 0x10000 ? 3 : 4;
}

static void every_character_is_read_back_and_no_other(void **state)
{
	(void)state;
	char text[4];
	for (uint32_t code_point = 0; code_point < 0x120000; code_point++) {
		size_t size = put_utf8(code_point, utf8_size(code_point), text);
		bool is_character =
			code_point <= 0x10ffff && (code_point < 0xd800 || code_point > 0xdfff);
		uint32_t read = 0;
		size_t read_size = text_utf8_next(text, size, &read);
		if (read_size != (is_character ? size : 0) || (is_character && read != code_point))
			fail_msg("U+%x", code_point);
	}
}

static void overlong_forms_are_broken(void **state)
{
	(void)state;
	char text[4];
	for (uint32_t code_point = 0; code_point < 0x10000; code_point++) {
		for (size_t size = utf8_size(code_point) + 1; size <= 4; size++) {
			put_utf8(code_point, size, text);
			if (text_is_utf8(text, size))
				fail_msg("U+%x in %zu bytes", code_point, size);
		}
	}
}

static void broken_and_cut_text_is_not_utf8(void **state)
{
	(void)state;
	assert_true(text_is_utf8("", 0));
	assert_true(text_is_utf8("a\0\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91", 11));
	static const char *const wrong[] = {"\x80", "a\xbf", "\xc3", "\xc3(", "\xe2\x82",
		"\xe2(\xac", "\xf0\x9f\x94", "\xf0\x9f(\x91", "\xf8\x88\x80\x80\x80", "\xff",
		"\xfe"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(text_is_utf8(wrong[i], strlen(wrong[i])));
}

static void check_escape(const char *text, size_t len, size_t max_bytes, const char *expected)
{
	struct buf buf;
	buf_init(&buf, 1000);
	text_escape(&buf, text, len, max_bytes);
	assert_string_equal(buf_text(&buf), expected);
	buf_clear(&buf);
}

static void escape_keeps_what_is_printable(void **state)
{
	(void)state;
	check_escape("", 0, 10, "");
	check_escape("plain ~", 7, 10, "plain ~");
	check_escape("p\xc3\xa4y \xf0\x9f\x94\x91", 9, 10, "p\xc3\xa4y \xf0\x9f\x94\x91");
}

static void escape_shows_what_would_be_obeyed_or_hidden(void **state)
{
	(void)state;
	check_escape("a\n\r\t\"\\b", 7, 10, "a\\n\\r\\t\\\"\\\\b");
	check_escape("\x1b[31m\0\x7f", 7, 10, "\\x1b[31m\\x00\\x7f");
	check_escape("\xc2\x9b", 2, 10, "\\xc2\\x9b");		/* C1: CSI */
	check_escape("\xe2\x80\xae", 3, 10, "\\xe2\\x80\\xae"); /* right-to-left override */
	check_escape("\xe2\x80\x8b", 3, 10, "\\xe2\\x80\\x8b"); /* zero width space */
	check_escape("\xf3\xa0\x80\x81", 4, 10, "\\xf3\\xa0\\x80\\x81"); /* a tag */
	check_escape("\xf4\x8f\xbf\xbf", 4, 10, "\\xf4\\x8f\\xbf\\xbf"); /* a noncharacter */
	check_escape("x\xff\xc3", 3, 10, "x\\xff\\xc3");
}

static void escape_cuts_between_characters(void **state)
{
	(void)state;
	check_escape("abcdef", 6, 6, "abcdef");
	check_escape("abcdef", 6, 5, "abcde...");
	check_escape("abc\xc3\xa4", 5, 4, "abc...");
	check_escape("abc\xc3\xa4", 5, 5, "abc\xc3\xa4");
	check_escape("abc", 3, 0, "...");
}

static void line_escape_leaves_quotes_alone(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 1000);
	text_escape_line(&buf, "name=\"a\\nb\"\n", 12, 100);
	assert_string_equal(buf_text(&buf), "name=\"a\\nb\"\\n");
	buf_clear(&buf);
}

static void columns_of_a_terminal(void **state)
{
	(void)state;
	assert_int_equal(text_columns(""), 0);
	assert_int_equal(text_columns("plain"), 5);
	assert_int_equal(text_columns("p\xc3\xa4y"), 3);
	assert_int_equal(text_columns("a\xcc\x88"), 1);		       /* a, combining dots */
	assert_int_equal(text_columns("\xe6\x97\xa5\xe6\x9c\xac"), 4); /* two CJK */
	assert_int_equal(text_columns("\xf0\x9f\x94\x91"), 2);	       /* a key */
	assert_int_equal(text_columns("\xe2\x9c\x93"), 1);	       /* a check mark */
	assert_int_equal(text_columns("\xe2\x80\x8b"), 0);	       /* zero width space */
	assert_int_equal(text_columns("\xef\xbc\xa1\xea\xb0\x80"), 4); /* full width, Hangul */
	assert_int_equal(text_columns("a\xff\xc3"), 3);
}

static void hex_and_back(void **state)
{
	(void)state;
	unsigned char all[256], back[256];
	char hex[513];
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	text_hex(all, sizeof(all), hex);
	assert_int_equal(strlen(hex), 512);
	assert_memory_equal(hex, "000102", 6);
	assert_string_equal(hex + 506, "fdfeff");
	assert_true(text_unhex(hex, back, sizeof(back)));
	assert_memory_equal(all, back, sizeof(all));
	text_hex(NULL, 0, hex);
	assert_string_equal(hex, "");

	unsigned char two[2] = {7, 7};
	assert_true(text_unhex("aBcD", two, 2));
	assert_memory_equal(two, "\xab\xcd", 2);
	static const char *const wrong[] = {
		"", "0", "000", "00000", "000g", "g000", "0 00", "0x00"};
	two[0] = two[1] = 7;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(text_unhex(wrong[i], two, 2));
		assert_memory_equal(two, "\x07\x07", 2);
	}
	assert_true(text_unhex("", NULL, 0));
}

static void percent_encodes_all_but_unreserved_and_kept(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 1000);
	text_percent_encode(&buf, "AZaz09-._~", 10, "");
	assert_string_equal(buf_text(&buf), "AZaz09-._~");
	buf_reset(&buf);
	text_percent_encode(&buf, "a/b c+\xc3\xa4\0%", 10, "/");
	assert_string_equal(buf_text(&buf), "a/b%20c%2B%C3%A4%00%25");
	buf_reset(&buf);
	text_percent_encode(&buf, "/", 1, "");
	assert_string_equal(buf_text(&buf), "%2F");
	buf_reset(&buf);
	text_percent_encode(&buf, "", 0, "");
	assert_string_equal(buf_text(&buf), "");
	buf_clear(&buf);
}

static void hex_digits_are_of_either_case(void **state)
{
	(void)state;
	static const char digits[] = "0123456789abcdefABCDEF";
	for (int c = -128; c < 128; c++) {
		const char *at = c != 0 ? strchr(digits, (char)c) : NULL;
		int value = at == NULL ? -1 : (int)(at - digits);
		assert_int_equal(text_hex_digit((char)c), value < 16 ? value : value - 6);
	}
}

static void characters_are_counted(void **state)
{
	(void)state;
	assert_int_equal(text_utf8_count("", 0), 0);
	assert_int_equal(text_utf8_count("a\303\244\346\235\261\360\237\232\200", 10), 4);
	assert_int_equal(
		text_utf8_count("\303\303\244\346\235", 5), 4); /* broken, whole, two broken */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_are_counted),
		cmocka_unit_test(hex_digits_are_of_either_case),
		cmocka_unit_test(every_character_is_read_back_and_no_other),
		cmocka_unit_test(overlong_forms_are_broken),
		cmocka_unit_test(broken_and_cut_text_is_not_utf8),
		cmocka_unit_test(escape_keeps_what_is_printable),
		cmocka_unit_test(escape_shows_what_would_be_obeyed_or_hidden),
		cmocka_unit_test(escape_cuts_between_characters),
		cmocka_unit_test(line_escape_leaves_quotes_alone),
		cmocka_unit_test(columns_of_a_terminal),
		cmocka_unit_test(hex_and_back),
		cmocka_unit_test(percent_encodes_all_but_unreserved_and_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
