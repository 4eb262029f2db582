/*
 * The steps of a job: what each phase asks, and how its answers become what job_next knows. See
 * job.c for the order of things.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/acm_write.h"
#include "aws/client.h"
#include "base/clock.h"
#include "base/text.h"
#include "delivery/cert_view.h"
#include "delivery/job_internal.h"

enum {
	CLOCKS_APART_S = 600,	/* of those that serve requests, at most */
	SECRET_PATIENCE_S = 30, /* a secret that was just made may not be found at once */
	LOOK_LASTS_MS = 10000,	/* an import that had to wait for longer looks again */
	YOUNG_S = 60,		/* an older first import looks whether it is there */
};

static void get_key(struct job_run *run);

/* --- CHECK, DRAIN, FIND, CONFIRM: what ACM holds ---------------------------------------------- */

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

/* The import had to wait since ACM was looked at: what is not as it was then is judged as in the
 * phase before. */
static void look_before_import(const struct job_run *run, struct job_known *known)
{
	known->phase = run->was_sent_before ? JOB_FIND : JOB_CHECK;
	known->began_s = known->now_s;
	known->last_wait_s = 0;
}

/* ret_id: "" when none of this sensor's jobs brought what ACM holds, as far as the store can
 * tell. */
static void find_bringer(const struct job_run *run, char ret_id[DELIVERY_ID_MAX + 1])
{
	struct store_txn *txn = NULL;
	struct err unread = ERR_INIT;
	struct job_record job;
	ret_id[0] = '\0';
	if (!run->remote.has_facts || store_read_begin(run->delivery->store, &txn, &unread) != 0)
		return;
	if (store_job_of_leaf(txn, run->job.record.arn, run->remote.facts.fingerprint_sha256, &job))
		text_copy(ret_id, DELIVERY_ID_MAX + 1, job.id);
	store_read_end(txn);
}

/* The earliest that it may have been by AWS's clock, which the host's may be far from, or was until
 * it was put right. */
static int64_t earliest_at_aws_s(const struct job_run *run, int64_t at_s)
{
	int64_t now_s = clock_now_s();
	int64_t ahead_s = aws_client_now_s(run->where.target.client) - now_s;
	return (at_s < now_s ? at_s : now_s) + ahead_s - CLOCKS_APART_S;
}

/* What is brought was under the ARN before, and not for the first time: an old answer may tell of
 * that. */
static bool is_from_before(const struct job_run *run)
{
	const struct job_record *job = &run->job.record;
	int64_t imported_s = run->remote.detail.imported_s;
	return job->may_have_imported && job->import_sent_s != 0 && imported_s != 0 &&
	       imported_s < earliest_at_aws_s(run, job->import_sent_s);
}

