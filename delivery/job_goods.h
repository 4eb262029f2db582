/* What a job brings to ACM, read from the store once: leaf, chain, where the key is, tags,
 * hosts. */
#ifndef DELIVERY_JOB_GOODS_H
#define DELIVERY_JOB_GOODS_H

#include "base/buf.h"
#include "base/x509.h"
#include "store/jobs.h"

struct err;

struct job_goods {
	struct buf leaf_pem, chain_pem;
	struct x509_facts leaf; /* owned */
	enum key_escrow escrow; /* of a rollback: the vault */
	char *key_id;		/* owned; "" when there is none */
	struct buf tag_bytes, host_bytes;
	struct pack tags;  /* the operator's; in tag_bytes */
	struct pack hosts; /* in host_bytes */
	bool auto_rollback;
	int64_t old_ends_s; /* of the certificate that is replaced; 0: it is not in the store */
	char *no_rollback;  /* owned; why the plan saw no way back; NULL: it saw one */
};

/* ERR_NOT_FOUND: the plan or a certificate is not in the store (a bug, or a store put back). */
int job_goods_load(struct store_txn *txn, const struct job_record *job, struct job_goods *ret_goods,
	struct err *err);
void job_goods_clear(struct job_goods *goods); /* zeroed is fine */

#endif
