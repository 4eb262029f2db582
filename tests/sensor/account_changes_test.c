/* What happens to an account's records when the account, its regions or its connector change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sensor/connector_retire.h"
#include "sensor/overlap.h"
#include "store/accounts.h"
#include "store/store.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/temp_store.h"
#include "tests/sensor/cycle_fixture.h"

#define CERTS(connector, account)                                                                  \
	connector " " account " eu-west-1 c0\n" connector " " account " eu-west-1 c1\n" connector  \
		  " " account " us-east-1 c0\n" connector " " account " us-east-1 c1\n"
#define CERTS_GONE(connector, account)                                                             \
	connector " " account " eu-west-1 c0 gone\n" connector " " account                         \
		  " eu-west-1 c1 gone\n" connector " " account " us-east-1 c0 gone\n" connector    \
		  " " account " us-east-1 c1 gone\n"

static struct fake_org_account *account_of(struct fixture *fixture, const char *id)
{
	for (size_t i = 0; i < fixture->org.count; i++)
		if (strcmp(fixture->org.account[i].id, id) == 0)
			return &fixture->org.account[i];
	fail_msg("no account %s", id);
	return NULL;
}

/* --- accounts ---------------------------------------------------------------------------------- */

static void account_that_left_is_gone_with_its_certificates(void **state)
{
	struct fixture *fixture = *state;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	fake_org_remove(&fixture->org, SHOP);
	pass_days(fixture, 1);
	cycle_run_all(fixture, PROGRESS_COMPLETE); /* missed once: it may only have moved */
	pass_days(fixture, 1);
	uint64_t before = last_event(fixture);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	expect_accounts(fixture, "prod " HUB " ACTIVE Root\nprod " SHOP
				 " GONE Root/Shop\nprod " BANK " ACTIVE Root/Shop\n");
	expect_coverage(fixture, "prod",
		HUB " eu-west-1 ok 2\n" HUB " us-east-1 ok 2\n" BANK " eu-west-1 ok 2\n" BANK
		    " us-east-1 ok 2\n");
	expect_certificates(
		fixture, CERTS("prod", HUB) CERTS_GONE("prod", SHOP) CERTS("prod", BANK));
	expect_events(fixture, before,
		"cycle_started by schedule\n"
		"certificate_gone " SHOP " eu-west-1 the account is no longer in the organization\n"
		"certificate_gone " SHOP " eu-west-1 the account is no longer in the organization\n"
		"certificate_gone " SHOP " us-east-1 the account is no longer in the organization\n"
		"certificate_gone " SHOP " us-east-1 the account is no longer in the organization\n"
		"account_gone " SHOP " the account is no longer in the organization\n"
		"cycle_finished 2 accounts, 4 account-regions read, 0 not read, 8 certificates, 22 "
		"calls, 0s\n");
	/* Once is enough; and when it comes back, all of it comes back. */
	before = last_event(fixture);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	assert_int_equal(last_event(fixture) - before, 2);
	fake_org_add(&fixture->org, SHOP, "shop");
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	expect_certificates(fixture, CERTS("prod", HUB) CERTS("prod", SHOP) CERTS("prod", BANK));
	expect_accounts(fixture, "prod " HUB " ACTIVE Root\nprod " SHOP
				 " ACTIVE Root/Shop\nprod " BANK " ACTIVE Root/Shop\n");
}

/* An account that moves to another unit while the organization is walked is in neither of them. */
static void account_that_one_walk_misses_keeps_everything(void **state)
{
	struct fixture *fixture = *state;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	fake_org_remove(&fixture->org, SHOP);
	pass_days(fixture, 1);
	uint64_t before = last_event(fixture);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	expect_accounts(fixture, "prod " HUB " ACTIVE Root\nprod " SHOP
				 " MISSING Root/Shop\nprod " BANK " ACTIVE Root/Shop\n");
	expect_certificates(fixture, CERTS("prod", HUB) CERTS("prod", SHOP) CERTS("prod", BANK));
	expect_coverage(fixture, "prod",
		HUB " eu-west-1 ok 2\n" HUB " us-east-1 ok 2\n" SHOP " eu-west-1 ok 2\n" SHOP
		    " us-east-1 ok 2\n" BANK " eu-west-1 ok 2\n" BANK " us-east-1 ok 2\n");
	expect_events(fixture, before,
		"cycle_started by schedule\n"
		"account_changed " SHOP
		" not listed by Organizations; gone when the next cycle does "
		"not find it either\n"
		"cycle_finished 2 accounts, 6 account-regions read, 0 not read, 12 certificates, 22 "
		"calls, 0s\n");
	fake_org_add(&fixture->org, SHOP, "shop");
	pass_days(fixture, 1);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	expect_accounts(fixture, "prod " HUB " ACTIVE Root\nprod " SHOP
				 " ACTIVE Root/Shop\nprod " BANK " ACTIVE Root/Shop\n");
	expect_certificates(fixture, CERTS("prod", HUB) CERTS("prod", SHOP) CERTS("prod", BANK));
}

