/*
 * The daemon behind its socket: HTTP with libcurl's easy interface over a unix socket. An answer
 * other than 2xx is read as the API's error document; everything else goes to a sink as it comes.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/source_internal.h"
#include "sensor/local_api.h"

enum {
	ERROR_BODY_MAX = 64 << 10,
	URL_MAX = 64 << 10,
	LIST_STALL_S = 60,    /* a list that brings no byte for this long is given up */
	POST_TIMEOUT_S = 180, /* a plan reads AWS, with retries */
};

/* One request. Exactly one of lines, out and document takes the bytes of a good answer. */
struct request {
	CURL *curl;		    /* owned */
	struct curl_slist *headers; /* owned */
	struct lines *lines;	    /* borrowed or NULL */
	FILE *out;		    /* borrowed or NULL */
	struct buf document;	    /* the error's document too */
	struct err *err;	    /* borrowed: the first failure of a sink */
	bool has_failed;
};

static const char *const list_path[] = {LOCAL_API_CERTIFICATES, LOCAL_API_CERTIFICATE,
	LOCAL_API_ACCOUNTS, LOCAL_API_COVERAGE, LOCAL_API_EVENTS, LOCAL_API_ALERTS};

static void request_clear(struct request *request)
{
	curl_easy_cleanup(request->curl);
	curl_slist_free_all(request->headers);
	buf_clear(&request->document);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	struct request *request = arg;
	size_t len = size * count;
	long status = 0;
	curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
	int rc = 0;
	if (status / 100 == 2 && request->lines != NULL) {
		rc = lines_take(request->lines, bytes, len, request->err);
	} else if (status / 100 == 2 && request->out != NULL) {
		if (fwrite(bytes, 1, len, request->out) != len)
			rc = err_set_errno(request->err, ERR_SYSTEM, "standard output");
	} else {
		buf_add(&request->document, bytes, len);
		rc = buf_check(&request->document, "the daemon's answer", request->err);
	}
	request->has_failed = rc != 0;
	return rc == 0 ? len : 0;
}

static int add_query(struct buf *url, CURL *curl, const struct params *params, bool is_ndjson)
{
	char separator = '?';
	for (size_t i = 0; params != NULL && i < params->count; i++) {
		char *value = curl_easy_escape(curl, params->item[i].value, 0);
		if (value == NULL)
			return -1;
		buf_addf(url, "%c%s=%s", separator, params->item[i].key, value);
		curl_free(value);
		separator = '&';
	}
	if (is_ndjson)
		buf_addf(url, "%cformat=ndjson", separator);
	return 0;
}

/* Called at least once a second, whatever comes: a Ctrl-C that is caught ends the wait. */
static int on_progress(
	void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	(void)arg, (void)down_total, (void)down, (void)up_total, (void)up;
	return interrupt_came() ? 1 : 0;
}

