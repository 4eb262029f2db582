/* Jobs come back as they were put; each has its steps; the newest that brought a leaf is found. */
#include "store/jobs.h"

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

static const char arn[] = "arn:aws:acm:eu-west-1:000000000001:certificate/1";
static const unsigned char leaf[CERT_SHA256_LEN] = {8};

/* Stand for the certificates of the old chain, which are their hashes' values. */
static const char *const ders[] = {"ca", "root"};

static void put_job(struct store_txn *txn, struct job_record *job)
{
	for (size_t i = 0; i < 2; i++) {
		SHA256((const unsigned char *)ders[i], strlen(ders[i]), job->old_chain_sha256[i]);
		store_pem_put(txn, job->old_chain_sha256[i], ders[i], strlen(ders[i]));
	}
	store_job_put(txn, job);
}

static void do_put(struct store_txn *txn, void *arg)
{
	put_job(txn, arg);
}

static int put(struct job_record job, struct err *err)
{
	return store_write_now(store, do_put, &job, err);
}

static void every_field_comes_back(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct job_record job;
	assert_int_equal(put(sample_job, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_false(store_job_get(txn, "job-2", &job));
	assert_true(store_job_get(txn, "job-1", &job));
	assert_string_equal(job.id, sample_job.id);
	assert_int_equal(job.kind, sample_job.kind);
	assert_string_equal(job.plan_id, sample_job.plan_id);
	assert_string_equal(job.of_job_id, sample_job.of_job_id);
	assert_string_equal(job.connector, sample_job.connector);
	assert_string_equal(job.account_id, sample_job.account_id);
	assert_string_equal(job.region, sample_job.region);
	assert_string_equal(job.arn, sample_job.arn);
	assert_string_equal(job.certificate_id, sample_job.certificate_id);
	assert_int_equal(job.phase, sample_job.phase);
	assert_int_equal(job.state, sample_job.state);
	assert_string_equal(job.reason, sample_job.reason);
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
		job.old_fingerprint_sha256, sample_job.old_fingerprint_sha256, CERT_SHA256_LEN);
	assert_memory_equal(job.new_fingerprint_sha256, leaf, CERT_SHA256_LEN);
	assert_int_equal(job.old_chain_count, 2);
	const void *der;
	size_t len;
	assert_true(store_pem_get(txn, job.old_chain_sha256[1], &der, &len));
	assert_memory_equal(der, "root", len);
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
	struct job_record job = sample_job;
	char position[DELIVERY_ID_MAX + 1] = "", id[16];
	for (size_t i = 0; i < 3; i++) {
		job.id = ids[i];
		assert_int_equal(put(job, &err), 0);
	}
	job.id = "";
	assert_int_equal(put(job, &err), -1);
	struct store_txn *txn = store_fixture_read();
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
	struct job_record job = sample_job;
	put_job(txn, &job);
	job.id = "job-10"; /* a longer id that begins with the other */
	put_job(txn, &job);
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
	struct store_txn *txn = store_fixture_read();
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

static bool may_have_imported;

static void put_ended(
	const char *id, enum job_kind kind, enum job_state state, int64_t ended_s, const char *of)
{
	struct err err = ERR_INIT;
	struct job_record job = sample_job;
	job.id = id;
	job.kind = kind;
	job.state = state;
	job.phase = JOB_DONE;
	job.ended_s = ended_s;
	job.arn = of;
	job.may_have_imported = may_have_imported;
	assert_int_equal(put(job, &err), 0);
}

static void expect_of_leaf(const char *expected)
{
	struct job_record job;
	struct store_txn *txn = store_fixture_read();
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
	struct store_txn *txn = store_fixture_read();
	assert_false(store_job_of_leaf(txn, arn, other, &job));
	store_read_end(txn);
}

/* It gave up looking, or was rolled back: if that leaf is there nevertheless, its key is known. */
static void a_job_that_failed_after_its_import_counts(void **state)
{
	(void)state;
	may_have_imported = true;
	put_ended("a-failed", JOB_DELIVER, JOB_FAILED, 10, arn);
	expect_of_leaf("a-failed");
	put_ended("b-back", JOB_ROLLBACK, JOB_FAILED, 20, arn);
	expect_of_leaf("b-back");
	put_ended("c-deleted", JOB_DELETE, JOB_FAILED, 30, arn);
	put_ended("d-running", JOB_DELIVER, JOB_RUNNING, 0, arn);
	put_ended("e-cancelled", JOB_DELIVER, JOB_CANCELLED, 30, arn);
	expect_of_leaf("b-back");
	may_have_imported = false;
	put_ended("f-refused", JOB_DELIVER, JOB_FAILED, 40, arn);
	expect_of_leaf("b-back");
}

static void a_job_that_no_longer_counts_is_no_longer_found(void **state)
{
	(void)state;
	put_ended("a", JOB_DELIVER, JOB_SUCCEEDED, 10, arn);
	put_ended("b", JOB_DELIVER, JOB_SUCCEEDED, 20, arn);
	put_ended("a", JOB_DELIVER, JOB_SUCCEEDED, 10, arn); /* put again: still the older one */
	expect_of_leaf("b");
	put_ended("b", JOB_DELIVER, JOB_SUCCEEDED, 20, "arn:other");
	expect_of_leaf(NULL);
	put_ended("a", JOB_DELIVER, JOB_FAILED, 10, arn);
	put_ended("a", JOB_DELIVER, JOB_SUCCEEDED, 10, arn);
	expect_of_leaf("a");
	put_ended("c", JOB_DELIVER, JOB_SUCCEEDED, 10, arn); /* of the same second: the last put */
	expect_of_leaf("c");
	put_ended("d", JOB_DELIVER, JOB_RESTORED, 30, arn); /* brought the old one back, not this */
	expect_of_leaf("c");
	put_ended("e", JOB_DELIVER, JOB_SUCCEEDED, 30, "");
	expect_of_leaf("c");
}

static void put_other_leaf(const char *id, enum job_state state, int64_t ended_s, const char *of,
	unsigned char first_byte)
{
	struct err err = ERR_INIT;
	struct job_record job = sample_job;
	job.id = id;
	job.kind = JOB_DELIVER;
	job.state = state;
	job.phase = JOB_DONE;
	job.ended_s = ended_s;
	job.arn = of;
	job.may_have_imported = true;
	memset(job.new_fingerprint_sha256, first_byte, CERT_SHA256_LEN);
	assert_int_equal(put(job, &err), 0);
}

static void expect_last(const char *expected)
{
	struct job_record job;
	struct store_txn *txn = store_fixture_read();
	bool is_found = store_job_last_of_arn(txn, arn, &job);
	assert_true(is_found == (expected != NULL));
	if (is_found)
		assert_string_equal(job.id, expected);
	store_read_end(txn);
}

static void the_last_that_brought_anything_under_an_arn_is_found(void **state)
{
	(void)state;
	expect_last(NULL);
	put_other_leaf("x-failed", JOB_FAILED, 90, arn, 1);
	put_other_leaf("y-longer", JOB_SUCCEEDED, 90,
		"arn:aws:acm:eu-west-1:000000000001:"
		"certificate/12",
		1);
	put_other_leaf("z-before", JOB_SUCCEEDED, 90, "arn:a", 1);
	expect_last(NULL);
	put_other_leaf("b", JOB_SUCCEEDED, 20, arn, 0xff);
	expect_last("b");
	put_other_leaf("a", JOB_SUCCEEDED, 10, arn, 2);
	put_other_leaf("c", JOB_SUCCEEDED, 15, arn, 3);
	expect_last("b");
	put_other_leaf("e", JOB_SUCCEEDED, 30, arn, 5);
	expect_last("e");
}

static void a_job_is_later_by_its_end_its_order_or_what_it_replaced(void **state)
{
	(void)state;
	const struct job_record job = {.id = "j-1",
		.of_job_id = "",
		.old_fingerprint_sha256 = {1},
		.new_fingerprint_sha256 = {2},
		.created_s = 5,
		.ended_s = 9};
	struct job_record other = job;
	other.id = "j-0";
	other.old_fingerprint_sha256[0] = 3;
	assert_false(store_job_is_later(&other, &job));
	other.old_fingerprint_sha256[0] = 2;
	assert_true(store_job_is_later(&other, &job));
	assert_false(store_job_is_later(&job, &other));
	other.new_fingerprint_sha256[0] = 1; /* each replaced what the other brought */
	other.of_job_id = "j-1";
	assert_true(store_job_is_later(&other, &job));
	assert_false(store_job_is_later(&job, &other));
	other.created_s = 4;
	assert_false(store_job_is_later(&other, &job));
	assert_true(store_job_is_later(&job, &other));
	other.ended_s = 10;
	assert_true(store_job_is_later(&other, &job));
}

/* --- which jobs run --------------------------------------------------------------------------- */

static void only_jobs_that_run_are_walked_over(void **state)
{
	(void)state;
	char position[DELIVERY_ID_MAX + 1] = "";
	struct job_record job;
	put_ended("a", JOB_DELIVER, JOB_RUNNING, 0, arn);
	put_ended("b", JOB_DELIVER, JOB_SUCCEEDED, 10, arn);
	put_ended("c", JOB_DELIVER, JOB_RUNNING, 0, arn);
	put_ended("d", JOB_DELIVER, JOB_RUNNING, 0, arn);
	put_ended("c", JOB_DELIVER, JOB_FAILED, 0, arn);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_job_next_running(txn, position, &job));
	assert_string_equal(job.id, "a");
	assert_true(store_job_next_running(txn, position, &job));
	assert_string_equal(job.id, "d");
	assert_false(store_job_next_running(txn, position, &job));
	store_read_end(txn);
}

/* --- damage ----------------------------------------------------------------------------------- */

struct entry {
	enum store_table table;
	struct key key;
	const struct record_format *format; /* NULL: text */
	const void *record;		    /* NULL: delete */
};

static void put_entry(struct store_txn *txn, void *arg)
{
	const struct entry *entry = arg;
	if (entry->record == NULL)
		txn_delete(txn, entry->table, &entry->key);
	else if (entry->format == NULL)
		txn_put(txn, entry->table, &entry->key, entry->record, strlen(entry->record));
	else
		entry_put(txn, entry->table, &entry->key, entry->format, entry->record);
}

static void change(struct entry entry)
{
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(store, put_entry, &entry, &err), 0);
}

