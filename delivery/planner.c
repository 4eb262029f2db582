/*
 * From a request to a stored plan.
 *
 *   start -> WAIT_TURN -> WAIT_REMOTE -> WAIT_KEY -> WAIT_COMMIT -> DONE
 *                |         ^      |        ^  key put into escrow
 *                |         +------+ the next ARN that may carry the id
 *                +---------+---------------+-> left out without ARN; without key, or refused
 *
 * The key is in its escrow before the plan is in the store: what a crash leaves over there ends
 * with the time of the plan, or is swept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/arn_choice.h"
#include "delivery/certificate_id.h"
#include "delivery/delivery_internal.h"
#include "delivery/escrow.h"
#include "delivery/job_probe.h"
#include "delivery/job_tags.h"
#include "delivery/plan.h"
#include "store/events.h"
#include "store/vault.h"

enum { PACK_BYTES_MAX = 1 << 20, HOST_TEXT_MAX = 300 };

struct plan_make {
	struct delivery *delivery; /* borrowed */
	struct target_copy where;
	struct arn_choice choice;    /* of what the request names */
	char *csr_id, *requested_by; /* owned */
	bool is_new_arn, reimport_allowed, is_region_unread, auto_rollback;
	enum key_escrow escrow;
	struct bundle bundle;
	struct acm_tag tag[DELIVERY_TAGS_MAX]; /* owned texts */
	size_t tag_count;
	char *verify_host[VERIFY_HOSTS_MAX]; /* owned; "host:port" */
	size_t verify_host_count;
	struct err err; /* of what was done in start */

	char id[DELIVERY_ID_MAX + 1];
	int64_t now_s, expires_s;
	char *certificate_id;			   /* owned; NULL until it is settled */
	char same_arn[CERT_ARN_MAX + 1];	   /* holds this very leaf; "": none is known */
	char delivered_id[CERTIFICATE_ID_MAX + 1]; /* of the certificate under the ARN; "": none */
	bool has_old_key, is_at_escrow;
	struct certificate_id_view view;
	struct plan plan;
	char key_id[ESCROW_KEY_ID_MAX + 1];
	struct buf document;

	struct loop_timer *timer; /* owned; at most one of these is not NULL */
	struct remote_read *read;
	struct escrow_call *escrow_call;
	struct store_write *write;
	plan_make_done_fn *done;
	void *arg;
};

static void destroy(struct plan_make *make)
{
	loop_timer_cancel(make->timer);
	remote_read_cancel(make->read);
	escrow_call_cancel(make->escrow_call);
	store_write_cancel(make->write);
	for (size_t i = 0; i < make->tag_count; i++) {
		free(make->tag[i].key);
		free(make->tag[i].value);
	}
	for (size_t i = 0; i < make->verify_host_count; i++)
		free(make->verify_host[i]);
	arn_choice_clear(&make->choice);
	bundle_clear(&make->bundle);
	buf_clear(&make->document);
	target_copy_clear(&make->where);
	free(make->certificate_id);
	free(make->csr_id);
	free(make->requested_by);
	free(make);
}

static void finish(struct plan_make *make, const struct err *err)
{
	make->done(make->arg, err == NULL ? buf_text(&make->document) : NULL, err);
	destroy(make);
}

/* --- the request ------------------------------------------------------------------------------ */

static int copy_tags(struct plan_make *make, const struct plan_request *request, struct err *err)
{
	if (request->tag_count > DELIVERY_TAGS_MAX)
		return err_set(err, ERR_CONFIG, "more than %d tags", DELIVERY_TAGS_MAX);
	for (size_t i = 0; i < request->tag_count; i++) {
		const struct acm_tag *tag = &request->tag[i];
		if (tag->key[0] == '\0' || job_tags_is_reserved(tag->key))
			return err_set(err, ERR_CONFIG,
				"the tag key \"%.128s\" is %s: choose another one", tag->key,
				tag->key[0] == '\0' ? "empty" : "reserved");
		make->tag[make->tag_count++] =
			(struct acm_tag){.key = xstrdup(tag->key), .value = xstrdup(tag->value)};
	}
	return 0;
}

