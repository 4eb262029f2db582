/* The cache around every provider: one fetch at a time, refresh, rejection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/client.h"
#include "aws/cred.h"
#include "aws/cred_internal.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"

/* A provider that the test answers by hand. */
static struct provider {
	struct cred_provider provider;
	cred_done_fn *done;
	void *arg;
	int starts, cancels, frees;
	bool is_asked;
} p;

static void provider_start(struct cred_provider *provider, cred_done_fn *done, void *arg)
{
	(void)provider;
	p.done = done;
	p.arg = arg;
	p.starts++;
	p.is_asked = true;
}

static void provider_cancel(struct cred_provider *provider)
{
	(void)provider;
	p.cancels++;
	p.is_asked = false;
}

static void provider_free(struct cred_provider *provider)
{
	(void)provider;
	p.frees++;
}

static const char *provider_name(const struct cred_provider *provider)
{
	(void)provider;
	return "the test";
}

static const struct cred_provider_ops provider_ops = {.start = provider_start,
	.cancel = provider_cancel,
	.free = provider_free,
	.name = provider_name};

static struct loop *loop;
static struct aws *aws;
static struct cred_source *source;

static int setup(void **state)
{
	(void)state;
	struct err err;
	p = (struct provider){.provider = {&provider_ops}};
	fake_clock_set_now_s(1795219200);
	loop = loop_new(&err);
	aws = aws_new(loop, NULL, "test");
	source = cred_source_new(aws, &p.provider);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (source != NULL)
		cred_source_free(source);
	assert_int_equal(p.frees, 1);
	aws_free(aws);
	int timers = (int)fake_loop_timer_count();
	loop_free(loop);
	return timers;
}

/* The fetch under way ends with a set of that key, or fails. life_s 0: never expires. */
static void answer(const char *key_id, int64_t life_s)
{
	assert_true(p.is_asked);
	p.is_asked = false;
	struct aws_credentials credentials = AWS_CREDENTIALS_INIT;
	snprintf(credentials.access_key_id, sizeof(credentials.access_key_id), "%s", key_id);
	secret_set(&credentials.secret_access_key, "secret", 6);
	credentials.expires_at_s = life_s != 0 ? clock_now_s() + life_s : 0;
	p.done(p.arg, &credentials, NULL);
	aws_credentials_clear(&credentials);
}

static void answer_failure(void)
{
	assert_true(p.is_asked);
	p.is_asked = false;
	struct err err = {.kind = ERR_ROLE, .text = "refused"};
	p.done(p.arg, NULL, &err);
}

struct waiter {
	int ends;
	char key_id[AWS_ACCESS_KEY_ID_MAX + 1];
	struct err err;
	int order;
};

static int ends;

static void on_credentials(
	void *arg, const struct aws_credentials *credentials, const struct err *err)
{
	struct waiter *waiter = arg;
	waiter->ends++;
	waiter->order = ends++;
	waiter->key_id[0] = '\0';
	if (credentials != NULL)
		memcpy(waiter->key_id, credentials->access_key_id, sizeof(waiter->key_id));
	waiter->err = err != NULL ? *err : (struct err)ERR_INIT;
}

static struct cred_call *get(struct waiter *waiter)
{
	*waiter = (struct waiter){.ends = 0};
	return cred_get_start(source, on_credentials, waiter);
}

/* A set of that life is cached. */
static void fetch(const char *key_id, int64_t life_s)
{
	struct waiter waiter;
	get(&waiter);
	fake_loop_run_ready();
	answer(key_id, life_s);
	fake_loop_run_ready();
	assert_string_equal(waiter.key_id, key_id);
}

static const char *peeked(void)
{
	const struct aws_credentials *credentials = cred_peek(source);
	return credentials != NULL ? credentials->access_key_id : "none";
}

static void get_never_calls_back_at_once(void **state)
{
	(void)state;
	fetch("one", 0);
	struct waiter waiter;
	get(&waiter);
	assert_int_equal(waiter.ends, 0);
	fake_loop_run_ready();
	assert_int_equal(waiter.ends, 1);
	assert_int_equal(p.starts, 1);
}

static void all_who_wait_share_one_fetch_in_order(void **state)
{
	(void)state;
	struct waiter waiter[50];
	for (int i = 0; i < 50; i++)
		get(&waiter[i]);
	fake_loop_run_ready();
	assert_int_equal(p.starts, 1);
	ends = 0;
	answer("one", 3600);
	fake_loop_run_ready();
	for (int i = 0; i < 50; i++) {
		assert_int_equal(waiter[i].ends, 1);
		assert_int_equal(waiter[i].order, i);
		assert_string_equal(waiter[i].key_id, "one");
	}
}

