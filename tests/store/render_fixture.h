/* What is rendered from a store (store_fixture.h, one for all tests of a program), as text and as rows. */
#ifndef TESTS_STORE_RENDER_FIXTURE_H
#define TESTS_STORE_RENDER_FIXTURE_H

#include <jansson.h>

#include "store/render.h"
#include "tests/lib/temp_store.h"

enum { DAY_S = 86400, NOW_S = SAMPLE_NOW_S, TEXT_MAX = 1 << 20 };

/* How one value is rendered. */
typedef void render_fn(struct json_writer *writer, struct store_txn *txn, void *arg);

/* put: what is written to the store before; NULL: nothing. Owned by the caller. */
char *rendered(store_write_fn *put, render_fn *render, void *arg);
json_t *rendered_row(store_write_fn *put, render_fn *render, void *arg);
void member_is(const json_t *row, const char *key, const char *json);

#endif
