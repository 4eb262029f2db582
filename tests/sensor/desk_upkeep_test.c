/* What the desk does by itself: due keys, left-over secrets, each hour and whatever fails. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "delivery/delivery_internal.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/sample_delivery.h"
#include "tests/sensor/desk_fixture.h"

enum { FIRST_MS = 5000, MINUTE_MS = 60000, HOUR_MS = 3600 * 1000, TURNS = 20 };
#define LEFT_OVER "acmsensor/sensor1/p-20261101-000000-0000000001" /* no plan of the store */

static int set_up(void **state)
{
	int rc = desk_fixture_set_up(state);
	fake_call_tell_date_s(NOW_S);
	return rc;
}

static void write_key(struct store_txn *txn, void *arg)
{
	store_vault_put(txn, arg);
}

static void put_key(const char *id, int64_t wipe_after_s)
{
	struct err err = ERR_INIT;
	struct vault_sealed sealed;
	struct secret key = SECRET_INIT;
	secret_set(&key, "a key", 5);
	assert_int_equal(vault_seal(desk.desk->vault, id, VAULT_KEY, &key, clock_now_s(),
				 wipe_after_s, &sealed, &err),
		0);
	assert_int_equal(store_write_now(desk.sensor->store, write_key, &sealed, &err), 0);
	vault_sealed_clear(&sealed);
	secret_clear(&key);
}

static void put_secret(void)
{
	write_acm_put_secret(&desk.acm, LEFT_OVER, "a key");
	desk.acm.secret_created_s[0] = NOW_S - 20 * DAY_S;
}

static void due_keys_go_at_the_start_and_every_hour(void **state)
{
	(void)state;
	put_key("due", NOW_S + 1);
	put_key("later", NOW_S + 600);
	put_key("kept", 0);
	fake_loop_advance_ms(FIRST_MS - 1);
	assert_true(desk_fixture_has_key(&desk, "due"));
	fake_loop_advance_ms(1);
	assert_true(!desk_fixture_has_key(&desk, "due") && desk_fixture_has_key(&desk, "later") &&
		    desk_fixture_has_key(&desk, "kept"));
	fake_loop_advance_ms(HOUR_MS - 1);
	assert_true(desk_fixture_has_key(&desk, "later"));
	fake_loop_advance_ms(1);
	assert_true(!desk_fixture_has_key(&desk, "later") && desk_fixture_has_key(&desk, "kept"));
}

/* Files that seal keys. */
static size_t count_epochs(void)
{
	char pattern[4096];
	glob_t found;
	snprintf(pattern, sizeof(pattern), "%s/vault/epoch-*", desk.sensor->folder);
	size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
	globfree(&found);
	return count;
}

/* Free pages and copies of the store may have the sealed bytes still. */
static void what_sealed_a_key_that_went_is_destroyed(void **state)
{
	(void)state;
	put_key("due", NOW_S + 1);
	put_key("later", NOW_S + 600);
	assert_int_equal(count_epochs(), 1);
	fake_loop_advance_ms(FIRST_MS);
	assert_true(!desk_fixture_has_key(&desk, "due") && desk_fixture_has_key(&desk, "later"));
	assert_int_equal(count_epochs(), 1);
	fake_loop_advance_ms(2 * HOUR_MS);
	assert_false(desk_fixture_has_key(&desk, "later"));
	assert_int_equal(count_epochs(), 0);
}

/* Nobody but AWS is believed: keys that are wiped do not come back with the right time. */
static void a_clock_that_jumps_wipes_and_forgets_nothing(void **state)
{
	(void)state;
	struct job_record job = desk_fixture_job("j-old");
	job.state = JOB_FAILED;
	job.phase = JOB_DONE;
	job.ended_s = NOW_S - 1;
	desk_fixture_put_job(&desk, &job);
	put_key("kept", NOW_S + DAY_S);
	fake_clock_set_now_s(NOW_S + 2 * DESK_KEEP_JOBS_S);
	fake_loop_advance_ms(FIRST_MS + HOUR_MS);
	assert_true(desk_fixture_has_key(&desk, "kept"));
	assert_string_equal(desk_fixture_state(&desk, "j-old"), "failed done: ");
	fake_call_tell_date_s(0); /* not yet since the start */
	put_secret();
	fake_loop_advance_ms(HOUR_MS);
	assert_true(desk_fixture_has_key(&desk, "kept"));
	assert_int_equal(write_acm_secrets(&desk.acm), 0); /* AWS's own dates count there */
	fake_call_tell_date_s(NOW_S + 2 * DESK_KEEP_JOBS_S);
	fake_loop_advance_ms(HOUR_MS);
	assert_false(desk_fixture_has_key(&desk, "kept"));
}

