/*
 * One queue a region; next() takes from the regions in turn. Whoever adds an account's regions
 * meets the turn wherever it stands, so accounts begin in different regions.
 */
#include "orgscope/agenda.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

struct queue {
	char region[32];
	size_t *account; /* owned; waiting ones are [head, count) */
	size_t head, count, capacity;
};

struct agenda {
	struct queue *queue; /* owned; one a region, in order of first sight */
	size_t queues, capacity;
	size_t turn;  /* the queue that is next */
	size_t count; /* waiting pairs over all */
};

struct agenda *agenda_new(void)
{
	return xcalloc(1, sizeof(struct agenda));
}

void agenda_free(struct agenda *agenda)
{
	if (agenda == NULL)
		return;
	for (size_t i = 0; i < agenda->queues; i++)
		free(agenda->queue[i].account);
	free(agenda->queue);
	free(agenda);
}

static struct queue *queue_of(struct agenda *agenda, const char *region)
{
	for (size_t i = 0; i < agenda->queues; i++) {
		if (strcmp(agenda->queue[i].region, region) == 0)
			return &agenda->queue[i];
	}
	agenda->queue =
		xgrow(agenda->queue, &agenda->capacity, agenda->queues, sizeof(*agenda->queue));
	struct queue *queue = &agenda->queue[agenda->queues++];
	*queue = (struct queue){.account = NULL};
	text_copy(queue->region, sizeof(queue->region), region);
	return queue;
}

void agenda_add(struct agenda *agenda, size_t account, const char *region)
{
	struct queue *queue = queue_of(agenda, region);
	if (queue->head == queue->count) {
		queue->head = queue->count = 0;
	} else if (queue->head > queue->count / 2) { /* reuse the room of those taken out */
		queue->count -= queue->head;
		memmove(queue->account, queue->account + queue->head,
			queue->count * sizeof(*queue->account));
		queue->head = 0;
	}
	queue->account =
		xgrow(queue->account, &queue->capacity, queue->count, sizeof(*queue->account));
	queue->account[queue->count++] = account;
	agenda->count++;
}

bool agenda_next(struct agenda *agenda, struct agenda_pair *ret_pair)
{
	if (agenda->count == 0)
		return false;
	struct queue *queue = &agenda->queue[agenda->turn % agenda->queues];
	while (queue->head == queue->count)
		queue = &agenda->queue[++agenda->turn % agenda->queues];
	ret_pair->account = queue->account[queue->head++];
	memcpy(ret_pair->region, queue->region, sizeof(ret_pair->region));
	agenda->turn = (agenda->turn + 1) % agenda->queues;
	agenda->count--;
	return true;
}

static size_t drop(struct queue *queue, size_t account)
{
	size_t kept = queue->head;
	for (size_t i = queue->head; i < queue->count; i++) {
		if (queue->account[i] != account)
			queue->account[kept++] = queue->account[i];
	}
	size_t dropped = queue->count - kept;
	queue->count = kept;
	return dropped;
}

size_t agenda_drop_account(struct agenda *agenda, size_t account)
{
	size_t dropped = 0;
	for (size_t i = 0; i < agenda->queues; i++)
		dropped += drop(&agenda->queue[i], account);
	agenda->count -= dropped;
	return dropped;
}

size_t agenda_count(const struct agenda *agenda)
{
	return agenda->count;
}
