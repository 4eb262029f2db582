#include "base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/http_fixture.h"
#include "tests/lib/test_ca.h"
#include "tests/lib/test_server.h"

struct proxied {
	struct http_fixture *f;
	struct test_ca *ca;
	struct test_server *server; /* https, "tls.test" */
	struct test_server *proxy;
	char last_connect[256]; /* request line that the proxy saw */
};

static void note_request_line(struct test_conn *conn, struct proxied *p)
{
	snprintf(p->last_connect, sizeof(p->last_connect), "%.*s",
		(int)strcspn(test_conn_head(conn), "\r"), test_conn_head(conn));
}

/* Connects to the server's port whatever name was asked for: only the proxy knows names. */
static void serve_connect(struct test_conn *conn, void *arg)
{
	struct proxied *p = arg;
	if (!test_conn_read_request(conn))
		return;
	note_request_line(conn, p);
	test_conn_print(conn, "HTTP/1.1 200 Connection established\r\nAge: 1\r\n\r\n");
	test_conn_relay(conn, test_server_port(p->server));
}

static void serve_refusal(struct test_conn *conn, void *arg)
{
	(void)arg;
	while (test_conn_read_request(conn))
		test_conn_reply(conn, 403, "Content-Type: text/html\r\n", "<html>no</html>");
}

static void serve_authentication(struct test_conn *conn, void *arg)
{
	struct proxied *p = arg;
	if (!test_conn_read_request(conn))
		return;
	if (strstr(test_conn_head(conn), "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n") == NULL) {
		test_conn_reply(conn, 407, "Proxy-Authenticate: Basic realm=\"x\"\r\n", "");
		return;
	}
	test_conn_print(conn, "HTTP/1.1 200 OK\r\n\r\n");
	test_conn_relay(conn, test_server_port(p->server));
}

static void serve_nothing(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_read_request(conn);
	test_conn_wait_closed(conn);
}

static void serve_garbage(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_read_request(conn);
	test_conn_print(conn, "what do you want\r\n\r\n");
}

static void serve_plain(struct test_conn *conn, void *arg)
{
	struct proxied *p = arg;
	while (test_conn_read_request(conn)) {
		note_request_line(conn, p);
		test_conn_reply(conn, 200, "", "from the proxy");
	}
}

static int set_up(void **state)
{
	struct proxied *p = calloc(1, sizeof(*p));
	p->f = http_fixture_new(NULL);
	p->ca = test_ca_new("Test CA");
	p->server = test_server_start_tls(fixture_serve_hello, NULL, p->ca, "tls.test");
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct proxied *p = *state;
	http_fixture_free(p->f);
	test_server_stop(p->proxy);
	test_server_stop(p->server);
	test_ca_free(p->ca);
	free(p);
	return 0;
}

static struct fixture_call *prepare(struct proxied *p, test_serve_fn *serve, const char *host)
{
	if (p->proxy == NULL)
		p->proxy = test_server_start(serve, p);
	struct fixture_call *call =
		fixture_call_new(p->f, 'p', "https://%s:%d/", host, test_server_port(p->server));
	call->route.ca_bundle = test_ca_file(p->ca);
	snprintf(call->proxy, sizeof(call->proxy), "http://proxy.test:%d",
		test_server_port(p->proxy));
	return call;
}

static struct fixture_call *run(struct fixture_call *call)
{
	fixture_call_start(call);
	fixture_run(call->fixture, 1);
	return call;
}

static void proxy_name_is_ours_to_resolve_and_the_target_is_the_proxys(void **state)
{
	struct proxied *p = *state;
	test_server_stop(p->server);
	/* Our resolver does not know this one. */
	p->server = test_server_start_tls(fixture_serve_hello, NULL, p->ca, "only.proxy.knows");
	for (int i = 0; i < 3; i++) {
		struct fixture_call *call = run(prepare(p, serve_connect, "only.proxy.knows"));
		assert_string_equal(call->err.text, "");
		assert_string_equal(call->body, "hello");
		assert_false(call->reply.has_age); /* the proxy's own header */
	}
	char expected[64];
	snprintf(expected, sizeof(expected), "CONNECT only.proxy.knows:%d HTTP/1.1",
		test_server_port(p->server));
	assert_string_equal(p->last_connect, expected);
	assert_int_equal(test_server_connections(p->proxy), 1);
}

