/* Queries against the plain truth: every filter over every record, in every order, in slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/text.h"
#include "store/cert_query.h"
#include "store/store_internal.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { CERTS = 400, DAY_S = 86400 };

/* What the samples do not have: gone ones, names that share certificates, another partition. */
static void put_odd(struct store_txn *txn, uint32_t number, const char *name, const char *other)
{
	struct sample_cert sample;
	sample_cert_init(&sample, number);
	sample_cert_set_names(&sample, name, other, NULL);
	if (number % 2 == 0)
		sample.record.gone_s = 5;
	sample_cert_store(txn, &sample);
	sample_cert_clear(&sample);
}

static void put_elsewhere(
	struct store_txn *txn, uint32_t number, const char *partition, const char *region)
{
	struct sample_cert sample;
	sample_cert_init(&sample, number);
	snprintf(sample.arn, sizeof(sample.arn), "arn:%s:acm:%s:%s:certificate/%u", partition,
		region, sample.account_id, number);
	sample.record.region = region;
	sample_cert_store(txn, &sample);
	sample_cert_clear(&sample);
}

static void put_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < CERTS; i++)
		sample_cert_put(txn, i);
	put_odd(txn, 3, "shop.example.com", "www.shop.example.com");
	put_odd(txn, 4, "www.shop.example.com", "shop.example.com");
	put_odd(txn, 5, "*.shop.example.com", "www.shop.example.com");
	put_odd(txn, 7, "xn--mnchen-3ya.example", "WWW.UPPER.example.com");
	put_odd(txn, 9, "shop.example.com.evil.org", "notshop.example.com");
	put_odd(txn, 12, "*.example.com", "example.com");
	put_elsewhere(txn, 1000, "aws-cn", "cn-north-1");
	put_elsewhere(txn, 1001, "aws-us-gov", "us-gov-west-1");
	put_elsewhere(txn, 33, "aws-us-gov", "us-gov-east-1"); /* an account in two partitions */
}

static int setup(void **state)
{
	(void)store_fixture_open(state);
	store_fixture_write(put_all, NULL);
	return 0;
}

/* --- the plain truth ----------------------------------------------------------------------------- */

enum { FOUND_MAX = 2000 };

struct found {
	size_t count;
	char arn[FOUND_MAX][128];
	int64_t not_after_s[FOUND_MAX];
	char domain[FOUND_MAX][64];
};

static void add(struct found *found, const struct cert_record *record)
{
	assert_true(found->count < FOUND_MAX);
	size_t i = found->count++;
	text_copy(found->arn[i], sizeof(found->arn[i]), record->arn);
	text_copy(found->domain[i], sizeof(found->domain[i]), record->domain_name);
	text_lower(found->domain[i]);
	found->not_after_s[i] = record->not_after_s;
}

static void find_plainly(const struct cert_filter *filter, struct found *found)
{
	static const char *const partitions[] = {"aws", "aws-cn", "aws-us-gov"};
	static const char *const regions[] = {"cn-north-1", "eu-central-1", "eu-west-1",
		"us-east-1", "us-gov-east-1", "us-gov-west-1", "us-west-2"};
	struct store_txn *txn = store_fixture_read();
	found->count = 0;
	for (size_t i = 0; i < 3 * 7; i++) {
		char position[CERT_ARN_MAX + 1] = "";
		struct cert_record record;
		while (store_cert_next_in_region(
			txn, partitions[i / 7], regions[i % 7], NULL, position, &record))
			if (cert_filter_matches(filter, &record))
				add(found, &record);
	}
	store_read_end(txn);
}

static void find(
	const struct cert_filter *filter, enum cert_sort sort, size_t slice, struct found *found)
{
	struct err err = ERR_INIT;
	bool is_end = false;
	found->count = 0;
	struct cert_query *query = cert_query_new(filter, sort, &err);
	assert_non_null(query);
	while (!is_end) {
		struct store_txn *txn = store_fixture_read();
		struct cert_record record;
		if (cert_query_next(query, txn, slice, &record, &is_end)) {
			assert_false(is_end);
			add(found, &record);
		}
		assert_int_equal(store_txn_check(txn, &err), 0);
		store_read_end(txn);
	}
	struct store_txn *txn = store_fixture_read();
	struct cert_record record;
	assert_false(cert_query_next(query, txn, slice, &record, &is_end)); /* the end stays */
	assert_true(is_end);
	store_read_end(txn);
	cert_query_free(query);
}

