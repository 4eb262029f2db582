#include "base/http.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/secret.h"
#include "tests/lib/http_fixture.h"
#include "tests/lib/needle.h"
#include "tests/lib/test_ca.h"
#include "tests/lib/test_server.h"

struct tls {
	struct http_fixture *f;
	struct test_ca *ca;
	struct test_server *server; /* of "tls.test" */
};

static int set_up(void **state)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	tls->f = http_fixture_new(NULL);
	tls->ca = test_ca_new("Test CA");
	tls->server = test_server_start_tls(fixture_serve_hello, NULL, tls->ca, "tls.test");
	*state = tls;
	return 0;
}

static int tear_down(void **state)
{
	struct tls *tls = *state;
	http_fixture_free(tls->f);
	test_server_stop(tls->server);
	test_ca_free(tls->ca);
	free(tls);
	return 0;
}

static struct fixture_call *get(struct tls *tls, const char *host, const char *ca_file)
{
	struct fixture_call *call = fixture_call_new(
		tls->f, 'g', "https://%s:%d/", host, test_server_port(tls->server));
	call->route.ca_bundle = ca_file;
	fixture_call_start(call);
	fixture_run(tls->f, 1);
	return call;
}

static void server_of_the_given_ca_is_trusted_and_its_connection_reused(void **state)
{
	struct tls *tls = *state;
	for (int i = 0; i < 5; i++) {
		struct fixture_call *call = get(tls, "tls.test", test_ca_file(tls->ca));
		assert_string_equal(call->err.text, "");
		assert_string_equal(call->body, "hello");
	}
	assert_int_equal(test_server_connections(tls->server), 1);
}

static void parallel_calls_share_what_connections_there_are(void **state)
{
	struct tls *tls = *state;
	for (int i = 0; i < 40; i++) {
		struct fixture_call *call = fixture_call_new(
			tls->f, 'g', "https://tls.test:%d/", test_server_port(tls->server));
		call->route.ca_bundle = test_ca_file(tls->ca);
		fixture_call_start(call);
	}
	fixture_run(tls->f, 40);
	for (struct fixture_call *call = tls->f->calls; call != NULL; call = call->next)
		assert_int_equal(call->status, 200);
	assert_true(test_server_connections(tls->server) <= 8);
}

static void system_does_not_trust_a_private_ca(void **state)
{
	struct tls *tls = *state;
	struct fixture_call *call = get(tls, "tls.test", NULL);
	assert_int_equal(call->err.kind, ERR_UNREACHABLE);
	assert_string_equal(call->err.code, "connect");
	assert_non_null(strstr(call->err.text, "no TLS connection: SSL certificate problem: "));
	assert_non_null(strstr(call->err.text, "https://tls.test:"));
}

static void another_ca_is_not_enough(void **state)
{
	struct tls *tls = *state;
	struct test_ca *other = test_ca_new("Other CA");
	struct fixture_call *call = get(tls, "tls.test", test_ca_file(other));
	assert_int_equal(call->err.kind, ERR_UNREACHABLE);
	assert_int_equal(test_server_requests(tls->server), 0);
	test_ca_free(other);
}

/* What one connector trusts must not serve another that does not. */
static void connection_is_not_shared_across_ca_bundles(void **state)
{
	struct tls *tls = *state;
	assert_int_equal(get(tls, "tls.test", test_ca_file(tls->ca))->status, 200);
	struct fixture_call *call = get(tls, "tls.test", NULL);
	assert_int_equal(call->err.kind, ERR_UNREACHABLE);
	assert_int_equal(get(tls, "tls.test", test_ca_file(tls->ca))->status, 200);
	assert_int_equal(test_server_requests(tls->server), 2);
}

static void certificate_of_another_name_is_refused(void **state)
{
	struct tls *tls = *state;
	struct fixture_call *call = get(tls, "other.test", test_ca_file(tls->ca));
	assert_int_equal(call->err.kind, ERR_UNREACHABLE);
	assert_string_equal(call->err.code, "connect");
	assert_non_null(strstr(call->err.text, "other.test"));
	assert_int_equal(get(tls, "127.0.0.1", test_ca_file(tls->ca))->err.kind, ERR_UNREACHABLE);
	assert_int_equal(test_server_requests(tls->server), 0);
}

static void address_in_the_certificate_is_accepted(void **state)
{
	struct tls *tls = *state;
	test_server_stop(tls->server);
	tls->server = test_server_start_tls(fixture_serve_hello, NULL, tls->ca, "127.0.0.1");
	assert_int_equal(get(tls, "127.0.0.1", test_ca_file(tls->ca))->status, 200);
}

static void missing_or_empty_ca_bundle_is_a_configuration_error(void **state)
{
	struct tls *tls = *state;
	static const char *const file[] = {"/nonexistent/ca.pem", "/dev/null", "/etc/hostname"};
	for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		struct fixture_call *call = get(tls, "tls.test", file[i]);
		assert_int_equal(call->err.kind, ERR_CONFIG);
		assert_non_null(strstr(call->err.text, file[i]));
		assert_string_equal(call->err.code, "");
	}
}

