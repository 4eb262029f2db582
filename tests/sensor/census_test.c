/* When the walk through the store is made, and what it counts. */
#include "sensor/census.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/temp_store.h"

enum { CERTIFICATES = 1000 };

static struct census census; /* too large for a stack */
static struct store *store;
static char *folder;
static int64_t turn;

static void put_coverage(
	struct store_txn *txn, const char *connector, const char *region, enum coverage_state state)
{
	store_coverage_put(txn, &(struct coverage_record){.connector = connector,
					.account_id = "111122223333",
					.region = region,
					.state = state,
					.code = "",
					.reason = ""});
}

static void fill(struct store_txn *txn, void *arg)
{
	(void)arg;
	put_coverage(txn, "one", "eu-west-1", COVERAGE_OK);
	put_coverage(txn, "one", "eu-west-2", COVERAGE_DENIED);
	put_coverage(txn, "two", "eu-west-1", COVERAGE_EXCLUDED);
	put_coverage(txn, "former", "eu-west-1", COVERAGE_OK);
	for (uint32_t i = 0; i < CERTIFICATES; i++)
		sample_cert_put(txn, i);
}

static int set_up(void **state)
{
	struct err err = ERR_INIT;
	(void)state;
	fake_clock_set_now_s(SAMPLE_NOW_S);
	folder = temp_folder_new();
	store = temp_store_open(NULL, folder);
	census_forget(&census);
	turn = 1;
	return store_write_now(store, fill, NULL, &err);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	temp_folder_remove(folder);
	return 0;
}

static bool go_on(size_t connectors, int64_t commits)
{
	static const char *const name[] = {"one", "two"};
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	bool is_done = census_go_on(&census, txn, name, connectors, commits, turn);
	store_read_end(txn);
	return is_done;
}

/* Returns how many slices it took; 0: it was fresh. */
static int count(size_t connectors, int64_t commits)
{
	int slices = 0;
	int64_t counted_before = census.counted_mono_ms;
	while (!go_on(connectors, commits)) {
		turn++;
		slices++;
		assert_in_range(slices, 1, 1000);
	}
	turn++;
	return slices + (census.counted_mono_ms != counted_before || slices > 0);
}

static void everything_of_the_connectors_is_counted(void **state)
{
	(void)state;
	(void)count(2, 1);
	const int64_t *one = census_coverage(&census, "one"),
		      *two = census_coverage(&census, "two");
	assert_int_equal(one[COVERAGE_OK], 1);
	assert_int_equal(one[COVERAGE_DENIED], 1);
	assert_int_equal(one[COVERAGE_EXCLUDED], 0);
	assert_int_equal(two[COVERAGE_EXCLUDED], 1);
	assert_null(census_coverage(&census, "former"));
	assert_int_equal(census.certificates.total + census.certificates.gone, CERTIFICATES);
}

static void it_is_kept_for_a_while_and_for_long_while_nothing_changes(void **state)
{
	(void)state;
	assert_true(count(2, 1) > 0);
	assert_int_equal(count(2, 1), 0);
	fake_clock_advance_ms(CENSUS_KEPT_MS - 1);
	assert_int_equal(count(2, 7), 0); /* something was stored, but just now it was counted */
	fake_clock_advance_ms(1);
	assert_int_equal(count(2, 1), 0);
	assert_true(count(2, 7) > 0);
	fake_clock_advance_ms(CENSUS_UNCHANGED_MS - 1);
	assert_int_equal(count(2, 7), 0);
	fake_clock_advance_ms(1);
	assert_true(count(2, 7) > 0);
}

static void the_former_counts_stay_while_the_next_are_made(void **state)
{
	(void)state;
	(void)count(2, 1);
	fake_clock_advance_ms(CENSUS_KEPT_MS);
	turn++;
	census.last_turn_us = turn; /* somebody else has had this turn */
	assert_false(go_on(2, 2));
	assert_false(census.is_counting);
	assert_true(census.is_there);
	assert_int_equal(census_coverage(&census, "one")[COVERAGE_OK], 1);
	assert_true(count(2, 2) > 0);
}

static void the_end_of_a_cycle_is_seen_by_who_asks_next(void **state)
{
	(void)state;
	assert_true(count(1, 1) > 0);
	fake_clock_advance_ms(1);
	assert_int_equal(count(1, 1), 0);
	census_outdate(&census);
	assert_true(count(1, 1) > 0);
	fake_clock_advance_ms(1);
	assert_int_equal(count(1, 1), 0);
}

static void another_configuration_is_counted_anew(void **state)
{
	(void)state;
	(void)count(1, 1);
	assert_null(census_coverage(&census, "two"));
	census_forget(&census);
	assert_null(census_coverage(&census, "one"));
	(void)count(2, 1);
	assert_non_null(census_coverage(&census, "two"));
}

static void a_store_that_fails_ends_the_count_and_changes_nothing(void **state)
{
	static const char *const name[] = {"one"};
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	(void)state;
	(void)count(2, 1);
	fake_clock_advance_ms(CENSUS_KEPT_MS);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	(void)err_set(&err, ERR_STORE, "broken");
	store_txn_fail(txn, &err);
	assert_true(census_go_on(&census, txn, name, 1, 2, ++turn));
	store_read_end(txn);
	assert_true(census.is_there && !census.is_counting);
	assert_non_null(census_coverage(&census, "two"));
	assert_true(count(2, 2) > 0); /* and is tried again */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_of_the_connectors_is_counted),
		TEST(it_is_kept_for_a_while_and_for_long_while_nothing_changes),
		TEST(the_former_counts_stay_while_the_next_are_made),
		TEST(the_end_of_a_cycle_is_seen_by_who_asks_next),
		TEST(another_configuration_is_counted_anew),
		TEST(a_store_that_fails_ends_the_count_and_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
