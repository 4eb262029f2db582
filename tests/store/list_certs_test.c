/* Lists of certificates, and one certificate: every parameter and every value that makes no sense. */
#include "store/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/err.h"
#include "store/cert_query.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"
#include "tests/store/list_fixture.h"

/* --- certificates ----------------------------------------------------------------------------- */

/* What the query itself finds, for comparison: list.c only has to hand the filter on. */
static size_t found(struct cert_filter filter)
{
	struct err err = ERR_INIT;
	struct cert_record record;
	bool is_end;
	size_t rows = 0;
	filter.now_s = SAMPLE_NOW_S;
	struct cert_query *query = cert_query_new(&filter, CERT_SORT_EXPIRES, &err);
	assert_non_null(query);
	struct store_txn *txn = store_fixture_read();
	while (cert_query_next(query, txn, 1000000, &record, &is_end))
		rows++;
	store_read_end(txn);
	cert_query_free(query);
	return rows;
}

static void is_filter(const char *words, struct cert_filter filter)
{
	size_t rows = count_rows(LIST_CERTIFICATES, words);
	assert_int_equal(rows, found(filter));
	/* The sample has both: a filter that is lost would not be noticed otherwise. */
	assert_true(rows > 0 && rows < CERTS);
}

static void every_filter_of_certificates_is_handed_on(void **state)
{
	(void)state;
	struct sample_cert sample;
	char hex[65];
	is_filter("account=000000100001",
		(struct cert_filter){.account_id = "000000100001", .in_use = -1});
	is_filter("region=eu-west-1", (struct cert_filter){.region = "eu-west-1", .in_use = -1});
	is_filter("status=EXPIRED", (struct cert_filter){.status = "EXPIRED", .in_use = -1});
	is_filter("type=IMPORTED", (struct cert_filter){.type = "IMPORTED", .in_use = -1});
	is_filter("domain=www1.shop1.example.com",
		(struct cert_filter){.domain = "www1.shop1.example.com", .in_use = -1});
	is_filter("domain_suffix=shop1.example.com",
		(struct cert_filter){.domain_suffix = "shop1.example.com", .in_use = -1});
	is_filter("tag=team=team-3",
		(struct cert_filter){.tag_key = "team", .tag_value = "team-3", .in_use = -1});
	is_filter("in_use=yes", (struct cert_filter){.in_use = 1});
	is_filter("in_use=0", (struct cert_filter){.in_use = 0});
	is_filter("expires=90d",
		(struct cert_filter){.expires_before_s = SAMPLE_NOW_S + 90 * DAY_S, .in_use = -1});
	is_filter("expires=2027-01-01",
		(struct cert_filter){.expires_before_s = 1798761600, .in_use = -1});
	is_filter("expires_after=0d",
		(struct cert_filter){.expires_after_s = SAMPLE_NOW_S, .in_use = -1});
	sample_cert_init(&sample, 8);
	is_filter("serial=0A:000000000000000000000000000008",
		(struct cert_filter){.serial = sample.serial, .in_use = -1});
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * (ptrdiff_t)i, 3, "%02X", sample.record.fingerprint_sha256[i]);
	char words[128];
	snprintf(words, sizeof(words), "fingerprint=0x%s", hex);
	assert_int_equal(count_rows(LIST_CERTIFICATES, words), 1);
	sample_cert_clear(&sample);
	assert_int_equal(count_rows(LIST_CERTIFICATES, "connector=prod"), CERTS);
	assert_int_equal(count_rows(LIST_CERTIFICATES, "connector=test"), 0);
	assert_int_equal(count_rows(LIST_CERTIFICATES, "tag=team"), CERTS);
	assert_int_equal(count_rows(LIST_CERTIFICATES, "tag=team="), 0);
}

static void put_gone(struct store_txn *txn, void *arg)
{
	struct sample_cert sample;
	const int64_t *gone_s = arg;
	sample_cert_init(&sample, 1);
	sample.record.gone_s = *gone_s;
	sample_cert_store(txn, &sample);
	sample_cert_clear(&sample);
}

