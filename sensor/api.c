/* The local API's server: who may ask what, and where it is answered. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "sensor/api_internal.h"
#include "sensor/local_api.h"
#include "sensor/log_override.h"

enum {
	HEADERS_MAX = 32768,
	IDLE_S = 60, /* a connection that neither asks nor takes is closed */
	ACCEPT_PAUSE_S = 1,
	STATUS_BAD_METHOD = 405,
	STATUS_CONFLICT = 409,
	STATUS_FORBIDDEN = 403,
};

/* --- answers ---------------------------------------------------------------------------------- */

void api_reply_bytes(struct evhttp_request *request, int status, const char *content_type,
	const struct buf *bytes)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	bool is_head = evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;
	struct evbuffer *body = evbuffer_new();
	char len[24];
	if (body == NULL || (!is_head && evbuffer_add(body, bytes->data, bytes->len) != 0))
		abort(); /* no memory: as base/mem.h */
	(void)snprintf(len, sizeof(len), "%zu", bytes->len);
	/* Cannot be refused: they have no line ends. */
	(void)evhttp_add_header(headers, "Content-Type", content_type);
	(void)evhttp_add_header(headers, "Content-Length", len);
	evhttp_send_reply(request, status, NULL, body);
	evbuffer_free(body);
}

void api_reply_document(struct evhttp_request *request, int status, const struct buf *document)
{
	api_reply_bytes(request, status, "application/json", document);
}

void api_reply_status(struct evhttp_request *request, int status, const struct err *err)
{
	struct buf document;
	struct json_writer writer;
	buf_init(&document, API_DOCUMENT_MAX);
	json_writer_init(&writer, &document, false);
	json_open_object(&writer);
	json_key(&writer, "error");
	json_open_object(&writer);
	json_member_text(&writer, "kind", err_kind_name(err->kind));
	if (err->code[0] != '\0')
		json_member_text(&writer, "code", err->code);
	json_member_text(&writer, "message", err->text);
	json_close_object(&writer);
	json_close_object(&writer);
	buf_add_char(&document, '\n');
	api_reply_document(request, status, &document);
	buf_clear(&document);
}

static int status_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_CONFIG:
	case ERR_LIMIT:
	case ERR_PROTOCOL:
		return HTTP_BADREQUEST;
	case ERR_DENIED:
		return STATUS_FORBIDDEN;
	case ERR_NOT_FOUND:
		return HTTP_NOTFOUND;
	case ERR_REFUSED:
		return STATUS_CONFLICT;
	case ERR_STOPPED:
		return HTTP_SERVUNAVAIL;
	case ERR_NONE:
	case ERR_SYSTEM:
	case ERR_UNREACHABLE:
	case ERR_TIMEOUT:
	case ERR_THROTTLED:
	case ERR_DENIED_BY_SCP:
	case ERR_ROLE:
	case ERR_CREDENTIALS:
	case ERR_SERVICE:
	case ERR_STORE:
	case ERR_STORE_FULL:
		break;
	}
	return HTTP_INTERNAL;
}

void api_reply_error(struct evhttp_request *request, const struct err *err)
{
	api_reply_status(request, status_of(err->kind), err);
}

/* --- parameters ------------------------------------------------------------------------------- */

int api_params_parse(struct evhttp_request *request, struct api_params *ret_params, struct err *err)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *query = uri != NULL ? evhttp_uri_get_query(uri) : NULL;
	struct api_params params = {.pairs = xcalloc(1, sizeof(*params.pairs))};
	TAILQ_INIT(params.pairs);
	bool is_query =
		query == NULL || query[0] == '\0' ||
		(strstr(query, "%00") == NULL && evhttp_parse_query_str(query, params.pairs) == 0);
	const struct evkeyval *pair;
	TAILQ_FOREACH(pair, params.pairs, next)
	{
		if (params.count == API_PARAMS_MAX ||
			!text_is_utf8(pair->value, strlen(pair->value)))
			is_query = false;
		else
			params.item[params.count++] =
				(struct list_param){.key = pair->key, .value = pair->value};
	}
	if (!is_query) {
		api_params_clear(&params);
		return err_set(err, ERR_CONFIG,
			"the query: expected at most %d parameters as key=value&..., "
			"percent-encoded UTF-8",
			API_PARAMS_MAX);
	}
	*ret_params = params;
	return 0;
}

void api_params_clear(struct api_params *params)
{
	if (params->pairs != NULL)
		evhttp_clear_headers(params->pairs);
	free(params->pairs);
	*params = (struct api_params){.pairs = NULL};
}