/* Then there is nobody else to ask. */
static void without_a_connector_this_hosts_clock_counts(void **state)
{
	(void)state;
	struct connector *former[DESK_CONNECTORS];
	put_key("due", NOW_S + 1);
	fake_call_tell_date_s(0);
	for (size_t i = 0; i < DESK_CONNECTORS; i++) {
		former[i] = desk.connector[i];
		desk.connector[i] = NULL;
	}
	fake_loop_advance_ms(FIRST_MS);
	assert_false(desk_fixture_has_key(&desk, "due"));
	for (size_t i = 0; i < DESK_CONNECTORS; i++)
		desk.connector[i] = former[i];
}

/* In steps, so that thousands of them keep nobody waiting. */
static void what_is_over_for_long_is_forgotten(void **state)
{
	(void)state;
	const size_t steps = 3, looks = 500;
	struct job_record job = desk_fixture_job("");
	job.state = JOB_FAILED;
	job.phase = JOB_DONE;
	for (size_t i = 0; i < steps * looks - 1; i++) {
		char id[16];
		snprintf(id, sizeof(id), "j-%04zu", i);
		job.id = id;
		job.ended_s = i == 7 ? NOW_S : NOW_S - DESK_KEEP_JOBS_S - 1;
		desk_fixture_put_job(&desk, &job);
	}
	size_t writes = fake_store_write_count();
	fake_loop_advance_ms(FIRST_MS);
	assert_int_equal(fake_store_write_count() - writes, 2); /* due keys, and a first step */
	fake_loop_advance_ms(2000);
	assert_true(fake_store_write_count() - writes >= 1 + steps);
	struct err err = ERR_INIT;
	struct store_txn *txn;
	char position[DELIVERY_ID_MAX + 1] = "";
	assert_int_equal(store_read_begin(desk.sensor->store, &txn, &err), 0);
	assert_true(store_job_next(txn, position, &job));
	assert_string_equal(job.id, "j-0007");
	assert_false(store_job_next(txn, position, &job));
	store_read_end(txn);
	assert_int_equal(fake_call_count_of("ListSecrets"), 1); /* after it */
}

static bool has_job(const char *id)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_record job;
	assert_int_equal(store_read_begin(desk.sensor->store, &txn, &err), 0);
	bool has = store_job_get(txn, id, &job);
	store_read_end(txn);
	return has;
}

static void a_reload_decides_what_is_over(void **state)
{
	(void)state;
	struct desk_times times = desk_fixture_times;
	struct job_record job = desk_fixture_job("j-old");
	job.state = JOB_FAILED;
	job.phase = JOB_DONE;
	job.ended_s = NOW_S - 10 * DAY_S;
	desk_fixture_put_job(&desk, &job);
	fake_loop_advance_ms(FIRST_MS);
	assert_true(has_job("j-old"));
	times.keep_jobs_s = 9 * DAY_S;
	desk_set_times(desk.desk, &times);
	fake_loop_advance_ms(HOUR_MS);
	assert_false(has_job("j-old"));
}

static void a_step_that_fails_keeps_no_secret_there(void **state)
{
	(void)state;
	put_secret();
	fake_store_fail_at(2, ERR_STORE_FULL);
	fake_loop_advance_ms(FIRST_MS);
	assert_int_equal(write_acm_secrets(&desk.acm), 0);
}

static void expect_logged(const char *line)
{
	struct buf text;
	buf_init(&text, 1 << 20);
	log_last_lines(&text);
	if (strstr(buf_text(&text), line) == NULL)
		fail_msg("%s", buf_text(&text));
	buf_clear(&text);
}

