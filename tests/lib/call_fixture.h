/*
 * A client over scripted HTTP (fake_http, fake_loop, fake_clock) for tests of aws/call.c: hub keys
 * from a made-up environment, account 111122223333.
 */
#ifndef TESTS_LIB_CALL_FIXTURE_H
#define TESTS_LIB_CALL_FIXTURE_H

#include <stdbool.h>

#include "aws/client.h"
#include "aws/cred.h"
#include "base/err.h"

#define GOOD	  "{\"CertificateSummaryList\":[]}"
#define THROTTLED "{\"__type\":\"ThrottlingException\",\"message\":\"Rate exceeded\"}"
#define DENIED	  "{\"__type\":\"AccessDeniedException\",\"Message\":\"User is not authorized\"}"
#define EXPIRED	  "{\"__type\":\"ExpiredTokenException\",\"message\":\"token expired\"}"
#define UNKNOWN	  "{\"__type\":\"UnrecognizedClientException\",\"message\":\"invalid token\"}"
#define SKEWED	  "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired: x\"}"

/* The environment: NULL is not set. */
extern const char *key_id, *session_token, *expiration;
const char *fixture_getenv(const char *name);

struct outcome {
	int ends;
	struct err err;
	bool is_good;
};

struct fixture {
	struct loop *loop;
	struct http *http;
	struct aws *aws;
	struct cred_source *source;
	struct aws_client *client;
};
extern struct fixture fixture;

/* For cmocka; teardown fails when a timer was left behind. */
int fixture_setup(void **state);
int fixture_teardown(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* ListCertificates, eight a second. */
extern const struct aws_request list_request;
void on_outcome(void *arg, const struct aws_reply *reply, const struct err *err);
struct aws_call *start_call_in(const char *region, struct outcome *outcome);
struct aws_call *start_call(struct outcome *outcome);

/* One call to its end, time passing as it needs to. */
struct outcome run_call(void);
/* A good one, then time enough for all tokens to come back. */
void warm_up(void);
struct aws_stats call_stats(void);

#endif
