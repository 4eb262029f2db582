/*
 * What a complete list of one account-region means, compared with the store: whom to ask more
 * about, who is gone, who has expired. It reads the store and decides; it asks and writes nothing.
 */
#ifndef DISCOVERY_SCAN_PLAN_H
#define DISCOVERY_SCAN_PLAN_H

#include "aws/acm_read.h"
#include "discovery/cert_diff.h"
#include "discovery/cert_fields.h"
#include "discovery/cert_pem.h"
#include "discovery/change.h"
#include "discovery/import_policy.h"

struct err;
struct store_txn;

/* A certificate that is asked about, or written for another reason. */
struct scan_item {
	struct acm_summary summary; /* owned; its texts are freed once the item is built */
	enum change change;
	char *serial;	     /* owned; as stored, "" when new */
	int64_t not_after_s; /* as stored */
	/* Once built: */
	bool is_put;
	struct cert_copy built; /* owned */
	struct cert_der leaf;	/* owned; .bytes NULL: the store has it, or there is none */
	bool has_event;
	enum event_kind kind;
	char *detail; /* owned; of the event */
};

struct scan_plan {
	struct scan_item *item; /* owned; in order of ARN */
	size_t count, capacity;
	struct acm_text_list gone, expired; /* owned; ARNs of certificates in the store */
	int64_t listed;			    /* distinct certificates */
	int64_t tracked;		    /* of them in the store afterwards */
};

struct scan_plan_input {
	const char *connector, *partition, *account_id, *region;
	const struct import_policy *import;
	int64_t detail_max_age_s;
	int64_t now_s;
	bool hides_acme; /* the list was asked for in the way that leaves ACME's certificates out */
};

/*
 * list      emptied: what the plan needs is moved, the rest is freed. A certificate listed twice
 *           (they move between pages) counts once, as listed last.
 * errors    none; ask store_txn_check afterwards
 */
void scan_plan_make(const struct scan_plan_input *input, struct store_txn *txn,
	struct acm_summary_list *list, struct scan_plan *ret_plan);
void scan_plan_clear(struct scan_plan *plan); /* zeroed is fine */

/* ERR_PROTOCOL: an ARN from first on is not of this place; ERR_LIMIT: longer than the store
 * takes. */
int scan_plan_check_arns(const struct scan_plan_input *input, const struct acm_summary_list *list,
	size_t first, struct err *err);

#endif
