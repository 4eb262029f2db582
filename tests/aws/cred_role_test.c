/* AssumeRole and what is done with its session: the real client over scripted HTTP. */
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
#include "base/text.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"

#define GOOD "{\"CertificateSummaryList\":[]}"

static const char *environment(const char *name)
{
	if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
		return "AKIAHUBHUBHUBHUBHUB1";
	return strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0 ? "hub/secret" : NULL;
}

static const struct aws_role good_role = {
	.account_id = "222233334444",
	.role_arn = "arn:aws:iam::222233334444:role/inventory/Acm+Reader",
	.session_name = "dc1-sensor-1@acmsensor",
	.external_id = "a=b:c/d,e@f",
	.sts_region = "eu-central-1",
	.duration_s = 3600,
};

static struct loop *loop;
static struct http *http;
static struct aws *aws;
static struct cred_source *source;
static struct aws_client *hub;

static int setup(void **state)
{
	(void)state;
	struct err err;
	fake_http_reset();
	fake_clock_set_now_s(1795219200);
	fake_clock_set_random(0);
	loop = loop_new(&err);
	http = http_new(loop, NULL, NULL, &err);
	aws = aws_new(loop, http, "test");
	source = cred_environment_new(&(struct cred_options){.aws = aws, .getenv = environment});
	hub = aws_client_new(aws, &(struct aws_network){.proxy = NULL}, "111122223333", source);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	aws_client_free(hub);
	cred_source_free(source);
	aws_free(aws);
	http_free(http);
	int timers = (int)fake_loop_timer_count();
	loop_free(loop);
	fake_http_reset();
	return timers;
}

/* An answer of STS with a session of that key and life; part: what is left out, or NULL. */
static const char *session(const char *key_id, int64_t life_s, const char *without)
{
	static char body[4096];
	char when[TEXT_TIME_MAX], secret[128], token[128], key[256], end[128];
	text_format_time(clock_now_s() + life_s, when);
	snprintf(key, sizeof(key), "<AccessKeyId>%s</AccessKeyId>", key_id);
	snprintf(secret, sizeof(secret), "<SecretAccessKey>secret of %.20s</SecretAccessKey>",
		key_id);
	snprintf(token, sizeof(token), "<SessionToken>token-of-%.20s</SessionToken>", key_id);
	snprintf(end, sizeof(end), "<Expiration>%s</Expiration>", when);
	bool has_without = without != NULL;
	snprintf(body, sizeof(body),
		"<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"
		"<NewIn2027><a/></NewIn2027><Credentials>%s%s%s%s</Credentials><AssumedRoleUser>"
		"<AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser></AssumeRoleResult>"
		"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>",
		has_without && strcmp(without, "Expiration") == 0 ? "" : end,
		has_without && strcmp(without, "SessionToken") == 0 ? "" : token,
		has_without && strcmp(without, "AccessKeyId") == 0 ? "" : key,
		has_without && strcmp(without, "SecretAccessKey") == 0 ? "" : secret);
	return body;
}

static const char *refusal(const char *code, const char *message)
{
	static char body[2048];
	snprintf(body, sizeof(body),
		"<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error>"
		"<RequestId>r</RequestId></ErrorResponse>",
		code, message);
	return body;
}

struct outcome {
	int ends;
	struct err err;
};

static void on_ready(void *arg, const struct err *err)
{
	struct outcome *outcome = arg;
	outcome->ends++;
	outcome->err = err != NULL ? *err : (struct err)ERR_INIT;
}

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *err)
{
	(void)reply;
	on_ready(arg, err);
}

static void run_until(const struct outcome *outcome)
{
	for (int i = 0; i < 10000 && outcome->ends == 0 && fake_loop_timer_count() > 0; i++)
		fake_loop_advance_ms(fake_loop_next_ms());
	assert_int_equal(outcome->ends, 1);
}

static struct err ready(struct aws_client *client)
{
	struct outcome outcome = {.ends = 0};
	aws_client_ready_start(client, on_ready, &outcome);
	assert_int_equal(outcome.ends, 0);
	run_until(&outcome);
	return outcome.err;
}

