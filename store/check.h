/*
 * Whether the store is consistent with itself: every record decodes and lies under its own key,
 * every index entry has its record and every record its entries, certificates have their PEM and
 * their serial in the history, PEM has its hash, plans and jobs have their PEM and jobs that
 * delivered their entry, alerts are under their own ids, the event chain is whole.
 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct store;

/* problem: one sentence for people; borrowed for the call. is_of_index: store_repair_indexes mends
 * it. */
typedef void store_check_fn(void *arg, const char *problem, bool is_of_index);

/*
 * Looks at everything in one read transaction (100,000 certificates: about two seconds; it blocks).
 * found: called for each problem, in no order to rely on. Returns 0 also when there are problems:
 * *ret_problems counts them. ERR_STORE or ERR_SYSTEM when LMDB itself cannot go on.
 */
int store_check(struct store *store, store_check_fn *found, void *arg, int64_t *ret_problems,
	struct err *err);

/*
 * Makes every index anew from the records that it is an index of, in one write. Records that are
 * damaged are in no index afterwards. Blocks as store_check does; no daemon runs.
 */
int store_repair_indexes(struct store *store, struct err *err);

struct store_mended {
	int64_t found;	  /* problems, each of which was handed to found */
	int64_t repaired; /* of them; those of indexes */
	int64_t left;	  /* records that only a backup or the next cycle brings back */
};
/* store_check; then, when an index has a problem, store_repair_indexes and a second look. */
int store_mend(struct store *store, store_check_fn *found, void *arg,
	struct store_mended *ret_mended, struct err *err);

#endif
