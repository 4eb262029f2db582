/*
 * Replaces aws/client.c and aws/call.c in tests of the layers above: scripted answers instead of
 * AWS. Link it by a line in tests/fakes.mk; the _start and _take functions of aws/ are the real
 * ones, so request bodies and answers are checked for real.
 *
 *   fake_call_reply(&(struct fake_match){.operation = "ListRoots"}, "{\"Roots\": [...]}");
 *   fake_call_fail_always(&(struct fake_match){.account = "222222222222"}, ERR_DENIED,
 *           "AccessDeniedException", "no");
 *   struct aws_client *client = aws_client_new(aws_new(loop, NULL, "test"), NULL, "111...", NULL);
 *
 * Rules are tried in the order they were made; the first that matches and is not used up answers.
 * A call that no rule answers ends in ERR_SYSTEM and is counted by fake_call_unexpected(). Answers
 * come from the loop, one timer of 0 ms each, unless fake_call_set_manual(true): then
 * fake_call_deliver() hands out one at a time, oldest first.
 *
 * An is_once request that fails as if it had been sent has the code AWS_ANSWER_LOST, whatever the
 * rule says.
 *
 * aws_client_ready_start is a call of the operation "ready" (region "", body ""); it succeeds when
 * no rule says otherwise.
 */
#ifndef TESTS_LIB_FAKE_CALL_H
#define TESTS_LIB_FAKE_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "aws/client.h"
#include "base/err.h"

struct fake_match {
	const char *account;   /* aws_client_account() of the client; NULL: any */
	const char *operation; /* "ListCertificates", "ready"; NULL: any */
	const char *region;    /* NULL: any */
	const char *body_part; /* a part of the request's body; NULL: any */
};

/* Forgets rules, records and settings. Call it in setup and teardown; calls must have ended. */
void fake_call_reset(void);
/* AWS's clock minus the fake one. */
void fake_call_set_clock_offset_s(int64_t offset_s);
/* Answers tell AWS's time, as aws_get_stats knows it: at_s now, counted on by the monotonic clock.
 * 0: they do not. */
void fake_call_tell_date_s(int64_t at_s);

/* One answer (status 200). body: copied; it is parsed as the service's protocol says, and what is
 * not parseable ends in ERR_PROTOCOL, as with the real call. */
void fake_call_reply(const struct fake_match *match, const char *body);
void fake_call_reply_always(const struct fake_match *match, const char *body);
/* The same from a file below tests/data/answers/. */
void fake_call_reply_file(const struct fake_match *match, const char *file);

/* One failure, or each time. code, text: copied, NULL: "". */
void fake_call_fail(
	const struct fake_match *match, enum err_kind kind, const char *code, const char *text);
void fake_call_fail_always(
	const struct fake_match *match, enum err_kind kind, const char *code, const char *text);

/* Matching calls never end by themselves. */
void fake_call_hang(const struct fake_match *match);

struct fake_record;

/* Torture: the n-th call from now (1: the next) ends in this error, whatever the rules say; its
 * rule is not used up. 0: none. */
void fake_call_fail_at(size_t n, enum err_kind kind, const char *code);
/* The same for the n-th call and all that follow, until one of the two is called again. */
void fake_call_fail_from(size_t n, enum err_kind kind, const char *code);
/* The first call that the last planned failure met; NULL: none yet. Borrowed until
 * fake_call_reset. */
const struct fake_record *fake_call_failed(void);

/* All that a call can end in (ERR_STOPPED is no end of a call), with the codes that flows look at:
 * for loops over every kind. */
enum { FAKE_CALL_ERRORS = 18 };
extern const struct fake_call_error {
	enum err_kind kind;
	const char *code;
} fake_call_errors[FAKE_CALL_ERRORS];

/* Answers that are worked out: asked before the rules. Returns whether it answered, with an owned
 * body (free()d), or with NULL and err set. Asked when the call is delivered. */
typedef bool fake_call_answer_fn(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err);
void fake_call_set_answerer(fake_call_answer_fn *answer, void *arg);

void fake_call_set_manual(bool is_manual);
bool fake_call_deliver(void); /* false: nothing is pending */
size_t fake_call_pending(void);

enum fake_outcome { FAKE_PENDING, FAKE_ANSWERED, FAKE_FAILED, FAKE_CANCELLED };

/* What was asked, in order. Borrowed until fake_call_reset. */
struct fake_record {
	const char *account, *operation, *region, *body;
	const char *role_arn;			 /* of the client; "" for one that assumed none */
	bool is_secret, is_body_secret, is_once; /* as asked */
	double per_second;			 /* the rate that was asked for */
	enum fake_outcome outcome;
};
size_t fake_call_count(void);
const struct fake_record *fake_call_record(size_t i);
size_t fake_call_count_of(const char *operation); /* how many of the records */
size_t fake_call_cancelled(void);
size_t fake_call_unexpected(void);
size_t fake_clients_alive(void); /* made and not freed yet */

#endif
