/*
 * A job from the phase that the store has to its end. Each turn:
 *
 *   begin: the phase's step -> its answer(s) -> job_next decides -> WAIT_COMMIT -> begin again
 *                                                                       |
 *            WAIT_TURN: the next attempt <------------------------------+-> WAIT_DROP -> done
 *
 * The steps wait so:
 *
 *   CHECK, DRAIN, CONFIRM   WAIT_REMOTE
 *   FIND                    WAIT_REMOTE, or WAIT_FOUND while there is no ARN
 *   KEEP                    nothing: what CHECK read is written
 *   IMPORT                  [WAIT_REMOTE or WAIT_FOUND, when it had to wait since the last look]
 *                           -> WAIT_KEY
 *                           -> WAIT_SENT (may_have_imported is in the store) -> WAIT_CALL
 *   TAG                     WAIT_CALL: list, add what is missing (ours first), list again
 *   VERIFY                  WAIT_PROBES
 *   DELETE_CALL             WAIT_CALL
 *
 * Away (job_run_start_away) there is one turn without a step, and the run ends.
 *
 * A store that fails ends the run, not the job. Whatever a run did not write, the next one does
 * again or looks for (job_next_resumed).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/job_internal.h"

enum { DROPS_MAX = 3 };

static const char *const wait_name[] = {"TURN", "REMOTE", "FOUND", "KEY", "SENT", "CALL", "PROBES",
	"COMMIT", "DROP", "NOTE", "NOTHING"};

static void on_turn(void *arg);

/* --- life ------------------------------------------------------------------------------------- */

static void destroy(struct job_run *run)
{
	loop_timer_cancel(run->timer);
	remote_read_cancel(run->read);
	remote_find_cancel(run->find);
	escrow_call_cancel(run->escrow);
	aws_call_cancel(run->call);
	job_probe_cancel(run->probe);
	store_write_cancel(run->write);
	for (size_t i = 0; i < run->hosts; i++)
		free(run->host[i].text);
	job_turn_clear(&run->turn);
	remote_state_clear(&run->remote);
	secret_clear(&run->key);
	job_goods_clear(&run->goods);
	job_copy_clear(&run->job);
	target_copy_clear(&run->where);
	free(run);
}

void job_finish(struct job_run *run, const struct err *err)
{
	log_debug("job %s ends its run: %s", run->id, err != NULL ? err->text : "done");
	run->wait = JOB_WAIT_NOTHING;
	run->done(run->arg, err);
	destroy(run);
}

static void wait_turn(struct job_run *run, int64_t wait_s)
{
	run->wait = JOB_WAIT_TURN;
	run->timer = loop_timer_start(run->delivery->loop, 1000 * wait_s, on_turn, run);
}

/* --- the end of the key ----------------------------------------------------------------------- */

struct escrow_place job_place(const struct job_run *run)
{
	return (struct escrow_place){.kind = run->goods.escrow,
		.key_id = run->goods.key_id,
		.plan_id = run->job.record.plan_id,
		.target = &run->where.target};
}

/* Whether it waits in Secrets Manager, and this job is to take it away. */
static bool is_key_in_cloud(const struct job_run *run)
{
	return run->job.record.kind == JOB_DELIVER && run->goods.key_id != NULL &&
	       run->goods.escrow == ESCROW_SECRETS_MANAGER;
}

static void on_noted(void *arg, const struct err *err)
{
	struct job_run *run = arg;
	run->write = NULL;
	job_finish(run, err);
}

/* A line, and the reason of the record, which says how the job ended. */
static void write_note(struct store_txn *txn, void *arg)
{
	const struct job_run *run = arg;
	struct job_record record = run->job.record;
	char reason[2 * JOB_REASON_MAX];
	struct job_record stored;
	if (!store_job_get(txn, run->id, &stored))
		return; /* forgotten meanwhile */
	snprintf(reason, sizeof(reason), "%s; %s", stored.reason, run->missing_text);
	record.reason = reason;
	record.is_cancel_asked = stored.is_cancel_asked;
	store_job_put(txn, &record);
	job_note(txn, &record, record.ended_s, true, true, run->missing_text);
}

/* Into missing_text, which no phase needs any more. */
static void tell_left_over(struct job_run *run, const char *why, bool is_tried_again)
{
	snprintf(run->missing_text, sizeof(run->missing_text),
		"the private key could not be deleted from AWS Secrets Manager (secret %.200s): "
		"%.400s%s",
		run->goods.key_id, why,
		is_tried_again ? "; the sensor goes on trying, and acmsensor status tells while "
				 "it is there"
			       : "");
	run->delivery->stats.keys_left++;
}

static void note_left_over(struct job_run *run)
{
	run->wait = JOB_WAIT_NOTE;
	run->write = store_write_start(run->delivery->store, write_note, run, on_noted, run);
}

static void write_decision(struct job_run *run, const struct job_decision *decision);

