/* Orders against what the store knows: one write takes one, or says in a sentence why not. */
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
#include "store/events.h"
#include "tests/delivery/job_order_fixture.h"
#include "tests/lib/fake_clock.h"

/* --- changes to what the fixture stored -------------------------------------------------------- */

typedef void change_fn(struct plan_record *plan);

static void write_plan(struct store_txn *txn, void *arg)
{
	struct plan_record plan;
	change_fn **change = arg;
	assert_true(store_plan_get(txn, PLAN_ID, &plan));
	(*change)(&plan);
	store_plan_put(txn, &plan);
}

static void change_plan(change_fn *change)
{
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(world.store, write_plan, (void *)&change, &err), 0);
}

static const struct job_order deliver = {.kind = JOB_DELIVER, .plan_id = PLAN_ID};

static void ids_of_one_second_sort_by_when_they_were_made(void **state)
{
	(void)state;
	char last[DELIVERY_ID_MAX + 1] = "", id[DELIVERY_ID_MAX + 1];
	fake_clock_set_now_s(NOW_S);
	for (int i = 0; i < 1000; i++) {
		delivery_new_id(JOB_ID_DELIVER, NOW_S, id);
		assert_true(strcmp(last, id) < 0);
		assert_int_equal(strlen(id), strlen("j-20261121-000000-0123456789"));
		text_copy(last, sizeof(last), id);
		fake_clock_advance_ms(1);
	}
	fake_clock_set_now_s(NOW_S);
}

/* --- deliver ----------------------------------------------------------------------------------- */

static void a_plan_becomes_a_job(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_record job;
	struct plan_record plan;
	struct job_step step;
	struct event_record event;
	uint32_t number = 0;
	job_order_take(deliver);
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	assert_true(store_job_get(txn, world.job_id, &job));
	assert_int_equal(job.phase, JOB_CHECK);
	assert_string_equal(job.arn, world.arn);
	assert_string_equal(job.old_serial, "0a");
	assert_string_equal(job.new_serial, "0b");
	assert_string_equal(job.old_key_id, OLD_ID); /* this sensor delivered it, and has it */
	assert_string_equal(job.new_key_id, PLAN_ID);
	assert_string_equal(job.requested_by, "uid 0");
	assert_true(store_plan_get(txn, PLAN_ID, &plan));
	assert_string_equal(plan.job_id, world.job_id);
	assert_true(store_job_step_next(txn, world.job_id, &number, &step));
	assert_string_equal(step.text, "delivery asked for");
	assert_true(store_event_get_last(txn, 0, &event));
	assert_int_equal(event.kind, EVENT_DELIVERY_STEP);
	assert_string_equal(event.subject, world.job_id);
	assert_string_equal(event.detail, "deliver, check: delivery asked for");
	store_read_end(txn);
}

static void refuses(struct plan_record *plan)
{
	plan->decision = PLAN_REFUSE;
}

static void knows_no_leaf(struct plan_record *plan)
{
	memset(plan->leaf_sha256, 7, sizeof(plan->leaf_sha256));
}

static void is_first_import(struct plan_record *plan)
{
	plan->decision = PLAN_IMPORT_NEW;
	plan->arn = "";
}

static void plans_that_are_not_open_are_refused(void **state)
{
	(void)state;
	job_order_refuse((struct job_order){.kind = JOB_DELIVER, .plan_id = "p-x"}, ERR_NOT_FOUND,
		"there is no plan p-x");
	fake_clock_set_now_s(NOW_S + PLAN_LIFE_S - 1);
	job_order_take(deliver);
	job_order_refuse(deliver, ERR_REFUSED, "was applied already: job j-");
	fake_clock_set_now_s(NOW_S);
}

static void write_state(struct store_txn *txn, void *arg)
{
	struct job_record job;
	assert_true(store_job_get(txn, world.job_id, &job));
	job.state = *(const enum job_state *)arg;
	store_job_put(txn, &job);
}

static void what_came_to_nothing_is_to_be_planned_again(void **state)
{
	(void)state;
	static const struct {
		enum job_state state;
		const char *says;
	} row[] = {{JOB_CANCELLED, ", which was cancelled: plan again"},
		{JOB_FAILED, ", which failed: plan again"}};
	struct err err = ERR_INIT;
	job_order_take(deliver);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(store_write_now(world.store, write_state,
					 (void *)(uintptr_t)&row[i].state, &err),
			0);
		job_order_refuse(deliver, ERR_REFUSED, row[i].says);
	}
}

