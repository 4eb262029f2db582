/* PEM text of certificates, both ways. source: RFC 7468 sections 2, 3 and 5. */
#include "base/x509.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

static const char begin_mark[] = "-----BEGIN ";
static const char begin_line[] = "-----BEGIN CERTIFICATE-----";
static const char end_line[] = "-----END CERTIFICATE-----";

enum {
	NOT_BASE64 = -1,
	BLANK = -2,
	PADDING = -3,
};

static bool starts_with(const char *at, const char *end, const char *text)
{
	size_t len = strlen(text);
	return (size_t)(end - at) >= len && memcmp(at, text, len) == 0;
}

/* Of an ASCII character: its value as a digit, or one of the above. */
/* clang-format off */
static const signed char value_of[128] = {
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -2, -2, -1, -1, -2, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, -1, -1, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -3, -1, -1,
	-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, -1,
	-1, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, -1, -1, -1, -1, -1,
};
/* clang-format on */

static int base64_value(char c)
{
	unsigned char byte = (unsigned char)c;
	return byte < sizeof(value_of) ? value_of[byte] : NOT_BASE64;
}

/* Groups of four digits as long as nothing else comes: all but the line ends of a certificate. */
static const char *decode_groups(const char *at, const char *end, unsigned char *der, size_t *len)
{
	for (; end - at >= 4 && *len + 3 <= X509_DER_MAX; at += 4) {
		int a = base64_value(at[0]), b = base64_value(at[1]), c = base64_value(at[2]),
		    d = base64_value(at[3]);
		if (a < 0 || b < 0 || c < 0 || d < 0)
			break;
		der[(*len)++] = (unsigned char)(a << 2 | b >> 4);
		der[(*len)++] = (unsigned char)((b & 15) << 4 | c >> 2);
		der[(*len)++] = (unsigned char)((c & 3) << 6 | d);
	}
	return at;
}

/*
 * Decodes from at up to the first '-'. Blanks and line ends may stand anywhere; padding must be
 * right and nothing may follow it. der: room for what so much text can hold, X509_DER_MAX bytes at
 * most. Returns where it stopped, NULL with err.
 */
static const char *decode(
	const char *at, const char *end, unsigned char *der, size_t *ret_len, struct err *err)
{
	uint32_t bits = 0;
	size_t digits = 0, padding = 0, len = 0;
	for (; at < end && *at != '-'; at++) {
		if (digits % 4 == 0 && padding == 0)
			at = decode_groups(at, end, der, &len);
		if (at == end || *at == '-')
			break;
		int value = base64_value(*at);
		if (value == BLANK)
			continue;
		if (value == PADDING) {
			padding++;
			continue;
		}
		if (value == NOT_BASE64 || padding > 0) {
			err_set(err, ERR_PROTOCOL, "broken base64 in a PEM certificate");
			return NULL;
		}
		bits = bits << 6 | (uint32_t)value;
		digits++;
		if (digits % 4 == 1)
			continue; /* six bits: not an octet yet */
		if (len == X509_DER_MAX) {
			err_set(err, ERR_LIMIT, "a PEM certificate of more than %d bytes",
				X509_DER_MAX);
			return NULL;
		}
		der[len++] = (unsigned char)(bits >> (6 - 2 * ((digits - 1) % 4)));
	}
	if ((digits + padding) % 4 != 0 || padding > 2) {
		err_set(err, ERR_PROTOCOL, "broken base64 in a PEM certificate");
		return NULL;
	}
	*ret_len = len;
	return at;
}

/* The next "-----BEGIN CERTIFICATE-----" at the start of a line; NULL: none. */
static const char *find_begin(const char *at, const char *end)
{
	const char *start = at;
	while ((at = memmem(at, (size_t)(end - at), begin_mark, strlen(begin_mark))) != NULL) {
		bool is_line_start = at == start || at[-1] == '\n';
		if (is_line_start && starts_with(at, end, begin_line))
			return at;
		at++;
	}
	return NULL;
}

int x509_pem_next(
	const char **at, const char *end, unsigned char **ret_der, size_t *ret_len, struct err *err)
{
	const char *begin = find_begin(*at, end);
	if (begin == NULL) {
		*at = end;
		return 0;
	}
	size_t len, most = (size_t)(end - begin) / 4 * 3 + 3;
	unsigned char *der = xmalloc(most < X509_DER_MAX ? most : X509_DER_MAX);
	const char *stop = decode(begin + strlen(begin_line), end, der, &len, err);
	if (stop != NULL && !starts_with(stop, end, end_line)) {
		err_set(err, ERR_PROTOCOL, "a PEM certificate has no END line");
		stop = NULL;
	}
	if (stop == NULL) {
		free(der);
		return -1;
	}
	*at = stop + strlen(end_line);
	*ret_der = xreallocarray(der, len > 0 ? len : 1, 1);
	*ret_len = len;
	return 1;
}

void x509_pem_add(struct buf *to, const unsigned char *der, size_t len)
{
	enum { LINE_BYTES = 48, LINE_COLUMNS = 64 };
	buf_add_text(to, begin_line);
	buf_add_char(to, '\n');
	for (size_t at = 0; at < len; at += LINE_BYTES) {
		unsigned char line[LINE_COLUMNS + 1];
		size_t take = len - at < LINE_BYTES ? len - at : LINE_BYTES;
		int columns = EVP_EncodeBlock(line, der + at, (int)take);
		buf_add(to, line, (size_t)columns);
		buf_add_char(to, '\n');
	}
	buf_add_text(to, end_line);
	buf_add_char(to, '\n');
}
