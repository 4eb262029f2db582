#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/lib/aborts.h"

static void wall_time_is_the_time_of_the_system(void **state)
{
	(void)state;
	int64_t before_s = time(NULL); /* of the last tick, so never after the clock */
	int64_t now_s = clock_now_s();
	struct timespec after;
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &after), 0);
	assert_true(now_s >= before_s && now_s <= after.tv_sec);
	int64_t now_ms = clock_now_ms();
	assert_true(now_ms >= after.tv_sec * INT64_C(1000) + after.tv_nsec / 1000000);
	assert_true(now_ms / 1000 <= clock_now_s());
}

static void others_are_believed_when_they_are_far_apart(void **state)
{
	(void)state;
	int64_t now_s = clock_now_s();
	assert_true(clock_agreed_s(0) - now_s <= 1);
	assert_true(clock_agreed_s(now_s - 2) >= now_s); /* late by the way of the answer */
	assert_true(clock_agreed_s(now_s + CLOCK_AGREE_S / 2) - now_s <= 1);
	assert_int_equal(clock_agreed_s(now_s - 7200), now_s - 7200);
	assert_int_equal(clock_agreed_s(now_s + 7200), now_s + 7200);
}

static void monotonic_time_never_goes_back(void **state)
{
	(void)state;
	int64_t last_us = clock_mono_us();
	for (int i = 0; i < 10000; i++) {
		int64_t now_us = clock_mono_us();
		assert_true(now_us >= last_us);
		last_us = now_us;
	}
	int64_t ms = clock_mono_ms();
	assert_true(ms >= last_us / 1000 && ms <= clock_mono_us() / 1000);
}

static void random_numbers_fill_their_range_and_do_not_leave_it(void **state)
{
	(void)state;
	int seen[7] = {0};
	for (int i = 0; i < 2000; i++)
		seen[clock_random(7)]++;
	for (int i = 0; i < 7; i++)
		assert_true(seen[i] > 100); /* 286 expected; 100 is 12 standard deviations away */
	assert_int_equal(clock_random(1), 0);
	const uint32_t awkward =
		UINT32_C(0x80000001); /* nearly half of all numbers are thrown again */
	for (int i = 0; i < 100; i++)
		assert_true(clock_random(awkward) < awkward);
	assert_true(clock_random(UINT32_MAX) < UINT32_MAX);
}

static void ask_for_a_number_below_zero(void)
{
	clock_random(0);
}

static void empty_range_is_a_bug(void **state)
{
	(void)state;
	assert_true(aborts(ask_for_a_number_below_zero));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wall_time_is_the_time_of_the_system),
		cmocka_unit_test(others_are_believed_when_they_are_far_apart),
		cmocka_unit_test(monotonic_time_never_goes_back),
		cmocka_unit_test(random_numbers_fill_their_range_and_do_not_leave_it),
		cmocka_unit_test(empty_range_is_a_bug),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
