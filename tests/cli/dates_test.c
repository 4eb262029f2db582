/* Times as a person reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/dates.h"

enum { NOW_S = 1795219200, MINUTE = 60, HOUR = 3600, DAY = 86400 };

static void is_relative(int64_t distance_s, const char *expected)
{
	char text[DATES_TEXT_MAX];
	assert_string_equal(dates_relative(NOW_S + distance_s, NOW_S, text), expected);
}

static void relative_times_have_one_unit_rounded_down(void **state)
{
	(void)state;
	is_relative(0, "now");
	is_relative(1, "in 1 s");
	is_relative(-59, "59 s ago");
	is_relative(MINUTE, "in 1 min");
	is_relative(2 * HOUR - 1, "in 119 min");
	is_relative(2 * HOUR, "in 2 hours");
	is_relative(-(2 * DAY - 1), "47 hours ago");
	is_relative(2 * DAY, "in 2 days");
	is_relative(13 * DAY - 1, "in 12 days");
	is_relative(2 * 365 * DAY - 1, "in 729 days");
	is_relative(2LL * 365 * DAY, "in 2 years");
}

static void times_at_the_ends_of_the_scale_are_shown(void **state)
{
	(void)state;
	char text[2 * DATES_TEXT_MAX];
	dates_relative(253402300799, 0, text);
	assert_string_equal(text, "in 8035 years");
	assert_string_equal(dates_day(253402300799, text), "9999-12-31");
	assert_string_equal(dates_day(-1, text), "1969-12-31");
}

static void absolute_times_are_utc(void **state)
{
	(void)state;
	char text[2 * DATES_TEXT_MAX];
	assert_string_equal(dates_day(NOW_S, text), "2026-11-21");
	assert_string_equal(dates_time(NOW_S + 3, text), "2026-11-21 00:00:03Z");
	assert_string_equal(
		dates_both(NOW_S + 12 * DAY, NOW_S, text), "in 12 days (2026-12-03 00:00:00Z)");
	assert_string_equal(dates_both(0, NOW_S, text), "never");
}

static void no_time_is_not_1970(void **state)
{
	(void)state;
	char text[2 * DATES_TEXT_MAX];
	assert_string_equal(dates_relative(0, NOW_S, text), "-");
	assert_string_equal(dates_day(0, text), "-");
	assert_string_equal(dates_time(0, text), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relative_times_have_one_unit_rounded_down),
		cmocka_unit_test(times_at_the_ends_of_the_scale_are_shown),
		cmocka_unit_test(absolute_times_are_utc),
		cmocka_unit_test(no_time_is_not_1970),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
