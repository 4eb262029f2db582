/* Plans come back as they were put, in order of their ids. */
#include "store/plans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "tests/lib/temp_store.h"

static char *folder;
static struct store *store;

static int setup(void **state)
{
	(void)state;
	folder = temp_folder_new();
	store = temp_store_open(NULL, folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(temp_store_problems(store), 0);
	store_close(store);
	temp_folder_remove(folder);
	return 0;
}

static void do_put(struct store_txn *txn, void *arg)
{
	store_plan_put(txn, arg);
}

static void do_delete(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_plan_delete(txn, "plan-2");
	store_plan_delete(txn, "plan-7");
}

static int put(const struct plan_record *plan, struct err *err)
{
	struct plan_record copy = *plan;
	return store_write_now(store, do_put, &copy, err);
}

static struct store_txn *begin(void)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	return txn;
}

static const struct plan_record full = {.id = "plan-1",
	.connector = "prod",
	.account_id = "000000000001",
	.region = "eu-west-1",
	.arn = "arn:aws:acm:eu-west-1:000000000001:certificate/1",
	.certificate_id = "shop",
	.decision = PLAN_REIMPORT,
	.created_s = 1,
	.expires_s = 2,
	.old_serial = "0a",
	.old_fingerprint_sha256 = {3},
	.leaf_sha256 = {4},
	.chain_sha256 = {{5}, {6}},
	.chain_count = 2,
	.escrow = ESCROW_SECRETS_MANAGER,
	.key_id = "acmsensor/plan-1",
	.tags = {.bytes = "team\0shop", .len = 10, .count = 2},
	.verify_hosts = {.bytes = "a:443\0b:8443", .len = 13, .count = 2},
	.may_roll_back = true,
	.auto_rollback = true,
	.rollback_reason = "kept",
	.job_id = "job-1",
	.requested_by = "uid 0",
	.document = "{\"id\":\"plan-1\"}"};

static void every_field_comes_back(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct plan_record plan;
	assert_int_equal(put(&full, &err), 0);
	struct store_txn *txn = begin();
	assert_false(store_plan_get(txn, "plan-2", &plan));
	assert_false(store_plan_get(txn, "", &plan));
	assert_true(store_plan_get(txn, "plan-1", &plan));
	assert_string_equal(plan.id, full.id);
	assert_string_equal(plan.connector, full.connector);
	assert_string_equal(plan.account_id, full.account_id);
	assert_string_equal(plan.region, full.region);
	assert_string_equal(plan.arn, full.arn);
	assert_string_equal(plan.certificate_id, full.certificate_id);
	assert_int_equal(plan.decision, full.decision);
	assert_int_equal(plan.created_s, 1);
	assert_int_equal(plan.expires_s, 2);
	assert_string_equal(plan.old_serial, "0a");
	assert_memory_equal(
		plan.old_fingerprint_sha256, full.old_fingerprint_sha256, CERT_SHA256_LEN);
	assert_memory_equal(plan.leaf_sha256, full.leaf_sha256, CERT_SHA256_LEN);
	assert_int_equal(plan.chain_count, 2);
	assert_memory_equal(plan.chain_sha256, full.chain_sha256, 2 * CERT_SHA256_LEN);
	assert_int_equal(plan.escrow, ESCROW_SECRETS_MANAGER);
	assert_string_equal(plan.key_id, full.key_id);
	assert_string_equal(pack_next(&plan.tags, pack_first(&plan.tags)), "shop");
	assert_string_equal(
		pack_next(&plan.verify_hosts, pack_first(&plan.verify_hosts)), "b:8443");
	assert_true(plan.may_roll_back && plan.auto_rollback);
	assert_string_equal(plan.rollback_reason, "kept");
	assert_string_equal(plan.job_id, "job-1");
	assert_string_equal(plan.requested_by, "uid 0");
	assert_string_equal(plan.document, full.document);
	store_read_end(txn);
}

static void they_come_in_order_and_go_alone(void **state)
{
	(void)state;
	static const char *const ids[] = {"plan-3", "plan-1", "plan-2"};
	struct err err = ERR_INIT;
	struct plan_record plan = full;
	char position[DELIVERY_ID_MAX + 1] = "";
	for (size_t i = 0; i < 3; i++) {
		plan.id = ids[i];
		assert_int_equal(put(&plan, &err), 0);
	}
	assert_int_equal(store_write_now(store, do_delete, NULL, &err), 0);
	struct store_txn *txn = begin();
	assert_true(store_plan_next(txn, position, &plan));
	assert_string_equal(plan.id, "plan-1");
	assert_true(store_plan_next(txn, position, &plan));
	assert_string_equal(plan.id, "plan-3");
	assert_false(store_plan_next(txn, position, &plan));
	store_read_end(txn);
}

static void what_does_not_fit_fails_the_write(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct plan_record plan = full;
	char id[DELIVERY_ID_MAX + 2], *document = xmalloc(PLAN_DOCUMENT_MAX + 2);
	char position[DELIVERY_ID_MAX + 1] = "";
	memset(id, 'a', sizeof(id));
	memset(document, 'd', PLAN_DOCUMENT_MAX + 1);
	id[DELIVERY_ID_MAX + 1] = document[PLAN_DOCUMENT_MAX + 1] = '\0';
	plan.id = id;
	assert_int_equal(put(&plan, &err), -1);
	plan.id = "";
	assert_int_equal(put(&plan, &err), -1);
	id[DELIVERY_ID_MAX] = '\0';
	plan.id = id;
	plan.document = document;
	assert_int_equal(put(&plan, &err), -1);
	document[PLAN_DOCUMENT_MAX] = '\0';
	assert_int_equal(put(&plan, &err), 0);
	struct store_txn *txn = begin();
	assert_true(store_plan_next(txn, position, &plan));
	assert_int_equal(strlen(plan.document), PLAN_DOCUMENT_MAX);
	assert_false(store_plan_next(txn, position, &plan));
	store_read_end(txn);
	free(document);
}

static void names_are_for_people(void **state)
{
	(void)state;
	assert_string_equal(plan_decision_name(PLAN_REIMPORT), "reimport");
	assert_string_equal(plan_decision_name(PLAN_IMPORT_NEW), "import");
	assert_string_equal(plan_decision_name(PLAN_REFUSE), "refuse");
	assert_string_equal(plan_decision_name(0), "unknown");
	assert_string_equal(plan_decision_name(PLAN_REFUSE + 1), "unknown");
	assert_string_equal(key_escrow_name(ESCROW_SENSOR), "sensor");
	assert_string_equal(key_escrow_name(ESCROW_MEMORY), "memory");
	assert_string_equal(key_escrow_name(ESCROW_SECRETS_MANAGER), "secretsmanager");
	assert_string_equal(key_escrow_name(0), "unknown");
	assert_string_equal(key_escrow_name(ESCROW_SECRETS_MANAGER + 1), "unknown");
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(every_field_comes_back),
		WITH_STORE(they_come_in_order_and_go_alone),
		WITH_STORE(what_does_not_fit_fails_the_write),
		cmocka_unit_test(names_are_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
