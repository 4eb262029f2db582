/* Checks, copies, numbers and lists; times are in text_time.c, encodings in text_encode.c. */
#include "base/text.h"

#include <string.h>

#include "base/err.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_is_digits(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return false;
	}
	return len > 0;
}

bool text_is_account_id(const char *text)
{
	enum { ACCOUNT_ID_LEN = 12 };
	return strnlen(text, ACCOUNT_ID_LEN + 1) == ACCOUNT_ID_LEN &&
	       text_is_digits(text, ACCOUNT_ID_LEN);
}

bool text_is_region(const char *text)
{
	enum { REGION_LEN_MIN = 4, REGION_LEN_MAX = 31 };
	size_t len = strnlen(text, REGION_LEN_MAX + 1);
	if (len < REGION_LEN_MIN || len > REGION_LEN_MAX || text[0] < 'a' || text[0] > 'z')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]) && text[i] != '-' && (text[i] < 'a' || text[i] > 'z'))
			return false;
	}
	const char *number = strrchr(text, '-');
	return number != NULL && text_is_digits(number + 1, strlen(number + 1));
}

bool text_has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_has_suffix(const char *text, const char *suffix)
{
	size_t text_len = strlen(text), suffix_len = strlen(suffix);
	return text_len >= suffix_len && strcmp(text + text_len - suffix_len, suffix) == 0;
}

bool text_equal_ci(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

void text_lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = lower(*text);
}

bool text_copy(char *ret, size_t size, const char *text)
{
	size_t len = strnlen(text, size);
	bool fits = len < size;
	if (!fits)
		len = size - 1;
	memcpy(ret, text, len);
	ret[len] = '\0';
	return fits;
}

void text_shorten(char *ret, size_t size, const char *text)
{
	if (text_copy(ret, size, text))
		return;
	size_t keep = size - sizeof("...");
	while (keep > 0 && ((unsigned char)text[keep] & 0xc0) == 0x80)
		keep--; /* not inside a character */
	memcpy(ret + keep, "...", sizeof("..."));
}

int text_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret_value, struct err *err)
{
	bool is_negative = text[0] == '-';
	const char *digit = is_negative ? text + 1 : text;
	bool is_number = is_digit(*digit);
	bool is_in_range = true;
	int64_t value = 0;
	for (; is_number && *digit != '\0'; digit++) {
		/* Counted downwards, because the smallest number has no positive twin. */
		is_number = is_digit(*digit);
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_sub_overflow(value, *digit - '0', &value))
			is_in_range = false;
	}
	if (!is_negative && is_in_range && __builtin_sub_overflow(0, value, &value))
		is_in_range = false;
	if (!is_number || !is_in_range || value < min || value > max)
		return err_set(err, ERR_CONFIG, "\"%.40s\" is not a whole number from %lld to %lld",
			text, (long long)min, (long long)max);
	*ret_value = value;
	return 0;
}

bool text_next_item(const char **at, const char **ret_item, size_t *ret_len)
{
	static const char blank[] = " \t\r\n";
	for (;;) {
		const char *item = *at + strspn(*at, blank);
		size_t len = strcspn(item, ",");
		if (len == 0 && *item == '\0')
			return false;
		*at = item + len + (item[len] == ',' ? 1 : 0);
		while (len > 0 && strchr(blank, item[len - 1]) != NULL)
			len--;
		if (len > 0) {
			*ret_item = item;
			*ret_len = len;
			return true;
		}
	}
}
