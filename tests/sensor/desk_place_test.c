/* What the inventory knows of a place that AWS has refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "sensor/overlap.h"
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

static void put_state(const char *region, enum coverage_state coverage)
{
	put_coverage(desk.sensor, &(struct coverage_record){.connector = "prod",
					  .account_id = SHOP,
					  .region = region,
					  .state = coverage,
					  .code = "",
					  .reason = ""});
}

static void put_region(const char *region)
{
	put_state(region, COVERAGE_OK);
}

static struct err explain(enum err_kind kind)
{
	struct err err = ERR_INIT;
	struct desk_op op = {.desk = desk.desk, .connector = desk.connector[0]};
	(void)text_copy(op.account_id, sizeof(op.account_id), SHOP);
	(void)text_copy(op.region, sizeof(op.region), DESK_REGION);
	(void)err_set(&err, kind, "what AWS said");
	(void)err_set_code(&err, "AccessDenied");
	desk_explain_place(&op, &err);
	assert_int_equal(err.kind, kind);
	assert_string_equal(err.code, "AccessDenied");
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
			"what AWS said; account " SHOP
			" is none of connector prod, by its last cycle: check the ARN or "
			"--account; if the account is new: acmsensor scan --connector prod "
			"--account " SHOP " --wait");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_string_equal(explain(others[i]).text, "what AWS said");
}

#define FOREIGN_TEXT                                                                                \
	"region " DESK_REGION " is none that connector prod reads in account " SHOP                 \
	": check the ARN or --region; once the region is enabled: acmsensor scan --connector prod " \
	"--account " SHOP " --wait"
#define UNREAD_TEXT                                                                                \
	"region " DESK_REGION                                                                      \
	" is not in regions of connector prod, so nobody knows whether account " SHOP              \
	" has enabled it: check the ARN or --region"

static void a_region_that_is_not_read_is_said(void **state)
{
	(void)state;
	put_account(SHOP);
	put_cycle(NOW_S, NOW_S, "");
	put_region("us-east-1");
	assert_string_equal(explain(ERR_DENIED).text, "what AWS said; " FOREIGN_TEXT);
	put_region(DESK_REGION);
	assert_string_equal(explain(ERR_DENIED).text, "what AWS said");
}

static struct err check(int wanted_rc, bool wanted_is_unread)
{
	struct err err = ERR_INIT;
	bool is_unread = false;
	struct desk_op op = {.desk = desk.desk, .connector = desk.connector[0]};
	(void)text_copy(op.account_id, sizeof(op.account_id), SHOP);
	(void)text_copy(op.region, sizeof(op.region), DESK_REGION);
	assert_int_equal(desk_check_place(&op, "", &is_unread, &err), wanted_rc);
	assert_int_equal(is_unread, wanted_is_unread);
	return err;
}

static void what_the_inventory_knows_is_said_before_aws_is_asked(void **state)
{
	(void)state;
	put_account(BANK);
	put_region("us-east-1");
	(void)check(0, false); /* before the first cycle */
	put_cycle(NOW_S, NOW_S, "");
	assert_string_equal(check(-1, false).text,
		"account " SHOP " is none of connector prod, by its last cycle: check the ARN or "
		"--account; if the account is new: acmsensor scan --connector prod "
		"--account " SHOP " --wait");
	put_account(SHOP);
	struct err err = check(-1, false);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_string_equal(err.text, FOREIGN_TEXT);
	put_state(DESK_REGION, COVERAGE_REGION_DISABLED);
	assert_string_equal(check(-1, false).text, FOREIGN_TEXT);
	put_state(DESK_REGION, COVERAGE_DENIED);
	(void)check(0, false);
}

/* Its role cannot be assumed: what regions it has, nobody knows. */
static void the_regions_of_a_closed_account_are_not_judged(void **state)
{
	(void)state;
	put_account(SHOP);
	put_cycle(NOW_S, NOW_S, "");
	(void)check(0, false);
	put_state(COVERAGE_ANY_REGION, COVERAGE_ROLE_UNASSUMABLE);
	(void)check(0, false);
	assert_string_equal(explain(ERR_ROLE).text, "what AWS said");
	put_region("us-east-1"); /* of before */
	(void)check(0, false);
}

