/*
 * The event loop, one thread, and the contract of every asynchronous operation in this tree:
 *
 * 1. x_start() returns a handle, never fails and never calls back. A failure to begin arrives
 *    through `done`, from the loop.
 * 2. A handle lives from start until `done` begins or x_cancel() returns; exactly one happens.
 * 3. `done(arg, result, err)` is the operation's last act before it frees itself. Result and err
 *    are borrowed for the call; err is NULL on success. The owner first sets its handle to NULL.
 * 4. x_cancel(NULL) does nothing; after cancel no callback comes. Destroying a parent cancels its
 *    children first, so that shutdown is a walk down the tree.
 * 5. No libcurl or libevent callback runs a flow directly (see http.h).
 * 6. A store transaction never spans a wait.
 *
 * Everything else posts work to the loop with a timer of 0 ms. Tests link tests/lib/fake_loop.c in
 * place of loop.c: its timers follow the fake clock.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct loop;
struct loop_timer;
struct event_base;

typedef void loop_timer_fn(void *arg);

struct loop *loop_new(struct err *err); /* ERR_SYSTEM */
void loop_free(struct loop *loop);	/* NULL is fine; all timers must be gone */
void loop_run(struct loop *loop);	/* until loop_stop, or nothing is left to wait for */
void loop_stop(struct loop *loop);
struct event_base *loop_event_base(struct loop *loop); /* borrowed */

/* One shot; the handle ends when fn begins. delay_ms >= 0; 0 runs from the loop, next turn, in the
 * order started. */
struct loop_timer *loop_timer_start(
	struct loop *loop, int64_t delay_ms, loop_timer_fn *fn, void *arg);
void loop_timer_cancel(struct loop_timer *timer);

/* Longest time in microseconds that the loop spent in one turn of callbacks (not waiting) since the
 * last call with is_reset. A turn counts from its first timer or loop_turn_mark. */
int64_t loop_longest_stall_us(struct loop *loop, bool is_reset);

/* Since loop_new. A turn that takes longer than LOOP_STALL_US is a stall: others waited for it. */
enum { LOOP_STALL_US = 100000 };
struct loop_stats {
	int64_t turns, busy_us; /* with callbacks of ours, and how long these took */
	int64_t stalls;
};
void loop_get_stats(const struct loop *loop, struct loop_stats *ret_stats);

/* To be called first in each libevent callback of ours (a socket's, a request's of evhttp):
 * libevent does not tell when its wait ends. */
void loop_turn_mark(struct loop *loop);

/* When this turn began, monotonic microseconds: tells turns apart for who does only so much in
 * each, so that others get theirs. */
int64_t loop_turn_began_us(struct loop *loop);

#endif
