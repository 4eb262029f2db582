#include "sensor/cycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/accounts.h"
#include "store/store.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/sensor/cycle_fixture.h"

#define ALL_READ                                                                                   \
	HUB " eu-west-1 ok 2\n" HUB " us-east-1 ok 2\n" SHOP " eu-west-1 ok 2\n" SHOP              \
	    " us-east-1 ok 2\n" BANK " eu-west-1 ok 2\n" BANK " us-east-1 ok 2\n"

static void expect_cycle(struct fixture *fixture, int64_t started_s, int64_t finished_s,
	int64_t next_s, const char *error)
{
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	struct cycle_record record;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	assert_true(store_cycle_get(txn, "prod", &record));
	assert_int_equal(record.started_s, started_s);
	assert_int_equal(record.finished_s, finished_s);
	assert_int_equal(record.next_s, next_s);
	assert_string_equal(record.error, error);
	store_read_end(txn);
}

/* --- success ----------------------------------------------------------------------------------- */

static void whole_organization_is_read_and_recorded(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	struct cycle_options options = cycle_options_of(&run);
	fake_org_add(&fixture->org, "444444444444", "old")->state = "SUSPENDED";
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_COMPLETE);
	assert_int_equal(run.trees, 1);
	assert_int_equal(run.next_s, NOW_S + DAY_S);
	assert_int_equal(run.progress.accounts_total, 3);
	assert_int_equal(run.progress.accounts_opened, 3);
	assert_int_equal(run.progress.accounts_done, 3);
	assert_int_equal(run.progress.pairs_known, 6);
	assert_int_equal(run.progress.pairs_done, 6);
	assert_int_equal(run.progress.pairs_problem, 0);
	assert_int_equal(run.progress.certificates, 12);
	assert_int_equal(run.progress.calls, fake_call_count());
	assert_true(run.is_tallied);
	assert_int_equal(run.tally.pairs, 7);
	assert_int_equal(run.tally.state[COVERAGE_OK], 6);
	assert_int_equal(run.tally.first_try_s, 0);
	assert_int_equal(run.scope.account_count, 4);
	expect_coverage(fixture, "prod", ALL_READ "444444444444 * account_inactive 0\n");
	expect_accounts(fixture, "prod " HUB " ACTIVE Root\nprod " SHOP " ACTIVE Root/Shop\n"
				 "prod " BANK " ACTIVE Root/Shop\n"
				 "prod 444444444444 SUSPENDED Root/Shop\n");
	expect_cycle(fixture, NOW_S, NOW_S, NOW_S + DAY_S, "");
	assert_int_equal(calls_of(HUB, "ready"), 0);  /* its own account needs no role */
	assert_int_equal(calls_of(SHOP, "ready"), 1); /* one session for all its regions */
	assert_int_equal(calls_of("444444444444", NULL), 0);
	cycle_run_clear(&run);
}

static void roles_are_assumed_with_partition_path_and_account(void **state)
{
	struct fixture *fixture = *state;
	use_config(fixture, "[connector prod]\nimport = all\nrole_name = acm/reader\n");
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	for (size_t i = 0; i < fake_call_count(); i++) {
		const struct fake_record *call = fake_call_record(i);
		if (strcmp(call->account, SHOP) == 0)
			assert_string_equal(
				call->role_arn, "arn:aws:iam::" SHOP ":role/acm/reader");
		if (strcmp(call->account, HUB) == 0)
			assert_string_equal(call->role_arn, "");
	}
}

static void events_tell_the_story_of_a_first_and_a_second_cycle(void **state)
{
	struct fixture *fixture = *state;
	fake_org_remove(&fixture->org, BANK);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	expect_events(fixture, 0,
		"cycle_started by schedule\n"
		"account_appeared " HUB " ACTIVE\naccount_appeared " SHOP " ACTIVE\n"
		"coverage_changed " HUB " eu-west-1 never_tried -> ok\n"
		"coverage_changed " HUB " us-east-1 never_tried -> ok\n"
		"coverage_changed " SHOP " eu-west-1 never_tried -> ok\n"
		"coverage_changed " SHOP " us-east-1 never_tried -> ok\n"
		"cycle_finished 2 accounts, 4 account-regions read, 0 not read, 8 certificates, "
		"30 calls, 0s\n");
	uint64_t before = last_event(fixture);
	pass_days(fixture, 1);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	expect_events(fixture, before,
		"cycle_started by schedule\n"
		"cycle_finished 2 accounts, 4 account-regions read, 0 not read, 8 certificates, "
		"22 calls, 0s\n");
}

