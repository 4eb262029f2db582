/* acmsensor coverage: every account and region, problems first. */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/coverage_words.h"
#include "cli/dates.h"
#include "cli/output.h"
#include "cli/row.h"
#include "store/coverage.h"

enum column { STATE, ACCOUNT, NAME, REGION, CERTS, LAST_SUCCESS, NEXT_TRY, SINCE, CODE, REASON };

static const struct table_column columns[] = {
	[STATE] = {"STATE", 0, 0, false, false, false},
	[ACCOUNT] = {"ACCOUNT", 0, TABLE_WHOLE, false, false, false},
	[NAME] = {"NAME", 5, 12, false, false, false},
	[REGION] = {"REGION", 0, 0, false, false, false},
	[CERTS] = {"CERTS", 2, 0, true, false, false},
	[LAST_SUCCESS] = {"LAST READ", 3, 0, false, false, false},
	[NEXT_TRY] = {"NEXT TRY", 6, 0, false, true, false},
	[SINCE] = {"SINCE", 7, 0, false, true, false},
	[CODE] = {"CODE", 8, 0, false, true, false},
	[REASON] = {"REASON", 4, 12, false, false, false},
	{NULL, 0, 0, false, false, false},
};

/* Here the reason is what one looks for. */
static const struct table_column problem_columns[] = {
	[STATE] = {"STATE", 0, 0, false, false, false},
	[ACCOUNT] = {"ACCOUNT", 0, TABLE_WHOLE, false, false, false},
	[NAME] = {"NAME", 3, 12, false, false, false},
	[REGION] = {"REGION", 0, 0, false, false, false},
	[CERTS] = {"CERTS", 5, 0, true, true, false},
	[LAST_SUCCESS] = {"LAST READ", 2, 0, false, false, false},
	[NEXT_TRY] = {"NEXT TRY", 4, 0, false, false, false},
	[SINCE] = {"SINCE", 6, 0, false, true, false},
	[CODE] = {"CODE", 7, 0, false, true, false},
	[REASON] = {"REASON", 1, 0, false, false, true},
	{NULL, 0, 0, false, false, false},
};

static const char *moment(int64_t at_s, int64_t now_s, char *buffer)
{
	return at_s != 0 ? dates_relative(at_s, now_s, buffer) : "never";
}

static void add_coverage(struct table *table, const json_t *row, const struct cli *cli)
{
	char success[DATES_TEXT_MAX], next[DATES_TEXT_MAX], since[DATES_TEXT_MAX], count[24];
	bool is_read = row_has(row, "last_success");
	int64_t next_s = row_time(row, "next_try");
	const char *cell[TABLE_COLUMNS_MAX] = {
		[STATE] = row_text(row, "state"),
		[ACCOUNT] = row_text(row, "account_id"),
		[NAME] = row_text(row, "account_name"),
		[REGION] = row_text(row, "region"),
		[CERTS] = is_read ? count : "-",
		[LAST_SUCCESS] = moment(row_time(row, "last_success"), cli->now_s, success),
		[NEXT_TRY] = next_s > cli->now_s ? dates_relative(next_s, cli->now_s, next)
			     : next_s != 0	 ? "due"
						 : "-",
		[REASON] = row_text(row, "reason"),
		[SINCE] = moment(row_time(row, "state_since"), cli->now_s, since),
		[CODE] = row_text(row, "code"),
	};
	snprintf(count, sizeof(count), "%" PRId64, row_int(row, "certificates"));
	table_add(table, cell, STATE, coverage_style(row_text(row, "state")));
}

static void fill(struct params *params, const struct args *args)
{
	params_add(params, "connector", args_get(args, "connector"));
	params_add(params, "account", args_get(args, "account"));
	params_add(params, "region", args_get(args, "region"));
	params_add(params, "state", args_get(args, "state"));
}

/* Problems in front, then the rest, each in the store's order. One table, so that columns agree. */
struct halves {
	json_t *problems, *others; /* owned */
};

static int collect(void *arg, const json_t *row, struct err *err)
{
	struct halves *halves = arg;
	(void)err;
	json_array_append(
		row_bool(row, "is_problem") ? halves->problems : halves->others, (json_t *)row);
	return 0;
}

static int print_halves(const struct cli *cli, const struct halves *halves)
{
	struct table *table = table_new(columns, &cli->terminal, cli->output == OUTPUT_WIDE);
	size_t i;
	json_t *row;
	json_array_foreach(halves->problems, i, row)
	{
		add_coverage(table, row, cli);
	}
	json_array_foreach(halves->others, i, row)
	{
		add_coverage(table, row, cli);
	}
	size_t problems = json_array_size(halves->problems), rows = table_rows(table);
	if (rows > 0)
		table_print(table, stdout);
	table_free(table);
	if (rows > 0)
		cli_note("%zu of %zu account-regions could not be read", problems, rows);
	return rows > 0 ? EXIT_DONE : -1;
}

static int show_sorted(const struct cli *cli, const struct params *params)
{
	struct err err = ERR_INIT;
	struct halves halves = {json_array(), json_array()};
	int code;
	if (source_rows(cli, LIST_COVERAGE, params, collect, &halves, &err) != 0) {
		code = cli_fail(&err);
	} else {
		code = print_halves(cli, &halves);
		if (code < 0) {
			cli_note(
				"no account-region matches; `%s status` tells whether a cycle has run",
				cli_program(cli));
			code = EXIT_DONE;
		}
	}
	json_decref(halves.problems);
	json_decref(halves.others);
	return code;
}

int command_coverage(struct cli *cli, const struct args *args)
{
	static const struct view view = {LIST_COVERAGE, problem_columns, add_coverage};
	struct params params = {.count = 0};
	struct err err = ERR_INIT;
	size_t rows = 0;
	bool only_problems = args_has(args, "problems");
	fill(&params, args);
	params_add(&params, "problems", only_problems ? "yes" : NULL);
	if (!only_problems && (cli->output == OUTPUT_TABLE || cli->output == OUTPUT_WIDE))
		return show_sorted(cli, &params);
	if (output_list(cli, &view, &params, &rows, &err) != 0)
		return cli_fail(&err);
	if (rows == 0)
		cli_note(only_problems ? "no problems: every account-region in scope was read"
				       : "no account-region matches");
	return EXIT_DONE;
}