/* Opens a request; on failure there is nothing to clear. */
static int request_init(struct request *request, const struct cli *cli, const char *path,
	const struct params *params, bool is_ndjson, struct err *err)
{
	struct buf url;
	*request = (struct request){.curl = curl_easy_init(), .err = err};
	if (request->curl == NULL)
		return err_set(err, ERR_SYSTEM, "libcurl does not start");
	buf_init(&request->document, SOURCE_DOCUMENT_MAX);
	buf_init(&url, URL_MAX);
	buf_addf(&url, "http://localhost%s", path);
	int rc = add_query(&url, request->curl, params, is_ndjson);
	if (rc != 0)
		err_set(err, ERR_LIMIT, "a parameter is too long");
	else
		rc = buf_check(&url, "the request", err);
	if (rc == 0) {
		curl_easy_setopt(request->curl, CURLOPT_URL, buf_text(&url));
		curl_easy_setopt(request->curl, CURLOPT_UNIX_SOCKET_PATH, cli->socket_path);
		curl_easy_setopt(request->curl, CURLOPT_PROXY, "");
		curl_easy_setopt(request->curl, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(request->curl, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(request->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(request->curl, CURLOPT_WRITEFUNCTION, on_bytes);
		curl_easy_setopt(request->curl, CURLOPT_WRITEDATA, request);
	} else {
		request_clear(request);
	}
	buf_clear(&url);
	return rc;
}

static int unreachable(const struct cli *cli, CURL *curl, CURLcode code, struct err *err)
{
	long number = 0;
	const char *next = cli->works_offline
				   ? "is acmsensord running? Another socket: --socket PATH; "
				     "without a daemon: --offline DATA_DIR"
				   : "is acmsensord running? Another socket: --socket PATH";
	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &number);
	if (number == EACCES || number == EPERM)
		return err_set(err, ERR_UNREACHABLE,
			"the control socket %s lets only root and members of the group acmsensor "
			"in (%s): ask as one of them",
			cli->socket_path, strerror((int)number));
	return err_set(err, ERR_UNREACHABLE, "no daemon answers on %s (%s); %s", cli->socket_path,
		number != 0 ? strerror((int)number) : curl_easy_strerror(code), next);
}

/* The daemon was reached and has answered: what it could not reach itself is another matter. */
static enum err_kind kind_by_name(const char *name)
{
	for (enum err_kind kind = ERR_CONFIG; kind <= ERR_STOPPED; kind++)
		if (strcmp(err_kind_name(kind), name) == 0 && kind != ERR_UNREACHABLE &&
			kind != ERR_TIMEOUT)
			return kind;
	return ERR_SERVICE;
}

/* {"error": {"kind": ..., "code"?: ..., "message": ...}} */
static int refused(const struct request *request, long status, struct err *err)
{
	struct err ignored = ERR_INIT;
	const json_t *error = NULL;
	const char *kind = "service", *code = "", *message = "";
	json_t *document =
		json_read_object(buf_text(&request->document), request->document.len, &ignored);
	if (document != NULL && json_get_object(document, "error", &error, &ignored) == 0 &&
		error != NULL) {
		(void)json_get_text(error, "kind", ERR_CODE_MAX, &kind, &ignored);
		(void)json_get_text(error, "code", ERR_CODE_MAX, &code, &ignored);
		(void)json_get_text(error, "message", ERROR_BODY_MAX, &message, &ignored);
	}
	if (message[0] != '\0')
		err_set(err, kind_by_name(kind), "%s", message);
	else
		err_set(err, ERR_SERVICE, "the daemon answered %ld", status);
	(void)err_set_code(err, code);
	json_decref(document);
	return -1;
}

static int request_perform(struct request *request, const struct cli *cli, struct err *err)
{
	long status = 0;
	CURLcode code = curl_easy_perform(request->curl);
	if (request->has_failed)
		return -1;
	curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
	switch ((int)code) {
	case CURLE_OK:
		break;
	case CURLE_COULDNT_CONNECT:
		return unreachable(cli, request->curl, code, err);
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(
			err, ERR_TIMEOUT, "the daemon on %s does not answer", cli->socket_path);
	case CURLE_ABORTED_BY_CALLBACK:
		return interrupt_fail("interrupted", err);
	default:
		if (status == 0)
			return unreachable(cli, request->curl, code, err);
		return err_set(err, ERR_PROTOCOL,
			"the daemon's answer broke off (%s); nothing of it counts",
			curl_easy_strerror(code));
	}
	return status / 100 == 2 ? 0 : refused(request, status, err);
}

/* A list may take long as a whole; what counts is that it goes on. */
static int perform_list(
	struct request *request, const struct cli *cli, long wait_s, struct err *err)
{
	curl_easy_setopt(request->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(request->curl, CURLOPT_LOW_SPEED_TIME, LIST_STALL_S + wait_s);
	return request_perform(request, cli, err);
}

int daemon_rows(const struct cli *cli, enum list_kind kind, const struct params *params,
	struct lines *lines, struct err *err)
{
	struct request request;
	if (request_init(&request, cli, list_path[kind], params, true, err) != 0)
		return -1;
	request.lines = lines;
	int rc = perform_list(&request, cli, LOCAL_API_WAIT_MAX_S, err);
	request_clear(&request);
	return rc;
}

int daemon_document(const struct cli *cli, enum list_kind kind, const struct params *params,
	FILE *out, struct err *err)
{
	struct request request;
	if (request_init(&request, cli, list_path[kind], params, false, err) != 0)
		return -1;
	request.out = out;
	int rc = perform_list(&request, cli, 0, err);
	request_clear(&request);
	return rc;
}

static int perform_document(
	struct request *request, const struct cli *cli, json_t **ret_document, struct err *err)
{
	if (request_perform(request, cli, err) != 0)
		return -1;
	*ret_document = json_read_object(buf_text(&request->document), request->document.len, err);
	return *ret_document != NULL ? 0 : err_wrap(err, "answer of the daemon");
}

static int needs_daemon(const struct cli *cli, struct err *err)
{
	if (cli->offline_dir == NULL)
		return 0;
	return err_set(err, ERR_CONFIG, "this needs a running daemon: leave out --offline");
}

int source_get(const struct cli *cli, const char *path, const struct params *params, long timeout_s,
	json_t **ret_document, struct err *err)
{
	struct request request;
	if (needs_daemon(cli, err) != 0 ||
		request_init(&request, cli, path, params, false, err) != 0)
		return -1;
	curl_easy_setopt(request.curl, CURLOPT_TIMEOUT, timeout_s);
	int rc = perform_document(&request, cli, ret_document, err);
	request_clear(&request);
	return rc;
}

int source_text(const struct cli *cli, const char *path, const char *accept, long timeout_s,
	FILE *out, struct err *err)
{
	struct request request;
	char header[128];
	if (needs_daemon(cli, err) != 0 || request_init(&request, cli, path, NULL, false, err) != 0)
		return -1;
	(void)snprintf(header, sizeof(header), "Accept: %s", accept);
	request.headers = curl_slist_append(NULL, header);
	request.out = out;
	curl_easy_setopt(request.curl, CURLOPT_HTTPHEADER, request.headers);
	curl_easy_setopt(request.curl, CURLOPT_TIMEOUT, timeout_s);
	int rc = request_perform(&request, cli, err);
	request_clear(&request);
	return rc;
}

/* body: borrowed until the answer has come. */
static int post_bytes(const struct cli *cli, const char *path, const char *body, size_t len,
	json_t **ret_document, struct err *err)
{
	struct request request;
	if (needs_daemon(cli, err) != 0 || request_init(&request, cli, path, NULL, false, err) != 0)
		return -1;
	request.headers = curl_slist_append(NULL, "Content-Type: application/json");
	/* The daemon is on this host: asking first whether it wants the body only takes time. */
	request.headers = curl_slist_append(request.headers, "Expect:");
	curl_easy_setopt(request.curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
	curl_easy_setopt(request.curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(request.curl, CURLOPT_HTTPHEADER, request.headers);
	curl_easy_setopt(request.curl, CURLOPT_TIMEOUT, (long)POST_TIMEOUT_S);
	int rc = perform_document(&request, cli, ret_document, err);
	request_clear(&request);
	return rc;
}

int source_post(const struct cli *cli, const char *path, const json_t *body, json_t **ret_document,
	struct err *err)
{
	char *text = json_dumps(body, JSON_COMPACT); /* owned; malloc'ed by jansson */
	if (text == NULL)
		return err_set(err, ERR_CONFIG, "an argument is not UTF-8 text");
	int rc = post_bytes(cli, path, text, strlen(text), ret_document, err);
	free(text);
	return rc;
}

int source_post_secret(const struct cli *cli, const char *path, const struct buf *body,
	json_t **ret_document, struct err *err)
{
	return post_bytes(cli, path, buf_text(body), body->len, ret_document, err);
}
