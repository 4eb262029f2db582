/*
 * A certificate's id over its whole life: which ARN carries it, as the store knows. The inventory
 * has the tags of what was scanned; what this sensor delivered since, its jobs tell, so that a
 * second delivery need not wait for a scan in order not to become a second certificate.
 */
#ifndef DELIVERY_CERTIFICATE_ID_H
#define DELIVERY_CERTIFICATE_ID_H

#include "delivery/delivery.h"
#include "store/certs.h"

struct err;
struct remote_state;
struct store_txn;

enum {
	CERTIFICATE_ID_ARNS_MAX = 8, /* one carries it, and some that others deleted, or tagged */
	/* A first import shows in every answer of ACM within seconds, in bad times minutes. That
	 * ACM does not have a younger ARN proves nothing. */
	CERTIFICATE_ID_SHOWS_S = 3600,
};

/* As one may be given: it becomes a tag's value. ERR_CONFIG */
int certificate_id_check(const char *id, struct err *err);
/* The one on what ACM holds; "": none. Borrowed. */
const char *certificate_id_tagged(const struct remote_state *remote);
/* The one under which the certificate of that ARN was delivered last, by a job that succeeded, or
 * else by one that failed and brought the leaf that is there nevertheless. false: by none. */
bool certificate_id_delivered(struct store_txn *txn, const char *arn,
	const unsigned char *leaf_sha256, char ret_id[CERTIFICATE_ID_MAX + 1]);

/* It was there by then. */
struct certificate_id_arn {
	char arn[CERT_ARN_MAX + 1];
	int64_t since_s;
};
struct certificate_id_arns {
	struct certificate_id_arn item[CERTIFICATE_ID_ARNS_MAX];
	size_t count;
};

/*
 * Those that carry the id for all that the store knows; what others deleted since the last scan is
 * among them, so ACM is to be asked.
 *
 * at      connector, partition, account_id, region
 * errors  ERR_LIMIT: more than CERTIFICATE_ID_ARNS_MAX; ERR_STORE
 */
int certificate_id_find(struct store_txn *txn, const struct delivery_target *at,
	const char *certificate_id, struct certificate_id_arns *ret_arns, struct err *err);

enum { CERTIFICATE_ID_UNREAD_MAX = 200 };
/* What the inventory is worth there: that it has no certificate with an id means something only
 * where the connector read account and region once. */
struct certificate_id_view {
	bool was_read;
	char problem[CERTIFICATE_ID_UNREAD_MAX]; /* why it cannot be read now; "": none is known */
};
struct certificate_id_view certificate_id_view(
	struct store_txn *txn, const struct delivery_target *at);

/* Whether that ACM does not have it means that it is gone, and not that it has yet to show: then to
 * import anew makes no second certificate under the id. */
bool certificate_id_is_gone(const struct certificate_id_arn *carrier, int64_t now_s);

/* Whether this sensor deleted what was under the ARN, which was there at since_s. An ARN is given
 * once, so its end is for ever, whatever a scan that had looked before wrote since. A walk through
 * the deletes since then. */
bool certificate_id_was_deleted(struct store_txn *txn, const char *arn, int64_t since_s);

/* The job that delivers, or delivered after the plan was made, another certificate under the id of
 * a plan that imports as new, or under another id the same one: to apply the plan too would make
 * two of it. false: none, or this sensor deleted it again. */
bool certificate_id_delivered_since(
	struct store_txn *txn, const struct plan_record *plan, struct job_record *ret_job);

/* The ARN under which that very leaf is in account and region of at, by the inventory or a delivery
 * since. false: none is known. */
bool certificate_id_find_leaf(struct store_txn *txn, const struct delivery_target *at,
	const unsigned char *leaf_sha256, char ret_arn[CERT_ARN_MAX + 1]);

#endif
