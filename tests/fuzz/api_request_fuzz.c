/*
 * The local API as its socket sees it: the input is what a client sends, so evhttp's reading of
 * requests is in it too. Everything behind is real but the daemon (a backend of constants) and the
 * clock; the store is a small one. Time passes with each look at the clock, so fast that even a
 * small list comes in several slices. An answer that waits for events is hung up on, and one input
 * in eight hangs up after the first bytes of its answer.
 *
 * Whatever was asked, each answer is HTTP with a status that local_api.h names, and JSON; none
 * blames the daemon (500); and when the client is gone nothing of its requests is left.
 */
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "sensor/api_internal.h"
#include "sensor/tally.h"
#include "store/store.h"
#include "tests/lib/filled_store.h"
#include "tests/lib/temp_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	CERTIFICATES = 24,
	ANSWER_MAX = 64 << 20,
	IDLE_TURNS = 4,	     /* without a byte and a job: the answers are there */
	WAIT_TURNS = 200,    /* without a byte, but with a job: it waits for events */
	TURNS_MAX = 1000000, /* an answer that never ends */
};

struct server {
	struct loop *loop;
	struct store *store;
	struct api *api;
	char *folder;
	char *socket_path;
};

/* --- the clock -------------------------------------------------------------------------------- */

int64_t clock_mono_us(void)
{
	static int64_t now_us = 1000000;
	return now_us += API_SLICE_US + 1;
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t clock_now_s(void)
{
	return SAMPLE_NOW_S;
}

int64_t clock_now_ms(void)
{
	return SAMPLE_NOW_S * INT64_C(1000);
}

uint32_t clock_random(uint32_t bound)
{
	return bound - 1;
}

/* --- a backend -------------------------------------------------------------------------------- */

/* Two slices, each time. */
static bool count(void *arg, struct store_txn *txn)
{
	static unsigned calls;
	(void)arg, (void)txn;
	return calls++ % 2 != 0;
}

static void write_status(
	void *arg, struct store_txn *txn, const struct tally *tally, struct json_writer *writer)
{
	(void)arg, (void)txn;
	json_open_object(writer);
	json_member_int(writer, "pairs", tally->pairs);
	json_close_object(writer);
}

static void write_list(void *arg, struct json_writer *writer)
{
	(void)arg;
	json_open_array(writer);
	json_close_array(writer);
}

/* Says what it was asked for, which must have been checked. */
static int ask(void *arg, const struct api_scan *scan, struct json_writer *writer, struct err *err)
{
	(void)arg;
	assert(scan->account_id[0] == '\0' || text_is_account_id(scan->account_id));
	assert(scan->region[0] == '\0' || text_is_region(scan->region));
	assert(strlen(scan->connector) <= 64 && scan->uid == (long)geteuid());
	if (strcmp(scan->connector, "busy") == 0)
		return err_set(err, ERR_REFUSED, "not now");
	json_open_object(writer);
	json_member_text(writer, "connector", scan->connector);
	json_close_object(writer);
	return 0;
}

static void set_log(void *arg, const struct api_log *log)
{
	(void)arg;
	assert(log->is_default ||
		(log->level <= LOG_DEBUG && log->for_s >= 1 && log->for_s <= 86400));
}

/* Takes more than one slice now and then. */
static bool write_metrics(
	void *arg, struct store_txn *txn, enum openmetrics_format format, struct buf *to)
{
	static int slices;
	(void)arg, (void)txn;
	if (++slices % 3 != 0)
		return false;
	buf_add_text(to, openmetrics_content_type(format));
	return true;
}

static const struct api_backend backend = {.count = count,
	.status = write_status,
	.progress = write_list,
	.config = write_list,
	.log = write_list,
	.set_log = set_log,
	.metrics = write_metrics,
	.scan = ask};

/* --- the server ------------------------------------------------------------------------------- */

static struct server server;

static void close_server(void)
{
	api_free(server.api);
	store_close(server.store);
	loop_free(server.loop);
	free(server.socket_path);
	temp_folder_remove(server.folder);
}

static void open_server(void)
{
	struct err err = ERR_INIT;
	server.loop = loop_new(&err);
	server.store = filled_store_open(server.loop, CERTIFICATES);
	server.folder = temp_folder_new();
	server.socket_path = temp_path(server.folder, "control.sock");
	server.api = api_new(&(struct api_options){.loop = server.loop,
				     .store = server.store,
				     .socket_path = server.socket_path,
				     .backend = &backend},
		&err);
	if (server.api == NULL) {
		fprintf(stderr, "api_new: %s\n", err.text);
		abort();
	}
	(void)atexit(close_server);
}

static void turn(void)
{
	(void)event_base_loop(loop_event_base(server.loop), EVLOOP_NONBLOCK);
}

/* --- a client --------------------------------------------------------------------------------- */

static int open_client(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", server.socket_path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		abort();
	return fd;
}

/* Takes all that is there; false: the connection has ended. */
static bool receive(int fd, struct buf *answer)
{
	static char chunk[65536];
	ssize_t len;
	while ((len = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0)
		buf_add(answer, chunk, (size_t)len);
	return len < 0 && errno == EAGAIN;
}

/* Sends as the server takes it, then waits until it has nothing more to say, or until it has said
 * enough. Returns whether the server has said all it wanted to. */
static bool talk(int fd, const uint8_t *data, size_t size, size_t enough, struct buf *answer)
{
	size_t sent = 0;
	for (int turns = 0, idle = 0; turns < TURNS_MAX; turns++) {
		size_t before = answer->len + sent;
		if (sent < size) {
			ssize_t len = send(fd, data + sent, size - sent, MSG_NOSIGNAL);
			if (len > 0)
				sent += (size_t)len;
		}
		turn();
		if (!receive(fd, answer))
			return true;
		if (answer->len >= enough)
			return false;
		idle = answer->len + sent == before ? idle + 1 : 0;
		bool has_jobs = server.api->jobs != NULL;
		if (idle >= (has_jobs ? WAIT_TURNS : IDLE_TURNS))
			return !has_jobs;
	}
	abort();
}

/* What waits for time to pass looks again, as after a while, and sees that nobody listens. */
static void pass_time(void)
{
	for (struct api_job *job = server.api->jobs, *next; job != NULL; job = next) {
		next = job->next;
		loop_timer_cancel(job->timer);
		job->timer = NULL;
		job->run(job);
	}
}

/* --- answers ---------------------------------------------------------------------------------- */

struct answer {
	int status;
	bool is_json, is_chunked, has_length;
	size_t length;
};

static void check_status(int status)
{
	static const int known[] = {100, 200, 202, 400, 403, 404, 405, 409, 413, 417, 501, 503};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == status)
			return;
	fprintf(stderr, "status %d\n", status);
	abort();
}

static void read_head_lines(const char *head, struct answer *ret)
{
	*ret = (struct answer){.status = 0};
	/* evhttp answers in the version that it was asked in. */
	assert(sscanf(head, "HTTP/%*d.%*d %d ", &ret->status) == 1);
	check_status(ret->status);
	for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, "Content-Type: application/json\r", 31) == 0)
			ret->is_json = true;
		else if (strncasecmp(line, "Transfer-Encoding: chunked\r", 27) == 0)
			ret->is_chunked = true;
		else if (strncasecmp(line, "Content-Length: ", 16) == 0)
			ret->has_length = sscanf(line + 16, "%zu", &ret->length) == 1;
	}
}

