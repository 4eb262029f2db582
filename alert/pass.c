/*
 * The pass. Phases follow each other in the order of the enum; what a phase finds is gathered and
 * written before it goes on.
 *
 *   start -> READ -(found something)-> WAIT_WRITE -> READ ... -> done
 *
 * The write decides again from what is stored by then (somebody may have acknowledged it).
 */
#include "alert/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alert/decide.h"
#include "alert/judge.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/cert_query.h"

enum {
	SLICE_US = 3000,
	BATCH_MAX = 64,	      /* written at once */
	SCANNED_MAX = 256,    /* entries of the index between two looks at the clock */
	NAMES_LOOK_MAX = 64,  /* certificates with a name, wherever they are */
	NAMES_A_LOOK = 1024,  /* pairs of names */
	TWIN_LOOK_MAX = 3000, /* certificates of an account-region; ACM's quota is 2,500 */
	NAME_BYTES = 256,
	PLACE_BYTES = 64,
	DAY_S = 86400,
	JOB_LOOK_S = 30 * DAY_S, /* since a job was ordered: it may have waited before it failed */
};

enum phase {
	PHASE_CERTIFICATES,
	PHASE_COVERAGE,
	PHASE_CONNECTORS,
	PHASE_JOBS,
	PHASE_IDENTITIES,
	PHASE_STORED,
	PHASE_END,
};

struct item {
	enum alert_kind kind;
	char id[ALERT_ID_LEN + 1];
	char subject[CERT_ARN_MAX + 1], name[NAME_BYTES];
	char connector[PLACE_BYTES], account_id[PLACE_BYTES], region[PLACE_BYTES];
	struct finding finding;
};

struct alert_pass {
	struct alert_pass_options options;
	enum phase phase;
	struct cert_query *query; /* owned; PHASE_CERTIFICATES */
	char position[CERT_ARN_MAX + 1];
	char last_subject[CERT_ARN_MAX + 1]; /* of coverage */
	size_t next_identity;
	struct item item[BATCH_MAX];
	size_t count;
	struct alert_counts counts;
	struct loop_timer *timer;  /* owned; READ */
	struct store_write *write; /* owned; WAIT_WRITE */
	alert_pass_done_fn *done;
	void *arg;
};

static void on_slice(void *arg);

static void destroy(struct alert_pass *pass)
{
	loop_timer_cancel(pass->timer);
	store_write_cancel(pass->write);
	cert_query_free(pass->query);
	free(pass);
}

static void finish(struct alert_pass *pass, const struct err *err)
{
	pass->done(pass->arg, err == NULL ? &pass->counts : NULL, err);
	destroy(pass);
}

/* --- judging one subject ---------------------------------------------------------------------- */

static void copy(char *to, size_t size, const char *text)
{
	(void)text_copy(to, size, text); /* cut where somebody has sent too much */
}

#define COPY(to, text) copy((to), sizeof(to), (text))

/* "arn:PARTITION:acm:..."; false: it is none. */
static bool split_partition(const char *arn, char *ret_partition)
{
	const char *begin = strchr(arn, ':');
	const char *end = begin != NULL ? strchr(begin + 1, ':') : NULL;
	if (end == NULL || end - begin > PLACE_BYTES)
		return false;
	memcpy(ret_partition, begin + 1, (size_t)(end - begin) - 1);
	ret_partition[end - begin - 1] = '\0';
	return true;
}

static void find_twin_in_region(struct alert_pass *pass, struct store_txn *txn,
	const struct cert_record *cert, char *ret_arn)
{
	char partition[PLACE_BYTES], position[CERT_ARN_MAX + 1] = "";
	struct cert_record other;
	if (!split_partition(cert->arn, partition))
		return;
	uint32_t looks = 0;
	while (looks < TWIN_LOOK_MAX && store_cert_next_in_region(txn, partition, cert->region,
						cert->account_id, position, &other)) {
		/* Those with many names take long to compare. */
		looks += 1 + cert->sans.count * other.sans.count / NAMES_A_LOOK;
		if (!judge_is_twin(cert, &other, pass->options.now_s))
			continue;
		copy(ret_arn, CERT_ARN_MAX + 1, other.arn);
		return;
	}
}

