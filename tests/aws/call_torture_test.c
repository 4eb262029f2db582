/*
 * A call of an assumed role through the real client: AssumeRole, then the call itself, over scripted
 * HTTP. Each of the two requests fails in each way, once or from then on, and the call is cancelled
 * in each turn of it: one end or none, nothing left behind, and the next call is answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "tests/lib/call_fixture.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"

enum {
	REQUESTS = 2,		   /* of an undisturbed call */
	PEACE_MS = 10 * 60 * 1000, /* breakers, refused roles and forced fetches are forgotten */
	LONGEST_MS = 10 * 60 * 1000,
	TURNS_MAX = 1000,
	ATTEMPTS_MAX = 40, /* sent for one call, its session's included */
};

static const struct aws_role role = {
	.account_id = "222233334444",
	.role_arn = "arn:aws:iam::222233334444:role/reader",
	.session_name = "acmsensor-test",
	.sts_region = "eu-central-1",
	.duration_s = 3600,
};

#define SCP                                                                                        \
	"{\"__type\":\"AccessDeniedException\",\"Message\":\"not authorized with an explicit "     \
	"deny in a service control policy\"}"
#define STS_REFUSAL(code)                                                                          \
	"<ErrorResponse><Error><Code>" code "</Code><Message>no</Message></Error></ErrorResponse>"

static const struct fake_answer troubles[] = {
	{.status = 500, .body = ""},
	{.status = 503, .body = "<html></html>"},
	{.status = 429, .body = "", .retry_after_s = 2},
	{.status = 400, .body = THROTTLED},
	{.status = 400, .body = EXPIRED},
	{.status = 400, .body = UNKNOWN},
	{.status = 403, .body = SKEWED, .date_s = 1795300000},
	{.status = 403, .body = DENIED},
	{.status = 403, .body = SCP},
	{.status = 403, .body = STS_REFUSAL("AccessDenied")},
	{.status = 400, .body = STS_REFUSAL("Throttling")},
	{.status = 403, .body = STS_REFUSAL("ExpiredToken")},
	{.status = 403, .body = STS_REFUSAL("InvalidClientTokenId")},
	{.status = 403, .body = STS_REFUSAL("RegionDisabledException")},
	{.status = 404, .body = "{\"__type\":\"ResourceNotFoundException\"}"},
	{.status = 400, .body = "{\"__type\":\"ValidationException\"}"},
	{.status = 301, .body = ""},
	{.status = 407, .body = ""},
	{.status = 200, .body = ""},
	{.status = 200, .body = "garbage"},
	{.status = 200, .body = "{}"},
	{.status = 200, .body = "<x/>"},
	{.kind = ERR_UNREACHABLE, .code = "connect"},
	{.kind = ERR_UNREACHABLE, .code = "reset"},
	{.kind = ERR_TIMEOUT, .code = "connect"},
	{.kind = ERR_TIMEOUT, .code = "first_byte"},
	{.kind = ERR_PROTOCOL, .code = ""},
	{.kind = ERR_LIMIT, .code = ""},
	{.kind = ERR_SYSTEM, .code = ""},
	{.kind = ERR_CONFIG, .code = ""},
};
enum { TROUBLES = sizeof(troubles) / sizeof(troubles[0]) };

/* What the next requests are answered with. */
struct script {
	size_t n; /* request that fails, from 1; 0: none */
	bool is_for_good;
	const struct fake_answer *trouble;
	size_t requests;
};

static const char *session(void)
{
	static char body[1024];
	char end[TEXT_TIME_MAX];
	snprintf(body, sizeof(body),
		"<AssumeRoleResponse><AssumeRoleResult><Credentials>"
		"<AccessKeyId>ASIAMEMBERMEMBERMEM1</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
		"<SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials>"
		"</AssumeRoleResult></AssumeRoleResponse>",
		text_format_time(clock_now_s() + 3600, end));
	return body;
}

static bool answer(
	void *arg, const struct fake_http_request *request, struct fake_answer *ret_answer)
{
	struct script *script = arg;
	bool is_sts = strstr(request->url, "//sts.") != NULL;
	script->requests++;
	if (script->n != 0 && (script->requests == script->n ||
				      (script->is_for_good && script->requests > script->n)))
		*ret_answer = *script->trouble;
	else
		*ret_answer =
			(struct fake_answer){.status = 200, .body = is_sts ? session() : GOOD};
	ret_answer->delay_ms = 20;
	return true;
}