static struct err list(struct aws_client *client)
{
	struct outcome outcome = {.ends = 0};
	aws_call_start(client,
		&(struct aws_request){.service = AWS_ACM,
			.operation = "ListCertificates",
			.region = "us-east-1",
			.path = "/",
			.body = "{}",
			.body_len = 2,
			.rate.per_second = 8,
			.reply_max_bytes = 65536,
			.expects = "CertificateSummaryList"},
		on_reply, &outcome);
	run_until(&outcome);
	return outcome.err;
}

static struct err ready_with(const struct aws_role *role)
{
	struct aws_client *member = aws_client_assume(hub, role);
	struct err err = ready(member);
	aws_client_free(member);
	return err;
}

static void role_is_asked_for_with_every_value_encoded(void **state)
{
	(void)state;
	fake_http_answer(200, session("ASIAMEMBERMEMBERMEM1", 3600, NULL));
	assert_int_equal(ready_with(&good_role).kind, ERR_NONE);
	const struct fake_http_request *sent = fake_http_request(0);
	assert_string_equal(sent->url, "https://sts.eu-central-1.amazonaws.com/");
	assert_true(sent->is_secret);
	assert_string_equal(sent->body,
		"Action=AssumeRole&Version=2011-06-15"
		"&RoleArn=arn%3Aaws%3Aiam%3A%3A222233334444%3Arole%2Finventory%2FAcm%2BReader"
		"&RoleSessionName=dc1-sensor-1%40acmsensor&DurationSeconds=3600"
		"&ExternalId=a%3Db%3Ac%2Fd%2Ce%40f");
	assert_non_null(strstr(fake_http_header(0, "Authorization"), "AKIAHUBHUBHUBHUBHUB1"));
	assert_string_equal(fake_http_header(0, "X-Amz-Target"), "");
	assert_string_equal(fake_http_header(0, "Content-Type"),
		"application/x-www-form-urlencoded; charset=utf-8");
}

static void external_id_is_left_out_when_there_is_none(void **state)
{
	(void)state;
	struct aws_role role = good_role;
	role.external_id = NULL;
	fake_http_answer(200, session("ASIAMEMBERMEMBERMEM1", 3600, NULL));
	assert_int_equal(ready_with(&role).kind, ERR_NONE);
	assert_null(strstr(fake_http_request(0)->body, "ExternalId"));
}

static void calls_are_signed_with_the_session(void **state)
{
	(void)state;
	struct aws_client *member = aws_client_assume(hub, &good_role);
	assert_string_equal(aws_client_account(member), "222233334444");
	fake_http_answer(200, session("ASIAMEMBERMEMBERMEM1", 3600, NULL));
	fake_http_answer(200, GOOD);
	fake_http_answer(200, GOOD);
	assert_int_equal(list(member).kind, ERR_NONE);
	assert_int_equal(list(member).kind, ERR_NONE);
	assert_int_equal(fake_http_count(), 3); /* one session for both */
	assert_non_null(strstr(fake_http_header(1, "Authorization"), "ASIAMEMBERMEMBERMEM1"));
	assert_string_equal(
		fake_http_header(2, "X-Amz-Security-Token"), "token-of-ASIAMEMBERMEMBERMEM1");
	fake_http_answer(200, GOOD);
	assert_int_equal(list(hub).kind, ERR_NONE); /* and the hub's own keys are what they were */
	assert_non_null(strstr(fake_http_header(3, "Authorization"), "AKIAHUBHUBHUBHUBHUB1"));
	aws_client_free(member);
}

static void session_is_refreshed_before_it_ends(void **state)
{
	(void)state;
	struct aws_client *member = aws_client_assume(hub, &good_role);
	fake_http_answer(200, session("ASIAMEMBERMEMBERMEM1", 3600, NULL));
	fake_http_answer(200, GOOD);
	assert_int_equal(list(member).kind, ERR_NONE);
	fake_loop_advance_ms(3301000);
	fake_http_answer(200, session("ASIAMEMBERMEMBERMEM2", 3600, NULL)); /* asked first */
	fake_http_answer(200, GOOD);
	assert_int_equal(list(member).kind, ERR_NONE);
	fake_http_answer(200, GOOD);
	assert_int_equal(list(member).kind, ERR_NONE);
	assert_non_null(strstr(fake_http_header(4, "Authorization"), "ASIAMEMBERMEMBERMEM2"));
	aws_client_free(member);
}

