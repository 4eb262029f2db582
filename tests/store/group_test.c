/*
 * Groups of writes: isolation of a failing one, running again, and nothing lost when LMDB fails. On
 * the fake clock, so that no group is cut short because the machine is slow.
 */
#include <errno.h>
#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/accounts.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "store/events.h"
#include "store/store_internal.h"
#include "tests/lib/fake_lmdb.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

static int setup(void **state)
{
	(void)store_fixture_open(state);
	fake_lmdb_reset();
	return 0;
}

static int teardown(void **state)
{
	fake_lmdb_reset();
	return store_fixture_close(state);
}

/* --- writes -------------------------------------------------------------------------------------- */

struct put {
	uint32_t number;
	bool is_failing;
	int runs;
};

static void put_one(struct store_txn *txn, void *arg)
{
	struct put *put = arg;
	put->runs++;
	sample_cert_put(txn, put->number);
	if (put->is_failing) {
		struct err err = ERR_INIT;
		err_set(&err, ERR_PROTOCOL, "write %u does not want to", put->number);
		store_txn_fail(txn, &err);
	}
}

enum { GROUP = 6 };

static void run_group(struct put put[GROUP], struct group_write write[GROUP])
{
	struct group_write *list[GROUP];
	for (size_t i = 0; i < GROUP; i++) {
		write[i] = (struct group_write){.write = put_one, .arg = &put[i]};
		put[i].number = (uint32_t)i;
		list[i] = &write[i];
	}
	assert_int_equal(group_run(store, list, GROUP), GROUP);
}

static void a_failing_write_does_not_fail_its_neighbours(void **state)
{
	(void)state;
	struct put put[GROUP] = {[1] = {.is_failing = true}, [4] = {.is_failing = true}};
	struct group_write write[GROUP];
	run_group(put, write);
	for (uint32_t i = 0; i < GROUP; i++) {
		bool is_failing = i == 1 || i == 4;
		assert_int_equal(write[i].is_failed, is_failing);
		assert_int_equal(store_fixture_has(i), !is_failing);
	}
	assert_string_equal(write[4].err.text, "write 4 does not want to");
	assert_int_equal(write[4].err.kind, ERR_PROTOCOL);
	assert_int_equal(put[0].runs, 3); /* once for each failure, and once that counts */
	assert_int_equal(put[1].runs, 1);
	assert_int_equal(put[5].runs, 1);
}

static void a_group_in_which_all_fail_ends(void **state)
{
	(void)state;
	unsigned char before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	struct put put[GROUP];
	struct group_write write[GROUP];
	memset(put, 0, sizeof(put));
	for (size_t i = 0; i < GROUP; i++)
		put[i].is_failing = true;
	temp_store_digest(store, before);
	run_group(put, write);
	for (size_t i = 0; i < GROUP; i++)
		assert_true(write[i].is_failed);
	temp_store_digest(store, after);
	assert_memory_equal(before, after, sizeof(before));
}

static void a_full_disk_fails_the_whole_group_and_the_next_one_works(void **state)
{
	(void)state;
	unsigned char before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	struct put put[GROUP];
	struct group_write write[GROUP];
	temp_store_digest(store, before);
	for (size_t call = FAKE_LMDB_PUT; call < FAKE_LMDB_CALLS; call++) {
		if (call == FAKE_LMDB_DEL)
			continue; /* nothing is deleted here */
		memset(put, 0, sizeof(put));
		fake_lmdb_fail((enum fake_lmdb_call)call, 1, ENOSPC);
		run_group(put, write);
		for (size_t i = 0; i < GROUP; i++) {
			assert_true(write[i].is_failed);
			assert_int_equal(write[i].err.kind, ERR_STORE_FULL);
			assert_non_null(strstr(write[i].err.text, store->file));
			assert_non_null(strstr(write[i].err.text, "bytes free"));
		}
		temp_store_digest(store, after);
		assert_memory_equal(before, after, sizeof(before));
	}
	memset(put, 0, sizeof(put));
	run_group(put, write);
	for (uint32_t i = 0; i < GROUP; i++)
		assert_true(!write[i].is_failed && store_fixture_has(i));
}

static void a_map_that_is_full_at_any_call_grows_and_the_group_runs_again(void **state)
{
	(void)state;
	static const enum fake_lmdb_call calls[] = {FAKE_LMDB_PUT, FAKE_LMDB_COMMIT};
	for (size_t i = 0; i < 2; i++) {
		struct put put[GROUP];
		struct group_write write[GROUP];
		int64_t map_bytes = store->map_bytes;
		memset(put, 0, sizeof(put));
		fake_lmdb_fail(calls[i], 1, MDB_MAP_FULL);
		run_group(put, write);
		for (uint32_t j = 0; j < GROUP; j++)
			assert_true(!write[j].is_failed && store_fixture_has(j));
		/* The second time nothing is put any more, as everything is there. */
		assert_int_equal(put[0].runs, 2);
		assert_int_equal(store->map_bytes, 2 * map_bytes);
	}
}

