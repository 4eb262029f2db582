/*
 * Whether a key belongs to a certificate, which needs the whole of OpenSSL's X509. Only delivery
 * asks for it; the inventory reads facts.
 */
#include "base/x509.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/err.h"
#include "base/secret.h"

/* Owned by the caller, NULL with err. OpenSSL's error queue is left empty. */
static X509 *decode(const struct der *leaf, struct err *err)
{
	if (leaf->len > X509_DER_MAX) {
		err_set(err, ERR_LIMIT, "the leaf has more than %d bytes", X509_DER_MAX);
		return NULL;
	}
	const unsigned char *at = leaf->bytes;
	X509 *certificate = d2i_X509(NULL, &at, (long)leaf->len);
	ERR_clear_error();
	if (certificate != NULL && at == leaf->bytes + leaf->len)
		return certificate;
	X509_free(certificate);
	err_set(err, ERR_PROTOCOL, "the leaf is not a certificate");
	return NULL;
}

/* Called for an encrypted key: there is no passphrase, and nobody is to be asked on a terminal. */
static int no_passphrase(char *buffer, int size, int is_writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)is_writing;
	*(bool *)arg = true;
	return -1;
}

static EVP_PKEY *read_key(const struct secret *key_pem, struct err *err)
{
	bool is_encrypted = false;
	EVP_PKEY *key = NULL;
	BIO *bio = BIO_new_mem_buf(secret_bytes(key_pem), (int)key_pem->len);
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &is_encrypted);
	BIO_free(bio);
	ERR_clear_error();
	if (key == NULL)
		err_set(err, ERR_CONFIG, "%s",
			is_encrypted ? "the private key is encrypted; an unencrypted one is needed"
				     : "no readable PEM private key");
	return key;
}

int x509_key_matches(
	const struct secret *key_pem, const struct der *leaf, bool *ret_matches, struct err *err)
{
	X509 *certificate = decode(leaf, err);
	if (certificate == NULL)
		return -1;
	EVP_PKEY *public_key = X509_get0_pubkey(certificate);
	EVP_PKEY *key = NULL;
	int rc = -1;
	if (public_key == NULL)
		err_set(err, ERR_PROTOCOL, "the leaf's public key is of an unknown kind");
	else
		key = read_key(key_pem, err);
	if (key != NULL) {
		*ret_matches = EVP_PKEY_eq(public_key, key) == 1;
		rc = 0;
	}
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(certificate);
	return rc;
}
