/* acmsensor events: what happened; with --follow what happens, by long polling. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/csv.h"
#include "cli/dates.h"
#include "cli/output.h"
#include "cli/row.h"
#include "sensor/local_api.h"

enum {
	FOLLOW_WAIT_S = 30,
	RECONNECT_MS = 1000,
	STATUS_TIMEOUT_S = 10,
	LINE_MAX_BYTES = 64 << 10,
};

enum column { AT, KIND, SUBJECT, ACCOUNT, REGION, DETAIL, CONNECTOR_NAME, SEQUENCE, ARN };

static const struct table_column columns[] = {
	[AT] = {"TIME", 0, 0, false, false},
	[KIND] = {"EVENT", 0, 0, false, false},
	[SUBJECT] = {"WHAT", 0, 12, false, false},
	[ACCOUNT] = {"ACCOUNT", 2, 0, false, false},
	[REGION] = {"REGION", 2, 0, false, false},
	[DETAIL] = {"DETAIL", 1, 20, false, false},
	[CONNECTOR_NAME] = {"CONNECTOR", 3, 0, false, true},
	[SEQUENCE] = {"SEQUENCE", 4, 0, true, true},
	[ARN] = {"ARN", 5, 0, false, true},
	{NULL, 0, 0, false, false},
};

static void add_event(struct table *table, const json_t *row, const struct cli *cli)
{
	char at[DATES_TEXT_MAX], sequence[24];
	(void)cli;
	const char *cell[TABLE_COLUMNS_MAX] = {
		[AT] = dates_time(row_time(row, "at"), at),
		[KIND] = row_text(row, "kind"),
		[SUBJECT] = row_text(row, "subject"),
		[ACCOUNT] = row_text(row, "account_id"),
		[REGION] = row_text(row, "region"),
		[DETAIL] = row_text(row, "detail"),
		[CONNECTOR_NAME] = row_text(row, "connector"),
		[SEQUENCE] = sequence,
		[ARN] = row_text(row, "arn"),
	};
	snprintf(sequence, sizeof(sequence), "%" PRId64, row_int(row, "sequence"));
	table_add(table, cell, -1, STYLE_PLAIN);
}

/* --- following ---------------------------------------------------------------------------------- */

struct follow {
	const struct cli *cli;
	int64_t next; /* the sequence that comes next */
	uint64_t shown;
	char epoch[24]; /* of the store that next belongs to; "" while unknown */
};

static void print_line(const struct follow *follow, const json_t *row)
{
	struct buf line;
	char at[DATES_TEXT_MAX];
	static const char *const key[] = {"kind", "subject", "account_id", "region", "detail"};
	buf_init(&line, LINE_MAX_BYTES);
	if (follow->cli->output == OUTPUT_JSON) {
		json_dumpf(row, stdout, JSON_COMPACT);
	} else if (follow->cli->output == OUTPUT_CSV) {
		if (follow->shown == 0)
			csv_header(&line, row);
		csv_row(&line, row);
		line.len -= strlen("\r\n");
	} else {
		buf_add_text(&line, dates_time(row_time(row, "at"), at));
		for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++) {
			const char *text = row_text(row, key[i]);
			if (text[0] == '\0')
				continue;
			buf_add_text(&line, "  ");
			text_escape(&line, text, strlen(text), LINE_MAX_BYTES / 8);
		}
	}
	fwrite(buf_text(&line), 1, line.len, stdout);
	putchar('\n');
	buf_clear(&line);
}

static int take_event(void *arg, const json_t *row, struct err *err)
{
	struct follow *follow = arg;
	print_line(follow, row);
	follow->next = row_int(row, "sequence") + 1;
	follow->shown++;
	/* Each line at once: somebody is watching, or a pipe is. */
	return fflush(stdout) == 0 ? 0 : err_set_errno(err, ERR_SYSTEM, "standard output");
}

/* A store with another epoch counts its events anew. */
static int check_epoch(struct follow *follow, struct err *err)
{
	json_t *document = NULL;
	if (source_get(follow->cli, LOCAL_API_STATUS, NULL, STATUS_TIMEOUT_S, &document, err) != 0)
		return -1;
	const char *epoch = row_text(row_get(row_get(document, "status"), "store"), "epoch");
	if (follow->epoch[0] != '\0' && strcmp(follow->epoch, epoch) != 0) {
		cli_note("the daemon has another store now; its events follow from the first");
		follow->next = 1;
	}
	text_copy(follow->epoch, sizeof(follow->epoch), epoch);
	json_decref(document);
	return 0;
}

static int follow_once(struct follow *follow, const char *since, struct err *err)
{
	struct params params = {.count = 0};
	char from[24], wait[8];
	snprintf(from, sizeof(from), "%" PRId64, follow->next);
	snprintf(wait, sizeof(wait), "%d", FOLLOW_WAIT_S);
	params_add(&params, "from", from);
	params_add(&params, "wait_s", wait);
	params_add(&params, "since", follow->next == 0 ? since : NULL);
	return source_rows(follow->cli, LIST_EVENTS, &params, take_event, follow, err);
}

/* Until interrupted. A daemon that goes away is waited for: nothing is lost, because the sequence
 * says where to go on. */
static int follow_events(const struct cli *cli, const char *since)
{
	struct follow follow = {.cli = cli};
	bool is_away = false;
	struct err err = ERR_INIT;
	if (check_epoch(&follow, &err) != 0)
		return cli_fail(&err);
	for (;;) {
		int rc = is_away ? check_epoch(&follow, &err) : 0;
		if (rc == 0)
			rc = follow_once(&follow, since, &err);
		if (rc == 0) {
			if (is_away)
				cli_note("the daemon is back");
			is_away = false;
			continue;
		}
		bool is_passing = err.kind == ERR_UNREACHABLE || err.kind == ERR_PROTOCOL ||
				  err.kind == ERR_TIMEOUT || err.kind == ERR_STOPPED;
		if (!is_passing || ferror(stdout))
			return cli_fail(&err);
		if (!is_away)
			cli_note("the daemon went away; waiting for it");
		is_away = true;
		poll(NULL, 0, RECONNECT_MS);
	}
}

int command_events(struct cli *cli, const struct args *args)
{
	static const struct view view = {LIST_EVENTS, columns, add_event, NULL};
	struct params params = {.count = 0};
	struct err err = ERR_INIT;
	size_t rows = 0;
	const char *since = args_get(args, "since");
	if (args_has(args, "follow")) {
		if (cli->offline_dir != NULL || args_has(args, "limit")) {
			cli_note("--follow goes with neither --offline nor --limit");
			return EXIT_USAGE;
		}
		/* A fixed moment, so that nothing slips between two polls. */
		char now[TEXT_TIME_MAX];
		return follow_events(
			cli, since != NULL ? since : text_format_time(cli->now_s, now));
	}
	params_add(&params, "since", since != NULL ? since : "1d");
	params_add(&params, "limit", args_get(args, "limit"));
	if (output_list(cli, &view, &params, &rows, &err) != 0)
		return cli_fail(&err);
	if (rows == 0)
		cli_note("nothing happened since then; --since 30d looks further back");
	return EXIT_DONE;
}