static void put_old_units(struct store_txn *txn, void *arg)
{
	static const char *const connector[] = {"prod", "other"};
	(void)arg;
	for (size_t i = 0; i < 2; i++)
		store_unit_put(txn, &(struct unit_record){.connector = connector[i],
					    .unit_id = "ou-fake-0ld00000",
					    .parent_id = "r-fake",
					    .name = "Old"});
}

static void unit_that_is_no_longer_there_is_forgotten(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct unit_record record;
	char position[ACCOUNT_POSITION_MAX] = "";
	size_t units = 0;
	assert_int_equal(store_write_now(fixture->store, put_old_units, NULL, &err), 0);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	while (store_unit_next(txn, "prod", position, &record)) {
		assert_string_not_equal(record.name, "Old");
		units++;
	}
	assert_true(units > 0);
	position[0] = '\0'; /* another connector's is not its own to forget */
	assert_true(store_unit_next(txn, "other", position, &record));
	assert_string_equal(record.name, "Old");
	store_read_end(txn);
}

static void all_that_changed_of_an_account_is_one_event(void **state)
{
	struct fixture *fixture = *state;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	account_of(fixture, SHOP)->state = "SUSPENDED";
	account_of(fixture, SHOP)->is_in_unit = false;
	pass_days(fixture, 1);
	uint64_t before = last_event(fixture);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	expect_events(fixture, before,
		"cycle_started by schedule\n"
		"account_changed " SHOP " state ACTIVE -> SUSPENDED, unit Root/Shop -> Root\n"
		"coverage_changed " SHOP
		" eu-west-1 ok -> account_inactive: the account is SUSPENDED\n"
		"coverage_changed " SHOP
		" us-east-1 ok -> account_inactive: the account is SUSPENDED\n"
		"cycle_finished 2 accounts, 4 account-regions read, 0 not read, 12 certificates, 22 "
		"calls, 0s\n");
}

static void suspended_account_keeps_its_certificates_and_last_success(void **state)
{
	struct fixture *fixture = *state;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	account_of(fixture, SHOP)->state = "SUSPENDED";
	pass_days(fixture, 1);
	uint64_t before = last_event(fixture);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	struct coverage_record record = read_coverage(fixture, SHOP, "eu-west-1");
	assert_int_equal(record.state, COVERAGE_ACCOUNT_INACTIVE);
	assert_int_equal(record.last_success_s, NOW_S);
	assert_int_equal(record.certificate_count, 2);
	assert_int_equal(record.state_since_s, NOW_S + DAY_S);
	assert_string_not_equal(record.reason, "");
	expect_certificates(fixture, CERTS("prod", HUB) CERTS("prod", SHOP) CERTS("prod", BANK));
	char expected[1024];
	snprintf(expected, sizeof(expected),
		"cycle_started by schedule\n"
		"account_changed " SHOP " state ACTIVE -> SUSPENDED\n"
		"coverage_changed " SHOP " eu-west-1 ok -> account_inactive: %s\n"
		"coverage_changed " SHOP " us-east-1 ok -> account_inactive: %s\n"
		"cycle_finished 2 accounts, 4 account-regions read, 0 not read, 12 certificates, 22 "
		"calls, 0s\n",
		record.reason, record.reason);
	expect_events(fixture, before, expected);
	account_of(fixture, SHOP)->state = "ACTIVE";
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	assert_int_equal(read_coverage(fixture, SHOP, "eu-west-1").state, COVERAGE_OK);
}

