#include "tests/lib/http_fixture.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/resolve.h"
#include "base/text.h"
#include "tests/lib/test_server.h"

enum { GUARD_MS = 60000, POLL_MS = 2 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static bool is_gate_open;

static void set_gate(bool is_open)
{
	pthread_mutex_lock(&mutex);
	is_gate_open = is_open;
	pthread_cond_broadcast(&opened);
	pthread_mutex_unlock(&mutex);
}

static int look_up(const char *node, const char *service, const struct addrinfo *hints,
	struct addrinfo **ret_info)
{
	(void)service;
	struct addrinfo numeric = *hints;
	numeric.ai_flags = AI_NUMERICHOST;
	if (strcmp(node, "missing.test") == 0 || !text_has_suffix(node, ".test"))
		return EAI_NONAME;
	if (text_has_prefix(node, "stuck")) {
		pthread_mutex_lock(&mutex);
		while (!is_gate_open)
			pthread_cond_wait(&opened, &mutex);
		pthread_mutex_unlock(&mutex);
	}
	struct addrinfo **link = ret_info;
	if (strcmp(node, "dual.test") == 0) {
		int rc = getaddrinfo("::1", NULL, &numeric, link);
		if (rc != 0)
			return rc;
		link = &(*ret_info)->ai_next;
	}
	int rc = getaddrinfo("127.0.0.1", NULL, &numeric, link);
	if (strcmp(node, "many.test") != 0)
		return rc;
	for (int i = 2; i < 12 && rc == 0; i++) {
		char address[16];
		(void)snprintf(address, sizeof(address), "127.0.0.%d", i);
		link = &(*link)->ai_next;
		rc = getaddrinfo(i == 2 ? "::1" : address, NULL, &numeric, link);
	}
	return rc;
}

struct http_fixture *http_fixture_new(const struct http_limits *limits)
{
	static const struct http_limits usual = {
		.max_requests = 16, .per_host_max = 8, .idle_max = 64};
	struct err err = ERR_INIT;
	struct http_fixture *f = xcalloc(1, sizeof(*f));
	set_gate(false);
	f->loop = loop_new(&err);
	f->resolve = resolve_new(f->loop, look_up, &err);
	f->http = http_new(f->loop, f->resolve, limits != NULL ? limits : &usual, &err);
	if (f->http == NULL) {
		fprintf(stderr, "http_fixture: %s\n", err.text);
		abort();
	}
	return f;
}

void http_fixture_free(struct http_fixture *f)
{
	for (struct fixture_call *call = f->calls; call != NULL; call = call->next)
		fixture_call_cancel(call);
	struct http_stats stats = fixture_stats(f);
	assert(stats.queued == 0 && stats.in_flight == 0);
	http_free(f->http);
	resolve_free(f->resolve);
	loop_free(f->loop);
	while (f->calls != NULL) {
		struct fixture_call *call = f->calls;
		f->calls = call->next;
		free(call->body);
		free(call);
	}
	free(f);
	set_gate(true);
}

static void set_url(struct fixture_call *call, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
static struct fixture_call *new_call(struct http_fixture *f, char letter, const char *format,
	va_list args) __attribute__((format(printf, 3, 0)));

static void set_url(struct fixture_call *call, const char *format, va_list args)
{
	vsnprintf(call->url, sizeof(call->url), format, args);
	snprintf(call->host_key, sizeof(call->host_key), "%s", call->url);
	char *slash = strchr(strstr(call->host_key, "://") + 3, '/');
	if (slash != NULL)
		*slash = '\0';
}

static struct fixture_call *new_call(
	struct http_fixture *f, char letter, const char *format, va_list args)
{
	struct fixture_call *call = xcalloc(1, sizeof(*call));
	call->next = f->calls;
	f->calls = call;
	call->fixture = f;
	call->letter = letter;
	set_url(call, format, args);
	call->route.proxy = call->proxy;
	call->timeouts = (struct http_timeouts){
		.connect_ms = 10000, .first_byte_ms = 10000, .stall_ms = 10000, .total_ms = 10000};
	call->request = (struct http_request){.method = "GET",
		.url = call->url,
		.header = call->header,
		.reply_max_bytes = 1048576,
		.route = &call->route,
		.timeouts = &call->timeouts};
	return call;
}

struct fixture_call *fixture_call_new(struct http_fixture *f, char letter, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct fixture_call *call = new_call(f, letter, format, args);
	va_end(args);
	return call;
}

static void append(char *text, size_t size, char letter)
{
	size_t len = strlen(text);
	assert(len + 1 < size);
	text[len] = letter;
	text[len + 1] = '\0';
}

static int make(void *arg, struct http_request *ret_request, struct err *err)
{
	struct fixture_call *call = arg;
	call->made++;
	append(call->fixture->made, sizeof(call->fixture->made), call->letter);
	if (call->make_err.kind != ERR_NONE) {
		*err = call->make_err;
		return -1;
	}
	*ret_request = call->request;
	return 0;
}

static void on_done(void *arg, const struct http_reply *reply, const struct err *err)
{
	struct fixture_call *call = arg;
	struct http_fixture *f = call->fixture;
	assert((reply == NULL) == (err != NULL));
	call->handle = NULL;
	call->done++;
	append(f->order, sizeof(f->order), call->letter);
	if (err != NULL) {
		call->err = *err;
	} else {
		call->status = reply->status;
		if (!call->request.is_secret)
			call->body = xstrndup(buf_text(&reply->body), reply->body.len);
		call->reply = *reply;
	}
	if (--f->awaited <= 0)
		loop_stop(f->loop);
	if (call->on_done != NULL)
		call->on_done(call);
}

void fixture_call_start(struct fixture_call *call)
{
	call->handle = http_start(call->fixture->http, call->host_key, make, on_done, call);
	assert(call->made == 0 && call->done == 0);
}

void fixture_call_cancel(struct fixture_call *call)
{
	http_cancel(call->handle);
	call->handle = NULL;
}

static void on_guard(void *arg)
{
	(void)arg;
	fputs("http_fixture: nothing happened for too long\n", stderr);
	abort();
}

void fixture_run(struct http_fixture *f, int count)
{
	struct loop_timer *guard = loop_timer_start(f->loop, GUARD_MS, on_guard, NULL);
	f->awaited = count;
	loop_run(f->loop);
	loop_timer_cancel(guard);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

void fixture_run_ms(struct http_fixture *f, int ms)
{
	f->awaited = 1000000;
	loop_timer_start(f->loop, ms, stop, f->loop);
	loop_run(f->loop);
}

void fixture_run_until(struct http_fixture *f, bool (*is_true)(void *arg), void *arg)
{
	for (int ms = 0; ms < GUARD_MS; ms += POLL_MS) {
		if (is_true(arg))
			return;
		fixture_run_ms(f, POLL_MS);
	}
	on_guard(NULL);
}

struct fixture_call *fixture_get(struct http_fixture *f, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct fixture_call *call = new_call(f, 'g', format, args);
	va_end(args);
	fixture_call_start(call);
	fixture_run(f, 1);
	return call;
}

struct http_stats fixture_stats(const struct http_fixture *f)
{
	struct http_stats stats;
	http_get_stats(f->http, &stats);
	return stats;
}

int fixture_set_up(void **state)
{
	*state = http_fixture_new(NULL);
	return 0;
}

int fixture_tear_down(void **state)
{
	if (*state != NULL)
		http_fixture_free(*state);
	return 0;
}

void fixture_serve_hello(struct test_conn *conn, void *arg)
{
	(void)arg;
	while (test_conn_read_request(conn))
		test_conn_reply(conn, 200, "Content-Type: text/plain\r\n", "hello");
}
