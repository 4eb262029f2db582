/*
 * A walk while others write between its slices: who matches before and after comes exactly once,
 * whatever filter, order and size of slices. The truth is a model that is changed with the store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/cert_query.h"
#include "store/events.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { CERTS = 200, DAY_S = 86400, CALLS_MAX = 100000 };

/* --- the model ----------------------------------------------------------------------------------- */

enum names { NAMES_SAMPLE, NAMES_FIRST, NAMES_LAST, NAMES_EXACT, NAMES_WILD, NAMES_KINDS };

struct one {
	bool is_stored, is_gone, is_failed;
	int64_t moved_s; /* of NotAfter */
	enum names names;
	bool matched_before;
	int given;
};

static struct one model[CERTS];

static void make(uint32_t i, struct sample_cert *sample)
{
	static const char *const name[NAMES_KINDS] = {[NAMES_FIRST] = "a.moving.example",
		[NAMES_LAST] = "z.moving.example",
		[NAMES_EXACT] = "m.moving.example",
		[NAMES_WILD] = "*.moving.example"};
	const struct one *one = &model[i];
	sample_cert_init(sample, i);
	if (one->names != NAMES_SAMPLE)
		sample_cert_set_names(sample, name[one->names], NULL);
	if (sample->record.not_after_s != 0)
		sample->record.not_after_s += one->moved_s;
	if (one->is_gone)
		sample->record.gone_s = SAMPLE_NOW_S;
	if (one->is_failed)
		sample->record.status = "FAILED";
}

static bool matches(uint32_t i, const struct cert_filter *filter)
{
	struct sample_cert sample;
	make(i, &sample);
	bool is_match = model[i].is_stored && cert_filter_matches(filter, &sample.record);
	sample_cert_clear(&sample);
	return is_match;
}

/* What every writer of the product does: the record, and an event that names it. */
static void put(struct store_txn *txn, uint32_t i)
{
	struct sample_cert sample;
	make(i, &sample);
	if (model[i].is_stored)
		sample_cert_store(txn, &sample);
	else
		store_cert_delete(txn, sample.arn);
	store_event_append(
		txn, &(struct event_record){
			     .at_s = SAMPLE_NOW_S, .kind = EVENT_CERT_CHANGED, .arn = sample.arn});
	sample_cert_clear(&sample);
}

static void put_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < CERTS; i++)
		put(txn, i);
}

static int setup(void **state)
{
	(void)store_fixture_open(state);
	for (uint32_t i = 0; i < CERTS; i++)
		model[i] = (struct one){.is_stored = i % 10 != 0};
	store_fixture_write(put_all, NULL);
	return 0;
}

/* --- walking ------------------------------------------------------------------------------------- */

static uint32_t index_of(const char *arn)
{
	for (uint32_t i = 0; i < CERTS; i++) {
		struct sample_cert sample;
		sample_cert_init(&sample, i);
		bool is_it = strcmp(sample.arn, arn) == 0;
		sample_cert_clear(&sample);
		if (is_it)
			return i;
	}
	fail_msg("given, but never stored: %s", arn);
	return 0;
}

static struct cert_query *start(const struct cert_filter *filter, enum cert_sort sort)
{
	struct err err = ERR_INIT;
	for (uint32_t i = 0; i < CERTS; i++) {
		model[i].matched_before = matches(i, filter);
		model[i].given = 0;
	}
	struct cert_query *query = cert_query_new(filter, sort, &err);
	assert_non_null(query);
	return query;
}

/* One transaction of `calls` calls; what is given must match at that moment. Is it the end? */
static bool read_slice(struct cert_query *query, const struct cert_filter *filter, size_t calls,
	size_t scanned_max)
{
	struct err err = ERR_INIT;
	bool is_end = false;
	struct cert_record record;
	struct store_txn *txn = store_fixture_read();
	for (size_t i = 0; i < calls && !is_end; i++) {
		if (!cert_query_next(query, txn, scanned_max, &record, &is_end))
			continue;
		assert_true(cert_filter_matches(filter, &record));
		model[index_of(record.arn)].given++;
	}
	assert_int_equal(store_txn_check(txn, &err), 0);
	store_read_end(txn);
	return is_end;
}

