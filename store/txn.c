/*
 * Transactions that keep their first failure, so that a function that reads and writes twenty
 * records asks once at the end.
 */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/key_internal.h"
#include "store/store_internal.h"

enum { KEY_TEXT_MAX = 160 }; /* of a key in an error; an ARN takes about 90 */

/* --- failures -------------------------------------------------------------------------------- */

bool store_txn_failed(const struct store_txn *txn)
{
	return txn->cause != TXN_FINE;
}

void store_txn_fail(struct store_txn *txn, const struct err *err)
{
	if (txn->cause != TXN_FINE)
		return;
	txn->cause = TXN_CALLER;
	txn->err = *err;
}

int store_txn_check(const struct store_txn *txn, struct err *err)
{
	if (txn->cause == TXN_FINE)
		return 0;
	*err = txn->err;
	return -1;
}

void store_txn_fail_as(struct store_txn *txn, enum err_kind kind, const char *format, ...)
{
	struct err err = ERR_INIT;
	va_list args;
	va_start(args, format);
	err_vset(&err, kind, format, args);
	va_end(args);
	store_txn_fail(txn, &err);
}

/* Readable keys as they are, others (hashes, numbers) in hexadecimal. */
static void format_key(struct slice key, char text[KEY_TEXT_MAX])
{
	struct buf escaped;
	buf_init(&escaped, (size_t)KEY_TEXT_MAX * 8);
	size_t readable = 0;
	while (readable < key.len && (key.bytes[readable] >= ' ' || key.bytes[readable] == 1) &&
		key.bytes[readable] < 0x7f)
		readable++;
	if (readable == key.len) {
		text_escape(&escaped, (const char *)key.bytes, key.len, KEY_TEXT_MAX);
	} else {
		char hex[2 * KEY_MAX + 1];
		text_hex(key.bytes, key.len < KEY_MAX ? key.len : KEY_MAX, hex);
		buf_add_text(&escaped, hex);
	}
	text_copy(text, KEY_TEXT_MAX, buf_text(&escaped));
	buf_clear(&escaped);
}

void txn_fail_damaged(
	struct store_txn *txn, enum store_table table, struct slice key, const char *what)
{
	char text[KEY_TEXT_MAX];
	format_key(key, text);
	store_txn_fail_as(txn, ERR_STORE, "store %s: table %s, key \"%s\": %s", txn->store->file,
		table_name(table), text, what);
}

void txn_fail_mdb(
	struct store_txn *txn, int rc, const char *verb, enum store_table table, struct slice key)
{
	if (txn->cause != TXN_FINE)
		return;
	char text[KEY_TEXT_MAX], what[KEY_TEXT_MAX + 64];
	format_key(key, text);
	snprintf(what, sizeof(what), "cannot %s table %s, key \"%s\"", verb, table_name(table),
		text);
	if (txn->is_write)
		env_fail(txn->store, rc, what, &txn->err);
	else
		env_fail_reading(txn->store, rc, what, &txn->err);
	if (rc == MDB_MAP_FULL)
		txn->cause = TXN_MAP_FULL;
	else
		txn->cause = env_is_broken_by(rc) ? TXN_ENVIRONMENT : TXN_CALLER;
}

/* --- begin and end --------------------------------------------------------------------------- */

int txn_begin(struct store *store, bool is_write, struct store_txn *txn, struct err *err)
{
	assert(!is_write || !store->is_read_only);
	MDB_txn *mdb;
	if (env_begin(store, is_write ? 0 : MDB_RDONLY, &mdb, err) != 0)
		return -1;
	*txn = (struct store_txn){.store = store,
		.mdb = mdb,
		.is_write = is_write,
		.begun_us = is_write ? clock_mono_us() : 0,
		.err = ERR_INIT};
	return 0;
}

static void close_cursors(struct store_txn *txn)
{
	for (int table = 0; table < STORE_TABLES; table++)
		if (txn->cursor[table] != NULL)
			mdb_cursor_close(txn->cursor[table]);
	memset(txn->cursor, 0, sizeof(txn->cursor));
}

/* LMDB's part is over: the map may move again. */
static void end(struct store_txn *txn)
{
	txn->mdb = NULL;
	env_end(txn->store);
}

void txn_abort(struct store_txn *txn)
{
	close_cursors(txn);
	mdb_txn_abort(txn->mdb);
	end(txn);
}

static void count_commit(struct store *store, int64_t run_us, int64_t commit_us, int64_t changes)
{
	struct store_counts *counts = &store->counts;
	pthread_mutex_lock(&store->counts_mutex);
	counts->last_commit_us = commit_us;
	if (commit_us > counts->longest_commit_us)
		counts->longest_commit_us = commit_us;
	counts->commit_us += commit_us;
	counts->run_us += run_us;
	counts->records_written += changes;
	counts->commits++;
	pthread_mutex_unlock(&store->counts_mutex);
}

