/*
 * One account in one region.
 *
 *   start -> WAIT_PAGE -(last page)-> WAIT_DETAILS -(nobody left to ask)-> WAIT_COMMIT -> DONE
 *             |     ^                  |        ^                                         ^
 *             +-----+ NextToken        +--------+ one certificate            any error ---+
 *
 * In WAIT_DETAILS a pump keeps a few cert_fetch running over the items of the plan. Nothing is
 * written before all is read, and then in one write.
 */
#include "discovery/acm_scan.h"

#include <stdlib.h>
#include <string.h>

#include "aws/acm_read.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "discovery/cert_build.h"
#include "discovery/cert_fetch.h"
#include "discovery/scan_plan.h"
#include "store/events.h"

enum state { WAIT_PAGE, WAIT_DETAILS, WAIT_COMMIT, DONE };
static const char *const state_name[] = {"WAIT_PAGE", "WAIT_DETAILS", "WAIT_COMMIT", "DONE"};

/* A place for one certificate that is asked about. */
struct slot {
	struct acm_scan *scan;	  /* borrowed: its scan */
	struct cert_fetch *fetch; /* owned until it ends; NULL: free */
	struct scan_item *item;	  /* borrowed from the plan */
};

/* Chain certificates that the store lacks; most certificates share a few. */
struct chain_set {
	struct cert_der *der; /* owned, each owned */
	size_t count, capacity;
};

struct acm_scan {
	enum state state;
	struct aws_client *client;			   /* borrowed; outlives the scan */
	struct store *store;				   /* borrowed; outlives the scan */
	char *connector, *partition, *account_id, *region; /* owned */
	struct import_policy import;
	int64_t detail_max_age_s;
	bool *lacks_origins; /* borrowed; or NULL */
	acm_scan_write_fn *also_write;
	acm_scan_done_fn *done;
	void *arg;

	bool include_origins;	      /* the same on every page */
	struct aws_call *call;	      /* owned until it answers; only in WAIT_PAGE */
	struct acm_summary_list list; /* owned; grows page by page, emptied by the plan */
	char *next_token;	      /* owned; NULL asks for the first page */
	int pages;

	int64_t now_s; /* when the list was complete: the moment that the scan speaks of */
	struct scan_plan plan;
	size_t next;	   /* item of the plan that is asked about next */
	struct slot *slot; /* owned, slot_count of them */
	size_t slot_count;
	struct cert_fetch_trouble trouble;
	struct chain_set chains;
	struct store_write *write; /* owned until it ends; only in WAIT_COMMIT */
	struct acm_scan_result result;
};

static void on_page(void *arg, const struct aws_reply *reply, const struct err *call_err);
static void on_fetched(void *arg, struct cert_fetched *fetched, const struct err *fetch_err);
static void on_committed(void *arg, const struct err *write_err);

static void destroy(struct acm_scan *scan)
{
	aws_call_cancel(scan->call);
	for (size_t i = 0; i < scan->slot_count; i++)
		cert_fetch_cancel(scan->slot[i].fetch);
	store_write_cancel(scan->write);
	free(scan->slot);
	acm_summary_list_clear(&scan->list);
	scan_plan_clear(&scan->plan);
	for (size_t i = 0; i < scan->chains.count; i++)
		cert_der_clear(&scan->chains.der[i]);
	free(scan->chains.der);
	free(scan->next_token);
	free(scan->connector);
	free(scan->partition);
	free(scan->account_id);
	free(scan->region);
	free(scan);
}

/* --- pages ------------------------------------------------------------------------------------ */

static void ask_page(struct acm_scan *scan)
{
	const struct acm_list_options options = {
		.include_origins = scan->include_origins, .next_token = scan->next_token};
	scan->call =
		acm_list_certificates_start(scan->client, scan->region, &options, on_page, scan);
}

/* An older partition refuses the parameter; only the first page can tell. */
static bool is_origins_refused(const struct acm_scan *scan, const struct err *err)
{
	return scan->include_origins && scan->pages == 0 && err->kind == ERR_REFUSED &&
	       (strcmp(err->code, "ValidationException") == 0 ||
		       strcmp(err->code, "SerializationException") == 0);
}

static struct scan_plan_input plan_input(const struct acm_scan *scan)
{
	return (struct scan_plan_input){.connector = scan->connector,
		.partition = scan->partition,
		.account_id = scan->account_id,
		.region = scan->region,
		.import = &scan->import,
		.detail_max_age_s = scan->detail_max_age_s,
		.now_s = scan->now_s,
		.hides_acme = !scan->include_origins};
}

