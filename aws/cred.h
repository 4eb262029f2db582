/*
 * Where credentials come from. One file a source behind one small table of functions; cred.c does
 * what is the same for all: cache, single flight, refresh five minutes before the end, at most one
 * forced refresh a minute, wiping. Sources so far: environment, profile (static keys), assumed
 * role; the rest of the chain is added here and nowhere else.
 */
#ifndef AWS_CRED_H
#define AWS_CRED_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "aws/endpoint.h"

struct aws;
struct aws_client;
struct aws_role;
struct cred_call;
struct cred_source;
struct err;
struct loop;

/* credentials: borrowed for the call. err: ERR_CREDENTIALS, ERR_ROLE, ERR_CONFIG (a broken file),
 * or what a call met. */
typedef void cred_done_fn(
	void *arg, const struct aws_credentials *credentials, const struct err *err);

/* Valid credentials, from the cache when they last. */
struct cred_call *cred_get_start(struct cred_source *source, cred_done_fn *done, void *arg);
void cred_get_cancel(struct cred_call *call);

/* AWS called the set with this access key id expired or unknown: the next get fetches anew, unless
 * a newer set is there already or the last forced fetch was less than a minute ago. Returns whether
 * a retry makes sense. */
bool cred_rejected(struct cred_source *source, const char *access_key_id);

void cred_source_free(
	struct cred_source *source); /* wipes; waiters must have ended; NULL is fine */

/* What is known without asking anybody. */
struct cred_state {
	bool is_failing; /* the last fetch failed, or AWS rejected the set and no newer one came */
	bool has_end;	 /* a set was fetched, and it does not last for ever */
	int64_t left_s;	 /* of it; below 0: that long ago */
};
void cred_get_state(const struct cred_source *source, struct cred_state *ret_state);

/* "environment", "profile prod (/root/.aws/credentials)", "role arn:..."; for status and messages.
 * Borrowed until the loop runs again. */
const char *cred_source_name(const struct cred_source *source);

/* When the set that was fetched last ends, by AWS's clock; 0: never. false: none was had yet. */
bool cred_source_expires(const struct cred_source *source, int64_t *ret_expires_s);

struct cred_options {
	struct aws *aws;       /* borrowed */
	aws_getenv_fn *getenv; /* borrowed; tests pass their own */
	const char *profile;   /* borrowed for the call; NULL or "": AWS_PROFILE, then "default" */
};

/* Never NULL: what cannot be had is told by cred_get. All of these re-read on each fetch. */
struct cred_source *cred_environment_new(const struct cred_options *options);
struct cred_source *cred_profile_new(const struct cred_options *options);
/* Environment, then profile: the first that finds its configuration wins and stays; one that finds
 * its own and fails stops the chain with its error (facts.md 8.1). The environment is skipped when
 * AWS_PROFILE is set or a profile is given. */
struct cred_source *cred_default_new(const struct cred_options *options);
/* hub: borrowed, outlives the source. */
struct cred_source *cred_role_new(
	struct aws *aws, struct aws_client *hub, const struct aws_role *role);

#endif