static void a_plan_that_refuses_is_no_order(void **state)
{
	(void)state;
	change_plan(refuses);
	job_order_refuse(deliver, ERR_REFUSED, "plan " PLAN_ID " refuses: nothing to apply");
}

static void a_plan_whose_certificate_is_lost_is_an_error(void **state)
{
	(void)state;
	change_plan(knows_no_leaf);
	job_order_refuse(deliver, ERR_STORE, "the plan's certificate is not in the store");
}

static void write_certificate(struct store_txn *txn, void *arg)
{
	struct sample_cert sample;
	const struct cert_record *wish = arg;
	sample_cert_init(&sample, 1);
	snprintf(sample.arn, sizeof(sample.arn), "%s", world.arn);
	sample.record.arn = sample.arn;
	sample.record.account_id = ACCOUNT;
	sample.record.region = REGION;
	sample.record.serial = wish->serial;
	sample.record.detailed_s = wish->detailed_s;
	sample_cert_store(txn, &sample);
	sample_cert_clear(&sample);
}

/* What a scan has read since the plan: somebody else was there. */
static void a_plan_that_was_overtaken_is_void(void **state)
{
	(void)state;
	static const struct {
		const char *serial;
		int64_t detailed_s;
		bool is_void;
	} row[] = {{"0c", NOW_S + 1, true}, {"0c", NOW_S, false}, {"", NOW_S + 1, false},
		{"0A", NOW_S + 1, false}, {"000a", NOW_S + 1, false}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct err err = ERR_INIT;
		struct cert_record wish = {
			.serial = row[i].serial, .detailed_s = row[i].detailed_s};
		if (i > 0) {
			job_fixture_tear_down(NULL);
			job_fixture_set_up(NULL);
		}
		if (store_write_now(world.store, write_certificate, &wish, &err) != 0)
			fail_msg("%s", err.text);
		if (row[i].is_void)
			job_order_refuse(deliver, ERR_REFUSED,
				"is void: someone else replaced the certificate (serial 0c instead "
				"of 0a): plan again");
		else
			job_order_take(deliver);
	}
}

static void a_plan_that_an_own_job_overtook_names_it(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct cert_record wish = {.serial = "0c", .detailed_s = NOW_S + 1};
	struct job_record job = job_order_any("j-9");
	job.state = JOB_SUCCEEDED;
	job.phase = JOB_DONE;
	job.arn = world.arn;
	job.new_serial = "0C";
	job.may_have_imported = true;
	job.ended_s = NOW_S;
	memset(job.new_fingerprint_sha256, 9, CERT_SHA256_LEN);
	sample_job_put(world.store, &job);
	assert_int_equal(store_write_now(world.store, write_certificate, &wish, &err), 0);
	job_order_refuse(deliver, ERR_REFUSED,
		"is void: job j-9 replaced the certificate (serial 0c instead of 0a): plan again");
}

static bool is_void(void)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct plan_record plan;
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	assert_true(store_plan_get(txn, PLAN_ID, &plan));
	bool is = plan_is_void(txn, &plan, NOW_S);
	store_read_end(txn);
	return is;
}

/* Else its own plan would fail as a job, and alert, where a sentence does. */
static void a_plan_that_an_own_job_overtook_is_void_before_a_scan_tells(void **state)
{
	(void)state;
	struct job_record job = job_order_any("j-9");
	job.state = JOB_SUCCEEDED;
	job.phase = JOB_DONE;
	job.arn = world.arn;
	job.new_serial = "0C";
	job.may_have_imported = true;
	job.ended_s = NOW_S; /* the plan may have seen it */
	memset(job.new_fingerprint_sha256, 9, CERT_SHA256_LEN);
	sample_job_put(world.store, &job);
	assert_false(is_void());
	job.ended_s = NOW_S + 1;
	sample_job_put(world.store, &job);
	assert_true(is_void());
	job_order_refuse(deliver, ERR_REFUSED,
		"is void: job j-9 replaced the certificate (serial 0C instead of 0a): plan again");
	job.new_serial = "0A"; /* gone back since */
	sample_job_put(world.store, &job);
	assert_false(is_void());
	job_order_take(deliver);
}

/* The first import that it is has succeeded after the plan was made. */
static void put_succeeded(struct job_record *job)
{
	job->state = JOB_SUCCEEDED;
	job->phase = JOB_DONE;
	job->arn = "arn:aws:acm:eu-west-1:111122223333:certificate/new";
	job->may_have_imported = true;
	job->ended_s = NOW_S + 1;
	sample_job_put(world.store, job);
}

