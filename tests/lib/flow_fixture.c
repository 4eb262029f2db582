/* See flow_fixture.h. */
#include "tests/lib/flow_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"

void flow_open(struct flow *flow, const char *account_id)
{
	struct err err = ERR_INIT;
	fake_call_reset();
	flow->loop = loop_new(&err);
	flow->aws = aws_new(flow->loop, NULL, "test");
	flow->client = aws_client_new(flow->aws, NULL, account_id, NULL);
}

void flow_close(struct flow *flow)
{
	assert_int_equal(fake_call_unexpected(), 0);
	assert_int_equal(fake_call_pending(), 0);
	assert_int_equal(fake_clients_alive(), 1);
	assert_int_equal(fake_loop_timer_count(), 0);
	aws_client_free(flow->client);
	aws_free(flow->aws);
	fake_call_reset();
	loop_free(flow->loop);
}

void flow_ignore_reply(void *arg, const struct aws_reply *reply, const struct err *err)
{
	(void)arg;
	(void)reply;
	(void)err;
}

const struct fake_record *flow_asked(struct aws_call *call)
{
	aws_call_cancel(call);
	return fake_call_record(fake_call_count() - 1);
}
