/*
 * What happens to the regions of one account in a cycle: the plan of orgscope/reconcile.h joined
 * with what the coverage table says, and the writes that put it there.
 */
#ifndef SENSOR_REGION_PLAN_H
#define SENSOR_REGION_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/schedule.h"
#include "store/coverage.h"

struct config_connector;
struct err;
struct overlap;
struct region_list;

/* An account in a cycle. Everything is borrowed for the call that takes it. */
struct region_account {
	const struct config_connector *config;
	const struct overlap *overlap;
	const char *account_id, *account_name;
	int64_t now_s;
};

/* --- an account that is visited --------------------------------------------------------------- */

enum region_task_kind {
	REGION_TASK_SCAN,     /* to be read now */
	REGION_TASK_REST,     /* not due; its record stays */
	REGION_TASK_DISABLED, /* not enabled in this account: needs no request */
	REGION_TASK_UNWANTED, /* no longer in the connector's list */
	REGION_TASK_COVERED,  /* an earlier connector's */
	REGION_TASK_VANISHED, /* AWS no longer lists it */
};

struct region_task {
	char region[32];
	enum region_task_kind kind;
	bool is_new;		   /* REGION_TASK_SCAN: nothing is on record yet */
	enum coverage_state state; /* REGION_TASK_REST: as on record */
	const char *owner;	   /* REGION_TASK_COVERED: borrowed from overlap */
};

struct region_plan {
	struct region_task *task; /* owned */
	size_t count;
};

struct region_plan_input {
	const struct region_account *account;
	const struct region_list *regions; /* what AWS says; NULL: not asked, then the connector's
					    * list counts, else what is on record */
	const char *only_region;	   /* the rest is not due; "" or NULL: all */
	enum schedule_rule rule;
	int64_t continued_s; /* schedule.h */
};

void region_plan_make(
	const struct region_plan_input *input, struct store_txn *txn, struct region_plan *ret_plan);
void region_plan_clear(struct region_plan *plan); /* zeroed is fine */
/* Whether there is anything to write before the scans. */
bool region_plan_has_writes(const struct region_plan *plan);
/* Inside a write; re-runnable. */
void region_plan_write(struct store_txn *txn, const struct region_plan *plan,
	const struct region_account *account);

/* --- by the records alone --------------------------------------------------------------------- */

/* What the coverage table says of an account, before anything is asked. */
struct region_survey {
	bool is_due;		 /* something is to be tried now */
	bool needs_regions;	 /* ... and its regions are to be asked for */
	int64_t pairs, problems; /* on record; problems: not read */
};
void region_survey_make(const struct region_plan_input *input, struct store_txn *txn,
	struct region_survey *ret_survey);

/* The account is not visited, or its visit failed: each of its regions gets this state. */
struct region_mark {
	struct region_account account;
	const struct err *err;	   /* an attempt's; NULL: state and reason hold */
	enum coverage_state state; /* without err */
	const char *reason;	   /* without err */
};
/* Inside a write; re-runnable. Returns how many account-regions got the state. */
size_t region_mark_put(struct store_txn *txn, const struct region_mark *mark);

#endif