static void account_whose_role_breaks_keeps_what_was_known_of_each_region(void **state)
{
	struct fixture *fixture = *state;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	account_of(fixture, SHOP)->role_err = fake_org_err(ERR_ROLE, "AccessDenied");
	pass_days(fixture, 1);
	reset_calls(fixture);
	cycle_run_all(fixture, PROGRESS_INCOMPLETE);
	assert_int_equal(calls_of(SHOP, NULL), 1); /* AssumeRole, and no further call */
	struct coverage_record record = read_coverage(fixture, SHOP, "us-east-1");
	assert_int_equal(record.state, COVERAGE_ROLE_UNASSUMABLE);
	assert_int_equal(record.last_success_s, NOW_S);
	assert_int_equal(record.certificate_count, 2);
	expect_certificates(fixture, CERTS("prod", HUB) CERTS("prod", SHOP) CERTS("prod", BANK));
}

static void session_that_is_lost_takes_the_regions_not_begun_with_it(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	struct cycle_options options = cycle_options_of(&run);
	fixture->org.region[2] = "ap-south-1";
	fixture->org.region_count = 3;
	fake_org_fail(&fixture->org, SHOP, NULL, ERR_ROLE, "AccessDenied");
	options.pairs_max = 1;
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_INCOMPLETE);
	assert_int_equal(calls_of(SHOP, "ListCertificates"), 1);
	assert_int_equal(run.progress.pairs_done, 9);
	assert_int_equal(run.progress.pairs_problem, 3);
	expect_coverage(fixture, "prod",
		HUB " ap-south-1 ok 2\n" HUB " eu-west-1 ok 2\n" HUB " us-east-1 ok 2\n" SHOP
		    " ap-south-1 role_unassumable 0\n" SHOP " eu-west-1 role_unassumable 0\n" SHOP
		    " us-east-1 role_unassumable 0\n" BANK " ap-south-1 ok 2\n" BANK
		    " eu-west-1 ok 2\n" BANK " us-east-1 ok 2\n");
	cycle_run_clear(&run);
}

static void huge_account_does_not_hold_up_the_others(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	struct cycle_options options = cycle_options_of(&run);
	account_of(fixture, SHOP)->certificates = 200;
	cycle_begin(&run, &options);
	while (cycle_progress(run.cycle)->pairs_done < 4)
		assert_true(fake_loop_step());
	assert_int_equal(read_coverage(fixture, BANK, "eu-west-1").state, COVERAGE_OK);
	assert_int_equal(read_coverage(fixture, SHOP, "eu-west-1").state, COVERAGE_NEVER_TRIED);
	fake_loop_run_ready();
	assert_int_equal(run.progress.result, PROGRESS_COMPLETE);
	cycle_run_clear(&run);
}

/* --- regions ----------------------------------------------------------------------------------- */

static void region_that_is_disabled_keeps_its_certificates(void **state)
{
	struct fixture *fixture = *state;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	fixture->org.is_disabled[0] = true;
	pass_days(fixture, 1);
	reset_calls(fixture);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	assert_int_equal(calls_of(NULL, "ListCertificates"), 3);
	assert_int_equal(read_coverage(fixture, SHOP, "eu-west-1").state, COVERAGE_REGION_DISABLED);
	expect_certificates(fixture, CERTS("prod", HUB) CERTS("prod", SHOP) CERTS("prod", BANK));
	/* Enabled again it is read in the very next cycle, not when a denial would be. */
	fixture->org.is_disabled[0] = false;
	fake_loop_advance_ms(HOUR_S * 1000);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	assert_int_equal(read_coverage(fixture, SHOP, "eu-west-1").state, COVERAGE_OK);
}

static void region_that_aws_no_longer_lists_is_told(void **state)
{
	struct fixture *fixture = *state;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	fixture->org.region_count = 1;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	struct coverage_record record = read_coverage(fixture, SHOP, "us-east-1");
	assert_int_equal(record.state, COVERAGE_EXCLUDED);
	assert_string_equal(record.reason, "AWS no longer lists this region for the account");
	expect_certificates(fixture, CERTS("prod", HUB) CERTS("prod", SHOP) CERTS("prod", BANK));
}