static void gone_ones_are_listed_only_when_asked_for_or_named(void **state)
{
	(void)state;
	int64_t gone_s = SAMPLE_NOW_S - DAY_S, still_there = 0;
	store_fixture_write(put_gone, &gone_s);
	assert_int_equal(count_rows(LIST_CERTIFICATES, ""), CERTS - 1);
	assert_int_equal(count_rows(LIST_CERTIFICATES, "gone=no"), CERTS - 1);
	assert_int_equal(count_rows(LIST_CERTIFICATES, "gone=1"), CERTS);
	assert_int_equal(count_rows(LIST_CERTIFICATE, "q=www1.shop1.example.com"), 0);
	assert_int_equal(count_rows(LIST_CERTIFICATE, "gone=yes&q=www1.shop1.example.com"), 1);
	assert_int_equal(count_rows(LIST_CERTIFICATE, "q=www1.shop1.example.com&gone=yes"), 1);
	assert_int_equal(count_rows(LIST_CERTIFICATE, "q=0a000000000000000000000000000001"), 1);
	store_fixture_write(put_gone, &still_there);
}

static void certificates_come_in_the_order_asked_for(void **state)
{
	(void)state;
	static const char *const sort[] = {
		"expires", "domain", "account", "region", "status", "type", "first_seen", "arn"};
	static const char *const key[] = {"not_after", "domain_name", "account_id", "region",
		"status", "type", "first_seen", "arn"};
	for (size_t i = 0; i < sizeof(sort) / sizeof(sort[0]); i++) {
		char words[64];
		json_t *whole;
		snprintf(words, sizeof(words), "sort=%s&expires_after=0d", sort[i]);
		const json_t *array =
			read_document(LIST_CERTIFICATES, words, "certificates", &whole);
		assert_true(json_array_size(array) > 10);
		for (size_t k = 1; k < json_array_size(array); k++) {
			const char *a = json_string_value(
				json_object_get(json_array_get(array, k - 1), key[i]));
			const char *b = json_string_value(
				json_object_get(json_array_get(array, k), key[i]));
			if (strcmp(sort[i], "first_seen") == 0)
				assert_true(strcmp(a, b) >= 0);
			else
				assert_true(strcmp(a, b) <= 0);
		}
		json_decref(whole);
	}
}

static void values_that_make_no_sense_are_refused_by_name(void **state)
{
	(void)state;
	const enum list_kind kind = LIST_CERTIFICATES;
	expect_refused(kind, "colour=red", "unknown parameter \"colour\"");
	expect_refused(kind, "q=x", "unknown parameter \"q\"");
	expect_refused(kind, "region=a&region=b", "region is given twice");
	expect_refused(kind, "expires=soon",
		"expires: \"soon\" is not a duration (30d, 12h) or a date (2026-12-31)");
	expect_refused(kind, "expires_after=",
		"expires_after: \"\" is not a duration (30d, 12h) or a date (2026-12-31)");
	expect_refused(kind, "expires=9223372036854775807",
		"expires: \"9223372036854775807\" is not a duration (30d, 12h) or a date "
		"(2026-12-31)");
	expect_refused(kind, "in_use=maybe", "in_use: \"maybe\" is not yes or no");
	expect_refused(kind, "gone=2", "gone: \"2\" is not yes or no");
	expect_refused(kind, "tag=", "tag: \"\" is not KEY or KEY=VALUE");
	expect_refused(kind, "tag==v", "tag: \"=v\" is not KEY or KEY=VALUE");
	expect_refused(kind, "fingerprint=xyz", "fingerprint: \"xyz\" is not a hexadecimal number");
	expect_refused(kind, "serial=0x", "serial: \"0x\" is not a hexadecimal number");
	expect_refused(kind, "serial=::", "serial: \"::\" is not a hexadecimal number");
	expect_refused(kind, "sort=colour",
		"sort: \"colour\" is not expires, domain, account, region, status, type, "
		"first_seen or arn");
}

