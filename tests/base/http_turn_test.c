/* Many answers at once are handed out over several turns of the loop, so that others get theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "tests/lib/http_fixture.h"

enum {
	CALLS = 40,
	WORK_US = 1000,
	DONE_A_TURN_MAX = 5, /* 4 ms of 1 ms each, and the one that goes over */
};

static int done_in_turn, most_in_turn, done, turns;

static void work(struct fixture_call *call)
{
	(void)call;
	int64_t until_us = clock_mono_us() + WORK_US;
	while (clock_mono_us() < until_us)
		continue;
	done++;
	if (++done_in_turn > most_in_turn)
		most_in_turn = done_in_turn;
}

/* Somebody else on the loop: has a turn whenever there is one. */
static void on_turn(void *arg)
{
	struct loop *loop = arg;
	done_in_turn = 0;
	turns++;
	if (done < CALLS)
		loop_timer_start(loop, 0, on_turn, loop);
}

static void answers_that_come_at_once_leave_turns_to_others(void **state)
{
	(void)state;
	const struct http_limits limits = {.max_requests = CALLS, .per_host_max = 8, .idle_max = 8};
	struct http_fixture *f = http_fixture_new(&limits);
	for (int i = 0; i < CALLS; i++) {
		struct fixture_call *call = fixture_call_new(f, 'a', "http://missing.test/");
		err_set(&call->make_err, ERR_CONFIG, "no");
		call->on_done = work;
		fixture_call_start(call);
	}
	loop_timer_start(f->loop, 0, on_turn, f->loop);
	fixture_run(f, CALLS);
	assert_int_equal(done, CALLS);
	assert_in_range(most_in_turn, 1, DONE_A_TURN_MAX);
	assert_true(turns >= CALLS / DONE_A_TURN_MAX);
	fixture_run_ms(f, 5); /* the last turn */
	http_fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_that_come_at_once_leave_turns_to_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