const char *api_params_take(struct api_params *params, const char *key)
{
	for (size_t i = 0; i < params->count; i++) {
		const char *value = params->item[i].value;
		if (strcmp(params->item[i].key, key) != 0)
			continue;
		memmove(&params->item[i], &params->item[i + 1],
			(--params->count - i) * sizeof(params->item[0]));
		return value;
	}
	return NULL;
}

/* --- GET -------------------------------------------------------------------------------------- */

static int take_format(struct api_params *params, bool *ret_is_ndjson, struct err *err)
{
	const char *format = api_params_take(params, "format");
	if (format != NULL && strcmp(format, "ndjson") != 0 && strcmp(format, "json") != 0)
		return err_set(err, ERR_CONFIG, "format: expected json or ndjson");
	*ret_is_ndjson = format != NULL && format[0] == 'n';
	return 0;
}

int api_take_wait(struct api_params *params, int64_t *ret_wait_s, struct err *err)
{
	const char *wait = api_params_take(params, "wait_s");
	if (wait != NULL && text_parse_int(wait, 0, LOCAL_API_WAIT_MAX_S, ret_wait_s, err) != 0)
		return err_wrap(err, "wait_s");
	return 0;
}

static void get_list(struct api *api, struct evhttp_request *request, enum list_kind kind)
{
	struct api_params params = {.count = 0};
	struct err err = ERR_INIT;
	bool is_ndjson = false;
	int64_t wait_s = 0;
	if (api_params_parse(request, &params, &err) != 0 ||
		take_format(&params, &is_ndjson, &err) != 0 ||
		(kind == LIST_EVENTS && api_take_wait(&params, &wait_s, &err) != 0))
		api_reply_error(request, &err);
	else
		api_list_start(api, request, kind, &params, is_ndjson, wait_s);
	api_params_clear(&params);
}

typedef void write_value_fn(void *arg, struct json_writer *writer);

static void get_value(struct api *api, struct evhttp_request *request, const char *name,
	write_value_fn *write_value)
{
	struct buf document;
	struct json_writer writer;
	struct err err = ERR_INIT;
	buf_init(&document, API_DOCUMENT_MAX);
	json_writer_init(&writer, &document, false);
	json_open_object(&writer);
	json_member_int(&writer, "schema", LOCAL_API_SCHEMA);
	json_key(&writer, name);
	write_value(api->arg, &writer);
	json_close_object(&writer);
	buf_add_char(&document, '\n');
	if (buf_check(&document, name, &err) != 0)
		api_reply_error(request, &err);
	else
		api_reply_document(request, HTTP_OK, &document);
	buf_clear(&document);
}

/* Returns whether there is such a path. */
static bool get(struct api *api, struct evhttp_request *request, const char *path)
{
	static const struct {
		const char *path;
		enum list_kind kind;
	} list[] = {{LOCAL_API_CERTIFICATES, LIST_CERTIFICATES},
		{LOCAL_API_CERTIFICATE, LIST_CERTIFICATE}, {LOCAL_API_ACCOUNTS, LIST_ACCOUNTS},
		{LOCAL_API_COVERAGE, LIST_COVERAGE}, {LOCAL_API_EVENTS, LIST_EVENTS},
		{LOCAL_API_ALERTS, LIST_ALERTS}};
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (strcmp(path, list[i].path) == 0) {
			get_list(api, request, list[i].kind);
			return true;
		}
	}
	if (strcmp(path, LOCAL_API_STATUS) == 0)
		api_status_start(api, request);
	else if (strcmp(path, LOCAL_API_PROGRESS) == 0)
		get_value(api, request, "progress", api->backend->progress);
	else if (strcmp(path, LOCAL_API_CONFIG) == 0)
		get_value(api, request, "config", api->backend->config);
	else if (strcmp(path, LOCAL_API_LOG) == 0)
		get_value(api, request, "log", api->backend->log);
	else if (strcmp(path, LOCAL_API_PLANS) == 0)
		api_delivery_get(api, request, API_ROWS_PLANS);
	else if (strcmp(path, LOCAL_API_JOBS) == 0)
		api_delivery_get(api, request, API_ROWS_JOBS);
	else if (strcmp(path, LOCAL_API_CSRS) == 0)
		api_delivery_get(api, request, API_ROWS_CSRS);
	else
		return false;
	return true;
}

/* --- POST ------------------------------------------------------------------------------------- */

static int check_peer(struct evhttp_request *request, long *ret_uid, struct err *err)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
	if (!api_socket_may_change(fd, ret_uid))
		return err_set(err, ERR_DENIED,
			"uid %ld may read only; root and the daemon's own user may change things",
			*ret_uid);
	return 0;
}

