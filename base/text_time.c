/*
 * Times and durations as text. The calendar is computed here rather than with gmtime and timegm:
 * the inventory formats some hundred thousand times per listing, and neither locale nor TZ may
 * have a say. Days are counted in eras of 400 years that begin on 1 March, so that the leap day
 * comes last and the length of a month follows from one formula.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

enum {
	DAYS_PER_ERA = 146097,
	YEARS_PER_ERA = 400,
	DAYS_FROM_0000_03_01 = 719468, /* to 1970-01-01 */
	DAY_S = 86400,
};

struct civil {
	int64_t year;
	int month, day, hour, minute, second; /* month and day from 1 */
};

static int64_t floor_div(int64_t value, int64_t by)
{
	return value / by - (value % by < 0 ? 1 : 0);
}

static int64_t seconds_from_civil(const struct civil *civil)
{
	int64_t year = civil->month <= 2 ? civil->year - 1 : civil->year;
	int month_from_march = (civil->month + 9) % 12;
	int64_t era = floor_div(year, YEARS_PER_ERA);
	int64_t year_of_era = year - era * YEARS_PER_ERA;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + civil->day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	int64_t days = era * DAYS_PER_ERA + day_of_era - DAYS_FROM_0000_03_01;
	return days * DAY_S + civil->hour * 3600 + civil->minute * 60 + civil->second;
}

static struct civil civil_from_seconds(int64_t unix_s)
{
	int64_t days = floor_div(unix_s, DAY_S);
	int second_of_day = (int)((unix_s % DAY_S + DAY_S) % DAY_S);
	days += DAYS_FROM_0000_03_01;
	int64_t era = floor_div(days, DAYS_PER_ERA);
	int day_of_era = (int)(days - era * DAYS_PER_ERA);
	int year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
	int month_from_march = (5 * day_of_year + 2) / 153;
	int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	return (struct civil){
		.year = era * YEARS_PER_ERA + year_of_era + (month <= 2 ? 1 : 0),
		.month = month,
		.day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
		.hour = second_of_day / 3600,
		.minute = second_of_day / 60 % 60,
		.second = second_of_day % 60,
	};
}

static bool civil_is_valid(const struct civil *civil)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (civil->year < 1 || civil->month < 1 || civil->month > 12)
		return false;
	bool is_leap = civil->year % 4 == 0 && (civil->year % 100 != 0 || civil->year % 400 == 0);
	int days = month_days[civil->month - 1] + (civil->month == 2 && is_leap ? 1 : 0);
	/* A leap second is the first second of the next minute: Unix time has no other place. */
	return civil->day >= 1 && civil->day <= days && civil->hour <= 23 && civil->minute <= 59 &&
	       civil->second <= 60;
}

/* Reads exactly count digits and moves on. */
static bool take_digits(const char **at, int count, int *ret_value)
{
	if (strnlen(*at, (size_t)count) < (size_t)count || !text_is_digits(*at, (size_t)count))
		return false;
	int value = 0;
	for (int i = 0; i < count; i++)
		value = value * 10 + ((*at)[i] - '0');
	*at += count;
	*ret_value = value;
	return true;
}

static bool take_char(const char **at, const char *allowed)
{
	if (**at == '\0' || strchr(allowed, **at) == NULL)
		return false;
	(*at)++;
	return true;
}

static bool take_text(const char **at, const char *text)
{
	if (!text_has_prefix(*at, text))
		return false;
	*at += strlen(text);
	return true;
}

static bool take_clock(const char **at, struct civil *civil)
{
	return take_digits(at, 2, &civil->hour) && take_char(at, ":") &&
	       take_digits(at, 2, &civil->minute) && take_char(at, ":") &&
	       take_digits(at, 2, &civil->second);
}

/* ".123" and the like; dropped. */
static bool take_fraction(const char **at)
{
	if (!take_char(at, "."))
		return true;
	size_t digits = strspn(*at, "0123456789");
	*at += digits;
	return digits > 0;
}

/* "Z" or "+hh:mm": what the clock is ahead of UTC. */
static bool take_offset(const char **at, int *ret_offset_s)
{
	int hour = 0, minute = 0;
	bool is_behind = **at == '-';
	if (!take_char(at, "Zz")) {
		if (!take_char(at, "+-") || !take_digits(at, 2, &hour) || !take_char(at, ":") ||
			!take_digits(at, 2, &minute) || hour > 23 || minute > 59)
			return false;
	}
	*ret_offset_s = (is_behind ? -1 : 1) * (hour * 3600 + minute * 60);
	return true;
}

