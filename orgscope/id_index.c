/* Binary search over sorted positions; see id_index.h. */
#include "orgscope/id_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The first place whose id is not below id; *ret_is_equal: it is that id. */
static size_t search(const struct id_index *index, const void *array, size_t item_size,
	const char *id, bool *ret_is_equal)
{
	size_t low = 0, high = index->count;
	*ret_is_equal = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp((const char *)array + index->position[middle] * item_size, id);
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
			*ret_is_equal = order == 0;
		}
	}
	return low;
}

bool id_index_find(const struct id_index *index, const void *array, size_t item_size,
	const char *id, size_t *ret_position)
{
	bool is_equal;
	size_t place = search(index, array, item_size, id, &is_equal);
	if (is_equal)
		*ret_position = index->position[place];
	return is_equal;
}

void id_index_add(struct id_index *index, const void *array, size_t item_size, size_t position)
{
	bool is_equal;
	const char *id = (const char *)array + position * item_size;
	size_t place = search(index, array, item_size, id, &is_equal);
	assert(!is_equal && position <= UINT32_MAX);
	index->position =
		xgrow(index->position, &index->capacity, index->count, sizeof(*index->position));
	memmove(index->position + place + 1, index->position + place,
		(index->count - place) * sizeof(*index->position));
	index->position[place] = (uint32_t)position;
	index->count++;
}

void id_index_clear(struct id_index *index)
{
	free(index->position);
	*index = (struct id_index){.position = NULL};
}
