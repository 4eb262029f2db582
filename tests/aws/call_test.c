/* One call: what is sent, asked again, corrected and renewed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "aws/usage.h"
#include "base/clock.h"
#include "tests/lib/call_fixture.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"

/* --- requests --------------------------------------------------------------------------------- */

static void request_is_signed_and_addressed(void **state)
{
	(void)state;
	session_token = "a/session+token==";
	fake_http_answer(200, GOOD);
	assert_true(run_call().is_good);
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
	run_call();
	assert_string_equal(fake_http_header(0, "X-Amz-Security-Token"), "");
}

static void what_cannot_begin_is_told_from_the_loop(void **state)
{
	(void)state;
	struct outcome outcome;
	start_call_in("no region", &outcome);
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
	struct outcome outcome = run_call();
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
	assert_true(run_call().is_good);
	assert_int_equal(call_stats().throttles, 2);
	assert_int_equal(call_stats().retries, 2);
	assert_int_equal(call_stats().attempts, 3);
	assert_int_equal(call_stats().calls, 1);
	assert_int_equal(call_stats().failures, 0);
	assert_true(fake_http_request(1)->mono_ms - fake_http_request(0)->mono_ms >= 999);
	assert_true(fake_http_request(2)->mono_ms - fake_http_request(1)->mono_ms >= 1999);
}

static void calls_are_counted_by_operation_too(void **state)
{
	(void)state;
	struct aws_usage usage = {.count = 0};
	aws_count_into(fixture.aws, &usage);
	fake_http_answer(400, THROTTLED);
	fake_http_answer(200, GOOD);
	assert_true(run_call().is_good);
	fake_http_answer(403, "{\"__type\":\"AccessDeniedException\"}");
	assert_false(run_call().is_good);
	struct aws_usage_row *row = aws_usage_row(&usage, "acm", "ListCertificates");
	assert_int_equal(usage.count, 1);
	assert_int_equal(row->calls, 2);
	assert_int_equal(row->failures, 1);
	assert_int_equal(row->requests, 3);
	assert_int_equal(row->throttles, 1);
	assert_int_equal(row->retries, 1);
	assert_int_equal(row->took[0], 3);
	assert_int_equal(call_stats().attempts, 3);
}

static void throttling_ends_after_its_budget(void **state)
{
	(void)state;
	for (int i = 0; i < 13; i++)
		fake_http_answer(400, THROTTLED);
	struct outcome outcome = run_call();
	assert_int_equal(outcome.err.kind, ERR_THROTTLED);
	assert_string_equal(outcome.err.code, "ThrottlingException");
	assert_string_equal(outcome.err.text,
		"acm ListCertificates in eu-west-1, 13 attempts: ThrottlingException: Rate exceeded "
		"(HTTP 400)");
	assert_int_equal(call_stats().failures, 1);
}

/* One whose waits are to be seen. The fixture's client is owned by it, and lends to the other. */
static struct outcome run_call_with_patience(int patience_ms)
{
	struct aws_client *lender = fixture.client;
	fixture.client = aws_client_with_patience(lender, patience_ms);
	assert_string_equal(aws_client_account(fixture.client), aws_client_account(lender));
	struct outcome outcome = run_call();
	aws_client_free(fixture.client);
	fixture.client = lender;
	return outcome;
}

static void where_patience_ends_who_asked_waits(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		fake_http_answer(400, THROTTLED);
	fake_http_answer(200, GOOD);
	struct outcome outcome = run_call_with_patience(2000);
	assert_int_equal(outcome.err.kind, ERR_THROTTLED);
	assert_int_equal(call_stats().attempts, 2); /* the third would come after 3 seconds */
	assert_true(run_call_with_patience(1000).is_good);
}

static void an_attempt_that_took_long_counts(void **state)
{
	(void)state;
	fake_http_push(&(struct fake_answer){.status = 500, .delay_ms = 1500});
	fake_http_push(&(struct fake_answer){.status = 500, .delay_ms = 1500});
	fake_http_answer(200, GOOD);
	assert_int_equal(run_call_with_patience(2000).err.kind, ERR_SERVICE);
	assert_int_equal(call_stats().attempts, 2);
}

