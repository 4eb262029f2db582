/* acmsensor apply, rollback, delete, cancel, jobs, plans: orders, and what becomes of them. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/dates.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/row.h"
#include "sensor/local_api.h"

enum { LOOK_MS = 300, TIMEOUT_S = 30, TYPED_MAX = 256, ARN_TAIL = 8 };

static enum style state_style(const char *state)
{
	static const struct {
		const char *state;
		enum style style;
	} known[] = {{"succeeded", STYLE_GREEN}, {"restored", STYLE_GREEN}, {"running", STYLE_BOLD},
		{"cancelled", STYLE_YELLOW}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].state, state) == 0)
			return known[i].style;
	return STYLE_RED;
}

/* --- one job ---------------------------------------------------------------------------------- */

/* Steps from *shown on, each once. */
static void show_steps(const struct cli *cli, const json_t *job, size_t *shown)
{
	const json_t *steps = row_get(job, "steps");
	for (; *shown < json_array_size(steps); ++*shown) {
		const json_t *step = json_array_get(steps, *shown);
		char at[DATES_TEXT_MAX];
		facts_format(cli, row_text(step, "phase"), "%s  %s",
			dates_time(row_time(step, "at"), at), row_text(step, "text"));
	}
	fflush(stdout);
}

static void show_end(const struct cli *cli, const json_t *job)
{
	const char *state = row_text(job, "state");
	char label[64];
	(void)snprintf(label, sizeof(label), "%s %s", row_text(job, "kind"), state);
	facts_styled(cli, label, row_text(job, "reason"), state_style(state));
	facts_line(cli, "job", row_text(job, "id"));
	facts_line(cli, "ARN", row_text(job, "arn"));
	facts_time(cli, "next attempt", row_time(job, "next_attempt"));
	if (row_bool(job, "rollback_possible"))
		cli_note("the way back: acmsensor rollback %s --wait", row_text(job, "id"));
}

static int code_of(const json_t *job)
{
	const char *state = row_text(job, "state");
	bool is_good = strcmp(state, "succeeded") == 0 || strcmp(state, "restored") == 0 ||
		       strcmp(state, "running") == 0;
	return is_good ? EXIT_DONE : EXIT_FAILED;
}

/* The job, owned inside *ret_document. */
static int get_job(const struct cli *cli, const char *id, json_t **ret_document,
	const json_t **ret_job, struct err *err)
{
	struct params params = {.count = 0};
	params_add(&params, "id", id);
	if (source_get(cli, LOCAL_API_JOBS, &params, TIMEOUT_S, ret_document, err) != 0)
		return -1;
	*ret_job = json_array_get(row_get(*ret_document, "jobs"), 0);
	return 0;
}

static int follow(const struct cli *cli, const char *id)
{
	struct err err = ERR_INIT;
	size_t shown = 0;
	for (;;) {
		json_t *document = NULL;
		const json_t *job = NULL;
		if (get_job(cli, id, &document, &job, &err) != 0)
			return cli_fail(&err);
		bool is_running = strcmp(row_text(job, "state"), "running") == 0;
		if (cli->output != OUTPUT_JSON)
			show_steps(cli, job, &shown);
		if (!is_running) {
			int code = code_of(job);
			if (cli->output == OUTPUT_JSON)
				output_json(document);
			else
				show_end(cli, job);
			json_decref(document);
			return code;
		}
		json_decref(document);
		(void)poll(NULL, 0, LOOK_MS);
	}
}

/* --- orders ----------------------------------------------------------------------------------- */

