/* Orders of delivery, and following a job (see job.h). */
#include "cli/job.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/dates.h"
#include "cli/interrupt.h"
#include "cli/job_show.h"
#include "cli/output.h"
#include "cli/row.h"
#include "sensor/local_api.h"

enum {
	FOLLOW_WAIT_S = 30,
	RECONNECT_MS = 500,
	AWAY_MAX_MS = 600000, /* a host that boots is back by then, and a script is not to hang */
	JOB_ID_MAX = 200,     /* more than any has */
	REST_MS =
		300, /* after an answer without news: a daemon that does not wait is not flooded */
};

static int ask(const struct cli *cli, const struct params *params, long timeout_s,
	json_t **ret_document, json_t **ret_job, struct err *err)
{
	json_t *document = NULL;
	if (source_get(cli, LOCAL_API_JOBS, params, timeout_s, &document, err) != 0)
		return -1;
	json_t *job = json_array_get(row_get(document, "jobs"), 0);
	if (!json_is_object(job) || !row_has(job, "state")) {
		json_decref(document);
		return err_set(err, ERR_PROTOCOL, "answer of the daemon: there is no job in it");
	}
	*ret_document = document;
	*ret_job = job;
	return 0;
}

int job_get(const struct cli *cli, const char *id, json_t **ret_document, const json_t **ret_job,
	struct err *err)
{
	struct params params = {.count = 0};
	params_add(&params, "id", id);
	json_t *job = NULL;
	if (ask(cli, &params, JOB_TIMEOUT_S, ret_document, &job, err) != 0)
		return -1;
	*ret_job = job;
	return 0;
}

/* --- following -------------------------------------------------------------------------------- */

struct follow {
	const struct cli *cli;
	char id[JOB_ID_MAX + 1];
	json_t *undone; /* owned; the document of a delivery whose rollback is followed; or NULL */
	int64_t shown;	/* number of the last step */
	char day[DATES_TEXT_MAX];
	bool has_answered, is_away;
	int64_t away_until_ms;	    /* clock_mono_ms */
	char held_up[ERR_TEXT_MAX]; /* as it was last said */
};

static bool is_for_people(const struct cli *cli)
{
	return cli->output == OUTPUT_TABLE || cli->output == OUTPUT_WIDE;
}

static void show_new_steps(struct follow *follow, const json_t *job)
{
	size_t i;
	json_t *step;
	json_array_foreach(row_get(job, "steps"), i, step)
	{
		int64_t number = row_int(step, "number");
		if (number <= follow->shown)
			continue;
		follow->shown = number;
		if (is_for_people(follow->cli))
			job_show_step(follow->cli, step, follow->day);
		else
			cli_note("%s %s: %s", row_text(step, "at"), row_text(step, "phase"),
				row_text(step, "text"));
	}
}

/* It comes back at each try that fails: said once. */
static void say_held_up(struct follow *follow, const json_t *job)
{
	char text[ERR_TEXT_MAX];
	text_shorten(text, sizeof(text), row_text(job, "held_up"));
	if (text[0] == '\0' || strcmp(text, follow->held_up) == 0)
		return;
	(void)text_copy(follow->held_up, sizeof(follow->held_up), text);
	cli_note("the job does not go on: %s; it is tried again", text);
}

static void show_end_to_people(const struct cli *cli, const json_t *job)
{
	putchar('\n');
	job_show_state(cli, job);
}

/* Programs get one document: after an automatic rollback with both jobs. What was asked for is not
 * done then, however well it was undone. */
static int show_end(const struct follow *follow, json_t *document, json_t *job)
{
	const struct cli *cli = follow->cli;
	json_t *all = follow->undone != NULL ? follow->undone : document;
	if (follow->undone != NULL)
		json_array_append(json_object_get(all, "jobs"), job);
	if (is_for_people(cli))
		show_end_to_people(cli, job);
	else if (cli->output == OUTPUT_CSV)
		output_csv_rows(row_get(all, "jobs"));
	else
		output_json(all);
	return follow->undone != NULL ? EXIT_FAILED : job_exit_code(job);
}

/* The job has ended; whether another one is to be followed in its place. */
static bool goes_on_with_rollback(struct follow *follow, json_t *document, const json_t *job)
{
	const char *id = job_automatic_rollback(job);
	if (id[0] == '\0' || strlen(id) > JOB_ID_MAX || follow->undone != NULL)
		return false;
	if (is_for_people(follow->cli))
		show_end_to_people(follow->cli, job);
	cli_note("job %s has failed; rollback %s is followed", follow->id, id);
	(void)text_copy(follow->id, sizeof(follow->id), id);
	follow->undone = json_incref(document);
	follow->shown = 0;
	return true;
}

/* Whether the daemon may come back, so that it is worth waiting. An answer that broke off is what a
 * kill leaves; the next one is not answered, or whole. */
