/*
 * A certificate's id over its whole life: which ARN carries it, as the store knows. The inventory
 * has the tags of what was scanned; what this sensor delivered since, its jobs tell, so that a second
 * delivery need not wait for a scan in order not to become a second certificate.
 */
#ifndef DELIVERY_CERTIFICATE_ID_H
#define DELIVERY_CERTIFICATE_ID_H

#include "delivery/delivery.h"
#include "store/certs.h"

struct err;
struct store_txn;

/*
 * at       connector, partition, account_id, region
 * ret_arn  "": none carries it
 * errors   ERR_CONFIG: two carry the id; ERR_STORE
 */
int certificate_id_find(struct store_txn *txn, const struct delivery_target *at,
	const char *certificate_id, char ret_arn[CERT_ARN_MAX + 1], struct err *err);

/* The job that delivers, or delivered after the plan was made, another certificate under the id of a
 * plan that imports as new: to apply the plan too would make two of it. false: none. */
bool certificate_id_delivered_since(
	struct store_txn *txn, const struct plan_record *plan, struct job_record *ret_job);

#endif
