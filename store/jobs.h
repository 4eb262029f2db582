/*
 * Delivery jobs: durable, so that a daemon that was killed goes on where it was. A job's phase is
 * in the store before the phase's step is done.
 */
#ifndef STORE_JOBS_H
#define STORE_JOBS_H

#include "store/plans.h"

enum { JOB_EVIDENCE_MAX = 262144 };

enum job_kind { JOB_DELIVER = 1, JOB_ROLLBACK = 2, JOB_DELETE = 3 }; /* stored */

enum job_phase {	 /* stored: numbers are fixed; named for what is done next */
	JOB_CHECK = 1,	 /* read what ACM holds, compare with the plan */
	JOB_KEEP = 2,	 /* store what the way back needs */
	JOB_IMPORT = 3,	 /* from here on AWS may have changed */
	JOB_FIND = 4,	 /* the answer was lost: look what ACM holds before anything is repeated */
	JOB_TAG = 5,	 /* provenance, the operator's tags, those that were there before */
	JOB_CONFIRM = 6, /* describe and get until serial and fingerprint are the new ones */
	JOB_VERIFY = 7,	 /* TLS handshakes with the hosts */
	JOB_DRAIN = 8,	 /* delete: wait until nothing uses it */
	JOB_DELETE_CALL = 9,
	JOB_DONE = 10,
};

enum job_state { /* stored */
	JOB_RUNNING = 1,
	JOB_SUCCEEDED = 2,
	JOB_FAILED = 3,	   /* nothing was changed in AWS, or what was is said in reason */
	JOB_CANCELLED = 4, /* before the import */
	JOB_RESTORED = 5,  /* a rollback brought the old certificate back */
	JOB_IMPOSSIBLE = 6,
};

const char *job_kind_name(enum job_kind kind);
const char *job_phase_name(enum job_phase phase);
const char *job_state_name(enum job_state state);

struct job_record {
	const char *id;
	enum job_kind kind;
	const char *plan_id;   /* "" for a delete */
	const char *of_job_id; /* rollback: the job that is undone; "" otherwise */
	const char *connector, *account_id, *region;
	const char *arn; /* "" until a first import answers */
	const char *certificate_id;
	enum job_phase phase;
	enum job_state state;
	const char *reason; /* why it ended or what it waits for; one sentence */
	int64_t created_s, updated_s, ended_s;
	int64_t next_attempt_s; /* 0: at once or ended */
	uint32_t attempts;	/* in this phase */
	bool is_cancel_asked;
	bool may_have_imported; /* an import was sent and its answer is not known to be a refusal */
	int64_t import_sent_s;
	/* What was there before and what is to be there; zeroes: none. */
	const char *old_serial, *new_serial;
	unsigned char old_fingerprint_sha256[CERT_SHA256_LEN];
	unsigned char new_fingerprint_sha256[CERT_SHA256_LEN];
	/* Keys of the pem table: what they name is put in the same write or before. */
	unsigned char old_chain_sha256[CERT_CHAIN_MAX][CERT_SHA256_LEN];
	uint32_t old_chain_count;
	const char *old_key_id; /* vault id; "": this sensor does not have it */
	const char *new_key_id; /* vault id under which the delivered key is kept; "" */
	int64_t keep_key_until_s;
	struct pack old_tags; /* as read before the import: key, value ... */
	const char *evidence; /* JSON: what ACM and each host answered; "" before */
	const char *requested_by;
};

/* Fails the transaction with ERR_LIMIT when the id is empty or too long, a number is none of its
 * enum, a tag has no value, or evidence is larger than JOB_EVIDENCE_MAX. */
void store_job_put(struct store_txn *txn, const struct job_record *job);
/* With its steps and its place in the indexes. Nothing when there is none. */
void store_job_delete(struct store_txn *txn, const char *id);
bool store_job_get(struct store_txn *txn, const char *id, struct job_record *ret_job);
/* In order of id, which begins with the time. position: DELIVERY_ID_MAX + 1 bytes. */
bool store_job_next(struct store_txn *txn, char *position, struct job_record *ret_job);
/* Only those that are running, from an index: they are few among all that ever were. */
bool store_job_next_running(struct store_txn *txn, char *position, struct job_record *ret_job);
/* The job, last ended, that brought that leaf (new_fingerprint_sha256) under the ARN: a delivery
 * that succeeded, a rollback that succeeded or restored, or one that failed when it may have done
 * so. false: none. Its new_key_id is the key
 * of the certificate that is there now, when this sensor has it. One look-up. */
bool store_job_of_leaf(struct store_txn *txn, const char *arn, const unsigned char *leaf_sha256,
	struct job_record *ret_job);

/* Of the jobs that brought any leaf under the ARN, those that failed left out, the last: what it
 * brought is what this sensor put there. false: none. A look-up for each leaf that the ARN had. */
bool store_job_last_of_arn(struct store_txn *txn, const char *arn, struct job_record *ret_job);
/* Whether a, of the same ARN as b, ended after it: they never run at the same time. Of the same
 * second, whether it undid or replaced what b brought. */
bool store_job_is_later(const struct job_record *a, const struct job_record *b);

/* What happened, one line a step, never changed; text is cut after 2 KiB. */
struct job_step {
	uint32_t number; /* from 1; set by append */
	int64_t at_s;
	enum job_phase phase;
	bool is_failure;
	const char *text;
};
void store_job_step_append(struct store_txn *txn, const char *job_id, const struct job_step *step);
/* *number: 0 to begin. */
bool store_job_step_next(
	struct store_txn *txn, const char *job_id, uint32_t *number, struct job_step *ret_step);

#endif
