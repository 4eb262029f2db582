/* Requests that must not be sent again once AWS may have taken them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/lib/call_fixture.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"

#define IMPORTED "{\"CertificateArn\":\"arn:a\"}"

static struct outcome run_once(void)
{
	struct aws_request request = list_request;
	request.operation = "ImportCertificate";
	request.expects = "CertificateArn";
	request.is_once = true;
	request.is_body_secret = true;
	struct outcome outcome = {.ends = 0};
	(void)aws_call_start(fixture.client, &request, on_outcome, &outcome);
	for (int i = 0; i < 10000 && outcome.ends == 0 && fake_loop_timer_count() > 0; i++)
		fake_loop_advance_ms(fake_loop_next_ms());
	assert_int_equal(outcome.ends, 1);
	assert_int_equal(fake_http_pending(), 0);
	return outcome;
}

/* One request went out, and a good answer that waits for a second one is not taken. */
static void assert_lost(struct outcome outcome, enum err_kind kind)
{
	assert_false(outcome.is_good);
	if (strcmp(outcome.err.code, AWS_ANSWER_LOST) != 0)
		fail_msg("code %s: %s", outcome.err.code, outcome.err.text);
	assert_int_equal(outcome.err.kind, kind);
	assert_int_equal(fake_http_count(), 1);
	assert_int_equal(call_stats().retries, 0);
	assert_int_equal(call_stats().failures, 1);
	assert_non_null(strstr(outcome.err.text, "acm ImportCertificate in eu-west-1: "));
}

static void start_anew(void)
{
	void *state = NULL;
	assert_int_equal(fixture_teardown(&state), 0);
	fixture_setup(&state);
}

static void a_good_answer_is_taken(void **state)
{
	(void)state;
	fake_http_answer(200, IMPORTED);
	assert_true(run_once().is_good);
	assert_true(fake_http_request(0)->is_once);
	assert_string_equal(fake_http_request(0)->body, "{\"MaxItems\":1000}");
}

static void others_keep_their_connections(void **state)
{
	(void)state;
	fake_http_answer(200, GOOD);
	assert_true(run_call().is_good);
	assert_false(fake_http_request(0)->is_once);
}

static void an_answer_that_did_not_come_is_lost(void **state)
{
	(void)state;
	static const struct {
		enum err_kind kind;
		const char *code;
	} cases[] = {
		{ERR_UNREACHABLE, ""},	    /* broke before any answer */
		{ERR_UNREACHABLE, "reset"}, /* on a reused connection */
		{ERR_TIMEOUT, "first_byte"}, {ERR_TIMEOUT, "stall"}, {ERR_TIMEOUT, "total"},
		{ERR_PROTOCOL, ""}, /* cut short, or no HTTP */
		{ERR_LIMIT, ""},    /* too large */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_http_fail(cases[i].kind, cases[i].code);
		fake_http_answer(200, IMPORTED);
		assert_lost(run_once(), cases[i].kind);
		start_anew();
	}
}

static void an_answer_that_says_nothing_is_lost(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
		enum err_kind kind;
	} cases[] = {
		{200, "", ERR_PROTOCOL},
		{200, "{}", ERR_PROTOCOL},
		{200, "{\"CertificateArn\":null}", ERR_PROTOCOL},
		{200, "{\"CertificateArn\":\"arn:a", ERR_PROTOCOL},
		{200, "<html>a portal</html>", ERR_PROTOCOL},
		{200, GOOD, ERR_PROTOCOL},
		{302, "", ERR_REFUSED},
		{400, "", ERR_PROTOCOL},
		{400, "{\"__type\":\"ThrottlingExc", ERR_PROTOCOL},
		{403, "<html>blocked</html>", ERR_REFUSED},
		{404, "<html>not here</html>", ERR_REFUSED},
		{408, "{\"__type\":\"RequestTimeout\"}", ERR_TIMEOUT},
		{400, "{\"__type\":\"RequestTimeoutException\"}", ERR_TIMEOUT},
		{400, "{\"__type\":\"InternalFailure\"}", ERR_SERVICE},
		{429, "", ERR_THROTTLED},
		{429, "<html>slow down</html>", ERR_THROTTLED},
		{500, "{\"__type\":\"InternalFailure\"}", ERR_SERVICE},
		{500, "{\"__type\":\"ThrottlingException\"}", ERR_THROTTLED},
		{500, "{\"__type\":\"AccessDeniedException\"}", ERR_DENIED},
		{502, "<html>bad gateway</html>", ERR_SERVICE},
		{503, "", ERR_SERVICE},
		{503, "{\"__type\":\"ServiceUnavailable\"}", ERR_SERVICE},
		{504, "", ERR_SERVICE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_http_answer(cases[i].status, cases[i].body);
		fake_http_answer(200, IMPORTED);
		assert_lost(run_once(), cases[i].kind);
		start_anew();
	}
}

