/*
 * A thread beside the loop for work that blocks (a commit waits for the disk). It runs one job at a
 * time; the loop goes on meanwhile and hears of the end. Tests that drive flows with
 * tests/lib/fake_loop.c link tests/lib/fake_worker.c in its place, which has no thread.
 *
 * Everything that a job touches belongs to it from worker_start until its done begins or
 * worker_wait returns; the two hand it over as a mutex would.
 */
#ifndef BASE_WORKER_H
#define BASE_WORKER_H

#include <stdbool.h>

struct err;
struct loop;
struct worker;

/* In the thread, where signals are blocked: must not touch the loop or whatever belongs to it. */
typedef void worker_fn(void *arg);
/* In the loop. */
typedef void worker_done_fn(void *arg);

/* loop is borrowed. ERR_SYSTEM: no thread or no descriptor can be had. */
struct worker *worker_new(struct loop *loop, struct err *err);
/* Waits for the job that runs; its done is not called. NULL is fine. */
void worker_free(struct worker *worker);

/* No other job may be under way: none whose done has not begun. */
void worker_start(struct worker *worker, worker_fn *work, worker_done_fn *done, void *arg);
bool worker_is_busy(const struct worker *worker); /* until the job's done begins */
/* Blocks until the job, if any, has run; its done still comes from the loop. */
void worker_wait(struct worker *worker);

#endif
