/* Plans come back as they were put, in order of their ids. */
#include "store/plans.h"

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/delivery_internal.h"
#include "store/key_internal.h"
#include "tests/lib/sample_delivery.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

/* Stand for certificates, which are their hashes' values. */
static const char *const ders[] = {"leaf", "ca", "root"};

static void do_put(struct store_txn *txn, void *arg)
{
	struct plan_record *plan = arg;
	unsigned char *const hash[] = {
		plan->leaf_sha256, plan->chain_sha256[0], plan->chain_sha256[1]};
	for (size_t i = 0; i < 3; i++) {
		SHA256((const unsigned char *)ders[i], strlen(ders[i]), hash[i]);
		store_pem_put(txn, hash[i], ders[i], strlen(ders[i]));
	}
	store_plan_put(txn, plan);
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

static void every_field_comes_back(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct plan_record plan;
	assert_int_equal(put(&sample_plan, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_false(store_plan_get(txn, "plan-2", &plan));
	assert_false(store_plan_get(txn, "", &plan));
	assert_true(store_plan_get(txn, "plan-1", &plan));
	assert_string_equal(plan.id, sample_plan.id);
	assert_string_equal(plan.connector, sample_plan.connector);
	assert_string_equal(plan.account_id, sample_plan.account_id);
	assert_string_equal(plan.region, sample_plan.region);
	assert_string_equal(plan.arn, sample_plan.arn);
	assert_string_equal(plan.certificate_id, sample_plan.certificate_id);
	assert_int_equal(plan.decision, sample_plan.decision);
	assert_int_equal(plan.created_s, 1);
	assert_int_equal(plan.expires_s, 2);
	assert_string_equal(plan.old_serial, "0a");
	assert_memory_equal(
		plan.old_fingerprint_sha256, sample_plan.old_fingerprint_sha256, CERT_SHA256_LEN);
	const void *der;
	size_t len;
	assert_true(store_pem_get(txn, plan.leaf_sha256, &der, &len));
	assert_memory_equal(der, "leaf", len);
	assert_int_equal(plan.chain_count, 2);
	assert_true(store_pem_get(txn, plan.chain_sha256[1], &der, &len));
	assert_memory_equal(der, "root", len);
	assert_int_equal(plan.escrow, ESCROW_SECRETS_MANAGER);
	assert_string_equal(plan.key_id, sample_plan.key_id);
	assert_string_equal(pack_next(&plan.tags, pack_first(&plan.tags)), "shop");
	assert_string_equal(
		pack_next(&plan.verify_hosts, pack_first(&plan.verify_hosts)), "b:8443");
	assert_true(plan.may_roll_back && plan.auto_rollback);
	assert_string_equal(plan.rollback_reason, "kept");
	assert_string_equal(plan.job_id, "job-1");
	assert_string_equal(plan.requested_by, "uid 0");
	assert_string_equal(plan.document, sample_plan.document);
	store_read_end(txn);
}

static void they_come_in_order_and_go_alone(void **state)
{
	(void)state;
	static const char *const ids[] = {"plan-3", "plan-1", "plan-2"};
	struct err err = ERR_INIT;
	struct plan_record plan = sample_plan;
	char position[DELIVERY_ID_MAX + 1] = "";
	for (size_t i = 0; i < 3; i++) {
		plan.id = ids[i];
		assert_int_equal(put(&plan, &err), 0);
	}
	assert_int_equal(store_write_now(store, do_delete, NULL, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_plan_next(txn, position, &plan));
	assert_string_equal(plan.id, "plan-1");
	assert_true(store_plan_next(txn, position, &plan));
	assert_string_equal(plan.id, "plan-3");
	assert_false(store_plan_next(txn, position, &plan));
	store_read_end(txn);
}

static void put_damaged(struct store_txn *txn, void *arg)
{
	const struct plan_record *plan = arg;
	struct key key = key_id("plan-9", DELIVERY_ID_MAX);
	entry_put(txn, TABLE_PLANS, &key, &plan_format, plan);
}

/* Each in a transaction of its own: the first damage ends it. */
static void assert_damaged(struct plan_record plan, const char *says)
{
	struct err err = ERR_INIT;
	char position[DELIVERY_ID_MAX + 1] = "";
	struct plan_record back;
	assert_int_equal(store_write_now(store, put_damaged, &plan, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_false(store_plan_get(txn, "plan-9", &back));
	assert_int_equal(store_txn_check(txn, &err), -1);
	assert_int_equal(err.kind, ERR_STORE);
	assert_non_null(strstr(err.text, "table plans, key \"plan-9\""));
	assert_non_null(strstr(err.text, says));
	store_read_end(txn);
	txn = store_fixture_read();
	assert_false(store_plan_next(txn, position, &back));
	assert_true(store_txn_failed(txn));
	store_read_end(txn);
	assert_int_equal(temp_store_problems(store), 1);
}

static void delete_damaged(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_plan_delete(txn, "plan-9");
}

static struct plan_record small(void)
{
	return (struct plan_record){
		.id = "plan-9", .decision = PLAN_REIMPORT, .escrow = ESCROW_SENSOR};
}

static void what_cannot_be_a_plan_is_damage(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct plan_record plan = small();
	plan.id = "plan-8";
	assert_damaged(plan, "holds another plan");
	plan = small();
	plan.decision = PLAN_REFUSE + 1;
	assert_damaged(plan, "unknown decision");
	plan = small();
	plan.escrow = 0;
	assert_damaged(plan, "unknown escrow");
	plan = small();
	plan.tags = (struct pack){.bytes = "team", .len = 5, .count = 1};
	assert_damaged(plan, "a tag has no value");
	assert_int_equal(store_write_now(store, delete_damaged, NULL, &err), 0);
}

static void what_cannot_be_a_plan_is_not_put(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct plan_record plan = sample_plan;
	plan.decision = 0;
	assert_int_equal(put(&plan, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "plan plan-1: unknown decision");
	plan = sample_plan;
	plan.tags = (struct pack){.bytes = "team", .len = 5, .count = 1};
	assert_int_equal(put(&plan, &err), -1);
	plan = sample_plan;
	plan.escrow = 0;
	assert_int_equal(put(&plan, &err), -1);
	plan.decision = PLAN_REFUSE; /* has no key that waits */
	assert_int_equal(put(&plan, &err), 0);
}

static void delete_cert(struct store_txn *txn, void *arg)
{
	const struct sample_cert *sample = arg;
	store_cert_delete(txn, sample->arn);
}

static void put_plan_of_cert(struct store_txn *txn, void *arg)
{
	const struct sample_cert *sample = arg;
	struct plan_record plan = small();
	memcpy(plan.leaf_sha256, sample->record.fingerprint_sha256, CERT_SHA256_LEN);
	memcpy(plan.chain_sha256, sample->record.chain_sha256, sizeof(plan.chain_sha256));
	plan.chain_count = sample->record.chain_count;
	sample_cert_store(txn, sample);
	store_plan_put(txn, &plan);
}

static void pem_outlives_the_certificate_that_is_forgotten(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct sample_cert sample;
	const void *der;
	size_t len;
	sample_cert_init(&sample, 6);
	assert_int_equal(store_write_now(store, put_plan_of_cert, &sample, &err), 0);
	assert_int_equal(store_write_now(store, delete_cert, &sample, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_pem_get(txn, sample.record.fingerprint_sha256, &der, &len));
	assert_true(store_pem_get(txn, sample.record.chain_sha256[0], &der, &len));
	store_read_end(txn);
	sample_cert_clear(&sample); /* and the check at the end finds nothing missing */
}

static void what_does_not_fit_fails_the_write(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct plan_record plan = sample_plan;
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
	struct store_txn *txn = store_fixture_read();
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

#define WITH_STORE(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, store_fixture_open, store_fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(every_field_comes_back),
		WITH_STORE(they_come_in_order_and_go_alone),
		WITH_STORE(what_does_not_fit_fails_the_write),
		WITH_STORE(what_cannot_be_a_plan_is_damage),
		WITH_STORE(what_cannot_be_a_plan_is_not_put),
		WITH_STORE(pem_outlives_the_certificate_that_is_forgotten),
		cmocka_unit_test(names_are_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
