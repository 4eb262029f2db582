/* Which plans and jobs go, in which steps, and what a way back keeps. */
#include "delivery/forget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/delivery_internal.h"
#include "store/key_internal.h"
#include "store/vault.h"
#include "tests/lib/store_fixture.h"

enum { NOW_S = 1795219200, DAY_S = 86400, KEEP_S = 400 * DAY_S };

static void write_plan(struct store_txn *txn, void *arg)
{
	store_plan_put(txn, arg);
}

static void put_plan(const char *id, const char *job_id, int64_t expires_s)
{
	store_fixture_write(write_plan, &(struct plan_record){.id = id,
						.decision = PLAN_REIMPORT,
						.escrow = ESCROW_SENSOR,
						.job_id = job_id,
						.expires_s = expires_s});
}

static void write_job(struct store_txn *txn, void *arg)
{
	const struct job_record *job = arg;
	store_job_put(txn, job);
	store_job_step_append(
		txn, job->id, &(struct job_step){.phase = JOB_CHECK, .text = "looks"});
}

static void put_job(const char *id, int64_t ended_s, const char *old_key_id, const char *new_key_id)
{
	store_fixture_write(write_job, &(struct job_record){.id = id,
					       .kind = JOB_DELIVER,
					       .phase = JOB_DONE,
					       .state = ended_s != 0 ? JOB_SUCCEEDED : JOB_RUNNING,
					       .arn = "arn:a",
					       .new_fingerprint_sha256 = {1, (unsigned char)id[2]},
					       .ended_s = ended_s,
					       .old_key_id = old_key_id,
					       .new_key_id = new_key_id});
}

static void write_key(struct store_txn *txn, void *arg)
{
	struct key key = key_id(arg, VAULT_ID_MAX);
	static const unsigned char sealed[64];
	entry_put(txn, TABLE_VAULT, &key, &vault_format,
		&(struct vault_record){.id = arg,
			.kind = VAULT_KEY,
			.epoch = 1,
			.bytes = {.bytes = sealed, .len = sizeof(sealed)}});
}

static void write_key_away(struct store_txn *txn, void *arg)
{
	store_vault_delete(txn, arg);
}

struct step {
	struct forget_place from;
	size_t looks;
	struct forgotten forgotten;
};

static void write_step(struct store_txn *txn, void *arg)
{
	struct step *step = arg;
	delivery_forget(txn, &step->from, NOW_S, KEEP_S, step->looks, &step->forgotten);
}

/* All steps; returns how many there were. */
static size_t forget(size_t looks, size_t *ret_plans, size_t *ret_jobs)
{
	struct step step = {.looks = looks};
	size_t steps = 0;
	*ret_plans = *ret_jobs = 0;
	do {
		store_fixture_write(write_step, &step);
		step.from = step.forgotten.to;
		*ret_plans += step.forgotten.plans;
		*ret_jobs += step.forgotten.jobs;
		steps++;
	} while (step.forgotten.has_more);
	return steps;
}

static bool has_plan(const char *id)
{
	struct plan_record plan;
	struct store_txn *txn = store_fixture_read();
	bool has = store_plan_get(txn, id, &plan);
	store_read_end(txn);
	return has;
}

static bool has_job(const char *id)
{
	struct job_record job;
	struct job_step line;
	uint32_t number = 0;
	struct store_txn *txn = store_fixture_read();
	bool has = store_job_get(txn, id, &job);
	assert_int_equal(store_job_step_next(txn, id, &number, &line), has);
	store_read_end(txn);
	return has;
}

static void a_plan_goes_a_day_after_its_end(void **state)
{
	(void)state;
	size_t plans, jobs;
	put_plan("p-1", "", NOW_S - DAY_S - 1);
	put_plan("p-2", "", NOW_S - DAY_S);
	put_plan("p-3", "j-3", NOW_S - 9 * DAY_S); /* its job runs */
	put_plan("p-4", "j-4", NOW_S - 9 * DAY_S);
	put_plan("p-5", "j-5", NOW_S - 9 * DAY_S); /* its job has just ended */
	put_plan("p-6", "j-6", NOW_S - 9 * DAY_S); /* there is a way back, which tells its hosts */
	put_plan("p-7", "j-7", NOW_S - 9 * DAY_S); /* its job is gone */
	store_fixture_write(write_key, "key-old");
	put_job("j-3", 0, "", "");
	put_job("j-4", NOW_S - 2 * DAY_S, "key-wiped", "");
	put_job("j-5", NOW_S, "", "");
	put_job("j-6", NOW_S - 2 * DAY_S, "key-old", "");
	(void)forget(100, &plans, &jobs);
	assert_int_equal(plans, 3);
	assert_int_equal(jobs, 0);
	assert_true(!has_plan("p-1") && has_plan("p-2") && has_plan("p-3"));
	assert_true(!has_plan("p-4") && has_plan("p-5") && has_plan("p-6") && !has_plan("p-7"));
	store_fixture_write(write_key_away, "key-old");
	(void)forget(100, &plans, &jobs);
	assert_int_equal(plans, 1);
	assert_false(has_plan("p-6"));
}

