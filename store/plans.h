/*
 * Delivery plans: what was decided, on what evidence, until when. The public part of the new
 * certificate lies in the pem table, its key in the vault (or elsewhere, see escrow).
 */
#ifndef STORE_PLANS_H
#define STORE_PLANS_H

#include "store/certs.h"
#include "store/pack.h"
#include "store/store.h"

enum {
	DELIVERY_ID_MAX = 40,
	CERTIFICATE_ID_MAX = 128,
	PLAN_DOCUMENT_MAX = 262144,
};

enum plan_decision { PLAN_REIMPORT = 1, PLAN_IMPORT_NEW = 2, PLAN_REFUSE = 3 };	      /* stored */
enum key_escrow { ESCROW_SENSOR = 1, ESCROW_MEMORY = 2, ESCROW_SECRETS_MANAGER = 3 }; /* stored */
const char *plan_decision_name(enum plan_decision decision); /* "reimport", "import", "refuse" */
const char *key_escrow_name(enum key_escrow escrow);	     /* as in the configuration */

/* Texts as in struct cert_record: borrowed when written, views when read, never NULL. */
struct plan_record {
	const char *id;
	const char *connector, *account_id, *region, *arn; /* arn: "" with PLAN_IMPORT_NEW */
	const char *certificate_id;			   /* of the provenance tag */
	enum plan_decision decision;
	int64_t created_s, expires_s;
	const char *old_serial; /* under the ARN when planned; "" for a first import */
	unsigned char old_fingerprint_sha256[CERT_SHA256_LEN]; /* zeroes: none */
	unsigned char leaf_sha256[CERT_SHA256_LEN];	       /* pem table */
	unsigned char chain_sha256[CERT_CHAIN_MAX][CERT_SHA256_LEN];
	uint32_t chain_count;
	enum key_escrow escrow;
	const char
		*key_id;  /* vault id, or the secret's name; the key in memory has the plan's id */
	struct pack tags; /* the operator's: key, value ... */
	struct pack verify_hosts; /* "host:port" */
	bool may_roll_back, auto_rollback;
	const char *rollback_reason; /* why not */
	const char *job_id;	     /* once applied; "" before */
	const char *requested_by;    /* "uid 0" */
	const char *document;	     /* the JSON that `acmsensor plan -o json` shows */
};

/* Fails the transaction with ERR_LIMIT when the id is empty or too long, a number is none of its
 * enum (escrow may be 0 in a plan that refuses), a tag has no value, or the document is larger than
 * PLAN_DOCUMENT_MAX. leaf and chain must be put (store_pem_put) in the same write or before. */
void store_plan_put(struct store_txn *txn, const struct plan_record *plan);
bool store_plan_get(struct store_txn *txn, const char *id, struct plan_record *ret_plan);
void store_plan_delete(struct store_txn *txn, const char *id);
/* In order of id. position: DELIVERY_ID_MAX + 1 bytes, "" to begin. */
bool store_plan_next(struct store_txn *txn, char *position, struct plan_record *ret_plan);

#endif
