/*
 * Jobs are made, and asked to end, in one write of the store each: what can be known without AWS is
 * checked there, so that two orders for one ARN cannot both be taken.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "base/x509.h"
#include "delivery/certificate_id.h"
#include "delivery/delivery.h"
#include "delivery/delivery_internal.h"
#include "delivery/job_copy.h"
#include "delivery/way_back.h"
#include "store/events.h"
#include "store/vault.h"

void job_note(struct store_txn *txn, const struct job_record *view, int64_t now_s, bool is_failure,
	bool has_event, const char *text)
{
	struct job_copy copy; /* what is read dies with the first change */
	char detail[1400];
	job_copy_make(view, &copy);
	const struct job_record *job = &copy.record;
	store_job_step_append(txn, job->id,
		&(struct job_step){.at_s = now_s,
			.phase = job->phase,
			.is_failure = is_failure,
			.text = text});
	bool is_end = job->state != JOB_RUNNING;
	snprintf(detail, sizeof(detail), "%s, %s: %s", job_kind_name(job->kind),
		is_end ? job_state_name(job->state) : job_phase_name(job->phase), text);
	if (has_event)
		store_event_append(
			txn, &(struct event_record){.at_s = now_s,
				     .kind = is_end ? EVENT_DELIVERY_FINISHED : EVENT_DELIVERY_STEP,
				     .connector = job->connector,
				     .account_id = job->account_id,
				     .region = job->region,
				     .arn = job->arn,
				     .subject = job->id,
				     .detail = detail});
	job_copy_clear(&copy);
}

/* --- one job at a time for an ARN ------------------------------------------------------------- */

static bool is_taken(struct store_txn *txn, const char *arn)
{
	char position[DELIVERY_ID_MAX + 1] = "";
	struct job_record job;
	while (arn[0] != '\0' && store_job_next_running(txn, position, &job)) {
		if (strcmp(job.arn, arn) != 0)
			continue;
		store_txn_fail_as(txn, ERR_REFUSED,
			"job %s runs on %s, one at a time: wait for its end, or cancel it first",
			job.id, arn);
		return true;
	}
	return false;
}

/* --- the way back ----------------------------------------------------------------------------- */

static bool is_zero(const unsigned char *bytes, size_t len)
{
	unsigned char any = 0;
	for (size_t i = 0; i < len; i++)
		any |= bytes[i];
	return any == 0;
}

/* false: not in the store, or not to be read. */
static bool read_facts(
	struct store_txn *txn, const unsigned char *sha256, struct x509_facts *ret_facts)
{
	const void *der;
	size_t len;
	struct err unread = ERR_INIT;
	return store_pem_get(txn, sha256, &der, &len) &&
	       x509_facts_from_der(der, len, ret_facts, &unread) == 0;
}

/* By ACM's rules, as the plan foresaw them; the old one may have expired since. */
static void judge_way_back(struct store_txn *txn, const struct job_record *job, int64_t now_s,
	char ret_text[ROLLBACK_TEXT_MAX])
{
	struct x509_facts old = {.san_count = 0}, fresh = {.san_count = 0};
	char why[WAY_BACK_TEXT_MAX] = "";
	if (!read_facts(txn, job->old_fingerprint_sha256, &old) ||
		!read_facts(txn, job->new_fingerprint_sha256, &fresh))
		text_copy(why, sizeof(why), "the previous certificate is not in the store");
	else
		(void)way_back_judge(&old, &fresh, now_s, why); /* why tells */
	x509_facts_clear(&old);
	x509_facts_clear(&fresh);
	text_shorten(ret_text, ROLLBACK_TEXT_MAX, why);
}

/* Another job of this sensor that is to be looked at first. */
static bool is_overtaken(
	struct store_txn *txn, const struct job_record *job, char ret_text[ROLLBACK_TEXT_MAX])
{
	char position[DELIVERY_ID_MAX + 1] = "";
	struct job_record other;
	while (store_job_next_running(txn, position, &other)) {
		if (strcmp(other.of_job_id, job->id) != 0)
			continue;
		snprintf(ret_text, ROLLBACK_TEXT_MAX, "job %s is rolling it back", other.id);
		return true;
	}
	if (!store_job_last_of_arn(txn, job->arn, &other) || !store_job_is_later(&other, job) ||
		memcmp(other.new_fingerprint_sha256, job->new_fingerprint_sha256,
			CERT_SHA256_LEN) == 0)
		return false;
	if (strcmp(other.of_job_id, job->id) == 0)
		snprintf(
			ret_text, ROLLBACK_TEXT_MAX, "job %s has rolled it back already", other.id);
	else
		snprintf(ret_text, ROLLBACK_TEXT_MAX,
			"job %s replaced it since; roll that one back first", other.id);
	return true;
}