static void use_settings(const char *settings)
{
	struct err err = ERR_INIT;
	char text[128];
	connector_free(desk.connector[0]);
	snprintf(text, sizeof(text), "[connector prod]\nimport = all\n%s\n", settings);
	use_config(desk.sensor, text);
	desk.connector[0] = connector_new(&(struct connector_options){.loop = desk.sensor->loop,
						  .store = desk.sensor->store,
						  .sensor_name = "sensor1",
						  .config = &desk.sensor->config->connector[0]},
		NULL, NULL, NULL, &err);
	assert_non_null(desk.connector[0]);
}

static void use_regions(const char *regions)
{
	char text[64];
	snprintf(text, sizeof(text), "regions = %s", regions);
	use_settings(text);
}

static void a_list_of_regions_proves_nothing(void **state)
{
	(void)state;
	use_regions("us-east-1, us-west-2");
	(void)check(0, true);
	put_account(SHOP);
	put_cycle(NOW_S, NOW_S, "");
	put_region("us-east-1");
	(void)check(0, true);
	desk_fixture_run(&desk, DESK_PLAN, desk_fixture_plan(&desk, ""));
	assert_non_null(strstr(desk.document, "\"region_unread\""));
	assert_string_equal(explain(ERR_DENIED).text, "what AWS said; " UNREAD_TEXT);
	use_regions("us-east-1, " DESK_REGION);
	assert_string_equal(check(-1, false).text, FOREIGN_TEXT);
}

#define LEFT_OUT(reason)                                                                           \
	"connector prod leaves account " SHOP " out (" reason                                      \
	"), for orders too: change that setting, reload and scan, or name another connector"

/* A reload is enough: no cycle needs to have seen the setting. */
static void an_account_that_a_list_leaves_out_takes_no_order(void **state)
{
	(void)state;
	use_settings("exclude_accounts = " BANK);
	(void)check(0, false);
	use_settings("include_accounts = " SHOP);
	(void)check(0, false);
	use_settings("exclude_accounts = " BANK ", " SHOP);
	struct err err = check(-1, false);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_string_equal(err.text, LEFT_OUT("the account is in exclude_accounts"));
	desk_fixture_refuse(&desk, DESK_PLAN, desk_fixture_plan(&desk, ""), ERR_REFUSED,
		"(the account is in exclude_accounts), for orders too");
	use_settings("include_accounts = " BANK);
	assert_string_equal(check(-1, false).text, LEFT_OUT("include_accounts does not name it"));
	assert_int_equal(fake_call_count(), 0);
}

/* What a unit decides is known from the last cycle. */
static void an_account_that_a_unit_leaves_out_takes_no_order(void **state)
{
	(void)state;
	struct coverage_record coverage = {.connector = "prod",
		.account_id = SHOP,
		.region = COVERAGE_ANY_REGION,
		.state = COVERAGE_EXCLUDED,
		.code = "",
		.reason = "its unit ou-ab12-cdefghij is in exclude_units"};
	use_settings("include_accounts = " BANK "\ninclude_units = r-fake");
	(void)check(0, false);
	put_account(SHOP);
	put_coverage(desk.sensor, &coverage);
	assert_string_equal(
		check(-1, false).text, LEFT_OUT("its unit ou-ab12-cdefghij is in exclude_units"));
	assert_string_equal(explain(ERR_DENIED).text,
		"what AWS said; " LEFT_OUT("its unit ou-ab12-cdefghij is in exclude_units"));
	char reason[OVERLAP_REASON_MAX];
	overlap_reason("other", reason);
	coverage.reason = reason; /* another connector reads it: this one may deliver there */
	put_coverage(desk.sensor, &coverage);
	(void)check(0, false);
}

