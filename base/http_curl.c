/*
 * libcurl's multi handle on the loop, and what is set on its easy handles.
 *
 * libcurl asks for sockets to be watched and for one timer; we tell it when something happens. Its
 * callbacks only note that. It never resolves a name: each new connection's addresses are handed to
 * it with the request, and what it would look up nevertheless is refused.
 */
#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/curl_internal.h"
#include "base/http_internal.h"
#include "base/loop.h"
#include "base/mem.h"

enum {
	UPLOAD_BUFFER_BYTES = 16384, /* libcurl's 64 KiB would be allocated and wiped each time */
	DNS_CACHE_S = 3600,	     /* an entry is replaced by each request to its host */
};

/* A socket that libcurl wants watched. */
struct http_socket {
	SLIST_ENTRY(http_socket) link; /* while free */
	struct http *http;	       /* borrowed */
	struct event *event;	       /* owned */
	evutil_socket_t fd;
	short events;
};

static void check_multi(CURLMcode code)
{
	if (code != CURLM_OK)
		abort(); /* every other code is a wrong use of libcurl, or no memory */
}

/* --- libcurl and the loop --------------------------------------------------------------------- */

static void act(struct http *http, curl_socket_t fd, int events)
{
	int running;
	loop_turn_mark(http->loop);
	http->now_ms = clock_mono_ms();
	check_multi(curl_multi_socket_action(http->multi, fd, events, &running));
	http_turn(http);
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct http_socket *socket = arg;
	int events =
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	act(socket->http, fd, events);
}

static int want_alarm(CURLM *multi, long delay_ms, void *arg)
{
	(void)multi;
	struct http *http = arg;
	if (delay_ms < 0) {
		event_del(http->alarm);
		return 0;
	}
	struct timeval delay = {.tv_sec = delay_ms / 1000, .tv_usec = delay_ms % 1000 * 1000};
	return event_add(http->alarm, &delay);
}

static struct http_socket *take_socket(struct http *http)
{
	struct http_socket *socket = SLIST_FIRST(&http->free_sockets);
	if (socket != NULL) {
		SLIST_REMOVE_HEAD(&http->free_sockets, link);
		return socket;
	}
	socket = xcalloc(1, sizeof(*socket));
	socket->http = http;
	socket->event = event_new(loop_event_base(http->loop), -1, 0, on_socket, socket);
	if (socket->event == NULL)
		abort(); /* fails for lack of memory only */
	return socket;
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	(void)easy;
	struct http *http = arg;
	struct http_socket *socket = socket_arg;
	if (what == CURL_POLL_REMOVE) {
		if (socket == NULL)
			return 0;
		event_del(socket->event);
		curl_multi_assign(http->multi, fd, NULL);
		SLIST_INSERT_HEAD(&http->free_sockets, socket, link);
		return 0;
	}
	short events = EV_PERSIST;
	events |= what & CURL_POLL_IN ? EV_READ : 0;
	events |= what & CURL_POLL_OUT ? EV_WRITE : 0;
	if (socket == NULL) {
		socket = take_socket(http);
		curl_multi_assign(http->multi, fd, socket);
	} else if (socket->fd == fd && socket->events == events) {
		return 0;
	} else {
		event_del(socket->event);
	}
	socket->fd = fd;
	socket->events = events;
	event_assign(socket->event, loop_event_base(http->loop), fd, events, on_socket, socket);
	return event_add(socket->event, NULL);
}

void http_curl_kick(struct http *http)
{
	int running;
	check_multi(curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running));
}

struct http_call *http_curl_next_finished(struct http *http, CURLcode *ret_code)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		char *call = NULL;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		*ret_code = message->data.result;
		return (struct http_call *)(void *)call;
	}
	return NULL;
}

/* --- an easy handle --------------------------------------------------------------------------- */

/* libcurl is about to look up a name: only what is an address already may pass. */
static int before_lookup(void *state, void *reserved, void *arg)
{
	(void)state;
	(void)reserved;
	const struct http_call *call = arg;
	return call->peer.is_literal ? 0 : 1;
}

struct http_slot *http_slot_take(struct http *http)
{
	struct http_slot *slot = SLIST_FIRST(&http->free_slots);
	if (slot != NULL) {
		SLIST_REMOVE_HEAD(&http->free_slots, link);
		return slot;
	}
	slot = xcalloc(1, sizeof(*slot));
	slot->easy = curl_easy_init();
	if (slot->easy == NULL)
		abort(); /* fails for lack of memory only */
	buf_init_secret(&slot->header_text, SIZE_MAX - 1);
	buf_init(&slot->address_text, SIZE_MAX - 1);
	return slot;
}