static void what_corrects_itself_needs_no_patience(void **state)
{
	(void)state;
	fake_http_push(
		&(struct fake_answer){.kind = ERR_UNREACHABLE, .code = "reset", .delay_ms = 5000});
	fake_http_answer(200, GOOD);
	assert_true(run_call_with_patience(1).is_good);
}

static void a_role_is_as_patient_as_its_hub(void **state)
{
	(void)state;
	struct outcome outcome = {.ends = 0};
	struct aws_client *hub = aws_client_with_patience(fixture.client, 1);
	struct aws_client *member =
		aws_client_assume(hub, &(struct aws_role){.account_id = "999922223333",
					       .role_arn = "arn:aws:iam::999922223333:role/r",
					       .session_name = "acmsensor",
					       .sts_region = "eu-west-1",
					       .duration_s = 900});
	fake_http_answer(503, "");
	fake_http_answer(200, GOOD); /* would be no session either */
	(void)aws_call_start(member, &list_request, on_outcome, &outcome);
	for (int i = 0; i < 100 && outcome.ends == 0; i++)
		fake_loop_advance_ms(fake_loop_next_ms());
	assert_int_equal(outcome.err.kind, ERR_SERVICE);
	assert_int_equal(call_stats().attempts, 1);
	aws_client_free(member);
	aws_client_free(hub);
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
	assert_true(run_call().is_good);
	assert_int_equal(fake_http_count(), 10);
}

static void garbage_to_the_end_is_a_protocol_error(void **state)
{
	(void)state;
	for (int i = 0; i < 13; i++)
		fake_http_answer(200, "<html>a portal</html>");
	struct outcome outcome = run_call();
	assert_int_equal(outcome.err.kind, ERR_PROTOCOL);
	assert_non_null(strstr(outcome.err.text, "13 attempts"));
}

static void denial_is_final(void **state)
{
	(void)state;
	fake_http_answer(400, DENIED);
	struct outcome outcome = run_call();
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
	assert_int_equal(run_call().err.kind, ERR_LIMIT);
	assert_int_equal(fake_http_count(), 1);
}

static void first_reset_is_repeated_without_delay(void **state)
{
	(void)state;
	fake_http_fail(ERR_UNREACHABLE, "reset");
	fake_http_answer(200, GOOD);
	assert_true(run_call().is_good);
	assert_int_equal(fake_http_request(1)->mono_ms, fake_http_request(0)->mono_ms);
}

static void retry_after_is_honoured(void **state)
{
	(void)state;
	fake_http_push(&(struct fake_answer){.status = 503, .body = "", .retry_after_s = 4});
	fake_http_answer(200, GOOD);
	assert_true(run_call().is_good);
	assert_int_equal(fake_http_request(1)->mono_ms - fake_http_request(0)->mono_ms, 4000);
}

static void each_attempt_is_signed_anew(void **state)
{
	(void)state;
	fake_http_push(&(struct fake_answer){.status = 500, .body = "", .retry_after_s = 3});
	fake_http_answer(200, GOOD);
	assert_true(run_call().is_good);
	assert_string_equal(fake_http_header(1, "X-Amz-Date"), "20261121T000003Z");
}

/* --- clock ------------------------------------------------------------------------------------ */

static void wrong_clock_is_corrected_and_the_call_repeated_once(void **state)
{
	(void)state;
	int64_t theirs_s = clock_now_s() + 1200;
	fake_http_push(&(struct fake_answer){.status = 400, .body = SKEWED, .date_s = theirs_s});
	fake_http_push(&(struct fake_answer){.status = 200, .body = GOOD, .date_s = theirs_s});
	assert_true(run_call().is_good);
	assert_string_equal(fake_http_header(0, "X-Amz-Date"), "20261121T000000Z");
	assert_string_equal(fake_http_header(1, "X-Amz-Date"), "20261121T002000Z");
	assert_int_equal(call_stats().clock_offset_s, 1200);
	assert_int_equal(aws_now_s(fixture.aws), theirs_s);
}

