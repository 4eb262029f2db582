/*
 * Memory for libraries that carry secrets and let their allocator be replaced
 * (secret_process_init, curl_global_init_mem): it is wiped when it is given back. Unlike those of
 * mem.h these functions answer NULL when there is no memory.
 *
 * Libraries take and give back the same few buffers of 1 to 20 KB with every request (TLS records,
 * what libcurl reads into), which malloc serves slowly and from cold memory. So a few wiped ones of
 * each size are kept, by each thread for itself.
 *
 * free() may take what came from here where nothing secret was in it, and mem_wiping_free() what
 * came from malloc, calloc and strdup.
 */
#ifndef BASE_MEM_WIPING_H
#define BASE_MEM_WIPING_H

#include <stddef.h>

void *mem_wiping_alloc(size_t size);
void *mem_wiping_realloc(void *memory, size_t size);
void mem_wiping_free(void *memory);

#endif
