/*
 * What the files of store/ share: the environment and its tables, and transactions that keep their
 * first failure. Only these files see LMDB.
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include <limits.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/machine.h"
#include "store/store.h"

enum store_table {
	TABLE_META,
	TABLE_ACCOUNTS,
	TABLE_UNITS,
	TABLE_CYCLES,
	TABLE_COVERAGE,
	TABLE_CERTS,
	TABLE_CERT_FINGERPRINT,
	TABLE_CERT_EXPIRY,
	TABLE_CERT_DOMAIN,
	TABLE_HISTORY,
	TABLE_PEM,
	TABLE_EVENTS,
	/* Since schema 2. A reader does without them, and those below, in an older store. */
	TABLE_VAULT,
	TABLE_PLANS,
	TABLE_JOBS,
	TABLE_JOBS_RUNNING, /* index */
	TABLE_JOB_LEAF,	    /* index */
	TABLE_JOB_STEPS,
	TABLE_VAULT_NEEDS,
	/* Since schema 3. */
	TABLE_ALERTS,
	TABLE_ALERT_NOTICES,
	TABLE_ALERT_CHANNELS,
	STORE_TABLES
};

enum {
	STORE_TABLES_FIRST = TABLE_VAULT, /* those before it are in every store */
	STORE_TABLES_MAX = 32,		  /* room for later schemas */
	STORE_READERS_MAX = 512,	  /* a slot takes 64 bytes of the lock file */
	STORE_RECORD_MAX =
		1 << 20, /* bytes; a certificate with 4,096 names of 253 bytes fits nearly */
};

#define TABLE_ABSENT UINT_MAX /* in place of a handle: nothing is found in it */

struct key;
struct store_queue;

/* Of committed writes; see struct store_stats. */
struct store_counts {
	int64_t commits, writes, records_written;
	int64_t last_commit_us, longest_commit_us, commit_us, run_us;
	int64_t failed_writes;
};

struct store {
	struct loop *loop; /* borrowed; NULL: nothing can be queued */
	char *data_dir;	   /* owned */
	char *file;	   /* owned; data_dir/store.mdb */
	bool is_read_only;
	const unsigned char *machine; /* borrowed while it is opened; NULL: not known */
	const char *restored_from;    /* borrowed while it is opened; NULL: it is not a copy */
	int lock_fd;		      /* -1: none (read-only) */
	int epoch_fd;		      /* -1: none (read-only) */
	MDB_env *env;		      /* owned; NULL after it broke and could not be opened again */
	MDB_dbi table[STORE_TABLES];
	int64_t map_bytes;
	/* Shared while a transaction is open, in whichever thread; exclusive while the map moves or
	 * the environment is opened again. Guards env and map_bytes. */
	pthread_rwlock_t map_lock;
	unsigned open_reads;	   /* of store_read_begin, in the loop's thread */
	struct store_queue *queue; /* owned; NULL without a loop */
	uint64_t epoch;
	/* Of the write that runs: one at a time, in the queue's thread or while it rests. */
	uint64_t noted_sequence; /* in the side file */
	struct buf scratch;	 /* record under construction */
	struct buf scratch_old;	 /* copy of the record that it replaces */
	pthread_mutex_t counts_mutex;
	struct store_counts counts; /* guarded by it */
};

/* --- environment: env.c ---------------------------------------------------------------------- */

const char *table_name(enum store_table table);

/* Opens data_dir/store.mdb; tables are opened apart, because that needs a transaction. */
int env_open(struct store *store, int64_t map_bytes, struct err *err);
void env_close(struct store *store);
/* Opens all tables within txn; flags: MDB_CREATE or 0, which leaves TABLE_ABSENT for later ones
 * that are not there. Returns LMDB's code. */
int env_open_tables(struct store *store, MDB_txn *mdb, unsigned flags);
/* A larger map, doubled up to steps of 1 GiB. Waits for the reads that are open; none of them may
 * be the caller's. */