static void a_job_stays_as_configured_and_while_the_vault_has_a_key_of_it(void **state)
{
	(void)state;
	size_t plans, jobs;
	store_fixture_write(write_key, "key-1");
	put_job("j-1", NOW_S - KEEP_S - 1, "", "");
	put_job("j-2", NOW_S - KEEP_S, "", "");
	put_job("j-3", 0, "", "");
	put_job("j-4", NOW_S - KEEP_S - 1, "key-1", "key-wiped");
	put_job("j-5", NOW_S - KEEP_S - 1, "key-wiped", "key-1");
	(void)forget(100, &plans, &jobs);
	assert_int_equal(jobs, 1);
	assert_true(!has_job("j-1") && has_job("j-2") && has_job("j-3") && has_job("j-4"));
	assert_true(has_job("j-5"));
	store_fixture_write(write_key_away, "key-1");
	(void)forget(100, &plans, &jobs);
	assert_int_equal(jobs, 2);
	assert_true(has_job("j-2") && has_job("j-3") && !has_job("j-4") && !has_job("j-5"));
}

static void it_goes_in_steps_and_misses_nothing(void **state)
{
	(void)state;
	size_t plans, jobs;
	char id[] = "p-a";
	for (; id[2] < 'k'; id[2]++) {
		id[0] = 'p';
		put_plan(id, "", 1);
		id[0] = 'j';
		put_job(id, 1, "", "");
	}
	assert_int_equal(forget(3, &plans, &jobs), 8); /* 10 + 10 and the two ends */
	assert_int_equal(plans, 10);
	assert_int_equal(jobs, 10);
	assert_int_equal(forget(3, &plans, &jobs), 1);
}

static void put_plan_of(const char *id, const char *connector, enum key_escrow escrow)
{
	store_fixture_write(write_plan, &(struct plan_record){.id = id,
						.connector = connector,
						.decision = PLAN_IMPORT_NEW,
						.escrow = escrow,
						.expires_s = 1});
}

/* Also by plans that go in this very step, and in whatever step they are seen. */
static void whose_keys_were_in_secrets_manager_is_told(void **state)
{
	(void)state;
	struct step step = {.looks = 2};
	put_plan_of("p-1", "one", ESCROW_SECRETS_MANAGER);
	put_plan_of("p-2", "one", ESCROW_SECRETS_MANAGER);
	put_plan_of("p-3", "two", ESCROW_SENSOR);
	put_plan_of("p-4", "three", ESCROW_SECRETS_MANAGER);
	do {
		store_fixture_write(write_step, &step);
		step.from = step.forgotten.to;
	} while (step.forgotten.has_more);
	assert_true(forget_place_has_secrets(&step.from, "one"));
	assert_false(forget_place_has_secrets(&step.from, "two"));
	assert_true(forget_place_has_secrets(&step.from, "three"));
	assert_int_equal(step.from.secrets_of_count, 2);
	assert_false(has_plan("p-1"));
	for (int i = 0; i <= FORGET_CONNECTORS_MAX; i++) {
		char name[8];
		snprintf(name, sizeof(name), "%d", i);
		put_plan_of(name, name, ESCROW_SECRETS_MANAGER);
	}
	step = (struct step){.looks = 200};
	store_fixture_write(write_step, &step);
	assert_int_equal(step.forgotten.to.secrets_of_count, FORGET_CONNECTORS_MAX);
}

static void write_job_away(struct store_txn *txn, void *arg)
{
	store_job_delete(txn, arg);
}

static void what_is_not_there_is_not_forgotten_twice(void **state)
{
	(void)state;
	put_job("j-1", 0, "", "");
	store_fixture_write(write_job_away, "j-2");
	assert_true(has_job("j-1"));
	store_fixture_write(write_job_away, "j-1"); /* also among those that run */
	assert_false(has_job("j-1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_plan_goes_a_day_after_its_end, store_fixture_open, store_fixture_close),
		cmocka_unit_test_setup_teardown(
			a_job_stays_as_configured_and_while_the_vault_has_a_key_of_it,
			store_fixture_open, store_fixture_close),
		cmocka_unit_test_setup_teardown(it_goes_in_steps_and_misses_nothing,
			store_fixture_open, store_fixture_close),
		cmocka_unit_test_setup_teardown(whose_keys_were_in_secrets_manager_is_told,
			store_fixture_open, store_fixture_close),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_not_forgotten_twice,
			store_fixture_open, store_fixture_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
