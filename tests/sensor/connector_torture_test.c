/*
 * A connector that is left to itself: its cycle is disturbed at every place (torture_run.h), or the
 * sensor is stopped in the n-th turn and started again; then its own schedule has to find the way
 * back. When everything is well again, half a day is enough for account-regions that failed, two
 * days for what policy denied: by then all is read and the inventory is that of the undisturbed run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sensor/connector.h"
#include "store/accounts.h"
#include "store/store.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/sensor/store_text.h"
#include "tests/sensor/torture_run.h"

enum {
	PAIRS_MAX = 8,
	TEXT_MAX = 1 << 20,
	BACK_S = 2 * DAY_S, /* after which all must be well */
	MORE_TURNS = 3,	    /* beyond those of the undisturbed run */
};

static const struct scenario org = {
	.config = "import = all\n", .account_id = "", .region = "", .pairs_max = PAIRS_MAX};
static char label[160];

static void on_event(void *arg, struct connector *connector)
{
	(void)arg;
	(void)connector;
}

static struct connector *start_sensor(struct torture *torture)
{
	struct fixture *fixture = torture->fixture;
	struct err err = ERR_INIT;
	struct connector *connector =
		connector_new(&(struct connector_options){.loop = fixture->loop,
				      .store = fixture->store,
				      .sensor_name = "dc1",
				      .config = fixture->connector},
			on_event, on_event, NULL, &err);
	if (connector == NULL || connector_load(connector, &err) != 0)
		fail_msg("%s", err.text);
	return connector;
}

/* As the sensor's pump looks, until the moment. */
static void let_it_run(struct connector *connector, int64_t until_s)
{
	while (clock_now_s() < until_s) {
		if (connector_start_due(connector, NULL, 0, PAIRS_MAX))
			fake_loop_run_ready();
		assert_false(connector_is_running(connector));
		int64_t wait_ms = connector_wait_ms(connector);
		fake_loop_advance_ms(wait_ms > 1000 ? wait_ms : 1000);
	}
}

/* What is read: all account-regions that can be; and the text of all certificates. */
static char *certificates(struct torture *torture)
{
	static const char *const account[] = {
		HUB, SHOP, BANK, "444444444444", "555555555555", "666666666666"};
	static const char *const region[] = {"ap-south-1", "eu-west-1", "us-east-1"};
	struct buf text;
	buf_init(&text, TEXT_MAX);
	for (size_t i = 0; i < 6; i++)
		for (size_t at = 0; at < 3; at++)
			store_text_pair(torture->fixture, account[i], region[at], &text);
	return buf_take(&text);
}

static void expect_all_well(struct torture *torture, struct connector *connector)
{
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	struct cycle_record record;
	char *now = certificates(torture);
	assert_string_equal(now, torture->truth);
	free(now);
	assert_int_equal(temp_store_problems(torture->fixture->store), 0);
	assert_int_equal(store_read_begin(torture->fixture->store, &txn, &err), 0);
	assert_true(store_cycle_get(txn, "prod", &record));
	assert_int_equal(record.pairs_problem, 0);
	assert_string_equal(record.error, "");
	store_read_end(txn);
	assert_false(connector_is_unknown(connector));
	assert_int_equal(fake_loop_timer_count(), 0);
	assert_int_equal(fake_clients_alive(), 2); /* the fixture's and the connector's */
}

/* The sensor as it is before the cycle that is disturbed: after a first one, or not even that. */
static void prepare(struct torture *torture, bool is_first)
{
	sensor_start_over(torture->fixture);
	use_config(torture->fixture, "[connector prod]\nimport = all\n");
	torture->run_s = NOW_S;
	if (!is_first) {
		torture_set_world(torture, DAY_FIRST, NOW_S);
		cycle_run_all(torture->fixture, PROGRESS_COMPLETE);
		torture_set_world(torture, DAY_MISSED, NOW_S + DAY_S);
		cycle_run_all(torture->fixture, PROGRESS_COMPLETE);
		torture->run_s = NOW_S + 2 * (int64_t)DAY_S;
	}
	torture_save_store(torture);
}