/* Of connectors that keep keys there: the others may not even have the right to look. */
static void left_over_secrets_go(void **state)
{
	(void)state;
	put_secret();
	log_set_level(LOG_WARNING);
	fake_loop_advance_ms(FIRST_MS);
	log_set_level(LOG_ERROR);
	assert_int_equal(write_acm_secrets(&desk.acm), 0);
	assert_int_equal(fake_call_count_of("ListSecrets"), 1);
	assert_int_equal(fake_call_count_of("DeleteSecret"), 1);
	expect_logged("warning delete secret connector=other name=" LEFT_OVER
		      " reason=\"left over: no plan needs it\"");
	fake_loop_advance_ms(HOUR_MS);
	assert_int_equal(fake_call_count_of("ListSecrets"), 2);
}

/* key_escrow was changed since. */
static void secrets_of_plans_go_whatever_the_configuration_says_now(void **state)
{
	(void)state;
	struct plan_record plan =
		sample_plan_waiting("p-20261101-000000-0000000001", SHOP, DESK_REGION);
	struct connector *former = desk.connector[1]; /* the one that keeps keys there */
	desk.connector[1] = NULL;
	plan.escrow = ESCROW_SECRETS_MANAGER;
	plan.expires_s = NOW_S - 1;
	sample_plan_put(desk.sensor->store, &plan);
	put_secret();
	fake_loop_advance_ms(FIRST_MS);
	assert_int_equal(write_acm_secrets(&desk.acm), 0);
	fake_loop_advance_ms(HOUR_MS);
	assert_int_equal(fake_call_count_of("ListSecrets"), 2);
	fake_call_tell_date_s(NOW_S + 2 * DAY_S); /* the plan is forgotten */
	fake_loop_advance_ms(2 * HOUR_MS);
	assert_int_equal(fake_call_count_of("ListSecrets"), 3);
	desk.connector[1] = former;
}

static void each_call_may_fail(void **state)
{
	(void)state;
	put_secret();
	for (size_t n = 1; n <= 2; n++) {
		fake_call_fail_at(n, ERR_DENIED, "AccessDeniedException");
		fake_loop_advance_ms(n == 1 ? FIRST_MS : MINUTE_MS);
		assert_non_null(fake_call_failed());
		assert_int_equal(write_acm_secrets(&desk.acm), 1);
	}
	fake_loop_advance_ms(2 * MINUTE_MS);
	assert_int_equal(write_acm_secrets(&desk.acm), 0);
}

static void expect_left_over(size_t count, const char *error)
{
	const struct desk_left_over *left_over = desk_get_left_over(desk.desk);
	assert_int_equal(left_over->count, count);
	if (error[0] == '\0' ? left_over->error[0] != '\0'
			     : strstr(left_over->error, error) == NULL)
		fail_msg("\"%s\" instead of \"%s\"", left_over->error, error);
}

/* For status: while a key is where it should not be, and no longer. */
static void what_is_left_over_is_known_while_it_is(void **state)
{
	(void)state;
	put_secret();
	expect_left_over(0, "");
	desk.acm.keeps_secrets = true;
	fake_loop_advance_ms(FIRST_MS);
	expect_left_over(1, "AccessDeniedException");
	fake_call_fail_at(1, ERR_DENIED, "AccessDeniedException"); /* it may be there still */
	fake_loop_advance_ms(MINUTE_MS);
	expect_left_over(1, "failed on purpose");
	fake_call_fail_at(0, ERR_NONE, "");
	desk.acm.keeps_secrets = false;
	fake_loop_advance_ms(2 * MINUTE_MS);
	expect_left_over(0, "");
}

static void tries_go_further_apart_up_to_the_hour(void **state)
{
	(void)state;
	static const int minutes[] = {1, 2, 4, 8, 16, 32, 60, 60};
	put_secret();
	desk.acm.keeps_secrets = true;
	fake_loop_advance_ms(FIRST_MS);
	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		fake_loop_advance_ms((int64_t)minutes[i] * MINUTE_MS - 1);
		assert_int_equal(fake_call_count_of("DeleteSecret"), i + 1);
		fake_loop_advance_ms(1);
		assert_int_equal(fake_call_count_of("DeleteSecret"), i + 2);
	}
}

