/* Certificates: put, get, delete, walk; ARNs that would not be found again are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/certs.h"
#include "store/store.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

static void put_sample(struct store_txn *txn, void *arg)
{
	sample_cert_store(txn, arg);
}

static int put(const struct sample_cert *sample, struct err *err)
{
	return store_write_now(store, put_sample, (void *)(uintptr_t)sample, err);
}

static void a_certificate_comes_back_as_it_was_put(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct sample_cert sample;
	struct cert_record record;
	sample_cert_init(&sample, 12);
	assert_int_equal(put(&sample, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_cert_get(txn, sample.arn, &record));
	assert_string_equal(record.arn, sample.arn);
	assert_string_equal(record.serial, sample.serial);
	assert_string_equal(record.subject, sample.subject);
	assert_int_equal(record.not_after_s, sample.record.not_after_s);
	assert_int_equal(record.sans.count, 2);
	assert_memory_equal(record.fingerprint_sha256, sample.record.fingerprint_sha256, 32);
	assert_false(store_cert_get(txn, "arn:aws:acm:eu-west-1:1:certificate/x", &record));
	assert_false(store_txn_failed(txn)); /* not there is not a failure */
	store_read_end(txn);
	sample_cert_clear(&sample);
}

static void putting_again_replaces(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct sample_cert sample;
	struct cert_record record;
	sample_cert_init(&sample, 12);
	assert_int_equal(put(&sample, &err), 0);
	sample_cert_set_names(&sample, "new.example.org", NULL);
	sample.record.not_after_s += 5;
	sample.record.status = "EXPIRED";
	sample.record.gone_s = 77;
	assert_int_equal(put(&sample, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_cert_get(txn, sample.arn, &record));
	assert_string_equal(record.domain_name, "new.example.org");
	assert_string_equal(record.status, "EXPIRED");
	assert_int_equal(record.gone_s, 77);
	store_read_end(txn);
	sample_cert_clear(&sample);
}

static void delete_sample(struct store_txn *txn, void *arg)
{
	const struct sample_cert *sample = arg;
	store_cert_delete(txn, sample->arn);
	store_cert_delete(txn, "arn:aws:acm:eu-west-1:1:certificate/not-there");
}

static void deleting_leaves_nothing_but_the_pem(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct sample_cert sample;
	struct cert_record record;
	struct cert_history history;
	uint32_t position = 0;
	const void *der;
	size_t der_len;
	sample_cert_init(&sample, 12);
	assert_int_equal(put(&sample, &err), 0);
	assert_int_equal(store_write_now(store, delete_sample, &sample, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_false(store_cert_get(txn, sample.arn, &record));
	assert_false(store_history_next(txn, sample.arn, &position, &history));
	assert_true(store_pem_get(txn, sample.record.fingerprint_sha256, &der, &der_len));
	store_read_end(txn);
	sample_cert_clear(&sample);
}

/* As discovery does: walk a region, change what was read, put it back. */
static void mark_gone(struct store_txn *txn, void *arg)
{
	int *count = arg;
	char position[CERT_ARN_MAX + 1] = "";
	struct cert_record record;
	*count = 0;
	while (store_cert_next_in_region(
		txn, "aws", "eu-west-1", "000000100000", position, &record)) {
		record.gone_s = 1234;
		store_cert_put(txn, &record); /* its texts point into the map */
		(*count)++;
	}
}

static void put_many(struct store_txn *txn, void *arg)
{
	const uint32_t *count = arg;
	for (uint32_t i = 0; i < *count; i++)
		sample_cert_put(txn, i);
}

static void a_walk_of_a_region_can_change_what_it_reads(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	uint32_t many = 200;
	int count = 0;
	struct cert_record record;
	assert_int_equal(store_write_now(store, put_many, &many, &err), 0);
	assert_int_equal(store_write_now(store, mark_gone, &count, &err), 0);
	assert_int_equal(count, 4); /* 16 an account, in 4 regions */
	struct store_txn *txn = store_fixture_read();
	char position[CERT_ARN_MAX + 1] = "", last[CERT_ARN_MAX + 1] = "";
	for (count = 0; store_cert_next_in_region(
		     txn, "aws", "eu-west-1", "000000100000", position, &record);
		count++) {
		assert_int_equal(record.gone_s, 1234);
		assert_string_equal(record.region, "eu-west-1");
		assert_string_equal(record.issuer, "CN=Amazon RSA 2048 M02,O=Amazon,C=US");
		assert_true(strcmp(last, record.arn) < 0);
		snprintf(last, sizeof(last), "%s", record.arn);
	}
	assert_int_equal(count, 4);
	assert_false(store_txn_failed(txn));
	store_read_end(txn);
}

static void a_walk_goes_on_in_a_later_transaction(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	uint32_t many = 64;
	char position[CERT_ARN_MAX + 1] = "";
	struct cert_record record;
	int count = 0;
	assert_int_equal(store_write_now(store, put_many, &many, &err), 0);
	for (bool is_more = true; is_more;) {
		struct store_txn *txn = store_fixture_read();
		is_more = store_cert_next_in_region(
			txn, "aws", "us-east-1", "000000100001", position, &record);
		count += is_more;
		store_read_end(txn);
	}
	assert_int_equal(count, 4);
}

static void an_arn_that_contradicts_its_place_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"x",
		"arn:aws:acm:eu-west-1:000000000001:certificate/1", /* another account */
		"arn:aws:acm:eu-west-2:000000100000:certificate/1", /* another region */
		"arn:aws:iam:eu-west-1:000000100000:certificate/1", /* another service */
		"arn::acm:eu-west-1:000000100000:certificate/1",    /* no partition */
		"arn:aws:acm:eu-west-1:000000100000",		    /* nothing behind */
		"arn:aws:acm:eu-west-10:000000100000:certificate/1",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;
		struct sample_cert sample;
		sample_cert_init(&sample, 1); /* eu-west-1, 000000100000 */
		sample.record.arn = bad[i];
		assert_int_equal(put(&sample, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
		assert_non_null(strstr(err.text, "000000100000 in eu-west-1"));
		sample_cert_clear(&sample);
	}
}

static void what_is_too_long_is_refused_and_changes_nothing(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct sample_cert sample;
	char arn[CERT_ARN_MAX + 2];
	unsigned char before[STORE_DIGEST_LEN], after[STORE_DIGEST_LEN];
	temp_store_digest(store, before);
	sample_cert_init(&sample, 1);
	size_t len = (size_t)snprintf(arn, sizeof(arn), "%s", sample.arn);
	memset(arn + len, '0', sizeof(arn) - len);
	arn[CERT_ARN_MAX + 1] = '\0';
	sample.record.arn = arn;
	assert_int_equal(put(&sample, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	arn[CERT_ARN_MAX] = '\0';
	char *subject = xmalloc(70000);
	memset(subject, 's', 69999);
	subject[69999] = '\0';
	sample.record.subject = subject;
	assert_int_equal(put(&sample, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_non_null(strstr(err.text, "subject is too large"));
	temp_store_digest(store, after);
	assert_memory_equal(before, after, sizeof(before));
	sample.record.subject = "short";
	assert_int_equal(put(&sample, &err), 0); /* the longest ARN is fine in every table */
	free(subject);
	sample_cert_clear(&sample);
}

static void many_names_are_no_problem(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct sample_cert sample;
	struct cert_record record;
	sample_cert_init(&sample, 5);
	buf_reset(&sample.sans);
	uint32_t count = 0;
	for (; count < 3500; count++) {
		char name[300];
		snprintf(name, sizeof(name), "%0240u.example.com", count);
		pack_add(&sample.sans, name);
	}
	sample.record.sans =
		(struct pack){.bytes = sample.sans.data, .len = sample.sans.len, .count = count};
	assert_int_equal(put(&sample, &err), 0);
	struct store_txn *txn = store_fixture_read();
	assert_true(store_cert_get(txn, sample.arn, &record));
	assert_int_equal(record.sans.count, count);
	store_read_end(txn);
	sample_cert_clear(&sample);
}

static void a_name_leads_to_all_that_have_it(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_name_position position = {.is_begun = false};
	struct sample_cert one, two, other;
	char arn[CERT_ARN_MAX + 1];
	size_t count = 0;
	sample_cert_init(&one, 1);
	sample_cert_init(&two, 2);
	sample_cert_init(&other, 3);
	sample_cert_set_names(&one, "www.Example.com", NULL);
	sample_cert_set_names(&two, "shop.example.com", "WWW.example.com", NULL);
	sample_cert_set_names(&other, "www.example.com.test", "a.www.example.com", NULL);
	assert_int_equal(put(&one, &err), 0);
	assert_int_equal(put(&two, &err), 0);
	assert_int_equal(put(&other, &err), 0);
	struct store_txn *txn = store_fixture_read();
	while (store_cert_next_of_name(txn, "www.example.COM", &position, arn)) {
		assert_true(strcmp(arn, one.arn) == 0 || strcmp(arn, two.arn) == 0);
		count++;
	}
	assert_int_equal(count, 2);
	assert_false(store_txn_failed(txn));
	store_read_end(txn);
	sample_cert_clear(&one);
	sample_cert_clear(&two);
	sample_cert_clear(&other);
}

#define WITH_STORE(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, store_fixture_open, store_fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_certificate_comes_back_as_it_was_put),
		WITH_STORE(putting_again_replaces),
		WITH_STORE(deleting_leaves_nothing_but_the_pem),
		WITH_STORE(a_walk_of_a_region_can_change_what_it_reads),
		WITH_STORE(a_walk_goes_on_in_a_later_transaction),
		WITH_STORE(an_arn_that_contradicts_its_place_is_refused),
		WITH_STORE(what_is_too_long_is_refused_and_changes_nothing),
		WITH_STORE(many_names_are_no_problem),
		WITH_STORE(a_name_leads_to_all_that_have_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
