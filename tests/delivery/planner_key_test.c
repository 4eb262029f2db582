/* The keys of plans: where the new one waits, whose request it is of, and whether the old one is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "delivery/delivery_internal.h"
#include "store/vault.h"
#include "tests/delivery/planner_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/read_file.h"

static void expect_key(struct job_fixture *fixture, bool is_there)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	assert_true(planner_find_plan(txn, &plan));
	assert_int_equal(delivery_has_key(fixture->delivery, &plan), is_there);
	store_read_end(txn);
}

static void a_key_goes_where_its_escrow_says(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct planner_answer answer;
	job_fixture_open(&fixture, NULL);
	planner_run(&fixture, &(struct plan_request){.escrow = ESCROW_SECRETS_MANAGER}, &answer);
	planner_expect_stored(&fixture, PLAN_IMPORT_NEW, NULL);
	assert_int_equal(write_acm_secrets(&fixture.acm), 1);
	assert_true(text_has_prefix(fixture.acm.secret_name[0], "acmsensor/sensor1/p-"));
	assert_string_equal(fixture.acm.secret[0], NEW_KEY);
	const struct fake_record *call = fake_call_record(fake_call_count() - 1);
	assert_string_equal(call->region, "us-east-1");
	assert_string_equal(call->account, "999988887777");
	assert_non_null(strstr(call->body, "acmsensor:managed-by"));
	job_fixture_close(&fixture);
	job_fixture_open(&fixture, NULL);
	planner_run(&fixture, &(struct plan_request){.escrow = ESCROW_MEMORY}, &answer);
	planner_expect_stored(&fixture, PLAN_IMPORT_NEW, NULL);
	assert_int_equal(fixture.delivery->memory_count, 1);
	expect_key(&fixture, true);
	fake_loop_advance_ms(1000LL * (PLAN_LIFE_S + 120)); /* and is wiped with its plan */
	assert_int_equal(fixture.delivery->memory_count, 0);
	expect_key(&fixture, false);
	job_fixture_close(&fixture);
	job_fixture_open(&fixture, NULL);
	planner_run(&fixture, &(struct plan_request){.reimport_allowed = true}, &answer);
	expect_key(&fixture, true);
	job_fixture_close(&fixture);
}

static void write_key(struct store_txn *txn, void *arg)
{
	store_vault_put(txn, arg);
}

static void seal_csr_key(struct job_fixture *fixture, const char *id, const char *name)
{
	struct vault_sealed sealed;
	struct err err = ERR_INIT;
	struct secret plain = SECRET_INIT;
	size_t len;
	char *pem = read_data("x509", name, ".key", &len);
	secret_set(&plain, pem, len);
	assert_int_equal(vault_seal(fixture->vault, id, VAULT_KEY, &plain, NOW_S, NOW_S + 86400,
				 &sealed, &err),
		0);
	assert_int_equal(store_write_now(fixture->store, write_key, &sealed, &err), 0);
	vault_sealed_clear(&sealed);
	secret_clear(&plain);
	free(pem);
}

static void the_certificate_must_be_for_the_key_of_its_request(void **state)
{
	(void)state;
	struct planner_answer answer;
	planner_leaf = "chain-leaf";
	seal_csr_key(&world, "csr-other", "other");
	seal_csr_key(&world, "csr-leaf", "leaf");
	planner_run(&world, &(struct plan_request){.csr_id = "csr-other"}, &answer);
	assert_int_equal(answer.err.kind, ERR_CONFIG);
	assert_string_equal(answer.err.text, "the certificate is not for the key of CSR csr-other: "
					     "it was signed for another request");
	planner_run(&world, &(struct plan_request){.csr_id = "csr-leaf", .reimport_allowed = true},
		&answer);
	assert_int_equal(answer.err.kind, ERR_NONE);
	planner_leaf = "rsa-2048";
}

static void drop_key(struct store_txn *txn, void *arg)
{
	store_vault_delete(txn, arg);
}

/* Dropped, or due, while ACM was asked. */
static void a_plan_whose_request_went_meanwhile_is_not_made(void **state)
{
	(void)state;
	struct planner_answer answer;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	char id[] = "csr-leaf";
	planner_leaf = "chain-leaf";
	seal_csr_key(&world, id, "leaf");
	(void)planner_start(&world,
		&(struct plan_request){.csr_id = id,
			.arn = world.arn,
			.is_new_arn = true,
			.reimport_allowed = true},
		&answer);
	while (fake_call_count() == 0)
		assert_true(fake_loop_step());
	assert_int_equal(store_write_now(world.store, drop_key, id, &err), 0);
	while (answer.ends == 0)
		assert_true(fake_loop_step());
	assert_int_equal(answer.err.kind, ERR_NOT_FOUND);
	assert_string_equal(answer.err.text,
		"the key of CSR csr-leaf was wiped meanwhile: ask for a new certificate");
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	assert_false(planner_find_plan(txn, &plan));
	store_read_end(txn);
	planner_leaf = "rsa-2048";
}

static void put_delivered(struct store_txn *txn, void *arg)
{
	struct job_record job = {.id = "j-20261102-000000-0000000001",
		.kind = JOB_DELIVER,
		.phase = JOB_DONE,
		.state = JOB_SUCCEEDED,
		.arn = arg,
		.ended_s = NOW_S,
		.may_have_imported = true,
		.new_key_id = "key-there"};
	struct bundle_der leaf;
	planner_read_der(planner_leaf, &leaf);
	memcpy(job.new_fingerprint_sha256, leaf.facts.fingerprint_sha256, CERT_SHA256_LEN);
	store_job_put(txn, &job);
	free(leaf.bytes);
	x509_facts_clear(&leaf.facts);
}

/* A store that was restored without its vault, say: a way back that is none is not promised. */
static void a_key_that_cannot_be_opened_is_no_way_back(void **state)
{
	(void)state;
	for (int opens = 0; opens < 2; opens++) {
		struct job_fixture fixture;
		struct planner_answer answer;
		struct vault_sealed sealed;
		struct err err = ERR_INIT;
		struct secret key = SECRET_INIT;
		size_t len;
		job_fixture_open(&fixture, NULL);
		free(fixture.acm.cert[0].pem);
		fixture.acm.cert[0].pem = read_data("x509", planner_leaf, ".pem", &len);
		secret_set(&key, OLD_KEY, strlen(OLD_KEY));
		assert_int_equal(
			store_write_now(fixture.store, put_delivered, fixture.arn, &err), 0);
		assert_int_equal(vault_seal(fixture.vault, opens ? "key-there" : "key-other",
					 VAULT_KEY, &key, NOW_S, 0, &sealed, &err),
			0);
		text_copy(sealed.id, sizeof(sealed.id), "key-there");
		assert_int_equal(store_write_now(fixture.store, write_key, &sealed, &err), 0);
		vault_sealed_clear(&sealed);
		secret_clear(&key);
		planner_run(&fixture,
			&(struct plan_request){.arn = fixture.arn, .reimport_allowed = true},
			&answer);
		bool is_known =
			strstr(answer.document, "this sensor does not have the key") == NULL;
		assert_int_equal(is_known, opens);
		job_fixture_close(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_goes_where_its_escrow_says),
		JOB_TEST(the_certificate_must_be_for_the_key_of_its_request),
		JOB_TEST(a_plan_whose_request_went_meanwhile_is_not_made),
		cmocka_unit_test(a_key_that_cannot_be_opened_is_no_way_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
