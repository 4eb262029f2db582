/* Jobs from their order to their end: what they do, and what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/coverage.h"
#include "store/events.h"
#include "store/jobs.h"
#include "store/plans.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"

static void put_as_read(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = ACCOUNT,
					.region = REGION,
					.state = COVERAGE_OK,
					.code = "",
					.reason = ""});
}

/* When the inventory is to be read again there; 0: it need not. */
static int64_t changed_s(struct job_fixture *fixture)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct coverage_record record;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	assert_true(store_coverage_get(txn, "prod", ACCOUNT, REGION, &record));
	store_read_end(txn);
	return coverage_changed_s(&record);
}

static void the_inventory_is_to_see_what_was_changed(void **state)
{
	(void)state;
	for (int is_refused = 0; is_refused < 2; is_refused++) {
		struct err err = ERR_INIT;
		struct job_fixture fixture;
		struct job_outcome outcome;
		job_fixture_open(&fixture, NULL);
		assert_int_equal(store_write_now(fixture.store, put_as_read, NULL, &err), 0);
		if (is_refused)
			fake_call_fail_at(4, ERR_REFUSED, "ValidationException"); /* the import */
		job_fixture_run_plan(&fixture, &outcome);
		assert_int_equal(outcome.state, is_refused ? JOB_FAILED : JOB_SUCCEEDED);
		assert_int_equal(changed_s(&fixture), is_refused ? 0 : clock_now_s());
		job_fixture_close(&fixture);
	}
}

static void a_reimport_is_done_tagged_and_proved(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com"});
	fixture.acm.drops_tags = true;
	fixture.acm.import_stale_looks = 2;
	job_fixture_run_plan(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b; served by 1 of 1 host");
	assert_int_equal(
		delivery_get_stats(fixture.delivery)->ended[JOB_DELIVER][JOB_SUCCEEDED], 1);
	assert_int_equal(fixture.acm.imported, 1);
	assert_string_equal(fixture.acm.cert[0].pem, fixture.new_pem);
	assert_string_equal(fixture.acm.cert[0].key, NEW_KEY);
	job_fixture_expect_tag(&fixture, "team", "a"); /* it was lost, and is back */
	job_fixture_expect_tag(&fixture, "owner", "shop team");
	job_fixture_expect_tag(&fixture, "acmsensor:managed-by", "acmsensor");
	job_fixture_expect_tag(&fixture, "acmsensor:sensor", "sensor1");
	job_fixture_expect_tag(&fixture, "acmsensor:certificate-id", "shop");
	assert_non_null(strstr(outcome.evidence, "\"outcome\":\"served\""));
	assert_non_null(strstr(outcome.evidence, "\"restored\":\"team\""));
	assert_int_equal(outcome.keep_key_until_s, clock_now_s() + KEEP_KEYS_S);
	assert_string_equal(outcome.new_key_id, PLAN_ID);
	assert_string_equal(outcome.old_key_id, "p-20261101-000000-0000000001");
	assert_true(job_fixture_has_key(&fixture, PLAN_ID));
	job_fixture_close(&fixture);
}

/* One for each phase that was done, and one for the end. */
static void events_tell_what_was_done(void **state)
{
	(void)state;
	static const char *const told[] = {"deliver, check: delivery asked for",
		"deliver, check: ACM holds serial 0a, as planned",
		"deliver, keep: what the way back needs is kept",
		"deliver, import: ACM took serial 0b", "deliver, tag: tags are complete",
		"deliver, succeeded: ACM holds serial 0b"};
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct event_record event = {.sequence = 0};
	job_fixture_run_plan(&world, &outcome);
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	assert_true(store_event_get_from(txn, 1, &event)); /* the store was created */
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		bool is_end = i + 1 == sizeof(told) / sizeof(told[0]);
		assert_true(store_event_get_from(txn, event.sequence + 1, &event));
		assert_string_equal(event.detail, told[i]);
		assert_int_equal(
			event.kind, is_end ? EVENT_DELIVERY_FINISHED : EVENT_DELIVERY_STEP);
		assert_string_equal(event.subject, world.job_id);
		assert_string_equal(event.arn, world.arn);
	}
	assert_false(store_event_get_from(txn, event.sequence + 1, &event));
	store_read_end(txn);
}

static void a_first_import_carries_its_tags(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.is_first_import = true});
	job_fixture_run_plan(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_string_equal(outcome.arn, fixture.acm.cert[0].arn);
	job_fixture_expect_tag(&fixture, "owner", "shop team");
	job_fixture_expect_tag(&fixture, "acmsensor:certificate-id", "shop");
	assert_int_equal(fake_call_count_of("AddTagsToCertificate"), 0);
	job_fixture_close(&fixture);
}

