/* Alerts over the local API: acknowledging one, trying a channel. The list is store/list.h's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/alerts.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/text.h"
#include "sensor/api_internal.h"
#include "sensor/local_api.h"

enum { WHICH_MAX = 512 };

struct alert_job {
	struct api_job job; /* first */
	bool is_test;
	char *which, *note; /* owned */
	char by[32];
	struct alert_op *op; /* owned until it ends */
};

static void clear(struct api_job *base)
{
	struct alert_job *job = (struct alert_job *)base;
	alerts_op_cancel(job->op);
	free(job->which);
	free(job->note);
}

static void on_done(void *arg, const char *said, const struct err *err)
{
	struct alert_job *job = arg;
	struct json_writer writer;
	struct buf document;
	job->op = NULL;
	if (err != NULL) {
		struct err failure = *err;
		if (job->is_test && failure.kind != ERR_NOT_FOUND)
			failure.kind = ERR_SERVICE; /* the request was right */
		api_job_fail(&job->job, &failure);
		return;
	}
	buf_init(&document, API_DOCUMENT_MAX);
	json_writer_init(&writer, &document, false);
	json_open_object(&writer);
	json_member_int(&writer, "schema", LOCAL_API_SCHEMA);
	json_key(&writer, job->is_test ? "test" : "acknowledged");
	json_open_object(&writer);
	json_member_text(&writer, job->is_test ? "channel" : "alert", job->which);
	json_member_text(&writer, job->is_test ? "said" : "id", said);
	json_close_object(&writer);
	json_close_object(&writer);
	buf_add_char(&document, '\n');
	api_job_end(&job->job, &document); /* frees job */
	buf_clear(&document);
}

static void run(struct api_job *base)
{
	struct alert_job *job = (struct alert_job *)base;
	struct alerts *alerts = base->api->alerts;
	job->op = job->is_test
			  ? alerts_test_start(alerts, job->which, on_done, job)
			  : alerts_ack_start(alerts, job->which, job->note, job->by, on_done, job);
}

bool api_alerts_is_order(const char *path)
{
	return strcmp(path, LOCAL_API_ALERTS_ACK) == 0 || strcmp(path, LOCAL_API_ALERTS_TEST) == 0;
}

static int read_order(const json_t *body, bool is_test, const char **ret_which,
	const char **ret_note, struct err *err)
{
	const char *key = is_test ? "channel" : "alert";
	size_t known = 1;
	if (json_get_text(body, key, WHICH_MAX, ret_which, err) != 0 ||
		(!is_test && json_get_text(body, "note", ALERT_NOTE_MAX, ret_note, err) != 0))
		return err_wrap(err, "the body");
	known += !is_test && json_object_get(body, "note") != NULL;
	if (**ret_which == '\0' || known != json_object_size(body))
		return err_set(err, ERR_CONFIG, "the body: expected %s",
			is_test ? "channel and nothing else" : "alert and perhaps note");
	return 0;
}

void api_alerts_post(
	struct api *api, struct evhttp_request *request, const char *path, json_t *body, long uid)
{
	const char *which = "", *note = "";
	struct err err = ERR_INIT;
	bool is_test = strcmp(path, LOCAL_API_ALERTS_TEST) == 0;
	if (read_order(body, is_test, &which, &note, &err) != 0) {
		api_reply_error(request, &err);
		json_decref(body);
		return;
	}
	struct alert_job *job = xcalloc(1, sizeof(*job));
	job->is_test = is_test;
	job->which = xstrdup(which);
	job->note = xstrdup(note);
	(void)snprintf(job->by, sizeof(job->by), "uid %ld", uid);
	json_decref(body);
	api->backend->alert_ordered(api->arg, is_test, job->which, uid);
	(void)api_job_begin(api, request, &job->job, run, clear); /* answered anyway */
}
