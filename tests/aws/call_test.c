/* The life of a call: real client.c, call.c and cred.c over scripted HTTP and a fake clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/client.h"
#include "aws/cred.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"

#define GOOD	  "{\"CertificateSummaryList\":[]}"
#define THROTTLED "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}"
#define DENIED	  "{\"__type\":\"AccessDeniedException\",\"Message\":\"User is not authorized\"}"
#define EXPIRED	  "{\"__type\":\"ExpiredTokenException\",\"message\":\"token expired\"}"
#define UNKNOWN	  "{\"__type\":\"UnrecognizedClientException\",\"message\":\"invalid token\"}"
#define SKEWED	  "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired: x\"}"

enum { CALLS_MAX = 64 };

static const char *key_id, *session_token, *expiration; /* the environment */

static const char *environment(const char *name)
{
	if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
		return key_id;
	if (strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0)
		return key_id != NULL ? "secret/of/somebody" : NULL;
	if (strcmp(name, "AWS_SESSION_TOKEN") == 0)
		return session_token;
	if (strcmp(name, "AWS_CREDENTIAL_EXPIRATION") == 0)
		return expiration;
	return NULL;
}

struct outcome {
	int ends;
	struct err err;
	bool is_good;
};

static struct fixture {
	struct loop *loop;
	struct http *http;
	struct aws *aws;
	struct cred_source *source;
	struct aws_client *client;
} f;

static int setup(void **state)
{
	(void)state;
	struct err err;
	key_id = "AKIAIOSFODNN7EXAMPLE";
	session_token = expiration = NULL;
	fake_http_reset();
	fake_clock_set_now_s(1795219200); /* 2026-11-21T00:00:00Z */
	fake_clock_set_random(UINT32_MAX);
	f.loop = loop_new(&err);
	f.http = http_new(f.loop, NULL, NULL, &err);
	f.aws = aws_new(f.loop, f.http, "acmsensor/test");
	f.source =
		cred_environment_new(&(struct cred_options){.aws = f.aws, .getenv = environment});
	f.client = aws_client_new(
		f.aws, &(struct aws_network){.proxy = NULL}, "111122223333", f.source);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	aws_client_free(f.client);
	cred_source_free(f.source);
	aws_free(f.aws);
	http_free(f.http);
	int timers = (int)fake_loop_timer_count();
	loop_free(f.loop);
	fake_http_reset();
	return timers;
}

static void on_done(void *arg, const struct aws_reply *reply, const struct err *err)
{
	struct outcome *outcome = arg;
	outcome->ends++;
	outcome->is_good = reply != NULL && err == NULL;
	outcome->err = err != NULL ? *err : (struct err)ERR_INIT;
}

static const struct aws_request list_request = {
	.service = AWS_ACM,
	.operation = "ListCertificates",
	.region = "eu-west-1",
	.path = "/",
	.body = "{\"MaxItems\":1000}",
	.body_len = 17,
	.rate_per_second = 8,
	.reply_max_bytes = 65536,
	.expects = "CertificateSummaryList",
};

static struct aws_call *start_in(const char *region, struct outcome *outcome)
{
	struct aws_request request = list_request;
	request.region = region;
	*outcome = (struct outcome){.ends = 0};
	return aws_call_start(f.client, &request, on_done, outcome);
}

static struct aws_call *start(struct outcome *outcome)
{
	return start_in("eu-west-1", outcome);
}

/* One call to its end, time passing as it needs to. */
static struct outcome run(void)
{
	struct outcome outcome;
	start(&outcome);
	assert_int_equal(outcome.ends, 0);
	for (int i = 0; i < 10000 && outcome.ends == 0 && fake_loop_timer_count() > 0; i++)
		fake_loop_advance_ms(fake_loop_next_ms());
	assert_int_equal(outcome.ends, 1);
	assert_int_equal(fake_http_pending(), 0);
	return outcome;
}

