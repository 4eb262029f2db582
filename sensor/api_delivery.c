/* Delivery over the local API: orders go to the desk, plans and jobs are read from the store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/text.h"
#include "sensor/api_internal.h"
#include "sensor/desk.h"
#include "sensor/local_api.h"
#include "store/jobs.h"

/* --- orders ----------------------------------------------------------------------------------- */

struct order_job {
	struct api_job job; /* first */
	enum desk_verb verb;
	json_t *body; /* owned */
	char by[32];
	struct desk_op *op; /* owned until it ends */
};

static void clear_order(struct api_job *base)
{
	struct order_job *job = (struct order_job *)base;
	desk_op_cancel(job->op);
	json_decref(job->body);
}

static void on_ordered(void *arg, const struct buf *document, const struct err *err)
{
	struct order_job *job = arg;
	job->op = NULL;
	if (err != NULL)
		api_job_fail(&job->job, err);
	else
		api_job_end(&job->job, document);
}

static void run_order(struct api_job *base)
{
	struct order_job *job = (struct order_job *)base;
	job->op = desk_op_start(base->api->desk, job->verb, job->body, job->by, on_ordered, job);
	json_decref(job->body); /* it may hold a key: the desk has its own reference */
	job->body = NULL;
}

bool api_delivery_verb(const char *path, enum desk_verb *ret_verb)
{
	static const struct {
		const char *path;
		enum desk_verb verb;
	} order[] = {{LOCAL_API_PLAN, DESK_PLAN}, {LOCAL_API_APPLY, DESK_APPLY},
		{LOCAL_API_CANCEL, DESK_CANCEL}, {LOCAL_API_ROLLBACK, DESK_ROLLBACK},
		{LOCAL_API_CSR, DESK_CSR}, {LOCAL_API_CSR_DROP, DESK_CSR_DROP},
		{LOCAL_API_DELETE, DESK_DELETE}};
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (strcmp(path, order[i].path) != 0)
			continue;
		*ret_verb = order[i].verb;
		return true;
	}
	return false;
}

void api_delivery_post(struct api *api, struct evhttp_request *request, enum desk_verb verb,
	json_t *body, long uid)
{
	struct order_job *job = xcalloc(1, sizeof(*job));
	job->verb = verb;
	job->body = body;
	(void)snprintf(job->by, sizeof(job->by), "uid %ld", uid);
	(void)api_job_begin(api, request, &job->job, run_order, clear_order); /* answered anyway */
}

/* --- plans and jobs --------------------------------------------------------------------------- */

enum {
	LOOK_MS = 250, /* for a new step */
	JOB_KINDS = 3,
};

/* Ids begin with their kind, and behind it with the time of the order. */
static const char job_prefix[JOB_KINDS] = {JOB_ID_DELIVER, JOB_ID_ROLLBACK, JOB_ID_DELETE};

static const char *const rows_name[] = {"plans", "jobs", "csrs"}; /* by enum api_rows */
static const char *const row_name[] = {"plan", "job", "request"};

struct rows_job {
	struct api_job job; /* first */
	enum api_rows rows_of;
	char id[DELIVERY_ID_MAX + 1];		       /* "": all */
	char position[JOB_KINDS][DELIVERY_ID_MAX + 1]; /* of jobs, by kind; of plans the first */
	int64_t after_step, until_mono_ms; /* of the one job: how long to wait for a later step */
	bool was_held_up;		   /* the one job, when it was asked for */
	bool is_begun;
	size_t rows;
	struct json_writer writer;
	struct buf slice; /* owned */
};

static void clear_rows(struct api_job *base)
{
	struct rows_job *job = (struct rows_job *)base;
	buf_clear(&job->slice);
}

/* In order of time, over all kinds. */
static bool next_job(struct rows_job *job, struct store_txn *txn, struct job_record *ret_record)
{
	int first = -1;
	for (int i = 0; i < JOB_KINDS; i++) {
		char position[DELIVERY_ID_MAX + 1] = {job_prefix[i]};
		struct job_record record;
		if (job->position[i][0] != '\0')
			text_copy(position, sizeof(position), job->position[i]);
		if (!store_job_next(txn, position, &record) || record.id[0] != job_prefix[i] ||
			(first >= 0 && strcmp(record.id + 1, ret_record->id + 1) >= 0))
			continue;
		first = i;
		*ret_record = record;
	}
	if (first >= 0)
		text_copy(job->position[first], sizeof(job->position[0]), ret_record->id);
	return first >= 0;
}

static const char *held_up(const struct rows_job *job, const char *id)
{
	const struct desk *desk = job->job.api->desk;
	return desk != NULL ? desk_job_held_up(desk, id) : "";
}

