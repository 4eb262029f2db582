/*
 * Several writes in one transaction and one sync, each with its own outcome. LMDB's nested
 * transactions would isolate a failing write at the price of 2 MB of memory each; failing is rare,
 * so the group is rolled back and run again without it instead.
 */
#include <assert.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/store_internal.h"

/* Whoever cancels a write waits for its group, and a first one's done for the last one's run. */
enum { GROUP_RUN_US = 50000 };

enum pass {
	PASS_COMMITTED,
	PASS_AGAIN, /* the map has grown, or a failed write is left out */
	PASS_FAILED,
};

/* Runs the writes that have not failed, until one fails or the time is used up. Returns how many it
 * went over; *ret_failed: the one that failed, or NULL. */
static size_t run_writes(struct store_txn *txn, struct group_write *const *write, size_t count,
	struct group_write **ret_failed)
{
	int64_t end_us = clock_mono_us() + GROUP_RUN_US;
	*ret_failed = NULL;
	size_t i = 0;
	while (i < count) {
		struct group_write *one = write[i++];
		if (one->is_failed)
			continue;
		one->write(txn, one->arg);
		if (store_txn_failed(txn)) {
			*ret_failed = one;
			break;
		}
		if (clock_mono_us() >= end_us)
			break;
	}
	return i;
}

static enum pass run_pass(struct store *store, struct group_write *const *write, size_t count,
	size_t *ret_handled, struct err *err)
{
	struct store_txn txn;
	if (txn_begin(store, true, &txn, err) != 0)
		return PASS_FAILED;
	struct group_write *failed;
	size_t handled = run_writes(&txn, write, count, &failed);
	if (failed == NULL) {
		bool is_map_full;
		if (txn_commit(&txn, &is_map_full, err) == 0) {
			*ret_handled = handled;
			return PASS_COMMITTED;
		}
		return is_map_full && env_grow(store, err) == 0 ? PASS_AGAIN : PASS_FAILED;
	}
	enum txn_cause cause = txn.cause;
	struct err why = txn.err;
	txn_abort(&txn);
	switch (cause) {
	case TXN_MAP_FULL:
		return env_grow(store, err) == 0 ? PASS_AGAIN : PASS_FAILED;
	case TXN_ENVIRONMENT:
		*err = why;
		return PASS_FAILED;
	case TXN_CALLER:
		failed->is_failed = true;
		failed->err = why;
		return PASS_AGAIN;
	case TXN_FINE:
		break;
	}
	assert(false);
	return PASS_FAILED;
}

size_t group_run(struct store *store, struct group_write *const *write, size_t count)
{
	assert(count > 0);
	struct err err = ERR_INIT;
	size_t handled = count;
	enum pass pass;
	do
		pass = run_pass(store, write, count, &handled, &err);
	while (pass == PASS_AGAIN);

	int64_t written = 0, failed = 0;
	for (size_t i = 0; i < handled; i++) {
		if (!write[i]->is_failed && pass == PASS_FAILED) {
			write[i]->is_failed = true;
			write[i]->err = err;
			failed++;
		} else if (!write[i]->is_failed) {
			written++;
		}
	}
	pthread_mutex_lock(&store->counts_mutex);
	store->counts.writes += written;
	store->counts.failed_writes += failed;
	pthread_mutex_unlock(&store->counts_mutex);
	if (pass == PASS_COMMITTED)
		(void)epoch_note(
			store, false, &err); /* going back is noticed less surely, no more */
	return handled;
}

int store_write_now(struct store *store, store_write_fn *write, void *arg, struct err *err)
{
	assert(store->open_reads == 0); /* the map could not grow */
	queue_wait(store->queue);
	struct group_write one = {.write = write, .arg = arg, .err = ERR_INIT};
	struct group_write *const list[] = {&one};
	group_run(store, list, 1);
	if (!one.is_failed)
		return 0;
	*err = one.err;
	return -1;
}