static void free_slot(struct http_slot *slot)
{
	curl_easy_cleanup(slot->easy);
	buf_clear(&slot->header_text);
	buf_clear(&slot->address_text);
	free(slot);
}

/* A handle that met a system error goes: libcurl would keep that error, and tell and judge by it
 * when the next transfer fails for another reason. */
void http_slot_give_back(struct http *http, struct http_slot *slot)
{
	long system_error = 0;
	curl_easy_getinfo(slot->easy, CURLINFO_OS_ERRNO, &system_error);
	if (system_error != 0) {
		free_slot(slot);
		return;
	}
	buf_reset(&slot->header_text);
	buf_reset(&slot->address_text);
	SLIST_INSERT_HEAD(&http->free_slots, slot, link);
}

#define SET(option, value) curl_check(curl_easy_setopt(easy, (option), (value)))

/* The same for every request. */
static void set_constants(CURL *easy)
{
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_PATH_AS_IS, 1L);
	SET(CURLOPT_WRITEFUNCTION, http_on_body);
	SET(CURLOPT_HEADERFUNCTION, http_on_header);
	curl_set_sockets(easy);
	SET(CURLOPT_RESOLVER_START_FUNCTION, before_lookup);
	SET(CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_CACHE_S);
	SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

/* "" keeps the environment's proxies away. That no_proxy does not apply is known already. */
static void set_proxy(struct http_call *call, CURL *easy, const char *ca_bundle)
{
	if (!call->has_proxy) {
		SET(CURLOPT_PROXY, "");
		return;
	}
	SET(CURLOPT_PROXY, call->request.route->proxy);
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	if (call->peer.is_tls) {
		SET(CURLOPT_PROXY_CAPATH, NULL);
		SET(CURLOPT_PROXY_CAINFO, ca_bundle);
		SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	}
}

static bool has_body(const struct http_request *request)
{
	return request->body != NULL || strcmp(request->method, "POST") == 0;
}

static void set_method(const struct http_request *request, CURL *easy)
{
	if (has_body(request)) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		SET(CURLOPT_POSTFIELDS, request->body != NULL ? request->body : "");
		if (strcmp(request->method, "POST") != 0)
			SET(CURLOPT_CUSTOMREQUEST, request->method);
	} else if (strcmp(request->method, "HEAD") == 0) {
		SET(CURLOPT_NOBODY, 1L);
	} else if (strcmp(request->method, "GET") != 0) {
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	}
}

static void add_header(struct http_slot *slot, size_t *count, char *line)
{
	slot->header[*count] = (struct curl_slist){.data = line};
	if (*count > 0)
		slot->header[*count - 1].next = &slot->header[*count];
	++*count;
}

/*
 * libcurl walks a list of lines that the slot owns, so nothing is copied twice. Unless told not to
 * it adds headers of its own to a body: Expect, which costs a round trip, and a form's type.
 */
static void set_headers(const struct http_request *request, struct http_slot *slot)
{
	static char no_expect[] = "Expect:", no_content_type[] = "Content-Type:";
	CURL *easy = slot->easy;
	size_t at[HTTP_HEADERS_MAX];
	bool has_content_type = !has_body(request);
	assert(request->header_count <= HTTP_HEADERS_MAX);
	for (size_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->header[i];
		assert(strpbrk(header->name, "\r\n") == NULL);
		assert(strpbrk(header->value, "\r\n") == NULL);
		at[i] = slot->header_text.len;
		buf_add_text(&slot->header_text, header->name);
		/* libcurl's form of an empty value; without one it would leave the header out. */
		buf_add_text(&slot->header_text, header->value[0] != '\0' ? ": " : ";");
		buf_add(&slot->header_text, header->value, strlen(header->value) + 1);
		has_content_type |= strcasecmp(header->name, "Content-Type") == 0;
	}
	size_t count = 0;
	for (size_t i = 0; i < request->header_count; i++)
		add_header(slot, &count, slot->header_text.data + at[i]);
	if (has_body(request))
		add_header(slot, &count, no_expect);
	if (!has_content_type)
		add_header(slot, &count, no_content_type);
	SET(CURLOPT_HTTPHEADER, count > 0 ? slot->header : NULL);
}

