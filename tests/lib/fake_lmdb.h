/*
 * LMDB that fails when a test says so: these definitions stand before those of the library, which
 * they call. Link tests/lib/fake_lmdb.o.
 *
 *   fake_lmdb_fail(FAKE_LMDB_PUT, 3, ENOSPC);   the third mdb_put from now on fails, once
 */
#ifndef TESTS_LIB_FAKE_LMDB_H
#define TESTS_LIB_FAKE_LMDB_H

#include <stddef.h>

enum fake_lmdb_call {
	FAKE_LMDB_BEGIN, /* of a write */
	FAKE_LMDB_PUT,
	FAKE_LMDB_DEL,
	FAKE_LMDB_COMMIT, /* a failing one ends the transaction, as the real one does */
	FAKE_LMDB_CALLS,
	FAKE_LMDB_CHANGE, /* put, del or commit, whichever comes */
};

void fake_lmdb_fail(enum fake_lmdb_call call, size_t n, int rc);
/* Calls since the last reset. */
size_t fake_lmdb_count(enum fake_lmdb_call call);
/* Whether the planned failure happened. */
int fake_lmdb_has_failed(void);
void fake_lmdb_reset(void);

#endif
