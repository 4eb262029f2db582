/* The order of a way back: each reason against it is told before anything is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/delivery/job_order_fixture.h"

enum { DAY_S = 86400 };

/* The earlier one, as if it had replaced "old" by itself: what can be rolled back. */
static struct job_record rollable(struct store_txn *txn)
{
	struct job_record job;
	assert_true(store_job_get(txn, EARLIER, &job));
	memcpy(job.old_fingerprint_sha256, job.new_fingerprint_sha256, CERT_SHA256_LEN);
	job.old_key_id = OLD_ID;
	job.import_sent_s = NOW_S;
	job.keep_key_until_s = NOW_S + DAY_S;
	return job;
}

static void each_reason_against_a_rollback_is_a_sentence(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	char why[ROLLBACK_TEXT_MAX];
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	struct job_record job = rollable(txn);
	assert_true(job_may_roll_back(txn, &job, NOW_S, why));
	assert_string_equal(why, "");
	static const char *const expected[] = {
		"a deleted certificate cannot be brought back under its ARN",
		"the job is still running", "the job changed nothing in AWS",
		"it was a first import: there was nothing under the ARN before",
		"this sensor does not keep the previous certificate's private key",
		"the job imported nothing: ACM held its certificate already",
		"private key was wiped: its time was over",
		"private key was wiped: its time was over",
		"the previous certificate is not in the store",
		"the previous certificate is not in the store"};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		job = rollable(txn);
		if (i == 0)
			job.kind = JOB_DELETE;
		else if (i == 1)
			job.state = JOB_RUNNING;
		else if (i == 2)
			job.may_have_imported = false;
		else if (i == 3)
			memset(job.old_fingerprint_sha256, 0, CERT_SHA256_LEN);
		else if (i == 4)
			job.old_key_id = "";
		else if (i == 5) {
			job.old_key_id = "";
			job.import_sent_s = 0;
		} else if (i == 6)
			job.keep_key_until_s = NOW_S;
		else if (i == 7)
			job.old_key_id = "p-wiped";
		else if (i == 8)
			job.old_fingerprint_sha256[0] ^= 1;
		else
			job.new_fingerprint_sha256[0] ^= 1;
		assert_false(job_may_roll_back(txn, &job, NOW_S, why));
		if (strstr(why, expected[i]) == NULL)
			fail_msg("%s instead of %s", why, expected[i]);
	}
	job = rollable(txn);
	job.keep_key_until_s = 0; /* for ever; but the certificate has its own end */
	assert_true(job_may_roll_back(txn, &job, NOW_S + 29 * DAY_S, why));
	assert_false(job_may_roll_back(txn, &job, NOW_S + 31 * DAY_S, why));
	assert_true(why[0] != '\0');
	store_read_end(txn);
}

static void a_rollback_changes_sides(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_record job;
	job_order_refuse((struct job_order){.kind = JOB_ROLLBACK, .of_job_id = "j-x"},
		ERR_NOT_FOUND, "there is no job j-x");
	job_order_refuse((struct job_order){.kind = JOB_ROLLBACK, .of_job_id = EARLIER},
		ERR_REFUSED, "rollback is impossible: it was a first import");
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	job = rollable(txn);
	job.id = "j-20261102-000000-0000000001";
	job.old_serial = "0a";
	job.new_serial = "0d";
	job.arn = world.arn;
	struct job_record other = job_order_any("d-1");
	store_read_end(txn);
	job.plan_id = "p-1";
	job.of_job_id = job.reason = job.evidence = "";
	job.connector = "prod";
	job.account_id = ACCOUNT;
	job.region = REGION;
	job.certificate_id = "shop";
	job.new_key_id = PLAN_ID;
	job.requested_by = "uid 0";
	sample_job_put(world.store, &job);
	other.arn = world.arn;
	sample_job_put(world.store, &other);
	job_order_refuse((struct job_order){.kind = JOB_ROLLBACK, .of_job_id = job.id}, ERR_REFUSED,
		", one at a time: wait for its end, or cancel it first");
	other.state = JOB_FAILED;
	other.phase = JOB_DONE;
	sample_job_put(world.store, &other);
	job_order_take((struct job_order){.kind = JOB_ROLLBACK, .of_job_id = job.id});
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	assert_true(store_job_get(txn, world.job_id, &job));
	assert_string_equal(job.of_job_id, "j-20261102-000000-0000000001");
	assert_string_equal(job.old_serial, "0d");
	assert_string_equal(job.new_serial, "0a");
	assert_string_equal(job.old_key_id, PLAN_ID);
	assert_string_equal(job.new_key_id, OLD_ID);
	assert_int_equal(job.phase, JOB_CHECK);
	store_read_end(txn);
}

