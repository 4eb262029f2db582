/*
 * acmsensor status: what needs attention, then the sensor, its connectors, what it knows and whom
 * it tells. With --offline as far as the store tells (status_offline.c makes the same document).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/coverage_words.h"
#include "cli/dates.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/row.h"
#include "cli/status_offline.h"
#include "sensor/local_api.h"
#include "store/coverage.h"

enum { STATUS_TIMEOUT_S = 30, LINE_MAX_BYTES = 4096 };

/* --- attention -------------------------------------------------------------------------------- */

static enum style severity_style(const char *severity)
{
	return strcmp(severity, "critical") == 0  ? STYLE_RED
	       : strcmp(severity, "warning") == 0 ? STYLE_YELLOW
						  : STYLE_PLAIN;
}

/* No connector has ever read everything or ended a cycle: an empty inventory means nothing. */
static bool knows_nothing(const json_t *connectors)
{
	size_t i;
	json_t *connector;
	json_array_foreach(connectors, i, connector)
	{
		const json_t *cycle = row_get(connector, "cycle");
		if (row_has(cycle, "finished") || row_has(cycle, "last_complete"))
			return false;
	}
	return true;
}

/* Commands among the hints ask the same daemon as this one did. */
static void show_hint(const struct cli *cli, const char *hint)
{
	static const char program[] = "acmsensor ";
	size_t len = sizeof(program) - 1;
	if (strncmp(hint, program, len) == 0)
		facts_command(cli, "", "%s", hint + len);
	else
		facts_styled(cli, "", hint, STYLE_DIM);
}

static void show_attention(const struct cli *cli, const json_t *items, bool is_blind)
{
	size_t i;
	json_t *item;
	if (!json_is_array(items))
		return; /* the store alone does not tell */
	if (json_array_size(items) == 0 && is_blind) {
		facts_line(cli, "Attention", "nothing so far; no cycle has ended yet");
		return;
	}
	if (json_array_size(items) == 0) {
		facts_styled(cli, "Attention", "nothing needs it", STYLE_GREEN);
		return;
	}
	facts_title(cli, "Needs attention");
	json_array_foreach(items, i, item)
	{
		const char *severity = row_text(item, "severity");
		facts_styled(cli, severity, row_text(item, "text"), severity_style(severity));
		show_hint(cli, row_text(item, "hint"));
	}
}

/* --- sensor and connectors -------------------------------------------------------------------- */

/* A clock may have been put back meanwhile. */
static const char *format_length(int64_t length_s, char *buffer)
{
	return text_format_duration(length_s > 0 ? length_s : 0, buffer);
}

static void show_sensor(const struct cli *cli, const json_t *sensor)
{
	char up[TEXT_DURATION_MAX] = "";
	int64_t started_s = row_time(sensor, "started");
	if (!row_has(sensor, "pid")) {
		facts_heading(cli, "Read without a daemon");
		facts_line(cli, "Data directory", row_text(sensor, "data_dir"));
		return;
	}
	facts_heading(cli, row_text(sensor, "name"));
	if (started_s != 0)
		format_length(cli->now_s - started_s, up);
	facts_format(cli, "Daemon", "acmsensord %s, pid %" PRId64 "%s%s",
		row_text(sensor, "version"), row_int(sensor, "pid"), started_s != 0 ? ", up " : "",
		up);
}

