/* Lists: documents and lines, slices; accounts, coverage, events and alerts with every parameter. Those
 * of certificates are in list_certs_test.c. */
#include "store/list.h"

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
#include "tests/lib/store_fixture.h"
#include "tests/store/list_fixture.h"

/* --- form ------------------------------------------------------------------------------------- */

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
			read_document(lists[i].kind, lists[i].words, lists[i].name, &whole);
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
	struct buf text;
	bool is_end = false;
	struct list *list = make_list(LIST_ACCOUNTS, "", false, &err);
	buf_init(&text, TEXT_MAX);
	struct store_txn *txn = store_fixture_read();
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
			struct buf text;
			bool is_end = false;
			struct list *list = make_list((enum list_kind)kind,
				kind == LIST_CERTIFICATE ? "q=x.shop1.example.com"
				: kind == LIST_EVENTS	 ? "since=1d"
							 : "",
				false, &err);
			buf_init(&text, TEXT_MAX);
			struct store_txn *txn = store_fixture_read();
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

/* --- accounts, coverage ----------------------------------------------------------------------- */

static void accounts_come_with_their_units(void **state)
{
	(void)state;
	json_t *whole;
	assert_int_equal(json_array_size(read_document(LIST_ACCOUNTS, "", "accounts", &whole)), 3);
	assert_int_equal(json_array_size(json_object_get(whole, "units")), 3);
	json_decref(whole);
	assert_int_equal(
		json_array_size(read_document(LIST_ACCOUNTS, "connector=test", "accounts", &whole)),
		1);
	assert_int_equal(json_array_size(json_object_get(whole, "units")), 1);
	json_decref(whole);
	expect_refused(LIST_ACCOUNTS, "account=1", "unknown parameter \"account\"");
	expect_refused(LIST_ACCOUNTS, "since=1d", "unknown parameter \"since\"");
}

static void coverage_is_filtered_by_every_part(void **state)
{
	(void)state;
	assert_int_equal(count_rows(LIST_COVERAGE, ""), 5);
	assert_int_equal(count_rows(LIST_COVERAGE, "connector=prod"), 3);
	assert_int_equal(count_rows(LIST_COVERAGE, "account=000000100000"), 3);
	assert_int_equal(count_rows(LIST_COVERAGE, "connector=prod&account=000000100000"), 2);
	assert_int_equal(count_rows(LIST_COVERAGE, "region=us-east-1"), 2);
	assert_int_equal(count_rows(LIST_COVERAGE, "state=ok"), 2);
	assert_int_equal(count_rows(LIST_COVERAGE, "state=never_tried"), 0);
	assert_int_equal(count_rows(LIST_COVERAGE, "problems=1"), 2);
	assert_int_equal(count_rows(LIST_COVERAGE, "problems=no"), 5);
	assert_int_equal(count_rows(LIST_COVERAGE, "problems=yes&region=us-east-1"), 1);
	expect_refused(LIST_COVERAGE, "state=fine", "state: \"fine\" is not a coverage state");
	expect_refused(LIST_COVERAGE, "problems=many", "problems: \"many\" is not yes or no");
	expect_refused(LIST_COVERAGE, "limit=3", "unknown parameter \"limit\"");
	expect_refused(LIST_COVERAGE, "from=3", "unknown parameter \"from\"");
}

/* --- events ----------------------------------------------------------------------------------- */

static int64_t first_sequence(const char *words)
{
	json_t *whole;
	const json_t *array = read_document(LIST_EVENTS, words, "events", &whole);
	int64_t sequence =
		json_integer_value(json_object_get(json_array_get(array, 0), "sequence"));
	json_decref(whole);
	return sequence;
}