int env_grow(struct store *store, struct err *err);
/*
 * Begins a transaction; adopts a map that another process grew, clears dead readers, opens a broken
 * environment again. flags: MDB_RDONLY or 0. A read does the last two only when nobody else is in a
 * transaction; a write waits for that. After LMDB's commit or abort comes env_end.
 */
int env_begin(struct store *store, unsigned flags, MDB_txn **ret_mdb, struct err *err);
void env_end(struct store *store);
/*
 * LMDB and system errors in our terms, naming the file. Returns -1. env_fail may try whether the
 * disk is full, at the end of the file: for the one who writes; env_fail_reading does not.
 */
int env_fail(const struct store *store, int rc, const char *what, struct err *err);
int env_fail_reading(const struct store *store, int rc, const char *what, struct err *err);
/* Whether rc speaks of the disk or the environment rather than of one record or write. */
bool env_is_broken_by(int rc);
/* Makes the file as long as its last page, so that no read of the map ends behind the file. */
void env_pad_file(const struct store *store);

/* --- transactions: txn.c --------------------------------------------------------------------- */

enum txn_cause {
	TXN_FINE,
	TXN_CALLER,	 /* store_txn_fail, a damaged record, a limit: this write alone */
	TXN_MAP_FULL,	 /* grow and run again */
	TXN_ENVIRONMENT, /* disk full, I/O: nobody of the group can go on */
};

struct store_txn {
	struct store *store; /* borrowed */
	MDB_txn *mdb;	     /* owned until commit or abort */
	bool is_write;
	int64_t begun_us;     /* monotonic */
	int64_t changes;      /* entries put and deleted */
	enum txn_cause cause; /* of the first failure */
	struct err err;	      /* the first failure */
	/* Read-only: one a table, made when first needed, so that a walk does not seek for every
	 * entry. In a write every walk seeks: a cursor would have to follow the changes. */
	MDB_cursor *cursor[STORE_TABLES]; /* owned */
};

struct slice {
	const unsigned char
		*bytes; /* borrowed: in the map, until the next change or the end of txn */
	size_t len;
};

/* Both kinds also in the queue's thread; store_read_begin and _end are for the loop's. */
int txn_begin(struct store *store, bool is_write, struct store_txn *txn, struct err *err);
void txn_abort(struct store_txn *txn);
/* Consumes the transaction also when it fails; *ret_is_map_full: to be run again after env_grow. */
int txn_commit(struct store_txn *txn, bool *ret_is_map_full, struct err *err);

/* All of these do nothing and find nothing in a failed transaction. */
bool txn_get(struct store_txn *txn, enum store_table table, const struct key *key,
	struct slice *ret_value);
void txn_put(struct store_txn *txn, enum store_table table, const struct key *key,
	const void *value, size_t len);
/* For keys that only grow: fills pages to the brim. */
void txn_append(struct store_txn *txn, enum store_table table, const struct key *key,
	const void *value, size_t len);
void txn_delete(struct store_txn *txn, enum store_table table, const struct key *key);
/* Deletes every entry of the table. */
void txn_clear(struct store_txn *txn, enum store_table table);
/* First entry with a key above `after` (with is_inclusive: at or above). Empty key: the first. */
bool txn_seek(struct store_txn *txn, enum store_table table, const struct key *after,
	bool is_inclusive, struct slice *ret_key, struct slice *ret_value);
/* Last entry with a key at or below `to`; an empty key: the last of all. */
bool txn_seek_back(struct store_txn *txn, enum store_table table, const struct key *to,
	struct slice *ret_key, struct slice *ret_value);
/* Entries of a table. */
int64_t txn_count(struct store_txn *txn, enum store_table table);

/* Sticky failure: a record that cannot be what was written. what: "version 9 is not known". */
void txn_fail_damaged(
	struct store_txn *txn, enum store_table table, struct slice key, const char *what);
/* Sticky failure that LMDB answered; verb: "read". */
void txn_fail_mdb(
	struct store_txn *txn, int rc, const char *verb, enum store_table table, struct slice key);

/* --- records under keys: entry.c ------------------------------------------------------------- */

struct record_format;