static void a_refusal_is_said_in_amazons_words(void **state)
{
	(void)state;
	struct job_outcome outcome;
	fake_call_set_answerer(NULL, NULL);
	job_fixture_apply(&world);
	fake_call_fail(&(struct fake_match){.operation = "DescribeCertificate"}, ERR_DENIED,
		"AccessDeniedException", "not authorized to perform: acm:DescribeCertificate");
	job_fixture_run(&world, &outcome);
	job_fixture_expect(&outcome, JOB_FAILED,
		"not authorized to perform: acm:DescribeCertificate; nothing was changed in AWS");
}

static void one_job_at_a_time_and_one_for_a_plan(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct job_order delete = {.kind = JOB_DELETE, .arn = world.arn};
	struct job_order deliver = {.kind = JOB_DELIVER, .plan_id = PLAN_ID};
	assert_int_equal(job_fixture_order(&world, &deliver, &err), 0);
	assert_int_equal(job_fixture_order(&world, &delete, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_non_null(strstr(err.text, "one at a time"));
	struct job_order again = {.kind = JOB_DELIVER, .plan_id = PLAN_ID};
	assert_int_equal(job_fixture_order(&world, &again, &err), -1);
	assert_non_null(strstr(err.text, "applied already"));
	struct job_order unknown = {.kind = JOB_DELIVER, .plan_id = "p-x"};
	assert_int_equal(job_fixture_order(&world, &unknown, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	struct job_order back = {.kind = JOB_ROLLBACK, .of_job_id = deliver.id};
	assert_int_equal(job_fixture_order(&world, &back, &err), -1);
	assert_non_null(strstr(err.text, "rollback is impossible: the job is still running"));
}

static void an_expired_plan_is_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	fake_clock_set_now_s(NOW_S + PLAN_LIFE_S);
	struct job_order deliver = {.kind = JOB_DELIVER, .plan_id = PLAN_ID};
	assert_int_equal(job_fixture_order(&world, &deliver, &err), -1);
	assert_non_null(strstr(err.text, "expired at 2026-11-21T01:00:00Z: plan again"));
}

static void take_plan_away(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_plan_delete(txn, PLAN_ID);
}

static void take_leaf_away(struct store_txn *txn, void *arg)
{
	struct plan_record plan;
	(void)arg;
	assert_true(store_plan_get(txn, PLAN_ID, &plan));
	memset(plan.leaf_sha256, 7, sizeof(plan.leaf_sha256));
	store_plan_put(txn, &plan);
}

/* A store that lost it; nothing is asked of AWS any more. */
static void a_job_without_what_it_brings_fails(void **state)
{
	(void)state;
	static const struct {
		store_write_fn *take_away;
		const char *says;
	} row[] = {{take_plan_away, "plan " PLAN_ID " is not in the store"},
		{take_leaf_away, "a certificate of the job is not in the store"}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		struct err err = ERR_INIT;
		job_fixture_open(&fixture, NULL);
		job_fixture_apply(&fixture);
		assert_int_equal(store_write_now(fixture.store, row[i].take_away, NULL, &err), 0);
		job_fixture_run(&fixture, &outcome);
		job_fixture_expect(&outcome, JOB_FAILED, row[i].says);
		assert_false(outcome.may_have_imported);
		assert_int_equal(fake_call_count(), 0);
		job_fixture_close(&fixture);
	}
}

/* ACM may hold its certificate. */
static void a_job_without_what_it_brought_keeps_its_key(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_apply(&world);
	job_fixture_start(&world);
	while (world.acm.imported == 0)
		assert_true(fake_loop_step());
	assert_int_equal(store_write_now(world.store, take_plan_away, NULL, &err), 0);
	job_fixture_restart(&world);
	job_fixture_see_end(&world, &outcome);
	job_fixture_expect(
		&outcome, JOB_FAILED, "plan " PLAN_ID " is not in the store; serial 0b was sent");
	int64_t due_s = clock_now_s() + KEEP_KEYS_S, before_s = due_s - 1;
	assert_int_equal(store_write_now(world.store, job_fixture_wipe_due, &before_s, &err), 0);
	assert_true(job_fixture_has_key(&world, PLAN_ID));
	assert_int_equal(store_write_now(world.store, job_fixture_wipe_due, &due_s, &err), 0);
	assert_false(job_fixture_has_key(&world, PLAN_ID));
}

static struct err no_way_in(void)
{
	struct err err = ERR_INIT;
	err_set(&err, ERR_ROLE, "account " ACCOUNT ": not authorized to perform: sts:AssumeRole");
	return err;
}

static void a_job_that_cannot_enter_its_account_says_so(void **state)
{
	(void)state;
	struct job_outcome outcome;
	const struct err why = no_way_in();
	job_fixture_apply(&world);
	job_fixture_be_away(&world, &why);
	assert_int_equal(world.err.kind, ERR_ROLE);
	job_fixture_outcome(&world, world.job_id, &outcome);
	job_fixture_expect(&outcome, JOB_RUNNING,
		"not authorized to perform: sts:AssumeRole; will be tried again");
	assert_int_equal(outcome.next_attempt_s, clock_now_s() + 30);
	job_fixture_start(&world); /* the way is open again */
	job_fixture_see_end(&world, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
}

static void a_job_that_cannot_enter_its_account_ends_all_the_same(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	const struct err why = no_way_in();
	job_fixture_open(&fixture, NULL);
	job_fixture_apply(&fixture);
	fake_clock_set_now_s(NOW_S + 86400);
	job_fixture_be_away(&fixture, &why);
	assert_int_equal(fixture.err.kind, ERR_NONE);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	job_fixture_expect(&outcome, JOB_FAILED, "given up after 24 hours: account " ACCOUNT);
	assert_non_null(strstr(outcome.reason, "; nothing was changed in AWS"));
	assert_false(job_fixture_has_key(&fixture, PLAN_ID));
	job_fixture_close(&fixture);
	static const enum key_escrow escrows[] = {
		ESCROW_SENSOR, ESCROW_MEMORY, ESCROW_SECRETS_MANAGER};
	for (size_t i = 0; i < 3; i++) {
		job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = escrows[i]});
		job_fixture_apply(&fixture);
		assert_int_equal(job_fixture_cancel_job(&fixture, &err), 0);
		job_fixture_be_away(&fixture, &why);
		assert_int_equal(fixture.err.kind, ERR_NONE);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		job_fixture_expect(&outcome, JOB_CANCELLED, "nothing was changed in AWS");
		assert_int_equal(fake_call_count_of("DeleteSecret"), 0); /* the sweep's */
		job_fixture_close(&fixture);
	}
}

static size_t count_steps(struct job_fixture *fixture, const char *part)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_step step;
	uint32_t number = 0;
	size_t count = 0;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	while (store_job_step_next(txn, fixture->job_id, &number, &step))
		count += strstr(step.text, part) != NULL;
	store_read_end(txn);
	return count;
}

/* Its connector was taken out of the configuration: nobody but a person can look there. */
static void a_secret_that_cannot_be_reached_is_told(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	const struct err why = no_way_in();
	job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = ESCROW_SECRETS_MANAGER});
	job_fixture_apply(&fixture);
	assert_int_equal(job_fixture_cancel_job(&fixture, &err), 0);
	job_fixture_be_away(&fixture, &why);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	job_fixture_expect(&outcome, JOB_CANCELLED, "nothing was changed in AWS");
	static const char left_over[] =
		"the private key could not be deleted from AWS Secrets Manager (secret "
		"acmsensor/sensor1/" PLAN_ID "): there is no connector to delete it with";
	assert_int_equal(count_steps(&fixture, left_over), 1);
	job_fixture_expect(&outcome, JOB_CANCELLED, left_over); /* the record keeps it */
	job_fixture_close(&fixture);
}

