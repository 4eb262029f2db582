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
 *   IMPORT                  WAIT_KEY -> WAIT_SENT (may_have_imported is in the store) -> WAIT_CALL
 *   TAG                     WAIT_CALL: list, add what is missing, list again
 *   VERIFY                  WAIT_PROBES
 *   DELETE_CALL             WAIT_CALL
 *
 * A store that fails ends the run, not the job. Whatever a run did not write, the next one does
 * again or looks for (job_next_resumed).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/acm_write.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/job_internal.h"

enum {
	CLOCKS_APART_S = 600,	/* ACM's and ours, at most */
	SECRET_PATIENCE_S = 30, /* a secret that was just made may not be found at once */
	DROPS_MAX = 6,
};

static const char *const wait_name[] = {"TURN", "REMOTE", "FOUND", "KEY", "SENT", "CALL", "PROBES",
	"COMMIT", "DROP", "NOTE", "NOTHING"};

static void begin(struct job_run *run);
static void on_turn(void *arg);

/* --- life -------------------------------------------------------------------------------------- */

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

static void finish(struct job_run *run, const struct err *err)
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

/* --- the end of the key ------------------------------------------------------------------------ */

static struct escrow_place place_of(const struct job_run *run)
{
	return (struct escrow_place){.kind = run->goods.escrow,
		.key_id = run->goods.key_id,
		.plan_id = run->job.record.plan_id,
		.target = &run->where.target};
}

static void on_noted(void *arg, const struct err *err)
{
	struct job_run *run = arg;
	run->write = NULL;
	finish(run, err);
}

static void write_note(struct store_txn *txn, void *arg)
{
	const struct job_run *run = arg;
	job_note(txn, &run->job.record, run->job.record.ended_s, true, true, run->missing_text);
}

static void on_dropped(void *arg, struct secret *key, const struct err *err)
{
	struct job_run *run = arg;
	(void)key; /* a delete brings none */
	run->escrow = NULL;
	if (err == NULL) {
		finish(run, NULL);
		return;
	}
	if (++run->drops < DROPS_MAX) {
		wait_turn(run, 1 << run->drops);
		return;
	}
	snprintf(run->missing_text, sizeof(run->missing_text),
		"the key is left over in secret %.200s: %.600s; deleted by the next sweep",
		run->goods.key_id, err->text);
	run->wait = JOB_WAIT_NOTE;
	run->write = store_write_start(run->delivery->store, write_note, run, on_noted, run);
}

/* The vault's keys are the end's own write; the others leave their escrow now. */
static void drop_key(struct job_run *run)
{
	bool is_elsewhere = run->job.record.kind == JOB_DELIVER && run->goods.key_id != NULL &&
			    run->goods.escrow != ESCROW_SENSOR;
	if (!is_elsewhere) {
		finish(run, NULL);
		return;
	}
	struct escrow_place place = place_of(run);
	run->wait = JOB_WAIT_DROP;
	run->escrow = escrow_delete_start(run->delivery, &place, on_dropped, run);
}

/* --- deciding and writing ---------------------------------------------------------------------- */

static struct job_known known_now(struct job_run *run)
{
	const struct job_record *job = &run->job.record;
	text_copy(run->no_rollback, sizeof(run->no_rollback), job_no_way_back(job));
	return (struct job_known){.kind = job->kind,
		.phase = job->phase,
		.has_arn = job->arn[0] != '\0',
		.is_cancel_asked = job->is_cancel_asked,
		.may_have_imported =
			job->phase == JOB_IMPORT ? run->was_sent_before : job->may_have_imported,
		.now_s = clock_now_s(),
		.created_s = job->created_s,
		.began_s = run->began_s,
		.last_wait_s = run->last_wait_s,
		.old_serial = job->old_serial,
		.new_serial = job->new_serial,
		.held_serial = "",
		.in_use_by = "",
		.key_text = "",
		.missing_tags = "",
		.hosts = (uint32_t)run->hosts,
		.other_host = "",
		.tag_warning = run->tag_warning,
		.auto_rollback = run->goods.auto_rollback,
		.no_rollback = run->no_rollback};
}

static bool ends_by_cancel(const struct job_run *run)
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
		finish(run, err);
		return;
	}
	job->is_cancel_asked = run->turn.saw_cancel;
	job_turn_clear(&run->turn);
	if (job->state != JOB_RUNNING) {
		drop_key(run);
		return;
	}
	if (job->next_attempt_s != 0 && !ends_by_cancel(run))
		wait_turn(run, run->last_wait_s);
	else
		begin(run);
}