/* A success tells in its reason what became of the key. */
static void succeed(struct job_run *run, bool is_left_over)
{
	struct job_decision decision = run->success;
	run->has_success = false;
	if (is_left_over) {
		char reason[JOB_REASON_MAX + sizeof(run->missing_text) + 16];
		snprintf(reason, sizeof(reason), "%s; warning: %s", decision.reason,
			run->missing_text);
		text_shorten(decision.reason, sizeof(decision.reason), reason);
	}
	run->is_key_settled = true;
	write_decision(run, &decision);
}

static void on_dropped(void *arg, struct secret *key, const struct err *err)
{
	struct job_run *run = arg;
	(void)key; /* a delete brings none */
	run->escrow = NULL;
	if (err != NULL && ++run->drops < DROPS_MAX) {
		wait_turn(run, 1 << run->drops);
		return;
	}
	if (err != NULL)
		tell_left_over(run, err->text, true);
	if (run->has_success)
		succeed(run, err != NULL);
	else if (err != NULL)
		note_left_over(run);
	else
		job_finish(run, NULL);
}

/* The vault's keys are the end's own write; the others leave their escrow now. */
static void drop_key(struct job_run *run)
{
	bool is_elsewhere = is_key_in_cloud(run) ||
			    (run->job.record.kind == JOB_DELIVER && run->goods.key_id != NULL &&
				    run->goods.escrow == ESCROW_MEMORY);
	if (!is_elsewhere || run->is_key_settled) {
		job_finish(run, NULL);
		return;
	}
	if (is_key_in_cloud(run) && run->where.target.hub == NULL) {
		tell_left_over(run, "there is no connector to delete it with", false);
		note_left_over(run);
		return;
	}
	struct escrow_place place = job_place(run);
	run->wait = JOB_WAIT_DROP;
	run->escrow = escrow_delete_start(run->delivery, &place, on_dropped, run);
}

/* --- deciding and writing --------------------------------------------------------------------- */

int64_t job_in_phase_s(const struct job_run *run)
{
	return (clock_mono_ms() - run->began_mono_ms) / 1000;
}

/* By this host or by AWS, whichever is earlier: a clock that jumps ahead makes no job give up, nor
 * one that was behind when it was ordered. */
static int64_t least_now_s(const struct job_run *run)
{
	const struct aws_client *client = run->where.target.client;
	int64_t host_s = clock_now_s(), aws_s = client != NULL ? aws_client_now_s(client) : host_s;
	return aws_s < host_s ? aws_s : host_s;
}

struct job_known job_known_now(struct job_run *run)
{
	const struct job_record *job = &run->job.record;
	text_shorten(run->no_rollback, sizeof(run->no_rollback), job_no_way_back(run));
	int64_t now_s = least_now_s(run);
	return (struct job_known){.kind = job->kind,
		.phase = job->phase,
		.has_arn = job->arn[0] != '\0',
		.is_cancel_asked = job->is_cancel_asked,
		.may_have_imported =
			job->phase == JOB_IMPORT ? run->was_sent_before : job->may_have_imported,
		.now_s = now_s,
		.created_s = job->created_s,
		.began_s = now_s - job_in_phase_s(run),
		.last_wait_s = run->last_wait_s,
		.old_serial = job->old_serial,
		.new_serial = job->new_serial,
		.held_serial = "",
		.held_by_job = "",
		.in_use_by = "",
		.key_text = "",
		.missing_tags = "",
		.hosts = (uint32_t)run->hosts,
		.other_host = "",
		.tag_warning = run->tag_warning,
		.auto_rollback = run->goods.auto_rollback,
		.no_rollback = run->no_rollback};
}

bool job_ends_by_cancel(const struct job_run *run)
{
	const struct job_record *job = &run->job.record;
	return job->is_cancel_asked && !job->may_have_imported &&
	       (job->phase == JOB_CHECK || job->phase == JOB_DRAIN || job->phase == JOB_KEEP ||
		       job->phase == JOB_IMPORT || job->phase == JOB_DELETE_CALL);
}

static void on_commit(void *arg, const struct err *err)
{
	struct job_run *run = arg;
	struct job_record *job = &run->job.record;
	run->write = NULL;
	if (err != NULL) {
		job_finish(run, err);
		return;
	}
	job->is_cancel_asked = run->turn.saw_cancel;
	job_turn_clear(&run->turn);
	if (job->state != JOB_RUNNING) {
		run->delivery->stats.ended[job->kind][job->state]++;
		drop_key(run);
		return;
	}
	if (run->is_away)
		job_finish(run, &run->away);
	else if (job->next_attempt_s != 0 && !job_ends_by_cancel(run))
		wait_turn(run, run->last_wait_s);
	else
		job_begin(run);
}

static void write_decision(struct job_run *run, const struct job_decision *decision)
{
	job_turn_apply(run, decision);
	run->wait = JOB_WAIT_COMMIT;
	run->write = store_write_start(run->delivery->store, job_turn_write, run, on_commit, run);
}

