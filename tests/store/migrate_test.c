/* Older schemas are brought up in one transaction, newer ones are left alone. */
#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/accounts.h"
#include "store/alerts.h"
#include "store/events.h"
#include "store/jobs.h"
#include "store/store_internal.h"
#include "store/vault.h"
#include "tests/lib/fake_lmdb.h"
#include "tests/lib/fake_migrations.h"
#include "tests/lib/temp_store.h"
#include "tests/store/old_schema.h"

static char *folder;

static int setup(void **state)
{
	(void)state;
	folder = temp_folder_new();
	fake_lmdb_reset();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	temp_folder_remove(folder);
	return 0;
}

static void make_store(store_write_fn *change, void *arg)
{
	struct err err = ERR_INIT;
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, change, arg, &err), 0);
	store_close(store);
}

static void put_schema(struct store_txn *txn, void *arg)
{
	const uint64_t *schema = arg;
	meta_put_number(txn, META_SCHEMA, *schema);
}

static struct store *try_open(bool is_read_only, struct err *err)
{
	return store_open(NULL,
		&(struct store_options){.data_dir = folder, .is_read_only = is_read_only}, err);
}

static void assert_migrated(struct store *store)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct unit_record unit;
	char position[ACCOUNT_POSITION_MAX] = "";
	uint64_t schema = 99;
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(meta_get_number(txn, META_SCHEMA, &schema));
	assert_int_equal(schema, STORE_SCHEMA);
	assert_true(store_unit_next(txn, "prod", position, &unit));
	assert_string_equal(unit.unit_id, "ou-1");
	assert_string_equal(unit.parent_id, "r-1");
	assert_string_equal(unit.name, "Prod");
	assert_true(store_unit_next(txn, "prod", position, &unit));
	assert_string_equal(unit.name, "Root");
	assert_string_equal(unit.parent_id, "");
	assert_false(store_unit_next(txn, "prod", position, &unit));
	assert_int_equal(store_txn_check(txn, &err), 0);
	store_read_end(txn);
	assert_int_equal(temp_store_problems(store), 0);
}

static void an_older_store_is_migrated_at_open(void **state)
{
	(void)state;
	make_store(fake_migrations_put_old, NULL);
	struct store *store = temp_store_open(NULL, folder);
	assert_migrated(store);
	store_close(store);
	store = temp_store_open(NULL, folder); /* once */
	assert_migrated(store);
	store_close(store);
}

static void a_reader_does_not_migrate(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	make_store(fake_migrations_put_old, NULL);
	assert_null(try_open(true, &err));
	assert_int_equal(err.kind, ERR_STORE);
	assert_non_null(strstr(err.text, "has schema 0, this version reads 4"));
	struct store *store = temp_store_open(NULL, folder);
	assert_migrated(store);
	store_close(store);
}

static void a_reader_takes_schema_1_as_it_is(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct unit_record unit;
	struct plan_record plan;
	struct job_record job;
	struct job_step step;
	char position[ACCOUNT_POSITION_MAX] = "", plans[DELIVERY_ID_MAX + 1] = "";
	unsigned char leaf[CERT_SHA256_LEN] = {1};
	uint32_t number = 0;
	make_store(old_schema_1, NULL);
	struct store *store = try_open(true, &err);
	assert_non_null(store);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_unit_next(txn, "prod", position, &unit));
	assert_false(store_plan_get(txn, "plan-1", &plan));
	assert_false(store_plan_next(txn, plans, &plan));
	assert_false(store_job_next(txn, plans, &job));
	assert_false(store_job_next_running(txn, plans, &job));
	assert_false(store_job_of_leaf(txn, "arn", leaf, &job));
	assert_false(store_job_step_next(txn, "job-1", &number, &step));
	assert_false(store_vault_has(txn, "plan-1"));
	assert_int_equal(txn_count(txn, TABLE_JOBS), 0);
	assert_int_equal(store_txn_check(txn, &err), 0);
	store_read_end(txn);
	assert_int_equal(temp_store_problems(store), 0);
	store_close(store);
}

static void a_reader_takes_schema_2_as_it_is(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	struct alert_record alert;
	struct alert_channel_record channel;
	char position[ALERT_CHANNEL_NAME_MAX + 1] = "";
	const char *id;
	int64_t number;
	make_store(old_schema_2, NULL);
	struct store *store = try_open(true, &err);
	assert_non_null(store);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_plan_get(txn, "plan-1", &plan));
	assert_false(store_alert_next(txn, position, &alert));
	assert_false(store_alert_channel_next(txn, position, &channel));
	assert_int_equal(store_alert_notice_last(txn), 0);
	assert_false(store_alert_notice_next(txn, 0, &number, &id));
	assert_int_equal(store_txn_check(txn, &err), 0);
	store_read_end(txn);
	assert_int_equal(temp_store_problems(store), 0);
	store_close(store);
}

static void a_newer_store_is_refused_with_both_versions(void **state)
{
	(void)state;
	uint64_t newer = 7;
	make_store(put_schema, &newer);
	for (int is_read_only = 0; is_read_only < 2; is_read_only++) {
		struct err err = ERR_INIT;
		assert_null(try_open(is_read_only == 1, &err));
		assert_int_equal(err.kind, ERR_STORE);
		assert_non_null(
			strstr(err.text, "has schema 7, this version of acmsensor knows 4"));
		assert_non_null(strstr(err.text, folder));
	}
}

static void a_step_that_fails_changes_nothing(void **state)
{
	(void)state;
	make_store(fake_migrations_put_damaged, NULL);
	for (int i = 0; i < 2; i++) { /* the second time it is still as it was */
		struct err err = ERR_INIT;
		assert_null(try_open(false, &err));
		assert_int_equal(err.kind, ERR_STORE);
		assert_non_null(strstr(err.text, "table units, key \"prod\\x01r-1\": no slash"));
	}
}

static void a_step_that_fails_at_any_write_changes_nothing(void **state)
{
	(void)state;
	make_store(fake_migrations_put_old, NULL);
	size_t n = 1;
	for (;; n++) {
		struct err err = ERR_INIT;
		fake_lmdb_fail(FAKE_LMDB_PUT, n, MDB_CORRUPTED);
		struct store *store = try_open(false, &err);
		if (store != NULL) {
			assert_migrated(store);
			store_close(store);
			break;
		}
		assert_int_equal(err.kind, ERR_STORE);
	}
	assert_int_equal(n, 4); /* two units, the schema */
}

static void a_map_that_is_full_in_a_migration_grows(void **state)
{
	(void)state;
	make_store(fake_migrations_put_old, NULL);
	fake_lmdb_fail(FAKE_LMDB_PUT, 2, MDB_MAP_FULL);
	struct store *store = temp_store_open(NULL, folder);
	assert_true(fake_lmdb_has_failed());
	assert_migrated(store);
	store_close(store);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(an_older_store_is_migrated_at_open),
		IN_FOLDER(a_reader_does_not_migrate),
		IN_FOLDER(a_reader_takes_schema_1_as_it_is),
		IN_FOLDER(a_reader_takes_schema_2_as_it_is),
		IN_FOLDER(a_newer_store_is_refused_with_both_versions),
		IN_FOLDER(a_step_that_fails_changes_nothing),
		IN_FOLDER(a_step_that_fails_at_any_write_changes_nothing),
		IN_FOLDER(a_map_that_is_full_in_a_migration_grows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
