/*
 * Digests. The context and the fetched methods are the only global state of the simulator: fetching
 * them for each of the four hashes of a request would cost more than the hashing.
 */
#include "tests/awssim/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { HMAC_BLOCK = 64 };

static EVP_MD_CTX *context; /* owned, for the life of the process */

static const EVP_MD *method(const char *name, EVP_MD **slot)
{
	if (*slot == NULL)
		*slot = EVP_MD_fetch(NULL, name, NULL);
	if (context == NULL)
		context = EVP_MD_CTX_new();
	if (*slot == NULL || context == NULL)
		abort();
	return *slot;
}

/* Hashes two pieces, so that HMAC needs no joined copy. */
static void hash(const EVP_MD *md, const void *head, size_t head_len, const void *tail,
	size_t tail_len, unsigned char *ret_hash)
{
	unsigned len = 0;
	if (EVP_DigestInit_ex(context, md, NULL) != 1 ||
		EVP_DigestUpdate(context, head, head_len) != 1 ||
		EVP_DigestUpdate(context, tail, tail_len) != 1 ||
		EVP_DigestFinal_ex(context, ret_hash, &len) != 1)
		abort();
}

static EVP_MD *sha1_method, *sha256_method, *sha384_method; /* owned, as context */

void digest_sha1(const void *bytes, size_t len, unsigned char ret_hash[20])
{
	hash(method("SHA1", &sha1_method), bytes, len, "", 0, ret_hash);
}

void digest_sha256(const void *bytes, size_t len, unsigned char ret_hash[SHA256_LEN])
{
	hash(method("SHA256", &sha256_method), bytes, len, "", 0, ret_hash);
}

void digest_sha384(const void *bytes, size_t len, unsigned char ret_hash[SHA384_LEN])
{
	hash(method("SHA384", &sha384_method), bytes, len, "", 0, ret_hash);
}

void digest_hmac(const void *key, size_t key_len, const void *bytes, size_t len,
	unsigned char ret_mac[SHA256_LEN])
{
	const EVP_MD *md = method("SHA256", &sha256_method);
	unsigned char block[HMAC_BLOCK] = {0}, inner[SHA256_LEN];
	if (key_len > HMAC_BLOCK)
		digest_sha256(key, key_len, block);
	else if (key_len > 0)
		memcpy(block, key, key_len);
	for (size_t i = 0; i < HMAC_BLOCK; i++)
		block[i] ^= 0x36;
	hash(md, block, HMAC_BLOCK, bytes, len, inner);
	for (size_t i = 0; i < HMAC_BLOCK; i++)
		block[i] ^= 0x36 ^ 0x5c;
	hash(md, block, HMAC_BLOCK, inner, SHA256_LEN, ret_mac);
}
