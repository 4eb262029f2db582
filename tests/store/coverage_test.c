/* Coverage: names of states, records, walks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/coverage.h"
#include "tests/lib/temp_store.h"

static void every_state_has_a_name_that_reads_back(void **state)
{
	(void)state;
	enum coverage_state parsed;
	for (unsigned i = 0; i < COVERAGE_STATES; i++) {
		const char *name = coverage_state_name((enum coverage_state)i);
		assert_true(coverage_state_parse(name, &parsed));
		assert_int_equal(parsed, i);
	}
	assert_string_equal(coverage_state_name(COVERAGE_DENIED_BY_SCP), "denied_by_scp");
	assert_string_equal(coverage_state_name(COVERAGE_STATES), "unknown");
	assert_false(coverage_state_parse("OK", &parsed));
	assert_false(coverage_state_parse("", &parsed));
}

/* The numbers are in stores out there. */
static void the_numbers_of_the_states_are_fixed(void **state)
{
	(void)state;
	assert_int_equal(COVERAGE_OK, 1);
	assert_int_equal(COVERAGE_THROTTLED, 6);
	assert_int_equal(COVERAGE_EXCLUDED, 10);
	assert_int_equal(COVERAGE_STATES, 11);
}

static void what_is_no_problem_is_ok_disabled_inactive_or_excluded(void **state)
{
	(void)state;
	int problems = 0;
	for (unsigned i = 0; i < COVERAGE_STATES; i++)
		problems += coverage_is_problem((enum coverage_state)i);
	assert_int_equal(problems, COVERAGE_STATES - 4);
	assert_false(coverage_is_problem(COVERAGE_OK));
	assert_false(coverage_is_problem(COVERAGE_REGION_DISABLED));
	assert_true(coverage_is_problem(COVERAGE_NEVER_TRIED));
	assert_true(coverage_is_problem(COVERAGE_DENIED));
}

static void put(
	struct store_txn *txn, const char *connector, const char *account_id, const char *region)
{
	store_coverage_put(txn, &(struct coverage_record){.connector = connector,
					.account_id = account_id,
					.region = region,
					.state = COVERAGE_OK});
}

static void put_some(struct store_txn *txn, void *arg)
{
	(void)arg;
	put(txn, "prod", "000000000002", "us-east-1");
	put(txn, "prod", "000000000001", "us-east-1");
	put(txn, "prod", "000000000001", "eu-west-1");
	put(txn, "prod", "000000000001", COVERAGE_ANY_REGION);
	put(txn, "prod2", "000000000001", "eu-west-1");
	put(txn, "dev", "000000000009", "eu-west-1");
}

static void assert_walk(
	struct store_txn *txn, const char *connector, const char *account_id, const char *expected)
{
	struct coverage_record record;
	char position[COVERAGE_POSITION_MAX] = "", found[400] = "";
	while (store_coverage_next(txn, connector, account_id, position, &record)) {
		size_t len = strlen(found);
		snprintf(found + len, sizeof(found) - len, "%s/%c/%s ", record.connector,
			record.account_id[11], record.region);
	}
	assert_string_equal(found, expected);
}

static void delete_two(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_coverage_delete(txn, "prod", "000000000001", "us-east-1");
	store_coverage_delete(txn, "prod", "000000000001", "not-there-1");
}

static void walks_see_all_one_connector_or_one_account(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct coverage_record record;
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, put_some, NULL, &err), 0);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_walk(txn, NULL, NULL,
		"dev/9/eu-west-1 prod/1/* prod/1/eu-west-1 prod/1/us-east-1 prod/2/us-east-1 "
		"prod2/1/eu-west-1 ");
	assert_walk(
		txn, "prod", NULL, "prod/1/* prod/1/eu-west-1 prod/1/us-east-1 prod/2/us-east-1 ");
	assert_walk(txn, "prod", "000000000001", "prod/1/* prod/1/eu-west-1 prod/1/us-east-1 ");
	assert_walk(txn, "pro", NULL, "");
	assert_true(store_coverage_get(txn, "prod", "000000000001", "*", &record));
	assert_string_equal(record.reason, "");
	assert_false(store_coverage_get(txn, "prod", "000000000003", "*", &record));
	store_read_end(txn);
	assert_int_equal(store_write_now(store, delete_two, NULL, &err), 0);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_walk(txn, "prod", "000000000001", "prod/1/* prod/1/eu-west-1 ");
	store_read_end(txn);
	assert_int_equal(temp_store_problems(store), 0);
	store_close(store);
	temp_folder_remove(folder);
}

static void note_changes(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = "000000000003",
					.region = "eu-west-1",
					.state = COVERAGE_DENIED,
					.next_try_s = 7});
	store_coverage_note_change(txn, "prod", "000000000002", "us-east-1", 5);
	store_coverage_note_change(txn, "prod", "000000000003", "eu-west-1", 5);
	store_coverage_note_change(txn, "prod", "000000000004", "eu-west-1", 5);
}

static void a_change_is_noted_where_the_last_attempt_succeeded(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct coverage_record record;
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, put_some, NULL, &err), 0);
	assert_int_equal(store_write_now(store, note_changes, NULL, &err), 0);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_coverage_get(txn, "prod", "000000000002", "us-east-1", &record));
	assert_int_equal(coverage_changed_s(&record), 5);
	assert_true(store_coverage_get(txn, "prod", "000000000001", "us-east-1", &record));
	assert_int_equal(coverage_changed_s(&record), 0);
	assert_true(store_coverage_get(txn, "prod", "000000000003", "eu-west-1", &record));
	assert_int_equal(coverage_changed_s(&record), 0);
	assert_int_equal(record.next_try_s, 7);
	assert_false(store_coverage_get(txn, "prod", "000000000004", "eu-west-1", &record));
	store_read_end(txn);
	assert_int_equal(temp_store_problems(store), 0);
	store_close(store);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_has_a_name_that_reads_back),
		cmocka_unit_test(the_numbers_of_the_states_are_fixed),
		cmocka_unit_test(what_is_no_problem_is_ok_disabled_inactive_or_excluded),
		cmocka_unit_test(walks_see_all_one_connector_or_one_account),
		cmocka_unit_test(a_change_is_noted_where_the_last_attempt_succeeded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
