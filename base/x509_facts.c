/*
 * What a certificate says of itself, read straight from its DER; the public key is looked at but
 * not decoded. source: RFC 5280 section 4.1.
 *
 *   Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING }
 *   tbsCertificate ::= SEQUENCE { [0] version?, serial, signature, issuer, validity, subject,
 *                                 subjectPublicKeyInfo, [1]? , [2]?, [3] extensions? }
 */
#include "base/x509.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/x509_internal.h"

enum {
	TAG_VERSION = DER_CONTEXT_CONSTRUCTED | 0,
	TAG_ISSUER_ID = DER_CONTEXT | 1,
	TAG_SUBJECT_ID = DER_CONTEXT | 2,
	TAG_EXTENSIONS = DER_CONTEXT_CONSTRUCTED | 3,
	NAME_TEXT_MAX = 262144, /* as in x509_name.c */
};

struct tbs {
	unsigned version;
	struct der_element serial, issuer, validity, subject, spki;
	struct der extensions; /* empty when there are none */
};

static int broken(struct err *err, const char *what)
{
	return err_set(err, ERR_PROTOCOL, "not a certificate: %s", what);
}

/* Counted as people do: the number 2 is version 3. */
static unsigned version_of(struct der wrapped)
{
	enum { VERSIONS = 3 };
	struct der_element number;
	bool is_known = der_take_tag(&wrapped, DER_INTEGER, &number) && number.content.len == 1 &&
			number.content.bytes[0] < VERSIONS;
	return is_known ? number.content.bytes[0] + 1U : 0;
}

static int split_tbs(struct der tbs, struct tbs *ret_tbs, struct err *err)
{
	struct tbs parts = {.version = 1, .extensions = {tbs.bytes, 0}};
	struct der_element ignored, wrapped, list;
	/* Optional ones are not asked for their result: one that is broken stops the next. */
	if (der_take_tag(&tbs, TAG_VERSION, &wrapped))
		parts.version = version_of(wrapped.content);
	if (!der_take_tag(&tbs, DER_INTEGER, &parts.serial) || parts.serial.content.len == 0)
		return broken(err, "no serial number");
	if (!der_take_tag(&tbs, DER_SEQUENCE, &ignored))
		return broken(err, "no inner signature algorithm");
	if (!der_take_tag(&tbs, DER_SEQUENCE, &parts.issuer))
		return broken(err, "no issuer");
	if (!der_take_tag(&tbs, DER_SEQUENCE, &parts.validity))
		return broken(err, "no validity");
	if (!der_take_tag(&tbs, DER_SEQUENCE, &parts.subject))
		return broken(err, "no subject");
	if (!der_take_tag(&tbs, DER_SEQUENCE, &parts.spki))
		return broken(err, "no public key");
	(void)der_take_tag(&tbs, TAG_ISSUER_ID, &ignored);
	(void)der_take_tag(&tbs, TAG_SUBJECT_ID, &ignored);
	if (der_take_tag(&tbs, TAG_EXTENSIONS, &wrapped)) {
		if (!der_take_tag(&wrapped.content, DER_SEQUENCE, &list) || wrapped.content.len > 0)
			return broken(err, "broken extensions");
		parts.extensions = list.content;
	}
	if (tbs.len > 0)
		return broken(err, "unknown fields");
	*ret_tbs = parts;
	return 0;
}

/*
 * An INTEGER to the hex of its magnitude ("-" in front when negative). DER forbids padding and RFC
 * 5280 negative serials; both exist, and an inventory has to show them.
 */
static int read_serial(const struct der *serial, struct x509_facts *facts, struct err *err)
{
	enum { OCTETS_MAX = (X509_SERIAL_HEX_MAX - 2) / 2 };
	assert(serial->bytes != NULL && serial->len > 0); /* split_tbs saw to it */
	unsigned char magnitude[OCTETS_MAX + 1]; /* one more for the sign octet of a negative one */
	bool is_negative = (serial->bytes[0] & 0x80) != 0;
	struct der in = *serial;
	while (in.len > 1 && (is_negative ? in.bytes[0] == 0xff && (in.bytes[1] & 0x80) != 0
					  : in.bytes[0] == 0)) {
		in.bytes++;
		in.len--;
	}
	size_t len = in.len;
	if (len <= sizeof(magnitude))
		memcpy(magnitude, in.bytes, len);
	if (is_negative && len <= sizeof(magnitude)) {
		unsigned carry = 1;
		for (size_t i = len; i > 0; i--) {
			carry += (unsigned char)~magnitude[i - 1];
			magnitude[i - 1] = (unsigned char)carry;
			carry >>= 8;
		}
		if (len > 1 && magnitude[0] == 0)
			memmove(magnitude, magnitude + 1, --len);
	}
	if (len > OCTETS_MAX)
		return err_set(err, ERR_LIMIT, "a serial number of %zu octets, more than %d", len,
			OCTETS_MAX);
	facts->serial[0] = '-';
	text_hex(magnitude, len, facts->serial + (is_negative ? 1 : 0));
	return 0;
}

