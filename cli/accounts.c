/* acmsensor accounts: the tree of units and accounts, with counts and coverage in words. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "cli/coverage_words.h"
#include "cli/dates.h"
#include "cli/output.h"
#include "cli/row.h"
#include "cli/tree.h"

enum { NAME, ID, CERTS, REGIONS, LAST_READ, EMAIL };

static const struct table_column columns[] = {
	[NAME] = {"UNIT / ACCOUNT", 0, 18, false, false, false},
	[ID] = {"ID", 1, 0, false, false, false},
	[CERTS] = {"CERTS", 1, 0, true, false, false},
	[REGIONS] = {"REGIONS", 0, 12, false, false, false},
	[LAST_READ] = {"LAST READ", 2, 0, false, true, false},
	[EMAIL] = {"EMAIL", 3, 0, false, true, false},
	{NULL, 0, 0, false, false, false},
};

static int collect(void *arg, const json_t *row, struct err *err)
{
	(void)err;
	json_array_append(arg, (json_t *)row);
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	static const char *const key[] = {"name", "account_id"};
	const json_t *const *row_a = a, *const *row_b = b;
	int order = strcmp(row_text(*row_a, "connector"), row_text(*row_b, "connector"));
	if (order == 0)
		order = tree_compare(row_text(*row_a, "unit_path"), row_text(*row_b, "unit_path"));
	if (order == 0)
		order = strcasecmp(row_text(*row_a, "name"), row_text(*row_b, "name"));
	for (size_t i = 0; order == 0 && i < sizeof(key) / sizeof(key[0]); i++)
		order = strcmp(row_text(*row_a, key[i]), row_text(*row_b, key[i]));
	return order;
}

static void add_account(
	struct table *table, const char *name, const json_t *row, const struct cli *cli)
{
	struct buf words;
	char count[24], last[DATES_TEXT_MAX];
	int64_t last_s = row_time(row, "last_success");
	buf_init(&words, 4096);
	enum style style = coverage_words(&words, row);
	snprintf(count, sizeof(count), "%" PRId64, row_int(row, "certificates"));
	const char *cell[TABLE_COLUMNS_MAX] = {
		[NAME] = name,
		[ID] = row_text(row, "account_id"),
		[CERTS] = last_s != 0 ? count : "-",
		[REGIONS] = buf_text(&words),
		[LAST_READ] = last_s != 0 ? dates_relative(last_s, cli->now_s, last) : "never",
		[EMAIL] = row_text(row, "email"),
	};
	table_add(table, cell, REGIONS, style);
	buf_clear(&words);
}

/* Puts the rows, in order of their place in the tree, into tree lines. */
static void plant(struct tree *tree, const json_t *const *row, size_t count)
{
	const char *connector = NULL;
	bool is_several = count > 0 && strcmp(row_text(row[0], "connector"),
					       row_text(row[count - 1], "connector")) != 0;
	for (size_t i = 0; i < count; i++) {
		const char *own = row_text(row[i], "connector"), *name = row_text(row[i], "name");
		if (connector == NULL || strcmp(connector, own) != 0)
			tree_begin(tree, is_several ? own : NULL);
		connector = own;
		tree_add(tree, row_text(row[i], "unit_path"),
			name[0] != '\0' ? name : row_text(row[i], "account_id"), i);
	}
}

static void print_tree(const struct cli *cli, json_t *rows)
{
	size_t count = json_array_size(rows);
	const json_t **row = xcalloc(count, sizeof(*row));
	for (size_t i = 0; i < count; i++)
		row[i] = json_array_get(rows, i);
	qsort(row, count, sizeof(*row), compare_rows);
	struct tree *tree = tree_new(cli->terminal.is_utf8 || !cli->terminal.is_tty);
	struct table *table = table_new(columns, &cli->terminal, cli->output == OUTPUT_WIDE);
	static const char *const blank[TABLE_COLUMNS_MAX] = {"", "", "", "", "", ""};
	plant(tree, row, count);
	const char *text;
	size_t item;
	for (bool is_leaf; tree_next(tree, &text, &is_leaf, &item);) {
		const char *cell[TABLE_COLUMNS_MAX];
		memcpy(cell, blank, sizeof(cell));
		cell[NAME] = text;
		if (is_leaf)
			add_account(table, text, row[item], cli);
		else
			table_add(table, cell, NAME, STYLE_BOLD);
	}
	table_print(table, stdout);
	table_free(table);
	tree_free(tree);
	free(row);
}

static int show_tree(const struct cli *cli, const struct params *params)
{
	struct err err = ERR_INIT;
	json_t *rows = json_array();
	int code = EXIT_DONE;
	if (source_rows(cli, LIST_ACCOUNTS, params, collect, rows, &err) != 0)
		code = cli_fail(&err);
	else if (json_array_size(rows) == 0)
		cli_note("no accounts are known yet; `%s status` tells whether a cycle has run",
			cli_program(cli));
	else
		print_tree(cli, rows);
	json_decref(rows);
	return code;
}

int command_accounts(struct cli *cli, const struct args *args)
{
	static const struct view view = {LIST_ACCOUNTS, NULL, NULL};
	struct params params = {.count = 0};
	struct err err = ERR_INIT;
	size_t rows = 0;
	params_add(&params, "connector", args_get(args, "connector"));
	if (cli->output == OUTPUT_TABLE || cli->output == OUTPUT_WIDE)
		return show_tree(cli, &params);
	return output_list(cli, &view, &params, &rows, &err) == 0 ? EXIT_DONE : cli_fail(&err);
}
