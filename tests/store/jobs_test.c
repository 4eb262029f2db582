/* Jobs come back as they were put; each has its steps; the newest that brought a leaf is found. */
#include "store/jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "tests/lib/temp_store.h"

static const char arn[] = "arn:aws:acm:eu-west-1:000000000001:certificate/1";
static const unsigned char leaf[CERT_SHA256_LEN] = {8};

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
	store_job_put(txn, arg);
}

static int put(struct job_record job, struct err *err)
{
	return store_write_now(store, do_put, &job, err);
}

static struct store_txn *begin(void)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	return txn;
}

static const struct job_record full = {.id = "job-1",
	.kind = JOB_DELIVER,
	.plan_id = "plan-1",
	.of_job_id = "job-0",
	.connector = "prod",
	.account_id = "000000000001",
	.region = "eu-west-1",
	.arn = arn,
	.certificate_id = "shop",
	.phase = JOB_CONFIRM,
	.state = JOB_RUNNING,
	.reason = "waits",
	.created_s = 1,
	.updated_s = 2,
	.ended_s = 3,
	.next_attempt_s = 4,
	.attempts = 5,
	.is_cancel_asked = true,
	.may_have_imported = true,
	.import_sent_s = 6,
	.old_serial = "0a",
	.new_serial = "0b",
	.old_fingerprint_sha256 = {7},
	.new_fingerprint_sha256 = {8},
	.old_chain_sha256 = {{9}, {10}},
	.old_chain_count = 2,
	.old_key_id = "key-1",
	.new_key_id = "key-2",
	.keep_key_until_s = 11,
	.old_tags = {.bytes = "team\0shop", .len = 10, .count = 2},
	.evidence = "{}",
	.requested_by = "uid 0"};

static void every_field_comes_back(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct job_record job;
	assert_int_equal(put(full, &err), 0);
	struct store_txn *txn = begin();
	assert_false(store_job_get(txn, "job-2", &job));
	assert_true(store_job_get(txn, "job-1", &job));
	assert_string_equal(job.id, full.id);
	assert_int_equal(job.kind, full.kind);
	assert_string_equal(job.plan_id, full.plan_id);
	assert_string_equal(job.of_job_id, full.of_job_id);
	assert_string_equal(job.connector, full.connector);
	assert_string_equal(job.account_id, full.account_id);
	assert_string_equal(job.region, full.region);
	assert_string_equal(job.arn, full.arn);
	assert_string_equal(job.certificate_id, full.certificate_id);
	assert_int_equal(job.phase, full.phase);
	assert_int_equal(job.state, full.state);
	assert_string_equal(job.reason, full.reason);
	assert_int_equal(job.created_s, 1);
	assert_int_equal(job.updated_s, 2);
	assert_int_equal(job.ended_s, 3);
	assert_int_equal(job.next_attempt_s, 4);
	assert_int_equal(job.attempts, 5);
	assert_true(job.is_cancel_asked && job.may_have_imported);
	assert_int_equal(job.import_sent_s, 6);
	assert_string_equal(job.old_serial, "0a");
	assert_string_equal(job.new_serial, "0b");
	assert_memory_equal(
		job.old_fingerprint_sha256, full.old_fingerprint_sha256, CERT_SHA256_LEN);
	assert_memory_equal(job.new_fingerprint_sha256, leaf, CERT_SHA256_LEN);
	assert_int_equal(job.old_chain_count, 2);
	assert_memory_equal(job.old_chain_sha256, full.old_chain_sha256, 2 * CERT_SHA256_LEN);
	assert_string_equal(job.old_key_id, "key-1");
	assert_string_equal(job.new_key_id, "key-2");
	assert_int_equal(job.keep_key_until_s, 11);
	assert_string_equal(pack_next(&job.old_tags, pack_first(&job.old_tags)), "shop");
	assert_string_equal(job.evidence, "{}");
	assert_string_equal(job.requested_by, "uid 0");
	store_read_end(txn);
}

static void jobs_come_in_order_of_their_ids(void **state)
{
	(void)state;
	static const char *const ids[] = {"job-3", "job-1", "job-2"};
	struct err err = ERR_INIT;
	struct job_record job = full;
	char position[DELIVERY_ID_MAX + 1] = "", id[16];
	for (size_t i = 0; i < 3; i++) {
		job.id = ids[i];
		assert_int_equal(put(job, &err), 0);
	}
	job.id = "";
	assert_int_equal(put(job, &err), -1);
	struct store_txn *txn = begin();
	for (int i = 1; i <= 3; i++) {
		snprintf(id, sizeof(id), "job-%d", i);
		assert_true(store_job_next(txn, position, &job));
		assert_string_equal(job.id, id);
	}
	assert_false(store_job_next(txn, position, &job));
	store_read_end(txn);
}

/* --- steps ------------------------------------------------------------------------------------ */