static int read_validity(struct der validity, struct x509_facts *facts, struct err *err)
{
	struct der_element not_before, not_after;
	if (!der_take(&validity, &not_before) || !der_time(&not_before, &facts->not_before_s))
		return broken(err, "notBefore is not a time");
	if (!der_take(&validity, &not_after) || !der_time(&not_after, &facts->not_after_s))
		return broken(err, "notAfter is not a time");
	return validity.len > 0 ? broken(err, "broken validity") : 0;
}

static int read_names(const struct tbs *tbs, struct x509_facts *facts, struct err *err)
{
	char ignored[sizeof(facts->common_name)];
	struct buf text;
	buf_init(&text, NAME_TEXT_MAX);
	int rc = x509_name_format(
		&tbs->subject.content, &text, facts->common_name, sizeof(facts->common_name), err);
	if (rc == 0) {
		x509_copy_cut(facts->subject, sizeof(facts->subject), buf_text(&text));
		buf_reset(&text);
		rc = x509_name_format(&tbs->issuer.content, &text, ignored, sizeof(ignored), err);
	}
	if (rc == 0)
		x509_copy_cut(facts->issuer, sizeof(facts->issuer), buf_text(&text));
	buf_clear(&text);
	facts->is_self_issued = der_equal(&tbs->subject.whole, &tbs->issuer.whole);
	return rc;
}

static int sha256(const struct der *bytes, unsigned char *ret, struct err *err)
{
	if (EVP_Digest(bytes->bytes, bytes->len, ret, NULL, EVP_sha256(), NULL) != 1)
		return err_set(err, ERR_SYSTEM, "OpenSSL has no SHA-256");
	return 0;
}

static int read_certificate(const struct der *der, struct x509_facts *facts, struct err *err)
{
	struct der in = *der;
	struct der_element certificate, tbs_element, algorithm, signature;
	if (!der_take_tag(&in, DER_SEQUENCE, &certificate))
		return broken(err, "no DER sequence, or one that is cut short");
	if (in.len > 0)
		return broken(err, "bytes behind it");
	if (!der_take_tag(&certificate.content, DER_SEQUENCE, &tbs_element) ||
		!der_take_tag(&certificate.content, DER_SEQUENCE, &algorithm) ||
		!der_take_tag(&certificate.content, DER_BIT_STRING, &signature) ||
		certificate.content.len > 0)
		return broken(err, "no to-be-signed part, algorithm and signature");
	struct tbs tbs = {.extensions = {NULL, 0}};
	if (split_tbs(tbs_element.content, &tbs, err) != 0 ||
		read_serial(&tbs.serial.content, facts, err) != 0 ||
		read_validity(tbs.validity.content, facts, err) != 0)
		return -1;
	facts->version = tbs.version;
	if (!x509_signature_algorithm(&algorithm.content, facts->signature_algorithm,
		    sizeof(facts->signature_algorithm)))
		return broken(err, "broken signature algorithm");
	if (!x509_key_algorithm(
		    &tbs.spki.content, facts->key_algorithm, sizeof(facts->key_algorithm)))
		return broken(err, "broken public key");
	if (read_names(&tbs, facts, err) != 0 ||
		x509_extensions_read(&tbs.extensions, facts, err) != 0 ||
		sha256(der, facts->fingerprint_sha256, err) != 0 ||
		sha256(&tbs.spki.whole, facts->spki_sha256, err) != 0)
		return -1;
	return 0;
}

int x509_facts_from_der(
	const unsigned char *der, size_t len, struct x509_facts *ret_facts, struct err *err)
{
	if (len > X509_DER_MAX)
		return err_set(err, ERR_LIMIT, "a certificate of %zu bytes, more than %d", len,
			X509_DER_MAX);
	struct x509_facts facts = {.serial = ""};
	if (read_certificate(&(struct der){der, len}, &facts, err) != 0) {
		x509_facts_clear(&facts);
		return -1;
	}
	*ret_facts = facts;
	return 0;
}

void x509_facts_clear(struct x509_facts *facts)
{
	for (size_t i = 0; i < facts->san_count; i++)
		free(facts->san[i].text);
	free(facts->san);
	free(facts->ext_key_usage);
	*facts = (struct x509_facts){.serial = ""};
}

bool x509_is_same_serial(const char *a, const char *b)
{
	return strcasecmp(a + strspn(a, "0"), b + strspn(b, "0")) == 0;
}
