/* GET /v1/status: coverage and what the backend counts, in slices; then the document is written. */
#include "base/err.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "sensor/api_internal.h"
#include "sensor/local_api.h"
#include "sensor/tally.h"
#include "store/store.h"

struct status_job {
	struct api_job job; /* first */
	struct tally tally;
	bool is_tallied;
};

static void clear(struct api_job *job)
{
	(void)job; /* holds nothing */
}

static void write_document(struct status_job *job, struct store_txn *txn, struct buf *to)
{
	struct api *api = job->job.api;
	struct json_writer writer;
	json_writer_init(&writer, to, false);
	json_open_object(&writer);
	json_member_int(&writer, "schema", LOCAL_API_SCHEMA);
	json_key(&writer, "status");
	api->backend->status(api->arg, txn, &job->tally, &writer);
	json_close_object(&writer);
	buf_add_char(to, '\n');
}

static void run(struct api_job *base)
{
	struct status_job *job = (struct status_job *)base;
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	struct buf document;
	if (store_read_begin(base->api->store, &txn, &err) != 0) {
		api_job_fail(base, &err);
		return;
	}
	buf_init(&document, API_DOCUMENT_MAX);
	job->is_tallied = job->is_tallied || tally_slice(&job->tally, txn);
	bool is_end = job->is_tallied && base->api->backend->count(base->api->arg, txn);
	if (is_end)
		write_document(job, txn, &document);
	int rc = store_txn_check(txn, &err);
	store_read_end(txn);
	if (rc != 0 || (is_end && buf_check(&document, "the status", &err) != 0))
		api_job_fail(base, &err);
	else if (is_end)
		api_job_end(base, &document);
	else
		api_job_run_after(base, 0);
	buf_clear(&document);
}

void api_status_start(struct api *api, struct evhttp_request *request)
{
	struct status_job *job = xcalloc(1, sizeof(*job));
	tally_init(&job->tally, NULL);
	(void)api_job_begin(api, request, &job->job, run, clear); /* answered either way */
}
