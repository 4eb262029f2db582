/*
 * Many certificates: what a query may touch, and, with ACMSENSOR_SCALE_CERTS=100000, how long
 * things take (a release build tells more than a sanitized one).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/cert_query.h"
#include "store/check.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { CERTS_DEFAULT = 2000, PER_WRITE = 250, DAY_S = 86400 };

static uint32_t cert_count;

static void report(const char *what, int64_t began_us, int64_t times)
{
	int64_t took_us = clock_mono_us() - began_us;
	printf("%-44s %8.1f ms  %8.3f us each (%lld)\n", what, (double)took_us / 1e3,
		(double)took_us / (double)(times > 0 ? times : 1), (long long)times);
}

static void put_some(struct store_txn *txn, void *arg)
{
	const uint32_t *first = arg;
	for (uint32_t i = *first; i < *first + PER_WRITE && i < cert_count; i++)
		sample_cert_put(txn, i);
}

static void put_all(const char *what)
{
	int64_t began_us = clock_mono_us();
	for (uint32_t first = 0; first < cert_count; first += PER_WRITE)
		store_fixture_write(put_some, &first);
	report(what, began_us, cert_count);
}

static int setup(void **state)
{
	const char *wanted = getenv("ACMSENSOR_SCALE_CERTS");
	cert_count = wanted != NULL ? (uint32_t)strtoul(wanted, NULL, 10) : CERTS_DEFAULT;
	(void)store_fixture_open(state);
	put_all("put new certificates, 250 a commit");
	return 0;
}

/* Returns matches; *ret_scanned: records looked at. */
static size_t run(const char *what, const struct cert_filter *filter, enum cert_sort sort,
	size_t *ret_scanned)
{
	struct err err = ERR_INIT;
	struct cert_record record;
	bool is_end = false;
	size_t found = 0;
	struct cert_query *query = cert_query_new(filter, sort, &err);
	assert_non_null(query);
	struct store_txn *txn = store_fixture_read();
	int64_t began_us = clock_mono_us();
	while (!is_end)
		found += cert_query_next(query, txn, SIZE_MAX, &record, &is_end);
	report(what, began_us, (int64_t)cert_query_scanned(query));
	assert_int_equal(store_txn_check(txn, &err), 0);
	store_read_end(txn);
	*ret_scanned = cert_query_scanned(query);
	cert_query_free(query);
	return found;
}

static void putting_what_is_there_already_changes_nothing(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_stats before, after;
	assert_int_equal(store_get_stats(store, &before, &err), 0);
	put_all("put the same again");
	assert_int_equal(store_get_stats(store, &after, &err), 0);
	assert_int_equal(before.used_bytes, after.used_bytes);
	assert_true(after.longest_commit_us > 0 && after.longest_commit_us >= after.last_commit_us);
	printf("%lld certificates: %lld bytes used, file %lld, longest commit %lld us\n",
		(long long)after.certificates, (long long)after.used_bytes,
		(long long)after.file_bytes, (long long)after.longest_commit_us);
}

static void a_query_by_expiry_touches_only_what_expires(void **state)
{
	(void)state;
	struct cert_filter filter = {.in_use = -1,
		.now_s = SAMPLE_NOW_S,
		.expires_after_s = SAMPLE_NOW_S,
		.expires_before_s = SAMPLE_NOW_S + 30 * DAY_S};
	size_t scanned;
	size_t found = run("query: expires within 30 days", &filter, CERT_SORT_EXPIRES, &scanned);
	assert_true(found > 0);
	assert_int_equal(scanned, found);
}

static void a_query_by_name_touches_only_what_has_it(void **state)
{
	(void)state;
	struct cert_filter filter = {
		.in_use = -1, .now_s = SAMPLE_NOW_S, .domain = "www17.shop17.example.com"};
	size_t scanned;
	size_t found = run("query: covers a name", &filter, CERT_SORT_EXPIRES, &scanned);
	/* All of shop17 have its wildcard; one has the name as well. */
	assert_int_equal(found, (cert_count + 82) / 100);
	assert_int_equal(scanned, found + 1);
	filter = (struct cert_filter){
		.in_use = -1, .now_s = SAMPLE_NOW_S, .domain_suffix = "shop17.example.com"};
	found = run("query: below a suffix", &filter, CERT_SORT_EXPIRES, &scanned);
	assert_int_equal(found, (cert_count + 82) / 100);
	assert_int_equal(scanned, 2 * found);
}

static void a_query_by_place_touches_only_what_is_there(void **state)
{
	(void)state;
	struct cert_filter filter = {
		.in_use = -1, .now_s = SAMPLE_NOW_S, .account_id = "000000100003"};
	size_t scanned;
	size_t found = run("query: one account", &filter, CERT_SORT_EXPIRES, &scanned);
	assert_int_equal(found, 16);
	assert_int_equal(scanned, 16);
	filter = (struct cert_filter){.in_use = -1, .now_s = SAMPLE_NOW_S, .region = "us-east-1"};
	found = run("query: one region", &filter, CERT_SORT_ARN, &scanned);
	assert_int_equal(found, cert_count / 4);
	assert_int_equal(scanned, cert_count / 4);
}

static void every_order_gives_every_certificate(void **state)
{
	(void)state;
	static const char *const name[] = {
		"expires", "domain", "account", "region", "status", "type", "first_seen", "arn"};
	struct cert_filter filter = {.in_use = -1, .now_s = SAMPLE_NOW_S};
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		enum cert_sort sort;
		char what[64];
		size_t scanned;
		assert_true(cert_sort_parse(name[i], &sort));
		snprintf(what, sizeof(what), "walk all by %s", name[i]);
		assert_int_equal(run(what, &filter, sort, &scanned), cert_count);
		assert_int_equal(scanned, cert_count);
	}
}

static void counting_agrees_with_a_walk(void **state)
{
	(void)state;
	struct cert_counts counts;
	struct store_txn *txn = store_fixture_read();
	int64_t began_us = clock_mono_us();
	store_cert_count(txn, SAMPLE_NOW_S, &counts);
	report("store_cert_count", began_us, counts.total);
	store_read_end(txn);
	assert_int_equal(counts.total, cert_count);
	struct cert_filter filter = {.in_use = -1, .now_s = SAMPLE_NOW_S, .status = "EXPIRED"};
	size_t scanned;
	assert_int_equal(
		run("query: expired", &filter, CERT_SORT_DOMAIN, &scanned), counts.expired);
	filter = (struct cert_filter){.in_use = 1, .now_s = SAMPLE_NOW_S};
	assert_int_equal(run("query: in use", &filter, CERT_SORT_DOMAIN, &scanned), counts.in_use);
}

static void ignore(void *arg, const char *problem, bool is_of_index)
{
	(void)is_of_index;
	(void)arg;
	printf("%s\n", problem);
}

static void the_check_finds_nothing(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	int64_t problems = -1;
	int64_t began_us = clock_mono_us();
	assert_int_equal(store_check(store, ignore, NULL, &problems, &err), 0);
	report("store_check", began_us, cert_count);
	assert_int_equal(problems, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(putting_what_is_there_already_changes_nothing),
		cmocka_unit_test(a_query_by_expiry_touches_only_what_expires),
		cmocka_unit_test(a_query_by_name_touches_only_what_has_it),
		cmocka_unit_test(a_query_by_place_touches_only_what_is_there),
		cmocka_unit_test(every_order_gives_every_certificate),
		cmocka_unit_test(counting_agrees_with_a_walk),
		cmocka_unit_test(the_check_finds_nothing),
	};
	return cmocka_run_group_tests(tests, setup, store_fixture_close);
}
