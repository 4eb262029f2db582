#include "sensor/connector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/accounts.h"
#include "store/store.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/sensor/fixture.h"

enum { PAIRS_MAX = 16 };

struct told {
	int trees, idles;
};

static void on_tree(void *arg, struct connector *connector)
{
	struct told *told = arg;
	assert_true(connector_is_running(connector));
	told->trees++;
}

static void on_idle(void *arg, struct connector *connector)
{
	struct told *told = arg;
	assert_false(connector_is_running(connector));
	told->idles++;
}

static struct connector *make(struct fixture *fixture, struct told *told)
{
	struct err err = ERR_INIT;
	*told = (struct told){.trees = 0};
	struct connector *connector =
		connector_new(&(struct connector_options){.loop = fixture->loop,
				      .store = fixture->store,
				      .sensor_name = "dc1",
				      .config = fixture->connector},
			on_tree, on_idle, told, &err);
	if (connector == NULL)
		fail_msg("%s", err.text);
	return connector;
}

static bool start_due(struct connector *connector)
{
	return connector_start_due(connector, NULL, 0, PAIRS_MAX);
}

static const struct progress *run_due(struct connector *connector)
{
	assert_true(start_due(connector));
	assert_false(start_due(connector)); /* one cycle at a time */
	fake_loop_run_ready();
	return connector_last(connector);
}

static enum connector_answer ask(struct connector *connector, const char *account_id,
	const char *region, char cycle_id[PROGRESS_ID_MAX])
{
	enum connector_answer answer = CONNECTOR_STARTED;
	struct err err = ERR_INIT;
	assert_int_equal(connector_ask(connector, account_id, region, &answer, cycle_id, &err), 0);
	return answer;
}

/* --- schedule ---------------------------------------------------------------------------------- */

static void first_cycle_runs_at_once_and_the_next_after_the_interval(void **state)
{
	struct told told;
	struct connector *connector = make(*state, &told);
	assert_true(connector_is_unknown(connector));
	assert_int_equal(connector_wait_ms(connector), 0);
	const struct progress *last = run_due(connector);
	assert_int_equal(last->result, PROGRESS_COMPLETE);
	assert_int_equal(last->kind, PROGRESS_CYCLE);
	assert_false(connector_is_unknown(connector));
	assert_int_equal(told.trees, 1);
	assert_int_equal(told.idles, 1);
	int64_t next_s = connector_next_s(connector);
	assert_in_range(next_s, NOW_S + DAY_S - 8640, NOW_S + DAY_S + 8640);
	fake_clock_set_now_s(next_s - 1);
	assert_false(start_due(connector));
	fake_clock_set_now_s(next_s);
	assert_int_equal(run_due(connector)->result, PROGRESS_COMPLETE);
	connector_free(connector);
}

