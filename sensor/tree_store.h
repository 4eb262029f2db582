/*
 * Writes what a walk of the organization found: units, accounts (with events for those that
 * appeared, changed or left), and the coverage of accounts that are not visited. In chunks, so
 * that ten thousand accounts do not make one long commit. An account is gone when two walks in a
 * row did not list it; after the first its state is MISSING.
 *
 *   start -> UNITS -> ACCOUNTS -> MISSING -(chunk after chunk)-> GONE -(one by one)-> done
 */
#ifndef SENSOR_TREE_STORE_H
#define SENSOR_TREE_STORE_H

struct config_connector;
struct err;
struct loop;
struct overlap;
struct scope;
struct store;
struct tree_store;

struct tree_store_options {
	struct loop *loop;		       /* borrowed */
	struct store *store;		       /* borrowed */
	const struct config_connector *config; /* borrowed until the end */
	const struct overlap *overlap;	       /* borrowed until the end */
	/* Borrowed until the end. Accounts that an earlier connector covers become excluded. */
	struct scope *scope;
};

/* err: of the store. */
typedef void tree_store_done_fn(void *arg, const struct err *err);
struct tree_store *tree_store_start(
	const struct tree_store_options *options, tree_store_done_fn *done, void *arg);
void tree_store_cancel(struct tree_store *tree);

#endif