static struct aws_stats stats(void)
{
	struct aws_stats stats;
	aws_get_stats(f.aws, &stats);
	return stats;
}

/* --- requests --------------------------------------------------------------------------------- */

static void request_is_signed_and_addressed(void **state)
{
	(void)state;
	session_token = "a/session+token==";
	fake_http_answer(200, GOOD);
	assert_true(run().is_good);
	assert_int_equal(fake_http_count(), 1);
	const struct fake_http_request *sent = fake_http_request(0);
	assert_string_equal(sent->host_key, "https://acm.eu-west-1.amazonaws.com:443");
	assert_string_equal(sent->url, "https://acm.eu-west-1.amazonaws.com/");
	assert_string_equal(sent->body, "{\"MaxItems\":1000}");
	assert_string_equal(fake_http_header(0, "Content-Type"), "application/x-amz-json-1.1");
	assert_string_equal(
		fake_http_header(0, "X-Amz-Target"), "CertificateManager.ListCertificates");
	assert_string_equal(fake_http_header(0, "X-Amz-Date"), "20261121T000000Z");
	assert_string_equal(fake_http_header(0, "X-Amz-Security-Token"), "a/session+token==");
	assert_string_equal(fake_http_header(0, "User-Agent"), "acmsensor/test");
	assert_non_null(strstr(fake_http_header(0, "Authorization"),
		"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261121/eu-west-1/acm/aws4_request, "
		"SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
		"Signature="));
	assert_string_equal(fake_http_header(0, "Host"), "");
}

static void long_lived_keys_send_no_token(void **state)
{
	(void)state;
	fake_http_answer(200, GOOD);
	run();
	assert_string_equal(fake_http_header(0, "X-Amz-Security-Token"), "");
}

static void what_cannot_begin_is_told_from_the_loop(void **state)
{
	(void)state;
	struct outcome outcome;
	start_in("no region", &outcome);
	assert_int_equal(outcome.ends, 0);
	fake_loop_run_ready();
	assert_int_equal(outcome.ends, 1);
	assert_int_equal(outcome.err.kind, ERR_CONFIG);
	assert_non_null(strstr(outcome.err.text, "acm ListCertificates"));
	assert_int_equal(fake_http_count(), 0);
}

static void missing_credentials_name_their_source(void **state)
{
	(void)state;
	key_id = NULL;
	struct outcome outcome = run();
	assert_int_equal(outcome.err.kind, ERR_CREDENTIALS);
	assert_non_null(strstr(outcome.err.text, "AWS_ACCESS_KEY_ID"));
	assert_int_equal(fake_http_count(), 0);
}

/* --- what is asked again, and what is not ----------------------------------------------------- */

static void throttling_is_waited_out(void **state)
{
	(void)state;
	fake_http_answer(400, THROTTLED);
	fake_http_answer(400, THROTTLED);
	fake_http_answer(200, GOOD);
	assert_true(run().is_good);
	assert_int_equal(stats().throttles, 2);
	assert_int_equal(stats().retries, 2);
	assert_int_equal(stats().attempts, 3);
	assert_int_equal(stats().calls, 1);
	assert_int_equal(stats().failures, 0);
	assert_true(fake_http_request(1)->mono_ms - fake_http_request(0)->mono_ms >= 999);
	assert_true(fake_http_request(2)->mono_ms - fake_http_request(1)->mono_ms >= 1999);
}

static void throttling_ends_after_its_budget(void **state)
{
	(void)state;
	for (int i = 0; i < 13; i++)
		fake_http_answer(400, THROTTLED);
	struct outcome outcome = run();
	assert_int_equal(outcome.err.kind, ERR_THROTTLED);
	assert_string_equal(outcome.err.code, "ThrottlingException");
	assert_string_equal(outcome.err.text,
		"acm ListCertificates in eu-west-1, 13 attempts: ThrottlingException: Rate exceeded "
		"(HTTP 400)");
	assert_int_equal(stats().failures, 1);
}