bool job_may_roll_back(struct store_txn *txn, const struct job_record *job, int64_t now_s,
	char ret_text[ROLLBACK_TEXT_MAX])
{
	const char *why = "";
	if (job->kind == JOB_DELETE)
		why = "a deleted certificate cannot be brought back under its ARN";
	else if (job->state == JOB_RUNNING)
		why = "the job is still running";
	else if (!job->may_have_imported)
		why = "the job changed nothing in AWS";
	else if (is_zero(job->old_fingerprint_sha256, CERT_SHA256_LEN))
		why = "it was a first import: there was nothing under the ARN before";
	else if (is_overtaken(txn, job, ret_text))
		return false;
	else if (job->old_key_id[0] == '\0' && job->import_sent_s == 0)
		why = "the job imported nothing: ACM held its certificate already";
	else if (job->old_key_id[0] == '\0')
		why = "this sensor does not keep the previous certificate's private key, and ACM "
		      "does not give it out";
	else if ((job->keep_key_until_s != 0 && job->keep_key_until_s <= now_s) ||
		 !store_vault_has(txn, job->old_key_id))
		why = "the previous certificate's private key was wiped: its time was over";
	else if (certificate_id_was_deleted(txn, job->arn, job->ended_s))
		why = "the certificate was deleted since: it cannot be brought back under its ARN";
	text_copy(ret_text, ROLLBACK_TEXT_MAX, why);
	if (why[0] == '\0')
		judge_way_back(txn, job, now_s, ret_text);
	return ret_text[0] == '\0';
}

/* The chain with which `of` brought its leaf: what ACM shows when the rollback begins may be
 * late. */
static void take_chain(
	struct store_txn *txn, const struct job_record *of, struct job_record *rollback)
{
	struct plan_record plan;
	struct job_record undone;
	const void *chain = NULL;
	uint32_t count = 0;
	if (of->kind == JOB_DELIVER && store_plan_get(txn, of->plan_id, &plan)) {
		chain = plan.chain_sha256;
		count = plan.chain_count;
	} else if (of->kind == JOB_ROLLBACK && store_job_get(txn, of->of_job_id, &undone)) {
		chain = undone.old_chain_sha256;
		count = undone.old_chain_count;
	}
	if (count > 0)
		memcpy(rollback->old_chain_sha256, chain, count * CERT_SHA256_LEN);
	rollback->old_chain_count = count;
}

void job_rollback_record(struct store_txn *txn, const struct job_record *of, const char *id,
	const char *requested_by, int64_t now_s, struct job_record *ret_job)
{
	*ret_job = (struct job_record){.id = id,
		.kind = JOB_ROLLBACK,
		.plan_id = of->plan_id,
		.of_job_id = of->id,
		.connector = of->connector,
		.account_id = of->account_id,
		.region = of->region,
		.arn = of->arn,
		.certificate_id = of->certificate_id,
		.phase = JOB_CHECK,
		.state = JOB_RUNNING,
		.reason = JOB_REASON_NEW,
		.created_s = now_s,
		.updated_s = now_s,
		.old_serial = of->new_serial,
		.new_serial = of->old_serial,
		.old_key_id = of->new_key_id,
		.new_key_id = of->old_key_id,
		.evidence = "",
		.requested_by = requested_by};
	memcpy(ret_job->old_fingerprint_sha256, of->new_fingerprint_sha256, CERT_SHA256_LEN);
	memcpy(ret_job->new_fingerprint_sha256, of->old_fingerprint_sha256, CERT_SHA256_LEN);
	take_chain(txn, of, ret_job);
}