static void on_remote(void *arg, struct remote_state *state, const struct err *err)
{
	struct job_run *run = arg;
	char serial[X509_SERIAL_HEX_MAX], bringer[DELIVERY_ID_MAX + 1], users[TOLD_LIST_MAX];
	run->read = NULL;
	if (err != NULL) {
		job_decide_err(run, err);
		return;
	}
	remote_state_clear(&run->remote);
	run->remote = *state;
	*state = (struct remote_state){.exists = false};
	run->has_looked = true;
	run->looked_mono_ms = clock_mono_ms();
	struct job_known known = job_known_now(run);
	const struct remote_state *remote = &run->remote;
	known.holds = job_compare(&run->job.record, remote, serial);
	known.held_serial = serial;
	bool is_sought = known.phase == JOB_FIND || known.phase == JOB_IMPORT;
	if (is_sought && known.holds == JOB_HOLDS_NEW && is_from_before(run))
		known.holds = JOB_HOLDS_OLD;
	if (known.holds == JOB_HOLDS_OTHER) {
		find_bringer(run, bringer);
		known.held_by_job = bringer;
	}
	if (known.phase == JOB_IMPORT && known.holds == JOB_HOLDS_OLD) {
		job_keep(run);
		get_key(run);
		return;
	}
	if (known.phase == JOB_IMPORT)
		look_before_import(run, &known);
	const struct acm_text_list *in_use_by = &remote->detail.in_use_by;
	if (remote->exists && in_use_by->count > 0) {
		tell_list(users, (const char *const *)in_use_by->item, in_use_by->count);
		known.in_use_by = users;
	}
	if ((known.phase == JOB_CONFIRM || known.phase == JOB_FIND) && remote->exists)
		note_seen(run, remote, serial);
	bool is_adopted = known.phase == JOB_CHECK && known.holds == JOB_HOLDS_NEW;
	if (is_adopted && known.kind == JOB_DELIVER)
		job_copy_set(&run->job.record.old_key_id, ""); /* the old chain was not seen */
	bool is_free = remote->exists && known.in_use_by[0] == '\0';
	if (known.kind == JOB_DELETE && is_free)
		job_keep(run); /* archived in the same write */
	job_decide(run, &known);
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
		job_decide_err(run, err);
		return;
	}
	run->has_looked = true;
	run->looked_mono_ms = clock_mono_ms();
	job_copy_set(&run->job.record.arn, arn);
	struct job_known known = job_known_now(run);
	known.holds = arn[0] != '\0' ? JOB_HOLDS_NEW : JOB_HOLDS_NOTHING;
	if (known.phase == JOB_IMPORT && known.holds == JOB_HOLDS_NOTHING) {
		get_key(run);
		return;
	}
	if (known.phase == JOB_IMPORT)
		look_before_import(run, &known);
	job_decide(run, &known);
}

static void find_leaf(struct job_run *run)
{
	const struct remote_wanted wanted = {.leaf = &run->goods.leaf,
		.created_after_s = earliest_at_aws_s(run, run->job.record.created_s),
		.certificate_id = run->job.record.certificate_id};
	run->wait = JOB_WAIT_FOUND;
	run->find = remote_find_start(
		run->where.target.client, run->where.target.region, &wanted, on_found, run);
}

/* --- IMPORT ----------------------------------------------------------------------------------- */

static void decide_import(struct job_run *run, const struct err *err)
{
	struct job_known known = job_known_now(run);
	known.is_sent = true;
	known.err = err;
	job_decide(run, &known);
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
		job_finish(run, err);
		return;
	}
	run->job.record.is_cancel_asked = run->turn.saw_cancel;
	job_turn_clear(&run->turn);
	if (is_stopped) { /* nothing was written, nothing is sent */
		secret_clear(&run->key);
		run->job.record.may_have_imported = run->was_sent_before;
		run->job.record.import_sent_s = 0;
		job_decide_err(run, NULL);
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
	snprintf(text, sizeof(text), "serial %s is to be sent to ACM", job->new_serial);
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
		return job_in_phase_s(run) >= SECRET_PATIENCE_S;
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
	struct job_known known = job_known_now(run);
	known.err = err;
	known.is_key_lost = is_key_gone(run, err);
	known.key_text = err->text;
	job_decide(run, &known);
}

static void get_key(struct job_run *run)
{
	struct escrow_place place = job_place(run);
	run->wait = JOB_WAIT_KEY;
	run->escrow = escrow_get_start(run->delivery, &place, on_key, run);
}

/* ACM has no conditional import: others must have had little time since the last look. A first
 * import that comes late may be there: others were faster, or a store that was restored has its job
 * as it was before. */
static void begin_import(struct job_run *run)
{
	const struct job_record *job = &run->job.record;
	bool is_new = job->arn[0] == '\0';
	bool is_fresh = run->has_looked && clock_mono_ms() - run->looked_mono_ms < LOOK_LASTS_MS;
	int64_t age_s = clock_now_s() - job->created_s; /* below 0: the clock was set back */
	bool is_young = is_new && age_s >= 0 && age_s < YOUNG_S;
	run->was_sent_before = run->is_resend;
	if (is_fresh || is_young)
		get_key(run);
	else if (is_new)
		find_leaf(run);
	else
		read_remote(run);
}

