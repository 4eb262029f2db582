#include "sensor/region_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "orgscope/reconcile.h"
#include "sensor/config.h"
#include "sensor/coverage_put.h"
#include "sensor/overlap.h"

#define REASON_UNWANTED "not in the connector's list of regions"
#define REASON_VANISHED "AWS no longer lists this region for the account"

enum { KNOWN_MAX = 512 }; /* regions on record of one account; AWS has some 40 */

/* The regions of an account that are on record, COVERAGE_ANY_REGION included. */
struct known {
	char name[KNOWN_MAX][32];
	const char *pointer[KNOWN_MAX]; /* into name, as reconcile.h wants them */
	size_t count;
};

static struct known *read_known(struct store_txn *txn, const struct region_account *account)
{
	struct known *known = xcalloc(1, sizeof(*known));
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record record;
	while (known->count < KNOWN_MAX && store_coverage_next(txn, account->config->name,
						   account->account_id, position, &record)) {
		char *name = known->name[known->count];
		(void)text_copy(name, sizeof(known->name[0]), record.region);
		known->pointer[known->count++] = name;
	}
	return known;
}

static void reconcile(const struct region_account *account, const struct region_list *regions,
	bool is_lost, struct store_txn *txn, struct reconcile_plan *ret_plan)
{
	const struct config_list *wanted = &account->config->regions;
	struct known *known = read_known(txn, account);
	reconcile_regions(&(struct reconcile_input){.known = known->pointer,
				  .known_count = known->count,
				  .wanted = (const char *const *)wanted->item,
				  .wanted_count = wanted->count,
				  .regions = regions,
				  .is_lost = is_lost},
		ret_plan);
	free(known);
}

static struct coverage_place place_of(const struct region_account *account, const char *region)
{
	return (struct coverage_place){.connector = account->config->name,
		.account_id = account->account_id,
		.account_name = account->account_name,
		.region = region};
}

static bool is_any(const char *region)
{
	return strcmp(region, COVERAGE_ANY_REGION) == 0;
}

static bool is_asked_for(const struct region_plan_input *input, const char *region)
{
	const char *only = input->only_region;
	return only == NULL || only[0] == '\0' || strcmp(only, region) == 0;
}

/* --- an account that is visited --------------------------------------------------------------- */

static void plan_visit(
	const struct region_plan_input *input, struct store_txn *txn, struct region_task *task)
{
	const struct region_account *account = input->account;
	struct coverage_record record;
	task->owner = overlap_owner(account->overlap, txn, account->account_id, task->region);
	if (task->owner != NULL) {
		task->kind = REGION_TASK_COVERED;
		return;
	}
	bool has_record = store_coverage_get(
		txn, account->config->name, account->account_id, task->region, &record);
	/* A region that AWS lists as enabled may be on record as disabled: that is out of date. */
	bool is_enabled_now =
		has_record && record.state == COVERAGE_REGION_DISABLED && input->regions != NULL;
	bool is_due = is_enabled_now || schedule_is_due(input->rule, has_record ? &record : NULL,
						input->continued_s, account->now_s);
	task->is_new = !has_record;
	task->state = has_record ? record.state : COVERAGE_NEVER_TRIED;
	task->kind =
		is_due && is_asked_for(input, task->region) ? REGION_TASK_SCAN : REGION_TASK_REST;
}

/* The account's regions as they are on record: nobody was asked for them. */
static void plan_known(
	const struct region_plan_input *input, struct store_txn *txn, struct region_plan *plan)
{
	struct known *known = read_known(txn, input->account);
	plan->task = xcalloc(known->count + 1, sizeof(*plan->task));
	for (size_t i = 0; i < known->count; i++) {
		if (is_any(known->name[i]))
			continue;
		struct region_task *task = &plan->task[plan->count++];
		(void)text_copy(task->region, sizeof(task->region), known->name[i]);
		plan_visit(input, txn, task);
	}
	free(known);
}

static void plan_item(const struct region_plan_input *input, struct store_txn *txn,
	const struct reconcile_item *item, struct region_task *task)
{
	(void)text_copy(task->region, sizeof(task->region), item->region);
	switch (item->action) {
	case RECONCILE_VISIT:
		plan_visit(input, txn, task);
		return;
	case RECONCILE_DISABLED:
		task->kind = REGION_TASK_DISABLED;
		return;
	case RECONCILE_EXCLUDED:
		task->kind = REGION_TASK_UNWANTED;
		return;
	case RECONCILE_DELETE:
		task->kind = REGION_TASK_VANISHED;
		return;
	case RECONCILE_MARK:
		break;
	}
	abort(); /* for a lost account only */
}

void region_plan_make(
	const struct region_plan_input *input, struct store_txn *txn, struct region_plan *ret_plan)
{
	struct reconcile_plan regions;
	struct region_plan plan = {.count = 0};
	if (input->regions == NULL && input->account->config->regions.count == 0) {
		plan_known(input, txn, &plan);
		*ret_plan = plan;
		return;
	}
	reconcile(input->account, input->regions, false, txn, &regions);
	plan.task = xcalloc(regions.count + 1, sizeof(*plan.task));
	for (size_t i = 0; i < regions.count; i++)
		plan_item(input, txn, &regions.item[i], &plan.task[plan.count++]);
	reconcile_plan_clear(&regions);
	*ret_plan = plan;
}

