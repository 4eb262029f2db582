#include "base/seal.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/secret.h"

static EVP_CIPHER_CTX *new_context(void)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	if (context == NULL)
		abort(); /* no memory: as base/mem.h */
	return context;
}

void seal_key_make(struct secret *ret_key)
{
	unsigned char bytes[SEAL_KEY_LEN];
	if (RAND_priv_bytes(bytes, sizeof(bytes)) != 1)
		abort(); /* no randomness: nothing may be sealed */
	secret_set(ret_key, bytes, sizeof(bytes));
	OPENSSL_cleanse(bytes, sizeof(bytes));
}

void seal_close(const struct secret *key, const void *associated, size_t associated_len,
	const struct secret *secret, unsigned char *ret_sealed)
{
	EVP_CIPHER_CTX *context = new_context();
	unsigned char *text = ret_sealed + SEAL_NONCE_LEN;
	int len, rest;
	assert(key->len == SEAL_KEY_LEN && secret->len <= SECRET_MAX);
	/* With valid arguments each of these fails for lack of memory only. */
	if (RAND_bytes(ret_sealed, SEAL_NONCE_LEN) != 1 ||
		EVP_EncryptInit_ex2(context, EVP_aes_256_gcm(), key->bytes, ret_sealed, NULL) !=
			1 ||
		EVP_EncryptUpdate(context, NULL, &len, associated, (int)associated_len) != 1 ||
		EVP_EncryptUpdate(context, text, &len, secret->bytes, (int)secret->len) != 1 ||
		EVP_EncryptFinal_ex(context, text + len, &rest) != 1 ||
		EVP_CIPHER_CTX_ctrl(
			context, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_LEN, text + secret->len) != 1)
		abort();
	EVP_CIPHER_CTX_free(context); /* wipes the key schedule */
}

int seal_open(const struct secret *key, const void *associated, size_t associated_len,
	const unsigned char *sealed, size_t len, struct secret *ret_secret, struct err *err)
{
	unsigned char tag[SEAL_TAG_LEN];
	int got, rest;
	if (len <= SEAL_EXTRA || len - SEAL_EXTRA > SECRET_MAX || key->len != SEAL_KEY_LEN)
		return err_set(err, ERR_STORE, "not a sealed value: %zu bytes", len);
	size_t text_len = len - SEAL_EXTRA;
	const unsigned char *text = sealed + SEAL_NONCE_LEN;
	memcpy(tag, text + text_len, sizeof(tag));
	struct secret opened = SECRET_INIT;
	secret_set(&opened, text, text_len); /* room inside the arena; decrypted in place */
	EVP_CIPHER_CTX *context = new_context();
	bool is_good =
		EVP_DecryptInit_ex2(context, EVP_aes_256_gcm(), key->bytes, sealed, NULL) == 1 &&
		EVP_DecryptUpdate(context, NULL, &got, associated, (int)associated_len) == 1 &&
		EVP_DecryptUpdate(context, opened.bytes, &got, opened.bytes, (int)text_len) == 1 &&
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_LEN, tag) == 1 &&
		EVP_DecryptFinal_ex(context, opened.bytes + got, &rest) == 1;
	EVP_CIPHER_CTX_free(context);
	if (!is_good) {
		secret_clear(&opened);
		return err_set(err, ERR_STORE,
			"it was sealed under another key or for another record, or was changed");
	}
	secret_move(ret_secret, &opened);
	return 0;
}
