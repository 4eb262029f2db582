/* Tables: widths decided for any terminal, cells cut between characters, nothing unescaped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/table.h"

static const struct table_column columns[] = {
	{"NAME", 0, 8, false, false, false},
	{"ID", 1, 0, false, false, false},
	{"COUNT", 2, 0, true, false, false},
	{"EMAIL", 3, 0, false, true, false},
	{NULL, 0, 0, false, false, false},
};

/* owned by the caller */
static char *print(const struct table *table)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	assert_non_null(out);
	assert_int_equal(table_print(table, out), 0);
	fclose(out);
	return text;
}

static struct table *sample(int terminal_columns, bool is_wide)
{
	struct terminal terminal = {.columns = terminal_columns, .is_utf8 = true};
	struct table *table = table_new(columns, &terminal, is_wide);
	static const char *const row[][4] = {
		{"payments-production", "123456789012", "1204", "a@example.com"},
		{"Z\u00fcrich \u65e5\u672c\u652f\u793e", "000000000001", "7", ""},
		{"", "2", "", ""},
	};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		table_add(table, row[i], -1, STYLE_PLAIN);
	return table;
}

static void prints(int terminal_columns, bool is_wide, const char *expected)
{
	struct table *table = sample(terminal_columns, is_wide);
	char *text = print(table);
	assert_string_equal(text, expected);
	free(text);
	table_free(table);
}

static void everything_is_shown_when_there_is_room(void **state)
{
	(void)state;
	prints(80, false,
		"NAME                 ID            COUNT\n"
		"payments-production  123456789012   1204\n"
		"Z\u00fcrich \u65e5\u672c\u652f\u793e      000000000001      7\n"
		"                     2\n");
	prints(0, true,
		"NAME                 ID            COUNT  EMAIL\n"
		"payments-production  123456789012   1204  a@example.com\n"
		"Z\u00fcrich \u65e5\u672c\u652f\u793e      000000000001      7\n"
		"                     2\n");
}

static void columns_shrink_before_they_drop(void **state)
{
	(void)state;
	prints(33, false,
		"NAME          ID            COUNT\n"
		"payments-pr\u2026  123456789012   1204\n"
		"Z\u00fcrich \u65e5\u672c\u2026  000000000001      7\n"
		"              2\n");
	prints(28, false,
		"NAME            ID\n"
		"payments-prod\u2026  123456789012\n"
		"Z\u00fcrich \u65e5\u672c\u652f\u2026  000000000001\n"
		"                2\n");
}

static void what_has_no_room_at_all_is_squeezed(void **state)
{
	(void)state;
	prints(5, false,
		"NAME\n"
		"paym\u2026\n"
		"Z\u00fcri\u2026\n"
		"\n");
}

static void fits(const struct table_column *column, size_t count, int room, const int *expected)
{
	static const int natural[] = {10, 8, 9};
	int width[3];
	table_fit(column, count, natural, room, 2, width);
	for (size_t i = 0; i < count; i++)
		if (width[i] != expected[i])
			fail_msg("in %d columns column %zu has %d, expected %d", room, i, width[i],
				expected[i]);
}

static void of_equal_ranks_the_widest_gives_first(void **state)
{
	(void)state;
	static const struct table_column column[] = {{"A", 1, 3, false, false, false},
		{"B", 2, 3, false, false, false}, {"C", 2, 3, false, false, false}};
	fits(column, 3, 31, (const int[]){10, 8, 9});
	fits(column, 3, 30, (const int[]){10, 8, 8});
	fits(column, 3, 28, (const int[]){10, 7, 7});
	fits(column, 3, 20, (const int[]){10, 3, 3});
	fits(column, 3, 19, (const int[]){9, 3, 3});
	fits(column, 3, 13, (const int[]){3, 3, 3});
	fits(column, 3, 12, (const int[]){7, 0, 3}); /* one goes, and the rest has room again */
}

static void an_id_is_whole_or_not_there(void **state)
{
	(void)state;
	static const struct table_column column[] = {{"ID", 0, TABLE_WHOLE, false, false, false},
		{"B", 0, 4, false, false, false}, {"ARN", 2, TABLE_WHOLE, false, false, false}};
	fits(column, 3, 30, (const int[]){10, 7, 9});
	fits(column, 3, 26, (const int[]){10, 8, 0});
	fits(column, 3, 15, (const int[]){10, 3, 0});
	fits(column, 3, 13, (const int[]){10, 1, 0});
	fits(column, 3, 5, (const int[]){10, 1, 0}); /* the line is longer than the terminal */
	int width[2];
	table_fit(column, 2, (const int[]){4000, 8}, 80, 2, width); /* that is no id */
	assert_int_equal(width[0] + 2 + width[1], 80);
	table_fit(column, 2, (const int[]){4000, 8}, 20, 2, width);
	assert_int_equal(width[0], TABLE_WHOLE_MAX);
}

