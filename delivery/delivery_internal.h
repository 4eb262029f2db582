/* What the flows of this folder share. */
#ifndef DELIVERY_DELIVERY_INTERNAL_H
#define DELIVERY_DELIVERY_INTERNAL_H

#include "base/secret.h"
#include "delivery/delivery.h"

struct err;
struct store_txn;
struct x509_facts;

/* Keys whose escrow is memory: at most this many plans wait at once. */
enum { DELIVERY_MEMORY_KEYS_MAX = 256 };

struct memory_key {
	char id[DELIVERY_ID_MAX + 1]; /* of the plan */
	struct secret key;
	int64_t wipe_after_s; /* 0: until it is dropped */
};

struct delivery {
	struct loop *loop; /* borrowed, as the rest of what options names */
	struct store *store;
	struct vault *vault;
	struct resolve *resolve;
	char *sensor_name; /* owned */
	struct delivery_times times;
	struct memory_key memory[DELIVERY_MEMORY_KEYS_MAX];
	size_t memory_count;
	struct loop_timer *memory_timer; /* owned; NULL: no key waits for its end */
	struct delivery_stats stats;
};

/* ERR_LIMIT. Replaces what that plan had. */
int memory_key_put(struct delivery *delivery, const char *id, const struct secret *key,
	int64_t wipe_after_s, struct err *err);
/* NULL: not there, or due. Borrowed until the next change. */
const struct secret *memory_key_get(struct delivery *delivery, const char *id);
void memory_key_drop(struct delivery *delivery, const char *id);

/* --- provenance ------------------------------------------------------------------------------- */

#define TAG_PREFIX	   "acmsensor:"
#define TAG_MANAGED_BY	   "acmsensor:managed-by"
#define TAG_SENSOR	   "acmsensor:sensor"
#define TAG_CERTIFICATE_ID "acmsensor:certificate-id"
#define TAG_PLAN	   "acmsensor:plan"
#define MANAGED_BY	   "acmsensor"

/* --- jobs ------------------------------------------------------------------------------------- */

/* One step of a job: its line, and an event that says the same. */
void job_note(struct store_txn *txn, const struct job_record *view, int64_t now_s, bool is_failure,
	bool has_event, const char *text);

/* Fills the record of a rollback of `of`, changes nothing; texts are borrowed from of and id. */
void job_rollback_record(struct store_txn *txn, const struct job_record *of, const char *id,
	const char *requested_by, int64_t now_s, struct job_record *ret_job);

/* A target in memory of its own; the clients stay borrowed. */
struct target_copy {
	struct delivery_target target;
	char *text[6]; /* owned */
};
void target_copy_make(const struct delivery_target *from, struct target_copy *ret_copy);
void target_copy_clear(struct target_copy *copy);

#endif