static int copy_hosts(struct plan_make *make, const struct plan_request *request, struct err *err)
{
	if (request->verify_host_count > VERIFY_HOSTS_MAX)
		return err_set(err, ERR_CONFIG, "more than %d hosts to verify", VERIFY_HOSTS_MAX);
	for (size_t i = 0; i < request->verify_host_count; i++) {
		char host[HOST_TEXT_MAX];
		int port = 0;
		if (probe_host_parse(request->verify_host[i], host, sizeof(host), &port, err) != 0)
			return -1;
		bool is_v6 = strchr(host, ':') != NULL;
		make->verify_host[make->verify_host_count++] =
			xasprintf("%s%s%s:%d", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
	}
	return 0;
}

/* --- what the store knows --------------------------------------------------------------------- */

static int check_csr_key(struct plan_make *make, struct store_txn *txn, struct err *err)
{
	struct secret key = SECRET_INIT;
	bool is_match = false;
	const struct der leaf = {.bytes = make->bundle.leaf.bytes, .len = make->bundle.leaf.len};
	if (make->csr_id[0] == '\0')
		return 0;
	if (vault_unseal(make->delivery->vault, txn, make->csr_id, &key, err) != 0)
		return err_wrap(err, "the key of CSR %s", make->csr_id);
	int rc = x509_key_matches(&key, &leaf, &is_match, err);
	secret_clear(&key);
	if (rc == 0 && !is_match)
		rc = err_set(err, ERR_CONFIG,
			"the certificate is not for the key of CSR %s: it was signed for another "
			"request",
			make->csr_id);
	return rc;
}

static int read_store(struct plan_make *make, struct err *err)
{
	struct store_txn *txn;
	if (store_read_begin(make->delivery->store, &txn, err) != 0)
		return -1;
	(void)certificate_id_find_leaf(txn, &make->where.target,
		make->bundle.leaf.facts.fingerprint_sha256, make->same_arn); /* "" if not */
	make->view = certificate_id_view(txn, &make->where.target);
	int rc = arn_choice_find(&make->choice, txn, &make->where.target, err);
	if (rc == 0)
		rc = check_csr_key(make, txn, err);
	if (rc == 0)
		rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

/* There, and of an epoch whose key is there: a store may have been restored without its vault. */
static bool can_open(struct plan_make *make, struct store_txn *txn, const char *key_id)
{
	struct secret key = SECRET_INIT;
	struct err err = ERR_INIT;
	bool is_open = vault_unseal(make->delivery->vault, txn, key_id, &key, &err) == 0;
	secret_clear(&key);
	if (!is_open && err.kind != ERR_NOT_FOUND)
		log_warning("plan id=%s reason=\"%s\" next=\"planned without a way back\"",
			make->id, err.text);
	return is_open;
}

/* What was delivered under the ARN before. */
static int read_deliveries(struct plan_make *make, struct err *err)
{
	struct store_txn *txn;
	struct job_record job;
	const struct arn_choice *choice = &make->choice;
	const unsigned char *leaf = choice->remote.facts.fingerprint_sha256;
	if (!choice->has_remote)
		return 0;
	if (store_read_begin(make->delivery->store, &txn, err) != 0)
		return -1;
	(void)certificate_id_delivered(txn, choice->arn, leaf, make->delivered_id); /* "" if not */
	make->has_old_key = choice->remote.has_facts &&
			    store_job_of_leaf(txn, choice->arn, leaf, &job) &&
			    job.new_key_id[0] != '\0' && can_open(make, txn, job.new_key_id);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

/* --- the decision ----------------------------------------------------------------------------- */

/* Over its whole life: given, on the certificate that is there, of its delivery, or made. */
static void settle_certificate_id(struct plan_make *make)
{
	char made[DELIVERY_ID_MAX + 1];
	const char *id = make->choice.certificate_id;
	if (id[0] == '\0')
		id = certificate_id_tagged(&make->choice.remote);
	if (id[0] == '\0')
		id = make->delivered_id;
	if (id[0] == '\0') {
		delivery_new_id(CERTIFICATE_ID_PREFIX, make->now_s, made);
		id = made;
	}
	make->certificate_id = xstrdup(id);
}

static void plan_it(struct plan_make *make)
{
	const struct delivery_target *at = &make->where.target;
	char off_by[160] = "", until[TEXT_TIME_MAX] = "";
	if (make->is_new_arn)
		text_copy(off_by, sizeof(off_by), "--new-arn");
	else if (!make->reimport_allowed)
		snprintf(off_by, sizeof(off_by), "reimport = no of connector %s", at->connector);
	if (make->has_old_key)
		text_format_time(make->now_s + make->delivery->times.keep_keys_s, until);
	const struct plan_input input = {.id = make->id,
		.connector = at->connector,
		.partition = at->partition,
		.account_id = at->account_id,
		.region = at->region,
		.arn = make->choice.arn,
		.certificate_id = make->certificate_id,
		.former_arn = make->choice.former_arn,
		.same_arn = make->same_arn,
		.is_unseen = make->choice.is_unseen,
		.is_region_unread = make->is_region_unread,
		.is_id_given = make->choice.certificate_id[0] != '\0',
		.was_read = make->view.was_read,
		.read_problem = make->view.problem,
		.reimport_allowed = make->choice.may_reimport,
		.reimport_off_by = off_by,
		.bundle = &make->bundle,
		.remote = make->choice.has_remote ? &make->choice.remote : NULL,
		.escrow = make->escrow,
		.has_old_key = make->has_old_key,
		.old_key_until = until,
		.tag = make->tag,
		.tag_count = make->tag_count,
		.verify_host = (const char *const *)make->verify_host,
		.verify_host_count = make->verify_host_count,
		.auto_rollback = make->auto_rollback,
		.now_s = make->now_s,
		.aws_now_s = clock_agreed_s(aws_client_now_s(at->client)),
		.expires_s = make->expires_s};
	plan_decide(&input, &make->plan);
	plan_render(&input, &make->plan, &make->document);
}

/* --- the write -------------------------------------------------------------------------------- */

static struct pack pack_tags(const struct plan_make *make, struct buf *bytes)
{
	for (size_t i = 0; i < make->tag_count; i++) {
		pack_add(bytes, make->tag[i].key);
		pack_add(bytes, make->tag[i].value);
	}
	return (struct pack){
		.bytes = bytes->data, .len = bytes->len, .count = (uint32_t)(2 * make->tag_count)};
}

static struct pack pack_hosts(const struct plan_make *make, struct buf *bytes)
{
	for (size_t i = 0; i < make->verify_host_count; i++)
		pack_add(bytes, make->verify_host[i]);
	return (struct pack){.bytes = bytes->data,
		.len = bytes->len,
		.count = (uint32_t)make->verify_host_count};
}

static void fill_old(const struct plan_make *make, struct plan_record *plan)
{
	const struct remote_state *remote = &make->choice.remote;
	bool is_reimport = plan->decision == PLAN_REIMPORT && make->choice.has_remote;
	plan->old_serial = "";
	if (!is_reimport)
		return;
	plan->old_serial = remote->has_facts ? remote->facts.serial : remote->detail.serial;
	if (remote->has_facts)
		memcpy(plan->old_fingerprint_sha256, remote->facts.fingerprint_sha256,
			CERT_SHA256_LEN);
}

static void write_pems(struct store_txn *txn, const struct bundle *bundle, struct plan_record *plan)
{
	const struct bundle_der *leaf = &bundle->leaf;
	memcpy(plan->leaf_sha256, leaf->facts.fingerprint_sha256, CERT_SHA256_LEN);
	store_pem_put(txn, plan->leaf_sha256, leaf->bytes, leaf->len);
	plan->chain_count = (uint32_t)bundle->chain_count;
	for (size_t i = 0; i < bundle->chain_count; i++) {
		const struct bundle_der *der = &bundle->chain[i];
		memcpy(plan->chain_sha256[i], der->facts.fingerprint_sha256, CERT_SHA256_LEN);
		store_pem_put(txn, plan->chain_sha256[i], der->bytes, der->len);
	}
}

/* A request may have been dropped while ACM was asked. */
static bool is_request_gone(const struct plan_make *make, struct store_txn *txn)
{
	if (make->csr_id[0] == '\0' || store_vault_has(txn, make->csr_id))
		return false;
	store_txn_fail_as(txn, ERR_NOT_FOUND,
		"the key of CSR %s was wiped meanwhile: ask for a new certificate", make->csr_id);
	return true;
}

/* The store may roll this back and run it again, so it changes nothing but txn. */
static void write_plan(struct store_txn *txn, void *arg)
{
	const struct plan_make *make = arg;
	const struct delivery_target *at = &make->where.target;
	struct buf tags, hosts;
	char detail[PLAN_TEXT_MAX + 128];
	if (is_request_gone(make, txn))
		return;
	buf_init(&tags, PACK_BYTES_MAX);
	buf_init(&hosts, PACK_BYTES_MAX);
	struct plan_record plan = {.id = make->id,
		.connector = at->connector,
		.account_id = at->account_id,
		.region = at->region,
		.arn = make->plan.decision == PLAN_IMPORT_NEW ? "" : make->choice.arn,
		.certificate_id = make->certificate_id,
		.decision = make->plan.decision,
		.created_s = make->now_s,
		.expires_s = make->expires_s,
		.escrow = make->escrow,
		.key_id = make->key_id,
		.tags = pack_tags(make, &tags),
		.verify_hosts = pack_hosts(make, &hosts),
		.may_roll_back = make->plan.may_roll_back,
		.auto_rollback = make->auto_rollback,
		.rollback_reason = make->plan.rollback_reason,
		.job_id = "",
		.requested_by = make->requested_by,
		.document = buf_text(&make->document)};
	fill_old(make, &plan);
	write_pems(txn, &make->bundle, &plan);
	store_plan_put(txn, &plan);
	snprintf(detail, sizeof(detail), "plan %s: %s: %s", make->id,
		plan_decision_name(make->plan.decision), make->plan.reason);
	store_event_append(txn, &(struct event_record){.at_s = make->now_s,
					.kind = EVENT_OPERATOR,
					.connector = at->connector,
					.account_id = at->account_id,
					.region = at->region,
					.arn = make->choice.arn,
					.subject = make->requested_by,
					.detail = detail});
	buf_clear(&tags);
	buf_clear(&hosts);
}

static void on_commit(void *arg, const struct err *err)
{
	struct plan_make *make = arg;
	make->write = NULL;
	finish(make, err);
}

static void commit(struct plan_make *make)
{
	make->write = store_write_start(make->delivery->store, write_plan, make, on_commit, make);
}

/* --- the flow --------------------------------------------------------------------------------- */

static void on_put(void *arg, struct secret *key, const struct err *put_err)
{
	struct plan_make *make = arg;
	(void)key; /* a put brings none */
	make->escrow_call = NULL;
	if (put_err != NULL) {
		struct err err = *put_err;
		err_wrap(&err, "key escrow %s", key_escrow_name(make->escrow));
		finish(make, &err);
		return;
	}
	make->is_at_escrow = false;
	secret_clear(&make->bundle.key_pem);
	commit(make);
}

static void put_key(struct plan_make *make)
{
	bool has_key = make->csr_id[0] == '\0' && secret_is_set(&make->bundle.key_pem);
	if (make->csr_id[0] != '\0')
		text_copy(make->key_id, sizeof(make->key_id), make->csr_id);
	if (make->plan.decision == PLAN_REFUSE || !has_key) {
		commit(make);
		return;
	}
	escrow_key_id(make->delivery, make->escrow, make->id, make->key_id);
	const struct escrow_place place = {.kind = make->escrow,
		.key_id = make->key_id,
		.plan_id = make->id,
		.target = &make->where.target};
	make->is_at_escrow = true;
	make->escrow_call = escrow_put_start(
		make->delivery, &place, &make->bundle.key_pem, make->expires_s, on_put, make);
}

static void decide(struct plan_make *make)
{
	struct err err = ERR_INIT;
	if (read_deliveries(make, &err) != 0) {
		finish(make, &err);
		return;
	}
	settle_certificate_id(make);
	plan_it(make);
	if (buf_check(&make->document, "the plan", &err) != 0) {
		finish(make, &err);
		return;
	}
	put_key(make);
}

static void on_remote(void *arg, struct remote_state *state, const struct err *read_err);

static void look_on(struct plan_make *make)
{
	const char *arn = arn_choice_next(&make->choice);
	if (arn == NULL)
		decide(make);
	else
		make->read = remote_read_start(
			make->where.target.client, make->where.target.region, arn, on_remote, make);
}

static void on_remote(void *arg, struct remote_state *state, const struct err *read_err)
{
	struct plan_make *make = arg;
	struct err err = ERR_INIT;
	make->read = NULL;
	if (read_err != NULL)
		finish(make, read_err);
	else if (arn_choice_take(&make->choice, state, &err) != 0)
		finish(make, &err);
	else
		look_on(make);
}

static void on_turn(void *arg)
{
	struct plan_make *make = arg;
	struct err err = make->err;
	make->timer = NULL;
	int rc = err.kind != ERR_NONE ? -1
				      : arn_choice_check(&make->choice, &make->where.target, &err);
	if (rc == 0)
		rc = read_store(make, &err);
	if (rc != 0)
		finish(make, &err);
	else
		look_on(make);
}

struct plan_make *plan_make_start(struct delivery *delivery, const struct delivery_target *target,
	const struct plan_request *request, plan_make_done_fn *done, void *arg)
{
	struct plan_make *make = xcalloc(1, sizeof(*make));
	make->delivery = delivery;
	target_copy_make(target, &make->where);
	make->csr_id = xstrdup(request->csr_id != NULL ? request->csr_id : "");
	make->requested_by = xstrdup(request->requested_by != NULL ? request->requested_by : "");
	make->is_new_arn = request->is_new_arn;
	make->reimport_allowed = request->reimport_allowed;
	make->is_region_unread = request->is_region_unread;
	make->auto_rollback = request->auto_rollback;
	make->escrow = make->csr_id[0] != '\0' ? ESCROW_SENSOR : request->escrow;
	make->bundle = *request->bundle;
	*request->bundle = (struct bundle){.chain_count = 0};
	make->now_s = clock_now_s();
	arn_choice_init(&make->choice, request->arn, request->certificate_id,
		request->reimport_allowed && !request->is_new_arn, make->now_s);
	make->expires_s = make->now_s + delivery->times.plan_life_s;
	delivery_new_id(PLAN_ID_PREFIX, make->now_s, make->id);
	buf_init(&make->document, PLAN_DOCUMENT_MAX);
	make->done = done;
	make->arg = arg;
	if (copy_tags(make, request, &make->err) == 0)
		(void)copy_hosts(make, request, &make->err); /* told in the first turn */
	make->timer = loop_timer_start(delivery->loop, 0, on_turn, make);
	return make;
}

bool plan_make_is_at_escrow(const struct plan_make *make)
{
	return make->is_at_escrow;
}

void plan_make_cancel(struct plan_make *make)
{
	if (make != NULL)
		destroy(make);
}
