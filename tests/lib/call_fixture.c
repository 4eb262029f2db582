#include "tests/lib/call_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"

const char *key_id, *session_token, *expiration;

const char *fixture_getenv(const char *name)
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

struct fixture fixture;

int fixture_setup(void **state)
{
	(void)state;
	struct err err;
	key_id = "AKIAIOSFODNN7EXAMPLE";
	session_token = expiration = NULL;
	fake_http_reset();
	fake_clock_set_now_s(1795219200); /* 2026-11-21T00:00:00Z */
	fake_clock_set_random(UINT32_MAX);
	fixture.loop = loop_new(&err);
	fixture.http = http_new(fixture.loop, NULL, NULL, &err);
	fixture.aws = aws_new(fixture.loop, fixture.http, "acmsensor/test");
	fixture.source = cred_environment_new(
		&(struct cred_options){.aws = fixture.aws, .getenv = fixture_getenv});
	fixture.client = aws_client_new(
		fixture.aws, &(struct aws_network){.proxy = NULL}, "111122223333", fixture.source);
	return 0;
}

int fixture_teardown(void **state)
{
	(void)state;
	aws_client_free(fixture.client);
	cred_source_free(fixture.source);
	aws_free(fixture.aws);
	http_free(fixture.http);
	int timers = (int)fake_loop_timer_count();
	loop_free(fixture.loop);
	fake_http_reset();
	return timers;
}

void on_outcome(void *arg, const struct aws_reply *reply, const struct err *err)
{
	struct outcome *outcome = arg;
	outcome->ends++;
	outcome->is_good = reply != NULL && err == NULL;
	outcome->err = err != NULL ? *err : (struct err)ERR_INIT;
}

const struct aws_request list_request = {
	.service = AWS_ACM,
	.operation = "ListCertificates",
	.region = "eu-west-1",
	.path = "/",
	.body = "{\"MaxItems\":1000}",
	.body_len = 17,
	.rate.per_second = 8,
	.reply_max_bytes = 65536,
	.expects = "CertificateSummaryList",
};

struct aws_call *start_call_in(const char *region, struct outcome *outcome)
{
	struct aws_request request = list_request;
	request.region = region;
	*outcome = (struct outcome){.ends = 0};
	return aws_call_start(fixture.client, &request, on_outcome, outcome);
}

struct aws_call *start_call(struct outcome *outcome)
{
	return start_call_in("eu-west-1", outcome);
}

struct outcome run_call(void)
{
	struct outcome outcome;
	start_call(&outcome);
	assert_int_equal(outcome.ends, 0);
	for (int i = 0; i < 10000 && outcome.ends == 0 && fake_loop_timer_count() > 0; i++)
		fake_loop_advance_ms(fake_loop_next_ms());
	assert_int_equal(outcome.ends, 1);
	assert_int_equal(fake_http_pending(), 0);
	return outcome;
}

struct aws_stats call_stats(void)
{
	struct aws_stats stats;
	aws_get_stats(fixture.aws, &stats);
	return stats;
}
void warm_up(void)
{
	fake_http_answer(200, GOOD);
	assert_true(run_call().is_good);
	fake_loop_advance_ms(10000);
}