static void read_rest(struct cert_query *query, const struct cert_filter *filter)
{
	int calls = 0;
	while (!read_slice(query, filter, 1, 7))
		assert_true(++calls < CALLS_MAX);
}

static void assert_each_once(const struct cert_filter *filter)
{
	for (uint32_t i = 0; i < CERTS; i++) {
		if (model[i].given > 1)
			fail_msg("certificate %u comes %d times", i, model[i].given);
		if (model[i].given == 0 && model[i].matched_before && matches(i, filter))
			fail_msg("certificate %u is missed", i);
	}
}

/* --- one move at a time -------------------------------------------------------------------------- */

#define FILTER(...)                                                                                \
	{                                                                                          \
		.in_use = -1, .now_s = SAMPLE_NOW_S, __VA_ARGS__                                   \
	}

struct move {
	int64_t moved_s;
	enum names names;
	bool only_given; /* else: those that were not given yet */
};

static void write_moves(struct store_txn *txn, void *arg)
{
	const struct move *move = arg;
	for (uint32_t i = 0; i < CERTS; i++) {
		if (!model[i].is_stored || (move->only_given && model[i].given == 0) ||
			(!move->only_given && model[i].given > 0))
			continue;
		model[i].moved_s += move->moved_s;
		model[i].names = move->names;
		put(txn, i);
	}
}

static void walk_around(const struct cert_filter *filter, enum cert_sort sort, struct move move)
{
	struct err err = ERR_INIT;
	struct cert_query *query = start(filter, sort);
	assert_false(read_slice(query, filter, 5, 10));
	assert_int_equal(store_write_now(store, write_moves, &move, &err), 0);
	read_rest(query, filter);
	assert_each_once(filter);
	cert_query_free(query);
}

static void who_is_renewed_comes_once(void **state)
{
	(void)state;
	struct cert_filter filter = FILTER(.connector = NULL);
	walk_around(&filter, CERT_SORT_EXPIRES,
		(struct move){.moved_s = 4000 * DAY_S, .only_given = true});
}

static void who_ends_earlier_is_not_missed(void **state)
{
	(void)state;
	struct cert_filter filter = FILTER(.connector = NULL);
	walk_around(&filter, CERT_SORT_EXPIRES, (struct move){.moved_s = -4000 * DAY_S});
}

static void who_ends_earlier_is_collected_too(void **state)
{
	(void)state;
	struct cert_filter filter =
		FILTER(.expires_before_s = SAMPLE_NOW_S + INT64_C(40000) * DAY_S);
	walk_around(&filter, CERT_SORT_DOMAIN, (struct move){.moved_s = -4000 * DAY_S});
}

static void who_gets_an_earlier_name_is_not_missed(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct move to_last = {.names = NAMES_LAST};
	for (uint32_t i = 0; i < CERTS; i++)
		model[i].given = 0;
	assert_int_equal(store_write_now(store, write_moves, &to_last, &err), 0);
	struct cert_filter filter = FILTER(.domain_suffix = "moving.example");
	walk_around(&filter, CERT_SORT_EXPIRES, (struct move){.names = NAMES_FIRST});
}

/* Collected in the order of what they are when the collecting ends. */
static void a_collected_order_knows_what_moved(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct cert_filter filter = FILTER(.region = "eu-west-1");
	struct cert_query *query = start(&filter, CERT_SORT_EXPIRES);
	assert_false(read_slice(query, &filter, 2, 10));
	for (uint32_t i = 0; i < CERTS; i++)
		model[i].moved_s = (int64_t)(i * 37 % CERTS) * DAY_S;
	assert_int_equal(store_write_now(store, put_all, NULL, &err), 0);
	struct store_txn *txn = store_fixture_read();
	struct cert_record record;
	bool is_end = false;
	int64_t last_s = INT64_MIN;
	size_t count = 0;
	while (!is_end) {
		if (!cert_query_next(query, txn, SIZE_MAX, &record, &is_end))
			continue;
		int64_t end_s = record.not_after_s != 0 ? record.not_after_s : INT64_MAX;
		assert_true(last_s <= end_s);
		last_s = end_s;
		count++;
	}
	assert_true(count > 10);
	store_read_end(txn);
	cert_query_free(query);
}

/* --- many writes --------------------------------------------------------------------------------- */