static int compare_arns(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void assert_same(struct found *a, struct found *b)
{
	assert_int_equal(a->count, b->count);
	qsort(a->arn, a->count, sizeof(a->arn[0]), compare_arns);
	qsort(b->arn, b->count, sizeof(b->arn[0]), compare_arns);
	for (size_t i = 0; i < a->count; i++)
		assert_string_equal(a->arn[i], b->arn[i]);
}

static void assert_in_order(const struct found *found, enum cert_sort sort)
{
	for (size_t i = 1; i < found->count; i++) {
		int64_t before = found->not_after_s[i - 1], after = found->not_after_s[i];
		if (sort == CERT_SORT_EXPIRES)
			assert_true(after == 0 || (before != 0 && before <= after));
		if (sort == CERT_SORT_DOMAIN)
			assert_true(strcmp(found->domain[i - 1], found->domain[i]) <= 0);
		if (sort == CERT_SORT_ARN)
			assert_true(strcmp(found->arn[i - 1], found->arn[i]) < 0);
	}
}

#define FILTER(...)                                                                                \
	{                                                                                          \
		.in_use = -1, .now_s = SAMPLE_NOW_S, __VA_ARGS__                                   \
	}

static const struct cert_filter filters[] = {
	FILTER(.connector = NULL),
	FILTER(.include_gone = true),
	FILTER(.connector = "prod"),
	FILTER(.connector = "nobody"),
	FILTER(.account_id = "000000100002"),
	FILTER(.account_id = "000000100002", .include_gone = true),
	FILTER(.account_id = "999999999999"),
	FILTER(.region = "eu-west-1"),
	FILTER(.region = "ap-south-1"),
	FILTER(.region = "us-gov-east-1"),
	FILTER(.region = "eu-west-1", .account_id = "000000100002"),
	FILTER(.status = "EXPIRED"),
	FILTER(.type = "imported", .status = "issued"),
	FILTER(.domain = "www.shop.example.com"),
	FILTER(.domain = "shop.example.com"),
	FILTER(.domain = "www17.shop17.example.com"),
	FILTER(.domain = "new.shop17.example.com"),
	FILTER(.domain = "*.shop17.example.com"),
	FILTER(.domain = "*w.shop17.example.com"),
	FILTER(.domain = "www.upper.example.com"),
	FILTER(.domain = "xn--mnchen-3ya.example"),
	FILTER(.domain = "com"),
	FILTER(.domain_suffix = "shop.example.com"),
	FILTER(.domain_suffix = "example.com"),
	FILTER(.domain_suffix = "example.com", .include_gone = true),
	FILTER(.domain_suffix = "com"),
	FILTER(.domain_suffix = "org"),
	FILTER(.domain_suffix = "shop17.example.com", .domain = "www17.shop17.example.com"),
	FILTER(.tag_key = "team", .tag_value = "team-3"),
	FILTER(.expires_before_s = SAMPLE_NOW_S + 30 * DAY_S),
	FILTER(.expires_before_s = SAMPLE_NOW_S + 30 * DAY_S, .include_gone = true),
	FILTER(.expires_after_s = SAMPLE_NOW_S + 300 * DAY_S),
	FILTER(.expires_after_s = SAMPLE_NOW_S, .expires_before_s = SAMPLE_NOW_S + 30 * DAY_S),
	FILTER(.expires_after_s = SAMPLE_NOW_S, .expires_before_s = SAMPLE_NOW_S - DAY_S),
	FILTER(.expires_before_s = INT64_MAX),
	FILTER(.expires_after_s = INT64_MAX),
	FILTER(.expires_before_s = 1),
	FILTER(.expires_before_s = -1),
	FILTER(.expires_after_s = -1),
	FILTER(.account_id = "000000100002", .expires_before_s = SAMPLE_NOW_S + 90 * DAY_S),
	{.in_use = 1, .now_s = SAMPLE_NOW_S},
	{.in_use = 0, .now_s = SAMPLE_NOW_S, .region = "us-east-1"},
};

static struct found plain, found;

static void every_filter_finds_what_is_true_in_every_order(void **state)
{
	(void)state;
	size_t total = 0;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		find_plainly(&filters[i], &plain);
		total += plain.count;
		for (int sort = CERT_SORT_EXPIRES; sort <= CERT_SORT_ARN; sort++) {
			find(&filters[i], (enum cert_sort)sort, SIZE_MAX, &found);
			assert_in_order(&found, (enum cert_sort)sort);
			assert_same(&found, &plain);
		}
	}
	assert_true(total > 3 * CERTS);
}

