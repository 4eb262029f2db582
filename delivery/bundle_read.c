/* Certificates and the key out of PEM and PKCS#12. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "delivery/bundle_internal.h"

#define PEM_BEGIN "-----BEGIN "

void bundle_material_clear(struct bundle_material *material)
{
	for (size_t i = 0; i < material->count; i++) {
		X509_free(material->item[i].x509);
		x509_facts_clear(&material->item[i].der.facts);
		free(material->item[i].der.bytes);
	}
	EVP_PKEY_free(material->key);
	*material = (struct bundle_material){.count = 0};
}

static bool is_known(const struct bundle_material *material, const unsigned char *der, size_t len)
{
	for (size_t i = 0; i < material->count; i++)
		if (material->item[i].der.len == len &&
			memcmp(material->item[i].der.bytes, der, len) == 0)
			return true;
	return false;
}

/* Takes der over. What is there already is left out. */
static int add_certificate(struct bundle_material *material, unsigned char *der, size_t len,
	struct bundle *bundle, struct err *err)
{
	if (is_known(material, der, len)) {
		bundle_note(bundle, "a certificate was given more than once");
		free(der);
		return 0;
	}
	if (material->count == BUNDLE_FOUND_MAX) {
		free(der);
		return bundle_fail(
			err, "input", "more than %d certificates were given", BUNDLE_FOUND_MAX);
	}
	struct bundle_found *found = &material->item[material->count];
	*found = (struct bundle_found){.der = {.bytes = der, .len = len}};
	if (x509_facts_from_der(der, len, &found->der.facts, err) != 0) {
		free(der);
		err->kind = ERR_CONFIG;
		return err_set_code(err, "input");
	}
	material->count++;
	const unsigned char *at = der;
	found->x509 = d2i_X509(NULL, &at, (long)len);
	ERR_clear_error();
	return found->x509 != NULL ? 0
				   : bundle_fail(err, "input", "a certificate cannot be decoded");
}

/* --- PEM -------------------------------------------------------------------------------------- */

static int add_pem(struct bundle_material *material, const char *text, size_t len, const char *what,
	struct bundle *bundle, struct err *err)
{
	const char *at = text, *end = text + len;
	unsigned char *der = NULL;
	size_t der_len = 0;
	int found;
	while ((found = x509_pem_next(&at, end, &der, &der_len, err)) == 1)
		if (add_certificate(material, der, der_len, bundle, err) != 0)
			return -1;
	if (found == 0)
		return 0;
	err->kind = ERR_CONFIG;
	(void)err_wrap(err, "the %s", what);
	return err_set_code(err, "input");
}

/* base64 around the PEM, as some tools and templates leave it. ret_text: owned; NULL: it is not. */
static char *undo_base64(const char *text, size_t len, size_t *ret_len)
{
	EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
	unsigned char *plain = xmalloc(len + 1);
	int got = 0, rest = 0;
	if (context == NULL)
		abort(); /* no memory: as base/mem.h */
	EVP_DecodeInit(context);
	bool is_base64 = EVP_DecodeUpdate(context, plain, &got, (const unsigned char *)text,
				 (int)len) >= 0 &&
			 EVP_DecodeFinal(context, plain + got, &rest) >= 0;
	EVP_ENCODE_CTX_free(context);
	plain[got + rest] = '\0';
	if (is_base64 && strncmp((char *)plain, PEM_BEGIN, strlen(PEM_BEGIN)) == 0) {
		*ret_len = (size_t)got + (size_t)rest;
		return (char *)plain;
	}
	free(plain);
	return NULL;
}

static int add_text(struct bundle_material *material, const char *text, size_t len,
	const char *what, struct bundle *bundle, struct err *err)
{
	size_t before = material->count;
	if (text == NULL || len == 0)
		return 0;
	if (len > BUNDLE_INPUT_MAX)
		return bundle_fail(
			err, "size", "the %s is larger than %d bytes", what, BUNDLE_INPUT_MAX);
	if (memmem(text, len, PEM_BEGIN, strlen(PEM_BEGIN)) != NULL) {
		if (add_pem(material, text, len, what, bundle, err) != 0)
			return -1;
		return material->count > before || before > 0
			       ? 0
			       : bundle_fail(err, "input", "the %s holds no certificate", what);
	}
	size_t plain_len = 0;
	char *plain = undo_base64(text, len, &plain_len);
	if (plain == NULL)
		return bundle_fail(err, "input",
			"the %s is not PEM: expected -----BEGIN CERTIFICATE-----", what);
	bundle_note(bundle, "the %s was base64 of PEM, which was undone", what);
	int rc = add_pem(material, plain, plain_len, what, bundle, err);
	free(plain);
	return rc;
}

/* --- the key ---------------------------------------------------------------------------------- */

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

static bool is_encrypted(const char *text, size_t len)
{
	return memmem(text, len, "ENCRYPTED", 9) != NULL;
}

