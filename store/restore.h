/*
 * Puts a backup in the place of the store, while no daemon runs.
 *
 * The backup is copied beside, opened there (which migrates it), checked and mended, and begins a
 * new epoch that says what it was restored from. Only then one rename puts it in place; before, the
 * store that is replaced gets a second name. Whatever ends this in the middle, a kill or a full
 * disk, either store is whole and in place; what is left over goes with the next attempt.
 *
 * The keys of the vault are not in a backup: what was sealed under a master key that has been
 * destroyed since stays closed.
 */
#ifndef STORE_RESTORE_H
#define STORE_RESTORE_H

#include "store/check.h"
#include "store/store.h"

struct store_restored {
	char *kept_as; /* owned; the store that was replaced; NULL: there was none */
	struct store_mended mended;
	struct store_stats stats; /* of the restored store */
};

/*
 * data_dir  made when missing, as by store_open
 * file      read only; a backup, or a store.mdb that nobody writes to
 * found     as for store_check; a store with problems is restored all the same
 * errors    ERR_STORE: a daemon runs (names its pid), file is not a store, is empty or incomplete,
 *           of a newer schema; ERR_STORE_FULL, ERR_SYSTEM. The store is as it was then.
 */
int store_restore(const char *data_dir, const char *file, store_check_fn *found, void *arg,
	struct store_restored *ret_restored, struct err *err);
void store_restored_clear(struct store_restored *restored);

#endif
