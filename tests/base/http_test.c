/* Calls among each other: the queue, names, cancel. Requests and answers: http_reply_test.c. */
#include "base/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/resolve.h"
#include "tests/lib/http_fixture.h"
#include "tests/lib/test_server.h"

/* --- servers ---------------------------------------------------------------------------------- */

static void serve_nothing(struct test_conn *conn, void *arg)
{
	(void)arg;
	test_conn_wait_closed(conn);
}

/* --- the queue -------------------------------------------------------------------------------- */

static void request_that_cannot_be_made_ends_in_its_own_error(void **state)
{
	struct http_fixture *f = *state;
	struct fixture_call *call = fixture_call_new(f, 'a', "http://a.test/");
	err_set(&call->make_err, ERR_CREDENTIALS, "no credentials");
	fixture_call_start(call);
	fixture_run(f, 1);
	assert_int_equal(call->made, 1);
	assert_int_equal(call->done, 1);
	assert_int_equal(call->err.kind, ERR_CREDENTIALS);
	assert_string_equal(call->err.text, "no credentials");
	assert_int_equal(fixture_stats(f).requests, 0);
}

static void bad_url_is_a_configuration_error(void **state)
{
	struct http_fixture *f = *state;
	struct fixture_call *call = fixture_get(f, "ftp://a.test/");
	assert_int_equal(call->err.kind, ERR_CONFIG);
	static char url[70000] = "http://a.test/";
	memset(url + 14, 'a', sizeof(url) - 15);
	call = fixture_call_new(f, 'b', "http://a.test/");
	call->request.url = url;
	fixture_call_start(call);
	fixture_run(f, 1);
	assert_int_equal(call->err.kind, ERR_CONFIG);
}

struct gate {
	struct test_server *server;
	int count;
};

static bool is_count_reached(void *arg)
{
	struct gate *gate = arg;
	return test_server_requests(gate->server) >= gate->count;
}

/* Reads a request and holds its answer until the client goes away. */
static void serve_held(struct test_conn *conn, void *arg)
{
	(void)arg;
	while (test_conn_read_request(conn))
		test_conn_wait_closed(conn);
}

static void one_host_gets_no_more_than_its_limit(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(serve_held, NULL);
	struct fixture_call *call[12];
	for (int i = 0; i < 12; i++) {
		call[i] = fixture_call_new(
			f, (char)('a' + i), "http://a.test:%d/", test_server_port(server));
		fixture_call_start(call[i]);
	}
	fixture_run_until(f, is_count_reached, &(struct gate){server, 8});
	fixture_run_ms(f, 20);
	assert_string_equal(f->made, "abcdefgh");
	assert_int_equal(test_server_connections(server), 8);
	assert_int_equal(fixture_stats(f).in_flight, 8);
	assert_int_equal(fixture_stats(f).queued, 4);
	fixture_call_cancel(call[3]);
	fixture_call_cancel(call[9]);
	fixture_run_until(f, is_count_reached, &(struct gate){server, 9});
	assert_string_equal(f->made, "abcdefghi");
	assert_int_equal(fixture_stats(f).in_flight, 8);
	assert_int_equal(fixture_stats(f).queued, 2);
	for (struct fixture_call *c = f->calls; c != NULL; c = c->next)
		fixture_call_cancel(c);
	test_server_stop(server);
}

static void hosts_take_turns_and_each_keeps_its_order(void **state)
{
	http_fixture_free(*state);
	struct http_fixture *f = *state = http_fixture_new(
		&(struct http_limits){.max_requests = 1, .per_host_max = 1, .idle_max = 8});
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	int port = test_server_port(server);
	/* The names are known beforehand: how soon each is resolved is not the subject. */
	fixture_call_start(fixture_call_new(f, 'k', "http://one.test:%d/", port));
	fixture_call_start(fixture_call_new(f, 'l', "http://two.test:%d/", port));
	fixture_call_start(fixture_call_new(f, 'm', "http://three.test:%d/", port));
	fixture_run(f, 3);
	const char *order = f->order + 3;
	for (char letter = 'a'; letter <= 'd'; letter++)
		fixture_call_start(fixture_call_new(f, letter, "http://one.test:%d/", port));
	fixture_call_start(fixture_call_new(f, 'x', "http://two.test:%d/", port));
	fixture_call_start(fixture_call_new(f, 'y', "http://two.test:%d/", port));
	fixture_call_start(fixture_call_new(f, 'p', "http://three.test:%d/", port));
	fixture_run(f, 7);
	assert_non_null(strchr(order, 'd'));
	assert_true(strchr(order, 'p') - order <= 2);
	assert_true(strchr(order, 'x') - order <= 2);
	assert_true(strchr(order, 'x') < strchr(order, 'y'));
	assert_true(strchr(order, 'a') < strchr(order, 'b'));
	assert_true(strchr(order, 'c') < strchr(order, 'd'));
	assert_true(strchr(order, 'y') - order <= 4);
	test_server_stop(server);
}

