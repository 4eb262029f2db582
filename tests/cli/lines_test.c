/* Rows from bytes that come in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/row.h"
#include "cli/source_internal.h"

struct seen {
	int64_t sum;
	int rows, stop_at; /* 0: never */
};

static int take(void *arg, const json_t *row, struct err *err)
{
	struct seen *seen = arg;
	seen->rows++;
	seen->sum = seen->sum * 10 + row_int(row, "n");
	return seen->rows == seen->stop_at ? err_set(err, ERR_STOPPED, "enough") : 0;
}

static int feed(struct seen *seen, const char *text, size_t piece, struct err *err)
{
	struct lines lines;
	size_t len = strlen(text);
	int rc = 0;
	lines_init(&lines, take, seen);
	for (size_t at = 0; at < len && rc == 0; at += piece)
		rc = lines_take(&lines, text + at, len - at < piece ? len - at : piece, err);
	if (rc == 0)
		rc = lines_end(&lines, err);
	lines_clear(&lines);
	return rc;
}

static void rows_are_the_same_however_the_bytes_come(void **state)
{
	(void)state;
	const char *text = "{\"n\":1}\n{\"n\":2,\"t\":\"a\\nb\"}\n{\"n\":3}\n";
	for (size_t piece = 1; piece <= strlen(text); piece++) {
		struct seen seen = {.rows = 0};
		struct err err = ERR_INIT;
		assert_int_equal(feed(&seen, text, piece, &err), 0);
		assert_int_equal(seen.rows, 3);
		assert_int_equal(seen.sum, 123);
	}
}

static void nothing_is_no_rows(void **state)
{
	(void)state;
	struct seen seen = {.rows = 0};
	struct err err = ERR_INIT;
	assert_int_equal(feed(&seen, "", 1, &err), 0);
	assert_int_equal(seen.rows, 0);
}

/* Cut at any byte that is no end of a line, the list is an error; whole rows were handed on. */
static void a_list_that_breaks_off_in_a_row_is_an_error(void **state)
{
	(void)state;
	const char *text = "{\"n\":1}\n{\"n\":2}\n";
	for (size_t len = 1; len < strlen(text); len++) {
		struct seen seen = {.rows = 0};
		struct err err = ERR_INIT;
		char *cut = strndup(text, len);
		bool is_whole = cut[len - 1] == '\n';
		assert_int_equal(feed(&seen, cut, 3, &err), is_whole ? 0 : -1);
		if (!is_whole)
			assert_int_equal(err.kind, ERR_PROTOCOL);
		assert_int_equal(seen.rows, len >= 8 ? 1 : 0);
		free(cut);
	}
}

static void what_is_no_object_is_an_error(void **state)
{
	(void)state;
	const char *const bad[] = {"[1]\n", "\n", "{\"n\":1}x\n", "null\n", "{\"n\":\n", "\xff\n"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (size_t piece = 1; piece <= 8; piece += 7) {
			struct seen seen = {.rows = 0};
			struct err err = ERR_INIT;
			assert_int_equal(feed(&seen, bad[i], piece, &err), -1);
			assert_int_equal(err.kind, ERR_PROTOCOL);
			assert_int_equal(seen.rows, 0);
		}
	}
}

static void who_takes_rows_may_stop(void **state)
{
	(void)state;
	for (size_t piece = 1; piece <= 64; piece += 63) {
		struct seen seen = {.stop_at = 2};
		struct err err = ERR_INIT;
		assert_int_equal(feed(&seen, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n", piece, &err), -1);
		assert_int_equal(err.kind, ERR_STOPPED);
		assert_int_equal(seen.rows, 2);
	}
}

static void a_row_without_end_is_given_up(void **state)
{
	(void)state;
	struct seen seen = {.rows = 0};
	struct err err = ERR_INIT;
	struct lines lines;
	char piece[65536];
	int rc = 0;
	memset(piece, ' ', sizeof(piece));
	lines_init(&lines, take, &seen);
	for (size_t sent = 0; rc == 0 && sent <= SOURCE_LINE_MAX; sent += sizeof(piece))
		rc = lines_take(&lines, piece, sizeof(piece), &err);
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	lines_clear(&lines);
}

static void parameters_without_a_value_are_left_out(void **state)
{
	(void)state;
	struct params params = {.count = 0};
	params_add(&params, "a", "1");
	params_add(&params, "b", NULL);
	params_add(&params, "c", "");
	assert_int_equal(params.count, 2);
	assert_string_equal(params.item[1].key, "c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_the_same_however_the_bytes_come),
		cmocka_unit_test(nothing_is_no_rows),
		cmocka_unit_test(a_list_that_breaks_off_in_a_row_is_an_error),
		cmocka_unit_test(what_is_no_object_is_an_error),
		cmocka_unit_test(who_takes_rows_may_stop),
		cmocka_unit_test(a_row_without_end_is_given_up),
		cmocka_unit_test(parameters_without_a_value_are_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