static void bad_answers_are_asked_for_again(void **state)
{
	(void)state;
	fake_http_answer(500, "{\"__type\":\"InternalFailure\"}");
	fake_http_answer(503, "<html>down</html>");
	fake_http_fail(ERR_PROTOCOL, ""); /* cut short */
	fake_http_fail(ERR_TIMEOUT, "stall");
	fake_http_fail(ERR_UNREACHABLE, "reset");
	fake_http_answer(200, "<html>a portal</html>");
	fake_http_answer(200, "{\"CertificateSummaryList\":[{\"Certif");
	fake_http_answer(200, "{\"something\":\"else\"}");
	fake_http_answer(200, "");
	fake_http_answer(200, GOOD);
	assert_true(run().is_good);
	assert_int_equal(fake_http_count(), 10);
}

static void garbage_to_the_end_is_a_protocol_error(void **state)
{
	(void)state;
	for (int i = 0; i < 31; i++)
		fake_http_answer(200, "<html>a portal</html>");
	struct outcome outcome = run();
	assert_int_equal(outcome.err.kind, ERR_PROTOCOL);
	assert_non_null(strstr(outcome.err.text, "31 attempts"));
}

static void denial_is_final(void **state)
{
	(void)state;
	fake_http_answer(400, DENIED);
	struct outcome outcome = run();
	assert_int_equal(outcome.err.kind, ERR_DENIED);
	assert_string_equal(outcome.err.text,
		"acm ListCertificates in eu-west-1: AccessDeniedException: User is not authorized "
		"(HTTP 400)");
	assert_int_equal(fake_http_count(), 1);
}

static void too_large_an_answer_is_final(void **state)
{
	(void)state;
	fake_http_fail(ERR_LIMIT, "");
	assert_int_equal(run().err.kind, ERR_LIMIT);
	assert_int_equal(fake_http_count(), 1);
}

static void first_reset_is_repeated_without_delay(void **state)
{
	(void)state;
	fake_http_fail(ERR_UNREACHABLE, "reset");
	fake_http_answer(200, GOOD);
	assert_true(run().is_good);
	assert_int_equal(fake_http_request(1)->mono_ms, fake_http_request(0)->mono_ms);
}

static void retry_after_is_honoured(void **state)
{
	(void)state;
	fake_http_push(&(struct fake_answer){.status = 503, .body = "", .retry_after_s = 4});
	fake_http_answer(200, GOOD);
	assert_true(run().is_good);
	assert_int_equal(fake_http_request(1)->mono_ms - fake_http_request(0)->mono_ms, 4000);
}

static void each_attempt_is_signed_anew(void **state)
{
	(void)state;
	fake_http_push(&(struct fake_answer){.status = 500, .body = "", .retry_after_s = 3});
	fake_http_answer(200, GOOD);
	assert_true(run().is_good);
	assert_string_equal(fake_http_header(1, "X-Amz-Date"), "20261121T000003Z");
}

/* --- pacing ----------------------------------------------------------------------------------- */

static bool always_good(
	void *arg, const struct fake_http_request *request, struct fake_answer *ret_answer)
{
	(void)arg;
	(void)request;
	ret_answer->status = 200;
	ret_answer->body = GOOD;
	return true;
}

static void warm_up(void)
{
	fake_http_answer(200, GOOD);
	assert_true(run().is_good);
	fake_loop_advance_ms(10000);
}

static void calls_keep_to_the_documented_rate(void **state)
{
	(void)state;
	warm_up();
	fake_http_set_answerer(always_good, NULL);
	struct outcome outcome[40];
	for (int i = 0; i < 40; i++)
		start(&outcome[i]);
	fake_loop_run_ready();
	assert_int_equal(fake_http_count() - 1, 8);
	fake_loop_advance_ms(1000);
	assert_int_equal(fake_http_count() - 1, 16);
	fake_loop_advance_ms(3000);
	assert_int_equal(fake_http_count() - 1, 40);
	for (int i = 0; i < 40; i++)
		assert_int_equal(outcome[i].ends, 1);
}

