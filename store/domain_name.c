/* Domain names as typed to their ASCII form. */
#include "store/domain_name.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

enum {
	LABEL_MAX = 63,
	TEXT_MAX = 1024, /* a name of 253 bytes takes at most 4 times that in UTF-8 */
};

/* --- code points ----------------------------------------------------------------------------- */

/* text is valid UTF-8. */
static uint32_t next_code_point(const char **at)
{
	const unsigned char *byte = (const unsigned char *)*at;
	size_t more = byte[0] < 0x80 ? 0 : byte[0] < 0xe0 ? 1 : byte[0] < 0xf0 ? 2 : 3;
	static const unsigned char mask[] = {0x7f, 0x1f, 0x0f, 0x07};
	uint32_t point = byte[0] & mask[more];
	for (size_t i = 1; i <= more; i++)
		point = point << 6 | (byte[i] & 0x3f);
	*at += more + 1;
	return point;
}

static uint32_t lower(uint32_t point)
{
	bool is_plus_32 = (point >= 'A' && point <= 'Z') ||
			  (point >= 0xc0 && point <= 0xde && point != 0xd7) ||
			  (point >= 0x391 && point <= 0x3a9) || (point >= 0x410 && point <= 0x42f);
	if (is_plus_32)
		return point + 32;
	return point >= 0x400 && point <= 0x40f ? point + 80 : point;
}

/* --- RFC 3492 -------------------------------------------------------------------------------- */

enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72, FIRST_N = 128 };

static uint32_t adapt(uint32_t delta, uint32_t count, bool is_first)
{
	uint32_t k = 0;
	delta = is_first ? delta / DAMP : delta / 2;
	for (delta += delta / count; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static void add_number(struct buf *to, uint32_t number, uint32_t bias)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
		if (number < t)
			break;
		buf_add_char(to, digits[t + (number - t) % (BASE - t)]);
		number = (number - t) / (BASE - t);
	}
	buf_add_char(to, digits[number]);
}

/* Numbers stay far below 2^32: at most LABEL_MAX points below 0x110000. */
static void add_punycode(struct buf *to, const uint32_t *point, uint32_t count)
{
	uint32_t basic = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (point[i] < FIRST_N) {
			buf_add_char(to, (char)point[i]);
			basic++;
		}
	}
	if (basic > 0)
		buf_add_char(to, '-');
	uint32_t n = FIRST_N, delta = 0, bias = FIRST_BIAS, done = basic;
	while (done < count) {
		uint32_t next = UINT32_MAX;
		for (uint32_t i = 0; i < count; i++)
			if (point[i] >= n && point[i] < next)
				next = point[i];
		delta += (next - n) * (done + 1);
		n = next;
		for (uint32_t i = 0; i < count; i++) {
			if (point[i] < n)
				delta++;
			if (point[i] != n)
				continue;
			add_number(to, delta, bias);
			bias = adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
		delta++;
		n++;
	}
}

/* --- names ----------------------------------------------------------------------------------- */

static int add_label(struct buf *to, const uint32_t *point, uint32_t count, struct err *err)
{
	size_t begin = to->len;
	bool is_ascii = true;
	for (uint32_t i = 0; i < count; i++)
		is_ascii = is_ascii && point[i] < FIRST_N;
	if (is_ascii) {
		for (uint32_t i = 0; i < count; i++)
			buf_add_char(to, (char)point[i]);
	} else {
		buf_add_text(to, "xn--");
		add_punycode(to, point, count);
	}
	if (to->is_over)
		return err_set(err, ERR_CONFIG, "longer than %d bytes", DOMAIN_NAME_MAX);
	if (to->len == begin || to->len - begin > LABEL_MAX)
		return err_set(err, ERR_CONFIG, "a part between dots is empty or longer than %d",
			LABEL_MAX);
	return 0;
}

static int convert(const char *text, struct buf *to, struct err *err)
{
	uint32_t label[LABEL_MAX], count = 0;
	for (const char *at = text; *at != '\0';) {
		uint32_t point = lower(next_code_point(&at));
		if (point <= ' ' || point == 0x7f)
			return err_set(err, ERR_CONFIG, "a blank or control character");
		if (point == '.') {
			if (add_label(to, label, count, err) != 0)
				return -1;
			count = 0;
			if (*at != '\0')
				buf_add_char(to, '.');
		} else if (count == LABEL_MAX) {
			return err_set(err, ERR_CONFIG, "a part is longer than %d", LABEL_MAX);
		} else {
			label[count++] = point;
		}
		if (*at == '\0' && point != '.' && add_label(to, label, count, err) != 0)
			return -1;
	}
	return 0;
}

int domain_name_to_ascii(const char *text, char *ret, struct err *err)
{
	size_t len = strlen(text);
	if (len == 0 || len > TEXT_MAX || !text_is_utf8(text, len))
		return err_set(err, ERR_CONFIG,
			"not a domain name: empty, longer than %d bytes or not UTF-8",
			DOMAIN_NAME_MAX);
	struct buf name;
	buf_init(&name, DOMAIN_NAME_MAX);
	int rc = convert(text, &name, err);
	if (rc == 0)
		memcpy(ret, buf_text(&name), name.len + 1);
	else
		err_wrap(err, "not a domain name: \"%.80s\"", text);
	buf_clear(&name);
	return rc;
}

bool domain_name_is_below(const char *name, const char *suffix)
{
	size_t name_len = strlen(name), suffix_len = strlen(suffix);
	if (name_len < suffix_len || !text_equal_ci(name + name_len - suffix_len, suffix))
		return false;
	return name_len == suffix_len || name[name_len - suffix_len - 1] == '.';
}
