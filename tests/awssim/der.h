/*
 * Writes DER and X.509 certificates. A writer of its own (and not OpenSSL's X509) because the
 * simulator makes 100,000 certificates on demand, deterministically, and some of them odd.
 */
#ifndef TESTS_AWSSIM_DER_H
#define TESTS_AWSSIM_DER_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/awssim/util.h"

enum { KEY_ID_LEN = 20, SERIAL_LEN = 16, SIGNATURE_MAX = 512 };

/* Bits of KeyUsage, RFC 5280 4.2.1.3, first bit lowest. */
enum {
	KEY_USAGE_DIGITAL_SIGNATURE = 1 << 0,
	KEY_USAGE_NON_REPUDIATION = 1 << 1,
	KEY_USAGE_KEY_ENCIPHERMENT = 1 << 2,
	KEY_USAGE_DATA_ENCIPHERMENT = 1 << 3,
	KEY_USAGE_KEY_AGREEMENT = 1 << 4,
	KEY_USAGE_CERT_SIGN = 1 << 5,
	KEY_USAGE_CRL_SIGN = 1 << 6,
	KEY_USAGES = 9,
};

/* A distinguished name; NULL parts are left out. UTF-8. */
struct dn {
	const char *country, *locality, *organization, *unit, *common_name; /* borrowed */
};

/* A public key as it stands in a certificate, and the private key when we must sign with it. */
struct key {
	struct out spki;		  /* owned; SubjectPublicKeyInfo */
	unsigned char key_id[KEY_ID_LEN]; /* SHA-1 of spki */
	EVP_PKEY *private_key;		  /* owned */
	bool is_ec;
};

/* Fills ret_key from a private key; takes the reference. */
void key_from_private(EVP_PKEY *private_key, struct key *ret_key);
void key_clear(struct key *key);

enum signature_algorithm { SHA256_WITH_RSA, SHA384_WITH_RSA, SHA256_WITH_ECDSA };

struct x509_spec {
	enum signature_algorithm algorithm;
	unsigned char serial[SERIAL_LEN];
	const struct dn *issuer, *subject; /* borrowed, as all pointers here */
	const struct key *key;		   /* the subject's */
	const unsigned char *issuer_key_id;
	int64_t not_before_s, not_after_s;
	const char *const *dns;
	size_t dns_count;
	const char *const *ip;
	size_t ip_count;
	unsigned key_usage;		  /* 0: no extension */
	const char *const *ext_key_usage; /* dotted OIDs */
	size_t ext_key_usage_count;
	bool is_ca;
	const char *crl_url, *ocsp_url;
};

/* Appends the to-be-signed part. */
void x509_tbs(struct out *out, const struct x509_spec *spec);

/* Appends tbs, algorithm and signature as a Certificate. */
void x509_certificate(struct out *out, const struct out *tbs, enum signature_algorithm algorithm,
	const unsigned char *signature, size_t signature_len);

/*
 * Signs deterministically: PKCS#1 v1.5 with RSA; ECDSA with a nonce made from key and message.
 * Returns the length of the signature.
 */
size_t x509_sign(const struct key *signer, enum signature_algorithm algorithm,
	const struct out *tbs, unsigned char ret_signature[SIGNATURE_MAX]);

/* Appends PEM with 64 columns; newline is "\n" or, inside JSON text, "\\n". */
void pem_add(struct out *out, const unsigned char *der, size_t len, const char *newline);

/* Appends the name as RFC 4514 text. */
void dn_text(struct out *out, const struct dn *dn);

#endif
