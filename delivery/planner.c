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

#include "aws/arn.h"
#include "aws/client.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
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
	char *arn, *certificate_id, *csr_id, *requested_by; /* owned */
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
	struct certificate_id_arns carriers;	  /* of the given id; read one after the other */
	size_t looked;				  /* how many of them */
	const struct certificate_id_arn *carrier; /* that is read; NULL: the given ARN */
	char former_arn[CERT_ARN_MAX + 1];	  /* carried the id, and is gone */
	struct remote_state remote;
	char same_arn[CERT_ARN_MAX + 1]; /* holds this very leaf; "": none is known */
	bool has_remote, has_old_key, is_at_escrow;
	bool is_unseen;	  /* arn is too young to be gone */
	bool is_id_given; /* certificate_id, by the request */
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
	remote_state_clear(&make->remote);
	bundle_clear(&make->bundle);
	buf_clear(&make->document);
	target_copy_clear(&make->where);
	free(make->arn);
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

static bool may_reimport(const struct plan_make *make)
{
	return make->reimport_allowed && !make->is_new_arn;
}

static int find_carriers(struct plan_make *make, struct store_txn *txn, struct err *err)
{
	struct err find_err = ERR_INIT;
	if (make->certificate_id[0] == '\0' ||
		certificate_id_find(txn, &make->where.target, make->certificate_id, &make->carriers,
			&find_err) == 0 ||
		(find_err.kind == ERR_LIMIT && !may_reimport(make)))
		return 0; /* a new ARN needs none of those that are too many */
	*err = find_err;
	return -1;
}

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
	int rc = find_carriers(make, txn, err);
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

