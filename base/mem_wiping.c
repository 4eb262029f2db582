#include "base/mem_wiping.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
	KEPT_STEP = 1024, /* sizes of one class; below the first, malloc's own cache is as good */
	KEPT_CLASSES = 20,
	KEPT_MAX = 8, /* blocks of a class: as many as requests that are handled side by side */
};

/* Blocks of class c hold at least c * KEPT_STEP bytes, all zero. */
struct kept {
	void *block[KEPT_MAX]; /* owned */
	size_t count;
};

static _Thread_local struct kept kept[KEPT_CLASSES + 1];

void *mem_wiping_alloc(size_t size)
{
	if (size <= KEPT_STEP || size > (size_t)KEPT_CLASSES * KEPT_STEP)
		return malloc(size);
	size_t class = (size + KEPT_STEP - 1) / KEPT_STEP;
	struct kept *same = &kept[class];
	if (same->count > 0)
		return same->block[--same->count];
	return malloc(class * KEPT_STEP);
}

void mem_wiping_free(void *memory)
{
	if (memory == NULL)
		return;
	size_t usable = malloc_usable_size(memory), class = usable / KEPT_STEP;
	mem_wipe(memory, usable);
	if (class >= 1 && class <= KEPT_CLASSES && kept[class].count < KEPT_MAX)
		kept[class].block[kept[class].count++] = memory;
	else
		free(memory);
}

void *mem_wiping_realloc(void *memory, size_t size)
{
	if (memory == NULL)
		return mem_wiping_alloc(size);
	size_t usable = malloc_usable_size(memory);
	if (size > 0 && size <= usable)
		return memory; /* its old end is wiped when it is freed */
	void *grown = NULL;
	if (size > 0) {
		grown = mem_wiping_alloc(size);
		if (grown == NULL)
			return NULL;
		memcpy(grown, memory, usable);
	}
	mem_wiping_free(memory);
	return grown;
}
