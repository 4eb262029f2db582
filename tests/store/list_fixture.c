/* See list_fixture.h. */
#include "tests/store/list_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/accounts.h"
#include "store/alerts.h"
#include "store/coverage.h"
#include "store/events.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { PARAMS_MAX = 4 };

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

int list_fixture_open(void **state)
{
	(void)store_fixture_open(state);
	store_fixture_write(put_all, NULL);
	store_fixture_write(put_alerts, NULL);
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

struct list *make_list(enum list_kind kind, const char *words, bool is_ndjson, struct err *err)
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

char *write_in_slices(enum list_kind kind, const char *words, bool is_ndjson, size_t slice_bytes,
	size_t slice_records, size_t *ret_rows)
{
	struct err err = ERR_INIT;
	struct buf all, slice;
	bool is_end = false;
	struct list *list = make_list(kind, words, is_ndjson, &err);
	if (list == NULL)
		fail_msg("%s: %s", words, err.text);
	buf_init(&all, TEXT_MAX);
	buf_init(&slice, TEXT_MAX);
	while (!is_end) {
		struct store_txn *txn = store_fixture_read();
		buf_reset(&slice);
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

char *write_all(enum list_kind kind, const char *words, bool is_ndjson, size_t *ret_rows)
{
	return write_in_slices(kind, words, is_ndjson, TEXT_MAX, 100000, ret_rows);
}

size_t count_rows(enum list_kind kind, const char *words)
{
	size_t rows;
	free(write_all(kind, words, true, &rows));
	return rows;
}

const json_t *read_document(
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

void expect_refused(enum list_kind kind, const char *words, const char *message)
{
	struct err err = ERR_INIT;
	struct list *list = make_list(kind, words, true, &err);
	assert_null(list);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text, message);
}