static int check_page(struct acm_scan *scan, size_t first, struct err *err)
{
	struct scan_plan_input input = plan_input(scan);
	if (scan_plan_check_arns(&input, &scan->list, first, err) != 0)
		return -1;
	if (scan->list.count > ACM_SCAN_CERTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d certificates", ACM_SCAN_CERTS_MAX);
	if (scan->next_token != NULL && scan->pages >= ACM_SCAN_PAGES_MAX)
		return err_set(err, ERR_LIMIT, "more than %d pages", ACM_SCAN_PAGES_MAX);
	return 0;
}

static int take_page(struct acm_scan *scan, const struct aws_reply *reply, struct err *err)
{
	size_t first = scan->list.count;
	scan->pages++;
	if (acm_list_certificates_take(reply, &scan->list, &scan->next_token, err) != 0 ||
		check_page(scan, first, err) != 0)
		return err_wrap(err, "acm ListCertificates page %d", scan->pages);
	if (!scan->include_origins && scan->lacks_origins != NULL)
		*scan->lacks_origins = true; /* it answers without, so that was what it refused */
	return 0;
}

static int make_plan(struct acm_scan *scan, struct err *err)
{
	struct store_txn *txn;
	scan->now_s = aws_client_now_s(scan->client); /* a clock that is off expires nothing */
	scan->result.now_s = scan->now_s;
	if (store_read_begin(scan->store, &txn, err) != 0)
		return -1;
	struct scan_plan_input input = plan_input(scan);
	scan_plan_make(&input, txn, &scan->list, &scan->plan);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	scan->result.listed = scan->plan.listed;
	scan->result.tracked = scan->plan.tracked;
	scan->result.gone = (int64_t)scan->plan.gone.count;
	return rc;
}

/* --- one certificate -------------------------------------------------------------------------- */

static bool is_in_set(const struct chain_set *set, const unsigned char *sha256)
{
	for (size_t i = 0; i < set->count; i++) {
		if (memcmp(set->der[i].sha256, sha256, CERT_SHA256_LEN) == 0)
			return true;
	}
	return false;
}

/* Moves out of chain what neither the store nor the scan has yet. */
static void keep_chain(struct chain_set *set, struct store_txn *txn, struct cert_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		struct cert_der *der = &chain->der[i];
		const void *stored;
		size_t len;
		if (is_in_set(set, der->sha256) || store_pem_get(txn, der->sha256, &stored, &len))
			continue;
		set->der = xgrow(set->der, &set->capacity, set->count, sizeof(*set->der));
		set->der[set->count++] = *der;
		der->bytes = NULL;
	}
}

static void keep_leaf(
	struct scan_item *item, const struct cert_record *previous, struct cert_fetched *fetched)
{
	bool is_stored =
		previous != NULL && previous->has_pem &&
		memcmp(previous->fingerprint_sha256, fetched->leaf.sha256, CERT_SHA256_LEN) == 0;
	if (is_stored)
		return;
	item->leaf = fetched->leaf;
	fetched->leaf.bytes = NULL;
}

static void count_event(struct acm_scan_result *result, const struct cert_diff *diff)
{
	if (!diff->has_event)
		return;
	if (diff->kind == EVENT_CERT_APPEARED)
		result->appeared++;
	else
		result->changed++;
}

static void compare_item(
	struct acm_scan *scan, struct scan_item *item, const struct cert_record *previous)
{
	struct cert_diff diff;
	const struct cert_record *now = &item->built.record;
	cert_diff_make(previous, now, &diff);
	item->is_put = previous == NULL || diff.differs || now->detailed_s != previous->detailed_s;
	item->has_event = diff.has_event;
	item->kind = diff.kind;
	item->detail = xstrdup(diff.detail);
	count_event(&scan->result, &diff);
	if (now->detail_error[0] != '\0')
		scan->result.detail_failed++;
	if (!item->is_put)
		cert_copy_clear(&item->built);
}

/* Makes of an item all that the write needs. fetched: NULL: nothing was asked. */
static int build_item(struct acm_scan *scan, struct scan_item *item, struct cert_fetched *fetched,
	struct err *err)
{
	struct store_txn *txn;
	struct cert_record stored;
	if (store_read_begin(scan->store, &txn, err) != 0)
		return -1;
	bool is_known = store_cert_get(txn, item->summary.arn, &stored);
	const struct cert_build_input input = {.connector = scan->connector,
		.account_id = scan->account_id,
		.region = scan->region,
		.summary = &item->summary,
		.fetched = fetched,
		.previous = is_known ? &stored : NULL,
		.now_s = scan->now_s};
	cert_build(&input, &item->built);
	compare_item(scan, item, input.previous);
	if (fetched != NULL) {
		scan->result.described += fetched->has_detail;
		keep_chain(&scan->chains, txn, &fetched->chain);
		keep_leaf(item, input.previous, fetched);
	}
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	free(item->summary.arn);
	free(item->summary.domain_name);
	item->summary.arn = item->summary.domain_name = NULL;
	return rc;
}

