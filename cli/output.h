/*
 * How a list is shown: one description a list (a view), four forms. JSON is streamed as it comes,
 * CSV row by row; tables are collected, because their widths depend on every row.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stddef.h>

#include "cli/cli.h"
#include "cli/source.h"
#include "cli/table.h"

struct view {
	enum list_kind kind;
	const struct table_column *column;
	/* Adds one row to the table. */
	void (*add)(struct table *table, const json_t *row, const struct cli *cli);
};

/* Shows the list. ret_rows: how many there were (JSON: 1, not counted). Errors as source_rows. */
int output_list(const struct cli *cli, const struct view *view, const struct params *params,
	size_t *ret_rows, struct err *err);

/* A document that was read whole: as JSON, as CSV of its array `name`, or as print shows that array
 * (or object). */
typedef void output_print_fn(const struct cli *cli, const json_t *value);
void output_document(
	const struct cli *cli, const json_t *document, const char *name, output_print_fn *print);

/* The same for one object, of which CSV is one row. */
void output_object(
	const struct cli *cli, const json_t *document, const char *name, output_print_fn *print);

void output_json(const json_t *document);
void output_json_line(const json_t *row);
/* Header and rows of an array of objects; nothing for an empty one. */
void output_csv_rows(const json_t *rows);

/* How many accounts and regions could not be read, for whoever must not call "not read" empty.
 * Errors as source_rows. */
int output_count_problems(const struct cli *cli, size_t *ret_problems, struct err *err);

/* Says that nothing was found, and, when something could not be read, that this may be why. */
void output_nothing_found(const struct cli *cli, const char *what);

#endif
