/* What goes back: rollbacks that are asked for, automatic ones, and those that are impossible. */
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/x509.h"
#include "store/certs.h"
#include "store/jobs.h"
#include "store/plans.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"

static void a_rollback_brings_the_old_one_back_and_can_be_undone(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com"});
	free(fixture.acm.cert[0].chain);
	fixture.acm.cert[0].chain = strdup(fixture.other_pem);
	job_fixture_run_plan(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_true(fixture.acm.cert[0].chain == NULL || fixture.acm.cert[0].chain[0] == '\0');
	job_fixture_roll_back(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_RESTORED, "ACM holds serial 0a; served by 1 of 1 host");
	assert_string_equal(fixture.acm.cert[0].pem, fixture.old_pem);
	assert_string_equal(fixture.acm.cert[0].key, OLD_KEY);
	assert_string_equal(fixture.acm.cert[0].chain, fixture.other_pem);
	job_fixture_roll_back(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_RESTORED, "ACM holds serial 0b");
	assert_string_equal(fixture.acm.cert[0].key, NEW_KEY);
	assert_int_equal(fixture.acm.imported, 3);
	job_fixture_close(&fixture);
}

static void an_impossible_rollback_is_refused_before_anything_is_sent(void **state)
{
	(void)state;
	static const struct {
		struct job_fixture_options options;
		const char *text;
	} row[] = {{{.is_first_import = true}, "it was a first import"},
		{{.lacks_old_key = true}, "does not keep the previous certificate's private key"}};
	for (size_t i = 0; i < 2; i++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		struct err err = ERR_INIT;
		job_fixture_open(&fixture, &row[i].options);
		job_fixture_run_plan(&fixture, &outcome);
		assert_int_equal(job_fixture_order_roll_back(&fixture, &err), -1);
		assert_non_null(strstr(err.text, row[i].text));
		assert_int_equal(fixture.acm.imported, 1);
		job_fixture_close(&fixture);
	}
}

static void a_key_whose_time_is_over_is_no_way_back(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_run_plan(&world, &outcome);
	fake_clock_set_now_s(outcome.keep_key_until_s);
	assert_int_equal(job_fixture_order_roll_back(&world, &err), -1);
	assert_non_null(strstr(err.text, "was wiped: its time was over"));
}

static void an_old_certificate_that_expired_since_is_no_way_back(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	world.acm.import_stale_looks = 2; /* so that the key is kept for longer than it lives */
	job_fixture_run_plan(&world, &outcome);
	fake_clock_set_now_s(outcome.keep_key_until_s - 1);
	assert_int_equal(job_fixture_order_roll_back(&world, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_non_null(strstr(
		err.text, "rollback is impossible: the old certificate expired on 2026-12-21"));
	assert_int_equal(world.acm.imported, 1);
}

/* It gave up looking: if that is there nevertheless, its key is here, and a plan knows it. */
static void what_a_job_brought_that_gave_up_has_its_key(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_record job;
	world.acm.import_stale_looks = 1000;
	job_fixture_run_plan(&world, &outcome);
	job_fixture_expect(&outcome, JOB_FAILED, "ACM took serial 0b but still shows serial 0a");
	assert_true(job_fixture_has_key(&world, PLAN_ID));
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	assert_true(store_job_get(txn, world.job_id, &job));
	assert_true(store_job_of_leaf(txn, world.arn, job.new_fingerprint_sha256, &job));
	assert_string_equal(job.new_key_id, PLAN_ID);
	store_read_end(txn);
}

/* The import is lost, and ACM's answers are those of the time before the delivery: they are no proof that
 * the old certificate is back. */
static void an_answer_from_before_is_no_proof_of_a_rollback(void **state)
{
	(void)state;
	struct job_outcome outcome;
	job_fixture_run_plan(&world, &outcome);
	struct write_acm_cert *cert = &world.acm.cert[0];
	fake_loop_advance_ms(3600000);
	assert_int_equal(job_fixture_order_roll_back(&world, &world.err), 0);
	fake_call_fail_at(4, ERR_TIMEOUT, "answer_lost"); /* behind Describe, Get and tags */
	job_fixture_start(&world);
	while (fake_call_count_of("ImportCertificate") < 2)
		assert_true(fake_loop_step());
	cert->shown_pem = xstrdup(world.old_pem);
	cert->shown_imported_s = NOW_S - 86400;
	cert->stale_looks = 3;
	job_fixture_see_end(&world, &outcome);
	job_fixture_expect(&outcome, JOB_RESTORED, "ACM holds serial 0a");
	assert_string_equal(cert->pem, world.old_pem);
	assert_int_equal(world.acm.imported, 2);
}

static void no_automatic_rollback_where_the_plan_saw_no_way_back(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com",
					   .auto_rollback = true,
					   .no_rollback = "ACM would refuse it"});
	fixture.served = fixture.old_pem;
	job_fixture_run_plan(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED,
		"still serves another certificate, and there is no way back: ACM would refuse it");
	job_fixture_running(&fixture, fixture.job_id);
	assert_string_equal(fixture.job_id, "");
	job_fixture_close(&fixture);
}

/* A renewal at the last moment: nothing is claimed that cannot be done. */
static void no_automatic_rollback_to_what_has_expired_meanwhile(void **state)
{
	(void)state;
	for (int restarts = 0; restarts < 2; restarts++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com",
						   .auto_rollback = true});
		fixture.served = fixture.old_pem;
		job_fixture_apply(&fixture);
		job_fixture_start(&fixture);
		while (fixture.acm.imported == 0)
			assert_true(fake_loop_step());
		fake_clock_set_now_s(NOW_S + 30 * 86400 - 60);
		if (restarts > 0)
			job_fixture_restart(&fixture);
		job_fixture_see_end(&fixture, &outcome);
		job_fixture_expect(&outcome, JOB_SUCCEEDED,
			"still serves another certificate, and there is no way back: the previous "
			"certificate has expired");
		job_fixture_running(&fixture, fixture.job_id);
		assert_string_equal(fixture.job_id, "");
		job_fixture_close(&fixture);
	}
}

