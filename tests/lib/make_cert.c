#include "tests/lib/make_cert.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

static void check(bool is_ok, const char *what)
{
	if (is_ok)
		return;
	fprintf(stderr, "make_cert: %s failed\n", what);
	abort();
}

/* Ed25519: quick, and its signatures do not depend on chance. */
static EVP_PKEY *key_new(void)
{
	static const unsigned char seed[32] = "acmsensor test certificates only";
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
	check(key != NULL, "the key");
	return key;
}

static void add_name(X509 *certificate, const char *domain_name)
{
	char names[300];
	X509_NAME *name = X509_get_subject_name(certificate);
	check(X509_NAME_add_entry_by_txt(
		      name, "CN", MBSTRING_ASC, (const unsigned char *)domain_name, -1, -1, 0) == 1,
		"the name");
	X509_set_issuer_name(certificate, name);
	snprintf(names, sizeof(names), "DNS:%s", domain_name);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	check(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, "the names");
	X509_EXTENSION_free(extension);
}

static char *to_pem(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	check(bio != NULL && PEM_write_bio_X509(bio, certificate) == 1, "writing");
	long len = BIO_get_mem_data(bio, &text);
	char *pem = xstrndup(text, (size_t)len);
	BIO_free(bio);
	return pem;
}

char *make_cert_pem(
	const char *domain_name, uint32_t serial, int64_t not_before_s, int64_t not_after_s)
{
	EVP_PKEY *key = key_new();
	X509 *certificate = X509_new();
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial);
	check(ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)not_before_s) != NULL &&
			ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)not_after_s) != NULL,
		"the validity");
	add_name(certificate, domain_name);
	X509_set_pubkey(certificate, key);
	check(X509_sign(certificate, key, NULL) > 0, "signing");
	char *pem = to_pem(certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return pem;
}