/* However long the daemon was away. */
static void an_old_job_keeps_its_arn(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	job_fixture_apply(&world);
	fake_clock_set_now_s(NOW_S + 30 * 86400);
	struct job_order order = {.kind = JOB_DELETE, .arn = world.arn};
	assert_int_equal(job_fixture_order(&world, &order, &err), -1);
	assert_non_null(strstr(err.text, "one at a time"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_inventory_is_to_see_what_was_changed),
		cmocka_unit_test(a_reimport_is_done_tagged_and_proved),
		JOB_TEST(events_tell_what_was_done),
		cmocka_unit_test(a_first_import_carries_its_tags),
		JOB_TEST(a_refusal_is_said_in_amazons_words),
		JOB_TEST(one_job_at_a_time_and_one_for_a_plan),
		JOB_TEST(an_expired_plan_is_refused),
		cmocka_unit_test(a_job_without_what_it_brings_fails),
		JOB_TEST(a_job_without_what_it_brought_keeps_its_key),
		JOB_TEST(a_job_that_cannot_enter_its_account_says_so),
		cmocka_unit_test(a_job_that_cannot_enter_its_account_ends_all_the_same),
		cmocka_unit_test(a_secret_that_cannot_be_reached_is_told),
		JOB_TEST(an_old_job_keeps_its_arn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
