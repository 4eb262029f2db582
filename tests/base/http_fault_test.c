/*
 * What servers and networks do wrong, and how it is told. Time limits are short and real; how late
 * they are noticed is not asserted, only that they are and in which words.
 */
#include "base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/lib/http_fixture.h"
#include "tests/lib/test_server.h"

struct fault {
	struct http_fixture *f;
	struct test_server *server;
};

static int set_up(void **state)
{
	struct fault *fault = calloc(1, sizeof(*fault));
	fault->f = http_fixture_new(NULL);
	*state = fault;
	return 0;
}

static int tear_down(void **state)
{
	struct fault *fault = *state;
	http_fixture_free(fault->f);
	test_server_stop(fault->server);
	free(fault);
	return 0;
}

static struct fixture_call *get(struct fault *fault, test_serve_fn *serve, const char *arg)
{
	if (fault->server == NULL)
		fault->server = test_server_start(serve, (void *)(uintptr_t)arg);
	return fixture_get(fault->f, "http://a.test:%d/", test_server_port(fault->server));
}

static struct fixture_call *prepare(struct fault *fault, test_serve_fn *serve)
{
	if (fault->server == NULL)
		fault->server = test_server_start(serve, NULL);
	return fixture_call_new(
		fault->f, 'p', "http://a.test:%d/", test_server_port(fault->server));
}

static void run(struct fixture_call *call)
{
	fixture_call_start(call);
	fixture_run(call->fixture, 1);
}

/* The text is "http://a.test:<port>: " and what is expected. */
static void assert_err(
	const struct fixture_call *call, enum err_kind kind, const char *code, const char *text)
{
	char expected[ERR_TEXT_MAX];
	snprintf(expected, sizeof(expected), "%s: %s", call->host_key, text);
	assert_int_equal(call->status, 0);
	assert_string_equal(err_kind_name(call->err.kind), err_kind_name(kind));
	assert_string_equal(call->err.code, code);
	assert_memory_equal(call->err.text, expected, strlen(expected));
}

/* --- servers ---------------------------------------------------------------------------------- */

static void serve_bytes(struct test_conn *conn, void *arg)
{
	if (test_conn_read_request(conn))
		test_conn_print(conn, "%s", (const char *)arg);
}

static void serve_bytes_then_stall(struct test_conn *conn, void *arg)
{
	serve_bytes(conn, arg);
	test_conn_wait_closed(conn);
}

/* The first request of each connection is answered, the second resets it. */
static void serve_once_then_reset(struct test_conn *conn, void *arg)
{
	(void)arg;
	if (test_conn_read_request(conn))
		test_conn_reply(conn, 200, "", "first");
	test_conn_read_request(conn);
	test_conn_reset(conn);
}

static void serve_once_then_close(struct test_conn *conn, void *arg)
{
	(void)arg;
	if (test_conn_read_request(conn))
		test_conn_reply(conn, 200, "", "first");
}

static void serve_reset(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_read_request(conn);
	test_conn_reset(conn);
}

static void serve_close(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_read_request(conn);
}