static void other_accounts_and_regions_have_their_own_tokens(void **state)
{
	(void)state;
	warm_up();
	fake_http_set_answerer(always_good, NULL);
	struct outcome outcome[24];
	struct aws_client *first = f.client;
	struct aws_client *other = aws_client_new(
		f.aws, &(struct aws_network){.proxy = NULL}, "999922223333", f.source);
	for (int i = 0; i < 24; i++) {
		f.client = i < 16 ? first : other;
		start_in(i < 8 ? "eu-west-1" : "eu-central-1", &outcome[i]);
	}
	f.client = first;
	fake_loop_run_ready();
	assert_int_equal(fake_http_count() - 1, 24);
	aws_client_free(other);
}

static void a_cancelled_waiter_gives_its_token_back(void **state)
{
	(void)state;
	warm_up();
	fake_http_set_answerer(always_good, NULL);
	struct outcome outcome[10];
	struct aws_call *call[10];
	for (int i = 0; i < 9; i++)
		call[i] = start(&outcome[i]);
	aws_call_cancel(call[8]); /* waited for a token */
	call[9] = start(&outcome[9]);
	fake_loop_advance_ms(125);
	assert_int_equal(fake_http_count() - 1, 9);
	assert_int_equal(outcome[8].ends, 0);
	assert_int_equal(outcome[9].ends, 1);
}

/* --- breaker ---------------------------------------------------------------------------------- */

static void connect_failures_are_few_and_open_the_breaker(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	struct outcome outcome = run();
	assert_int_equal(outcome.err.kind, ERR_UNREACHABLE);
	assert_string_equal(outcome.err.code, "connect");
	assert_int_equal(fake_http_count(), 3);

	outcome = run();
	assert_int_equal(outcome.err.kind, ERR_UNREACHABLE);
	assert_string_equal(outcome.err.code, "breaker");
	assert_non_null(strstr(outcome.err.text, "acm.eu-west-1.amazonaws.com"));
	assert_int_equal(fake_http_count(), 3);
}

static void other_hosts_are_not_concerned(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	run();
	fake_http_answer(200, GOOD);
	struct outcome outcome;
	start_in("eu-central-1", &outcome);
	fake_loop_run_ready();
	assert_true(outcome.is_good);
}

static void one_probe_a_minute_then_all_again(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	run();
	fake_loop_advance_ms(60000);
	fake_http_fail(ERR_TIMEOUT, "connect"); /* the probe fails */
	assert_string_equal(run().err.code, "connect");
	assert_string_equal(run().err.code, "breaker");
	assert_int_equal(fake_http_count(), 4);
	fake_loop_advance_ms(60000);
	fake_http_answer(200, GOOD);
	assert_true(run().is_good);
	fake_http_answer(200, GOOD);
	assert_true(run().is_good);
	assert_int_equal(fake_http_count(), 6);
}

static void those_who_wait_for_the_host_are_told_at_once(void **state)
{
	(void)state;
	warm_up();
	struct outcome outcome[20];
	struct aws_call *call[20];
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	for (int i = 0; i < 20; i++)
		call[i] = start(&outcome[i]); /* eight hold tokens, the others wait for one */
	fake_loop_run_ready();
	int breaker = 0;
	for (int i = 0; i < 20; i++)
		breaker += outcome[i].ends == 1 && strcmp(outcome[i].err.code, "breaker") == 0;
	/* Three failed; five were sent before and hang; twelve had waited. One of the three opened
	 * it, the two others had gone to wait for their next attempt. */
	assert_int_equal(breaker, 14);
	assert_int_equal(fake_http_pending(), 5);
	for (int i = 0; i < 20; i++) {
		if (outcome[i].ends == 0)
			aws_call_cancel(call[i]);
	}
}