static void decide(struct job_run *run, const struct job_known *known)
{
	struct job_decision decision;
	job_next(known, &decision);
	log_debug("job %s phase=%s -> %s wait=%llds: %s", run->id, job_phase_name(known->phase),
		job_phase_name(decision.phase), (long long)decision.wait_s, decision.reason);
	job_turn_apply(run, &decision);
	run->wait = JOB_WAIT_COMMIT;
	run->write = store_write_start(run->delivery->store, job_turn_write, run, on_commit, run);
}

static void decide_err(struct job_run *run, const struct err *err)
{
	struct job_known known = known_now(run);
	known.err = err;
	decide(run, &known);
}

/* --- CHECK, DRAIN, FIND, CONFIRM: what ACM holds ----------------------------------------------- */

static void note_seen(struct job_run *run, const struct remote_state *remote, const char *serial)
{
	struct job_evidence *seen = &run->evidence;
	seen->has_acm = true;
	seen->seen_s = clock_now_s();
	seen->imported_s = remote->detail.imported_s;
	seen->in_use_by = remote->detail.in_use_by.count;
	text_copy(seen->serial, sizeof(seen->serial), serial);
	memcpy(seen->fingerprint_sha256, remote->facts.fingerprint_sha256, X509_SHA256_LEN);
}

static void on_remote(void *arg, struct remote_state *state, const struct err *err)
{
	struct job_run *run = arg;
	char serial[X509_SERIAL_HEX_MAX];
	run->read = NULL;
	if (err != NULL) {
		decide_err(run, err);
		return;
	}
	remote_state_clear(&run->remote);
	run->remote = *state;
	*state = (struct remote_state){.exists = false};
	struct job_known known = known_now(run);
	const struct remote_state *remote = &run->remote;
	known.holds = job_compare(&run->job.record, remote, serial);
	known.held_serial = serial;
	if (remote->exists && remote->detail.in_use_by.count > 0)
		known.in_use_by = remote->detail.in_use_by.item[0];
	if ((known.phase == JOB_CONFIRM || known.phase == JOB_FIND) && remote->exists)
		note_seen(run, remote, serial);
	bool is_free = remote->exists && known.in_use_by[0] == '\0';
	if (known.kind == JOB_DELETE && is_free)
		job_keep(run); /* archived in the same write */
	decide(run, &known);
}

static void read_remote(struct job_run *run)
{
	run->wait = JOB_WAIT_REMOTE;
	run->read = remote_read_start(run->where.target.client, run->where.target.region,
		run->job.record.arn, on_remote, run);
}

static void on_found(void *arg, const char *arn, const struct err *err)
{
	struct job_run *run = arg;
	run->find = NULL;
	if (err != NULL) {
		decide_err(run, err);
		return;
	}
	struct job_known known = known_now(run);
	known.holds = arn[0] != '\0' ? JOB_HOLDS_NEW : JOB_HOLDS_NOTHING;
	job_copy_set(&run->job.record.arn, arn);
	decide(run, &known);
}

static void find_leaf(struct job_run *run)
{
	const struct remote_wanted wanted = {.leaf = &run->goods.leaf,
		.created_after_s = run->job.record.created_s - CLOCKS_APART_S,
		.certificate_id = run->job.record.certificate_id};
	run->wait = JOB_WAIT_FOUND;
	run->find = remote_find_start(
		run->where.target.client, run->where.target.region, &wanted, on_found, run);
}

/* --- IMPORT ------------------------------------------------------------------------------------ */

static void decide_import(struct job_run *run, const struct err *err)
{
	struct job_known known = known_now(run);
	known.is_sent = true;
	known.err = err;
	decide(run, &known);
}

static void on_import(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct job_run *run = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	char *arn = NULL;
	run->call = NULL;
	int rc = call_err != NULL ? -1 : acm_import_take(reply, &arn, &err);
	if (rc == 0 && run->job.record.arn[0] == '\0')
		job_copy_set(&run->job.record.arn, arn);
	else if (rc == 0 && strcmp(run->job.record.arn, arn) != 0)
		rc = err_set(
			&err, ERR_PROTOCOL, "ImportCertificate answered another ARN, %.300s", arn);
	free(arn);
	decide_import(run, rc != 0 ? &err : NULL);
}

static void send_import(struct job_run *run)
{
	const struct job_record *job = &run->job.record;
	bool is_new = job->arn[0] == '\0';
	job_want_tags(run, &run->want);
	const struct acm_import import = {.arn = is_new ? NULL : job->arn,
		.certificate_pem = buf_text(&run->goods.leaf_pem),
		.key_pem = &run->key,
		.chain_pem = buf_text(&run->goods.chain_pem),
		.tag = is_new ? run->want.item : NULL,
		.tag_count = is_new ? run->want.count : 0};
	run->wait = JOB_WAIT_CALL;
	run->call = acm_import_start(
		run->where.target.client, run->where.target.region, &import, on_import, run);
	secret_clear(&run->key); /* the call has its own copy */
}

