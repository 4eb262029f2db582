/* acmsensor scan: starts a cycle; with --wait shows its progress, its outcome, what was not read.
 * */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/coverage_words.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/row.h"
#include "cli/scan_wait.h"
#include "sensor/local_api.h"

enum { UNREAD_MAX = 20 };

/* --- what could not be read ------------------------------------------------------------------- */

enum column { STATE, ACCOUNT, NAME, REGION, REASON };

static const struct table_column columns[] = {
	[STATE] = {"STATE", 0, 0, false, false, false},
	[ACCOUNT] = {"ACCOUNT", 0, TABLE_WHOLE, false, false, false},
	[NAME] = {"NAME", 2, 12, false, false, false},
	[REGION] = {"REGION", 1, 0, false, false, false},
	[REASON] = {"REASON", 3, 40, false, false, false},
	{NULL, 0, 0, false, false, false},
};

struct unread {
	struct table *table; /* owned by the caller */
	size_t count;	     /* also those beyond UNREAD_MAX */
};

static int take_unread(void *arg, const json_t *row, struct err *err)
{
	struct unread *unread = arg;
	(void)err;
	if (unread->count++ >= UNREAD_MAX)
		return 0;
	const char *reason = row_text(row, "reason");
	const char *cell[TABLE_COLUMNS_MAX] = {
		[STATE] = row_text(row, "state"),
		[ACCOUNT] = row_text(row, "account_id"),
		[NAME] = row_text(row, "account_name"),
		[REGION] = row_text(row, "region"),
		[REASON] = reason[0] != '\0' ? reason : row_text(row, "code"),
	};
	table_add(unread->table, cell, STATE, coverage_style(row_text(row, "state")));
	return 0;
}

static void add_filters(struct params *params, const struct args *args)
{
	params_add(params, "connector", args_get(args, "connector"));
	params_add(params, "account", args_get(args, "account"));
	params_add(params, "region", args_get(args, "region"));
}

static int show_unread(const struct cli *cli, const struct args *args, struct err *err)
{
	struct params params = {.count = 0};
	struct unread unread = {.table = table_new(columns, &cli->terminal, false)};
	add_filters(&params, args);
	params_add(&params, "problems", "yes");
	int rc = source_rows(cli, LIST_COVERAGE, &params, take_unread, &unread, err);
	if (rc == 0 && unread.count > 0) {
		facts_title(cli, "Could not be read");
		table_print(unread.table, stdout);
	}
	if (rc == 0 && unread.count > UNREAD_MAX)
		cli_note("and %zu more; all, with reasons: %s coverage --problems",
			unread.count - UNREAD_MAX, cli_program(cli));
	else if (rc == 0 && unread.count > 0)
		cli_note("the reasons: %s coverage --problems", cli_program(cli));
	table_free(unread.table);
	return rc;
}

/* --- the outcome ------------------------------------------------------------------------------ */

static void show_outcome(const struct cli *cli, const json_t *cycle)
{
	char text[512], took[TEXT_DURATION_MAX];
	const char *result = row_text(cycle, "result"), *connector = row_text(cycle, "connector");
	int64_t pairs = row_int(cycle, "pairs_done"), problems = row_int(cycle, "pairs_problem");
	int64_t took_s = row_time(cycle, "finished") - row_time(cycle, "started");
	if (strcmp(result, "complete") == 0) {
		facts_styled(cli, connector, "everything in scope was read", STYLE_GREEN);
	} else if (strcmp(result, "incomplete") == 0) {
		snprintf(text, sizeof(text),
			"%" PRId64 " of %" PRId64 " account-regions could not be read", problems,
			pairs);
		facts_styled(cli, connector, text, STYLE_YELLOW);
	} else {
		snprintf(text, sizeof(text), "%s%s%s", result, row_has(cycle, "error") ? ": " : "",
			row_text(cycle, "error"));
		facts_styled(cli, connector, text, STYLE_RED);
	}
	facts_format(cli, "",
		"%" PRId64 " accounts, %" PRId64 " account-regions, %" PRId64 " certificates in %s",
		row_int(cycle, "accounts_done"), pairs, row_int(cycle, "certificates"),
		text_format_duration(took_s > 0 ? took_s : 0, took));
	facts_format(cli, "", "%" PRId64 " calls, %" PRId64 " retries, %" PRId64 " throttles",
		row_int(cycle, "calls"), row_int(cycle, "retries"), row_int(cycle, "throttles"));
}

