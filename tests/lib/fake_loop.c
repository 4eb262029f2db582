#include "tests/lib/fake_loop.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "tests/lib/fake_clock.h"

enum { RUNS_WITHOUT_TIME_MAX = 1000000 };

struct loop_timer {
	TAILQ_ENTRY(loop_timer) link;
	int64_t due_ms;
	loop_timer_fn *fn;
	void *arg;
};

struct loop {
	bool is_stopped;
};

/* Sorted by due_ms, then by start. */
static TAILQ_HEAD(timers_list, loop_timer) timers = TAILQ_HEAD_INITIALIZER(timers);

struct loop *loop_new(struct err *err)
{
	(void)err;
	return xcalloc(1, sizeof(struct loop));
}

void loop_free(struct loop *loop)
{
	free(loop);
}

struct event_base *loop_event_base(struct loop *loop)
{
	(void)loop;
	return NULL;
}

struct loop_timer *loop_timer_start(
	struct loop *loop, int64_t delay_ms, loop_timer_fn *fn, void *arg)
{
	(void)loop;
	assert(delay_ms >= 0);
	struct loop_timer *timer = xcalloc(1, sizeof(*timer));
	timer->due_ms = clock_mono_ms() + delay_ms;
	timer->fn = fn;
	timer->arg = arg;
	struct loop_timer *before = TAILQ_LAST(&timers, timers_list);
	while (before != NULL && before->due_ms > timer->due_ms)
		before = TAILQ_PREV(before, timers_list, link);
	if (before != NULL)
		TAILQ_INSERT_AFTER(&timers, before, timer, link);
	else
		TAILQ_INSERT_HEAD(&timers, timer, link);
	return timer;
}

void loop_timer_cancel(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	TAILQ_REMOVE(&timers, timer, link);
	free(timer);
}

static bool run_first_if_due(void)
{
	struct loop_timer *timer = TAILQ_FIRST(&timers);
	if (timer == NULL || timer->due_ms > clock_mono_ms())
		return false;
	TAILQ_REMOVE(&timers, timer, link);
	loop_timer_fn *fn = timer->fn;
	void *arg = timer->arg;
	free(timer);
	fn(arg);
	return true;
}

static void check_progress(int *runs)
{
	if (++*runs < RUNS_WITHOUT_TIME_MAX)
		return;
	fputs("fake_loop: timers of 0 ms start each other without end\n", stderr);
	abort();
}

void fake_loop_run_ready(void)
{
	int runs = 0;
	while (run_first_if_due())
		check_progress(&runs);
}

bool fake_loop_step(void)
{
	int64_t wait_ms = fake_loop_next_ms();
	if (wait_ms < 0)
		return false;
	fake_clock_advance_ms(wait_ms);
	return run_first_if_due();
}

int64_t fake_loop_next_ms(void)
{
	const struct loop_timer *timer = TAILQ_FIRST(&timers);
	if (timer == NULL)
		return -1;
	int64_t wait_ms = timer->due_ms - clock_mono_ms();
	return wait_ms > 0 ? wait_ms : 0;
}

void fake_loop_advance_ms(int64_t ms)
{
	int64_t end_ms = clock_mono_ms() + ms;
	fake_loop_run_ready();
	for (;;) {
		int64_t wait_ms = fake_loop_next_ms();
		int64_t left_ms = end_ms - clock_mono_ms();
		if (wait_ms < 0 || wait_ms > left_ms) {
			if (left_ms > 0)
				fake_clock_advance_ms(left_ms);
			return;
		}
		fake_clock_advance_ms(wait_ms);
		fake_loop_run_ready();
	}
}

size_t fake_loop_timer_count(void)
{
	size_t count = 0;
	struct loop_timer *timer;
	TAILQ_FOREACH(timer, &timers, link)
	count++;
	return count;
}

void loop_run(struct loop *loop)
{
	int runs = 0;
	while (!loop->is_stopped && !TAILQ_EMPTY(&timers)) {
		int64_t wait_ms = fake_loop_next_ms();
		if (wait_ms > 0) {
			fake_clock_advance_ms(wait_ms);
			runs = 0;
		}
		run_first_if_due();
		check_progress(&runs);
	}
	loop->is_stopped = false;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
}

void loop_turn_mark(struct loop *loop)
{
	(void)loop;
}

int64_t loop_longest_stall_us(struct loop *loop, bool is_reset)
{
	(void)loop;
	(void)is_reset;
	return 0;
}

void loop_get_stats(const struct loop *loop, struct loop_stats *ret_stats)
{
	(void)loop;
	*ret_stats = (struct loop_stats){.turns = 0};
}