static void assert_failed(struct store_txn *txn, const char *says)
{
	struct err err = ERR_INIT;
	assert_int_equal(store_txn_check(txn, &err), -1);
	assert_int_equal(err.kind, ERR_STORE);
	if (strstr(err.text, says) == NULL)
		print_error("%s\n", err.text);
	assert_non_null(strstr(err.text, says));
	store_read_end(txn);
}

static void what_cannot_be_a_job_is_damage(void **state)
{
	(void)state;
	static const struct {
		struct job_record job;
		const char *says;
	} damage[] = {
		{{.id = "b", .kind = 1, .phase = 1, .state = 1}, "holds another job"},
		{{.id = "a", .kind = 4, .phase = 1, .state = 1}, "unknown kind of job"},
		{{.id = "a", .kind = 1, .phase = 11, .state = 1}, "unknown phase"},
		{{.id = "a", .kind = 1, .phase = 1, .state = 0}, "unknown state"},
		{{.id = "a",
			 .kind = 1,
			 .phase = 1,
			 .state = 1,
			 .old_tags = {.bytes = "team", .len = 5, .count = 1}},
			"a tag has no value"},
	};
	struct key key = key_id("a", DELIVERY_ID_MAX);
	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		char position[DELIVERY_ID_MAX + 1] = "";
		struct err err = ERR_INIT;
		struct job_record job = damage[i].job;
		change((struct entry){TABLE_JOBS, key, &job_format, &job});
		struct store_txn *txn = store_fixture_read();
		assert_false(store_job_get(txn, "a", &job));
		assert_failed(txn, damage[i].says);
		txn = store_fixture_read();
		assert_false(store_job_next(txn, position, &job));
		assert_failed(txn, damage[i].says);
		assert_int_equal(temp_store_problems(store), 1);
		job = damage[i].job;
		change((struct entry){TABLE_JOBS, key, NULL, NULL});
		if (i > 0) {
			assert_int_equal(put(job, &err), -1); /* nor is it put */
			assert_int_equal(err.kind, ERR_LIMIT);
		}
	}
}

