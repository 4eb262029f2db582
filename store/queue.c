/*
 * The queue of writes: groups form for STORE_GROUP_MS or until there are STORE_GROUP_MAX writes,
 * run and commit in one turn of the loop (group.c), then each write's done is called in order.
 *
 *   write_start -> waiting --(timer)--> group_run -> finished -> done
 *
 * A write is in exactly one of the two lists until its done begins or it is cancelled, whatever a
 * done does meanwhile: start others, cancel others of the same group.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/loop.h"
#include "base/mem.h"
#include "store/store_internal.h"

TAILQ_HEAD(write_list, store_write);

struct store_write {
	TAILQ_ENTRY(store_write) link;
	struct store_queue *queue; /* borrowed */
	bool is_finished;	   /* in `finished`, else in `waiting` */
	struct group_write run;
	store_done_fn *done;
	void *done_arg; /* borrowed */
};

struct store_queue {
	struct store *store; /* borrowed */
	struct write_list waiting;
	size_t waiting_count;
	struct write_list finished;
	struct loop_timer *timer; /* owned; NULL while nothing waits or a group runs */
	bool is_full_timer;	  /* the timer is set to run at once */
};

static void on_timer(void *arg);

/* A first write waits for others to come; a full group or a rest does not. */
static void set_timer(struct store_queue *queue, bool is_at_once)
{
	if (queue->waiting_count == 0 || (queue->timer != NULL && !is_at_once) ||
		(queue->timer != NULL && queue->is_full_timer))
		return;
	loop_timer_cancel(queue->timer);
	queue->timer = loop_timer_start(
		queue->store->loop, is_at_once ? 0 : STORE_GROUP_MS, on_timer, queue);
	queue->is_full_timer = is_at_once;
}

/* Runs the first writes that wait and moves them to `finished`. */
static void run_group(struct store_queue *queue)
{
	struct group_write *group[STORE_GROUP_MAX];
	size_t count = 0;
	struct store_write *write;
	TAILQ_FOREACH(write, &queue->waiting, link)
	{
		if (count == STORE_GROUP_MAX)
			break;
		group[count++] = &write->run;
	}
	size_t handled = group_run(queue->store, group, count);
	for (size_t i = 0; i < handled; i++) {
		write = TAILQ_FIRST(&queue->waiting);
		TAILQ_REMOVE(&queue->waiting, write, link);
		queue->waiting_count--;
		write->is_finished = true;
		TAILQ_INSERT_TAIL(&queue->finished, write, link);
	}
}

static void deliver(struct store_queue *queue)
{
	struct store_write *write;
	while ((write = TAILQ_FIRST(&queue->finished)) != NULL) {
		TAILQ_REMOVE(&queue->finished, write, link);
		write->done(write->done_arg, write->run.is_failed ? &write->run.err : NULL);
		free(write);
	}
}

static void on_timer(void *arg)
{
	struct store_queue *queue = arg;
	queue->timer = NULL;
	run_group(queue);
	set_timer(queue, true); /* what is left has waited already */
	deliver(queue);
}

struct store_queue *queue_new(struct store *store)
{
	struct store_queue *queue = xcalloc(1, sizeof(*queue));
	queue->store = store;
	TAILQ_INIT(&queue->waiting);
	TAILQ_INIT(&queue->finished);
	return queue;
}

void queue_free(struct store_queue *queue)
{
	if (queue == NULL)
		return;
	loop_timer_cancel(queue->timer);
	while (queue->waiting_count > 0)
		run_group(queue);
	struct store_write *write;
	while ((write = TAILQ_FIRST(&queue->finished)) != NULL) {
		TAILQ_REMOVE(&queue->finished, write, link);
		free(write);
	}
	free(queue);
}

struct store_write *store_write_start(struct store *store, store_write_fn *write, void *write_arg,
	store_done_fn *done, void *done_arg)
{
	struct store_queue *queue = store->queue;
	assert(queue != NULL);
	struct store_write *started = xcalloc(1, sizeof(*started));
	started->queue = queue;
	started->run = (struct group_write){.write = write, .arg = write_arg, .err = ERR_INIT};
	started->done = done;
	started->done_arg = done_arg;
	TAILQ_INSERT_TAIL(&queue->waiting, started, link);
	queue->waiting_count++;
	set_timer(queue, queue->waiting_count >= STORE_GROUP_MAX);
	return started;
}

void store_write_cancel(struct store_write *write)
{
	if (write == NULL)
		return;
	struct store_queue *queue = write->queue;
	if (write->is_finished) {
		TAILQ_REMOVE(&queue->finished, write, link);
	} else {
		TAILQ_REMOVE(&queue->waiting, write, link);
		queue->waiting_count--;
	}
	if (queue->waiting_count == 0) {
		loop_timer_cancel(queue->timer);
		queue->timer = NULL;
	}
	free(write);
}
