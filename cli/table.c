/* Tables that fit the terminal (see table.h). */
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/wrap.h"

enum {
	GAP = 2,
	CELL_MAX = 4096,
	BELOW_INDENT = 2,
	BELOW_LINES_MAX = 3, /* the whole text is in the JSON, or behind a pipe */
	LINE_MAX_BYTES = 1 << 20,
};

struct row {
	char *cell[TABLE_COLUMNS_MAX]; /* owned */
	int styled;
	enum style style;
};

struct table {
	const struct table_column *column[TABLE_COLUMNS_MAX]; /* those that may be shown */
	int place[TABLE_COLUMNS_MAX]; /* of a shown column in the caller's cells */
	size_t column_count;
	struct terminal terminal;
	struct row *row; /* owned */
	size_t row_count, row_capacity;
};

struct table *table_new(
	const struct table_column *column, const struct terminal *terminal, bool is_wide)
{
	struct table *table = xcalloc(1, sizeof(*table));
	table->terminal = *terminal;
	for (int i = 0; column[i].title != NULL; i++) {
		if (column[i].is_wide && !is_wide)
			continue;
		table->column[table->column_count] = &column[i];
		table->place[table->column_count++] = i;
	}
	return table;
}

void table_free(struct table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->row_count; i++)
		for (size_t j = 0; j < table->column_count; j++)
			free(table->row[i].cell[j]);
	free(table->row);
	free(table);
}

void table_add(struct table *table, const char *const *cell, int styled, enum style style)
{
	table->row = xgrow(table->row, &table->row_capacity, table->row_count, sizeof(*table->row));
	struct row *row = &table->row[table->row_count++];
	*row = (struct row){.styled = -1, .style = style};
	for (size_t i = 0; i < table->column_count; i++) {
		struct buf text;
		const char *raw = cell[table->place[i]];
		buf_init(&text, CELL_MAX);
		text_escape_line(&text, raw, strlen(raw), CELL_MAX / 4);
		row->cell[i] = buf_take(&text);
		if (table->place[i] == styled)
			row->styled = (int)i;
	}
}

size_t table_rows(const struct table *table)
{
	return table->row_count;
}

static int total_width(const int *width, size_t count, int gap)
{
	int total = 0;
	for (size_t i = 0; i < count; i++)
		if (width[i] > 0)
			total += width[i] + (total > 0 ? gap : 0);
	return total;
}

/* The widest column that may still shrink, among those of the highest rank that has one. */
static int shrinkable(const struct table_column *column, size_t count, const int *width)
{
	int best = -1;
	for (size_t i = 0; i < count; i++) {
		if (column[i].least <= 0 || width[i] <= column[i].least)
			continue;
		if (best < 0 || column[i].rank > column[best].rank ||
			(column[i].rank == column[best].rank && width[i] > width[best]))
			best = (int)i;
	}
	return best;
}

static int droppable(const struct table_column *column, size_t count, const int *width)
{
	int best = -1;
	for (size_t i = 0; i < count; i++)
		if (width[i] > 0 && column[i].rank > 0 &&
			(best < 0 || column[i].rank > column[best].rank))
			best = (int)i;
	return best;
}

/* When nothing can be left out any more: the widest give up columns below their least width. */
static void squeeze(
	const struct table_column *column, size_t count, int gap, int terminal_columns, int *width)
{
	while (total_width(width, count, gap) > terminal_columns) {
		int widest = -1;
		for (size_t i = 0; i < count; i++)
			if (width[i] > (column[i].least == TABLE_WHOLE ? TABLE_WHOLE_MAX : 1) &&
				(widest < 0 || width[i] > width[widest]))
				widest = (int)i;
		if (widest < 0)
			return;
		width[widest]--;
	}
}

void table_fit(const struct table_column *column, size_t count, const int *natural,
	int terminal_columns, int gap, int *ret_width)
{
	for (size_t i = 0; i < count; i++)
		ret_width[i] = natural[i];
	while (terminal_columns > 0 && total_width(ret_width, count, gap) > terminal_columns) {
		int index = shrinkable(column, count, ret_width);
		if (index >= 0) {
			ret_width[index]--; /* one at a time: equals stay equal */
			continue;
		}
		index = droppable(column, count, ret_width);
		if (index < 0) {
			squeeze(column, count, gap, terminal_columns, ret_width);
			return;
		}
		/* What the others gave up before it dropped is theirs again. */
		for (size_t i = 0; i < count; i++)
			if (ret_width[i] > 0)
				ret_width[i] = natural[i];
		ret_width[index] = 0;
	}
}

/* Bytes of the longest beginning of text that takes at most columns, on a character's border. */
static size_t fitting_bytes(const char *text, size_t columns)
{
	size_t fit = 0;
	char part[CELL_MAX + 1];
	for (size_t len = 1; text[len - 1] != '\0' && len < sizeof(part); len++) {
		if (((unsigned char)text[len] & 0xC0) == 0x80)
			continue;
		memcpy(part, text, len);
		part[len] = '\0';
		if (text_columns(part) > columns)
			break;
		fit = len;
	}
	return fit;
}

void table_cell(struct buf *to, const char *text, int width, bool is_right, bool is_utf8)
{
	const char *ellipsis = is_utf8 ? "\xE2\x80\xA6" : "...";
	size_t ellipsis_columns = is_utf8 ? 1 : 3;
	size_t room = (size_t)width, columns = text_columns(text);
	if (columns <= room) {
		if (is_right)
			buf_addf(to, "%*s", (int)(room - columns), "");
		buf_add_text(to, text);
		if (!is_right)
			buf_addf(to, "%*s", (int)(room - columns), "");
		return;
	}
	if (room <= ellipsis_columns) {
		buf_add(to, text, fitting_bytes(text, room));
		return;
	}
	size_t len = fitting_bytes(text, room - ellipsis_columns);
	char kept[CELL_MAX + 1];
	memcpy(kept, text, len);
	kept[len] = '\0';
	buf_add(to, kept, len);
	buf_add_text(to, ellipsis);
	buf_addf(to, "%*s", (int)(room - ellipsis_columns - text_columns(kept)), "");
}

