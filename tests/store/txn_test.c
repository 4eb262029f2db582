/* Transactions keep their first failure; damage names its table and key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/accounts.h"
#include "store/cert_query.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "store/events.h"
#include "store/key_internal.h"
#include "store/store_internal.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

/* --- damage -------------------------------------------------------------------------------------- */

struct damage {
	enum store_table table;
	struct key key;
	const char *bytes;
	size_t len;
};

static void put_damage(struct store_txn *txn, void *arg)
{
	const struct damage *damage = arg;
	txn_put(txn, damage->table, &damage->key, damage->bytes, damage->len);
}

static void damage(enum store_table table, struct key key, const char *bytes, size_t len)
{
	struct err err = ERR_INIT;
	struct damage what = {.table = table, .key = key, .bytes = bytes, .len = len};
	assert_int_equal(store_write_now(store, put_damage, &what, &err), 0);
}

/* Ends txn, which must have failed with ERR_STORE and that text in its error. */
static void assert_failed(struct store_txn *txn, const char *says)
{
	struct err err = ERR_INIT;
	assert_true(store_txn_failed(txn));
	assert_int_equal(store_txn_check(txn, &err), -1);
	assert_int_equal(err.kind, ERR_STORE);
	if (strstr(err.text, says) == NULL || strstr(err.text, folder) == NULL)
		fail_msg("\"%s\" does not say \"%s\" or the file", err.text, says);
	store_read_end(txn);
}

#define ARN "arn:aws:acm:eu-west-1:000000000001:certificate/1"

static void a_damaged_certificate_names_its_arn(void **state)
{
	(void)state;
	struct cert_record record;
	char position[CERT_ARN_MAX + 1] = "";
	damage(TABLE_CERTS, key_cert(ARN), "\x01garbage", 8);
	struct store_txn *txn = store_fixture_read();
	assert_false(store_cert_get(txn, ARN, &record));
	assert_failed(txn, "table certs, key \"" ARN "\": damaged at created_s (byte 1 of 8)");
	txn = store_fixture_read();
	assert_false(store_cert_next_in_region(
		txn, "aws", "eu-west-1", "000000000001", position, &record));
	assert_failed(txn, ARN);
	damage(TABLE_CERTS, key_cert(ARN), "\x07", 1);
	txn = store_fixture_read();
	assert_false(store_cert_get(txn, ARN, &record));
	assert_failed(txn, "record version 7 is not known (1 is)");
}

static void every_table_names_itself_when_damaged(void **state)
{
	(void)state;
	union {
		struct coverage_record coverage;
		struct account_record account;
		struct unit_record unit;
		struct cycle_record cycle;
		struct event_record event;
		struct cert_history history;
	} record;
	char position[COVERAGE_POSITION_MAX] = "";
	uint32_t number = 0;
	damage(TABLE_COVERAGE, key_coverage("prod", "1", "*"), "\x01", 1);
	damage(TABLE_ACCOUNTS, key_account("prod", "1"), "", 0);
	damage(TABLE_UNITS, key_unit("prod", "1"), "\x02", 1);
	damage(TABLE_CYCLES, key_cycle("prod"), "\x01\x02", 2);
	damage(TABLE_EVENTS, key_event(5), "\x01\x02", 2);
	damage(TABLE_HISTORY, key_history(ARN, 1), "\x01\x02", 2);

	struct store_txn *txn = store_fixture_read();
	assert_false(store_coverage_get(txn, "prod", "1", "*", &record.coverage));
	assert_failed(txn, "table coverage, key \"prod\\x011\\x01*\": damaged at state");
	txn = store_fixture_read();
	assert_false(store_coverage_next(txn, NULL, NULL, position, &record.coverage));
	assert_failed(txn, "table coverage");
	txn = store_fixture_read();
	assert_false(store_account_get(txn, "prod", "1", &record.account));
	assert_failed(txn, "table accounts, key \"prod\\x011\": the record is empty");
	txn = store_fixture_read();
	assert_false(store_unit_next(txn, "prod", position, &record.unit));
	assert_failed(txn, "table units");
	txn = store_fixture_read();
	assert_false(store_cycle_get(txn, "prod", &record.cycle));
	assert_failed(txn, "table cycles, key \"prod\": damaged at started_s");
	txn = store_fixture_read();
	assert_false(store_event_get_last(txn, 0, &record.event));
	assert_failed(txn, "table events, key \"0000000000000005\"");
	txn = store_fixture_read();
	assert_false(store_history_next(txn, ARN, &number, &record.history));
	assert_failed(txn, "table history");
}

