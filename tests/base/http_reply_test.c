/* What is asked for as it goes out, and what comes back as it is told. */
#include "base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/http_fixture.h"
#include "tests/lib/test_server.h"

/* --- servers ---------------------------------------------------------------------------------- */

static void serve_headers(struct test_conn *conn, void *arg)
{
	while (test_conn_read_request(conn))
		test_conn_reply(conn, 400, arg, "");
}

/* Answers with the request as it came. */
static void serve_echo(struct test_conn *conn, void *arg)
{
	(void)arg;
	while (test_conn_read_request(conn)) {
		char text[8192];
		snprintf(text, sizeof(text), "%s%s", test_conn_head(conn), test_conn_body(conn));
		test_conn_reply(conn, 200, "", text);
	}
}

/* --- requests and answers --------------------------------------------------------------------- */

static void answer_arrives_with_status_body_and_type(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	struct fixture_call *call = fixture_get(f, "http://a.test:%d/x", test_server_port(server));
	assert_int_equal(call->err.kind, ERR_NONE);
	assert_int_equal(call->status, 200);
	assert_string_equal(call->body, "hello");
	assert_string_equal(call->reply.content_type, "text/plain");
	assert_int_equal(call->reply.retry_after_s, -1);
	assert_int_equal(call->reply.date_s, 0);
	assert_false(call->reply.has_age);
	test_server_stop(server);
}

static void start_calls_nobody_back(void **state)
{
	struct http_fixture *f = *state;
	struct fixture_call *call = fixture_call_new(f, 'a', "http://a.test/");
	fixture_call_start(call);
	assert_int_equal(call->made + call->done, 0);
	fixture_call_cancel(call);
	fixture_run_ms(f, 5);
	assert_int_equal(call->made + call->done, 0);
	http_cancel(NULL);
	http_free(NULL);
}

static void request_is_sent_as_given(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(serve_echo, NULL);
	struct fixture_call *call = fixture_call_new(
		f, 'a', "http://a.test:%d/a/../b//c?d=%%20", test_server_port(server));
	call->request.method = "POST";
	call->request.body = "{\"a\": 1}";
	call->request.body_len = 8;
	call->header[0] = (struct http_header){"Content-Type", "application/x-amz-json-1.1"};
	call->header[1] = (struct http_header){"X-Amz-Target", "Service.Operation"};
	call->header[2] = (struct http_header){"X-Empty", ""};
	call->request.header_count = 3;
	fixture_call_start(call);
	fixture_run(f, 1);
	char expected[512];
	snprintf(expected, sizeof(expected),
		"POST /a/../b//c?d=%%20 HTTP/1.1\r\nHost: a.test:%d\r\nAccept: */*\r\n"
		"Content-Type: application/x-amz-json-1.1\r\n"
		"X-Amz-Target: Service.Operation\r\nX-Empty:\r\nContent-Length: 8\r\n\r\n{\"a\": 1}",
		test_server_port(server));
	assert_string_equal(call->body, expected);
	test_server_stop(server);
}

static void methods_carry_their_bodies_and_nothing_is_added(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(serve_echo, NULL);
	static const struct {
		const char *method, *body, *begins;
	} sent[] = {
		{"POST", NULL, "POST / HTTP/1.1\r\n"},
		{"POST", "", "POST / HTTP/1.1\r\n"},
		{"PUT", "x", "PUT / HTTP/1.1\r\n"},
		{"DELETE", NULL, "DELETE / HTTP/1.1\r\n"},
		{"GET", NULL, "GET / HTTP/1.1\r\n"},
	};
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		struct fixture_call *call =
			fixture_call_new(f, 'a', "http://a.test:%d/", test_server_port(server));
		call->request.method = sent[i].method;
		call->request.body = sent[i].body;
		call->request.body_len = sent[i].body != NULL ? strlen(sent[i].body) : 0;
		fixture_call_start(call);
		fixture_run(f, 1);
		assert_int_equal(call->status, 200);
		assert_memory_equal(call->body, sent[i].begins, strlen(sent[i].begins));
		assert_null(strcasestr(call->body, "Content-Type"));
		assert_null(strcasestr(call->body, "Expect"));
		assert_null(strcasestr(call->body, "Accept-Encoding"));
		bool has_length = strcasestr(call->body, "Content-Length") != NULL;
		assert_int_equal(
			has_length, sent[i].body != NULL || strcmp(sent[i].method, "POST") == 0);
	}
	assert_int_equal(test_server_connections(server), 1);
	test_server_stop(server);
}

