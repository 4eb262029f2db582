/* Certificates and the key out of PEM, DER, PKCS#7 and PKCS#12. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "delivery/bundle_internal.h"

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

static bool is_one_of(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], text) == 0)
			return true;
	return false;
}

/* Takes der over. What is there already is left out. */
static int add_certificate(struct bundle_material *material, unsigned char *der, size_t len,
	struct bundle *bundle, struct err *err)
{
	material->seen++;
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

static int add_x509(
	struct bundle_material *material, X509 *x509, struct bundle *bundle, struct err *err)
{
	unsigned char *encoded = NULL;
	int len = i2d_X509(x509, &encoded);
	if (len <= 0)
		return bundle_fail(err, "input", "a certificate cannot be encoded again");
	unsigned char *der = xmalloc((size_t)len);
	memcpy(der, encoded, (size_t)len);
	OPENSSL_free(encoded);
	return add_certificate(material, der, (size_t)len, bundle, err);
}

/* --- PEM and DER ----------------------------------------------------------------------------- */

/* As Windows writes them (.p7b). */
static int add_pkcs7(
	struct bundle_material *material, PKCS7 *file, struct bundle *bundle, struct err *err)
{
	bool has_list = PKCS7_type_is_signed(file) && file->d.sign != NULL;
	STACK_OF(X509) *list = has_list ? file->d.sign->cert : NULL;
	for (int i = 0; i < sk_X509_num(list); i++)
		if (add_x509(material, sk_X509_value(list, i), bundle, err) != 0)
			return -1;
	return 0;
}

/* Takes x509 and pkcs7 over; one of them at most is there. */
static int add_decoded(struct bundle_material *material, X509 *x509, PKCS7 *pkcs7,
	struct bundle *bundle, struct err *err)
{
	int rc;
	ERR_clear_error();
	if (x509 != NULL)
		rc = add_x509(material, x509, bundle, err);
	else if (pkcs7 != NULL)
		rc = add_pkcs7(material, pkcs7, bundle, err);
	else
		rc = bundle_fail(err, "input", "it cannot be decoded: it is damaged");
	X509_free(x509);
	PKCS7_free(pkcs7);
	return rc;
}

/* A block other than CERTIFICATE that holds certificates nevertheless. */
static int add_other_block(struct bundle_material *material, const struct bundle_block *block,
	const char *end, struct bundle *bundle, struct err *err)
{
	static const char *const x509_label[] = {PEM_STRING_X509_TRUSTED, PEM_STRING_X509_OLD};
	static const char *const pkcs7_label[] = {PEM_STRING_PKCS7, PEM_STRING_PKCS7_SIGNED, "CMS"};
	bool is_x509 = is_one_of(block->label, x509_label, 2);
	if (!is_x509 && !is_one_of(block->label, pkcs7_label, 3))
		return 0;
	BIO *bio = BIO_new_mem_buf(block->at, (int)(end - block->at));
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	X509 *x509 = NULL;
	PKCS7 *pkcs7 = NULL;
	if (bio == NULL)
		abort(); /* no memory: as base/mem.h */
	if (PEM_read_bio(bio, &name, &header, &data, &len) == 1) {
		const unsigned char *at = data;
		if (is_x509)
			x509 = d2i_X509_AUX(NULL, &at, len);
		else
			pkcs7 = d2i_PKCS7(NULL, &at, len);
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	BIO_free(bio);
	return add_decoded(material, x509, pkcs7, bundle, err);
}

static int add_certificate_block(struct bundle_material *material, const char **at, const char *end,
	struct bundle *bundle, struct err *err)
{
	unsigned char *der = NULL;
	size_t der_len = 0;
	if (x509_pem_next(at, end, &der, &der_len, err) == 1)
		return add_certificate(material, der, der_len, bundle, err);
	err->kind = ERR_CONFIG;
	return err_set_code(err, "input");
}

static int add_pem(struct bundle_material *material, const char *text, size_t len,
	struct bundle *bundle, struct err *err)
{
	const char *at = text, *end = text + len;
	struct bundle_block block;
	while (bundle_next_block(text, end, &at, &block)) {
		bool is_certificate = strcmp(block.label, PEM_STRING_X509) == 0;
		if (is_certificate)
			at = block.at;
		if (is_certificate ? add_certificate_block(material, &at, end, bundle, err) != 0
				   : add_other_block(material, &block, end, bundle, err) != 0)
			return -1;
	}
	return 0;
}

static int add_der(struct bundle_material *material, const struct buf *der, struct bundle *bundle,
	struct err *err)
{
	const unsigned char *at = (const unsigned char *)der->data;
	X509 *x509 = d2i_X509(NULL, &at, (long)der->len);
	at = (const unsigned char *)der->data;
	PKCS7 *pkcs7 = x509 == NULL ? d2i_PKCS7(NULL, &at, (long)der->len) : NULL;
	const char *words = x509 == NULL && pkcs7 == NULL ? bundle_der_words(der) : NULL;
	return words != NULL ? bundle_fail(err, "input", "it is %s", words)
			     : add_decoded(material, x509, pkcs7, bundle, err);
}

/* What some tools and templates put around PEM, and what DER needs to be text. */
static int add_base64(struct bundle_material *material, const char *text, size_t len,
	const char *what, struct bundle *bundle, struct err *err)
{
	struct buf plain;
	if (!bundle_undo_base64(text, len, &plain))
		return bundle_fail(err, "input",
			"it is neither PEM nor DER: expected -----BEGIN CERTIFICATE-----");
	int rc;
	if (bundle_is_der(&plain)) {
		rc = add_der(material, &plain, bundle, err);
	} else {
		bundle_note(bundle, "the %s was base64 of PEM, which was undone", what);
		rc = add_pem(material, buf_text(&plain), plain.len, bundle, err);
	}
	buf_clear(&plain);
	return rc;
}

static int add_text(struct bundle_material *material, const char *text, size_t len,
	const char *what, struct bundle *bundle, struct err *err)
{
	size_t before = material->seen;
	if (text == NULL || len == 0)
		return 0;
	if (len > BUNDLE_INPUT_MAX)
		return bundle_fail(
			err, "size", "the %s is larger than %d bytes", what, BUNDLE_INPUT_MAX);
	int rc = bundle_has_pem(text, len) ? add_pem(material, text, len, bundle, err)
					   : add_base64(material, text, len, what, bundle, err);
	if (rc == 0 && material->seen == before) {
		const char *words = bundle_pem_words(text, len);
		rc = bundle_fail(err, "input", "no certificate is in it%s%s",
			words != NULL ? ", but " : "", words != NULL ? words : "");
	}
	return rc == 0 ? 0 : err_wrap(err, "the %s", what);
}

/* --- PKCS#12 ---------------------------------------------------------------------------------- */

static int open_pkcs12(PKCS12 *file, const struct secret *passphrase, X509 **ret_leaf,
	STACK_OF(X509) * *ret_others, struct bundle_material *material, struct err *err)
{
	const char *text = passphrase != NULL ? secret_bytes(passphrase) : "";
	bool has_right_mac = PKCS12_mac_present(file) != 1 ||
			     PKCS12_verify_mac(file, text, -1) == 1 ||
			     (text[0] == '\0' && PKCS12_verify_mac(file, NULL, 0) == 1);
	if (!has_right_mac)
		return bundle_fail(err, "passphrase",
			passphrase == NULL ? "the PKCS#12 file is encrypted: give its passphrase"
					   : "the passphrase does not open the PKCS#12 file");
	if (PKCS12_parse(file, text, &material->key, ret_leaf, ret_others) == 1)
		return 0;
	if (PKCS12_mac_present(file) != 1)
		return bundle_fail(err, "input",
			"the PKCS#12 file cannot be decrypted: the passphrase is wrong, or it uses a "
			"cipher that OpenSSL 3 does not offer");
	return bundle_fail(err, "input",
		"the PKCS#12 file uses RC2 or another cipher that OpenSSL 3 does not offer: read it "
		"with openssl pkcs12 -legacy, and give what it prints with --cert and --key");
}

static int fail_to_decode(const struct secret *file, struct err *err)
{
	return bundle_fail(err, "input",
		bundle_has_pem(secret_bytes(file), file->len)
			? "not a PKCS#12 file, but PEM: give it with --cert, --key and --chain"
			: "not a PKCS#12 file");
}

static int read_pkcs12(const struct secret *der, const struct secret *passphrase,
	struct bundle_material *material, struct bundle *bundle, struct err *err)
{
	const unsigned char *at = der->bytes;
	PKCS12 *file = d2i_PKCS12(NULL, &at, (long)der->len);
	X509 *leaf = NULL;
	STACK_OF(X509) *others = NULL;
	int rc = file != NULL ? open_pkcs12(file, passphrase, &leaf, &others, material, err)
			      : fail_to_decode(der, err);
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

/* One file may hold all there is and be named for all of it. */
static void note_key_in_chain(const struct bundle_input *input, struct bundle *bundle)
{
	bool is_one_file = input->certificate != NULL &&
			   input->chain_len == input->certificate_len &&
			   memcmp(input->chain, input->certificate, input->chain_len) == 0;
	if (bundle_has_key(input->chain, input->chain_len) && !is_one_file)
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
		return bundle_read_key(secret_bytes(input->key), input->key->len, input->passphrase,
			&material->key, bundle, err);
	return bundle_has_key(input->certificate, input->certificate_len)
		       ? bundle_read_key(input->certificate, input->certificate_len,
				 input->passphrase, &material->key, bundle, err)
		       : 0;
}