/* Sequence 1 is the store's own, at the real time; ours are 2 to EVENTS + 1, ten seconds apart. */
static void events_begin_at_a_sequence_or_a_time(void **state)
{
	(void)state;
	assert_int_equal(count_rows(LIST_EVENTS, ""), EVENTS + 1);
	assert_int_equal(first_sequence("from=0"), 1);
	assert_int_equal(first_sequence("from=5"), 5);
	assert_int_equal(count_rows(LIST_EVENTS, "from=5"), EVENTS + 1 - 4);
	assert_int_equal(count_rows(LIST_EVENTS, "from=1000"), 0);
	assert_int_equal(count_rows(LIST_EVENTS, "from=9223372036854775807"), 0);
	assert_int_equal(first_sequence("since=2026-11-21T00:00:50Z"), 7);
	assert_int_equal(first_sequence("since=2026-11-21T00:00:51Z"), 8);
	assert_int_equal(count_rows(LIST_EVENTS, "since=2026-11-21T00:03:11Z"), 0);
	assert_int_equal(first_sequence("since=1970-01-01"), 1);
	/* Both hold. */
	assert_int_equal(first_sequence("from=9&since=2026-11-21T00:00:50Z"), 9);
	assert_int_equal(first_sequence("from=3&since=2026-11-21T00:00:50Z"), 7);
}

static void events_end_at_the_limit(void **state)
{
	(void)state;
	assert_int_equal(count_rows(LIST_EVENTS, "limit=1"), 1);
	assert_int_equal(count_rows(LIST_EVENTS, "limit=3&from=2"), 3);
	assert_int_equal(count_rows(LIST_EVENTS, "limit=1000000"), EVENTS + 1);
	expect_refused(
		LIST_EVENTS, "limit=0", "limit: \"0\" is not a whole number from 1 to 1000000");
	expect_refused(LIST_EVENTS, "from=-1",
		"from: \"-1\" is not a whole number from 0 to 9223372036854775807");
	expect_refused(LIST_EVENTS, "since=yesterday",
		"since: \"yesterday\" is not a duration (30d, 12h) or a date (2026-12-31)");
	expect_refused(LIST_EVENTS, "connector=prod", "unknown parameter \"connector\"");
	expect_refused(LIST_EVENTS, "state=ok", "unknown parameter \"state\"");
	expect_refused(LIST_EVENTS, "region=x", "unknown parameter \"region\"");
	expect_refused(LIST_EVENTS, "problems=1", "unknown parameter \"problems\"");
}

/* --- alerts ----------------------------------------------------------------------------------- */

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
	assert_int_equal(count_rows(LIST_ALERTS, ""), 4);
	assert_int_equal(count_rows(LIST_ALERTS, "all=yes"), 5);
	assert_int_equal(count_rows(LIST_ALERTS, "class=critical"), 2);
	assert_int_equal(count_rows(LIST_ALERTS, "class=critical&all=1"), 3);
	assert_int_equal(count_rows(LIST_ALERTS, "kind=certificate"), 2);
	assert_int_equal(count_rows(LIST_ALERTS, "kind=job"), 0);
	expect_refused(LIST_ALERTS, "class=loud",
		"class: \"loud\" is not notice, warning, critical or emergency");
	expect_refused(LIST_ALERTS, "kind=loud",
		"kind: \"loud\" is not certificate, coverage, connector, job or identity");
	expect_refused(LIST_ALERTS, "all=maybe", "all: \"maybe\" is not yes or no");
	expect_refused(LIST_ALERTS, "since=1d", "unknown parameter \"since\"");
	const json_t *array = read_document(LIST_ALERTS, "all=yes", "alerts", &whole);
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
		cmocka_unit_test(accounts_come_with_their_units),
		cmocka_unit_test(coverage_is_filtered_by_every_part),
		cmocka_unit_test(events_begin_at_a_sequence_or_a_time),
		cmocka_unit_test(events_end_at_the_limit),
		cmocka_unit_test(alerts_are_open_ones_unless_all_are_asked_for),
	};
	return cmocka_run_group_tests(tests, list_fixture_open, store_fixture_close);
}
