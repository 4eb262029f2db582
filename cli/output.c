/* How a list is shown (see output.h). */
#include "cli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "cli/csv.h"

enum {
	CSV_ROW_MAX = 16 << 20,
	DOCUMENT_MAX = 6 * SOURCE_DOCUMENT_MAX, /* escapes are longer */
};

struct shown {
	const struct cli *cli;
	const struct view *view;
	struct table *table; /* owned; tables only */
	struct buf line;     /* CSV only */
	size_t rows;
};

static int add_table_row(void *arg, const json_t *row, struct err *err)
{
	struct shown *shown = arg;
	(void)err;
	shown->view->add(shown->table, row, shown->cli);
	shown->rows++;
	return 0;
}

static int add_csv_row(void *arg, const json_t *row, struct err *err)
{
	struct shown *shown = arg;
	buf_reset(&shown->line);
	if (shown->rows++ == 0)
		csv_header(&shown->line, row);
	csv_row(&shown->line, row);
	if (buf_check(&shown->line, "one row of CSV", err) != 0)
		return -1;
	if (fwrite(buf_text(&shown->line), 1, shown->line.len, stdout) != shown->line.len)
		return err_set_errno(err, ERR_SYSTEM, "standard output");
	return 0;
}

static int output_table(const struct cli *cli, const struct view *view, const struct params *params,
	size_t *ret_rows, struct err *err)
{
	struct shown shown = {.cli = cli, .view = view};
	shown.table = table_new(view->column, &cli->terminal, cli->output == OUTPUT_WIDE);
	int rc = source_rows(cli, view->kind, params, add_table_row, &shown, err);
	if (rc == 0 && shown.rows > 0 && table_print(shown.table, stdout) != 0)
		rc = err_set_errno(err, ERR_SYSTEM, "standard output");
	table_free(shown.table);
	if (rc == 0)
		*ret_rows = shown.rows;
	return rc;
}

static int output_csv(const struct cli *cli, const struct view *view, const struct params *params,
	size_t *ret_rows, struct err *err)
{
	struct shown shown = {.cli = cli, .view = view};
	buf_init(&shown.line, CSV_ROW_MAX);
	int rc = source_rows(cli, view->kind, params, add_csv_row, &shown, err);
	if (rc == 0 && shown.rows == 0) {
		csv_empty_header(&shown.line, view->kind);
		fwrite(buf_text(&shown.line), 1, shown.line.len, stdout);
	}
	buf_clear(&shown.line);
	if (rc == 0)
		*ret_rows = shown.rows;
	return rc;
}

int output_list(const struct cli *cli, const struct view *view, const struct params *params,
	size_t *ret_rows, struct err *err)
{
	switch (cli->output) {
	case OUTPUT_JSON:
		*ret_rows = 1;
		return source_document(cli, view->kind, params, stdout, err);
	case OUTPUT_CSV:
		return output_csv(cli, view, params, ret_rows, err);
	case OUTPUT_TABLE:
	case OUTPUT_WIDE:
		break;
	}
	return output_table(cli, view, params, ret_rows, err);
}

void output_csv_rows(const json_t *rows)
{
	struct buf line;
	size_t i;
	json_t *row;
	buf_init(&line, DOCUMENT_MAX);
	json_array_foreach(rows, i, row)
	{
		buf_reset(&line);
		if (i == 0)
			csv_header(&line, row);
		csv_row(&line, row);
		fwrite(buf_text(&line), 1, line.len, stdout);
	}
	buf_clear(&line);
}

static void print_json(const json_t *document, size_t flags)
{
	char *text = json_dumps(document, flags);
	struct buf shown;
	buf_init(&shown, DOCUMENT_MAX);
	if (text != NULL)
		json_add_document(&shown, text, strlen(text));
	puts(buf_text(&shown));
	buf_clear(&shown);
	free(text);
}

void output_json(const json_t *document)
{
	print_json(document, JSON_INDENT(2));
}

void output_json_line(const json_t *row)
{
	print_json(row, JSON_COMPACT);
}

void output_document(
	const struct cli *cli, const json_t *document, const char *name, output_print_fn *print)
{
	const json_t *value = json_object_get(document, name);
	if (cli->output == OUTPUT_JSON) {
		output_json(document);
	} else if (cli->output == OUTPUT_CSV && json_is_array(value)) {
		output_csv_rows(value);
	} else {
		print(cli, value);
	}
}

void output_object(
	const struct cli *cli, const json_t *document, const char *name, output_print_fn *print)
{
	const json_t *value = json_object_get(document, name);
	if (cli->output != OUTPUT_CSV) {
		output_document(cli, document, name, print);
		return;
	}
	json_t *rows = json_array();
	json_array_append(rows, (json_t *)value);
	output_csv_rows(rows);
	json_decref(rows);
}

static int count_row(void *arg, const json_t *row, struct err *err)
{
	(void)row;
	(void)err;
	(*(size_t *)arg)++;
	return 0;
}

int output_count_problems(const struct cli *cli, size_t *ret_problems, struct err *err)
{
	struct params params = {.count = 0};
	size_t problems = 0;
	params_add(&params, "problems", "yes");
	if (source_rows(cli, LIST_COVERAGE, &params, count_row, &problems, err) != 0)
		return -1;
	*ret_problems = problems;
	return 0;
}

void output_nothing_found(const struct cli *cli, const char *what)
{
	size_t problems = 0;
	struct err err = ERR_INIT;
	if (output_count_problems(cli, &problems, &err) != 0)
		cli_note("%s; whether everything was read is not known: %s", what, err.text);
	else if (problems > 0)
		cli_note("%s; %zu account-regions could not be read: %s coverage --problems", what,
			problems, cli_program(cli));
	else
		cli_note("%s", what);
}
