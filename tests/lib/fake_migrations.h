/*
 * Migrations of a schema that never was, linked in place of store/migrations.c: schema 0 kept a unit
 * as "parent/name", without a version. A unit without a slash makes the step fail half-way.
 */
#ifndef TESTS_LIB_FAKE_MIGRATIONS_H
#define TESTS_LIB_FAKE_MIGRATIONS_H

struct store_txn;

/* Makes a store of schema 0 out of an open one; for store_write_now. */
void fake_migrations_put_old(struct store_txn *txn, void *arg);
void fake_migrations_put_damaged(struct store_txn *txn, void *arg);

#endif
