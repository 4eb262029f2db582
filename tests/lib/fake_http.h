/*
 * Replaces base/http.c: scripted answers, in order, without sockets. Link it with fake_loop.o and
 * fake_clock.o.
 *
 *   fake_http_answer(400, "{\"__type\":\"ThrottlingException\"}");
 *   fake_http_fail(ERR_UNREACHABLE, "connect");
 *   fake_http_push(&(struct fake_answer){.status = 200, .body = "{}", .delay_ms = 20});
 *
 * A request takes its slot in the next turn of the loop (unless slots are held), is made, takes the
 * oldest answer, and ends after its delay. One without an answer hangs until it is cancelled.
 */
#ifndef TESTS_LIB_FAKE_HTTP_H
#define TESTS_LIB_FAKE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/http.h"

struct fake_answer {
	enum err_kind kind; /* ERR_NONE: an answer; else this failure */
	const char *code;   /* of the failure */
	int status;
	const char *body; /* copied; NULL: "" */
	const char *content_type, *error_type;
	int64_t date_s;	       /* 0: the fake clock's time; -1: none */
	int64_t retry_after_s; /* 0: none */
	bool has_age;
	int64_t delay_ms;
};

void fake_http_reset(void); /* forgets answers and records; calls must have ended */
void fake_http_push(const struct fake_answer *answer);
void fake_http_answer(int status, const char *body);
void fake_http_fail(enum err_kind kind, const char *code);

/* Asked before the script: fills in an answer (body: owned by it, copied at once) and returns
 * true, or false for the script. */
struct fake_http_request;
typedef bool fake_http_answer_fn(
	void *arg, const struct fake_http_request *request, struct fake_answer *ret_answer);
void fake_http_set_answerer(fake_http_answer_fn *answer, void *arg);

/* No slot is free until released: requests stay unmade. */
void fake_http_hold_slots(bool is_held);

/* What was sent. Borrowed until fake_http_reset. */
struct fake_http_request {
	const char *host_key, *url, *body;
	const char *headers;	       /* "Name: value\n" each */
	const char *proxy, *ca_bundle; /* of its route; "" when not set */
	struct http_timeouts timeouts;
	bool is_secret, is_once;
	int64_t mono_ms;
};
size_t fake_http_count(void);
const struct fake_http_request *fake_http_request(size_t i);
/* Value of a header, "" when it was not sent. Borrowed until the next call. */
const char *fake_http_header(size_t i, const char *name);
size_t fake_http_pending(void); /* started and not ended */

#endif
