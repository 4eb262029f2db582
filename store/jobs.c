/* Jobs by id, and the steps of each. */
#include "store/jobs.h"

#include <string.h>

#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"

#define JOB(member)  RECORD_FIELD(job_record, member)
#define STEP(member) RECORD_FIELD(job_step, member)

static const struct record_field job_fields[] = {
	JOB(created_s),
	JOB(updated_s),
	JOB(ended_s),
	JOB(next_attempt_s),
	JOB(import_sent_s),
	JOB(keep_key_until_s),
	JOB(kind),
	JOB(phase),
	JOB(state),
	JOB(attempts),
	JOB(is_cancel_asked),
	JOB(may_have_imported),
	JOB(id),
	JOB(plan_id),
	JOB(of_job_id),
	JOB(connector),
	JOB(account_id),
	JOB(region),
	JOB(arn),
	JOB(certificate_id),
	JOB(reason),
	JOB(old_serial),
	JOB(new_serial),
	JOB(old_fingerprint_sha256),
	JOB(new_fingerprint_sha256),
	RECORD_HASH_LIST(job_record, old_chain_sha256, old_chain_count),
	JOB(old_key_id),
	JOB(new_key_id),
	JOB(old_tags),
	JOB(evidence),
	JOB(requested_by),
};
const struct record_format job_format = RECORD_FORMAT("job", 1, job_fields);

static const struct record_field job_step_fields[] = {
	STEP(at_s),
	STEP(number),
	STEP(phase),
	STEP(is_failure),
	STEP(text),
};
const struct record_format job_step_format = RECORD_FORMAT("job step", 1, job_step_fields);

const char *job_kind_name(enum job_kind kind)
{
	static const char *const name[] = {
		[JOB_DELIVER] = "deliver", [JOB_ROLLBACK] = "rollback", [JOB_DELETE] = "delete"};
	return kind >= JOB_DELIVER && kind <= JOB_DELETE ? name[kind] : "unknown";
}

const char *job_phase_name(enum job_phase phase)
{
	static const char *const name[] = {[JOB_CHECK] = "check",
		[JOB_KEEP] = "keep",
		[JOB_IMPORT] = "import",
		[JOB_FIND] = "find",
		[JOB_TAG] = "tag",
		[JOB_CONFIRM] = "confirm",
		[JOB_VERIFY] = "verify",
		[JOB_DRAIN] = "drain",
		[JOB_DELETE_CALL] = "delete",
		[JOB_DONE] = "done"};
	return phase >= JOB_CHECK && phase <= JOB_DONE ? name[phase] : "unknown";
}

const char *job_state_name(enum job_state state)
{
	static const char *const name[] = {[JOB_RUNNING] = "running",
		[JOB_SUCCEEDED] = "succeeded",
		[JOB_FAILED] = "failed",
		[JOB_CANCELLED] = "cancelled",
		[JOB_RESTORED] = "restored",
		[JOB_IMPOSSIBLE] = "impossible"};
	return state >= JOB_RUNNING && state <= JOB_IMPOSSIBLE ? name[state] : "unknown";
}

static const unsigned char running_mark[] = {1}; /* LMDB has no empty values */

static struct key job_key(const char *id)
{
	struct key key = key_id(id);
	if (key.len == 0 || key.len > DELIVERY_ID_MAX)
		key.is_unfit = true;
	return key;
}

void store_job_put(struct store_txn *txn, const struct job_record *job)
{
	struct key key = job_key(job->id);
	entry_put(txn, TABLE_JOBS, &key, &job_format, job);
	if (job->state == JOB_RUNNING)
		txn_put(txn, TABLE_JOBS_RUNNING, &key, running_mark, sizeof(running_mark));
	else
		txn_delete(txn, TABLE_JOBS_RUNNING, &key);
}

bool store_job_get(struct store_txn *txn, const char *id, struct job_record *ret_job)
{
	struct key key = job_key(id);
	struct job_record job;
	if (!entry_get(txn, TABLE_JOBS, &key, &job_format, &job))
		return false;
	*ret_job = job;
	return true;
}

bool store_job_next(struct store_txn *txn, char *position, struct job_record *ret_job)
{
	struct key prefix = key_empty();
	struct job_record job;
	if (!entry_next(txn, TABLE_JOBS, &prefix, position, DELIVERY_ID_MAX + 1, &job_format, &job))
		return false;
	*ret_job = job;
	return true;
}

bool store_job_next_running(struct store_txn *txn, char *position, struct job_record *ret_job)
{
	struct key after = position[0] != '\0' ? key_position(position) : key_empty();
	struct slice key, value;
	if (!txn_seek(txn, TABLE_JOBS_RUNNING, &after, false, &key, &value))
		return false;
	if (key.len > DELIVERY_ID_MAX || memchr(key.bytes, '\0', key.len) != NULL) {
		txn_fail_damaged(txn, TABLE_JOBS_RUNNING, key, "not a job's id");
		return false;
	}
	key_to_position(key.bytes, key.len, position, DELIVERY_ID_MAX + 1);
	if (store_job_get(txn, position, ret_job))
		return true;
	if (!store_txn_failed(txn))
		txn_fail_damaged(txn, TABLE_JOBS_RUNNING, key, "the job is not there");
	return false;
}

/* Whether the job's certificate is under the ARN since it ended. */
static bool has_brought(
	const struct job_record *job, const char *arn, const unsigned char *leaf_sha256)
{
	bool is_there = job->state == JOB_SUCCEEDED || job->state == JOB_RESTORED;
	return is_there && job->kind != JOB_DELETE && strcmp(job->arn, arn) == 0 &&
	       memcmp(job->new_fingerprint_sha256, leaf_sha256, CERT_SHA256_LEN) == 0;
}

/* Over all jobs: ids of the kinds do not sort by time together, and there are few beside
 * certificates. */
bool store_job_of_leaf(struct store_txn *txn, const char *arn, const unsigned char *leaf_sha256,
	struct job_record *ret_job)
{
	char position[DELIVERY_ID_MAX + 1] = "";
	struct job_record job;
	bool is_found = false;
	while (store_job_next(txn, position, &job)) {
		if (!has_brought(&job, arn, leaf_sha256) ||
			(is_found && job.ended_s < ret_job->ended_s))
			continue;
		*ret_job = job;
		is_found = true;
	}
	return is_found && !store_txn_failed(txn);
}

/* The number of the last step; 0: none. */
static uint32_t last_step(struct store_txn *txn, const char *job_id)
{
	struct job_step step;
	uint32_t number = 0;
	while (store_job_step_next(txn, job_id, &number, &step))
		continue;
	return number;
}

void store_job_step_append(struct store_txn *txn, const char *job_id, const struct job_step *step)
{
	struct job_step numbered = *step;
	numbered.number = last_step(txn, job_id) + 1;
	struct key key = key_job_step(job_id, numbered.number);
	entry_put(txn, TABLE_JOB_STEPS, &key, &job_step_format, &numbered);
}

bool store_job_step_next(
	struct store_txn *txn, const char *job_id, uint32_t *number, struct job_step *ret_step)
{
	struct key key = key_job_step(job_id, *number + 1);
	struct job_step step;
	if (!entry_get(txn, TABLE_JOB_STEPS, &key, &job_step_format, &step))
		return false;
	*number = step.number;
	*ret_step = step;
	return true;
}
