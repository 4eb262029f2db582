/* Lists: every parameter and every value that makes no sense, documents and lines, slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/accounts.h"
#include "store/alerts.h"
#include "store/cert_query.h"
#include "store/coverage.h"
#include "store/events.h"
#include "store/list.h"
#include "tests/lib/temp_store.h"

enum { CERTS = 60, EVENTS = 20, DAY_S = 86400, PARAMS_MAX = 4, TEXT_MAX = 16 << 20 };

static char *folder;
static struct store *store;

static void put_account(struct store_txn *txn, const char *connector, const char *id)
{
	store_account_put(txn, &(struct account_record){.connector = connector,
				       .account_id = id,
				       .name = "name",
				       .email = "",
				       .state = "ACTIVE",
				       .unit_id = "ou-1",
				       .unit_path = "Root"});
}

static void put_pair(struct store_txn *txn, const char *connector, const char *id,
	const char *region, enum coverage_state state)
{
	store_coverage_put(txn, &(struct coverage_record){.connector = connector,
					.account_id = id,
					.region = region,
					.state = state,
					.code = "",
					.reason = ""});
}

static void put_all(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < CERTS; i++)
		sample_cert_put(txn, i);
	put_account(txn, "prod", "000000100000");
	put_account(txn, "prod", "000000100001");
	put_account(txn, "test", "000000100002");
	store_unit_put(txn, &(struct unit_record){"prod", "r-1", "", "Root"});
	store_unit_put(txn, &(struct unit_record){"prod", "ou-1", "r-1", "Unit"});
	store_unit_put(txn, &(struct unit_record){"test", "r-2", "", "Root"});
	put_pair(txn, "prod", "000000100000", "eu-west-1", COVERAGE_OK);
	put_pair(txn, "prod", "000000100000", "us-east-1", COVERAGE_DENIED);
	put_pair(txn, "prod", "000000100001", "eu-west-1", COVERAGE_REGION_DISABLED);
	put_pair(txn, "test", "000000100000", "eu-west-1", COVERAGE_THROTTLED);
	put_pair(txn, "test", "000000100002", "us-east-1", COVERAGE_OK);
	for (int i = 0; i < EVENTS; i++)
		store_event_append(txn, &(struct event_record){.at_s = SAMPLE_NOW_S + i * 10,
						.kind = EVENT_OPERATOR,
						.connector = "",
						.account_id = "",
						.region = "",
						.arn = "",
						.subject = "",
						.detail = ""});
}

static void put_alert(struct store_txn *txn, enum alert_kind kind, const char *subject,
	enum alert_class class, int64_t resolved_s)
{
	char id[ALERT_ID_LEN + 1];
	alert_make_id(kind, subject, id);
	store_alert_put(txn,
		&(struct alert_record){.id = id,
			.kind = kind,
			.class = class,
			.told_class = class,
			.days = kind == ALERT_CERTIFICATE ? 14 : ALERT_NO_DAYS,
			.ends_s =
				kind == ALERT_CERTIFICATE ? SAMPLE_NOW_S + 10 * (int64_t)DAY_S : 0,
			.subject = subject,
			.text = "why",
			.raised_s = 1,
			.acknowledged_s = class == ALERT_WARNING ? 2 : 0,
			.resolved_s = resolved_s,
			.resolution = resolved_s != 0 ? "renewed" : ""});
}

static void put_alerts(struct store_txn *txn, void *arg)
{
	(void)arg;
	put_alert(txn, ALERT_CERTIFICATE, "arn:aws:acm:1", ALERT_EMERGENCY, 0);
	put_alert(txn, ALERT_CERTIFICATE, "arn:aws:acm:2", ALERT_NOTICE, 0);
	put_alert(txn, ALERT_CERTIFICATE, "arn:aws:acm:3", ALERT_CRITICAL, 5);
	put_alert(txn, ALERT_COVERAGE, "prod 000000100000", ALERT_WARNING, 0);
	put_alert(txn, ALERT_CONNECTOR, "prod", ALERT_CRITICAL, 0);
}

static int open_store(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	folder = temp_folder_new();
	store = temp_store_open(NULL, folder);
	return store_write_now(store, put_all, NULL, &err) != 0
		       ? -1
		       : store_write_now(store, put_alerts, NULL, &err);
}

static int close_store(void **state)
{
	(void)state;
	store_close(store);
	temp_folder_remove(folder);
	return 0;
}

/* "key=value&key=value"; the texts live in words. */
static size_t split(char *words, struct list_param *param)
{
	size_t count = 0;
	for (char *at = words, *word; (word = strsep(&at, "&")) != NULL;) {
		if (word[0] == '\0')
			continue;
		char *value = strchr(word, '=');
		*value++ = '\0';
		param[count++] = (struct list_param){.key = word, .value = value};
	}
	return count;
}