static void large_body_is_sent_whole_without_expect(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(serve_echo, NULL);
	struct fixture_call *call =
		fixture_call_new(f, 'a', "http://a.test:%d/", test_server_port(server));
	static char body[2000000];
	memset(body, 'x', sizeof(body));
	call->request.method = "POST";
	call->request.body = body;
	call->request.body_len = sizeof(body);
	fixture_call_start(call);
	fixture_run(f, 1);
	assert_int_equal(call->status, 200);
	assert_non_null(strstr(call->body, "Content-Length: 2000000\r\n"));
	assert_null(strcasestr(call->body, "Expect"));
	assert_true(fixture_stats(f).bytes_out > 2000000);
	test_server_stop(server);
}

static void head_has_no_body(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server =
		test_server_start(serve_headers, "Content-Type: text/html; \x01\xff\r\n");
	struct fixture_call *call =
		fixture_call_new(f, 'a', "http://a.test:%d/", test_server_port(server));
	call->request.method = "HEAD";
	fixture_call_start(call);
	fixture_run(f, 1);
	assert_int_equal(call->status, 400);
	assert_string_equal(call->reply.content_type, "text/html; ??");
	test_server_stop(server);
}

static struct fixture_call *get_with_headers(struct http_fixture *f, char *headers)
{
	struct test_server *server = test_server_start(serve_headers, headers);
	struct fixture_call *call = fixture_get(f, "http://a.test:%d/", test_server_port(server));
	test_server_stop(server);
	assert_int_equal(call->status, 400);
	return call;
}

static void amazon_headers_are_kept(void **state)
{
	struct fixture_call *call = get_with_headers(*state,
		"X-Amzn-Requestid: 6f3a\r\nX-AMZN-ERRORTYPE:AccessDenied:http://x/\t \r\nAge: 7\r\n"
		"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
	assert_string_equal(call->reply.request_id, "6f3a");
	assert_string_equal(call->reply.error_type, "AccessDenied:http://x/");
	assert_true(call->reply.has_age);
	assert_int_equal(call->reply.date_s, 784111777);
	call = get_with_headers(*state, "x-amz-request-id: ABC\r\n");
	assert_string_equal(call->reply.request_id, "ABC");
}

static void retry_after_is_seconds_or_a_date(void **state)
{
	static const struct {
		const char *headers;
		int64_t seconds;
	} sent[] = {
		{"Retry-After: 120\r\n", 120},
		{"Retry-After: 0\r\n", 0},
		{"Retry-After: 99999999999999999999\r\n", 999999999},
		{"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		 "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n",
			60},
		{"Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n"
		 "Date: Sun, 06 Nov 1994 08:50:38 GMT\r\n",
			0},
		{"Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n", 0},
		{"Retry-After: -1\r\n", -1},
		{"Retry-After: soon\r\n", -1},
		{"Retry-After:\r\n", -1},
		{"Retry-After: 1 2\r\n", -1},
	};
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		char headers[256];
		snprintf(headers, sizeof(headers), "%s", sent[i].headers);
		struct fixture_call *call = get_with_headers(*state, headers);
		assert_int_equal(call->reply.retry_after_s, sent[i].seconds);
	}
}

static void broken_dates_and_overlong_values_count_as_absent_or_are_cut(void **state)
{
	static char headers[8192];
	snprintf(headers, sizeof(headers), "Date: 1994-11-06\r\nContent-Type: %01000d\r\n", 7);
	struct fixture_call *call = get_with_headers(*state, headers);
	assert_int_equal(call->reply.date_s, 0);
	assert_int_equal(strlen(call->reply.content_type), sizeof(call->reply.content_type) - 1);
	snprintf(headers, sizeof(headers), "Date: Sun, 06 Nov 1994 08:49:37 GMT%0100d\r\n", 7);
	assert_int_equal(get_with_headers(*state, headers)->reply.date_s, 0);
	snprintf(headers, sizeof(headers), "Retry-After: %0100d\r\n", 7);
	assert_int_equal(get_with_headers(*state, headers)->reply.retry_after_s, -1);
}

static void what_is_not_printable_is_replaced(void **state)
{
	struct fixture_call *call =
		get_with_headers(*state, "x-amz-request-id: a\tb\xc3\xa4\x7f\x1b[1m\r\n");
	assert_string_equal(call->reply.request_id, "a?b????[1m");
}