static int order(const struct cli *cli, const char *path, json_t *body, bool is_waited_for)
{
	struct err err = ERR_INIT;
	json_t *document = NULL;
	int code = EXIT_DONE;
	int rc = source_post(cli, path, body, &document, &err);
	json_decref(body);
	if (rc != 0)
		return cli_fail(&err);
	const json_t *job = row_get(document, "job");
	if (is_waited_for) {
		cli_note("job %s; an interrupt leaves it running", row_text(job, "id"));
		code = follow(cli, row_text(job, "id"));
	} else if (cli->output == OUTPUT_JSON) {
		output_json(document);
	} else {
		facts_styled(cli, row_text(job, "state"), row_text(job, "reason"),
			state_style(row_text(job, "state")));
		facts_line(cli, "job", row_text(job, "id"));
		cli_note("what becomes of it: acmsensor jobs %s --follow", row_text(job, "id"));
	}
	json_decref(document);
	return code;
}

static json_t *one_member(const char *name, const char *text)
{
	json_t *body = json_object();
	json_object_set_new(body, name, json_string(text));
	return body;
}

int command_apply(struct cli *cli, const struct args *args)
{
	return order(cli, LOCAL_API_APPLY, one_member("plan", args->positional[0]),
		args_has(args, "wait"));
}

int command_rollback(struct cli *cli, const struct args *args)
{
	return order(cli, LOCAL_API_ROLLBACK, one_member("job", args->positional[0]),
		args_has(args, "wait"));
}

int command_cancel(struct cli *cli, const struct args *args)
{
	return order(cli, LOCAL_API_CANCEL, one_member("job", args->positional[0]), false);
}

/* Deleting is for ever, so the ARN's end is typed, or the ARN is said twice. */
static bool is_confirmed(const char *arn, const char *yes)
{
	char typed[TYPED_MAX] = "";
	size_t len = strlen(arn);
	const char *tail = len > ARN_TAIL ? arn + len - ARN_TAIL : arn;
	if (yes != NULL)
		return strcmp(yes, arn) == 0;
	if (isatty(STDIN_FILENO) != 1)
		return false;
	fprintf(stderr, "This deletes %s for ever.\nType its last %d characters: ", arn, ARN_TAIL);
	if (fgets(typed, sizeof(typed), stdin) == NULL)
		return false;
	typed[strcspn(typed, "\n")] = '\0';
	return strcmp(typed, tail) == 0;
}

int command_delete(struct cli *cli, const struct args *args)
{
	const char *arn = args->positional[0], *connector = args_get(args, "connector");
	if (!is_confirmed(arn, args_get(args, "yes"))) {
		cli_note(
			"nothing was deleted: it was not confirmed; in a script give --yes ARN, the "
			"same ARN again");
		return EXIT_USAGE;
	}
	json_t *body = one_member("arn", arn);
	if (connector != NULL)
		json_object_set_new(body, "connector", json_string(connector));
	if (args_has(args, "wait-until-unused"))
		json_object_set_new(body, "wait", json_true());
	return order(cli, LOCAL_API_DELETE, body, args_has(args, "wait"));
}

/* --- lists ------------------------------------------------------------------------------------ */

enum column { ID, KIND, STATE, PHASE, ACCOUNT, REGION, CREATED, ARN_COLUMN, REASON };

static const struct table_column job_columns[] = {
	[ID] = {"JOB", 0, 0, false, false, false},
	[KIND] = {"KIND", 0, 0, false, false, false},
	[STATE] = {"STATE", 0, 0, false, false, false},
	[PHASE] = {"PHASE", 3, 0, false, true, false},
	[ACCOUNT] = {"ACCOUNT", 2, 0, false, false, false},
	[REGION] = {"REGION", 2, 0, false, false, false},
	[CREATED] = {"CREATED", 3, 0, false, false, false},
	[ARN_COLUMN] = {"ARN", 4, 0, false, true, false},
	[REASON] = {"REASON", 1, 20, false, false, true},
	{NULL, 0, 0, false, false, false},
};

