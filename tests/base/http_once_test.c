/* Requests that libcurl must not repeat: what the server sees of them. */
#include "base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/lib/http_fixture.h"
#include "tests/lib/test_server.h"

static struct http_fixture *fixture;

/* The first request of the first connection is answered; whatever comes next on any is read, and
 * the connection closed. */
static void serve_once(struct test_conn *conn, void *arg)
{
	(void)arg;
	if (test_conn_number(conn) == 0 && test_conn_read_request(conn))
		test_conn_reply(conn, 200, "", "hello");
	(void)test_conn_read_request(conn);
}

static struct fixture_call *post(int port, bool is_once)
{
	struct fixture_call *call = fixture_call_new(fixture, 'p', "http://127.0.0.1:%d/", port);
	call->request.method = "POST";
	call->request.body = "{}";
	call->request.body_len = 2;
	call->request.is_once = is_once;
	fixture_call_start(call);
	fixture_run(fixture, 1);
	return call;
}

static void a_request_that_is_lost_on_a_kept_connection_is_repeated(void **state)
{
	(void)state;
	struct test_server *server = test_server_start(serve_once, NULL);
	int port = test_server_port(server);
	assert_int_equal(post(port, false)->status, 200);
	assert_int_equal(post(port, false)->status, 0);
	assert_true(test_server_requests(server) > 2);
	test_server_stop(server);
}

static void one_that_goes_once_is_not(void **state)
{
	(void)state;
	struct test_server *server = test_server_start(serve_once, NULL);
	int port = test_server_port(server);
	assert_int_equal(post(port, false)->status, 200);
	struct fixture_call *call = post(port, true);
	assert_int_equal(call->status, 0);
	assert_string_equal(call->err.code, "");
	assert_int_equal(test_server_requests(server), 2);
	assert_int_equal(test_server_connections(server), 2);
	test_server_stop(server);
}

/* Reads as much of the request as it is told, then resets. */
static void serve_part(struct test_conn *conn, void *arg)
{
	static char bytes[1 << 20];
	(void)test_conn_read(conn, bytes, *(const size_t *)arg);
	test_conn_reset(conn);
}

/* "connect" would let a request be sent again of which something has arrived. */
static void a_request_that_has_begun_is_never_called_unsent(void **state)
{
	(void)state;
	enum { BODY = 3 << 20 };
	static size_t part[] = {1, 100, 5000, 1 << 20};
	char *body = xcalloc(BODY, 1);
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		struct test_server *server = test_server_start(serve_part, &part[i]);
		struct fixture_call *call = fixture_call_new(
			fixture, 'p', "http://127.0.0.1:%d/", test_server_port(server));
		call->request.method = "POST";
		call->request.body = body;
		call->request.body_len = BODY;
		call->request.is_once = true;
		fixture_call_start(call);
		fixture_run(fixture, 1);
		assert_int_equal(call->status, 0);
		assert_int_equal(call->err.kind, ERR_UNREACHABLE);
		assert_string_equal(call->err.code, "");
		assert_int_equal(test_server_connections(server), 1);
		test_server_stop(server);
	}
	free(body);
}

/* An easy handle is reused: the flag must not stay on it. */
static void the_next_request_uses_kept_connections_again(void **state)
{
	(void)state;
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	int port = test_server_port(server);
	for (int i = 0; i < 3; i++)
		assert_int_equal(post(port, true)->status, 200);
	int connections = test_server_connections(server);
	assert_int_equal(connections, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(post(port, false)->status, 200);
	assert_int_equal(test_server_connections(server), connections);
	test_server_stop(server);
}

static int set_up(void **state)
{
	(void)state;
	fixture = http_fixture_new(NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	http_fixture_free(fixture);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_that_is_lost_on_a_kept_connection_is_repeated),
		TEST(one_that_goes_once_is_not),
		TEST(a_request_that_has_begun_is_never_called_unsent),
		TEST(the_next_request_uses_kept_connections_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
