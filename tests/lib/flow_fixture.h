/* A loop and one client of AWS over fake_call.h, for tests of what asks AWS. */
#ifndef TESTS_LIB_FLOW_FIXTURE_H
#define TESTS_LIB_FLOW_FIXTURE_H

#include "aws/client.h"
#include "base/err.h"

struct fake_record;

struct flow {
	struct loop *loop;
	struct aws *aws;
	struct aws_client *client; /* of the account that is given */
};

/* Zeroes all that fake_call.h remembers. */
void flow_open(struct flow *flow, const char *account_id);
/* Also checks that nothing is left behind: no call, no timer, none that nobody foresaw. */
void flow_close(struct flow *flow);

/* An answer that is not looked at. */
void flow_ignore_reply(void *arg, const struct aws_reply *reply, const struct err *err);
/* The record of a call that has just been started; the call is cancelled. */
const struct fake_record *flow_asked(struct aws_call *call);

#endif
