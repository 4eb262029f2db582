/* DER elements and the parts of a certificate; signing is in sign.c. */
#include "tests/awssim/der.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TAG_BOOLEAN = 0x01,
	TAG_INTEGER = 0x02,
	TAG_BIT_STRING = 0x03,
	TAG_OCTET_STRING = 0x04,
	TAG_NULL = 0x05,
	TAG_OID = 0x06,
	TAG_UTF8 = 0x0c,
	TAG_PRINTABLE = 0x13,
	TAG_UTC_TIME = 0x17,
	TAG_GENERALIZED_TIME = 0x18,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
	TAG_CONTEXT = 0x80,
	TAG_CONTEXT_CONSTRUCTED = 0xa0,
};

static size_t open_element(struct out *out, unsigned tag)
{
	out_bytes(out, (char[]){(char)tag, 0}, 2);
	return out->len;
}

/* Writes the length that open_element left room for; long forms move the content. */
static void close_element(struct out *out, size_t start)
{
	size_t len = out->len - start;
	unsigned char *at = (unsigned char *)out->data + start;
	if (len < 0x80) {
		at[-1] = (unsigned char)len;
		return;
	}
	size_t extra = len < 0x100 ? 1 : 2;
	if (len > 0xffff)
		abort();
	out_bytes(out, "\0\0", extra);
	at = (unsigned char *)out->data + start;
	memmove(at + extra, at, len);
	at[-1] = (unsigned char)(0x80 + extra);
	at[0] = (unsigned char)(extra == 1 ? len : len >> 8);
	if (extra == 2)
		at[1] = (unsigned char)len;
}

static void element(struct out *out, unsigned tag, const void *bytes, size_t len)
{
	size_t at = open_element(out, tag);
	out_bytes(out, bytes, len);
	close_element(out, at);
}

static void add_oid(struct out *out, const char *dotted)
{
	size_t at = open_element(out, TAG_OID);
	char *next;
	unsigned long first = strtoul(dotted, &next, 10), second = strtoul(next + 1, &next, 10);
	out_char(out, (char)(first * 40 + second));
	while (*next == '.') {
		unsigned long arc = strtoul(next + 1, &next, 10);
		unsigned char digit[10];
		size_t count = 0;
		do {
			digit[count++] = (unsigned char)(arc & 0x7f);
			arc >>= 7;
		} while (arc > 0);
		while (count-- > 0)
			out_char(out, (char)(digit[count] | (count > 0 ? 0x80 : 0)));
	}
	close_element(out, at);
}

/* An unsigned big-endian number: leading zeros dropped, one put where the top bit is set. */
static void add_integer(struct out *out, const unsigned char *bytes, size_t len)
{
	while (len > 1 && bytes[0] == 0) {
		bytes++;
		len--;
	}
	size_t at = open_element(out, TAG_INTEGER);
	if (bytes[0] >= 0x80)
		out_char(out, 0);
	out_bytes(out, bytes, len);
	close_element(out, at);
}

static void add_algorithm(struct out *out, enum signature_algorithm algorithm)
{
	static const char *const oid[] = {
		"1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.10045.4.3.2"};
	size_t at = open_element(out, TAG_SEQUENCE);
	add_oid(out, oid[algorithm]);
	if (algorithm != SHA256_WITH_ECDSA)
		element(out, TAG_NULL, "", 0);
	close_element(out, at);
}

static void add_name_part(struct out *out, const char *oid, unsigned tag, const char *text)
{
	if (text == NULL)
		return;
	size_t set = open_element(out, TAG_SET), pair = open_element(out, TAG_SEQUENCE);
	add_oid(out, oid);
	element(out, tag, text, strlen(text));
	close_element(out, pair);
	close_element(out, set);
}

static void add_name(struct out *out, const struct dn *dn)
{
	size_t at = open_element(out, TAG_SEQUENCE);
	add_name_part(out, "2.5.4.6", TAG_PRINTABLE, dn->country);
	add_name_part(out, "2.5.4.7", TAG_UTF8, dn->locality);
	add_name_part(out, "2.5.4.10", TAG_UTF8, dn->organization);
	add_name_part(out, "2.5.4.11", TAG_UTF8, dn->unit);
	add_name_part(out, "2.5.4.3", TAG_UTF8, dn->common_name);
	close_element(out, at);
}