static void denial_is_a_role_error_with_aws_words(void **state)
{
	(void)state;
	fake_http_answer(403,
		refusal("AccessDenied", "User: x is not authorized to perform: sts:AssumeRole"));
	struct err err = ready_with(&good_role);
	assert_int_equal(err.kind, ERR_ROLE);
	assert_string_equal(err.code, "AccessDenied");
	assert_string_equal(err.text,
		"role arn:aws:iam::222233334444:role/inventory/Acm+Reader: there is no such role, "
		"or it does not trust these credentials with this external id: sts AssumeRole in "
		"eu-central-1: AccessDenied: User: x is not authorized to perform: sts:AssumeRole "
		"(HTTP 403)");
	assert_int_equal(fake_http_count(), 1);
}

static void denial_tells_that_no_external_id_was_sent(void **state)
{
	(void)state;
	struct aws_role role = good_role;
	role.external_id = NULL;
	fake_http_answer(403, refusal("AccessDenied", "User: x is not authorized"));
	struct err err = ready_with(&role);
	assert_non_null(
		strstr(err.text, "does not trust these credentials without an external id"));
}

/* In an answer of AWS that gives the reason, ours would only be in the way. */
static void denial_that_says_why_is_left_alone(void **state)
{
	(void)state;
	fake_http_answer(
		403, refusal("AccessDenied",
			     "User: x is not authorized to perform: sts:AssumeRole because no "
			     "identity-based policy allows the sts:AssumeRole action"));
	struct err err = ready_with(&good_role);
	assert_int_equal(err.kind, ERR_ROLE);
	assert_null(strstr(err.text, "no such role"));
}

static void other_refusals_keep_their_kind(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *code, *message;
		enum err_kind kind;
	} given[] = {
		{403, "InvalidClientTokenId", "m", ERR_CREDENTIALS},
		{403, "SignatureDoesNotMatch", "m", ERR_CREDENTIALS},
		{400, "ValidationError", "DurationSeconds exceeds", ERR_REFUSED},
		{403, "AccessDenied", "with an explicit deny in a service control policy",
			ERR_DENIED_BY_SCP},
		{403, "RegionDisabledException", "m", ERR_ROLE},
	};
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		fake_http_reset();
		/* Twice: keys without an end are looked up again when they are unknown. */
		for (int n = 0; n < 2; n++)
			fake_http_answer(given[i].status, refusal(given[i].code, given[i].message));
		struct err err = ready_with(&good_role);
		assert_int_equal(err.kind, given[i].kind);
		assert_string_equal(err.code, given[i].code);
	}
}

static void sts_that_is_off_is_said_plainly(void **state)
{
	(void)state;
	fake_http_answer(403, refusal("RegionDisabledException", "STS is not activated"));
	struct err err = ready_with(&good_role);
	assert_non_null(strstr(err.text, "STS is switched off for this region"));
}

static void expect_config_error(struct aws_role role, const char *part)
{
	struct err err = ready_with(&role);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, part));
	assert_int_equal(fake_http_count(), 0);
}

static void parameters_that_aws_would_refuse_are_not_sent(void **state)
{
	(void)state;
	struct aws_role role = good_role;
	role.role_arn = "arn:aws:iam::222233334444:user/x";
	expect_config_error(role, "no role's ARN");
	role.role_arn = "OrganizationAccountAccessRole";
	expect_config_error(role, "no role's ARN");
	role.role_arn = "arn:aws:iam::999933334444:role/x";
	expect_config_error(role, "not a role of account 222233334444");
	role = good_role;
	role.session_name = "a";
	expect_config_error(role, "session name");
	role.session_name = "has a blank";
	expect_config_error(role, "session name");
	role = good_role;
	role.external_id = "x";
	expect_config_error(role, "external ID");
	role.external_id = "semi;colon";
	expect_config_error(role, "external ID");
	role = good_role;
	role.duration_s = 899;
	expect_config_error(role, "899");
	role.duration_s = 43201;
	expect_config_error(role, "43201");
	role = good_role;
	role.sts_region = "nowhere at all";
	expect_config_error(role, "sts AssumeRole");
}

