/* Certificates that are gone for long are deleted with their indexes, the others stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/cert_internal.h"
#include "store/certs.h"
#include "store/key_internal.h"
#include "store/store_internal.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { CERTS = 60, OLD_S = 1000, RECENT_S = 5000, BEFORE_S = 2000 };

static void put_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < CERTS; i++) {
		struct sample_cert sample;
		sample_cert_init(&sample, i);
		if (i % 3 == 1)
			sample.record.gone_s = i % 2 == 0 ? OLD_S : RECENT_S;
		else
			sample.record.gone_s = 0;
		sample_cert_store(txn, &sample);
		sample_cert_clear(&sample);
	}
}

static int setup(void **state)
{
	(void)store_fixture_open(state);
	store_fixture_write(put_all, NULL);
	return 0;
}

struct chunk {
	struct store_gone_place from, to;
	int64_t before_s;
	size_t looks, deleted;
	bool has_more;
};

static void prune(struct store_txn *txn, void *arg)
{
	struct chunk *chunk = arg;
	chunk->has_more = store_gone_prune(
		txn, &chunk->from, chunk->before_s, chunk->looks, &chunk->to, &chunk->deleted);
}

/* The whole walk; how many were deleted. */
static size_t prune_all(int64_t before_s, size_t looks)
{
	struct err err = ERR_INIT;
	struct chunk chunk = {.before_s = before_s, .looks = looks, .has_more = true};
	size_t deleted = 0, chunks = 0;
	while (chunk.has_more) {
		assert_int_equal(store_write_now(store, prune, &chunk, &err), 0);
		chunk.from = chunk.to;
		deleted += chunk.deleted;
		assert_true(++chunks <= CERTS / looks + 1);
	}
	assert_int_equal(temp_store_problems(store), 0);
	return deleted;
}

static int64_t count(void)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	return stats.certificates;
}

static void those_that_are_gone_for_long_are_deleted_and_no_others(void **state)
{
	(void)state;
	assert_int_equal(prune_all(OLD_S, 1000), 0);
	assert_int_equal(prune_all(BEFORE_S, 1000), CERTS / 6);
	assert_int_equal(count(), CERTS - CERTS / 6);
	assert_int_equal(prune_all(BEFORE_S, 1000), 0);
	assert_int_equal(prune_all(RECENT_S + 1, 1000), CERTS / 6);
	assert_int_equal(prune_all(INT64_MAX, 1000), 0);
	assert_int_equal(count(), CERTS - CERTS / 3);
}

static void small_steps_find_the_same(void **state)
{
	(void)state;
	assert_int_equal(prune_all(BEFORE_S, 7), CERTS / 6);
	assert_int_equal(prune_all(RECENT_S + 1, 1), CERTS / 6);
}

/* What the index says of a certificate that is not there, or not gone, deletes nothing. */
static void put_wrong_entries(struct store_txn *txn, void *arg)
{
	(void)arg;
	struct sample_cert sample;
	unsigned char gone = CERT_FLAG_GONE;
	sample_cert_init(&sample, 0); /* there, and not gone */
	struct key key = key_cert_expiry(1, sample.arn);
	txn_put(txn, TABLE_CERT_EXPIRY, &key, &gone, sizeof(gone));
	key = key_cert_expiry(2, "arn:aws:acm:eu-west-1:111122223333:certificate/none");
	txn_put(txn, TABLE_CERT_EXPIRY, &key, &gone, sizeof(gone));
	key = key_bytes("short", 5);
	txn_put(txn, TABLE_CERT_EXPIRY, &key, &gone, sizeof(gone));
	key = key_cert_expiry(3, sample.arn);
	txn_put(txn, TABLE_CERT_EXPIRY, &key, "two", 2);
	sample_cert_clear(&sample);
}

static void a_wrong_index_deletes_nothing(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(store, put_wrong_entries, NULL, &err), 0);
	struct chunk chunk = {.before_s = BEFORE_S, .looks = 1000};
	assert_int_equal(store_write_now(store, prune, &chunk, &err), 0);
	assert_int_equal(chunk.deleted, CERTS / 6);
	assert_int_equal(count(), CERTS - CERTS / 6);
}

static void put_damaged(struct store_txn *txn, void *arg)
{
	struct sample_cert sample;
	(void)arg;
	sample_cert_init(&sample, 4); /* gone for long */
	struct key key = key_cert(sample.arn);
	txn_put(txn, TABLE_CERTS, &key, "x", 1);
	sample_cert_clear(&sample);
}

static void a_damaged_record_is_told(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct chunk chunk = {.before_s = BEFORE_S, .looks = 1000};
	assert_int_equal(store_write_now(store, put_damaged, NULL, &err), 0);
	assert_int_equal(store_write_now(store, prune, &chunk, &err), -1);
	assert_int_equal(err.kind, ERR_STORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			those_that_are_gone_for_long_are_deleted_and_no_others, setup,
			store_fixture_close_damaged),
		cmocka_unit_test_setup_teardown(
			small_steps_find_the_same, setup, store_fixture_close_damaged),
		cmocka_unit_test_setup_teardown(
			a_wrong_index_deletes_nothing, setup, store_fixture_close_damaged),
		cmocka_unit_test_setup_teardown(
			a_damaged_record_is_told, setup, store_fixture_close_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