/* owned, or NULL and err. An empty body is an empty object. */
static json_t *read_body(struct evhttp_request *request, struct err *err)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	size_t len = evbuffer_get_length(body);
	json_t *object = NULL;
	if (len == 0)
		return json_object();
	const unsigned char *text = evbuffer_pullup(body, -1);
	object = json_read_object((const char *)text, len, err);
	if (object == NULL)
		(void)err_wrap(err, "the body");
	return object;
}

/* What a request to change something carries, if its sender may; as read_body. */
static json_t *read_order(struct evhttp_request *request, long *ret_uid, struct err *err)
{
	return check_peer(request, ret_uid, err) == 0 ? read_body(request, err) : NULL;
}

static int read_scan(const json_t *body, struct api_scan *scan, struct err *err)
{
	size_t known = 0;
	scan->connector = scan->account_id = scan->region = "";
	if (json_get_text(body, "connector", 64, &scan->connector, err) != 0 ||
		json_get_text(body, "account", 64, &scan->account_id, err) != 0 ||
		json_get_text(body, "region", 64, &scan->region, err) != 0)
		return err_wrap(err, "the body");
	known += json_object_get(body, "connector") != NULL;
	known += json_object_get(body, "account") != NULL;
	known += json_object_get(body, "region") != NULL;
	if (known != json_object_size(body))
		return err_set(err, ERR_CONFIG,
			"the body: expected no members but connector, account and region");
	if (scan->account_id[0] != '\0' && !text_is_account_id(scan->account_id))
		return err_set(err, ERR_CONFIG, "account: expected 12 digits");
	if (scan->region[0] != '\0' && !text_is_region(scan->region))
		return err_set(
			err, ERR_CONFIG, "region: expected a region's name such as eu-central-1");
	return 0;
}

static int write_scan(
	struct api *api, const struct api_scan *scan, struct buf *document, struct err *err)
{
	struct json_writer writer;
	json_writer_init(&writer, document, false);
	json_open_object(&writer);
	json_member_int(&writer, "schema", LOCAL_API_SCHEMA);
	json_key(&writer, "scan");
	if (api->backend->scan(api->arg, scan, &writer, err) != 0)
		return -1;
	json_close_object(&writer);
	buf_add_char(document, '\n');
	return 0;
}

static void post_scan(struct api *api, struct evhttp_request *request)
{
	struct api_scan scan = {.uid = -1};
	struct err err = ERR_INIT;
	struct buf document;
	json_t *body = read_order(request, &scan.uid, &err);
	buf_init(&document, API_DOCUMENT_MAX);
	if (body == NULL || read_scan(body, &scan, &err) != 0 ||
		write_scan(api, &scan, &document, &err) != 0)
		api_reply_error(request, &err);
	else
		api_reply_document(request, 202, &document);
	json_decref(body);
	buf_clear(&document);
}

static int read_log(const json_t *body, struct api_log *log, struct err *err)
{
	const char *level = "";
	log->for_s = LOG_OVERRIDE_DEFAULT_S;
	if (json_get_text(body, "level", 16, &level, err) != 0 ||
		json_get_int(body, "for_s", &log->for_s, err) != 0)
		return err_wrap(err, "the body");
	log->is_default = strcmp(level, "default") == 0;
	if (!log->is_default && !log_level_parse(level, &log->level))
		return err_set(
			err, ERR_CONFIG, "level: expected error, warning, info, debug or default");
	if (log->for_s < 1 || log->for_s > LOG_OVERRIDE_MAX_S)
		return err_set(
			err, ERR_CONFIG, "for_s: expected 1 to %d seconds", LOG_OVERRIDE_MAX_S);
	return 0;
}

static void post_log(struct api *api, struct evhttp_request *request)
{
	struct api_log log = {.uid = -1};
	struct err err = ERR_INIT;
	json_t *body = read_order(request, &log.uid, &err);
	if (body == NULL || read_log(body, &log, &err) != 0) {
		api_reply_error(request, &err);
	} else {
		api->backend->set_log(api->arg, &log);
		get_value(api, request, "log", api->backend->log);
	}
	json_decref(body);
}

static void post_alerts(struct api *api, struct evhttp_request *request, const char *path)
{
	struct err err = ERR_INIT;
	long uid = -1;
	json_t *body = read_order(request, &uid, &err);
	if (body == NULL)
		api_reply_error(request, &err);
	else
		api_alerts_post(api, request, path, body, uid);
}

static void post_order(struct api *api, struct evhttp_request *request, enum desk_verb verb)
{
	struct err err = ERR_INIT;
	long uid = -1;
	json_t *body = read_order(request, &uid, &err);
	if (body == NULL)
		api_reply_error(request, &err);
	else
		api_delivery_post(api, request, verb, body, uid);
}

/* --- server ----------------------------------------------------------------------------------- */

