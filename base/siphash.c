/* SipHash-2-4; the names v0 to v3 and the constants are the paper's. */
#include "base/siphash.h"

#include <endian.h>
#include <string.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t number, unsigned bits)
{
	return number << bits | number >> (64 - bits);
}

static void mix(struct sip *sip, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		sip->v0 += sip->v1;
		sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
		sip->v0 = rotate(sip->v0, 32);
		sip->v2 += sip->v3;
		sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
		sip->v0 += sip->v3;
		sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
		sip->v2 += sip->v1;
		sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
		sip->v2 = rotate(sip->v2, 32);
	}
}

static void take_word(struct sip *sip, uint64_t word)
{
	sip->v3 ^= word;
	mix(sip, 2);
	sip->v0 ^= word;
}

static uint64_t read_word(const unsigned char *bytes)
{
	uint64_t little;
	memcpy(&little, bytes, sizeof(little));
	return le64toh(little);
}

uint64_t siphash(const unsigned char key[SIPHASH_KEY_LEN], const void *bytes, size_t len)
{
	uint64_t k0 = read_word(key), k1 = read_word(key + sizeof(uint64_t));
	struct sip sip = {.v0 = k0 ^ UINT64_C(0x736f6d6570736575),
		.v1 = k1 ^ UINT64_C(0x646f72616e646f6d),
		.v2 = k0 ^ UINT64_C(0x6c7967656e657261),
		.v3 = k1 ^ UINT64_C(0x7465646279746573)};
	const unsigned char *at = bytes;
	size_t left = len;
	for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), at += sizeof(uint64_t))
		take_word(&sip, read_word(at));
	unsigned char last[sizeof(uint64_t)] = {0};
	if (left > 0)
		memcpy(last, at, left);
	last[sizeof(last) - 1] = (unsigned char)len; /* its lowest byte, as the paper says */
	take_word(&sip, read_word(last));
	sip.v2 ^= 0xff;
	mix(&sip, 4);
	return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}