static void requests_are_made_when_a_slot_is_free_and_not_before(void **state)
{
	http_fixture_free(*state);
	struct http_fixture *f = *state = http_fixture_new(
		&(struct http_limits){.max_requests = 2, .per_host_max = 2, .idle_max = 8});
	struct test_server *server = test_server_start(serve_held, NULL);
	struct fixture_call *call[4];
	for (int i = 0; i < 4; i++) {
		call[i] = fixture_call_new(
			f, (char)('a' + i), "http://127.0.0.%d:%d/", 1, test_server_port(server));
		fixture_call_start(call[i]);
	}
	fixture_run_until(f, is_count_reached, &(struct gate){server, 2});
	fixture_run_ms(f, 10);
	assert_string_equal(f->made, "ab");
	fixture_call_cancel(call[0]);
	fixture_run_until(f, is_count_reached, &(struct gate){server, 3});
	assert_string_equal(f->made, "abc");
	test_server_stop(server);
}

static void start_next(struct fixture_call *call)
{
	if (call->letter == 'z')
		return;
	struct fixture_call *next =
		fixture_call_new(call->fixture, (char)(call->letter + 1), "%s", call->url);
	next->on_done = start_next;
	fixture_call_start(next);
}

static void done_may_start_the_next_call(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	struct fixture_call *call =
		fixture_call_new(f, 'a', "http://a.test:%d/", test_server_port(server));
	call->on_done = start_next;
	fixture_call_start(call);
	fixture_run(f, 26);
	assert_string_equal(f->order, "abcdefghijklmnopqrstuvwxyz");
	assert_int_equal(test_server_connections(server), 1);
	test_server_stop(server);
}

static void failing_calls_that_start_others_do_not_stop_the_loop(void **state)
{
	struct http_fixture *f = *state;
	struct fixture_call *call = fixture_call_new(f, 'a', "nonsense://x/");
	call->on_done = start_next;
	fixture_call_start(call);
	fixture_run(f, 26);
	assert_int_equal(strlen(f->order), 26);
}

static void free_http(struct fixture_call *call)
{
	http_free(call->fixture->http);
	call->fixture->http = NULL;
}

static void last_done_may_free_http(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	struct fixture_call *call =
		fixture_call_new(f, 'a', "http://a.test:%d/", test_server_port(server));
	call->on_done = free_http;
	fixture_call_start(call);
	fixture_run(f, 1);
	assert_null(f->http);
	assert_string_equal(call->body, "hello");
	f->http = http_new(f->loop, f->resolve,
		&(struct http_limits){.max_requests = 1, .per_host_max = 1}, &call->err);
	test_server_stop(server);
}

static void hosts_without_calls_are_forgotten_when_there_are_many(void **state)
{
	struct http_fixture *f = *state;
	for (int i = 0; i < 1100; i++) {
		struct fixture_call *call = fixture_call_new(f, 'a', "http://host%d.test/", i);
		fixture_call_start(call);
		fixture_call_cancel(call);
	}
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	assert_int_equal(
		fixture_get(f, "http://a.test:%d/", test_server_port(server))->status, 200);
	test_server_stop(server);
}

/* --- names ------------------------------------------------------------------------------------ */

static void name_that_does_not_exist_is_unreachable(void **state)
{
	struct http_fixture *f = *state;
	struct fixture_call *call = fixture_get(f, "http://missing.test:81/");
	assert_int_equal(call->err.kind, ERR_UNREACHABLE);
	assert_string_equal(call->err.code, "connect");
	assert_string_equal(call->err.text,
		"http://missing.test:81: cannot resolve missing.test: Name or service not known");
}

