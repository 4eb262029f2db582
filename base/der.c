/* DER in place. */
#include "base/der.h"

#include <string.h>
#include <time.h>

enum {
	HIGH_TAG_NUMBER = 0x1f, /* the tag number follows in further octets */
	LONG_FORM = 0x80,
	LENGTH_OCTETS_MAX = 4, /* 4 GiB: more than anything that is read here */
};

static void skip(struct der *in, size_t len)
{
	in->bytes += len;
	in->len -= len;
}

/* Takes the length octets. false: broken, not the shortest form, or more than is left. */
static bool take_length(struct der *in, size_t *ret_len)
{
	if (in->len == 0)
		return false;
	size_t len = in->bytes[0];
	size_t octets = 1;
	if (len >= LONG_FORM) {
		size_t count = len - LONG_FORM;
		if (count == 0 || count > LENGTH_OCTETS_MAX || count > in->len - 1)
			return false;
		len = 0;
		for (size_t i = 1; i <= count; i++)
			len = len << 8 | in->bytes[i];
		bool is_shortest = len >= LONG_FORM && len >> (8 * (count - 1)) != 0;
		if (!is_shortest)
			return false;
		octets += count;
	}
	if (len > in->len - octets)
		return false;
	skip(in, octets);
	*ret_len = len;
	return true;
}

bool der_take(struct der *in, struct der_element *ret_element)
{
	struct der rest = *in;
	if (rest.len == 0 || (rest.bytes[0] & HIGH_TAG_NUMBER) == HIGH_TAG_NUMBER)
		return false;
	unsigned tag = rest.bytes[0];
	skip(&rest, 1);
	size_t len;
	if (!take_length(&rest, &len))
		return false;
	*ret_element = (struct der_element){
		.tag = tag,
		.content = {rest.bytes, len},
		.whole = {in->bytes, (size_t)(rest.bytes - in->bytes) + len},
	};
	skip(&rest, len);
	*in = rest;
	return true;
}

bool der_take_tag(struct der *in, unsigned tag, struct der_element *ret_element)
{
	return in->len > 0 && in->bytes[0] == tag && der_take(in, ret_element);
}

bool der_is(const struct der *der, const void *bytes, size_t len)
{
	return der->len == len && memcmp(der->bytes, bytes, len) == 0;
}

bool der_equal(const struct der *a, const struct der *b)
{
	return der_is(a, b->bytes, b->len);
}

/* Takes `count` decimal digits that make a number in [min, max]. */
static bool take_number(struct der *in, size_t count, int min, int max, int *ret_value)
{
	if (in->len < count)
		return false;
	int value = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned char c = in->bytes[i];
		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	if (value < min || value > max)
		return false;
	skip(in, count);
	*ret_value = value;
	return true;
}

static bool next_is_digit(const struct der *in)
{
	return in->len > 0 && in->bytes[0] >= '0' && in->bytes[0] <= '9';
}

/* "Z", "+0130", "-0500" and nothing behind it: seconds east of UTC. */
static bool take_offset(struct der *in, int *ret_offset_s)
{
	if (in->len == 0)
		return false;
	unsigned char sign = in->bytes[0];
	skip(in, 1);
	int hours = 0, minutes = 0;
	if (sign != 'Z' && ((sign != '+' && sign != '-') || !take_number(in, 2, 0, 14, &hours) ||
				   !take_number(in, 2, 0, 59, &minutes)))
		return false;
	int offset_s = (hours * 60 + minutes) * 60;
	*ret_offset_s = sign == '-' ? -offset_s : offset_s;
	return in->len == 0;
}

/* ".5" and the like, only in GeneralizedTime. */
static bool skip_fraction(struct der *in)
{
	if (in->len == 0 || in->bytes[0] != '.')
		return true;
	skip(in, 1);
	size_t before = in->len;
	while (next_is_digit(in))
		skip(in, 1);
	return in->len < before;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && is_leap ? 29 : days[month - 1];
}

bool der_time(const struct der_element *element, int64_t *ret_unix_s)
{
	struct der in = element->content;
	bool is_general = element->tag == DER_GENERALIZED_TIME;
	int year, month, day, hour, minute, second = 0, offset_s;
	if (is_general) {
		if (!take_number(&in, 4, 0, 9999, &year))
			return false;
	} else {
		enum { PIVOT = 50 }; /* RFC 5280 4.1.2.5.1: 50 is 1950, 49 is 2049 */
		if (element->tag != DER_UTC_TIME || !take_number(&in, 2, 0, 99, &year))
			return false;
		year += year >= PIVOT ? 1900 : 2000;
	}
	if (!take_number(&in, 2, 1, 12, &month) ||
		!take_number(&in, 2, 1, days_in_month(year, month), &day) ||
		!take_number(&in, 2, 0, 23, &hour) || !take_number(&in, 2, 0, 59, &minute))
		return false;
	if (next_is_digit(&in) && !take_number(&in, 2, 0, 59, &second))
		return false;
	if ((is_general && !skip_fraction(&in)) || !take_offset(&in, &offset_s))
		return false;

	struct tm tm = {
		.tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute,
		.tm_sec = second,
	};
	*ret_unix_s = (int64_t)timegm(&tm) - offset_s;
	return true;
}