/* --- secrets ---------------------------------------------------------------------------------- */

enum { TOKEN_SEED = 1, SECRET_SEED = 2, BODY_SEED = 3 };

static void serve_secret(struct test_conn *conn, void *arg)
{
	(void)arg;
	while (test_conn_read_request(conn)) {
		char secret[NEEDLE_LEN + 1];
		needle_make(SECRET_SEED, secret);
		/* Long enough to make every buffer on the way grow. */
		test_conn_print(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s%040000d%s",
			NEEDLE_LEN * 2 + 40000, secret, 7, secret);
	}
}

/* In a child: what the server's side keeps in memory must not be found in ours. */
static pid_t start_secret_server(struct test_ca *ca, int *ret_port)
{
	int pipe_fd[2];
	assert_int_equal(pipe(pipe_fd), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when an assertion ends the test */
		struct test_server *server =
			ca != NULL ? test_server_start_tls(serve_secret, NULL, ca, "tls.test")
				   : test_server_start(serve_secret, NULL);
		int port = test_server_port(server);
		if (write(pipe_fd[1], &port, sizeof(port)) != sizeof(port))
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(pipe_fd[0], ret_port, sizeof(*ret_port)), sizeof(*ret_port));
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	return child;
}

static int secret_answers;

static void note_secret_answer(struct fixture_call *call)
{
	secret_answers += call->status == 200;
}

static void exchange_secret(struct tls *tls, const char *scheme, int port)
{
	char token[NEEDLE_LEN + 1], body[NEEDLE_LEN + 1];
	needle_make(TOKEN_SEED, token);
	needle_make(BODY_SEED, body);
	struct fixture_call *call =
		fixture_call_new(tls->f, 's', "%s://tls.test:%d/", scheme, port);
	call->route.ca_bundle = test_ca_file(tls->ca);
	call->header[0] = (struct http_header){"X-Amz-Security-Token", token};
	call->request.header_count = 1;
	call->request.method = "POST";
	call->request.body = body;
	call->request.body_len = NEEDLE_LEN;
	call->request.is_secret = true;
	call->on_done = note_secret_answer;
	fixture_call_start(call);
	fixture_run(tls->f, 1);
	call->header[0].value = NULL;
	mem_wipe(token, sizeof(token));
	mem_wipe(body, sizeof(body));
}

static void assert_nothing_is_left(void)
{
	assert_int_equal(needle_count(TOKEN_SEED), 0);
	assert_int_equal(needle_count(BODY_SEED), 0);
	assert_int_equal(needle_count(SECRET_SEED), 0);
}

static void secrets_of_request_and_answer_are_wiped(void **state)
{
	struct tls *tls = *state;
	static const char *const scheme[] = {"http", "https"};
	for (int i = 0; i < 2; i++) {
		int port;
		pid_t child = start_secret_server(i == 1 ? tls->ca : NULL, &port);
		secret_answers = 0;
		for (int n = 0; n < 3; n++)
			exchange_secret(tls, scheme[i], port);
		assert_int_equal(secret_answers, 3);
		assert_nothing_is_left();
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
}

static void secrets_of_a_cancelled_request_are_wiped(void **state)
{
	struct tls *tls = *state;
	struct test_full_server *full = test_full_server_start();
	char token[NEEDLE_LEN + 1];
	needle_make(TOKEN_SEED, token);
	struct fixture_call *call =
		fixture_call_new(tls->f, 's', "http://a.test:%d/", test_full_server_port(full));
	call->header[0] = (struct http_header){"X-Amz-Security-Token", token};
	call->request.header_count = 1;
	call->request.is_secret = true;
	fixture_call_start(call);
	fixture_run_ms(tls->f, 30);
	assert_int_equal(call->made, 1);
	mem_wipe(token, sizeof(token));
	assert_true(needle_count(TOKEN_SEED) > 0); /* the search finds what is there */
	fixture_call_cancel(call);
	assert_nothing_is_left();
	test_full_server_stop(full);
}

int main(void)
{
	secret_process_init();
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(server_of_the_given_ca_is_trusted_and_its_connection_reused),
		TEST(parallel_calls_share_what_connections_there_are),
		TEST(system_does_not_trust_a_private_ca),
		TEST(another_ca_is_not_enough),
		TEST(connection_is_not_shared_across_ca_bundles),
		TEST(certificate_of_another_name_is_refused),
		TEST(address_in_the_certificate_is_accepted),
		TEST(missing_or_empty_ca_bundle_is_a_configuration_error),
		TEST(secrets_of_request_and_answer_are_wiped),
		TEST(secrets_of_a_cancelled_request_are_wiped),
	};
	return cmocka_run_group_tests_name("http_tls", tests, NULL, NULL);
}
