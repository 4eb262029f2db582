/*
 * Private to aws/: what client.c (identity and network) and call.c (one request's life) share.
 */
#ifndef AWS_CLIENT_INTERNAL_H
#define AWS_CLIENT_INTERNAL_H

#include "aws/breaker.h"
#include "aws/client.h"
#include "aws/sigv4.h"
#include "aws/skew.h"
#include "aws/usage.h"
#include "base/err.h"

struct rate_table;

enum { AWS_HEADERS_MAX = 8, AWS_PATH_MAX = 64 };

/* A host as one network reaches it: its breaker, and who waits for it. */
struct aws_host {
	char *key; /* owned; "https://host:port", proxy and CA bundle */
	struct breaker breaker;
	struct aws_call *calls; /* those that wait or are under way; each owned by its starter */
	struct aws_host *next;	/* owned */
};

/* One service in one region as a network reaches it. */
struct aws_endpoint {
	enum aws_service service;
	char region[ENDPOINT_REGION_MAX]; /* as asked, not the signing region */
	struct endpoint endpoint;
	struct aws_host *host; /* borrowed from struct aws */
	size_t index;	       /* in aws_way.endpoint, and of its signing keys in clients */
};

/* The way of a hub's client to the network, lent to the clients of its roles. */
struct aws_way {
	struct endpoint_options options;
	char *proxy, *no_proxy, *ca_bundle; /* owned; NULL: not set */
	struct http_route route;	    /* of the above */
	struct http_timeouts timeouts;
	struct aws_endpoint **endpoint; /* owned, each owned: calls keep pointers */
	size_t count, capacity;
};

struct aws_client {
	struct aws *aws;		 /* borrowed */
	struct aws_way *way;		 /* borrowed: own_way, or the hub's */
	struct aws_way *own_way;	 /* owned; NULL in a role's client */
	struct cred_source *source;	 /* borrowed: role_source, or what the starter gave */
	struct cred_source *role_source; /* owned; NULL unless a role's client */
	char account_id[13];
	struct sigv4_key **key; /* owned, each owned or NULL; by aws_endpoint.index */
	size_t keys;
	int patience_ms; /* of a call's attempts together; 0: as many as aws/retry has */
	int calls;	 /* under way; 0 when it is freed */
};

struct aws {
	struct loop *loop;   /* borrowed */
	struct http *http;   /* borrowed */
	char *user_agent;    /* owned */
	struct sigv4 *sigv4; /* owned; NULL when OpenSSL has no SHA-256: sigv4_err */
	struct err sigv4_err;
	struct rate_table *rate; /* owned */
	struct skew skew;
	struct aws_host *hosts; /* owned list */
	struct aws_stats stats;
	struct aws_usage own_usage; /* until aws_count_into */
	struct aws_usage *usage;    /* borrowed: own_usage, or the daemon's */
	/* Scratch of the request being made: base/http copies it before the next one. */
	char url[ENDPOINT_URL_MAX + AWS_PATH_MAX];
	char path[ENDPOINT_PATH_MAX + AWS_PATH_MAX];
	char target[128];
	struct sigv4_signed signature;
	struct http_header header[AWS_HEADERS_MAX];
};

/* Where to reach a service, from the way's table or resolved now. NULL: ERR_CONFIG. */
struct aws_endpoint *aws_way_endpoint(struct aws *aws, struct aws_way *way,
	enum aws_service service, const char *region, struct err *err);

/* The client's signing key for an endpoint. */
struct sigv4_key *aws_client_key(struct aws_client *client, const struct aws_endpoint *endpoint);

#endif
