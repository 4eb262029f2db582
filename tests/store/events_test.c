/* The event log: gapless, chained, cut to size; what was changed or lost is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/events.h"
#include "store/key_internal.h"
#include "store/store_internal.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { EVENTS = 20 }; /* with the first one, which the store makes itself */

static void append_some(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (int i = 0; i < EVENTS - 1; i++)
		store_event_append(
			txn, &(struct event_record){.at_s = 1000 + i,
				     .kind = EVENT_CERT_CHANGED,
				     .connector = "prod",
				     .account_id = "000000000001",
				     .region = "eu-west-1",
				     .arn = "arn:aws:acm:eu-west-1:000000000001:certificate/1",
				     .subject = "www.example.com",
				     .detail = "status"});
}

static int setup(void **state)
{
	(void)store_fixture_open(state);
	store_fixture_write(append_some, NULL);
	return 0;
}

/* NULL: the log is whole. */
static void assert_verify(const char *says)
{
	struct err err = ERR_INIT;
	struct store_txn *txn = store_fixture_read();
	int rc = store_event_verify(txn, &err);
	store_read_end(txn);
	assert_int_equal(rc, says == NULL ? 0 : -1);
	if (says == NULL)
		return;
	assert_int_equal(err.kind, ERR_STORE);
	if (strstr(err.text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

static void events_are_numbered_from_1_without_a_gap(void **state)
{
	(void)state;
	struct event_record event;
	struct store_txn *txn = store_fixture_read();
	uint64_t from = 1;
	for (; store_event_get_from(txn, from, &event); from++)
		assert_int_equal(event.sequence, from);
	assert_int_equal(from, EVENTS + 1);
	assert_true(store_event_get_from(txn, 2, &event));
	assert_int_equal(event.at_s, 1000);
	assert_int_equal(event.kind, EVENT_CERT_CHANGED);
	assert_string_equal(event.subject, "www.example.com");
	assert_string_equal(event.region, "eu-west-1");
	store_read_end(txn);
	assert_verify(NULL);
}

static void the_last_one_is_found_at_once(void **state)
{
	(void)state;
	struct event_record event;
	struct store_txn *txn = store_fixture_read();
	assert_true(store_event_get_last(txn, 0, &event));
	assert_int_equal(event.sequence, EVENTS);
	assert_true(store_event_get_last(txn, 7, &event));
	assert_int_equal(event.sequence, 7);
	assert_true(store_event_get_last(txn, 7777, &event));
	assert_int_equal(event.sequence, EVENTS);
	assert_false(store_event_get_from(txn, EVENTS + 1, &event));
	store_read_end(txn);
}

static void fail_after_appending(struct store_txn *txn, void *arg)
{
	struct err err = ERR_INIT;
	append_some(txn, arg);
	err_set(&err, ERR_LIMIT, "no");
	store_txn_fail(txn, &err);
}

static void a_write_that_fails_leaves_no_gap(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct event_record event;
	assert_int_equal(store_write_now(store, fail_after_appending, NULL, &err), -1);
	assert_int_equal(store_write_now(store, append_some, NULL, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_event_get_last(txn, 0, &event));
	assert_int_equal(event.sequence, 2 * EVENTS - 1);
	store_read_end(txn);
	assert_verify(NULL);
}

static void append_long(struct store_txn *txn, void *arg)
{
	const char *text = arg;
	store_event_append(txn, &(struct event_record){.kind = EVENT_OPERATOR,
					.connector = text,
					.account_id = text,
					.region = text,
					.arn = text,
					.subject = text,
					.detail = text});
}

static void long_texts_are_cut_between_characters(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct event_record event;
	char *text = xcalloc(1, 30001);
	for (size_t i = 0; i < 30000; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	assert_int_equal(store_write_now(store, append_long, text, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_event_get_last(txn, 0, &event));
	const char *const texts[] = {event.connector, event.account_id, event.region, event.arn,
		event.subject, event.detail};
	size_t total = 0;
	for (size_t i = 0; i < 6; i++) {
		assert_true(text_is_utf8(texts[i], strlen(texts[i])));
		assert_true(strlen(texts[i]) > 100);
		total += strlen(texts[i]);
	}
	assert_true(total < 4000);
	store_read_end(txn);
	assert_verify(NULL);
	free(text);
}

/* --- tampering ----------------------------------------------------------------------------------- */

struct change {
	uint64_t sequence;
	size_t byte; /* to flip; SIZE_MAX: delete the event */
};

static void change_event(struct store_txn *txn, void *arg)
{
	const struct change *change = arg;
	struct key key = key_event(change->sequence);
	struct slice value;
	unsigned char copy[4096];
	if (change->byte == SIZE_MAX) {
		txn_delete(txn, TABLE_EVENTS, &key);
		return;
	}
	assert_true(txn_get(txn, TABLE_EVENTS, &key, &value));
	assert_true(value.len <= sizeof(copy) && change->byte < value.len);
	memcpy(copy, value.bytes, value.len);
	copy[change->byte] ^= 1;
	txn_put(txn, TABLE_EVENTS, &key, copy, value.len);
}

static void change(uint64_t sequence, size_t byte)
{
	struct err err = ERR_INIT;
	struct change what = {.sequence = sequence, .byte = byte};
	assert_int_equal(store_write_now(store, change_event, &what, &err), 0);
}

static size_t event_len(uint64_t sequence)
{
	struct slice value;
	struct store_txn *txn = store_fixture_read();
	struct key key = key_event(sequence);
	assert_true(txn_get(txn, TABLE_EVENTS, &key, &value));
	size_t len = value.len;
	store_read_end(txn);
	return len;
}

static void a_changed_byte_anywhere_breaks_the_chain_there(void **state)
{
	(void)state;
	size_t len = event_len(5);
	for (size_t byte = 0; byte < len; byte++) {
		change(5, byte);
		assert_verify("the chain breaks at event 5");
		change(5, byte);
	}
	assert_verify(NULL);
}

static void a_lost_event_is_named(void **state)
{
	(void)state;
	change(9, SIZE_MAX);
	assert_verify("event 9 is missing");
}

static void a_log_cut_at_its_end_is_noticed(void **state)
{
	(void)state;
	change(EVENTS, SIZE_MAX);
	assert_verify("it ends at event 19, but 20 were written");
}

static void a_log_cut_at_its_beginning_is_noticed(void **state)
{
	(void)state;
	change(1, SIZE_MAX);
	assert_verify("event 1 is missing");
}

/* --- retention ------------------------------------------------------------------------------- */

struct series {
	int count;
	int64_t at_s, step_s;
};

static void append_series(struct store_txn *txn, void *arg)
{
	const struct series *series = arg;
	for (int i = 0; i < series->count; i++)
		store_event_append(
			txn, &(struct event_record){.at_s = series->at_s + i * series->step_s,
				     .kind = EVENT_OPERATOR});
}

static void append(int count, int64_t at_s, int64_t step_s)
{
	struct err err = ERR_INIT;
	struct series series = {count, at_s, step_s};
	assert_int_equal(store_write_now(store, append_series, &series, &err), 0);
}

struct prune {
	int64_t before_s, now_s;
	size_t max, pruned;
};

static void do_prune(struct store_txn *txn, void *arg)
{
	struct prune *prune = arg;
	prune->pruned = store_events_prune(txn, prune->before_s, prune->now_s, prune->max);
}

static size_t prune(int64_t before_s, int64_t now_s, size_t max)
{
	struct err err = ERR_INIT;
	struct prune order = {before_s, now_s, max, 0};
	assert_int_equal(store_write_now(store, do_prune, &order, &err), 0);
	assert_int_equal(temp_store_problems(store), 0);
	return order.pruned;
}

static uint64_t first_sequence(void)
{
	struct event_record event;
	struct store_txn *txn = store_fixture_read();
	assert_true(store_event_get_from(txn, 0, &event));
	store_read_end(txn);
	return event.sequence;
}

enum { FUTURE_S = 9000000, NOW_S = 2000000 };

/* The store's own first event has the clock of now, which is the future of these. */
static void old_events_go_in_bounded_steps_and_the_chain_holds(void **state)
{
	(void)state;
	append(EVENTS_KEPT, 2000, 1);
	assert_int_equal(prune(1010, NOW_S, 5), 5);
	assert_int_equal(first_sequence(), 6);
	assert_int_equal(prune(1010, NOW_S, 500), 6); /* at 1000 to 1009, and the first */
	assert_int_equal(prune(1010, NOW_S, 500), 0);
	assert_int_equal(first_sequence(), 12);
	append(1, 5000, 0);
	assert_int_equal(prune(1011, NOW_S, 500), 1);
}

static void the_newest_events_stay_however_old(void **state)
{
	(void)state;
	append(EVENTS_KEPT - EVENTS + 3, 2000, 1);
	assert_int_equal(prune(INT64_MAX, INT64_MAX, 500), 3);
	assert_int_equal(prune(INT64_MAX, INT64_MAX, 500), 0);
	append(2 * EVENTS_KEPT, 2000, 1);
	for (int left = 2 * EVENTS_KEPT; left > 0; left -= 500)
		assert_int_equal(prune(INT64_MAX, INT64_MAX, 500), 500);
}

static void an_event_stamped_by_a_wrong_clock_goes_with_an_older_one_behind_it(void **state)
{
	(void)state;
	append(3, FUTURE_S, 1);
	append(1, 1500, 0);
	append(2, FUTURE_S, 1);
	append(EVENTS_KEPT, NOW_S, 0);
	assert_int_equal(prune(1900, NOW_S, 500), EVENTS + 4);
	assert_int_equal(prune(1900, NOW_S, 500), 0); /* nothing old is behind these two */
}

static void a_store_of_nothing_but_recent_events_keeps_them(void **state)
{
	(void)state;
	append(EVENTS_KEPT, 2000, 1);
	assert_int_equal(prune(900, NOW_S, 500), 0);
	assert_int_equal(first_sequence(), 1);
}

static void damage_anchor(struct store_txn *txn, void *arg)
{
	(void)arg;
	struct key key = key_meta(META_EVENTS_BEGIN);
	txn_put(txn, TABLE_META, &key, "short", 5);
}

static void a_damaged_anchor_and_one_event_more_that_is_lost_are_noticed(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	append(EVENTS_KEPT, 2000, 1);
	assert_int_equal(prune(1005, NOW_S, 500), 6);
	change(7, SIZE_MAX);
	assert_verify("event 7 is missing");
	assert_int_equal(store_write_now(store, damage_anchor, NULL, &err), 0);
	assert_verify("the note of its beginning is damaged");
}

static void kinds_have_names_and_fixed_numbers(void **state)
{
	(void)state;
	for (unsigned kind = 1; kind < EVENT_KINDS; kind++)
		assert_string_not_equal(event_kind_name((enum event_kind)kind), "unknown");
	assert_string_equal(event_kind_name(EVENT_CERT_APPEARED), "certificate_appeared");
	assert_string_equal(event_kind_name(EVENT_KINDS), "unknown");
	assert_string_equal(event_kind_name((enum event_kind)0), "unknown");
	assert_int_equal(EVENT_CERT_RETURNED, 18);
	assert_int_equal(EVENT_STORE_RESTORED, 19);
	assert_int_equal(EVENT_DELIVERY_STEP, 20);
	assert_int_equal(EVENT_DELIVERY_FINISHED, 21);
	assert_string_equal(event_kind_name(EVENT_DELIVERY_FINISHED), "delivery_finished");
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_close_damaged)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(events_are_numbered_from_1_without_a_gap),
		WITH_STORE(the_last_one_is_found_at_once),
		WITH_STORE(a_write_that_fails_leaves_no_gap),
		WITH_STORE(long_texts_are_cut_between_characters),
		WITH_STORE(a_changed_byte_anywhere_breaks_the_chain_there),
		WITH_STORE(a_lost_event_is_named),
		WITH_STORE(a_log_cut_at_its_end_is_noticed),
		WITH_STORE(a_log_cut_at_its_beginning_is_noticed),
		WITH_STORE(kinds_have_names_and_fixed_numbers),
		WITH_STORE(old_events_go_in_bounded_steps_and_the_chain_holds),
		WITH_STORE(the_newest_events_stay_however_old),
		WITH_STORE(an_event_stamped_by_a_wrong_clock_goes_with_an_older_one_behind_it),
		WITH_STORE(a_store_of_nothing_but_recent_events_keeps_them),
		WITH_STORE(a_damaged_anchor_and_one_event_more_that_is_lost_are_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