static void what_cannot_go_is_squeezed_to_one_column(void **state)
{
	(void)state;
	static const struct table_column column[] = {
		{"A", 0, 0, false, false, false}, {"B", 0, 0, false, false, false}};
	fits(column, 2, 12, (const int[]){5, 5});
	fits(column, 2, 11, (const int[]){4, 5});
	fits(column, 2, 1, (const int[]){1, 1});
}

static size_t widest_line(const char *text)
{
	size_t widest = 0;
	char line[4096];
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		assert_true(len < sizeof(line));
		memcpy(line, text, len);
		line[len] = '\0';
		assert_true(len == 0 || line[len - 1] != ' ');
		if (text_columns(line) > widest)
			widest = text_columns(line);
		text += len + 1;
	}
	return widest;
}

static void no_line_is_wider_than_the_terminal_or_ends_in_a_blank(void **state)
{
	(void)state;
	for (int width = 4; width <= 200; width++) {
		struct table *table = sample(width, true);
		char *text = print(table);
		assert_true(widest_line(text) <= (size_t)width);
		assert_true(text_is_utf8(text, strlen(text)));
		free(text);
		table_free(table);
	}
}

static void outsiders_bytes_are_escaped(void **state)
{
	(void)state;
	struct terminal terminal = {.columns = 0};
	struct table *table = table_new(columns, &terminal, false);
	const char *cell[] = {"\033[2J\"q\"", "\n", "\xff", ""};
	table_add(table, cell, -1, STYLE_PLAIN);
	char *text = print(table);
	assert_string_equal(text, "NAME        ID  COUNT\n\\x1b[2J\"q\"  \\n   \\xff\n");
	free(text);
	table_free(table);
}

static void colour_is_for_one_cell_and_does_not_count(void **state)
{
	(void)state;
	struct terminal terminal = {.columns = 12, .has_color = true};
	struct table *table = table_new(columns, &terminal, false);
	const char *cell[] = {"abc", "1", "", ""}, *empty[] = {"", "1", "", ""};
	table_add(table, cell, 0, STYLE_RED);
	table_add(table, empty, 0, STYLE_RED);
	char *text = print(table);
	assert_string_equal(text, "\033[1mNAME\033[0m  \033[1mID\033[0m\n"
				  "\033[31mabc \033[0m  1\n"
				  "      1\n");
	free(text);
	table_free(table);
}

/* --- a reason below its row ---------------------------------------------------------------------- */

static const struct table_column with_reason[] = {
	{"STATE", 0, 0, false, false, false},
	{"NAME", 1, 4, false, false, false},
	{"REASON", 1, 0, false, false, true},
	{NULL, 0, 0, false, false, false},
};

static char *print_reason(int width, bool has_color, const char *reason)
{
	struct terminal terminal = {.columns = width, .is_utf8 = true, .has_color = has_color};
	struct table *table = table_new(with_reason, &terminal, false);
	const char *cell[] = {"denied", "payments", reason};
	const char *none[] = {"ok", "shop", ""};
	table_add(table, cell, -1, STYLE_PLAIN);
	table_add(table, none, -1, STYLE_PLAIN);
	char *text = print(table);
	table_free(table);
	return text;
}

static void a_reason_that_fits_stays_in_its_line(void **state)
{
	(void)state;
	char *text = print_reason(40, false, "not allowed");
	assert_string_equal(text, "STATE   NAME      REASON\n"
				  "denied  payments  not allowed\n"
				  "ok      shop\n");
	free(text);
	text = print_reason(0, false, "a reason that is long, but there is no terminal to fit");
	assert_non_null(strstr(text, "payments  a reason that is long, but there is no"));
	free(text);
}

static void a_reason_that_does_not_fit_stands_below(void **state)
{
	(void)state;
	char *text = print_reason(23, false, "not allowed by somebody");
	assert_string_equal(text, "STATE   NAME\n"
				  "denied  payments\n"
				  "  not allowed by\n"
				  "  somebody\n"
				  "ok      shop\n");
	free(text);
}

static void a_reason_without_end_is_cut_after_three_lines(void **state)
{
	(void)state;
	char *text = print_reason(23, false,
		"one two three four five six seven eight nine ten eleven twelve thirteen");
	assert_string_equal(text, "STATE   NAME\n"
				  "denied  payments\n"
				  "  one two three four\n"
				  "  five six seven eight\n"
				  "  nine ten eleven twel\u2026\n"
				  "ok      shop\n");
	free(text);
}

/* Each cell for itself: what is short stays in the line, in the room that was kept for it. */
static void short_reasons_stay_in_the_line_beside_long_ones(void **state)
{
	(void)state;
	static const struct table_column kept[] = {
		{"STATE", 0, 0, false, false, false},
		{"NAME", 2, 4, false, false, false},
		{"REASON", 1, 10, false, false, true},
		{NULL, 0, 0, false, false, false},
	};
	struct terminal terminal = {.columns = 24, .is_utf8 = true};
	struct table *table = table_new(kept, &terminal, false);
	const char *is_long[] = {"denied", "payments", "not allowed by somebody"};
	const char *is_short[] = {"failed", "shop", "no answer"};
	table_add(table, is_long, -1, STYLE_PLAIN);
	table_add(table, is_short, -1, STYLE_PLAIN);
	char *text = print(table);
	assert_string_equal(text, "STATE   NAME  REASON\n"
				  "denied  pay\u2026\n"
				  "  not allowed by\n"
				  "  somebody\n"
				  "failed  shop  no answer\n");
	free(text);
	table_free(table);
}