static void values_without_end_are_refused(void **state)
{
	(void)state;
	char words[4096];
	struct err err = ERR_INIT;
	static const char *const key[] = {"tag=", "serial=", "fingerprint="};
	for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++) {
		size_t len = strlen(key[i]);
		memcpy(words, key[i], len);
		memset(words + len, 'a', sizeof(words) - len - 1);
		words[sizeof(words) - 1] = '\0';
		assert_null(make_list(LIST_CERTIFICATES, words, true, &err));
		assert_int_equal(err.kind, ERR_CONFIG);
	}
	memcpy(words, "q=", 2);
	assert_null(make_list(LIST_CERTIFICATE, words, true, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
}

/* The query refuses what can match nothing by its form. */
static void the_query_s_own_refusals_come_through(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_null(make_list(LIST_CERTIFICATES, "fingerprint=abcd", true, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
}

static void the_beginning_of_time_is_a_date_like_others(void **state)
{
	(void)state;
	assert_int_equal(count_rows(LIST_CERTIFICATES, "expires=1970-01-01"), 0);
	assert_int_equal(count_rows(LIST_CERTIFICATES, "expires=9000w"),
		found((struct cert_filter){.expires_before_s = INT64_MAX, .in_use = -1}));
}

/* --- one certificate -------------------------------------------------------------------------- */

static void a_question_is_an_arn_a_fingerprint_a_serial_or_a_domain(void **state)
{
	(void)state;
	struct sample_cert sample;
	char words[512], hex[65];
	sample_cert_init(&sample, 12);
	snprintf(words, sizeof(words), "q=%s", sample.arn);
	assert_int_equal(count_rows(LIST_CERTIFICATE, words), 1);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * (ptrdiff_t)i, 3, "%02x", sample.record.fingerprint_sha256[i]);
	snprintf(words, sizeof(words), "q=%s", hex);
	assert_int_equal(count_rows(LIST_CERTIFICATE, words), 1);
	snprintf(words, sizeof(words), "q=%s", sample.serial);
	assert_int_equal(count_rows(LIST_CERTIFICATE, words), 1);
	/* Covered by a wildcard, too. */
	assert_int_equal(count_rows(LIST_CERTIFICATE, "q=anything.shop12.example.com"), 1);
	assert_int_equal(count_rows(LIST_CERTIFICATE, "q=arn:aws:acm:mars"), 0);
	assert_int_equal(count_rows(LIST_CERTIFICATE, "q=cafe"), 0);
	/* All hexadecimal, but longer than any serial: taken for a domain, and too long for one. */
	struct err err = ERR_INIT;
	memset(words, 'a', 72);
	memcpy(words, "q=", 2);
	words[72] = '\0';
	assert_null(make_list(LIST_CERTIFICATE, words, true, &err));
	assert_non_null(strstr(err.text, "not a domain name"));
	sample_cert_clear(&sample);
}

static void the_pem_is_given_on_request(void **state)
{
	(void)state;
	static const char *const words[] = {"q=www1.shop1.example.com&pem=yes",
		"q=www1.shop1.example.com&pem=no", "q=www1.shop1.example.com"};
	for (size_t i = 0; i < 3; i++) {
		json_t *whole;
		const json_t *array =
			read_document(LIST_CERTIFICATE, words[i], "certificates", &whole);
		const json_t *pem = json_object_get(json_array_get(array, 0), "pem");
		assert_int_equal(json_is_string(pem), i == 0);
		json_decref(whole);
	}
}

static void a_question_is_needed_and_must_make_sense(void **state)
{
	(void)state;
	expect_refused(LIST_CERTIFICATE, "", "q is missing: an ARN, fingerprint, serial or domain");
	expect_refused(
		LIST_CERTIFICATE, "pem=yes", "q is missing: an ARN, fingerprint, serial or domain");
	expect_refused(LIST_CERTIFICATE,
		"q=", "q: \"\" is not an ARN, a fingerprint, a serial or a domain");
	expect_refused(LIST_CERTIFICATE, "q=a&pem=x", "pem: \"x\" is not yes or no");
	expect_refused(LIST_CERTIFICATE, "q=a&gone=x", "gone: \"x\" is not yes or no");
	expect_refused(LIST_CERTIFICATE, "q=a&region=x", "unknown parameter \"region\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_filter_of_certificates_is_handed_on),
		cmocka_unit_test(gone_ones_are_listed_only_when_asked_for_or_named),
		cmocka_unit_test(certificates_come_in_the_order_asked_for),
		cmocka_unit_test(values_that_make_no_sense_are_refused_by_name),
		cmocka_unit_test(values_without_end_are_refused),
		cmocka_unit_test(the_query_s_own_refusals_come_through),
		cmocka_unit_test(the_beginning_of_time_is_a_date_like_others),
		cmocka_unit_test(a_question_is_an_arn_a_fingerprint_a_serial_or_a_domain),
		cmocka_unit_test(the_pem_is_given_on_request),
		cmocka_unit_test(a_question_is_needed_and_must_make_sense),
	};
	return cmocka_run_group_tests(tests, list_fixture_open, store_fixture_close);
}
