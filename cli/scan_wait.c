/* Waiting for cycles (see scan_wait.h). */
#include "cli/scan_wait.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/row.h"
#include "cli/source.h"
#include "sensor/local_api.h"

enum {
	LOOK_BAR_MS = 150,
	LOOK_PLAIN_MS = 500,
	SAY_MS = 5000, /* between two plain lines */
	PROGRESS_TIMEOUT_S = 30,
	LINE_MAX_BYTES = 4096,
};

struct wait {
	const struct cli *cli;
	struct terminal terminal; /* of stderr */
	int64_t said_mono_ms;	  /* 0: nothing yet */
	struct buf line;
};

static const json_t *find_cycle(const json_t *progress, const char *cycle_id)
{
	size_t i;
	json_t *one;
	json_array_foreach(progress, i, one)
	{
		if (strcmp(row_text(one, "cycle_id"), cycle_id) == 0)
			return one;
	}
	return NULL;
}

/* Ours of all cycles that the daemon tells of. */
static int choose(const struct cli *cli, const json_t *progress, const json_t *cycle_ids,
	json_t *chosen, struct err *err)
{
	size_t i;
	json_t *id;
	json_array_foreach(cycle_ids, i, id)
	{
		const char *text = json_is_string(id) ? json_string_value(id) : "";
		const json_t *one = find_cycle(progress, text);
		if (one == NULL)
			return err_set(err, ERR_NOT_FOUND,
				"the daemon no longer knows the cycle %s; it was probably "
				"restarted and goes on by itself: %s status",
				text, cli_program(cli));
		json_array_append(chosen, (json_t *)one);
	}
	return 0;
}

static bool is_done(const json_t *chosen)
{
	size_t i;
	json_t *one;
	json_array_foreach(chosen, i, one)
	{
		if (!row_has(one, "result"))
			return false;
	}
	return true;
}

static void say(struct wait *wait, const json_t *chosen)
{
	struct progress_view view;
	size_t i;
	json_t *one;
	bool has_bar = wait->terminal.is_tty;
	int64_t now_ms = clock_mono_ms();
	if (!has_bar && wait->said_mono_ms != 0 && now_ms - wait->said_mono_ms < SAY_MS)
		return;
	wait->said_mono_ms = now_ms;
	progress_view_init(&view);
	json_array_foreach(chosen, i, one)
	{
		progress_view_add(&view, one);
	}
	buf_reset(&wait->line);
	/* The last column stays free: some terminals wrap when it is written. */
	progress_line(&wait->line, &view, has_bar ? wait->terminal.columns - 1 : 0, has_bar,
		wait->terminal.is_utf8);
	if (has_bar)
		fprintf(stderr, "\r%s\033[K", buf_text(&wait->line));
	else
		cli_note("%s", buf_text(&wait->line));
}

/* Takes the bar away again. */
static void unsay(const struct wait *wait)
{
	if (wait->terminal.is_tty && wait->said_mono_ms != 0)
		fprintf(stderr, "\r\033[K");
}

/* One look. ret_chosen: owned by the caller. */
static int look(struct wait *wait, const json_t *cycle_ids, json_t **ret_chosen, struct err *err)
{
	json_t *document = NULL, *chosen = json_array();
	int rc =
		source_get(wait->cli, LOCAL_API_PROGRESS, NULL, PROGRESS_TIMEOUT_S, &document, err);
	if (rc == 0)
		rc = choose(wait->cli, row_get(document, "progress"), cycle_ids, chosen, err);
	json_decref(document);
	if (rc == 0)
		*ret_chosen = chosen;
	else
		json_decref(chosen);
	return rc;
}

static int fail_interrupted(const struct cli *cli, struct err *err)
{
	char text[4096];
	snprintf(text, sizeof(text), "interrupted; the cycle goes on: %s scan --wait joins it",
		cli_program(cli));
	return interrupt_fail(text, err);
}

static int wait_for(
	struct wait *wait, const json_t *cycle_ids, json_t **ret_progress, struct err *err)
{
	int look_ms = wait->terminal.is_tty ? LOOK_BAR_MS : LOOK_PLAIN_MS;
	for (;;) {
		json_t *chosen = NULL;
		if (interrupt_came())
			return fail_interrupted(wait->cli, err);
		if (look(wait, cycle_ids, &chosen, err) != 0)
			return interrupt_is(err) ? fail_interrupted(wait->cli, err) : -1;
		if (is_done(chosen)) {
			*ret_progress = chosen;
			return 0;
		}
		say(wait, chosen);
		json_decref(chosen);
		poll(NULL, 0, look_ms);
	}
}

int scan_wait(
	const struct cli *cli, const json_t *cycle_ids, json_t **ret_progress, struct err *err)
{
	struct wait wait = {.cli = cli, .terminal = terminal_detect(STDERR_FILENO)};
	buf_init(&wait.line, LINE_MAX_BYTES);
	interrupt_catch();
	int rc = wait_for(&wait, cycle_ids, ret_progress, err);
	interrupt_release();
	unsay(&wait);
	buf_clear(&wait.line);
	return rc;
}
