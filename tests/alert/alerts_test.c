/* When alerts look, and their life: configured anew, every write that fails, every moment at which the
 * daemon ends. What a look finds is in alerts_pass_test.c. */
#include "alert/alerts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/alerts.h"
#include "tests/alert/alerts_fixture.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { TURNS_MAX = 400 };

/* --- when it looks ---------------------------------------------------------------------------- */

static void nothing_is_judged_before_the_inventory_is_up_to_date(void **state)
{
	(void)state;
	put_cert(1, "www.example.com", -5, true);
	world.is_busy = true;
	advance(600000);
	assert_null(alerts_counts(world.alerts));
	put_cert(1, "www.example.com", 300, true); /* it was renewed while nobody looked */
	world.is_busy = false;
	advance(6000);
	assert_int_equal(fake_http_count(), 0);
	assert_non_null(alerts_counts(world.alerts));
	/* But not for ever. */
	put_cert(1, "www.example.com", 3, true);
	world.is_busy = true;
	advance(HOUR_MS + 600000);
	assert_int_equal(fake_http_count(), 0);
	advance(HOUR_MS);
	assert_int_equal(fake_http_count(), 1);
}

static void put_late_job(struct store_txn *txn, void *arg)
{
	put_failed_job(txn, arg, JOB_DELIVER);
}

