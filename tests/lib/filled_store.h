/*
 * A store for fuzz targets, made once a process: what fill.h puts into it and certificates with odd
 * names, places and times. It lies in memory where there is /dev/shm, and its folder is gone at
 * once, so that a target that dies leaves nothing behind.
 */
#ifndef TESTS_LIB_FILLED_STORE_H
#define TESTS_LIB_FILLED_STORE_H

#include <stdint.h>

struct loop;
struct store;

/* As of SAMPLE_NOW_S. loop: borrowed, or NULL. Owned by the caller. */
struct store *filled_store_open(struct loop *loop, uint32_t certificates);

#endif
