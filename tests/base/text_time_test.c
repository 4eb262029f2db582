/* The calendar is checked against the C library's over all years that text can name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/text.h"

static const int64_t year_1_s = -62135596800, year_10000_s = 253402300800;

static int64_t parsed(const char *text)
{
	struct err err = ERR_INIT;
	int64_t unix_s = INT64_MIN;
	if (text_parse_time(text, &unix_s, &err) != 0)
		fail_msg("%s", err.text);
	return unix_s;
}

static void formats_and_parses_every_day_as_the_system_does(void **state)
{
	(void)state;
	enum { STEP_S = 3 * 86400 + 3723 }; /* all days of all months, all times of day */
	for (int64_t unix_s = year_1_s; unix_s < year_10000_s; unix_s += STEP_S) {
		time_t time = unix_s;
		struct tm tm;
		gmtime_r(&time, &tm);
		char expected[64], text[TEXT_TIME_MAX];
		snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02dZ",
			tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			tm.tm_sec);
		if (strcmp(text_format_time(unix_s, text), expected) != 0)
			fail_msg("%s is not %s", text, expected);
		if (parsed(text) != unix_s)
			fail_msg("%s parsed wrongly", text);
	}
}

static void ends_of_the_range(void **state)
{
	(void)state;
	char text[TEXT_TIME_MAX];
	assert_string_equal(text_format_time(0, text), "1970-01-01T00:00:00Z");
	assert_string_equal(text_format_time(-1, text), "1969-12-31T23:59:59Z");
	assert_string_equal(text_format_time(year_1_s, text), "0001-01-01T00:00:00Z");
	assert_string_equal(text_format_time(year_10000_s - 1, text), "9999-12-31T23:59:59Z");
	assert_string_equal(text_format_time(year_10000_s, text), "10000-01-01T00:00:00Z");
	assert_string_equal(text_format_time(INT64_MAX, text), "292277026596-12-04T15:30:07Z");
	assert_string_equal(text_format_time(INT64_MIN, text), "-292277022657-01-27T08:29:52Z");
}

static void time_may_have_fraction_offset_and_small_letters(void **state)
{
	(void)state;
	assert_int_equal(parsed("2026-09-01T13:00:00Z"), 1788267600);
	assert_int_equal(parsed("2026-09-01t13:00:00z"), 1788267600);
	assert_int_equal(parsed("2026-09-01T13:00:00.999999999Z"), 1788267600);
	assert_int_equal(parsed("2026-09-01T15:30:00+02:30"), 1788267600);
	assert_int_equal(parsed("2026-09-01T05:00:00-08:00"), 1788267600);
	assert_int_equal(parsed("2026-09-01T13:00:00.5-00:00"), 1788267600);
	assert_int_equal(parsed("2026-09-01"), 1788220800);
	assert_int_equal(parsed("2024-02-29"), 1709164800);
	assert_int_equal(parsed("2000-02-29"), 951782400);
	assert_int_equal(parsed("2016-12-31T23:59:60Z"), 1483228800); /* a leap second */
}

static void what_is_no_time_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "2026", "2026-09", "2026-9-01", "26-09-01",
		"2026-00-01", "2026-13-01", "2026-09-00", "2026-09-31", "2025-02-29", "1900-02-29",
		"0000-01-01", "2026-09-01T", "2026-09-01T13:00Z", "2026-09-01T13:00:00",
		"2026-09-01 13:00:00Z", "2026-09-01T24:00:00Z", "2026-09-01T13:60:00Z",
		"2026-09-01T13:00:61Z", "2026-09-01T13:00:00.Z", "2026-09-01T13:00:00,5Z",
		"2026-09-01T13:00:00+2:00", "2026-09-01T13:00:00+0200", "2026-09-01T13:00:00+24:00",
		"2026-09-01T13:00:00+02:60", "2026-09-01T13:00:00ZZ", "2026-09-01Z", " 2026-09-01",
		"2026-09-01 ", "+2026-09-01", "2026/09/01"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = ERR_INIT;
		int64_t unix_s = 77;
		if (text_parse_time(wrong[i], &unix_s, &err) != -1)
			fail_msg("\"%s\" passed", wrong[i]);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_int_equal(unix_s, 77);
	}
}

