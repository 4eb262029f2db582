/*
 * Secrets: a type that cannot be printed or forgotten.
 *
 * Bytes live in an arena of their own (mmap, left out of core dumps, locked into memory as far as
 * the limits allow; it grows), and are wiped when cleared. There is no function that formats a
 * secret; whoever needs the bytes (signing, a request body) names secret_bytes and answers for it.
 * Threads may use secrets side by side, each its own.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

enum { SECRET_MAX = 65536 }; /* an STS session token is 1 to 4 KiB today and may grow */

struct secret {
	unsigned char *bytes; /* owned, inside the arena; NULL while unset */
	size_t len;
};

#define SECRET_INIT                                                                                \
	{                                                                                          \
		.bytes = NULL                                                                      \
	}

/* Replaces the value by a copy of len bytes (at most SECRET_MAX; more is a bug). The arena keeps
 * a NUL behind it. */
void secret_set(struct secret *secret, const void *bytes, size_t len);
void secret_copy(struct secret *to, const struct secret *from);
void secret_move(struct secret *to, struct secret *from); /* from becomes unset */
void secret_clear(struct secret *secret);		  /* wipes; unset is fine */
bool secret_is_set(const struct secret *secret);
bool secret_equal(const struct secret *a, const struct secret *b); /* constant time for a length */

/* Borrowed, NUL-terminated, until the secret changes. "" while unset. */
const char *secret_bytes(const struct secret *secret);

/*
 * Makes the process undumpable and tells libxml2, jansson, OpenSSL and libevent to wipe what they
 * free. Call once, early in main, before any of these libraries is used.
 */
void secret_process_init(void);

#endif