void region_plan_clear(struct region_plan *plan)
{
	free(plan->task);
	*plan = (struct region_plan){.task = NULL};
}

static bool has_write(const struct region_task *task)
{
	return !(task->kind == REGION_TASK_REST ||
		 (task->kind == REGION_TASK_SCAN && !task->is_new));
}

bool region_plan_has_writes(const struct region_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (has_write(&plan->task[i]))
			return true;
	return false;
}

/* Certificates without a coverage record would look as if somebody still read them. */
static void put_vanished(struct store_txn *txn, const struct coverage_place *place, int64_t now_s)
{
	struct coverage_record record;
	bool has_certificates = !is_any(place->region) &&
				store_coverage_get(txn, place->connector, place->account_id,
					place->region, &record) &&
				record.certificate_count > 0;
	if (has_certificates)
		coverage_put_state(txn, place, COVERAGE_EXCLUDED, REASON_VANISHED, now_s);
	else
		store_coverage_delete(txn, place->connector, place->account_id, place->region);
}

static void put_task(
	struct store_txn *txn, const struct region_task *task, const struct region_account *account)
{
	const struct coverage_place place = place_of(account, task->region);
	char reason[OVERLAP_REASON_MAX];
	switch (task->kind) {
	case REGION_TASK_SCAN:
		coverage_put_state(txn, &place, COVERAGE_NEVER_TRIED, "", account->now_s);
		return;
	case REGION_TASK_DISABLED:
		(void)coverage_put_attempt(txn, &place,
			&(struct coverage_attempt){.is_region_disabled = true,
				.interval_s = account->config->interval_s,
				.now_s = account->now_s});
		return;
	case REGION_TASK_UNWANTED:
		coverage_put_state(txn, &place, COVERAGE_EXCLUDED, REASON_UNWANTED, account->now_s);
		return;
	case REGION_TASK_COVERED:
		overlap_reason(task->owner, reason);
		coverage_put_state(txn, &place, COVERAGE_EXCLUDED, reason, account->now_s);
		return;
	case REGION_TASK_VANISHED:
		put_vanished(txn, &place, account->now_s);
		return;
	case REGION_TASK_REST:
		return;
	}
}

void region_plan_write(
	struct store_txn *txn, const struct region_plan *plan, const struct region_account *account)
{
	for (size_t i = 0; i < plan->count; i++)
		if (has_write(&plan->task[i]))
			put_task(txn, &plan->task[i], account);
}

/* --- by the records alone --------------------------------------------------------------------- */

void region_survey_make(const struct region_plan_input *input, struct store_txn *txn,
	struct region_survey *ret_survey)
{
	const struct region_account *account = input->account;
	struct region_survey survey = {.pairs = 0};
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record record;
	while (store_coverage_next(
		txn, account->config->name, account->account_id, position, &record)) {
		survey.pairs++;
		if (coverage_is_problem(record.state))
			survey.problems++;
		if (!schedule_is_due(input->rule, &record, input->continued_s, account->now_s))
			continue;
		survey.is_due = true;
		if (is_any(record.region))
			survey.needs_regions = true;
	}
	if (input->rule != SCHEDULE_OF_CATCH_UP) {
		survey.is_due = survey.is_due || survey.pairs == 0;
		survey.needs_regions = true;
	}
	*ret_survey = survey;
}

/* A lost account's region: what another connector reads is not lost. Whether it got the state. */
static bool put_mark(struct store_txn *txn, const struct region_mark *mark, const char *region)
{
	const struct region_account *account = &mark->account;
	const struct coverage_place place = place_of(account, region);
	const char *owner = overlap_owner(
		account->overlap, txn, account->account_id, is_any(region) ? NULL : region);
	char reason[OVERLAP_REASON_MAX];
	if (owner != NULL) {
		overlap_reason(owner, reason);
		coverage_put_state(txn, &place, COVERAGE_EXCLUDED, reason, account->now_s);
		return false;
	}
	if (mark->err != NULL) {
		(void)coverage_put_attempt(txn, &place,
			&(struct coverage_attempt){.err = mark->err,
				.interval_s = account->config->interval_s,
				.now_s = account->now_s});
	} else {
		coverage_put_state(txn, &place, mark->state, mark->reason, account->now_s);
	}
	return true;
}

size_t region_mark_put(struct store_txn *txn, const struct region_mark *mark)
{
	const struct region_account *account = &mark->account;
	struct reconcile_plan plan;
	size_t count = 0;
	reconcile(account, NULL, true, txn, &plan);
	for (size_t i = 0; i < plan.count; i++) {
		const struct reconcile_item *item = &plan.item[i];
		const struct coverage_place place = place_of(account, item->region);
		if (item->action == RECONCILE_DELETE)
			put_vanished(txn, &place, account->now_s);
		else if (item->action == RECONCILE_EXCLUDED)
			coverage_put_state(
				txn, &place, COVERAGE_EXCLUDED, REASON_UNWANTED, account->now_s);
		else
			count += put_mark(txn, mark, item->region);
	}
	reconcile_plan_clear(&plan);
	return count;
}
