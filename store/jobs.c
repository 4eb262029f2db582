/*
 * Delivery jobs by id, their steps by id and number, and an index from (ARN, leaf) to the job that
 * brought that leaf there. It is an index and no walk because jobs are kept for long as
 * evidence, so that there are many of them, and every plan of a reimport asks.
 */
#include "store/jobs.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "store/delivery_internal.h"
#include "store/key_internal.h"

enum { STEP_TEXT_MAX = 2048 }; /* with its NUL; longer ones are cut */

#define JOB(member)  RECORD_FIELD(job_record, member)
#define STEP(member) RECORD_FIELD(job_step, member)

static const struct record_field job_fields[] = {
	JOB(kind),
	JOB(phase),
	JOB(state),
	JOB(created_s),
	JOB(updated_s),
	JOB(ended_s),
	JOB(next_attempt_s),
	JOB(attempts),
	JOB(is_cancel_asked),
	JOB(may_have_imported),
	JOB(import_sent_s),
	JOB(keep_key_until_s),
	JOB(old_fingerprint_sha256),
	JOB(new_fingerprint_sha256),
	RECORD_HASH_LIST(job_record, old_chain_sha256, old_chain_count),
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
	JOB(old_key_id),
	JOB(new_key_id),
	JOB(requested_by),
	JOB(old_tags),
	RECORD_LONG(job_record, evidence),
};
const struct record_format job_format = RECORD_FORMAT("job", 1, job_fields);

static const struct record_field step_fields[] = {
	STEP(number),
	STEP(at_s),
	STEP(phase),
	STEP(is_failure),
	STEP(text),
};
const struct record_format job_step_format = RECORD_FORMAT("job step", 1, step_fields);

/* --- names ----------------------------------------------------------------------------------- */

static const char *const kind_names[] = {
	[JOB_DELIVER] = "deliver", [JOB_ROLLBACK] = "rollback", [JOB_DELETE] = "delete"};
static const char *const phase_names[] = {
	[JOB_CHECK] = "check",
	[JOB_KEEP] = "keep",
	[JOB_IMPORT] = "import",
	[JOB_FIND] = "find",
	[JOB_TAG] = "tag",
	[JOB_CONFIRM] = "confirm",
	[JOB_VERIFY] = "verify",
	[JOB_DRAIN] = "drain",
	[JOB_DELETE_CALL] = "delete",
	[JOB_DONE] = "done",
};
static const char *const state_names[] = {
	[JOB_RUNNING] = "running",
	[JOB_SUCCEEDED] = "succeeded",
	[JOB_FAILED] = "failed",
	[JOB_CANCELLED] = "cancelled",
	[JOB_RESTORED] = "restored",
	[JOB_IMPOSSIBLE] = "impossible",
};

/* NULL: no such number. */
static const char *name_at(const char *const *name, size_t count, unsigned number)
{
	return number < count ? name[number] : NULL;
}

#define NAME_OF(names, number) name_at((names), sizeof(names) / sizeof((names)[0]), (number))

const char *job_kind_name(enum job_kind kind)
{
	const char *name = NAME_OF(kind_names, kind);
	return name != NULL ? name : "unknown";
}

const char *job_phase_name(enum job_phase phase)
{
	const char *name = NAME_OF(phase_names, phase);
	return name != NULL ? name : "unknown";
}

const char *job_state_name(enum job_state state)
{
	const char *name = NAME_OF(state_names, state);
	return name != NULL ? name : "unknown";
}

/* --- records --------------------------------------------------------------------------------- */

static struct slice slice_of(const struct key *key)
{
	return (struct slice){.bytes = key->bytes, .len = key->len};
}