int txn_commit(struct store_txn *txn, bool *ret_is_map_full, struct err *err)
{
	struct store *store = txn->store;
	assert(txn->cause == TXN_FINE);
	int64_t began_us = clock_mono_us();
	close_cursors(txn);
	int rc = mdb_txn_commit(txn->mdb);
	*ret_is_map_full = rc == MDB_MAP_FULL;
	if (rc != 0)
		env_fail(store, rc, "cannot commit", err);
	else if (txn->is_write)
		env_pad_file(store);
	end(txn);
	if (rc == 0 && txn->is_write)
		count_commit(
			store, began_us - txn->begun_us, clock_mono_us() - began_us, txn->changes);
	return rc == 0 ? 0 : -1;
}

int store_read_begin(struct store *store, struct store_txn **ret_txn, struct err *err)
{
	struct store_txn *txn = xcalloc(1, sizeof(*txn));
	if (txn_begin(store, false, txn, err) != 0) {
		free(txn);
		return -1;
	}
	store->open_reads++;
	*ret_txn = txn;
	return 0;
}

void store_read_end(struct store_txn *txn)
{
	if (txn == NULL)
		return;
	assert(!txn->is_write);
	txn->store->open_reads--;
	txn_abort(txn);
	free(txn);
}

/* --- reading and writing entries ------------------------------------------------------------- */

static struct slice slice_of(const MDB_val *value)
{
	return (struct slice){.bytes = value->mv_data, .len = value->mv_size};
}

static struct slice slice_of_key(const struct key *key)
{
	return (struct slice){.bytes = key->bytes, .len = key->len};
}

/* LMDB takes keys as writable memory but does not change them. */
static MDB_val val_of_key(const struct key *key)
{
	return (MDB_val){.mv_size = key->len, .mv_data = (void *)(uintptr_t)key->bytes};
}

/* A reader of a store that no daemon of this version has opened yet. */
static bool is_absent(const struct store_txn *txn, enum store_table table)
{
	return txn->store->table[table] == TABLE_ABSENT;
}

bool txn_get(struct store_txn *txn, enum store_table table, const struct key *key,
	struct slice *ret_value)
{
	if (txn->cause != TXN_FINE || key->is_unfit || key->len == 0 || is_absent(txn, table))
		return false;
	MDB_val mdb_key = val_of_key(key), value;
	int rc = mdb_get(txn->mdb, txn->store->table[table], &mdb_key, &value);
	if (rc == 0)
		*ret_value = slice_of(&value);
	else if (rc != MDB_NOTFOUND)
		txn_fail_mdb(txn, rc, "read", table, slice_of_key(key));
	return rc == 0;
}

static void put(struct store_txn *txn, enum store_table table, const struct key *key,
	const void *value, size_t len, unsigned flags)
{
	assert(txn->is_write);
	if (txn->cause != TXN_FINE)
		return;
	if (key->is_unfit || key->len == 0) {
		char text[KEY_TEXT_MAX];
		format_key(slice_of_key(key), text);
		store_txn_fail_as(txn, ERR_LIMIT,
			"table %s: a key is empty, too long or holds control bytes: \"%s\"",
			table_name(table), text);
		return;
	}
	MDB_val mdb_key = val_of_key(key);
	MDB_val mdb_value = {.mv_size = len, .mv_data = (void *)(uintptr_t)value};
	int rc = mdb_put(txn->mdb, txn->store->table[table], &mdb_key, &mdb_value, flags);
	txn->changes++;
	if (rc != 0)
		txn_fail_mdb(txn, rc, "write", table, slice_of_key(key));
}

void txn_put(struct store_txn *txn, enum store_table table, const struct key *key,
	const void *value, size_t len)
{
	put(txn, table, key, value, len, 0);
}

void txn_append(struct store_txn *txn, enum store_table table, const struct key *key,
	const void *value, size_t len)
{
	put(txn, table, key, value, len, MDB_APPEND);
}

void txn_delete(struct store_txn *txn, enum store_table table, const struct key *key)
{
	assert(txn->is_write);
	if (txn->cause != TXN_FINE || key->is_unfit || key->len == 0)
		return;
	MDB_val mdb_key = val_of_key(key);
	int rc = mdb_del(txn->mdb, txn->store->table[table], &mdb_key, NULL);
	txn->changes += rc == 0;
	if (rc != 0 && rc != MDB_NOTFOUND)
		txn_fail_mdb(txn, rc, "delete from", table, slice_of_key(key));
}

