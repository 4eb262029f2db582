/* Scripted answers in place of base/http.c; see fake_http.h. */
#include "tests/lib/fake_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"

enum { HEADERS_MAX = 131072 };

struct script {
	struct fake_answer answer;
	char *body, *code, *content_type, *error_type; /* owned */
};

struct http {
	struct loop *loop; /* borrowed */
};

struct http_call {
	struct http *http; /* borrowed */
	char *host_key;	   /* owned */
	http_make_fn *make;
	http_done_fn *done;
	void *arg;
	struct loop_timer *timer; /* owned; NULL while held or hanging */
	bool is_made;
	struct err err;
	struct script script; /* owned, once made */
	struct http_call *next, *previous;
};

static struct {
	struct script *script; /* owned */
	size_t scripts, scripts_capacity, at;
	struct fake_http_request *request; /* owned, with texts */
	size_t requests, requests_capacity;
	struct http_call *first, *last;
	fake_http_answer_fn *answer;
	void *answer_arg;
	bool is_held;
	char header_value[8192];
} fake;

/* Records and answers may hold secrets, which a test may look for in memory afterwards. */
static void wipe_free(const char *text)
{
	mem_wipe((char *)text, strlen(text));
	free((char *)text);
}

static void script_clear(struct script *script)
{
	if (script->body != NULL)
		wipe_free(script->body);
	free(script->code);
	free(script->content_type);
	free(script->error_type);
	*script = (struct script){.body = NULL};
}

static struct script copy_answer(const struct fake_answer *answer)
{
	return (struct script){.answer = *answer,
		.body = xstrdup(answer->body != NULL ? answer->body : ""),
		.code = xstrdup(answer->code != NULL ? answer->code : ""),
		.content_type = xstrdup(answer->content_type != NULL ? answer->content_type : ""),
		.error_type = xstrdup(answer->error_type != NULL ? answer->error_type : "")};
}

void fake_http_reset(void)
{
	if (fake.first != NULL) {
		fprintf(stderr, "fake_http_reset: a call is still pending\n");
		abort();
	}
	for (size_t i = fake.at; i < fake.scripts; i++)
		script_clear(&fake.script[i]);
	free(fake.script);
	for (size_t i = 0; i < fake.requests; i++) {
		free((char *)fake.request[i].host_key);
		free((char *)fake.request[i].url);
		wipe_free(fake.request[i].body);
		free((char *)fake.request[i].proxy);
		free((char *)fake.request[i].ca_bundle);
		wipe_free(fake.request[i].headers);
	}
	free(fake.request);
	mem_wipe(&fake, sizeof(fake));
}

void fake_http_push(const struct fake_answer *answer)
{
	fake.script =
		xgrow(fake.script, &fake.scripts_capacity, fake.scripts, sizeof(*fake.script));
	fake.script[fake.scripts++] = copy_answer(answer);
}

void fake_http_answer(int status, const char *body)
{
	fake_http_push(&(struct fake_answer){.status = status, .body = body});
}

void fake_http_fail(enum err_kind kind, const char *code)
{
	fake_http_push(&(struct fake_answer){.kind = kind, .code = code});
}

void fake_http_set_answerer(fake_http_answer_fn *answer, void *arg)
{
	fake.answer = answer;
	fake.answer_arg = arg;
}

/* --- calls ------------------------------------------------------------------------------------ */

static void destroy(struct http_call *call)
{
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		fake.first = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
	else
		fake.last = call->previous;
	script_clear(&call->script);
	free(call->host_key);
	free(call);
}

static void fill_reply(const struct script *script, struct http_reply *reply)
{
	const struct fake_answer *answer = &script->answer;
	int64_t date_s = answer->date_s != 0 ? answer->date_s : clock_now_s();
	*reply = (struct http_reply){
		.status = answer->status,
		.date_s = date_s > 0 ? date_s : 0,
		.retry_after_s = answer->retry_after_s > 0 ? answer->retry_after_s : -1,
		.has_age = answer->has_age,
		.elapsed_ms = answer->delay_ms,
	};
	snprintf(reply->content_type, sizeof(reply->content_type), "%s", script->content_type);
	snprintf(reply->error_type, sizeof(reply->error_type), "%s", script->error_type);
	buf_init_secret(&reply->body, strlen(script->body) + 1);
	buf_add_text(&reply->body, script->body);
}

static void on_end(void *arg)
{
	struct http_call *call = arg;
	struct http_reply reply;
	struct err err = call->err;
	bool has_failed = err.kind != ERR_NONE;
	fill_reply(&call->script, &reply);
	http_done_fn *done = call->done;
	void *done_arg = call->arg;
	destroy(call);
	done(done_arg, has_failed ? NULL : &reply, has_failed ? &err : NULL);
	buf_clear(&reply.body);
}

