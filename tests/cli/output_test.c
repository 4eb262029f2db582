/* The four forms of a list and of a document, and what cannot be written. */
#include "cli/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/row.h"
#include "tests/cli/print_fixture.h"
#include "tests/cli/run_cli.h"

static const struct table_column columns[] = {
	{"NAME", 0, 0, false, false, false},
	{NULL, 0, 0, false, false, false},
};

static void add(struct table *table, const json_t *row, const struct cli *cli)
{
	const char *cell[] = {row_text(row, "name")};
	(void)cli;
	table_add(table, cell, -1, STYLE_PLAIN);
}

static const struct view view = {LIST_EVENTS, columns, add};
static const struct cli table = {.output = OUTPUT_TABLE}, csv = {.output = OUTPUT_CSV},
			json = {.output = OUTPUT_JSON};

/* --- lists that cannot be written ------------------------------------------------------------- */

static void fails_on_a_full_disk(const struct cli *cli)
{
	struct params params = {.count = 0};
	struct err err = ERR_INIT;
	size_t rows = 7;
	FILE *saved = stdout;
	stdout = fopen("/dev/full", "we");
	setvbuf(stdout, NULL, _IONBF, 0);
	int rc = output_list(cli, &view, &params, &rows, &err);
	fclose(stdout);
	stdout = saved;
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_string_equal(err.text, "standard output: No space left on device");
	assert_int_equal(rows, 7);
}

static void a_full_disk_is_an_error(void **state)
{
	(void)state;
	run_answer("[{'name': 'x'}]");
	fails_on_a_full_disk(&table);
	run_answer("[{'name': 'x'}]");
	fails_on_a_full_disk(&csv);
}

/* --- documents -------------------------------------------------------------------------------- */

static void print_name(const struct cli *cli, const json_t *value)
{
	(void)cli;
	printf("printed %s\n", row_text(value, "name"));
}

static void as_document(const struct cli *cli, const json_t *document)
{
	output_document(cli, document, "x", print_name);
}

static void as_object(const struct cli *cli, const json_t *document)
{
	output_object(cli, document, "x", print_name);
}

static void an_object_is_one_row_of_csv(void **state)
{
	(void)state;
	print_fixture_is(as_object, &csv, "{'x': {'name': 'a', 'n': 1}}", "name,n\r\na,1\r\n");
	print_fixture_is(as_object, &table, "{'x': {'name': 'a'}}", "printed a\n");
	print_fixture_is(as_object, &json, "{'x': 1}", "{\n  \"x\": 1\n}\n");
	print_fixture_is(as_object, &csv, "{}", "");
}

static void an_array_is_rows_of_csv(void **state)
{
	(void)state;
	print_fixture_is(
		as_document, &csv, "{'x': [{'name': 'a'}, {'name': 'b'}]}", "name\r\na\r\nb\r\n");
	print_fixture_is(as_document, &csv, "{'x': []}", "");
	print_fixture_is(as_document, &table, "{}", "printed \n");
	print_fixture_is(as_document, &csv, "{'x': {'name': 'a'}}", "printed a\n");
}

static void print_whole(const struct cli *cli, const json_t *value)
{
	(void)cli;
	output_json(value);
}

static void print_line(const struct cli *cli, const json_t *value)
{
	(void)cli;
	output_json_line(value);
}

static void json_commands_no_terminal(void **state)
{
	(void)state;
	print_fixture_is(print_line, &json, "{'a': '\\u001b\\u009b\\u202e'}",
		"{\"a\":\"\\u001B\\u009b\\u202e\"}\n");
	print_fixture_is(print_whole, &json, "[]", "[]\n");
}

/* --- size ------------------------------------------------------------------------------------- */

/* Of the bytes that `rows` texts of `len` become. */
static size_t csv_len(size_t rows, size_t len)
{
	char *text = xcalloc(1, len + 1), *printed = NULL;
	size_t printed_len = 0;
	FILE *saved = stdout;
	json_t *all = json_array();
	memset(text, 'x', len);
	for (size_t i = 0; i < rows; i++)
		json_array_append_new(all, json_pack("{s:s}", "n", text));
	stdout = open_memstream(&printed, &printed_len);
	output_csv_rows(all);
	fclose(stdout);
	stdout = saved;
	json_decref(all);
	free(printed);
	free(text);
	return printed_len;
}

static void a_document_is_whole_as_csv_too(void **state)
{
	(void)state;
	assert_int_equal(csv_len(2, 5), 3 + 2 * 7);
	/* More than one row may have: together they are not bounded but by the document. */
	assert_int_equal(csv_len(20, 1 << 20), 3 + 20 * ((1 << 20) + 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(a_full_disk_is_an_error),
		RUN_TEST(an_object_is_one_row_of_csv),
		RUN_TEST(an_array_is_rows_of_csv),
		RUN_TEST(json_commands_no_terminal),
		RUN_TEST(a_document_is_whole_as_csv_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