/* Nobody waits for an hour when a job could not delete its own. */
static void a_job_that_left_its_key_is_looked_after_in_a_minute(void **state)
{
	(void)state;
	for (int is_at_work = 0; is_at_work < 2; is_at_work++) {
		fake_loop_advance_ms(is_at_work ? HOUR_MS - 1 : FIRST_MS);
		if (is_at_work)
			while (desk.desk->upkeep.timer != NULL)
				assert_true(fake_loop_step());
		size_t looks = fake_call_count_of("ListSecrets");
		desk.desk->delivery->stats.keys_left++;
		desk_upkeep_job_ended(desk.desk);
		desk_upkeep_job_ended(desk.desk); /* of another job, which left none */
		expect_left_over(1, "the job that left it tells why");
		fake_loop_advance_ms(0);
		expect_left_over(1, "the job that left it tells why");
		fake_loop_advance_ms(MINUTE_MS - 1);
		looks += (size_t)is_at_work; /* which may not have seen it */
		assert_int_equal(fake_call_count_of("ListSecrets"), looks);
		fake_loop_advance_ms(1);
		assert_int_equal(fake_call_count_of("ListSecrets"), looks + 1);
		expect_left_over(0, "");
	}
}

/* Keys that stay for an hour more are no reason to leave secrets over. */
static void a_store_that_is_full_stops_nothing_else(void **state)
{
	(void)state;
	put_key("due", NOW_S + 1);
	put_secret();
	fake_store_fail_at(1, ERR_STORE_FULL);
	fake_loop_advance_ms(FIRST_MS);
	assert_true(desk_fixture_has_key(&desk, "due"));
	assert_int_equal(write_acm_secrets(&desk.acm), 0);
	fake_loop_advance_ms(HOUR_MS);
	assert_false(desk_fixture_has_key(&desk, "due"));
}

static void a_connector_may_go_at_each_turn(void **state)
{
	for (int n = 0; n < TURNS; n++) {
		if (n > 0)
			assert_int_equal(set_up(state), 0);
		put_secret();
		fake_loop_advance_ms(FIRST_MS - 1);
		for (int i = 0; i < n && fake_loop_next_ms() < 1000; i++)
			assert_true(fake_loop_step());
		struct connector *former = desk.connector[1];
		desk.connector[1] = NULL;
		desk_release(desk.desk, desk.connector[0]); /* it is not of these secrets */
		desk_release(desk.desk, former);
		assert_int_equal(fake_call_pending(), 0);
		connector_free(former);
		fake_loop_advance_ms(HOUR_MS + FIRST_MS); /* it goes on */
		assert_true(fake_loop_next_ms() <= HOUR_MS);
		assert_int_equal(fake_loop_timer_count(), 1);
		if (n < TURNS - 1)
			assert_int_equal(desk_fixture_tear_down(state), 0);
	}
}

static void the_end_comes_at_each_turn(void **state)
{
	(void)state;
	for (int n = 0; n < TURNS; n++) {
		if (write_acm_secrets(&desk.acm) == 0)
			put_secret();
		fake_loop_advance_ms(FIRST_MS - 1);
		for (int i = 0; i < n && fake_loop_next_ms() < 1000; i++)
			assert_true(fake_loop_step());
		desk_fixture_restart(&desk);
		assert_int_equal(fake_call_pending(), 0);
		assert_int_equal(fake_store_waiting_count(), 0);
		assert_int_equal(fake_loop_timer_count(), 1);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, desk_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(due_keys_go_at_the_start_and_every_hour),
		TEST(what_sealed_a_key_that_went_is_destroyed),
		TEST(a_clock_that_jumps_wipes_and_forgets_nothing),
		TEST(without_a_connector_this_hosts_clock_counts),
		TEST(what_is_over_for_long_is_forgotten),
		TEST(a_reload_decides_what_is_over),
		TEST(a_step_that_fails_keeps_no_secret_there),
		TEST(left_over_secrets_go),
		TEST(secrets_of_plans_go_whatever_the_configuration_says_now),
		TEST(each_call_may_fail),
		TEST(what_is_left_over_is_known_while_it_is),
		TEST(tries_go_further_apart_up_to_the_hour),
		TEST(a_job_that_left_its_key_is_looked_after_in_a_minute),
		TEST(a_store_that_is_full_stops_nothing_else),
		TEST(a_connector_may_go_at_each_turn),
		TEST(the_end_comes_at_each_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
