/*
 * What of plans and jobs is not kept for ever. A plan goes a day after its end; a job keep_jobs_s
 * after its end, with its steps. What a way back needs stays as long as the key does: the job that
 * names a key of the vault, and the plan of a job whose previous key is there.
 */
#ifndef DELIVERY_FORGET_H
#define DELIVERY_FORGET_H

#include "store/jobs.h"
#include "store/plans.h"

enum { FORGET_PLAN_AFTER_S = 86400 };

/* Zeroes: the begin. */
struct forget_place {
	bool is_at_jobs; /* plans come first */
	char position[DELIVERY_ID_MAX + 1];
};

struct forgotten {
	struct forget_place to; /* where the next step begins */
	bool has_more;
	size_t plans, jobs;
};

/* One step: looks at that many plans or jobs. May be rolled back and run again. */
void delivery_forget(struct store_txn *txn, const struct forget_place *from, int64_t now_s,
	int64_t keep_jobs_s, size_t looks, struct forgotten *ret_forgotten);

#endif