static void a_queued_request_is_taken_back_when_the_breaker_opens(void **state)
{
	(void)state;
	warm_up();
	struct outcome first, queued;
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	start(&first);
	fake_loop_advance_ms(150); /* two attempts */
	fake_http_hold_slots(true);
	start(&queued);
	fake_loop_run_ready();
	assert_int_equal(queued.ends, 0);
	fake_http_hold_slots(false); /* both are made now, in order; the third failure opens it */
	fake_loop_advance_ms(1000);
	assert_int_equal(first.ends, 1);
	assert_int_equal(queued.ends, 1);
}

/* --- clock ------------------------------------------------------------------------------------ */

static void wrong_clock_is_corrected_and_the_call_repeated_once(void **state)
{
	(void)state;
	int64_t theirs_s = clock_now_s() + 1200;
	fake_http_push(&(struct fake_answer){.status = 400, .body = SKEWED, .date_s = theirs_s});
	fake_http_push(&(struct fake_answer){.status = 200, .body = GOOD, .date_s = theirs_s});
	assert_true(run().is_good);
	assert_string_equal(fake_http_header(0, "X-Amz-Date"), "20261121T000000Z");
	assert_string_equal(fake_http_header(1, "X-Amz-Date"), "20261121T002000Z");
	assert_int_equal(stats().clock_offset_s, 1200);
	assert_int_equal(aws_now_s(f.aws), theirs_s);
}

static void a_refusal_for_time_is_not_repeated_twice(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		fake_http_push(&(struct fake_answer){
			.status = 400, .body = SKEWED, .date_s = clock_now_s() + 1200});
	struct outcome outcome = run();
	assert_int_equal(outcome.err.kind, ERR_CREDENTIALS);
	assert_int_equal(fake_http_count(), 2);
}

static void any_refusal_may_be_for_the_time(void **state)
{
	(void)state;
	fake_http_push(&(struct fake_answer){
		.status = 400, .body = DENIED, .date_s = clock_now_s() - 7200});
	fake_http_push(
		&(struct fake_answer){.status = 200, .body = GOOD, .date_s = clock_now_s() - 7200});
	assert_true(run().is_good);
}

static void good_answers_teach_the_time_too(void **state)
{
	(void)state;
	fake_http_push(
		&(struct fake_answer){.status = 200, .body = GOOD, .date_s = clock_now_s() + 100});
	assert_true(run().is_good);
	assert_int_equal(stats().clock_offset_s, 100);
}

static void pages_of_proxies_and_caches_do_not(void **state)
{
	(void)state;
	fake_http_push(&(struct fake_answer){
		.status = 502, .body = "<html></html>", .date_s = clock_now_s() + 5000});
	fake_http_push(&(struct fake_answer){
		.status = 200, .body = GOOD, .date_s = clock_now_s() - 5000, .has_age = true});
	assert_true(run().is_good);
	assert_int_equal(stats().clock_offset_s, 0);
}

/* --- credentials ------------------------------------------------------------------------------ */

static bool by_key(
	void *arg, const struct fake_http_request *request, struct fake_answer *ret_answer)
{
	(void)arg;
	bool is_new = strstr(request->headers, "ASIANEWNEWNEWNEWNEW1") != NULL;
	ret_answer->status = is_new ? 200 : 400;
	ret_answer->body = is_new ? GOOD : EXPIRED;
	return true;
}

static void expired_session_is_replaced_once(void **state)
{
	(void)state;
	warm_up();
	key_id = "ASIANEWNEWNEWNEWNEW1"; /* somebody put new ones there */
	fake_http_set_answerer(by_key, NULL);
	assert_true(run().is_good);
	assert_int_equal(fake_http_count(), 3);
}

static void expired_twice_is_an_error(void **state)
{
	(void)state;
	fake_http_set_answerer(by_key, NULL);
	struct outcome outcome = run();
	assert_int_equal(outcome.err.kind, ERR_CREDENTIALS);
	assert_string_equal(outcome.err.code, "ExpiredTokenException");
	assert_int_equal(fake_http_count(), 2);
	outcome = run(); /* not a minute ago */
	assert_int_equal(fake_http_count(), 3);
}