static void proxy_whose_name_does_not_exist_is_unreachable(void **state)
{
	struct proxied *p = *state;
	struct fixture_call *call = prepare(p, serve_connect, "tls.test");
	snprintf(call->proxy, sizeof(call->proxy), "http://missing.test:1");
	run(call);
	assert_int_equal(call->err.kind, ERR_UNREACHABLE);
	assert_string_equal(call->err.code, "connect");
	assert_non_null(strstr(call->err.text, "cannot resolve missing.test"));
	assert_non_null(strstr(call->err.text, "https://tls.test:"));
}

static void refusal_of_the_proxy_is_unreachable_and_names_both(void **state)
{
	struct proxied *p = *state;
	struct fixture_call *call = run(prepare(p, serve_refusal, "tls.test"));
	char expected[256];
	snprintf(expected, sizeof(expected),
		"https://tls.test:%d (proxy proxy.test:%d): the proxy refused to connect: HTTP 403",
		test_server_port(p->server), test_server_port(p->proxy));
	assert_int_equal(call->err.kind, ERR_UNREACHABLE);
	assert_string_equal(call->err.code, "connect");
	assert_string_equal(call->err.text, expected);
	assert_int_equal(test_server_connections(p->server), 0);
}

static void proxy_gets_the_credentials_of_its_url_and_errors_do_not_show_them(void **state)
{
	struct proxied *p = *state;
	struct fixture_call *call = prepare(p, serve_authentication, "tls.test");
	snprintf(call->proxy, sizeof(call->proxy), "http://user:pass@proxy.test:%d",
		test_server_port(p->proxy));
	assert_int_equal(run(call)->status, 200);
	call = prepare(p, NULL, "tls.test");
	snprintf(call->proxy, sizeof(call->proxy), "http://user:hunter2@proxy.test:%d",
		test_server_port(p->proxy));
	run(call);
	assert_int_equal(call->err.kind, ERR_UNREACHABLE);
	assert_non_null(strstr(call->err.text, "HTTP 407"));
	assert_null(strstr(call->err.text, "hunter2"));
}

static void silent_proxy_is_a_connect_timeout(void **state)
{
	struct proxied *p = *state;
	struct fixture_call *call = prepare(p, serve_nothing, "tls.test");
	call->timeouts.connect_ms = 150;
	run(call);
	assert_int_equal(call->err.kind, ERR_TIMEOUT);
	assert_string_equal(call->err.code, "connect");
	assert_non_null(
		strstr(call->err.text, "no connection within 150 ms: waited for the proxy or TLS"));
}

static void proxy_that_talks_garbage_is_an_error(void **state)
{
	struct proxied *p = *state;
	struct fixture_call *call = run(prepare(p, serve_garbage, "tls.test"));
	assert_int_equal(call->status, 0);
	assert_int_equal(call->err.kind, ERR_UNREACHABLE);
	assert_string_equal(call->err.code, "connect");
}

static void refused_connection_to_the_proxy_is_unreachable(void **state)
{
	struct proxied *p = *state;
	struct fixture_call *call = prepare(p, serve_connect, "tls.test");
	test_server_stop(p->proxy);
	p->proxy = NULL;
	run(call);
	assert_int_equal(call->err.kind, ERR_UNREACHABLE);
	assert_string_equal(call->err.code, "connect");
}

static void exempt_host_is_reached_without_the_proxy(void **state)
{
	struct proxied *p = *state;
	struct fixture_call *call = prepare(p, serve_refusal, "tls.test");
	call->route.no_proxy = "localhost,.test";
	assert_int_equal(run(call)->status, 200);
	assert_int_equal(test_server_connections(p->proxy), 0);
}

static void environment_has_no_say(void **state)
{
	struct proxied *p = *state;
	struct fixture_call *call = prepare(p, serve_connect, "tls.test");
	setenv("no_proxy", "*", 1);
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	assert_int_equal(run(call)->status, 200);
	assert_int_equal(test_server_connections(p->proxy), 1);
	call = prepare(p, NULL, "tls.test");
	call->proxy[0] = '\0';
	assert_int_equal(run(call)->status, 200);
	assert_int_equal(test_server_connections(p->proxy), 1);
	unsetenv("no_proxy");
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
}

