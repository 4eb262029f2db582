#include "base/log_repeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static struct log_repeats repeats;
static const char one[] = "one %d", other[] = "other %d";

static int set_up(void **state)
{
	(void)state;
	repeats = (struct log_repeats){.shape = {{.format = NULL}}};
	return 0;
}

static int admitted(const char *format, int count, int64_t now_ms)
{
	int written = 0;
	for (int i = 0; i < count; i++)
		written += log_repeat_admits(&repeats, format, 2, "text", now_ms);
	return written;
}

static void so_many_of_a_shape_are_written_and_the_rest_counted(void **state)
{
	(void)state;
	struct log_repeat_shape told;
	assert_int_equal(admitted(one, 100, 5), LOG_REPEAT_MAX);
	assert_false(log_repeat_take(&repeats, false, LOG_REPEAT_MS + 4, &told));
	assert_true(log_repeat_take(&repeats, false, LOG_REPEAT_MS + 5, &told));
	assert_int_equal(told.left_out, 100 - LOG_REPEAT_MAX);
	assert_int_equal(told.level, 2);
	assert_string_equal(told.text, "text");
	assert_false(log_repeat_take(&repeats, true, LOG_REPEAT_MS + 5, &told));
	assert_int_equal(admitted(one, 100, LOG_REPEAT_MS + 5), LOG_REPEAT_MAX);
}

static void shapes_do_not_count_for_each_other(void **state)
{
	(void)state;
	assert_int_equal(admitted(one, LOG_REPEAT_MAX, 0), LOG_REPEAT_MAX);
	assert_int_equal(admitted(other, LOG_REPEAT_MAX, 0), LOG_REPEAT_MAX);
	assert_int_equal(admitted(one, 1, 0), 0);
}

static void a_few_lines_a_minute_are_never_left_out(void **state)
{
	(void)state;
	struct log_repeat_shape told;
	for (int minute = 0; minute < 10; minute++)
		assert_int_equal(
			admitted(one, LOG_REPEAT_MAX, minute * LOG_REPEAT_MS), LOG_REPEAT_MAX);
	assert_false(log_repeat_take(&repeats, true, 0, &told));
}

static void at_the_end_what_is_counted_is_told_at_once(void **state)
{
	(void)state;
	struct log_repeat_shape told;
	(void)admitted(one, LOG_REPEAT_MAX + 1, 0);
	(void)admitted(other, LOG_REPEAT_MAX + 2, 0);
	assert_true(log_repeat_take(&repeats, true, 1, &told));
	assert_int_equal(told.left_out, 1);
	assert_true(log_repeat_take(&repeats, true, 1, &told));
	assert_int_equal(told.left_out, 2);
	assert_false(log_repeat_take(&repeats, true, 1, &told));
}

static void more_shapes_than_places_are_written_uncounted(void **state)
{
	(void)state;
	static const char format[LOG_REPEAT_SHAPES + 1];
	for (size_t i = 0; i < sizeof(format); i++)
		assert_int_equal(admitted(format + i, LOG_REPEAT_MAX, 0), LOG_REPEAT_MAX);
	assert_int_equal(admitted(format + LOG_REPEAT_SHAPES, 50, 0), 50);
	/* Places whose minute is over are free again. */
	assert_int_equal(admitted(format + LOG_REPEAT_SHAPES, 50, LOG_REPEAT_MS), LOG_REPEAT_MAX);
}

static void long_texts_are_cut_between_characters(void **state)
{
	(void)state;
	struct log_repeat_shape told;
	char text[2 * LOG_REPEAT_TEXT_MAX + 1] = "x";
	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa4", 3);
	for (size_t first = 0; first < 2;
		first++) { /* each byte of a character is at the cut once */
		(void)admitted(one, LOG_REPEAT_MAX, 0);
		assert_false(log_repeat_admits(&repeats, one, 0, text + first, 0));
		assert_true(log_repeat_take(&repeats, true, 0, &told));
		assert_true(text_is_utf8(told.text, strlen(told.text)));
		assert_true(text_has_suffix(told.text, "..."));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	const struct CMUnitTest tests[] = {
		TEST(so_many_of_a_shape_are_written_and_the_rest_counted),
		TEST(shapes_do_not_count_for_each_other),
		TEST(a_few_lines_a_minute_are_never_left_out),
		TEST(at_the_end_what_is_counted_is_told_at_once),
		TEST(more_shapes_than_places_are_written_uncounted),
		TEST(long_texts_are_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
