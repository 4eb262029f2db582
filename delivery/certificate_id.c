/* Certificates by their id; see certificate_id.h. */
#include "delivery/certificate_id.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "delivery/cert_view.h"
#include "delivery/delivery_internal.h"
#include "delivery/job_next.h"
#include "delivery/remote.h"
#include "store/cert_query.h"
#include "store/coverage.h"

/* A scan succeeds when it is written, some time after it looked. */
enum { SCAN_MAX_S = 3600, SCANNED_MAX = 256 };

int certificate_id_check(const char *id, struct err *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_.:/=+-@";
	if (strlen(id) > CERTIFICATE_ID_MAX || id[strspn(id, letters)] != '\0')
		return err_set(err, ERR_CONFIG,
			"the certificate id \"%.140s\" is not 1 to %d letters, digits or _.:/=+-@",
			id, CERTIFICATE_ID_MAX);
	return 0;
}

const char *certificate_id_tagged(const struct remote_state *remote)
{
	for (size_t i = 0; i < remote->tags.count; i++)
		if (strcmp(remote->tags.item[i].key, TAG_CERTIFICATE_ID) == 0)
			return remote->tags.item[i].value;
	return "";
}

bool certificate_id_delivered(struct store_txn *txn, const char *arn,
	const unsigned char *leaf_sha256, char ret_id[CERTIFICATE_ID_MAX + 1])
{
	struct job_record last;
	bool is_delivered = store_job_last_of_arn(txn, arn, &last) ||
			    store_job_of_leaf(txn, arn, leaf_sha256, &last);
	if (!is_delivered || strlen(last.certificate_id) > CERTIFICATE_ID_MAX)
		return false; /* one that was longer was a tag of others, which nobody can give */
	return text_copy(ret_id, CERTIFICATE_ID_MAX + 1, last.certificate_id);
}

/* Without the tag, which could not be set or read, or which a tool that sets all tags took away,
 * the deliveries tell. */
static bool carries(
	struct store_txn *txn, const struct cert_record *cert, const char *certificate_id)
{
	char delivered[CERTIFICATE_ID_MAX + 1];
	for (const char *key = NULL, *value = NULL; pack_next_pair(&cert->tags, &key, &value);)
		if (strcmp(key, TAG_CERTIFICATE_ID) == 0)
			return strcmp(value, certificate_id) == 0;
	return certificate_id_delivered(txn, cert->arn, cert->fingerprint_sha256, delivered) &&
	       strcmp(delivered, certificate_id) == 0;
}

static int add(struct certificate_id_arns *found, const char *certificate_id, const char *arn,
	int64_t since_s, struct err *err)
{
	size_t i = 0;
	while (i < found->count && strcmp(found->item[i].arn, arn) != 0)
		i++;
	if (i == CERTIFICATE_ID_ARNS_MAX)
		return err_set(err, ERR_LIMIT,
			"more than %d certificates carry the id %s, such as %.200s: name one with "
			"its ARN",
			CERTIFICATE_ID_ARNS_MAX, certificate_id, arn);
	struct certificate_id_arn *item = &found->item[i];
	bool is_new = i == found->count;
	found->count += is_new;
	text_copy(item->arn, sizeof(item->arn), arn);
	if (is_new || since_s < item->since_s)
		item->since_s = since_s;
	return 0;
}

struct certificate_id_view certificate_id_view(
	struct store_txn *txn, const struct delivery_target *at)
{
	struct coverage_record coverage;
	struct certificate_id_view view = {.was_read = false};
	if (!store_coverage_get(txn, at->connector, at->account_id, at->region, &coverage) &&
		!store_coverage_get(
			txn, at->connector, at->account_id, COVERAGE_ANY_REGION, &coverage))
		return view;
	view.was_read = coverage.last_success_s != 0;
	if (coverage.state != COVERAGE_OK)
		tell(view.problem, sizeof(view.problem), "%s%s%s",
			coverage_state_name(coverage.state), coverage.reason[0] != '\0' ? ": " : "",
			coverage.reason);
	return view;
}

/* --- walking jobs ----------------------------------------------------------------------------- */

