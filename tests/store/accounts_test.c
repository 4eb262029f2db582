/* Accounts, units and cycles; forgetting a connector. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/accounts.h"
#include "store/coverage.h"
#include "tests/lib/store_fixture.h"

static void put_connector(struct store_txn *txn, const char *connector)
{
	store_account_put(txn, &(struct account_record){.connector = connector,
				       .account_id = "000000000002",
				       .name = "Shop",
				       .unit_path = "Root/Prod",
				       .state = "ACTIVE"});
	store_account_put(txn, &(struct account_record){.connector = connector,
				       .account_id = "000000000001",
				       .name = "Management",
				       .is_management = true,
				       .state = "ACTIVE"});
	store_unit_put(txn,
		&(struct unit_record){.connector = connector, .unit_id = "r-1", .name = "Root"});
	store_unit_put(txn, &(struct unit_record){.connector = connector,
				    .unit_id = "ou-1",
				    .parent_id = "r-1",
				    .name = "Prod"});
	store_cycle_put(
		txn, &(struct cycle_record){.connector = connector, .started_s = 5, .pairs = 7});
	store_coverage_put(
		txn, &(struct coverage_record){
			     .connector = connector, .account_id = "000000000001", .region = "*"});
}

static void put_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	put_connector(txn, "prod");
	put_connector(txn, "prod-2");
}

static int setup(void **state)
{
	(void)store_fixture_open(state);
	store_fixture_write(put_all, NULL);
	return 0;
}

static void accounts_come_in_order_of_their_ids(void **state)
{
	(void)state;
	struct account_record account;
	char position[ACCOUNT_POSITION_MAX] = "";
	struct store_txn *txn = store_fixture_read();
	assert_true(store_account_next(txn, "prod", position, &account));
	assert_string_equal(account.account_id, "000000000001");
	assert_true(account.is_management);
	assert_true(store_account_next(txn, "prod", position, &account));
	assert_string_equal(account.name, "Shop");
	assert_string_equal(account.unit_path, "Root/Prod");
	assert_string_equal(account.email, "");
	assert_false(store_account_next(txn, "prod", position, &account));
	position[0] = '\0';
	int count = 0;
	while (store_account_next(txn, NULL, position, &account))
		count++;
	assert_int_equal(count, 4);
	assert_true(store_account_get(txn, "prod-2", "000000000002", &account));
	assert_false(store_account_get(txn, "prod", "000000000003", &account));
	store_read_end(txn);
}

static void delete_some(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_account_delete(txn, "prod", "000000000001");
	store_unit_delete(txn, "prod", "ou-1");
	store_unit_delete(txn, "prod", "ou-77");
}

static void deleting_one_leaves_the_others(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct account_record account;
	struct unit_record unit;
	char position[ACCOUNT_POSITION_MAX] = "";
	assert_int_equal(store_write_now(store, delete_some, NULL, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_false(store_account_get(txn, "prod", "000000000001", &account));
	assert_true(store_account_get(txn, "prod", "000000000002", &account));
	assert_true(store_unit_next(txn, "prod", position, &unit));
	assert_string_equal(unit.unit_id, "r-1");
	assert_false(store_unit_next(txn, "prod", position, &unit));
	store_read_end(txn);
}

static void each_connector_has_one_cycle(void **state)
{
	(void)state;
	struct cycle_record cycle;
	char position[ACCOUNT_POSITION_MAX] = "";
	struct store_txn *txn = store_fixture_read();
	assert_true(store_cycle_get(txn, "prod", &cycle));
	assert_int_equal(cycle.pairs, 7);
	assert_false(store_cycle_get(txn, "pro", &cycle));
	assert_true(store_cycle_next(txn, position, &cycle));
	assert_string_equal(cycle.connector, "prod");
	assert_true(store_cycle_next(txn, position, &cycle));
	assert_string_equal(cycle.connector, "prod-2");
	assert_false(store_cycle_next(txn, position, &cycle));
	store_read_end(txn);
}

static void forget(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_connector_delete(txn, "prod");
}

static void a_connector_that_is_forgotten_leaves_its_neighbour_alone(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct account_record account;
	struct unit_record unit;
	struct cycle_record cycle;
	struct coverage_record coverage;
	char position[COVERAGE_POSITION_MAX] = "";
	assert_int_equal(store_write_now(store, forget, NULL, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_false(store_account_next(txn, "prod", position, &account));
	assert_false(store_unit_next(txn, "prod", position, &unit));
	assert_false(store_coverage_next(txn, "prod", NULL, position, &coverage));
	assert_false(store_cycle_get(txn, "prod", &cycle));
	assert_true(store_account_next(txn, "prod-2", position, &account));
	position[0] = '\0';
	assert_true(store_unit_next(txn, "prod-2", position, &unit));
	assert_true(store_coverage_get(txn, "prod-2", "000000000001", "*", &coverage));
	assert_true(store_cycle_get(txn, "prod-2", &cycle));
	store_read_end(txn);
}

static void put_longest(struct store_txn *txn, void *arg)
{
	(void)arg;
	char connector[65], unit_id[69];
	memset(connector, 'c', 64);
	memset(unit_id, 'u', 68);
	connector[64] = unit_id[68] = '\0';
	store_unit_put(txn, &(struct unit_record){.connector = connector, .unit_id = unit_id});
}

/* The longest unit id of AWS below the longest name of a connector. */
static void the_longest_ids_fit_a_position(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct unit_record unit;
	char position[ACCOUNT_POSITION_MAX] = "";
	assert_int_equal(store_write_now(store, put_longest, NULL, &err), 0);
	struct store_txn *txn = store_fixture_read();
	int count = 0;
	while (store_unit_next(txn, NULL, position, &unit))
		count++;
	assert_int_equal(count, 5);
	store_read_end(txn);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(accounts_come_in_order_of_their_ids),
		WITH_STORE(deleting_one_leaves_the_others),
		WITH_STORE(each_connector_has_one_cycle),
		WITH_STORE(a_connector_that_is_forgotten_leaves_its_neighbour_alone),
		WITH_STORE(the_longest_ids_fit_a_position),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
