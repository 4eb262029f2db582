/*
 * Sealing: AES-256-GCM over a secret, with associated data that must be the same when it is opened.
 * A sealed value is nonce (12 bytes, random), ciphertext, tag (16 bytes). A key must not seal more
 * than 2^32 values (NIST SP 800-38D 8.3).
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include <stddef.h>

struct err;
struct secret;

enum { SEAL_KEY_LEN = 32, SEAL_NONCE_LEN = 12, SEAL_TAG_LEN = 16, SEAL_EXTRA = 28 };

/* A fresh key. */
void seal_key_make(struct secret *ret_key);

/* ret_sealed: secret's length + SEAL_EXTRA bytes. */
void seal_close(const struct secret *key, const void *associated, size_t associated_len,
	const struct secret *secret, unsigned char *ret_sealed);

/* ERR_STORE: not sealed by this key with this data, or changed since. */
int seal_open(const struct secret *key, const void *associated, size_t associated_len,
	const unsigned char *sealed, size_t len, struct secret *ret_secret, struct err *err);

#endif