static void show_cycle(const struct cli *cli, const json_t *cycle)
{
	char when[2 * DATES_TEXT_MAX], took[TEXT_DURATION_MAX];
	int64_t started_s = row_time(cycle, "started"), finished_s = row_time(cycle, "finished");
	if (started_s == 0)
		facts_line(cli, "Last cycle", "none yet");
	else if (finished_s == 0)
		facts_format(cli, "Cycle", "began %s, not finished",
			dates_both(started_s, cli->now_s, when));
	else
		facts_format(cli, "Last cycle", "%s, took %s",
			dates_both(finished_s, cli->now_s, when),
			format_length(finished_s - started_s, took));
	facts_styled(cli, "Failed", row_text(cycle, "error"), STYLE_RED);
	if (finished_s == 0)
		return;
	int64_t problems = row_int(cycle, "account_regions_problem");
	facts_format(cli, "", "%" PRId64 " accounts, %" PRId64 " account-regions",
		row_int(cycle, "accounts"), row_int(cycle, "account_regions"));
	if (problems > 0) {
		snprintf(when, sizeof(when), "%" PRId64 " account-regions could not be read",
			problems);
		facts_styled(cli, "", when, STYLE_YELLOW);
	}
	facts_format(cli, "", "%" PRId64 " certificates, %" PRId64 " calls, %" PRId64 " throttles",
		row_int(cycle, "certificates"), row_int(cycle, "calls"),
		row_int(cycle, "throttles"));
}

/* How far it is, when the daemon tells. */
static void show_running(const struct cli *cli, const json_t *progress, const char *name)
{
	size_t i;
	json_t *one;
	json_array_foreach(progress, i, one)
	{
		struct progress_view view;
		struct buf line;
		if (strcmp(row_text(one, "connector"), name) != 0 || row_has(one, "result"))
			continue;
		buf_init(&line, LINE_MAX_BYTES);
		progress_view_init(&view);
		progress_view_add(&view, one);
		progress_line(&line, &view, 0, false, cli->terminal.is_utf8);
		facts_styled(cli, "Running", buf_text(&line), STYLE_GREEN);
		buf_clear(&line);
	}
}

static void show_connector(const struct cli *cli, const json_t *connector, const json_t *progress)
{
	char title[128];
	const json_t *cycle = row_get(connector, "cycle");
	int64_t next_s = row_time(connector, "next");
	snprintf(title, sizeof(title), "Connector %s", row_text(connector, "name"));
	facts_title(cli, title);
	show_running(cli, progress, row_text(connector, "name"));
	if (row_bool(connector, "changes_after_cycle"))
		facts_line(cli, "Reloaded", "changes when the cycle that runs has ended");
	show_cycle(cli, cycle);
	facts_time(cli, "Last without gaps", row_time(cycle, "last_complete"));
	if (next_s != 0 && next_s <= cli->now_s)
		facts_line(cli, "Next cycle", "due");
	else
		facts_time(cli, "Next cycle", next_s);
	facts_line(cli, "Scope", row_text(connector, "scope"));
	facts_line(cli, row_has(connector, "scope") ? "" : "Scope",
		row_text(cycle, "organization_id"));
	facts_line(cli, "Home region", row_text(connector, "home_region"));
	facts_line(cli, "Credentials", row_text(connector, "credentials"));
	facts_line(cli, "Works as", row_text(cycle, "hub_arn"));
}

/* --- counts ----------------------------------------------------------------------------------- */

/* "45 issued, 18 expired"; what is zero is left out. */
static void add_parts(
	struct buf *to, const json_t *counts, const char *const (*part)[2], size_t count)
{
	const char *separator = "";
	for (size_t i = 0; i < count; i++) {
		int64_t number = row_int(counts, part[i][0]);
		if (number == 0)
			continue;
		buf_addf(to, "%s%" PRId64 " %s", separator, number, part[i][1]);
		separator = ", ";
	}
}

static void show_number(const struct cli *cli, const char *label, int64_t number)
{
	if (number != 0)
		facts_format(cli, label, "%" PRId64, number);
}

