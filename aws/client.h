/*
 * The AWS protocol client. `struct aws` is what all share (HTTP, pacing, clock offset, endpoint
 * breaker, statistics); a client is one identity with its way to the network; a call is one API
 * request from signing to the last retry:
 *
 *   credentials -> pace (token bucket) -> HTTP slot -> sign -> send -> classify
 *        ^              ^                                              |
 *        +- expired: refresh once -- throttled, 5xx, reset: full jitter +-> done
 *
 * A call that waits for credentials, a token or its next attempt holds no HTTP slot. Credentials
 * do not leave aws/: a flow asks for a client, not for keys.
 */
#ifndef AWS_CLIENT_H
#define AWS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/endpoint.h"
#include "aws/reply.h"
#include "aws/service.h"
#include "base/http.h"
#include "base/rate.h"

struct aws;
struct aws_call;
struct aws_client;
struct aws_ready;
struct cred_source;
struct err;
struct loop;

/* http and loop are borrowed for its whole life. user_agent: copied. */
struct aws *aws_new(struct loop *loop, struct http *http, const char *user_agent);
void aws_free(struct aws *aws); /* all clients must be gone */

struct aws_stats {
	int64_t calls;		/* API calls asked for */
	int64_t attempts;	/* requests sent for them */
	int64_t throttles;	/* answers that asked to slow down */
	int64_t retries;	/* attempts beyond the first */
	int64_t failures;	/* calls that ended in an error */
	int64_t clock_offset_s; /* AWS's clock minus ours, as learnt from Date */
	int64_t date_s;		/* the Date that last told of it; 0: none yet */
	int64_t dated_mono_ms;	/* and when it came */
};
void aws_get_stats(const struct aws *aws, struct aws_stats *ret_stats);

/* Gives back the memory of what past calls were paced by, before a long pause. */
void aws_rest(struct aws *aws);
/* Counts what calls of its clients do there, beside aws_get_stats: usage is of the whole daemon and
 * outlives it. Before the first call. */
struct aws_usage;
void aws_count_into(struct aws *aws, struct aws_usage *usage);

/* Wall time by AWS's clock: local time plus the learnt offset. For signing and expiry. */
int64_t aws_now_s(const struct aws *aws);
int64_t aws_client_now_s(const struct aws_client *client);

/* How clients of one connector reach AWS; copied by aws_client_new. */
struct aws_network {
	struct endpoint_options endpoints;
	const char *proxy; /* as in struct http_route */
	const char *no_proxy;
	const char *ca_bundle;
	struct http_timeouts timeouts; /* of one attempt; 0: the default (client.c) */
};

/*
 * A client of an identity.
 *
 * account_id  copied; the account that calls are counted to (pacing); "" while unknown
 * source      borrowed; outlives the client
 */
struct aws_client *aws_client_new(struct aws *aws, const struct aws_network *network,
	const char *account_id, struct cred_source *source);

/* What AssumeRole needs; all texts are copied. */
struct aws_role {
	const char *account_id; /* 12 digits */
	const char *role_arn;
	const char *session_name; /* 2 to 64 of [\w+=,.@-] */
	const char *external_id;  /* NULL or "": none */
	const char *sts_region;	  /* of the STS endpoint; the global one is never used */
	int32_t duration_s;	  /* 900 to 43200 */
};

/*
 * A client of a role's session, assumed by hub when first needed, refreshed five minutes before it
 * expires while calls are made, in one flight; wiped when the client is freed. hub is borrowed and
 * outlives it. Its network settings are the hub's.
 */
struct aws_client *aws_client_assume(struct aws_client *hub, const struct aws_role *role);
/*
 * The same identity for one whose waits are to be seen: a call is not sent again later than
 * patience_ms after it was sent first, but ends with the error of its last attempt, and who asked
 * tells of the next one. Roles assumed by it are as patient. of, and what lent it credentials and
 * network, are borrowed and outlive it. patience_ms: above 0.
 */
struct aws_client *aws_client_with_patience(struct aws_client *of, int patience_ms);
void aws_client_free(struct aws_client *client); /* its calls must have ended; NULL is fine */

/* Learnt later than the client was made (GetCallerIdentity). Copied. */
void aws_client_set_account(struct aws_client *client, const char *account_id);
const char *aws_client_account(const struct aws_client *client);

/*
 * Ends when the client has valid credentials. err: ERR_ROLE (AssumeRole refused; text is AWS's),
 * ERR_CREDENTIALS (none found or not accepted; says where it looked), or what the calls to STS met.
 */
typedef void aws_ready_done_fn(void *arg, const struct err *err);
struct aws_ready *aws_client_ready_start(
	struct aws_client *client, aws_ready_done_fn *done, void *arg);
void aws_client_ready_cancel(struct aws_ready *ready);

/* The code of an is_once request that AWS may have taken without an answer that says so. */
#define AWS_ANSWER_LOST "answer_lost"

struct aws_request {
	enum aws_service service;
	const char *operation; /* shared static: "ListCertificates" */
	const char *region;    /* borrowed for aws_call_start */
	const char *path;      /* shared static: "/" or "/listRegions" */
	const char *body;      /* borrowed for aws_call_start */
	size_t body_len;
	struct rate rate; /* documented quota of the operation, per account and region */
	size_t reply_max_bytes;
	/* Shared static: what a good answer has, a top member or an element below the root; NULL:
	 * anything; "": anything, or no bytes at all (JSON). An answer without it is garbage and is
	 * asked for again. */
	const char *expects;
	bool is_secret;	     /* the answer carries secrets: wiped */
	bool is_body_secret; /* the body does: the call's copy is wiped */
	/* Not idempotent: never sent again once AWS may have taken it. Tried again only after what
	 * certainly did nothing: no connection, a refusal with AWS's own code (throttled, expired,
	 * clock). Any other attempt without a good answer ends it with code AWS_ANSWER_LOST. */
	bool is_once;
};

/*
 * err: ERR_DENIED, ERR_DENIED_BY_SCP ("explicit deny in a service control policy" or a resource
 * control policy), ERR_ROLE, ERR_CREDENTIALS, ERR_NOT_FOUND, ERR_REFUSED, ERR_THROTTLED and
 * ERR_SERVICE (after the last retry), ERR_UNREACHABLE (code "breaker": not even tried), ERR_TIMEOUT,
 * ERR_LIMIT, ERR_PROTOCOL, ERR_CONFIG (no endpoint). code is AWS's error code where AWS answered,
 * AWS_ANSWER_LOST when an is_once request may have been taken (the kind tells what was met);
 * text starts with service and operation and keeps AWS's message; what kept the credentials away
 * starts with their source instead.
 */
typedef void aws_call_done_fn(void *arg, const struct aws_reply *reply, const struct err *err);
struct aws_call *aws_call_start(struct aws_client *client, const struct aws_request *request,
	aws_call_done_fn *done, void *arg);
void aws_call_cancel(struct aws_call *call);

#endif
