/*
 * The work of a cycle once its accounts are known: two pumps. One opens accounts while there is
 * room for their account-regions, the other scans account-regions in the fair order of the agenda.
 * What is not due costs a look at its records and no request.
 */
#ifndef SENSOR_CYCLE_SCAN_H
#define SENSOR_CYCLE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/schedule.h"

struct aws_client;
struct config_connector;
struct cycle_scan;
struct err;
struct loop;
struct overlap;
struct progress;
struct scope;
struct store;

/* Everything is borrowed until the end. */
struct cycle_scan_options {
	struct loop *loop;
	struct store *store;
	struct aws_client *hub;
	const struct config_connector *config;
	const struct overlap *overlap;
	const struct scope *scope;
	const char *session_name;
	const char *account_id, *region; /* only these; "": all */
	enum schedule_rule rule;
	int64_t continued_s;	   /* schedule.h */
	size_t pairs_max;	   /* account-regions open at once */
	struct progress *progress; /* counted in */
};

/* err: nothing further can be done: the connector's own credentials were refused, the store cannot
 * write, or nothing in scope is what was asked for. What single accounts and regions met is in the
 * coverage table and no error here. */
typedef void cycle_scan_done_fn(void *arg, const struct err *err);
struct cycle_scan *cycle_scan_start(
	const struct cycle_scan_options *options, cycle_scan_done_fn *done, void *arg);
void cycle_scan_cancel(struct cycle_scan *scan);

#endif