static void wrong_entries_of_the_indexes_are_damage(void **state)
{
	(void)state;
	char position[DELIVERY_ID_MAX + 1] = "";
	struct job_record job;
	put_ended("a", JOB_DELIVER, JOB_FAILED, 10, arn);
	struct key by_leaf = key_job_leaf(arn, leaf), running = key_id("a", DELIVERY_ID_MAX);
	static const char *const ids[] = {"a", "none"};
	for (size_t i = 0; i < 2; i++) {
		change((struct entry){TABLE_JOB_LEAF, by_leaf, NULL, ids[i]});
		struct store_txn *txn = store_fixture_read();
		assert_false(store_job_of_leaf(txn, arn, leaf, &job));
		assert_failed(txn, "stands for no job that brought this certificate");
		assert_int_equal(temp_store_problems(store), 1);
	}
	change((struct entry){TABLE_JOB_LEAF, by_leaf, NULL, NULL});
	change((struct entry){TABLE_JOBS_RUNNING, running, NULL, "x"});
	struct store_txn *txn = store_fixture_read();
	assert_false(store_job_next_running(txn, position, &job));
	assert_failed(txn, "stands for no job that runs");
	assert_int_equal(temp_store_problems(store), 1);
	change((struct entry){TABLE_JOBS_RUNNING, running, NULL, NULL});
}

