/* Distinguished names as text. source: RFC 4514; X.520 for the string types. */
#include "base/x509_internal.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

enum {
	ATTRIBUTES_MAX = 64,	/* of one name; real ones have fewer than ten */
	NAME_TEXT_MAX = 262144, /* a certificate has 32 KiB; a byte becomes four at most (\XX) */
	REPLACEMENT = '?',
};

struct attribute {
	size_t rdn; /* which RDN it stands in */
	struct der_element type;
	struct der_element value;
};

struct attribute_list {
	struct attribute item[ATTRIBUTES_MAX];
	size_t count;
};

int x509_oid_nid(const struct der_element *oid)
{
	const unsigned char *at = oid->whole.bytes;
	ASN1_OBJECT *object = d2i_ASN1_OBJECT(NULL, &at, (long)oid->whole.len);
	if (object == NULL)
		return -1;
	int nid = OBJ_obj2nid(object);
	ASN1_OBJECT_free(object);
	return nid;
}

void x509_oid_dotted(const struct der_element *oid, char *ret, size_t size)
{
	const unsigned char *at = oid->whole.bytes;
	ASN1_OBJECT *object = d2i_ASN1_OBJECT(NULL, &at, (long)oid->whole.len);
	ret[0] = '\0';
	if (object != NULL)
		OBJ_obj2txt(ret, (int)size, object, 1);
	ASN1_OBJECT_free(object);
}

void x509_copy_cut(char *ret, size_t size, const char *text)
{
	size_t len = strlen(text);
	if (len < size) {
		memcpy(ret, text, len + 1);
		return;
	}
	size_t keep = size - sizeof("...");
	while (keep > 0 && ((unsigned char)text[keep] & 0xc0) == 0x80)
		keep--;
	memcpy(ret, text, keep);
	memcpy(ret + keep, "...", sizeof("..."));
}