static void failure_is_told_to_all_and_not_repeated_for_ten_seconds(void **state)
{
	(void)state;
	struct waiter first, second, late;
	get(&first);
	get(&second);
	fake_loop_run_ready();
	answer_failure();
	fake_loop_run_ready();
	assert_int_equal(first.err.kind, ERR_ROLE);
	assert_int_equal(second.err.kind, ERR_ROLE);
	fake_loop_advance_ms(9999);
	get(&late);
	fake_loop_run_ready();
	assert_int_equal(late.err.kind, ERR_ROLE);
	assert_int_equal(p.starts, 1);
	fake_loop_advance_ms(1);
	get(&late);
	fake_loop_run_ready();
	assert_int_equal(p.starts, 2);
	answer("one", 3600);
	fake_loop_run_ready();
	assert_string_equal(late.key_id, "one");
}

static void refresh_begins_five_minutes_before_the_end_and_stops_nobody(void **state)
{
	(void)state;
	fetch("one", 3600);
	fake_loop_advance_ms(3299000);
	assert_string_equal(peeked(), "one");
	assert_int_equal(p.starts, 1);
	fake_loop_advance_ms(1000);
	assert_string_equal(peeked(), "one");
	assert_string_equal(peeked(), "one");
	assert_int_equal(p.starts, 2);
	answer("two", 3600);
	assert_string_equal(peeked(), "two");
}

static void short_sessions_are_refreshed_at_half_their_life(void **state)
{
	(void)state;
	int64_t ends_s = -1;
	assert_false(cred_source_expires(source, &ends_s));
	fetch("one", 6);
	assert_true(cred_source_expires(source, &ends_s));
	assert_int_equal(ends_s, clock_now_s() + 6);
	fake_loop_advance_ms(2000);
	peeked();
	assert_int_equal(p.starts, 1);
	fake_loop_advance_ms(1000);
	assert_string_equal(peeked(), "one");
	assert_int_equal(p.starts, 2);
}

static void old_set_is_used_while_the_refresh_fails(void **state)
{
	(void)state;
	fetch("one", 3600);
	fake_loop_advance_ms(3300000);
	assert_string_equal(peeked(), "one");
	answer_failure();
	assert_string_equal(peeked(), "one");
	assert_int_equal(p.starts, 2);
	fake_loop_advance_ms(10000);
	assert_string_equal(peeked(), "one");
	assert_int_equal(p.starts, 3);
	answer_failure();
	fake_loop_advance_ms(280000); /* ten seconds left: too few to send a request with */
	assert_string_equal(peeked(), "none");
	struct waiter waiter;
	get(&waiter);
	fake_loop_run_ready();
	assert_int_equal(p.starts, 4);
	answer_failure();
	fake_loop_run_ready();
	assert_int_equal(waiter.err.kind, ERR_ROLE);
}

static void sets_without_an_end_are_kept(void **state)
{
	(void)state;
	int64_t ends_s = -1;
	fetch("one", 0);
	assert_true(cred_source_expires(source, &ends_s));
	assert_int_equal(ends_s, 0);
	fake_loop_advance_ms(INT64_C(86400000) * 365);
	assert_string_equal(peeked(), "one");
	assert_int_equal(p.starts, 1);
}

static struct cred_state state_now(void)
{
	struct cred_state now;
	cred_get_state(source, &now);
	return now;
}

static void the_state_tells_what_is_left_and_whether_it_fails(void **state)
{
	(void)state;
	assert_false(state_now().is_failing || state_now().has_end);
	fetch("one", 0);
	assert_false(state_now().is_failing || state_now().has_end);
	cred_rejected(source, "one");
	assert_true(state_now().is_failing);
	answer("two", 3600);
	fake_loop_run_ready();
	assert_true(state_now().has_end && !state_now().is_failing);
	assert_int_equal(state_now().left_s, 3600);
	fake_clock_set_now_s(clock_now_s() + 3500);
	assert_int_equal(state_now().left_s, 100);
	assert_non_null(cred_peek(source)); /* and asks for the next one */
	fake_loop_run_ready();
	answer_failure();
	fake_loop_run_ready();
	assert_true(state_now().is_failing && state_now().has_end);
	fake_clock_set_now_s(clock_now_s() + 200);
	assert_int_equal(state_now().left_s, -100);
}

static void a_set_that_is_dead_on_arrival_is_an_error(void **state)
{
	(void)state;
	struct waiter waiter;
	get(&waiter);
	fake_loop_run_ready();
	answer("one", -1);
	fake_loop_run_ready();
	assert_int_equal(waiter.err.kind, ERR_CREDENTIALS);
	assert_non_null(strstr(waiter.err.text, "the test"));
	assert_int_equal(p.starts, 1);
}

static void rejected_set_is_replaced_before_anyone_uses_it_again(void **state)
{
	(void)state;
	fetch("one", 3600);
	assert_true(cred_rejected(source, "one"));
	assert_string_equal(peeked(), "none");
	assert_true(cred_rejected(source, "one")); /* others who were told the same */
	struct waiter waiter;
	get(&waiter);
	fake_loop_run_ready();
	assert_int_equal(waiter.ends, 0);
	answer("two", 3600);
	fake_loop_run_ready();
	assert_string_equal(waiter.key_id, "two");
	assert_int_equal(p.starts, 2);
	assert_true(cred_rejected(source, "one")); /* news of the past */
	assert_string_equal(peeked(), "two");
}

