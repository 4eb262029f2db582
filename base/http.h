/*
 * Outgoing HTTP(S): libcurl multi on the loop, connections shared by everyone who asks the same
 * host. The order of a request: queue (max_requests in flight over all; per_host_max connections a
 * host) -> resolve (unless a proxy does it) -> connect -> first byte -> body -> done.
 *
 * libcurl's callbacks only collect; finished transfers are taken off and delivered after
 * curl_multi_socket_action has returned, so a done function may start, cancel and free at will.
 * Redirects are never followed. HTTP/1.1 only. Names are resolved by base/resolve, never by
 * libcurl. TLS 1.2 or newer, host and chain verified, always.
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;
struct loop;
struct resolve;
struct http;
struct http_call;

enum {
	HTTP_HEADERS_MAX = 24,
	HTTP_HEADER_BYTES_MAX = 65536, /* of an answer, all together */
};

struct http_limits {
	int max_requests; /* in flight; the rest waits in order of arrival */
	int per_host_max; /* connections to one host: 8 to 16 (design.md section 8) */
	int idle_max;	  /* idle connections kept over all: an idle TLS connection holds 58 KB */
};

/* How to reach a host. Borrowed by a call until it ends. "" or NULL: not set. */
struct http_route {
	const char *
		proxy; /* http://host:port; libcurl's forms; NULL or "": from no environment, no proxy */
	const char *no_proxy; /* libcurl's CURLOPT_NOPROXY form */
	const char *
		ca_bundle; /* PEM file; NULL or "": the system's one file (never a directory: 880 KB a
				   connection) */
};

struct http_timeouts {
	int connect_ms;	   /* resolve, TCP, proxy, TLS */
	int first_byte_ms; /* from sent to the answer's first byte */
	int stall_ms;	   /* longest pause inside a body */
	int total_ms;	   /* whole request without the time in the queue */
};

struct http_header {
	const char *name;  /* borrowed for http_start */
	const char *value; /* borrowed for http_start; no CR, LF (asserted) */
};

struct http_request {
	const char *method;		  /* shared static: "GET", "POST" */
	const char *url;		  /* borrowed for http_start; http or https */
	const struct http_header *header; /* borrowed for http_start */
	size_t header_count;
	const char *body; /* borrowed until the call ends (the signer's buffer); NULL: none */
	size_t body_len;
	size_t reply_max_bytes; /* a longer answer ends in ERR_LIMIT as soon as it is seen */
	bool is_secret;		/* answer's buffer and libcurl's copy of headers are wiped */
	const struct http_route *route;	      /* borrowed until the call ends */
	const struct http_timeouts *timeouts; /* borrowed until the call ends */
};

struct http_reply {
	int status;
	struct buf body;       /* owned by the call; borrowed in done */
	int64_t date_s;	       /* Date header, Unix seconds; 0: none or broken */
	int64_t retry_after_s; /* Retry-After in seconds; -1: none */
	bool has_age;	       /* an Age header: came from a cache, its Date is old */
	char content_type[96];
	char error_type[128]; /* x-amzn-ErrorType */
	char request_id[64];  /* x-amzn-RequestId or x-amz-request-id */
	int64_t elapsed_ms;   /* sent to complete */
};

/* err: ERR_UNREACHABLE (resolve, connect, TLS, proxy; text names host and reason), ERR_TIMEOUT (which
 * of the four, and after how long), ERR_LIMIT (size), ERR_PROTOCOL (not HTTP, cut short), ERR_CONFIG (CA bundle
 * unreadable). err.code: "reset" when a reused connection broke before any answer byte arrived (safe
 * to repeat at once), "connect" when no connection was made (feeds the endpoint breaker); else "". */
typedef void http_done_fn(void *arg, const struct http_reply *reply, const struct err *err);

/*
 * A request is signed with a date, so it must not wait in the queue after signing. http_start takes
 * a maker instead of a finished request: make(arg, ret_request) is called when a slot is free,
 * fills in the request and returns 0, or -1 with err (which then goes to done). What it points to is
 * borrowed as said above. host_key: "https://host:port", known before, decides the queue's order per host.
 */
typedef int http_make_fn(void *arg, struct http_request *ret_request, struct err *err);

struct http *http_new(struct loop *loop, struct resolve *resolve, const struct http_limits *limits,
	struct err *err);
void http_free(struct http *http); /* all calls must have ended */

struct http_call *http_start(
	struct http *http, const char *host_key, http_make_fn *make, http_done_fn *done, void *arg);
void http_cancel(struct http_call *call);

struct http_stats {
	int queued, in_flight;
	int64_t requests, connections_opened, bytes_in, bytes_out;
};
void http_get_stats(const struct http *http, struct http_stats *ret_stats);

#endif