static void a_host_that_serves_another_one_is_a_warning(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com"});
	fixture.served = fixture.old_pem;
	job_fixture_run_plan(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED,
		"served by 0 of 1 host; warning: www.example.com:443 still serves another "
		"certificate");
	assert_non_null(strstr(outcome.evidence, "\"outcome\":\"other certificate\""));
	job_fixture_close(&fixture);
	job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com"});
	fixture.is_unreachable = true;
	job_fixture_run_plan(&fixture, &outcome);
	job_fixture_expect(
		&outcome, JOB_SUCCEEDED, "served by 0 of 1 host; warning: 1 not reachable");
	job_fixture_close(&fixture);
}

/* The rollback is a job of its own, written with the end of the one that it undoes. */
static void automatic_rollback_when_a_host_does_not_follow(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture,
		&(struct job_fixture_options){.host = "www.example.com", .auto_rollback = true});
	fixture.served = fixture.old_pem;
	job_fixture_run_plan(&fixture, &outcome);
	job_fixture_running(&fixture, fixture.job_id);
	assert_string_not_equal(fixture.job_id, "");
	char expected[128];
	snprintf(expected, sizeof(expected), "after 5 minutes; rollback %s was ordered",
		fixture.job_id);
	job_fixture_expect(&outcome, JOB_FAILED, expected);
	job_fixture_run(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_RESTORED, "ACM holds serial 0a; served by 1 of 1 host");
	assert_string_equal(fixture.acm.cert[0].key, OLD_KEY);
	job_fixture_close(&fixture);
}

static void wipe_old_key(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_vault_delete(txn, "p-20261101-000000-0000000001");
}

/* What the plan saw may be over when it is needed. */
static void no_automatic_rollback_with_a_key_that_went_meanwhile(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture,
		&(struct job_fixture_options){.host = "www.example.com", .auto_rollback = true});
	fixture.served = fixture.old_pem;
	job_fixture_apply(&fixture);
	job_fixture_start(&fixture);
	while (fixture.acm.imported == 0)
		assert_true(fake_loop_step());
	assert_int_equal(store_write_now(fixture.store, wipe_old_key, NULL, &err), 0);
	job_fixture_see_end(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_FAILED,
		"still serves another certificate after 5 minutes; no rollback was ordered: the "
		"previous certificate's private key was wiped: its time was over");
	job_fixture_running(&fixture, fixture.job_id);
	assert_string_equal(fixture.job_id, "");
	assert_int_equal(fixture.acm.imported, 1);
	job_fixture_close(&fixture);
}

