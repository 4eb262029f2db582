/*
 * Packed lists of texts: NUL-terminated, one behind the other, so that a record can hold a list and
 * a reader can walk it in the map without copying.
 */
#ifndef STORE_PACK_H
#define STORE_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct pack {
	const char *bytes; /* borrowed; count texts, each with its NUL */
	size_t len;
	uint32_t count;
};

/* Appends a text to a pack under construction (text and its NUL). The caller keeps count. */
void pack_add(struct buf *to, const char *text);

/* First text, or NULL when empty; then each next one, or NULL after the last. */
const char *pack_first(const struct pack *pack);
const char *pack_next(const struct pack *pack, const char *current);

/* For a list of keys, each followed by its value: the next pair (key, in: NULL for the first one),
 * or false after the last. A key without a value is none. */
bool pack_next_pair(const struct pack *pack, const char **key, const char **value);

#endif
