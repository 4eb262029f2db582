/* SHA-256, SHA-384 and HMAC-SHA-256 through one fetched digest and one reused context each. */
#ifndef TESTS_AWSSIM_DIGEST_H
#define TESTS_AWSSIM_DIGEST_H

#include <stddef.h>

enum { SHA256_LEN = 32, SHA384_LEN = 48 };

void digest_sha256(const void *bytes, size_t len, unsigned char ret_hash[SHA256_LEN]);
void digest_sha384(const void *bytes, size_t len, unsigned char ret_hash[SHA384_LEN]);
void digest_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
	unsigned char ret_mac[SHA256_LEN]);
void digest_sha1(const void *bytes, size_t len, unsigned char ret_hash[20]);

#endif