/* --- what cannot be read ----------------------------------------------------------------------- */

static void each_refusal_ends_in_the_state_that_names_it(void **state)
{
	struct fixture *fixture = *state;
	struct fake_org *org = &fixture->org;
	org->is_disabled[1] = true; /* us-east-1, everywhere */
	fake_org_add(org, "444444444444", "norole")->role_err =
		fake_org_err(ERR_ROLE, "AccessDenied");
	fake_org_add(org, "555555555555", "noregions")->regions_err =
		fake_org_err(ERR_DENIED, "AccessDeniedException");
	fake_org_fail(org, SHOP, "eu-west-1", ERR_DENIED_BY_SCP, "AccessDeniedException");
	fake_org_fail(org, BANK, "eu-west-1", ERR_UNREACHABLE, "connect");
	cycle_run_all(fixture, PROGRESS_INCOMPLETE);
	expect_coverage(fixture, "prod",
		HUB " eu-west-1 ok 2\n" HUB " us-east-1 region_disabled 0\n" SHOP
		    " eu-west-1 denied_by_scp 0\n" SHOP " us-east-1 region_disabled 0\n" BANK
		    " eu-west-1 unreachable 0\n" BANK " us-east-1 region_disabled 0\n"
		    "444444444444 * role_unassumable 0\n555555555555 * denied 0\n");
	struct coverage_record record = read_coverage(fixture, "444444444444", "*");
	assert_string_equal(record.code, "AccessDenied");
	assert_string_equal(record.reason, "AccessDenied on purpose");
	assert_int_equal(record.failures_in_row, 1);
	assert_int_equal(record.next_try_s, NOW_S + DAY_S);
	assert_int_equal(read_coverage(fixture, BANK, "eu-west-1").next_try_s, NOW_S + 300);
}

static void unknown_credentials_in_a_region_alone_mean_that_it_is_disabled(void **state)
{
	struct fixture *fixture = *state;
	fake_org_fail(
		&fixture->org, SHOP, "eu-west-1", ERR_CREDENTIALS, "UnrecognizedClientException");
	cycle_run_all(fixture, PROGRESS_COMPLETE); /* a disabled region is nothing to mend */
	assert_int_equal(read_coverage(fixture, SHOP, "eu-west-1").state, COVERAGE_REGION_DISABLED);
	assert_int_equal(calls_of(SHOP, "GetCallerIdentity"), 1);
}

static void session_that_is_over_says_nothing_of_the_region(void **state)
{
	struct fixture *fixture = *state;
	fake_org_fail(&fixture->org, SHOP, "eu-west-1", ERR_CREDENTIALS, "ExpiredTokenException");
	cycle_run_all(fixture, PROGRESS_INCOMPLETE);
	assert_int_equal(read_coverage(fixture, SHOP, "eu-west-1").state, COVERAGE_FAILED);
	assert_int_equal(calls_of(SHOP, "GetCallerIdentity"), 0);
}

static void unknown_credentials_in_the_home_region_are_a_failure(void **state)
{
	struct fixture *fixture = *state;
	fake_org_fail(
		&fixture->org, SHOP, "us-east-1", ERR_CREDENTIALS, "UnrecognizedClientException");
	cycle_run_all(fixture, PROGRESS_INCOMPLETE);
	assert_int_equal(read_coverage(fixture, SHOP, "us-east-1").state, COVERAGE_FAILED);
	assert_int_equal(calls_of(SHOP, "GetCallerIdentity"), 0);
}

static void failed_walk_fails_the_cycle_and_touches_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	pass_days(fixture, 1);
	uint64_t before = last_event(fixture);
	fixture->org.walk_err = fake_org_err(ERR_DENIED, "AccessDeniedException");
	struct cycle_options options = cycle_options_of(&run);
	options.failures_before = 2;
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_FAILED);
	assert_int_equal(run.progress.err.kind, ERR_DENIED);
	assert_false(run.is_tallied);
	assert_int_equal(run.trees, 0);
	assert_int_equal(run.next_s, NOW_S + DAY_S + 4 * 300); /* the third failure in a row */
	expect_coverage(fixture, "prod", ALL_READ);
	expect_cycle(fixture, NOW_S + DAY_S, NOW_S + DAY_S, run.next_s, run.progress.err.text);
	expect_events(fixture, before,
		"cycle_started by schedule\n"
		"cycle_failed AccessDeniedException on purpose\n");
	cycle_run_clear(&run);
}