static void order_rollback(struct store_txn *txn, const struct job_order *order)
{
	struct job_record of, job;
	char why[ROLLBACK_TEXT_MAX];
	if (!store_job_get(txn, order->of_job_id, &of)) {
		store_txn_fail_as(txn, ERR_NOT_FOUND, "there is no job %s", order->of_job_id);
		return;
	}
	if (!job_may_roll_back(txn, &of, order->now_s, why)) {
		store_txn_fail_as(txn, ERR_REFUSED, "rollback is impossible: %s", why);
		return;
	}
	if (is_taken(txn, of.arn))
		return;
	job_rollback_record(txn, &of, order->id, order->requested_by, order->now_s, &job);
	store_job_put(txn, &job);
	if (!store_job_get(txn, order->id, &job)) /* of died with the put */
		return;
	char key_id[VAULT_ID_MAX + 1];
	text_copy(key_id, sizeof(key_id), job.new_key_id);
	store_vault_need(txn, key_id, order->id, 0); /* as long as the job runs */
	if (store_job_get(txn, order->id, &job))
		job_note(txn, &job, order->now_s, false, true, "rollback asked for");
}

/* --- deliver ---------------------------------------------------------------------------------- */

/* Two plans for a first import, both open: the second would make a second certificate. Which jobs
 * came after a plan, their times tell. */
static bool is_id_taken(struct store_txn *txn, const struct plan_record *plan, int64_t now_s)
{
	struct job_record job;
	char made[TEXT_TIME_MAX], now[TEXT_TIME_MAX];
	if (plan->decision != PLAN_IMPORT_NEW)
		return false;
	if (plan->created_s > now_s) {
		store_txn_fail_as(txn, ERR_REFUSED,
			"plan %s is void: it was made at %s, and now it is %s: the clock was set "
			"back since: plan again",
			plan->id, text_format_time(plan->created_s, made),
			text_format_time(now_s, now));
		return true;
	}
	if (!certificate_id_delivered_since(txn, plan, &job))
		return false;
	bool has_id = strcmp(job.certificate_id, plan->certificate_id) == 0;
	store_txn_fail_as(txn, ERR_REFUSED, "plan %s is void: job %s %s %s%s to ACM: plan again%s",
		plan->id, job.id, job.state == JOB_RUNNING ? "brings" : "has meanwhile sent",
		has_id ? "a certificate with the id " : "this very certificate",
		has_id ? plan->certificate_id : "",
		job.state == JOB_RUNNING ? " when it has ended" : "");
	return true;
}

/* By a job that ended after the plan was made; the inventory tells it about a minute later. */
static bool is_replaced_by_job(
	struct store_txn *txn, const struct plan_record *plan, struct job_record *ret_job)
{
	return plan->arn[0] != '\0' && store_job_last_of_arn(txn, plan->arn, ret_job) &&
	       ret_job->ended_s > plan->created_s &&
	       !x509_is_same_serial(ret_job->new_serial, plan->old_serial);
}

/* By a scan after the plan was made. */
static bool is_replaced(
	struct store_txn *txn, const struct plan_record *plan, struct cert_record *ret_cert)
{
	return plan->arn[0] != '\0' && store_cert_get(txn, plan->arn, ret_cert) &&
	       ret_cert->detailed_s > plan->created_s && ret_cert->serial[0] != '\0' &&
	       !x509_is_same_serial(ret_cert->serial, plan->old_serial);
}

bool plan_is_void(struct store_txn *txn, const struct plan_record *plan, int64_t now_s)
{
	struct cert_record cert;
	struct job_record job;
	if (plan->decision == PLAN_IMPORT_NEW)
		return plan->created_s > now_s || certificate_id_delivered_since(txn, plan, &job);
	return is_replaced_by_job(txn, plan, &job) || is_replaced(txn, plan, &cert);
}

/* job_id: "" when none of this sensor's did it. */
static void refuse_replaced(struct store_txn *txn, const struct plan_record *plan,
	const char *job_id, const char *serial)
{
	bool is_ours = job_id[0] != '\0';
	store_txn_fail_as(txn, ERR_REFUSED,
		"plan %s is void: %s%s replaced the certificate (serial %s instead of %s): plan "
		"again",
		plan->id, is_ours ? "job " : "", is_ours ? job_id : "someone else", serial,
		plan->old_serial);
}

