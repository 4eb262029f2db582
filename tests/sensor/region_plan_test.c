/* What happens to an account's regions that are on record; AWS's lists are in reconcile_test. */
#include "sensor/region_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "sensor/config.h"
#include "sensor/overlap.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

#define ACCOUNT "111122223333"

enum { HOUR_S = 3600, NOW_S = SAMPLE_NOW_S };

static struct config_connector config, earlier;
static struct overlap overlap;
static struct region_account account;
static char *wanted[2];

static void put(struct store_txn *txn, void *arg)
{
	store_coverage_put(txn, arg);
}

static void on_record(
	const char *connector, const char *region, enum coverage_state state, int64_t certificates)
{
	const struct coverage_record record = {.connector = connector,
		.account_id = ACCOUNT,
		.region = region,
		.state = state,
		.code = "",
		.reason = "",
		.certificate_count = certificates,
		.last_attempt_s = NOW_S - 2 * HOUR_S,
		.last_success_s = state == COVERAGE_OK ? NOW_S - 2 * HOUR_S : 0};
	store_fixture_write(put, &record);
}

static int set_up(void **state)
{
	(void)store_fixture_open(state);
	config = (struct config_connector){.name = (char *)"prod", .interval_s = HOUR_S};
	earlier = (struct config_connector){.name = (char *)"first", .interval_s = HOUR_S};
	overlap = (struct overlap){.count = 0};
	account = (struct region_account){.config = &config,
		.overlap = &overlap,
		.account_id = ACCOUNT,
		.account_name = "shop",
		.now_s = NOW_S};
	return 0;
}

static void want(const char *first, const char *second)
{
	wanted[0] = (char *)(uintptr_t)first;
	wanted[1] = (char *)(uintptr_t)second;
	config.regions = (struct config_list){.item = wanted, .count = second != NULL ? 2 : 1};
}

/* "region state; ..." of what is on record. */
static void expect_records(const char *expected)
{
	char found[512] = "", position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record record;
	struct store_txn *txn = store_fixture_read();
	while (store_coverage_next(txn, config.name, ACCOUNT, position, &record)) {
		size_t len = strlen(found);
		(void)snprintf(found + len, sizeof(found) - len, "%s%s %s", len > 0 ? "; " : "",
			record.region, coverage_state_name(record.state));
	}
	store_read_end(txn);
	assert_string_equal(found, expected);
}

/* --- a visit without AWS's list --------------------------------------------------------------- */

static void without_any_list_what_is_on_record_is_visited(void **state)
{
	(void)state;
	struct region_plan plan;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	on_record("prod", COVERAGE_ANY_REGION, COVERAGE_DENIED, 0);
	on_record("prod", "eu-west-1", COVERAGE_OK, 5);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	region_plan_make(&(struct region_plan_input){.account = &account, .rule = SCHEDULE_BY_HAND},
		txn, &plan);
	store_read_end(txn);
	assert_int_equal(plan.count, 1); /* "*" is no region */
	assert_string_equal(plan.task[0].region, "eu-west-1");
	assert_int_equal(plan.task[0].kind, REGION_TASK_SCAN);
	assert_false(plan.task[0].is_new);
	assert_false(region_plan_has_writes(&plan));
	region_plan_clear(&plan);
}

/* --- the survey ------------------------------------------------------------------------------- */

static struct region_survey survey(enum schedule_rule rule)
{
	struct region_survey survey;
	struct store_txn *txn = store_fixture_read();
	region_survey_make(
		&(struct region_plan_input){.account = &account, .rule = rule}, txn, &survey);
	store_read_end(txn);
	return survey;
}

static void an_account_without_records_is_due_but_not_to_catch_up(void **state)
{
	(void)state;
	assert_true(survey(SCHEDULE_OF_CYCLE).is_due);
	assert_true(survey(SCHEDULE_OF_CYCLE).needs_regions);
	assert_false(survey(SCHEDULE_OF_CATCH_UP).is_due);
	assert_false(survey(SCHEDULE_OF_CATCH_UP).needs_regions);
}