/* Of jobs of that kind that may have ended after since_s; ids begin with the time of the order. */
static void begin_at(char prefix, int64_t since_s, char ret_position[DELIVERY_ID_MAX + 1])
{
	int64_t ordered_s = since_s - JOB_LIFE_S;
	delivery_new_id(prefix, ordered_s > 0 ? ordered_s : 0, ret_position);
}

static bool next_of_kind(
	struct store_txn *txn, char prefix, char *position, struct job_record *ret_job)
{
	return store_job_next(txn, position, ret_job) && ret_job->id[0] == prefix;
}

/* --- the inventory ---------------------------------------------------------------------------- */

/* A job that found nothing to delete proves less: a first import may not have shown yet. */
bool certificate_id_was_deleted(struct store_txn *txn, const char *arn, int64_t since_s)
{
	char position[DELIVERY_ID_MAX + 1];
	struct job_record job;
	begin_at(JOB_ID_DELETE, since_s, position);
	while (next_of_kind(txn, JOB_ID_DELETE, position, &job))
		if (job.state == JOB_SUCCEEDED && job.old_serial[0] != '\0' &&
			strcmp(job.arn, arn) == 0)
			return true;
	return false;
}

static int find_in_inventory(struct store_txn *txn, const struct delivery_target *at,
	const char *certificate_id, struct certificate_id_arns *found, struct err *err)
{
	char position[CERT_ARN_MAX + 1] = "";
	struct cert_record cert;
	while (store_cert_next_in_region(
		txn, at->partition, at->region, at->account_id, position, &cert)) {
		if (cert.gone_s != 0 || !carries(txn, &cert, certificate_id) ||
			certificate_id_was_deleted(txn, cert.arn, 0))
			continue;
		if (add(found, certificate_id, cert.arn, cert.first_seen_s, err) != 0)
			return -1;
	}
	return 0;
}

/* --- jobs ------------------------------------------------------------------------------------- */

static bool is_in(const struct job_record *job, const char *account_id, const char *region)
{
	return strcmp(job->account_id, account_id) == 0 && strcmp(job->region, region) == 0;
}

static bool has_its_id(const struct job_record *job, const struct plan_record *plan)
{
	return strcmp(job->certificate_id, plan->certificate_id) == 0;
}

static bool is_of(const struct job_record *job, const struct plan_record *plan)
{
	bool has_its_leaf =
		memcmp(job->new_fingerprint_sha256, plan->leaf_sha256, CERT_SHA256_LEN) == 0;
	return (has_its_leaf || has_its_id(job, plan)) &&
	       is_in(job, plan->account_id, plan->region);
}

/* Who delivers one certificate again and again may plan in the second in which the last job ended:
 * such a plan has told of its leaf. */
static bool ended_since(const struct job_record *job, const struct plan_record *plan)
{
	return job->ended_s > plan->created_s ||
	       (job->ended_s == plan->created_s && has_its_id(job, plan));
}

/* By a scan, or by this sensor. */
static bool is_gone_since(struct store_txn *txn, const char *arn, int64_t since_s)
{
	struct cert_record cert;
	return (store_cert_get(txn, arn, &cert) && cert.gone_s > since_s) ||
	       certificate_id_was_deleted(txn, arn, since_s);
}

/* Before it nothing is looked at: a scan has shown since what those jobs left. Unless the clock was
 * set back since: then it is not known which of them it has seen. */
static int64_t scanned_s(struct store_txn *txn, const struct delivery_target *at)
{
	struct coverage_record coverage;
	bool is_scanned =
		store_coverage_get(txn, at->connector, at->account_id, at->region, &coverage) &&
		coverage.last_success_s <= clock_now_s();
	return is_scanned ? coverage.last_success_s - SCAN_MAX_S : 0;
}

/* The next that may have put a certificate there that no scan has shown. Whether it is gone is
 * asked of those that matter only: that walks through jobs again. */
static bool next_delivery(struct store_txn *txn, const struct delivery_target *at, int64_t since_s,
	char *position, struct job_record *ret_job)
{
	struct job_record job;
	while (next_of_kind(txn, JOB_ID_DELIVER, position, &job)) {
		bool is_scanned_since = job.state != JOB_RUNNING && job.ended_s < since_s;
		if (is_scanned_since || job.arn[0] == '\0' || !job.may_have_imported ||
			!is_in(&job, at->account_id, at->region))
			continue;
		*ret_job = job;
		return true;
	}
	return false;
}