static void on_request(struct evhttp_request *request, void *arg)
{
	struct api *api = arg;
	struct err err = ERR_INIT;
	loop_turn_mark(api->loop);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	enum evhttp_cmd_type method = evhttp_request_get_command(request);
	enum desk_verb verb = DESK_PLAN;
	bool is_scan = path != NULL && strcmp(path, LOCAL_API_SCAN) == 0;
	bool is_order = path != NULL && api->desk != NULL && api_delivery_verb(path, &verb);
	bool is_metrics = path != NULL && strcmp(path, LOCAL_API_METRICS) == 0;
	bool is_alert = path != NULL && api->alerts != NULL && api_alerts_is_order(path);
	if (path == NULL) {
		(void)err_set(&err, ERR_CONFIG, "the request: expected a path");
		api_reply_error(request, &err);
	} else if (is_scan && method == EVHTTP_REQ_POST) {
		post_scan(api, request);
	} else if (method == EVHTTP_REQ_POST && strcmp(path, LOCAL_API_LOG) == 0) {
		post_log(api, request);
	} else if (is_order && method == EVHTTP_REQ_POST) {
		post_order(api, request, verb);
	} else if (is_metrics && (method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD)) {
		api_metrics_start(api, request);
	} else if (is_alert && method == EVHTTP_REQ_POST) {
		post_alerts(api, request, path);
	} else if (is_scan || is_order || is_alert || method != EVHTTP_REQ_GET) {
		(void)err_set(&err, ERR_CONFIG, "the method: expected %s for this path",
			is_scan || is_order || is_alert ? "POST" : "GET");
		api_reply_status(request, STATUS_BAD_METHOD, &err);
	} else if (!get(api, request, path)) {
		(void)err_set(
			&err, ERR_NOT_FOUND, "there is no such path; see %s", LOCAL_API_STATUS);
		api_reply_error(request, &err);
	}
}

static void on_accept_again(evutil_socket_t fd, short events, void *arg)
{
	(void)fd, (void)events;
	if (evconnlistener_enable(arg) != 0)
		abort(); /* no memory: as base/mem.h */
}

/*
 * No descriptor is left, say. Who waits stays in the queue, so trying again at once would spin. arg
 * is evhttp's. The listener outlives the event: no loop runs any more when the API is freed.
 */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	static const struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};
	(void)arg;
	log_warning("accept connection reason=\"%s\" next=\"again in %d s\"", strerror(errno),
		ACCEPT_PAUSE_S);
	if (event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, on_accept_again,
		    listener, &pause) == 0)
		(void)evconnlistener_disable(listener); /* taking a timer off does not fail */
}

static int open_listener(struct api *api, struct err *err)
{
	struct evconnlistener *listener = evconnlistener_new(loop_event_base(api->loop), NULL, NULL,
		LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE, 0, api->socket.fd);
	if (listener == NULL)
		return err_set(err, ERR_SYSTEM, "local API: cannot accept on %s", api->socket.path);
	api->socket.fd = -1; /* the listener closes it */
	if (evhttp_bind_listener(api->http, listener) == NULL) {
		evconnlistener_free(listener);
		return err_set(err, ERR_SYSTEM, "local API: cannot accept on %s", api->socket.path);
	}
	evconnlistener_set_error_cb(listener, on_accept_error); /* it is evhttp's now */
	return 0;
}

static int open_server(struct api *api, struct err *err)
{
	api->http = evhttp_new(loop_event_base(api->loop));
	if (api->http == NULL)
		return err_set(err, ERR_SYSTEM, "local API: no HTTP server");
	evhttp_set_max_headers_size(api->http, HEADERS_MAX);
	evhttp_set_max_body_size(api->http, LOCAL_API_BODY_MAX);
	evhttp_set_timeout(api->http, IDLE_S);
	evhttp_set_allowed_methods(api->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
						      EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
						      EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(api->http, on_request, api);
	return open_listener(api, err);
}

struct api *api_new(const struct api_options *options, struct err *err)
{
	struct api *api = xcalloc(1, sizeof(*api));
	api->loop = options->loop;
	api->store = options->store;
	api->desk = options->desk;
	api->alerts = options->alerts;
	api->backend = options->backend;
	api->arg = options->arg;
	api->socket.fd = -1;
	if (api_socket_open(options->socket_path, &api->socket, err) != 0 ||
		open_server(api, err) != 0) {
		api_free(api);
		return NULL;
	}
	return api;
}

void api_free(struct api *api)
{
	if (api == NULL)
		return;
	api->is_ending = true;
	while (api->jobs != NULL)
		api_job_drop(api->jobs);
	if (api->http != NULL)
		evhttp_free(api->http);
	api_socket_close(&api->socket);
	free(api);
}