static void session_name_has_only_what_sts_accepts(void **state)
{
	char name[CONNECTOR_SESSION_NAME_MAX];
	(void)state;
	connector_session_name("dc1-sensor.example", name);
	assert_string_equal(name, "acmsensor-dc1-sensor.example");
	connector_session_name("dc1 sensor/\xC3\xBC:x", name);
	assert_string_equal(name, "acmsensor-dc1-sensor----x");
	connector_session_name(
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", name);
	assert_int_equal(strlen(name), 64);
}

static void failed_cycle_is_tried_again_soon(void **state)
{
	struct fixture *fixture = *state;
	struct told told;
	struct connector *connector = make(fixture, &told);
	fixture->org.walk_err = fake_org_err(ERR_SERVICE, "Internal");
	assert_int_equal(run_due(connector)->result, PROGRESS_FAILED);
	assert_true(connector_is_unknown(connector));
	assert_int_equal(connector_next_s(connector), NOW_S + 300);
	fake_clock_set_now_s(NOW_S + 300);
	assert_int_equal(run_due(connector)->result, PROGRESS_FAILED);
	assert_int_equal(connector_next_s(connector), NOW_S + 300 + 600);
	fixture->org.walk_err = (struct err)ERR_INIT;
	fake_clock_set_now_s(NOW_S + 900);
	assert_int_equal(run_due(connector)->result, PROGRESS_COMPLETE);
	fixture->org.walk_err = fake_org_err(ERR_SERVICE, "Internal");
	int64_t next_s = connector_next_s(connector);
	fake_clock_set_now_s(next_s);
	run_due(connector);
	assert_int_equal(connector_next_s(connector), next_s + 300); /* counted from anew */
	connector_free(connector);
}

static void what_failed_is_caught_up_between_two_cycles_without_a_walk(void **state)
{
	struct fixture *fixture = *state;
	struct told told;
	struct connector *connector = make(fixture, &told);
	fake_org_fail(&fixture->org, SHOP, "eu-west-1", ERR_TIMEOUT, "first_byte");
	assert_int_equal(run_due(connector)->result, PROGRESS_INCOMPLETE);
	int64_t next_s = connector_next_s(connector);
	assert_false(start_due(connector));
	fake_clock_set_now_s(NOW_S + 300);
	fixture->org.fault_count = 0;
	reset_calls(fixture);
	const struct progress *last = run_due(connector);
	assert_int_equal(last->kind, PROGRESS_CATCH_UP);
	assert_int_equal(last->result, PROGRESS_COMPLETE);
	assert_int_equal(calls_of(NULL, "ListRoots"), 0);
	assert_int_equal(connector_next_s(connector), next_s);
	fake_clock_set_now_s(NOW_S + 3000);
	assert_false(start_due(connector)); /* nothing is left to catch up */
	connector_free(connector);
}

static void change_shop(struct store_txn *txn, void *arg)
{
	const int64_t *at_s = arg;
	store_coverage_note_change(txn, "prod", SHOP, "eu-west-1", *at_s);
}

static void what_a_delivery_changed_is_read_again_alone(void **state)
{
	struct fixture *fixture = *state;
	struct told told;
	struct err err = ERR_INIT;
	struct connector *connector = make(fixture, &told);
	assert_int_equal(run_due(connector)->result, PROGRESS_COMPLETE);
	int64_t at_s = NOW_S + 300;
	fake_clock_set_now_s(at_s);
	assert_int_equal(store_write_now(fixture->store, change_shop, &at_s, &err), 0);
	connector_expect_change(connector);
	assert_false(start_due(connector)); /* ACM may not list it yet */
	fake_clock_set_now_s(at_s + 10);
	reset_calls(fixture);
	const struct progress *last = run_due(connector);
	assert_int_equal(last->kind, PROGRESS_CATCH_UP);
	assert_int_equal(last->pairs_done, 1);
	assert_int_equal(calls_of(SHOP, "ListCertificates") > 0, 1);
	assert_int_equal(calls_of(BANK, "ListCertificates"), 0);
	assert_int_equal(calls_of(NULL, "ListRoots"), 0);
	struct coverage_record record = read_coverage(fixture, SHOP, "eu-west-1");
	assert_int_equal(coverage_changed_s(&record), 0);
	fake_clock_set_now_s(at_s + 3000);
	assert_false(start_due(connector));
	connector_free(connector);
}

static void what_is_out_of_reach_is_not_caught_up_again_and_again(void **state)
{
	struct fixture *fixture = *state;
	struct told told;
	struct connector *connector = make(fixture, &told);
	fake_org_fail(&fixture->org, SHOP, "eu-west-1", ERR_TIMEOUT, "first_byte");
	run_due(connector);
	/* One walk misses the account: it keeps its records, but nobody visits it. */
	fake_org_remove(&fixture->org, SHOP);
	fake_clock_set_now_s(connector_next_s(connector));
	assert_int_equal(run_due(connector)->kind, PROGRESS_CYCLE);
	int64_t next_s = connector_next_s(connector);
	fake_clock_set_now_s(next_s - DAY_S / 2);
	assert_int_equal(run_due(connector)->kind, PROGRESS_CATCH_UP);
	assert_int_equal(connector_last(connector)->pairs_known, 0);
	fake_clock_set_now_s(next_s - 1);
	assert_false(start_due(connector));
	connector_free(connector);
}

static void what_is_out_of_reach_does_not_put_off_the_others(void **state)
{
	struct fixture *fixture = *state;
	struct told told;
	struct connector *connector = make(fixture, &told);
	fake_org_fail(&fixture->org, SHOP, "eu-west-1", ERR_TIMEOUT, "first_byte");
	run_due(connector);
	fake_org_remove(&fixture->org, SHOP); /* its failure stays on record, and due */
	fake_org_fail(&fixture->org, BANK, "us-east-1", ERR_TIMEOUT, "first_byte");
	int64_t now_s = connector_next_s(connector);
	fake_clock_set_now_s(now_s);
	assert_int_equal(run_due(connector)->kind, PROGRESS_CYCLE);
	fixture->org.fault_count = 0;
	fake_clock_set_now_s(now_s + 60);
	assert_int_equal(run_due(connector)->pairs_known, 0); /* SHOP's turn, who is not there */
	fake_clock_set_now_s(now_s + 299);
	assert_false(start_due(connector));
	fake_clock_set_now_s(now_s + 300);
	assert_int_equal(run_due(connector)->kind, PROGRESS_CATCH_UP);
	assert_int_equal(read_coverage(fixture, BANK, "us-east-1").state, COVERAGE_OK);
	connector_free(connector);
}

static void schedule_and_open_cycle_survive_a_restart(void **state)
{
	struct fixture *fixture = *state;
	struct told told;
	struct err err = ERR_INIT;
	struct connector *connector = make(fixture, &told);
	run_due(connector);
	int64_t next_s = connector_next_s(connector);
	connector_free(connector);
	connector = make(fixture, &told);
	assert_int_equal(connector_load(connector, &err), 0);
	assert_false(connector_is_unknown(connector));
	assert_int_equal(connector_next_s(connector), next_s);
	assert_false(start_due(connector));
	/* A cycle that is interrupted goes on at once. */
	fake_clock_set_now_s(next_s);
	assert_true(start_due(connector));
	while (told.trees == 0)
		assert_true(fake_loop_step());
	connector_free(connector);
	fake_clock_set_now_s(next_s + 100);
	connector = make(fixture, &told);
	assert_int_equal(connector_load(connector, &err), 0);
	assert_int_equal(run_due(connector)->result, PROGRESS_COMPLETE);
	struct store_txn *txn = NULL;
	struct cycle_record record;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	assert_true(store_cycle_get(txn, "prod", &record));
	assert_int_equal(record.started_s, next_s);
	assert_int_equal(record.finished_s, next_s + 100);
	store_read_end(txn);
	connector_free(connector);
}

static void clock_set_back_does_not_put_the_next_cycle_off_for_years(void **state)
{
	struct told told;
	struct err err = ERR_INIT;
	struct connector *connector = make(*state, &told);
	run_due(connector);
	connector_free(connector);
	fake_clock_set_now_s(NOW_S - 1000 * DAY_S);
	connector = make(*state, &told);
	assert_int_equal(connector_load(connector, &err), 0);
	assert_int_equal(connector_next_s(connector), NOW_S - 999 * DAY_S);
	connector_free(connector);
}

/* --- scans by hand ----------------------------------------------------------------------------- */

static void request_of_everything_joins_the_cycle_that_runs(void **state)
{
	struct told told;
	char first[PROGRESS_ID_MAX], second[PROGRESS_ID_MAX];
	struct connector *connector = make(*state, &told);
	assert_int_equal(ask(connector, "", "", first), CONNECTOR_STARTED);
	assert_true(connector_start_asked(connector, NULL, 0, PAIRS_MAX));
	assert_int_equal(ask(connector, "", "", second), CONNECTOR_JOINED);
	assert_string_equal(first, second);
	fake_loop_run_ready();
	assert_string_equal(connector_last(connector)->cycle_id, first);
	assert_int_equal(connector_last(connector)->kind, PROGRESS_ASKED);
	assert_false(connector_start_asked(connector, NULL, 0, PAIRS_MAX));
	connector_free(connector);
}

/* Such a cycle passes over what policy denied lately, and which a person may just have mended. */
static void request_of_everything_waits_for_a_cycle_that_may_skip_something(void **state)
{
	struct told told;
	char first[PROGRESS_ID_MAX], running[PROGRESS_ID_MAX];
	struct connector *connector = make(*state, &told);
	assert_true(start_due(connector)); /* the first ever skips nothing */
	assert_int_equal(ask(connector, "", "", first), CONNECTOR_JOINED);
	fake_loop_run_ready();
	fake_clock_set_now_s(connector_next_s(connector));
	assert_true(start_due(connector));
	assert_int_equal(ask(connector, "", "", first), CONNECTOR_QUEUED);
	assert_int_equal(ask(connector, "", "", running), CONNECTOR_QUEUED);
	assert_string_equal(first, running);
	fake_loop_run_ready();
	assert_true(connector_start_asked(connector, NULL, 0, PAIRS_MAX));
	fake_loop_run_ready();
	assert_string_equal(connector_last(connector)->cycle_id, first);
	connector_free(connector);
}

static void request_of_a_part_waits_and_the_same_one_is_not_made_twice(void **state)
{
	struct told told;
	char first[PROGRESS_ID_MAX], second[PROGRESS_ID_MAX], other[PROGRESS_ID_MAX];
	struct progress progress;
	struct connector *connector = make(*state, &told);
	assert_true(start_due(connector));
	assert_int_equal(ask(connector, SHOP, "", first), CONNECTOR_QUEUED);
	assert_int_equal(ask(connector, SHOP, "", second), CONNECTOR_QUEUED);
	assert_int_equal(ask(connector, SHOP, "eu-west-1", other), CONNECTOR_QUEUED);
	assert_string_equal(first, second);
	assert_string_not_equal(first, other);
	assert_true(connector_progress(connector, 0, &progress));
	assert_int_equal(progress.phase, PROGRESS_ORGANIZATION);
	assert_true(connector_progress(connector, 1, &progress));
	assert_int_equal(progress.phase, PROGRESS_QUEUED);
	assert_string_equal(progress.cycle_id, first);
	assert_true(connector_progress(connector, 2, &progress));
	assert_false(connector_progress(connector, 3, &progress));
	fake_loop_run_ready();
	assert_true(connector_start_asked(connector, NULL, 0, PAIRS_MAX));
	/* While a part runs, a request of everything waits: the part is not everything. */
	assert_int_equal(ask(connector, "", "", second), CONNECTOR_QUEUED);
	fake_loop_run_ready();
	assert_string_equal(connector_last(connector)->cycle_id, first);
	assert_int_equal(connector_last(connector)->pairs_done, 2);
	connector_free(connector);
}

static void queue_of_requests_has_a_limit(void **state)
{
	struct told told;
	char cycle_id[PROGRESS_ID_MAX], account_id[13];
	enum connector_answer answer;
	struct err err = ERR_INIT;
	struct connector *connector = make(*state, &told);
	assert_true(start_due(connector));
	for (int i = 0; i < CONNECTOR_QUEUE_MAX; i++) {
		snprintf(account_id, sizeof(account_id), "%012d", i);
		assert_int_equal(ask(connector, account_id, "", cycle_id), CONNECTOR_QUEUED);
	}
	assert_int_equal(connector_ask(connector, SHOP, "", &answer, cycle_id, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_string_equal(
		err.text, "16 scans of connector prod wait already; try again when they are done");
	connector_free(connector);
}

static void ended_cycles_are_remembered_for_who_waits_for_them(void **state)
{
	struct told told;
	char cycle_id[PROGRESS_ID_MAX], first[PROGRESS_ID_MAX];
	struct progress progress;
	struct connector *connector = make(*state, &told);
	for (int i = 0; i < CONNECTOR_HISTORY_MAX + 2; i++) {
		ask(connector, SHOP, "eu-west-1", cycle_id);
		if (i == 2)
			(void)snprintf(first, sizeof(first), "%s", cycle_id);
		assert_true(connector_start_asked(connector, NULL, 0, PAIRS_MAX));
		fake_loop_run_ready();
	}
	assert_true(connector_progress(connector, 0, &progress));
	assert_string_equal(progress.cycle_id, first);
	assert_true(connector_progress(connector, CONNECTOR_HISTORY_MAX - 1, &progress));
	assert_string_equal(progress.cycle_id, cycle_id);
	assert_false(connector_progress(connector, CONNECTOR_HISTORY_MAX, &progress));
	connector_free(connector);
}

static void replacement_takes_over_what_waits_and_starts_over(void **state)
{
	struct told told, told_new;
	char cycle_id[PROGRESS_ID_MAX];
	struct progress progress;
	struct connector *former = make(*state, &told);
	run_due(former);
	ask(former, SHOP, "", cycle_id);
	struct connector *connector = make(*state, &told_new);
	connector_take_over(connector, former);
	connector_free(former);
	assert_false(connector_is_unknown(connector));
	assert_true(connector_progress(connector, 1, &progress));
	assert_string_equal(progress.cycle_id, cycle_id);
	assert_int_equal(connector_wait_ms(connector), 0);
	assert_true(start_due(connector)); /* new options: everything at once */
	fake_loop_run_ready();
	connector_free(connector);
}

/* --- network ----------------------------------------------------------------------------------- */

static void wrong_environment_is_told_with_the_connector(void **state)
{
	struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	setenv("AWS_USE_FIPS_ENDPOINT", "perhaps", 1);
	struct connector *connector =
		connector_new(&(struct connector_options){.loop = fixture->loop,
				      .store = fixture->store,
				      .sensor_name = "x",
				      .config = fixture->connector},
			on_tree, on_idle, NULL, &err);
	unsetenv("AWS_USE_FIPS_ENDPOINT");
	assert_null(connector);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "acmsensor.conf:1:1: [connector prod]: "));
	assert_non_null(strstr(err.text, "AWS_USE_FIPS_ENDPOINT"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SENSOR_TEST(first_cycle_runs_at_once_and_the_next_after_the_interval),
		SENSOR_TEST(session_name_has_only_what_sts_accepts),
		SENSOR_TEST(failed_cycle_is_tried_again_soon),
		SENSOR_TEST(what_failed_is_caught_up_between_two_cycles_without_a_walk),
		SENSOR_TEST(what_a_delivery_changed_is_read_again_alone),
		SENSOR_TEST(what_is_out_of_reach_is_not_caught_up_again_and_again),
		SENSOR_TEST(what_is_out_of_reach_does_not_put_off_the_others),
		SENSOR_TEST(schedule_and_open_cycle_survive_a_restart),
		SENSOR_TEST(clock_set_back_does_not_put_the_next_cycle_off_for_years),
		SENSOR_TEST(request_of_everything_joins_the_cycle_that_runs),
		SENSOR_TEST(request_of_everything_waits_for_a_cycle_that_may_skip_something),
		SENSOR_TEST(request_of_a_part_waits_and_the_same_one_is_not_made_twice),
		SENSOR_TEST(queue_of_requests_has_a_limit),
		SENSOR_TEST(ended_cycles_are_remembered_for_who_waits_for_them),
		SENSOR_TEST(replacement_takes_over_what_waits_and_starts_over),
		SENSOR_TEST(wrong_environment_is_told_with_the_connector),
	};
	/* No setting of this machine is seen. */
	setenv("HOME", "/nonexistent", 1);
	unsetenv("AWS_PROFILE");
	unsetenv("AWS_ENDPOINT_URL");
	unsetenv("AWS_CA_BUNDLE");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