/* A query that could not read everything must not look like one that found nothing. */
static void damage_ends_a_query_with_a_failure(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct cert_record record;
	bool is_end = false;
	damage(TABLE_CERTS, key_cert(ARN), "\x01garbage", 8);
	damage(TABLE_CERT_EXPIRY, key_cert_expiry(1000, ARN), "\0", 1);
	damage(TABLE_CERT_EXPIRY, key_cert_expiry(2000, ARN "2"), "\0", 1);
	for (int i = 0; i < 2; i++) {
		struct cert_filter filter = {.in_use = -1, .expires_after_s = i == 0 ? 0 : 1500};
		struct cert_query *query = cert_query_new(&filter, CERT_SORT_EXPIRES, &err);
		struct store_txn *txn = store_fixture_read();
		assert_false(cert_query_next(query, txn, SIZE_MAX, &record, &is_end));
		assert_true(is_end);
		assert_failed(txn,
			i == 0 ? "damaged at created_s" : "stands for no certificate of the store");
		cert_query_free(query);
	}
}

static void a_state_that_is_not_known_is_damage(void **state)
{
	(void)state;
	struct coverage_record back;
	/* The version byte, then the state as 32 bits; the rest is zeroes and empty texts. */
	unsigned char bytes[1 + 4 + 5 * 8 + 4 + 5 * 3] = {1, COVERAGE_STATES};
	damage(TABLE_COVERAGE, key_coverage("p", "1", "r"), (const char *)bytes, sizeof(bytes));
	struct store_txn *txn = store_fixture_read();
	assert_false(store_coverage_get(txn, "p", "1", "r", &back));
	assert_failed(txn, "unknown state");
}

/* --- sticky failures ----------------------------------------------------------------------------- */

static void fail_twice_and_go_on(struct store_txn *txn, void *arg)
{
	struct coverage_record back;
	struct err first = ERR_INIT;
	store_coverage_put(
		txn, &(struct coverage_record){.connector = "p", .account_id = "1", .region = "r"});
	assert_true(store_coverage_get(txn, "p", "1", "r", &back));
	err_set(&first, ERR_PROTOCOL, "first");
	err_set_code(&first, "Code");
	store_txn_fail(txn, &first);
	store_txn_fail_as(txn, ERR_LIMIT, "second");
	assert_false(store_coverage_get(txn, "p", "1", "r", &back));
	sample_cert_put(txn, 1);
	store_event_append(txn, &(struct event_record){.kind = EVENT_OPERATOR});
	store_coverage_delete(txn, "p", "1", "r");
	*(int *)arg += 1;
}

static void the_first_failure_stays_and_nothing_happens_after_it(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	int runs = 0;
	unsigned char before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	temp_store_digest(store, before);
	assert_int_equal(store_write_now(store, fail_twice_and_go_on, &runs, &err), -1);
	assert_string_equal(err.text, "first");
	assert_string_equal(err.code, "Code");
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_int_equal(runs, 1);
	temp_store_digest(store, after);
	assert_memory_equal(before, after, sizeof(before));
}

static void fail_as(struct store_txn *txn, void *arg)
{
	const char *what = arg;
	store_txn_fail_as(txn, ERR_REFUSED, "%s is no %d", what, 7);
}

