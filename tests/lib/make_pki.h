/* A CA of a test's own: keys of every kind, certificates signed by one another, and every form in
 * which people have them. What fails here aborts. */
#ifndef TESTS_LIB_MAKE_PKI_H
#define TESTS_LIB_MAKE_PKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pki {
	EVP_PKEY *key;
	X509 *x509;
};

/* "RSA_2048", "EC_prime256v1", "EC_secp256k1", "Ed25519", ...; owned */
EVP_PKEY *pki_key(const char *algorithm);

struct pki_spec {
	const char *common_name; /* NULL: an empty subject */
	const char *sans;	 /* "DNS:a.example,IP:192.0.2.1"; NULL: none */
	const char *key_usage;	 /* OpenSSL's words; NULL: none */
	const char *ext_key_usage;
	const char *key_algorithm; /* NULL: EC_prime256v1 */
	bool is_ca;
	int64_t not_before_s, not_after_s;
};
/* issuer NULL: signed by itself. */
struct pki pki_make(const struct pki_spec *spec, const struct pki *issuer);
void pki_clear(struct pki *pki);

/* Texts are owned. */
char *pki_pem(const struct pki *pki);
char *pki_key_pem(const struct pki *pki);
char *pki_key_encrypted(const struct pki *pki, const char *passphrase); /* PKCS#8, PBES2 */
/* "RSA PRIVATE KEY", or "EC PARAMETERS" and "EC PRIVATE KEY" as `openssl ecparam -genkey`. */
char *pki_key_traditional(const struct pki *pki);
/* other: one more certificate inside; NULL: none. DER. */
unsigned char *pki_pkcs12(
	const struct pki *pki, const struct pki *other, const char *passphrase, size_t *ret_len);

#endif
