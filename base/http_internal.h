/*
 * Private to http*.c:
 *
 *   http.c        calls, their states, the queue, delivery, the watch over time limits
 *   http_curl.c   the multi handle on the loop; easy handles, what is set on them
 *   http_reply.c  libcurl's callbacks: header and body of an answer
 *   http_error.c  what a failed transfer means
 *   http_url.c    names, ports, proxies
 */
#ifndef BASE_HTTP_INTERNAL_H
#define BASE_HTTP_INTERNAL_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/http.h"
#include "base/http_url.h"

struct event;
struct loop_timer;

/* Named for what is waited for. */
enum http_state {
	HTTP_WAIT_TURN,	    /* in the host's queue; no request made yet */
	HTTP_WAIT_NAME,	    /* made; the first of its host whose name is not known resolves it */
	HTTP_WAIT_SLOT,	    /* resolved meanwhile; goes before those that are not made yet */
	HTTP_WAIT_ANSWER,   /* libcurl has it; counts as in flight */
	HTTP_WAIT_DELIVERY, /* ended; done comes next */
};

/* An easy handle with what it points to. Reused: making one costs more than a request. */
struct http_slot {
	SLIST_ENTRY(http_slot) link; /* while free */
	CURL *easy;		     /* owned */
	struct buf header_text;	     /* secret: holds the signature and the session token */
	struct curl_slist header[HTTP_HEADERS_MAX + 2];
	struct buf address_text; /* CURLOPT_RESOLVE's entry */
	struct curl_slist address;
	char error[CURL_ERROR_SIZE];
};

TAILQ_HEAD(http_call_list, http_call);

struct http_host {
	LIST_ENTRY(http_host) bucket_link;
	TAILQ_ENTRY(http_host) ready_link; /* while is_ready */
	struct http_call_list queue;	   /* HTTP_WAIT_TURN */
	int busy;			   /* calls beyond the queue that have not ended */
	struct http_call *resolving;	   /* borrowed; in HTTP_WAIT_NAME; NULL: none */
	bool is_ready;			   /* in the ring of hosts whose first call may be made */
	char key[];
};

struct http_call {
	TAILQ_ENTRY(http_call) link; /* in the queue or list of its state */
	struct http *http;	     /* borrowed */
	struct http_host *host;	     /* borrowed; lives while it has calls */
	enum http_state state;
	http_make_fn *make;
	http_done_fn *done;
	void *arg;

	/* From here on: set when the request is made. */
	struct http_request request;
	struct http_target target; /* the request's host */
	struct http_target peer;   /* whom we connect to: the target or its proxy */
	bool has_proxy;
	struct resolve_call *resolve_call; /* owned; HTTP_WAIT_NAME */
	struct http_slot *slot;		   /* owned; until it ends */
	int64_t made_ms;		   /* all times monotonic */
	int64_t resolve_ms;		   /* spent in HTTP_WAIT_NAME */
	int64_t sent_ms;		   /* given to libcurl */
	int64_t last_byte_ms;		   /* of the answer; 0: none yet */
	curl_off_t uploaded_bytes;	   /* as last seen; for large bodies on slow lines */
	int64_t upload_ms;		   /* when it last changed */
	size_t header_bytes;
	bool is_header_complete;
	int64_t retry_at_s; /* Retry-After as a date; 0: none */
	bool has_failed;    /* err is set */
	struct err err;
	struct http_reply reply;
};

TAILQ_HEAD(http_host_list, http_host);
LIST_HEAD(http_bucket, http_host);
SLIST_HEAD(http_slot_list, http_slot);
SLIST_HEAD(http_socket_list, http_socket);

enum { HTTP_BUCKETS = 256 };

struct http {
	struct loop *loop;	 /* borrowed; outlives this */
	struct resolve *resolve; /* borrowed; outlives this */
	struct http_limits limits;
	const char *ca_bundle; /* shared static; the system's; NULL: not found */

	CURLM *multi;	     /* owned */
	struct event *alarm; /* owned; libcurl's timer */
	struct http_slot_list free_slots;
	struct http_socket_list free_sockets;
	int64_t now_ms; /* at the beginning of this turn */

	struct http_bucket bucket[HTTP_BUCKETS];
	int host_count;
	struct http_host_list ready;	 /* hosts whose first call may be made, in turn */
	struct http_call_list resolving; /* HTTP_WAIT_NAME */
	struct http_call_list resolved;	 /* HTTP_WAIT_SLOT */
	struct http_call_list in_flight; /* HTTP_WAIT_ANSWER */
	struct http_call_list ended;	 /* HTTP_WAIT_DELIVERY */
	struct loop_timer *turn_timer;	 /* owned; NULL: none is due */
	struct loop_timer *watch_timer;	 /* owned; NULL while nothing is under way */
	bool is_in_turn;
	bool has_started;	  /* in this turn: libcurl has something to act on */
	int64_t delivery_turn_us; /* the loop's turn that was delivered in last: when it began */
	int64_t delivery_us;	  /* what the done functions have taken of it */
	bool is_freed; /* by a done function; http goes when that turn of delivery is over */
	struct http_stats stats;
};

/* --- http.c --- */

/* What there is to do after libcurl was called or a call ended: take off finished transfers,
 * deliver, fill free slots. http may be gone when it returns. Never from a libcurl callback. */
void http_turn(struct http *http);

/* The call ends; when it failed its err is set before. done follows in this or the next turn. */
void http_end(struct http_call *call);

/* --- http_curl.c --- */

int http_curl_init(struct http *http, struct err *err);
void http_curl_clear(struct http *http);
/* Closes every connection; no call has a slot. libcurl has no other way to close idle ones. */
void http_curl_renew(struct http *http);

struct http_slot *http_slot_take(struct http *http);
void http_slot_give_back(struct http *http, struct http_slot *slot); /* wipes what it held */

/* Sets the request on the call's slot; of what the request points to, body, route and timeouts must
 * stay. ERR_CONFIG. */
int http_slot_prepare(struct http_call *call, struct err *err);

/* addresses: copied. Not called where peer is an address. */
void http_slot_set_addresses(struct http_call *call, const char *addresses);

/* Gives the call to libcurl. ERR_SYSTEM. */
int http_curl_start(struct http_call *call, struct err *err);

/* Takes it off libcurl, finished or not. */
void http_curl_stop(struct http_call *call);

/* Lets libcurl act on what was started or is due, then the next finished call with its code. */
void http_curl_kick(struct http *http);
struct http_call *http_curl_next_finished(struct http *http, CURLcode *ret_code);

/* --- http_reply.c --- */

size_t http_on_header(char *line, size_t size, size_t count, void *arg);
size_t http_on_body(char *bytes, size_t size, size_t count, void *arg);

/* Fills in what is known only at the end: status, Retry-After as seconds, elapsed_ms. */
void http_reply_finish(struct http_call *call);

/* --- http_error.c --- */

/* Sets the call's err from a failed transfer, which is still on its slot. */
void http_set_transfer_err(struct http_call *call, CURLcode code);

/* For an answer that libcurl takes for complete, but is_header_complete is not set. */
void http_set_header_cut_err(struct http_call *call);

/* Whether a time limit has passed; sets the call's err. HTTP_WAIT_NAME and HTTP_WAIT_ANSWER. */
bool http_is_overdue(struct http_call *call, int64_t now_ms);

#endif
