/* What channels are told of a whole inventory, once: the engine with its senders. One channel by itself
 * is in sender_test.c. */
#include "alert/sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/alerts.h"
#include "tests/alert/alerts_fixture.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

static void a_new_channel_is_told_what_is_open_and_then_what_is_new(void **state)
{
	(void)state;
	put_cert(1, "www.example.com", 20, true);
	put_cert(2, "later.example.com", 60, true);
	put_cert(3, "pending.example.com", 0, true);
	advance(2000);
	assert_int_equal(fake_http_count(), 1);
	expect_message(0, 1, "1 open alert (1 emergency) on dc1");
	advance(DAY_MS);
	assert_int_equal(fake_http_count(), 1);
	alerts_fixture_restart();
	advance(2000);
	assert_int_equal(fake_http_count(), 1);
	advance(16 * (int64_t)DAY_MS);		/* 60 - 17 = 43 days, and 20 - 17 = 3 */
	assert_int_equal(fake_http_count(), 5); /* at 14, 7 and 3 days, and the other at 45 */
	assert_int_equal(alerts_counts(world.alerts)->open[ALERT_EMERGENCY], 2);
}

static void a_channel_that_fails_is_tried_later_and_told_once(void **state)
{
	(void)state;
	struct alert_sender_state channel;
	put_cert(1, "www.example.com", 20, true);
	world.http_status = 500;
	advance(2000);
	assert_int_equal(fake_http_count(), 1);
	assert_true(alerts_channel_state(world.alerts, 0, &channel));
	assert_false(alerts_channel_state(world.alerts, 1, &channel));
	assert_true(alerts_channel_state(world.alerts, 0, &channel));
	assert_int_equal(channel.failing_since_s, SAMPLE_NOW_S + 1);
	assert_string_equal(channel.error, "webhook: the receiver answered HTTP 500");
	advance(10000);
	assert_int_equal(fake_http_count(), 2);
	advance(15000);
	assert_int_equal(fake_http_count(), 2);
	alerts_fixture_restart();
	put_cert(2, "more.example.com", 20, false); /* joins */
	advance(2000);
	assert_int_equal(fake_http_count(), 3);
	assert_true(alerts_channel_state(world.alerts, 0, &channel));
	assert_int_equal(channel.failing_since_s, SAMPLE_NOW_S + 1); /* also after a restart */
	world.http_status = 200;
	advance(41000);
	assert_int_equal(fake_http_count(), 4);
	expect_message(3, 2, "2 open alerts (1 emergency, 1 notice)");
	assert_true(alerts_channel_state(world.alerts, 0, &channel));
	assert_int_equal(channel.failing_since_s, 0);
	advance(DAY_MS);
	assert_int_equal(fake_http_count(), 4);
}

static void what_waits_is_not_told_with_all_the_rest_after_a_restart(void **state)
{
	(void)state;
	put_cert(1, "www1.example.com", 20, true);
	advance(2000);
	world.http_status = 500;
	put_cert(2, "www2.example.com", 20, true);
	put_cert(3, "www3.example.com", 20, true);
	alerts_look(world.alerts);
	advance(2000);
	expect_message(1, 2, "2 alerts (2 emergency) on dc1");
	alerts_fixture_restart();
	advance(2000);
	world.http_status = 200;
	advance(HOUR_MS);
	size_t last = fake_http_count() - 1;
	assert_true(last > 2); /* it has failed once more */
	expect_message(last, 2, "2 alerts (2 emergency) on dc1");
}

static void what_ends_before_it_is_told_is_not(void **state)
{
	(void)state;
	struct alert_sender_state channel;
	advance(2000);
	put_cert(1, "www.example.com", 20, true);
	world.http_status = 500;
	alerts_look(world.alerts);
	advance(2000);
	put_cert(1, "www.example.com", 200, true);
	world.http_status = 200;
	alerts_look(world.alerts);
	advance(60000);
	assert_int_equal(fake_http_count(), 1); /* the one that failed */
	assert_true(alerts_channel_state(world.alerts, 0, &channel));
	assert_int_equal(channel.failing_since_s, 0);
	assert_string_equal(channel.error, "");
}

static void each_channel_has_its_least_class(void **state)
{
	(void)state;
	struct alert_channel channel[] = {webhook_channel(), journal_channel()};
	channel[0].minimum = ALERT_EMERGENCY;
	channel[0].resolved = false;
	alerts_configure(world.alerts, &usual_settings, channel, 2);
	put_cert(1, "www.example.com", 20, true);
	put_cert(2, "idle.example.com", 20, false);
	advance(2000);
	expect_message(0, 1, "(1 emergency)");
	assert_non_null(strstr(world.journal, "class=notice"));
	assert_non_null(strstr(world.journal, "class=emergency"));
	put_cert(1, "www.example.com", 200, true);
	alerts_look(world.alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 1);
	assert_non_null(strstr(world.journal, "class=resolved"));
}

static void append_notices(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (int i = 0; i < ALERT_NOTICES_MAX + 10; i++)
		(void)store_alert_notice_append(txn, "0123456789abcdef");
}

/* More than the queue holds: a channel that was away begins with all that is open. */
static void a_gap_in_the_queue_is_filled_with_what_is_open(void **state)
{
	(void)state;
	put_cert(1, "www.example.com", 20, true);
	advance(2000);
	store_fixture_write(append_notices, NULL);
	alerts_look(world.alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
	expect_message(1, 1, "1 open alert");
	alerts_look(world.alerts);
	advance(2000);
	assert_int_equal(fake_http_count(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALERTS_TEST(a_new_channel_is_told_what_is_open_and_then_what_is_new),
		ALERTS_TEST(a_channel_that_fails_is_tried_later_and_told_once),
		ALERTS_TEST(what_waits_is_not_told_with_all_the_rest_after_a_restart),
		ALERTS_TEST(what_ends_before_it_is_told_is_not),
		ALERTS_TEST(each_channel_has_its_least_class),
		ALERTS_TEST(a_gap_in_the_queue_is_filled_with_what_is_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
