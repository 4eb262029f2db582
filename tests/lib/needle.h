/*
 * A secret that a test can search all writable memory for. It is made from a seed and compared
 * byte by byte with what the seed makes, so the search leaves no copy of its own to be found.
 * Stacks are not searched: what a call leaves there is overwritten by the next calls.
 */
#ifndef TESTS_LIB_NEEDLE_H
#define TESTS_LIB_NEEDLE_H

#include <stddef.h>

enum { NEEDLE_LEN = 64 };

/* Letters and digits of the needle, and a NUL. Keep it on the stack. */
void needle_make(unsigned seed, char ret_text[NEEDLE_LEN + 1]);

/* How often it is in memory. The first 16 bytes are not compared: free() of the C library
 * overwrites as many and would hide the rest. */
size_t needle_count(unsigned seed);

#endif
