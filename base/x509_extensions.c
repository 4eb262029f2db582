/*
 * The extensions that the inventory needs. Others are skipped, whatever they hold; one of ours that
 * stands twice or is broken is an error, because everything that is decided from it would be wrong.
 * source: RFC 5280 section 4.2.1.
 */
#include "base/x509.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/x509_internal.h"

/* Last octet of 2.5.29.x. */
enum {
	KEY_USAGE = 15,
	SUBJECT_ALT_NAME = 17,
	BASIC_CONSTRAINTS = 19,
	EXT_KEY_USAGE = 37,
};

/* GeneralName's choices. */
enum {
	NAME_OTHER = DER_CONTEXT_CONSTRUCTED | 0,
	NAME_EMAIL = DER_CONTEXT | 1,
	NAME_DNS = DER_CONTEXT | 2,
	NAME_DIRECTORY = DER_CONTEXT_CONSTRUCTED | 4,
	NAME_URI = DER_CONTEXT | 6,
	NAME_IP = DER_CONTEXT | 7,
};

enum { ALT_NAME_TEXT_MAX = 262144 }; /* a certificate has 32 KiB; a byte becomes four at most */

const char *x509_key_usage_name(unsigned number)
{
	static const char *const name[] = {"DIGITAL_SIGNATURE", "NON_REPUDIATION",
		"KEY_ENCIPHERMENT", "DATA_ENCIPHERMENT", "KEY_AGREEMENT", "CERTIFICATE_SIGNING",
		"CRL_SIGNING", "ENCIPHER_ONLY", "DECIPHER_ONLY"};
	return number < sizeof(name) / sizeof(name[0]) ? name[number] : NULL;
}

static int broken(struct err *err, const char *what)
{
	return err_set(err, ERR_PROTOCOL, "not a certificate: broken %s", what);
}

static int read_key_usage(struct der in, struct x509_facts *facts, struct err *err)
{
	struct der_element bits;
	if (!der_take_tag(&in, DER_BIT_STRING, &bits) || in.len > 0 || bits.content.len < 1)
		return broken(err, "key usage");
	/* The first octet counts the unused bits of the last; bit 0 is the highest of the first. */
	unsigned usage = 0;
	for (unsigned bit = 0; bit <= 8; bit++) {
		size_t octet = 1 + bit / 8;
		if (octet < bits.content.len && (bits.content.bytes[octet] & (0x80 >> bit % 8)))
			usage |= 1u << bit;
	}
	facts->has_key_usage = true;
	facts->key_usage = usage;
	return 0;
}

static int read_ext_key_usage(struct der in, struct x509_facts *facts, struct err *err)
{
	struct der_element list, purpose;
	if (!der_take_tag(&in, DER_SEQUENCE, &list) || in.len > 0)
		return broken(err, "extended key usage");
	facts->has_ext_key_usage = true;
	size_t capacity = 0;
	while (list.content.len > 0) {
		if (facts->ext_key_usage_count == X509_EKUS_MAX)
			return err_set(err, ERR_LIMIT,
				"a certificate has more than %d extended key usages",
				X509_EKUS_MAX);
		if (!der_take_tag(&list.content, DER_OID, &purpose))
			return broken(err, "extended key usage");
		facts->ext_key_usage = xgrow(facts->ext_key_usage, &capacity,
			facts->ext_key_usage_count, sizeof(*facts->ext_key_usage));
		char *text = facts->ext_key_usage[facts->ext_key_usage_count++];
		if (!x509_key_purpose(&purpose, text, sizeof(*facts->ext_key_usage)))
			return broken(err, "extended key usage");
	}
	return 0;
}

static int read_basic_constraints(struct der in, struct x509_facts *facts, struct err *err)
{
	struct der_element list, is_ca;
	if (!der_take_tag(&in, DER_SEQUENCE, &list) || in.len > 0)
		return broken(err, "basic constraints");
	if (der_take_tag(&list.content, DER_BOOLEAN, &is_ca))
		facts->is_ca = is_ca.content.len == 1 && is_ca.content.bytes[0] != 0;
	return 0;
}

/* Names of hosts, people and resources are ASCII; everything else in them is shown, not believed.
 * */
static void add_ascii(struct buf *to, const struct der *text)
{
	for (size_t i = 0; i < text->len; i++) {
		unsigned char c = text->bytes[i];
		if (c < 0x20 || c > 0x7e || c == '\\')
			buf_addf(to, "\\x%02x", c);
		else
			buf_add_char(to, (char)c);
	}
}

static void add_hex(struct buf *to, const struct der *bytes)
{
	for (size_t i = 0; i < bytes->len; i++)
		buf_addf(to, "%02x", bytes->bytes[i]);
}

static enum x509_san_kind add_address(struct buf *to, const struct der *address)
{
	enum { IPV4_LEN = 4, IPV6_LEN = 16 };
	char text[INET6_ADDRSTRLEN];
	if (address->len == IPV4_LEN || address->len == IPV6_LEN) {
		inet_ntop(address->len == IPV4_LEN ? AF_INET : AF_INET6, address->bytes, text,
			sizeof(text));
		buf_add_text(to, text);
		return X509_SAN_IP;
	}
	buf_add_text(to, "IP:#");
	add_hex(to, address);
	return X509_SAN_OTHER;
}

static int add_directory_name(struct buf *to, struct der in, struct err *err)
{
	struct der_element name;
	char ignored[8];
	if (!der_take_tag(&in, DER_SEQUENCE, &name) || in.len > 0)
		return broken(err, "subject alternative name");
	buf_add_text(to, "DirName:");
	return x509_name_format(&name.content, to, ignored, sizeof(ignored), err);
}

