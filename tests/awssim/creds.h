/* The keys that work: the configured base keys and the sessions that STS handed out. */
#ifndef TESTS_AWSSIM_CREDS_H
#define TESTS_AWSSIM_CREDS_H

#include "tests/awssim/world.h"

enum principal_kind {
	PRINCIPAL_BASE,	      /* the hub's own keys */
	PRINCIPAL_ROLE,	      /* a session of the common role */
	PRINCIPAL_MANAGEMENT, /* a session of the management account's role */
};

struct credential {
	char access_key[129];
	char secret[129];
	char *token; /* owned; NULL: long-term keys */
	enum principal_kind kind;
	size_t account; /* index */
	bool is_global; /* from the global STS endpoint: not valid in opt-in regions */
	char session_name[65];
	int64_t expires_s; /* 0: never */
};

struct creds;

struct creds *creds_new(const struct world *world);
void creds_free(struct creds *creds);

/* NULL: unknown key. Borrowed until the next creds_issue. */
const struct credential *creds_find(const struct creds *creds, const char *access_key);
const struct credential *creds_base(const struct creds *creds);

/* Makes a session; forgets those that ended more than an hour before now_s. Borrowed as above. */
const struct credential *creds_issue(struct creds *creds, enum principal_kind kind, size_t account,
	const char *session_name, int64_t expires_s, bool is_global, int64_t now_s);

/* Appends the principal's ARN: a user for long-term base keys, an assumed role otherwise. */
void creds_arn(const struct world *world, const struct credential *credential, struct out *out);
/* Appends GetCallerIdentity's UserId. */
void creds_user_id(const struct world *world, const struct credential *credential, struct out *out);
size_t creds_count(const struct creds *creds);

#endif
