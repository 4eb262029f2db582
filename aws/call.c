/*
 * One API request, from its start to its last attempt.
 *
 *   start -> WAIT_CREDENTIALS -> WAIT_TOKEN -> WAIT_ANSWER -(good, or final)-> done
 *                  ^                                |
 *                  +--------- WAIT_RETRY <----------+
 *   WAIT_TURN: what could not even begin, or a host's breaker opened: its error comes from the loop
 *
 * A wait that is not needed is passed over: with valid credentials and a token at hand a call goes
 * straight to HTTP. It is signed when its slot is free (make_request), with the credentials and the
 * clock of that moment.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aws/classify.h"
#include "aws/client_internal.h"
#include "aws/cred_internal.h"
#include "aws/retry.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/rate.h"
#include "base/text.h"

enum {
	/* Waits for tokens end together, at whole multiples of this: a loop that wakes for each of
	 * thousands costs a tenth of all CPU. Later by so much at most, and since the token is
	 * reserved, not at a lower rate. */
	TOKEN_TICK_MS = 25,
	/* A session that is over each time its request gets a slot: shorter than the queue. */
	STALE_MAX = 20,
	NEAR_END_S = 300,
	ACCOUNT_KEY_MAX = 40,
};

enum state { WAIT_TURN, WAIT_CREDENTIALS, WAIT_TOKEN, WAIT_ANSWER, WAIT_RETRY };
static const char *const state_name[] = {
	"WAIT_TURN", "WAIT_CREDENTIALS", "WAIT_TOKEN", "WAIT_ANSWER", "WAIT_RETRY"};

struct aws_call {
	enum state state;
	struct aws_client *client;     /* borrowed */
	struct aws_endpoint *endpoint; /* borrowed from the way; NULL: WAIT_TURN with err */
	const struct aws_service_info *service;
	const char *operation, *path, *expects; /* shared static */
	char region[ENDPOINT_REGION_MAX];
	struct buf body; /* secret when the request says so */
	struct rate rate;
	struct aws_usage_row *usage; /* borrowed */
	size_t reply_max_bytes;
	bool is_secret, is_once;
	aws_call_done_fn *done;
	void *arg;

	/* What is waited for; owned, NULL unless in the state of that name. */
	struct cred_call *cred_call;	  /* WAIT_CREDENTIALS */
	struct loop_timer *timer;	  /* WAIT_TURN, WAIT_TOKEN, WAIT_RETRY */
	struct http_call *http_call;	  /* WAIT_ANSWER */
	struct aws_call *next, *previous; /* of the host's calls */

	/* This attempt. */
	char rate_key[RATE_KEY_MAX];
	bool is_probe;	   /* let through by an open breaker */
	bool is_sent;	   /* make_request has signed it */
	bool is_stale;	   /* make_request found no credentials that last */
	bool may_be_taken; /* by AWS, for all that is known of it */
	int64_t signed_offset_s;
	int64_t expires_at_s; /* of the credentials used */
	char access_key_id[AWS_ACCESS_KEY_ID_MAX + 1];

	/* All attempts. */
	struct retry retry;
	int attempts, stale;
	int64_t first_sent_ms; /* monotonic */
	struct err err;	       /* of the last one */
};

static void step(struct aws_call *call, const struct http_reply *reply, const struct err *err);

/* --- life ------------------------------------------------------------------------------------- */

static void join_host(struct aws_call *call)
{
	struct aws_host *host = call->endpoint->host;
	call->next = host->calls;
	if (call->next != NULL)
		call->next->previous = call;
	host->calls = call;
}

static void leave_host(struct aws_call *call)
{
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		call->endpoint->host->calls = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
}

/* Ends the wait that is going on, whatever it is. */
static void stop_waiting(struct aws_call *call)
{
	bool has_unused_token =
		call->state == WAIT_TOKEN || (call->state == WAIT_ANSWER && !call->is_sent);
	if (has_unused_token)
		rate_untake(call->client->aws->rate, call->rate_key);
	cred_get_cancel(call->cred_call);
	loop_timer_cancel(call->timer);
	http_cancel(call->http_call);
	call->cred_call = NULL;
	call->timer = NULL;
	call->http_call = NULL;
}