static void steps_under_other_numbers_are_damage(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct job_step step = {.number = 1, .phase = JOB_TAG}, back;
	uint32_t number = 0;
	assert_int_equal(put(sample_job, &err), 0);
	struct key at = key_job_step("job-1", 2);
	change((struct entry){TABLE_JOB_STEPS, at, &job_step_format, &step});
	struct store_txn *txn = store_fixture_read();
	assert_false(store_job_step_next(txn, "job-1", &number, &back));
	assert_failed(txn, "holds another step");
	assert_int_equal(temp_store_problems(store), 1);
	change((struct entry){TABLE_JOB_STEPS, at, NULL, NULL});
}

static void append_wrong(struct store_txn *txn, void *arg)
{
	store_job_step_append(txn, arg, &(struct job_step){.phase = JOB_TAG});
	store_job_step_append(txn, arg, &(struct job_step){.phase = 0});
}

static void append_long(struct store_txn *txn, void *arg)
{
	struct job_record job = sample_job;
	put_job(txn, &job);
	store_job_step_append(txn, "job-1", &(struct job_step){.phase = JOB_TAG, .text = arg});
}

static void steps_that_do_not_fit_fail_or_are_cut(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct job_step step;
	uint32_t number = 0;
	static char text[5000];
	assert_int_equal(
		store_write_now(store, append_wrong, (void *)(uintptr_t) "job-1", &err), -1);
	assert_string_equal(err.text, "a step of job job-1: unknown phase");
	assert_int_equal(store_write_now(store, append_wrong, (void *)(uintptr_t) "", &err), -1);
	memset(text, 't', sizeof(text) - 1);
	assert_int_equal(store_write_now(store, append_long, text, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_job_step_next(txn, "job-1", &number, &step));
	assert_int_equal(strlen(step.text), 2047);
	assert_string_equal(step.text + 2044, "...");
	store_read_end(txn);
}

static void evidence_may_be_long_but_not_endless(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct job_record job = sample_job;
	char *evidence = xmalloc(JOB_EVIDENCE_MAX + 2);
	memset(evidence, 'e', JOB_EVIDENCE_MAX + 1);
	evidence[JOB_EVIDENCE_MAX + 1] = '\0';
	job.evidence = evidence;
	assert_int_equal(put(job, &err), -1);
	assert_string_equal(err.text, "job job-1: its evidence is too large");
	evidence[JOB_EVIDENCE_MAX] = '\0';
	assert_int_equal(put(job, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_job_get(txn, "job-1", &job));
	assert_int_equal(strlen(job.evidence), JOB_EVIDENCE_MAX);
	store_read_end(txn);
	free(evidence);
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

#define WITH_STORE(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, store_fixture_open, store_fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(every_field_comes_back),
		WITH_STORE(jobs_come_in_order_of_their_ids),
		WITH_STORE(steps_come_in_the_order_in_which_they_were_taken),
		WITH_STORE(the_newest_job_that_brought_the_leaf_is_found),
		WITH_STORE(a_job_that_failed_after_its_import_counts),
		WITH_STORE(a_job_that_no_longer_counts_is_no_longer_found),
		WITH_STORE(the_last_that_brought_anything_under_an_arn_is_found),
		WITH_STORE(a_job_is_later_by_its_end_its_order_or_what_it_replaced),
		WITH_STORE(only_jobs_that_run_are_walked_over),
		WITH_STORE(what_cannot_be_a_job_is_damage),
		WITH_STORE(wrong_entries_of_the_indexes_are_damage),
		WITH_STORE(steps_under_other_numbers_are_damage),
		WITH_STORE(steps_that_do_not_fit_fail_or_are_cut),
		WITH_STORE(evidence_may_be_long_but_not_endless),
		cmocka_unit_test(names_are_for_people),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
