/*
 * SipHash-2-4: a keyed 64-bit hash for tables in memory. Fast on short texts, and who does not know
 * the key cannot make two texts meet. Not for anything that is stored or sent.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_KEY_LEN = 16 };

/* source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, section 2. */
uint64_t siphash(const unsigned char key[SIPHASH_KEY_LEN], const void *bytes, size_t len);

#endif
