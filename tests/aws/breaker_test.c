#include "aws/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static bool connect_fails(struct breaker *breaker, int64_t now_ms)
{
	return breaker_failed(breaker, "connection refused", now_ms);
}

static struct breaker opened_at(int64_t now_ms)
{
	struct breaker breaker = {.failures = 0};
	assert_false(connect_fails(&breaker, now_ms));
	assert_false(connect_fails(&breaker, now_ms));
	assert_true(connect_fails(&breaker, now_ms));
	return breaker;
}

static void three_connect_failures_in_a_row_open_it(void **state)
{
	(void)state;
	struct breaker breaker = opened_at(1000);
	assert_true(breaker.is_open);
	assert_false(breaker_admits(&breaker, 1000));
}

static void an_answer_in_between_starts_the_count_again(void **state)
{
	(void)state;
	struct breaker breaker = {.failures = 0};
	for (int i = 0; i < 10; i++) {
		assert_false(connect_fails(&breaker, 0));
		assert_false(connect_fails(&breaker, 0));
		breaker_answered(&breaker);
	}
	assert_true(breaker_admits(&breaker, 0));
}

enum { PATIENCE_MS = 20000 };

static bool is_silent(struct breaker *breaker, int64_t now_ms)
{
	return breaker_silent(breaker, "no answer", PATIENCE_MS, now_ms);
}

static void long_silence_of_many_opens_it(void **state)
{
	(void)state;
	struct breaker breaker = {.failures = 0};
	for (int i = 0; i < 16; i++)
		assert_false(is_silent(&breaker, 20000)); /* all that were under way */
	for (int i = 0; i < 16; i++)
		assert_false(is_silent(&breaker, 40000));
	assert_true(is_silent(&breaker, 60000));
	assert_false(breaker_admits(&breaker, 60001));
}

static void few_silences_or_an_answer_between_them_do_not(void **state)
{
	(void)state;
	struct breaker breaker = {.failures = 0};
	for (int i = 1; i <= 7; i++)
		assert_false(is_silent(&breaker, i * INT64_C(20000)));
	breaker_answered(&breaker);
	for (int i = 8; i <= 14; i++)
		assert_false(is_silent(&breaker, i * INT64_C(20000)));
	assert_true(is_silent(&breaker, 300000));
}

static void one_probe_a_minute_goes_through(void **state)
{
	(void)state;
	struct breaker breaker = opened_at(1000);
	assert_false(breaker_admits(&breaker, 60999));
	assert_true(breaker_admits(&breaker, 61000));
	assert_false(breaker_admits(&breaker, 61000));
	assert_false(connect_fails(&breaker, 66000)); /* the probe's: it was open already */
	assert_false(breaker_admits(&breaker, 120999));
	assert_true(breaker_admits(&breaker, 121000));
}

static void an_answer_closes_it(void **state)
{
	(void)state;
	struct breaker breaker = opened_at(0);
	breaker_answered(&breaker);
	assert_true(breaker_admits(&breaker, 1));
	assert_false(connect_fails(&breaker, 1));
	assert_false(breaker.is_open);
}

static void refusal_names_host_and_reason(void **state)
{
	(void)state;
	struct breaker breaker = opened_at(0);
	struct err err = ERR_INIT;
	assert_int_equal(breaker_refuse(&breaker, "acm.eu-west-1.amazonaws.com", &err), -1);
	assert_int_equal(err.kind, ERR_UNREACHABLE);
	assert_string_equal(err.code, "breaker");
	assert_string_equal(err.text,
		"acm.eu-west-1.amazonaws.com could not be reached before (connection refused) and "
		"is asked only once a minute");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_connect_failures_in_a_row_open_it),
		cmocka_unit_test(an_answer_in_between_starts_the_count_again),
		cmocka_unit_test(long_silence_of_many_opens_it),
		cmocka_unit_test(few_silences_or_an_answer_between_them_do_not),
		cmocka_unit_test(one_probe_a_minute_goes_through),
		cmocka_unit_test(an_answer_closes_it),
		cmocka_unit_test(refusal_names_host_and_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
