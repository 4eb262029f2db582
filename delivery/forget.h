/*
 * What of plans and jobs is not kept for ever. A plan goes a day after its end; a job keep_jobs_s
 * after its end, with its steps. What a way back needs stays as long as the key does: the job that
 * names a key of the vault, and the plan of a job whose previous key is there.
 */
#ifndef DELIVERY_FORGET_H
#define DELIVERY_FORGET_H

#include <stdbool.h>

#include "store/jobs.h"
#include "store/plans.h"

enum { FORGET_PLAN_AFTER_S = 86400, FORGET_CONNECTORS_MAX = 64, FORGET_CONNECTOR_LEN = 32 };

/* Zeroes: the begin. */
struct forget_place {
	bool is_at_jobs; /* plans come first */
	char position[DELIVERY_ID_MAX + 1];
	/* Seen on the way: connectors with plans whose keys were put into Secrets Manager, whatever
	 * their configuration says now. */
	char secrets_of[FORGET_CONNECTORS_MAX][FORGET_CONNECTOR_LEN + 1];
	size_t secrets_of_count;
};
/* Whether that connector is among them. */
bool forget_place_has_secrets(const struct forget_place *place, const char *connector);

struct forgotten {
	struct forget_place to; /* where the next step begins */
	bool has_more;
	size_t plans, jobs;
};

/* One step: looks at that many plans or jobs. May be rolled back and run again. */
void delivery_forget(struct store_txn *txn, const struct forget_place *from, int64_t now_s,
	int64_t keep_jobs_s, size_t looks, struct forgotten *ret_forgotten);

#endif
