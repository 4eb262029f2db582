/*
 * The threads of base/resolve. Private to resolve*.c.
 *
 * A pool is used from the loop's thread only; what it shares with its own threads is inside. A
 * lookup goes in by name and comes out answered, in any order. Closing the pool waits for no
 * lookup: threads that are stuck in one keep the shared part alive, and the last one frees it.
 */
#ifndef BASE_RESOLVE_INTERNAL_H
#define BASE_RESOLVE_INTERNAL_H

#include <sys/queue.h>

#include "base/resolve.h"

struct lookup {
	STAILQ_ENTRY(lookup) link;
	char *host;	  /* owned */
	char *addresses;  /* owned; NULL: none, see below; form of resolve_done_fn */
	int gai_error;	  /* EAI_*; 0 without addresses: the name has none that can be used */
	int system_error; /* errno of EAI_SYSTEM */
};

struct lookup_pool;

struct lookup_pool *lookup_pool_new(resolve_lookup_fn *function, struct err *err); /* ERR_SYSTEM */
void lookup_pool_close(struct lookup_pool *pool);

/* host: copied. Where no thread can be made at all, the lookup comes back with EAI_SYSTEM. */
void lookup_pool_submit(struct lookup_pool *pool, const char *host);

/* The next answered lookup (owned by the caller), or NULL. */
struct lookup *lookup_pool_take(struct lookup_pool *pool);
void lookup_free(struct lookup *lookup);

/* Readable while answers may wait; lookup_pool_take clears it. Borrowed. */
int lookup_pool_fd(const struct lookup_pool *pool);

#endif