static void next_address_is_tried_when_the_first_one_refuses(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	struct fixture_call *call =
		fixture_get(f, "http://dual.test:%d/", test_server_port(server));
	assert_string_equal(call->err.text, "");
	assert_int_equal(call->status, 200);
	test_server_stop(server);
}

static void stalled_name_takes_no_slot_and_delays_nobody(void **state)
{
	http_fixture_free(*state);
	struct http_fixture *f = *state = http_fixture_new(
		&(struct http_limits){.max_requests = 1, .per_host_max = 1, .idle_max = 8});
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	struct fixture_call *stuck[3];
	for (int i = 0; i < 3; i++) {
		stuck[i] = fixture_call_new(f, 's', "http://stuck%d.test/", i);
		fixture_call_start(stuck[i]);
	}
	fixture_run_ms(f, 20);
	assert_string_equal(f->made, "sss");
	assert_int_equal(fixture_stats(f).in_flight, 0);
	assert_int_equal(
		fixture_get(f, "http://a.test:%d/", test_server_port(server))->status, 200);
	for (int i = 0; i < 3; i++)
		fixture_call_cancel(stuck[i]);
	assert_string_equal(f->order, "g"); /* before the names were given up */
	test_server_stop(server);
}

static void only_one_call_of_a_host_waits_for_its_name(void **state)
{
	struct http_fixture *f = *state;
	for (int i = 0; i < 5; i++)
		fixture_call_start(fixture_call_new(f, (char)('a' + i), "http://stuck.test/"));
	fixture_run_ms(f, 20);
	assert_string_equal(f->made, "a");
	fixture_call_cancel(f->calls->next->next->next->next);
	fixture_run_ms(f, 20);
	assert_string_equal(f->made, "ab");
}

static void stalled_name_ends_in_a_connect_timeout(void **state)
{
	struct http_fixture *f = *state;
	struct fixture_call *call = fixture_call_new(f, 'a', "http://stuck.test/");
	call->timeouts.connect_ms = 50;
	fixture_call_start(call);
	fixture_run(f, 1);
	assert_int_equal(call->err.kind, ERR_TIMEOUT);
	assert_string_equal(call->err.code, "connect");
	assert_string_equal(call->err.text,
		"http://stuck.test: no connection within 50 ms: waited for the address of "
		"stuck.test");
}

/* --- cancel ----------------------------------------------------------------------------------- */

static void cancel_works_while_queued_resolving_connecting_and_waiting(void **state)
{
	http_fixture_free(*state);
	struct http_fixture *f = *state = http_fixture_new(
		&(struct http_limits){.max_requests = 3, .per_host_max = 1, .idle_max = 8});
	struct test_server *held = test_server_start(serve_held, NULL);
	struct test_full_server *full = test_full_server_start();
	struct test_server *silent = test_server_start(serve_nothing, NULL);
	struct fixture_call *call[] = {
		fixture_call_new(f, 'a', "http://127.0.0.1:%d/", test_server_port(held)),
		fixture_call_new(f, 'b', "http://127.0.0.1:%d/", test_server_port(held)),
		fixture_call_new(f, 'c', "http://stuck.test/"),
		fixture_call_new(f, 'd', "http://127.0.0.1:%d/", test_full_server_port(full)),
		fixture_call_new(f, 'e', "https://127.0.0.1:%d/", test_server_port(silent)),
	};
	for (size_t i = 0; i < 5; i++)
		fixture_call_start(call[i]);
	fixture_run_until(f, is_count_reached, &(struct gate){held, 1});
	fixture_run_ms(f, 20);
	assert_string_equal(f->made, "acde");
	for (size_t i = 0; i < 5; i++)
		fixture_call_cancel(call[i]);
	assert_int_equal(fixture_stats(f).queued + fixture_stats(f).in_flight, 0);
	fixture_run_ms(f, 20);
	assert_string_equal(f->order, "");
	assert_string_equal(f->made, "acde");
	test_server_stop(held);
	test_server_stop(silent);
	test_full_server_stop(full);
}

