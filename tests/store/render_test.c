/* Records as JSON: names, nulls, and what is looked up elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <openssl/sha.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/x509.h"
#include "store/render.h"
#include "tests/lib/read_file.h"
#include "tests/lib/temp_store.h"

enum { DAY_S = 86400, NOW_S = SAMPLE_NOW_S, TEXT_MAX = 1 << 20 };

static char *folder;
static struct store *store;

static int open_store(void **state)
{
	(void)state;
	folder = temp_folder_new();
	store = temp_store_open(NULL, folder);
	return 0;
}

static int close_store(void **state)
{
	(void)state;
	store_close(store);
	temp_folder_remove(folder);
	return 0;
}

/* What is written to the store before, and how one value is rendered from it. */
typedef void put_fn(struct store_txn *txn, void *arg);
typedef void render_fn(struct json_writer *writer, struct store_txn *txn, void *arg);

/* owned by the caller */
static char *rendered(put_fn *put, render_fn *render, void *arg)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct json_writer writer;
	struct buf text;
	if (put != NULL)
		assert_int_equal(store_write_now(store, put, arg, &err), 0);
	buf_init(&text, TEXT_MAX);
	json_writer_init(&writer, &text, false);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	render(&writer, txn, arg);
	assert_true(json_writer_is_complete(&writer));
	assert_int_equal(store_txn_check(txn, &err), 0);
	store_read_end(txn);
	return buf_take(&text);
}

static json_t *rendered_row(put_fn *put, render_fn *render, void *arg)
{
	char *text = rendered(put, render, arg);
	json_t *row = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(row);
	free(text);
	return row;
}

static void member_is(const json_t *row, const char *key, const char *json)
{
	json_t *expected = json_loads(json, JSON_DECODE_ANY, NULL);
	const json_t *value = json_object_get(row, key);
	assert_non_null(expected);
	if (value == NULL || !json_equal(expected, value)) {
		char *text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : strdup("absent");
		fail_msg("%s is %s, not %s", key, text, json);
	}
	json_decref(expected);
}

/* --- certificates -------------------------------------------------------------------------------- */

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
	struct err err = ERR_INIT;
	struct store_txn *txn;
	buf_init(&text, TEXT_MAX);
	json_writer_init(&writer, &text, false);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	render_certificate(&writer, txn, &sample.record, NOW_S);
	store_read_end(txn);
	assert_non_null(strstr(buf_text(&text), "\"tags\":{\"team\":\"team-1\"}"));
	buf_clear(&text);
	sample_cert_clear(&sample);
}

/* --- in full ------------------------------------------------------------------------------------- */

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

/* --- the rest ------------------------------------------------------------------------------------ */

static void put_counted(struct store_txn *txn, void *arg)
{
	static const struct {
		const char *region;
		enum coverage_state state;
		int64_t count, success_s;
	} pair[] = {
		{"eu-west-1", COVERAGE_OK, 3, NOW_S - 50},
		{"us-east-1", COVERAGE_OK, 4, NOW_S - 40},
		{"us-west-2", COVERAGE_DENIED, 2, NOW_S - 90},
	};
	(void)arg;
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++)
		store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
						.account_id = "999999999999",
						.region = pair[i].region,
						.state = pair[i].state,
						.code = "",
						.reason = "",
						.certificate_count = pair[i].count,
						.last_success_s = pair[i].success_s});
}

static void render_counted(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	(void)arg;
	render_account(writer, txn,
		&(struct account_record){.connector = "prod",
			.account_id = "999999999999",
			.name = "",
			.email = "a@example.com",
			.state = "ACTIVE",
			.unit_id = "ou-1",
			.unit_path = "Root",
			.is_management = true,
			.first_seen_s = NOW_S,
			.last_seen_s = 0});
}

static void an_account_sums_up_its_regions(void **state)
{
	(void)state;
	char *text = rendered(put_counted, render_counted, NULL);
	assert_string_equal(text,
		"{\"connector\":\"prod\",\"account_id\":\"999999999999\",\"name\":null,"
		"\"email\":\"a@example.com\",\"state\":\"ACTIVE\",\"unit_id\":\"ou-1\","
		"\"unit_path\":\"Root\",\"is_management\":true,"
		"\"first_seen\":\"2026-11-21T00:00:00Z\",\"last_seen\":null,\"certificates\":9,"
		"\"last_success\":\"2026-11-20T23:59:20Z\",\"coverage\":{\"ok\":2,\"denied\":1}}");
	free(text);
}

static void render_one_unit(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	(void)txn;
	render_unit(writer, arg);
}

static void a_unit_names_its_parent(void **state)
{
	(void)state;
	struct unit_record root = {"prod", "r-1", "", "Root"}, unit = {"prod", "ou-1", "r-1", "U"};
	char *text = rendered(NULL, render_one_unit, &root);
	assert_string_equal(text, "{\"connector\":\"prod\",\"unit_id\":\"r-1\",\"parent_id\":null,"
				  "\"name\":\"Root\"}");
	free(text);
	text = rendered(NULL, render_one_unit, &unit);
	assert_string_equal(text, "{\"connector\":\"prod\",\"unit_id\":\"ou-1\","
				  "\"parent_id\":\"r-1\",\"name\":\"U\"}");
	free(text);
}