/* The head up to its empty line; returns what comes behind. NULL: it was cut. */
static const char *read_head(const char *at, const char *end, struct answer *ret)
{
	const char *behind = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
	if (behind == NULL)
		return NULL;
	/* A copy, because the functions on texts look for the end of all answers each time. */
	char *head = xstrndup(at, (size_t)(behind + 2 - at));
	read_head_lines(head, ret);
	free(head);
	return behind + 4;
}

/* Appends a chunked body; returns what comes behind, NULL when it was cut. */
static const char *read_chunks(const char *at, const char *end, struct buf *body)
{
	for (;;) {
		char *behind;
		size_t len = strtoul(at, &behind, 16);
		if (behind == at || (size_t)(end - behind) < len + 4)
			return NULL;
		assert(behind[0] == '\r' && behind[1] == '\n');
		buf_add(body, behind + 2, len);
		at = behind + 2 + len;
		assert(at[0] == '\r' && at[1] == '\n');
		at += 2;
		if (len == 0)
			return at;
	}
}

/* One document, or an object a line. */
static void check_json(const struct buf *body)
{
	const char *at = buf_text(body), *end = at + body->len;
	while (at < end) {
		json_error_t error;
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		assert(newline != NULL);
		json_t *row =
			json_loadb(at, (size_t)(newline - at), JSON_REJECT_DUPLICATES, &error);
		assert(json_is_object(row));
		json_decref(row);
		at = newline + 1;
	}
}

static const char *read_body(
	const char *at, const char *end, const struct answer *answer, struct buf *body)
{
	if (answer->is_chunked)
		return read_chunks(at, end, body);
	size_t len = answer->has_length ? answer->length : (size_t)(end - at);
	if ((size_t)(end - at) < len)
		return NULL;
	buf_add(body, at, len);
	return at + len;
}

/* is_whole: the server was not interrupted. HEAD's answers have the length of a body without one:
 * only the first can be read. */
static void check_answers(const struct buf *text, bool is_whole, bool has_head)
{
	const char *at = buf_text(text), *end = at + text->len;
	while (at < end) {
		struct answer answer;
		struct buf body;
		at = read_head(at, end, &answer);
		if (has_head)
			return;
		assert(at != NULL || !is_whole);
		if (at == NULL)
			return;
		if (answer.status == 100)
			continue;
		/* Without a length the body ends with the connection. */
		if (!is_whole && !answer.is_chunked && !answer.has_length)
			return;
		buf_init(&body, ANSWER_MAX);
		at = read_body(at, end, &answer, &body);
		assert(at != NULL || !is_whole);
		if (at != NULL && answer.is_json)
			check_json(&body);
		buf_clear(&body);
		if (at == NULL)
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf answer;
	if (server.api == NULL)
		open_server();
	buf_init(&answer, ANSWER_MAX);
	int fd = open_client();
	bool is_whole = talk(fd, data, size, size % 8 == 7 ? 1 : SIZE_MAX, &answer);
	(void)close(fd);
	pass_time();
	for (int i = 0; i < IDLE_TURNS; i++)
		turn();
	assert(server.api->jobs == NULL && server.api->job_count == 0);
	assert(!answer.is_over);
	check_answers(&answer, is_whole, memmem(data, size, "HEAD", 4) != NULL);
	buf_clear(&answer);
	return 0;
}
