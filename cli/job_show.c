/* A job of delivery as a person reads it (see job_show.h). */
#include "cli/job_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/dates.h"
#include "cli/facts.h"
#include "cli/row.h"

static bool is_state(const json_t *job, const char *state)
{
	return strcmp(row_text(job, "state"), state) == 0;
}

bool job_is_running(const json_t *job)
{
	return is_state(job, "running");
}

static bool is_success(const json_t *job)
{
	return is_state(job, "succeeded") || is_state(job, "restored");
}

/* The evidence says it; the daemon's sentence says what else there is ("...; warning: ..."). */
bool job_has_warnings(const json_t *job)
{
	const json_t *evidence = row_get(job, "evidence");
	size_t i;
	json_t *host;
	json_array_foreach(row_get(evidence, "hosts"), i, host)
	{
		if (strcmp(row_text(host, "outcome"), "served") != 0)
			return true;
	}
	return row_text(row_get(evidence, "tags"), "missing")[0] != '\0' ||
	       strstr(row_text(job, "reason"), "warning: ") != NULL;
}

int job_exit_code(const json_t *job)
{
	if (!is_success(job))
		return EXIT_FAILED;
	return job_has_warnings(job) ? EXIT_WARNINGS : EXIT_DONE;
}

/* Of a delivery only, so that there is one at most: who orders a rollback by hand follows that. */
const char *job_automatic_rollback(const json_t *job)
{
	bool may_be = is_state(job, "failed") && strcmp(row_text(job, "kind"), "deliver") == 0;
	return may_be ? row_text(job, "rollback") : "";
}

enum style job_style(const json_t *job)
{
	if (is_success(job))
		return job_has_warnings(job) ? STYLE_YELLOW : STYLE_GREEN;
	if (job_is_running(job))
		return STYLE_BOLD;
	return is_state(job, "cancelled") ? STYLE_YELLOW : STYLE_RED;
}

/* --- the state -------------------------------------------------------------------------------- */

static enum style outcome_style(const char *outcome)
{
	return strcmp(outcome, "served") == 0 ? STYLE_GREEN : STYLE_YELLOW;
}

static void show_evidence(const struct cli *cli, const json_t *evidence)
{
	size_t i;
	json_t *host;
	json_array_foreach(row_get(evidence, "hosts"), i, host)
	{
		char line[1024];
		const char *outcome = row_text(host, "outcome"), *serial = row_text(host, "serial");
		const char *error = row_text(host, "error");
		snprintf(line, sizeof(line), "%s: %s%s%s%s%s", row_text(host, "host"), outcome,
			serial[0] != '\0' ? ", serial " : "", serial, error[0] != '\0' ? ", " : "",
			error);
		facts_styled(cli, i == 0 ? "Hosts" : "", line, outcome_style(outcome));
	}
	facts_styled(
		cli, "Tags missing", row_text(row_get(evidence, "tags"), "missing"), STYLE_YELLOW);
	facts_line(cli, "Tags restored", row_text(row_get(evidence, "tags"), "restored"));
}

static void show_next(const struct cli *cli, const json_t *job)
{
	const char *id = row_text(job, "id");
	const char *rollback = row_text(job, "rollback");
	if (rollback[0] != '\0')
		facts_line(cli, "Its rollback", rollback);
	if (job_is_running(job))
		facts_command(cli, "Next", "jobs %s --follow", id);
	else if (row_bool(job, "rollback_possible"))
		facts_command(cli, "The way back", "rollback %s --wait", id);
}

static void show_head(const struct cli *cli, const json_t *job)
{
	char label[64];
	const char *reason = row_text(job, "reason");
	snprintf(
		label, sizeof(label), "%.16s %.16s", row_text(job, "kind"), row_text(job, "state"));
	if (reason[0] == '\0')
		reason = job_is_running(job) ? "has begun" : "(no reason was given)";
	facts_styled(cli, label, reason, job_style(job));
	facts_styled(cli, "Held up", row_text(job, "held_up"), STYLE_YELLOW);
	facts_line(cli, "Job", row_text(job, "id"));
	facts_line(cli, "ARN", row_text(job, "arn"));
}

void job_show_state(const struct cli *cli, const json_t *job)
{
	show_head(cli, job);
	facts_time(cli, "Next attempt", row_time(job, "next_attempt"));
	show_evidence(cli, row_get(job, "evidence"));
	show_next(cli, job);
}

void job_show(const struct cli *cli, const json_t *job)
{
	show_head(cli, job);
	facts_format(cli, "Where", "account %s, %s, connector %s", row_text(job, "account_id"),
		row_text(job, "region"), row_text(job, "connector"));
	facts_line(cli, "Certificate ID", row_text(job, "certificate_id"));
	facts_line(cli, "Plan", row_text(job, "plan"));
	facts_line(cli, "Undoes job", row_text(job, "of_job"));
	facts_line(cli, "Serial before", row_text(job, "old_serial"));
	facts_line(cli, "Serial to be", row_text(job, "new_serial"));
	facts_time(cli, "Asked for", row_time(job, "created"));
	facts_time(cli, "Ended", row_time(job, "ended"));
	if (job_is_running(job)) {
		facts_line(cli, "Phase", row_text(job, "phase"));
		facts_format(cli, "Attempts in it", "%" PRId64, row_int(job, "attempts"));
		facts_time(cli, "Next attempt", row_time(job, "next_attempt"));
	}
	show_evidence(cli, row_get(job, "evidence"));
	show_next(cli, job);
}

/* --- steps ------------------------------------------------------------------------------------ */

void job_show_step(const struct cli *cli, const json_t *step, char *day)
{
	char today[DATES_TEXT_MAX], at[DATES_TEXT_MAX], label[FACTS_LABEL_COLUMNS];
	int64_t at_s = row_time(step, "at");
	dates_day(at_s, today);
	dates_time(at_s, at);
	if (strcmp(today, day) != 0)
		facts_line(cli, today, "UTC");
	text_copy(day, DATES_TEXT_MAX, today);
	const char *clock = strchr(at, ' ');
	snprintf(label, sizeof(label), "%.9s %.9s", clock != NULL ? clock + 1 : at,
		row_text(step, "phase"));
	facts_styled(cli, label, row_text(step, "text"),
		row_bool(step, "failure") ? STYLE_YELLOW : STYLE_PLAIN);
}