/* Two plans, both open, for a certificate that is not there yet: the second would make two. */
static void a_first_import_of_an_id_happens_once(void **state)
{
	(void)state;
	struct job_record other = job_order_any("j-20261121-000000-0000000009");
	change_plan(is_first_import);
	sample_job_put(world.store, &other);
	job_order_refuse(deliver, ERR_REFUSED,
		"is void: job j-20261121-000000-0000000009 brings a certificate with the id shop "
		"to ACM: plan again when it has ended");
	put_succeeded(&other);
	job_order_refuse(
		deliver, ERR_REFUSED, "has meanwhile sent a certificate with the id shop to ACM");
	other.state = JOB_FAILED;
	other.may_have_imported = false;
	other.arn = "";
	sample_job_put(world.store, &other);
	job_order_take(deliver);
}

/* A pipeline that runs again makes an id anew: of the same certificate there would be two. */
static void a_first_import_of_a_leaf_happens_once(void **state)
{
	(void)state;
	struct plan_record plan;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_record other = job_order_any("j-20261121-000000-0000000009");
	change_plan(is_first_import);
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	assert_true(store_plan_get(txn, PLAN_ID, &plan));
	memcpy(other.new_fingerprint_sha256, plan.leaf_sha256, CERT_SHA256_LEN);
	store_read_end(txn);
	other.certificate_id = "c-1";
	sample_job_put(world.store, &other);
	job_order_refuse(deliver, ERR_REFUSED,
		"is void: job j-20261121-000000-0000000009 brings this very certificate to ACM: "
		"plan again when it has ended");
	put_succeeded(&other);
	job_order_refuse(deliver, ERR_REFUSED,
		"has meanwhile sent this very certificate to ACM: plan again");
}

/* Which deliveries came after such a plan cannot be told by their times. */
static void a_first_import_whose_plan_has_yet_to_be_made_is_refused(void **state)
{
	(void)state;
	change_plan(is_first_import);
	fake_clock_set_now_s(NOW_S - 60);
	job_order_refuse(deliver, ERR_REFUSED,
		"plan " PLAN_ID " is void: it was made at 2026-11-21T00:00:00Z, and now it is "
		"2026-11-20T23:59:00Z: the clock was set back since: plan again");
	fake_clock_set_now_s(NOW_S);
	job_order_take(deliver);
}

static void an_arn_has_one_job_at_a_time(void **state)
{
	(void)state;
	struct job_record other = job_order_any("d-20261121-000000-0000000009");
	other.kind = JOB_DELETE;
	other.arn = world.arn;
	sample_job_put(world.store, &other);
	char expected[256];
	snprintf(expected, sizeof(expected),
		"job d-20261121-000000-0000000009 runs on %s, one at a time: wait for its end, or "
		"cancel it first",
		world.arn);
	job_order_refuse(deliver, ERR_REFUSED, expected);
	job_order_refuse(
		(struct job_order){.kind = JOB_DELETE, .arn = world.arn}, ERR_REFUSED, expected);
	other.arn = "arn:another";
	sample_job_put(world.store, &other);
	job_order_take(deliver);
}

static void a_delete_drains_when_it_is_to_wait(void **state)
{
	(void)state;
	struct job_outcome outcome;
	job_order_take((struct job_order){
		.kind = JOB_DELETE, .arn = world.arn, .wait_until_unused = true});
	job_fixture_outcome(&world, world.job_id, &outcome);
	assert_int_equal(outcome.phase, JOB_DRAIN);
	job_order_take((struct job_order){.kind = JOB_DELETE, .arn = "arn:another"});
	job_fixture_outcome(&world, world.job_id, &outcome);
	assert_int_equal(outcome.phase, JOB_CHECK);
	assert_string_equal(outcome.arn, "arn:another");
}

/* --- cancel ------------------------------------------------------------------------------------ */

static void expect_cancel(const char *job_id, enum err_kind kind, const char *expected)
{
	struct err err = ERR_INIT;
	text_copy(world.job_id, sizeof(world.job_id), job_id);
	int rc = job_fixture_cancel_job(&world, &err);
	assert_int_equal(rc, kind == ERR_NONE ? 0 : -1);
	if (err.kind != kind || strstr(err.text, expected) == NULL)
		fail_msg("%s instead of %s", err.text, expected);
}

