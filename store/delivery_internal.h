/* What the files about deliveries share with the check of the store. */
#ifndef STORE_DELIVERY_INTERNAL_H
#define STORE_DELIVERY_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "store/record_internal.h"
#include "store/store_internal.h"

struct job_record;
struct job_step;
struct plan_record;

/* A record of table vault. */
struct vault_record {
	const char *id;
	uint32_t kind; /* enum vault_kind */
	int64_t epoch; /* from 1; the file of its key is named for it */
	int64_t sealed_s, wipe_after_s;
	struct record_blob bytes; /* nonce, ciphertext, tag */
};

/* What is wrong with a record that decodes, as a part of a sentence; NULL: nothing. key: under
 * which it lies. */
const char *vault_flaw(struct slice key, const struct vault_record *record);
/* An entry of table vault_needs: until when, big endian. */
enum { VAULT_NEED_LEN = sizeof(uint64_t) };
const char *vault_need_flaw(struct slice value);
const char *plan_flaw(struct slice key, const struct plan_record *plan);
const char *job_flaw(struct slice key, const struct job_record *job);
const char *job_step_flaw(uint32_t number, const struct job_step *step);

/* Whether the job brought new_fingerprint under its ARN, or may have: then it has an entry in table
 * job_leaf, unless a newer one has it. */
bool job_is_delivery(const struct job_record *job);

/* Puts the index entries of a job whose entries were taken away. job lies outside the map. */
void job_index_add(struct store_txn *txn, const struct job_record *job);

/* Whether sha256 is a hash, not the zeroes that stand for none. */
bool delivery_has_hash(const unsigned char *sha256);
/* Whether the record lies under its own id, of at most max bytes. */
bool delivery_id_is(struct slice key, const char *id, size_t max);

#endif