static void time_cut_at_any_byte_is_refused(void **state)
{
	(void)state;
	static const char whole[] = "2026-09-01T13:00:00.25+02:00";
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		char cut[sizeof(whole)];
		memcpy(cut, whole, len);
		cut[len] = '\0';
		struct err err = ERR_INIT;
		int64_t unix_s = 77;
		bool is_date = len == strlen("2026-09-01");
		assert_int_equal(text_parse_time(cut, &unix_s, &err), is_date ? 0 : -1);
	}
}

static void http_date_is_the_fixed_form_only(void **state)
{
	(void)state;
	int64_t unix_s = 0;
	assert_true(text_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", &unix_s));
	assert_int_equal(unix_s, 784111777);
	static const char *const wrong[] = {"", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37",
		"06 Nov 1994 08:49:37 GMT", "Sun, 06 Xyz 1994 08:49:37 GMT",
		"Sun, 06 Nov 0000 08:49:37 GMT"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		unix_s = 77;
		if (text_parse_http_date(wrong[i], &unix_s))
			fail_msg("\"%s\" passed", wrong[i]);
		assert_int_equal(unix_s, 77);
	}
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	for (int month = 1; month <= 12; month++) {
		char date[64], same[64];
		snprintf(date, sizeof(date), "Mon, 15 %s 2026 01:02:03 GMT", months[month - 1]);
		snprintf(same, sizeof(same), "2026-%02d-15T01:02:03Z", month);
		assert_true(text_parse_http_date(date, &unix_s));
		assert_int_equal(unix_s, parsed(same));
	}
}

static void http_date_cut_at_any_byte_is_refused(void **state)
{
	(void)state;
	static const char whole[] = "Sun, 06 Nov 1994 08:49:37 GMT";
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		char cut[sizeof(whole)];
		memcpy(cut, whole, len);
		cut[len] = '\0';
		int64_t unix_s = 0;
		assert_false(text_parse_http_date(cut, &unix_s));
	}
}

static void duration_has_one_unit(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t seconds;
	} right[] = {{"0", 0}, {"90", 90}, {"90s", 90}, {"15m", 900}, {"24h", 86400},
		{"7d", 604800}, {"2w", 1209600}, {"007d", 604800},
		{"9223372036854775807", INT64_MAX}};
	struct err err = ERR_INIT;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		int64_t seconds = -1;
		assert_int_equal(text_parse_duration(right[i].text, &seconds, &err), 0);
		assert_true(seconds == right[i].seconds);
	}
	static const char *const wrong[] = {"", "s", "-1s", "+1s", "1 h", " 1h", "1h ", "1H",
		"1h30m", "1.5h", "1y", "1ms", "9223372036854775808", "9223372036854775807m",
		"99999999999999999999999999w"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int64_t seconds = 77;
		if (text_parse_duration(wrong[i], &seconds, &err) != -1)
			fail_msg("\"%s\" passed", wrong[i]);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_int_equal(seconds, 77);
	}
}

static void duration_shows_two_units_at_most(void **state)
{
	(void)state;
	static const struct {
		int64_t seconds;
		const char *text;
	} known[] = {{0, "0s"}, {59, "59s"}, {60, "1m"}, {61, "1m 1s"}, {3599, "59m 59s"},
		{3600, "1h"}, {3661, "1h 1m"}, {86399, "23h 59m"}, {86400, "1d"}, {86401, "1d"},
		{90000, "1d 1h"}, {7772399, "89d 22h"}, {-90, "-1m 30s"},
		{INT64_MAX, "106751991167300d 15h"}, {INT64_MIN, "-106751991167300d 15h"}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char text[TEXT_DURATION_MAX];
		assert_string_equal(text_format_duration(known[i].seconds, text), known[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_and_parses_every_day_as_the_system_does),
		cmocka_unit_test(ends_of_the_range),
		cmocka_unit_test(time_may_have_fraction_offset_and_small_letters),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(time_cut_at_any_byte_is_refused),
		cmocka_unit_test(http_date_is_the_fixed_form_only),
		cmocka_unit_test(http_date_cut_at_any_byte_is_refused),
		cmocka_unit_test(duration_has_one_unit),
		cmocka_unit_test(duration_shows_two_units_at_most),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