static void regions_of_the_configuration_are_taken_as_they_are(void **state)
{
	struct fixture *fixture = *state;
	use_config(fixture, "[connector prod]\nimport = all\nregions = eu-west-1, us-east-1\n");
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	assert_int_equal(calls_of(NULL, "ListRegions"), 0);
	use_config(fixture, "[connector prod]\nimport = all\nregions = eu-west-1\n");
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	struct coverage_record record = read_coverage(fixture, SHOP, "us-east-1");
	assert_int_equal(record.state, COVERAGE_EXCLUDED);
	assert_string_equal(record.reason, "not in the connector's list of regions");
}

/* --- filters and overlap ----------------------------------------------------------------------- */

static void excluded_accounts_are_never_asked(void **state)
{
	struct fixture *fixture = *state;
	use_config(fixture, "[connector prod]\nimport = all\nexclude_accounts = " SHOP "\n"
			    "include_units = r-fake\n");
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	assert_int_equal(calls_of(SHOP, NULL), 0);
	struct coverage_record record = read_coverage(fixture, SHOP, "*");
	assert_int_equal(record.state, COVERAGE_EXCLUDED);
	assert_string_not_equal(record.reason, "");
}

#define TWO(first) "[connector one]\nimport = all\n" first "[connector prod]\nimport = all\n"

static void run_first(struct fixture *fixture)
{
	struct cycle_run run = {.fixture = fixture};
	struct cycle_options options = cycle_options_of(&run);
	struct overlap none = {.count = 0};
	options.config = &fixture->config->connector[0];
	options.overlap = &none;
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_COMPLETE);
	cycle_run_clear(&run);
}

static void account_of_two_connectors_belongs_to_the_first(void **state)
{
	struct fixture *fixture = *state;
	use_config(fixture, TWO("include_accounts = " SHOP "\n"));
	run_first(fixture);
	reset_calls(fixture);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	assert_int_equal(calls_of(SHOP, NULL), 0);
	struct coverage_record record = read_coverage(fixture, SHOP, "*");
	assert_int_equal(record.state, COVERAGE_EXCLUDED);
	assert_string_equal(
		record.reason, "covered by connector one, which comes first in the configuration");
	assert_true(overlap_is_reason(record.reason));
	assert_false(overlap_is_reason("the account is in exclude_accounts"));
	expect_certificates(fixture, CERTS("prod", HUB) CERTS("one", SHOP) CERTS("prod", BANK));
}

static void region_of_two_connectors_belongs_to_the_first(void **state)
{
	struct fixture *fixture = *state;
	use_config(fixture, TWO("include_accounts = " SHOP "\nregions = eu-west-1\n"));
	run_first(fixture);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	assert_int_equal(read_coverage(fixture, SHOP, "eu-west-1").state, COVERAGE_EXCLUDED);
	assert_int_equal(read_coverage(fixture, SHOP, "us-east-1").state, COVERAGE_OK);
	/* When the account is lost to the second one, what the first reads is not lost. */
	account_of(fixture, SHOP)->role_err = fake_org_err(ERR_ROLE, "AccessDenied");
	cycle_run_all(fixture, PROGRESS_INCOMPLETE);
	assert_int_equal(read_coverage(fixture, SHOP, "eu-west-1").state, COVERAGE_EXCLUDED);
	assert_int_equal(
		read_coverage(fixture, SHOP, "us-east-1").state, COVERAGE_ROLE_UNASSUMABLE);
}

/* --- connectors that left ----------------------------------------------------------------------- */

struct retired {
	int ends;
	struct err err;
};

static void on_retired(void *arg, const struct err *err)
{
	struct retired *retired = arg;
	retired->ends++;
	retired->err = err != NULL ? *err : (struct err)ERR_INIT;
}

static struct connector_retire *start_retire(
	struct fixture *fixture, struct retired *retired, const char *remaining)
{
	*retired = (struct retired){.ends = 0};
	return connector_retire_start(&(struct connector_retire_options){.loop = fixture->loop,
					      .store = fixture->store,
					      .connector = "prod",
					      .remaining = &remaining,
					      .remaining_count = remaining != NULL},
		on_retired, retired);
}

static void expect_forgotten(struct fixture *fixture)
{
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	struct cycle_record record;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	assert_false(store_cycle_get(txn, "prod", &record));
	store_read_end(txn);
	expect_coverage(fixture, "prod", "");
	expect_accounts(fixture, "");
}

