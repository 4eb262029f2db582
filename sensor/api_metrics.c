/* GET /metrics, on the control socket and, with metrics_listen, over TCP for everybody who reaches
 * it: that server knows nothing else. */
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "sensor/api_address.h"
#include "sensor/api_internal.h"
#include "sensor/local_api.h"
#include "store/store.h"

enum {
	CONNECTIONS_MAX = 16, /* a few servers that scrape, and somebody with a browser */
	IDLE_S = 10,
	BODY_MAX = 4096, /* of what is refused anyway */
	STATUS_BAD_METHOD = 405,
};

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

static void on_request(struct evhttp_request *request, void *arg)
{
	struct api *api = arg;
	struct err err = ERR_INIT;
	loop_turn_mark(api->loop);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	enum evhttp_cmd_type method = evhttp_request_get_command(request);
	if (path == NULL || strcmp(path, LOCAL_API_METRICS) != 0) {
		(void)err_set(
			&err, ERR_NOT_FOUND, "there is no such path; see %s", LOCAL_API_METRICS);
		api_reply_error(request, &err);
	} else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
		(void)err_set(&err, ERR_CONFIG, "the method: expected GET or HEAD for this path");
		api_reply_status(request, STATUS_BAD_METHOD, &err);
	} else {
		api_metrics_start(api, request);
	}
}

int api_metrics_listen(struct api *api, const char *listen, struct err *err)
{
	struct api_address address;
	if (!api_address_parse(listen, &address))
		return err_set(
			err, ERR_CONFIG, "metrics_listen %s: not an address and port", listen);
	int fd = api_address_listen(&address, "metrics_listen", listen, err);
	if (fd < 0)
		return -1;
	api->metrics_server = api_server_new(&(struct api_server_options){.loop = api->loop,
						     .name = "metrics_listen",
						     .fd = fd,
						     .body_max_bytes = BODY_MAX,
						     .connections_max = CONNECTIONS_MAX,
						     .idle_s = IDLE_S,
						     .on_request = on_request,
						     .arg = api},
		err);
	if (api->metrics_server == NULL)
		return -1;
	log_info("listen metrics=http://%s%s", listen, LOCAL_API_METRICS);
	return 0;
}