static int exit_code(const json_t *cycles)
{
	size_t i;
	json_t *cycle;
	int code = EXIT_DONE;
	json_array_foreach(cycles, i, cycle)
	{
		const char *result = row_text(cycle, "result");
		if (strcmp(result, "incomplete") == 0)
			code = EXIT_WARNINGS;
		else if (strcmp(result, "complete") != 0)
			return EXIT_FAILED;
	}
	return code;
}

static void print_cycles(const struct cli *cli, json_t *cycles)
{
	if (cli->output == OUTPUT_CSV) {
		output_csv_rows(cycles);
		return;
	}
	json_t *document = json_object();
	json_object_set_new(document, "schema", json_integer(LOCAL_API_SCHEMA));
	json_object_set(document, "progress", cycles);
	output_json(document);
	json_decref(document);
}

static int show_end(const struct cli *cli, const struct args *args, json_t *cycles)
{
	struct err err = ERR_INIT;
	size_t i;
	json_t *cycle;
	int code = exit_code(cycles);
	if (cli->output == OUTPUT_JSON || cli->output == OUTPUT_CSV) {
		print_cycles(cli, cycles);
		if (code == EXIT_WARNINGS)
			cli_note("not everything could be read: %s coverage --problems",
				cli_program(cli));
		return code;
	}
	json_array_foreach(cycles, i, cycle)
	{
		show_outcome(cli, cycle);
	}
	if (code == EXIT_WARNINGS && show_unread(cli, args, &err) != 0)
		return cli_fail(&err);
	return code;
}

static int wait_for_end(const struct cli *cli, const struct args *args, const json_t *scan)
{
	struct err err = ERR_INIT;
	json_t *cycles = NULL;
	if (scan_wait(cli, row_get(scan, "cycle_ids"), &cycles, &err) != 0)
		return cli_fail(&err);
	int code = show_end(cli, args, cycles);
	json_decref(cycles);
	return code;
}

/* --- the command ------------------------------------------------------------------------------ */

static json_t *make_order(const struct args *args)
{
	static const char *const name[] = {"connector", "account", "region"};
	json_t *order = json_object();
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (args_has(args, name[i]))
			json_object_set_new(order, name[i], row_argument(args_get(args, name[i])));
	return order;
}

/* "scans": [{connector, cycle_id, state: started, joined or queued}] */
static void print_scans(const struct cli *cli, const json_t *scans)
{
	size_t i;
	json_t *scan;
	json_array_foreach(scans, i, scan)
	{
		const char *state = row_text(scan, "state");
		facts_line(cli, row_text(scan, "connector"),
			strcmp(state, "joined") == 0   ? "a cycle is under way; it serves this too"
			: strcmp(state, "queued") == 0 ? "begins when the cycle under way has ended"
						       : "a cycle has begun");
	}
	cli_note("progress and outcome: %s scan --wait", cli_program(cli));
}

static void print_answer(const struct cli *cli, const json_t *document)
{
	const json_t *scans = row_get(row_get(document, "scan"), "scans");
	if (cli->output == OUTPUT_JSON)
		output_json(document);
	else if (cli->output == OUTPUT_CSV)
		output_csv_rows(scans);
	else
		print_scans(cli, scans);
}

int command_scan(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	json_t *document = NULL, *order = make_order(args);
	int code = EXIT_DONE;
	if (source_post(cli, LOCAL_API_SCAN, order, &document, &err) != 0)
		code = cli_fail(&err);
	else if (args_has(args, "wait"))
		code = wait_for_end(cli, args, row_get(document, "scan"));
	else
		print_answer(cli, document);
	json_decref(document);
	json_decref(order);
	return code;
}