static void natural_widths(const struct table *table, int *ret_natural)
{
	for (size_t j = 0; j < table->column_count; j++) {
		ret_natural[j] = (int)text_columns(table->column[j]->title);
		for (size_t i = 0; i < table->row_count; i++) {
			int width = (int)text_columns(table->row[i].cell[j]);
			if (width > ret_natural[j])
				ret_natural[j] = width;
		}
	}
}

struct printed {
	const struct table *table;
	const int *width; /* 0: not shown */
	int below;	  /* the column whose long cells stand below their row; -1: none */
	int below_width;  /* what is left for its short cells in the line */
};

static void add_cell(const struct printed *printed, struct buf *line, size_t j, const char *text,
	enum style style)
{
	const struct table *table = printed->table;
	if (text[0] == '\0') {
		buf_addf(line, "%*s", printed->width[j], "");
		return;
	}
	buf_add_text(line, style_on(&table->terminal, style));
	table_cell(
		line, text, printed->width[j], table->column[j]->is_right, table->terminal.is_utf8);
	buf_add_text(line, style_off(&table->terminal, style));
}

static void trim(struct buf *line, size_t from)
{
	while (line->len > from && line->data[line->len - 1] == ' ')
		line->data[--line->len] = '\0';
}

/* Full width, BELOW_LINES_MAX lines at most. */
static void add_below(const struct printed *printed, struct buf *line, const char *rest)
{
	const struct terminal *terminal = &printed->table->terminal;
	int width = terminal->columns > 2 * BELOW_INDENT ? terminal->columns - BELOW_INDENT : 1;
	char part[CELL_MAX + 1];
	for (int i = 0; *rest != '\0'; i++) {
		size_t shown, len = wrap_line(rest, (size_t)width, true, &shown);
		bool is_last = i + 1 == BELOW_LINES_MAX;
		snprintf(part, sizeof(part), "%.*s", is_last ? CELL_MAX : (int)shown, rest);
		buf_addf(line, "%*s%s", BELOW_INDENT, "", style_on(terminal, STYLE_DIM));
		size_t start = line->len;
		table_cell(line, part, width, false, terminal->is_utf8);
		trim(line, start);
		buf_addf(line, "%s\n", style_off(terminal, STYLE_DIM));
		if (is_last)
			return;
		rest += len;
	}
}

/* row: NULL prints the titles. */
static void add_row(const struct printed *printed, struct buf *line, const struct row *row)
{
	const struct table *table = printed->table;
	size_t start = line->len;
	const char *below = "";
	bool is_first = true;
	for (size_t j = 0; j < table->column_count; j++) {
		const char *text = row != NULL ? row->cell[j] : table->column[j]->title;
		enum style style = row == NULL		   ? STYLE_BOLD
				   : row->styled == (int)j ? row->style
							   : STYLE_PLAIN;
		if (printed->below == (int)j && (int)text_columns(text) > printed->below_width) {
			below = row != NULL ? text : "";
			continue;
		}
		if (printed->width[j] == 0)
			continue;
		if (!is_first)
			buf_addf(line, "%*s", GAP, "");
		is_first = false;
		add_cell(printed, line, j, text, style);
	}
	trim(line, start);
	buf_add_char(line, '\n');
	add_below(printed, line, below);
}

/*
 * The last column when it wants to stand below and not everything fits into a line. Its least width
 * is kept free in the line (0: what the others leave), for the cells that are short.
 */
static void fit_below(
	struct printed *printed, struct table_column *column, int *natural, int *width)
{
	const struct table *table = printed->table;
	size_t count = table->column_count, last = count - 1;
	int columns = table->terminal.columns;
	printed->below = -1;
	if (count == 0 || columns == 0 || !column[last].is_below ||
		total_width(natural, count, GAP) <= columns) {
		table_fit(column, count, natural, columns, GAP, width);
		return;
	}
	natural[last] = column[last].least;
	column[last].least = 0;
	table_fit(column, count, natural, columns, GAP, width);
	width[last] = 0;
	int left = columns - total_width(width, count, GAP) - GAP;
	printed->below = (int)last;
	printed->below_width = left > 0 ? left : 0;
	width[last] = printed->below_width;
}

int table_print(const struct table *table, FILE *out)
{
	struct table_column column[TABLE_COLUMNS_MAX] = {{.title = NULL}};
	int natural[TABLE_COLUMNS_MAX] = {0}, width[TABLE_COLUMNS_MAX] = {0};
	for (size_t j = 0; j < table->column_count; j++)
		column[j] = *table->column[j];
	natural_widths(table, natural);
	struct printed printed = {.table = table, .width = width};
	fit_below(&printed, column, natural, width);
	struct buf line;
	buf_init(&line, LINE_MAX_BYTES);
	add_row(&printed, &line, NULL);
	for (size_t i = 0; i <= table->row_count; i++) {
		if (fwrite(line.data, 1, line.len, out) != line.len)
			break;
		buf_reset(&line);
		if (i < table->row_count)
			add_row(&printed, &line, &table->row[i]);
	}
	buf_clear(&line);
	return ferror(out) ? -1 : 0;
}
