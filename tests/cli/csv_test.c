/* CSV: RFC 4180, no formulas, one line a row; and headers equal to what the store renders. */
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
#include "cli/csv.h"
#include "store/accounts.h"
#include "store/alerts.h"
#include "store/coverage.h"
#include "store/events.h"
#include "tests/lib/temp_store.h"

static void row_is(const char *json, const char *expected)
{
	struct buf line;
	json_t *row = json_loads(json, 0, NULL);
	assert_non_null(row);
	buf_init(&line, 1 << 20);
	csv_row(&line, row);
	assert_string_equal(buf_text(&line), expected);
	buf_clear(&line);
	json_decref(row);
}

static void scalars_stand_for_themselves(void **state)
{
	(void)state;
	row_is("{\"a\":\"x\",\"b\":-3,\"c\":1.5,\"d\":true,\"e\":false,\"f\":null,\"g\":\"\"}",
		"x,-3,1.5,true,false,,\r\n");
	row_is("{}", "\r\n");
}

static void what_needs_quotes_is_quoted(void **state)
{
	(void)state;
	row_is("{\"a\":\"x,y\",\"b\":\"say \\\"hi\\\"\"}", "\"x,y\",\"say \"\"hi\"\"\"\r\n");
}

static void a_row_is_a_line_and_a_terminal_is_left_alone(void **state)
{
	(void)state;
	row_is("{\"a\":\"x\\r\\ny\",\"b\":\"\\u001b[2J\",\"c\":\"Z\\u00fcrich\"}",
		"x\\r\\ny,\\x1b[2J,Z\u00fcrich\r\n");
}

static void formulas_are_disarmed(void **state)
{
	(void)state;
	row_is("{\"a\":\"=1+1\",\"b\":\"+1\",\"c\":\"-1\",\"d\":\"@x\",\"e\":\"a=1\"}",
		"\"'=1+1\",\"'+1\",\"'-1\",\"'@x\",a=1\r\n");
	row_is("{\"a\":[\"=1\",\"b\"],\"b\":{\"=k\":\"v\"}}", "\"'=1 b\",\"'=k=v\"\r\n");
}

static void lists_and_objects_become_one_cell(void **state)
{
	(void)state;
	row_is("{\"a\":[\"x\",\"y\"],\"b\":{\"k\":\"v\",\"n\":2},\"c\":[],\"d\":{}}",
		"x y,k=v;n=2,,\r\n");
	row_is("{\"a\":[{\"k\":1},{\"k\":2}]}", "\"[{\"\"k\"\":1},{\"\"k\"\":2}]\"\r\n");
	row_is("{\"a\":{\"k\":[1]}}", "k=[1]\r\n");
}

static void a_header_has_the_names_in_order(void **state)
{
	(void)state;
	struct buf line;
	json_t *row = json_loads("{\"z\":1,\"a\":2,\"odd,name\":3}", 0, NULL);
	buf_init(&line, 4096);
	csv_header(&line, row);
	assert_string_equal(buf_text(&line), "z,a,\"odd,name\"\r\n");
	buf_clear(&line);
	json_decref(row);
}

/* --- headers of empty lists ---------------------------------------------------------------------- */

static void put_one_of_each(struct store_txn *txn, void *arg)
{
	(void)arg;
	sample_cert_put(txn, 1);
	store_account_put(txn, &(struct account_record){.connector = "prod",
				       .account_id = "123456789012",
				       .name = "n",
				       .email = "",
				       .state = "ACTIVE",
				       .unit_id = "",
				       .unit_path = ""});
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = "123456789012",
					.region = "eu-west-1",
					.state = COVERAGE_OK,
					.code = "",
					.reason = ""});
}

static void put_alert(struct store_txn *txn, void *arg)
{
	char id[ALERT_ID_LEN + 1];
	(void)arg;
	alert_make_id(ALERT_JOB, "j-1", id);
	store_alert_put(txn, &(struct alert_record){.id = id,
				     .kind = ALERT_JOB,
				     .class = ALERT_NOTICE,
				     .told_class = ALERT_NOTICE,
				     .subject = "j-1"});
}

/* owned by the caller */
static json_t *first_row(struct store *store, enum list_kind kind)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct buf text;
	bool is_end = false;
	buf_init(&text, 1 << 20);
	struct list *list = list_new(kind, NULL, 0, true, SAMPLE_NOW_S, &err);
	assert_non_null(list);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_int_equal(list_write(list, txn, &text, 1 << 19, 1000, &is_end, &err), 0);
	assert_true(is_end && list_rows(list) > 0);
	store_read_end(txn);
	list_free(list);
	json_t *row = json_loads(buf_text(&text), JSON_DISABLE_EOF_CHECK, NULL);
	assert_non_null(row);
	buf_clear(&text);
	return row;
}

static void the_header_of_an_empty_list_is_that_of_a_full_one(void **state)
{
	(void)state;
	static const enum list_kind kinds[] = {
		LIST_CERTIFICATES, LIST_ACCOUNTS, LIST_COVERAGE, LIST_EVENTS, LIST_ALERTS};
	char *folder = temp_folder_new();
	struct err err = ERR_INIT;
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_write_now(store, put_one_of_each, NULL, &err), 0);
	assert_int_equal(store_write_now(store, put_alert, NULL, &err), 0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct buf full, empty;
		json_t *row = first_row(store, kinds[i]);
		buf_init(&full, 1 << 16);
		buf_init(&empty, 1 << 16);
		csv_header(&full, row);
		csv_empty_header(&empty, kinds[i]);
		assert_string_equal(buf_text(&empty), buf_text(&full));
		buf_clear(&full);
		buf_clear(&empty);
		json_decref(row);
	}
	store_close(store);
	temp_folder_remove(folder);
}

static void one_certificate_that_is_missing_has_no_header(void **state)
{
	(void)state;
	struct buf line;
	buf_init(&line, 4096);
	csv_empty_header(&line, LIST_CERTIFICATE);
	assert_string_equal(buf_text(&line), "");
	buf_clear(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_stand_for_themselves),
		cmocka_unit_test(what_needs_quotes_is_quoted),
		cmocka_unit_test(a_row_is_a_line_and_a_terminal_is_left_alone),
		cmocka_unit_test(formulas_are_disarmed),
		cmocka_unit_test(lists_and_objects_become_one_cell),
		cmocka_unit_test(a_header_has_the_names_in_order),
		cmocka_unit_test(the_header_of_an_empty_list_is_that_of_a_full_one),
		cmocka_unit_test(one_certificate_that_is_missing_has_no_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
