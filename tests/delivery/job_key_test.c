/* The keys of jobs: where they wait, how long they stay, and what is told of one that is left over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/plans.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"

static void keys_elsewhere_are_gone_at_the_end(void **state)
{
	(void)state;
	static const enum key_escrow escrows[] = {ESCROW_MEMORY, ESCROW_SECRETS_MANAGER};
	for (size_t i = 0; i < 2; i++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = escrows[i]});
		job_fixture_run_plan(&fixture, &outcome);
		job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
		assert_string_equal(fixture.acm.cert[0].key, NEW_KEY);
		assert_int_equal(write_acm_secrets(&fixture.acm), 0);
		assert_string_equal(outcome.new_key_id, "");
		job_fixture_close(&fixture);
	}
}

/* A secret that was just made may not be found at once; one that is gone stays away. */
static void a_secret_that_does_not_show_yet_is_waited_for(void **state)
{
	(void)state;
	for (int is_late = 0; is_late < 2; is_late++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		job_fixture_open(
			&fixture, &(struct job_fixture_options){.escrow = ESCROW_SECRETS_MANAGER});
		char *name = fixture.acm.secret_name[0];
		fixture.acm.secret_name[0] = NULL;
		job_fixture_apply(&fixture);
		job_fixture_start(&fixture);
		fake_loop_advance_ms(10000);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		assert_int_equal(outcome.state, JOB_RUNNING);
		assert_true(outcome.next_attempt_s > 0);
		if (is_late)
			fixture.acm.secret_name[0] = name;
		job_fixture_see_end(&fixture, &outcome);
		assert_int_equal(outcome.state, is_late ? JOB_SUCCEEDED : JOB_FAILED);
		assert_int_equal(fixture.acm.imported, is_late);
		fixture.acm.secret_name[0] = is_late ? fixture.acm.secret_name[0] : name;
		job_fixture_close(&fixture);
	}
}

/* Its plan is over long before it comes to import. */
static void a_key_in_memory_waits_for_its_job(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = ESCROW_MEMORY});
	job_fixture_apply(&fixture);
	fake_call_fail_from(1, ERR_THROTTLED, "ThrottlingException");
	job_fixture_start(&fixture);
	fake_loop_advance_ms(2000LL * PLAN_LIFE_S);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	assert_int_equal(outcome.state, JOB_RUNNING);
	fake_call_fail_from(0, ERR_NONE, "");
	job_fixture_see_end(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	job_fixture_close(&fixture);
}

static void a_key_in_memory_is_lost_with_the_daemon(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = ESCROW_MEMORY});
	job_fixture_apply(&fixture);
	job_fixture_restart(&fixture);
	job_fixture_see_end(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_FAILED, "kept in memory only");
	assert_int_equal(fixture.acm.imported, 0);
	job_fixture_close(&fixture);
}

#define REQUEST_ID "q-20261101-000000-0000000001"
enum { REQUEST_LIFE_S = 90 * 86400 };

/* The plan's key is that of a request, which needs it for itself until somebody has it. */
static void put_request(struct store_txn *txn, void *arg)
{
	struct job_fixture *fixture = arg;
	struct vault_sealed sealed;
	struct plan_record plan;
	struct err err = ERR_INIT;
	struct secret key = SECRET_INIT;
	secret_set(&key, NEW_KEY, strlen(NEW_KEY));
	assert_int_equal(vault_seal(fixture->vault, REQUEST_ID, VAULT_KEY, &key, NOW_S,
				 NOW_S + REQUEST_LIFE_S, &sealed, &err),
		0);
	secret_clear(&key);
	store_vault_put(txn, &sealed);
	vault_sealed_clear(&sealed);
	assert_true(store_plan_get(txn, PLAN_ID, &plan));
	plan.key_id = REQUEST_ID;
	store_plan_put(txn, &plan);
}

