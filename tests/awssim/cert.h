/*
 * Certificates of the simulated ACM. A struct cert holds a kind and a seed; everything else
 * (names, key, serial, tags, who uses it, renewal) is drawn from them again whenever it is asked
 * for, so that 100,000 certificates cost little memory.
 */
#ifndef TESTS_AWSSIM_CERT_H
#define TESTS_AWSSIM_CERT_H

#include "tests/awssim/ca.h"
#include "tests/awssim/held.h"
#include "tests/awssim/world.h"

enum cert_type { IMPORTED, AMAZON_ISSUED, PRIVATE_CA };
enum cert_status {
	PENDING_VALIDATION,
	ISSUED,
	INACTIVE,
	EXPIRED,
	VALIDATION_TIMED_OUT,
	REVOKED,
	FAILED,
};
enum cert_origin { AWS_MANAGED, ACME, CUSTOMER_PROVIDED };
enum names_shape {
	NAMES_ONE,
	NAMES_APEX_WWW,
	NAMES_WILDCARD,
	NAMES_SEVERAL,
	NAMES_100,
	NAMES_150,
	NAMES_WITH_IP,
	NAMES_IP_ONLY,
	NAMES_NONE,
	NAMES_LONG,
	NAMES_IDN,
};
enum use_kind { USE_NONE, USE_ALB, USE_CLOUDFRONT, USE_MANY, USE_FOREIGN };
enum tags_kind { TAGS_SOME, TAGS_NONE, TAGS_ODD, TAGS_50 };
enum usage_kind { USAGE_SERVER, USAGE_SERVER_CLIENT, USAGE_NONE, USAGE_CLIENT, USAGE_CUSTOM };
enum validation { VALIDATED_NOT, VALIDATED_DNS, VALIDATED_EMAIL, VALIDATED_HTTP };
enum renewal {
	RENEWAL_NONE,
	RENEWAL_PENDING_AUTO,
	RENEWAL_PENDING_VALIDATION,
	RENEWAL_SUCCESS,
	RENEWAL_FAILED,
};
enum issuer_kind { BY_PUBLIC, BY_PRIVATE, BY_COMMERCIAL, BY_ITSELF };

/* What a sort of certificate is like; the table is in cert_kinds.c. */
struct cert_kind {
	const char *name;
	enum cert_type type;
	enum cert_status status;
	enum key_type key;
	enum names_shape names;
	enum issuer_kind issuer;
	int life_days, left_min_days, left_max_days; /* left: until the end, from now-base */
	enum use_kind use;
	enum tags_kind tags;
	enum usage_kind usage;
	enum validation validation;
	enum renewal renewal;
	enum cert_origin origin;
	bool export_enabled, exported, by_cloudfront;
	bool utf8_subject, describe_fails, get_fails, stale_status;
	const char *failure_reason, *revocation_reason;
	unsigned weight; /* how often, against the others */
};

extern const struct cert_kind cert_kinds[];
extern const size_t cert_kind_count;
/* The kind of the ordinal-th certificate of the world: all kinds come up, the common ones often. */
uint16_t cert_kind_pick(uint64_t ordinal, uint64_t seed);

enum { CERT_NAMES_MAX = 160, CERT_TAGS_MAX = 50, CERT_USES_MAX = 64 };

struct cert_tag {
	const char *key, *value;
};

/* What a certificate was before a change, for reads that come too early (consistency.h). */
struct cert_past {
	int64_t changed_ms, delay_ms, jitter_ms; /* monotonic */
	bool is_absent;				 /* it was not there; no state */
	struct cert state;			 /* owned */
};

/* A certificate that was removed lately. */
struct cert_removed {
	size_t account, region;
	struct cert_past past;
};

/*
 * What requests and the control port made of a certificate, beside or instead of what is drawn.
 * Tags that were changed are all kept here.
 */
struct cert_more {
	struct held *held; /* owned share; NULL: as drawn */
	struct cert_kind kind;
	uint32_t imports;   /* ImportCertificate calls that succeeded */
	int64_t changed_ms; /* monotonic; of the last import or renewal */
	bool has_tags;
	char *tag_key[CERT_TAGS_MAX], *tag_value[CERT_TAGS_MAX]; /* owned */
	size_t tag_count;
	struct text_list uses;	/* further users */
	struct cert_past *past; /* owned; oldest first */
	size_t past_count;
};

