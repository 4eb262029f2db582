/*
 * AES-256-GCM through OpenSSL. Plaintext is only ever in struct secret: it is opened in place, in
 * the arena, and wiped again when the tag does not fit.
 */
#include "base/seal.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"

struct seal {
	EVP_CIPHER *cipher;	 /* owned */
	EVP_CIPHER_CTX *context; /* owned; empty between calls */
};

struct seal *seal_new(struct err *err)
{
	struct seal *seal = xcalloc(1, sizeof(*seal));
	seal->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	seal->context = EVP_CIPHER_CTX_new();
	if (seal->cipher != NULL && seal->context != NULL)
		return seal;
	err_set(err, ERR_SYSTEM, "OpenSSL has no AES-256-GCM");
	seal_free(seal);
	return NULL;
}

void seal_free(struct seal *seal)
{
	if (seal == NULL)
		return;
	EVP_CIPHER_CTX_free(seal->context);
	EVP_CIPHER_free(seal->cipher);
	free(seal);
}

int seal_make_key(struct secret *ret_key, struct err *err)
{
	static const unsigned char none[SEAL_KEY_LEN];
	struct secret key = SECRET_INIT;
	secret_set(&key, none, sizeof(none)); /* room in the arena, filled there */
	if (RAND_priv_bytes(key.bytes, SEAL_KEY_LEN) != 1) {
		secret_clear(&key);
		return err_set(err, ERR_SYSTEM, "OpenSSL has no randomness for a key");
	}
	secret_move(ret_key, &key);
	return 0;
}

static bool encrypt(struct seal *seal, const struct secret *key, struct seal_context context,
	const struct secret *secret, unsigned char *ret_sealed)
{
	unsigned char *text = ret_sealed + SEAL_NONCE_LEN, *tag = text + secret->len;
	int len;
	return RAND_bytes(ret_sealed, SEAL_NONCE_LEN) == 1 &&
	       EVP_EncryptInit_ex2(seal->context, seal->cipher, key->bytes, ret_sealed, NULL) ==
		       1 &&
	       EVP_EncryptUpdate(seal->context, NULL, &len, context.bytes, (int)context.len) == 1 &&
	       EVP_EncryptUpdate(seal->context, text, &len, secret->bytes, (int)secret->len) == 1 &&
	       EVP_EncryptFinal_ex(seal->context, tag, &len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(seal->context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_LEN, tag) == 1;
}

int seal_close(struct seal *seal, const struct secret *key, struct seal_context context,
	const struct secret *secret, unsigned char *ret_sealed, struct err *err)
{
	assert(key->len == SEAL_KEY_LEN && secret_is_set(secret));
	bool is_done = encrypt(seal, key, context, secret, ret_sealed);
	EVP_CIPHER_CTX_reset(seal->context); /* wipes the expanded key */
	return is_done ? 0 : err_set(err, ERR_SYSTEM, "OpenSSL could not seal a secret");
}

/* Ciphertext in, plaintext out, in the same place. */
static bool decrypt(struct seal *seal, const struct secret *key, struct seal_context context,
	const unsigned char *nonce, const unsigned char *tag, struct secret *text)
{
	unsigned char tag_copy[SEAL_TAG_LEN], end[EVP_MAX_BLOCK_LENGTH];
	int len;
	for (size_t i = 0; i < sizeof(tag_copy); i++)
		tag_copy[i] = tag[i]; /* OpenSSL takes it as writable memory */
	return EVP_DecryptInit_ex2(seal->context, seal->cipher, key->bytes, nonce, NULL) == 1 &&
	       EVP_DecryptUpdate(seal->context, NULL, &len, context.bytes, (int)context.len) == 1 &&
	       EVP_DecryptUpdate(seal->context, text->bytes, &len, text->bytes, (int)text->len) ==
		       1 &&
	       EVP_CIPHER_CTX_ctrl(seal->context, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_LEN, tag_copy) ==
		       1 &&
	       EVP_DecryptFinal_ex(seal->context, end, &len) == 1;
}

bool seal_open(struct seal *seal, const struct secret *key, struct seal_context context,
	const unsigned char *sealed, size_t len, struct secret *ret_secret)
{
	assert(key->len == SEAL_KEY_LEN);
	if (len < SEAL_OVERHEAD || len - SEAL_OVERHEAD > SECRET_MAX)
		return false;
	struct secret text = SECRET_INIT;
	secret_set(&text, sealed + SEAL_NONCE_LEN, len - SEAL_OVERHEAD);
	bool is_open = decrypt(seal, key, context, sealed, sealed + len - SEAL_TAG_LEN, &text);
	EVP_CIPHER_CTX_reset(seal->context);
	if (is_open)
		secret_move(ret_secret, &text);
	secret_clear(&text);
	return is_open;
}
