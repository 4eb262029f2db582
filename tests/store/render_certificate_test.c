/* Certificates as JSON: names, nulls, and what is looked up elsewhere. */
#include "store/render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <openssl/sha.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/x509.h"
#include "tests/lib/read_file.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"
#include "tests/store/render_fixture.h"

static void put_sample(struct store_txn *txn, void *arg)
{
	sample_cert_store(txn, arg);
}

static void render_sample(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	const struct sample_cert *sample = arg;
	struct cert_record record;
	assert_true(store_cert_get(txn, sample->arn, &record));
	render_certificate(writer, txn, &record, NOW_S);
}

static void render_sample_full(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	const struct sample_cert *sample = arg;
	struct cert_record record;
	assert_true(store_cert_get(txn, sample->arn, &record));
	render_certificate_full(writer, txn, &record, NOW_S, true);
}

static void a_certificate_has_every_member(void **state)
{
	(void)state;
	struct sample_cert sample;
	sample_cert_init(&sample, 1632);
	struct cert_record *record = &sample.record;
	record->not_before_s = NOW_S - 300 * DAY_S;
	record->not_after_s = NOW_S + 12 * DAY_S + 5;
	record->first_seen_s = NOW_S - 100 * DAY_S;
	record->in_use = true;
	record->exported = true;
	record->imported_s = NOW_S - 10 * DAY_S;
	record->managed_by = "CLOUDFRONT";
	json_t *row = rendered_row(put_sample, render_sample, &sample);
	static const char *const expected[][2] = {
		{"arn", "\"arn:aws:acm:eu-central-1:000000100102:certificate/"
			"00000660-0000-4000-8000-000000000000\""},
		{"account_id", "\"000000100102\""},
		{"account_name", "null"},
		{"unit_path", "null"},
		{"region", "\"eu-central-1\""},
		{"connector", "\"prod\""},
		{"domain_name", "\"www1632.shop32.example.com\""},
		{"subject_alternative_names",
			"[\"www1632.shop32.example.com\", \"*.shop32.example.com\"]"},
		{"serial", "\"0a000000000000000000000000000660\""},
		{"not_before", "\"2026-01-25T00:00:00Z\""},
		{"not_after", "\"2026-12-03T00:00:05Z\""},
		{"days_left", "12"},
		{"expired", "false"},
		{"issuer", "\"CN=Amazon RSA 2048 M02,O=Amazon,C=US\""},
		{"subject", "\"CN=www1632.shop32.example.com,O=Example\""},
		{"key_algorithm", "\"RSA_2048\""},
		{"signature_algorithm", "\"SHA256WITHRSA\""},
		{"key_usages", "[\"DIGITAL_SIGNATURE\"]"},
		{"extended_key_usages", "[\"TLS_WEB_SERVER_AUTHENTICATION\"]"},
		{"failure_reason", "null"},
		{"revocation_reason", "null"},
		{"in_use", "true"},
		{"in_use_by", "[\"arn:aws:elasticloadbalancing:eu-west-1:000000100102:"
			      "loadbalancer/app/lb/00000660\"]"},
		{"renewal_status", "null"},
		{"renewal_reason", "null"},
		{"exported", "true"},
		{"export_option", "\"DISABLED\""},
		{"managed_by", "\"CLOUDFRONT\""},
		{"key_pair_origin", "\"AWS_MANAGED\""},
		{"validation_method", "\"DNS\""},
		{"certificate_authority_arn", "null"},
		{"imported_at", "\"2026-11-11T00:00:00Z\""},
		{"revoked_at", "null"},
		{"tags", "{\"team\": \"team-2\"}"},
		{"first_seen", "\"2026-08-13T00:00:00Z\""},
		{"last_seen", "\"2026-11-20T00:00:00Z\""},
		{"detailed_at", "\"2026-11-20T00:00:00Z\""},
		{"detail_error", "null"},
		{"gone", "false"},
		{"gone_since", "null"},
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		member_is(row, expected[i][0], expected[i][1]);
	assert_int_equal(strlen(json_string_value(json_object_get(row, "fingerprint_sha256"))), 64);
	json_decref(row);
	sample_cert_clear(&sample);
}

static void one_without_pem_says_null_for_what_is_not_known(void **state)
{
	(void)state;
	struct sample_cert sample;
	sample_cert_init(&sample, 4); /* pending */
	sample.record.domain_name = "";
	sample.record.serial = "";
	json_t *row = rendered_row(put_sample, render_sample, &sample);
	static const char *const null[] = {"domain_name", "serial", "fingerprint_sha256",
		"not_before", "not_after", "days_left"};
	for (size_t i = 0; i < sizeof(null) / sizeof(null[0]); i++)
		member_is(row, null[i], "null");
	member_is(row, "expired", "false");
	json_decref(row);
	sample_cert_clear(&sample);
}

/* Days are rounded so that nothing looks longer valid, or shorter expired, than it is. */
static void days_left_are_rounded_down(void **state)
{
	(void)state;
	static const struct {
		int64_t left_s;
		const char *days, *expired;
	} cases[] = {
		{DAY_S, "1", "false"},
		{DAY_S - 1, "0", "false"},
		{1, "0", "false"},
		{0, "0", "true"},
		{-1, "-1", "true"},
		{-DAY_S, "-1", "true"},
		{-DAY_S - 1, "-2", "true"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample_cert sample;
		sample_cert_init(&sample, 1);
		sample.record.not_after_s = NOW_S + cases[i].left_s;
		json_t *row = rendered_row(put_sample, render_sample, &sample);
		member_is(row, "days_left", cases[i].days);
		member_is(row, "expired", cases[i].expired);
		json_decref(row);
		sample_cert_clear(&sample);
	}
}

static void put_sample_and_place(struct store_txn *txn, void *arg)
{
	const struct sample_cert *sample = arg;
	sample_cert_store(txn, sample);
	store_account_put(txn, &(struct account_record){.connector = "prod",
				       .account_id = sample->account_id,
				       .name = "payments",
				       .email = "",
				       .state = "ACTIVE",
				       .unit_id = "",
				       .unit_path = "Root/Prod"});
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = sample->account_id,
					.region = sample->record.region,
					.state = COVERAGE_OK,
					.code = "",
					.reason = "",
					.last_success_s = NOW_S - 60});
}