/* Appends an alternative name's text. */
static int add_alt_name(struct buf *to, const struct der_element *name,
	enum x509_san_kind *ret_kind, struct err *err)
{
	struct der content = name->content;
	struct der_element oid;
	char dotted[X509_OID_TEXT_MAX] = "";
	*ret_kind = X509_SAN_OTHER;
	switch (name->tag) {
	case NAME_DNS:
		*ret_kind = X509_SAN_DNS;
		add_ascii(to, &content);
		return 0;
	case NAME_EMAIL:
		*ret_kind = X509_SAN_EMAIL;
		add_ascii(to, &content);
		return 0;
	case NAME_URI:
		*ret_kind = X509_SAN_URI;
		add_ascii(to, &content);
		return 0;
	case NAME_IP:
		*ret_kind = add_address(to, &content);
		return 0;
	case NAME_DIRECTORY:
		return add_directory_name(to, content, err);
	case NAME_OTHER:
		if (der_take_tag(&content, DER_OID, &oid))
			x509_oid_dotted(&oid, dotted, sizeof(dotted));
		buf_addf(to, "othername:%s", dotted);
		return 0;
	default:
		buf_addf(to, "name%u:#", name->tag & 0x1f);
		add_hex(to, &content);
		return 0;
	}
}

static int read_alt_names(struct der in, struct x509_facts *facts, struct err *err)
{
	struct der_element list, name;
	if (!der_take_tag(&in, DER_SEQUENCE, &list) || in.len > 0)
		return broken(err, "subject alternative name");
	int rc = 0;
	size_t capacity = 0;
	struct buf text;
	buf_init(&text, ALT_NAME_TEXT_MAX);
	while (rc == 0 && list.content.len > 0) {
		struct x509_san san = {.kind = X509_SAN_OTHER};
		if (facts->san_count == X509_SANS_MAX)
			rc = err_set(err, ERR_LIMIT,
				"a certificate has more than %d subject alternative names",
				X509_SANS_MAX);
		else if (!der_take(&list.content, &name))
			rc = broken(err, "subject alternative name");
		else
			rc = add_alt_name(&text, &name, &san.kind, err);
		if (rc != 0)
			break;
		char cut[X509_SAN_TEXT_MAX];
		x509_copy_cut(cut, sizeof(cut), buf_text(&text));
		san.text = xstrdup(cut);
		facts->san = xgrow(facts->san, &capacity, facts->san_count, sizeof(san));
		facts->san[facts->san_count++] = san;
		buf_reset(&text);
	}
	buf_clear(&text);
	return rc;
}

/* How long the URLs are is ACM's concern, not the inventory's: what is broken is passed over. */
static void read_ocsp_urls(struct der in, struct x509_facts *facts)
{
	static const unsigned char id_ad_ocsp[] = {0x2b, 6, 1, 5, 5, 7, 0x30, 1};
	struct der_element list, access, method, url;
	if (!der_take_tag(&in, DER_SEQUENCE, &list))
		return;
	while (der_take_tag(&list.content, DER_SEQUENCE, &access)) {
		bool is_ocsp = der_take_tag(&access.content, DER_OID, &method) &&
			       der_is(&method.content, id_ad_ocsp, sizeof(id_ad_ocsp));
		if (is_ocsp && der_take_tag(&access.content, NAME_URI, &url) &&
			url.content.len > facts->ocsp_url_len)
			facts->ocsp_url_len = url.content.len;
	}
}

/* Reads one of ours; `seen` has a bit for each that was there before. */
static int read_known(unsigned id, const struct der *value, uint64_t *seen,
	struct x509_facts *facts, struct err *err)
{
	if (id >= 64)
		return 0;
	bool is_again = (*seen & UINT64_C(1) << id) != 0;
	*seen |= UINT64_C(1) << id;
	if (is_again)
		return err_set(err, ERR_PROTOCOL,
			"not a certificate: extension 2.5.29.%u stands twice", id);
	switch (id) {
	case KEY_USAGE:
		return read_key_usage(*value, facts, err);
	case EXT_KEY_USAGE:
		return read_ext_key_usage(*value, facts, err);
	case BASIC_CONSTRAINTS:
		return read_basic_constraints(*value, facts, err);
	case SUBJECT_ALT_NAME:
		return read_alt_names(*value, facts, err);
	default:
		return 0;
	}
}

int x509_extensions_read(const struct der *extensions, struct x509_facts *facts, struct err *err)
{
	static const unsigned char id_ce[] = {0x55, 0x1d}; /* 2.5.29 */
	static const unsigned char id_pe_access[] = {0x2b, 6, 1, 5, 5, 7, 1, 1};
	struct der in = *extensions;
	uint64_t seen = 0;
	while (in.len > 0) {
		struct der_element extension, oid, critical, value;
		if (!der_take_tag(&in, DER_SEQUENCE, &extension) ||
			!der_take_tag(&extension.content, DER_OID, &oid))
			return broken(err, "extensions");
		(void)der_take_tag(&extension.content, DER_BOOLEAN, &critical); /* optional */
		if (!der_take_tag(&extension.content, DER_OCTET_STRING, &value) ||
			extension.content.len > 0)
			return broken(err, "extensions");
		bool is_id_ce = oid.content.len == sizeof(id_ce) + 1 &&
				memcmp(oid.content.bytes, id_ce, sizeof(id_ce)) == 0;
		if (is_id_ce && read_known(oid.content.bytes[sizeof(id_ce)], &value.content, &seen,
					facts, err) != 0)
			return -1;
		if (der_is(&oid.content, id_pe_access, sizeof(id_pe_access)))
			read_ocsp_urls(value.content, facts);
	}
	return 0;
}