/*
 * A key in Secrets Manager goes before its job succeeds, so that whoever waits for the job learns
 * whether it has. What ends otherwise is written first: without the key it could not be found out
 * again how it ended.
 */
void job_decide(struct job_run *run, const struct job_known *known)
{
	struct job_decision decision;
	if (run->is_away)
		job_next_away(known, run->away_wait_s, &decision);
	else
		job_next(known, &decision);
	log_debug("job %s phase=%s -> %s wait=%llds: %s", run->id, job_phase_name(known->phase),
		job_phase_name(decision.phase), (long long)decision.wait_s, decision.reason);
	run->has_success = decision.state == JOB_SUCCEEDED && is_key_in_cloud(run);
	if (run->has_success) {
		run->success = decision;
		drop_key(run);
	} else {
		write_decision(run, &decision);
	}
}

void job_decide_err(struct job_run *run, const struct err *err)
{
	struct job_known known = job_known_now(run);
	known.err = err;
	job_decide(run, &known);
}

/* --- turns ------------------------------------------------------------------------------------ */

/* Reads again whether a cancel was asked for. */
static int read_cancel(struct job_run *run, struct err *err)
{
	struct store_txn *txn;
	struct job_record stored;
	if (store_read_begin(run->delivery->store, &txn, err) != 0)
		return -1;
	if (store_job_get(txn, run->id, &stored))
		run->job.record.is_cancel_asked = stored.is_cancel_asked;
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

/* A plan or certificate that the store lost: said, and ended. */
static void end_lost(struct job_run *run, const struct err *err)
{
	run->was_sent_before = run->job.record.may_have_imported;
	struct job_known known = job_known_now(run);
	known.phase = JOB_IMPORT;
	known.may_have_imported = run->was_sent_before;
	known.is_cancel_asked = false;
	known.is_key_lost = true;
	known.key_text = err->text;
	job_decide(run, &known);
}

/* 1: loaded; 0: there is nothing to run; -1 and err. ret_lost: what the store lacks. */
static int load(struct job_run *run, struct err *ret_lost, struct err *err)
{
	struct store_txn *txn;
	struct job_record stored;
	if (store_read_begin(run->delivery->store, &txn, err) != 0)
		return -1;
	int rc = store_job_get(txn, run->id, &stored) && stored.state == JOB_RUNNING;
	if (rc == 1) {
		job_copy_make(&stored, &run->job);
		(void)job_goods_load(txn, &stored, &run->goods, ret_lost);
	}
	if (store_txn_check(txn, err) != 0)
		rc = -1;
	store_read_end(txn);
	return rc;
}

static void start(struct job_run *run)
{
	struct err err = ERR_INIT, lost = ERR_INIT;
	int rc = load(run, &lost, &err);
	if (rc != 1) {
		job_finish(run, rc == 0 ? NULL : &err);
		return;
	}
	struct job_record *job = &run->job.record;
	run->began_mono_ms = clock_mono_ms();
	if (lost.kind != ERR_NONE) {
		run->is_away = false; /* there is nothing to wait for */
		end_lost(run, &lost);
		return;
	}
	job->phase = job_next_resumed(job);
	if (job->kind == JOB_DELIVER && run->goods.escrow == ESCROW_MEMORY)
		delivery_hold_key(run->delivery, job->plan_id);
	job_list_hosts(run);
	if (run->is_away)
		job_decide_err(run, &run->away);
	else
		job_begin(run);
}

static void on_turn(void *arg)
{
	struct job_run *run = arg;
	struct err err = ERR_INIT;
	run->timer = NULL;
	log_debug("job %s goes on after %s", run->id, wait_name[run->wait]);
	if (run->job.record.id == NULL)
		start(run);
	else if (run->has_success || run->job.record.state != JOB_RUNNING)
		drop_key(run);
	else if (read_cancel(run, &err) != 0)
		job_finish(run, &err);
	else
		job_begin(run);
}

struct job_run *job_run_start(struct delivery *delivery, const struct delivery_target *target,
	const char *job_id, job_run_done_fn *done, void *arg)
{
	struct job_run *run = xcalloc(1, sizeof(*run));
	run->delivery = delivery;
	target_copy_make(target, &run->where);
	text_copy(run->id, sizeof(run->id), job_id);
	run->done = done;
	run->arg = arg;
	wait_turn(run, 0);
	return run;
}

struct job_run *job_run_start_away(struct delivery *delivery, const struct delivery_target *target,
	const char *job_id, const struct err *why, int64_t wait_s, job_run_done_fn *done, void *arg)
{
	struct job_run *run = job_run_start(delivery, target, job_id, done, arg);
	run->is_away = true;
	run->away = *why;
	run->away_wait_s = wait_s;
	return run;
}

void job_run_cancel(struct job_run *run)
{
	if (run != NULL)
		destroy(run);
}
