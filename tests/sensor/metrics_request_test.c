/* Heads of requests, good and bad, and what is answered. */
#include "sensor/metrics_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/aborts.h"

static struct metrics_request parse(const char *head)
{
	struct metrics_request request;
	metrics_request_parse(head, strlen(head), &request);
	return request;
}

static void get_and_head_are_answered(void **state)
{
	(void)state;
	struct metrics_request request = parse("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(request.status, 200);
	assert_true(request.has_body);
	assert_int_equal(request.format, OPENMETRICS_1_0);
	request = parse("HEAD /metrics HTTP/1.0\n\n");
	assert_int_equal(request.status, 200);
	assert_false(request.has_body);
	assert_int_equal(parse("GET /metrics?name=x HTTP/1.1\r\n\r\n").status, 200);
}

static void the_rest_is_refused(void **state)
{
	static const struct {
		const char *head;
		int status;
		const char *text;
	} bad[] = {
		{"GET / HTTP/1.1\r\n\r\n", 404, "there is no such path; see /metrics"},
		{"GET /metrics/ HTTP/1.1\r\n\r\n", 404, "there is no such path; see /metrics"},
		{"GET /v1/status HTTP/1.1\r\n\r\n", 404, "there is no such path; see /metrics"},
		{"POST /v1/scan HTTP/1.1\r\n\r\n", 404, "there is no such path; see /metrics"},
		{"HEAD /x HTTP/1.1\r\n\r\n", 404, "there is no such path; see /metrics"},
		{"POST /metrics HTTP/1.1\r\n\r\n", 405, "the method: expected GET or HEAD"},
		{"get /metrics HTTP/1.1\r\n\r\n", 405, "the method: expected GET or HEAD"},
		{"GET /metrics\r\n\r\n", 400, "the request: expected GET /metrics HTTP/1.1"},
		{"GET /metrics HTTP/2.0\r\n\r\n", 400,
			"the request: expected GET /metrics HTTP/1.1"},
		{"GET  /metrics HTTP/1.1\r\n\r\n", 400,
			"the request: expected GET /metrics HTTP/1.1"},
		{"GET\r\n\r\n", 400, "the request: expected GET /metrics HTTP/1.1"},
		{"\r\n\r\n", 400, "the request: expected GET /metrics HTTP/1.1"},
		{"", 400, "the request: expected GET /metrics HTTP/1.1"},
		{"\x16\x03\x01", 400, "the request: expected GET /metrics HTTP/1.1"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct metrics_request request = parse(bad[i].head);
		if (request.status != bad[i].status)
			fail_msg("%s: %d", bad[i].head, request.status);
		assert_string_equal(request.text, bad[i].text);
	}
	assert_false(parse("HEAD /x HTTP/1.1\r\n\r\n").has_body);
}

static void the_first_accept_chooses_the_format(void **state)
{
#define FIRST "GET /metrics HTTP/1.1\r\n"
	char head[3000] = FIRST "Accept: ";
	(void)state;
	assert_int_equal(
		parse(FIRST "Host: x\r\naCCept: text/plain\r\n\r\n").format, OPENMETRICS_CLASSIC);
	assert_int_equal(
		parse(FIRST "Accept: */*\r\nAccept: text/plain\r\n\r\n").format, OPENMETRICS_1_0);
	assert_int_equal(
		parse(FIRST "Accept-Language: text/plain\r\n\r\n").format, OPENMETRICS_1_0);
	assert_int_equal(parse(FIRST "Expect: text/plain\r\n\r\n").format, OPENMETRICS_1_0);
	assert_int_equal(parse(FIRST "Accept\r\n\r\n").format, OPENMETRICS_1_0);
	assert_int_equal(parse(FIRST "\xff: text/plain\r\n\r\n").format, OPENMETRICS_1_0);
	memset(head + strlen(head), 'x', 1020);
	strcat(head, "text/plain\r\n\r\n"); /* cut off */
	assert_int_equal(parse(head).format, OPENMETRICS_1_0);
}

/* Under the sanitizers: no byte behind the end is looked at. */
static void cut_anywhere_it_is_refused_or_answered(void **state)
{
	static const char whole[] =
		"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n";
	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		char *cut = test_malloc(len + 1);
		struct metrics_request request;
		memcpy(cut, whole, len);
		metrics_request_parse(cut, len, &request);
		assert_int_equal(
			request.status, len <= strlen("GET /metrics HTTP/1.1\r") ? 400 : 200);
		test_free(cut);
	}
}

static void use_a_status_that_is_none(void)
{
	(void)metrics_status_phrase(418);
}

static void every_status_has_its_phrase(void **state)
{
	(void)state;
	assert_string_equal(metrics_status_phrase(200), "OK");
	assert_string_equal(metrics_status_phrase(400), "Bad Request");
	assert_string_equal(metrics_status_phrase(404), "Not Found");
	assert_string_equal(metrics_status_phrase(405), "Method Not Allowed");
	assert_string_equal(metrics_status_phrase(431), "Request Header Fields Too Large");
	assert_string_equal(metrics_status_phrase(503), "Service Unavailable");
	assert_true(aborts(use_a_status_that_is_none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_and_head_are_answered),
		cmocka_unit_test(the_rest_is_refused),
		cmocka_unit_test(the_first_accept_chooses_the_format),
		cmocka_unit_test(cut_anywhere_it_is_refused_or_answered),
		cmocka_unit_test(every_status_has_its_phrase),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