/* RFC 5280 4.1.2.5: two-digit years until 2049. */
static void add_time(struct out *out, int64_t time_s)
{
	char amz[TIME_TEXT_MAX], text[24];
	time_format_amz(time_s, amz);
	snprintf(text, sizeof(text), "%.8s%.6sZ", amz, amz + 9);
	bool is_utc = strncmp(text, "2050", 4) < 0;
	const char *from = is_utc ? text + 2 : text;
	element(out, is_utc ? TAG_UTC_TIME : TAG_GENERALIZED_TIME, from, strlen(from));
}

/* Opens an extension up to its content; the caller closes twice: content (*ret_value), then this. */
static size_t open_extension(struct out *out, const char *oid, bool is_critical, size_t *ret_value)
{
	size_t at = open_element(out, TAG_SEQUENCE);
	add_oid(out, oid);
	if (is_critical)
		element(out, TAG_BOOLEAN, "\xff", 1);
	*ret_value = open_element(out, TAG_OCTET_STRING);
	return at;
}

static void add_alternative_names(struct out *out, const struct x509_spec *spec)
{
	if (spec->dns_count + spec->ip_count == 0)
		return;
	size_t value, at = open_extension(out, "2.5.29.17", false, &value);
	size_t names = open_element(out, TAG_SEQUENCE);
	for (size_t i = 0; i < spec->dns_count; i++)
		element(out, TAG_CONTEXT + 2, spec->dns[i], strlen(spec->dns[i]));
	for (size_t i = 0; i < spec->ip_count; i++) {
		unsigned char address[16];
		bool is_v6 = strchr(spec->ip[i], ':') != NULL;
		if (inet_pton(is_v6 ? AF_INET6 : AF_INET, spec->ip[i], address) != 1)
			abort();
		element(out, TAG_CONTEXT + 7, address, is_v6 ? 16 : 4);
	}
	close_element(out, names);
	close_element(out, value);
	close_element(out, at);
}

static void add_key_usages(struct out *out, const struct x509_spec *spec)
{
	size_t value, at, list;
	if (spec->key_usage != 0) {
		unsigned char bits = 0;
		unsigned unused = 7;
		for (unsigned i = 0; i < 8; i++)
			if ((spec->key_usage & 1U << i) != 0) {
				bits = (unsigned char)(bits | 0x80U >> i);
				unused = 7 - i;
			}
		at = open_extension(out, "2.5.29.15", true, &value);
		element(out, TAG_BIT_STRING, (char[]){(char)unused, (char)bits}, 2);
		close_element(out, value);
		close_element(out, at);
	}
	if (spec->ext_key_usage_count > 0) {
		at = open_extension(out, "2.5.29.37", false, &value);
		list = open_element(out, TAG_SEQUENCE);
		for (size_t i = 0; i < spec->ext_key_usage_count; i++)
			add_oid(out, spec->ext_key_usage[i]);
		close_element(out, list);
		close_element(out, value);
		close_element(out, at);
	}
}

static void add_key_ids(struct out *out, const struct x509_spec *spec)
{
	size_t value, at = open_extension(out, "2.5.29.14", false, &value);
	element(out, TAG_OCTET_STRING, spec->key->key_id, KEY_ID_LEN);
	close_element(out, value);
	close_element(out, at);
	at = open_extension(out, "2.5.29.35", false, &value);
	size_t id = open_element(out, TAG_SEQUENCE);
	element(out, TAG_CONTEXT, spec->issuer_key_id, KEY_ID_LEN);
	close_element(out, id);
	close_element(out, value);
	close_element(out, at);
}

static void add_basic_constraints(struct out *out, bool is_ca)
{
	size_t value, at = open_extension(out, "2.5.29.19", true, &value);
	element(out, TAG_SEQUENCE, "\x01\x01\xff", is_ca ? 3 : 0);
	close_element(out, value);
	close_element(out, at);
}