const char *job_flaw(struct slice key, const struct job_record *job)
{
	if (!delivery_id_is(key, job->id, DELIVERY_ID_MAX))
		return "holds another job";
	if (NAME_OF(kind_names, job->kind) == NULL)
		return "unknown kind of job";
	if (NAME_OF(phase_names, job->phase) == NULL)
		return "unknown phase";
	if (NAME_OF(state_names, job->state) == NULL)
		return "unknown state";
	if (strlen(job->arn) > CERT_ARN_MAX)
		return "its ARN is too long";
	if (strlen(job->evidence) > JOB_EVIDENCE_MAX)
		return "its evidence is too large";
	return job->old_tags.count % 2 != 0 ? "a tag has no value" : NULL;
}

const char *job_step_flaw(uint32_t number, const struct job_step *step)
{
	if (number == 0 || step->number != number)
		return "holds another step";
	return NAME_OF(phase_names, step->phase) == NULL ? "unknown phase" : NULL;
}

bool job_is_delivery(const struct job_record *job)
{
	bool has_brought = job->kind != JOB_DELETE &&
			   (job->state == JOB_SUCCEEDED ||
				   (job->state == JOB_RESTORED && job->kind == JOB_ROLLBACK) ||
				   (job->state == JOB_FAILED && job->may_have_imported));
	return has_brought && job->arn[0] != '\0' && delivery_has_hash(job->new_fingerprint_sha256);
}

static bool is_sound(struct store_txn *txn, struct slice key, const struct job_record *job)
{
	const char *flaw = job_flaw(key, job);
	if (flaw != NULL)
		txn_fail_damaged(txn, TABLE_JOBS, key, flaw);
	return flaw == NULL;
}

static bool get(struct store_txn *txn, const struct key *key, struct job_record *ret_job)
{
	struct job_record job;
	if (!entry_get(txn, TABLE_JOBS, key, &job_format, &job) ||
		!is_sound(txn, slice_of(key), &job))
		return false;
	*ret_job = job;
	return true;
}

bool store_job_get(struct store_txn *txn, const char *id, struct job_record *ret_job)
{
	struct key key = key_id(id, DELIVERY_ID_MAX);
	return get(txn, &key, ret_job);
}

bool store_job_next(struct store_txn *txn, char *position, struct job_record *ret_job)
{
	struct key all = key_empty();
	struct job_record job;
	if (!entry_next(txn, TABLE_JOBS, &all, position, DELIVERY_ID_MAX + 1, &job_format, &job))
		return false;
	struct key key = key_position(position);
	if (!is_sound(txn, slice_of(&key), &job))
		return false;
	*ret_job = job;
	return true;
}

/* --- which job brought a leaf ---------------------------------------------------------------- */

static struct key leaf_key_of(const struct job_record *job)
{
	return key_job_leaf(job->arn, job->new_fingerprint_sha256);
}

/* The job that an entry names. */
static bool get_by_leaf(struct store_txn *txn, const struct key *leaf, struct job_record *ret_job)
{
	struct slice id;
	if (!txn_get(txn, TABLE_JOB_LEAF, leaf, &id))
		return false;
	struct key key = key_bytes(id.bytes, id.len);
	struct job_record job;
	bool is_found = get(txn, &key, &job);
	if (store_txn_failed(txn))
		return false;
	struct key own = leaf_key_of(is_found ? &job : &(struct job_record){.arn = ""});
	if (!is_found || !job_is_delivery(&job) || !key_equals(&own, leaf->bytes, leaf->len)) {
		txn_fail_damaged(txn, TABLE_JOB_LEAF, slice_of(leaf),
			"stands for no job that brought this certificate");
		return false;
	}
	*ret_job = job;
	return true;
}

bool store_job_of_leaf(struct store_txn *txn, const char *arn, const unsigned char *leaf_sha256,
	struct job_record *ret_job)
{
	struct key leaf = key_job_leaf(arn, leaf_sha256);
	return get_by_leaf(txn, &leaf, ret_job);
}

bool store_job_is_later(const struct job_record *a, const struct job_record *b)
{
	if (a->ended_s != b->ended_s)
		return a->ended_s > b->ended_s;
	if (a->created_s != b->created_s)
		return a->created_s > b->created_s;
	if (strcmp(a->of_job_id, b->id) == 0 || strcmp(b->of_job_id, a->id) == 0)
		return strcmp(a->of_job_id, b->id) == 0;
	return memcmp(a->old_fingerprint_sha256, b->new_fingerprint_sha256, CERT_SHA256_LEN) == 0;
}