static struct list *make(enum list_kind kind, const char *words, bool is_ndjson, struct err *err)
{
	struct list_param param[PARAMS_MAX];
	char *copy = strdup(words);
	size_t count = split(copy, param);
	struct list *list = list_new(kind, param, count, is_ndjson, SAMPLE_NOW_S, err);
	/* The texts are borrowed for list_new alone. */
	memset(copy, 'x', strlen(words));
	free(copy);
	return list;
}

/* The whole list, taken in slices with a transaction each. Owned by the caller. */
static char *write_in_slices(enum list_kind kind, const char *words, bool is_ndjson,
	size_t slice_bytes, size_t slice_records, size_t *ret_rows)
{
	struct err err = ERR_INIT;
	struct buf all, slice;
	bool is_end = false;
	struct list *list = make(kind, words, is_ndjson, &err);
	if (list == NULL)
		fail_msg("%s: %s", words, err.text);
	buf_init(&all, TEXT_MAX);
	buf_init(&slice, TEXT_MAX);
	while (!is_end) {
		struct store_txn *txn;
		buf_reset(&slice);
		assert_int_equal(store_read_begin(store, &txn, &err), 0);
		assert_int_equal(
			list_write(list, txn, &slice, slice_bytes, slice_records, &is_end, &err),
			0);
		store_read_end(txn);
		buf_add(&all, buf_text(&slice), slice.len);
	}
	*ret_rows = list_rows(list);
	list_free(list);
	buf_clear(&slice);
	return buf_take(&all);
}

static char *write_all(enum list_kind kind, const char *words, bool is_ndjson, size_t *ret_rows)
{
	return write_in_slices(kind, words, is_ndjson, TEXT_MAX, 100000, ret_rows);
}

static size_t count(enum list_kind kind, const char *words)
{
	size_t rows;
	free(write_all(kind, words, true, &rows));
	return rows;
}

/* The document's array; owned by the caller through *ret_document. */
static const json_t *document(
	enum list_kind kind, const char *words, const char *name, json_t **ret_document)
{
	size_t rows;
	char *text = write_all(kind, words, false, &rows);
	*ret_document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(*ret_document);
	assert_int_equal(json_integer_value(json_object_get(*ret_document, "schema")), 1);
	const json_t *array = json_object_get(*ret_document, name);
	assert_int_equal(json_array_size(array), rows);
	free(text);
	return array;
}

static void refused(enum list_kind kind, const char *words, const char *message)
{
	struct err err = ERR_INIT;
	struct list *list = make(kind, words, true, &err);
	assert_null(list);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text, message);
}

/* --- form ---------------------------------------------------------------------------------------- */