static void fresh_session_unknown_in_a_region_is_not_fetched_anew(void **state)
{
	(void)state;
	expiration = "2026-11-21T01:00:00Z";
	fake_http_answer(400, UNKNOWN);
	struct outcome outcome = run();
	assert_int_equal(outcome.err.kind, ERR_CREDENTIALS);
	assert_string_equal(outcome.err.code, "UnrecognizedClientException");
	assert_int_equal(fake_http_count(), 1);
}

static void session_that_ends_in_the_queue_is_replaced_before_signing(void **state)
{
	(void)state;
	warm_up();
	expiration = NULL;
	aws_client_free(f.client);
	cred_source_free(f.source);
	key_id = "ASIAOLDOLDOLDOLDOLD1";
	expiration = "2026-11-21T01:00:00Z";
	f.source =
		cred_environment_new(&(struct cred_options){.aws = f.aws, .getenv = environment});
	f.client = aws_client_new(f.aws, &(struct aws_network){.proxy = NULL}, "", f.source);

	fake_http_hold_slots(true);
	struct outcome outcome;
	start(&outcome);
	fake_loop_run_ready();
	assert_int_equal(fake_http_pending(), 1);
	fake_clock_advance_ms(3600000);
	key_id = "ASIANEWNEWNEWNEWNEW1";
	expiration = "2026-11-21T03:00:00Z";
	fake_http_set_answerer(by_key, NULL);
	fake_http_hold_slots(false);
	fake_loop_run_ready();
	assert_int_equal(outcome.ends, 1);
	assert_true(outcome.is_good);
	assert_int_equal(fake_http_count(), 2); /* and the old ones were never sent */
}

/* --- owners ----------------------------------------------------------------------------------- */

static void cancel_is_quiet_in_every_state(void **state)
{
	(void)state;
	struct outcome outcome;
	for (int turns = 0; turns < 14; turns++) {
		fake_http_reset();
		fake_http_answer(500, "");
		fake_http_answer(400, THROTTLED); /* then it waits for a token, then it hangs */
		struct aws_call *call = start(&outcome);
		for (int i = 0; i < turns; i++)
			(void)fake_loop_step();
		assert_int_equal(outcome.ends, 0);
		aws_call_cancel(call);
		fake_loop_advance_ms(60000);
		assert_int_equal(outcome.ends, 0);
		assert_int_equal(fake_http_pending(), 0);
	}
	aws_call_cancel(NULL);
}

struct owner {
	struct outcome outcome;
	struct aws_call *other;
};

static void free_everything(void *arg, const struct aws_reply *reply, const struct err *err)
{
	struct owner *owner = arg;
	on_done(&owner->outcome, reply, err);
	aws_call_cancel(owner->other);
	aws_client_free(f.client);
	cred_source_free(f.source);
	f.client = NULL;
	f.source = NULL;
}

static void owner_may_end_everything_when_told(void **state)
{
	(void)state;
	struct owner owner = {.other = NULL};
	struct outcome other;
	fake_http_answer(200, GOOD);
	aws_call_start(f.client, &list_request, free_everything, &owner);
	owner.other = start(&other);
	fake_loop_advance_ms(1000);
	assert_true(owner.outcome.is_good);
	assert_int_equal(other.ends, 0);
}

static const struct fake_answer kinds_of_trouble[] = {
	{.status = 200, .body = GOOD},
	{.status = 500, .body = ""},
	{.status = 503, .body = "<html></html>"},
	{.kind = ERR_UNREACHABLE, .code = "reset"},
	{.kind = ERR_UNREACHABLE, .code = "connect"},
	{.kind = ERR_PROTOCOL, .code = ""},
	{.kind = ERR_TIMEOUT, .code = "first_byte"},
	{.kind = ERR_TIMEOUT, .code = "connect"},
	{.status = 200, .body = "garbage"},
	{.status = 400, .body = THROTTLED},
	{.status = 400, .body = EXPIRED},
	{.status = 400, .body = UNKNOWN},
	{.status = 400, .body = SKEWED, .date_s = 1793300000},
	{.status = 403, .body = DENIED},
	{.status = 200, .body = GOOD, .date_s = 1795000000},
};