static void connector_that_left_is_forgotten_and_its_certificates_are_gone(void **state)
{
	struct fixture *fixture = *state;
	struct retired retired;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	(void)start_retire(fixture, &retired, NULL);
	fake_loop_run_ready();
	assert_int_equal(retired.ends, 1);
	assert_int_equal(retired.err.kind, ERR_NONE);
	expect_forgotten(fixture);
	expect_certificates(
		fixture, CERTS_GONE("prod", HUB) CERTS_GONE("prod", SHOP) CERTS_GONE("prod", BANK));
}

static void certificates_that_another_connector_lists_are_left_to_it(void **state)
{
	struct fixture *fixture = *state;
	struct retired retired;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	use_config(fixture, "[connector next]\nimport = all\ninclude_accounts = " SHOP "," BANK "\n"
			    "[connector prod]\nimport = all\n");
	run_first(fixture);
	(void)start_retire(fixture, &retired, "next");
	fake_loop_run_ready();
	assert_int_equal(retired.ends, 1);
	expect_coverage(fixture, "prod", "");
	/* The hub's account is on its record too, but excluded. */
	expect_certificates(
		fixture, CERTS_GONE("prod", HUB) CERTS("next", SHOP) CERTS("next", BANK));
}

static void forgetting_survives_failing_writes_at_each_place(void **state)
{
	static const enum err_kind kinds[] = {ERR_STORE_FULL, ERR_STORE, ERR_SYSTEM};
	struct fixture *fixture = *state;
	struct retired retired;
	for (size_t i = 0; i < 3; i++) {
		cycle_run_all(fixture, PROGRESS_COMPLETE);
		for (size_t n = 1;; n++) {
			fake_store_fail_at(n, kinds[i]);
			(void)start_retire(fixture, &retired, NULL);
			fake_loop_run_ready();
			fake_store_fail_at(0, ERR_NONE);
			assert_int_equal(retired.ends, 1);
			if (retired.err.kind == ERR_NONE)
				break;
			assert_int_equal(retired.err.kind, kinds[i]);
			assert_int_equal(temp_store_problems(fixture->store), 0);
			assert_true(n < 100);
		}
		expect_forgotten(fixture);
	}
}

static void forgetting_survives_cancels_at_each_place(void **state)
{
	struct fixture *fixture = *state;
	struct retired retired;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	for (int turns = 0; turns < 100; turns++) {
		struct connector_retire *retire = start_retire(fixture, &retired, NULL);
		for (int turn = 0; turn < turns && retired.ends == 0; turn++)
			(void)fake_loop_step();
		if (retired.ends == 0)
			connector_retire_cancel(retire);
		assert_int_equal(fake_loop_timer_count(), 0);
	}
	assert_int_equal(retired.ends, 1);
	expect_forgotten(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SENSOR_TEST(account_that_left_is_gone_with_its_certificates),
		SENSOR_TEST(account_that_one_walk_misses_keeps_everything),
		SENSOR_TEST(unit_that_is_no_longer_there_is_forgotten),
		SENSOR_TEST(all_that_changed_of_an_account_is_one_event),
		SENSOR_TEST(suspended_account_keeps_its_certificates_and_last_success),
		SENSOR_TEST(account_whose_role_breaks_keeps_what_was_known_of_each_region),
		SENSOR_TEST(session_that_is_lost_takes_the_regions_not_begun_with_it),
		SENSOR_TEST(huge_account_does_not_hold_up_the_others),
		SENSOR_TEST(region_that_is_disabled_keeps_its_certificates),
		SENSOR_TEST(region_that_aws_no_longer_lists_is_told),
		SENSOR_TEST(regions_of_the_configuration_are_taken_as_they_are),
		SENSOR_TEST(excluded_accounts_are_never_asked),
		SENSOR_TEST(account_of_two_connectors_belongs_to_the_first),
		SENSOR_TEST(region_of_two_connectors_belongs_to_the_first),
		SENSOR_TEST(connector_that_left_is_forgotten_and_its_certificates_are_gone),
		SENSOR_TEST(certificates_that_another_connector_lists_are_left_to_it),
		SENSOR_TEST(forgetting_survives_failing_writes_at_each_place),
		SENSOR_TEST(forgetting_survives_cancels_at_each_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