static void refused_hub_credentials_fail_the_cycle(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	struct cycle_options options = cycle_options_of(&run);
	for (size_t i = 1; i < fixture->org.count; i++)
		fixture->org.account[i].role_err =
			fake_org_err(ERR_CREDENTIALS, "InvalidClientTokenId");
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_FAILED);
	assert_int_equal(run.progress.err.kind, ERR_CREDENTIALS);
	cycle_run_clear(&run);
}

static void credentials_of_another_organization_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	fixture->org.id = "o-other";
	struct cycle_options options = cycle_options_of(&run);
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_FAILED);
	assert_string_equal(run.progress.err.text,
		"connector prod read organization o-fake so far, but its credentials belong to "
		"o-other now; give the connector another name, or its former credentials");
	expect_coverage(fixture, "prod", ALL_READ);
	cycle_run_clear(&run);
}

/* --- an error, a failing write, a cancel at each place ------------------------------------------ */

/* One cycle that ends once, whatever happens, and leaves one state for each account-region. */
static void expect_one_end(struct fixture *fixture, struct cycle_run *run)
{
	assert_int_equal(run->ends, 1);
	assert_int_equal(fake_loop_timer_count(), 0);
	assert_int_equal(fake_clients_alive(), 1);
	(void)fixture;
}

static void error_at_each_call_loses_nothing(void **state)
{
	struct fixture *fixture = *state;
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	reset_calls(fixture);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	size_t calls = calls_of(NULL, NULL);
	for (size_t n = 1; n <= calls; n++) {
		struct cycle_run run = {.fixture = fixture};
		pass_days(fixture, 1);
		struct cycle_options options = cycle_options_of(&run);
		fake_call_fail_at(n, ERR_SERVICE, "InternalFailure");
		cycle_run(&run, &options);
		fake_call_fail_at(0, ERR_NONE, NULL);
		expect_one_end(fixture, &run);
		assert_int_not_equal(run.progress.result, PROGRESS_RUNNING);
		assert_true(run.tally.pairs == 6 || run.progress.result == PROGRESS_FAILED);
		cycle_run_clear(&run);
	}
	pass_days(fixture, 1);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	expect_coverage(fixture, "prod", ALL_READ);
}

static void failing_write_at_each_place_fails_the_cycle_or_is_mended_later(void **state)
{
	struct fixture *fixture = *state;
	fake_store_reset();
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	size_t writes = fake_store_write_count();
	for (size_t n = 1; n <= writes; n++) {
		struct cycle_run run = {.fixture = fixture};
		pass_days(fixture, 1);
		struct cycle_options options = cycle_options_of(&run);
		fake_store_fail_at(n, ERR_STORE_FULL);
		cycle_run(&run, &options);
		fake_store_fail_at(0, ERR_NONE);
		expect_one_end(fixture, &run);
		cycle_run_clear(&run);
	}
	pass_days(fixture, 1);
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	expect_coverage(fixture, "prod", ALL_READ);
}

static void full_disk_names_itself(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	struct cycle_options options = cycle_options_of(&run);
	fake_store_fail_at(1, ERR_STORE_FULL);
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_FAILED);
	assert_int_equal(run.progress.err.kind, ERR_STORE_FULL);
	assert_int_equal(calls_of(NULL, NULL), 0);
	cycle_run_clear(&run);
}

static void cancel_at_each_turn_leaves_nothing_behind_and_is_continued(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	bool is_through = false;
	for (int turns = 0; !is_through; turns++) {
		pass_days(fixture, 1);
		struct cycle_options options = cycle_options_of(&run);
		cycle_begin(&run, &options);
		for (int turn = 0; turn < turns && run.cycle != NULL; turn++)
			if (!fake_loop_step())
				break;
		is_through = run.cycle == NULL;
		cycle_cancel(run.cycle);
		run.cycle = NULL;
		assert_int_equal(run.ends, is_through);
		assert_int_equal(fake_loop_timer_count(), 0);
		assert_int_equal(fake_clients_alive(), 1);
		assert_true(turns < 1000);
	}
	expect_coverage(fixture, "prod", ALL_READ);
	cycle_run_clear(&run);
}

/* --- restart ------------------------------------------------------------------------------------ */