static void a_refusal_for_time_is_not_repeated_twice(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		fake_http_push(&(struct fake_answer){
			.status = 400, .body = SKEWED, .date_s = clock_now_s() + 1200});
	struct outcome outcome = run_call();
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
	assert_true(run_call().is_good);
}

static void good_answers_teach_the_time_too(void **state)
{
	(void)state;
	fake_http_push(
		&(struct fake_answer){.status = 200, .body = GOOD, .date_s = clock_now_s() + 100});
	assert_true(run_call().is_good);
	assert_int_equal(call_stats().clock_offset_s, 100);
}

static void pages_of_proxies_and_caches_do_not(void **state)
{
	(void)state;
	fake_http_push(&(struct fake_answer){
		.status = 502, .body = "<html></html>", .date_s = clock_now_s() + 5000});
	fake_http_push(&(struct fake_answer){
		.status = 200, .body = GOOD, .date_s = clock_now_s() - 5000, .has_age = true});
	assert_true(run_call().is_good);
	assert_int_equal(call_stats().clock_offset_s, 0);
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
	assert_true(run_call().is_good);
	assert_int_equal(fake_http_count(), 3);
}

static void expired_twice_is_an_error(void **state)
{
	(void)state;
	fake_http_set_answerer(by_key, NULL);
	struct outcome outcome = run_call();
	assert_int_equal(outcome.err.kind, ERR_CREDENTIALS);
	assert_string_equal(outcome.err.code, "ExpiredTokenException");
	assert_int_equal(fake_http_count(), 2);
	outcome = run_call(); /* not a minute ago */
	assert_int_equal(fake_http_count(), 3);
}

static void fresh_session_unknown_in_a_region_is_not_fetched_anew(void **state)
{
	(void)state;
	expiration = "2026-11-21T01:00:00Z";
	fake_http_answer(400, UNKNOWN);
	struct outcome outcome = run_call();
	assert_int_equal(outcome.err.kind, ERR_CREDENTIALS);
	assert_string_equal(outcome.err.code, "UnrecognizedClientException");
	assert_int_equal(fake_http_count(), 1);
}

static void session_that_ends_in_the_queue_is_replaced_before_signing(void **state)
{
	(void)state;
	warm_up();
	expiration = NULL;
	aws_client_free(fixture.client);
	cred_source_free(fixture.source);
	key_id = "ASIAOLDOLDOLDOLDOLD1";
	expiration = "2026-11-21T01:00:00Z";
	fixture.source = cred_environment_new(
		&(struct cred_options){.aws = fixture.aws, .getenv = fixture_getenv});
	fixture.client = aws_client_new(
		fixture.aws, &(struct aws_network){.proxy = NULL}, "", fixture.source);

	fake_http_hold_slots(true);
	struct outcome outcome;
	start_call(&outcome);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_is_signed_and_addressed),
		TEST(long_lived_keys_send_no_token),
		TEST(what_cannot_begin_is_told_from_the_loop),
		TEST(missing_credentials_name_their_source),
		TEST(throttling_is_waited_out),
		TEST(calls_are_counted_by_operation_too),
		TEST(throttling_ends_after_its_budget),
		TEST(where_patience_ends_who_asked_waits),
		TEST(an_attempt_that_took_long_counts),
		TEST(what_corrects_itself_needs_no_patience),
		TEST(a_role_is_as_patient_as_its_hub),
		TEST(bad_answers_are_asked_for_again),
		TEST(garbage_to_the_end_is_a_protocol_error),
		TEST(denial_is_final),
		TEST(too_large_an_answer_is_final),
		TEST(first_reset_is_repeated_without_delay),
		TEST(retry_after_is_honoured),
		TEST(each_attempt_is_signed_anew),
		TEST(wrong_clock_is_corrected_and_the_call_repeated_once),
		TEST(a_refusal_for_time_is_not_repeated_twice),
		TEST(any_refusal_may_be_for_the_time),
		TEST(good_answers_teach_the_time_too),
		TEST(pages_of_proxies_and_caches_do_not),
		TEST(expired_session_is_replaced_once),
		TEST(expired_twice_is_an_error),
		TEST(fresh_session_unknown_in_a_region_is_not_fetched_anew),
		TEST(session_that_ends_in_the_queue_is_replaced_before_signing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
