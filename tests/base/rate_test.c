#include "base/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const key = "111122223333/eu-west-1/ListCertificates";

static int make_table(void **state)
{
	*state = rate_table_new();
	return 0;
}

static int free_table(void **state)
{
	rate_table_free(*state);
	return 0;
}

static void one_second_worth_goes_at_once_then_at_the_rate(void **state)
{
	struct rate_table *table = *state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(rate_take(table, key, (struct rate){8, 0}, 1000), 0);
	for (int i = 1; i <= 8; i++)
		assert_int_equal(rate_take(table, key, (struct rate){8, 0}, 1000), 125 * i);
}

static void a_burst_of_its_own_goes_at_once_and_comes_back_at_the_rate(void **state)
{
	struct rate_table *table = *state;
	static const struct rate rate = {.per_second = 5, .burst = 8};
	for (int i = 0; i < 8; i++)
		assert_int_equal(rate_take(table, key, rate, 0), 0);
	assert_int_equal(rate_take(table, key, rate, 0), 200);
	rate_untake(table, key);
	for (int i = 0; i < 8; i++) /* 1.6 s fill it */
		assert_int_equal(rate_take(table, key, rate, 1600), 0);
	assert_int_equal(rate_take(table, key, rate, 1600), 200);
	for (int i = 0; i < 8; i++) /* and an hour does not fill it more */
		assert_int_equal(rate_take(table, key, rate, 3600000), 0);
	assert_int_equal(rate_take(table, key, rate, 3600000), 200);
}

static void a_throttle_makes_a_burst_smaller_too(void **state)
{
	struct rate_table *table = *state;
	static const struct rate rate = {.per_second = 1, .burst = 8};
	assert_int_equal(rate_take(table, key, rate, 0), 0);
	rate_throttled(table, key, 0);
	int at_once = 0;
	while (rate_take(table, key, rate, 1000000) == 0)
		at_once++;
	assert_int_equal(at_once, 8); /* recovered */
	rate_throttled(table, key, 2000000);
	assert_int_equal(rate_take(table, key, rate, 2000000), 2000);
}

static void rate_below_one_still_lets_one_go_at_once(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, key, (struct rate){0.1, 0}, 0), 0);
	assert_int_equal(rate_take(table, key, (struct rate){0.1, 0}, 0), 10000);
	assert_int_equal(rate_take(table, key, (struct rate){0.1, 0}, 10000), 10000);
}

static void waiting_is_never_rounded_down(void **state)
{
	struct rate_table *table = *state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(rate_take(table, key, (struct rate){3, 0}, 0), 0);
	assert_int_equal(rate_take(table, key, (struct rate){3, 0}, 0), 334);
}

static void callers_who_wait_as_told_keep_exactly_to_the_rate(void **state)
{
	struct rate_table *table = *state;
	int64_t now_ms = 5000;
	int taken = 0;
	while (now_ms < 65000) {
		now_ms += rate_take(table, key, (struct rate){7, 0}, now_ms);
		if (now_ms < 65000)
			taken++;
	}
	assert_in_range(taken, 7 * 60 - 2, 7 * 60 + 7);
}

static void tokens_do_not_pile_up_above_the_burst(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, key, (struct rate){5, 0}, 0), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(rate_take(table, key, (struct rate){5, 0}, 3600000), 0);
	assert_int_equal(rate_take(table, key, (struct rate){5, 0}, 3600000), 200);
}

static void keys_do_not_share_tokens(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, "a", (struct rate){1, 0}, 0), 0);
	assert_int_equal(rate_take(table, "b", (struct rate){1, 0}, 0), 0);
	assert_int_equal(rate_take(table, "a", (struct rate){1, 0}, 0), 1000);
	assert_int_equal(rate_table_count(table), 2);
}

static void cancelled_reservation_is_given_back(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, key, (struct rate){1, 0}, 0), 0);
	assert_int_equal(rate_take(table, key, (struct rate){1, 0}, 0), 1000);
	rate_untake(table, key);
	assert_int_equal(rate_take(table, key, (struct rate){1, 0}, 0), 1000);
}

static void giving_back_too_much_does_not_exceed_the_burst(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, key, (struct rate){2, 0}, 0), 0);
	for (int i = 0; i < 10; i++)
		rate_untake(table, key);
	assert_int_equal(rate_take(table, key, (struct rate){2, 0}, 0), 0);
	assert_int_equal(rate_take(table, key, (struct rate){2, 0}, 0), 0);
	assert_int_equal(rate_take(table, key, (struct rate){2, 0}, 0), 500);
	rate_untake(table, "never taken");
}

static void throttle_takes_the_tokens_and_halves_the_rate(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, key, (struct rate){10, 0}, 0), 0);
	rate_throttled(table, key, 0);
	assert_int_equal(rate_take(table, key, (struct rate){10, 0}, 0), 200);
	assert_int_equal(rate_take(table, key, (struct rate){10, 0}, 0), 400);
}

static void throttles_within_a_second_halve_once(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, key, (struct rate){10, 0}, 0), 0);
	for (int i = 0; i < 20; i++)
		rate_throttled(table, key, 0);
	assert_int_equal(rate_take(table, key, (struct rate){10, 0}, 0), 200);
}

static void throttles_each_second_bring_the_rate_to_a_sixteenth_and_not_below(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, key, (struct rate){16, 0}, 0), 0);
	int64_t now_ms = 0;
	for (; now_ms < 4000; now_ms += 1000)
		rate_throttled(table, key, now_ms);
	assert_int_equal(rate_take(table, key, (struct rate){16, 0}, now_ms - 1000), 1000);
	for (; now_ms < 60000; now_ms += 1000)
		rate_throttled(table, key, now_ms);
	assert_int_equal(rate_take(table, key, (struct rate){16, 0}, now_ms - 1000), 1000);
}