static void what_failed_is_counted_and_due_to_catch_up(void **state)
{
	(void)state;
	on_record("prod", "eu-west-1", COVERAGE_OK, 5);
	assert_false(survey(SCHEDULE_OF_CATCH_UP).is_due);
	on_record("prod", "eu-west-2", COVERAGE_THROTTLED, 0);
	struct region_survey found = survey(SCHEDULE_OF_CATCH_UP);
	assert_true(found.is_due);
	assert_false(found.needs_regions);
	assert_int_equal(found.pairs, 2);
	assert_int_equal(found.problems, 1);
	on_record("prod", COVERAGE_ANY_REGION, COVERAGE_THROTTLED, 0);
	assert_true(survey(SCHEDULE_OF_CATCH_UP).needs_regions);
}

/* --- an account that is lost ------------------------------------------------------------------ */

struct mark {
	struct region_mark mark;
	size_t count;
};

static void write_mark(struct store_txn *txn, void *arg)
{
	struct mark *mark = arg;
	mark->count = region_mark_put(txn, &mark->mark);
}

static size_t lose(const struct err *why)
{
	struct err err = ERR_INIT;
	struct mark mark = {.mark = {.account = account,
				    .err = why,
				    .state = COVERAGE_ACCOUNT_INACTIVE,
				    .reason = "suspended"}};
	assert_int_equal(store_write_now(store, write_mark, &mark, &err), 0);
	return mark.count;
}

static void all_that_is_on_record_is_lost(void **state)
{
	(void)state;
	assert_int_equal(lose(NULL), 1); /* nothing is known of its regions */
	expect_records("* account_inactive");
	on_record("prod", "eu-west-1", COVERAGE_OK, 5);
	on_record("prod", "eu-west-2", COVERAGE_OK, 0);
	assert_int_equal(lose(NULL), 2);
	expect_records("eu-west-1 account_inactive; eu-west-2 account_inactive");
}

static void an_error_gives_its_own_state(void **state)
{
	(void)state;
	struct err why = ERR_INIT;
	err_set(&why, ERR_DENIED, "no");
	on_record("prod", "eu-west-1", COVERAGE_OK, 5);
	assert_int_equal(lose(&why), 1);
	expect_records("eu-west-1 denied");
}

/* What the connector does not read, by its list or for an earlier one, is not lost. */
static void what_is_not_wanted_is_excluded_and_not_lost(void **state)
{
	(void)state;
	on_record("prod", COVERAGE_ANY_REGION, COVERAGE_DENIED, 0);
	on_record("prod", "eu-west-1", COVERAGE_OK, 5);
	on_record("prod", "us-east-1", COVERAGE_OK, 5);
	want("eu-west-1", NULL);
	assert_int_equal(lose(NULL), 1);
	expect_records("eu-west-1 account_inactive; us-east-1 excluded");
}

static void what_an_earlier_connector_reads_is_not_lost(void **state)
{
	(void)state;
	char *first = (char *)"eu-west-1";
	on_record("first", "eu-west-1", COVERAGE_OK, 5);
	earlier.regions = (struct config_list){.item = &first, .count = 1};
	overlap = (struct overlap){.earlier = &earlier, .count = 1};
	want("eu-west-1", "eu-west-2");
	assert_int_equal(lose(NULL), 1);
	expect_records("eu-west-1 excluded; eu-west-2 account_inactive");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, store_fixture_close)
	const struct CMUnitTest tests[] = {
		TEST(without_any_list_what_is_on_record_is_visited),
		TEST(an_account_without_records_is_due_but_not_to_catch_up),
		TEST(what_failed_is_counted_and_due_to_catch_up),
		TEST(all_that_is_on_record_is_lost),
		TEST(an_error_gives_its_own_state),
		TEST(what_is_not_wanted_is_excluded_and_not_lost),
		TEST(what_an_earlier_connector_reads_is_not_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
