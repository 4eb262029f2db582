#include "base/json_memory.h"

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
	ALIGNMENT = alignof(max_align_t),
	BLOCK_BYTES = 128 * 1024, /* more than nearly every answer needs; this much is kept */
};

struct block {
	struct block *below; /* owned; filled before this one */
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

static struct block *top; /* owned; NULL before the first use */
static size_t alive;	  /* objects */

static void push_block(size_t at_least)
{
	size_t size = at_least > BLOCK_BYTES ? at_least : BLOCK_BYTES;
	struct block *block = xmalloc(sizeof(*block) + size);
	block->below = top;
	block->size = size;
	block->used = 0;
	top = block;
}

void *json_memory_alloc(size_t size)
{
	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (top == NULL || top->size - top->used < size)
		push_block(size);
	void *memory = top->bytes + top->used;
	top->used += size;
	alive++;
	return memory;
}

/* Keeps one block of the usual size. */
static void give_back(void)
{
	while (top->below != NULL || top->size > BLOCK_BYTES) {
		struct block *block = top;
		top = block->below;
		mem_wipe(block->bytes, block->used);
		free(block);
		if (top == NULL)
			return;
	}
	mem_wipe(top->bytes, top->used);
	top->used = 0;
}

void json_memory_free(void *memory)
{
	if (memory == NULL)
		return;
	assert(alive > 0);
	if (--alive == 0)
		give_back();
}

size_t json_memory_used(void)
{
	size_t used = 0;
	for (const struct block *block = top; block != NULL; block = block->below)
		used += block->used;
	return used;
}
