/*
 * Whether the store is consistent with itself: every record decodes and lies under its own key,
 * every index entry has its record and every record its entries, certificates have their PEM and
 * their serial in the history, PEM has its hash, plans and jobs have their PEM and jobs that
 * delivered their entry, the event chain is whole.
 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include <stdint.h>

struct err;
struct store;

/* One sentence for people; borrowed for the call. */
typedef void store_check_fn(void *arg, const char *problem);

/*
 * Looks at everything in one read transaction (100,000 certificates: about two seconds; it blocks).
 * found: called for each problem, in no order to rely on. Returns 0 also when there are problems:
 * *ret_problems counts them. ERR_STORE or ERR_SYSTEM when LMDB itself cannot go on.
 */
int store_check(struct store *store, store_check_fn *found, void *arg, int64_t *ret_problems,
	struct err *err);

#endif
