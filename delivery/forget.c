#include "delivery/forget.h"

#include "store/vault.h"

static bool is_in_vault(struct store_txn *txn, const char *key_id)
{
	return key_id[0] != '\0' && store_vault_has(txn, key_id);
}

static bool is_plan_over(struct store_txn *txn, const struct plan_record *plan, int64_t before_s)
{
	struct job_record job;
	if (plan->job_id[0] == '\0' || !store_job_get(txn, plan->job_id, &job))
		return plan->expires_s < before_s;
	return job.state != JOB_RUNNING && job.ended_s < before_s &&
	       !is_in_vault(txn, job.old_key_id);
}

static bool is_job_over(struct store_txn *txn, const struct job_record *job, int64_t before_s)
{
	return job->state != JOB_RUNNING && job->ended_s < before_s &&
	       !is_in_vault(txn, job->old_key_id) && !is_in_vault(txn, job->new_key_id);
}

/* false: that was the last. */
static bool look_at_plan(struct store_txn *txn, int64_t before_s, struct forgotten *forgotten)
{
	struct plan_record plan;
	char *position = forgotten->to.position;
	if (!store_plan_next(txn, position, &plan))
		return false;
	if (is_plan_over(txn, &plan, before_s)) {
		store_plan_delete(txn, position);
		forgotten->plans++;
	}
	return true;
}

static bool look_at_job(struct store_txn *txn, int64_t before_s, struct forgotten *forgotten)
{
	struct job_record job;
	char *position = forgotten->to.position;
	if (!store_job_next(txn, position, &job))
		return false;
	if (is_job_over(txn, &job, before_s)) {
		store_job_delete(txn, position);
		forgotten->jobs++;
	}
	return true;
}

void delivery_forget(struct store_txn *txn, const struct forget_place *from, int64_t now_s,
	int64_t keep_jobs_s, size_t looks, struct forgotten *ret_forgotten)
{
	struct forgotten forgotten = {.to = *from, .has_more = true};
	for (size_t i = 0; i < looks && forgotten.has_more; i++) {
		if (forgotten.to.is_at_jobs)
			forgotten.has_more = look_at_job(txn, now_s - keep_jobs_s, &forgotten);
		else if (!look_at_plan(txn, now_s - FORGET_PLAN_AFTER_S, &forgotten))
			forgotten.to = (struct forget_place){.is_at_jobs = true};
	}
	*ret_forgotten = forgotten;
}
