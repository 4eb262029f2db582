/*
 * Tables that fit the terminal. Rows are collected, widths decided once (pure: table_fit), then
 * printed. When the terminal is too narrow, columns shrink to their least width, those of the
 * highest rank first and among equals the widest, then columns drop, again the highest rank first.
 * Where even that is not enough lines are longer than the terminal rather than an id shorter.
 * Without a terminal nothing is cut.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/terminal.h"

struct buf;

enum {
	TABLE_COLUMNS_MAX = 16,
	TABLE_WHOLE = -1,     /* a column's least: an id, which is to be copied, is never cut ... */
	TABLE_WHOLE_MAX = 40, /* ... unless it is longer than any id */
};

struct table_column {
	const char *title;
	int rank;      /* 0: never dropped; higher: given up earlier */
	int least;     /* width it may shrink to; 0: not while another can; TABLE_WHOLE */
	bool is_right; /* numbers */
	bool is_wide;  /* only with -o wide */
	/* The last column only: a cell that has no room in the line stands below it, over the whole
	 * width. least: what is kept free for short ones; 0: what the others leave. */
	bool is_below;
};

struct table;

/* column: shared static, ends with a NULL title. */
struct table *table_new(
	const struct table_column *column, const struct terminal *terminal, bool is_wide);
void table_free(struct table *table); /* NULL is fine */

/* cell: one text per column (also those not shown), copied and escaped. styled: the column that
 * style is for; -1: none. */
void table_add(struct table *table, const char *const *cell, int styled, enum style style);
size_t table_rows(const struct table *table);

/* Returns 0, or -1 when out failed. */
int table_print(const struct table *table, FILE *out);

/* Pure: from natural widths to shown widths (0: dropped), for columns of terminal_columns (0: no
 * limit). gap: blanks between columns. */
void table_fit(const struct table_column *column, size_t count, const int *natural,
	int terminal_columns, int gap, int *ret_width);

/* Appends text cut or padded to width columns; a cut ends in an ellipsis ("..." without UTF-8). */
void table_cell(struct buf *to, const char *text, int width, bool is_right, bool is_utf8);

#endif