static int read_old_key(struct plan_make *make, struct err *err)
{
	struct store_txn *txn;
	struct job_record job;
	if (!make->has_remote || !make->remote.has_facts)
		return 0;
	if (store_read_begin(make->delivery->store, &txn, err) != 0)
		return -1;
	make->has_old_key =
		store_job_of_leaf(txn, make->arn, make->remote.facts.fingerprint_sha256, &job) &&
		job.new_key_id[0] != '\0' && can_open(make, txn, job.new_key_id);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

/* --- the decision ----------------------------------------------------------------------------- */

/* The certificate's id over its whole life: given, on the certificate that is there, or made. */
static void settle_certificate_id(struct plan_make *make)
{
	char id[DELIVERY_ID_MAX + 1];
	const char *tagged = certificate_id_tagged(&make->remote);
	if (make->certificate_id[0] != '\0')
		return;
	delivery_new_id(CERTIFICATE_ID_PREFIX, make->now_s, id);
	free(make->certificate_id);
	make->certificate_id = xstrdup(tagged[0] != '\0' ? tagged : id);
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
		.arn = make->arn,
		.certificate_id = make->certificate_id,
		.former_arn = make->former_arn,
		.same_arn = make->same_arn,
		.is_unseen = make->is_unseen,
		.is_region_unread = make->is_region_unread,
		.is_id_given = make->is_id_given,
		.was_read = make->view.was_read,
		.read_problem = make->view.problem,
		.reimport_allowed = may_reimport(make),
		.reimport_off_by = off_by,
		.bundle = &make->bundle,
		.remote = make->has_remote ? &make->remote : NULL,
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
	const struct remote_state *remote = &make->remote;
	bool is_reimport = plan->decision == PLAN_REIMPORT && make->has_remote;
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
	struct err err = ERR_INIT;
	if (make->csr_id[0] == '\0' || store_vault_has(txn, make->csr_id))
		return false;
	err_set(&err, ERR_NOT_FOUND,
		"the key of CSR %s was wiped meanwhile: ask for a new certificate", make->csr_id);
	store_txn_fail(txn, &err);
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
		.arn = make->plan.decision == PLAN_IMPORT_NEW ? "" : make->arn,
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
					.arn = make->arn,
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
	if (read_old_key(make, &err) != 0) {
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

/* --- which ARN it is -------------------------------------------------------------------------- */

static void read_remote(struct plan_make *make, const char *arn);

static int refuse_second(const struct plan_make *make, const char *arn, struct err *err)
{
	return err_set(err, ERR_CONFIG,
		"two certificates would carry the id %s, %.200s and %.200s: name the one to "
		"replace by --arn alone, or import a new one with --new-arn",
		make->certificate_id, make->arn, arn);
}

/*
 * One more that may carry the id was read. What ACM has is the one, and there may be one only. What
 * it does not have was deleted by others; unless it is so young that it may have yet to show: then
 * nothing is imported anew, for that would make a second certificate.
 */
static int take_carrier(struct plan_make *make, const struct certificate_id_arn *carrier,
	struct remote_state *state, struct err *err)
{
	if (!state->exists && certificate_id_is_gone(carrier, make->now_s)) {
		text_copy(make->former_arn, sizeof(make->former_arn), carrier->arn);
		return 0;
	}
	if (make->arn[0] != '\0')
		return may_reimport(make) ? refuse_second(make, carrier->arn, err) : 0;
	if (!state->exists && !may_reimport(make))
		return 0;
	make->is_unseen = !state->exists;
	free(make->arn);
	make->arn = xstrdup(carrier->arn);
	make->remote = *state;
	*state = (struct remote_state){.exists = false};
	make->has_remote = true;
	return 0;
}

/* The one that was given may be given an id too, but keeps the one that it has. */
static int take_given(struct plan_make *make, struct remote_state *state, struct err *err)
{
	make->remote = *state;
	*state = (struct remote_state){.exists = false};
	make->has_remote = true;
	const char *tagged = certificate_id_tagged(&make->remote);
	if (make->certificate_id[0] != '\0' && tagged[0] != '\0' && may_reimport(make) &&
		strcmp(tagged, make->certificate_id) != 0)
		return err_set(err, ERR_CONFIG,
			"%.200s carries the certificate id %.140s, not %s: leave out one of --arn "
			"and --certificate-id",
			make->arn, tagged, make->certificate_id);
	return 0;
}

static void look_on(struct plan_make *make)
{
	while (make->looked < make->carriers.count) {
		const struct certificate_id_arn *carrier = &make->carriers.item[make->looked++];
		if (strcmp(carrier->arn, make->arn) == 0)
			continue; /* was given, and read */
		make->carrier = carrier;
		read_remote(make, carrier->arn);
		return;
	}
	decide(make);
}

static void on_remote(void *arg, struct remote_state *state, const struct err *read_err)
{
	struct plan_make *make = arg;
	struct err err = ERR_INIT;
	make->read = NULL;
	if (read_err != NULL) {
		finish(make, read_err);
		return;
	}
	int rc = make->carrier != NULL ? take_carrier(make, make->carrier, state, &err)
				       : take_given(make, state, &err);
	if (rc != 0)
		finish(make, &err);
	else
		look_on(make);
}

static void read_remote(struct plan_make *make, const char *arn)
{
	make->read = remote_read_start(
		make->where.target.client, make->where.target.region, arn, on_remote, make);
}

static void on_turn(void *arg)
{
	struct plan_make *make = arg;
	struct err err = make->err;
	make->timer = NULL;
	int rc = err.kind != ERR_NONE ? -1 : certificate_id_check(make->certificate_id, &err);
	if (rc == 0 && make->arn[0] != '\0') /* elsewhere is no plan that refuses but a mistake */
		rc = delivery_check_arn(&make->where.target, make->arn, &err);
	if (rc == 0)
		rc = read_store(make, &err);
	if (rc != 0)
		finish(make, &err);
	else if (make->arn[0] != '\0')
		read_remote(make, make->arn);
	else
		look_on(make);
}

struct plan_make *plan_make_start(struct delivery *delivery, const struct delivery_target *target,
	const struct plan_request *request, plan_make_done_fn *done, void *arg)
{
	struct plan_make *make = xcalloc(1, sizeof(*make));
	make->delivery = delivery;
	target_copy_make(target, &make->where);
	make->arn = xstrdup(request->arn != NULL ? request->arn : "");
	make->certificate_id =
		xstrdup(request->certificate_id != NULL ? request->certificate_id : "");
	make->is_id_given = make->certificate_id[0] != '\0';
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