static void show_counts(const struct cli *cli, const json_t *counts)
{
	static const char *const states[][2] = {{"issued", "issued"}, {"pending", "pending"},
		{"expired", "expired"}, {"other", "failed, revoked or other"}};
	static const char *const ends[][2] = {{"within_7_days", "within 7 days"},
		{"within_30_days", "within 30 days"}, {"within_90_days", "within 90 days"}};
	struct buf text;
	buf_init(&text, LINE_MAX_BYTES);
	facts_title(cli, "Certificates");
	facts_format(cli, "Known", "%" PRId64, row_int(counts, "certificates"));
	add_parts(&text, counts, states, sizeof(states) / sizeof(states[0]));
	facts_line(cli, "", buf_text(&text));
	buf_reset(&text);
	add_parts(&text, row_get(counts, "expires"), ends, sizeof(ends) / sizeof(ends[0]));
	facts_line(cli, "Ending", text.len > 0 ? buf_text(&text) : "none within 90 days");
	show_number(cli, "In use", row_int(counts, "in_use"));
	int64_t not_renewing = row_int(counts, "in_use_not_renewing_within_30_days");
	if (not_renewing > 0)
		facts_format(cli, "",
			"%" PRId64 " of them ending within 30 days and not renewed by AWS",
			not_renewing);
	show_number(cli, "Imported", row_int(counts, "imported"));
	show_number(cli, "Not described", row_int(counts, "detail_failed"));
	show_number(cli, "Gone from ACM", row_int(counts, "gone"));
	buf_clear(&text);
}

/* What should be mended first. */
static void show_coverage(const struct cli *cli, const json_t *coverage)
{
	facts_title(cli, "Account-regions");
	for (int half = 0; half < 2; half++) {
		const char *state;
		json_t *count;
		json_object_foreach((json_t *)coverage, state, count)
		{
			char text[32];
			enum coverage_state known;
			bool is_problem =
				coverage_state_parse(state, &known) && coverage_is_problem(known);
			if (json_integer_value(count) == 0 || is_problem != (half == 0))
				continue;
			snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
				json_integer_value(count));
			facts_styled(cli, state, text, coverage_style(state));
		}
	}
}

/* --- alerts ----------------------------------------------------------------------------------- */

static void show_channel(const struct cli *cli, const json_t *channel)
{
	char label[128], when[2 * DATES_TEXT_MAX];
	struct buf text;
	int64_t sent_s = row_time(channel, "sent"), failing_s = row_time(channel, "failing_since");
	snprintf(label, sizeof(label), "Channel %s", row_text(channel, "name"));
	buf_init(&text, LINE_MAX_BYTES);
	buf_add_text(&text, row_text(channel, "type"));
	if (failing_s != 0)
		buf_addf(&text, ", failing since %s: %s", dates_both(failing_s, cli->now_s, when),
			row_text(channel, "error"));
	else if (sent_s != 0)
		buf_addf(&text, ", last message %s", dates_both(sent_s, cli->now_s, when));
	else
		buf_add_text(&text, ", no message yet");
	facts_styled(cli, label, buf_text(&text), failing_s != 0 ? STYLE_RED : STYLE_PLAIN);
	buf_clear(&text);
}

static void show_alerts(const struct cli *cli, const json_t *alerts)
{
	static const char *const classes[][2] = {{"emergency", "emergency"},
		{"critical", "critical"}, {"warning", "warning"}, {"notice", "notice"}};
	struct buf text;
	size_t i;
	json_t *channel;
	if (alerts == NULL)
		return; /* the store alone does not tell */
	buf_init(&text, LINE_MAX_BYTES);
	add_parts(&text, row_get(alerts, "open"), classes, sizeof(classes) / sizeof(classes[0]));
	facts_title(cli, "Alerts");
	facts_line(cli, "Open",
		text.len > 0		     ? buf_text(&text)
		: row_bool(alerts, "looked") ? "none"
					     : "not looked yet");
	show_number(cli, "Acknowledged", row_int(alerts, "acknowledged"));
	json_array_foreach(row_get(alerts, "channels"), i, channel)
	{
		show_channel(cli, channel);
	}
	buf_clear(&text);
}

/* --- the store -------------------------------------------------------------------------------- */

