/*
 * The loop: libevent for sockets, a heap of our own for timers. libevent's timers have no order
 * among those that are due together and cost an event each; here one alarm stands for the earliest
 * timer, and ties go to the one that was started first.
 */
#include "base/loop.h"

#include <assert.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"

struct loop_timer {
	struct loop *loop; /* borrowed */
	int64_t due_us;	   /* monotonic */
	uint64_t order; /* counts starts: breaks ties, tells this turn's timers from the next's */
	size_t place;	/* in the heap */
	loop_timer_fn *fn;
	void *arg;
};

struct loop {
	struct event_base *base;  /* owned */
	struct event *alarm;	  /* owned; goes off when the first timer of the heap is due */
	int64_t alarm_us;	  /* monotonic; INT64_MAX: not set */
	struct loop_timer **heap; /* owned, as are its timers; the earliest is first */
	size_t count;
	size_t capacity;
	uint64_t next_order;
	bool is_stopped;
	int64_t turn_began_us; /* first callback of this turn; 0: none yet */
	int64_t longest_us;
	struct loop_stats stats;
};

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void put(struct loop *loop, size_t place, struct loop_timer *timer)
{
	loop->heap[place] = timer;
	timer->place = place;
}

static void move_up(struct loop *loop, size_t place)
{
	struct loop_timer *timer = loop->heap[place];
	while (place > 0 && is_before(timer, loop->heap[(place - 1) / 2])) {
		put(loop, place, loop->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put(loop, place, timer);
}

static void move_down(struct loop *loop, size_t place)
{
	struct loop_timer *timer = loop->heap[place];
	for (;;) {
		size_t child = 2 * place + 1;
		if (child >= loop->count)
			break;
		if (child + 1 < loop->count && is_before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (!is_before(loop->heap[child], timer))
			break;
		put(loop, place, loop->heap[child]);
		place = child;
	}
	put(loop, place, timer);
}

static void take_out(struct loop_timer *timer)
{
	struct loop *loop = timer->loop;
	size_t place = timer->place;
	loop->count--;
	if (place == loop->count)
		return;
	put(loop, place, loop->heap[loop->count]);
	move_up(loop, place);
	move_down(loop, place);
}

/* An alarm that goes off too early, because its timer was cancelled, only sets the next one. */
static void set_alarm(struct loop *loop)
{
	if (loop->count == 0) {
		event_del(loop->alarm); /* so that loop_run can see that nothing is left */
		loop->alarm_us = INT64_MAX;
		return;
	}
	int64_t due_us = loop->heap[0]->due_us;
	if (loop->alarm_us <= due_us)
		return;
	int64_t wait_us = due_us - clock_mono_us();
	if (wait_us < 0)
		wait_us = 0;
	struct timeval wait = {.tv_sec = wait_us / 1000000, .tv_usec = wait_us % 1000000};
	if (event_add(loop->alarm, &wait) != 0)
		abort(); /* fails for lack of memory only */
	loop->alarm_us = due_us;
}

/* Timers that callbacks start meanwhile are due now or later and carry a higher order, so they wait
 * for the next turn: a flow that always posts itself again cannot starve the sockets. */
static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct loop *loop = arg;
	loop_turn_mark(loop);
	loop->alarm_us = INT64_MAX;
	int64_t now_us = clock_mono_us();
	uint64_t end_order = loop->next_order;
	while (loop->count > 0 && !loop->is_stopped) {
		struct loop_timer *timer = loop->heap[0];
		if (timer->due_us > now_us || timer->order >= end_order)
			break;
		loop_timer_fn *fn = timer->fn;
		void *fn_arg = timer->arg;
		take_out(timer);
		assert(loop->count == 0 || loop->heap[0] != timer);
		free(timer);
		fn(fn_arg);
	}
	set_alarm(loop);
}

struct loop *loop_new(struct err *err)
{
	/* Everyone who writes to a socket here (libcurl with CURLOPT_NOSIGNAL, OpenSSL, libevent)
	 * relies on it. */
	signal(SIGPIPE, SIG_IGN);
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;
	if (config != NULL && event_config_set_flag(config,
				      EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_NO_CACHE_TIME |
					      EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	if (base == NULL) {
		err_set_errno(err, ERR_SYSTEM, "cannot make an event loop");
		return NULL;
	}
	struct loop *loop = xcalloc(1, sizeof(*loop));
	loop->base = base;
	loop->alarm = evtimer_new(base, on_alarm, loop);
	loop->alarm_us = INT64_MAX;
	if (loop->alarm == NULL)
		abort(); /* fails for lack of memory only */
	return loop;
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	assert(loop->count == 0);
	event_free(loop->alarm);
	event_base_free(loop->base);
	free(loop->heap);
	free(loop);
}

static void end_turn(struct loop *loop)
{
	if (loop->turn_began_us == 0)
		return;
	int64_t took_us = clock_mono_us() - loop->turn_began_us;
	if (took_us > loop->longest_us)
		loop->longest_us = took_us;
	loop->stats.turns++;
	loop->stats.busy_us += took_us;
	loop->stats.stalls += took_us > LOOP_STALL_US;
	loop->turn_began_us = 0;
}

void loop_run(struct loop *loop)
{
	while (!loop->is_stopped) {
		int rc = event_base_loop(loop->base, EVLOOP_ONCE);
		end_turn(loop);
		if (rc < 0)
			abort(); /* epoll refuses to wait: nothing sensible can follow */
		if (rc == 1)
			break; /* no event, no timer */
	}
	loop->is_stopped = false;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
	event_base_loopbreak(loop->base);
}

struct event_base *loop_event_base(struct loop *loop)
{
	return loop->base;
}

struct loop_timer *loop_timer_start(
	struct loop *loop, int64_t delay_ms, loop_timer_fn *fn, void *arg)
{
	assert(delay_ms >= 0);
	int64_t now_us = clock_mono_us();
	struct loop_timer *timer = xmalloc(sizeof(*timer));
	*timer = (struct loop_timer){
		.loop = loop,
		.due_us = delay_ms < (INT64_MAX - now_us) / 1000 ? now_us + delay_ms * 1000
								 : INT64_MAX - 1,
		.order = loop->next_order++,
		.fn = fn,
		.arg = arg,
	};
	loop->heap = xgrow(loop->heap, &loop->capacity, loop->count, sizeof(struct loop_timer *));
	put(loop, loop->count, timer);
	loop->count++;
	move_up(loop, timer->place);
	set_alarm(loop);
	return timer;
}

void loop_timer_cancel(struct loop_timer *timer)
{
	if (timer == NULL)
		return;
	struct loop *loop = timer->loop;
	take_out(timer);
	free(timer);
	if (loop->count == 0)
		set_alarm(loop);
}

void loop_turn_mark(struct loop *loop)
{
	if (loop->turn_began_us == 0)
		loop->turn_began_us = clock_mono_us();
}

int64_t loop_turn_began_us(struct loop *loop)
{
	loop_turn_mark(loop);
	return loop->turn_began_us;
}

int64_t loop_longest_stall_us(struct loop *loop, bool is_reset)
{
	int64_t longest_us = loop->longest_us;
	if (is_reset)
		loop->longest_us = 0;
	return longest_us;
}

void loop_get_stats(const struct loop *loop, struct loop_stats *ret_stats)
{
	*ret_stats = loop->stats;
}
