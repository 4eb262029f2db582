/* See fake_store_queue.h. Counts are the process's: a test program has one store at a time. */
#include "tests/lib/fake_store_queue.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/loop.h"
#include "base/mem.h"
#include "store/store_internal.h"

struct store_write {
	TAILQ_ENTRY(store_write) link;
	struct store_queue *queue; /* borrowed */
	struct loop_timer *timer;  /* owned; NULL while it runs */
	store_write_fn *write;
	void *write_arg; /* borrowed */
	store_done_fn *done;
	void *done_arg; /* borrowed */
};

struct store_queue {
	struct store *store; /* borrowed */
	TAILQ_HEAD(, store_write) waiting;
};

static size_t fail_in; /* 0: never */
static bool fails_on;  /* and all that follow */
static enum err_kind fail_kind;
static size_t ended, cancelled, waiting;

void fake_store_fail_at(size_t n, enum err_kind kind)
{
	fail_in = n;
	fail_kind = kind;
	fails_on = false;
}

void fake_store_fail_from(size_t n, enum err_kind kind)
{
	fake_store_fail_at(n, kind);
	fails_on = true;
}

size_t fake_store_write_count(void)
{
	return ended;
}

size_t fake_store_cancel_count(void)
{
	return cancelled;
}

size_t fake_store_waiting_count(void)
{
	return waiting;
}

void fake_store_reset(void)
{
	fail_in = 0;
	ended = cancelled = 0;
}

/* What the real queue may do as well: runs the function and throws its work away. */
static void run_in_vain(struct store_write *write)
{
	struct err err = ERR_INIT;
	struct store_txn txn;
	if (txn_begin(write->queue->store, true, &txn, &err) != 0)
		return;
	write->write(&txn, write->write_arg);
	txn_abort(&txn);
}

static int run(struct store_write *write, struct err *err)
{
	run_in_vain(write);
	if (fail_in > 0 && --fail_in == 0) {
		fail_in = fails_on;
		return err_set(err, fail_kind, "fake_store_queue: told to fail");
	}
	return store_write_now(write->queue->store, write->write, write->write_arg, err);
}

static void take_out(struct store_write *write)
{
	TAILQ_REMOVE(&write->queue->waiting, write, link);
	waiting--;
}

static void on_timer(void *arg)
{
	struct store_write *write = arg;
	struct err err = ERR_INIT;
	write->timer = NULL;
	take_out(write);
	int rc = run(write, &err);
	ended++;
	write->done(write->done_arg, rc != 0 ? &err : NULL);
	free(write);
}

struct store_queue *queue_new(struct store *store, struct err *err)
{
	(void)err;
	struct store_queue *queue = xcalloc(1, sizeof(*queue));
	queue->store = store;
	TAILQ_INIT(&queue->waiting);
	return queue;
}

void queue_get_stats(const struct store_queue *queue, struct store_stats *stats)
{
	(void)queue, (void)stats;
}

void queue_wait(struct store_queue *queue)
{
	(void)queue; /* each write runs and ends in one turn */
}

void queue_free(struct store_queue *queue)
{
	if (queue == NULL)
		return;
	struct store_write *write;
	while ((write = TAILQ_FIRST(&queue->waiting)) != NULL) {
		struct err err = ERR_INIT;
		loop_timer_cancel(write->timer);
		take_out(write);
		(void)run(write, &err); /* nobody is left to be told, as in the real one */
		free(write);
	}
	free(queue);
}

struct store_write *store_write_start(struct store *store, store_write_fn *write, void *write_arg,
	store_done_fn *done, void *done_arg)
{
	assert(store->queue != NULL);
	struct store_write *started = xcalloc(1, sizeof(*started));
	*started = (struct store_write){
		.queue = store->queue,
		.write = write,
		.write_arg = write_arg,
		.done = done,
		.done_arg = done_arg,
	};
	TAILQ_INSERT_TAIL(&store->queue->waiting, started, link);
	waiting++;
	started->timer = loop_timer_start(store->loop, 0, on_timer, started);
	return started;
}

void store_write_cancel(struct store_write *write)
{
	if (write == NULL)
		return;
	loop_timer_cancel(write->timer);
	take_out(write);
	cancelled++;
	free(write);
}