static void on_sent(void *arg, const struct err *err)
{
	struct job_run *run = arg;
	bool is_stopped = run->turn.saw_cancel && run->turn.stops_on_cancel;
	run->write = NULL;
	if (err != NULL) {
		finish(run, err);
		return;
	}
	run->job.record.is_cancel_asked = run->turn.saw_cancel;
	job_turn_clear(&run->turn);
	if (is_stopped) { /* nothing was written, nothing is sent */
		secret_clear(&run->key);
		run->job.record.may_have_imported = run->was_sent_before;
		run->job.record.import_sent_s = 0;
		decide_err(run, NULL);
		return;
	}
	send_import(run);
}

/* From this commit on an import may have been sent. */
static void write_sent(struct job_run *run)
{
	struct job_record *job = &run->job.record;
	job->may_have_imported = true;
	job->import_sent_s = job->updated_s = clock_now_s();
	job->next_attempt_s = 0;
	char text[160];
	snprintf(text, sizeof(text), "serial %s is sent to ACM", job->new_serial);
	job_copy_set(&job->reason, text);
	run->turn.phase = JOB_IMPORT;
	run->turn.has_line = true;
	run->turn.stops_on_cancel = !run->was_sent_before;
	run->wait = JOB_WAIT_SENT;
	run->write = store_write_start(run->delivery->store, job_turn_write, run, on_sent, run);
}

/* Whether trying again is of no use. */
static bool is_key_gone(const struct job_run *run, const struct err *err)
{
	bool is_there = err->kind != ERR_NOT_FOUND;
	if (run->goods.escrow != ESCROW_SECRETS_MANAGER)
		return !is_there || err->kind == ERR_STORE;
	if (!is_there)
		return clock_now_s() - run->began_s >= SECRET_PATIENCE_S;
	bool is_refused = err->kind == ERR_DENIED || err->kind == ERR_DENIED_BY_SCP ||
			  err->kind == ERR_ROLE || err->kind == ERR_REFUSED ||
			  err->kind == ERR_CONFIG;
	return is_refused && !run->was_sent_before;
}

static void on_key(void *arg, struct secret *key, const struct err *err)
{
	struct job_run *run = arg;
	run->escrow = NULL;
	if (err == NULL) {
		secret_move(&run->key, key);
		write_sent(run);
		return;
	}
	struct job_known known = known_now(run);
	known.err = err;
	known.is_key_lost = is_key_gone(run, err);
	known.key_text = err->text;
	decide(run, &known);
}

static void get_key(struct job_run *run)
{
	struct escrow_place place = place_of(run);
	run->was_sent_before = run->is_resend;
	run->wait = JOB_WAIT_KEY;
	run->escrow = escrow_get_start(run->delivery, &place, on_key, run);
}

/* --- TAG --------------------------------------------------------------------------------------- */

static void list_tags(struct job_run *run);

static void on_tags_added(void *arg, const struct aws_reply *reply, const struct err *err)
{
	struct job_run *run = arg;
	(void)reply; /* empty */
	run->call = NULL;
	if (err != NULL) {
		decide_err(run, err);
		return;
	}
	job_note_tags(run, &run->missing);
	list_tags(run);
}

static void add_tags(struct job_run *run)
{
	enum { TAGS_AT_ONCE_MAX = 50 };
	run->tags_added = true;
	if (run->missing.count > TAGS_AT_ONCE_MAX)
		run->missing.count = TAGS_AT_ONCE_MAX; /* the rest shows as missing */
	run->call = acm_add_tags_start(run->where.target.client, run->where.target.region,
		run->job.record.arn, run->missing.item, run->missing.count, on_tags_added, run);
}

static void on_tags(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct job_run *run = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	struct acm_tag_list have = {.count = 0};
	struct buf text;
	run->call = NULL;
	if (call_err != NULL || acm_list_tags_take(reply, &have, &err) != 0) {
		decide_err(run, &err);
		return;
	}
	job_want_tags(run, &run->want);
	job_tags_missing(&run->want, &have, &run->missing);
	acm_tag_list_clear(&have);
	if (run->missing.count > 0 && !run->tags_added) {
		add_tags(run);
		return;
	}
	buf_init(&text, 64 * 1024);
	job_tags_text(&run->missing, &text);
	text_shorten(run->missing_text, sizeof(run->missing_text), buf_text(&text));
	text_copy(
		run->evidence.tags_missing, sizeof(run->evidence.tags_missing), run->missing_text);
	buf_clear(&text);
	struct job_known known = known_now(run);
	known.missing_tags = run->missing_text;
	decide(run, &known);
}

