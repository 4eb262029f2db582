/* acmsensor alerts: what is open, worst first; alerts ack and alerts test. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/dates.h"
#include "cli/output.h"
#include "cli/row.h"
#include "cli/source.h"
#include "sensor/local_api.h"
#include "store/alerts.h"

enum { STATUS_TIMEOUT_S = 10 };

enum column {
	ID,
	CLASS,
	STATE,
	KIND,
	WHAT,
	ACCOUNT,
	REGION,
	ENDS,
	RAISED,
	BY,
	NOTE,
	SUBJECT,
	TEXT
};

static const struct table_column columns[] = {
	[ID] = {"ALERT", 0, TABLE_WHOLE, false, false, false},
	[CLASS] = {"CLASS", 0, 0, false, false, false},
	[STATE] = {"STATE", 1, 0, false, false, false},
	[KIND] = {"KIND", 3, 0, false, false, false},
	[WHAT] = {"WHAT", 0, 16, false, false, false},
	[ACCOUNT] = {"ACCOUNT", 2, 0, false, false, false},
	[REGION] = {"REGION", 2, 0, false, false, false},
	[ENDS] = {"ENDS", 1, 0, false, false, false},
	[RAISED] = {"RAISED", 4, 0, false, false, false},
	[BY] = {"ACKNOWLEDGED BY", 5, 0, false, true, false},
	[NOTE] = {"NOTE", 5, 12, false, true, false},
	[SUBJECT] = {"SUBJECT", 6, 0, false, true, false},
	[TEXT] = {"TEXT", 1, 20, false, false, true},
	{NULL, 0, 0, false, false, false},
};

static enum style class_style(const char *class)
{
	return strcmp(class, "emergency") == 0 || strcmp(class, "critical") == 0 ? STYLE_RED
	       : strcmp(class, "warning") == 0					 ? STYLE_YELLOW
										 : STYLE_PLAIN;
}

static void add_alert(struct table *table, const json_t *row, const struct cli *cli)
{
	char ends[DATES_TEXT_MAX], raised[DATES_TEXT_MAX];
	bool is_resolved = row_has(row, "resolved");
	const char *name = row_text(row, "domain_name");
	const char *cell[TABLE_COLUMNS_MAX] = {
		[ID] = row_text(row, "id"),
		[CLASS] = row_text(row, "class"),
		[STATE] = row_text(row, "state"),
		[KIND] = row_text(row, "kind"),
		[WHAT] = name[0] != '\0' ? name : row_text(row, "subject"),
		[ACCOUNT] = row_text(row, "account_id"),
		[REGION] = row_text(row, "region"),
		[ENDS] = dates_relative(row_time(row, "ends"), cli->now_s, ends),
		[RAISED] = dates_relative(row_time(row, "raised"), cli->now_s, raised),
		[BY] = row_text(row, "acknowledged_by"),
		[NOTE] = row_text(row, "note"),
		[SUBJECT] = row_text(row, "subject"),
		[TEXT] = row_text(row, is_resolved ? "resolution" : "text"),
	};
	enum style style = strcmp(cell[STATE], "open") == 0 ? class_style(cell[CLASS]) : STYLE_DIM;
	table_add(table, cell, CLASS, style);
}

/* --- the list, which the store keeps in no order ---------------------------------------------- */

struct rows {
	json_t **row; /* owned, each with a reference */
	size_t count, capacity;
};

static int collect(void *arg, const json_t *row, struct err *err)
{
	struct rows *rows = arg;
	(void)err;
	rows->row = xgrow(rows->row, &rows->capacity, rows->count, sizeof(*rows->row));
	rows->row[rows->count++] = json_incref((json_t *)row);
	return 0;
}

static int class_rank(const json_t *row)
{
	enum alert_class class;
	return alert_class_parse(row_text(row, "class"), &class) ? (int)class : 0;
}

/* Open before acknowledged before resolved; the worst first, then what ends first. */
static int state_rank(const json_t *row)
{
	const char *state = row_text(row, "state");
	return strcmp(state, "open") == 0 ? 0 : strcmp(state, "acknowledged") == 0 ? 1 : 2;
}

static int compare(const void *a, const void *b)
{
	const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
	int64_t left_end = row_time(left, "ends"), right_end = row_time(right, "ends");
	if (state_rank(left) != state_rank(right))
		return state_rank(left) - state_rank(right);
	if (class_rank(left) != class_rank(right))
		return class_rank(right) - class_rank(left);
	if (left_end != right_end)
		return left_end == 0 || (right_end != 0 && right_end < left_end) ? 1 : -1;
	return strcmp(row_text(left, "id"), row_text(right, "id"));
}