/* Later than the earlier one under the same ARN. */
static void put_later(const char *id, enum job_kind kind, enum job_state state, const char *of,
	const unsigned char *leaf)
{
	struct job_record job = job_order_any(id);
	job.kind = kind;
	job.state = state;
	job.phase = state == JOB_RUNNING ? JOB_CHECK : JOB_DONE;
	job.arn = world.arn;
	job.of_job_id = of;
	job.new_serial = "0c";
	job.may_have_imported = true;
	job.ended_s = state == JOB_RUNNING ? 0 : NOW_S;
	memcpy(job.new_fingerprint_sha256, leaf, CERT_SHA256_LEN);
	sample_job_put(world.store, &job);
}

static void expect_way_back(const char *why_not)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	char why[ROLLBACK_TEXT_MAX];
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	struct job_record job = rollable(txn);
	job.arn = world.arn;
	assert_int_equal(job_may_roll_back(txn, &job, NOW_S, why), why_not[0] == '\0');
	assert_string_equal(why, why_not);
	store_read_end(txn);
}

/* The store knows what this sensor brought there since: not only the import would tell. */
static void what_a_later_job_replaced_is_not_rolled_back(void **state)
{
	(void)state;
	static const unsigned char another[CERT_SHA256_LEN] = {0xcc}, third[CERT_SHA256_LEN] = {3};
	struct err err = ERR_INIT;
	struct store_txn *txn;
	unsigned char same[CERT_SHA256_LEN];
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	memcpy(same, rollable(txn).new_fingerprint_sha256, CERT_SHA256_LEN);
	store_read_end(txn);
	put_later("j-8", JOB_DELIVER, JOB_FAILED, "", third); /* what it left there is not known */
	expect_way_back("");
	put_later("j-9", JOB_DELIVER, JOB_SUCCEEDED, "", another);
	expect_way_back("job j-9 replaced it since; roll that one back first");
	put_later("r-1", JOB_ROLLBACK, JOB_RESTORED, "j-9", same); /* and that was done */
	expect_way_back("");
}

/* Told before a job would find out. */
static void what_was_deleted_is_not_rolled_back(void **state)
{
	(void)state;
	struct job_record job = job_order_any("d-20261121-000000-0000000001");
	job.kind = JOB_DELETE;
	job.state = JOB_FAILED;
	job.phase = JOB_DONE;
	job.arn = world.arn;
	job.old_serial = "0b";
	job.ended_s = NOW_S;
	sample_job_put(world.store, &job);
	expect_way_back("");
	job.state = JOB_SUCCEEDED;
	sample_job_put(world.store, &job);
	expect_way_back(
		"the certificate was deleted since: it cannot be brought back under its ARN");
}

static void what_was_rolled_back_is_so_once(void **state)
{
	(void)state;
	static const unsigned char before[CERT_SHA256_LEN] = {0xcc};
	put_later("r-1", JOB_ROLLBACK, JOB_RUNNING, EARLIER, before);
	expect_way_back("job r-1 is rolling it back");
	put_later("r-1", JOB_ROLLBACK, JOB_FAILED, EARLIER, before);
	expect_way_back("");
	put_later("r-1", JOB_ROLLBACK, JOB_RESTORED, EARLIER, before);
	expect_way_back("job r-1 has rolled it back already");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(each_reason_against_a_rollback_is_a_sentence),
		JOB_TEST(a_rollback_changes_sides),
		JOB_TEST(what_a_later_job_replaced_is_not_rolled_back),
		JOB_TEST(what_was_deleted_is_not_rolled_back),
		JOB_TEST(what_was_rolled_back_is_so_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