static bool trouble(
	void *arg, const struct fake_http_request *request, struct fake_answer *ret_answer)
{
	(void)request;
	uint32_t *dice = arg;
	*dice = *dice * 1664525 + 1013904223;
	size_t count = sizeof(kinds_of_trouble) / sizeof(kinds_of_trouble[0]);
	*ret_answer = kinds_of_trouble[(*dice >> 16) % count];
	ret_answer->delay_ms = *dice >> 24;
	return true;
}

/* Random trouble, random cancels: every call ends exactly once or was cancelled. */
static void any_mix_of_trouble_leaves_one_end_each(void **state)
{
	(void)state;
	static const char *const region[] = {"eu-west-1", "eu-central-1", "us-east-1"};
	uint32_t dice = 1;
	fake_clock_seed_random(7);
	fake_http_set_answerer(trouble, &dice);
	for (int round = 0; round < 60; round++) {
		struct outcome outcome[CALLS_MAX];
		struct aws_call *call[CALLS_MAX];
		for (size_t i = 0; i < CALLS_MAX; i++) {
			outcome[i].ends = 0;
			call[i] = start_in(region[i % 3], &outcome[i]);
		}
		fake_loop_advance_ms(round * 100);
		size_t cancelled = clock_random(CALLS_MAX);
		bool was_open = outcome[cancelled].ends == 0;
		if (was_open)
			aws_call_cancel(call[cancelled]);
		fake_loop_advance_ms(3600000);
		for (size_t i = 0; i < CALLS_MAX; i++)
			assert_int_equal(outcome[i].ends, i == cancelled && was_open ? 0 : 1);
		assert_int_equal(fake_http_pending(), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_is_signed_and_addressed),
		TEST(long_lived_keys_send_no_token),
		TEST(what_cannot_begin_is_told_from_the_loop),
		TEST(missing_credentials_name_their_source),
		TEST(throttling_is_waited_out),
		TEST(throttling_ends_after_its_budget),
		TEST(bad_answers_are_asked_for_again),
		TEST(garbage_to_the_end_is_a_protocol_error),
		TEST(denial_is_final),
		TEST(too_large_an_answer_is_final),
		TEST(first_reset_is_repeated_without_delay),
		TEST(retry_after_is_honoured),
		TEST(each_attempt_is_signed_anew),
		TEST(calls_keep_to_the_documented_rate),
		TEST(other_accounts_and_regions_have_their_own_tokens),
		TEST(a_cancelled_waiter_gives_its_token_back),
		TEST(connect_failures_are_few_and_open_the_breaker),
		TEST(other_hosts_are_not_concerned),
		TEST(one_probe_a_minute_then_all_again),
		TEST(those_who_wait_for_the_host_are_told_at_once),
		TEST(a_queued_request_is_taken_back_when_the_breaker_opens),
		TEST(wrong_clock_is_corrected_and_the_call_repeated_once),
		TEST(a_refusal_for_time_is_not_repeated_twice),
		TEST(any_refusal_may_be_for_the_time),
		TEST(good_answers_teach_the_time_too),
		TEST(pages_of_proxies_and_caches_do_not),
		TEST(expired_session_is_replaced_once),
		TEST(expired_twice_is_an_error),
		TEST(fresh_session_unknown_in_a_region_is_not_fetched_anew),
		TEST(session_that_ends_in_the_queue_is_replaced_before_signing),
		TEST(cancel_is_quiet_in_every_state),
		TEST(owner_may_end_everything_when_told),
		TEST(any_mix_of_trouble_leaves_one_end_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
