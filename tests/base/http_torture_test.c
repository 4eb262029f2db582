/*
 * Many calls to servers that do everything wrong, started and cancelled at random from done
 * functions and between turns: each call ends exactly once, by done or by cancel, and nothing is
 * left behind (the sanitizer build sees to memory, the fixture to the counts).
 */
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

enum { ROUNDS = 6, CALLS = 120, STARTED_FIRST = 30 };

struct torture {
	struct http_fixture *f;
	struct test_ca *ca;
	struct test_server *mixed, *tls;
	unsigned random;
	int started, ended; /* ended: by done or by cancel */
	struct fixture_call *call[CALLS];
};

static struct torture torture;

static unsigned next_random(unsigned bound)
{
	torture.random = torture.random * 1103515245u + 12345u;
	return (torture.random >> 16) % bound;
}

/* What happens depends on the request's number, so that a round can be repeated. */
static void serve_mixed(struct test_conn *conn, void *arg)
{
	(void)arg;
	while (test_conn_read_request(conn)) {
		int number = 0;
		const char *path = strstr(test_conn_head(conn), " /");
		if (path != NULL)
			number = (int)strtol(path + 2, NULL, 10);
		switch (number % 9) {
		case 0:
			test_conn_reset(conn);
			return;
		case 1:
			test_conn_print(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
			return;
		case 2:
			test_conn_print(conn, "garbage\r\n\r\n");
			return;
		case 3:
			test_conn_wait_closed(conn);
			return;
		case 4:
			test_conn_print(
				conn, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
			return;
		default:
			test_conn_reply(conn, 200, "", "fine");
		}
	}
}

static struct fixture_call *new_call(int number)
{
	struct torture *t = &torture;
	int mixed = test_server_port(t->mixed), tls = test_server_port(t->tls);
	struct fixture_call *call;
	switch (next_random(8)) {
	case 0:
		call = fixture_call_new(t->f, '.', "http://stuck%u.test/", next_random(3));
		break;
	case 1:
		call = fixture_call_new(t->f, '.', "http://missing.test/");
		break;
	case 2:
		call = fixture_call_new(t->f, '.', "https://tls.test:%d/%d", tls, number);
		break;
	case 3:
		call = fixture_call_new(t->f, '.', "https://wrong.test:%d/%d", tls, number);
		break;
	default:
		call = fixture_call_new(
			t->f, '.', "http://mixed%u.test:%d/%d", next_random(4), mixed, number);
	}
	call->route.ca_bundle = test_ca_file(t->ca);
	call->request.is_secret = next_random(2) == 0;
	call->timeouts = (struct http_timeouts){150, 150, 150, 300};
	return call;
}

static void on_done(struct fixture_call *call);

static void start_one(void)
{
	struct torture *t = &torture;
	struct fixture_call *call = new_call(t->started);
	call->on_done = on_done;
	t->call[t->started++] = call;
	fixture_call_start(call);
}

static void cancel_one(void)
{
	struct torture *t = &torture;
	struct fixture_call *call = t->call[next_random((unsigned)t->started)];
	if (call->handle == NULL)
		return;
	fixture_call_cancel(call);
	t->ended++;
}

static void act(void)
{
	struct torture *t = &torture;
	if (next_random(3) == 0)
		cancel_one();
	for (unsigned i = next_random(3); i > 0 && t->started < CALLS; i--)
		start_one();
}

static void on_done(struct fixture_call *call)
{
	struct http_fixture *f = call->fixture;
	assert_int_equal(call->done, 1);
	assert_int_equal((call->status != 0) + (call->err.kind != ERR_NONE), 1);
	f->order[0] = f->made[0] = '\0'; /* more than they hold */
	torture.ended++;
	act();
}

static bool is_over(void *arg)
{
	struct torture *t = arg;
	t->f->order[0] = t->f->made[0] = '\0';
	act();
	return t->started == CALLS && t->ended == CALLS;
}

static void every_call_ends_once_whatever_happens(void **state)
{
	(void)state;
	for (unsigned round = 1; round <= ROUNDS; round++) {
		struct torture *t = &torture;
		*t = (struct torture){.random = round};
		t->ca = test_ca_new("Test CA");
		t->mixed = test_server_start(serve_mixed, NULL);
		t->tls = test_server_start_tls(serve_mixed, NULL, t->ca, "tls.test");
		t->f = http_fixture_new(
			&(struct http_limits){.max_requests = 6, .per_host_max = 3, .idle_max = 4});
		for (int i = 0; i < STARTED_FIRST; i++)
			start_one();
		fixture_run_until(t->f, is_over, t);
		for (int i = 0; i < CALLS; i++)
			assert_true(t->call[i]->done <= 1 && t->call[i]->handle == NULL);
		http_fixture_free(t->f);
		test_server_stop(t->mixed);
		test_server_stop(t->tls);
		test_ca_free(t->ca);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_ends_once_whatever_happens),
	};
	return cmocka_run_group_tests_name("http_torture", tests, NULL, NULL);
}
