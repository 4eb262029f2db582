/* See fake_lmdb.h. */
#include "tests/lib/fake_lmdb.h"

#include <dlfcn.h>
#include <lmdb.h>
#include <stdlib.h>

static enum fake_lmdb_call fail_call;
static size_t fail_in; /* 0: never */
static int fail_rc;
static int has_failed;
static size_t counts[FAKE_LMDB_CALLS];

void fake_lmdb_fail(enum fake_lmdb_call call, size_t n, int rc)
{
	fail_call = call;
	fail_in = n;
	fail_rc = rc;
	has_failed = 0;
}

size_t fake_lmdb_count(enum fake_lmdb_call call)
{
	return counts[call];
}

int fake_lmdb_has_failed(void)
{
	return has_failed;
}

void fake_lmdb_reset(void)
{
	fail_in = 0;
	has_failed = 0;
	for (size_t i = 0; i < FAKE_LMDB_CALLS; i++)
		counts[i] = 0;
}

/* 0: go on with the real one. */
static int note(enum fake_lmdb_call call)
{
	counts[call]++;
	if (fail_in == 0 ||
		(call != fail_call && (fail_call != FAKE_LMDB_CHANGE || call == FAKE_LMDB_BEGIN)))
		return 0;
	if (--fail_in > 0)
		return 0;
	has_failed = 1;
	return fail_rc;
}

/* ISO C has no conversion from an object's pointer to a function's; POSIX asks for one. */
static void find(const char *name, void *ret_function)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (found == NULL)
		abort();
	*(void **)ret_function = found;
}

int mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned flags, MDB_txn **ret_txn)
{
	int (*real)(MDB_env *, MDB_txn *, unsigned, MDB_txn **);
	find("mdb_txn_begin", &real);
	int rc = (flags & MDB_RDONLY) == 0 ? note(FAKE_LMDB_BEGIN) : 0;
	return rc != 0 ? rc : real(env, parent, flags, ret_txn);
}

int mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags)
{
	int (*real)(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *, unsigned);
	find("mdb_put", &real);
	int rc = note(FAKE_LMDB_PUT);
	return rc != 0 ? rc : real(txn, dbi, key, data, flags);
}

int mdb_del(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data)
{
	int (*real)(MDB_txn *, MDB_dbi, MDB_val *, MDB_val *);
	find("mdb_del", &real);
	int rc = note(FAKE_LMDB_DEL);
	return rc != 0 ? rc : real(txn, dbi, key, data);
}

int mdb_txn_commit(MDB_txn *txn)
{
	int (*real)(MDB_txn *);
	void (*abort_txn)(MDB_txn *);
	find("mdb_txn_commit", &real);
	find("mdb_txn_abort", &abort_txn);
	int rc = note(FAKE_LMDB_COMMIT);
	if (rc == 0)
		return real(txn);
	abort_txn(txn);
	return rc;
}
