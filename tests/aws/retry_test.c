#include "aws/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

static int count_retries(enum retry_class class)
{
	struct retry retry = {{0}};
	int count = 0;
	while (retry_next(&retry, class, -1, 0) != RETRY_STOP)
		count++;
	return count;
}

static void each_class_has_its_budget(void **state)
{
	(void)state;
	assert_int_equal(count_retries(RETRY_NEVER), 0);
	assert_int_equal(count_retries(RETRY_SERVICE), 16);
	assert_int_equal(count_retries(RETRY_BROKEN), 16);
	assert_int_equal(count_retries(RETRY_GARBAGE), 12);
	assert_int_equal(count_retries(RETRY_TIMEOUT), 8);
	assert_int_equal(count_retries(RETRY_CONNECT), 2);
	assert_int_equal(count_retries(RETRY_THROTTLED), 12);
	assert_int_equal(count_retries(RETRY_CLOCK), 1);
	assert_int_equal(count_retries(RETRY_EXPIRED), 1);
	assert_int_equal(count_retries(RETRY_UNKNOWN_KEY), 1);
}

static void budgets_do_not_eat_each_other(void **state)
{
	(void)state;
	struct retry retry = {{0}};
	for (int i = 0; i < 8; i++)
		assert_int_not_equal(retry_next(&retry, RETRY_TIMEOUT, -1, 0), RETRY_STOP);
	assert_int_equal(retry_next(&retry, RETRY_TIMEOUT, -1, 0), RETRY_STOP);
	assert_int_not_equal(retry_next(&retry, RETRY_THROTTLED, -1, 0), RETRY_STOP);
	assert_int_not_equal(retry_next(&retry, RETRY_CLOCK, -1, 0), RETRY_STOP);
}

static void first_reset_is_repeated_at_once_later_ones_are_broken_connections(void **state)
{
	(void)state;
	struct retry retry = {{0}};
	assert_int_equal(retry_next(&retry, RETRY_RESET, -1, UINT32_MAX), 0);
	assert_int_equal(retry_next(&retry, RETRY_RESET, -1, UINT32_MAX), 49);
	assert_int_equal(retry_next(&retry, RETRY_BROKEN, -1, UINT32_MAX), 99);
}

static void delay_is_full_jitter_below_a_doubling_bound(void **state)
{
	(void)state;
	static const int64_t throttled[] = {999, 1999, 3999, 7999, 15999, 19999, 19999};
	static const int64_t service[] = {49, 99, 199, 399, 799, 1599, 3199, 4999, 4999};
	struct retry high = {{0}}, low = {{0}};
	for (size_t i = 0; i < sizeof(throttled) / sizeof(throttled[0]); i++) {
		assert_int_equal(retry_next(&high, RETRY_THROTTLED, -1, UINT32_MAX), throttled[i]);
		assert_int_equal(retry_next(&low, RETRY_THROTTLED, -1, 0), 0);
	}
	for (size_t i = 0; i < sizeof(service) / sizeof(service[0]); i++)
		assert_int_equal(retry_next(&high, RETRY_SERVICE, -1, UINT32_MAX), service[i]);
	struct retry middle = {{0}};
	assert_int_equal(retry_next(&middle, RETRY_THROTTLED, -1, 0x80000000), 500);
}

static void hint_is_a_floor_but_five_seconds_more_at_most(void **state)
{
	(void)state;
	struct retry retry = {{0}};
	assert_int_equal(retry_next(&retry, RETRY_SERVICE, 2000, 0), 2000);
	assert_int_equal(retry_next(&retry, RETRY_SERVICE, 600000, 0), 5000);
	assert_int_equal(retry_next(&retry, RETRY_THROTTLED, 10, UINT32_MAX), 999);
}

/* 10 % each of two kinds of 5xx, resets, cut bodies, garbage, stalls and throttles, drawn as
 * exclusive events: 70 % of all answers are bad. */
static void call_outlives_seven_bad_answers_of_ten(void **state)
{
	(void)state;
	static const enum retry_class bad[] = {RETRY_SERVICE, RETRY_SERVICE, RETRY_BROKEN,
		RETRY_BROKEN, RETRY_GARBAGE, RETRY_TIMEOUT, RETRY_THROTTLED};
	enum { CALLS = 200000 };
	uint64_t dice = 88172645463325252u;
	int failed = 0;
	for (int i = 0; i < CALLS; i++) {
		struct retry retry = {{0}};
		for (;;) {
			dice ^= dice << 13;
			dice ^= dice >> 7;
			dice ^= dice << 17;
			size_t draw = (size_t)(dice % 10);
			if (draw >= sizeof(bad) / sizeof(bad[0]))
				break;
			if (retry_next(&retry, bad[draw], -1, 0) == RETRY_STOP) {
				failed++;
				break;
			}
		}
	}
	assert_in_range(failed, 0, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_class_has_its_budget),
		cmocka_unit_test(budgets_do_not_eat_each_other),
		cmocka_unit_test(first_reset_is_repeated_at_once_later_ones_are_broken_connections),
		cmocka_unit_test(delay_is_full_jitter_below_a_doubling_bound),
		cmocka_unit_test(hint_is_a_floor_but_five_seconds_more_at_most),
		cmocka_unit_test(call_outlives_seven_bad_answers_of_ten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
