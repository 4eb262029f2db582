#include "sensor/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"
#include "sensor/schedule.h"
#include "store/store.h"
#include "tests/lib/temp_store.h"

enum { ROWS = 20000, NOW_S = 1795219200 };

static void put(struct store_txn *txn, const char *connector, int number, enum coverage_state state,
	int64_t next_try_s)
{
	char account_id[13];
	snprintf(account_id, sizeof(account_id), "%012d", number);
	store_coverage_put(txn, &(struct coverage_record){.connector = connector,
					.account_id = account_id,
					.region = "eu-west-1",
					.state = state,
					.code = "",
					.reason = "",
					.certificate_count = state == COVERAGE_OK ? 3 : 0,
					.next_try_s = next_try_s});
}

static void fill(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (int i = 0; i < ROWS; i++)
		put(txn, "prod", i, COVERAGE_OK, 0);
	put(txn, "prod", ROWS, COVERAGE_DENIED, NOW_S + 500);
	put(txn, "prod", ROWS + 1, COVERAGE_UNREACHABLE, NOW_S + 300);
	put(txn, "prod", ROWS + 2, COVERAGE_NEVER_TRIED, 0);
	put(txn, "prod", ROWS + 3, COVERAGE_REGION_DISABLED, NOW_S + 100);
	put(txn, "other", 1, COVERAGE_FAILED, NOW_S + 1);
}

static int64_t now_s = NOW_S;

static int count(struct store *store, struct tally *tally, const char *connector)
{
	struct err err = ERR_INIT;
	int slices = 0;
	bool is_end = false;
	tally_init(tally, connector);
	tally->now_s = now_s;
	while (!is_end) {
		struct store_txn *txn = NULL;
		assert_int_equal(store_read_begin(store, &txn, &err), 0);
		is_end = tally_slice(tally, txn);
		assert_int_equal(store_txn_check(txn, &err), 0);
		store_read_end(txn);
		slices++;
	}
	return slices;
}

static void counting_goes_on_over_slices(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct tally tally;
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, fill, NULL, &err), 0);
	(void)count(store, &tally, "prod");
	assert_int_equal(tally.pairs, ROWS + 4);
	assert_int_equal(tally.problems, 3);
	assert_int_equal(tally.certificates, 3 * ROWS);
	assert_int_equal(tally.state[COVERAGE_OK], ROWS);
	assert_int_equal(tally.state[COVERAGE_REGION_DISABLED], 1);
	assert_int_equal(tally.first_try_s, NOW_S + 300); /* never tried ones have no time */
	assert_int_equal(tally.later_try_s, NOW_S + 300);
	now_s = NOW_S + 300;
	(void)count(store, &tally, "prod");
	assert_int_equal(tally.first_try_s, NOW_S + 300);
	assert_int_equal(tally.later_try_s, NOW_S + 500);
	(void)count(store, &tally, NULL);
	assert_int_equal(tally.pairs, ROWS + 5);
	assert_int_equal(tally.first_try_s, NOW_S + 1);
	(void)count(store, &tally, "nobody");
	assert_int_equal(tally.pairs, 0);
	assert_int_equal(tally.first_try_s, 0);
	store_close(store);
	temp_folder_remove(folder);
}

static void put_changed(struct store_txn *txn, void *arg)
{
	(void)arg;
	put(txn, "prod", 1, COVERAGE_DENIED, NOW_S + 500);
	put(txn, "prod", 2, COVERAGE_OK, NOW_S + 900);
	put(txn, "prod", 3, COVERAGE_OK, -(NOW_S + 5)); /* changed then, by us */
}

static void what_was_changed_is_read_again_soon(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct tally tally;
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, put_changed, NULL, &err), 0);
	now_s = NOW_S;
	(void)count(store, &tally, "prod");
	assert_int_equal(tally.problems, 1);
	assert_int_equal(tally.first_try_s, NOW_S + 5 + SCHEDULE_SETTLE_S);
	store_close(store);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counting_goes_on_over_slices),
		cmocka_unit_test(what_was_changed_is_read_again_soon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
