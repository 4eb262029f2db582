/* The private key: PEM or DER, in any of the forms that OpenSSL knows, encrypted or not. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "delivery/bundle_internal.h"

/* Never asks anybody. */
static int give_passphrase(char *to, int size, int is_writing, void *arg)
{
	const struct secret *passphrase = arg;
	(void)is_writing;
	if (passphrase == NULL || (int)passphrase->len > size)
		return -1;
	memcpy(to, passphrase->bytes, passphrase->len);
	return (int)passphrase->len;
}

static int fail_to_open(const struct secret *passphrase, struct err *err)
{
	return bundle_fail(err, "passphrase",
		passphrase == NULL ? "the key is encrypted: give its passphrase"
				   : "the passphrase does not open the key");
}

static int fail_to_read(const char *words, struct err *err)
{
	if (words != NULL)
		return bundle_fail(err, "input",
			"the key cannot be read: it is %s; give the private key that belongs to "
			"the certificate",
			words);
	return bundle_fail(err, "input",
		"the key cannot be read: expected a private key as PEM (PKCS#8, PKCS#1 or SEC1), "
		"with its BEGIN and END lines, or as DER");
}

/* --- PEM -------------------------------------------------------------------------------------- */

static bool find_key(const char *text, size_t len, const char **ret_at)
{
	const char *at = text;
	struct bundle_block block;
	while (bundle_next_block(text, text + len, &at, &block)) {
		if (!text_has_suffix(block.label, "PRIVATE KEY"))
			continue;
		*ret_at = block.at;
		return true;
	}
	return false;
}

bool bundle_has_key(const char *text, size_t len)
{
	const char *at;
	return text != NULL && find_key(text, len, &at);
}

static int read_pem(const char *text, size_t len, const struct secret *passphrase,
	EVP_PKEY **ret_key, struct err *err)
{
	const char *at;
	if (!find_key(text, len, &at))
		return fail_to_read(bundle_pem_words(text, len), err);
	size_t rest = len - (size_t)(at - text);
	BIO *bio = BIO_new_mem_buf(at, (int)rest);
	if (bio == NULL)
		abort(); /* no memory: as base/mem.h */
	*ret_key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, (void *)passphrase);
	BIO_free(bio);
	ERR_clear_error();
	if (*ret_key != NULL)
		return 0;
	if (memmem(at, rest, "ENCRYPTED", 9) != NULL)
		return fail_to_open(passphrase, err);
	bool is_openssh = text_has_prefix(at, "-----BEGIN OPENSSH");
	return fail_to_read(is_openssh ? bundle_pem_words(at, rest) : NULL, err);
}

/* --- DER -------------------------------------------------------------------------------------- */

static bool is_encrypted_der(const struct buf *der)
{
	const unsigned char *at = (const unsigned char *)der->data;
	X509_SIG *sealed = d2i_X509_SIG(NULL, &at, (long)der->len);
	bool is_sealed = sealed != NULL;
	X509_SIG_free(sealed);
	return is_sealed;
}

static int read_der(
	const struct buf *der, const struct secret *passphrase, EVP_PKEY **ret_key, struct err *err)
{
	const unsigned char *at = (const unsigned char *)der->data;
	bool is_encrypted = is_encrypted_der(der);
	BIO *bio = BIO_new_mem_buf(der->data, (int)der->len);
	if (bio == NULL)
		abort(); /* no memory: as base/mem.h */
	*ret_key = is_encrypted
			   ? d2i_PKCS8PrivateKey_bio(bio, NULL, give_passphrase, (void *)passphrase)
			   : d2i_AutoPrivateKey(NULL, &at, (long)der->len);
	BIO_free(bio);
	ERR_clear_error();
	if (*ret_key != NULL)
		return 0;
	return is_encrypted ? fail_to_open(passphrase, err)
			    : fail_to_read(bundle_der_words(der), err);
}

/* --- public ----------------------------------------------------------------------------------- */

int bundle_read_key(const char *text, size_t len, const struct secret *passphrase,
	EVP_PKEY **ret_key, struct bundle *bundle, struct err *err)
{
	struct buf plain;
	int rc;
	if (bundle_has_pem(text, len))
		return read_pem(text, len, passphrase, ret_key, err);
	if (!bundle_undo_base64(text, len, &plain))
		return fail_to_read(NULL, err);
	if (bundle_is_der(&plain)) {
		rc = read_der(&plain, passphrase, ret_key, err);
	} else {
		bundle_note(bundle, "the key was base64 of PEM, which was undone");
		rc = read_pem(buf_text(&plain), plain.len, passphrase, ret_key, err);
	}
	buf_clear(&plain);
	return rc;
}
