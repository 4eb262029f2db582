/*
 * Keys: one function per table builds them. Numbers are big endian, so that LMDB's byte order is
 * their order; texts are joined by KEY_SEPARATOR, which sorts before everything that a text may
 * hold. A key that does not fit, or a text with control bytes, makes the key unfit: nothing is
 * found under it and nothing can be put.
 */
#ifndef STORE_KEY_INTERNAL_H
#define STORE_KEY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KEY_MAX = 511, /* LMDB's own limit as built by every distribution */
	KEY_SEPARATOR = 1,
	KEY_DOMAIN_MAX = 460, /* reversed name; DNS allows 253, a SAN may lie */
	KEY_ARN_HASH_LEN = 16,
};

struct key {
	size_t len;
	bool is_unfit;
	unsigned char bytes[KEY_MAX];
};

struct key key_empty(void);
struct key key_bytes(const void *bytes, size_t len); /* a copy of a key that was read */
bool key_equals(const struct key *key, const void *bytes, size_t len);
bool key_is_prefix_of(const struct key *prefix, const void *bytes, size_t len);
int key_compare(const void *a, size_t a_len, const void *b, size_t b_len); /* LMDB's order */
/* The smallest key above everything that begins with prefix; empty when there is none. */
struct key key_after_prefix(const struct key *prefix);

struct key key_meta(const char *name);
struct key key_cycle(const char *connector);
/* With account_id, unit_id or region NULL: the prefix of all below. connector NULL: empty. */
struct key key_account(const char *connector, const char *account_id);
struct key key_unit(const char *connector, const char *unit_id);
struct key key_coverage(const char *connector, const char *account_id, const char *region);
/* From a position of a walk ("" gives the empty key), and back. */
struct key key_position(const char *position);
void key_to_position(const void *bytes, size_t len, char *position, size_t size);

struct key key_cert(const char *arn);
/* Prefix of the ARNs of one region (account_id NULL) or one account in it. */
struct key key_cert_place(const char *partition, const char *region, const char *account_id);
struct key key_cert_fingerprint(
	const unsigned char *sha256, const char *arn); /* arn NULL: prefix */
/* 0 (not known) sorts last. arn NULL: prefix. */
struct key key_cert_expiry(int64_t not_after_s, const char *arn);
/*
 * "www.Example.com" -> "com.example.www" NUL hash of ARN. KEY_DOMAIN_MAX can only cut off labels at
 * the left end of a name, so that whatever ends in a suffix is still found below the suffix; what
 * is found is checked on the record.
 */
struct key key_cert_domain(const char *name, const unsigned char *arn_hash);
struct key key_cert_domain_exact(const char *name);   /* prefix of the entries of this name */
struct key key_cert_domain_below(const char *suffix); /* prefix of all names below it */
void key_hash_arn(const char *arn, unsigned char ret_hash[KEY_ARN_HASH_LEN]);

struct key key_history(const char *arn, uint32_t number); /* number 0: prefix */
struct key key_pem(const unsigned char *sha256);
struct key key_event(uint64_t sequence);

/* Of a vault record, a plan or a job; an id that is empty or longer than max is unfit. */
struct key key_id(const char *id, size_t max);
struct key key_job_leaf(const char *arn, const unsigned char *leaf_sha256); /* NULL: prefix */
/* who NULL: the prefix of all. */
struct key key_vault_need(const char *id, const char *who);
struct key key_job_step(const char *job_id, uint32_t number); /* number 0: prefix */

/* The numbers in keys that were read. */
uint64_t key_read_u64(const unsigned char *bytes);
uint32_t key_read_u32(const unsigned char *bytes);
int64_t key_expiry_read(const unsigned char *bytes); /* 0: not known */

#endif
