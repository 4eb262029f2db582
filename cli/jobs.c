/* acmsensor jobs: the list, or one with every step; with --follow until it ends. */
#include <stdio.h>

#include "base/err.h"
#include "cli/dates.h"
#include "cli/facts.h"
#include "cli/job.h"
#include "cli/job_show.h"
#include "cli/output.h"
#include "cli/row.h"
#include "sensor/local_api.h"

enum column { ID, KIND, STATE, PHASE, CREATED, ACCOUNT, REGION, NEXT, CERTIFICATE_ID, ARN, REASON };

static const struct table_column columns[] = {
	[ID] = {"JOB", 0, TABLE_WHOLE, false, false, false},
	[KIND] = {"KIND", 1, 0, false, false, false},
	[STATE] = {"STATE", 0, 0, false, false, false},
	[PHASE] = {"PHASE", 3, 0, false, false, false},
	[CREATED] = {"ASKED FOR", 4, 0, false, false, false},
	[ACCOUNT] = {"ACCOUNT", 2, 0, false, false, false},
	[REGION] = {"REGION", 2, 0, false, false, false},
	[NEXT] = {"NEXT TRY", 5, 0, false, true, false},
	[CERTIFICATE_ID] = {"CERTIFICATE ID", 6, TABLE_WHOLE, false, true, false},
	[ARN] = {"ARN", 6, 0, false, true, false},
	[REASON] = {"REASON", 1, 20, false, false, true},
	{NULL, 0, 0, false, false, false},
};

static void print_jobs(const struct cli *cli, const json_t *jobs)
{
	struct table *table = table_new(columns, &cli->terminal, cli->output == OUTPUT_WIDE);
	size_t i;
	json_t *job;
	json_array_foreach(jobs, i, job)
	{
		char created[DATES_TEXT_MAX], next[DATES_TEXT_MAX] = "";
		int64_t next_s = row_time(job, "next_attempt");
		bool is_running = job_is_running(job);
		if (is_running && next_s != 0)
			dates_relative(next_s, cli->now_s, next);
		const char *cell[TABLE_COLUMNS_MAX] = {
			[ID] = row_text(job, "id"),
			[KIND] = row_text(job, "kind"),
			[STATE] = row_text(job, "state"),
			[PHASE] = is_running ? row_text(job, "phase") : "",
			[CREATED] = dates_relative(row_time(job, "created"), cli->now_s, created),
			[ACCOUNT] = row_text(job, "account_id"),
			[REGION] = row_text(job, "region"),
			[NEXT] = next,
			[CERTIFICATE_ID] = row_text(job, "certificate_id"),
			[ARN] = row_text(job, "arn"),
			[REASON] = row_text(job, "reason"),
		};
		table_add(table, cell, STATE, job_style(job));
	}
	if (table_rows(table) > 0)
		table_print(table, stdout);
	else
		cli_note("there is no job yet: %s plan, then %s apply PLAN", cli_program(cli),
			cli_program(cli));
	table_free(table);
}

static int list_jobs(const struct cli *cli)
{
	struct err err = ERR_INIT;
	json_t *document = NULL;
	if (source_get(cli, LOCAL_API_JOBS, NULL, JOB_TIMEOUT_S, &document, &err) != 0)
		return cli_fail(&err);
	output_document(cli, document, "jobs", print_jobs);
	json_decref(document);
	return EXIT_DONE;
}

static void print_one(const struct cli *cli, const json_t *jobs)
{
	const json_t *job = json_array_get(jobs, 0);
	char day[DATES_TEXT_MAX] = "";
	size_t i;
	json_t *step;
	job_show(cli, job);
	if (json_array_size(row_get(job, "steps")) > 0)
		facts_title(cli, "Steps");
	json_array_foreach(row_get(job, "steps"), i, step)
	{
		job_show_step(cli, step, day);
	}
}

static int show_job(const struct cli *cli, const char *id)
{
	struct err err = ERR_INIT;
	json_t *document = NULL;
	const json_t *job = NULL;
	if (job_get(cli, id, &document, &job, &err) != 0)
		return cli_fail(&err);
	output_document(cli, document, "jobs", print_one);
	json_decref(document);
	return EXIT_DONE;
}

int command_jobs(struct cli *cli, const struct args *args)
{
	const char *id = args->positional_count > 0 ? args->positional[0] : NULL;
	if (id == NULL && args_has(args, "follow")) {
		cli_note("--follow follows one job: %s jobs JOB --follow", cli_program(cli));
		return EXIT_USAGE;
	}
	if (id == NULL)
		return list_jobs(cli);
	return args_has(args, "follow") ? job_follow(cli, id) : show_job(cli, id);
}