/* A twin has every name, so also the first. A name that half the organization has is looked for in
 * the region instead: whichever of the two is short. */
static void find_twin(struct alert_pass *pass, struct store_txn *txn,
	const struct cert_record *cert, char *ret_arn)
{
	const char *first = pack_first(&cert->sans);
	const char *name =
		cert->domain_name[0] != '\0' || first == NULL ? cert->domain_name : first;
	const char *own = strstr(cert->arn, ":certificate/");
	size_t place_len = own != NULL ? (size_t)(own - cert->arn) : 0;
	struct store_name_position position = {.is_begun = false};
	char arn[CERT_ARN_MAX + 1];
	struct cert_record other;
	int looks = 0;
	if (name[0] == '\0')
		return; /* nothing can have the same names */
	while (looks < NAMES_LOOK_MAX && store_cert_next_of_name(txn, name, &position, arn)) {
		looks++;
		if (strncmp(arn, cert->arn, place_len) != 0 || !store_cert_get(txn, arn, &other) ||
			!judge_is_twin(cert, &other, pass->options.now_s))
			continue;
		copy(ret_arn, CERT_ARN_MAX + 1, other.arn);
		return;
	}
	if (looks == NAMES_LOOK_MAX)
		find_twin_in_region(pass, txn, cert, ret_arn);
}

static void judge_cert(struct alert_pass *pass, struct store_txn *txn,
	const struct cert_record *cert, struct item *item)
{
	char twin[CERT_ARN_MAX + 1] = "";
	struct coverage_record place;
	COPY(item->connector, cert->connector);
	COPY(item->account_id, cert->account_id);
	COPY(item->region, cert->region);
	COPY(item->name, cert->domain_name);
	if (cert->gone_s == 0 && judge_days(&pass->options.settings, cert->not_after_s,
					 pass->options.now_s) != ALERT_NO_DAYS)
		find_twin(pass, txn, cert, twin);
	bool is_known =
		store_coverage_get(txn, item->connector, item->account_id, item->region, &place);
	judge_certificate(&pass->options.settings, cert, twin, is_known ? place.last_success_s : 0,
		pass->options.now_s, &item->finding);
}

static void set_missing(struct finding *finding)
{
	*finding = (struct finding){.verdict = VERDICT_NONE,
		.days = ALERT_NO_DAYS,
		.reason = "it is not in the inventory any more"};
}

/* subject: "CONNECTOR ACCOUNT". */
static void judge_account(struct alert_pass *pass, struct store_txn *txn, struct item *item)
{
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_sum sum = {.total = 0};
	struct coverage_record record;
	struct cycle_record cycle;
	const char *blank = strchr(item->subject, ' ');
	if (blank == NULL) {
		set_missing(&item->finding);
		return;
	}
	(void)snprintf(item->connector, sizeof(item->connector), "%.*s",
		(int)(blank - item->subject), item->subject);
	COPY(item->account_id, blank + 1);
	while (store_coverage_next(txn, item->connector, item->account_id, position, &record))
		judge_coverage_add(&sum, &pass->options.settings, &record, pass->options.now_s);
	bool is_failing = store_cycle_get(txn, item->connector, &cycle) && cycle.error[0] != '\0';
	judge_coverage(&sum, item->account_id, is_failing, &item->finding);
}

static void judge_credentials(struct alert_pass *pass, struct item *item)
{
	struct alert_identity identity;
	COPY(item->connector, item->subject);
	for (size_t i = 0; pass->options.identity != NULL &&
			   pass->options.identity(pass->options.identity_arg, i, &identity);
		i++) {
		if (strcmp(identity.connector, item->subject) != 0)
			continue;
		if (identity.is_known)
			judge_identity(&pass->options.settings, identity.source, identity.expires_s,
				pass->options.now_s, &item->finding);
		else
			item->finding.verdict = VERDICT_UNKNOWN;
		return;
	}
	set_missing(&item->finding);
}