static void put_named(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_account_put(txn, &(struct account_record){.connector = "prod",
				       .account_id = "888888888888",
				       .name = "payments",
				       .email = "",
				       .state = "ACTIVE",
				       .unit_id = "",
				       .unit_path = "Root/Prod"});
}

static void render_denied(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	render_coverage(writer, txn,
		&(struct coverage_record){.connector = "prod",
			.account_id = arg,
			.region = "*",
			.state = COVERAGE_DENIED,
			.code = "AccessDenied",
			.reason = "no",
			.certificate_count = 2,
			.last_attempt_s = NOW_S,
			.next_try_s = NOW_S + 60,
			.state_since_s = NOW_S - 60,
			.failures_in_row = 4});
}

static void coverage_names_its_account(void **state)
{
	(void)state;
	char known[] = "888888888888", unknown[] = "777777777777";
	char *text = rendered(put_named, render_denied, known);
	assert_string_equal(text,
		"{\"connector\":\"prod\",\"account_id\":\"888888888888\","
		"\"account_name\":\"payments\",\"unit_path\":\"Root/Prod\",\"region\":\"*\","
		"\"state\":\"denied\",\"is_problem\":true,\"code\":\"AccessDenied\","
		"\"reason\":\"no\",\"certificates\":2,\"state_since\":\"2026-11-20T23:59:00Z\","
		"\"last_attempt\":\"2026-11-21T00:00:00Z\",\"last_success\":null,"
		"\"next_try\":\"2026-11-21T00:01:00Z\",\"failures_in_row\":4}");
	free(text);
	text = rendered(NULL, render_denied, unknown);
	assert_non_null(strstr(text, "\"account_name\":null,\"unit_path\":null"));
	free(text);
}

static void render_one_event(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	(void)txn;
	render_event(writer, arg);
}

static void an_event_says_null_for_what_does_not_apply(void **state)
{
	(void)state;
	struct event_record event = {.sequence = 7,
		.at_s = NOW_S,
		.kind = EVENT_OPERATOR,
		.connector = "",
		.account_id = "",
		.region = "",
		.arn = "",
		.subject = "uid 0",
		.detail = "scan",
		.hash = {0xab}};
	char *text = rendered(NULL, render_one_event, &event);
	assert_string_equal(text,
		"{\"sequence\":7,\"at\":\"2026-11-21T00:00:00Z\",\"kind\":\"operator\","
		"\"connector\":null,\"account_id\":null,\"region\":null,\"arn\":null,"
		"\"subject\":\"uid 0\",\"detail\":\"scan\",\"hash\":\""
		"ab00000000000000000000000000000000000000000000000000000000000000\"}");
	free(text);
}

static void render_one_cycle(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	(void)txn;
	render_cycle(writer, arg);
}

static void a_cycle_has_every_member(void **state)
{
	(void)state;
	struct cycle_record cycle = {.connector = "prod",
		.hub_account_id = "1",
		.hub_arn = "2",
		.partition = "aws",
		.organization_id = "",
		.error = "why",
		.started_s = NOW_S,
		.accounts = 3,
		.pairs = 4,
		.pairs_ok = 5,
		.pairs_problem = 6,
		.certificates = 7,
		.calls = 8,
		.throttles = 9};
	char *text = rendered(NULL, render_one_cycle, &cycle);
	assert_string_equal(text,
		"{\"connector\":\"prod\",\"hub_account_id\":\"1\",\"hub_arn\":\"2\","
		"\"partition\":\"aws\",\"organization_id\":null,"
		"\"started\":\"2026-11-21T00:00:00Z\",\"finished\":null,\"next\":null,"
		"\"last_complete\":null,\"error\":\"why\",\"accounts\":3,\"account_regions\":4,"
		"\"account_regions_ok\":5,\"account_regions_problem\":6,\"certificates\":7,"
		"\"calls\":8,\"throttles\":9}");
	free(text);
}

static void render_some_counts(struct json_writer *writer, struct store_txn *txn, void *arg)
{
	(void)txn;
	render_counts(writer, arg);
}

static void counts_have_every_member(void **state)
{
	(void)state;
	struct cert_counts counts = {.total = 1,
		.issued = 2,
		.expired = 3,
		.pending = 4,
		.other = 5,
		.in_use = 6,
		.imported = 7,
		.expires_in_days = {8, 9, 10, 11, 12},
		.in_use_not_renewing_30 = 13,
		.detail_failed = 14,
		.gone = 15};
	char *text = rendered(NULL, render_some_counts, &counts);
	assert_string_equal(text,
		"{\"certificates\":1,\"issued\":2,\"expired\":3,\"pending\":4,\"other\":5,"
		"\"in_use\":6,\"imported\":7,\"expires\":{\"within_7_days\":8,"
		"\"within_14_days\":9,\"within_30_days\":10,\"within_45_days\":11,"
		"\"within_90_days\":12},\"in_use_not_renewing_within_30_days\":13,"
		"\"detail_failed\":14,\"gone\":15}");
	free(text);
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
		cmocka_unit_test(an_account_sums_up_its_regions),
		cmocka_unit_test(a_unit_names_its_parent),
		cmocka_unit_test(coverage_names_its_account),
		cmocka_unit_test(an_event_says_null_for_what_does_not_apply),
		cmocka_unit_test(a_cycle_has_every_member),
		cmocka_unit_test(counts_have_every_member),
	};
	return cmocka_run_group_tests(tests, open_store, close_store);
}