static void rate_recovers_a_tenth_of_the_full_one_each_quiet_second(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, key, (struct rate){100, 0}, 0), 0);
	rate_throttled(table, key, 0);
	assert_int_equal(rate_take(table, key, (struct rate){100, 0}, 0), 20);
	rate_untake(table, key);
	/* A quiet second at 0.5, which fills the burst of 50; then one from 0.5 to 0.6. */
	for (int i = 0; i < 50; i++)
		assert_int_equal(rate_take(table, key, (struct rate){100, 0}, 1000), 0);
	for (int i = 0; i < 55; i++)
		assert_int_equal(rate_take(table, key, (struct rate){100, 0}, 2000), 0);
	assert_int_equal(rate_take(table, key, (struct rate){100, 0}, 2000), 17);
}

static void rate_is_full_again_after_enough_quiet_seconds(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, key, (struct rate){100, 0}, 0), 0);
	rate_throttled(table, key, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(rate_take(table, key, (struct rate){100, 0}, 60000), 0);
	assert_int_equal(rate_take(table, key, (struct rate){100, 0}, 60000), 10);
}

static void throttle_of_an_unknown_key_is_ignored(void **state)
{
	struct rate_table *table = *state;
	rate_throttled(table, key, 0);
	assert_int_equal(rate_table_count(table), 0);
}

static void changed_rate_holds_from_the_next_take(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, key, (struct rate){1, 0}, 0), 0);
	assert_int_equal(rate_take(table, key, (struct rate){10, 0}, 0), 100);
}

static void time_that_runs_backwards_gives_no_tokens(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, key, (struct rate){1, 0}, 5000), 0);
	assert_int_equal(rate_take(table, key, (struct rate){1, 0}, 1000), 1000);
	assert_int_equal(rate_take(table, key, (struct rate){1, 0}, 5000), 2000);
}

static void full_buckets_make_room_first(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, "busy", (struct rate){0.001, 0}, 0), 0);
	char text[RATE_KEY_MAX];
	for (int i = 1; i < RATE_BUCKETS_MAX; i++) {
		snprintf(text, sizeof(text), "%012d/us-east-1/ListCertificates", i);
		assert_int_equal(rate_take(table, text, (struct rate){10, 0}, 0), 0);
	}
	assert_int_equal(rate_table_count(table), RATE_BUCKETS_MAX);
	assert_int_equal(rate_take(table, "new", (struct rate){10, 0}, 2000), 0);
	assert_int_equal(rate_table_count(table), 2);
	assert_true(rate_take(table, "busy", (struct rate){0.001, 0}, 2000) > 900000);
}

static void when_no_bucket_is_full_the_longest_unused_one_goes(void **state)
{
	struct rate_table *table = *state;
	assert_int_equal(rate_take(table, "old", (struct rate){1, 0}, 0), 0);
	char text[RATE_KEY_MAX];
	for (int i = 1; i < RATE_BUCKETS_MAX; i++) {
		snprintf(text, sizeof(text), "key %d", i);
		assert_int_equal(rate_take(table, text, (struct rate){1, 0}, 10), 0);
	}
	assert_int_equal(rate_take(table, "new", (struct rate){1, 0}, 20), 0);
	assert_int_equal(rate_table_count(table), RATE_BUCKETS_MAX);
	assert_true(rate_take(table, "key 1", (struct rate){1, 0}, 20) > 0);
	assert_int_equal(rate_take(table, "old", (struct rate){1, 0}, 20), 0);
}

static void full_buckets_can_be_forgotten_and_no_others(void **state)
{
	rate_table_free(NULL);
	struct rate_table *table = *state;
	for (int i = 0; i < 3; i++)
		(void)rate_take(table, "busy", (struct rate){1, 0}, 0);
	(void)rate_take(table, "quiet", (struct rate){1, 0}, 0);
	rate_forget_full(table, 1500);
	assert_int_equal(rate_table_count(table), 1);
	assert_int_equal(rate_take(table, "quiet", (struct rate){1, 0}, 1500), 0);
	assert_true(rate_take(table, "busy", (struct rate){1, 0}, 1500) > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_table, free_table)
	const struct CMUnitTest tests[] = {
		TEST(one_second_worth_goes_at_once_then_at_the_rate),
		TEST(a_burst_of_its_own_goes_at_once_and_comes_back_at_the_rate),
		TEST(a_throttle_makes_a_burst_smaller_too),
		TEST(rate_below_one_still_lets_one_go_at_once),
		TEST(waiting_is_never_rounded_down),
		TEST(callers_who_wait_as_told_keep_exactly_to_the_rate),
		TEST(tokens_do_not_pile_up_above_the_burst),
		TEST(keys_do_not_share_tokens),
		TEST(cancelled_reservation_is_given_back),
		TEST(giving_back_too_much_does_not_exceed_the_burst),
		TEST(throttle_takes_the_tokens_and_halves_the_rate),
		TEST(throttles_within_a_second_halve_once),
		TEST(throttles_each_second_bring_the_rate_to_a_sixteenth_and_not_below),
		TEST(rate_recovers_a_tenth_of_the_full_one_each_quiet_second),
		TEST(rate_is_full_again_after_enough_quiet_seconds),
		TEST(throttle_of_an_unknown_key_is_ignored),
		TEST(changed_rate_holds_from_the_next_take),
		TEST(time_that_runs_backwards_gives_no_tokens),
		TEST(full_buckets_make_room_first),
		TEST(full_buckets_can_be_forgotten_and_no_others),
		TEST(when_no_bucket_is_full_the_longest_unused_one_goes),
	};
	return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
