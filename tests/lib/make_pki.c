#include "tests/lib/make_pki.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

static void check(bool is_ok, const char *what)
{
	if (is_ok)
		return;
	fprintf(stderr, "make_pki: %s failed\n", what);
	abort();
}

EVP_PKEY *pki_key(const char *algorithm)
{
	EVP_PKEY *key;
	if (strncmp(algorithm, "RSA_", 4) == 0)
		key = EVP_RSA_gen((unsigned)atoi(algorithm + 4));
	else if (strncmp(algorithm, "EC_", 3) == 0)
		key = EVP_EC_gen(algorithm + 3);
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, algorithm);
	check(key != NULL, algorithm);
	return key;
}

static void add_extension(X509 *x509, int nid, const char *value)
{
	if (value == NULL)
		return;
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	check(extension != NULL && X509_add_ext(x509, extension, -1) == 1, value);
	X509_EXTENSION_free(extension);
}

static const EVP_MD *digest_of(EVP_PKEY *key)
{
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

struct pki pki_make(const struct pki_spec *spec, const struct pki *issuer)
{
	static uint64_t serial = 0x1000;
	const char *algorithm = spec->key_algorithm != NULL ? spec->key_algorithm : "EC_prime256v1";
	struct pki pki = {.key = pki_key(algorithm), .x509 = X509_new()};
	X509_set_version(pki.x509, 2);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(pki.x509), ++serial);
	check(ASN1_TIME_set(X509_getm_notBefore(pki.x509), (time_t)spec->not_before_s) != NULL &&
			ASN1_TIME_set(X509_getm_notAfter(pki.x509), (time_t)spec->not_after_s) !=
				NULL,
		"the validity");
	X509_NAME *name = X509_get_subject_name(pki.x509);
	if (spec->common_name != NULL)
		check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
			      (const unsigned char *)spec->common_name, -1, -1, 0) == 1,
			"the name");
	X509_set_issuer_name(pki.x509, issuer != NULL ? X509_get_subject_name(issuer->x509) : name);
	X509_set_pubkey(pki.x509, pki.key);
	add_extension(pki.x509, NID_basic_constraints, spec->is_ca ? "critical,CA:TRUE" : NULL);
	add_extension(pki.x509, NID_subject_alt_name, spec->sans);
	add_extension(pki.x509, NID_key_usage, spec->key_usage);
	add_extension(pki.x509, NID_ext_key_usage, spec->ext_key_usage);
	EVP_PKEY *signer = issuer != NULL ? issuer->key : pki.key;
	check(X509_sign(pki.x509, signer, digest_of(signer)) > 0, "signing");
	return pki;
}

void pki_clear(struct pki *pki)
{
	X509_free(pki->x509);
	EVP_PKEY_free(pki->key);
	*pki = (struct pki){.key = NULL};
}

/* --- forms ------------------------------------------------------------------------------------ */

static char *take_text(BIO *bio, bool is_ok, const char *what)
{
	char *text;
	check(is_ok, what);
	long len = BIO_get_mem_data(bio, &text);
	char *copy = xstrndup(text, (size_t)len);
	BIO_free(bio);
	return copy;
}

char *pki_pem(const struct pki *pki)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool is_ok = PEM_write_bio_X509(bio, pki->x509) == 1;
	return take_text(bio, is_ok, "writing a certificate");
}

char *pki_key_pem(const struct pki *pki)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool is_ok = PEM_write_bio_PKCS8PrivateKey(bio, pki->key, NULL, NULL, 0, NULL, NULL) == 1;
	return take_text(bio, is_ok, "writing a key");
}

char *pki_key_encrypted(const struct pki *pki, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool is_ok = PEM_write_bio_PKCS8PrivateKey(bio, pki->key, EVP_aes_256_cbc(), passphrase,
			     (int)strlen(passphrase), NULL, NULL) == 1;
	return take_text(bio, is_ok, "encrypting a key");
}

char *pki_key_traditional(const struct pki *pki)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool is_ok = true;
	if (EVP_PKEY_get_base_id(pki->key) == EVP_PKEY_EC)
		is_ok = PEM_write_bio_Parameters(bio, pki->key) == 1;
	is_ok = is_ok &&
		PEM_write_bio_PrivateKey_traditional(bio, pki->key, NULL, NULL, 0, NULL, NULL) == 1;
	return take_text(bio, is_ok, "writing a traditional key");
}

unsigned char *pki_pkcs12(
	const struct pki *pki, const struct pki *other, const char *passphrase, size_t *ret_len)
{
	STACK_OF(X509) *others = sk_X509_new_null();
	unsigned char *encoded = NULL;
	if (other != NULL)
		check(sk_X509_push(others, other->x509) > 0, "adding a certificate");
	PKCS12 *file =
		PKCS12_create(passphrase, "test", pki->key, pki->x509, others, 0, 0, 0, 0, 0);
	check(file != NULL, "making PKCS#12");
	int len = i2d_PKCS12(file, &encoded);
	check(len > 0, "writing PKCS#12");
	unsigned char *copy = xmalloc((size_t)len);
	memcpy(copy, encoded, (size_t)len);
	*ret_len = (size_t)len;
	OPENSSL_free(encoded);
	PKCS12_free(file);
	sk_X509_free(others);
	return copy;
}