static void a_failure_may_be_made_of_its_text(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char what[] = "8";
	assert_int_equal(store_write_now(store, fail_as, what, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_string_equal(err.text, "8 is no 7");
}

static void put_unfit(struct store_txn *txn, void *arg)
{
	const char *connector = arg;
	store_account_put(txn, &(struct account_record){.connector = connector, .account_id = "1"});
}

static void a_key_that_does_not_fit_fails_the_write(void **state)
{
	(void)state;
	char long_name[600];
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	const char *const names[] = {long_name, "a\x01z", "line\nbreak"};
	for (size_t i = 0; i < 3; i++) {
		struct err err = ERR_INIT;
		struct account_record record;
		char *name = (char *)(uintptr_t)names[i];
		assert_int_equal(store_write_now(store, put_unfit, name, &err), -1);
		assert_int_equal(err.kind, ERR_LIMIT);
		assert_non_null(strstr(err.text, "table accounts"));
		struct store_txn *txn = store_fixture_read();
		assert_false(store_account_get(txn, names[i], "1", &record));
		assert_false(store_txn_failed(txn)); /* it cannot be there, that is all */
		store_read_end(txn);
	}
}

/* --- walking ------------------------------------------------------------------------------------- */

static void put_letters(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (char c = 'b'; c <= 'y'; c = (char)(c + 2)) {
		struct key key = key_bytes(&c, 1);
		txn_put(txn, TABLE_PEM, &key, &c, 1);
	}
}

static char found_at(bool is_found, struct slice key)
{
	return is_found ? (char)key.bytes[0] : '-';
}

static void check_seeks(struct store_txn *txn, void *arg)
{
	(void)arg;
	struct slice key, value;
	struct key at = key_empty();
	assert_int_equal(found_at(txn_seek(txn, TABLE_PEM, &at, false, &key, &value), key), 'b');
	assert_int_equal(found_at(txn_seek_back(txn, TABLE_PEM, &at, &key, &value), key), 'x');
	static const struct {
		char at, after, inclusive, back;
	} cases[] = {{'a', 'b', 'b', '-'}, {'b', 'd', 'b', 'b'}, {'c', 'd', 'd', 'b'},
		{'x', '-', 'x', 'x'}, {'z', '-', '-', 'x'}, {'b', 'd', 'b', 'b'}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		at = key_bytes(&cases[i].at, 1);
		assert_int_equal(found_at(txn_seek(txn, TABLE_PEM, &at, false, &key, &value), key),
			cases[i].after);
		assert_int_equal(found_at(txn_seek(txn, TABLE_PEM, &at, true, &key, &value), key),
			cases[i].inclusive);
		assert_int_equal(found_at(txn_seek_back(txn, TABLE_PEM, &at, &key, &value), key),
			cases[i].back);
	}
	assert_int_equal(txn_count(txn, TABLE_PEM), 12);
	at = key_empty();
	char order[32] = "";
	while (txn_seek(txn, TABLE_PEM, &at, false, &key, &value)) {
		strncat(order, (const char *)key.bytes, 1);
		at = key_bytes(key.bytes, key.len);
	}
	assert_string_equal(order, "bdfhjlnprtvx");
}

static void seeking_finds_neighbours_in_reads_and_in_writes(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(store, put_letters, NULL, &err), 0);
	struct store_txn *txn = store_fixture_read();
	check_seeks(txn, NULL);
	store_read_end(txn);
	assert_int_equal(store_write_now(store, check_seeks, NULL, &err), 0);
}

/* A walk that deletes what it stands on, as entry_delete_all does, and one that puts. */
static void delete_every_second(struct store_txn *txn, void *arg)
{
	(void)arg;
	struct slice key, value;
	struct key at = key_empty();
	for (int i = 0; txn_seek(txn, TABLE_PEM, &at, false, &key, &value); i++) {
		at = key_bytes(key.bytes, key.len);
		if (i % 2 == 0)
			txn_delete(txn, TABLE_PEM, &at);
	}
	assert_int_equal(txn_count(txn, TABLE_PEM), 6);
}

static void a_walk_in_a_write_survives_its_own_changes(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(store, put_letters, NULL, &err), 0);
	assert_int_equal(store_write_now(store, delete_every_second, NULL, &err), 0);
}

#define WITH_STORE(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, store_fixture_open, store_fixture_close_damaged)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_damaged_certificate_names_its_arn),
		WITH_STORE(every_table_names_itself_when_damaged),
		WITH_STORE(damage_ends_a_query_with_a_failure),
		WITH_STORE(a_state_that_is_not_known_is_damage),
		WITH_STORE(the_first_failure_stays_and_nothing_happens_after_it),
		WITH_STORE(a_failure_may_be_made_of_its_text),
		WITH_STORE(a_key_that_does_not_fit_fails_the_write),
		WITH_STORE(seeking_finds_neighbours_in_reads_and_in_writes),
		WITH_STORE(a_walk_in_a_write_survives_its_own_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
