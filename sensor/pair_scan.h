/*
 * One account-region to its coverage state: the scan, when it fails on credentials the question
 * whether the region is enabled at all, and the record of what came out.
 *
 *   start -> SCAN -(read: recorded in the scan's own write)------------> done
 *              |-(keys unknown there)-> PROBE ---+                        ^
 *              +-(any other error)---------------+-> RECORD --------------+
 */
#ifndef SENSOR_PAIR_SCAN_H
#define SENSOR_PAIR_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "store/coverage.h"

struct aws_client;
struct config_connector;
struct err;
struct pair_scan;
struct store;

struct pair_scan_options {
	struct store *store;		       /* borrowed */
	struct aws_client *client;	       /* borrowed: the account's session */
	const struct config_connector *config; /* borrowed until the end */
	const char *partition, *account_id, *account_name, *region; /* copied */
	bool *lacks_origins;					    /* borrowed; see acm_scan.h */
};

struct pair_result {
	enum coverage_state state;
	int64_t certificates;  /* of it in the inventory, when it was read */
	const struct err *why; /* borrowed for the call; NULL when it was read */
};

/*
 * result   how it ended, recorded in the store; borrowed
 * lost     the scan's error when the account's session is lost (ERR_ROLE), so that nothing else of
 *          the account needs to be tried; else NULL
 * err      the store could not write: nothing was recorded. result is NULL then
 */
typedef void pair_scan_done_fn(
	void *arg, const struct pair_result *result, const struct err *lost, const struct err *err);
struct pair_scan *pair_scan_start(
	const struct pair_scan_options *options, pair_scan_done_fn *done, void *arg);
void pair_scan_cancel(struct pair_scan *pair);

#endif