static void judge(struct alert_pass *pass, struct store_txn *txn, struct item *item)
{
	struct cert_record cert;
	struct cycle_record cycle;
	struct job_record job;
	switch (item->kind) {
	case ALERT_CERTIFICATE:
		if (store_cert_get(txn, item->subject, &cert))
			judge_cert(pass, txn, &cert, item);
		else
			set_missing(&item->finding);
		return;
	case ALERT_COVERAGE:
		judge_account(pass, txn, item);
		return;
	case ALERT_CONNECTOR:
		COPY(item->connector, item->subject);
		judge_connector(store_cycle_get(txn, item->subject, &cycle) ? &cycle : NULL,
			&item->finding);
		return;
	case ALERT_JOB: {
		bool is_there = store_job_get(txn, item->subject, &job);
		if (is_there) {
			COPY(item->connector, job.connector);
			COPY(item->account_id, job.account_id);
			COPY(item->region, job.region);
		}
		judge_job(is_there ? &job : NULL, pass->options.now_s, &item->finding);
		return;
	}
	case ALERT_IDENTITY:
		judge_credentials(pass, item);
		return;
	}
}

/* --- gathering -------------------------------------------------------------------------------- */

static struct item *item_begin(struct alert_pass *pass, enum alert_kind kind, const char *subject)
{
	struct item *item = &pass->item[pass->count];
	*item = (struct item){.kind = kind};
	COPY(item->subject, subject);
	alert_make_id(kind, item->subject, item->id);
	return item;
}

static struct subject subject_of(const struct item *item)
{
	return (struct subject){.kind = item->kind,
		.id = item->id,
		.subject = item->subject,
		.connector = item->connector,
		.account_id = item->account_id,
		.region = item->region,
		.name = item->name};
}

/* Kept for writing when it changes anything. */
static enum change item_end(struct alert_pass *pass, struct store_txn *txn, const struct item *item,
	struct alert_record *ret_next)
{
	struct alert_record stored;
	struct subject subject = subject_of(item);
	bool is_stored = store_alert_get(txn, item->id, &stored);
	enum change change = alert_decide(is_stored ? &stored : NULL, &subject, &item->finding,
		pass->options.now_s, ret_next);
	if (change == CHANGE_NONE && is_stored)
		*ret_next = stored;
	pass->count += change != CHANGE_NONE;
	return change;
}

static void look_at(
	struct alert_pass *pass, struct store_txn *txn, enum alert_kind kind, const char *subject)
{
	struct alert_record next;
	struct item *item = item_begin(pass, kind, subject);
	judge(pass, txn, item);
	(void)item_end(pass, txn, item, &next);
}

/* Each looks at one thing more; false: the phase has ended. */
typedef bool phase_fn(struct alert_pass *pass, struct store_txn *txn);

static bool next_certificate(struct alert_pass *pass, struct store_txn *txn)
{
	struct cert_record cert;
	struct alert_record next;
	bool is_end = true;
	if (pass->query == NULL) /* there are no thresholds */
		return false;
	if (!cert_query_next(pass->query, txn, SCANNED_MAX, &cert, &is_end))
		return !is_end;
	struct item *item = item_begin(pass, ALERT_CERTIFICATE, cert.arn);
	judge_cert(pass, txn, &cert, item);
	(void)item_end(pass, txn, item, &next);
	return true;
}

static bool next_coverage(struct alert_pass *pass, struct store_txn *txn)
{
	struct coverage_record record;
	char subject[CERT_ARN_MAX + 1];
	if (!store_coverage_next(txn, NULL, NULL, pass->position, &record))
		return false;
	(void)snprintf(subject, sizeof(subject), "%s %s", record.connector, record.account_id);
	if (strcmp(subject, pass->last_subject) == 0)
		return true; /* another region of it */
	COPY(pass->last_subject, subject);
	look_at(pass, txn, ALERT_COVERAGE, subject);
	return true;
}