/* Appends a character. false: not one. */
static bool add_code_point(struct buf *to, uint32_t c)
{
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return false;
	if (c < 0x80) {
		buf_add_char(to, (char)c);
	} else if (c < 0x800) {
		buf_add_char(to, (char)(0xc0 | c >> 6));
		buf_add_char(to, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_add_char(to, (char)(0xe0 | c >> 12));
		buf_add_char(to, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(to, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_add_char(to, (char)(0xf0 | c >> 18));
		buf_add_char(to, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_add_char(to, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(to, (char)(0x80 | (c & 0x3f)));
	}
	return true;
}

/* Appends characters of `width` octets each, big-endian. One octet is Latin-1: what T61String
 * really holds, and what OpenSSL takes a high octet in the ASCII types for. */
static bool add_wide(struct buf *to, const struct der *text, size_t width)
{
	if (text->len % width != 0)
		return false;
	for (size_t i = 0; i < text->len; i += width) {
		uint32_t c = 0;
		for (size_t j = 0; j < width; j++)
			c = c << 8 | text->bytes[i + j];
		if (!add_code_point(to, c))
			return false;
	}
	return true;
}

/* Appends a string as UTF-8. false: not a string, or a broken one. */
static bool add_string(struct buf *to, const struct der_element *value)
{
	switch (value->tag) {
	case DER_UTF8_STRING:
		if (!text_is_utf8((const char *)value->content.bytes, value->content.len))
			return false;
		buf_add(to, value->content.bytes, value->content.len);
		return true;
	case DER_NUMERIC_STRING:
	case DER_PRINTABLE_STRING:
	case DER_T61_STRING:
	case DER_IA5_STRING:
	case DER_VISIBLE_STRING:
		return add_wide(to, &value->content, 1);
	case DER_BMP_STRING:
		return add_wide(to, &value->content, 2);
	case DER_UNIVERSAL_STRING:
		return add_wide(to, &value->content, 4);
	default:
		return false;
	}
}

/* RFC 4514 2.4. */
static void add_escaped(struct buf *to, const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++) {
		char c = text->data[i];
		bool is_edge_blank = c == ' ' && (i == 0 || i == text->len - 1);
		bool is_first_hash = c == '#' && i == 0;
		if ((unsigned char)c < 0x20 || c == 0x7f)
			buf_addf(to, "\\%02X", (unsigned)c);
		else if (is_edge_blank || is_first_hash || strchr(",+\"\\<>;", c) != NULL)
			buf_addf(to, "\\%c", c);
		else
			buf_add_char(to, c);
	}
}

static void add_hex(struct buf *to, const struct der *bytes)
{
	buf_add_char(to, '#');
	for (size_t i = 0; i < bytes->len; i++)
		buf_addf(to, "%02X", bytes->bytes[i]);
}

static int collect(const struct der *name, struct attribute_list *list, struct err *err)
{
	struct der rdns = *name;
	struct der_element rdn;
	for (size_t index = 0; rdns.len > 0; index++) {
		if (!der_take_tag(&rdns, DER_SET, &rdn) || rdn.content.len == 0)
			return err_set(err, ERR_PROTOCOL, "broken distinguished name");
		while (rdn.content.len > 0) {
			struct der_element pair;
			struct attribute attribute = {.rdn = index};
			if (list->count == ATTRIBUTES_MAX)
				return err_set(err, ERR_LIMIT,
					"a distinguished name has more than %d attributes",
					ATTRIBUTES_MAX);
			if (!der_take_tag(&rdn.content, DER_SEQUENCE, &pair) ||
				!der_take_tag(&pair.content, DER_OID, &attribute.type) ||
				!der_take(&pair.content, &attribute.value) || pair.content.len > 0)
				return err_set(err, ERR_PROTOCOL, "broken distinguished name");
			list->item[list->count++] = attribute;
		}
	}
	return 0;
}

/* A common name as people read it: control characters of a hostile one are replaced. */
static void set_common_name(char *ret, size_t size, const struct buf *text)
{
	x509_copy_cut(ret, size, buf_text(text));
	for (char *at = ret; *at != '\0'; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = REPLACEMENT;
	}
}

/* "CN=example.com"; text is scratch and afterwards holds the plain value, unless it is no string.
 * */
static int add_attribute(struct buf *to, const struct attribute *attribute, int nid,
	struct buf *text, struct err *err)
{
	if (nid < 0)
		return err_set(err, ERR_PROTOCOL, "broken attribute type in a distinguished name");
	bool is_known = nid != NID_undef;
	char dotted[X509_OID_TEXT_MAX];
	if (!is_known)
		x509_oid_dotted(&attribute->type, dotted, sizeof(dotted));
	buf_add_text(to, is_known ? OBJ_nid2sn(nid) : dotted);
	buf_add_char(to, '=');
	buf_reset(text);
	if (is_known && add_string(text, &attribute->value)) {
		add_escaped(to, text);
	} else {
		buf_reset(text);
		add_hex(to, &attribute->value.whole);
	}
	return 0;
}

int x509_name_format(
	const struct der *name, struct buf *to, char *ret_common_name, size_t size, struct err *err)
{
	struct attribute_list list = {.count = 0};
	if (collect(name, &list, err) != 0)
		return -1;
	int rc = 0;
	bool has_common_name = false;
	ret_common_name[0] = '\0';
	struct buf text;
	buf_init(&text, NAME_TEXT_MAX);
	for (size_t i = list.count; i > 0 && rc == 0; i--) {
		const struct attribute *at = &list.item[i - 1];
		if (i < list.count)
			buf_add_char(to, at->rdn == at[1].rdn ? '+' : ',');
		int nid = x509_oid_nid(&at->type);
		rc = add_attribute(to, at, nid, &text, err);
		if (nid == NID_commonName && !has_common_name) {
			set_common_name(ret_common_name, size, &text);
			has_common_name = true;
		}
	}
	buf_clear(&text);
	return rc;
}