static void a_reason_below_fits_every_terminal(void **state)
{
	(void)state;
	for (int width = 20; width <= 200; width++) {
		char *text = print_reason(width, false,
			"sts:AssumeRole of arn:aws:iam::123456789012:role/Inventory-of-\u65e5\u672c"
			" was refused: User: arn:aws:iam::400027591009:user/hub is not authorized "
			"to perform: sts:AssumeRole on resource: "
			"arn:aws:iam::174180351172:role/OrganizationAccountAccessRole");
		assert_true(widest_line(text) <= (size_t)width);
		assert_true(text_is_utf8(text, strlen(text)));
		free(text);
	}
}

static void a_reason_below_is_dim(void **state)
{
	(void)state;
	char *text = print_reason(18, true, "not allowed");
	assert_non_null(strstr(text, "\n  \033[2mnot allowed\033[0m\n"));
	free(text);
}

/* --- cells --------------------------------------------------------------------------------------- */

static void cell_is(const char *text, int width, bool is_right, bool is_utf8, const char *expected)
{
	struct buf cell;
	buf_init(&cell, 4096);
	table_cell(&cell, text, width, is_right, is_utf8);
	assert_string_equal(buf_text(&cell), expected);
	buf_clear(&cell);
}

static void cells_are_padded_or_cut_between_characters(void **state)
{
	(void)state;
	cell_is("ab", 4, false, true, "ab  ");
	cell_is("ab", 4, true, true, "  ab");
	cell_is("abcd", 4, false, true, "abcd");
	cell_is("abcde", 4, false, true, "abc\u2026");
	cell_is("abcdef", 5, false, false, "ab...");
	cell_is("abcdef", 3, false, false, "abc");
	cell_is("abcdef", 1, false, true, "a");
	/* A wide character is not halved: a blank fills up. */
	cell_is("\u65e5\u672c\u652f", 5, false, true, "\u65e5\u672c\u2026");
	cell_is("\u65e5\u672c\u652f", 4, false, true, "\u65e5\u2026 ");
}

static void a_cell_of_any_length_is_bounded(void **state)
{
	(void)state;
	struct terminal terminal = {.columns = 80, .is_utf8 = true};
	struct table *table = table_new(columns, &terminal, false);
	char *huge = malloc(100001);
	memset(huge, 'x', 100000);
	huge[100000] = '\0';
	const char *cell[] = {huge, huge, huge, huge};
	table_add(table, cell, -1, STYLE_PLAIN);
	char *text = print(table);
	assert_true(widest_line(text) <= 80);
	free(text);
	free(huge);
	table_free(table);
}

static void a_table_without_rows_has_titles(void **state)
{
	(void)state;
	struct terminal terminal = {.columns = 80};
	struct table *table = table_new(columns, &terminal, false);
	assert_int_equal(table_rows(table), 0);
	char *text = print(table);
	assert_string_equal(text, "NAME  ID  COUNT\n");
	free(text);
	table_free(table);
	table_free(NULL);
}

static void a_full_disk_is_told(void **state)
{
	(void)state;
	struct table *table = sample(80, false);
	FILE *full = fopen("/dev/full", "w");
	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	assert_int_equal(table_print(table, full), -1);
	fclose(full);
	table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_shown_when_there_is_room),
		cmocka_unit_test(columns_shrink_before_they_drop),
		cmocka_unit_test(what_has_no_room_at_all_is_squeezed),
		cmocka_unit_test(of_equal_ranks_the_widest_gives_first),
		cmocka_unit_test(an_id_is_whole_or_not_there),
		cmocka_unit_test(what_cannot_go_is_squeezed_to_one_column),
		cmocka_unit_test(no_line_is_wider_than_the_terminal_or_ends_in_a_blank),
		cmocka_unit_test(outsiders_bytes_are_escaped),
		cmocka_unit_test(colour_is_for_one_cell_and_does_not_count),
		cmocka_unit_test(a_reason_that_fits_stays_in_its_line),
		cmocka_unit_test(a_reason_that_does_not_fit_stands_below),
		cmocka_unit_test(a_reason_without_end_is_cut_after_three_lines),
		cmocka_unit_test(short_reasons_stay_in_the_line_beside_long_ones),
		cmocka_unit_test(a_reason_below_fits_every_terminal),
		cmocka_unit_test(a_reason_below_is_dim),
		cmocka_unit_test(cells_are_padded_or_cut_between_characters),
		cmocka_unit_test(a_cell_of_any_length_is_bounded),
		cmocka_unit_test(a_table_without_rows_has_titles),
		cmocka_unit_test(a_full_disk_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