static bool next_connector(struct alert_pass *pass, struct store_txn *txn)
{
	struct cycle_record cycle;
	if (!store_cycle_next(txn, pass->position, &cycle))
		return false;
	look_at(pass, txn, ALERT_CONNECTOR, cycle.connector);
	return true;
}

/* Ids begin with a letter for the kind, '-' and the day: of each kind the old ones are passed
 * over. */
static bool next_job(struct alert_pass *pass, struct store_txn *txn)
{
	struct job_record job;
	struct tm day;
	char since[16];
	time_t from = (time_t)(pass->options.now_s - JOB_LOOK_S);
	(void)gmtime_r(&from, &day);
	(void)strftime(since, sizeof(since), "-%Y%m%d", &day);
	if (!store_job_next(txn, pass->position, &job))
		return false;
	if (strncmp(job.id + 1, since, strlen(since)) < 0)
		(void)snprintf(pass->position, sizeof(pass->position), "%c%s", job.id[0], since);
	else
		look_at(pass, txn, ALERT_JOB, job.id);
	return true;
}

static bool next_identity(struct alert_pass *pass, struct store_txn *txn)
{
	struct alert_identity identity;
	if (pass->options.identity == NULL || !pass->options.identity(pass->options.identity_arg,
						      pass->next_identity++, &identity))
		return false;
	look_at(pass, txn, ALERT_IDENTITY, identity.connector);
	return true;
}

static void count(struct alert_counts *counts, const struct alert_record *alert)
{
	if (alert->acknowledged_s != 0)
		counts->acknowledged++;
	else
		counts->open[alert->class]++;
}

/* In this pass, by PHASE_CERTIFICATES, unless it has left what that one walks. */
static bool was_judged(
	const struct alert_pass *pass, struct store_txn *txn, const struct alert_record *stored)
{
	struct cert_record cert;
	return stored->kind == ALERT_CERTIFICATE && store_cert_get(txn, stored->subject, &cert) &&
	       cert.gone_s == 0 &&
	       judge_days(&pass->options.settings, cert.not_after_s, pass->options.now_s) !=
		       ALERT_NO_DAYS;
}

static bool is_of_inventory(enum alert_kind kind)
{
	return kind == ALERT_CERTIFICATE || kind == ALERT_COVERAGE;
}

static bool next_stored(struct alert_pass *pass, struct store_txn *txn)
{
	struct alert_record stored, next;
	if (!store_alert_next(txn, pass->position, &stored))
		return false;
	bool is_settled = stored.resolved_s == 0 &&
			  (pass->options.is_inventory_old ? is_of_inventory(stored.kind)
							  : was_judged(pass, txn, &stored));
	if (is_settled) {
		count(&pass->counts, &stored);
		return true;
	}
	struct item *item = item_begin(pass, stored.kind, stored.subject);
	if (stored.resolved_s == 0)
		judge(pass, txn, item);
	else
		set_missing(&item->finding); /* which lets it be forgotten in time */
	enum change change = item_end(pass, txn, item, &next);
	if (change != CHANGE_FORGET && next.resolved_s == 0)
		count(&pass->counts, &next);
	return true;
}

static phase_fn *const phases[] = {
	[PHASE_CERTIFICATES] = next_certificate,
	[PHASE_COVERAGE] = next_coverage,
	[PHASE_CONNECTORS] = next_connector,
	[PHASE_JOBS] = next_job,
	[PHASE_IDENTITIES] = next_identity,
	[PHASE_STORED] = next_stored,
};

/* --- writing ---------------------------------------------------------------------------------- */

