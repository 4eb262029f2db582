/* The steps from one schema to the next. tests/lib/fake_migrations.c shows one that rewrites. */
#include "store/store_internal.h"

/* Plans, jobs and the vault: tables of their own, which are made before any step runs. */
static void add_delivery(struct store_txn *txn)
{
	(void)txn;
}

/* Alerts: the same. */
static void add_alerts(struct store_txn *txn)
{
	(void)txn;
}

const struct migration migrations[] = {
	{.from = 1, .to = 2, .run = add_delivery},
	{.from = 2, .to = 3, .run = add_alerts},
	{.from = 0, .to = 0, .run = NULL},
};
