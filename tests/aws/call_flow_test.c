/* Many calls at once: pacing, the breaker, cancels, any mix of trouble. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/lib/call_fixture.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_http.h"
#include "tests/lib/fake_loop.h"

enum { CALLS_MAX = 64 };

/* --- pacing ----------------------------------------------------------------------------------- */

static bool always_good(
	void *arg, const struct fake_http_request *request, struct fake_answer *ret_answer)
{
	(void)arg;
	(void)request;
	ret_answer->status = 200;
	ret_answer->body = GOOD;
	return true;
}

static void calls_keep_to_the_documented_rate(void **state)
{
	(void)state;
	warm_up();
	fake_http_set_answerer(always_good, NULL);
	struct outcome outcome[40];
	for (int i = 0; i < 40; i++)
		start_call(&outcome[i]);
	fake_loop_run_ready();
	assert_int_equal(fake_http_count() - 1, 8);
	fake_loop_advance_ms(1000);
	assert_int_equal(fake_http_count() - 1, 16);
	fake_loop_advance_ms(3000);
	assert_int_equal(fake_http_count() - 1, 40);
	for (int i = 0; i < 40; i++)
		assert_int_equal(outcome[i].ends, 1);
}

static void other_accounts_and_regions_have_their_own_tokens(void **state)
{
	(void)state;
	warm_up();
	fake_http_set_answerer(always_good, NULL);
	struct outcome outcome[24];
	struct aws_client *first = fixture.client;
	struct aws_client *other = aws_client_new(
		fixture.aws, &(struct aws_network){.proxy = NULL}, "999922223333", fixture.source);
	for (int i = 0; i < 24; i++) {
		fixture.client = i < 16 ? first : other;
		start_call_in(i < 8 ? "eu-west-1" : "eu-central-1", &outcome[i]);
	}
	fixture.client = first;
	fake_loop_run_ready();
	assert_int_equal(fake_http_count() - 1, 24);
	aws_client_free(other);
}

static void a_cancelled_waiter_gives_its_token_back(void **state)
{
	(void)state;
	warm_up();
	fake_http_set_answerer(always_good, NULL);
	struct outcome outcome[10];
	struct aws_call *call[10];
	for (int i = 0; i < 9; i++)
		call[i] = start_call(&outcome[i]);
	aws_call_cancel(call[8]); /* waited for a token */
	call[9] = start_call(&outcome[9]);
	fake_loop_advance_ms(125);
	assert_int_equal(fake_http_count() - 1, 9);
	assert_int_equal(outcome[8].ends, 0);
	assert_int_equal(outcome[9].ends, 1);
}

/* --- breaker ---------------------------------------------------------------------------------- */

static void connect_failures_are_few_and_open_the_breaker(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	struct outcome outcome = run_call();
	assert_int_equal(outcome.err.kind, ERR_UNREACHABLE);
	assert_string_equal(outcome.err.code, "connect");
	assert_int_equal(fake_http_count(), 3);

	outcome = run_call();
	assert_int_equal(outcome.err.kind, ERR_UNREACHABLE);
	assert_string_equal(outcome.err.code, "breaker");
	assert_non_null(strstr(outcome.err.text, "acm.eu-west-1.amazonaws.com"));
	assert_int_equal(fake_http_count(), 3);
}

static void other_hosts_are_not_concerned(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	run_call();
	fake_http_answer(200, GOOD);
	struct outcome outcome;
	start_call_in("eu-central-1", &outcome);
	fake_loop_run_ready();
	assert_true(outcome.is_good);
}

static void one_probe_a_minute_then_all_again(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	run_call();
	fake_loop_advance_ms(60000);
	fake_http_fail(ERR_TIMEOUT, "connect"); /* the probe fails */
	assert_string_equal(run_call().err.code, "connect");
	assert_string_equal(run_call().err.code, "breaker");
	assert_int_equal(fake_http_count(), 4);
	fake_loop_advance_ms(60000);
	fake_http_answer(200, GOOD);
	assert_true(run_call().is_good);
	fake_http_answer(200, GOOD);
	assert_true(run_call().is_good);
	assert_int_equal(fake_http_count(), 6);
}

static void those_who_wait_for_the_host_are_told_at_once(void **state)
{
	(void)state;
	warm_up();
	struct outcome outcome[20];
	struct aws_call *call[20];
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	for (int i = 0; i < 20; i++)
		call[i] = start_call(&outcome[i]); /* eight hold tokens, the others wait for one */
	fake_loop_run_ready();
	int breaker = 0;
	for (int i = 0; i < 20; i++)
		breaker += outcome[i].ends == 1 && strcmp(outcome[i].err.code, "breaker") == 0;
	/* Three failed; five were sent before and hang; twelve had waited. One of the three opened
	 * it, the two others had gone to wait for their next attempt. */
	assert_int_equal(breaker, 14);
	assert_int_equal(fake_http_pending(), 5);
	for (int i = 0; i < 20; i++) {
		if (outcome[i].ends == 0)
			aws_call_cancel(call[i]);
	}
}

