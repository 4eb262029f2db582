/* acmsensor plans: the list, or one plan as it was shown when it was made. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/dates.h"
#include "cli/output.h"
#include "cli/plan_show.h"
#include "cli/row.h"
#include "sensor/local_api.h"

enum { TIMEOUT_S = 30 };

enum column {
	ID,
	DECISION,
	STATE,
	NAME,
	ACCOUNT,
	REGION,
	EXPIRES,
	JOB,
	CERTIFICATE_ID,
	ARN,
	REASON
};

static const struct table_column columns[] = {
	[ID] = {"PLAN", 0, TABLE_WHOLE, false, false, false},
	[DECISION] = {"DECISION", 0, 0, false, false, false},
	[STATE] = {"STATE", 0, 0, false, false, false},
	[NAME] = {"NAME", 1, 12, false, false, false},
	[ACCOUNT] = {"ACCOUNT", 2, 0, false, false, false},
	[REGION] = {"REGION", 2, 0, false, false, false},
	[EXPIRES] = {"EXPIRES", 3, 0, false, false, false},
	[JOB] = {"JOB", 5, 0, false, true, false},
	[CERTIFICATE_ID] = {"CERTIFICATE ID", 6, TABLE_WHOLE, false, true, false},
	[ARN] = {"ARN", 6, 0, false, true, false},
	[REASON] = {"REASON", 1, 20, false, false, true},
	{NULL, 0, 0, false, false, false},
};

static enum style state_style(const char *state)
{
	return strcmp(state, "open") == 0      ? STYLE_GREEN
	       : strcmp(state, "refused") == 0 ? STYLE_RED
					       : STYLE_DIM;
}

static const char *first_name(const json_t *plan)
{
	const json_t *new = row_get(plan, "new");
	const char *name =
		json_string_value(json_array_get(row_get(new, "subject_alternative_names"), 0));
	return name != NULL ? name : row_text(new, "subject");
}

static void print_plans(const struct cli *cli, const json_t *plans)
{
	struct table *table = table_new(columns, &cli->terminal, cli->output == OUTPUT_WIDE);
	size_t i;
	json_t *plan;
	json_array_foreach(plans, i, plan)
	{
		char expires[DATES_TEXT_MAX];
		const char *state = row_text(plan, "state");
		bool is_open = strcmp(state, "open") == 0;
		const char *cell[TABLE_COLUMNS_MAX] = {
			[ID] = row_text(plan, "id"),
			[DECISION] = row_text(plan, "decision"),
			[STATE] = state,
			[NAME] = first_name(plan),
			[ACCOUNT] = row_text(plan, "account_id"),
			[REGION] = row_text(plan, "region"),
			[EXPIRES] = is_open ? dates_relative(row_time(plan, "expires"), cli->now_s,
						      expires)
					    : "",
			[JOB] = row_text(plan, "job"),
			[CERTIFICATE_ID] = row_text(plan, "certificate_id"),
			[ARN] = row_text(plan, "arn"),
			[REASON] = row_text(plan, "reason"),
		};
		table_add(table, cell, STATE, state_style(state));
	}
	if (table_rows(table) > 0)
		table_print(table, stdout);
	else
		cli_note("there is no plan; `acmsensor help plan` tells how one is made");
	table_free(table);
}

static void print_one(const struct cli *cli, const json_t *plans)
{
	plan_show(cli, json_array_get(plans, 0));
}

int command_plans(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	struct params params = {.count = 0};
	json_t *document = NULL;
	bool is_one = args->positional_count > 0;
	params_add(&params, "id", is_one ? args->positional[0] : NULL);
	int rc = source_get(cli, LOCAL_API_PLANS, &params, TIMEOUT_S, &document, &err);
	if (rc == 0 && is_one && !json_is_object(json_array_get(row_get(document, "plans"), 0)))
		rc = err_set(&err, ERR_PROTOCOL, "answer of the daemon: there is no plan in it");
	if (rc == 0)
		output_document(cli, document, "plans", is_one ? print_one : print_plans);
	json_decref(document);
	return rc == 0 ? EXIT_DONE : cli_fail(&err);
}