static int read_key(const char *text, size_t len, const struct secret *passphrase,
	struct bundle_material *material, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	if (bio == NULL)
		abort(); /* no memory: as base/mem.h */
	material->key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, (void *)passphrase);
	BIO_free(bio);
	ERR_clear_error();
	if (material->key != NULL)
		return 0;
	if (is_encrypted(text, len))
		return bundle_fail(err, "passphrase",
			passphrase == NULL ? "the key is encrypted: give its passphrase"
					   : "the key cannot be decrypted: another passphrase?");
	return bundle_fail(err, "input",
		"the key cannot be read: expected a private key as PEM (PKCS#8, PKCS#1 or SEC1), "
		"with its BEGIN and END lines");
}

/* --- PKCS#12 ---------------------------------------------------------------------------------- */

static int add_x509(
	struct bundle_material *material, X509 *x509, struct bundle *bundle, struct err *err)
{
	unsigned char *encoded = NULL;
	int len = i2d_X509(x509, &encoded);
	if (len <= 0)
		return bundle_fail(err, "input", "a certificate of the PKCS#12 file is damaged");
	unsigned char *der = xmalloc((size_t)len);
	memcpy(der, encoded, (size_t)len);
	OPENSSL_free(encoded);
	return add_certificate(material, der, (size_t)len, bundle, err);
}

static int open_pkcs12(PKCS12 *file, const struct secret *passphrase, X509 **ret_leaf,
	STACK_OF(X509) * *ret_others, struct bundle_material *material, struct err *err)
{
	const char *text = passphrase != NULL ? secret_bytes(passphrase) : "";
	bool has_right_mac = PKCS12_mac_present(file) != 1 ||
			     PKCS12_verify_mac(file, text, -1) == 1 ||
			     (text[0] == '\0' && PKCS12_verify_mac(file, NULL, 0) == 1);
	if (!has_right_mac)
		return bundle_fail(err, "passphrase",
			passphrase == NULL
				? "the PKCS#12 file is encrypted: give its passphrase"
				: "the PKCS#12 file cannot be opened: another passphrase?");
	if (PKCS12_parse(file, text, &material->key, ret_leaf, ret_others) == 1)
		return 0;
	return bundle_fail(err, "input",
		"the PKCS#12 file cannot be decrypted: the passphrase is wrong, or it uses RC2 or "
		"another cipher that OpenSSL 3 does not offer; then write it anew with AES");
}

static int read_pkcs12(const struct secret *der, const struct secret *passphrase,
	struct bundle_material *material, struct bundle *bundle, struct err *err)
{
	const unsigned char *at = der->bytes;
	PKCS12 *file = d2i_PKCS12(NULL, &at, (long)der->len);
	X509 *leaf = NULL;
	STACK_OF(X509) *others = NULL;
	int rc = file != NULL ? open_pkcs12(file, passphrase, &leaf, &others, material, err)
			      : bundle_fail(err, "input", "not a PKCS#12 file");
	if (rc == 0 && leaf != NULL)
		rc = add_x509(material, leaf, bundle, err);
	for (int i = 0; rc == 0 && i < sk_X509_num(others); i++)
		rc = add_x509(material, sk_X509_value(others, i), bundle, err);
	X509_free(leaf);
	sk_X509_pop_free(others, X509_free);
	PKCS12_free(file);
	ERR_clear_error();
	return rc;
}

static bool has_key_inside(const char *text, size_t len)
{
	return text != NULL && memmem(text, len, "PRIVATE KEY-----", 16) != NULL;
}

/* One file may hold all there is and be named for all of it. */
static void note_key_in_chain(const struct bundle_input *input, struct bundle *bundle)
{
	bool is_one_file = input->certificate != NULL &&
			   input->chain_len == input->certificate_len &&
			   memcmp(input->chain, input->certificate, input->chain_len) == 0;
	if (has_key_inside(input->chain, input->chain_len) && !is_one_file)
		bundle_note(bundle,
			"the chain has a private key in it, which was not used: take it out, for "
			"chains are shown to everybody");
}

int bundle_collect(const struct bundle_input *input, struct bundle_material *material,
	struct bundle *bundle, struct err *err)
{
	if (input->pkcs12 != NULL)
		return read_pkcs12(input->pkcs12, input->passphrase, material, bundle, err);
	if (add_text(material, input->certificate, input->certificate_len, "certificate", bundle,
		    err) != 0 ||
		add_text(material, input->chain, input->chain_len, "chain", bundle, err) != 0)
		return -1;
	if (input->chain != NULL)
		note_key_in_chain(input, bundle);
	if (input->key != NULL)
		return read_key(secret_bytes(input->key), input->key->len, input->passphrase,
			material, err);
	return has_key_inside(input->certificate, input->certificate_len)
		       ? read_key(input->certificate, input->certificate_len, input->passphrase,
				 material, err)
		       : 0;
}