static bool is_passing(const struct follow *follow, const struct err *err)
{
	bool is_away = err->kind == ERR_UNREACHABLE || err->kind == ERR_TIMEOUT ||
		       err->kind == ERR_STOPPED;
	bool is_broken = err->kind == ERR_PROTOCOL && !follow->is_away;
	return follow->has_answered && (is_away || is_broken);
}

/* What is there, at once for the first time; then when something is new, or after a while. */
static int wait_for_step(
	const struct follow *follow, json_t **ret_document, json_t **ret_job, struct err *err)
{
	struct params params = {.count = 0};
	char after[24], wait[8];
	snprintf(after, sizeof(after), "%" PRId64, follow->shown);
	snprintf(wait, sizeof(wait), "%d", FOLLOW_WAIT_S);
	params_add(&params, "id", follow->id);
	params_add(&params, "after", after);
	params_add(&params, "wait_s", follow->has_answered && !follow->is_away ? wait : NULL);
	return ask(follow->cli, &params, JOB_TIMEOUT_S + FOLLOW_WAIT_S, ret_document, ret_job, err);
}

/* The daemon has not answered, and may come back. */
static int wait_for_daemon(struct follow *follow, struct err *err)
{
	if (!follow->is_away) {
		cli_note("the daemon went away; waiting for it, the job goes on with it");
		follow->away_until_ms = clock_mono_ms() + AWAY_MAX_MS;
	}
	follow->is_away = true;
	if (clock_mono_ms() < follow->away_until_ms)
		return 0;
	return err_set(err, ERR_UNREACHABLE,
		"the daemon has not come back for %d minutes; the job goes on when it does: "
		"%s jobs %s --follow",
		AWAY_MAX_MS / 60000, cli_program(follow->cli), follow->id);
}

/* One look. 1: the job has ended, *ret_code says how; 0: it goes on; -1 with err. */
static int look(struct follow *follow, int *ret_code, struct err *err)
{
	json_t *document = NULL;
	json_t *job = NULL;
	struct err get_err = ERR_INIT;
	if (wait_for_step(follow, &document, &job, &get_err) != 0) {
		if (interrupt_is(&get_err))
			return 0; /* the loop tells */
		if (!is_passing(follow, &get_err)) {
			*err = get_err;
			return -1;
		}
		return wait_for_daemon(follow, err);
	}
	if (follow->is_away)
		cli_note("the daemon is back");
	follow->has_answered = true;
	follow->is_away = false;
	show_new_steps(follow, job);
	say_held_up(follow, job);
	bool goes_on = job_is_running(job) || goes_on_with_rollback(follow, document, job);
	int rc = goes_on ? 0 : 1;
	if (!goes_on)
		*ret_code = show_end(follow, document, job);
	json_decref(document);
	/* Each line at once: somebody is watching, or a pipe is. */
	return fflush(stdout) == 0 ? rc : err_set_errno(err, ERR_SYSTEM, "standard output");
}

static int follow_to_end(struct follow *follow, int *ret_code, struct err *err)
{
	for (;;) {
		if (interrupt_came()) {
			char text[4096];
			snprintf(text, sizeof(text),
				"interrupted; the job goes on: %s jobs %s --follow",
				cli_program(follow->cli), follow->id);
			return interrupt_fail(text, err);
		}
		int64_t shown = follow->shown;
		int rc = look(follow, ret_code, err);
		if (rc != 0)
			return rc == 1 ? 0 : -1;
		if (follow->is_away || follow->shown == shown)
			poll(NULL, 0, follow->is_away ? RECONNECT_MS : REST_MS);
	}
}

int job_follow(const struct cli *cli, const char *id)
{
	struct err err = ERR_INIT;
	struct follow follow = {.cli = cli};
	int code = EXIT_FAILED;
	if (!text_copy(follow.id, sizeof(follow.id), id)) {
		err_set(&err, ERR_NOT_FOUND, "there is no job %s", id);
		return cli_fail(&err);
	}
	interrupt_catch();
	int rc = follow_to_end(&follow, &code, &err);
	interrupt_release();
	json_decref(follow.undone);
	return rc == 0 ? code : cli_fail(&err);
}

/* --- orders ----------------------------------------------------------------------------------- */

json_t *job_order_body(const char *name, const char *text)
{
	json_t *body = json_object();
	json_object_set_new(body, name, row_argument(text));
	return body;
}

int job_order(const struct cli *cli, const char *path, json_t *body_taken, bool is_waited_for)
{
	struct err err = ERR_INIT;
	json_t *document = NULL;
	int code = EXIT_DONE;
	int rc = source_post(cli, path, body_taken, &document, &err);
	json_decref(body_taken);
	if (rc != 0)
		return cli_fail(&err);
	const char *id = row_text(row_get(document, "job"), "id");
	if (id[0] == '\0') {
		err_set(&err, ERR_PROTOCOL, "answer of the daemon: there is no job in it");
		code = cli_fail(&err);
	} else if (is_waited_for) {
		cli_note("job %s; it goes on when this is interrupted", id);
		code = job_follow(cli, id);
	} else {
		output_object(cli, document, "job", job_show_state);
	}
	json_decref(document);
	return code;
}