/* --- the write -------------------------------------------------------------------------------- */

static void append_event(struct store_txn *txn, const struct acm_scan *scan, enum event_kind kind,
	const struct cert_record *record, const char *detail)
{
	store_event_append(txn, &(struct event_record){.at_s = scan->now_s,
					.kind = kind,
					.connector = scan->connector,
					.account_id = scan->account_id,
					.region = scan->region,
					.arn = record->arn,
					.subject = record->domain_name,
					.detail = detail});
}

static void write_item(
	struct store_txn *txn, const struct acm_scan *scan, const struct scan_item *item)
{
	const struct cert_record *record = &item->built.record;
	if (!item->is_put)
		return;
	if (item->leaf.bytes != NULL)
		store_pem_put(txn, item->leaf.sha256, item->leaf.bytes, item->leaf.len);
	store_cert_put(txn, record);
	if (item->has_event)
		append_event(txn, scan, item->kind, record, item->detail);
}

/* A stored certificate that has only come to its end, or is gone (and gets its mark). */
static void write_notice(
	struct store_txn *txn, const struct acm_scan *scan, const char *arn, enum event_kind kind)
{
	struct cert_record stored;
	struct cert_copy copy; /* what is read is valid only until the next change */
	if (!store_cert_get(txn, arn, &stored))
		return;
	cert_copy_make(&stored, &copy);
	if (kind == EVENT_CERT_GONE) {
		copy.record.gone_s = scan->now_s;
		store_cert_put(txn, &copy.record);
	}
	append_event(txn, scan, kind, &copy.record, "");
	cert_copy_clear(&copy);
}

/* The store may roll this back and run it again, so it changes nothing but txn. */
static void write_scan(struct store_txn *txn, void *arg)
{
	const struct acm_scan *scan = arg;
	const struct scan_plan *plan = &scan->plan;
	for (size_t i = 0; i < scan->chains.count; i++)
		store_pem_put(txn, scan->chains.der[i].sha256, scan->chains.der[i].bytes,
			scan->chains.der[i].len);
	for (size_t i = 0; i < plan->count; i++)
		write_item(txn, scan, &plan->item[i]);
	for (size_t i = 0; i < plan->gone.count; i++)
		write_notice(txn, scan, plan->gone.item[i], EVENT_CERT_GONE);
	for (size_t i = 0; i < plan->expired.count; i++)
		write_notice(txn, scan, plan->expired.item[i], EVENT_CERT_EXPIRED);
	if (scan->also_write != NULL)
		scan->also_write(txn, &scan->result, scan->arg);
}

/* --- the flow --------------------------------------------------------------------------------- */

static void make_slots(struct acm_scan *scan)
{
	size_t asked = 0;
	for (size_t i = 0; i < scan->plan.count; i++)
		asked += scan->plan.item[i].change != CHANGE_NONE;
	size_t count = asked / ACM_SCAN_DETAILS_SHARE;
	if (count < ACM_SCAN_DETAILS_AT_ONCE_MIN)
		count = ACM_SCAN_DETAILS_AT_ONCE_MIN;
	if (count > ACM_SCAN_DETAILS_AT_ONCE_MAX)
		count = ACM_SCAN_DETAILS_AT_ONCE_MAX;
	scan->slot = xcalloc(count, sizeof(*scan->slot));
	scan->slot_count = count;
}

static struct slot *free_slot(struct acm_scan *scan)
{
	for (size_t i = 0; i < scan->slot_count; i++) {
		if (scan->slot[i].fetch == NULL)
			return &scan->slot[i];
	}
	return NULL;
}

static bool is_idle(const struct acm_scan *scan)
{
	for (size_t i = 0; i < scan->slot_count; i++) {
		if (scan->slot[i].fetch != NULL)
			return false;
	}
	return true;
}