static void plain_http_is_asked_of_the_proxy_itself(void **state)
{
	struct proxied *p = *state;
	struct fixture_call *proxied = prepare(p, serve_plain, "x.test");
	struct fixture_call *call = fixture_call_new(p->f, 'q', "http://only.proxy.knows:81/x");
	snprintf(call->proxy, sizeof(call->proxy), "%s", proxied->proxy);
	run(call);
	assert_string_equal(call->body, "from the proxy");
	assert_string_equal(p->last_connect, "GET http://only.proxy.knows:81/x HTTP/1.1");
}

static void proxy_over_tls_is_verified_with_the_same_bundle(void **state)
{
	struct proxied *p = *state;
	p->proxy = test_server_start_tls(serve_plain, p, p->ca, "proxy.test");
	struct fixture_call *call = fixture_call_new(p->f, 'q', "http://only.proxy.knows/");
	snprintf(call->proxy, sizeof(call->proxy), "https://proxy.test:%d",
		test_server_port(p->proxy));
	call->route.ca_bundle = test_ca_file(p->ca);
	assert_int_equal(run(call)->status, 200);
	call = fixture_call_new(p->f, 'r', "http://only.proxy.knows/");
	snprintf(call->proxy, sizeof(call->proxy), "https://other.test:%d",
		test_server_port(p->proxy));
	call->route.ca_bundle = test_ca_file(p->ca);
	run(call);
	assert_int_equal(call->err.kind, ERR_UNREACHABLE);
	assert_string_equal(call->err.code, "connect");
}

/* The least of SOCKS 5 (RFC 1928): no authentication, CONNECT to a name. */
static void serve_socks(struct test_conn *conn, void *arg)
{
	struct proxied *p = arg;
	unsigned char hello[2], methods[256], request[5], name[256], port[2];
	if (!test_conn_read(conn, hello, sizeof(hello)) ||
		!test_conn_read(conn, methods, hello[1]) || !test_conn_write(conn, "\x05\x00", 2) ||
		!test_conn_read(conn, request, sizeof(request)) || request[3] != 3 ||
		!test_conn_read(conn, name, request[4]) || !test_conn_read(conn, port, 2))
		return;
	snprintf(p->last_connect, sizeof(p->last_connect), "%.*s", request[4], name);
	test_conn_write(conn, "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00", 10);
	test_conn_relay(conn, test_server_port(p->server));
}

static void socks_proxy_resolves_the_target(void **state)
{
	struct proxied *p = *state;
	test_server_stop(p->server);
	p->server = test_server_start_tls(fixture_serve_hello, NULL, p->ca, "only.proxy.knows");
	struct fixture_call *call = prepare(p, serve_socks, "only.proxy.knows");
	snprintf(call->proxy, sizeof(call->proxy), "socks5h://proxy.test:%d",
		test_server_port(p->proxy));
	run(call);
	assert_string_equal(call->err.text, "");
	assert_int_equal(call->status, 200);
	assert_string_equal(p->last_connect, "only.proxy.knows");
}

static void unsupported_proxy_is_a_configuration_error(void **state)
{
	struct proxied *p = *state;
	struct fixture_call *call = prepare(p, serve_connect, "tls.test");
	snprintf(call->proxy, sizeof(call->proxy), "socks5://proxy.test:1080");
	run(call);
	assert_int_equal(call->err.kind, ERR_CONFIG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(proxy_name_is_ours_to_resolve_and_the_target_is_the_proxys),
		TEST(proxy_whose_name_does_not_exist_is_unreachable),
		TEST(refusal_of_the_proxy_is_unreachable_and_names_both),
		TEST(proxy_gets_the_credentials_of_its_url_and_errors_do_not_show_them),
		TEST(silent_proxy_is_a_connect_timeout),
		TEST(proxy_that_talks_garbage_is_an_error),
		TEST(refused_connection_to_the_proxy_is_unreachable),
		TEST(exempt_host_is_reached_without_the_proxy),
		TEST(environment_has_no_say),
		TEST(plain_http_is_asked_of_the_proxy_itself),
		TEST(proxy_over_tls_is_verified_with_the_same_bundle),
		TEST(socks_proxy_resolves_the_target),
		TEST(unsupported_proxy_is_a_configuration_error),
	};
	return cmocka_run_group_tests_name("http_proxy", tests, NULL, NULL);
}