static void add_urls(struct out *out, const struct x509_spec *spec)
{
	size_t value, at;
	if (spec->crl_url != NULL) {
		at = open_extension(out, "2.5.29.31", false, &value);
		size_t list = open_element(out, TAG_SEQUENCE),
		       point = open_element(out, TAG_SEQUENCE);
		size_t name = open_element(out, TAG_CONTEXT_CONSTRUCTED);
		size_t full = open_element(out, TAG_CONTEXT_CONSTRUCTED);
		element(out, TAG_CONTEXT + 6, spec->crl_url, strlen(spec->crl_url));
		size_t open[] = {full, name, point, list, value, at};
		for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
			close_element(out, open[i]);
	}
	if (spec->ocsp_url != NULL) {
		at = open_extension(out, "1.3.6.1.5.5.7.1.1", false, &value);
		size_t list = open_element(out, TAG_SEQUENCE),
		       entry = open_element(out, TAG_SEQUENCE);
		add_oid(out, "1.3.6.1.5.5.7.48.1");
		element(out, TAG_CONTEXT + 6, spec->ocsp_url, strlen(spec->ocsp_url));
		size_t open[] = {entry, list, value, at};
		for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
			close_element(out, open[i]);
	}
}

void x509_tbs(struct out *out, const struct x509_spec *spec)
{
	size_t tbs = open_element(out, TAG_SEQUENCE);
	out_bytes(out, "\xa0\x03\x02\x01\x02", 5); /* [0] version 3 */
	add_integer(out, spec->serial, SERIAL_LEN);
	add_algorithm(out, spec->algorithm);
	add_name(out, spec->issuer);
	size_t validity = open_element(out, TAG_SEQUENCE);
	add_time(out, spec->not_before_s);
	add_time(out, spec->not_after_s);
	close_element(out, validity);
	add_name(out, spec->subject);
	out_bytes(out, spec->key->spki.data, spec->key->spki.len);
	size_t tagged = open_element(out, TAG_CONTEXT_CONSTRUCTED + 3);
	size_t list = open_element(out, TAG_SEQUENCE);
	add_key_ids(out, spec);
	add_alternative_names(out, spec);
	add_key_usages(out, spec);
	add_basic_constraints(out, spec->is_ca);
	add_urls(out, spec);
	close_element(out, list);
	close_element(out, tagged);
	close_element(out, tbs);
}

void x509_certificate(struct out *out, const struct out *tbs, enum signature_algorithm algorithm,
	const unsigned char *signature, size_t signature_len)
{
	size_t at = open_element(out, TAG_SEQUENCE);
	out_bytes(out, tbs->data, tbs->len);
	add_algorithm(out, algorithm);
	size_t bits = open_element(out, TAG_BIT_STRING);
	out_char(out, 0);
	out_bytes(out, signature, signature_len);
	close_element(out, bits);
	close_element(out, at);
}

void pem_add(struct out *out, const unsigned char *der, size_t len, const char *newline)
{
	out_text(out, "-----BEGIN CERTIFICATE-----");
	out_text(out, newline);
	for (size_t i = 0; i < len; i += 48) {
		out_base64(out, der + i, len - i < 48 ? len - i : 48);
		out_text(out, newline);
	}
	out_text(out, "-----END CERTIFICATE-----");
	out_text(out, newline);
}

static void add_text_part(struct out *out, size_t start, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (out->len > start)
		out_char(out, ',');
	out_fmt(out, "%s=", name);
	size_t len = strlen(value);
	for (size_t i = 0; i < len; i++) {
		bool is_edge_blank = value[i] == ' ' && (i == 0 || i + 1 == len);
		if (strchr(",+\"\\<>;", value[i]) != NULL || is_edge_blank ||
			(value[i] == '#' && i == 0))
			out_char(out, '\\');
		out_char(out, value[i]);
	}
}

void dn_text(struct out *out, const struct dn *dn)
{
	size_t start = out->len;
	out_bytes(out, "", 0);
	add_text_part(out, start, "CN", dn->common_name);
	add_text_part(out, start, "OU", dn->unit);
	add_text_part(out, start, "O", dn->organization);
	add_text_part(out, start, "L", dn->locality);
	add_text_part(out, start, "C", dn->country);
}
