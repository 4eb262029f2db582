/* acmsensor events: what happened; with --follow what happens, by long polling. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/csv.h"
#include "cli/dates.h"
#include "cli/events.h"
#include "cli/output.h"
#include "cli/row.h"
#include "sensor/local_api.h"

enum {
	FOLLOW_WAIT_S = 30,
	RECONNECT_MS = 500,
	HASH_MAX = 65,
	LINE_MAX_BYTES = 64 << 10,
};

enum column { AT, KIND, SUBJECT, ACCOUNT, REGION, CONNECTOR_NAME, SEQUENCE, ARN, DETAIL };

static const struct table_column columns[] = {
	[AT] = {"TIME", 0, 0, false, false, false},
	[KIND] = {"EVENT", 0, 0, false, false, false},
	[SUBJECT] = {"WHAT", 0, 16, false, false, false},
	[ACCOUNT] = {"ACCOUNT", 2, 0, false, false, false},
	[REGION] = {"REGION", 2, 0, false, false, false},
	[CONNECTOR_NAME] = {"CONNECTOR", 3, 0, false, true, false},
	[SEQUENCE] = {"SEQUENCE", 4, 0, true, true, false},
	[ARN] = {"ARN", 5, 0, false, true, false},
	[DETAIL] = {"DETAIL", 1, 20, false, false, true},
	{NULL, 0, 0, false, false, false},
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

/* --- following -------------------------------------------------------------------------------- */

/*
 * An event's hash covers all before it, so the last one shown says which log we are in: before each
 * wait it is asked for again. A store that was restored or replaced in the meantime (which also
 * numbers anew, under another epoch) no longer has it.
 */
struct follow {
	const struct cli *cli;
	const char *since; /* while sequence is 0 */
	int64_t sequence;  /* of the last one shown in this log; 0: none yet */
	int64_t at_s;	   /* of the last one shown */
	char hash[HASH_MAX];
	char since_text[TEXT_TIME_MAX];
	bool is_held; /* set by take_last: the log still has it */
	bool is_away; /* the daemon */
	uint64_t shown;
};

static void print_line(const struct follow *follow, const json_t *row)
{
	struct buf line;
	char at[DATES_TEXT_MAX];
	static const char *const key[] = {"kind", "subject", "account_id", "region", "detail"};
	if (follow->cli->output == OUTPUT_JSON) {
		output_json_line(row);
		return;
	}
	buf_init(&line, LINE_MAX_BYTES);
	if (follow->cli->output == OUTPUT_CSV) {
		if (follow->shown == 0)
			csv_header(&line, row);
		csv_row(&line, row);
	} else {
		buf_add_text(&line, dates_time(row_time(row, "at"), at));
		for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++) {
			const char *text = row_text(row, key[i]);
			if (text[0] == '\0')
				continue;
			buf_add_text(&line, "  ");
			text_escape_line(&line, text, strlen(text), LINE_MAX_BYTES / 32);
		}
		buf_add_char(&line, '\n');
	}
	fwrite(buf_text(&line), 1, line.len, stdout);
	buf_clear(&line);
}

static int take_event(void *arg, const json_t *row, struct err *err)
{
	struct follow *follow = arg;
	/* The last one comes again when another store has it too. */
	if (strcmp(row_text(row, "hash"), follow->hash) == 0)
		return 0;
	print_line(follow, row);
	follow->sequence = row_int(row, "sequence");
	follow->at_s = row_time(row, "at");
	text_copy(follow->hash, sizeof(follow->hash), row_text(row, "hash"));
	follow->shown++;
	/* Each line at once: somebody is watching, or a pipe is. */
	return fflush(stdout) == 0 ? 0 : err_set_errno(err, ERR_SYSTEM, "standard output");
}

/* Retention may have cut it off: then a later one is the first, in the same log. */
static int take_last(void *arg, const json_t *row, struct err *err)
{
	struct follow *follow = arg;
	(void)err;
	follow->is_held = row_int(row, "sequence") > follow->sequence ||
			  strcmp(row_text(row, "hash"), follow->hash) == 0;
	return 0;
}

static int check_log(struct follow *follow, struct err *err)
{
	struct params params = {.count = 0};
	char from[24];
	follow->is_held = false;
	snprintf(from, sizeof(from), "%" PRId64, follow->sequence);
	params_add(&params, "from", from);
	params_add(&params, "limit", "1");
	if (source_rows(follow->cli, LIST_EVENTS, &params, take_last, follow, err) != 0)
		return -1;
	if (follow->is_away)
		cli_note("the daemon is back");
	follow->is_away = false;
	if (follow->sequence != 0 && !follow->is_held) {
		cli_note("the daemon has another store now; what is new in it follows");
		follow->since = text_format_time(follow->at_s, follow->since_text);
		follow->sequence = 0;
	}
	return 0;
}

static int wait_for_events(struct follow *follow, struct err *err)
{
	struct params params = {.count = 0};
	char from[24], wait[8];
	snprintf(from, sizeof(from), "%" PRId64, follow->sequence + 1);
	snprintf(wait, sizeof(wait), "%d", FOLLOW_WAIT_S);
	params_add(&params, "from", follow->sequence != 0 ? from : NULL);
	params_add(&params, "since", follow->sequence == 0 ? follow->since : NULL);
	params_add(&params, "wait_s", wait);
	return source_rows(follow->cli, LIST_EVENTS, &params, take_event, follow, err);
}

/* Until interrupted. A daemon that goes away is waited for: nothing is lost, because the last event
 * shown says where to go on, and a list that breaks off has shown what it showed. */
static int follow_events(const struct cli *cli, const char *since)
{
	struct follow follow = {.cli = cli, .since = since};
	bool has_answered = false;
	for (;;) {
		struct err err = ERR_INIT;
		int rc = check_log(&follow, &err);
		has_answered = has_answered || rc == 0;
		if (rc == 0 && wait_for_events(&follow, &err) == 0)
			continue;
		bool is_passing = err.kind == ERR_UNREACHABLE || err.kind == ERR_PROTOCOL ||
				  err.kind == ERR_TIMEOUT || err.kind == ERR_STOPPED;
		if (!is_passing || !has_answered || ferror(stdout))
			return cli_fail(&err);
		if (!follow.is_away)
			cli_note("the daemon went away; waiting for it");
		follow.is_away = true;
		poll(NULL, 0, RECONNECT_MS);
	}
}

/* --- the last ones ---------------------------------------------------------------------------- */

struct last {
	json_t *row[EVENTS_LAST_MAX]; /* owned; a ring of count places, next is the oldest */
	size_t count, next;
};

static int keep_row(void *arg, const json_t *row, struct err *err)
{
	struct last *last = arg;
	(void)err;
	json_decref(last->row[last->next]);
	last->row[last->next] = json_deep_copy(row);
	last->next = (last->next + 1) % last->count;
	return 0;
}

int events_print_last(const struct cli *cli, const char *since, size_t count, struct err *err)
{
	struct params params = {.count = 0};
	const struct follow follow = {.cli = cli};
	struct last *last = xcalloc(1, sizeof(*last));
	last->count = count;
	params_add(&params, "since", since);
	int rc = source_rows(cli, LIST_EVENTS, &params, keep_row, last, err);
	for (size_t i = 0; i < count; i++) {
		json_t *row = last->row[(last->next + i) % count];
		if (rc == 0 && row != NULL)
			print_line(&follow, row);
		json_decref(row);
	}
	free(last);
	return rc;
}

int command_events(struct cli *cli, const struct args *args)
{
	static const struct view view = {LIST_EVENTS, columns, add_event};
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
