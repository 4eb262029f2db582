/* Which form an input has, whoever wrote it: blocks of PEM, base64 around something, DER. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/der.h"
#include "base/text.h"
#include "delivery/bundle_internal.h"

#define PEM_BEGIN	"-----BEGIN "
#define PEM_DASHES	"-----"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* --- PEM -------------------------------------------------------------------------------------- */

bool bundle_has_pem(const char *text, size_t len)
{
	return memmem(text, len, PEM_BEGIN, strlen(PEM_BEGIN)) != NULL;
}

/* Windows' editors put a byte order mark before the first line. */
static bool is_line_start(const char *text, const char *at)
{
	size_t mark = strlen(BYTE_ORDER_MARK);
	if ((size_t)(at - text) >= mark && memcmp(at - mark, BYTE_ORDER_MARK, mark) == 0)
		at -= mark;
	return at == text || at[-1] == '\n';
}

bool bundle_next_block(
	const char *text, const char *end, const char **at, struct bundle_block *ret_block)
{
	size_t begin = strlen(PEM_BEGIN);
	while ((*at = memmem(*at, (size_t)(end - *at), PEM_BEGIN, begin)) != NULL) {
		const char *start = *at, *label = start + begin;
		*at = label;
		const char *dashes =
			memmem(label, (size_t)(end - label), PEM_DASHES, strlen(PEM_DASHES));
		size_t len = dashes != NULL ? (size_t)(dashes - label) : BUNDLE_LABEL_MAX;
		if (!is_line_start(text, start) || len >= BUNDLE_LABEL_MAX)
			continue;
		ret_block->at = start;
		memcpy(ret_block->label, label, len);
		ret_block->label[len] = '\0';
		return true;
	}
	*at = end;
	return false;
}

/* --- base64 and DER --------------------------------------------------------------------------- */

bool bundle_undo_base64(const char *text, size_t len, struct buf *to)
{
	int got = 0, rest = 0;
	EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
	if (context == NULL)
		abort(); /* no memory: as base/mem.h */
	buf_init_secret(to, len + 1);
	unsigned char *room = (unsigned char *)buf_room(to, len + 1);
	EVP_DecodeInit(context);
	bool is_base64 =
		EVP_DecodeUpdate(context, room, &got, (const unsigned char *)text, (int)len) >= 0 &&
		EVP_DecodeFinal(context, room + got, &rest) >= 0;
	EVP_ENCODE_CTX_free(context);
	buf_advance(to, is_base64 ? (size_t)got + (size_t)rest : 0);
	bool is_known = is_base64 && to->len > 0 &&
			(room[0] == DER_SEQUENCE || bundle_has_pem(buf_text(to), to->len));
	if (!is_known)
		buf_clear(to);
	return is_known;
}

bool bundle_is_der(const struct buf *bytes)
{
	return bytes->len > 0 && (unsigned char)bytes->data[0] == DER_SEQUENCE;
}

/* --- what it is ------------------------------------------------------------------------------- */

/* The first that fits. */
static const char *words_of_label(const char *label)
{
	static const struct {
		const char *suffix, *words;
	} known[] = {{"CERTIFICATE REQUEST", BUNDLE_IS_REQUEST},
		{"OPENSSH PRIVATE KEY",
			"a key in OpenSSH's own format (ssh-keygen -p -m PKCS8 -f COPY makes PEM of "
			"a copy)"},
		{"PRIVATE KEY", "a private key"}, {"PUBLIC KEY", "a public key"},
		{"CERTIFICATE", "a certificate"}, {"CRL", "a revocation list (CRL)"},
		{"PKCS7", "PKCS#7 (certificates without a key)"}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (text_has_suffix(label, known[i].suffix))
			return known[i].words;
	return NULL;
}

const char *bundle_pem_words(const char *text, size_t len)
{
	const char *at = text;
	struct bundle_block block;
	while (bundle_next_block(text, text + len, &at, &block)) {
		const char *words = words_of_label(block.label);
		if (words != NULL)
			return words;
	}
	return NULL;
}

const char *bundle_der_words(const struct buf *der)
{
	const unsigned char *bytes = (const unsigned char *)der->data, *at = bytes;
	const char *words = NULL;
	X509 *x509 = d2i_X509(NULL, &at, (long)der->len);
	at = bytes;
	X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der->len);
	at = bytes;
	PKCS12 *pkcs12 = d2i_PKCS12(NULL, &at, (long)der->len);
	if (x509 != NULL)
		words = "a certificate";
	else if (request != NULL)
		words = BUNDLE_IS_REQUEST;
	else if (pkcs12 != NULL)
		words = "a PKCS#12 file: give it with --pkcs12, alone";
	X509_free(x509);
	X509_REQ_free(request);
	PKCS12_free(pkcs12);
	ERR_clear_error();
	return words;
}
