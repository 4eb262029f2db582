/* acmsensor config: the daemon's effective values and where each comes from. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/output.h"
#include "cli/row.h"
#include "sensor/local_api.h"

enum { CONFIG_TIMEOUT_S = 10 };

static const struct table_column columns[] = {
	{"SECTION", 0, 0, false, false, false},
	{"OPTION", 0, 0, false, false, false},
	{"VALUE", 0, 24, false, false, false},
	{"SOURCE", 1, 0, false, false, true},
	{"WHAT IT IS", 2, 24, false, true, false},
	{NULL, 0, 0, false, false, false},
};

static void print_table(const struct cli *cli, const json_t *rows)
{
	struct table *table = table_new(columns, &cli->terminal, cli->output == OUTPUT_WIDE);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		const char *key = row_text(row, "key"), *value = row_text(row, "value");
		if (cli->is_for_others && strcmp(key, "external_id") == 0 && value[0] != '\0')
			value = "(set, not shown)";
		const char *cell[] = {row_text(row, "section"), key, value, row_text(row, "source"),
			row_text(row, "help")};
		table_add(table, cell, -1, STYLE_PLAIN);
	}
	table_print(table, stdout);
	table_free(table);
}

int command_config(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	json_t *document = NULL;
	(void)args;
	if (source_get(cli, LOCAL_API_CONFIG, NULL, CONFIG_TIMEOUT_S, &document, &err) != 0)
		return cli_fail(&err);
	output_document(cli, document, "config", print_table);
	json_decref(document);
	return EXIT_DONE;
}
