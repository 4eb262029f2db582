/* What a turn of a job writes: record, line and event, and what hangs on them, in one write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "delivery/job_internal.h"
#include "store/coverage.h"

enum { EVIDENCE_MAX = 65535, REASON_MAX = JOB_REASON_MAX + ROLLBACK_TEXT_MAX + 64 };

void job_turn_clear(struct job_turn *turn)
{
	for (size_t i = 0; i < turn->kept_count; i++)
		free(turn->kept[i].bytes);
	free(turn->kept);
	*turn = (struct job_turn){.kept = NULL};
}

/* --- the end ---------------------------------------------------------------------------------- */

static void change_vault(
	struct job_turn *turn, const char *id, enum job_vault_verb verb, int64_t wipe_after_s)
{
	for (size_t i = 0; id[0] != '\0' && i < JOB_VAULT_CHANGES_MAX; i++) {
		if (strcmp(turn->vault[i].id, id) == 0)
			return; /* the same key before and after: what was said first counts */
		if (turn->vault[i].id[0] != '\0')
			continue;
		text_copy(turn->vault[i].id, sizeof(turn->vault[i].id), id);
		turn->vault[i].verb = verb;
		turn->vault[i].wipe_after_s = wipe_after_s;
		return;
	}
}

/*
 * How long the keys stay. The one that ACM may hold now: as long as its certificate lives, and then
 * as long as one that was replaced; the replaced one: keep_keys_s from now.
 */
static void keep_or_wipe_keys(struct job_run *run)
{
	struct job_record *job = &run->job.record;
	int64_t keep_s = run->delivery->times.keep_keys_s, ends_s = run->goods.leaf.not_after_s;
	bool is_made_for_plan = strcmp(job->new_key_id, job->plan_id) == 0;
	if (job->kind == JOB_DELETE)
		return;
	if (ends_s < job->ended_s) /* or the store lost it, so that it is not known */
		ends_s = job->ended_s;
	if (job->may_have_imported) {
		change_vault(&run->turn, job->new_key_id, JOB_VAULT_KEEP, ends_s + keep_s);
	} else if (job->kind != JOB_DELIVER) {
		change_vault(&run->turn, job->new_key_id, JOB_VAULT_KEEP, job->ended_s + keep_s);
	} else if (is_made_for_plan) {
		change_vault(&run->turn, job->new_key_id, JOB_VAULT_DELETE, 0);
		job_copy_set(&job->new_key_id, "");
	} else { /* a request's, which can be planned with again */
		change_vault(&run->turn, job->new_key_id, JOB_VAULT_RELEASE, 0);
	}
	if (job->state == JOB_SUCCEEDED || job->state == JOB_RESTORED) {
		change_vault(&run->turn, job->old_key_id, JOB_VAULT_KEEP, job->ended_s + keep_s);
		job->keep_key_until_s = job->ended_s + keep_s;
	}
}

static void render_evidence(struct job_run *run)
{
	struct buf text;
	buf_init(&text, EVIDENCE_MAX);
	run->evidence.host = run->host;
	run->evidence.hosts = run->hosts;
	job_evidence_render(&run->evidence, &text);
	struct err err = ERR_INIT;
	if (buf_check(&text, "the evidence", &err) == 0)
		job_copy_set(&run->job.record.evidence, buf_text(&text));
	buf_clear(&text);
}

/* --- a decision ------------------------------------------------------------------------------- */

void job_turn_apply(struct job_run *run, const struct job_decision *decision)
{
	struct job_record *job = &run->job.record;
	struct job_turn *turn = &run->turn;
	int64_t now_s = clock_now_s();
	bool is_new_phase = decision->phase != job->phase;
	turn->phase = job->phase;
	turn->is_failure = decision->is_failure;
	turn->has_event = is_new_phase || decision->state != JOB_RUNNING;
	turn->has_line = turn->has_event || strcmp(job->reason, decision->reason) != 0;
	job->phase = decision->phase;
	job->state = decision->state;
	job->may_have_imported = decision->may_have_imported;
	job->attempts = is_new_phase ? 0 : job->attempts + 1;
	job->updated_s = now_s;
	job->next_attempt_s = decision->wait_s > 0 ? now_s + decision->wait_s : 0;
	job_copy_set(&job->reason, decision->reason);
	run->last_wait_s = is_new_phase ? 0 : decision->wait_s;
	if (is_new_phase)
		run->began_mono_ms = clock_mono_ms();
	run->is_resend = decision->is_resend || (run->is_resend && !is_new_phase);
	if (decision->has_tag_warning)
		text_copy(run->tag_warning, sizeof(run->tag_warning), decision->reason);
	if (decision->state == JOB_RUNNING)
		return;
	job->ended_s = now_s;
	if (job->kind != JOB_DELETE && (run->evidence.has_acm || run->hosts > 0))
		render_evidence(run);
	keep_or_wipe_keys(run);
	if (decision->is_roll_back)
		delivery_new_id(JOB_ID_ROLLBACK, now_s, turn->rollback_id);
}

/* --- the write -------------------------------------------------------------------------------- */

