/*
 * One account of a cycle: its session, its regions, its coverage records; then its account-regions
 * are handed out, and when the last of them is done the session is wiped.
 *
 *   start -> SESSION -> REGIONS -> RECORDS -> PAIRS -(last one done)-> done
 *               |          |                    |                       ^
 *               +----------+--------------------+-(lost)-> MARKS -------+
 *
 * The credentials' own account needs no session; a connector with a list of regions, or a visit
 * that only tries again what is on record, does not ask for them.
 */
#ifndef SENSOR_ACCOUNT_VISIT_H
#define SENSOR_ACCOUNT_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/schedule.h"

struct account_visit;
struct aws_client;
struct config_connector;
struct err;
struct loop;
struct overlap;
struct scope_account;
struct store;

/* Hands out one account-region, to be begun when there is room for it. region: borrowed. */
typedef void account_visit_pair_fn(void *arg, const char *region);

/* How many account-regions the visit found; told once, before the first is handed out.
 * resting: not handed out, since they are not due or need no request; problems: of them, those
 * that the inventory misses. */
typedef void account_visit_known_fn(void *arg, size_t pairs, size_t resting, size_t problems);

struct account_visit_options {
	struct loop *loop;		       /* borrowed */
	struct store *store;		       /* borrowed */
	struct aws_client *hub;		       /* borrowed */
	const struct config_connector *config; /* borrowed until the end */
	const struct overlap *overlap;	       /* borrowed until the end */
	const struct scope_account *account;   /* borrowed until the end */
	const char *partition;		       /* borrowed until the end */
	const char *session_name;	       /* borrowed until the end */
	const char *only_region;	       /* borrowed until the end; "": all */
	enum schedule_rule rule;
	int64_t continued_s;
	bool asks_regions;
	account_visit_known_fn *known;
	account_visit_pair_fn *pair;
	void *arg; /* for these and done */
};

/*
 * lost         why the account could not be visited, recorded for each of its regions; else NULL
 * hub_refused  lost is about the connector's own credentials
 * err          the store could not write
 */
typedef void account_visit_done_fn(
	void *arg, const struct err *lost, bool hub_refused, const struct err *err);
struct account_visit *account_visit_start(
	const struct account_visit_options *options, account_visit_done_fn *done);
void account_visit_cancel(struct account_visit *visit); /* after its pairs' scans */

/* A pair that was handed out begins. The session to scan it with: borrowed until its end. */
struct aws_client *account_visit_pair_begin(struct account_visit *visit, const char *region);

/*
 * A pair that was begun is done. lost: the session is lost; pairs that were not begun get this
 * error, and their owner takes them off its agenda. NULL: just done.
 */
void account_visit_pair_done(struct account_visit *visit, const struct err *lost);

#endif
