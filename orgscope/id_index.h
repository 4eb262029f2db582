/*
 * Finds items of a growing array by id. The index holds positions, so the array may move; items
 * begin with their id, a text in place (struct scope_unit, struct scope_account).
 */
#ifndef ORGSCOPE_ID_INDEX_H
#define ORGSCOPE_ID_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_index {
	uint32_t *position; /* owned; in order of id */
	size_t count, capacity;
};

/* array: the items that were added, item_size bytes each. */
bool id_index_find(const struct id_index *index, const void *array, size_t item_size,
	const char *id, size_t *ret_position);

/* The item at position, whose id the index does not have yet (asserted). */
void id_index_add(struct id_index *index, const void *array, size_t item_size, size_t position);

void id_index_clear(struct id_index *index); /* zeroed is fine */

#endif
