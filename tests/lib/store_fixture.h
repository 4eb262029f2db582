/* The store of a test program whose tests have one each, in a folder of its own. */
#ifndef TESTS_LIB_STORE_FIXTURE_H
#define TESTS_LIB_STORE_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

extern char *folder;	    /* of the test that runs */
extern struct store *store; /* open while it runs */

/* cmocka's setup and teardown. At its end a store must be whole, unless the test damages it. */
int store_fixture_open(void **state);
int store_fixture_close(void **state);
int store_fixture_close_damaged(void **state);
/* In place of store_fixture_open: store_write_start works, too. loop is borrowed. */
void store_fixture_open_with(struct loop *loop);
/* The folder alone, for a test that opens what it wants in it. */
int store_fixture_make_folder(void **state);
int store_fixture_remove_folder(void **state);

/* Both must succeed. arg: for write, which does not change it. */
void store_fixture_write(store_write_fn *write, const void *arg);
struct store_txn *store_fixture_read(void); /* store_read_end */
bool store_fixture_has(uint32_t number);    /* the certificate of sample_cert_put */

#endif
