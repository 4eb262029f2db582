/*
 * The store: one LMDB environment under data_dir, one writer (the daemon), any number of readers
 * that never block it. Record formats, keys, indexes and migrations live in this folder; policy
 * does not.
 *
 * Writing is asynchronous and grouped: store_write_start queues a function; the queue runs in one
 * transaction every STORE_GROUP_MS or STORE_GROUP_MAX writes, and `done` follows the fsync. After a
 * quiet time the first STORE_EARLY_GROUPS groups wait for nobody. The function runs in a thread of
 * the store while the loop goes on: what it reads must not change before done or cancel, which
 * waits for one that runs. It may be rolled back and run again (map growth, a neighbour's failure),
 * so it changes nothing but txn and what is its owner's alone until done. A failing write does not
 * fail its neighbours of the same group. A group whose functions have run for 50 ms is committed
 * before the rest.
 *
 * Reading: a transaction is opened, used and ended on the stack; it never crosses a wait. Values
 * read are views into the map and die with it; inside a write they die with the next change already
 * (what is passed to a put may still point into the map).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct store;
struct store_txn;
struct store_write;

enum {
	STORE_GROUP_MS = 50,
	STORE_GROUP_MAX = 256,
	STORE_EARLY_GROUPS = 8,
	STORE_SCHEMA = 4,
};

struct store_options {
	const char *data_dir; /* borrowed for store_open; made (0700) when missing */
	bool is_read_only;    /* for `--offline`: never creates, never migrates */
	int64_t map_bytes;    /* first size of the map; 0: default; it grows by itself */
	/* Of base/machine.h (borrowed for store_open); NULL: not known. A store that another
	 * machine wrote begins a new epoch: that one may go on with a copy. */
	const unsigned char *machine;
	const char *restored_from; /* what data_dir's store is a copy of (borrowed for store_open):
				      it must be a whole one, and begins a new epoch that says so;
				      NULL otherwise */
};

/*
 * Opens, creates or migrates. loop is borrowed (NULL allowed when nothing is queued). ERR_STORE:
 * locked by another daemon (names its pid), damaged, of a newer schema (both versions named);
 * ERR_STORE_FULL; ERR_SYSTEM (unreadable, read-only file system ...), each naming the path. Nothing
 * that was stored is changed on failure. A process may have one store open, and must not have it
 * open across fork.
 */
struct store *store_open(struct loop *loop, const struct store_options *options, struct err *err);
/* Commits what is queued first (their done is not called: owners have cancelled). Not from within a
 * done. NULL is fine. */
void store_close(struct store *store);

/* Does its work through txn, which keeps the first failure. arg: borrowed until done or cancel. */
typedef void store_write_fn(struct store_txn *txn, void *arg);
/* err: ERR_STORE_FULL, ERR_STORE, ERR_SYSTEM, or what the function set through store_txn_fail. */
typedef void store_done_fn(void *arg, const struct err *err);

struct store_write *store_write_start(struct store *store, store_write_fn *write, void *write_arg,
	store_done_fn *done, void *done_arg);
/* The write may or may not be in the store afterwards; never half of it. Blocks while its group
 * runs and commits: not while a read is open. */
void store_write_cancel(struct store_write *write);

/* Synchronous, alone in its transaction, while no read is open; for start, end and tests. */
int store_write_now(struct store *store, store_write_fn *write, void *arg, struct err *err);

/* ret_txn ends with store_read_end on every path. */
int store_read_begin(struct store *store, struct store_txn **ret_txn, struct err *err);
void store_read_end(struct store_txn *txn); /* NULL is fine */

/* The first failure of a transaction; reads and writes after it do nothing and find nothing. The
 * function that works through it may fail it, too: with err, or one of that kind and text. */
bool store_txn_failed(const struct store_txn *txn);
void store_txn_fail(struct store_txn *txn, const struct err *err);
void store_txn_fail_as(struct store_txn *txn, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* 0, or -1 with the first failure. */
int store_txn_check(const struct store_txn *txn, struct err *err);

/*
 * Copies the whole store, compacted and consistent, into a new file (0600) while the daemon goes on
 * writing. Blocks: run by the CLI in its own process, on a read-only store. ERR_CONFIG when the
 * file exists; ERR_STORE_FULL and ERR_SYSTEM name it, and it is removed. To restore:
 * store_restore.
 */
int store_backup(struct store *store, const char *file, struct err *err);

struct store_stats {
	int64_t used_bytes, map_bytes, file_bytes;
	/*
	 * Since it was opened. records_written: entries of all tables, put or deleted, so that a
	 * certificate with its indexes is several; run_us: in the functions of committed writes;
	 * commit_us: in their commits, which wait for the disk.
	 */
	int64_t commits, writes, records_written;
	int64_t last_commit_us, longest_commit_us, commit_us, run_us;
	int64_t failed_writes;	      /* that the store could not take: full, broken, read-only */
	int64_t certificates, events; /* records */
	uint64_t last_event;	      /* its sequence; 0: none */
	int64_t last_event_s;	      /* its time; 0: none */
	int64_t waiting_writes, oldest_write_ms; /* not stored yet; how long the first has waited */
	int64_t disk_free_bytes, disk_bytes; /* of its file system, for this user; 0: not known */
	int readers;
	uint64_t epoch; /* random; renewed when the store was restored or went back in time */
};
int store_get_stats(struct store *store, struct store_stats *ret_stats, struct err *err);

/* Notes the sensor's name, not empty. *ret_former: the other name that it had before, owned; NULL:
 * none. Synchronous, as store_write_now. */
int store_note_name(struct store *store, const char *name, char **ret_former, struct err *err);

const char *store_library_version(void); /* "0.9.24"; shared static */

/* Gives back the pages that LMDB keeps for the next write, by opening the environment again; before
 * a long pause. Does nothing while a transaction is open. */
void store_rest(struct store *store);

/* A reader of another process that was killed keeps pages from being used again, so that the file
 * grows to the end of the map. This frees them; cheap. */
void store_forget_dead_readers(struct store *store);

#endif