int http_slot_prepare(struct http_call *call, struct err *err)
{
	const struct http_request *request = &call->request;
	struct http_slot *slot = call->slot;
	CURL *easy = slot->easy;
	const char *ca_bundle = call->http->ca_bundle;
	if (request->route->ca_bundle != NULL && request->route->ca_bundle[0] != '\0')
		ca_bundle = request->route->ca_bundle;
	bool has_tls = call->target.is_tls || (call->has_proxy && call->peer.is_tls);
	if (has_tls && ca_bundle == NULL)
		return err_set(err, ERR_CONFIG,
			"%s: this host has no CA bundle in a usual place: set ca_bundle",
			call->host->key);
	/* Not only to begin clean: libcurl counts its repeated tries over a handle's whole life. */
	curl_easy_reset(easy);
	SET(CURLOPT_RESOLVE, NULL); /* which a reset leaves behind when it was not used */
	set_constants(easy);
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_PRIVATE, call);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_RESOLVER_START_DATA, call);
	slot->error[0] = '\0';
	SET(CURLOPT_ERRORBUFFER, slot->error);
	set_proxy(call, easy, ca_bundle);
	if (has_tls)
		curl_set_tls(easy, ca_bundle);
	set_method(request, easy);
	set_headers(request, slot);
	if (request->is_once)
		SET(CURLOPT_FRESH_CONNECT, 1L);
	return 0;
}

/*
 * The entry replaces what libcurl has cached for the name, and '+' lets it expire, so that stale
 * addresses and forgotten hosts go by themselves. It is read when the transfer begins.
 */
void http_slot_set_addresses(struct http_call *call, const char *addresses)
{
	struct http_slot *slot = call->slot;
	CURL *easy = slot->easy;
	buf_addf(&slot->address_text, "+%s:%d:%s", call->peer.name, call->peer.port, addresses);
	slot->address = (struct curl_slist){.data = slot->address_text.data};
	SET(CURLOPT_RESOLVE, &slot->address);
}

int http_curl_start(struct http_call *call, struct err *err)
{
	struct http *http = call->http;
	CURL *easy = call->slot->easy;
	int64_t left_ms = call->request.timeouts->connect_ms - call->resolve_ms;
	SET(CURLOPT_CONNECTTIMEOUT_MS, left_ms > 0 ? (long)left_ms : 1L);
	call->sent_ms = http->now_ms;
	http->stats.requests++;
	CURLMcode code = curl_multi_add_handle(http->multi, easy);
	if (code != CURLM_OK)
		return err_set(err, ERR_SYSTEM, "%s: libcurl: %s", call->host->key,
			curl_multi_strerror(code));
	return 0;
}

void http_curl_stop(struct http_call *call)
{
	struct http *http = call->http;
	CURL *easy = call->slot->easy;
	long connections = 0, header_bytes = 0;
	curl_off_t body_bytes = 0;
	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connections);
	curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &header_bytes);
	curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &body_bytes);
	http->stats.connections_opened += connections;
	http->stats.bytes_out += header_bytes + body_bytes;
	check_multi(curl_multi_remove_handle(http->multi, easy));
}

/* --- begin and end ---------------------------------------------------------------------------- */

static void open_multi(struct http *http)
{
	http->multi = curl_multi_init();
	if (http->multi == NULL)
		abort(); /* fails for lack of memory only */
	/* libcurl counts busy connections too. Those of one host need no limit here: a call begins
	 * only when its host has fewer than per_host_max. */
	long connections = http->limits.idle_max > http->limits.max_requests
				   ? http->limits.idle_max
				   : http->limits.max_requests;
	check_multi(curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, connections));
	check_multi(curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING));
	check_multi(curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, want_socket));
	check_multi(curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http));
	check_multi(curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, want_alarm));
	check_multi(curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http));
}

/* With all connections and what libcurl keeps beside them. */
static void close_multi(struct http *http)
{
	while (!SLIST_EMPTY(&http->free_slots)) {
		struct http_slot *slot = SLIST_FIRST(&http->free_slots);
		SLIST_REMOVE_HEAD(&http->free_slots, link);
		free_slot(slot);
	}
	check_multi(curl_multi_cleanup(http->multi)); /* gives the last sockets back */
	while (!SLIST_EMPTY(&http->free_sockets)) {
		struct http_socket *socket = SLIST_FIRST(&http->free_sockets);
		SLIST_REMOVE_HEAD(&http->free_sockets, link);
		event_free(socket->event);
		free(socket);
	}
	event_del(http->alarm);
}

int http_curl_init(struct http *http, struct err *err)
{
	if (curl_begin(err) != 0)
		return -1;
	http->alarm = evtimer_new(loop_event_base(http->loop), on_alarm, http);
	if (http->alarm == NULL)
		abort(); /* fails for lack of memory only */
	open_multi(http);
	return 0;
}

void http_curl_clear(struct http *http)
{
	close_multi(http);
	event_free(http->alarm);
	curl_end();
}

void http_curl_renew(struct http *http)
{
	close_multi(http);
	open_multi(http);
}