static void interrupted_cycle_goes_on_with_what_was_not_reached(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	struct cycle_options options = cycle_options_of(&run);
	options.pairs_max = 1;
	cycle_begin(&run, &options);
	while (cycle_progress(run.cycle)->pairs_done < 3)
		assert_true(fake_loop_step());
	cycle_cancel(run.cycle);
	expect_cycle(fixture, NOW_S, 0, NOW_S + DAY_S, "");
	fake_loop_advance_ms(1000);
	size_t lists = calls_of(NULL, "ListCertificates");
	reset_calls(fixture);
	options = cycle_options_of(&run);
	options.continued_s = NOW_S;
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_COMPLETE);
	assert_in_range(calls_of(NULL, "ListCertificates"), 6 - lists, 3);
	expect_coverage(fixture, "prod", ALL_READ);
	expect_cycle(fixture, NOW_S, NOW_S + 1, NOW_S + 1 + DAY_S, "");
	cycle_run_clear(&run);
}

static void accounts_that_are_through_cost_nothing_when_a_cycle_goes_on(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	reset_calls(fixture);
	struct cycle_options options = cycle_options_of(&run);
	options.continued_s = NOW_S;
	cycle_run(&run, &options);
	assert_int_equal(calls_of(SHOP, NULL) + calls_of(BANK, NULL), 0);
	assert_int_equal(run.progress.pairs_done, 6);
	assert_int_equal(run.progress.accounts_done, 3);
	cycle_run_clear(&run);
}

static void scope_has_records_before_the_first_account_is_opened(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	struct cycle_options options = cycle_options_of(&run);
	cycle_begin(&run, &options);
	while (run.trees == 0)
		assert_true(fake_loop_step());
	expect_coverage(fixture, "prod",
		HUB " * never_tried 0\n" SHOP " * never_tried 0\n" BANK " * never_tried 0\n");
	cycle_run_clear(&run);
}

/* --- what is due -------------------------------------------------------------------------------- */

static void denied_account_is_not_asked_before_its_next_try_unless_by_hand(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	fixture->org.account[1].role_err = fake_org_err(ERR_ROLE, "AccessDenied");
	cycle_run_all(fixture, PROGRESS_INCOMPLETE);
	pass_days(fixture, 1);
	cycle_run_all(
		fixture, PROGRESS_INCOMPLETE); /* due again: the second failure, then 2 days */
	assert_int_equal(read_coverage(fixture, SHOP, "*").failures_in_row, 2);
	pass_days(fixture, 1);
	reset_calls(fixture);
	cycle_run_all(fixture, PROGRESS_INCOMPLETE);
	assert_int_equal(calls_of(SHOP, NULL), 0);
	struct cycle_options options = cycle_options_of(&run);
	options.kind = PROGRESS_ASKED;
	options.is_by_hand = true;
	fixture->org.account[1].role_err = (struct err)ERR_INIT;
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_COMPLETE);
	expect_coverage(fixture, "prod", ALL_READ);
	cycle_run_clear(&run);
}

/* Calls of ListCertificates in that region, with or without the parameter. */
static size_t lists_in(const char *region, bool has_origins)
{
	size_t count = 0;
	for (size_t i = 0; i < fake_call_count(); i++) {
		const struct fake_record *call = fake_call_record(i);
		count += strcmp(call->operation, "ListCertificates") == 0 &&
			 strcmp(call->region, region) == 0 &&
			 (strstr(call->body, "CertificateKeyPairOrigins") != NULL) == has_origins;
	}
	return count;
}

static void region_that_refuses_origins_is_asked_without_and_the_others_are_not(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	struct cycle_options options = cycle_options_of(&run);
	fixture->org.refuses_origins = "eu-west-1";
	options.pairs_max = 1;
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_COMPLETE);
	assert_int_equal(lists_in("eu-west-1", true), 1);
	assert_int_equal(lists_in("eu-west-1", false), fixture->org.count);
	assert_int_equal(lists_in("us-east-1", true), fixture->org.count);
	assert_int_equal(lists_in("us-east-1", false), 0);
	cycle_run_clear(&run);
}