/* On loopback the bytes are with the client before the reset is. */
static void serve_partial_then_reset(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_read_request(conn);
	test_conn_print(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	test_conn_reset(conn);
}

static void serve_without_end(struct test_conn *conn, void *arg)
{
	static const char zeros[65536];
	test_conn_read_request(conn);
	test_conn_print(conn, "HTTP/1.1 200 OK\r\n%s\r\n", (const char *)arg);
	for (int i = 0; i < 1600 && test_conn_write(conn, zeros, sizeof(zeros)); i++)
		continue; /* 100 MB */
}

static void serve_header_flood(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_read_request(conn);
	test_conn_print(conn, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 1000000; i++) {
		if (!test_conn_print(conn, "X-Flood-%d: yes\r\n", i))
			return;
	}
}

static void serve_interim_flood(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_read_request(conn);
	while (test_conn_print(conn, "HTTP/1.1 100 Continue\r\n\r\n"))
		continue;
}

static void serve_long_header(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_read_request(conn);
	test_conn_print(conn, "HTTP/1.1 200 OK\r\nX-Long: %0300000d\r\n\r\n", 7);
	test_conn_wait_closed(conn);
}

/* A byte now and then: no pause is long, but it takes forever. */
static void serve_trickle(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_read_request(conn);
	test_conn_print(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
	while (test_conn_print(conn, "x")) {
		struct timespec pause = {.tv_nsec = 5000000};
		nanosleep(&pause, NULL);
	}
}

static void serve_hello_first(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_print(conn, "220 mail.test ESMTP\r\n");
	test_conn_wait_closed(conn);
}

static void serve_nothing(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_wait_closed(conn);
}

/* --- connections ------------------------------------------------------------------------------ */

static void refused_connection_is_unreachable(void **state)
{
	struct fault *fault = *state;
	struct test_server *gone = test_server_start(serve_close, NULL);
	int port = test_server_port(gone);
	test_server_stop(gone);
	struct fixture_call *call = fixture_get(fault->f, "http://a.test:%d/", port);
	assert_err(call, ERR_UNREACHABLE, "connect", "no connection: ");
	assert_non_null(strstr(call->err.text, "(Connection refused)"));
}

static void full_server_is_a_connect_timeout(void **state)
{
	struct fault *fault = *state;
	struct test_full_server *full = test_full_server_start();
	struct fixture_call *call =
		fixture_call_new(fault->f, 'p', "http://a.test:%d/", test_full_server_port(full));
	call->timeouts.connect_ms = 150;
	run(call);
	assert_err(call, ERR_TIMEOUT, "connect",
		"no connection within 150 ms: waited for the TCP connection");
	test_full_server_stop(full);
}

static void server_without_a_word_of_tls_is_a_connect_timeout(void **state)
{
	struct fault *fault = *state;
	fault->server = test_server_start(serve_nothing, NULL);
	struct fixture_call *call = fixture_call_new(
		fault->f, 'p', "https://a.test:%d/", test_server_port(fault->server));
	call->timeouts.connect_ms = 150;
	run(call);
	assert_err(call, ERR_TIMEOUT, "connect",
		"no connection within 150 ms: waited for the TLS handshake");
}

static void plain_text_instead_of_tls_is_unreachable(void **state)
{
	struct fault *fault = *state;
	fault->server = test_server_start(serve_hello_first, NULL);
	struct fixture_call *call =
		fixture_get(fault->f, "https://a.test:%d/", test_server_port(fault->server));
	assert_err(call, ERR_UNREACHABLE, "connect", "no TLS connection: ");
}

static void idle_connection_that_was_closed_is_replaced_unnoticed(void **state)
{
	struct fault *fault = *state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(get(fault, serve_once_then_close, NULL)->status, 200);
	assert_int_equal(test_server_connections(fault->server), 5);
}

static void reused_connection_that_resets_is_replaced_unnoticed(void **state)
{
	struct fault *fault = *state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(get(fault, serve_once_then_reset, NULL)->status, 200);
}

/* libcurl tries another connection by itself, five times; with eight that all reset it gives up. */
static void reused_connections_that_all_reset_are_told_as_reset(void **state)
{
	struct fault *fault = *state;
	fault->server = test_server_start(serve_once_then_reset, NULL);
	for (int i = 0; i < 8; i++)
		fixture_call_start(prepare(fault, NULL));
	fixture_run(fault->f, 8);
	assert_int_equal(test_server_connections(fault->server), 8);
	struct fixture_call *call = get(fault, NULL, NULL);
	assert_err(call, ERR_UNREACHABLE, "reset", "the connection broke before any answer: ");
	/* What is counted for one call is not held against the next on the same handle. */
	for (int i = 0; i < 10; i++)
		assert_int_equal(get(fault, NULL, NULL)->status, 200);
}

static void new_connection_that_resets_is_no_reset(void **state)
{
	struct fixture_call *call = get(*state, serve_reset, NULL);
	assert_err(call, ERR_UNREACHABLE, "", "the connection broke before any answer: ");
}

static void new_connection_that_closes_is_unreachable(void **state)
{
	struct fixture_call *call = get(*state, serve_close, NULL);
	assert_err(call, ERR_UNREACHABLE, "",
		"the connection broke before any answer: Empty reply from server");
}

/* --- answers ---------------------------------------------------------------------------------- */

static void body_that_is_cut_short_is_a_protocol_error(void **state)
{
	struct fixture_call *call =
		get(*state, serve_bytes, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	assert_err(call, ERR_PROTOCOL, "", "the answer is cut short: ");
}

static void chunks_that_are_cut_short_are_a_protocol_error(void **state)
{
	struct fixture_call *call = get(*state, serve_bytes,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
	assert_err(call, ERR_PROTOCOL, "", "the answer is cut short: ");
}

static void broken_chunks_are_a_protocol_error(void **state)
{
	struct fixture_call *call = get(*state, serve_bytes,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n");
	assert_int_equal(call->err.kind, ERR_PROTOCOL);
}

static void reset_inside_the_body_is_a_protocol_error(void **state)
{
	struct fixture_call *call = get(*state, serve_partial_then_reset, NULL);
	assert_err(call, ERR_PROTOCOL, "", "the answer is cut short: ");
}

static void header_that_is_cut_short_is_a_protocol_error(void **state)
{
	struct fault *fault = *state;
	static const char *const cut[] = {"HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n"};
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		struct fixture_call *call = get(fault, serve_bytes, cut[i]);
		assert_err(call, ERR_PROTOCOL, "", "the answer is cut short: ");
		test_server_stop(fault->server);
		fault->server = NULL;
	}
}

static void garbage_is_a_protocol_error(void **state)
{
	struct fault *fault = *state;
	static const char *const garbage[] = {"<html>not HTTP at all</html>\r\n\r\n",
		"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhello"};
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		struct fixture_call *call = get(fault, serve_bytes, garbage[i]);
		assert_err(call, ERR_PROTOCOL, "", "the answer is not HTTP: ");
		test_server_stop(fault->server);
		fault->server = NULL;
	}
}

static void body_above_the_limit_is_cut_at_once(void **state)
{
	struct fault *fault = *state;
	struct fixture_call *call =
		get(fault, serve_without_end, "Transfer-Encoding: identity\r\n");
	assert_err(call, ERR_LIMIT, "", "the answer is larger than 1048576 bytes");
	assert_true(fixture_stats(fault->f).bytes_in < 1200000);
}

static void announced_length_above_the_limit_is_not_read(void **state)
{
	struct fault *fault = *state;
	static const char *const length[] = {"Content-Length: 104857600\r\n",
		"Content-Length: 1048577\r\n", "Content-Length: 9223372036854775807\r\n"};
	for (size_t i = 0; i < sizeof(length) / sizeof(length[0]); i++) {
		struct fixture_call *call = get(fault, serve_without_end, length[i]);
		assert_err(call, ERR_LIMIT, "", "the answer is larger than 1048576 bytes");
		test_server_stop(fault->server);
		fault->server = NULL;
	}
	assert_true(fixture_stats(fault->f).bytes_in < 200000);
}

static void body_of_exactly_the_limit_is_taken(void **state)
{
	struct fault *fault = *state;
	fault->server = test_server_start(serve_once_then_close, NULL);
	struct fixture_call *call = prepare(fault, NULL);
	call->request.reply_max_bytes = 5;
	run(call);
	assert_string_equal(call->body, "first");
	call = prepare(fault, NULL);
	call->request.reply_max_bytes = 4;
	run(call);
	assert_int_equal(call->err.kind, ERR_LIMIT);
}

static void header_flood_is_cut_at_the_limit(void **state)
{
	struct fault *fault = *state;
	struct fixture_call *call = get(fault, serve_header_flood, NULL);
	assert_err(call, ERR_LIMIT, "", "the answer's header is larger than 65536 bytes");
	assert_true(fixture_stats(fault->f).bytes_in < 70000);
}

static void flood_of_interim_answers_is_cut_at_the_limit(void **state)
{
	struct fixture_call *call = get(*state, serve_interim_flood, NULL);
	assert_err(call, ERR_LIMIT, "", "the answer's header is larger than 65536 bytes");
}

static void one_endless_header_is_cut(void **state)
{
	struct fixture_call *call = get(*state, serve_long_header, NULL);
	assert_int_equal(call->err.kind, ERR_LIMIT);
}

/* --- time limits ------------------------------------------------------------------------------ */

static void silence_is_a_first_byte_timeout(void **state)
{
	struct fixture_call *call = prepare(*state, serve_nothing);
	call->timeouts.first_byte_ms = 100;
	run(call);
	assert_err(call, ERR_TIMEOUT, "first_byte",
		"no answer within 100 ms after the request was sent");
}

static void pause_inside_the_body_is_a_stall(void **state)
{
	struct fault *fault = *state;
	fault->server = test_server_start(
		serve_bytes_then_stall, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	struct fixture_call *call = prepare(fault, NULL);
	call->timeouts.stall_ms = 100;
	run(call);
	assert_err(call, ERR_TIMEOUT, "stall",
		"the answer stopped for 100 ms after 4 bytes of its body");
}

static void pause_inside_the_header_is_a_stall(void **state)
{
	struct fault *fault = *state;
	fault->server =
		test_server_start(serve_bytes_then_stall, "HTTP/1.1 200 OK\r\nServer: x\r\n");
	struct fixture_call *call = prepare(fault, NULL);
	call->timeouts.stall_ms = 100;
	run(call);
	assert_err(call, ERR_TIMEOUT, "stall", "the answer stopped for 100 ms after 0 bytes");
}

static void trickle_is_ended_by_the_total(void **state)
{
	struct fixture_call *call = prepare(*state, serve_trickle);
	call->timeouts.stall_ms = 5000;
	call->timeouts.total_ms = 200;
	run(call);
	assert_err(call, ERR_TIMEOUT, "total",
		"not complete within 200 ms: waited for the rest of the answer");
}

static void total_counts_while_nothing_is_answered(void **state)
{
	struct fixture_call *call = prepare(*state, serve_nothing);
	call->timeouts.total_ms = 100;
	run(call);
	assert_err(call, ERR_TIMEOUT, "total",
		"not complete within 100 ms: waited for the answer to begin");
}

static void time_in_the_queue_does_not_count(void **state)
{
	struct fault *fault = *state;
	http_fixture_free(fault->f);
	fault->f = http_fixture_new(
		&(struct http_limits){.max_requests = 1, .per_host_max = 1, .idle_max = 1});
	struct fixture_call *slow = prepare(fault, serve_trickle);
	slow->timeouts.total_ms = 600;
	struct test_server *quick = test_server_start(serve_once_then_close, NULL);
	fixture_call_start(slow);
	fixture_run_ms(fault->f, 20);
	struct fixture_call *queued =
		fixture_call_new(fault->f, 'q', "http://b.test:%d/", test_server_port(quick));
	queued->timeouts = (struct http_timeouts){300, 300, 300, 300};
	fixture_call_start(queued);
	fixture_run(fault->f, 2);
	assert_int_equal(slow->err.kind, ERR_TIMEOUT);
	assert_int_equal(queued->status, 200);
	test_server_stop(quick);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(refused_connection_is_unreachable),
		TEST(full_server_is_a_connect_timeout),
		TEST(server_without_a_word_of_tls_is_a_connect_timeout),
		TEST(plain_text_instead_of_tls_is_unreachable),
		TEST(idle_connection_that_was_closed_is_replaced_unnoticed),
		TEST(reused_connection_that_resets_is_replaced_unnoticed),
		TEST(reused_connections_that_all_reset_are_told_as_reset),
		TEST(new_connection_that_resets_is_no_reset),
		TEST(new_connection_that_closes_is_unreachable),
		TEST(body_that_is_cut_short_is_a_protocol_error),
		TEST(chunks_that_are_cut_short_are_a_protocol_error),
		TEST(broken_chunks_are_a_protocol_error),
		TEST(reset_inside_the_body_is_a_protocol_error),
		TEST(header_that_is_cut_short_is_a_protocol_error),
		TEST(garbage_is_a_protocol_error),
		TEST(body_above_the_limit_is_cut_at_once),
		TEST(announced_length_above_the_limit_is_not_read),
		TEST(body_of_exactly_the_limit_is_taken),
		TEST(header_flood_is_cut_at_the_limit),
		TEST(flood_of_interim_answers_is_cut_at_the_limit),
		TEST(one_endless_header_is_cut),
		TEST(silence_is_a_first_byte_timeout),
		TEST(pause_inside_the_body_is_a_stall),
		TEST(pause_inside_the_header_is_a_stall),
		TEST(trickle_is_ended_by_the_total),
		TEST(total_counts_while_nothing_is_answered),
		TEST(time_in_the_queue_does_not_count),
	};
	return cmocka_run_group_tests_name("http_fault", tests, NULL, NULL);
}