void txn_clear(struct store_txn *txn, enum store_table table)
{
	assert(txn->is_write);
	if (txn->cause != TXN_FINE || is_absent(txn, table))
		return;
	txn->changes += txn_count(txn, table);
	int rc = mdb_drop(txn->mdb, txn->store->table[table], 0);
	if (rc != 0)
		txn_fail_mdb(txn, rc, "clear", table, (struct slice){.bytes = NULL, .len = 0});
}

/* --- walking --------------------------------------------------------------------------------- */

static int open_cursor(struct store_txn *txn, enum store_table table, MDB_cursor **ret_cursor)
{
	if (txn->cursor[table] != NULL) {
		*ret_cursor = txn->cursor[table];
		return 0;
	}
	int rc = mdb_cursor_open(txn->mdb, txn->store->table[table], ret_cursor);
	if (rc == 0 && !txn->is_write)
		txn->cursor[table] = *ret_cursor;
	return rc;
}

static void close_cursor(struct store_txn *txn, MDB_cursor *cursor)
{
	if (txn->is_write)
		mdb_cursor_close(cursor);
}

/* Whether the cursor stands on that key, as it does when a walk goes on. */
static bool stands_on(struct store_txn *txn, MDB_cursor *cursor, const struct key *key)
{
	MDB_val at, value;
	return !txn->is_write && mdb_cursor_get(cursor, &at, &value, MDB_GET_CURRENT) == 0 &&
	       key_equals(key, at.mv_data, at.mv_size);
}

static int seek(struct store_txn *txn, MDB_cursor *cursor, const struct key *after,
	bool is_inclusive, MDB_val *at, MDB_val *value)
{
	if (after->len == 0)
		return mdb_cursor_get(cursor, at, value, MDB_FIRST);
	if (!is_inclusive && stands_on(txn, cursor, after))
		return mdb_cursor_get(cursor, at, value, MDB_NEXT);
	*at = val_of_key(after);
	int rc = mdb_cursor_get(cursor, at, value, MDB_SET_RANGE);
	if (rc == 0 && !is_inclusive && key_equals(after, at->mv_data, at->mv_size))
		rc = mdb_cursor_get(cursor, at, value, MDB_NEXT);
	return rc;
}

bool txn_seek(struct store_txn *txn, enum store_table table, const struct key *after,
	bool is_inclusive, struct slice *ret_key, struct slice *ret_value)
{
	if (txn->cause != TXN_FINE || after->is_unfit || is_absent(txn, table))
		return false;
	MDB_cursor *cursor;
	MDB_val at, value;
	int rc = open_cursor(txn, table, &cursor);
	if (rc == 0) {
		rc = seek(txn, cursor, after, is_inclusive, &at, &value);
		close_cursor(txn, cursor);
	}
	if (rc == 0) {
		*ret_key = slice_of(&at);
		*ret_value = slice_of(&value);
	} else if (rc != MDB_NOTFOUND) {
		txn_fail_mdb(txn, rc, "walk", table, slice_of_key(after));
	}
	return rc == 0;
}

static int seek_back(MDB_cursor *cursor, const struct key *to, MDB_val *at, MDB_val *value)
{
	if (to->len == 0)
		return mdb_cursor_get(cursor, at, value, MDB_LAST);
	*at = val_of_key(to);
	int rc = mdb_cursor_get(cursor, at, value, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		return mdb_cursor_get(cursor, at, value, MDB_LAST);
	if (rc == 0 && !key_equals(to, at->mv_data, at->mv_size))
		return mdb_cursor_get(cursor, at, value, MDB_PREV);
	return rc;
}

bool txn_seek_back(struct store_txn *txn, enum store_table table, const struct key *to,
	struct slice *ret_key, struct slice *ret_value)
{
	if (txn->cause != TXN_FINE || to->is_unfit || is_absent(txn, table))
		return false;
	MDB_cursor *cursor;
	MDB_val at, value;
	int rc = open_cursor(txn, table, &cursor);
	if (rc == 0) {
		rc = seek_back(cursor, to, &at, &value);
		close_cursor(txn, cursor);
	}
	if (rc == 0) {
		*ret_key = slice_of(&at);
		*ret_value = slice_of(&value);
	} else if (rc != MDB_NOTFOUND) {
		txn_fail_mdb(txn, rc, "walk", table, slice_of_key(to));
	}
	return rc == 0;
}

int64_t txn_count(struct store_txn *txn, enum store_table table)
{
	MDB_stat status;
	if (txn->cause != TXN_FINE || is_absent(txn, table))
		return 0;
	int rc = mdb_stat(txn->mdb, txn->store->table[table], &status);
	if (rc != 0) {
		txn_fail_mdb(txn, rc, "count", table, (struct slice){.bytes = NULL, .len = 0});
		return 0;
	}
	return (int64_t)status.ms_entries;
}
