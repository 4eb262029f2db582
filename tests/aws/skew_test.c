#include "aws/skew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t now_s = 1793000000;

static void offset_is_their_clock_minus_ours(void **state)
{
	(void)state;
	struct skew skew = {.offset_s = 0};
	assert_true(skew_learn(&skew, now_s + 1200, false, now_s, 50));
	assert_int_equal(skew.offset_s, 1200);
	assert_true(skew_learn(&skew, now_s - 1200, false, now_s, 50));
	assert_int_equal(skew.offset_s, -1200);
}

static void rounding_does_not_move_it(void **state)
{
	(void)state;
	struct skew skew = {.offset_s = 0};
	assert_false(skew_learn(&skew, now_s + 2, false, now_s, 50));
	assert_int_equal(skew.offset_s, 0);
	assert_true(skew_learn(&skew, now_s + 100, false, now_s, 50));
	assert_false(skew_learn(&skew, now_s + 99, false, now_s, 50));
	assert_int_equal(skew.offset_s, 100);
	assert_true(skew_learn(&skew, now_s + 1, false, now_s, 50));
	assert_int_equal(skew.offset_s, 0);
}

static void cached_slow_and_undated_answers_teach_nothing(void **state)
{
	(void)state;
	struct skew skew = {.offset_s = 7};
	assert_false(skew_learn(&skew, now_s + 1200, true, now_s, 50));
	assert_false(skew_learn(&skew, now_s + 1200, false, now_s, 900001));
	assert_false(skew_learn(&skew, 0, false, now_s, 50));
	assert_int_equal(skew.offset_s, 7);
}

static void refusal_is_explained_by_four_minutes(void **state)
{
	(void)state;
	struct skew skew = {.offset_s = 1200};
	assert_true(skew_explains_refusal(&skew, 0));
	assert_true(skew_explains_refusal(&skew, 960));
	assert_false(skew_explains_refusal(&skew, 961));
	assert_false(skew_explains_refusal(&skew, 1200));
	assert_true(skew_explains_refusal(&skew, 2000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offset_is_their_clock_minus_ours),
		cmocka_unit_test(rounding_does_not_move_it),
		cmocka_unit_test(cached_slow_and_undated_answers_teach_nothing),
		cmocka_unit_test(refusal_is_explained_by_four_minutes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
