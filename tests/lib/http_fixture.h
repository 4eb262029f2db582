/*
 * base/http on a real loop for tests, with a resolver that knows "*.test" (127.0.0.1), "dual.test"
 * (::1, where no server of ours is, then 127.0.0.1), "many.test" (127.0.0.1 and ten more),
 * "missing.test" (no such name) and "stuck*.test" (no answer until http_fixture_free).
 *
 *   struct http_fixture *f = http_fixture_new(NULL);
 *   struct fixture_call *call = fixture_call_new(f, 'a', "http://127.0.0.1:%d/", port);
 *   call->request.method = ...; call->timeouts.stall_ms = ...;
 *   fixture_call_start(call);
 *   fixture_run(f, 1);                              until one call has ended
 *   assert_int_equal(call->status, 200);
 */
#ifndef TESTS_LIB_HTTP_FIXTURE_H
#define TESTS_LIB_HTTP_FIXTURE_H

#include "base/err.h"
#include "base/http.h"

struct http_fixture;
struct fixture_call;

typedef void fixture_hook_fn(struct fixture_call *call);

struct fixture_call {
	struct fixture_call *next;
	struct http_fixture *fixture;
	char letter;
	char url[512];
	char host_key[512];
	char proxy[128];
	struct http_header header[HTTP_HEADERS_MAX];
	struct http_route route;
	struct http_timeouts timeouts; /* 10 s each */
	struct http_request request;   /* GET; at most 1 MiB */
	struct err make_err;	       /* a kind: making the request fails */
	fixture_hook_fn *on_done;      /* NULL: none */
	struct http_call *handle;      /* NULL before start, after done and cancel */

	int made, done;		 /* how often */
	struct err err;		 /* ERR_NONE after an answer */
	int status;		 /* 0: no answer */
	char *body;		 /* owned; NUL-terminated copy; NULL for a secret answer and none */
	struct http_reply reply; /* its body is not there any more */
};

struct http_fixture {
	struct loop *loop;
	struct resolve *resolve;
	struct http *http;
	struct fixture_call *calls;
	int awaited;
	char order[128]; /* letters in the order in which calls ended */
	char made[128];	 /* letters in the order in which requests were made */
};

/* limits: NULL for 16 requests, 8 a host. */
struct http_fixture *http_fixture_new(const struct http_limits *limits);
/* Cancels what is left and checks that nothing stays behind. */
void http_fixture_free(struct http_fixture *f);

/* Owned by the fixture. */
struct fixture_call *fixture_call_new(struct http_fixture *f, char letter, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void fixture_call_start(struct fixture_call *call);
void fixture_call_cancel(struct fixture_call *call);

/* Runs the loop until count more calls have ended; aborts after 60 s. */
void fixture_run(struct http_fixture *f, int count);
/* Runs the loop for real milliseconds. */
void fixture_run_ms(struct http_fixture *f, int ms);
/* Runs the loop until is_true(arg); aborts after 60 s. */
void fixture_run_until(struct http_fixture *f, bool (*is_true)(void *arg), void *arg);

/* The usual: one GET, run to its end. */
struct fixture_call *fixture_get(struct http_fixture *f, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Setup and teardown of a test with a fixture of the usual limits as its state, which the test may
 * have freed and set to NULL. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Answers every request with "hello". */
struct test_conn;
void fixture_serve_hello(struct test_conn *conn, void *arg);

struct http_stats fixture_stats(const struct http_fixture *f);

#endif
