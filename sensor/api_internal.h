/* What the files of the local API share. */
#ifndef SENSOR_API_INTERNAL_H
#define SENSOR_API_INTERNAL_H

#include <event2/http.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "sensor/api.h"
#include "sensor/api_socket.h"
#include "sensor/desk.h"
#include "store/list.h"

enum {
	API_JOBS_MAX = 64,	    /* answers under way at once; more are refused */
	API_SLICE_US = 4000,	    /* of work in one turn of the loop */
	API_SLICE_BYTES = 262144,   /* handed to a reader at once */
	API_DOCUMENT_MAX = 4194304, /* one answer that is not a list, and one slice at its worst */
	API_PARAMS_MAX = 32,
};

struct api_job;

struct api {
	struct loop *loop;		   /* borrowed */
	struct store *store;		   /* borrowed */
	struct desk *desk;		   /* borrowed; NULL: no delivery */
	struct alerts *alerts;		   /* borrowed; NULL: no alerts to order about */
	const struct api_backend *backend; /* borrowed */
	void *arg;
	struct api_socket socket; /* owned */
	struct evhttp *http;	  /* owned */
	struct api_job *jobs;	  /* owned list; each ends by itself or with its connection */
	size_t job_count;
	bool is_ending;
};

/* A query's parameters, decoded. */
struct api_params {
	struct evkeyvalq *pairs; /* owned */
	struct list_param item[API_PARAMS_MAX];
	size_t count;
};
/* ERR_CONFIG: not a query, or too many parameters. */
int api_params_parse(
	struct evhttp_request *request, struct api_params *ret_params, struct err *err);
void api_params_clear(struct api_params *params); /* zeroed is fine */
/* Takes a parameter out; NULL: it is not there. Borrowed until clear. */
const char *api_params_take(struct api_params *params, const char *key);

/* --- answers ---------------------------------------------------------------------------------- */

/* The request is evhttp's again after each of these. */
void api_reply_document(struct evhttp_request *request, int status, const struct buf *document);
/* content_type: shared static. */
void api_reply_bytes(struct evhttp_request *request, int status, const char *content_type,
	const struct buf *bytes);
void api_reply_error(struct evhttp_request *request, const struct err *err);
void api_reply_status(struct evhttp_request *request, int status, const struct err *err);

/* wait_s=N of the query; unchanged without it. ERR_CONFIG. */
int api_take_wait(struct api_params *params, int64_t *ret_wait_s, struct err *err);

/* Streams a list. params: taken. wait_s: for events, until there is one; 0: do not wait. */
void api_list_start(struct api *api, struct evhttp_request *request, enum list_kind kind,
	struct api_params *params, bool is_ndjson, int64_t wait_s);
/* Counts coverage in slices, then asks the backend for the status. */
void api_status_start(struct api *api, struct evhttp_request *request);

/* --- api_metrics.c --- */

/* The metrics, in the format that the request accepts. */
void api_metrics_start(struct api *api, struct evhttp_request *request);

/* --- api_delivery.c --- */

/* Whether the path is that of an order. */
bool api_delivery_verb(const char *path, enum desk_verb *ret_verb);
/* body: owned from here on. */
void api_delivery_post(struct api *api, struct evhttp_request *request, enum desk_verb verb,
	json_t *body, long uid);
enum api_rows { API_ROWS_PLANS, API_ROWS_JOBS, API_ROWS_CSRS };
void api_delivery_get(struct api *api, struct evhttp_request *request, enum api_rows rows_of);

/* --- api_alerts.c --- */

bool api_alerts_is_order(const char *path);
/* body: owned from here on. */
void api_alerts_post(
	struct api *api, struct evhttp_request *request, const char *path, json_t *body, long uid);

/* --- jobs: api_job.c -------------------------------------------------------------------------- */

/* What an answer that takes more than one turn has in common; first member of the job's struct. */
typedef void api_job_fn(struct api_job *job);
struct api_job {
	struct api *api;		/* borrowed */
	struct evhttp_request *request; /* evhttp's; ours to answer until it is */
	struct loop_timer *timer;	/* owned until it fires */
	api_job_fn *run;		/* the next slice; from the loop */
	api_job_fn *clear;		/* frees what the job's struct holds, not the struct */
	const char *content_type;	/* shared static; NULL: JSON */
	bool has_begun;			/* the first chunk was sent */
	struct api_job *next;
	struct api_job **link;
};

/* Registers and runs the first slice in the next turn. false: too many; the request is answered. */
bool api_job_begin(struct api *api, struct evhttp_request *request, struct api_job *job,
	api_job_fn *run, api_job_fn *clear);
void api_job_run_after(struct api_job *job, int64_t delay_ms);
/* Whether the reader has not hung up: evhttp itself notices only when there is something to
 * write. */
bool api_job_has_reader(const struct api_job *job);
/* Hands bytes, perhaps none, to the reader; run is called again when they are taken. */
void api_job_send(struct api_job *job, const struct buf *bytes);
/* The end: frees the job. With a document that was never begun, its only answer. */
void api_job_end(struct api_job *job, const struct buf *last);
/* The end in an error: the answer, or after the first chunk a broken connection. Frees the job. */
void api_job_fail(struct api_job *job, const struct err *err);
/* As when the connection is gone. */
void api_job_drop(struct api_job *job);

#endif