static void answers_without_a_part_are_refused(void **state)
{
	(void)state;
	static const char *const part[] = {
		"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"};
	for (size_t i = 0; i < 4; i++) {
		fake_http_answer(200, session("ASIAMEMBERMEMBERMEM1", 3600, part[i]));
		assert_int_equal(ready_with(&good_role).kind, ERR_PROTOCOL);
	}
	fake_http_answer(200, session("short", 3600, NULL));
	assert_int_equal(ready_with(&good_role).kind, ERR_PROTOCOL);
	fake_http_answer(200, session("ASIA<!-- -->MEMBERM EMBER1", 3600, NULL));
	assert_int_equal(ready_with(&good_role).kind, ERR_PROTOCOL);
}

static void token_of_any_size_up_to_the_limit_is_taken(void **state)
{
	(void)state;
	for (size_t len = SECRET_MAX - 1; len <= SECRET_MAX + 1; len++) {
		char *body = calloc(1, len + 1024);
		int at = snprintf(body, 512,
			"<R><AssumeRoleResult><Credentials><AccessKeyId>ASIAMEMBERMEMBERMEM1</AccessKeyId>"
			"<SecretAccessKey>s</SecretAccessKey><Expiration>2026-11-21T02:00:00Z</Expiration>"
			"<SessionToken>");
		memset(body + at, 't', len);
		strcat(body, "</SessionToken></Credentials></AssumeRoleResult></R>");
		fake_http_answer(200, body);
		free(body);
		assert_int_equal(
			ready_with(&good_role).kind, len <= SECRET_MAX ? ERR_NONE : ERR_LIMIT);
	}
}

static void chained_sessions_ask_for_an_hour_at_most(void **state)
{
	(void)state;
	struct aws_role longer = good_role;
	longer.duration_s = 43200;
	struct aws_client *member = aws_client_assume(hub, &longer);
	fake_http_answer(200, session("ASIAMEMBERMEMBERMEM1", 43200, NULL));
	fake_http_answer(200, session("ASIACHAINEDCHAINED01", 3600, NULL));
	struct aws_client *chained = aws_client_assume(member, &longer);
	assert_int_equal(ready(chained).kind, ERR_NONE);
	assert_non_null(strstr(fake_http_request(0)->body, "DurationSeconds=43200"));
	assert_non_null(strstr(fake_http_request(1)->body, "DurationSeconds=3600"));
	assert_non_null(strstr(fake_http_header(1, "Authorization"), "ASIAMEMBERMEMBERMEM1"));
	aws_client_free(chained);
	aws_client_free(member);
}

static void failing_role_is_not_asked_for_by_every_caller(void **state)
{
	(void)state;
	struct aws_client *member = aws_client_assume(hub, &good_role);
	fake_http_answer(403, refusal("AccessDenied", "no"));
	for (int i = 0; i < 17; i++)
		assert_int_equal(list(member).kind, ERR_ROLE);
	assert_int_equal(fake_http_count(), 1);
	aws_client_free(member);
}

static void client_may_be_freed_while_its_role_is_assumed(void **state)
{
	(void)state;
	for (int turns = 0; turns < 5; turns++) {
		struct aws_client *member = aws_client_assume(hub, &good_role);
		struct outcome outcome = {.ends = 0};
		struct aws_ready *waiting = aws_client_ready_start(member, on_ready, &outcome);
		for (int i = 0; i < turns; i++)
			(void)fake_loop_step();
		assert_int_equal(outcome.ends, 0);
		aws_client_ready_cancel(waiting);
		aws_client_free(member);
		fake_loop_advance_ms(60000);
		assert_int_equal(outcome.ends, 0);
		assert_int_equal(fake_http_pending(), 0);
	}
	aws_client_ready_cancel(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(role_is_asked_for_with_every_value_encoded),
		TEST(external_id_is_left_out_when_there_is_none),
		TEST(calls_are_signed_with_the_session),
		TEST(session_is_refreshed_before_it_ends),
		TEST(denial_is_a_role_error_with_aws_words),
		TEST(denial_tells_that_no_external_id_was_sent),
		TEST(denial_that_says_why_is_left_alone),
		TEST(other_refusals_keep_their_kind),
		TEST(sts_that_is_off_is_said_plainly),
		TEST(parameters_that_aws_would_refuse_are_not_sent),
		TEST(answers_without_a_part_are_refused),
		TEST(token_of_any_size_up_to_the_limit_is_taken),
		TEST(chained_sessions_ask_for_an_hour_at_most),
		TEST(failing_role_is_not_asked_for_by_every_caller),
		TEST(client_may_be_freed_while_its_role_is_assumed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