static void what_is_there_was_last_seen_when_its_region_was_read(void **state)
{
	(void)state;
	struct sample_cert sample;
	sample_cert_init(&sample, 3200);
	json_t *row = rendered_row(put_sample_and_place, render_sample, &sample);
	member_is(row, "account_name", "\"payments\"");
	member_is(row, "unit_path", "\"Root/Prod\"");
	member_is(row, "last_seen", "\"2026-11-20T23:59:00Z\"");
	json_decref(row);
	/* What is gone was not. */
	sample.record.gone_s = NOW_S - 60;
	row = rendered_row(put_sample_and_place, render_sample, &sample);
	member_is(row, "last_seen", "\"2026-11-20T00:00:00Z\"");
	member_is(row, "gone", "true");
	member_is(row, "gone_since", "\"2026-11-20T23:59:00Z\"");
	json_decref(row);
	sample_cert_clear(&sample);
}

static void a_tag_without_a_value_in_the_record_is_left_out(void **state)
{
	(void)state;
	struct sample_cert sample;
	sample_cert_init(&sample, 1);
	pack_add(&sample.tags, "lonely");
	sample.record.tags.bytes = buf_text(&sample.tags);
	sample.record.tags.len = sample.tags.len;
	sample.record.tags.count = 3;
	struct json_writer writer;
	struct buf text;
	buf_init(&text, TEXT_MAX);
	json_writer_init(&writer, &text, false);
	struct store_txn *txn = store_fixture_read();
	render_certificate(&writer, txn, &sample.record, NOW_S);
	store_read_end(txn);
	assert_non_null(strstr(buf_text(&text), "\"tags\":{\"team\":\"team-1\"}"));
	buf_clear(&text);
	sample_cert_clear(&sample);
}

/* --- in full ---------------------------------------------------------------------------------- */

static void put_three_serials(struct store_txn *txn, void *arg)
{
	struct sample_cert *sample = arg;
	static const char *const serial[] = {"0001", "0002", "0003"};
	for (int i = 0; i < 3; i++) {
		sample->record.serial = serial[i];
		sample_cert_store(txn, sample);
	}
}

static void the_history_is_told_oldest_first(void **state)
{
	(void)state;
	struct sample_cert sample;
	sample_cert_init(&sample, 4800);
	json_t *row = rendered_row(put_three_serials, render_sample_full, &sample);
	const json_t *history = json_object_get(row, "history");
	assert_int_equal(json_array_size(history), 3);
	member_is(json_array_get(history, 0), "serial", "\"0001\"");
	member_is(json_array_get(history, 2), "serial", "\"0003\"");
	assert_int_equal(json_object_size(json_array_get(history, 0)), 5);
	json_decref(row);
	sample_cert_clear(&sample);
}

