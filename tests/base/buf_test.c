#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "tests/lib/aborts.h"

static void empty_buffer_is_empty_text(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct buf buf;
	buf_init(&buf, 10);
	assert_null(buf.data);
	assert_string_equal(buf_text(&buf), "");
	assert_int_equal(buf_check(&buf, "x", &err), 0);
	char *text = buf_take(&buf);
	assert_string_equal(text, "");
	free(text);
	buf_reset(&buf);
	buf_clear(&buf);
}

static void additions_follow_each_other(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 1000);
	buf_add(&buf, "a\0b", 3);
	buf_add_text(&buf, "cd");
	buf_add_char(&buf, 'e');
	buf_addf(&buf, "%d%s", 12, "f");
	buf_addf(&buf, "%s", "");
	buf_add(&buf, NULL, 0);
	buf_add_text(&buf, "");
	assert_int_equal(buf.len, 9);
	assert_memory_equal(buf.data, "a\0bcde12f", 10); /* with the NUL */
	buf_clear(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.max_bytes, 1000);
}

static void grows_to_any_size_below_the_maximum(void **state)
{
	(void)state;
	for (int is_secret = 0; is_secret < 2; is_secret++) {
		struct buf buf;
		if (is_secret)
			buf_init_secret(&buf, 100000);
		else
			buf_init(&buf, 100000);
		for (int i = 0; i < 100000; i++)
			buf_add_char(&buf, (char)('a' + i % 26));
		assert_false(buf.is_over);
		assert_int_equal(buf.len, 100000);
		for (int i = 0; i < 100000; i++)
			assert_int_equal(buf.data[i], 'a' + i % 26);
		assert_int_equal(buf.data[buf.len], '\0');
		buf_clear(&buf);
		assert_int_equal(buf.is_secret, is_secret);
	}
}

static void maximum_is_reached_exactly_and_not_passed(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	for (size_t max = 0; max < 300; max++) {
		struct buf buf;
		buf_init(&buf, max);
		for (size_t i = 0; i < max; i++)
			buf_add_char(&buf, 'x');
		assert_false(buf.is_over);
		buf_add_char(&buf, 'y');
		assert_true(buf.is_over);
		assert_int_equal(buf.len, max);
		assert_int_equal(strlen(buf_text(&buf)), max);
		assert_int_equal(buf_check(&buf, "answer", &err), -1);
		buf_clear(&buf);
	}
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "answer is larger than 299 bytes");
}

static void what_does_not_fit_is_left_out_and_so_is_all_after_it(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 5);
	buf_add_text(&buf, "abc");
	buf_addf(&buf, "%s", "def");
	buf_add_text(&buf, "g"); /* would fit */
	assert_string_equal(buf_text(&buf), "abc");
	assert_true(buf.is_over);
	buf_reset(&buf);
	assert_false(buf.is_over);
	assert_string_equal(buf_text(&buf), "");
	buf_add_text(&buf, "12345");
	assert_string_equal(buf_text(&buf), "12345");
	buf_clear(&buf);
}

static void room_is_written_in_place(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 300);
	buf_add_text(&buf, "a");
	char *room = buf_room(&buf, 299);
	assert_non_null(room);
	memcpy(room, "bcd", 3);
	buf_advance(&buf, 3);
	assert_string_equal(buf_text(&buf), "abcd");
	assert_null(buf_room(&buf, 297));
	assert_true(buf.is_over);
	buf_clear(&buf);
}

static void take_moves_the_memory(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 100);
	buf_add_text(&buf, "text");
	const char *data = buf.data;
	char *text = buf_take(&buf);
	assert_ptr_equal(text, data);
	assert_null(buf.data);
	buf_add_text(&buf, "again");
	assert_string_equal(buf_text(&buf), "again");
	assert_string_equal(text, "text");
	free(text);
	buf_clear(&buf);
}

static void reset_of_a_secret_wipes_what_was_there(void **state)
{
	(void)state;
	struct buf buf;
	buf_init_secret(&buf, 100);
	buf_add_text(&buf, "secret");
	char *data = buf.data;
	buf_reset(&buf);
	assert_ptr_equal(buf.data, data);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(data[i], 0);
	buf_clear(&buf);
}

static void take_secret(void)
{
	struct buf buf;
	buf_init_secret(&buf, 100);
	free(buf_take(&buf));
}

static void advance_too_far(void)
{
	struct buf buf;
	buf_init(&buf, 10);
	buf_room(&buf, 3);
	buf_advance(&buf, 11);
}

static void misuse_aborts(void **state)
{
	(void)state;
	assert_true(aborts(take_secret));
	assert_true(aborts(advance_too_far));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_buffer_is_empty_text),
		cmocka_unit_test(additions_follow_each_other),
		cmocka_unit_test(grows_to_any_size_below_the_maximum),
		cmocka_unit_test(maximum_is_reached_exactly_and_not_passed),
		cmocka_unit_test(what_does_not_fit_is_left_out_and_so_is_all_after_it),
		cmocka_unit_test(room_is_written_in_place),
		cmocka_unit_test(take_moves_the_memory),
		cmocka_unit_test(reset_of_a_secret_wipes_what_was_there),
		cmocka_unit_test(misuse_aborts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
