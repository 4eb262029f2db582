#include "delivery/forget.h"

#include <string.h>

#include "base/text.h"
#include "store/vault.h"

bool forget_place_has_secrets(const struct forget_place *place, const char *connector)
{
	for (size_t i = 0; i < place->secrets_of_count; i++)
		if (strcmp(place->secrets_of[i], connector) == 0)
			return true;
	return false;
}

static void note_secret(struct forget_place *place, const struct plan_record *plan)
{
	if (plan->escrow != ESCROW_SECRETS_MANAGER ||
		forget_place_has_secrets(place, plan->connector) ||
		place->secrets_of_count == FORGET_CONNECTORS_MAX)
		return;
	(void)text_copy(place->secrets_of[place->secrets_of_count++], FORGET_CONNECTOR_LEN + 1,
		plan->connector); /* a configuration has no more and no longer ones */
}

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
	note_secret(&forgotten->to, &plan);
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
	struct forget_place *to = &forgotten.to;
	for (size_t i = 0; i < looks && forgotten.has_more; i++) {
		if (to->is_at_jobs) {
			forgotten.has_more = look_at_job(txn, now_s - keep_jobs_s, &forgotten);
		} else if (!look_at_plan(txn, now_s - FORGET_PLAN_AFTER_S, &forgotten)) {
			to->is_at_jobs = true;
			to->position[0] = '\0';
		}
	}
	*ret_forgotten = forgotten;
}