/* The next row; false: there is none. */
static bool add_row(struct rows_job *job, struct store_txn *txn)
{
	struct plan_record plan;
	struct job_record record;
	struct desk *desk = job->job.api->desk;
	bool is_one = job->id[0] != '\0';
	if (is_one && job->rows > 0)
		return false;
	if (job->rows_of == API_ROWS_CSRS) {
		if (desk == NULL || !(is_one ? desk_render_request(desk, txn, job->id, &job->writer)
					     : desk_render_next_request(
						       desk, txn, job->position[0], &job->writer)))
			return false;
	} else if (job->rows_of == API_ROWS_PLANS) {
		if (is_one ? !store_plan_get(txn, job->id, &plan)
			   : !store_plan_next(txn, job->position[0], &plan))
			return false;
		desk_render_plan(txn, &plan, clock_now_s(),
			desk == NULL || desk_has_key(desk, &plan), &job->writer);
	} else {
		if (is_one ? !store_job_get(txn, job->id, &record) : !next_job(job, txn, &record))
			return false;
		desk_render_job(txn, &record, is_one, held_up(job, record.id), &job->writer);
	}
	job->rows++;
	return true;
}

static int fill_rows(struct rows_job *job, bool *ret_is_end, struct err *err)
{
	int64_t until_us = clock_mono_us() + API_SLICE_US;
	struct store_txn *txn = NULL;
	if (store_read_begin(job->job.api->store, &txn, err) != 0)
		return -1;
	*ret_is_end = false;
	do { /* at least one, however late it is already */
		*ret_is_end = !add_row(job, txn);
	} while (!*ret_is_end && job->slice.len < API_SLICE_BYTES && clock_mono_us() < until_us);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc == 0 ? buf_check(&job->slice, "a slice of the list", err) : -1;
}

/* Whether the job runs and has nothing that its reader does not know: no later step, and it is held
 * up no more than when the reader asked. */
static bool waits_for_step(struct rows_job *job)
{
	struct err err = ERR_INIT; /* the answer tells */
	struct store_txn *txn = NULL;
	struct job_record record;
	struct job_step step;
	uint32_t number = (uint32_t)job->after_step;
	if (clock_mono_ms() >= job->until_mono_ms || !api_job_has_reader(&job->job) ||
		store_read_begin(job->job.api->store, &txn, &err) != 0)
		return false;
	bool waits = store_job_get(txn, job->id, &record) && record.state == JOB_RUNNING &&
		     !store_job_step_next(txn, job->id, &number, &step) &&
		     (job->was_held_up || held_up(job, job->id)[0] == '\0');
	store_read_end(txn);
	return waits;
}

static void run_rows(struct api_job *base)
{
	struct rows_job *job = (struct rows_job *)base;
	struct err err = ERR_INIT;
	bool is_end = false;
	if (!job->is_begun && waits_for_step(job)) {
		api_job_run_after(base, LOOK_MS);
		return;
	}
	buf_reset(&job->slice);
	if (!job->is_begun) {
		json_writer_init(&job->writer, &job->slice, false);
		json_open_object(&job->writer);
		json_member_int(&job->writer, "schema", LOCAL_API_SCHEMA);
		json_key(&job->writer, rows_name[job->rows_of]);
		json_open_array(&job->writer);
		job->is_begun = true;
	}
	if (fill_rows(job, &is_end, &err) != 0) {
		api_job_fail(base, &err);
	} else if (is_end && job->id[0] != '\0' && job->rows == 0) {
		(void)err_set(
			&err, ERR_NOT_FOUND, "there is no %s %s", row_name[job->rows_of], job->id);
		api_job_fail(base, &err);
	} else if (is_end) {
		json_close_array(&job->writer);
		json_close_object(&job->writer);
		buf_add_char(&job->slice, '\n');
		struct buf last = job->slice;
		buf_init(&job->slice, API_DOCUMENT_MAX);
		api_job_end(base, &last); /* frees job */
		buf_clear(&last);
	} else {
		api_job_send(base, &job->slice);
	}
}

static int take_query(struct rows_job *job, struct api_params *params, struct err *err)
{
	int64_t wait_s = 0;
	const char *id = api_params_take(params, "id"), *after = NULL;
	if (id != NULL && !text_copy(job->id, sizeof(job->id), id))
		return err_set(err, ERR_CONFIG, "id: expected at most %d bytes", DELIVERY_ID_MAX);
	if (id != NULL && job->rows_of == API_ROWS_JOBS) {
		after = api_params_take(params, "after");
		if (after != NULL &&
			text_parse_int(after, 0, UINT32_MAX, &job->after_step, err) != 0)
			return err_wrap(err, "after");
		if (api_take_wait(params, &wait_s, err) != 0)
			return -1;
	}
	job->until_mono_ms = wait_s > 0 ? clock_mono_ms() + wait_s * 1000 : 0;
	return params->count == 0
		       ? 0
		       : err_set(err, ERR_CONFIG,
				 "the query: expected nothing but id, and for one job after and wait_s");
}

void api_delivery_get(struct api *api, struct evhttp_request *request, enum api_rows rows_of)
{
	struct api_params params = {.count = 0};
	struct err err = ERR_INIT;
	struct rows_job *job = xcalloc(1, sizeof(*job));
	job->rows_of = rows_of;
	buf_init(&job->slice, API_DOCUMENT_MAX);
	int rc = api_params_parse(request, &params, &err);
	if (rc == 0)
		rc = take_query(job, &params, &err);
	job->job.api = api;
	job->was_held_up = held_up(job, job->id)[0] != '\0';
	api_params_clear(&params);
	if (rc != 0) {
		api_reply_error(request, &err);
		clear_rows(&job->job);
		free(job);
		return;
	}
	(void)api_job_begin(api, request, &job->job, run_rows, clear_rows); /* answered anyway */
}
