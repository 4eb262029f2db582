/*
 * Calls from start to done.
 *
 *   WAIT_TURN -> made --------------------------------> WAIT_ANSWER -> WAIT_DELIVERY -> done
 *                  |                                       ^                ^
 *                  +-> WAIT_NAME -> resolved -> WAIT_SLOT -+                |
 *                      any failure, any time limit -------------------------+
 *
 * Hosts with a call that may be made stand in a ring and take turns, one call each, so that a host
 * with a long queue does not hold up the others. A call whose host's name is not known yet holds no
 * slot, and only one call of a host resolves: a stalled name holds up nobody but its own host.
 */
#include "base/http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/curl_internal.h"
#include "base/http_internal.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/resolve.h"

enum {
	HOSTS_KEPT = 1024, /* above, a host without calls is forgotten */
	WATCH_MS = 100,	   /* how late a time limit may be noticed */
	/* Of one turn of the loop, for reading answers and making the next requests; when many
	 * answers come at once the rest waits until others have had their turn. */
	DELIVERY_US = 2500,
	URL_MAX = 65536,
};

/* --- hosts ------------------------------------------------------------------------------------ */

static struct http_bucket *bucket_of(struct http *http, const char *key)
{
	uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
	for (const char *at = key; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * UINT32_C(16777619);
	return &http->bucket[(hash ^ (hash >> 16)) % HTTP_BUCKETS];
}

static struct http_host *host_of(struct http *http, const char *key)
{
	struct http_bucket *bucket = bucket_of(http, key);
	struct http_host *host = LIST_FIRST(bucket);
	while (host != NULL && strcmp(host->key, key) != 0)
		host = LIST_NEXT(host, bucket_link);
	if (host != NULL)
		return host;
	size_t len = strlen(key);
	host = xcalloc(1, sizeof(*host) + len + 1);
	memcpy(host->key, key, len);
	TAILQ_INIT(&host->queue);
	LIST_INSERT_HEAD(bucket, host, bucket_link);
	http->host_count++;
	return host;
}

static void free_host(struct http *http, struct http_host *host)
{
	LIST_REMOVE(host, bucket_link);
	http->host_count--;
	free(host);
}

static void leave_ring(struct http *http, struct http_host *host)
{
	if (host->is_ready)
		TAILQ_REMOVE(&http->ready, host, ready_link);
	host->is_ready = false;
}

/* To be called whenever queue, busy or resolving have changed. host may be gone then. */
static void update_host(struct http *http, struct http_host *host)
{
	bool is_ready = !TAILQ_EMPTY(&host->queue) && host->resolving == NULL &&
			host->busy < http->limits.per_host_max;
	if (is_ready && !host->is_ready) {
		TAILQ_INSERT_TAIL(&http->ready, host, ready_link);
		host->is_ready = true;
	} else if (!is_ready) {
		leave_ring(http, host);
	}
	if (TAILQ_EMPTY(&host->queue) && host->busy == 0 && http->host_count > HOSTS_KEPT)
		free_host(http, host);
}

/* --- states ----------------------------------------------------------------------------------- */

/* Puts the call into a state's list (sign 1) or takes it out (-1), and counts. */
static void enter_or_leave(struct http_call *call, int sign)
{
	struct http *http = call->http;
	struct http_call_list *list = &http->ended;
	switch (call->state) {
	case HTTP_WAIT_TURN:
		http->stats.queued += sign;
		if (sign > 0)
			TAILQ_INSERT_TAIL(&call->host->queue, call, link);
		else
			TAILQ_REMOVE(&call->host->queue, call, link);
		return;
	case HTTP_WAIT_NAME:
		list = &http->resolving;
		call->host->resolving = sign > 0 ? call : NULL;
		http->stats.queued += sign;
		call->host->busy += sign;
		break;
	case HTTP_WAIT_SLOT:
		list = &http->resolved;
		http->stats.queued += sign;
		call->host->busy += sign;
		break;
	case HTTP_WAIT_ANSWER:
		list = &http->in_flight;
		http->stats.in_flight += sign;
		call->host->busy += sign;
		break;
	case HTTP_WAIT_DELIVERY:
		break;
	}
	if (sign > 0)
		TAILQ_INSERT_TAIL(list, call, link);
	else
		TAILQ_REMOVE(list, call, link);
}

static void move(struct http_call *call, enum http_state state)
{
	enter_or_leave(call, -1);
	call->state = state;
	enter_or_leave(call, 1);
}

/* Gives back what the call uses in its state. */
static void let_go(struct http_call *call)
{
	resolve_cancel(call->resolve_call);
	call->resolve_call = NULL;
	if (call->state == HTTP_WAIT_ANSWER)
		http_curl_stop(call);
	if (call->slot != NULL)
		http_slot_give_back(call->http, call->slot);
	call->slot = NULL;
}

void http_end(struct http_call *call)
{
	let_go(call);
	move(call, HTTP_WAIT_DELIVERY);
	update_host(call->http, call->host);
	call->host = NULL; /* it may be gone */
}

static void free_call(struct http_call *call)
{
	buf_clear(&call->reply.body); /* wiped when secret */
	free(call);
}

/* --- from the queue to libcurl ---------------------------------------------------------------- */

/* Fills in everything that depends on the request. Returns -1 with the call's err. */
static int take_request(struct http_call *call)
{
	struct http_request *request = &call->request;
	struct err *err = &call->err;
	if (call->make(call->arg, request, err) != 0)
		return -1;
	assert(request->timeouts->connect_ms > 0 && request->timeouts->first_byte_ms > 0);
	assert(request->timeouts->stall_ms > 0 && request->timeouts->total_ms > 0);
	if (request->is_secret)
		buf_init_secret(&call->reply.body, request->reply_max_bytes);
	else
		buf_init(&call->reply.body, request->reply_max_bytes);
	if (strlen(request->url) > URL_MAX)
		return err_set(err, ERR_CONFIG, "%s: the URL is longer than %d bytes",
			call->host->key, URL_MAX);
	if (http_target_parse(request->url, &call->target, err) != 0)
		return -1;
	const struct http_route *route = request->route;
	call->has_proxy = route->proxy != NULL && route->proxy[0] != '\0' &&
			  !http_no_proxy_matches(route->no_proxy, &call->target);
	call->peer = call->target;
	if (call->has_proxy && http_proxy_parse(route->proxy, &call->peer, err) != 0)
		return -1;
	call->slot = http_slot_take(call->http);
	return http_slot_prepare(call, err);
}

static void fail(struct http_call *call)
{
	call->has_failed = true;
	http_end(call);
}

static void send_call(struct http_call *call)
{
	struct http *http = call->http;
	if (http_curl_start(call, &call->err) != 0) {
		fail(call);
		return;
	}
	move(call, HTTP_WAIT_ANSWER);
	http->has_started = true;
}

static void on_name(void *arg, const char *addresses, const struct err *err)
{
	struct http_call *call = arg;
	struct http *http = call->http;
	call->resolve_call = NULL;
	http->now_ms = clock_mono_ms();
	call->resolve_ms = http->now_ms - call->made_ms;
	if (err != NULL) {
		call->err = *err;
		err_wrap(&call->err, "%s", call->host->key);
		err_set_code(&call->err, "connect");
		fail(call);
	} else {
		http_slot_set_addresses(call, addresses);
		move(call, HTTP_WAIT_SLOT);
		update_host(http, call->host);
	}
	http_turn(http);
}

static void make_call(struct http *http, struct http_host *host)
{
	struct http_call *call = TAILQ_FIRST(&host->queue);
	leave_ring(http, host); /* and join again at its end, if there is more */
	move(call, HTTP_WAIT_SLOT);
	call->made_ms = http->now_ms;
	if (take_request(call) != 0) {
		fail(call);
		return;
	}
	const char *addresses = NULL;
	if (!call->peer.is_literal) {
		addresses = resolve_cached(http->resolve, call->peer.name);
		if (addresses == NULL) {
			move(call, HTTP_WAIT_NAME);
			call->resolve_call =
				resolve_start(http->resolve, call->peer.name, on_name, call);
			return; /* its host waits with it: not back into the ring */
		}
		http_slot_set_addresses(call, addresses);
	}
	update_host(http, host);
	send_call(call);
}

static void fill_slots(struct http *http)
{
	while (http->stats.in_flight < http->limits.max_requests) {
		if (!TAILQ_EMPTY(&http->resolved))
			send_call(TAILQ_FIRST(&http->resolved));
		else if (!TAILQ_EMPTY(&http->ready))
			make_call(http, TAILQ_FIRST(&http->ready));
		else
			break;
	}
}

/* --- from libcurl to done --------------------------------------------------------------------- */

static void take_finished(struct http *http)
{
	CURLcode code;
	struct http_call *call;
	while ((call = http_curl_next_finished(http, &code)) != NULL) {
		if (code != CURLE_OK)
			http_set_transfer_err(call, code);
		else if (!call->is_header_complete)
			http_set_header_cut_err(call);
		else
			http_reply_finish(call);
		http_end(call);
	}
}

/* Whether this turn of the loop has time left for what the done functions do. */
static bool may_deliver(struct http *http)
{
	int64_t turn_us = loop_turn_began_us(http->loop);
	if (turn_us != http->delivery_turn_us) {
		http->delivery_turn_us = turn_us;
		http->delivery_us = 0;
	}
	return http->delivery_us < DELIVERY_US;
}

/* Each done may start, cancel and, when it was the last call, free http. */
static void deliver(struct http *http)
{
	int64_t began_us = clock_mono_us();
	while (!TAILQ_EMPTY(&http->ended) && may_deliver(http)) {
		struct http_call *call = TAILQ_FIRST(&http->ended);
		TAILQ_REMOVE(&http->ended, call, link);
		const struct http_reply *reply = call->has_failed ? NULL : &call->reply;
		call->done(call->arg, reply, call->has_failed ? &call->err : NULL);
		free_call(call);
		int64_t now_us = clock_mono_us();
		http->delivery_us += now_us - began_us;
		began_us = now_us;
	}
}

/* --- turns and time limits -------------------------------------------------------------------- */

static void on_turn(void *arg)
{
	struct http *http = arg;
	http->turn_timer = NULL;
	http->now_ms = clock_mono_ms();
	http_turn(http);
}

static void post_turn(struct http *http)
{
	if (http->turn_timer == NULL && !http->is_in_turn)
		http->turn_timer = loop_timer_start(http->loop, 0, on_turn, http);
}

static void end_overdue(struct http *http, struct http_call_list *list)
{
	struct http_call *next;
	for (struct http_call *call = TAILQ_FIRST(list); call != NULL; call = next) {
		next = TAILQ_NEXT(call, link);
		if (http_is_overdue(call, http->now_ms))
			http_end(call);
	}
}

static void on_watch(void *arg)
{
	struct http *http = arg;
	http->watch_timer = NULL;
	http->now_ms = clock_mono_ms();
	end_overdue(http, &http->resolving);
	end_overdue(http, &http->in_flight);
	http_turn(http);
}

/* One timer looks over all calls: cheaper than one for each, and late by WATCH_MS at most. */
static void set_watch(struct http *http)
{
	bool is_needed = !TAILQ_EMPTY(&http->in_flight) || !TAILQ_EMPTY(&http->resolving);
	if (is_needed && http->watch_timer == NULL) {
		http->watch_timer = loop_timer_start(http->loop, WATCH_MS, on_watch, http);
	} else if (!is_needed) {
		loop_timer_cancel(http->watch_timer);
		http->watch_timer = NULL;
	}
}

static void destroy(struct http *http)
{
	loop_timer_cancel(http->turn_timer);
	loop_timer_cancel(http->watch_timer);
	http_curl_clear(http);
	for (size_t i = 0; i < HTTP_BUCKETS; i++) {
		struct http_host *next;
		for (struct http_host *host = LIST_FIRST(&http->bucket[i]); host; host = next) {
			next = LIST_NEXT(host, bucket_link);
			free(host);
		}
	}
	free(http);
}

void http_turn(struct http *http)
{
	assert(!http->is_in_turn);
	http->is_in_turn = true;
	take_finished(http);
	deliver(http);
	if (http->is_freed) {
		destroy(http);
		return;
	}
	if (TAILQ_EMPTY(&http->ended)) /* else there is more than a turn's work already */
		fill_slots(http);
	if (http->has_started) {
		http->has_started = false;
		http_curl_kick(http); /* sends now rather than in the next turn */
		take_finished(http);
	}
	http->is_in_turn = false;
	if (!TAILQ_EMPTY(&http->ended))
		post_turn(http); /* also what failed at once: no endless turn */
	set_watch(http);
}

/* --- public ----------------------------------------------------------------------------------- */

struct http *http_new(struct loop *loop, struct resolve *resolve, const struct http_limits *limits,
	struct err *err)
{
	assert(limits->max_requests > 0 && limits->per_host_max > 0);
	struct http *http = xcalloc(1, sizeof(*http));
	http->loop = loop;
	http->resolve = resolve;
	http->limits = *limits;
	http->ca_bundle = curl_ca_bundle();
	TAILQ_INIT(&http->ready);
	TAILQ_INIT(&http->resolving);
	TAILQ_INIT(&http->resolved);
	TAILQ_INIT(&http->in_flight);
	TAILQ_INIT(&http->ended);
	if (http_curl_init(http, err) != 0) {
		free(http);
		return NULL;
	}
	return http;
}

void http_free(struct http *http)
{
	if (http == NULL)
		return;
	assert(http->stats.queued == 0 && http->stats.in_flight == 0);
	assert(TAILQ_EMPTY(&http->ended));
	if (http->is_in_turn)
		http->is_freed = true;
	else
		destroy(http);
}

struct http_call *http_start(
	struct http *http, const char *host_key, http_make_fn *make, http_done_fn *done, void *arg)
{
	struct http_call *call = xcalloc(1, sizeof(*call));
	call->http = http;
	call->host = host_of(http, host_key);
	call->state = HTTP_WAIT_TURN;
	call->make = make;
	call->done = done;
	call->arg = arg;
	enter_or_leave(call, 1);
	update_host(http, call->host);
	post_turn(http);
	return call;
}

void http_cancel(struct http_call *call)
{
	if (call == NULL)
		return;
	struct http *http = call->http;
	let_go(call);
	enter_or_leave(call, -1);
	if (call->host != NULL)
		update_host(http, call->host);
	free_call(call);
	post_turn(http); /* its slot is free, and the watch may end */
}

bool http_rest(struct http *http)
{
	if (!TAILQ_EMPTY(&http->ready) || !TAILQ_EMPTY(&http->resolving) ||
		!TAILQ_EMPTY(&http->resolved) || !TAILQ_EMPTY(&http->in_flight) ||
		!TAILQ_EMPTY(&http->ended))
		return false;
	http_curl_renew(http);
	return true;
}

void http_get_stats(const struct http *http, struct http_stats *ret_stats)
{
	*ret_stats = http->stats;
}