static void expect_request_key_until(struct job_fixture *fixture, int64_t until_s)
{
	struct err err = ERR_INIT;
	int64_t before_s = until_s - 1;
	assert_int_equal(store_write_now(fixture->store, job_fixture_wipe_due, &before_s, &err), 0);
	assert_true(job_fixture_has_key(fixture, REQUEST_ID));
	assert_int_equal(store_write_now(fixture->store, job_fixture_wipe_due, &until_s, &err), 0);
	assert_false(job_fixture_has_key(fixture, REQUEST_ID));
}

static bool is_request_needed(struct job_fixture *fixture)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	bool is_needed = store_vault_is_needed(txn, REQUEST_ID, REQUEST_ID);
	store_read_end(txn);
	return is_needed;
}

/* Its certificate was paid for, and may be planned with again. */
static void a_request_has_its_key_back_from_a_job_that_changed_nothing(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(world.store, put_request, &world, &err), 0);
	job_fixture_apply(&world);
	assert_true(is_request_needed(&world));
	assert_int_equal(job_fixture_cancel_job(&world, &err), 0);
	job_fixture_run(&world, &outcome);
	assert_int_equal(outcome.state, JOB_CANCELLED);
	assert_false(is_request_needed(&world));
	expect_request_key_until(&world, NOW_S + REQUEST_LIFE_S);
}

/* As every other one that was delivered, however young the request is. */
static void a_request_s_key_that_was_replaced_goes_when_its_time_is_over(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(world.store, put_request, &world, &err), 0);
	job_fixture_run_plan(&world, &outcome);
	assert_int_equal(outcome.state, JOB_SUCCEEDED);
	job_fixture_roll_back(&world, &outcome);
	assert_int_equal(outcome.state, JOB_RESTORED);
	expect_request_key_until(&world, clock_now_s() + KEEP_KEYS_S);
}

/* Ordered in the last hour of its key, of which it needs more. */
static void a_key_stays_for_the_job_that_needs_it(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	char id[DELIVERY_ID_MAX + 1];
	job_fixture_open(&fixture, NULL);
	int64_t late_s = NOW_S + 400LL * 86400;
	job_fixture_apply(&fixture);
	assert_int_equal(store_write_now(fixture.store, job_fixture_wipe_due, &late_s, &err), 0);
	assert_true(job_fixture_has_key(&fixture, PLAN_ID));
	job_fixture_close(&fixture);
	job_fixture_open(&fixture, NULL);
	job_fixture_run_plan(&fixture, &outcome);
	memcpy(id, fixture.job_id, sizeof(id));
	struct job_order order = {.kind = JOB_ROLLBACK, .of_job_id = id};
	assert_int_equal(job_fixture_order(&fixture, &order, &err), 0);
	assert_int_equal(store_write_now(fixture.store, job_fixture_wipe_due, &late_s, &err), 0);
	assert_true(job_fixture_has_key(&fixture, "p-20261101-000000-0000000001"));
	job_fixture_run(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_RESTORED, "ACM holds serial 0a");
	job_fixture_close(&fixture);
}

static void the_key_of_what_was_deleted_goes_as_one_that_was_replaced(void **state)
{
	(void)state;
	static const char key_id[] = "p-20261101-000000-0000000001"; /* kept for 90 days */
	struct err err = ERR_INIT;
	struct job_order order = {.kind = JOB_DELETE, .arn = world.arn};
	assert_int_equal(job_fixture_order(&world, &order, &err), 0);
	job_fixture_start(&world);
	job_fixture_finish(&world);
	assert_int_equal(world.acm.deleted, 1);
	int64_t due_s = clock_now_s() + KEEP_KEYS_S, before_s = due_s - 1;
	assert_int_equal(store_write_now(world.store, job_fixture_wipe_due, &before_s, &err), 0);
	assert_true(job_fixture_has_key(&world, key_id));
	assert_int_equal(store_write_now(world.store, job_fixture_wipe_due, &due_s, &err), 0);
	assert_false(job_fixture_has_key(&world, key_id));
}

static void write_need_elsewhere(struct store_txn *txn, void *arg)
{
	const int64_t *until_s = arg;
	store_vault_need(txn, "p-20261101-000000-0000000001", "arn:other", *until_s);
}