struct dice {
	uint32_t state;
};

static uint32_t roll(struct dice *dice, uint32_t bound)
{
	dice->state = dice->state * 1664525 + 1013904223;
	return (dice->state >> 8) % bound;
}

static void change(struct dice *dice, struct one *one)
{
	switch (roll(dice, 8)) {
	case 0:
		one->is_stored = !one->is_stored;
		break;
	case 1:
		one->is_gone = !one->is_gone;
		break;
	case 2:
		one->is_failed = !one->is_failed;
		break;
	case 3:
	case 4:
		one->names = (enum names)roll(dice, NAMES_KINDS);
		break;
	default:
		one->moved_s = ((int64_t)roll(dice, 2000) - 1000) * DAY_S;
		break;
	}
}

static void write_much(struct store_txn *txn, void *arg)
{
	struct dice *dice = arg;
	uint32_t writes = 100 + roll(dice, 300);
	for (uint32_t n = 0; n < writes; n++) {
		uint32_t i = roll(dice, CERTS);
		change(dice, &model[i]);
		put(txn, i);
		if (n % 16 == 0) /* one that names no certificate */
			store_event_append(txn, &(struct event_record){.at_s = SAMPLE_NOW_S,
							.kind = EVENT_CYCLE_FINISHED});
	}
}

static const struct cert_filter filters[] = {
	FILTER(.connector = NULL),
	FILTER(.include_gone = true),
	FILTER(.region = "eu-west-1"),
	FILTER(.status = "FAILED"),
	FILTER(.domain = "m.moving.example"),
	FILTER(.domain_suffix = "moving.example"),
	FILTER(.domain_suffix = "example", .include_gone = true),
	FILTER(.expires_before_s = SAMPLE_NOW_S + 300 * DAY_S),
	FILTER(.expires_after_s = SAMPLE_NOW_S - 300 * DAY_S,
		.expires_before_s = SAMPLE_NOW_S + 300 * DAY_S),
};

/* Writes end before the walk does, so that it has an end. */
static void torture(const struct cert_filter *filter, enum cert_sort sort, struct dice *dice)
{
	struct err err = ERR_INIT;
	uint32_t writes = 1 + roll(dice, 12);
	size_t calls = 1 + roll(dice, 40), scanned_max = 1 + roll(dice, 40);
	struct cert_query *query = start(filter, sort);
	bool is_end = false;
	for (uint32_t i = 0; i < writes && !is_end; i++) {
		is_end = read_slice(query, filter, calls, scanned_max);
		if (!is_end)
			assert_int_equal(store_write_now(store, write_much, dice, &err), 0);
	}
	if (!is_end)
		read_rest(query, filter);
	assert_each_once(filter);
	cert_query_free(query);
}

static void whatever_is_written_each_comes_once(void **state)
{
	(void)state;
	struct dice dice = {.state = 1};
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		for (int sort = CERT_SORT_EXPIRES; sort <= CERT_SORT_ARN; sort++)
			for (int round = 0; round < 2; round++)
				torture(&filters[i], (enum cert_sort)sort, &dice);
}

/* A walk that is given up at any point leaves nothing behind: a sanitizer or valgrind looks on. */
static void a_walk_given_up_anywhere_frees_all(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct dice dice = {.state = 2};
	struct cert_filter filter = FILTER(.connector = NULL);
	for (size_t slices = 0; slices < 24; slices++) {
		enum cert_sort sort = slices % 2 == 0 ? CERT_SORT_EXPIRES : CERT_SORT_STATUS;
		struct cert_query *query = start(&filter, sort);
		for (size_t i = 0; i < slices; i++) {
			(void)read_slice(query, &filter, 30, 20);
			if (i % 8 == 0)
				assert_int_equal(
					store_write_now(store, write_much, &dice, &err), 0);
		}
		cert_query_free(query);
	}
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(who_is_renewed_comes_once),
		WITH_STORE(who_ends_earlier_is_not_missed),
		WITH_STORE(who_ends_earlier_is_collected_too),
		WITH_STORE(who_gets_an_earlier_name_is_not_missed),
		WITH_STORE(a_collected_order_knows_what_moved),
		WITH_STORE(whatever_is_written_each_comes_once),
		WITH_STORE(a_walk_given_up_anywhere_frees_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