static void write_rollback(struct store_txn *txn, const struct job_run *run)
{
	const struct job_record *ended = &run->job.record;
	const struct job_evidence *seen = &run->evidence;
	struct job_record back;
	job_rollback_record(txn, ended, run->turn.rollback_id, "automatic", ended->ended_s, &back);
	if (seen->has_acm) { /* perhaps a third one: that is what is replaced */
		back.old_serial = seen->serial;
		memcpy(back.old_fingerprint_sha256, seen->fingerprint_sha256, CERT_SHA256_LEN);
		if (memcmp(seen->fingerprint_sha256, ended->new_fingerprint_sha256,
			    CERT_SHA256_LEN) != 0)
			back.old_key_id = "";
	}
	store_job_put(txn, &back);
	store_vault_need(txn, back.new_key_id, back.id, 0); /* as long as it runs */
	job_note(txn, &back, ended->ended_s, false, true, "automatic rollback");
}

/* Nothing can be rolled back under an ARN that is gone: its last key is one that was replaced. */
static void keep_deleted_key(struct store_txn *txn, const struct job_run *run)
{
	const struct job_record *ended = &run->job.record;
	struct job_record brought;
	char key_id[VAULT_ID_MAX + 1];
	if (ended->kind != JOB_DELETE || ended->state != JOB_SUCCEEDED ||
		!store_job_of_leaf(txn, ended->arn, ended->old_fingerprint_sha256, &brought))
		return;
	text_copy(key_id, sizeof(key_id), brought.new_key_id);
	if (key_id[0] == '\0')
		return;
	store_vault_need(
		txn, key_id, ended->arn, ended->ended_s + run->delivery->times.keep_keys_s);
	store_vault_release(txn, key_id, key_id);
}

/* Under the ARN a job that changed it decides, and a request's key is the request's no more; others
 * need the key for themselves alone. */
static void keep_key(
	struct store_txn *txn, const struct job_record *job, const struct job_vault_change *change)
{
	bool is_of_arn = job->may_have_imported && job->arn[0] != '\0';
	store_vault_need(txn, change->id, is_of_arn ? job->arn : job->id, change->wipe_after_s);
	if (!is_of_arn)
		return;
	store_vault_release(txn, change->id, job->id);
	store_vault_release(txn, change->id, change->id);
}

static void write_vault(
	struct store_txn *txn, const struct job_record *job, const struct job_vault_change *change)
{
	switch (change->verb) {
	case JOB_VAULT_KEEP:
		keep_key(txn, job, change);
		return;
	case JOB_VAULT_DELETE:
		store_vault_delete(txn, change->id);
		return;
	case JOB_VAULT_RELEASE:
		store_vault_release(txn, change->id, job->id);
		return;
	}
}

/* Says in the reason what becomes of the automatic rollback; ret_reason: where it is then. Whether
 * there is one. */
static bool tell_rollback(struct store_txn *txn, const struct job_turn *turn,
	struct job_record *ended, char ret_reason[REASON_MAX])
{
	char why[ROLLBACK_TEXT_MAX];
	if (turn->rollback_id[0] == '\0')
		return false;
	bool is_possible = job_may_roll_back(txn, ended, ended->ended_s, why);
	if (is_possible)
		snprintf(ret_reason, REASON_MAX, "%s; rollback %s was ordered", ended->reason,
			turn->rollback_id);
	else
		snprintf(ret_reason, REASON_MAX, "%s; no rollback was ordered: %s", ended->reason,
			why);
	ended->reason = ret_reason;
	return is_possible;
}

/* The inventory has yet to see what the job has changed, or may have. */
static void note_change(struct store_txn *txn, const struct job_record *ended)
{
	bool is_deleted = ended->kind == JOB_DELETE && ended->state == JOB_SUCCEEDED;
	if (ended->state != JOB_RUNNING && (ended->may_have_imported || is_deleted))
		store_coverage_note_change(
			txn, ended->connector, ended->account_id, ended->region, ended->ended_s);
}

void job_turn_write(struct store_txn *txn, void *arg)
{
	struct job_run *run = arg;
	char reason[REASON_MAX];
	struct job_turn *turn = &run->turn;
	struct job_record stored, record = run->job.record;
	if (!store_job_get(txn, run->id, &stored)) {
		store_txn_fail_as(txn, ERR_NOT_FOUND, "job %s is gone from the store", run->id);
		return;
	}
	turn->saw_cancel = stored.is_cancel_asked;
	if (turn->stops_on_cancel && stored.is_cancel_asked)
		return;
	record.is_cancel_asked = stored.is_cancel_asked;
	for (size_t i = 0; i < turn->kept_count; i++)
		store_pem_put(txn, turn->kept[i].sha256, turn->kept[i].bytes, turn->kept[i].len);
	bool is_rolled_back = tell_rollback(txn, turn, &record, reason);
	store_job_put(txn, &record);
	for (size_t i = 0; i < JOB_VAULT_CHANGES_MAX && turn->vault[i].id[0] != '\0'; i++)
		write_vault(txn, &record, &turn->vault[i]);
	keep_deleted_key(txn, run);
	note_change(txn, &record);
	record.phase = turn->phase; /* the line is the step's that was done */
	if (turn->has_line)
		job_note(txn, &record, record.updated_s, turn->is_failure, turn->has_event,
			record.reason);
	if (is_rolled_back)
		write_rollback(txn, run);
}