static void slices_of_any_size_find_the_same(void **state)
{
	(void)state;
	static const size_t slices[] = {1, 2, 7, 100};
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i += 3) {
		find_plainly(&filters[i], &plain);
		for (size_t j = 0; j < 4; j++) {
			enum cert_sort sort = j % 2 == 0 ? CERT_SORT_EXPIRES : CERT_SORT_DOMAIN;
			find(&filters[i], sort, slices[j], &found);
			assert_in_order(&found, sort);
			assert_same(&found, &plain);
		}
	}
}

static void arn_fingerprint_and_serial_find_their_certificate(void **state)
{
	(void)state;
	struct sample_cert sample;
	char hex[65];
	sample_cert_init(&sample, 8);
	text_hex(sample.record.fingerprint_sha256, 32, hex);
	struct cert_filter by_fingerprint = FILTER(.fingerprint = hex);
	struct cert_filter by_arn = FILTER(.arn = sample.arn);
	struct cert_filter by_serial = FILTER(.serial = sample.serial);
	find(&by_arn, CERT_SORT_EXPIRES, SIZE_MAX, &found);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.arn[0], sample.arn);
	find(&by_fingerprint, CERT_SORT_EXPIRES, SIZE_MAX, &found);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.arn[0], sample.arn);
	find(&by_serial, CERT_SORT_EXPIRES, SIZE_MAX, &found);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.arn[0], sample.arn);
	sample_cert_clear(&sample);
}

static void names_may_be_typed_as_people_write_them(void **state)
{
	(void)state;
	static const char *const typed[] = {
		"M\xc3\xbcnchen.Example", "m\xc3\xbcnchen.example.", "XN--MNCHEN-3YA.example"};
	for (size_t i = 0; i < 3; i++) {
		struct cert_filter filter = FILTER(.domain = typed[i]);
		find(&filter, CERT_SORT_EXPIRES, SIZE_MAX, &found);
		assert_int_equal(found.count, 1);
	}
	static const char *const suffixes[] = {
		"shop17.example.com", "*.shop17.example.com", ".SHOP17.example.com."};
	for (size_t i = 0; i < 3; i++) {
		struct cert_filter filter = FILTER(.domain_suffix = suffixes[i]);
		find(&filter, CERT_SORT_EXPIRES, SIZE_MAX, &found);
		assert_int_equal(found.count, CERTS / 100);
	}
}

/* --- changes during a walk ------------------------------------------------------------------------- */

static void change_everything(struct store_txn *txn, void *arg)
{
	const int *round = arg;
	for (uint32_t i = 0; i < CERTS; i++) {
		struct sample_cert sample;
		sample_cert_init(&sample, i);
		if (i % 7 == (uint32_t)*round % 7) {
			store_cert_delete(txn, sample.arn);
		} else {
			sample.record.not_after_s += *round * DAY_S;
			snprintf(sample.domain_name, sizeof(sample.domain_name), "r%d-%u.example",
				*round, i);
			sample_cert_store(txn, &sample);
		}
		sample_cert_clear(&sample);
	}
}

/* What is deleted is not given, what is there is given at most once, also without events; nothing
 * fails. */
