/* Every serial ever seen under an ARN. */
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/certs.h"
#include "store/store.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

static struct sample_cert sample;

static int setup(void **state)
{
	(void)store_fixture_open(state);
	sample_cert_init(&sample, 2);
	return 0;
}

static int teardown(void **state)
{
	sample_cert_clear(&sample);
	return store_fixture_close(state);
}

static void put_sample(struct store_txn *txn, void *arg)
{
	(void)arg;
	sample_cert_store(txn, &sample);
}

/* As read at that moment. */
static void put(const char *serial, int64_t now_s)
{
	fake_clock_set_now_s(now_s);
	sample.record.serial = serial;
	sample.record.detailed_s = now_s;
	store_fixture_write(put_sample, NULL);
}

/* "a=10 b=20 ": serials and when they were seen. */
static void assert_history(const char *expected)
{
	struct err err = ERR_INIT;
	struct cert_history history;
	uint32_t position = 0;
	char found[400] = "";
	struct store_txn *txn = store_fixture_read();
	while (store_history_next(txn, sample.arn, &position, &history)) {
		size_t len = strlen(found);
		snprintf(found + len, sizeof(found) - len, "%s=%lld ", history.serial,
			(long long)history.first_seen_s);
		assert_int_equal(history.not_after_s, sample.record.not_after_s);
	}
	assert_int_equal(store_txn_check(txn, &err), 0);
	store_read_end(txn);
	assert_string_equal(found, expected);
}

static void a_serial_that_is_new_to_the_arn_adds_a_record(void **state)
{
	(void)state;
	sample.record.first_seen_s = 10;
	put("a", 0);
	put("a", 15);
	put("b", 20);
	put("c", 30);
	assert_history("a=10 b=20 c=30 ");
}

static void a_serial_that_comes_back_is_known_already(void **state)
{
	(void)state;
	sample.record.first_seen_s = 10;
	put("a", 0);
	put("b", 20);
	put("a", 30);
	assert_history("a=10 b=20 ");
}

static void a_certificate_without_serial_has_no_history_yet(void **state)
{
	(void)state;
	sample.record.first_seen_s = 10;
	put("", 0);
	assert_history("");
	put("a", 12);
	assert_history("a=12 ");
}

/* As when tags are never allowed: no reading of the details is ever complete. */
static void a_serial_is_dated_when_it_was_seen_whatever_details_are_missing(void **state)
{
	(void)state;
	sample.record.first_seen_s = 10;
	put("a", 10);
	fake_clock_set_now_s(50);
	sample.record.serial = "b"; /* its details: still those of 10 */
	store_fixture_write(put_sample, NULL);
	assert_history("a=10 b=50 ");
}

/* "a=01 b=02 ": serials and the first byte of their fingerprints. */
static void assert_fingerprints(const char *expected)
{
	struct cert_history history;
	uint32_t position = 0;
	char found[400] = "";
	struct store_txn *txn = store_fixture_read();
	while (store_history_next(txn, sample.arn, &position, &history)) {
		size_t len = strlen(found);
		snprintf(found + len, sizeof(found) - len, "%s=%02x ", history.serial,
			history.fingerprint_sha256[0]);
	}
	store_read_end(txn);
	assert_string_equal(found, expected);
}

/* As when Describe told of a renewal and Get failed until the next cycle. */
static void a_fingerprint_that_comes_later_is_filled_in(void **state)
{
	(void)state;
	sample.record.first_seen_s = 10;
	sample.record.has_pem = false;
	memset(sample.record.fingerprint_sha256, 0, CERT_SHA256_LEN);
	put("a", 10);
	put("b", 20);
	assert_fingerprints("a=00 b=00 ");
	sample.record.has_pem = true;
	SHA256((const unsigned char *)sample.der, sizeof(sample.der),
		sample.record.fingerprint_sha256);
	char expected[32];
	snprintf(expected, sizeof(expected), "a=00 b=%02x ", sample.record.fingerprint_sha256[0]);
	put("b", 30);
	assert_fingerprints(expected);
	assert_history("a=10 b=20 ");
}

static void more_than_255_serials_stay_in_order(void **state)
{
	(void)state;
	sample.record.first_seen_s = 0;
	char serial[16], last[16] = "";
	for (int i = 0; i < 300; i++) {
		snprintf(serial, sizeof(serial), "%06x", i);
		put(serial, i + 1);
	}
	struct cert_history history;
	uint32_t position = 0;
	int count = 0;
	struct store_txn *txn = store_fixture_read();
	for (; store_history_next(txn, sample.arn, &position, &history); count++) {
		assert_true(strcmp(last, history.serial) < 0);
		snprintf(last, sizeof(last), "%s", history.serial);
	}
	assert_int_equal(count, 300);
	store_read_end(txn);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_serial_that_is_new_to_the_arn_adds_a_record),
		WITH_STORE(a_serial_that_comes_back_is_known_already),
		WITH_STORE(a_certificate_without_serial_has_no_history_yet),
		WITH_STORE(a_serial_is_dated_when_it_was_seen_whatever_details_are_missing),
		WITH_STORE(a_fingerprint_that_comes_later_is_filled_in),
		WITH_STORE(more_than_255_serials_stay_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