static void print_rows(const struct cli *cli, const json_t *rows, bool is_plans)
{
	struct table *table = table_new(job_columns, &cli->terminal, cli->output == OUTPUT_WIDE);
	size_t i;
	json_t *row;
	json_array_foreach(rows, i, row)
	{
		char at[DATES_TEXT_MAX];
		const char *state = row_text(row, "state");
		const char *cell[TABLE_COLUMNS_MAX] = {
			[ID] = row_text(row, "id"),
			[KIND] = row_text(row, is_plans ? "decision" : "kind"),
			[STATE] = state,
			[PHASE] = row_text(row, is_plans ? "job" : "phase"),
			[ACCOUNT] = row_text(row, "account_id"),
			[REGION] = row_text(row, "region"),
			[CREATED] = dates_time(row_time(row, "created"), at),
			[ARN_COLUMN] = row_text(row, "arn"),
			[REASON] = row_text(row, "reason"),
		};
		table_add(table, cell, STATE, is_plans ? STYLE_PLAIN : state_style(state));
	}
	if (table_rows(table) > 0)
		table_print(table, stdout);
	else
		cli_note("there are none");
	table_free(table);
}

static void print_jobs(const struct cli *cli, const json_t *rows)
{
	print_rows(cli, rows, false);
}

static void print_plans(const struct cli *cli, const json_t *rows)
{
	print_rows(cli, rows, true);
}

static int show_one(const struct cli *cli, const char *id)
{
	struct err err = ERR_INIT;
	json_t *document = NULL;
	const json_t *job = NULL;
	size_t shown = 0;
	if (get_job(cli, id, &document, &job, &err) != 0)
		return cli_fail(&err);
	if (cli->output == OUTPUT_JSON) {
		output_json(document);
	} else {
		show_end(cli, job);
		facts_title(cli, "Steps");
		show_steps(cli, job, &shown);
	}
	json_decref(document);
	return EXIT_DONE;
}

static int list(const struct cli *cli, const char *path, const char *name, output_print_fn *print)
{
	struct err err = ERR_INIT;
	json_t *document = NULL;
	if (source_get(cli, path, NULL, TIMEOUT_S, &document, &err) != 0)
		return cli_fail(&err);
	output_document(cli, document, name, print);
	json_decref(document);
	return EXIT_DONE;
}

int command_jobs(struct cli *cli, const struct args *args)
{
	if (args->positional_count == 0)
		return list(cli, LOCAL_API_JOBS, "jobs", print_jobs);
	return args_has(args, "follow") ? follow(cli, args->positional[0])
					: show_one(cli, args->positional[0]);
}

int command_plans(struct cli *cli, const struct args *args)
{
	(void)args;
	return list(cli, LOCAL_API_PLANS, "plans", print_plans);
}

/* --- csr -------------------------------------------------------------------------------------- */

int command_csr(struct cli *cli, const struct args *args)
{
	static const char *const texts[][2] = {{"connector", "connector"}, {"key_type", "key-type"},
		{"subject", "subject"}, {"arn", "arn"}};
	struct err err = ERR_INIT;
	json_t *document = NULL, *body = json_object(), *domains = json_array();
	const char *text;
	for (int at = 0; (text = args_next(args, "domain", &at)) != NULL;)
		json_array_append_new(domains, json_string(text));
	if (json_array_size(domains) > 0)
		json_object_set(body, "domains", domains);
	json_decref(domains);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (args_has(args, texts[i][1]))
			json_object_set_new(
				body, texts[i][0], json_string(args_get(args, texts[i][1])));
	int rc = source_post(cli, LOCAL_API_CSR, body, &document, &err);
	json_decref(body);
	if (rc != 0)
		return cli_fail(&err);
	const json_t *csr = row_get(document, "csr");
	if (cli->output == OUTPUT_JSON) {
		output_json(document);
	} else {
		fputs(row_text(csr, "pem"), stdout);
		cli_note("its key stays on the sensor; when it is signed: acmsensor plan --csr %s "
			 "--cert FILE --chain FILE ...",
			row_text(csr, "id"));
	}
	json_decref(document);
	return EXIT_DONE;
}