static void every_order_says_it(void **state)
{
	(void)state;
	static const struct {
		const char *arn, *text;
		enum err_kind kind;
	} cases[] = {
		{"arn:aws:acm:" DESK_REGION ":" BANK ":certificate/12345678",
			"account " BANK " is none of", ERR_REFUSED},
		{"arn:aws:acm:mars-1:" SHOP ":certificate/12345678", "region mars-1 is none that",
			ERR_REFUSED},
		{"arn:aws-cn:acm:cn-north-1:" SHOP ":certificate/12345678",
			"is of the partition aws-cn; connector prod is in aws", ERR_CONFIG},
		{"arn:aws:acm:cn-north-1:" SHOP ":certificate/12345678",
			"region cn-north-1 is of the partition aws-cn; connector prod is in aws",
			ERR_CONFIG},
	};
	char body[256], more[256];
	put_account(SHOP);
	put_region(DESK_REGION);
	put_cycle(NOW_S, NOW_S, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(body, sizeof(body), "{'connector': 'prod', 'arn': '%s'}", cases[i].arn);
		desk_fixture_refuse(&desk, DESK_DELETE, body, cases[i].kind, cases[i].text);
		desk_fixture_refuse(&desk, DESK_CSR, body, cases[i].kind, cases[i].text);
		snprintf(more, sizeof(more),
			"{'connector': 'prod', 'certificate': 'x', 'key': 'x', 'arn': '%s'}",
			cases[i].arn);
		desk_fixture_refuse(&desk, DESK_PLAN, more, cases[i].kind, cases[i].text);
	}
	assert_int_equal(fake_call_count(), 0);
	assert_int_equal(desk_job_count(desk.desk), 0);
}

/* Its role could not be assumed, or another connector reads it: no region of it is known. */
static void without_the_accounts_regions_none_is_missing(void **state)
{
	(void)state;
	put_account(SHOP);
	put_cycle(NOW_S, NOW_S, "");
	assert_string_equal(explain(ERR_ROLE).text, "what AWS said");
	put_region("*");
	assert_string_equal(explain(ERR_ROLE).text, "what AWS said");
	put_region("us-east-1"); /* of before */
	assert_string_equal(explain(ERR_ROLE).text, "what AWS said");
}

static void an_order_says_it(void **state)
{
	(void)state;
	use_regions("us-east-1");
	put_account(SHOP);
	put_cycle(NOW_S, NOW_S, "");
	fake_call_fail_at(2, ERR_ROLE, "AccessDenied");
	desk_fixture_refuse(
		&desk, DESK_PLAN, desk_fixture_plan(&desk, ""), ERR_ROLE, "; " UNREAD_TEXT);
}

/* The key's place is in the hub's account, whatever account the certificate goes to. */
static void what_the_escrow_refuses_is_not_the_places_fault(void **state)
{
	(void)state;
	connector_name = "other"; /* its keys wait in Secrets Manager */
	put_account(SHOP);
	put_cycle(NOW_S, NOW_S, "");
	connector_name = "prod";
	fake_call_fail_at(3, ERR_DENIED, "AccessDeniedException");
	desk_fixture_refuse(&desk, DESK_PLAN, desk_fixture_plan(&desk, "'connector': 'other', "),
		ERR_DENIED, "key escrow secretsmanager: ");
	assert_string_equal(fake_call_failed()->operation, "CreateSecret");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(before_the_first_cycle_nothing_is_missing),
		DESK_TEST(an_account_of_somebody_else_is_said),
		DESK_TEST(a_region_that_is_not_read_is_said),
		DESK_TEST(what_the_inventory_knows_is_said_before_aws_is_asked),
		DESK_TEST(the_regions_of_a_closed_account_are_not_judged),
		DESK_TEST(a_list_of_regions_proves_nothing),
		DESK_TEST(an_account_that_a_list_leaves_out_takes_no_order),
		DESK_TEST(an_account_that_a_unit_leaves_out_takes_no_order),
		DESK_TEST(every_order_says_it),
		DESK_TEST(without_the_accounts_regions_none_is_missing),
		DESK_TEST(an_order_says_it),
		DESK_TEST(what_the_escrow_refuses_is_not_the_places_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