static void automatic_rollback_when_acm_holds_a_third_one(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.auto_rollback = true});
	job_fixture_apply(&fixture);
	job_fixture_start(&fixture);
	while (fixture.acm.imported == 0)
		assert_true(fake_loop_step());
	free(fixture.acm.cert[0].pem);
	fixture.acm.cert[0].pem = strdup(fixture.other_pem);
	job_fixture_see_end(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_FAILED, "ACM holds serial 0c, neither the old one");
	assert_non_null(strstr(outcome.reason, "(0b); rollback r-"));
	job_fixture_running(&fixture, fixture.job_id);
	job_fixture_run(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_RESTORED, "ACM holds serial 0a");
	job_fixture_close(&fixture);
}

static void put_chain(struct store_txn *txn, void *arg)
{
	struct job_fixture *fixture = arg;
	struct plan_record plan;
	struct err err = ERR_INIT;
	const char *at = fixture->other_pem;
	unsigned char *der;
	size_t len;
	assert_int_equal(x509_pem_next(&at, at + strlen(at), &der, &len, &err), 1);
	assert_true(store_plan_get(txn, PLAN_ID, &plan));
	plan.chain_count = 1;
	SHA256(der, len, plan.chain_sha256[0]);
	store_pem_put(txn, plan.chain_sha256[0], der, len);
	store_plan_put(txn, &plan);
	free(der);
}

static void the_chain_of_the_plan_is_sent(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(world.store, put_chain, &world, &err), 0);
	job_fixture_run_plan(&world, &outcome);
	assert_int_equal(outcome.state, JOB_SUCCEEDED);
	assert_string_equal(world.acm.cert[0].chain, world.other_pem);
}

/* ACM may show what a rollback brings before it was sent (a late read, a person who was faster): then
 * what it replaces is not seen, and has its chain all the same when that is undone. */
static void a_rollback_that_did_not_see_the_chain_can_be_undone_with_it(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(world.store, put_chain, &world, &err), 0);
	job_fixture_run_plan(&world, &outcome);
	for (int i = 0; i < 2; i++) { /* of the delivery, then of a rollback */
		job_fixture_let_acm_hold(&world, world.old_pem);
		job_fixture_roll_back(&world, &outcome);
		job_fixture_expect(&outcome, JOB_RESTORED, "ACM holds serial 0a");
		assert_string_equal(world.acm.cert[0].chain, "");
		job_fixture_roll_back(&world, &outcome);
		job_fixture_expect(&outcome, JOB_RESTORED, "ACM holds serial 0b");
		assert_string_equal(world.acm.cert[0].chain, world.other_pem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rollback_brings_the_old_one_back_and_can_be_undone),
		cmocka_unit_test(an_impossible_rollback_is_refused_before_anything_is_sent),
		JOB_TEST(a_key_whose_time_is_over_is_no_way_back),
		JOB_TEST(an_old_certificate_that_expired_since_is_no_way_back),
		JOB_TEST(what_a_job_brought_that_gave_up_has_its_key),
		JOB_TEST(an_answer_from_before_is_no_proof_of_a_rollback),
		cmocka_unit_test(no_automatic_rollback_where_the_plan_saw_no_way_back),
		cmocka_unit_test(no_automatic_rollback_to_what_has_expired_meanwhile),
		cmocka_unit_test(a_host_that_serves_another_one_is_a_warning),
		cmocka_unit_test(automatic_rollback_when_a_host_does_not_follow),
		cmocka_unit_test(no_automatic_rollback_with_a_key_that_went_meanwhile),
		cmocka_unit_test(automatic_rollback_when_acm_holds_a_third_one),
		JOB_TEST(the_chain_of_the_plan_is_sent),
		JOB_TEST(a_rollback_that_did_not_see_the_chain_can_be_undone_with_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
