/* The counts of `status` against the records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "store/cert_query.h"
#include "tests/lib/temp_store.h"

enum { DAY_S = 86400, NOW_S = SAMPLE_NOW_S };

struct wanted {
	const char *status, *type, *eligibility;
	int64_t not_after_s, gone_s;
	bool in_use;
	const char *detail_error;
};

static const struct wanted certs[] = {
	{"ISSUED", "AMAZON_ISSUED", "ELIGIBLE", NOW_S + 5 * DAY_S, 0, true, ""},
	{"ISSUED", "IMPORTED", "INELIGIBLE", NOW_S + 20 * DAY_S, 0, true, ""},
	{"ISSUED", "IMPORTED", "INELIGIBLE", NOW_S + 40 * DAY_S, 0, true, ""},
	{"ISSUED", "IMPORTED", "INELIGIBLE", NOW_S + 30 * DAY_S, 0, false, "Describe failed"},
	{"ISSUED", "PRIVATE", "ELIGIBLE", NOW_S + 200 * DAY_S, 0, false, ""},
	{"ISSUED", "IMPORTED", "", NOW_S, 0, true, ""}, /* expired by its NotAfter */
	{"EXPIRED", "AMAZON_ISSUED", "", NOW_S - DAY_S, 0, false, ""},
	{"EXPIRED", "AMAZON_ISSUED", "", NOW_S + DAY_S, 0, false, ""}, /* ACM's word counts */
	{"PENDING_VALIDATION", "AMAZON_ISSUED", "", 0, 0, false, ""},
	{"REVOKED", "PRIVATE", "", NOW_S + 60 * DAY_S, 0, false, ""},
	{"FAILED", "AMAZON_ISSUED", "", 0, 0, false, ""},
	{"ISSUED", "IMPORTED", "", NOW_S + DAY_S, 77, true, "Describe failed"}, /* gone */
};

static void put_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++) {
		struct sample_cert sample;
		sample_cert_init(&sample, i);
		sample.record.status = certs[i].status;
		sample.record.type = certs[i].type;
		sample.record.renewal_eligibility = certs[i].eligibility;
		sample.record.not_after_s = certs[i].not_after_s;
		sample.record.gone_s = certs[i].gone_s;
		sample.record.in_use = certs[i].in_use;
		sample.record.detail_error = certs[i].detail_error;
		sample_cert_store(txn, &sample);
		sample_cert_clear(&sample);
	}
}

static void each_certificate_counts_where_it_belongs(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct cert_counts counts;
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	store_cert_count(txn, NOW_S, &counts);
	assert_int_equal(counts.total, 0);
	store_read_end(txn);
	assert_int_equal(store_write_now(store, put_all, NULL, &err), 0);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	store_cert_count(txn, NOW_S, &counts);
	assert_int_equal(store_txn_check(txn, &err), 0);
	store_read_end(txn);
	assert_int_equal(counts.total, 11);
	assert_int_equal(counts.issued, 5);
	assert_int_equal(counts.expired, 3);
	assert_int_equal(counts.pending, 1);
	assert_int_equal(counts.other, 2);
	assert_int_equal(counts.gone, 1);
	assert_int_equal(counts.in_use, 4);
	assert_int_equal(counts.imported, 4);
	assert_int_equal(counts.detail_failed, 1);
	static const int64_t ending[] = {1, 1, 3, 4, 5};
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(counts.expires_in_days[i], ending[i]);
	assert_int_equal(counts.in_use_not_renewing_30, 1);
	/* 0, 1, 3, 7, 14, 30, 45, 90, 200 days, more. */
	static const struct cert_life life[2][2] = {
		{{{2, 0, 0, 0, 0, 1, 0, 1, 0, 0}, 90 * DAY_S},
			{{0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, 200 * DAY_S}},
		{{{1, 0, 0, 0, 0, 1, 1, 0, 0, 0}, 60 * DAY_S}, {{0, 0, 0, 1}, 5 * DAY_S}}};
	assert_memory_equal(counts.life, life, sizeof(life));
	store_close(store);
	temp_folder_remove(folder);
}

enum { MANY = 1000 };

static void put_many(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < MANY; i++)
		sample_cert_put(txn, i);
}

static void slices_count_the_same_as_one_pass(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct cert_count count = {.now_s = NOW_S};
	struct cert_counts whole;
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, put_many, NULL, &err), 0);
	int slices = 0;
	bool is_end = false;
	while (!is_end) {
		assert_int_equal(store_read_begin(store, &txn, &err), 0);
		is_end = store_cert_count_slice(txn, &count, 0);
		store_read_end(txn);
		slices++;
	}
	assert_int_equal(slices, 4); /* of 256 each */
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	store_cert_count(txn, NOW_S, &whole);
	store_read_end(txn);
	assert_int_equal(whole.total + whole.gone, MANY);
	assert_memory_equal(&count.counts, &whole, sizeof(whole));
	store_close(store);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_certificate_counts_where_it_belongs),
		cmocka_unit_test(slices_count_the_same_as_one_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