static void a_cancel_comes_before_the_change_or_not_at_all(void **state)
{
	(void)state;
	struct job_record job = job_order_any("j-1");
	expect_cancel("j-x", ERR_NOT_FOUND, "there is no job j-x");
	expect_cancel(EARLIER, ERR_REFUSED, "has ended: succeeded");
	job.may_have_imported = true;
	job.phase = JOB_FIND;
	job.old_serial = "0a";
	sample_job_put(world.store, &job);
	expect_cancel("j-1", ERR_REFUSED,
		"j-1 has gone too far to be cancelled (find): let it end, then roll it "
		"back");
	job.old_serial = "";
	sample_job_put(world.store, &job);
	expect_cancel("j-1", ERR_REFUSED, "(find): let it end, then delete the certificate");
	job.may_have_imported = false;
	job.kind = JOB_DELETE;
	job.phase = JOB_DELETE_CALL;
	sample_job_put(world.store, &job);
	expect_cancel("j-1", ERR_REFUSED, "cancelled (delete): wait for its end");
	job.phase = JOB_DRAIN;
	job.next_attempt_s = NOW_S + 600;
	sample_job_put(world.store, &job);
	expect_cancel("j-1", ERR_NONE, "");
	unsigned char before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	job_order_digest(before);
	expect_cancel("j-1", ERR_NONE, ""); /* again is fine, and no second line */
	job_order_digest(after);
	assert_memory_equal(before, after, STORE_DIGEST_LEN);
	struct job_outcome outcome;
	job_fixture_outcome(&world, "j-1", &outcome);
	assert_int_equal(outcome.state, JOB_RUNNING);
	assert_int_equal(outcome.next_attempt_s, 0);
	assert_string_equal(outcome.reason,
		"cancelling was asked for: it ends at its next step and changes nothing");
}

/* --- notes ------------------------------------------------------------------------------------- */

static void write_notes(struct store_txn *txn, void *arg)
{
	struct job_record job;
	(void)arg;
	assert_true(store_job_get(txn, "j-1", &job));
	job_note(txn, &job, NOW_S, true, false, "a line alone");
	assert_true(store_job_get(txn, "j-1", &job));
	job.state = JOB_FAILED;
	job_note(txn, &job, NOW_S + 1, false, true, "and its end");
}

static void a_note_is_a_line_and_an_event_that_says_the_same(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_step step;
	struct event_record event;
	struct job_record job = job_order_any("j-1");
	uint32_t number = 0;
	sample_job_put(world.store, &job);
	assert_int_equal(store_write_now(world.store, write_notes, NULL, &err), 0);
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	assert_true(store_job_step_next(txn, "j-1", &number, &step));
	assert_true(step.is_failure);
	assert_string_equal(step.text, "a line alone");
	assert_true(store_job_step_next(txn, "j-1", &number, &step));
	assert_false(step.is_failure);
	assert_false(store_job_step_next(txn, "j-1", &number, &step));
	assert_true(store_event_get_last(txn, 0, &event));
	assert_int_equal(event.kind, EVENT_DELIVERY_FINISHED);
	assert_string_equal(event.detail, "deliver, failed: and its end");
	store_read_end(txn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(ids_of_one_second_sort_by_when_they_were_made),
		JOB_TEST(a_plan_becomes_a_job),
		JOB_TEST(plans_that_are_not_open_are_refused),
		JOB_TEST(what_came_to_nothing_is_to_be_planned_again),
		JOB_TEST(a_plan_that_refuses_is_no_order),
		JOB_TEST(a_plan_whose_certificate_is_lost_is_an_error),
		JOB_TEST(a_plan_that_was_overtaken_is_void),
		JOB_TEST(a_plan_that_an_own_job_overtook_names_it),
		JOB_TEST(a_plan_that_an_own_job_overtook_is_void_before_a_scan_tells),
		JOB_TEST(a_first_import_of_an_id_happens_once),
		JOB_TEST(a_first_import_of_a_leaf_happens_once),
		JOB_TEST(a_first_import_whose_plan_has_yet_to_be_made_is_refused),
		JOB_TEST(an_arn_has_one_job_at_a_time),
		JOB_TEST(a_delete_drains_when_it_is_to_wait),
		JOB_TEST(a_cancel_comes_before_the_change_or_not_at_all),
		JOB_TEST(a_note_is_a_line_and_an_event_that_says_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
