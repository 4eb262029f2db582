/*
 * Memory for jansson's trees. An answer becomes some ninety small objects that are read and freed
 * together within one turn of the loop, so they are laid end to end in a block and given back all
 * at once when the last of them is freed: wiped, because they may hold credentials.
 *
 * For the functions of json_set_alloc_funcs, in a process where every tree ends in the turn that it
 * began in (else memory is not given back) and one thread uses jansson.
 */
#ifndef BASE_JSON_MEMORY_H
#define BASE_JSON_MEMORY_H

#include <stddef.h>

void *json_memory_alloc(size_t size);
void json_memory_free(void *memory); /* NULL is fine */

/* For tests: bytes laid out and not given back yet; 0 when no tree is alive. */
size_t json_memory_used(void);

#endif
