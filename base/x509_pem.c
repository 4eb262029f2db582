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

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	switch (c) {
	case '+':
		return 62;
	case '/':
		return 63;
	case '=':
		return PADDING;
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return BLANK;
	default:
		return NOT_BASE64;
	}
}

/*
 * Decodes from at up to the first '-'. Blanks and line ends may stand anywhere; padding must be
 * right and nothing may follow it. der: X509_DER_MAX bytes. Returns where it stopped, NULL with
 * err.
 */
static const char *decode(
	const char *at, const char *end, unsigned char *der, size_t *ret_len, struct err *err)
{
	uint32_t bits = 0;
	size_t digits = 0, padding = 0, len = 0;
	for (; at < end && *at != '-'; at++) {
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
	unsigned char *der = xmalloc(X509_DER_MAX);
	size_t len;
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