static void an_environment_that_broke_is_opened_again(void **state)
{
	(void)state;
	struct put put[GROUP];
	struct group_write write[GROUP];
	memset(put, 0, sizeof(put));
	fake_lmdb_fail(FAKE_LMDB_BEGIN, 1, MDB_PANIC);
	run_group(put, write);
	for (uint32_t i = 0; i < GROUP; i++)
		assert_true(!write[i].is_failed && store_fixture_has(i));
}

/* --- torture: everything that one big write changes ------------------------------------------------ */

static void put_coverage_and_accounts(struct store_txn *txn)
{
	store_account_put(txn, &(struct account_record){.connector = "prod",
				       .account_id = "000000100000",
				       .name = "Shop",
				       .state = "ACTIVE"});
	store_unit_put(txn, &(struct unit_record){.connector = "prod", .unit_id = "r-1"});
	store_cycle_put(txn, &(struct cycle_record){.connector = "prod", .accounts = 1});
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = "000000100000",
					.region = "eu-west-1",
					.state = COVERAGE_OK});
	store_coverage_delete(txn, "prod", "000000100000", "*");
	store_unit_delete(txn, "prod", "r-0");
}

static void change_much(struct store_txn *txn, void *arg)
{
	(void)arg;
	struct sample_cert sample;
	for (uint32_t number = 0; number < 8; number++)
		sample_cert_put(txn, number);
	sample_cert_init(&sample, 2);
	store_cert_delete(txn, sample.arn);
	sample_cert_clear(&sample);
	sample_cert_init(&sample, 3);
	sample_cert_set_names(&sample, "other.example.org", "*.example.org", NULL);
	sample.record.serial = "0bff";
	sample.record.not_after_s += 1000;
	sample_cert_store(txn, &sample);
	sample_cert_clear(&sample);
	put_coverage_and_accounts(txn);
	store_event_append(txn,
		&(struct event_record){.at_s = 1, .kind = EVENT_OPERATOR, .detail = "a change"});
}

static void prepare(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t number = 0; number < 4; number++)
		sample_cert_put(txn, number);
	store_coverage_put(
		txn, &(struct coverage_record){
			     .connector = "prod", .account_id = "000000100000", .region = "*"});
	store_unit_put(txn, &(struct unit_record){.connector = "prod", .unit_id = "r-0"});
}

static void when_the_nth_change_fails_the_store_is_as_it_was(void **state)
{
	(void)state;
	static const struct {
		int rc;
		enum err_kind kind;
	} failures[] = {{ENOSPC, ERR_STORE_FULL}, {EIO, ERR_SYSTEM}, {MDB_CORRUPTED, ERR_STORE},
		{MDB_TXN_FULL, ERR_STORE}};
	struct err err = ERR_INIT;
	unsigned char before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	store_fixture_write(prepare, NULL);
	temp_store_digest(store, before);
	size_t n = 1;
	for (;; n++) {
		const size_t which = n % 4;
		fake_lmdb_fail(FAKE_LMDB_CHANGE, n, failures[which].rc);
		int rc = store_write_now(store, change_much, NULL, &err);
		if (!fake_lmdb_has_failed()) {
			assert_int_equal(rc, 0);
			break;
		}
		assert_int_equal(rc, -1);
		assert_int_equal(err.kind, failures[which].kind);
		temp_store_digest(store, after);
		assert_memory_equal(before, after, sizeof(before));
		assert_int_equal(temp_store_problems(store), 0);
	}
	assert_true(n > 40); /* it went over many calls */
	temp_store_digest(store, after);
	assert_memory_not_equal(before, after, sizeof(before));
}

static void a_write_that_cannot_begin_says_so(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct put put = {.number = 1};
	struct store_stats stats;
	fake_lmdb_fail(FAKE_LMDB_BEGIN, 1, ENOMEM);
	assert_int_equal(store_write_now(store, put_one, &put, &err), -1);
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, "Cannot allocate memory"));
	assert_int_equal(put.runs, 0);
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	assert_int_equal(stats.failed_writes, 1);
}

static void commits_and_writes_are_counted(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_stats before, after;
	struct put put[GROUP] = {[1] = {.is_failing = true}};
	struct group_write write[GROUP];
	assert_int_equal(store_get_stats(store, &before, &err), 0);
	run_group(put, write);
	assert_int_equal(store_get_stats(store, &after, &err), 0);
	assert_int_equal(after.commits, before.commits + 1);
	assert_int_equal(after.writes, before.writes + GROUP - 1);
	assert_int_equal(after.failed_writes, 0); /* its owner's doing, not the store's */
	/* What was rolled back does not count. */
	assert_true(after.records_written >= before.records_written + GROUP - 1);
	assert_true(after.commit_us >= before.commit_us + after.last_commit_us);
	assert_true(after.run_us >= before.run_us);
	assert_int_equal(after.certificates, GROUP - 1);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_failing_write_does_not_fail_its_neighbours),
		WITH_STORE(a_group_in_which_all_fail_ends),
		WITH_STORE(a_full_disk_fails_the_whole_group_and_the_next_one_works),
		WITH_STORE(a_map_that_is_full_at_any_call_grows_and_the_group_runs_again),
		WITH_STORE(an_environment_that_broke_is_opened_again),
		WITH_STORE(when_the_nth_change_fails_the_store_is_as_it_was),
		WITH_STORE(a_write_that_cannot_begin_says_so),
		WITH_STORE(commits_and_writes_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
