/* GET /metrics on the control socket. Over TCP: metrics_server.h. */
#include <event2/http.h>

#include "base/err.h"
#include "base/mem.h"
#include "sensor/api_internal.h"
#include "store/store.h"

struct metrics_job {
	struct api_job job; /* first */
	enum openmetrics_format format;
};

static void clear(struct api_job *job)
{
	(void)job; /* holds nothing */
}

static void run(struct api_job *base)
{
	const struct metrics_job *job = (const struct metrics_job *)base;
	const struct api *api = base->api;
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	struct buf text;
	if (store_read_begin(api->store, &txn, &err) != 0) {
		api_job_fail(base, &err);
		return;
	}
	buf_init(&text, API_DOCUMENT_MAX);
	bool is_end = api->backend->metrics(api->arg, txn, job->format, &text);
	store_read_end(txn);
	if (is_end && buf_check(&text, "the metrics", &err) != 0)
		api_job_fail(base, &err);
	else if (is_end)
		api_job_end(base, &text);
	else
		api_job_run_after(base, 0);
	buf_clear(&text);
}

void api_metrics_start(struct api *api, struct evhttp_request *request)
{
	struct metrics_job *job = xcalloc(1, sizeof(*job));
	job->format = openmetrics_choose(
		evhttp_find_header(evhttp_request_get_input_headers(request), "Accept"));
	job->job.content_type = openmetrics_content_type(job->format);
	(void)api_job_begin(api, request, &job->job, run, clear); /* answered either way */
}
