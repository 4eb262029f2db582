/*
 * The parts of a query: ranges of an index to walk, collecting for orders without an index, and
 * remembering what was given.
 */
#ifndef STORE_CERT_QUERY_INTERNAL_H
#define STORE_CERT_QUERY_INTERNAL_H

#include "base/siphash.h"
#include "store/cert_query.h"
#include "store/key_internal.h"
#include "store/store_internal.h"

/* --- ranges: cert_ranges.c ------------------------------------------------------------------- */

struct cert_range {
	struct key low;	 /* inclusive */
	struct key high; /* exclusive; empty: to the end */
};

struct cert_ranges {
	enum store_table table;	  /* certs or one of its indexes */
	struct cert_range *range; /* owned; without overlap */
	size_t count, capacity;
	bool is_unique;		    /* no certificate has two entries in them */
	bool is_in_order_of_expiry; /* walked from the first to the last */
	bool is_in_order_of_arn;
};

/* The narrowest ranges that hold every match. Those by place depend on what regions txn sees. */
void cert_ranges_make(struct store_txn *txn, const struct cert_filter *filter, enum cert_sort sort,
	struct cert_ranges *ret);
void cert_ranges_clear(struct cert_ranges *ranges);

/* --- collecting: cert_collect.c -------------------------------------------------------------- */

struct cert_collection {
	unsigned char *bytes; /* owned; of each item its sort key and its ARN */
	size_t len, capacity;
	struct cert_item *item; /* owned */
	size_t count, item_capacity;
};

void cert_collection_add(
	struct cert_collection *collection, enum cert_sort sort, const struct cert_record *record);
/* Sorts, and drops what was collected twice (is_unique false): the last one stays. */
void cert_collection_sort(struct cert_collection *collection, bool is_unique);
struct key cert_collection_arn(const struct cert_collection *collection, size_t i);
void cert_collection_clear(struct cert_collection *collection);

/* --- remembering: arn_set.c ------------------------------------------------------------------ */

/*
 * ARNs as keyed 64-bit hashes, 11 to 22 bytes each, nothing before the first. Two ARNs of 100,000
 * have the same hash, so that one is taken for the other, with a chance of 3e-10.
 */
struct arn_set {
	uint64_t *slot; /* owned; 0: free */
	size_t size, count;
	unsigned char key[SIPHASH_KEY_LEN]; /* random, made by the first add */
};

bool arn_set_add(struct arn_set *set, const char *arn); /* false: it was in it */
bool arn_set_has(const struct arn_set *set, const char *arn);
void arn_set_clear(struct arn_set *set);

#endif