static void a_document_holds_the_same_rows_as_lines(void **state)
{
	(void)state;
	static const struct {
		enum list_kind kind;
		const char *words, *name;
	} lists[] = {
		{LIST_CERTIFICATES, "", "certificates"},
		{LIST_CERTIFICATE, "q=www1.shop1.example.com", "certificates"},
		{LIST_ACCOUNTS, "", "accounts"},
		{LIST_COVERAGE, "", "coverage"},
		{LIST_EVENTS, "", "events"},
		{LIST_ALERTS, "all=yes", "alerts"},
	};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		json_t *whole;
		size_t rows, k;
		const json_t *array =
			document(lists[i].kind, lists[i].words, lists[i].name, &whole);
		char *lines = write_all(lists[i].kind, lists[i].words, true, &rows), *at = lines;
		assert_true(rows > 0);
		assert_int_equal(rows, json_array_size(array));
		for (k = 0; k < rows; k++) {
			char *line = strsep(&at, "\n");
			json_t *row = json_loads(line, 0, NULL);
			assert_true(json_equal(row, json_array_get(array, k)));
			json_decref(row);
		}
		assert_string_equal(at, "");
		free(lines);
		json_decref(whole);
	}
}

static void slices_of_any_size_make_the_same_text(void **state)
{
	(void)state;
	for (int kind = LIST_CERTIFICATES; kind <= LIST_ALERTS; kind++) {
		const char *words = kind == LIST_CERTIFICATE ? "q=x.shop1.example.com" : "";
		for (int form = 0; form < 2; form++) {
			size_t rows, sliced;
			char *whole = write_all((enum list_kind)kind, words, form == 1, &rows);
			char *by_record = write_in_slices(
				(enum list_kind)kind, words, form == 1, TEXT_MAX, 1, &sliced);
			assert_int_equal(sliced, rows);
			assert_string_equal(by_record, whole);
			char *by_byte = write_in_slices(
				(enum list_kind)kind, words, form == 1, 1, 1000, &sliced);
			assert_string_equal(by_byte, whole);
			free(whole);
			free(by_record);
			free(by_byte);
		}
	}
}

static void an_empty_list_is_a_document_too(void **state)
{
	(void)state;
	size_t rows;
	char *text = write_all(LIST_CERTIFICATES, "region=mars-north-1", false, &rows);
	assert_string_equal(text, "{\"schema\":1,\"certificates\":[]}\n");
	free(text);
	text = write_all(LIST_CERTIFICATES, "region=mars-north-1", true, &rows);
	assert_string_equal(text, "");
	assert_int_equal(rows, 0);
	free(text);
	text = write_all(LIST_ACCOUNTS, "connector=none", false, &rows);
	assert_string_equal(text, "{\"schema\":1,\"units\":[],\"accounts\":[]}\n");
	free(text);
}

static void writing_on_after_the_end_adds_nothing(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct buf text;
	bool is_end = false;
	struct list *list = make(LIST_ACCOUNTS, "", false, &err);
	buf_init(&text, TEXT_MAX);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_int_equal(list_write(list, txn, &text, TEXT_MAX, 1000, &is_end, &err), 0);
	assert_true(is_end);
	size_t len = text.len;
	is_end = false;
	assert_int_equal(list_write(list, txn, &text, TEXT_MAX, 1000, &is_end, &err), 0);
	assert_true(is_end);
	assert_int_equal(text.len, len);
	store_read_end(txn);
	buf_clear(&text);
	list_free(list);
	list_free(NULL);
}

/* At every step: what has failed is told, never taken for the end. */
static void a_transaction_that_fails_ends_no_list(void **state)
{
	(void)state;
	for (int kind = LIST_CERTIFICATES; kind <= LIST_EVENTS; kind++) {
		for (size_t steps = 0; steps < 3; steps++) {
			struct err err = ERR_INIT, failure = ERR_INIT;
			struct store_txn *txn;
			struct buf text;
			bool is_end = false;
			struct list *list = make((enum list_kind)kind,
				kind == LIST_CERTIFICATE ? "q=x.shop1.example.com"
				: kind == LIST_EVENTS	 ? "since=1d"
							 : "",
				false, &err);
			buf_init(&text, TEXT_MAX);
			assert_int_equal(store_read_begin(store, &txn, &err), 0);
			if (steps > 0)
				assert_int_equal(list_write(list, txn, &text, TEXT_MAX, steps,
							 &is_end, &err),
					0);
			assert_false(is_end);
			err_set(&failure, ERR_STORE, "page 7 is damaged");
			store_txn_fail(txn, &failure);
			assert_int_equal(
				list_write(list, txn, &text, TEXT_MAX, 1000, &is_end, &err), -1);
			assert_string_equal(err.text, "page 7 is damaged");
			assert_false(is_end);
			store_read_end(txn);
			buf_clear(&text);
			list_free(list);
		}
	}
}