static void a_queued_request_is_taken_back_when_the_breaker_opens(void **state)
{
	(void)state;
	warm_up();
	struct outcome first, queued;
	for (int i = 0; i < 3; i++)
		fake_http_fail(ERR_UNREACHABLE, "connect");
	start_call(&first);
	fake_loop_advance_ms(150); /* two attempts */
	fake_http_hold_slots(true);
	start_call(&queued);
	fake_loop_run_ready();
	assert_int_equal(queued.ends, 0);
	fake_http_hold_slots(false); /* both are made now, in order; the third failure opens it */
	fake_loop_advance_ms(1000);
	assert_int_equal(first.ends, 1);
	assert_int_equal(queued.ends, 1);
}

/* --- owners ----------------------------------------------------------------------------------- */

static void cancel_is_quiet_in_every_state(void **state)
{
	(void)state;
	struct outcome outcome;
	for (int turns = 0; turns < 14; turns++) {
		fake_http_reset();
		fake_http_answer(500, "");
		fake_http_answer(400, THROTTLED); /* then it waits for a token, then it hangs */
		struct aws_call *call = start_call(&outcome);
		for (int i = 0; i < turns; i++)
			(void)fake_loop_step();
		assert_int_equal(outcome.ends, 0);
		aws_call_cancel(call);
		fake_loop_advance_ms(60000);
		assert_int_equal(outcome.ends, 0);
		assert_int_equal(fake_http_pending(), 0);
	}
	aws_call_cancel(NULL);
}

struct owner {
	struct outcome outcome;
	struct aws_call *other;
};

static void free_everything(void *arg, const struct aws_reply *reply, const struct err *err)
{
	struct owner *owner = arg;
	on_outcome(&owner->outcome, reply, err);
	aws_call_cancel(owner->other);
	aws_client_free(fixture.client);
	cred_source_free(fixture.source);
	fixture.client = NULL;
	fixture.source = NULL;
}

static void owner_may_end_everything_when_told(void **state)
{
	(void)state;
	struct owner owner = {.other = NULL};
	struct outcome other;
	fake_http_answer(200, GOOD);
	aws_call_start(fixture.client, &list_request, free_everything, &owner);
	owner.other = start_call(&other);
	fake_loop_advance_ms(1000);
	assert_true(owner.outcome.is_good);
	assert_int_equal(other.ends, 0);
}

static const struct fake_answer kinds_of_trouble[] = {
	{.status = 200, .body = GOOD},
	{.status = 500, .body = ""},
	{.status = 503, .body = "<html></html>"},
	{.kind = ERR_UNREACHABLE, .code = "reset"},
	{.kind = ERR_UNREACHABLE, .code = "connect"},
	{.kind = ERR_PROTOCOL, .code = ""},
	{.kind = ERR_TIMEOUT, .code = "first_byte"},
	{.kind = ERR_TIMEOUT, .code = "connect"},
	{.status = 200, .body = "garbage"},
	{.status = 400, .body = THROTTLED},
	{.status = 400, .body = EXPIRED},
	{.status = 400, .body = UNKNOWN},
	{.status = 400, .body = SKEWED, .date_s = 1793300000},
	{.status = 403, .body = DENIED},
	{.status = 200, .body = GOOD, .date_s = 1795000000},
};

static bool trouble(
	void *arg, const struct fake_http_request *request, struct fake_answer *ret_answer)
{
	(void)request;
	uint32_t *dice = arg;
	*dice = *dice * 1664525 + 1013904223;
	size_t count = sizeof(kinds_of_trouble) / sizeof(kinds_of_trouble[0]);
	*ret_answer = kinds_of_trouble[(*dice >> 16) % count];
	ret_answer->delay_ms = *dice >> 24;
	return true;
}

/* Random trouble, random cancels: every call ends exactly once or was cancelled. */
static void any_mix_of_trouble_leaves_one_end_each(void **state)
{
	(void)state;
	static const char *const region[] = {"eu-west-1", "eu-central-1", "us-east-1"};
	uint32_t dice = 1;
	fake_clock_seed_random(7);
	fake_http_set_answerer(trouble, &dice);
	for (int round = 0; round < 60; round++) {
		struct outcome outcome[CALLS_MAX];
		struct aws_call *call[CALLS_MAX];
		for (size_t i = 0; i < CALLS_MAX; i++) {
			outcome[i].ends = 0;
			call[i] = start_call_in(region[i % 3], &outcome[i]);
		}
		fake_loop_advance_ms(round * 100);
		size_t cancelled = clock_random(CALLS_MAX);
		bool was_open = outcome[cancelled].ends == 0;
		if (was_open)
			aws_call_cancel(call[cancelled]);
		fake_loop_advance_ms(3600000);
		for (size_t i = 0; i < CALLS_MAX; i++)
			assert_int_equal(outcome[i].ends, i == cancelled && was_open ? 0 : 1);
		assert_int_equal(fake_http_pending(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(calls_keep_to_the_documented_rate),
		TEST(other_accounts_and_regions_have_their_own_tokens),
		TEST(a_cancelled_waiter_gives_its_token_back),
		TEST(connect_failures_are_few_and_open_the_breaker),
		TEST(other_hosts_are_not_concerned),
		TEST(one_probe_a_minute_then_all_again),
		TEST(those_who_wait_for_the_host_are_told_at_once),
		TEST(a_queued_request_is_taken_back_when_the_breaker_opens),
		TEST(cancel_is_quiet_in_every_state),
		TEST(owner_may_end_everything_when_told),
		TEST(any_mix_of_trouble_leaves_one_end_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