static void put_steps(struct store_txn *txn, void *arg)
{
	(void)arg;
	struct job_record job = full;
	store_job_put(txn, &job);
	job.id = "job-10"; /* a longer id that begins with the other */
	store_job_put(txn, &job);
	for (int i = 1; i <= 300; i++) /* more than a byte counts */
		store_job_step_append(txn, "job-1",
			&(struct job_step){.number = 77,
				.at_s = i,
				.phase = JOB_TAG,
				.is_failure = i % 2 == 0,
				.text = "asked"});
	store_job_step_append(
		txn, "job-10", &(struct job_step){.at_s = 1000, .phase = JOB_CHECK, .text = "x"});
}

static void steps_come_in_the_order_in_which_they_were_taken(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct job_step step;
	uint32_t number = 0, expected = 0;
	assert_int_equal(store_write_now(store, put_steps, NULL, &err), 0);
	struct store_txn *txn = begin();
	while (store_job_step_next(txn, "job-1", &number, &step)) {
		expected++;
		assert_int_equal(number, expected);
		assert_int_equal(step.number, expected);
		assert_int_equal(step.at_s, expected);
		assert_int_equal(step.phase, JOB_TAG);
		assert_true(step.is_failure == (expected % 2 == 0));
		assert_string_equal(step.text, "asked");
	}
	assert_int_equal(expected, 300);
	number = 0;
	assert_true(store_job_step_next(txn, "job-10", &number, &step));
	assert_int_equal(step.at_s, 1000);
	assert_false(store_job_step_next(txn, "job-10", &number, &step));
	number = 0;
	assert_false(store_job_step_next(txn, "job-2", &number, &step));
	store_read_end(txn);
}

/* --- which job brought a certificate ---------------------------------------------------------- */

static void put_ended(
	const char *id, enum job_kind kind, enum job_state state, int64_t ended_s, const char *of)
{
	struct err err = ERR_INIT;
	struct job_record job = full;
	job.id = id;
	job.kind = kind;
	job.state = state;
	job.phase = JOB_DONE;
	job.ended_s = ended_s;
	job.arn = of;
	assert_int_equal(put(job, &err), 0);
}

static void expect_of_leaf(const char *expected)
{
	struct job_record job;
	struct store_txn *txn = begin();
	bool is_found = store_job_of_leaf(txn, arn, leaf, &job);
	assert_true(is_found == (expected != NULL));
	if (is_found)
		assert_string_equal(job.id, expected);
	store_read_end(txn);
}

static void the_newest_job_that_brought_the_leaf_is_found(void **state)
{
	(void)state;
	expect_of_leaf(NULL);
	put_ended("a-failed", JOB_DELIVER, JOB_FAILED, 100, arn);
	put_ended("b-running", JOB_DELIVER, JOB_RUNNING, 0, arn);
	put_ended("c-deleted", JOB_DELETE, JOB_SUCCEEDED, 100, arn);
	put_ended("d-other", JOB_DELIVER, JOB_SUCCEEDED, 100, "arn:other");
	put_ended("e-cancelled", JOB_DELIVER, JOB_CANCELLED, 100, arn);
	put_ended("f-impossible", JOB_ROLLBACK, JOB_IMPOSSIBLE, 100, arn);
	expect_of_leaf(NULL);
	put_ended("z-first", JOB_DELIVER, JOB_SUCCEEDED, 10, arn);
	expect_of_leaf("z-first");
	put_ended("y-newer", JOB_ROLLBACK, JOB_RESTORED, 20, arn);
	expect_of_leaf("y-newer");
	put_ended("x-newest", JOB_DELIVER, JOB_SUCCEEDED, 30, arn);
	put_ended("w-between", JOB_DELIVER, JOB_SUCCEEDED, 15, arn);
	expect_of_leaf("x-newest");
	struct job_record job;
	unsigned char other[CERT_SHA256_LEN] = {9};
	struct store_txn *txn = begin();
	assert_false(store_job_of_leaf(txn, arn, other, &job));
	store_read_end(txn);
}

static void names_are_for_people(void **state)
{
	(void)state;
	static const char *const kinds[] = {"unknown", "deliver", "rollback", "delete", "unknown"};
	static const char *const phases[] = {"unknown", "check", "keep", "import", "find", "tag",
		"confirm", "verify", "drain", "delete", "done", "unknown"};
	static const char *const states[] = {"unknown", "running", "succeeded", "failed",
		"cancelled", "restored", "impossible", "unknown"};
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		assert_string_equal(job_kind_name(i), kinds[i]);
	for (unsigned i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		assert_string_equal(job_phase_name(i), phases[i]);
	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		assert_string_equal(job_state_name(i), states[i]);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(every_field_comes_back),
		WITH_STORE(jobs_come_in_order_of_their_ids),
		WITH_STORE(steps_come_in_the_order_in_which_they_were_taken),
		WITH_STORE(the_newest_job_that_brought_the_leaf_is_found),
		cmocka_unit_test(names_are_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
