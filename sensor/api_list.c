/* Lists over the local API, and the wait for events that have not happened yet. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "sensor/api_internal.h"
#include "store/store.h"

enum {
	STEP_BYTES = 32768, /* between two looks at the clock */
	STEP_RECORDS = 256,
	LOOK_MS = 250, /* for new events */
};

struct list_job {
	struct api_job job; /* first */
	enum list_kind kind;
	bool is_ndjson;
	struct api_params params; /* owned */
	int64_t until_mono_ms;	  /* for events: how long to wait for the first one */
	struct list *list;	  /* owned; NULL between two looks for events */
	struct buf slice;	  /* owned */
};

static void clear(struct api_job *job)
{
	struct list_job *list_job = (struct list_job *)job;
	list_free(list_job->list);
	api_params_clear(&list_job->params);
	buf_clear(&list_job->slice);
}

/* Fills the slice for at most API_SLICE_US. */
static int fill(struct list_job *job, bool *ret_is_end, struct err *err)
{
	int64_t until_us = clock_mono_us() + API_SLICE_US;
	struct store_txn *txn = NULL;
	bool is_end = false;
	if (store_read_begin(job->job.api->store, &txn, err) != 0)
		return -1;
	int rc = 0;
	do {
		rc = list_write(job->list, txn, &job->slice, job->slice.len + STEP_BYTES,
			STEP_RECORDS, &is_end, err);
	} while (rc == 0 && !is_end && job->slice.len < API_SLICE_BYTES &&
		 clock_mono_us() < until_us);
	store_read_end(txn);
	if (rc == 0)
		rc = buf_check(&job->slice, "a slice of the list", err);
	*ret_is_end = is_end;
	return rc;
}

static int begin_list(struct list_job *job, struct err *err)
{
	if (job->list == NULL)
		job->list = list_new(job->kind, job->params.item, job->params.count, job->is_ndjson,
			clock_now_s(), err);
	return job->list != NULL ? 0 : -1;
}

static bool waits_for_events(struct list_job *job)
{
	return list_rows(job->list) == 0 && clock_mono_ms() < job->until_mono_ms &&
	       api_job_has_reader(&job->job);
}

static void run(struct api_job *base)
{
	struct list_job *job = (struct list_job *)base;
	struct err err = ERR_INIT;
	bool is_end = false;
	buf_reset(&job->slice);
	if (begin_list(job, &err) != 0 || fill(job, &is_end, &err) != 0) {
		api_job_fail(base, &err);
	} else if (!is_end) {
		api_job_send(base, &job->slice);
	} else if (waits_for_events(job)) {
		list_free(job->list);
		job->list = NULL;
		api_job_run_after(base, LOOK_MS);
	} else if (job->kind == LIST_CERTIFICATE && list_rows(job->list) == 0) {
		(void)err_set(&err, ERR_NOT_FOUND, "no certificate matches");
		api_job_fail(base, &err);
	} else {
		struct buf last = job->slice;
		buf_init(&job->slice, API_DOCUMENT_MAX);
		api_job_end(base, &last); /* frees job */
		buf_clear(&last);
	}
}

void api_list_start(struct api *api, struct evhttp_request *request, enum list_kind kind,
	struct api_params *params, bool is_ndjson, int64_t wait_s)
{
	struct list_job *job = xcalloc(1, sizeof(*job));
	job->kind = kind;
	job->is_ndjson = is_ndjson;
	job->params = *params;
	*params = (struct api_params){.count = 0};
	if (wait_s > 0)
		job->until_mono_ms = clock_mono_ms() + wait_s * 1000;
	buf_init(&job->slice, API_DOCUMENT_MAX);
	(void)api_job_begin(api, request, &job->job, run, clear); /* answered either way */
}
