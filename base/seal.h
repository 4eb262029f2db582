/*
 * Sealing: AES-256-GCM with associated data. What is sealed can be opened with the same key and the
 * same associated data only; anything changed, in either, is found.
 *
 * Sealed bytes are nonce, ciphertext, tag. The nonce is random, so one key may seal 2^32 times.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct seal;
struct secret;

enum {
	SEAL_KEY_LEN = 32,
	SEAL_NONCE_LEN = 12,
	SEAL_TAG_LEN = 16,
	SEAL_OVERHEAD = SEAL_NONCE_LEN + SEAL_TAG_LEN,
};

/* The cipher, fetched once; holds no key between calls. One thread, as all that holds secrets.
 * ERR_SYSTEM: this OpenSSL has no AES-256-GCM. */
struct seal *seal_new(struct err *err);
void seal_free(struct seal *seal); /* NULL is fine */

/* SEAL_KEY_LEN random bytes. ERR_SYSTEM: no randomness. */
int seal_make_key(struct secret *ret_key, struct err *err);

/* What is bound to a secret: borrowed, may be empty. */
struct seal_context {
	const void *bytes;
	size_t len;
};

/*
 * key         SEAL_KEY_LEN bytes, anything else is a bug
 * ret_sealed  secret->len + SEAL_OVERHEAD bytes
 * errors      ERR_SYSTEM: OpenSSL failed or gave no randomness; ret_sealed holds rubbish then
 * source      NIST SP 800-38D, 96-bit random nonces (8.2.2)
 */
int seal_close(struct seal *seal, const struct secret *key, struct seal_context context,
	const struct secret *secret, unsigned char *ret_sealed, struct err *err);

/* false: another key, another context, or not the bytes that seal_close made. */
bool seal_open(struct seal *seal, const struct secret *key, struct seal_context context,
	const unsigned char *sealed, size_t len, struct secret *ret_secret);

#endif