/* No row may mean that nobody has looked yet. */
static void say_none(const struct cli *cli)
{
	struct err ignored = ERR_INIT;
	json_t *document = NULL;
	const json_t *alerts = NULL;
	if (cli->offline_dir == NULL &&
		source_get(cli, LOCAL_API_STATUS, NULL, STATUS_TIMEOUT_S, &document, &ignored) == 0)
		alerts = row_get(row_get(document, "status"), "alerts");
	if (alerts != NULL && row_has(alerts, "error"))
		cli_note("there is no alert, but the last look failed: %s",
			row_text(alerts, "error"));
	else if (alerts != NULL && json_is_false(row_get(alerts, "looked")))
		cli_note("there is no alert yet: the daemon looks when its first cycle has ended");
	else
		cli_note("there is no alert");
	json_decref(document);
}

static void print(const struct cli *cli, struct rows *rows)
{
	struct table *table = table_new(columns, &cli->terminal, cli->output == OUTPUT_WIDE);
	if (rows->count > 0)
		qsort(rows->row, rows->count, sizeof(*rows->row), compare);
	for (size_t i = 0; i < rows->count; i++)
		add_alert(table, rows->row[i], cli);
	if (rows->count > 0)
		table_print(table, stdout);
	else
		say_none(cli);
	table_free(table);
}

static int list(struct cli *cli, const struct args *args)
{
	static const struct view view = {LIST_ALERTS, columns, add_alert};
	struct err err = ERR_INIT;
	struct params params = {.count = 0};
	struct rows rows = {.row = NULL};
	size_t count = 0;
	params_add(&params, "all", args_has(args, "all") ? "yes" : NULL);
	params_add(&params, "class", args_get(args, "class"));
	params_add(&params, "kind", args_get(args, "kind"));
	int rc;
	if (cli->output == OUTPUT_JSON || cli->output == OUTPUT_CSV) {
		rc = output_list(cli, &view, &params, &count, &err);
	} else {
		rc = source_rows(cli, LIST_ALERTS, &params, collect, &rows, &err);
		if (rc == 0)
			print(cli, &rows);
	}
	for (size_t i = 0; i < rows.count; i++)
		json_decref(rows.row[i]);
	free(rows.row);
	return rc == 0 ? EXIT_DONE : cli_fail(&err);
}

/* --- orders ----------------------------------------------------------------------------------- */

/* One line; what receivers said is in it. */
static void __attribute__((format(printf, 1, 2))) print_escaped(const char *format, ...)
{
	char text[ERR_TEXT_MAX];
	struct buf line;
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_init(&line, 8 * sizeof(text));
	text_escape_line(&line, text, strlen(text), sizeof(text));
	puts(buf_text(&line));
	buf_clear(&line);
}

static void print_ack(const struct cli *cli, const json_t *value)
{
	(void)cli;
	print_escaped("acknowledged %s", row_text(value, "id"));
}

static void print_test(const struct cli *cli, const json_t *value)
{
	(void)cli;
	print_escaped("sent on %s: %s", row_text(value, "channel"), row_text(value, "said"));
}

static int order(struct cli *cli, const char *path, json_t *body, const char *name,
	output_print_fn *print_it)
{
	struct err err = ERR_INIT;
	json_t *document = NULL;
	int rc = source_post(cli, path, body, &document, &err);
	if (rc == 0)
		output_object(cli, document, name, print_it);
	json_decref(document);
	json_decref(body);
	return rc == 0 ? EXIT_DONE : cli_fail(&err);
}

static int refuse(const char *what)
{
	struct err err = ERR_INIT;
	(void)err_set(&err, ERR_CONFIG, "%s", what);
	return cli_fail(&err);
}

int command_alerts(struct cli *cli, const struct args *args)
{
	const char *note = args_get(args, "note");
	bool has_filter = args_has(args, "all") || args_get(args, "class") != NULL ||
			  args_get(args, "kind") != NULL;
	const char *verb = args->positional_count > 0 ? args->positional[0] : "";
	const char *which = args->positional_count > 1 ? args->positional[1] : "";
	bool is_ack = strcmp(verb, "ack") == 0;
	if (note != NULL && !is_ack)
		return refuse("--note goes with alerts ack");
	if (args->positional_count == 0)
		return list(cli, args);
	if (!is_ack && strcmp(verb, "test") != 0)
		return refuse("alerts: expected nothing, ack ALERT or test CHANNEL");
	if (which[0] == '\0')
		return refuse(is_ack ? "alerts ack: expected an alert's id or a certificate's ARN"
				     : "alerts test: expected a channel's name");
	if (note != NULL && strlen(note) > ALERT_NOTE_MAX) {
		struct err err = ERR_INIT;
		(void)err_set(&err, ERR_CONFIG, "--note: longer than %d bytes", ALERT_NOTE_MAX);
		return cli_fail(&err);
	}
	if (has_filter)
		return refuse("--all, --class and --kind go with the list");
	if (!is_ack)
		return order(cli, LOCAL_API_ALERTS_TEST, json_pack("{s:s}", "channel", which),
			"test", print_test);
	json_t *body = note != NULL ? json_pack("{s:s,s:s}", "alert", which, "note", note)
				    : json_pack("{s:s}", "alert", which);
	return order(cli, LOCAL_API_ALERTS_ACK, body, "acknowledged", print_ack);
}