static int find_in_jobs(struct store_txn *txn, const struct delivery_target *at,
	const char *certificate_id, struct certificate_id_arns *found, struct err *err)
{
	char position[DELIVERY_ID_MAX + 1];
	struct job_record job;
	int64_t since_s = scanned_s(txn, at);
	begin_at(JOB_ID_DELIVER, since_s, position);
	while (next_delivery(txn, at, since_s, position, &job))
		if (strcmp(job.certificate_id, certificate_id) == 0 &&
			!is_gone_since(txn, job.arn, job.created_s) &&
			add(found, certificate_id, job.arn, job.created_s, err) != 0)
			return -1;
	return 0;
}

int certificate_id_find(struct store_txn *txn, const struct delivery_target *at,
	const char *certificate_id, struct certificate_id_arns *ret_arns, struct err *err)
{
	struct certificate_id_arns found = {.count = 0};
	if (find_in_inventory(txn, at, certificate_id, &found, err) != 0 ||
		find_in_jobs(txn, at, certificate_id, &found, err) != 0 ||
		store_txn_check(txn, err) != 0)
		return -1;
	*ret_arns = found;
	return 0;
}

bool certificate_id_is_gone(const struct certificate_id_arn *carrier, int64_t now_s)
{
	return now_s - carrier->since_s >= CERTIFICATE_ID_SHOWS_S;
}

bool certificate_id_delivered_since(
	struct store_txn *txn, const struct plan_record *plan, struct job_record *ret_job)
{
	char position[DELIVERY_ID_MAX + 1] = "";
	struct job_record job;
	while (store_job_next_running(txn, position, &job)) {
		if (job.kind != JOB_DELIVER || !is_of(&job, plan))
			continue;
		*ret_job = job;
		return true;
	}
	begin_at(JOB_ID_DELIVER, plan->created_s, position);
	while (next_of_kind(txn, JOB_ID_DELIVER, position, &job)) {
		if (!ended_since(&job, plan) || !job.may_have_imported || !is_of(&job, plan) ||
			certificate_id_was_deleted(txn, job.arn, job.created_s))
			continue;
		*ret_job = job;
		return true;
	}
	return false;
}

/* --- the same certificate --------------------------------------------------------------------- */

static bool find_leaf_in_inventory(struct store_txn *txn, const struct delivery_target *at,
	const unsigned char *leaf_sha256, char ret_arn[CERT_ARN_MAX + 1])
{
	char hex[2 * CERT_SHA256_LEN + 1];
	struct err unread = ERR_INIT;
	struct cert_record cert;
	bool is_end = false, is_found = false;
	text_hex(leaf_sha256, CERT_SHA256_LEN, hex);
	struct cert_query *query =
		cert_query_new(&(struct cert_filter){.account_id = at->account_id,
				       .region = at->region,
				       .fingerprint = hex,
				       .in_use = -1},
			CERT_SORT_EXPIRES, &unread);
	if (query == NULL)
		return false;
	while (!is_found && !is_end)
		is_found = cert_query_next(query, txn, SCANNED_MAX, &cert, &is_end) &&
			   !certificate_id_was_deleted(txn, cert.arn, 0);
	cert_query_free(query);
	if (is_found)
		text_copy(ret_arn, CERT_ARN_MAX + 1, cert.arn);
	return is_found;
}

bool certificate_id_find_leaf(struct store_txn *txn, const struct delivery_target *at,
	const unsigned char *leaf_sha256, char ret_arn[CERT_ARN_MAX + 1])
{
	char position[DELIVERY_ID_MAX + 1];
	struct job_record job;
	int64_t since_s = scanned_s(txn, at);
	if (find_leaf_in_inventory(txn, at, leaf_sha256, ret_arn))
		return true;
	begin_at(JOB_ID_DELIVER, since_s, position);
	while (next_delivery(txn, at, since_s, position, &job)) {
		if (memcmp(job.new_fingerprint_sha256, leaf_sha256, CERT_SHA256_LEN) != 0 ||
			is_gone_since(txn, job.arn, job.created_s))
			continue;
		text_copy(ret_arn, CERT_ARN_MAX + 1, job.arn);
		return true;
	}
	return false;
}
