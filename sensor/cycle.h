/*
 * One cycle of one connector, from "who are we" to the count of what was read.
 *
 *   start -> BEGIN -> WALK -> IDENTITY -> TREE -> SCAN -> TALLY -> END -> done
 *              |        |         |         |       |       |       ^
 *              +--------+---------+---------+-------+-------+-(err)-+
 *
 * A state is named for the one thing it waits for; BEGIN, IDENTITY and END are writes of the cycle
 * record. A catch-up that is given the last cycle's scope goes from start to SCAN. Only a cycle
 * over everything touches the cycle record's times: a part (by hand) or a catch-up does not move
 * the schedule.
 *
 * A cycle that is cancelled leaves its record open; after a restart it is continued with the
 * account-regions that were not reached.
 */
#ifndef SENSOR_CYCLE_H
#define SENSOR_CYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/progress.h"
#include "sensor/tally.h"

struct aws;
struct aws_client;
struct config_connector;
struct cycle;
struct err;
struct loop;
struct overlap;
struct scope;
struct store;

struct cycle_options {
	struct loop *loop;		       /* borrowed */
	struct store *store;		       /* borrowed */
	struct aws *aws;		       /* borrowed; for statistics */
	struct aws_client *hub;		       /* borrowed; the connector's own identity */
	const struct config_connector *config; /* borrowed until the end */
	const struct overlap *overlap;	       /* borrowed until the end */
	const char *session_name;	       /* borrowed until the end */
	const char *cycle_id;		       /* copied */
	enum progress_kind kind;
	bool is_by_hand;	  /* what is denied is tried, due or not */
	const char *account_id;	  /* copied; "": all */
	const char *region;	  /* copied; "": all */
	int64_t continued_s;	  /* start of the interrupted cycle that goes on; 0: a fresh one */
	int64_t next_s;		  /* when the next cycle is due, if this one succeeds */
	uint32_t failures_before; /* cycles in a row that failed as a whole */
	size_t pairs_max;	  /* account-regions open at once */
	struct scope *scope;	  /* for a catch-up: moved in; NULL: walk */
};

struct cycle_result {
	const struct progress *progress; /* result and err say how it ended */
	const struct tally *tally; /* of the connector's coverage; NULL when it was not counted */
	struct scope *scope;	   /* may be moved out; empty when the walk failed */
	int64_t next_s;		   /* when the next cycle is due; 0: as before */
};

typedef void cycle_done_fn(void *arg, const struct cycle_result *result);
/* The accounts and the coverage of those that are not visited are in the store. */
typedef void cycle_tree_fn(void *arg);
struct cycle *cycle_start(const struct cycle_options *options, cycle_tree_fn *on_tree,
	cycle_done_fn *done, void *arg);
void cycle_cancel(struct cycle *cycle);

/* Up to date, borrowed. */
const struct progress *cycle_progress(struct cycle *cycle);

#endif