static void a_walk_survives_changes_between_its_slices(void **state)
{
	(void)state;
	static const struct cert_filter walks[] = {FILTER(.include_gone = true),
		FILTER(.domain_suffix = "example.com"), FILTER(.region = "eu-west-1")};
	for (int sort = CERT_SORT_EXPIRES; sort <= CERT_SORT_ARN; sort++) {
		struct err err = ERR_INIT;
		bool is_end = false;
		int round = 0;
		found.count = 0;
		struct cert_query *query =
			cert_query_new(&walks[sort % 3], (enum cert_sort)sort, &err);
		while (!is_end && found.count < FOUND_MAX) {
			struct store_txn *txn = store_fixture_read();
			struct cert_record record;
			for (int i = 0; i < 50 && !is_end; i++)
				if (cert_query_next(query, txn, 10, &record, &is_end))
					add(&found, &record);
			assert_int_equal(store_txn_check(txn, &err), 0);
			store_read_end(txn);
			round++;
			assert_int_equal(
				store_write_now(store, change_everything, &round, &err), 0);
		}
		cert_query_free(query);
		qsort(found.arn, found.count, sizeof(found.arn[0]), compare_arns);
		for (size_t i = 1; i < found.count; i++)
			assert_string_not_equal(found.arn[i - 1], found.arn[i]);
	}
}

/* --- forms ----------------------------------------------------------------------------------------- */

static void a_value_that_can_match_nothing_is_refused(void **state)
{
	(void)state;
	static const struct {
		struct cert_filter filter;
		const char *says;
	} bad[] = {
		{FILTER(.account_id = "12"), "account \"12\""},
		{FILTER(.account_id = "00000010000x"), "12 digits"},
		{FILTER(.arn = ""), "not the ARN"},
		{FILTER(.region = "EU West"), "region \"EU West\""},
		{FILTER(.fingerprint = "abcd"), "fingerprint \"abcd\""},
		{FILTER(.serial = "0A"), "serial \"0A\""},
		{FILTER(.serial = ""), "serial \"\""},
		{FILTER(.status = "no such"), "status \"no such\""},
		{FILTER(.type = ""), "type \"\""},
		{FILTER(.domain = "a b"), "not a domain name: \"a b\""},
		{FILTER(.domain = ""), "not a domain name"},
		{FILTER(.domain_suffix = "a..b"), "not a domain name: \"a..b\""},
		{FILTER(.domain_suffix = "*."), "not a domain name"},
		{FILTER(.tag_key = ""), "tag"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;
		assert_null(cert_query_new(&bad[i].filter, CERT_SORT_ARN, &err));
		assert_int_equal(err.kind, ERR_CONFIG);
		if (strstr(err.text, bad[i].says) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", err.text, bad[i].says);
	}
}

static void orders_are_parsed_by_name(void **state)
{
	(void)state;
	enum cert_sort sort;
	assert_true(cert_sort_parse("expires", &sort) && sort == CERT_SORT_EXPIRES);
	assert_true(cert_sort_parse("first-seen", &sort) && sort == CERT_SORT_FIRST_SEEN);
	assert_false(cert_sort_parse("Expires", &sort));
	assert_false(cert_sort_parse("", &sort));
}

static void a_query_that_never_ran_is_freed(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct cert_filter filter = FILTER(.domain = "a.example", .tag_key = "k", .tag_value = "v");
	cert_query_free(cert_query_new(&filter, CERT_SORT_ARN, &err));
	cert_query_free(NULL);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(every_filter_finds_what_is_true_in_every_order),
		WITH_STORE(slices_of_any_size_find_the_same),
		WITH_STORE(arn_fingerprint_and_serial_find_their_certificate),
		WITH_STORE(names_may_be_typed_as_people_write_them),
		WITH_STORE(a_walk_survives_changes_between_its_slices),
		cmocka_unit_test(a_value_that_can_match_nothing_is_refused),
		cmocka_unit_test(orders_are_parsed_by_name),
		cmocka_unit_test(a_query_that_never_ran_is_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
