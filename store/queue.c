/*
 * The queue of writes: groups form for STORE_GROUP_MS or until there are STORE_GROUP_MAX writes;
 * after a quiet time the first few go at once, so that writes which follow from one another, each
 * alone, do not wait for company that never comes. A group runs and commits in the store's thread
 * (group.c), one after the other, while the loop serves others; then each write's done is called in
 * order.
 *
 *   write_start -> WAITING --(timer)--> RUNNING --(committed)--> FINISHED -> done
 *                     ^                    |
 *                     +--------------------+ the group's time was used up before its turn
 *
 * A write is in the list of its state until its done begins or it is cancelled, whatever a done
 * does meanwhile: start others, cancel others of the same group. Cancelling one that runs waits for
 * the group, because its function may be reading what the owner is about to free.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/worker.h"
#include "store/store_internal.h"

enum write_state { WAITING, RUNNING, FINISHED, WRITE_STATES };

TAILQ_HEAD(write_list, store_write);

struct store_write {
	TAILQ_ENTRY(store_write) link;
	struct store_queue *queue; /* borrowed */
	enum write_state state;
	int64_t started_mono_ms;
	struct group_write run; /* the thread's while RUNNING */
	store_done_fn *done;
	void *done_arg; /* borrowed */
};

struct store_queue {
	struct store *store; /* borrowed */
	struct write_list list[WRITE_STATES];
	size_t waiting_count;
	struct loop_timer *timer; /* owned; NULL while nothing waits or a group runs */
	bool is_full_timer;	  /* the timer is set to run at once */
	int early_left;		  /* groups that may still go at once; as of early_mono_ms */
	int64_t early_mono_ms;
	struct worker *worker; /* owned */
	/* The thread's while the worker runs. */
	struct group_write *group[STORE_GROUP_MAX];
	size_t group_count, handled;
};

static void on_timer(void *arg);

static void move(struct store_write *write, enum write_state state, bool is_first)
{
	struct store_queue *queue = write->queue;
	TAILQ_REMOVE(&queue->list[write->state], write, link);
	queue->waiting_count -= write->state == WAITING;
	queue->waiting_count += state == WAITING;
	write->state = state;
	if (is_first)
		TAILQ_INSERT_HEAD(&queue->list[state], write, link);
	else
		TAILQ_INSERT_TAIL(&queue->list[state], write, link);
}

static void drop(struct store_write *write)
{
	TAILQ_REMOVE(&write->queue->list[write->state], write, link);
	write->queue->waiting_count -= write->state == WAITING;
	free(write);
}

/* One early group comes back each STORE_GROUP_MS. */
static bool may_go_early(struct store_queue *queue)
{
	int64_t now_ms = clock_mono_ms(),
		came_back = (now_ms - queue->early_mono_ms) / STORE_GROUP_MS;
	queue->early_mono_ms += came_back * STORE_GROUP_MS;
	if (came_back >= STORE_EARLY_GROUPS - queue->early_left)
		queue->early_left = STORE_EARLY_GROUPS;
	else
		queue->early_left += (int)came_back;
	return queue->early_left > 0;
}

/* A first write waits for others to come, unless it was quiet; a full group or a rest does not.
 * While a group runs no timer is needed: its end starts the next. */
static void set_timer(struct store_queue *queue, bool is_at_once)
{
	if (queue->waiting_count == 0 || worker_is_busy(queue->worker) ||
		(queue->timer != NULL && (!is_at_once || queue->is_full_timer)))
		return;
	if (!is_at_once && may_go_early(queue)) {
		queue->early_left--;
		is_at_once = true;
	}
	loop_timer_cancel(queue->timer);
	queue->timer = loop_timer_start(
		queue->store->loop, is_at_once ? 0 : STORE_GROUP_MS, on_timer, queue);
	queue->is_full_timer = is_at_once;
}

/* --- a group ---------------------------------------------------------------------------------- */

static void form_group(struct store_queue *queue)
{
	struct store_write *write;
	queue->group_count = 0;
	while (queue->group_count < STORE_GROUP_MAX &&
		(write = TAILQ_FIRST(&queue->list[WAITING])) != NULL) {
		move(write, RUNNING, false);
		queue->group[queue->group_count++] = &write->run;
	}
}

