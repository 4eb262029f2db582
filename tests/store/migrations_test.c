/* The table of steps as it is released. */
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
#include "store/jobs.h"
#include "store/plans.h"
#include "store/store_internal.h"
#include "tests/lib/temp_store.h"
#include "tests/store/old_schema.h"

static void every_step_leads_upwards_to_this_schema(void **state)
{
	(void)state;
	for (const struct migration *step = migrations; step->run != NULL; step++) {
		assert_true(step->to > step->from);
		assert_true(step->to <= STORE_SCHEMA);
	}
}

static void put_schema_0(struct store_txn *txn, void *arg)
{
	(void)arg;
	meta_put_number(txn, META_SCHEMA, 0);
}

static void a_schema_without_a_step_is_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, put_schema_0, NULL, &err), 0);
	store_close(store);
	store = store_open(NULL, &(struct store_options){.data_dir = folder}, &err);
	assert_null(store);
	assert_int_equal(err.kind, ERR_STORE);
	assert_non_null(strstr(err.text, "has schema 0, from which this version cannot migrate"));
	temp_folder_remove(folder);
}

static void put_plan(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_plan_put(txn, &(struct plan_record){.id = "plan-1", .decision = PLAN_REFUSE});
}

static void write_to(const char *folder, store_write_fn *write)
{
	struct err err = ERR_INIT;
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, write, NULL, &err), 0);
	assert_int_equal(temp_store_problems(store), 0);
	store_close(store);
}

static void schema_1_gets_the_tables_of_deliveries(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	struct unit_record unit;
	uint64_t schema;
	char position[ACCOUNT_POSITION_MAX] = "", *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, old_schema_1, NULL, &err), 0);
	store_close(store);
	write_to(folder, put_plan);
	store = store_open(
		NULL, &(struct store_options){.data_dir = folder, .is_read_only = true}, &err);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_plan_get(txn, "plan-1", &plan));
	assert_true(store_unit_next(txn, "prod", position, &unit));
	assert_true(meta_get_number(txn, META_SCHEMA, &schema));
	assert_int_equal(schema, STORE_SCHEMA);
	store_read_end(txn);
	store_close(store);
	temp_folder_remove(folder);
}

static void put_channel(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_alert_channel_put(txn, &(struct alert_channel_record){.name = "ops"});
}

static void schema_2_gets_the_tables_of_alerts(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	struct alert_channel_record channel;
	uint64_t schema;
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, old_schema_2, NULL, &err), 0);
	store_close(store);
	write_to(folder, put_channel);
	store = store_open(
		NULL, &(struct store_options){.data_dir = folder, .is_read_only = true}, &err);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_plan_get(txn, "plan-1", &plan));
	assert_true(store_alert_channel_get(txn, "ops", &channel));
	assert_true(meta_get_number(txn, META_SCHEMA, &schema));
	assert_int_equal(schema, STORE_SCHEMA);
	store_read_end(txn);
	store_close(store);
	temp_folder_remove(folder);
}

static void schema_3_finds_deliveries_that_failed(void **state)
{
	(void)state;
	static const unsigned char leaf[CERT_SHA256_LEN] = {1};
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_record job;
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, old_schema_3, NULL, &err), 0);
	assert_true(temp_store_problems(store) > 0);
	store_close(store);
	store = temp_store_open(NULL, folder);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_job_of_leaf(txn, OLD_SCHEMA_ARN, leaf, &job));
	assert_string_equal(job.id, "j-2");
	store_read_end(txn);
	assert_int_equal(temp_store_problems(store), 0);
	store_close(store);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_leads_upwards_to_this_schema),
		cmocka_unit_test(a_schema_without_a_step_is_refused),
		cmocka_unit_test(schema_1_gets_the_tables_of_deliveries),
		cmocka_unit_test(schema_2_gets_the_tables_of_alerts),
		cmocka_unit_test(schema_3_finds_deliveries_that_failed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