/* Encodes and puts; what does not fit fails the transaction. record may point into the map. */
void entry_put(struct store_txn *txn, enum store_table table, const struct key *key,
	const struct record_format *format, const void *record);
/* Encodes into bytes and decodes from there: ret_record is what a reader will see (no NULL text),
 * and stays when the map moves. bytes: initialized; lives as long as ret_record. */
bool entry_copy(struct store_txn *txn, const struct record_format *format, const void *record,
	struct buf *bytes, void *ret_record);
/* Decodes what was read; a damaged one fails the transaction, naming table and key. ret_record is
 * in no defined state then: callers decode into a copy. */
bool entry_decode(struct store_txn *txn, enum store_table table, struct slice key,
	struct slice value, const struct record_format *format, void *ret_record);
bool entry_get(struct store_txn *txn, enum store_table table, const struct key *key,
	const struct record_format *format, void *ret_record);
/* The next record of a walk over the keys that begin with prefix (empty: all). position: size
 * bytes, "" to begin, moved on. The keys are texts. */
bool entry_next(struct store_txn *txn, enum store_table table, const struct key *prefix,
	char *position, size_t size, const struct record_format *format, void *ret_record);
/* Deletes everything under prefix. */
void entry_delete_all(struct store_txn *txn, enum store_table table, const struct key *prefix);

/* --- groups of writes: group.c --------------------------------------------------------------- */

struct group_write {
	store_write_fn *write;
	void *arg; /* borrowed */
	bool is_failed;
	struct err err; /* when is_failed */
};

/*
 * Runs writes in one transaction and commits it. Each has its outcome afterwards. Returns how many
 * of the first ones were handled: at least one, fewer than count when running them took long.
 */
size_t group_run(struct store *store, struct group_write *const *write, size_t count);

/* --- queue: queue.c (tests replace it by tests/lib/fake_store_queue.c) ----------------------- */

struct store_queue *queue_new(struct store *store, struct err *err); /* ERR_SYSTEM: no thread */
/* Commits what is queued, without calling done. */
void queue_free(struct store_queue *queue);
/* Until no write runs. NULL is fine. */
void queue_wait(struct store_queue *queue);
/* What of the statistics is the queue's. */
void queue_get_stats(const struct store_queue *queue, struct store_stats *stats);

/* What root makes in the daemon's folder is the daemon's, or it could not start any more. */
void store_give_files_to_owner(const char *data_dir);

/* --- opening: lock.c, migrate.c, migrations.c, epoch.c --------------------------------------- */

/* Makes the folder when it is missing; ERR_STORE names the process that holds it. */
int lock_take(struct store *store, struct err *err);

/* A step of the schema; runs inside the one transaction of the whole migration. */
typedef void migration_fn(struct store_txn *txn);
struct migration {
	uint32_t from, to;
	migration_fn *run;
};
extern const struct migration migrations[]; /* ends with run NULL */

/* Creates, migrates or refuses; opens the tables. */
int migrate_open(struct store *store, struct err *err);

/* Meta records. */
bool meta_get_number(struct store_txn *txn, const char *name, uint64_t *ret_number);
void meta_put_number(struct store_txn *txn, const char *name, uint64_t number);
#define META_SCHEMA	  "schema"
#define META_EPOCH	  "epoch"
#define META_EVENTS	  "events"	 /* last sequence and hash */
#define META_EVENTS_BEGIN "events_begin" /* of the last one that retention dropped */

#define META_MACHINE "machine" /* who writes */
#define META_NAME    "name"    /* of the sensor */

/* --- identity.c --- */
/* true also when none is noted. */
bool identity_is_of_machine(struct store_txn *txn, const unsigned char *machine);
bool identity_has_machine(struct store_txn *txn);
void identity_put_machine(struct store_txn *txn, const unsigned char *machine);

/* Begins a new epoch when the store is not the one that the side file saw last. */
int epoch_open(struct store *store, struct err *err);
/* Notes the last event; after each commit, and with is_synced at open and close. */
int epoch_note(struct store *store, bool is_synced, struct err *err);
void epoch_close(struct store *store);

#endif