static void list_tags(struct job_run *run)
{
	run->wait = JOB_WAIT_CALL;
	run->call = acm_list_tags_start(run->where.target.client, run->where.target.region,
		run->job.record.arn, on_tags, run);
}

/* --- VERIFY ------------------------------------------------------------------------------------ */

static void on_probed(void *arg)
{
	struct job_run *run = arg;
	run->probe = NULL;
	struct job_known known = known_now(run);
	for (size_t i = 0; i < run->hosts; i++) {
		known.served += run->host[i].outcome == PROBE_SERVED;
		known.unreachable += run->host[i].outcome == PROBE_UNREACHABLE;
		if (run->host[i].outcome == PROBE_OTHER && known.other++ == 0)
			known.other_host = run->host[i].text;
	}
	decide(run, &known);
}

static void probe_hosts(struct job_run *run)
{
	run->wait = JOB_WAIT_PROBES;
	run->probe = job_probe_start(run->delivery, run->host, run->hosts,
		run->job.record.new_fingerprint_sha256, on_probed, run);
}

/* --- DELETE_CALL ------------------------------------------------------------------------------- */

static void on_deleted(void *arg, const struct aws_reply *reply, const struct err *err)
{
	struct job_run *run = arg;
	(void)reply; /* empty */
	run->call = NULL;
	struct job_known known = known_now(run);
	known.is_sent = true;
	known.err = err;
	decide(run, &known);
}

static void call_delete(struct job_run *run)
{
	run->wait = JOB_WAIT_CALL;
	run->call = acm_delete_start(run->where.target.client, run->where.target.region,
		run->job.record.arn, on_deleted, run);
}

/* --- turns ------------------------------------------------------------------------------------- */

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

/* Starts the phase's step. */
static void begin(struct job_run *run)
{
	const struct job_record *job = &run->job.record;
	if (ends_by_cancel(run)) {
		decide_err(run, NULL);
		return;
	}
	switch (job->phase) {
	case JOB_CHECK:
		if (job->arn[0] == '\0')
			decide_err(run, NULL);
		else
			read_remote(run);
		return;
	case JOB_DRAIN:
	case JOB_CONFIRM:
		read_remote(run);
		return;
	case JOB_KEEP:
		job_keep(run);
		decide_err(run, NULL);
		return;
	case JOB_IMPORT:
		get_key(run);
		return;
	case JOB_FIND:
		if (job->arn[0] == '\0')
			find_leaf(run);
		else
			read_remote(run);
		return;
	case JOB_TAG:
		run->tags_added = false;
		list_tags(run);
		return;
	case JOB_VERIFY:
		probe_hosts(run);
		return;
	case JOB_DELETE_CALL:
		call_delete(run);
		return;
	case JOB_DONE:
		finish(run, NULL); /* a record of a newer version; nothing to do */
		return;
	}
}

/* A plan or certificate that the store lost: said, and ended. */
static void end_lost(struct job_run *run, const struct err *err)
{
	run->was_sent_before = run->job.record.may_have_imported;
	struct job_known known = known_now(run);
	known.phase = JOB_IMPORT;
	known.may_have_imported = run->was_sent_before;
	known.is_cancel_asked = false;
	known.is_key_lost = true;
	known.key_text = err->text;
	decide(run, &known);
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
		finish(run, rc == 0 ? NULL : &err);
		return;
	}
	struct job_record *job = &run->job.record;
	run->began_s = clock_now_s();
	if (lost.kind != ERR_NONE) {
		end_lost(run, &lost);
		return;
	}
	job->phase = job_next_resumed(job);
	if (job->kind == JOB_DELIVER && run->goods.escrow == ESCROW_MEMORY)
		memory_key_hold(run->delivery, job->plan_id);
	job_list_hosts(run);
	begin(run);
}

static void on_turn(void *arg)
{
	struct job_run *run = arg;
	struct err err = ERR_INIT;
	run->timer = NULL;
	log_debug("job %s goes on after %s", run->id, wait_name[run->wait]);
	if (run->job.record.id == NULL)
		start(run);
	else if (run->job.record.state != JOB_RUNNING)
		drop_key(run);
	else if (read_cancel(run, &err) != 0)
		finish(run, &err);
	else
		begin(run);
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

void job_run_cancel(struct job_run *run)
{
	if (run != NULL)
		destroy(run);
}

void job_run_wake(struct job_run *run)
{
	if (run == NULL || run->timer == NULL)
		return;
	loop_timer_cancel(run->timer);
	wait_turn(run, 0);
}