static void a_job_that_failed_does_not_wait_for_the_inventory(void **state)
{
	(void)state;
	char first[] = "j-20261120-000000-1", second[] = "j-20261120-000000-2";
	store_fixture_write(put_failures, NULL);
	put_cert(1, "www.example.com", 20, true);
	advance(2000);
	expect_message(0, 4, "open alerts");
	world.is_busy = true;
	store_fixture_write(mend, NULL);
	put_cert(1, "www.example.com", 200, true);
	put_cert(2, "new.example.com", -5, true);
	store_fixture_write(put_late_job, first);
	alerts_look(world.alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
	expect_message(1, 2, "1 alert (1 critical), 1 resolved"); /* the connector */
	/* What the inventory tells stands as it was. */
	assert_int_equal(alerts_counts(world.alerts)->open[ALERT_EMERGENCY], 1);
	assert_int_equal(alerts_counts(world.alerts)->open[ALERT_WARNING], 1);
	/* One that fails while a look is under way has another. */
	alerts_look(world.alerts);
	fake_loop_advance_ms(1000);
	store_fixture_write(put_late_job, second);
	alerts_look(world.alerts);
	advance(70000);
	assert_int_equal(fake_http_count(), 3);
	expect_message(2, 1, "1 alert (1 critical)");
	world.is_busy = false;
	advance(6000);
	assert_int_equal(alerts_counts(world.alerts)->open[ALERT_EMERGENCY], 1);
	assert_int_equal(alerts_counts(world.alerts)->open[ALERT_WARNING], 0);
	bool is_there;
	char arn[128];
	cert_arn(1, arn);
	assert_true(read_alert(ALERT_CERTIFICATE, arn, &is_there).resolved_s != 0);
}

static void a_wrong_clock_of_this_host_ends_no_certificate(void **state)
{
	(void)state;
	world.told_now_s = SAMPLE_NOW_S - 400 * DAY_S;
	put_cert(1, "www.example.com", 3, true);
	advance(2000);
	assert_non_null(alerts_counts(world.alerts));
	assert_int_equal(fake_http_count(), 0);
	world.told_now_s = SAMPLE_NOW_S;
	alerts_look(world.alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 1);
}

static void a_message_reckons_with_the_time_that_is_trusted(void **state)
{
	(void)state;
	world.told_now_s = SAMPLE_NOW_S + 10 * DAY_S;
	put_cert(1, "www.example.com", 20, true);
	advance(2000);
	struct alert_sender_state channel;
	json_t *document = read_message(0);
	const json_t *first = json_array_get(json_object_get(document, "alerts"), 0);
	assert_int_equal(json_integer_value(json_object_get(first, "days_left")), 10);
	assert_string_equal(
		json_string_value(json_object_get(document, "at")), "2026-12-01T00:00:00Z");
	json_decref(document);
	assert_true(alerts_channel_state(world.alerts, 0, &channel));
	assert_true(
		channel.sent_s >= world.told_now_s && channel.sent_s < world.told_now_s + DAY_S);
}

static void who_asks_again_and_again_puts_nothing_off(void **state)
{
	(void)state;
	advance(2000);
	put_cert(1, "www.example.com", 20, true);
	for (int i = 0; i < 20; i++) {
		alerts_look(world.alerts);
		advance(500);
	}
	assert_int_equal(fake_http_count(), 1);
}

/* A thousand jobs that end one by one must not make a thousand looks. */
static void a_look_that_took_long_is_not_made_again_at_once(void **state)
{
	(void)state;
	advance(2000);
	put_cert(1, "www.example.com", 20, true);
	alerts_look(world.alerts);
	while (fake_store_waiting_count() == 0)
		assert_true(fake_loop_step());
	fake_clock_advance_ms(1000); /* it waits for its write */
	advance(0);
	assert_int_equal(fake_http_count(), 1);
	put_cert(2, "more.example.com", 20, true);
	alerts_look(world.alerts);
	advance(19000);
	assert_int_equal(fake_http_count(), 1);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
}

static void a_look_that_fails_is_told_and_made_again_soon(void **state)
{
	(void)state;
	put_cert(1, "www.example.com", 20, true);
	fake_store_fail_at(1, ERR_STORE_FULL);
	advance(2000);
	assert_int_equal(world.failures, 1);
	assert_string_not_equal(alerts_error(world.alerts), "");
	assert_int_equal(fake_http_count(), 0);
	fake_store_fail_at(0, ERR_NONE);
	advance(60000);
	assert_int_equal(world.failures, 1);
	assert_string_equal(alerts_error(world.alerts), "");
	assert_int_equal(fake_http_count(), 1);
}

/* --- configured anew -------------------------------------------------------------------------- */

static void a_reload_leaves_what_is_under_way_and_tries_what_waits(void **state)
{
	(void)state;
	struct alert_channel channel[] = {journal_channel(), webhook_channel()};
	put_cert(1, "www.example.com", 20, true);
	fake_loop_advance_ms(2000); /* nobody answers */
	assert_int_equal(fake_http_count(), 1);
	alerts_configure(world.alerts, &usual_settings, channel, 2);
	fake_loop_advance_ms(2000);
	assert_int_equal(fake_http_pending(), 1);
	assert_int_equal(fake_http_count(), 1);
	assert_non_null(strstr(world.journal, "class=emergency"));
	/* What is changed is begun again. */
	channel[1].minimum = ALERT_WARNING;
	world.http_status = 500;
	alerts_configure(world.alerts, &usual_settings, channel, 2);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
	world.http_status = 200;
	alerts_configure(world.alerts, &usual_settings, channel, 2);
	advance(0);
	assert_int_equal(fake_http_count(), 3);
	advance(HOUR_MS);
	assert_int_equal(fake_http_count(), 3);
}

static void channels_that_are_gone_are_forgotten(void **state)
{
	(void)state;
	struct alert_channel channel[] = {journal_channel()};
	struct alert_channel_record record;
	advance(2000);
	alerts_configure(world.alerts, &usual_settings, channel, 1);
	advance(2000);
	advance(HOUR_MS);
	struct store_txn *txn = store_fixture_read();
	assert_false(store_alert_channel_get(txn, "ops", &record));
	assert_true(store_alert_channel_get(txn, "log", &record));
	store_read_end(txn);
	const struct alert_settings off = {.days_count = 0};
	put_cert(1, "www.example.com", 3, true);
	alerts_configure(world.alerts, &off, channel, 1);
	advance(2000);
	assert_string_equal(world.journal, "");
}

/* --- failures and ends ------------------------------------------------------------------------ */

static void put_story(void)
{
	put_cert(1, "www.example.com", 20, true);
	put_cert(2, "idle.example.com", 20, false);
	store_fixture_write(put_failures, NULL);
}

/* Whichever write fails, all is told in the end, and nothing is left undone. */
static void every_write_may_fail(void **state)
{
	(void)state;
	put_story();
	for (size_t n = 1; n <= 5; n++) {
		fake_store_fail_at(n, ERR_STORE_FULL);
		advance(2000);
		fake_store_fail_at(0, ERR_NONE);
		advance(3 * (int64_t)HOUR_MS);
		json_t *last = read_message(fake_http_count() - 1);
		assert_int_equal(json_integer_value(json_object_get(last, "count")), 5);
		json_decref(last);
		assert_int_equal(temp_store_problems(store), 0);
		alerts_fixture_tear_down(state);
		alerts_fixture_set_up(state);
		put_story();
	}
}

/* The daemon ends at every turn; the next one tells what was not told. What was under way may come
 * again, with the same id. */
static void it_may_end_at_every_turn(void **state)
{
	(void)state;
	for (int turns = 0; turns < TURNS_MAX; turns++) {
		put_story();
		answer_messages();
		int turn = 0;
		while (turn < turns && clock_now_s() < SAMPLE_NOW_S + 60 && fake_loop_step())
			turn++;
		bool is_over = turn < turns;
		alerts_fixture_restart();
		advance(10000);
		assert_true(fake_http_count() == 1 || fake_http_count() == 2);
		for (size_t i = 0; i < fake_http_count(); i++)
			expect_message(i, 5, "5 open alerts");
		assert_int_equal(temp_store_problems(store), 0);
		if (is_over) {
			assert_int_equal(fake_http_count(), 1);
			return;
		}
		alerts_fixture_tear_down(state);
		alerts_fixture_set_up(state);
	}
	fail_msg("it never came to rest");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALERTS_TEST(nothing_is_judged_before_the_inventory_is_up_to_date),
		ALERTS_TEST(a_job_that_failed_does_not_wait_for_the_inventory),
		ALERTS_TEST(a_wrong_clock_of_this_host_ends_no_certificate),
		ALERTS_TEST(a_message_reckons_with_the_time_that_is_trusted),
		ALERTS_TEST(who_asks_again_and_again_puts_nothing_off),
		ALERTS_TEST(a_look_that_took_long_is_not_made_again_at_once),
		ALERTS_TEST(a_look_that_fails_is_told_and_made_again_soon),
		ALERTS_TEST(a_reload_leaves_what_is_under_way_and_tries_what_waits),
		ALERTS_TEST(channels_that_are_gone_are_forgotten),
		ALERTS_TEST(every_write_may_fail),
		ALERTS_TEST(it_may_end_at_every_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