struct chained {
	struct sample_cert sample; /* first: put and render take it */
	unsigned char *der[2];	   /* owned */
	size_t len[2];
	char *pem[2]; /* owned */
};

static void read_pem(struct chained *chained, int i, const char *path)
{
	struct err err = ERR_INIT;
	size_t size;
	chained->pem[i] = read_file(path, &size);
	const char *at = chained->pem[i];
	assert_int_equal(
		x509_pem_next(&at, at + size, &chained->der[i], &chained->len[i], &err), 1);
}

static void put_chained(struct store_txn *txn, void *arg)
{
	struct chained *chained = arg;
	struct cert_record *record = &chained->sample.record;
	SHA256(chained->der[0], chained->len[0], record->fingerprint_sha256);
	SHA256(chained->der[1], chained->len[1], record->chain_sha256[0]);
	SHA256((const unsigned char *)"damaged", 7, record->chain_sha256[1]);
	SHA256((const unsigned char *)"missing", 7, record->chain_sha256[2]);
	record->chain_count = 3;
	store_cert_put(txn, record);
	for (int i = 0; i < 2; i++) {
		unsigned char sha256[32];
		SHA256(chained->der[i], chained->len[i], sha256);
		store_pem_put(txn, sha256, chained->der[i], chained->len[i]);
	}
	store_pem_put(txn, record->chain_sha256[1], "damaged", 7);
}

static void a_chain_is_told_by_its_facts_and_as_pem(void **state)
{
	(void)state;
	struct chained chained = {.der = {NULL}};
	sample_cert_init(&chained.sample, 6402);
	read_pem(&chained, 0, "tests/data/x509/chain-leaf.pem");
	read_pem(&chained, 1, "tests/data/x509/chain-intermediate.pem");
	json_t *row = rendered_row(put_chained, render_sample_full, &chained);
	const json_t *chain = json_object_get(row, "chain");
	/* The one that is not in the store is left out. */
	assert_int_equal(json_array_size(chain), 2);
	const json_t *first = json_array_get(chain, 0), *second = json_array_get(chain, 1);
	assert_true(json_is_string(json_object_get(first, "subject")));
	assert_true(json_is_string(json_object_get(first, "issuer")));
	assert_true(json_is_string(json_object_get(first, "not_after")));
	assert_true(json_is_string(json_object_get(first, "key_algorithm")));
	assert_null(json_object_get(first, "error"));
	assert_true(json_is_string(json_object_get(second, "error")));
	assert_true(json_is_string(json_object_get(second, "fingerprint_sha256")));
	const char *pem = json_string_value(json_object_get(row, "pem"));
	assert_non_null(pem);
	assert_string_equal(pem, chained.pem[0]);
	const char *chain_pem = json_string_value(json_object_get(row, "chain_pem"));
	assert_memory_equal(chain_pem, chained.pem[1], strlen(chained.pem[1]));
	json_decref(row);
	for (int i = 0; i < 2; i++) {
		free(chained.der[i]);
		free(chained.pem[i]);
	}
	sample_cert_clear(&chained.sample);
}

static void one_without_pem_has_none_to_give(void **state)
{
	(void)state;
	struct sample_cert sample;
	sample_cert_init(&sample, 10); /* pending */
	json_t *row = rendered_row(put_sample, render_sample_full, &sample);
	member_is(row, "pem", "null");
	member_is(row, "chain_pem", "null");
	member_is(row, "chain", "[]");
	json_decref(row);
	sample_cert_clear(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_has_every_member),
		cmocka_unit_test(one_without_pem_says_null_for_what_is_not_known),
		cmocka_unit_test(days_left_are_rounded_down),
		cmocka_unit_test(what_is_there_was_last_seen_when_its_region_was_read),
		cmocka_unit_test(a_tag_without_a_value_in_the_record_is_left_out),
		cmocka_unit_test(the_history_is_told_oldest_first),
		cmocka_unit_test(a_chain_is_told_by_its_facts_and_as_pem),
		cmocka_unit_test(one_without_pem_has_none_to_give),
	};
	return cmocka_run_group_tests(tests, store_fixture_open, store_fixture_close);
}