static void record(const struct http_call *call, const struct http_request *request)
{
	char *headers = xcalloc(HEADERS_MAX, 1);
	for (size_t i = 0, len = 0; i < request->header_count; i++)
		len += (size_t)snprintf(headers + len, HEADERS_MAX - len, "%s: %s\n",
			request->header[i].name, request->header[i].value);
	fake.request =
		xgrow(fake.request, &fake.requests_capacity, fake.requests, sizeof(*fake.request));
	fake.request[fake.requests++] = (struct fake_http_request){
		.host_key = xstrdup(call->host_key),
		.url = xstrdup(request->url),
		.body = xstrndup(request->body, request->body_len),
		.headers = headers,
		.proxy = xstrdup(request->route->proxy != NULL ? request->route->proxy : ""),
		.ca_bundle =
			xstrdup(request->route->ca_bundle != NULL ? request->route->ca_bundle : ""),
		.timeouts = *request->timeouts,
		.is_secret = request->is_secret,
		.is_once = request->is_once,
		.mono_ms = clock_mono_ms(),
	};
}

/* The call's answer; false: it hangs. */
static bool choose_answer(struct http_call *call)
{
	struct fake_answer answer = {.status = 200};
	if (fake.answer != NULL &&
		fake.answer(fake.answer_arg, &fake.request[fake.requests - 1], &answer))
		call->script = copy_answer(&answer);
	else if (fake.at < fake.scripts)
		call->script = fake.script[fake.at++];
	else
		return false;
	if (call->script.answer.kind != ERR_NONE) {
		err_set(&call->err, call->script.answer.kind, "fake %s", call->script.code);
		err_set_code(&call->err, call->script.code);
	}
	return true;
}

static void on_slot(void *arg)
{
	struct http_call *call = arg;
	call->timer = NULL;
	struct http_request request = {.method = NULL};
	call->is_made = true;
	if (call->make(call->arg, &request, &call->err) != 0) {
		call->script = copy_answer(&(struct fake_answer){.status = 0});
		on_end(call);
		return;
	}
	record(call, &request);
	if (choose_answer(call))
		call->timer = loop_timer_start(
			call->http->loop, call->script.answer.delay_ms, on_end, call);
}

void fake_http_hold_slots(bool is_held)
{
	fake.is_held = is_held;
	for (struct http_call *call = fake.first; call != NULL && !is_held; call = call->next) {
		if (!call->is_made && call->timer == NULL)
			call->timer = loop_timer_start(call->http->loop, 0, on_slot, call);
	}
}

struct http_call *http_start(
	struct http *http, const char *host_key, http_make_fn *make, http_done_fn *done, void *arg)
{
	struct http_call *call = xcalloc(1, sizeof(*call));
	*call = (struct http_call){.http = http,
		.host_key = xstrdup(host_key),
		.make = make,
		.done = done,
		.arg = arg,
		.previous = fake.last};
	if (fake.last != NULL)
		fake.last->next = call;
	else
		fake.first = call;
	fake.last = call;
	if (!fake.is_held)
		call->timer = loop_timer_start(http->loop, 0, on_slot, call);
	return call;
}

void http_cancel(struct http_call *call)
{
	if (call == NULL)
		return;
	loop_timer_cancel(call->timer);
	destroy(call);
}

struct http *http_new(struct loop *loop, struct resolve *resolve, const struct http_limits *limits,
	struct err *err)
{
	(void)resolve;
	(void)limits;
	(void)err;
	struct http *http = xcalloc(1, sizeof(*http));
	http->loop = loop;
	return http;
}

void http_free(struct http *http)
{
	free(http);
}

void http_get_stats(const struct http *http, struct http_stats *ret_stats)
{
	(void)http;
	*ret_stats = (struct http_stats){.requests = (int64_t)fake.requests};
}

/* --- records ---------------------------------------------------------------------------------- */

size_t fake_http_count(void)
{
	return fake.requests;
}

const struct fake_http_request *fake_http_request(size_t i)
{
	if (i >= fake.requests)
		abort();
	return &fake.request[i];
}

const char *fake_http_header(size_t i, const char *name)
{
	const char *at = fake_http_request(i)->headers;
	size_t len = strlen(name);
	fake.header_value[0] = '\0';
	for (; at != NULL && *at != '\0'; at = strchr(at, '\n') + 1) {
		if (strncmp(at, name, len) != 0 || at[len] != ':')
			continue;
		size_t value_len = strcspn(at + len + 2, "\n");
		snprintf(fake.header_value, sizeof(fake.header_value), "%.*s", (int)value_len,
			at + len + 2);
		break;
	}
	return fake.header_value;
}

size_t fake_http_pending(void)
{
	size_t count = 0;
	for (const struct http_call *call = fake.first; call != NULL; call = call->next)
		count++;
	return count;
}