static void serve_interim(struct test_conn *conn, void *arg)
{
	(void)arg;
	while (test_conn_read_request(conn)) {
		test_conn_print(conn, "HTTP/1.1 100 Continue\r\nx-amzn-ErrorType: Wrong\r\n\r\n"
				      "HTTP/1.1 103 Early Hints\r\nAge: 1\r\n\r\n");
		test_conn_reply(conn, 200, "", "real");
	}
}

static void interim_answers_are_passed_over(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(serve_interim, NULL);
	for (int i = 0; i < 2; i++) {
		struct fixture_call *call =
			fixture_get(f, "http://a.test:%d/", test_server_port(server));
		assert_int_equal(call->status, 200);
		assert_string_equal(call->body, "real");
		assert_string_equal(call->reply.error_type, "");
		assert_false(call->reply.has_age);
	}
	assert_int_equal(test_server_connections(server), 1);
	test_server_stop(server);
}

static void serve_chunks(struct test_conn *conn, void *arg)
{
	(void)arg;
	while (test_conn_read_request(conn))
		test_conn_print(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				      "3\r\none\r\n4\r\n two\r\n0\r\nAge: 1\r\n\r\n");
}

static void chunked_body_is_joined_and_trailers_are_ignored(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(serve_chunks, NULL);
	struct fixture_call *call = fixture_get(f, "http://a.test:%d/", test_server_port(server));
	assert_string_equal(call->body, "one two");
	assert_false(call->reply.has_age);
	test_server_stop(server);
}

static void serve_redirect(struct test_conn *conn, void *arg)
{
	(void)arg;
	while (test_conn_read_request(conn))
		test_conn_reply(conn, 307, "Location: /elsewhere\r\n", "");
}

static void redirects_are_answers_and_not_followed(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(serve_redirect, NULL);
	struct fixture_call *call = fixture_get(f, "http://a.test:%d/", test_server_port(server));
	assert_int_equal(call->status, 307);
	assert_int_equal(test_server_requests(server), 1);
	test_server_stop(server);
}

static void connection_is_reused(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	for (int i = 0; i < 20; i++)
		assert_int_equal(
			fixture_get(f, "http://a.test:%d/", test_server_port(server))->status, 200);
	assert_int_equal(test_server_connections(server), 1);
	struct http_stats stats = fixture_stats(f);
	assert_int_equal(stats.requests, 20);
	assert_int_equal(stats.connections_opened, 1);
	assert_int_equal(stats.queued + stats.in_flight, 0);
	assert_true(stats.bytes_in > 100 && stats.bytes_out > 100);
	test_server_stop(server);
}

static void a_rest_closes_connections_and_the_next_call_opens_one(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(
			fixture_get(f, "http://a.test:%d/", test_server_port(server))->status, 200);
		assert_true(http_rest(f->http));
		assert_int_equal(test_server_connections(server), i);
	}
	test_server_stop(server);
}

static void there_is_no_rest_while_a_call_is_under_way(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	struct fixture_call *call =
		fixture_call_new(f, 'a', "http://a.test:%d/", test_server_port(server));
	fixture_call_start(call);
	assert_false(http_rest(f->http));
	fixture_run(f, 1);
	assert_int_equal(call->status, 200);
	call = fixture_call_new(f, 'b', "http://stuck.test:%d/", test_server_port(server));
	fixture_call_start(call);
	fixture_run_ms(f, 20);
	assert_false(http_rest(f->http)); /* its name is being resolved */
	fixture_call_cancel(call);
	assert_true(http_rest(f->http));
	test_server_stop(server);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(answer_arrives_with_status_body_and_type),
		TEST(start_calls_nobody_back),
		TEST(request_is_sent_as_given),
		TEST(methods_carry_their_bodies_and_nothing_is_added),
		TEST(large_body_is_sent_whole_without_expect),
		TEST(head_has_no_body),
		TEST(amazon_headers_are_kept),
		TEST(retry_after_is_seconds_or_a_date),
		TEST(broken_dates_and_overlong_values_count_as_absent_or_are_cut),
		TEST(what_is_not_printable_is_replaced),
		TEST(interim_answers_are_passed_over),
		TEST(chunked_body_is_joined_and_trailers_are_ignored),
		TEST(redirects_are_answers_and_not_followed),
		TEST(connection_is_reused),
		TEST(a_rest_closes_connections_and_the_next_call_opens_one),
		TEST(there_is_no_rest_while_a_call_is_under_way),
	};
	return cmocka_run_group_tests_name("http_reply", tests, NULL, NULL);
}