static bool is_name_known(void *arg)
{
	struct http_fixture *f = arg;
	return resolve_cached(f->resolve, "a.test") != NULL;
}

/* Addresses that were set for a call which never began must not be taken for the next one's. */
static void cancel_works_between_the_name_and_the_slot(void **state)
{
	http_fixture_free(*state);
	struct http_fixture *f = *state = http_fixture_new(
		&(struct http_limits){.max_requests = 1, .per_host_max = 2, .idle_max = 8});
	struct test_server *held = test_server_start(serve_held, NULL);
	struct test_server *server = test_server_start(fixture_serve_hello, NULL);
	struct fixture_call *waiting = fixture_call_new(f, 'w', "http://a.test/");
	struct fixture_call *holder =
		fixture_call_new(f, 'h', "http://127.0.0.1:%d/", test_server_port(held));
	fixture_call_start(waiting);
	fixture_call_start(holder);
	fixture_run_until(f, is_name_known, f);
	fixture_run_ms(f, 10);
	assert_string_equal(f->made, "wh");
	assert_int_equal(fixture_stats(f).queued, 1);
	assert_int_equal(fixture_stats(f).in_flight, 1);
	fixture_call_cancel(waiting);
	fixture_call_cancel(holder);
	/* One handle for each of the two that were given back. */
	fixture_call_start(fixture_call_new(f, 's', "http://stuck.test/"));
	fixture_run_ms(f, 10);
	struct fixture_call *call =
		fixture_get(f, "http://127.0.0.1:%d/", test_server_port(server));
	assert_string_equal(call->err.text, "");
	assert_int_equal(call->status, 200);
	test_server_stop(held);
	test_server_stop(server);
}

static struct fixture_call *victim;

static void cancel_victim(struct fixture_call *call)
{
	(void)call;
	fixture_call_cancel(victim);
}

static void done_may_cancel_a_call_that_has_ended_too(void **state)
{
	struct http_fixture *f = *state;
	struct fixture_call *call = fixture_call_new(f, 'a', "nonsense://x/");
	victim = fixture_call_new(f, 'b', "nonsense://x/");
	call->on_done = cancel_victim;
	fixture_call_start(call);
	fixture_call_start(victim);
	fixture_run(f, 1);
	fixture_run_ms(f, 5);
	assert_string_equal(f->order, "a");
	assert_string_equal(f->made, "ab");
}

static void cancelled_connection_is_not_used_again(void **state)
{
	struct http_fixture *f = *state;
	struct test_server *server = test_server_start(serve_held, NULL);
	struct fixture_call *call =
		fixture_call_new(f, 'a', "http://a.test:%d/", test_server_port(server));
	fixture_call_start(call);
	fixture_run_until(f, is_count_reached, &(struct gate){server, 1});
	fixture_call_cancel(call);
	call = fixture_call_new(f, 'b', "http://a.test:%d/", test_server_port(server));
	fixture_call_start(call);
	fixture_run_until(f, is_count_reached, &(struct gate){server, 2});
	assert_int_equal(test_server_connections(server), 2);
	test_server_stop(server);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(request_that_cannot_be_made_ends_in_its_own_error),
		TEST(bad_url_is_a_configuration_error),
		TEST(one_host_gets_no_more_than_its_limit),
		TEST(hosts_take_turns_and_each_keeps_its_order),
		TEST(requests_are_made_when_a_slot_is_free_and_not_before),
		TEST(done_may_start_the_next_call),
		TEST(failing_calls_that_start_others_do_not_stop_the_loop),
		TEST(last_done_may_free_http),
		TEST(hosts_without_calls_are_forgotten_when_there_are_many),
		TEST(name_that_does_not_exist_is_unreachable),
		TEST(next_address_is_tried_when_the_first_one_refuses),
		TEST(stalled_name_takes_no_slot_and_delays_nobody),
		TEST(only_one_call_of_a_host_waits_for_its_name),
		TEST(stalled_name_ends_in_a_connect_timeout),
		TEST(cancel_works_while_queued_resolving_connecting_and_waiting),
		TEST(cancel_works_between_the_name_and_the_slot),
		TEST(done_may_cancel_a_call_that_has_ended_too),
		TEST(cancelled_connection_is_not_used_again),
	};
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