static bool is_plan_open(
	struct store_txn *txn, const struct job_order *order, const struct plan_record *plan)
{
	struct cert_record cert;
	struct job_record job;
	char until[TEXT_TIME_MAX];
	if (plan->decision == PLAN_REFUSE) {
		store_txn_fail_as(txn, ERR_REFUSED, "plan %s refuses: nothing to apply", plan->id);
		return false;
	}
	if (plan->job_id[0] != '\0') {
		bool is_over = store_job_get(txn, plan->job_id, &job) &&
			       (job.state == JOB_CANCELLED || job.state == JOB_FAILED);
		store_txn_fail_as(txn, ERR_REFUSED, "plan %s was applied already: job %s%s%s%s",
			plan->id, plan->job_id, is_over ? ", which " : "",
			!is_over		     ? ""
			: job.state == JOB_CANCELLED ? "was cancelled"
						     : "failed",
			is_over ? ": plan again" : "");
		return false;
	}
	if (plan->expires_s <= order->now_s) {
		store_txn_fail_as(txn, ERR_REFUSED, "plan %s expired at %s: plan again", plan->id,
			text_format_time(plan->expires_s, until));
		return false;
	}
	if (is_replaced_by_job(txn, plan, &job)) {
		refuse_replaced(txn, plan, job.id, job.new_serial);
		return false;
	}
	if (is_replaced(txn, plan, &cert)) {
		bool is_ours = store_job_last_of_arn(txn, plan->arn, &job) &&
			       x509_is_same_serial(cert.serial, job.new_serial);
		refuse_replaced(txn, plan, is_ours ? job.id : "", cert.serial);
		return false;
	}
	return true;
}

static int read_serial(struct store_txn *txn, const unsigned char *sha256,
	char ret_serial[X509_SERIAL_HEX_MAX], struct err *err)
{
	struct x509_facts facts = {.san_count = 0};
	const void *der;
	size_t len;
	if (!store_pem_get(txn, sha256, &der, &len))
		return err_set(err, ERR_STORE, "the plan's certificate is not in the store");
	if (x509_facts_from_der(der, len, &facts, err) != 0)
		return -1;
	text_copy(ret_serial, X509_SERIAL_HEX_MAX, facts.serial);
	x509_facts_clear(&facts);
	return 0;
}

/* The key of what is there now, when this sensor delivered it and still has it; else "". */
static void find_old_key(
	struct store_txn *txn, const struct plan_record *plan, char ret_key_id[VAULT_ID_MAX + 1])
{
	struct job_record delivered;
	ret_key_id[0] = '\0';
	if (plan->arn[0] != '\0' &&
		store_job_of_leaf(txn, plan->arn, plan->old_fingerprint_sha256, &delivered) &&
		delivered.new_key_id[0] != '\0' && store_vault_has(txn, delivered.new_key_id))
		text_copy(ret_key_id, VAULT_ID_MAX + 1, delivered.new_key_id);
}

static void fill_deliver(
	const struct job_order *order, const struct plan_record *plan, struct job_record *ret_job)
{
	*ret_job = (struct job_record){.id = order->id,
		.kind = JOB_DELIVER,
		.plan_id = plan->id,
		.of_job_id = "",
		.connector = plan->connector,
		.account_id = plan->account_id,
		.region = plan->region,
		.arn = plan->decision == PLAN_REIMPORT ? plan->arn : "",
		.certificate_id = plan->certificate_id,
		.phase = JOB_CHECK,
		.state = JOB_RUNNING,
		.reason = JOB_REASON_NEW,
		.created_s = order->now_s,
		.updated_s = order->now_s,
		.old_serial = plan->decision == PLAN_REIMPORT ? plan->old_serial : "",
		.new_key_id = plan->escrow == ESCROW_SENSOR ? plan->key_id : "",
		.evidence = "",
		.requested_by = order->requested_by};
	memcpy(ret_job->new_fingerprint_sha256, plan->leaf_sha256, CERT_SHA256_LEN);
	if (plan->decision == PLAN_REIMPORT)
		memcpy(ret_job->old_fingerprint_sha256, plan->old_fingerprint_sha256,
			CERT_SHA256_LEN);
}