bool store_job_last_of_arn(struct store_txn *txn, const char *arn, struct job_record *ret_job)
{
	struct key prefix = key_job_leaf(arn, NULL), at = prefix;
	struct slice key, value;
	struct job_record job;
	bool is_found = false;
	while (txn_seek(txn, TABLE_JOB_LEAF, &at, false, &key, &value) &&
		key_is_prefix_of(&prefix, key.bytes, key.len)) {
		at = key_bytes(key.bytes, key.len);
		if (!get_by_leaf(txn, &at, &job))
			return false;
		if (job.state == JOB_FAILED || (is_found && store_job_is_later(ret_job, &job)))
			continue;
		*ret_job = job;
		is_found = true;
	}
	return is_found && !store_txn_failed(txn);
}

/* A job that no longer counts, or counts for another leaf, takes its entry with it. */
static void forget_leaf(struct store_txn *txn, const struct job_record *before)
{
	struct key leaf = leaf_key_of(before), own = key_id(before->id, DELIVERY_ID_MAX);
	struct slice id;
	if (txn_get(txn, TABLE_JOB_LEAF, &leaf, &id) && key_equals(&own, id.bytes, id.len))
		txn_delete(txn, TABLE_JOB_LEAF, &leaf);
}

static void put_leaf(struct store_txn *txn, const struct job_record *job)
{
	struct job_record other;
	struct key leaf = leaf_key_of(job);
	if (get_by_leaf(txn, &leaf, &other) && other.ended_s > job->ended_s)
		return;
	txn_put(txn, TABLE_JOB_LEAF, &leaf, job->id, strlen(job->id));
}

/* Before the record is put; after lies outside the map. */
static void index_leaf(struct store_txn *txn, const struct job_record *after)
{
	struct job_record other;
	struct key leaf = leaf_key_of(after);
	bool is_delivery = job_is_delivery(after);
	if (store_job_get(txn, after->id, &other) && job_is_delivery(&other)) {
		struct key old_leaf = leaf_key_of(&other);
		if (is_delivery && key_equals(&old_leaf, leaf.bytes, leaf.len))
			return; /* as it is: it may be a newer job's by now */
		forget_leaf(txn, &other);
	}
	if (is_delivery)
		put_leaf(txn, after);
}

/* --- which jobs run -------------------------------------------------------------------------- */

static const unsigned char running_mark[] = {1}; /* so that an entry has a value */

static void index_running(struct store_txn *txn, const struct key *key, bool is_running)
{
	if (is_running)
		txn_put(txn, TABLE_JOBS_RUNNING, key, running_mark, sizeof(running_mark));
	else
		txn_delete(txn, TABLE_JOBS_RUNNING, key);
}

void job_index_add(struct store_txn *txn, const struct job_record *job)
{
	struct key key = key_id(job->id, DELIVERY_ID_MAX);
	index_running(txn, &key, job->state == JOB_RUNNING);
	if (job_is_delivery(job))
		put_leaf(txn, job);
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
	struct key id = key_bytes(key.bytes, key.len);
	struct job_record job;
	bool is_found = get(txn, &id, &job);
	if (!is_found || job.state != JOB_RUNNING) {
		txn_fail_damaged(
			txn, TABLE_JOBS_RUNNING, slice_of(&id), "stands for no job that runs");
		return false;
	}
	key_to_position(id.bytes, id.len, position, DELIVERY_ID_MAX + 1);
	*ret_job = job;
	return true;
}

/* --- putting --------------------------------------------------------------------------------- */

