/* The status that the store alone tells. */
#include "cli/status_offline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/row.h"
#include "store/accounts.h"
#include "store/coverage.h"
#include "tests/lib/temp_store.h"

static char *folder;

static int setup(void **state)
{
	(void)state;
	folder = temp_folder_new();
	store_close(temp_store_open(NULL, folder));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	temp_folder_remove(folder);
	return 0;
}

/* The status, its document owned by the caller. */
static const json_t *read_status(json_t **ret_document)
{
	const struct cli cli = {.offline_dir = folder, .now_s = SAMPLE_NOW_S};
	struct err err = ERR_INIT;
	if (status_offline(&cli, ret_document, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(row_int(*ret_document, "schema"), 1);
	return row_get(*ret_document, "status");
}

static void an_empty_store_has_a_status(void **state)
{
	(void)state;
	json_t *document;
	const json_t *status = read_status(&document);
	assert_string_equal(row_text(row_get(status, "sensor"), "data_dir"), folder);
	assert_false(row_has(row_get(status, "sensor"), "pid")); /* it was read without a daemon */
	assert_true(json_is_array(row_get(status, "connectors")));
	assert_int_equal(json_array_size(row_get(status, "connectors")), 0);
	assert_int_equal(row_int(row_get(status, "counts"), "certificates"), 0);
	assert_int_equal(json_object_size(row_get(status, "coverage")), COVERAGE_STATES);
	assert_true(row_int(row_get(status, "store"), "file_bytes") > 0);
	assert_int_equal(strlen(row_text(row_get(status, "store"), "epoch")), 16);
	/* Only a daemon knows. */
	assert_false(row_has(status, "attention"));
	assert_false(row_has(status, "alerts"));
	json_decref(document);
}

static void put_some(struct store_txn *txn, void *arg)
{
	(void)arg;
	struct cycle_record cycle = {.connector = "prod",
		.hub_account_id = "",
		.hub_arn = "",
		.partition = "",
		.organization_id = "o-1",
		.error = "no role",
		.started_s = SAMPLE_NOW_S - 60,
		.finished_s = SAMPLE_NOW_S,
		.next_s = SAMPLE_NOW_S + 60};
	struct coverage_record place = {.connector = "prod",
		.account_id = "111122223333",
		.region = "eu-west-1",
		.state = COVERAGE_DENIED,
		.code = "AccessDenied",
		.reason = "no"};
	store_cycle_put(txn, &cycle);
	cycle.connector = "test";
	store_cycle_put(txn, &cycle);
	store_coverage_put(txn, &place);
	place.region = "eu-west-2";
	store_coverage_put(txn, &place);
	place.region = "us-east-1";
	place.state = COVERAGE_OK;
	store_coverage_put(txn, &place);
	sample_cert_put(txn, 0);
}

static void what_is_in_the_store_is_counted(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store *store = temp_store_open(NULL, folder);
	json_t *document;
	assert_int_equal(store_write_now(store, put_some, NULL, &err), 0);
	store_close(store);
	const json_t *status = read_status(&document);
	const json_t *connectors = row_get(status, "connectors");
	const json_t *first = json_array_get(connectors, 0);
	assert_int_equal(json_array_size(connectors), 2);
	assert_string_equal(row_text(first, "name"), "prod");
	assert_int_equal(row_time(first, "next"), SAMPLE_NOW_S + 60);
	assert_string_equal(row_text(row_get(first, "cycle"), "error"), "no role");
	assert_int_equal(row_int(row_get(status, "coverage"), "denied"), 2);
	assert_int_equal(row_int(row_get(status, "coverage"), "ok"), 1);
	assert_int_equal(row_int(row_get(status, "coverage"), "throttled"), 0);
	assert_int_equal(row_int(row_get(status, "counts"), "certificates"), 1);
	json_decref(document);
}

static void no_store_is_an_error(void **state)
{
	(void)state;
	const struct cli cli = {.offline_dir = "/nonexistent", .now_s = SAMPLE_NOW_S};
	struct err err = ERR_INIT;
	json_t *document = NULL;
	assert_int_equal(status_offline(&cli, &document, &err), -1);
	assert_null(document);
	assert_non_null(strstr(err.text, "/nonexistent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_store_has_a_status),
		cmocka_unit_test(what_is_in_the_store_is_counted),
		cmocka_unit_test(no_store_is_an_error),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
