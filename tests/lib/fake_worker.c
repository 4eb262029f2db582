/*
 * Replaces base/worker.c where the loop is tests/lib/fake_loop.c: a job runs in a turn of the loop
 * (or in worker_wait, as the real one may have run by then), its done in the next.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/loop.h"
#include "base/mem.h"
#include "base/worker.h"

struct worker {
	struct loop *loop;	  /* borrowed */
	struct loop_timer *timer; /* owned; until the job has run, then until its done */
	bool is_busy;
	worker_fn *work; /* NULL: has run */
	worker_done_fn *done;
	void *arg;
};

struct worker *worker_new(struct loop *loop, struct err *err)
{
	(void)err;
	struct worker *worker = xcalloc(1, sizeof(*worker));
	worker->loop = loop;
	return worker;
}

void worker_free(struct worker *worker)
{
	if (worker == NULL)
		return;
	worker_wait(worker);
	loop_timer_cancel(worker->timer);
	free(worker);
}

static void on_done(void *arg)
{
	struct worker *worker = arg;
	worker->timer = NULL;
	worker->is_busy = false;
	worker->done(worker->arg);
}

static void run(struct worker *worker)
{
	worker_fn *work = worker->work;
	worker->work = NULL;
	worker->timer = loop_timer_start(worker->loop, 0, on_done, worker);
	work(worker->arg);
}

static void on_run(void *arg)
{
	struct worker *worker = arg;
	worker->timer = NULL;
	run(worker);
}

void worker_start(struct worker *worker, worker_fn *work, worker_done_fn *done, void *arg)
{
	assert(!worker->is_busy);
	worker->is_busy = true;
	worker->work = work;
	worker->done = done;
	worker->arg = arg;
	worker->timer = loop_timer_start(worker->loop, 0, on_run, worker);
}

bool worker_is_busy(const struct worker *worker)
{
	return worker->is_busy;
}

void worker_wait(struct worker *worker)
{
	if (worker->work == NULL)
		return;
	loop_timer_cancel(worker->timer);
	run(worker);
}