static void show_store(const struct cli *cli, const json_t *store)
{
	facts_title(cli, "Store");
	facts_styled(cli, "Cannot be read", row_text(store, "error"), STYLE_RED);
	facts_format(cli, "Size", "%.1f MB, of it %.1f MB in use",
		(double)row_int(store, "file_bytes") / 1e6,
		(double)row_int(store, "used_bytes") / 1e6);
	facts_format(cli, "Events", "%" PRId64, row_int(store, "events"));
	if (cli->output == OUTPUT_WIDE)
		facts_line(cli, "Epoch", row_text(store, "epoch"));
}

static void show(const struct cli *cli, const json_t *status, const json_t *progress)
{
	size_t i;
	json_t *connector;
	show_sensor(cli, row_get(status, "sensor"));
	show_attention(
		cli, row_get(status, "attention"), knows_nothing(row_get(status, "connectors")));
	json_array_foreach(row_get(status, "connectors"), i, connector)
	{
		show_connector(cli, connector, progress);
	}
	show_counts(cli, row_get(status, "counts"));
	show_coverage(cli, row_get(status, "coverage"));
	show_alerts(cli, row_get(status, "alerts"));
	show_store(cli, row_get(status, "store"));
}

/* --- CSV -------------------------------------------------------------------------------------- */

static void add_csv_rows(json_t *rows, const char *section, size_t item, const json_t *object)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)object, key, value)
	{
		json_t *row = json_object();
		json_object_set_new(row, "section", json_string(section));
		json_object_set_new(row, "item", json_integer((json_int_t)item));
		json_object_set_new(row, "name", json_string(key));
		json_object_set(row, "value", value);
		json_array_append_new(rows, row);
	}
}

/* One row a value: the status is no list. */
static void show_csv(const json_t *status)
{
	const char *section;
	json_t *value, *object, *rows = json_array();
	size_t i;
	json_object_foreach((json_t *)status, section, value)
	{
		if (json_is_object(value))
			add_csv_rows(rows, section, 1, value);
		json_array_foreach(value, i, object)
		{
			add_csv_rows(rows, section, i + 1, object);
		}
	}
	output_csv_rows(rows);
	json_decref(rows);
}

/* --- the command ------------------------------------------------------------------------------ */

static bool is_running(const json_t *status)
{
	size_t i;
	json_t *connector;
	json_array_foreach(row_get(status, "connectors"), i, connector)
	{
		if (row_bool(connector, "running"))
			return true;
	}
	return false;
}

static int read_status(const struct cli *cli, json_t **ret_document, struct err *err)
{
	json_t *document = NULL;
	if (cli->offline_dir != NULL)
		return status_offline(cli, ret_document, err);
	if (source_get(cli, LOCAL_API_STATUS, NULL, STATUS_TIMEOUT_S, &document, err) != 0)
		return -1;
	if (!json_is_object(row_get(document, "status"))) {
		json_decref(document);
		return err_set(err, ERR_PROTOCOL, "answer of the daemon: there is no status in it");
	}
	*ret_document = document;
	return 0;
}

int command_status(struct cli *cli, const struct args *args)
{
	struct err err = ERR_INIT;
	json_t *document = NULL, *progress = NULL;
	(void)args;
	if (read_status(cli, &document, &err) != 0)
		return cli_fail(&err);
	const json_t *status = row_get(document, "status");
	if (cli->output == OUTPUT_JSON) {
		output_json(document);
	} else if (cli->output == OUTPUT_CSV) {
		show_csv(status);
	} else {
		/* How far it is, is nice to know but no reason to fail. */
		if (is_running(status))
			(void)source_get(
				cli, LOCAL_API_PROGRESS, NULL, STATUS_TIMEOUT_S, &progress, &err);
		show(cli, status, row_get(progress, "progress"));
	}
	json_decref(progress);
	json_decref(document);
	return EXIT_DONE;
}
