/*
 * A queue of writes that fails when a test says so; linked in place of store/queue.c (and with the
 * real rest of store/, on a real store in a temporary folder). Each write runs alone, in its own
 * transaction, in the order started, from the loop with a timer of 0 ms; done follows in the same
 * turn. Works with base/loop.c and with tests/lib/fake_loop.c.
 *
 *   fake_store_fail_at(2, ERR_STORE_FULL);   the second write from now fails, once
 *   x_start(..., store, ...);
 *   fake_loop_run_ready();
 *   assert_int_equal(fake_store_write_count(), 2);
 *
 * A write that is to fail is run, to show that it may be run and rolled back, and its work thrown
 * away: the store is as it was. Every other write is run twice, the first time rolled back too: a
 * write function that changes anything but the transaction shows.
 */
#ifndef TESTS_LIB_FAKE_STORE_QUEUE_H
#define TESTS_LIB_FAKE_STORE_QUEUE_H

#include <stddef.h>

#include "base/err.h"

/* The n-th write that runs from now on (1: the next) fails with an error of that kind. 0: none. */
void fake_store_fail_at(size_t n, enum err_kind kind);
/* The same for all that follow too, until one of the two is called again: a disk that is full. */
void fake_store_fail_from(size_t n, enum err_kind kind);

/* Writes that ended (done was called) since the last reset, failed ones included. */
size_t fake_store_write_count(void);
/* Writes that were cancelled before they ran. */
size_t fake_store_cancel_count(void);
/* Writes that wait. */
size_t fake_store_waiting_count(void);

/* Forgets counts and planned failures; for the setup of a test. */
void fake_store_reset(void);

#endif
