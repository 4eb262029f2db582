/*
 * Outgoing HTTP(S): libcurl multi on the loop, connections shared by everyone who asks the same
 * host. The order of a request: queue (max_requests in flight over all; per_host_max connections a
 * host) -> resolve (unless a proxy does it) -> connect -> first byte -> body -> done.
 *
 * libcurl's callbacks only collect; finished transfers are taken off and delivered after
 * curl_multi_socket_action has returned, so a done function may start, cancel and free at will.
 * Redirects are never followed. HTTP/1.1 only. Names are resolved by base/resolve, never by
 * libcurl; a name that is being resolved holds up its own host only. TLS 1.2 or newer, host and
 * chain verified, always. Proxy variables of the environment have no say.
 *
 * libcurl by itself repeats a request, POST too, on another connection when a reused one turns out
 * to be dead before any byte of an answer came (up to five times; code "reset" is the sixth), unless
 * the request is_once.
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
	HTTP_HEADER_BYTES_MAX = 65536, /* of an answer, all together, interim answers included */
};

struct http_limits {
	int max_requests; /* given to libcurl at a time; the rest waits, hosts taking turns */
	int per_host_max; /* of one host, resolving included: 8 to 16 (design.md section 8) */
	int idle_max;	  /* connections kept open, busy ones included, though never fewer than
			     max_requests: an idle TLS connection holds 58 KB */
};

/* How to reach a host. Borrowed by a call until it ends. "" or NULL: not set. */
struct http_route {
	const char *proxy; /* [http://][user:password@]host[:port], also https, socks4a, socks5h */
	const char *no_proxy;  /* hosts to reach without it; libcurl's CURLOPT_NOPROXY form */
	const char *ca_bundle; /* PEM file; not set: the system's one file (never a directory, which
				  costs 880 KB a connection) */
};

/* Each above 0. Noticed at most 100 ms late. */
struct http_timeouts {
	int connect_ms;	   /* resolve, TCP, proxy, TLS */
	int first_byte_ms; /* from sent to the answer's first byte */
	int stall_ms;	   /* longest pause inside an answer */
	int total_ms;	   /* whole request without the time in the queue */
};

struct http_header {
	const char *name;
	const char *value; /* no CR, LF (asserted) */
};

/* url and headers are borrowed until make returns; they are copied then. Host, Content-Length and
 * Accept are libcurl's and must not be among the headers. */
struct http_request {
	const char *method; /* shared static: "GET", "POST" */
	const char *url;    /* http or https; at most 64 KiB */
	const struct http_header *header;
	size_t header_count;
	const char *body; /* borrowed until the call ends (the signer's buffer); NULL: none */
	size_t body_len;
	size_t reply_max_bytes; /* a longer answer ends in ERR_LIMIT as soon as it is seen */
	bool is_secret;		/* the answer's buffer is wiped; what libcurl copies always is */
	bool is_once; /* on a connection of its own: libcurl repeats only on reused ones */
	const struct http_route *route;	      /* borrowed until the call ends */
	const struct http_timeouts *timeouts; /* borrowed until the call ends */
};

struct http_reply {
	int status;
	struct buf body;       /* owned by the call; borrowed in done */
	int64_t date_s;	       /* Date header, Unix seconds; 0: none or broken */
	int64_t retry_after_s; /* Retry-After in seconds, from a date too; -1: none */
	bool has_age;	       /* an Age header: came from a cache, its Date is old */
	/* Cut to fit; bytes that are not printable ASCII are '?'. */
	char content_type[96];
	char error_type[128]; /* x-amzn-ErrorType */
	char request_id[64];  /* x-amzn-RequestId or x-amz-request-id */
	int64_t elapsed_ms;   /* sent to complete */
};

/*
 * reply  borrowed for the call; NULL when err is set. Any status is an answer.
 * err    what make refused, or with a text that begins with the host_key:
 *        ERR_UNREACHABLE  resolve, connect, TLS, proxy; also a connection that broke unanswered
 *        ERR_TIMEOUT      which of the four, after how long, and what was waited for
 *        ERR_LIMIT        body or header too large
 *        ERR_PROTOCOL     not HTTP, or cut short
 *        ERR_CONFIG       CA bundle unreadable, URL or proxy not understood
 * code   "connect" when no connection was made, timeouts included (feeds the endpoint breaker);
 *        "reset" when a reused connection broke before any answer byte arrived (safe to repeat at
 *        once); "first_byte", "stall", "total" for the other timeouts; else "".
 */
typedef void http_done_fn(void *arg, const struct http_reply *reply, const struct err *err);

/*
 * A request is signed with a date, so it must not wait in the queue after signing. http_start takes
 * a maker instead of a finished request: make(arg, ret_request) is called once, from the loop, when
 * the request can be sent (or, for one request of a host, its name resolved), fills in the request
 * and returns 0, or -1 with err (which then goes to done). It must not cancel its own call.
 */
typedef int http_make_fn(void *arg, struct http_request *ret_request, struct err *err);

/* Errors: ERR_SYSTEM (libcurl is missing what is needed). Ignores SIGPIPE through loop_new. */
struct http *http_new(struct loop *loop, struct resolve *resolve, const struct http_limits *limits,
	struct err *err);
void http_free(struct http *http); /* all calls must have ended; NULL is fine */

/* host_key: copied; "https://host:port", the queue that the call stands in and its name in errors. */
struct http_call *http_start(
	struct http *http, const char *host_key, http_make_fn *make, http_done_fn *done, void *arg);
void http_cancel(struct http_call *call);

/* Closes all connections, when no call has begun and not ended; else does nothing and returns
 * false. For a long pause: a peer ends them meanwhile anyway, and each holds 58 KB until then. Not
 * from within a done or make function. */
bool http_rest(struct http *http);

struct http_stats {
	int queued;						   /* not given to libcurl yet */
	int in_flight;						   /* given to libcurl */
	int64_t requests, connections_opened, bytes_in, bytes_out; /* since http_new */
};
void http_get_stats(const struct http *http, struct http_stats *ret_stats);

#endif
