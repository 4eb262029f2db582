#include "orgscope/region_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/flow_fixture.h"

#define IDENTITY (&(struct fake_match){.operation = "GetCallerIdentity", .region = "eu-central-1"})

struct fixture {
	struct flow flow;
	int ends;
	bool session_works;
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.ends = 0};
	flow_open(&fixture.flow, "111122223333");
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	flow_close(&fixture->flow);
	return 0;
}

static void on_done(void *arg, bool session_works, const struct err *err)
{
	struct fixture *fixture = arg;
	fixture->ends++;
	fixture->session_works = session_works;
	fixture->err = err != NULL ? *err : (struct err)ERR_INIT;
}

static void run(struct fixture *fixture)
{
	fixture->ends = 0;
	(void)region_probe_start(fixture->flow.client, "eu-central-1", on_done, fixture);
	assert_int_equal(fixture->ends, 0);
	fake_loop_run_ready();
	assert_int_equal(fixture->ends, 1);
}

static void session_that_answers_at_home_works(void **state)
{
	struct fixture *fixture = *state;
	fake_call_reply(IDENTITY,
		"<GetCallerIdentityResponse><GetCallerIdentityResult><UserId>u</UserId>"
		"<Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/u</Arn>"
		"</GetCallerIdentityResult></GetCallerIdentityResponse>");
	run(fixture);
	assert_true(fixture->session_works);
	assert_int_equal(fixture->err.kind, ERR_NONE);
}

static void session_that_is_refused_at_home_does_not_work(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {
		ERR_CREDENTIALS, ERR_ROLE, ERR_DENIED, ERR_DENIED_BY_SCP};
	for (size_t i = 0; i < 4; i++) {
		fake_call_fail(IDENTITY, kinds[i], "InvalidClientTokenId", "invalid");
		run(fixture);
		assert_false(fixture->session_works);
		assert_int_equal(fixture->err.kind, ERR_NONE);
	}
}

static void other_trouble_proves_nothing(void **state)
{
	struct fixture *fixture = *state;
	fake_call_fail(IDENTITY, ERR_TIMEOUT, "", "late");
	run(fixture);
	assert_int_equal(fixture->err.kind, ERR_TIMEOUT);
	fake_call_reply(IDENTITY, "<html/>");
	run(fixture);
	assert_int_equal(fixture->err.kind, ERR_PROTOCOL);
}

static void cancelled_probe_does_not_call_back(void **state)
{
	struct fixture *fixture = *state;
	fake_call_hang(IDENTITY);
	struct region_probe *probe =
		region_probe_start(fixture->flow.client, "eu-central-1", on_done, fixture);
	region_probe_cancel(probe);
	region_probe_cancel(NULL);
	fake_loop_run_ready();
	assert_int_equal(fixture->ends, 0);
	assert_int_equal(fake_call_cancelled(), 1);
}

static bool is_needed(enum err_kind kind, const char *code)
{
	struct err err = ERR_INIT;
	(void)err_set(&err, kind, "refused");
	(void)err_set_code(&err, code);
	return region_probe_is_needed(&err);
}

static void only_unknown_keys_may_mean_a_disabled_region(void **state)
{
	(void)state;
	assert_true(is_needed(ERR_CREDENTIALS, "UnrecognizedClientException"));
	assert_true(is_needed(ERR_CREDENTIALS, "InvalidClientTokenId"));
	assert_true(is_needed(ERR_CREDENTIALS, "AuthFailure"));
	assert_false(is_needed(ERR_CREDENTIALS, "ExpiredTokenException"));
	assert_false(is_needed(ERR_CREDENTIALS, "SignatureDoesNotMatch"));
	assert_false(is_needed(ERR_CREDENTIALS, ""));
	assert_false(is_needed(ERR_DENIED, "UnrecognizedClientException"));
}

int main(void)
{
#define PROBE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_unknown_keys_may_mean_a_disabled_region),
		PROBE_TEST(session_that_answers_at_home_works),
		PROBE_TEST(session_that_is_refused_at_home_does_not_work),
		PROBE_TEST(other_trouble_proves_nothing),
		PROBE_TEST(cancelled_probe_does_not_call_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
