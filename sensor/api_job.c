/*
 * Answers that take more than one turn of the loop, over evhttp's chunked replies.
 *
 * A request belongs to its connection until the connection dies; then evhttp leaves the request to
 * us (it has no connection any more) and ending the reply frees it.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <poll.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "sensor/api_internal.h"

static void on_timer(void *arg)
{
	struct api_job *job = arg;
	job->timer = NULL;
	job->run(job);
}

void api_job_run_after(struct api_job *job, int64_t delay_ms)
{
	job->timer = loop_timer_start(job->api->loop, delay_ms, on_timer, job);
}

/* Takes the job off its connection and the list, and frees it. The request is not touched. */
static void discard(struct api_job *job)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(job->request);
	if (connection != NULL)
		evhttp_connection_set_closecb(connection, NULL, NULL);
	*job->link = job->next;
	if (job->next != NULL)
		job->next->link = job->link;
	job->api->job_count--;
	loop_timer_cancel(job->timer);
	job->clear(job);
	free(job);
}

static void on_close(struct evhttp_connection *connection, void *arg)
{
	struct api_job *job = arg;
	struct evhttp_request *request = job->request;
	(void)connection;
	loop_turn_mark(job->api->loop);
	bool is_ours = evhttp_request_get_connection(request) == NULL;
	discard(job);
	if (is_ours)
		evhttp_send_reply_end(request); /* frees it */
}

bool api_job_begin(struct api *api, struct evhttp_request *request, struct api_job *job,
	api_job_fn *run, api_job_fn *clear)
{
	struct err err = ERR_INIT;
	job->api = api;
	job->request = request;
	job->run = run;
	job->clear = clear;
	if (api->job_count >= API_JOBS_MAX || api->is_ending) {
		(void)err_set(&err, ERR_STOPPED,
			api->is_ending ? "the daemon is stopping"
				       : "too many answers are under way; try again");
		clear(job);
		free(job);
		api_reply_status(request, HTTP_SERVUNAVAIL, &err);
		return false;
	}
	api->job_count++;
	job->next = api->jobs;
	job->link = &api->jobs;
	if (job->next != NULL)
		job->next->link = &job->next;
	api->jobs = job;
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_close, job);
	api_job_run_after(job, 0);
	return true;
}

bool api_job_has_reader(const struct api_job *job)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(job->request);
	if (connection == NULL)
		return false;
	struct pollfd peer = {
		.fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection))};
	return poll(&peer, 1, 0) <= 0 || (peer.revents & (POLLHUP | POLLERR)) == 0;
}

static void on_taken(struct evhttp_connection *connection, void *arg)
{
	struct api_job *job = arg;
	(void)connection;
	loop_turn_mark(job->api->loop);
	if (job->timer == NULL)
		api_job_run_after(job, 0);
}

static struct evbuffer *as_evbuffer(const struct buf *bytes)
{
	struct evbuffer *buffer = evbuffer_new();
	if (buffer == NULL || evbuffer_add(buffer, bytes->data, bytes->len) != 0)
		abort(); /* no memory: as base/mem.h */
	return buffer;
}

static void begin_reply(struct api_job *job)
{
	if (job->has_begun)
		return;
	job->has_begun = true;
	(void)evhttp_add_header(evhttp_request_get_output_headers(job->request), "Content-Type",
		"application/json"); /* constants: cannot be refused */
	evhttp_send_reply_start(job->request, HTTP_OK, "OK");
}

void api_job_send(struct api_job *job, const struct buf *bytes)
{
	if (bytes->len == 0) { /* evhttp sends no empty chunk, and never says that it was taken */
		api_job_run_after(job, 0);
		return;
	}
	struct evbuffer *buffer = as_evbuffer(bytes);
	begin_reply(job);
	evhttp_send_reply_chunk_with_cb(job->request, buffer, on_taken, job);
	evbuffer_free(buffer);
}

void api_job_end(struct api_job *job, const struct buf *last)
{
	struct evhttp_request *request = job->request;
	if (!job->has_begun) {
		const char *content_type = job->content_type;
		discard(job);
		if (content_type != NULL)
			api_reply_bytes(request, HTTP_OK, content_type, last);
		else
			api_reply_document(request, HTTP_OK, last);
		return;
	}
	struct evbuffer *buffer = as_evbuffer(last);
	discard(job);
	if (evbuffer_get_length(buffer) > 0)
		evhttp_send_reply_chunk(request, buffer);
	evbuffer_free(buffer);
	evhttp_send_reply_end(request);
}

void api_job_fail(struct api_job *job, const struct err *err)
{
	struct evhttp_request *request = job->request;
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	bool has_begun = job->has_begun;
	discard(job);
	if (!has_begun)
		api_reply_error(request, err);
	else
		evhttp_connection_free(connection); /* with the request; no final chunk */
}

void api_job_drop(struct api_job *job)
{
	discard(job);
}
