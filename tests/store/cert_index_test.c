/* A put touches the index entries that changed, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/certs.h"
#include "store/store_internal.h"
#include "tests/lib/fake_lmdb.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

static struct sample_cert sample;

static void put_record(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_cert_put(txn, &sample.record);
}

static void put(void)
{
	store_fixture_write(put_record, NULL);
}

/* Puts the sample again; so many entries must have been put and deleted. */
static void assert_touches(size_t puts, size_t deletes)
{
	fake_lmdb_reset();
	put();
	assert_int_equal(fake_lmdb_count(FAKE_LMDB_PUT), puts);
	assert_int_equal(fake_lmdb_count(FAKE_LMDB_DEL), deletes);
}

static int setup(void **state)
{
	(void)store_fixture_open(state);
	sample_cert_init(&sample, 2);
	sample.record.has_pem = false;
	sample.record.chain_count = 0;
	put();
	return 0;
}

static int teardown(void **state)
{
	sample_cert_clear(&sample);
	return store_fixture_close(state);
}

static void entries(size_t *ret_expiry, size_t *ret_fingerprint, size_t *ret_domain)
{
	struct store_txn *txn = store_fixture_read();
	*ret_expiry = (size_t)txn_count(txn, TABLE_CERT_EXPIRY);
	*ret_fingerprint = (size_t)txn_count(txn, TABLE_CERT_FINGERPRINT);
	*ret_domain = (size_t)txn_count(txn, TABLE_CERT_DOMAIN);
	store_read_end(txn);
}

static void an_unchanged_certificate_touches_nothing(void **state)
{
	(void)state;
	assert_touches(0, 0);
}

static void what_no_index_knows_touches_the_record_alone(void **state)
{
	(void)state;
	sample.record.renewal_status = "PENDING_AUTO_RENEWAL";
	assert_touches(1, 0);
}

static void a_flag_is_put_in_place(void **state)
{
	(void)state;
	sample.record.gone_s = 5;
	assert_touches(2, 0); /* record, expiry entry with its new flags */
}

static void a_new_expiry_moves_one_entry(void **state)
{
	(void)state;
	sample.record.not_after_s += 10;
	assert_touches(2, 1);
	sample.record.not_after_s = 0;
	assert_touches(2, 1);
}

static void a_new_serial_and_fingerprint_move_theirs(void **state)
{
	(void)state;
	sample.record.fingerprint_sha256[0] ^= 1;
	assert_touches(2, 1);
	sample.record.serial = "0b";
	assert_touches(2, 0); /* record, history */
	memset(sample.record.fingerprint_sha256, 0, CERT_SHA256_LEN);
	assert_touches(1, 1); /* zeroes are no fingerprint */
}

static void only_the_names_that_changed_are_touched(void **state)
{
	(void)state;
	sample_cert_set_names(&sample, "a.example.com", "b.example.com", "c.example.com", NULL);
	put();
	sample_cert_set_names(&sample, "a.example.com", "c.example.com", "d.example.com", NULL);
	assert_touches(2, 1); /* record, d; b */
	sample_cert_set_names(&sample, "a.example.com", "d.example.com", "c.example.com", NULL);
	assert_touches(1, 0); /* another order of the same names */
	sample_cert_set_names(&sample, "A.example.com", "d.example.com", "c.EXAMPLE.com", NULL);
	assert_touches(1, 0); /* case does not matter to the index */
}

static void names_given_twice_have_one_entry(void **state)
{
	(void)state;
	size_t expiry, fingerprint, domain;
	sample_cert_set_names(&sample, "a.example.com", "a.example.com", "A.EXAMPLE.COM", "", NULL);
	put();
	entries(&expiry, &fingerprint, &domain);
	assert_int_equal(expiry, 1);
	assert_int_equal(fingerprint, 1);
	assert_int_equal(domain, 1);
}

static void names_that_only_differ_where_they_are_cut_have_one_entry(void **state)
{
	(void)state;
	size_t expiry, fingerprint, domain;
	char a[510], b[510];
	memset(a, 'x', sizeof(a));
	memcpy(a + sizeof(a) - 13, ".example.com", 13);
	memcpy(b, a, sizeof(b));
	b[sizeof(b) - 14] = 'y'; /* the end of its first label, which comes last in the key */
	buf_reset(&sample.sans);
	pack_add(&sample.sans, a);
	pack_add(&sample.sans, b);
	sample.record.domain_name = "";
	sample.record.sans =
		(struct pack){.bytes = sample.sans.data, .len = sample.sans.len, .count = 2};
	put();
	entries(&expiry, &fingerprint, &domain);
	assert_int_equal(domain, 1);
	sample_cert_set_names(&sample, "short.example.com", NULL);
	sample.record.domain_name = sample.domain_name;
	put();
	entries(&expiry, &fingerprint, &domain);
	assert_int_equal(domain, 1);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(an_unchanged_certificate_touches_nothing),
		WITH_STORE(what_no_index_knows_touches_the_record_alone),
		WITH_STORE(a_flag_is_put_in_place),
		WITH_STORE(a_new_expiry_moves_one_entry),
		WITH_STORE(a_new_serial_and_fingerprint_move_theirs),
		WITH_STORE(only_the_names_that_changed_are_touched),
		WITH_STORE(names_given_twice_have_one_entry),
		WITH_STORE(names_that_only_differ_where_they_are_cut_have_one_entry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
