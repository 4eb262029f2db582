/*
 * A loop without sockets whose timers follow the fake clock; linked in place of base/loop.c, always
 * together with tests/lib/fake_clock.o. Timers run when a test says so, in the order in which they
 * are due, ties in the order started. There is one queue of timers: all loops of a test share it.
 *
 *   struct loop *loop = loop_new(&err);      never fails
 *   x_start(..., loop, ...);
 *   fake_loop_run_ready();                   what was posted runs, and what that posts
 *   fake_loop_advance_ms(30000);             time passes, timer by timer
 *   assert_int_equal(fake_loop_timer_count(), 0);
 *   loop_free(loop);
 *
 * loop_run does the same until nothing is left or loop_stop: it never waits, it moves the clock.
 */
#ifndef TESTS_LIB_FAKE_LOOP_H
#define TESTS_LIB_FAKE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs every timer that is due now, and those that these start without delay, until none is. More
 * than a million timers without time passing are an endless loop: it aborts. */
void fake_loop_run_ready(void);

/* Runs the next timer alone, moving the clock to its moment; false: there is none. For tests that
 * stop a flow at every turn. */
bool fake_loop_step(void);

/* Lets ms pass: moves the fake clock to each timer's moment in turn and runs it there. */
void fake_loop_advance_ms(int64_t ms);

/* Timers that are waiting; 0 at the end of a test shows that nothing was left behind. */
size_t fake_loop_timer_count(void);

/* Milliseconds until the next timer is due, 0 when one is due now; -1: none. */
int64_t fake_loop_next_ms(void);

#endif