static void a_wrong_clock_does_not_excuse_a_lost_answer(void **state)
{
	(void)state;
	fake_http_push(&(struct fake_answer){.status = 408,
		.body = "{\"__type\":\"RequestTimeout\"}",
		.date_s = clock_now_s() + 1200});
	fake_http_answer(200, IMPORTED);
	assert_lost(run_once(), ERR_TIMEOUT);
}

static void what_was_refused_keeps_its_code(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body, *code;
		enum err_kind kind;
	} cases[] = {
		{400, DENIED, "AccessDeniedException", ERR_DENIED},
		{400, "{\"__type\":\"LimitExceededException\"}", "LimitExceededException",
			ERR_REFUSED},
		{400, "{\"__type\":\"ValidationException\"}", "ValidationException", ERR_REFUSED},
		{400, "{\"__type\":\"ResourceNotFoundException\"}", "ResourceNotFoundException",
			ERR_NOT_FOUND},
		{400, "{\"__type\":\"InvalidSignatureException\"}", "InvalidSignatureException",
			ERR_CREDENTIALS},
		{407, "", "407", ERR_UNREACHABLE},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_http_answer(cases[i].status, cases[i].body);
		fake_http_answer(200, IMPORTED);
		struct outcome outcome = run_once();
		assert_string_equal(outcome.err.code, cases[i].code);
		assert_int_equal(outcome.err.kind, cases[i].kind);
		assert_int_equal(fake_http_count(), 1);
		start_anew();
	}
}

static void refusals_that_pass_are_asked_again(void **state)
{
	(void)state;
	static const struct {
		int status;
		const char *body;
	} cases[] = {
		{400, THROTTLED},
		{429, "{\"__type\":\"TooManyRequestsException\"}"},
		{503, "{\"__type\":\"ThrottlingException\"}"},
		{400, EXPIRED},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_http_answer(cases[i].status, cases[i].body);
		fake_http_answer(200, IMPORTED);
		assert_true(run_once().is_good);
		assert_int_equal(fake_http_count(), 2);
		start_anew();
	}
	fake_http_push(&(struct fake_answer){
		.status = 400, .body = SKEWED, .date_s = clock_now_s() + 1200});
	fake_http_answer(200, IMPORTED);
	assert_true(run_once().is_good);
	assert_int_equal(fake_http_count(), 2);
}

static void without_a_connection_it_is_tried_again(void **state)
{
	(void)state;
	fake_http_fail(ERR_UNREACHABLE, "connect");
	fake_http_fail(ERR_TIMEOUT, "connect");
	fake_http_answer(200, IMPORTED);
	assert_true(run_once().is_good);
	assert_int_equal(fake_http_count(), 3);
	start_anew();
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	assert_string_equal(run_once().err.code, "connect");
	assert_int_equal(fake_http_count(), 3);
	start_anew();
	fake_http_fail(ERR_CONFIG, ""); /* no CA bundle: nothing went out */
	struct outcome outcome = run_once();
	assert_int_equal(outcome.err.kind, ERR_CONFIG);
	assert_string_equal(outcome.err.code, "");
}

static void lost_after_tries_that_were_refused_is_lost(void **state)
{
	(void)state;
	fake_http_fail(ERR_UNREACHABLE, "connect");
	fake_http_answer(400, THROTTLED);
	fake_http_fail(ERR_TIMEOUT, "first_byte");
	fake_http_answer(200, IMPORTED);
	struct outcome outcome = run_once();
	assert_string_equal(outcome.err.code, AWS_ANSWER_LOST);
	assert_int_equal(fake_http_count(), 3);
}

static void throttling_to_the_end_is_not_lost(void **state)
{
	(void)state;
	for (int i = 0; i < 13; i++)
		fake_http_answer(400, THROTTLED);
	struct outcome outcome = run_once();
	assert_int_equal(outcome.err.kind, ERR_THROTTLED);
	assert_string_equal(outcome.err.code, "ThrottlingException");
	assert_int_equal(fake_http_count(), 13);
}

static void what_was_never_sent_is_not_lost(void **state)
{
	(void)state;
	key_id = NULL;
	assert_int_equal(run_once().err.kind, ERR_CREDENTIALS);
	assert_int_equal(fake_http_count(), 0);
	start_anew();
	for (int i = 0; i < 12; i++) /* until the breaker opens */
		fake_http_fail(ERR_UNREACHABLE, "connect");
	while (strcmp(run_once().err.code, "breaker") != 0)
		assert_true(fake_http_count() < 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_answer_is_taken),
		TEST(others_keep_their_connections),
		TEST(an_answer_that_did_not_come_is_lost),
		TEST(an_answer_that_says_nothing_is_lost),
		TEST(a_wrong_clock_does_not_excuse_a_lost_answer),
		TEST(what_was_refused_keeps_its_code),
		TEST(refusals_that_pass_are_asked_again),
		TEST(without_a_connection_it_is_tried_again),
		TEST(lost_after_tries_that_were_refused_is_lost),
		TEST(throttling_to_the_end_is_not_lost),
		TEST(what_was_never_sent_is_not_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