static struct aws_call *start_of(struct aws_client *member, struct outcome *outcome)
{
	*outcome = (struct outcome){.ends = 0};
	struct aws_call *call = aws_call_start(member, &list_request, on_outcome, outcome);
	assert_int_equal(outcome->ends, 0);
	return call;
}

static void run_to_end(const struct outcome *outcome)
{
	int64_t started_ms = clock_mono_ms();
	for (int turn = 0; outcome->ends == 0 && turn < TURNS_MAX; turn++)
		assert_true(fake_loop_step());
	assert_int_equal(outcome->ends, 1);
	assert_in_range(clock_mono_ms() - started_ms, 0, LONGEST_MS);
}

/* The trouble is over and some time has passed: the same client, or the same host, works again. */
static void expect_peace(struct script *script, struct aws_client *member)
{
	struct outcome outcome;
	*script = (struct script){.n = 0};
	fake_loop_advance_ms(PEACE_MS);
	assert_int_equal(fake_http_pending(), 0);
	(void)start_of(member, &outcome);
	run_to_end(&outcome);
	if (!outcome.is_good)
		fail_msg("%s", outcome.err.text);
}

static void try_trouble(size_t n, const struct fake_answer *trouble, bool is_for_good)
{
	struct script script = {.n = n, .trouble = trouble, .is_for_good = is_for_good};
	struct outcome outcome;
	struct aws_client *member = aws_client_assume(fixture.client, &role);
	fake_http_reset();
	fake_http_set_answerer(answer, &script);
	(void)start_of(member, &outcome);
	run_to_end(&outcome);
	assert_true(outcome.is_good || outcome.err.kind != ERR_NONE);
	assert_false(outcome.is_good && is_for_good);
	assert_true(outcome.is_good || outcome.err.text[0] != '\0');
	assert_in_range(script.requests, n, ATTEMPTS_MAX);
	assert_int_equal(fake_http_pending(), 0);
	expect_peace(&script, member);
	aws_client_free(member);
	assert_int_equal(fake_loop_timer_count(), 0);
}

static void each_request_may_fail_in_each_way(void **state)
{
	(void)state;
	for (size_t n = 1; n <= REQUESTS; n++)
		for (size_t i = 0; i < TROUBLES; i++) {
			try_trouble(n, &troubles[i], false);
			try_trouble(n, &troubles[i], true);
		}
}

/* Returns whether the call ended before that turn. */
static bool cancel_in_turn(
	size_t n, const struct fake_answer *trouble, int turns, bool is_client_freed)
{
	struct script script = {.n = n, .trouble = trouble, .is_for_good = true};
	struct outcome outcome;
	struct aws_client *member = aws_client_assume(fixture.client, &role);
	fake_http_reset();
	fake_http_set_answerer(answer, &script);
	struct aws_call *call = start_of(member, &outcome);
	for (int turn = 0; turn < turns && outcome.ends == 0; turn++)
		assert_true(fake_loop_step());
	bool is_ended = outcome.ends == 1;
	if (!is_ended)
		aws_call_cancel(call);
	if (is_client_freed) {
		aws_client_free(member);
		assert_int_equal(fake_http_pending(), 0);
		member = aws_client_assume(fixture.client, &role);
	}
	expect_peace(&script, member);
	assert_int_equal(outcome.ends, is_ended);
	aws_client_free(member);
	assert_int_equal(fake_loop_timer_count(), 0);
	return is_ended;
}

static void call_may_be_cancelled_in_each_turn_of_each_trouble(void **state)
{
	(void)state;
	for (size_t n = 1; n <= REQUESTS; n++)
		for (size_t i = 0; i < TROUBLES; i++)
			for (int turns = 0; turns < TURNS_MAX; turns++)
				if (cancel_in_turn(n, &troubles[i], turns, turns % 2 == 0))
					break;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_request_may_fail_in_each_way),
		TEST(call_may_be_cancelled_in_each_turn_of_each_trouble),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
