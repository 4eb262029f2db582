/* What an attempt leaves on record of a change that was made meanwhile. */
#include "sensor/coverage_put.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/store.h"
#include "tests/lib/temp_store.h"

enum { BEGAN_S = 1795219200, CHANGED_BEFORE_S = BEGAN_S - 1, CHANGED_SINCE_S = BEGAN_S };

static const struct coverage_place place = {.connector = "prod",
	.account_id = "000000000001",
	.account_name = "",
	.region = "eu-west-1"};

static void succeed(struct store_txn *txn)
{
	(void)coverage_put_attempt(txn, &place,
		&(struct coverage_attempt){
			.interval_s = 3600, .now_s = BEGAN_S + 2, .began_s = BEGAN_S});
}

static void change_and_succeed(struct store_txn *txn, void *arg)
{
	const int64_t *changed_s = arg;
	succeed(txn);
	if (*changed_s != 0)
		store_coverage_note_change(
			txn, place.connector, place.account_id, place.region, *changed_s);
	succeed(txn);
}

static void a_change_since_the_begin_stays_noted(void **state)
{
	(void)state;
	static const int64_t row[][2] = {
		{0, 0}, {CHANGED_BEFORE_S, 0}, {CHANGED_SINCE_S, CHANGED_SINCE_S}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct err err = ERR_INIT;
		struct store_txn *txn;
		struct coverage_record record;
		int64_t changed_s = row[i][0];
		char *folder = temp_folder_new();
		struct store *store = temp_store_open(NULL, folder);
		assert_int_equal(store_write_now(store, change_and_succeed, &changed_s, &err), 0);
		assert_int_equal(store_read_begin(store, &txn, &err), 0);
		assert_true(store_coverage_get(
			txn, place.connector, place.account_id, place.region, &record));
		assert_int_equal(coverage_changed_s(&record), row[i][1]);
		assert_int_equal(record.last_success_s, BEGAN_S + 2);
		store_read_end(txn);
		store_close(store);
		temp_folder_remove(folder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_since_the_begin_stays_noted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