static void rejection_forces_at_most_one_fetch_a_minute(void **state)
{
	(void)state;
	fetch("one", 3600);
	assert_true(cred_rejected(source, "one"));
	answer("two", 3600);
	assert_false(cred_rejected(source, "two"));
	assert_string_equal(peeked(), "two");
	fake_loop_advance_ms(59999);
	assert_false(cred_rejected(source, "two"));
	fake_loop_advance_ms(1);
	assert_true(cred_rejected(source, "two"));
	answer("three", 3600);
	fake_loop_run_ready();
}

static void sessions_of_seconds_may_be_forced_more_often_but_none_twice(void **state)
{
	(void)state;
	fetch("one", 5);
	assert_true(cred_rejected(source, "one"));
	answer("two", 5);
	assert_true(cred_rejected(source, "two"));
	answer("two", 5);
	assert_false(cred_rejected(source, "two"));
}

static void failed_forced_fetch_is_an_error_not_the_old_set(void **state)
{
	(void)state;
	fetch("one", 3600);
	assert_true(cred_rejected(source, "one"));
	struct waiter waiter;
	get(&waiter);
	fake_loop_run_ready();
	answer_failure();
	fake_loop_run_ready();
	assert_int_equal(waiter.err.kind, ERR_ROLE);
	assert_string_equal(peeked(), "none");
}

static void cancelled_waiters_hear_nothing_and_the_fetch_goes_on(void **state)
{
	(void)state;
	struct waiter before, during, after;
	struct cred_call *call = get(&before);
	cred_get_cancel(call);
	assert_int_equal(p.starts, 0);
	call = get(&during);
	fake_loop_run_ready();
	cred_get_cancel(call);
	assert_int_equal(p.cancels, 0);
	call = get(&after);
	fake_loop_run_ready();
	answer("one", 3600);
	cred_get_cancel(call); /* woken, but not told yet */
	fake_loop_run_ready();
	assert_int_equal(before.ends + during.ends + after.ends, 0);
	assert_string_equal(peeked(), "one");
	cred_get_cancel(NULL);
}

static void freeing_the_source_cancels_the_fetch(void **state)
{
	(void)state;
	struct waiter waiter;
	struct cred_call *call = get(&waiter);
	fake_loop_run_ready();
	cred_get_cancel(call);
	cred_source_free(source);
	source = NULL;
	assert_int_equal(p.cancels, 1);
	assert_int_equal(waiter.ends, 0);
}

static struct cred_call *other_call;

static void end_all(void *arg, const struct aws_credentials *credentials, const struct err *err)
{
	on_credentials(arg, credentials, err);
	cred_get_cancel(other_call);
	cred_source_free(source);
	source = NULL;
}

static void a_waiter_may_end_the_source_and_the_others(void **state)
{
	(void)state;
	struct waiter first = {.ends = 0}, other;
	cred_get_start(source, end_all, &first);
	other_call = get(&other);
	fake_loop_run_ready();
	answer("one", 3600);
	fake_loop_run_ready();
	assert_int_equal(first.ends, 1);
	assert_int_equal(other.ends, 0);
}

static void clock_offset_counts_for_expiry(void **state)
{
	(void)state;
	fetch("one", 3600);
	fake_clock_set_now_s(clock_now_s() + 3595); /* by a person; AWS's time is not ours */
	assert_string_equal(peeked(), "none");
	fake_clock_set_now_s(clock_now_s() - 3595);
	assert_string_equal(peeked(), "one");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(get_never_calls_back_at_once),
		TEST(all_who_wait_share_one_fetch_in_order),
		TEST(failure_is_told_to_all_and_not_repeated_for_ten_seconds),
		TEST(refresh_begins_five_minutes_before_the_end_and_stops_nobody),
		TEST(short_sessions_are_refreshed_at_half_their_life),
		TEST(old_set_is_used_while_the_refresh_fails),
		TEST(sets_without_an_end_are_kept),
		TEST(the_state_tells_what_is_left_and_whether_it_fails),
		TEST(a_set_that_is_dead_on_arrival_is_an_error),
		TEST(rejected_set_is_replaced_before_anyone_uses_it_again),
		TEST(rejection_forces_at_most_one_fetch_a_minute),
		TEST(sessions_of_seconds_may_be_forced_more_often_but_none_twice),
		TEST(failed_forced_fetch_is_an_error_not_the_old_set),
		TEST(cancelled_waiters_hear_nothing_and_the_fetch_goes_on),
		TEST(freeing_the_source_cancels_the_fetch),
		TEST(a_waiter_may_end_the_source_and_the_others),
		TEST(clock_offset_counts_for_expiry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
