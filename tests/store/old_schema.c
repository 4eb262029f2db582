/* See old_schema.h. */
#include "tests/store/old_schema.h"

#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/accounts.h"
#include "store/jobs.h"
#include "store/store_internal.h"

static void go_back(struct store_txn *txn, int first_table, uint64_t schema)
{
	for (int table = first_table; table < STORE_TABLES; table++)
		assert_int_equal(mdb_drop(txn->mdb, txn->store->table[table], 1), 0);
	meta_put_number(txn, META_SCHEMA, schema);
}

void old_schema_1(struct store_txn *txn, void *arg)
{
	(void)arg;
	go_back(txn, STORE_TABLES_FIRST, 1);
	store_unit_put(txn, &(struct unit_record){.connector = "prod", .unit_id = "ou-1"});
}

static void put_job(struct store_txn *txn, const char *id, enum job_state state, int64_t ended_s)
{
	store_job_put(txn, &(struct job_record){.id = id,
				   .kind = JOB_DELIVER,
				   .phase = JOB_DONE,
				   .state = state,
				   .may_have_imported = true,
				   .arn = OLD_SCHEMA_ARN,
				   .new_fingerprint_sha256 = {1},
				   .new_key_id = id,
				   .ended_s = ended_s});
}

void old_schema_3(struct store_txn *txn, void *arg)
{
	(void)arg;
	put_job(txn, "j-1", JOB_FAILED, 1);
	put_job(txn, "j-2", JOB_FAILED, 3);
	put_job(txn, "j-3", JOB_FAILED, 2);
	go_back(txn, STORE_TABLES, 3);
	assert_int_equal(mdb_drop(txn->mdb, txn->store->table[TABLE_JOB_LEAF], 0), 0);
}

void old_schema_2(struct store_txn *txn, void *arg)
{
	(void)arg;
	go_back(txn, TABLE_ALERTS, 2);
	store_plan_put(txn, &(struct plan_record){.id = "plan-1", .decision = PLAN_REFUSE});
}