int text_parse_time(const char *text, int64_t *ret_unix_s, struct err *err)
{
	struct civil civil = {0};
	int year = 0, offset_s = 0;
	const char *at = text;
	bool is_time = take_digits(&at, 4, &year) && take_char(&at, "-") &&
		       take_digits(&at, 2, &civil.month) && take_char(&at, "-") &&
		       take_digits(&at, 2, &civil.day);
	if (is_time && *at != '\0')
		is_time = take_char(&at, "Tt") && take_clock(&at, &civil) && take_fraction(&at) &&
			  take_offset(&at, &offset_s);
	civil.year = year;
	if (!is_time || *at != '\0' || !civil_is_valid(&civil))
		return err_set(err, ERR_CONFIG,
			"\"%.40s\" is not a time like 2026-09-01T13:00:00Z or a date like "
			"2026-09-01",
			text);
	*ret_unix_s = seconds_from_civil(&civil) - offset_s;
	return 0;
}

static char *put_digits(char *to, int value, int count)
{
	for (int i = count - 1; i >= 0; i--) {
		to[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return to + count;
}

const char *text_format_time(int64_t unix_s, char *buffer)
{
	struct civil civil = civil_from_seconds(unix_s);
	char *to = buffer;
	if (civil.year >= 0 && civil.year <= 9999)
		to = put_digits(to, (int)civil.year, 4);
	else
		to += snprintf(to, TEXT_TIME_MAX, "%lld", (long long)civil.year);
	*to++ = '-';
	to = put_digits(to, civil.month, 2);
	*to++ = '-';
	to = put_digits(to, civil.day, 2);
	*to++ = 'T';
	to = put_digits(to, civil.hour, 2);
	*to++ = ':';
	to = put_digits(to, civil.minute, 2);
	*to++ = ':';
	to = put_digits(to, civil.second, 2);
	*to++ = 'Z';
	*to = '\0';
	return buffer;
}

bool text_parse_http_date(const char *text, int64_t *ret_unix_s)
{
	static const char *const day_name[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const month_name[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	const char *at = text;
	bool has_day_name = false;
	for (size_t i = 0; i < 7 && !has_day_name; i++)
		has_day_name = take_text(&at, day_name[i]);

	struct civil civil = {0};
	int year = 0;
	if (!has_day_name || !take_text(&at, ", ") || !take_digits(&at, 2, &civil.day) ||
		!take_char(&at, " "))
		return false;
	for (int i = 0; i < 12 && civil.month == 0; i++) {
		if (take_text(&at, month_name[i]))
			civil.month = i + 1;
	}
	if (!take_char(&at, " ") || !take_digits(&at, 4, &year) || !take_char(&at, " ") ||
		!take_clock(&at, &civil) || strcmp(at, " GMT") != 0)
		return false;
	civil.year = year;
	if (!civil_is_valid(&civil))
		return false;
	*ret_unix_s = seconds_from_civil(&civil);
	return true;
}

int text_parse_duration(const char *text, int64_t *ret_seconds, struct err *err)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} unit[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", DAY_S}, {"w", 7 * DAY_S}};

	int64_t value = 0;
	bool is_duration = text[0] >= '0' && text[0] <= '9';
	const char *at = text;
	for (; *at >= '0' && *at <= '9'; at++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *at - '0', &value))
			is_duration = false;
	}
	for (size_t i = 0; is_duration && i < sizeof(unit) / sizeof(unit[0]); i++) {
		if (strcmp(at, unit[i].name) == 0 &&
			!__builtin_mul_overflow(value, unit[i].seconds, &value)) {
			*ret_seconds = value;
			return 0;
		}
	}
	return err_set(
		err, ERR_CONFIG, "\"%.40s\" is not a duration like 90s, 15m, 24h, 7d or 2w", text);
}

const char *text_format_duration(int64_t seconds, char *buffer)
{
	static const struct {
		char name;
		uint64_t seconds;
	} unit[] = {{'d', DAY_S}, {'h', 3600}, {'m', 60}, {'s', 1}};

	const char *sign = seconds < 0 ? "-" : "";
	uint64_t left = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
	size_t first = 0;
	while (first < 3 && left < unit[first].seconds)
		first++;
	uint64_t whole = left / unit[first].seconds;
	unsigned rest = 0; /* in the next smaller unit: 59 at most */
	if (first < 3)
		rest = (unsigned)(left % unit[first].seconds / unit[first + 1].seconds) % 60;
	if (rest > 0)
		snprintf(buffer, TEXT_DURATION_MAX, "%s%llu%c %u%c", sign,
			(unsigned long long)whole, unit[first].name, rest, unit[first + 1].name);
	else
		snprintf(buffer, TEXT_DURATION_MAX, "%s%llu%c", sign, (unsigned long long)whole,
			unit[first].name);
	return buffer;
}