static void write_one(struct alert_pass *pass, struct store_txn *txn, const struct item *item)
{
	struct alert_record stored, next;
	struct subject subject = subject_of(item);
	bool is_stored = store_alert_get(txn, item->id, &stored);
	switch (alert_decide(
		is_stored ? &stored : NULL, &subject, &item->finding, pass->options.now_s, &next)) {
	case CHANGE_NONE:
		return;
	case CHANGE_FORGET:
		store_alert_delete(txn, item->id);
		return;
	case CHANGE_SILENT:
		store_alert_put(txn, &next);
		return;
	case CHANGE_RAISED:
	case CHANGE_WORSE:
	case CHANGE_RESOLVED:
		break;
	}
	/* The number first: what next points to may move with the first change. */
	next.last_notice = store_alert_notice_last(txn) + 1;
	if (next.first_notice == 0)
		next.first_notice = next.last_notice;
	store_alert_put(txn, &next);
	(void)store_alert_notice_append(txn, item->id);
}

static void write_all(struct store_txn *txn, void *arg)
{
	struct alert_pass *pass = arg;
	for (size_t i = 0; i < pass->count; i++)
		write_one(pass, txn, &pass->item[i]);
}

static void on_written(void *arg, const struct err *err)
{
	struct alert_pass *pass = arg;
	pass->write = NULL;
	pass->count = 0;
	if (err != NULL)
		finish(pass, err);
	else
		on_slice(pass);
}

/* --- slices ----------------------------------------------------------------------------------- */

static void read_slice(struct alert_pass *pass, struct store_txn *txn)
{
	int64_t until_us = clock_mono_us() + SLICE_US;
	while (pass->phase != PHASE_END && pass->count < BATCH_MAX && !store_txn_failed(txn)) {
		if (!phases[pass->phase](pass, txn)) {
			pass->phase++;
			pass->position[0] = '\0';
			if (pass->count > 0)
				return; /* to be stored before PHASE_STORED looks */
		}
		if (clock_mono_us() >= until_us)
			return;
	}
}

static void on_slice(void *arg)
{
	struct alert_pass *pass = arg;
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	pass->timer = NULL;
	int rc = store_read_begin(pass->options.store, &txn, &err);
	if (rc == 0) {
		read_slice(pass, txn);
		rc = store_txn_check(txn, &err);
	}
	store_read_end(txn);
	if (rc != 0)
		finish(pass, &err);
	else if (pass->count > 0)
		pass->write =
			store_write_start(pass->options.store, write_all, pass, on_written, pass);
	else if (pass->phase == PHASE_END)
		finish(pass, NULL);
	else
		pass->timer = loop_timer_start(pass->options.loop, 0, on_slice, pass);
}

static struct cert_query *query_of(const struct alert_settings *settings, int64_t now_s)
{
	struct err err = ERR_INIT;
	int64_t most = -1;
	for (size_t i = 0; i < settings->days_count; i++)
		most = settings->days[i] > most ? settings->days[i] : most;
	if (most < 0)
		return NULL;
	struct cert_query *query = cert_query_new(
		&(struct cert_filter){
			.expires_before_s = now_s + most * DAY_S, .in_use = -1, .now_s = now_s},
		CERT_SORT_EXPIRES, &err);
	if (query == NULL)
		abort(); /* nothing in it comes from outside */
	return query;
}

struct alert_pass *alert_pass_start(
	const struct alert_pass_options *options, alert_pass_done_fn *done, void *arg)
{
	struct alert_pass *pass = xcalloc(1, sizeof(*pass));
	pass->options = *options;
	pass->phase = options->is_inventory_old ? PHASE_CONNECTORS : PHASE_CERTIFICATES;
	pass->query = query_of(&options->settings, options->now_s);
	pass->done = done;
	pass->arg = arg;
	pass->timer = loop_timer_start(options->loop, 0, on_slice, pass);
	return pass;
}

void alert_pass_cancel(struct alert_pass *pass)
{
	if (pass != NULL)
		destroy(pass);
}
