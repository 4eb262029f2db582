/* One channel at work; how it goes with a whole inventory is in alerts_sender_test.c. */
#include "alert/sender.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "store/alerts.h"
#include "tests/alert/make_channel.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

static struct loop *loop;
static struct channel_ways ways;
static int lines;
static struct alert_channel channel;

static void write_journal(void *arg, enum alert_class class, const char *line)
{
	(void)arg, (void)class, (void)line;
	lines++;
}

static int64_t now_s(void *arg)
{
	(void)arg;
	return clock_now_s();
}

static int setup(void **state)
{
	static char name[] = "log";
	struct err err = ERR_INIT;
	(void)state;
	fake_clock_set_now_s(SAMPLE_NOW_S);
	fake_store_reset();
	loop = loop_new(&err);
	store_fixture_open_with(loop);
	ways = (struct channel_ways){
		.loop = loop, .journal = write_journal, .now_s = now_s, .sensor = "dc1"};
	channel = make_channel(name, CHANNEL_JOURNAL);
	channel.minimum = ALERT_WARNING;
	lines = 0;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(fake_loop_timer_count(), 0);
	int rc = store_fixture_close(state);
	loop_free(loop);
	return rc;
}

/* Told of: the subject's number is its notice's. */
static void put_alert(struct store_txn *txn, void *arg)
{
	const enum alert_class *class = arg;
	char id[ALERT_ID_LEN + 1], subject[32];
	int64_t number = store_alert_notice_last(txn) + 1;
	(void)snprintf(subject, sizeof(subject), "j-%d", (int)number);
	alert_make_id(ALERT_JOB, subject, id);
	store_alert_put(txn, &(struct alert_record){.id = id,
				     .kind = ALERT_JOB,
				     .class = *class,
				     .told_class = *class,
				     .days = ALERT_NO_DAYS,
				     .subject = subject,
				     .text = "failed",
				     .first_notice = number,
				     .last_notice = number});
	(void)store_alert_notice_append(txn, id);
}

static void put_one(enum alert_class class)
{
	store_fixture_write(put_alert, &class);
}

static struct alert_channel_record record_of(bool *ret_is_there)
{
	struct alert_channel_record record = {.position = -2};
	struct store_txn *txn = store_fixture_read();
	*ret_is_there = store_alert_channel_get(txn, "log", &record);
	store_read_end(txn);
	return record;
}

static void waiting_grows_to_an_hour(void **state)
{
	(void)state;
	assert_int_equal(alert_sender_retry_s(1), 10);
	assert_int_equal(alert_sender_retry_s(2), 20);
	assert_int_equal(alert_sender_retry_s(9), 2560);
	assert_int_equal(alert_sender_retry_s(10), 3600);
	assert_int_equal(alert_sender_retry_s(INT64_MAX), 3600);
}

static void its_place_moves_on_with_what_it_leaves_out(void **state)
{
	(void)state;
	bool is_there;
	struct alert_sender *sender = alert_sender_new(&ways, store, &channel);
	put_one(ALERT_NOTICE);
	alert_sender_pump(sender);
	alert_sender_pump(sender);
	fake_loop_run_ready();
	assert_int_equal(lines, 0);
	assert_int_equal(record_of(&is_there).position, 1);
	put_one(ALERT_WARNING);
	put_one(ALERT_CRITICAL);
	alert_sender_pump(sender);
	fake_loop_run_ready();
	assert_int_equal(lines, 2);
	assert_int_equal(record_of(&is_there).position, 3);
	assert_int_equal(alert_sender_get_state(sender).sent_s, SAMPLE_NOW_S);
	alert_sender_pump(sender);
	fake_loop_run_ready();
	assert_int_equal(lines, 2);
	alert_sender_free(sender);
	alert_sender_free(NULL);
}

static void put_ahead(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_alert_channel_put(txn, &(struct alert_channel_record){.name = "log", .position = 99});
}

/* It may be anywhere before it has looked, and tells what comes while it tells all as well. */
static void what_it_has_yet_to_tell_stays_in_the_queue(void **state)
{
	(void)state;
	struct alert_sender *sender = alert_sender_new(&ways, store, &channel);
	put_one(ALERT_WARNING);
	put_one(ALERT_WARNING);
	assert_int_equal(alert_sender_get_state(sender).told_up_to, 0);
	alert_sender_pump(sender);
	while (lines == 0)
		assert_true(fake_loop_step());
	assert_int_equal(alert_sender_get_state(sender).told_up_to, 2);
	fake_loop_run_ready();
	assert_int_equal(alert_sender_get_state(sender).told_up_to, 2);
	alert_sender_free(sender);
}

/* Of a store that went back in time: told again rather than never. */
static void a_place_beyond_the_queue_begins_anew(void **state)
{
	(void)state;
	struct alert_sender *sender = alert_sender_new(&ways, store, &channel);
	put_one(ALERT_WARNING);
	store_fixture_write(put_ahead, NULL);
	alert_sender_pump(sender);
	fake_loop_run_ready();
	assert_int_equal(lines, 1);
	assert_int_equal(alert_sender_get_state(sender).told_up_to, 1);
	assert_string_equal(alert_sender_channel(sender)->name, "log");
	alert_sender_free(sender);
}

static void a_write_that_fails_is_made_up_for(void **state)
{
	(void)state;
	bool is_there;
	struct alert_sender *sender = alert_sender_new(&ways, store, &channel);
	put_one(ALERT_WARNING);
	fake_store_fail_at(1, ERR_STORE_FULL);
	alert_sender_pump(sender);
	fake_loop_run_ready();
	assert_int_equal(lines, 1);
	(void)record_of(&is_there);
	assert_false(is_there);
	fake_loop_advance_ms(10000);
	assert_int_equal(lines, 1); /* not told again */
	assert_int_equal(record_of(&is_there).position, 1);
	fake_loop_advance_ms(3600000);
	assert_int_equal(fake_loop_timer_count(), 0);
	alert_sender_free(sender);
}

static void what_was_told_is_noted_at_the_end(void **state)
{
	(void)state;
	bool is_there;
	struct alert_sender *sender = alert_sender_new(&ways, store, &channel);
	put_one(ALERT_WARNING);
	alert_sender_pump(sender);
	while (lines == 0)
		assert_true(fake_loop_step());
	assert_true(fake_loop_step()); /* it was taken; the write waits */
	alert_sender_free(sender);
	assert_int_equal(record_of(&is_there).position, 1);
}

#define IN_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_STORE(waiting_grows_to_an_hour),
		IN_STORE(its_place_moves_on_with_what_it_leaves_out),
		IN_STORE(what_it_has_yet_to_tell_stays_in_the_queue),
		IN_STORE(a_place_beyond_the_queue_begins_anew),
		IN_STORE(a_write_that_fails_is_made_up_for),
		IN_STORE(what_was_told_is_noted_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