static void order_deliver(struct store_txn *txn, const struct job_order *order)
{
	struct plan_record plan;
	struct job_record job;
	struct err err = ERR_INIT;
	char serial[X509_SERIAL_HEX_MAX], old_key_id[VAULT_ID_MAX + 1], key_id[VAULT_ID_MAX + 1];
	if (!store_plan_get(txn, order->plan_id, &plan)) {
		store_txn_fail_as(txn, ERR_NOT_FOUND, "there is no plan %s", order->plan_id);
		return;
	}
	if (!is_plan_open(txn, order, &plan) || is_taken(txn, plan.arn) ||
		is_id_taken(txn, &plan, order->now_s))
		return;
	if (read_serial(txn, plan.leaf_sha256, serial, &err) != 0) {
		store_txn_fail(txn, &err);
		return;
	}
	find_old_key(txn, &plan, old_key_id);
	text_copy(key_id, sizeof(key_id), plan.escrow == ESCROW_SENSOR ? plan.key_id : "");
	fill_deliver(order, &plan, &job);
	job.new_serial = serial;
	job.old_key_id = plan.decision == PLAN_REIMPORT ? old_key_id : "";
	store_job_put(txn, &job);
	if (!store_plan_get(txn, order->plan_id, &plan))
		return;
	plan.job_id = order->id;
	store_plan_put(txn, &plan);
	if (key_id[0] != '\0')
		store_vault_need(txn, key_id, order->id, 0); /* as long as the job runs */
	if (store_job_get(txn, order->id, &job))
		job_note(txn, &job, order->now_s, false, true, "delivery asked for");
}

/* --- delete ----------------------------------------------------------------------------------- */

static void order_delete(struct store_txn *txn, const struct job_order *order)
{
	if (is_taken(txn, order->arn))
		return;
	const struct job_record job = {.id = order->id,
		.kind = JOB_DELETE,
		.plan_id = "",
		.of_job_id = "",
		.connector = order->connector,
		.account_id = order->account_id,
		.region = order->region,
		.arn = order->arn,
		.certificate_id = "",
		.phase = order->wait_until_unused ? JOB_DRAIN : JOB_CHECK,
		.state = JOB_RUNNING,
		.reason = JOB_REASON_NEW,
		.created_s = order->now_s,
		.updated_s = order->now_s,
		.old_serial = "",
		.new_serial = "",
		.old_key_id = "",
		.new_key_id = "",
		.evidence = "",
		.requested_by = order->requested_by};
	store_job_put(txn, &job);
	job_note(txn, &job, order->now_s, false, true, "delete asked for");
}

void job_order_write(struct store_txn *txn, const struct job_order *order)
{
	switch (order->kind) {
	case JOB_DELIVER:
		order_deliver(txn, order);
		return;
	case JOB_ROLLBACK:
		order_rollback(txn, order);
		return;
	case JOB_DELETE:
		order_delete(txn, order);
		return;
	}
}

void job_cancel_write(struct store_txn *txn, const char *job_id, int64_t now_s)
{
	struct job_record job;
	if (!store_job_get(txn, job_id, &job)) {
		store_txn_fail_as(txn, ERR_NOT_FOUND, "there is no job %s", job_id);
		return;
	}
	if (job.state != JOB_RUNNING) {
		store_txn_fail_as(txn, ERR_REFUSED, "job %s has ended: %s", job_id,
			job_state_name(job.state));
		return;
	}
	if (job.may_have_imported || job.phase == JOB_DELETE_CALL) {
		store_txn_fail_as(txn, ERR_REFUSED,
			"job %s has gone too far to be cancelled (%s): %s", job_id,
			job_phase_name(job.phase),
			job.kind == JOB_DELETE	    ? "wait for its end"
			: job.old_serial[0] == '\0' ? "let it end, then delete the certificate"
						    : "let it end, then roll it back");
		return;
	}
	if (job.is_cancel_asked)
		return;
	job.is_cancel_asked = true;
	job.reason = "cancelling was asked for: it ends at its next step and changes nothing";
	job.next_attempt_s = 0;
	job.updated_s = now_s;
	store_job_put(txn, &job);
	if (store_job_get(txn, job_id, &job))
		job_note(txn, &job, now_s, false, true, "cancel asked for");
}

bool job_waits_to_import(const struct job_record *job)
{
	bool ends_first = job->is_cancel_asked && !job->may_have_imported;
	return job->kind != JOB_DELETE && !ends_first &&
	       (job->phase == JOB_CHECK || job->phase == JOB_KEEP || job->phase == JOB_IMPORT ||
		       job->phase == JOB_FIND);
}