static void destroy(struct aws_call *call)
{
	if (call->endpoint != NULL)
		leave_host(call);
	call->client->calls--;
	buf_clear(&call->body);
	free(call);
}

void aws_call_cancel(struct aws_call *call)
{
	if (call == NULL)
		return;
	stop_waiting(call);
	destroy(call);
}

/* The call's last act. reply: NULL with an error, which is call->err. */
static void end(struct aws_call *call, const struct aws_reply *reply)
{
	struct err err = call->err;
	aws_call_done_fn *done = call->done;
	void *arg = call->arg;
	call->client->aws->stats.failures += reply == NULL;
	call->usage->failures += reply == NULL;
	destroy(call);
	done(arg, reply, reply == NULL ? &err : NULL);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void on_timer(void *arg)
{
	struct aws_call *call = arg;
	call->timer = NULL;
	step(call, NULL, NULL);
}

static void wait_ms(struct aws_call *call, enum state state, int64_t delay_ms)
{
	call->state = state;
	call->timer = loop_timer_start(call->client->aws->loop, delay_ms, on_timer, call);
}

static void on_credentials(
	void *arg, const struct aws_credentials *credentials, const struct err *err)
{
	(void)credentials; /* they are looked up when the request is signed */
	struct aws_call *call = arg;
	call->cred_call = NULL;
	step(call, NULL, err);
}

static void on_answer(void *arg, const struct http_reply *reply, const struct err *err)
{
	struct aws_call *call = arg;
	call->http_call = NULL;
	step(call, reply, err);
}

/* --- the request ------------------------------------------------------------------------------ */

static size_t add_header(struct aws *aws, size_t count, const char *name, const char *value)
{
	assert(count < AWS_HEADERS_MAX);
	aws->header[count] = (struct http_header){name, value};
	return count + 1;
}

/* Signs the request in the scratch of struct aws. Returns the number of headers, 0 with err. */
static size_t sign_request(
	struct aws_call *call, const struct aws_credentials *credentials, struct err *err)
{
	struct aws *aws = call->client->aws;
	const struct endpoint *endpoint = &call->endpoint->endpoint;
	snprintf(aws->path, sizeof(aws->path), "%s%s", endpoint->path_prefix, call->path);
	snprintf(aws->url, sizeof(aws->url), "%s%s", endpoint->url, call->path);

	/* Host is signed, and sent by libcurl, which takes it from the URL. */
	size_t count = add_header(aws, 0, "Host", endpoint->host_header);
	count = add_header(aws, count, "Content-Type", call->service->content_type);
	if (call->service->target_prefix != NULL) {
		snprintf(aws->target, sizeof(aws->target), "%s.%s", call->service->target_prefix,
			call->operation);
		count = add_header(aws, count, "X-Amz-Target", aws->target);
	}
	struct sigv4_request request = {
		.method = "POST",
		.path = aws->path,
		.header = aws->header,
		.header_count = count,
		.body = buf_text(&call->body),
		.body_len = call->body.len,
		.credentials = credentials,
		.region = endpoint->signing_region,
		.service = call->service->signing_name,
		.unix_s = aws_now_s(aws),
	};
	struct sigv4_key *key = aws_client_key(call->client, call->endpoint);
	if (sigv4_sign(aws->sigv4, key, &request, &aws->signature, err) != 0)
		return 0;
	aws->header[0] = (struct http_header){"User-Agent", aws->user_agent};
	count = add_header(aws, count, "X-Amz-Date", aws->signature.amz_date);
	if (secret_is_set(&credentials->session_token))
		count = add_header(aws, count, "X-Amz-Security-Token",
			secret_bytes(&credentials->session_token));
	return add_header(aws, count, "Authorization", aws->signature.authorization);
}

/* A slot is free: base/http asks for the request. */
static int make_request(void *arg, struct http_request *ret_request, struct err *err)
{
	struct aws_call *call = arg;
	struct aws *aws = call->client->aws;
	struct aws_host *host = call->endpoint->host;
	if (host->breaker.is_open && !call->is_probe)
		return breaker_refuse(&host->breaker, call->endpoint->endpoint.host_header, err);
	if (aws->sigv4 == NULL) {
		*err = aws->sigv4_err;
		return -1;
	}
	const struct aws_credentials *credentials = cred_peek(call->client->source);
	if (credentials == NULL) {
		call->is_stale = true;
		return err_set(
			err, ERR_CREDENTIALS, "the session ended while the request was queued");
	}
	size_t header_count = sign_request(call, credentials, err);
	if (header_count == 0)
		return -1;
	*ret_request = (struct http_request){
		.method = "POST",
		.url = aws->url,
		.header = aws->header,
		.header_count = header_count,
		.body = buf_text(&call->body),
		.body_len = call->body.len,
		.reply_max_bytes = call->reply_max_bytes,
		.is_secret = call->is_secret,
		.is_once = call->is_once,
		.route = &call->client->way->route,
		.timeouts = &call->client->way->timeouts,
	};
	call->is_sent = true;
	call->signed_offset_s = aws->skew.offset_s;
	call->expires_at_s = credentials->expires_at_s;
	memcpy(call->access_key_id, credentials->access_key_id, sizeof(call->access_key_id));
	if (call->attempts++ == 0)
		call->first_sent_ms = clock_mono_ms();
	aws->stats.attempts++;
	call->usage->requests++;
	return 0;
}

static void send_request(struct aws_call *call)
{
	call->state = WAIT_ANSWER;
	call->is_sent = false;
	call->is_stale = false;
	call->may_be_taken = false;
	call->http_call = http_start(call->client->aws->http, call->endpoint->endpoint.host_key,
		make_request, on_answer, call);
}

static void wait_token(struct aws_call *call, int64_t delay_ms, int64_t now_mono_ms)
{
	int64_t over_ms = (now_mono_ms + delay_ms) % TOKEN_TICK_MS;
	wait_ms(call, WAIT_TOKEN, delay_ms + (over_ms > 0 ? TOKEN_TICK_MS - over_ms : 0));
}

/* Waits for the first of credentials, token and answer that is not there. */
static void proceed(struct aws_call *call)
{
	struct aws_client *client = call->client;
	struct aws_host *host = call->endpoint->host;
	const struct aws_credentials *credentials = cred_peek(client->source);
	if (credentials == NULL) {
		call->state = WAIT_CREDENTIALS;
		call->cred_call = cred_get_start(client->source, on_credentials, call);
		return;
	}
	int64_t now_mono_ms = clock_mono_ms();
	call->is_probe = host->breaker.is_open;
	if (!breaker_admits(&host->breaker, now_mono_ms)) {
		breaker_refuse(&host->breaker, call->endpoint->endpoint.host_header, &call->err);
		wait_ms(call, WAIT_TURN, 0);
		return;
	}
	/* AWS counts by the caller's account; while that is unknown its key stands for it. */
	const char *account =
		client->account_id[0] != '\0' ? client->account_id : credentials->access_key_id;
	snprintf(call->rate_key, sizeof(call->rate_key), "%.*s/%s/%s", ACCOUNT_KEY_MAX, account,
		call->region, call->operation);
	int64_t delay_ms = rate_take(client->aws->rate, call->rate_key, call->rate, now_mono_ms);
	if (delay_ms > 0)
		wait_token(call, delay_ms, now_mono_ms);
	else
		send_request(call);
}

/* --- the answer ------------------------------------------------------------------------------- */

/* The host's breaker opened: those that wait for it are told now, not when their turn comes. */
static void fail_waiting(struct aws_host *host, const char *host_name)
{
	for (struct aws_call *call = host->calls; call != NULL; call = call->next) {
		bool is_queued =
			call->state == WAIT_ANSWER && call->http_call != NULL && !call->is_sent;
		if (call->state != WAIT_TOKEN && call->state != WAIT_RETRY && !is_queued)
			continue;
		stop_waiting(call);
		breaker_refuse(&host->breaker, host_name, &call->err);
		wait_ms(call, WAIT_TURN, 0);
	}
}

/* No answer: what that says of the host, and whether to ask again. */
static enum retry_class take_failure(struct aws_call *call, const struct err *err)
{
	assert(err != NULL);
	call->err = *err;
	if (!call->is_sent) { /* make_request refused */
		rate_untake(call->client->aws->rate, call->rate_key);
		return RETRY_NEVER;
	}
	enum retry_class class = classify_transport(err);
	if (!classify_is_unsent(err))
		call->may_be_taken = true;
	struct aws_host *host = call->endpoint->host;
	bool has_opened = false;
	if (class == RETRY_CONNECT)
		has_opened = breaker_failed(&host->breaker, err->text, clock_mono_ms());
	else if (strcmp(err->code, "first_byte") == 0)
		has_opened = breaker_silent(&host->breaker, err->text,
			call->client->way->timeouts.first_byte_ms, clock_mono_ms());
	if (has_opened)
		fail_waiting(host, call->endpoint->endpoint.host_header);
	/* Now it would only be refused. */
	return host->breaker.is_open ? RETRY_NEVER : class;
}

/* An answer: sets ret_reply when it is good, else call->err and whether to ask again. */
static enum retry_class take_answer(
	struct aws_call *call, const struct http_reply *reply, struct aws_reply *ret_reply)
{
	struct aws *aws = call->client->aws;
	aws_usage_took(call->usage, reply->elapsed_ms);
	breaker_answered(&call->endpoint->host->breaker);
	struct classified classified = {.retry = RETRY_NEVER, .is_from_aws = true};
	if (reply->status >= 200 && reply->status < 300) {
		if (aws_reply_read(call->service->protocol, buf_text(&reply->body), reply->body.len,
			    call->expects, ret_reply, &call->err) != 0) {
			/* Cut, garbled, or a portal's page: another try may get the real one. */
			classified.is_from_aws = false;
			call->may_be_taken = true;
			if (call->err.kind == ERR_PROTOCOL)
				classified.retry = RETRY_GARBAGE;
		}
	} else {
		classified = classify_answer(call->service->protocol, reply, &call->err);
		call->may_be_taken = !classify_is_refusal(reply, &classified);
	}
	if (classified.is_from_aws) {
		skew_learn(&aws->skew, reply->date_s, reply->has_age, clock_now_s(),
			reply->elapsed_ms);
		if (reply->date_s > 0 && !reply->has_age) {
			aws->stats.date_s = reply->date_s;
			aws->stats.dated_mono_ms = clock_mono_ms();
		}
	}
	if (classified.retry == RETRY_THROTTLED) {
		aws->stats.throttles++;
		call->usage->throttles++;
		rate_throttled(aws->rate, call->rate_key, clock_mono_ms());
	}
	/* Whatever it was refused for, its time may be the reason. */
	bool is_refusal = reply->status >= 400 && reply->status < 500;
	if (is_refusal && classified.is_from_aws && classified.retry != RETRY_THROTTLED &&
		skew_explains_refusal(&aws->skew, call->signed_offset_s))
		return RETRY_CLOCK;
	return classified.retry;
}

/* An unknown key is what a disabled region answers too: only a session that may be over, or keys
 * that may have been replaced where they came from, are fetched anew for it. */
static bool may_be_over(const struct aws_call *call)
{
	return call->expires_at_s == 0 ||
	       aws_now_s(call->client->aws) >= call->expires_at_s - NEAR_END_S;
}

static bool may_renew(struct aws_call *call, enum retry_class class)
{
	if (class == RETRY_UNKNOWN_KEY && !may_be_over(call))
		return false;
	return cred_rejected(call->client->source, call->access_key_id);
}

/* What corrects itself at once is no wait, however late it shows. */
static bool has_patience(const struct aws_call *call, int64_t delay_ms)
{
	int64_t passed_ms = clock_mono_ms() - call->first_sent_ms;
	return call->client->patience_ms == 0 || delay_ms == 0 ||
	       passed_ms + delay_ms <= call->client->patience_ms;
}

/* Waits for the next attempt; false when there is none. */
static bool retry_later(struct aws_call *call, enum retry_class class, int64_t retry_after_s)
{
	int64_t hint_ms = retry_after_s >= 0 && retry_after_s < 3600 ? retry_after_s * 1000 : -1;
	int64_t delay_ms = retry_next(&call->retry, class, hint_ms, clock_random(UINT32_MAX));
	if (delay_ms == RETRY_STOP || !has_patience(call, delay_ms))
		return false;
	if ((class == RETRY_EXPIRED || class == RETRY_UNKNOWN_KEY) && !may_renew(call, class))
		return false;
	call->client->aws->stats.retries++;
	call->usage->retries++;
	wait_ms(call, WAIT_RETRY, delay_ms);
	return true;
}

/* What came for WAIT_ANSWER: ends the call, or waits again. */
static void take(struct aws_call *call, const struct http_reply *reply, const struct err *err)
{
	if (call->is_stale && ++call->stale <= STALE_MAX) {
		rate_untake(call->client->aws->rate, call->rate_key);
		proceed(call);
		return;
	}
	struct aws_reply answer = {.json = NULL};
	call->err = (struct err)ERR_INIT;
	enum retry_class class =
		reply != NULL ? take_answer(call, reply, &answer) : take_failure(call, err);
	if (call->err.kind == ERR_NONE) {
		end(call, &answer);
		aws_reply_clear(&answer);
		return;
	}
	if (call->is_once && call->may_be_taken) {
		err_set_code(&call->err, AWS_ANSWER_LOST);
		class = RETRY_NEVER;
	}
	if (class != RETRY_NEVER &&
		retry_later(call, class, reply != NULL ? reply->retry_after_s : -1))
		return;
	if (call->attempts > 1)
		err_wrap(&call->err, "%s %s in %s, %d attempts", call->service->name,
			call->operation, call->region, call->attempts);
	else
		err_wrap(&call->err, "%s %s in %s", call->service->name, call->operation,
			call->region);
	end(call, NULL);
}

static void step(struct aws_call *call, const struct http_reply *reply, const struct err *err)
{
	log_debug("aws_call %s %s region=%s state=%s attempts=%d", call->service->name,
		call->operation, call->region, state_name[call->state], call->attempts);
	switch (call->state) {
	case WAIT_TURN:
		err_wrap(&call->err, "%s %s in %s", call->service->name, call->operation,
			call->region);
		end(call, NULL);
		break;
	case WAIT_CREDENTIALS:
		if (err != NULL) {
			call->err = *err; /* names the source, which says more than this call */
			end(call, NULL);
			break;
		}
		proceed(call);
		break;
	case WAIT_TOKEN:
		send_request(call);
		break;
	case WAIT_ANSWER:
		take(call, reply, err);
		break;
	case WAIT_RETRY:
		proceed(call);
		break;
	}
}

/* --- start ------------------------------------------------------------------------------------ */

struct aws_call *aws_call_start(struct aws_client *client, const struct aws_request *request,
	aws_call_done_fn *done, void *arg)
{
	struct aws_call *call = xcalloc(1, sizeof(*call));
	*call = (struct aws_call){
		.client = client,
		.service = aws_service_info(request->service),
		.operation = request->operation,
		.path = request->path,
		.expects = request->expects,
		.rate = request->rate,
		.reply_max_bytes = request->reply_max_bytes,
		.is_secret = request->is_secret,
		.is_once = request->is_once,
		.done = done,
		.arg = arg,
	};
	if (request->is_body_secret)
		buf_init_secret(&call->body, request->body_len);
	else
		buf_init(&call->body, request->body_len);
	buf_add(&call->body, request->body, request->body_len);
	assert(strlen(request->path) < AWS_PATH_MAX);
	(void)text_copy(call->region, sizeof(call->region), request->region); /* for messages */
	client->calls++;
	client->aws->stats.calls++;
	call->usage = aws_usage_row(client->aws->usage, call->service->name, request->operation);
	call->usage->calls++;
	call->endpoint = aws_way_endpoint(
		client->aws, client->way, request->service, request->region, &call->err);
	if (call->endpoint == NULL) {
		wait_ms(call, WAIT_TURN, 0);
		return call;
	}
	join_host(call);
	proceed(call);
	return call;
}
