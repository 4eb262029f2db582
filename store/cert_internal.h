/* What the files about certificates share inside store/. */
#ifndef STORE_CERT_INTERNAL_H
#define STORE_CERT_INTERNAL_H

#include "store/certs.h"
#include "store/store_internal.h"

/* Value of an entry of the expiry index: what counting and skipping need without the record. */
enum cert_flag {
	CERT_FLAG_GONE = 1 << 0,
	CERT_FLAG_IN_USE = 1 << 1,
	CERT_FLAG_IMPORTED = 1 << 2,
	CERT_FLAG_RENEWING = 1 << 3, /* eligible for renewal by ACM */
	CERT_FLAG_DETAIL_FAILED = 1 << 4,
	CERT_FLAG_ISSUED = 1 << 5,
	CERT_FLAG_PENDING = 1 << 6,
	CERT_FLAG_EXPIRED = 1 << 7, /* by ACM's status; NotAfter is in the key */
};
unsigned char cert_flags(const struct cert_record *record);

/* Queries by region and account walk ranges of ARNs, so the ARN must say what the record says. */
bool cert_arn_is_of_place(const struct cert_record *record);
/* What makes a decoded record one that was never written under this key; NULL: nothing. */
const char *cert_flaw(struct slice key, const struct cert_record *record);
/* Decodes what was read under an ARN's key; false: the transaction has failed. */
bool cert_decode(struct store_txn *txn, struct slice key, struct slice value,
	struct cert_record *ret_record);

/* Puts and deletes index entries that differ between before and after; NULL: none. Neither may
 * point into the map. */
void cert_index_update(
	struct store_txn *txn, const struct cert_record *before, const struct cert_record *after);

/* Keys of the domain entries that a record must have: sorted, without duplicates. */
struct domain_keys {
	struct key *key; /* owned */
	size_t count;
};
void domain_keys_make(const struct cert_record *record, struct domain_keys *ret);
void domain_keys_clear(struct domain_keys *keys);
bool domain_keys_have(const struct domain_keys *keys, struct slice key);

/* Adds a history record when the serial is new to the ARN; gives one the fingerprint that it lacks.
 * is_known: the certificate was in the store before. */
void history_note(struct store_txn *txn, const struct cert_record *record, bool is_known);
void history_delete(struct store_txn *txn, const char *arn);

#endif
