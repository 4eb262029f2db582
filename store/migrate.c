/*
 * What a data folder holds when it is opened: nothing (then the tables are made), this schema, an
 * older one (then it is brought up in one transaction) or a newer one (then it is left alone).
 */
#include <endian.h>
#include <string.h>

#include "base/err.h"
#include "store/key_internal.h"
#include "store/store_internal.h"

enum { SCHEMA_READ_MIN = 1 }; /* by a reader, which does without the later tables */

/* --- meta numbers ---------------------------------------------------------------------------- */

bool meta_get_number(struct store_txn *txn, const char *name, uint64_t *ret_number)
{
	struct key key = key_meta(name);
	struct slice value;
	if (!txn_get(txn, TABLE_META, &key, &value))
		return false;
	uint64_t little;
	if (value.len != sizeof(little)) {
		txn_fail_damaged(txn, TABLE_META,
			(struct slice){.bytes = key.bytes, .len = key.len}, "not a number");
		return false;
	}
	memcpy(&little, value.bytes, sizeof(little));
	*ret_number = le64toh(little);
	return true;
}

void meta_put_number(struct store_txn *txn, const char *name, uint64_t number)
{
	struct key key = key_meta(name);
	uint64_t little = htole64(number);
	txn_put(txn, TABLE_META, &key, &little, sizeof(little));
}

/* --- reading the schema ---------------------------------------------------------------------- */

struct found {
	bool is_new;
	bool lacks_tables; /* which came with this schema */
	uint64_t schema;
};

static int read_schema(
	struct store *store, struct store_txn *txn, struct found *ret, struct err *err)
{
	int rc = mdb_dbi_open(txn->mdb, table_name(TABLE_META), 0, &store->table[TABLE_META]);
	MDB_stat status;
	if (rc == MDB_NOTFOUND && mdb_env_stat(store->env, &status) == 0) {
		if (status.ms_entries > 0)
			return err_set(err, ERR_STORE,
				"%s is an LMDB file, but not a store of acmsensor", store->file);
		*ret = (struct found){.is_new = true};
		return 0;
	}
	if (rc != 0)
		return env_fail(store, rc, "cannot open table meta", err);
	uint64_t schema = 0;
	bool is_new = !meta_get_number(txn, META_SCHEMA, &schema);
	if (store_txn_check(txn, err) != 0)
		return -1;
	*ret = (struct found){.is_new = is_new, .schema = schema};
	return 0;
}

static bool lacks_tables(const struct store *store)
{
	for (int table = STORE_TABLES_FIRST; table < STORE_TABLES; table++)
		if (store->table[table] == TABLE_ABSENT)
			return true;
	return false;
}

/* Schemas 2 to 4 have added tables and entries and changed none: a reader does without them. */
static bool can_use(const struct store *store, uint64_t schema)
{
	return schema == STORE_SCHEMA ||
	       (store->is_read_only && schema >= SCHEMA_READ_MIN && schema < STORE_SCHEMA);
}

static int look(struct store *store, struct found *ret, struct err *err)
{
	struct store_txn txn;
	*ret = (struct found){.is_new = false};
	if (txn_begin(store, false, &txn, err) != 0)
		return -1;
	int rc = read_schema(store, &txn, ret, err);
	if (rc == 0 && !ret->is_new && can_use(store, ret->schema)) {
		int mdb_rc = env_open_tables(store, txn.mdb, 0);
		if (mdb_rc != 0)
			rc = env_fail(store, mdb_rc, "a table is missing", err);
		ret->lacks_tables = rc == 0 && lacks_tables(store);
	}
	if (rc != 0) {
		txn_abort(&txn);
		return -1;
	}
	/* Handles of tables that are opened in a transaction live on only if it is committed. */
	bool is_map_full;
	return txn_commit(&txn, &is_map_full, err);
}

/* --- creating and migrating ------------------------------------------------------------------ */

static const struct migration *find_step(uint64_t from)
{
	for (const struct migration *step = migrations; step->run != NULL; step++)
		if (step->from == from)
			return step;
	return NULL;
}

static void set_up(struct store_txn *txn, void *arg)
{
	const struct found *found = arg;
	int rc = env_open_tables(txn->store, txn->mdb, MDB_CREATE);
	if (rc != 0) {
		txn_fail_mdb(txn, rc, "make", TABLE_META, (struct slice){.bytes = NULL, .len = 0});
		return;
	}
	uint64_t schema = found->is_new ? STORE_SCHEMA : found->schema;
	while (schema != STORE_SCHEMA && !store_txn_failed(txn)) {
		const struct migration *step = find_step(schema);
		if (step == NULL) {
			store_txn_fail_as(txn, ERR_STORE,
				"the store %s has schema %llu, from which this version cannot "
				"migrate to %d",
				txn->store->file, (unsigned long long)schema, STORE_SCHEMA);
			return;
		}
		step->run(txn);
		schema = step->to;
	}
	meta_put_number(txn, META_SCHEMA, schema);
}

int migrate_open(struct store *store, struct err *err)
{
	struct found found;
	if (look(store, &found, err) != 0)
		return -1;
	if (!found.is_new && can_use(store, found.schema) &&
		(store->is_read_only || !found.lacks_tables))
		return 0;
	if (!found.is_new && found.schema > STORE_SCHEMA)
		return err_set(err, ERR_STORE,
			"the store %s has schema %llu, this version of acmsensor knows %d: use the "
			"version that wrote it, or a newer one",
			store->file, (unsigned long long)found.schema, STORE_SCHEMA);
	if ((store->is_read_only || store->restored_from != NULL) && found.is_new)
		return err_set(err, ERR_STORE, "the store %s is empty", store->file);
	if (store->is_read_only)
		return err_set(err, ERR_STORE,
			"the store %s has schema %llu, this version reads %d: start the daemon once "
			"to migrate it",
			store->file, (unsigned long long)found.schema, STORE_SCHEMA);
	return store_write_now(store, set_up, &found, err);
}