/* --- certificates -------------------------------------------------------------------------------- */

/* What the query itself finds, for comparison: list.c only has to hand the filter on. */
static size_t found(struct cert_filter filter)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct cert_record record;
	bool is_end;
	size_t rows = 0;
	filter.now_s = SAMPLE_NOW_S;
	struct cert_query *query = cert_query_new(&filter, CERT_SORT_EXPIRES, &err);
	assert_non_null(query);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	while (cert_query_next(query, txn, 1000000, &record, &is_end))
		rows++;
	store_read_end(txn);
	cert_query_free(query);
	return rows;
}

static void is_filter(const char *words, struct cert_filter filter)
{
	size_t rows = count(LIST_CERTIFICATES, words);
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
	assert_int_equal(count(LIST_CERTIFICATES, words), 1);
	sample_cert_clear(&sample);
	assert_int_equal(count(LIST_CERTIFICATES, "connector=prod"), CERTS);
	assert_int_equal(count(LIST_CERTIFICATES, "connector=test"), 0);
	assert_int_equal(count(LIST_CERTIFICATES, "tag=team"), CERTS);
	assert_int_equal(count(LIST_CERTIFICATES, "tag=team="), 0);
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
	struct err err = ERR_INIT;
	int64_t gone_s = SAMPLE_NOW_S - DAY_S, still_there = 0;
	assert_int_equal(store_write_now(store, put_gone, &gone_s, &err), 0);
	assert_int_equal(count(LIST_CERTIFICATES, ""), CERTS - 1);
	assert_int_equal(count(LIST_CERTIFICATES, "gone=no"), CERTS - 1);
	assert_int_equal(count(LIST_CERTIFICATES, "gone=1"), CERTS);
	assert_int_equal(count(LIST_CERTIFICATE, "q=www1.shop1.example.com"), 0);
	assert_int_equal(count(LIST_CERTIFICATE, "gone=yes&q=www1.shop1.example.com"), 1);
	assert_int_equal(count(LIST_CERTIFICATE, "q=www1.shop1.example.com&gone=yes"), 1);
	assert_int_equal(count(LIST_CERTIFICATE, "q=0a000000000000000000000000000001"), 1);
	assert_int_equal(store_write_now(store, put_gone, &still_there, &err), 0);
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
		const json_t *array = document(LIST_CERTIFICATES, words, "certificates", &whole);
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
	refused(kind, "colour=red", "unknown parameter \"colour\"");
	refused(kind, "q=x", "unknown parameter \"q\"");
	refused(kind, "region=a&region=b", "region is given twice");
	refused(kind, "expires=soon",
		"expires: \"soon\" is not a duration (30d, 12h) or a date (2026-12-31)");
	refused(kind, "expires_after=",
		"expires_after: \"\" is not a duration (30d, 12h) or a date (2026-12-31)");
	refused(kind, "expires=9223372036854775807",
		"expires: \"9223372036854775807\" is not a duration (30d, 12h) or a date "
		"(2026-12-31)");
	refused(kind, "in_use=maybe", "in_use: \"maybe\" is not yes or no");
	refused(kind, "gone=2", "gone: \"2\" is not yes or no");
	refused(kind, "tag=", "tag: \"\" is not KEY or KEY=VALUE");
	refused(kind, "tag==v", "tag: \"=v\" is not KEY or KEY=VALUE");
	refused(kind, "fingerprint=xyz", "fingerprint: \"xyz\" is not a hexadecimal number");
	refused(kind, "serial=0x", "serial: \"0x\" is not a hexadecimal number");
	refused(kind, "serial=::", "serial: \"::\" is not a hexadecimal number");
	refused(kind, "sort=colour",
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
		assert_null(make(LIST_CERTIFICATES, words, true, &err));
		assert_int_equal(err.kind, ERR_CONFIG);
	}
	memcpy(words, "q=", 2);
	assert_null(make(LIST_CERTIFICATE, words, true, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
}

/* The query refuses what can match nothing by its form. */
static void the_query_s_own_refusals_come_through(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	assert_null(make(LIST_CERTIFICATES, "fingerprint=abcd", true, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
}

static void the_beginning_of_time_is_a_date_like_others(void **state)
{
	(void)state;
	assert_int_equal(count(LIST_CERTIFICATES, "expires=1970-01-01"), 0);
	assert_int_equal(count(LIST_CERTIFICATES, "expires=9000w"),
		found((struct cert_filter){.expires_before_s = INT64_MAX, .in_use = -1}));
}

/* --- one certificate ----------------------------------------------------------------------------- */

static void a_question_is_an_arn_a_fingerprint_a_serial_or_a_domain(void **state)
{
	(void)state;
	struct sample_cert sample;
	char words[512], hex[65];
	sample_cert_init(&sample, 12);
	snprintf(words, sizeof(words), "q=%s", sample.arn);
	assert_int_equal(count(LIST_CERTIFICATE, words), 1);
	for (int i = 0; i < 32; i++)
		snprintf(hex + 2 * (ptrdiff_t)i, 3, "%02x", sample.record.fingerprint_sha256[i]);
	snprintf(words, sizeof(words), "q=%s", hex);
	assert_int_equal(count(LIST_CERTIFICATE, words), 1);
	snprintf(words, sizeof(words), "q=%s", sample.serial);
	assert_int_equal(count(LIST_CERTIFICATE, words), 1);
	/* Covered by a wildcard, too. */
	assert_int_equal(count(LIST_CERTIFICATE, "q=anything.shop12.example.com"), 1);
	assert_int_equal(count(LIST_CERTIFICATE, "q=arn:aws:acm:mars"), 0);
	assert_int_equal(count(LIST_CERTIFICATE, "q=cafe"), 0);
	/* All hexadecimal, but longer than any serial: taken for a domain, and too long for one. */
	struct err err = ERR_INIT;
	memset(words, 'a', 72);
	memcpy(words, "q=", 2);
	words[72] = '\0';
	assert_null(make(LIST_CERTIFICATE, words, true, &err));
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
		const json_t *array = document(LIST_CERTIFICATE, words[i], "certificates", &whole);
		const json_t *pem = json_object_get(json_array_get(array, 0), "pem");
		assert_int_equal(json_is_string(pem), i == 0);
		json_decref(whole);
	}
}

static void a_question_is_needed_and_must_make_sense(void **state)
{
	(void)state;
	refused(LIST_CERTIFICATE, "", "q is missing: an ARN, fingerprint, serial or domain");
	refused(LIST_CERTIFICATE, "pem=yes", "q is missing: an ARN, fingerprint, serial or domain");
	refused(LIST_CERTIFICATE,
		"q=", "q: \"\" is not an ARN, a fingerprint, a serial or a domain");
	refused(LIST_CERTIFICATE, "q=a&pem=x", "pem: \"x\" is not yes or no");
	refused(LIST_CERTIFICATE, "q=a&gone=x", "gone: \"x\" is not yes or no");
	refused(LIST_CERTIFICATE, "q=a&region=x", "unknown parameter \"region\"");
}

/* --- accounts, coverage -------------------------------------------------------------------------- */

static void accounts_come_with_their_units(void **state)
{
	(void)state;
	json_t *whole;
	assert_int_equal(json_array_size(document(LIST_ACCOUNTS, "", "accounts", &whole)), 3);
	assert_int_equal(json_array_size(json_object_get(whole, "units")), 3);
	json_decref(whole);
	assert_int_equal(
		json_array_size(document(LIST_ACCOUNTS, "connector=test", "accounts", &whole)), 1);
	assert_int_equal(json_array_size(json_object_get(whole, "units")), 1);
	json_decref(whole);
	refused(LIST_ACCOUNTS, "account=1", "unknown parameter \"account\"");
	refused(LIST_ACCOUNTS, "since=1d", "unknown parameter \"since\"");
}

static void coverage_is_filtered_by_every_part(void **state)
{
	(void)state;
	assert_int_equal(count(LIST_COVERAGE, ""), 5);
	assert_int_equal(count(LIST_COVERAGE, "connector=prod"), 3);
	assert_int_equal(count(LIST_COVERAGE, "account=000000100000"), 3);
	assert_int_equal(count(LIST_COVERAGE, "connector=prod&account=000000100000"), 2);
	assert_int_equal(count(LIST_COVERAGE, "region=us-east-1"), 2);
	assert_int_equal(count(LIST_COVERAGE, "state=ok"), 2);
	assert_int_equal(count(LIST_COVERAGE, "state=never_tried"), 0);
	assert_int_equal(count(LIST_COVERAGE, "problems=1"), 2);
	assert_int_equal(count(LIST_COVERAGE, "problems=no"), 5);
	assert_int_equal(count(LIST_COVERAGE, "problems=yes&region=us-east-1"), 1);
	refused(LIST_COVERAGE, "state=fine", "state: \"fine\" is not a coverage state");
	refused(LIST_COVERAGE, "problems=many", "problems: \"many\" is not yes or no");
	refused(LIST_COVERAGE, "limit=3", "unknown parameter \"limit\"");
	refused(LIST_COVERAGE, "from=3", "unknown parameter \"from\"");
}

/* --- events -------------------------------------------------------------------------------------- */

static int64_t first_sequence(const char *words)
{
	json_t *whole;
	const json_t *array = document(LIST_EVENTS, words, "events", &whole);
	int64_t sequence =
		json_integer_value(json_object_get(json_array_get(array, 0), "sequence"));
	json_decref(whole);
	return sequence;
}

/* Sequence 1 is the store's own, at the real time; ours are 2 to EVENTS + 1, ten seconds apart. */
static void events_begin_at_a_sequence_or_a_time(void **state)
{
	(void)state;
	assert_int_equal(count(LIST_EVENTS, ""), EVENTS + 1);
	assert_int_equal(first_sequence("from=0"), 1);
	assert_int_equal(first_sequence("from=5"), 5);
	assert_int_equal(count(LIST_EVENTS, "from=5"), EVENTS + 1 - 4);
	assert_int_equal(count(LIST_EVENTS, "from=1000"), 0);
	assert_int_equal(count(LIST_EVENTS, "from=9223372036854775807"), 0);
	assert_int_equal(first_sequence("since=2026-11-21T00:00:50Z"), 7);
	assert_int_equal(first_sequence("since=2026-11-21T00:00:51Z"), 8);
	assert_int_equal(count(LIST_EVENTS, "since=2026-11-21T00:03:11Z"), 0);
	assert_int_equal(first_sequence("since=1970-01-01"), 1);
	/* Both hold. */
	assert_int_equal(first_sequence("from=9&since=2026-11-21T00:00:50Z"), 9);
	assert_int_equal(first_sequence("from=3&since=2026-11-21T00:00:50Z"), 7);
}

static void events_end_at_the_limit(void **state)
{
	(void)state;
	assert_int_equal(count(LIST_EVENTS, "limit=1"), 1);
	assert_int_equal(count(LIST_EVENTS, "limit=3&from=2"), 3);
	assert_int_equal(count(LIST_EVENTS, "limit=1000000"), EVENTS + 1);
	refused(LIST_EVENTS, "limit=0", "limit: \"0\" is not a whole number from 1 to 1000000");
	refused(LIST_EVENTS, "from=-1",
		"from: \"-1\" is not a whole number from 0 to 9223372036854775807");
	refused(LIST_EVENTS, "since=yesterday",
		"since: \"yesterday\" is not a duration (30d, 12h) or a date (2026-12-31)");
	refused(LIST_EVENTS, "connector=prod", "unknown parameter \"connector\"");
	refused(LIST_EVENTS, "state=ok", "unknown parameter \"state\"");
	refused(LIST_EVENTS, "region=x", "unknown parameter \"region\"");
	refused(LIST_EVENTS, "problems=1", "unknown parameter \"problems\"");
}

/* --- alerts -------------------------------------------------------------------------------------- */

static const json_t *find_row(const json_t *array, const char *subject)
{
	size_t i;
	const json_t *row;
	json_array_foreach(array, i,
		row) if (strcmp(json_string_value(json_object_get(row, "subject")), subject) ==
			 0) return row;
	fail_msg("%s is not there", subject);
	return NULL;
}

static void expect_text(const json_t *row, const char *key, const char *expected)
{
	assert_string_equal(json_string_value(json_object_get(row, key)), expected);
}

static void alerts_are_open_ones_unless_all_are_asked_for(void **state)
{
	(void)state;
	json_t *whole;
	assert_int_equal(count(LIST_ALERTS, ""), 4);
	assert_int_equal(count(LIST_ALERTS, "all=yes"), 5);
	assert_int_equal(count(LIST_ALERTS, "class=critical"), 2);
	assert_int_equal(count(LIST_ALERTS, "class=critical&all=1"), 3);
	assert_int_equal(count(LIST_ALERTS, "kind=certificate"), 2);
	assert_int_equal(count(LIST_ALERTS, "kind=job"), 0);
	refused(LIST_ALERTS, "class=loud",
		"class: \"loud\" is not notice, warning, critical or emergency");
	refused(LIST_ALERTS, "kind=loud",
		"kind: \"loud\" is not certificate, coverage, connector, job or identity");
	refused(LIST_ALERTS, "all=maybe", "all: \"maybe\" is not yes or no");
	refused(LIST_ALERTS, "since=1d", "unknown parameter \"since\"");
	const json_t *array = document(LIST_ALERTS, "all=yes", "alerts", &whole);
	const json_t *row = find_row(array, "arn:aws:acm:1");
	expect_text(row, "state", "open");
	expect_text(row, "class", "emergency");
	expect_text(row, "arn", "arn:aws:acm:1");
	assert_int_equal(json_integer_value(json_object_get(row, "days_left")), 10);
	assert_int_equal(json_integer_value(json_object_get(row, "threshold_days")), 14);
	expect_text(find_row(array, "arn:aws:acm:3"), "state", "resolved");
	expect_text(find_row(array, "arn:aws:acm:3"), "resolution", "renewed");
	row = find_row(array, "prod 000000100000");
	expect_text(row, "state", "acknowledged");
	assert_true(json_is_null(json_object_get(row, "arn")));
	assert_true(json_is_null(json_object_get(row, "days_left")));
	assert_true(json_is_null(json_object_get(row, "threshold_days")));
	json_decref(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_holds_the_same_rows_as_lines),
		cmocka_unit_test(slices_of_any_size_make_the_same_text),
		cmocka_unit_test(an_empty_list_is_a_document_too),
		cmocka_unit_test(writing_on_after_the_end_adds_nothing),
		cmocka_unit_test(a_transaction_that_fails_ends_no_list),
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
		cmocka_unit_test(accounts_come_with_their_units),
		cmocka_unit_test(coverage_is_filtered_by_every_part),
		cmocka_unit_test(events_begin_at_a_sequence_or_a_time),
		cmocka_unit_test(events_end_at_the_limit),
		cmocka_unit_test(alerts_are_open_ones_unless_all_are_asked_for),
	};
	return cmocka_run_group_tests(tests, open_store, close_store);
}