/* One key of acmsensor csr may be under many ARNs. */
static void a_key_that_another_arn_has_outlives_its_replacement_and_its_delete(void **state)
{
	(void)state;
	static const char key_id[] = "p-20261101-000000-0000000001";
	static const enum job_kind kinds[] = {JOB_DELIVER, JOB_DELETE};
	for (size_t i = 0; i < 2; i++) {
		struct job_fixture fixture;
		struct err err = ERR_INIT;
		int64_t until_s = NOW_S + 300 * 86400, before_s = until_s - 1;
		job_fixture_open(&fixture, NULL);
		assert_int_equal(
			store_write_now(fixture.store, write_need_elsewhere, &until_s, &err), 0);
		struct job_order order = {.kind = kinds[i], .plan_id = PLAN_ID, .arn = fixture.arn};
		assert_int_equal(job_fixture_order(&fixture, &order, &err), 0);
		job_fixture_start(&fixture);
		job_fixture_finish(&fixture);
		assert_int_equal(fixture.acm.imported + fixture.acm.deleted, 1);
		assert_int_equal(
			store_write_now(fixture.store, job_fixture_wipe_due, &before_s, &err), 0);
		assert_true(job_fixture_has_key(&fixture, key_id));
		assert_int_equal(
			store_write_now(fixture.store, job_fixture_wipe_due, &until_s, &err), 0);
		assert_false(job_fixture_has_key(&fixture, key_id));
		job_fixture_close(&fixture);
	}
}

#define LEFT_OVER                                                                                  \
	"the private key could not be deleted from AWS Secrets Manager (secret "                   \
	"acmsensor/sensor1/" PLAN_ID "): "

/* Who waits for the job must not hear that all is well. */
static void a_success_tells_that_its_key_is_left_over(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = ESCROW_SECRETS_MANAGER});
	job_fixture_apply(&fixture);
	job_fixture_start(&fixture);
	fixture.acm.keeps_secrets = true;
	while (fake_call_count_of("DeleteSecret") < 2) {
		assert_true(fake_loop_step());
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		assert_int_equal(outcome.state, JOB_RUNNING);
	}
	job_fixture_see_end(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED,
		"ACM holds serial 0b; warning: " LEFT_OVER "acm: AccessDeniedException");
	assert_non_null(strstr(outcome.reason,
		"; the sensor goes on trying, and acmsensor status tells while it is there"));
	assert_int_equal(delivery_get_stats(fixture.delivery)->keys_left, 1);
	assert_int_equal(fixture.acm.imported, 1);
	job_fixture_close(&fixture);
}

/* It goes first: a daemon that dies then proves the delivery again, without it. */
static void a_success_whose_key_has_gone_is_told_after_a_kill(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = ESCROW_SECRETS_MANAGER});
	job_fixture_apply(&fixture);
	job_fixture_start(&fixture);
	while (write_acm_secrets(&fixture.acm) > 0)
		assert_true(fake_loop_step());
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	assert_int_equal(outcome.state, JOB_RUNNING);
	job_fixture_restart(&fixture);
	job_fixture_see_end(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_null(strstr(outcome.reason, "warning"));
	assert_int_equal(fixture.acm.imported, 1);
	job_fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_elsewhere_are_gone_at_the_end),
		cmocka_unit_test(a_secret_that_does_not_show_yet_is_waited_for),
		cmocka_unit_test(a_key_in_memory_waits_for_its_job),
		cmocka_unit_test(a_key_in_memory_is_lost_with_the_daemon),
		JOB_TEST(a_request_has_its_key_back_from_a_job_that_changed_nothing),
		JOB_TEST(a_request_s_key_that_was_replaced_goes_when_its_time_is_over),
		cmocka_unit_test(a_key_stays_for_the_job_that_needs_it),
		JOB_TEST(the_key_of_what_was_deleted_goes_as_one_that_was_replaced),
		cmocka_unit_test(
			a_key_that_another_arn_has_outlives_its_replacement_and_its_delete),
		cmocka_unit_test(a_success_tells_that_its_key_is_left_over),
		cmocka_unit_test(a_success_whose_key_has_gone_is_told_after_a_kill),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