/* --- TAG -------------------------------------------------------------------------------------- */

static void list_tags(struct job_run *run);

static void add_tags(struct job_run *run);

static void on_tags_added(void *arg, const struct aws_reply *reply, const struct err *err)
{
	struct job_run *run = arg;
	(void)reply; /* empty */
	run->call = NULL;
	if (err != NULL) {
		job_decide_err(run, err);
		return;
	}
	job_note_tags(run, &run->part);
	if (run->missing.count > 0)
		add_tags(run);
	else
		list_tags(run);
}

static void add_tags(struct job_run *run)
{
	run->tags_added = true;
	job_tags_take_part(&run->missing, &run->part);
	run->call = acm_add_tags_start(run->where.target.client, run->where.target.region,
		run->job.record.arn, run->part.item, run->part.count, on_tags_added, run);
}

static void on_tags(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct job_run *run = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	struct acm_tag_list have = {.count = 0};
	struct buf text;
	run->call = NULL;
	if (call_err != NULL || acm_list_tags_take(reply, &have, &err) != 0) {
		job_decide_err(run, &err);
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
	struct job_known known = job_known_now(run);
	known.missing_tags = run->missing_text;
	job_decide(run, &known);
}

static void list_tags(struct job_run *run)
{
	run->wait = JOB_WAIT_CALL;
	run->call = acm_list_tags_start(run->where.target.client, run->where.target.region,
		run->job.record.arn, on_tags, run);
}

/* --- VERIFY ----------------------------------------------------------------------------------- */

static void on_probed(void *arg)
{
	struct job_run *run = arg;
	run->probe = NULL;
	struct job_known known = job_known_now(run);
	for (size_t i = 0; i < run->hosts; i++) {
		known.served += run->host[i].outcome == PROBE_SERVED;
		known.unreachable += run->host[i].outcome == PROBE_UNREACHABLE;
		if (run->host[i].outcome == PROBE_OTHER && known.other++ == 0)
			known.other_host = run->host[i].text;
	}
	job_decide(run, &known);
}

static void probe_hosts(struct job_run *run)
{
	run->wait = JOB_WAIT_PROBES;
	run->probe = job_probe_start(
		run->delivery, run->host, run->hosts, &run->goods.leaf, on_probed, run);
}

/* --- DELETE_CALL ------------------------------------------------------------------------------ */

static void on_deleted(void *arg, const struct aws_reply *reply, const struct err *err)
{
	struct job_run *run = arg;
	(void)reply; /* empty */
	run->call = NULL;
	struct job_known known = job_known_now(run);
	known.is_sent = true;
	known.err = err;
	job_decide(run, &known);
}

static void call_delete(struct job_run *run)
{
	run->wait = JOB_WAIT_CALL;
	run->call = acm_delete_start(run->where.target.client, run->where.target.region,
		run->job.record.arn, on_deleted, run);
}

/* --- all -------------------------------------------------------------------------------------- */

/* Starts the phase's step. */
void job_begin(struct job_run *run)
{
	const struct job_record *job = &run->job.record;
	if (job_ends_by_cancel(run)) {
		job_decide_err(run, NULL);
		return;
	}
	switch (job->phase) {
	case JOB_CHECK:
		if (job->arn[0] == '\0')
			job_decide_err(run, NULL);
		else
			read_remote(run);
		return;
	case JOB_DRAIN:
	case JOB_CONFIRM:
		read_remote(run);
		return;
	case JOB_KEEP:
		job_keep(run);
		job_decide_err(run, NULL);
		return;
	case JOB_IMPORT:
		begin_import(run);
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
		job_finish(run, NULL); /* a record of a newer version; nothing to do */
		return;
	}
}
