/*
 * Private to aws/: what a source of credentials is made of. A provider knows one place to get a set
 * from; the source around it (cred.c) caches, refreshes and shares what it got.
 */
#ifndef AWS_CRED_INTERNAL_H
#define AWS_CRED_INTERNAL_H

#include "aws/cred.h"

struct aws_reply;
struct loop_timer;

/* err.code of a provider that found none of its configuration: a chain goes on to the next one. */
#define CRED_NOT_CONFIGURED "NotConfigured"

struct cred_provider; /* first member of each provider's own struct */

/* Either load, or start and cancel; the others are NULL. */
struct cred_provider_ops {
	/* Gets a set at once (environment, files). */
	int (*load)(struct cred_provider *provider, struct aws_credentials *ret_credentials,
		struct err *err);
	/* Gets a set by asking someone: done comes from the loop. One at a time. */
	void (*start)(struct cred_provider *provider, cred_done_fn *done, void *arg);
	void (*cancel)(struct cred_provider *provider);
	void (*free)(struct cred_provider *provider);
	/* Borrowed until the next call of name or load. */
	const char *(*name)(const struct cred_provider *provider);
};

struct cred_provider {
	const struct cred_provider_ops *ops; /* shared static */
};

/* One fetch from any kind of provider: done comes from the loop. Zeroed: none under way. */
struct cred_fetch {
	struct cred_provider *provider; /* borrowed; NULL: none under way */
	struct loop_timer *timer;	/* owned; for load */
	cred_done_fn *done;
	void *arg;
};
void cred_fetch_start(struct cred_fetch *fetch, struct loop *loop, struct cred_provider *provider,
	cred_done_fn *done, void *arg);
void cred_fetch_cancel(struct cred_fetch *fetch);

/* Takes the provider. */
struct cred_source *cred_source_new(struct aws *aws, struct cred_provider *provider);

/*
 * The set to sign with now, or NULL: then cred_get waits for one. Starts a refresh in the
 * background when the set's end is near. Borrowed until the loop runs again.
 */
const struct aws_credentials *cred_peek(struct cred_source *source);

/* The providers alone; each copies what it keeps. */
struct cred_provider *cred_environment_provider(aws_getenv_fn *get);
struct cred_provider *cred_profile_provider(aws_getenv_fn *get, const char *profile);

/* --- a stage, for tests ----------------------------------------------------------------------- */

/* The session in an AssumeRoleResponse; *ret_credentials was cleared. ERR_PROTOCOL, ERR_LIMIT. */
int cred_role_take(
	const struct aws_reply *reply, struct aws_credentials *ret_credentials, struct err *err);

#endif
