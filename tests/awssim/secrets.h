/* What the simulated Secrets Manager holds. Secrets that are gone stay as a record of what was. */
#ifndef TESTS_AWSSIM_SECRETS_H
#define TESTS_AWSSIM_SECRETS_H

#include "tests/awssim/held.h"
#include "tests/awssim/world.h"

enum { SECRET_VERSIONS_MAX = 100, SECRET_TAGS_MAX = 50, SECRET_TOKEN_MAX = 64 };

struct secret_version {
	char id[SECRET_TOKEN_MAX + 1];
	struct out value; /* owned; emptied when the secret is gone */
	size_t value_len; /* stays */
	char sha256[65];
	bool is_binary;
	struct text_list stages;
	int64_t created_s;
};

struct secret_tag {
	char *key, *value; /* owned */
};

struct secret {
	size_t account, region;
	char *name, *arn, *description, *kms_key; /* owned; the last two NULL: none */
	struct secret_tag tag[SECRET_TAGS_MAX];
	size_t tag_count;
	struct secret_version *version; /* owned; oldest first */
	size_t version_count;
	int64_t created_s, changed_s, deleted_s, deletion_s; /* deletion: when it will be gone */
	int64_t created_ms, gone_ms; /* monotonic; gone: forced, and the name is free again */
	bool is_forced, is_gone;
};

struct secrets {
	struct secret **secret; /* owned */
	size_t count;
	uint64_t made;
};

void secrets_clear(struct secrets *secrets);

/* Makes it, without versions and tags. Borrowed until secrets_clear. */
struct secret *secrets_add(struct secrets *secrets, const struct world *world, size_t account,
	size_t region, const char *name);
/* By name, whole ARN or ARN without its last seven characters; what is gone is not found. */
struct secret *secrets_find(
	const struct secrets *secrets, size_t account, size_t region, const char *id);
/* Lets go of what was deleted long enough ago. */
void secrets_expire(struct secrets *secrets, int64_t now_s, int64_t mono_ms);

struct secret_version *secret_version_add(struct secret *secret, const char *id, const void *value,
	size_t len, bool is_binary, int64_t now_s);
struct secret_version *secret_version_find(const struct secret *secret, const char *id);
struct secret_version *secret_version_staged(const struct secret *secret, const char *stage);
/* Moves a stage to the version; AWSPREVIOUS follows AWSCURRENT. */
void secret_stage_move(struct secret *secret, struct secret_version *version, const char *stage);
bool secret_version_is(
	const struct secret_version *version, const void *value, size_t len, bool is_binary);

/* False: no room. */
bool secret_tag_set(struct secret *secret, const char *key, const char *value);
void secret_tag_remove(struct secret *secret, const char *key);

/* Appends a JSON array of all, without values. */
void secrets_list(const struct secrets *secrets, const struct world *world, struct out *out);

#endif
