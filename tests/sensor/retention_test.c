#include "sensor/retention.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/loop.h"
#include "store/certs.h"
#include "store/events.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/temp_store.h"

enum { DAY_MS = 86400000, DAY_S = 86400, OLD = 1200, CERTS = 30, MANY = 2500 };

static struct fixture {
	char *folder;
	struct loop *loop;
	struct store *store;
	struct retention *retention;
	bool knows_time;
	int64_t now_s;
} fixture;

static bool limits(void *arg, struct retention_limits *ret_limits)
{
	const struct fixture *f = arg;
	*ret_limits = (struct retention_limits){
		.now_s = f->now_s, .keep_events_s = 30 * DAY_S, .keep_gone_s = 10 * DAY_S};
	return f->knows_time;
}

static void put_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (int i = 0; i < OLD + EVENTS_KEPT; i++)
		store_event_append(txn, &(struct event_record){.at_s = SAMPLE_NOW_S - 40 * DAY_S,
						.kind = EVENT_OPERATOR});
	for (uint32_t i = 0; i < CERTS; i++) {
		struct sample_cert sample;
		sample_cert_init(&sample, i);
		sample.record.gone_s = i % 3 == 0 ? SAMPLE_NOW_S - 20 * DAY_S : 0;
		sample_cert_store(txn, &sample);
		sample_cert_clear(&sample);
	}
}

static int set_up(void **state)
{
	struct err err = ERR_INIT;
	(void)state;
	log_set_level(LOG_ERROR);
	fake_store_reset();
	fake_clock_set_now_s(SAMPLE_NOW_S - 50 * DAY_S); /* the store's first event */
	fixture.folder = temp_folder_new();
	fixture.loop = loop_new(&err);
	fixture.store = temp_store_open(fixture.loop, fixture.folder);
	fake_clock_set_now_s(SAMPLE_NOW_S);
	fixture.knows_time = true;
	fixture.now_s = SAMPLE_NOW_S;
	assert_int_equal(store_write_now(fixture.store, put_all, NULL, &err), 0);
	fixture.retention = retention_start(fixture.loop, fixture.store, limits, &fixture);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	retention_stop(fixture.retention);
	assert_int_equal(fake_loop_timer_count(), 0);
	store_close(fixture.store);
	loop_free(fixture.loop);
	temp_folder_remove(fixture.folder);
	return 0;
}

static void expect(int64_t events, int64_t certificates)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	assert_int_equal(store_get_stats(fixture.store, &stats, &err), 0);
	assert_int_equal(stats.events, events);
	assert_int_equal(stats.certificates, certificates);
	assert_int_equal(temp_store_problems(fixture.store), 0);
}

enum { ALL_EVENTS = OLD + EVENTS_KEPT + 1 }; /* with the store's own first one */

static void what_is_older_goes_in_steps_and_the_rest_stays(void **state)
{
	(void)state;
	fake_loop_advance_ms(10 * 60 * 1000 - 1);
	expect(ALL_EVENTS, CERTS);
	fake_loop_advance_ms(1);
	expect(ALL_EVENTS - 500, CERTS);
	fake_loop_advance_ms(10000);
	expect(EVENTS_KEPT, CERTS - CERTS / 3);
	fake_loop_advance_ms(DAY_MS);
	expect(EVENTS_KEPT, CERTS - CERTS / 3);
}

static void put_many(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = CERTS; i < MANY; i++) {
		struct sample_cert sample;
		sample_cert_init(&sample, i);
		sample.record.gone_s = i == MANY - 1 ? SAMPLE_NOW_S - 20 * DAY_S : 0;
		sample_cert_store(txn, &sample);
		sample_cert_clear(&sample);
	}
}

static void many_certificates_are_looked_at_in_steps(void **state)
{
	struct err err = ERR_INIT;
	(void)state;
	assert_int_equal(store_write_now(fixture.store, put_many, NULL, &err), 0);
	fake_loop_advance_ms(20 * 60 * 1000);
	expect(EVENTS_KEPT, MANY - CERTS / 3 - 1);
}

static void nothing_goes_while_the_time_is_not_known(void **state)
{
	(void)state;
	fixture.knows_time = false;
	fake_loop_advance_ms(10 * (int64_t)DAY_MS);
	assert_int_equal(fake_store_write_count(), 0);
	expect(ALL_EVENTS, CERTS);
	fixture.knows_time = true;
	fake_loop_advance_ms(DAY_MS);
	expect(EVENTS_KEPT, CERTS - CERTS / 3);
}

static void a_store_that_cannot_be_written_is_tried_again_later(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	fake_store_fail_from(2, ERR_STORE_FULL);
	fake_loop_advance_ms(20 * 60 * 1000);
	expect(ALL_EVENTS - 500, CERTS);
	assert_int_equal(fake_store_write_count(), 2);
	fake_store_fail_from(0, ERR_NONE);
	fake_loop_advance_ms(DAY_MS);
	expect(EVENTS_KEPT, CERTS - CERTS / 3);
}

static void it_can_be_stopped_at_every_turn(void **state)
{
	(void)state;
	for (int turns = 0; turns < 12; turns++) {
		for (int i = 0; i < turns; i++)
			(void)fake_loop_step();
		retention_stop(fixture.retention);
		assert_int_equal(fake_loop_timer_count(), 0);
		fixture.retention = retention_start(fixture.loop, fixture.store, limits, &fixture);
	}
	fake_loop_advance_ms(DAY_MS);
	expect(EVENTS_KEPT, CERTS - CERTS / 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_older_goes_in_steps_and_the_rest_stays),
		TEST(many_certificates_are_looked_at_in_steps),
		TEST(nothing_goes_while_the_time_is_not_known),
		TEST(a_store_that_cannot_be_written_is_tried_again_later),
		TEST(it_can_be_stopped_at_every_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