void store_job_put(struct store_txn *txn, const struct job_record *job)
{
	struct buf bytes;
	struct job_record copy;
	buf_init(&bytes, STORE_RECORD_MAX);
	if (entry_copy(txn, &job_format, job, &bytes, &copy)) {
		struct key key = key_id(copy.id, DELIVERY_ID_MAX);
		const char *flaw = job_flaw(slice_of(&key), &copy);
		if (flaw != NULL && !key.is_unfit)
			store_txn_fail_as(txn, ERR_LIMIT, "job %s: %s", copy.id, flaw);
		if (!key.is_unfit)
			index_leaf(txn, &copy);
		txn_put(txn, TABLE_JOBS, &key, bytes.data, bytes.len);
		index_running(txn, &key, copy.state == JOB_RUNNING);
	}
	buf_clear(&bytes);
}

void store_job_delete(struct store_txn *txn, const char *id)
{
	struct key key = key_id(id, DELIVERY_ID_MAX), steps = key_job_step(id, 0);
	struct job_record job;
	if (!get(txn, &key, &job))
		return;
	if (job_is_delivery(&job))
		forget_leaf(txn, &job);
	index_running(txn, &key, false);
	txn_delete(txn, TABLE_JOBS, &key);
	entry_delete_all(txn, TABLE_JOB_STEPS, &steps);
}

/* --- steps ----------------------------------------------------------------------------------- */

/* 0: no step yet. */
static uint32_t last_number(struct store_txn *txn, const char *job_id)
{
	struct key prefix = key_job_step(job_id, 0), end = key_job_step(job_id, UINT32_MAX);
	struct slice key, value;
	if (!txn_seek_back(txn, TABLE_JOB_STEPS, &end, &key, &value) ||
		!key_is_prefix_of(&prefix, key.bytes, key.len))
		return 0;
	if (key.len != prefix.len + sizeof(uint32_t)) {
		txn_fail_damaged(txn, TABLE_JOB_STEPS, key, "not the number of a step");
		return 0;
	}
	return key_read_u32(key.bytes + prefix.len);
}

void store_job_step_append(struct store_txn *txn, const char *job_id, const struct job_step *step)
{
	char text[STEP_TEXT_MAX];
	uint32_t last = last_number(txn, job_id);
	if (store_txn_failed(txn))
		return;
	if (last == UINT32_MAX) {
		store_txn_fail_as(
			txn, ERR_LIMIT, "job %s has as many steps as can be numbered", job_id);
		return;
	}
	struct job_step copy = *step;
	if (copy.text != NULL) {
		text_shorten(text, sizeof(text), step->text);
		copy.text = text;
	}
	copy.number = last + 1;
	const char *flaw = job_step_flaw(copy.number, &copy);
	if (flaw != NULL) {
		store_txn_fail_as(txn, ERR_LIMIT, "a step of job %s: %s", job_id, flaw);
		return;
	}
	struct key key = key_job_step(job_id, last + 1);
	if (job_id[0] == '\0' || strlen(job_id) > DELIVERY_ID_MAX)
		key.is_unfit = true;
	entry_put(txn, TABLE_JOB_STEPS, &key, &job_step_format, &copy);
}

bool store_job_step_next(
	struct store_txn *txn, const char *job_id, uint32_t *number, struct job_step *ret_step)
{
	struct key prefix = key_job_step(job_id, 0), after = key_job_step(job_id, *number);
	struct slice key, value;
	struct job_step step;
	if (!txn_seek(txn, TABLE_JOB_STEPS, &after, false, &key, &value) ||
		!key_is_prefix_of(&prefix, key.bytes, key.len))
		return false;
	if (key.len != prefix.len + sizeof(uint32_t)) {
		txn_fail_damaged(txn, TABLE_JOB_STEPS, key, "not the number of a step");
		return false;
	}
	if (!entry_decode(txn, TABLE_JOB_STEPS, key, value, &job_step_format, &step))
		return false;
	uint32_t found = key_read_u32(key.bytes + prefix.len);
	const char *flaw = job_step_flaw(found, &step);
	if (flaw != NULL) {
		txn_fail_damaged(txn, TABLE_JOB_STEPS, key, flaw);
		return false;
	}
	*number = step.number;
	*ret_step = step;
	return true;
}