/* Asks about an item, or builds it at once when there is nothing to ask, or no use in asking. */
static int start_item(
	struct acm_scan *scan, struct slot *slot, struct scan_item *item, struct err *err)
{
	if (item->change == CHANGE_NONE)
		return build_item(scan, item, NULL, err);
	const struct cert_fetch_options options = {.client = scan->client,
		.region = scan->region,
		.arn = item->summary.arn,
		.status = item->summary.status,
		.change = item->change,
		.serial = item->serial,
		.not_after_s = item->not_after_s,
		.trouble = &scan->trouble};
	struct cert_fetched given_up;
	if (cert_fetch_is_hopeless(&options, &given_up)) {
		int rc = build_item(scan, item, &given_up, err);
		cert_fetched_clear(&given_up);
		return rc;
	}
	*slot = (struct slot){.scan = scan, .item = item};
	slot->fetch = cert_fetch_start(&options, on_fetched, slot);
	return 0;
}

/* Fills the free slots; when nobody is left to ask, starts the write. */
static int pump(struct acm_scan *scan, struct err *err)
{
	struct slot *slot;
	while (scan->next < scan->plan.count && (slot = free_slot(scan)) != NULL) {
		if (start_item(scan, slot, &scan->plan.item[scan->next++], err) != 0)
			return -1;
	}
	if (is_idle(scan)) {
		scan->state = WAIT_COMMIT;
		scan->write = store_write_start(scan->store, write_scan, scan, on_committed, scan);
	}
	return 0;
}

/* What was awaited is there: goes on to the next wait, or enters DONE. 0, or -1 and err. */
static int step(struct acm_scan *scan, const struct aws_reply *reply, struct err *err)
{
	switch (scan->state) {
	case WAIT_PAGE:
		if (take_page(scan, reply, err) != 0)
			return -1;
		if (scan->next_token != NULL) {
			ask_page(scan);
			return 0;
		}
		if (make_plan(scan, err) != 0)
			return -1;
		make_slots(scan);
		scan->state = WAIT_DETAILS;
		return pump(scan, err);
	case WAIT_DETAILS:
		return pump(scan, err);
	case WAIT_COMMIT:
		scan->state = DONE;
		return 0;
	case DONE:
		break;
	}
	abort(); /* an answer after the end is a bug below */
}

/* The end of every turn: waits on, or tells the owner and ends. */
static void end_turn(struct acm_scan *scan, int rc, const struct err *err)
{
	log_debug("acm_scan %s/%s state=%s rc=%d", scan->account_id, scan->region,
		state_name[scan->state], rc);
	if (rc == 0 && scan->state != DONE)
		return;
	scan->done(scan->arg, rc == 0 ? &scan->result : NULL, rc != 0 ? err : NULL);
	destroy(scan);
}

static void on_page(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct acm_scan *scan = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	scan->call = NULL;
	if (call_err != NULL && is_origins_refused(scan, call_err)) {
		scan->include_origins = false;
		ask_page(scan);
		return;
	}
	int rc = call_err != NULL ? -1 : step(scan, reply, &err);
	end_turn(scan, rc, &err);
}

static void on_fetched(void *arg, struct cert_fetched *fetched, const struct err *fetch_err)
{
	struct slot *slot = arg;
	struct acm_scan *scan = slot->scan;
	struct err err = fetch_err != NULL ? *fetch_err : (struct err)ERR_INIT;
	slot->fetch = NULL;
	int rc = fetch_err != NULL ? -1 : build_item(scan, slot->item, fetched, &err);
	if (rc == 0)
		rc = step(scan, NULL, &err);
	end_turn(scan, rc, &err);
}

static void on_committed(void *arg, const struct err *write_err)
{
	struct acm_scan *scan = arg;
	struct err err = write_err != NULL ? *write_err : (struct err)ERR_INIT;
	scan->write = NULL;
	int rc = write_err != NULL ? -1 : step(scan, NULL, &err);
	end_turn(scan, rc, &err);
}

struct acm_scan *acm_scan_start(const struct acm_scan_options *options, acm_scan_done_fn *done)
{
	struct acm_scan *scan = xcalloc(1, sizeof(*scan));
	scan->client = options->client;
	scan->store = options->store;
	scan->connector = xstrdup(options->connector);
	scan->partition = xstrdup(options->partition);
	scan->account_id = xstrdup(options->account_id);
	scan->region = xstrdup(options->region);
	scan->import = options->import;
	scan->detail_max_age_s = options->detail_max_age_s;
	scan->lacks_origins = options->lacks_origins;
	scan->also_write = options->also_write;
	scan->done = done;
	scan->arg = options->arg;
	scan->include_origins = options->lacks_origins == NULL || !*options->lacks_origins;
	ask_page(scan);
	return scan;
}

void acm_scan_cancel(struct acm_scan *scan)
{
	if (scan != NULL)
		destroy(scan);
}
