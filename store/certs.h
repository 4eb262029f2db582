/*
 * Certificates by ARN, with their indexes (fingerprint, expiry, domain), history and PEM.
 *
 * struct cert_record is the one form in which a certificate is written and read. Written: pointers
 * are borrowed for the call. Read: they point into the map and die with the transaction. Texts are
 * never NULL ("" for none); times are Unix seconds, 0 for none.
 */
#ifndef STORE_CERTS_H
#define STORE_CERTS_H

#include "store/pack.h"
#include "store/store.h"

enum {
	CERT_ARN_MAX = 400, /* with index prefixes below LMDB's 511; ACM's ARNs take 90 */
	CERT_SHA256_LEN = 32,
	CERT_DIGEST_LEN = 16,
	CERT_CHAIN_MAX = 16,
};

struct cert_record {
	const char *arn, *connector, *account_id, *region;
	const char *domain_name, *serial, *subject, *issuer; /* serial: lower hex, no colons */
	const char *key_algorithm, *signature_algorithm;
	const char *status, *type, *failure_reason, *revocation_reason;
	const char *renewal_eligibility, *renewal_status, *renewal_reason;
	const char *export_option, *managed_by, *key_pair_origin, *validation_method;
	const char *certificate_authority_arn;
	const char *detail_error; /* why Describe, Get or ListTags failed last; "" when none did */
	struct pack sans, in_use_by, key_usages, ext_key_usages;
	struct pack tags; /* key, value, key, value ... */
	int64_t created_s, issued_s, imported_s, revoked_s, not_before_s, not_after_s;
	int64_t renewal_updated_s;
	int64_t first_seen_s;
	int64_t detailed_s; /* last complete Describe/Get/ListTags */
	int64_t gone_s;	    /* when ACM first no longer listed it; 0: still there */
	bool in_use, exported, has_pem;
	unsigned char fingerprint_sha256[CERT_SHA256_LEN]; /* zeroes without PEM */
	unsigned char spki_sha256[CERT_SHA256_LEN];
	unsigned char chain_sha256[CERT_CHAIN_MAX][CERT_SHA256_LEN]; /* keys of the pem table */
	uint32_t chain_count;
	unsigned char summary_digest[CERT_DIGEST_LEN];
};

/* Inserts or replaces, indexes and the serial's history included (a serial new to the ARN adds a
 * history record). Nothing is written when nothing changed. Fails the transaction: ERR_PROTOCOL
 * when arn is not an ACM certificate's ARN of that region and account, ERR_LIMIT when it is longer
 * than CERT_ARN_MAX or the record larger than 1 MiB. Who changes in a stored certificate what a
 * filter or an index looks at (NotAfter, names, gone ...; not connector) appends an event that
 * names its ARN in the same transaction: a listing under way finds by it what moved
 * (cert_query.h). */
void store_cert_put(struct store_txn *txn, const struct cert_record *record);
bool store_cert_get(struct store_txn *txn, const char *arn, struct cert_record *ret_record);
/* With its history; its PEM stays. */
void store_cert_delete(struct store_txn *txn, const char *arn);

/* A place in the walk over certificates by expiry; zeroed: at its beginning. */
struct store_gone_place {
	unsigned char key[512];
	size_t len;
};
/*
 * Deletes those that are gone since before before_s among the next `looks` certificates behind
 * from. Returns whether there are more; *ret_to: where to go on, *ret_deleted: how many.
 */
bool store_gone_prune(struct store_txn *txn, const struct store_gone_place *from, int64_t before_s,
	size_t looks, struct store_gone_place *ret_to, size_t *ret_deleted);

/* In order of ARN within one account and region; gone ones included. position: CERT_ARN_MAX + 1
 * bytes, "" to begin; moved on, so that a walk can go on in a later transaction. */
bool store_cert_next_in_region(struct store_txn *txn, const char *partition, const char *region,
	const char *account_id, char *position, struct cert_record *ret_record);

/*
 * The ARNs of certificates that have the name, as domain or alternative name, in any case; of every
 * account and region, gone ones included. Of a name so long that no DNS knows it, also of others
 * that end alike. position: zeroed to begin, moved on. ret_arn: CERT_ARN_MAX + 1 bytes.
 */
struct store_name_position {
	unsigned char arn_hash[16];
	bool is_begun;
};
bool store_cert_next_of_name(struct store_txn *txn, const char *name,
	struct store_name_position *position, char *ret_arn);

/* DER by SHA-256; putting what is there already costs one look-up. */
void store_pem_put(struct store_txn *txn, const unsigned char *sha256, const void *der, size_t len);
bool store_pem_get(
	struct store_txn *txn, const unsigned char *sha256, const void **ret_der, size_t *ret_len);

struct cert_history {
	const char *serial;
	unsigned char fingerprint_sha256[CERT_SHA256_LEN];
	int64_t not_before_s, not_after_s;
	int64_t first_seen_s; /* by this sensor */
};
/* Every serial ever seen under an ARN, oldest first. *position: 0 to begin. */
bool store_history_next(struct store_txn *txn, const char *arn, uint32_t *position,
	struct cert_history *ret_history);

#endif
