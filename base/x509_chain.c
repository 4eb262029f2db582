/*
 * What needs the whole of OpenSSL's X509: chains and keys. Only delivery asks for it; the inventory
 * reads facts.
 */
#include "base/x509.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "base/err.h"
#include "base/secret.h"

/* "certificate 2 of the chain", or "the leaf" for place 0. */
enum { PLACE_TEXT_MAX = 48 };

static const char *place_text(size_t place, char *buffer)
{
	if (place == 0)
		snprintf(buffer, PLACE_TEXT_MAX, "the leaf");
	else
		snprintf(buffer, PLACE_TEXT_MAX, "certificate %zu of the chain", place);
	return buffer;
}

/* Owned by the caller, NULL with err. OpenSSL's error queue is left empty. */
static X509 *decode(const struct der *der, size_t place, struct err *err)
{
	char text[PLACE_TEXT_MAX];
	if (der->len > X509_DER_MAX) {
		err_set(err, ERR_LIMIT, "%s has more than %d bytes", place_text(place, text),
			X509_DER_MAX);
		return NULL;
	}
	const unsigned char *at = der->bytes;
	X509 *certificate = d2i_X509(NULL, &at, (long)der->len);
	ERR_clear_error();
	if (certificate != NULL && at == der->bytes + der->len)
		return certificate;
	X509_free(certificate);
	err_set(err, ERR_PROTOCOL, "%s is not a certificate", place_text(place, text));
	return NULL;
}

/* Whether `issuer` (at place) certifies `subject` (one place below). */
static int check_link(X509 *subject, X509 *issuer, size_t place, struct err *err)
{
	char above[PLACE_TEXT_MAX], below[PLACE_TEXT_MAX];
	place_text(place, above);
	place_text(place - 1, below);
	if (X509_NAME_cmp(X509_get_issuer_name(subject), X509_get_subject_name(issuer)) != 0)
		return err_set(
			err, ERR_PROTOCOL, "%s does not name %s as its issuer", below, above);
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool is_signed = key != NULL && X509_verify(subject, key) == 1;
	ERR_clear_error();
	if (!is_signed)
		return err_set(
			err, ERR_PROTOCOL, "%s is not signed by the key of %s", below, above);
	return 0;
}

int x509_chain_check(const struct der *leaf, const struct der *chain, size_t count,
	bool *ret_is_complete, struct err *err)
{
	X509 *subject = decode(leaf, 0, err);
	if (subject == NULL)
		return -1;
	int rc = 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		X509 *issuer = decode(&chain[i], i + 1, err);
		rc = issuer == NULL ? -1 : check_link(subject, issuer, i + 1, err);
		X509_free(subject);
		subject = issuer;
	}
	if (rc == 0)
		*ret_is_complete = X509_NAME_cmp(X509_get_issuer_name(subject),
					   X509_get_subject_name(subject)) == 0;
	X509_free(subject);
	return rc;
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
	X509 *certificate = decode(leaf, 0, err);
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