static void catch_up_tries_again_only_what_is_due_and_does_not_move_the_schedule(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	fake_org_fail(&fixture->org, SHOP, "eu-west-1", ERR_TIMEOUT, "first_byte");
	fake_org_fail(&fixture->org, BANK, "us-east-1", ERR_DENIED, "AccessDeniedException");
	struct cycle_options options = cycle_options_of(&run);
	cycle_run(&run, &options);
	assert_int_equal(run.tally.first_try_s, NOW_S + 300);
	fake_loop_advance_ms(300 * 1000);
	fixture->org.fault_count = 0;
	reset_calls(fixture);
	uint64_t before = last_event(fixture);
	struct scope scope = run.scope;
	run.scope = (struct scope){.unit = NULL};
	options = cycle_options_of(&run);
	options.kind = PROGRESS_CATCH_UP;
	options.scope = &scope;
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_COMPLETE); /* of what it was for */
	assert_int_equal(run.next_s, 0);
	assert_int_equal(calls_of(NULL, "ListAccountsForParent"), 0);
	assert_int_equal(calls_of(NULL, "ListRegions"), 0);
	assert_int_equal(calls_of(SHOP, "ready"), 1);
	assert_int_equal(calls_of(NULL, "ListCertificates"), 1);
	assert_int_equal(run.tally.first_try_s, NOW_S + DAY_S);
	expect_events(fixture, before, "coverage_changed " SHOP " eu-west-1 unreachable -> ok\n");
	expect_cycle(fixture, NOW_S, NOW_S, NOW_S + DAY_S, "");
	cycle_run_clear(&run);
}

static void part_by_hand_reads_that_part_alone(void **state)
{
	struct fixture *fixture = *state;
	struct cycle_run run = {.fixture = fixture};
	cycle_run_all(fixture, PROGRESS_COMPLETE);
	fake_loop_advance_ms(HOUR_S * 1000);
	reset_calls(fixture);
	struct cycle_options options = cycle_options_of(&run);
	options.kind = PROGRESS_ASKED;
	options.is_by_hand = true;
	options.account_id = SHOP;
	options.region = "us-east-1";
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_COMPLETE);
	assert_int_equal(calls_of(NULL, "ListCertificates"), 1);
	assert_int_equal(run.progress.accounts_total, 1);
	assert_int_equal(run.progress.pairs_known, 1);
	assert_int_equal(run.next_s, 0);
	assert_int_equal(read_coverage(fixture, SHOP, "us-east-1").last_success_s, NOW_S + HOUR_S);
	assert_int_equal(read_coverage(fixture, SHOP, "eu-west-1").last_success_s, NOW_S);
	expect_cycle(fixture, NOW_S, NOW_S, NOW_S + DAY_S, "");
	options.account_id = "999999999999";
	cycle_run(&run, &options);
	assert_int_equal(run.progress.result, PROGRESS_FAILED);
	assert_string_equal(run.progress.err.text,
		"connector prod reads no account 999999999999 in region us-east-1");
	cycle_run_clear(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SENSOR_TEST(whole_organization_is_read_and_recorded),
		SENSOR_TEST(roles_are_assumed_with_partition_path_and_account),
		SENSOR_TEST(events_tell_the_story_of_a_first_and_a_second_cycle),
		SENSOR_TEST(each_refusal_ends_in_the_state_that_names_it),
		SENSOR_TEST(unknown_credentials_in_a_region_alone_mean_that_it_is_disabled),
		SENSOR_TEST(session_that_is_over_says_nothing_of_the_region),
		SENSOR_TEST(unknown_credentials_in_the_home_region_are_a_failure),
		SENSOR_TEST(failed_walk_fails_the_cycle_and_touches_nothing),
		SENSOR_TEST(refused_hub_credentials_fail_the_cycle),
		SENSOR_TEST(credentials_of_another_organization_are_refused),
		SENSOR_TEST(error_at_each_call_loses_nothing),
		SENSOR_TEST(failing_write_at_each_place_fails_the_cycle_or_is_mended_later),
		SENSOR_TEST(full_disk_names_itself),
		SENSOR_TEST(cancel_at_each_turn_leaves_nothing_behind_and_is_continued),
		SENSOR_TEST(interrupted_cycle_goes_on_with_what_was_not_reached),
		SENSOR_TEST(accounts_that_are_through_cost_nothing_when_a_cycle_goes_on),
		SENSOR_TEST(scope_has_records_before_the_first_account_is_opened),
		SENSOR_TEST(denied_account_is_not_asked_before_its_next_try_unless_by_hand),
		SENSOR_TEST(region_that_refuses_origins_is_asked_without_and_the_others_are_not),
		SENSOR_TEST(catch_up_tries_again_only_what_is_due_and_does_not_move_the_schedule),
		SENSOR_TEST(part_by_hand_reads_that_part_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