static void set_moment_of_run(struct torture *torture)
{
	bool is_first = torture->run_s == NOW_S;
	torture_restore_store(torture);
	torture_set_world(torture, is_first ? DAY_FIRST : DAY_CHANGE, torture->run_s);
	fake_store_reset();
}

/* The cycle with trouble; after it all is well. Returns its turns. */
static size_t run_with(struct torture *torture, const struct trouble *trouble)
{
	set_moment_of_run(torture);
	struct connector *connector = start_sensor(torture);
	size_t turns = 0;
	torture_plan_failure(trouble);
	assert_true(connector_start_due(connector, NULL, 0, PAIRS_MAX));
	while (connector_is_running(connector) && (trouble->what != CANCEL || turns < trouble->n)) {
		assert_true(fake_loop_step());
		turns++;
	}
	fake_call_fail_at(0, ERR_NONE, NULL);
	fake_store_fail_at(0, ERR_NONE);
	if (trouble->what == NOTHING) {
		torture->calls = fake_call_count();
		torture->writes = fake_store_write_count();
	}
	if (trouble->what == CANCEL) {
		connector_free(connector);
		assert_int_equal(fake_loop_timer_count(), 0);
		assert_int_equal(temp_store_problems(torture->fixture->store), 0);
		fake_loop_advance_ms(60000);
		connector = start_sensor(torture);
	}
	let_it_run(connector, torture->run_s + BACK_S);
	if (trouble->what == NOTHING)
		torture->truth = certificates(torture);
	expect_all_well(torture, connector);
	connector_free(connector);
	return turns;
}

static void disturb(struct torture *torture, enum what what, size_t count, size_t kinds)
{
	bool is_long = getenv("ACMSENSOR_LONG") != NULL;
	size_t step = is_long ? 1 : 1 + count / 10;
	for (size_t n = 1; n <= count; n += step)
		for (size_t kind = 0; kind < kinds; kind++) {
			if (!is_long && kind != (n / step) % kinds)
				continue;
			snprintf(label, sizeof(label), "%s %zu, kind %zu", torture_what_name[what],
				n, kind);
			run_with(torture, &(struct trouble){what, n, kind});
		}
	label[0] = '\0';
}

static void disturb_everywhere(struct fixture *fixture, bool is_first)
{
	struct torture torture = {.fixture = fixture, .scenario = &org};
	prepare(&torture, is_first);
	torture.turns = run_with(&torture, &(struct trouble){.what = NOTHING});
	disturb(&torture, CANCEL, torture.turns + MORE_TURNS, 1);
	disturb(&torture, FAIL_CALL, torture.calls, FAKE_CALL_ERRORS);
	disturb(&torture, FAIL_CALLS, torture.calls, FAKE_CALL_ERRORS);
	disturb(&torture, FAIL_WRITE, torture.writes, TORTURE_WRITE_ERRORS);
	disturb(&torture, FAIL_WRITES, torture.writes, TORTURE_WRITE_ERRORS);
	free(torture.truth);
	temp_folder_remove(torture.before);
	torture_world_clear(&torture.world);
}

static void first_cycle_finds_its_way_back(void **state)
{
	disturb_everywhere(*state, true);
}

static void cycle_with_every_change_finds_its_way_back(void **state)
{
	disturb_everywhere(*state, false);
}

static int tear_down(void **state)
{
	if (label[0] != '\0')
		fprintf(stderr, "while: %s\n", label);
	label[0] = '\0';
	return sensor_tear_down(state);
}

#define TORTURE_TEST(name) cmocka_unit_test_setup_teardown(name, sensor_set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TORTURE_TEST(first_cycle_finds_its_way_back),
		TORTURE_TEST(cycle_with_every_change_finds_its_way_back),
	};
	setenv("HOME", "/nonexistent", 1); /* no setting of this machine is seen */
	unsetenv("AWS_PROFILE");
	unsetenv("AWS_ENDPOINT_URL");
	unsetenv("AWS_CA_BUNDLE");
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0); /* no commit has to survive this machine */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
