/* Plans and jobs as JSON: local_api.h. */
#include <string.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/text.h"
#include "sensor/desk_internal.h"
#include "store/jobs.h"

static void render_steps(struct store_txn *txn, const char *id, struct json_writer *writer)
{
	struct job_step step;
	uint32_t number = 0;
	json_key(writer, "steps");
	json_open_array(writer);
	while (store_job_step_next(txn, id, &number, &step)) {
		json_open_object(writer);
		json_member_int(writer, "number", step.number);
		json_member_time(writer, "at", step.at_s);
		json_member_text(writer, "phase", job_phase_name(step.phase));
		json_member_bool(writer, "failure", step.is_failure);
		json_member_text(writer, "text", step.text);
		json_close_object(writer);
	}
	json_close_array(writer);
}

/* The last that was ordered of an ended job, however it ended; "" for none. */
static void find_rollback(
	struct store_txn *txn, const struct job_record *job, char ret_id[DELIVERY_ID_MAX + 1])
{
	enum { TIME_END = 17 }; /* "r-20261121-000000": ids sort by their time */
	char position[DELIVERY_ID_MAX + 1];
	struct job_record other;
	ret_id[0] = '\0';
	if (job->state == JOB_RUNNING)
		return;
	delivery_new_id(JOB_ID_ROLLBACK, job->ended_s, position);
	position[TIME_END] = '\0';
	while (store_job_next(txn, position, &other) && other.id[0] == JOB_ID_ROLLBACK)
		if (strcmp(other.of_job_id, job->id) == 0)
			(void)text_copy(ret_id, DELIVERY_ID_MAX + 1, other.id);
}

void desk_render_job(struct store_txn *txn, const struct job_record *job, bool with_steps,
	const char *held_up, struct json_writer *writer)
{
	char why_not[ROLLBACK_TEXT_MAX], rollback[DELIVERY_ID_MAX + 1];
	json_open_object(writer);
	json_member_text(writer, "id", job->id);
	json_member_text(writer, "kind", job_kind_name(job->kind));
	json_member_text(writer, "state", job_state_name(job->state));
	json_member_text(writer, "phase", job_phase_name(job->phase));
	json_member_text(writer, "reason", job->reason);
	json_member_text(writer, "held_up", job->state == JOB_RUNNING ? held_up : "");
	json_member_text(writer, "plan", job->plan_id);
	json_member_text(writer, "of_job", job->of_job_id);
	json_member_text(writer, "connector", job->connector);
	json_member_text(writer, "account_id", job->account_id);
	json_member_text(writer, "region", job->region);
	json_member_text(writer, "arn", job->arn);
	json_member_text(writer, "certificate_id", job->certificate_id);
	json_member_time(writer, "created", job->created_s);
	json_member_time(writer, "updated", job->updated_s);
	json_member_time(writer, "ended", job->ended_s);
	json_member_time(writer, "next_attempt", job->next_attempt_s);
	json_member_int(writer, "attempts", job->attempts);
	json_member_text(writer, "old_serial", job->old_serial);
	json_member_text(writer, "new_serial", job->new_serial);
	json_member_bool(
		writer, "rollback_possible", job_may_roll_back(txn, job, clock_now_s(), why_not));
	json_key(writer, "evidence");
	if (job->evidence[0] != '\0')
		json_raw(writer, job->evidence);
	else
		json_write_null(writer);
	if (with_steps) {
		find_rollback(txn, job, rollback);
		json_member_text(writer, "rollback", rollback);
		render_steps(txn, job->id, writer);
	}
	json_close_object(writer);
}

static const char *plan_state(
	struct store_txn *txn, const struct plan_record *plan, int64_t now_s, bool is_key_there)
{
	if (plan->decision == PLAN_REFUSE)
		return "refused";
	if (plan->job_id[0] != '\0')
		return "applied";
	if (now_s >= plan->expires_s)
		return "expired";
	if (plan_is_void(txn, plan, now_s))
		return "void";
	return is_key_there ? "open" : "key_lost";
}

void desk_render_plan(struct store_txn *txn, const struct plan_record *plan, int64_t now_s,
	bool is_key_there, struct json_writer *writer)
{
	json_open_object(writer);
	json_member_text(writer, "state", plan_state(txn, plan, now_s, is_key_there));
	json_member_text(writer, "job", plan->job_id);
	json_raw_members(writer, plan->document);
	json_close_object(writer);
}
