/* Where data comes from: the daemon, or with --offline the store itself. */
#include "cli/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/row.h"
#include "cli/source_internal.h"
#include "tests/lib/temp_store.h"

/* --- the daemon, in place of cli/source_daemon.c ---------------------------------------------- */

static const char *bytes; /* what it answers */

int daemon_rows(const struct cli *cli, enum list_kind kind, const struct params *params,
	struct lines *lines, struct err *err)
{
	(void)cli, (void)params;
	assert_int_equal(kind, LIST_COVERAGE);
	return lines_take(lines, bytes, strlen(bytes), err);
}

int daemon_document(const struct cli *cli, enum list_kind kind, const struct params *params,
	FILE *out, struct err *err)
{
	(void)cli, (void)kind, (void)params, (void)err;
	fputs(bytes, out);
	return 0;
}

/* --- the store -------------------------------------------------------------------------------- */

enum { CERTIFICATES = 3 };

static char *folder;
static struct cli offline = {.now_s = SAMPLE_NOW_S};

static void put(struct store_txn *txn, void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < CERTIFICATES; i++)
		sample_cert_put(txn, i);
}

static int setup(void **state)
{
	struct err err = ERR_INIT;
	(void)state;
	folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	int rc = store_write_now(store, put, NULL, &err);
	store_close(store);
	offline.offline_dir = folder;
	return rc;
}

static int teardown(void **state)
{
	(void)state;
	temp_folder_remove(folder);
	return 0;
}

struct seen {
	int rows, stop_at; /* 0: never */
	char arn[128];	   /* of the last */
};

static int take(void *arg, const json_t *row, struct err *err)
{
	struct seen *seen = arg;
	snprintf(seen->arn, sizeof(seen->arn), "%s", row_text(row, "arn"));
	return ++seen->rows == seen->stop_at ? err_set(err, ERR_STOPPED, "enough") : 0;
}

static int rows(const struct cli *cli, enum list_kind kind, const char *key, const char *value,
	struct seen *seen, struct err *err)
{
	struct params params = {.count = 0};
	*err = (struct err)ERR_INIT;
	seen->rows = 0;
	params_add(&params, key, value);
	return source_rows(cli, kind, &params, take, seen, err);
}

static void the_store_gives_the_rows(void **state)
{
	(void)state;
	struct seen seen = {.rows = 0};
	struct err err;
	assert_int_equal(rows(&offline, LIST_CERTIFICATES, "gone", "yes", &seen, &err), 0);
	assert_int_equal(seen.rows, CERTIFICATES);
	assert_int_equal(rows(&offline, LIST_CERTIFICATE, "q", seen.arn, &seen, &err), 0);
	assert_int_equal(seen.rows, 1);
	assert_int_equal(rows(&offline, LIST_ALERTS, "all", NULL, &seen, &err), 0);
	assert_int_equal(seen.rows, 0);
}

static void a_certificate_that_is_not_there_is_not_found(void **state)
{
	(void)state;
	struct seen seen = {.rows = 0};
	struct err err;
	assert_int_equal(rows(&offline, LIST_CERTIFICATE, "q", "none.example", &seen, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_string_equal(err.text, "no certificate matches");
	/* Of a list it is no error. */
	assert_int_equal(
		rows(&offline, LIST_CERTIFICATES, "domain", "none.example", &seen, &err), 0);
	assert_int_equal(seen.rows, 0);
}

static void a_row_that_is_refused_ends_it(void **state)
{
	(void)state;
	struct seen seen = {.stop_at = 2};
	struct err err;
	assert_int_equal(rows(&offline, LIST_CERTIFICATES, "gone", "yes", &seen, &err), -1);
	assert_string_equal(err.text, "enough");
	assert_int_equal(seen.rows, 2);
}

static void what_cannot_be_read_says_why(void **state)
{
	(void)state;
	const struct cli nowhere = {.offline_dir = "/nonexistent", .now_s = SAMPLE_NOW_S};
	struct seen seen = {.rows = 0};
	struct err err;
	assert_int_equal(rows(&offline, LIST_EVENTS, "nonsense", "1", &seen, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_int_equal(rows(&offline, LIST_CERTIFICATES, "expires", "soon", &seen, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_int_equal(rows(&nowhere, LIST_EVENTS, "limit", NULL, &seen, &err), -1);
	assert_non_null(strstr(err.text, "/nonexistent"));
}

static void a_document_has_the_same_rows(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct err err = ERR_INIT;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	assert_int_equal(source_document(&offline, LIST_CERTIFICATES, &params, out, &err), 0);
	fclose(out);
	json_t *document = json_loads(text, 0, NULL);
	assert_int_equal(row_int(document, "schema"), 1);
	assert_in_range(json_array_size(row_get(document, "certificates")), 1, CERTIFICATES);
	json_decref(document);
	free(text);
}

static void a_full_disk_is_an_error(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	struct err err = ERR_INIT;
	FILE *out = fopen("/dev/full", "we");
	setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(source_document(&offline, LIST_CERTIFICATES, &params, out, &err), -1);
	assert_string_equal(err.text, "standard output: No space left on device");
	fclose(out);
}

static void without_a_store_the_daemon_is_asked(void **state)
{
	(void)state;
	const struct cli online = {.socket_path = "/x"};
	struct params params = {.count = 0};
	struct seen seen = {.rows = 0};
	struct err err;
	char text[16] = "";
	bytes = "{}\n{\"arn\":\"b\"}\n";
	assert_int_equal(rows(&online, LIST_COVERAGE, "x", NULL, &seen, &err), 0);
	assert_int_equal(seen.rows, 2);
	assert_string_equal(seen.arn, "b");
	bytes = "{}\n{\"arn\"";
	assert_int_equal(rows(&online, LIST_COVERAGE, "x", NULL, &seen, &err), -1);
	assert_string_equal(err.text, "the list broke off in the middle of a row");
	FILE *out = fmemopen(text, sizeof(text), "w");
	assert_int_equal(source_document(&online, LIST_EVENTS, &params, out, &err), 0);
	fclose(out);
	assert_string_equal(text, bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_store_gives_the_rows),
		cmocka_unit_test(a_certificate_that_is_not_there_is_not_found),
		cmocka_unit_test(a_row_that_is_refused_ends_it),
		cmocka_unit_test(what_cannot_be_read_says_why),
		cmocka_unit_test(a_document_has_the_same_rows),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(without_a_store_the_daemon_is_asked),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
