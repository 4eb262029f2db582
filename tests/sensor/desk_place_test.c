/* What the inventory knows of a place that AWS has refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "store/accounts.h"
#include "tests/lib/fake_call.h"
#include "tests/sensor/desk_fixture.h"

static const char *connector_name = "prod";

struct cycle_times {
	int64_t finished_s, last_complete_s;
	const char *error;
};

static void write_cycle(struct store_txn *txn, void *arg)
{
	const struct cycle_times *times = arg;
	store_cycle_put(txn, &(struct cycle_record){.connector = connector_name,
				     .hub_account_id = HUB,
				     .hub_arn = "",
				     .partition = "aws",
				     .organization_id = "",
				     .error = times->error,
				     .started_s = NOW_S,
				     .finished_s = times->finished_s,
				     .last_complete_s = times->last_complete_s});
}

static void put_cycle(int64_t finished_s, int64_t last_complete_s, const char *error)
{
	struct err err = ERR_INIT;
	struct cycle_times times = {finished_s, last_complete_s, error};
	assert_int_equal(store_write_now(desk.sensor->store, write_cycle, &times, &err), 0);
}

static void write_account(struct store_txn *txn, void *arg)
{
	store_account_put(txn, &(struct account_record){.connector = connector_name,
				       .account_id = arg,
				       .name = "",
				       .email = "",
				       .state = "ACTIVE",
				       .unit_id = "",
				       .unit_path = "",
				       .first_seen_s = NOW_S,
				       .last_seen_s = NOW_S});
}

static void put_account(const char *account_id)
{
	struct err err = ERR_INIT;
	assert_int_equal(
		store_write_now(desk.sensor->store, write_account, (void *)account_id, &err), 0);
}

static void put_region(const char *region)
{
	put_coverage(desk.sensor, &(struct coverage_record){.connector = "prod",
					  .account_id = SHOP,
					  .region = region,
					  .state = COVERAGE_OK,
					  .code = "",
					  .reason = ""});
}

static struct err explain(enum err_kind kind)
{
	struct err err = ERR_INIT;
	struct desk_op op = {.desk = desk.desk, .connector = desk.connector[0]};
	(void)text_copy(op.account_id, sizeof(op.account_id), SHOP);
	(void)text_copy(op.region, sizeof(op.region), DESK_REGION);
	(void)err_set(&err, kind, "what AWS said");
	desk_explain_place(&op, &err);
	assert_int_equal(err.kind, kind);
	return err;
}

static void before_the_first_cycle_nothing_is_missing(void **state)
{
	(void)state;
	assert_string_equal(explain(ERR_ROLE).text, "what AWS said");
	put_account(SHOP);
	assert_string_equal(explain(ERR_ROLE).text, "what AWS said"); /* no region is known yet */
	/* The first cycle is under way: other places are known, and this one is to come. */
	put_cycle(0, 0, "");
	put_region("us-east-1");
	assert_string_equal(explain(ERR_ROLE).text, "what AWS said");
	put_cycle(NOW_S, 0, "the organization could not be read"); /* it failed */
	assert_string_equal(explain(ERR_ROLE).text, "what AWS said");
	put_cycle(NOW_S, 0, ""); /* some accounts could not be entered */
	assert_string_not_equal(explain(ERR_ROLE).text, "what AWS said");
	put_cycle(0, NOW_S, ""); /* the next one is under way */
	assert_string_not_equal(explain(ERR_ROLE).text, "what AWS said");
}

static void an_account_of_somebody_else_is_said(void **state)
{
	(void)state;
	static const enum err_kind refusals[] = {
		ERR_ROLE, ERR_DENIED, ERR_CREDENTIALS, ERR_REFUSED, ERR_SERVICE, ERR_UNREACHABLE};
	static const enum err_kind others[] = {
		ERR_STOPPED, ERR_THROTTLED, ERR_TIMEOUT, ERR_NOT_FOUND, ERR_CONFIG, ERR_STORE_FULL};
	put_account(BANK);
	put_cycle(NOW_S, NOW_S, "");
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		assert_string_equal(explain(refusals[i]).text,
			"account " SHOP " is none of connector prod, by its last cycle: check the "
			"ARN or --account, or scan if the account is new");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_string_equal(explain(others[i]).text, "what AWS said");
}

static void a_region_that_is_not_read_is_said(void **state)
{
	(void)state;
	put_account(SHOP);
	put_cycle(NOW_S, NOW_S, "");
	put_region("us-east-1");
	assert_string_equal(explain(ERR_DENIED).text,
		"region " DESK_REGION " is none that connector prod reads in account " SHOP
		": check the ARN or --region, or enable the region");
	put_region(DESK_REGION);
	assert_string_equal(explain(ERR_DENIED).text, "what AWS said");
}

static void an_order_says_it(void **state)
{
	(void)state;
	put_account(BANK);
	put_cycle(NOW_S, NOW_S, "");
	fake_call_fail_at(2, ERR_ROLE, "AccessDenied");
	desk_fixture_refuse(&desk, DESK_PLAN, desk_fixture_plan(&desk, ""), ERR_ROLE,
		"account " SHOP " is none of connector prod");
}

/* The key's place is in the hub's account, whatever account the certificate goes to. */
static void what_the_escrow_refuses_is_not_the_places_fault(void **state)
{
	(void)state;
	connector_name = "other"; /* its keys wait in Secrets Manager */
	put_account(BANK);
	put_cycle(NOW_S, NOW_S, "");
	connector_name = "prod";
	fake_call_fail_at(3, ERR_DENIED, "AccessDeniedException");
	desk_fixture_refuse(&desk, DESK_PLAN, desk_fixture_plan(&desk, "'connector': 'other', "),
		ERR_DENIED, "key escrow secretsmanager: ");
	assert_string_equal(fake_call_failed()->operation, "CreateSecret");
}

#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, desk_fixture_set_up, desk_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(before_the_first_cycle_nothing_is_missing),
		TEST(an_account_of_somebody_else_is_said),
		TEST(a_region_that_is_not_read_is_said),
		TEST(an_order_says_it),
		TEST(what_the_escrow_refuses_is_not_the_places_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