/* In the thread. */
static void run_group(void *arg)
{
	struct store_queue *queue = arg;
	queue->handled = group_run(queue->store, queue->group, queue->group_count);
}

/* Takes the group back from the thread; does nothing when it was taken back before. */
static void take_group(struct store_queue *queue)
{
	struct store_write *write;
	for (size_t i = 0; i < queue->handled; i++)
		move(TAILQ_FIRST(&queue->list[RUNNING]), FINISHED, false);
	queue->handled = 0;
	while ((write = TAILQ_LAST(&queue->list[RUNNING], write_list)) != NULL)
		move(write, WAITING, true);
}

static void deliver(struct store_queue *queue)
{
	struct store_write *write;
	while ((write = TAILQ_FIRST(&queue->list[FINISHED])) != NULL) {
		TAILQ_REMOVE(&queue->list[FINISHED], write, link);
		write->done(write->done_arg, write->run.is_failed ? &write->run.err : NULL);
		free(write);
	}
}

static void on_group(void *arg)
{
	struct store_queue *queue = arg;
	bool has_rest = queue->handled < queue->group_count;
	take_group(queue);
	set_timer(queue, has_rest || queue->waiting_count >= STORE_GROUP_MAX);
	deliver(queue);
}

static void on_timer(void *arg)
{
	struct store_queue *queue = arg;
	queue->timer = NULL;
	form_group(queue);
	worker_start(queue->worker, run_group, on_group, queue);
}

/* --- life ------------------------------------------------------------------------------------- */

struct store_queue *queue_new(struct store *store, struct err *err)
{
	struct worker *worker = worker_new(store->loop, err);
	if (worker == NULL)
		return NULL;
	struct store_queue *queue = xcalloc(1, sizeof(*queue));
	queue->store = store;
	queue->early_left = STORE_EARLY_GROUPS;
	queue->early_mono_ms = clock_mono_ms();
	queue->worker = worker;
	for (int state = 0; state < WRITE_STATES; state++)
		TAILQ_INIT(&queue->list[state]);
	return queue;
}

/* Those that run were first, and go back to the front when they have to wait again. */
void queue_get_stats(const struct store_queue *queue, struct store_stats *stats)
{
	const struct store_write *write;
	TAILQ_FOREACH(write, &queue->list[RUNNING], link)
	{
		stats->waiting_writes++;
	}
	stats->waiting_writes += (int64_t)queue->waiting_count;
	write = TAILQ_FIRST(&queue->list[RUNNING]);
	if (write == NULL)
		write = TAILQ_FIRST(&queue->list[WAITING]);
	if (write != NULL)
		stats->oldest_write_ms = clock_mono_ms() - write->started_mono_ms;
}

void queue_wait(struct store_queue *queue)
{
	if (queue != NULL)
		worker_wait(queue->worker);
}

void queue_free(struct store_queue *queue)
{
	if (queue == NULL)
		return;
	loop_timer_cancel(queue->timer);
	worker_free(queue->worker);
	take_group(queue);
	while (queue->waiting_count > 0) {
		form_group(queue);
		run_group(queue);
		take_group(queue);
	}
	struct store_write *write;
	while ((write = TAILQ_FIRST(&queue->list[FINISHED])) != NULL) {
		TAILQ_REMOVE(&queue->list[FINISHED], write, link);
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
	started->started_mono_ms = clock_mono_ms();
	started->run = (struct group_write){.write = write, .arg = write_arg, .err = ERR_INIT};
	started->done = done;
	started->done_arg = done_arg;
	TAILQ_INSERT_TAIL(&queue->list[WAITING], started, link);
	queue->waiting_count++;
	set_timer(queue, queue->waiting_count >= STORE_GROUP_MAX);
	return started;
}

void store_write_cancel(struct store_write *write)
{
	if (write == NULL)
		return;
	struct store_queue *queue = write->queue;
	if (write->state == RUNNING) {
		assert(queue->store->open_reads == 0); /* the map could not grow */
		worker_wait(queue->worker);
		take_group(queue);
	}
	drop(write);
	if (queue->waiting_count == 0) {
		loop_timer_cancel(queue->timer);
		queue->timer = NULL;
	}
}