/*
 * One certificate in full. Strings are borrowed from the world's arena until the next describe, or
 * from the certificate until it is changed.
 */
struct cert_facts {
	const struct cert *cert;
	const struct cert_kind *kind;
	size_t account, region;
	char uuid[UUID_LEN + 1];
	const char *arn;
	const char *domain; /* NULL: no domain */
	const char **dns, **ip;
	size_t dns_count, ip_count;
	enum cert_status status; /* at the time asked for */
	enum key_type key_type;
	const struct key *key;
	const struct ca *issuer; /* NULL: signed by itself */
	const struct held *held; /* NULL: drawn; then key, issuer, algorithm and subject count */
	enum signature_algorithm algorithm;
	const char *signature_name;
	unsigned char serial[HELD_SERIAL_MAX];
	size_t serial_len;
	struct dn subject;
	unsigned key_usage;
	const char **ext_key_usage; /* OIDs */
	size_t ext_key_usage_count;
	bool has_pem; /* issued once */
	bool in_use, exported, renewal_eligible;
	int64_t created_s, issued_s, imported_s, revoked_s; /* 0: none */
	enum renewal renewal;
	struct cert_tag tag[CERT_TAGS_MAX];
	size_t tag_count;
	const char *used_by[CERT_USES_MAX];
	size_t used_by_count;
};

extern const char *const cert_type_name[], *const cert_status_name[], *const cert_origin_name[];
extern const char *const cert_renewal_name[], *const cert_validation_name[];
extern const char *const cert_signature_name[];
const char *ext_key_usage_name(const char *oid);     /* AWS's name */
extern const char *const key_usage_name[KEY_USAGES]; /* by bit */

/* What it is like: its own kind once something was imported into it. */
const struct cert_kind *cert_kind_of(const struct cert *cert);
/* The kind of that name, NULL: unknown. */
const struct cert_kind *cert_kind_find(const char *name);

/* Appends a certificate of the next kind to the account's region. Borrowed until the next change. */
struct cert *cert_add(struct world *world, size_t account, size_t region);
/* The same with a chosen kind; -1: the next. */
struct cert *cert_add_kind(struct world *world, size_t account, size_t region, int kind);
/* Takes the index-th certificate out. */
void cert_remove(struct pair *pair, uint32_t index);

void cert_uuid(const struct world *world, size_t account, size_t region, const struct cert *cert,
	char ret_uuid[UUID_LEN + 1]);
/* NULL: no such certificate. */
struct cert *cert_find(struct world *world, size_t account, size_t region, struct slice uuid);
/* By its whole ARN, wherever it is. ret_account and ret_region may be NULL. */
struct cert *cert_find_arn(
	struct world *world, const char *arn, size_t *ret_account, size_t *ret_region);
/* Index of the first certificate with uid or above; count when there is none. */
uint32_t cert_position(const struct pair *pair, uint32_t uid);

void cert_describe(struct world *world, size_t account, size_t region, const struct cert *cert,
	int64_t now_s, struct cert_facts *ret_facts);
/* Only what ListCertificates filters by, without names and tags: cheap. */
enum cert_status cert_status_at(const struct cert *cert, int64_t now_s);

/* Appends a certificate that holds what was imported; takes held. Borrowed as above. */
struct cert *cert_add_held(
	struct world *world, size_t account, size_t region, struct held *take_held, int64_t now_s);
/* Replaces what the certificate holds; takes held. */
void cert_reimport(struct cert *cert, struct held *take_held, int64_t now_s);

/* The explicit part, made when first wanted. */
struct cert_more *cert_more(struct cert *cert);
void cert_more_free(struct cert_more *more);
struct cert_more *cert_more_copy(const struct cert_more *more); /* without the past; NULL of NULL */
void cert_past_clear(struct cert_past *past);
/* Makes the tags explicit. */
void cert_own_tags(struct cert *cert, const struct cert_facts *facts);
/* Sets or adds a tag; there is room. */
void cert_tag_set(struct cert_more *more, const char *key, const char *value);
/* Removes it; value NULL: whatever it is. */
void cert_tag_remove(struct cert_more *more, const char *key, const char *value);

/* A new key and serial, valid from now_s: renewal (same kind of key) or reimport. */
void cert_renew(struct cert *cert, int64_t now_s);

/* Appends the certificate's DER; keeps an RSA signature in cert for the next time. */
void cert_der(struct cert *cert, const struct cert_facts *facts, struct out *der);

#endif
