/*
 * What a failed attempt means: kind, AWS's code, text for people, and whether asking again can
 * help. Pure. Understands the error forms of JSON 1.1, REST-JSON, Query and EC2, and what gateways
 * and proxies send in their place (HTML, nothing).
 * source: facts.md 2.13, 6, 9.1, 9.3; the denials' many names: domain.md 1.3
 */
#ifndef AWS_CLASSIFY_H
#define AWS_CLASSIFY_H

#include "aws/retry.h"
#include "aws/service.h"
#include "base/http.h"

struct err;

struct classified {
	enum retry_class retry;
	bool is_from_aws; /* it has an error code of AWS: its Date can be believed */
};

/* An answer whose status is not 2xx. Sets err: kind, code, "Code: AWS's message (HTTP 400)". */
struct classified classify_answer(
	enum aws_protocol protocol, const struct http_reply *reply, struct err *err);

/* Whether an answer that is not 2xx says for certain that nothing was done: a refusal that AWS
 * signs with a code of its own, or a proxy that wants credentials first. */
bool classify_is_refusal(const struct http_reply *reply, const struct classified *classified);

/* Whether a request that ended so has certainly not reached anybody. err: base/http's. */
bool classify_is_unsent(const struct err *http_err);

/* No answer at all, or a broken one: base/http's error. */
enum retry_class classify_transport(const struct err *http_err);

#endif
