/*
 * What the end of a transfer means: libcurl's code and how far it came, as a kind, a code for the
 * retry rules and a sentence that names the host, what was waited for and why it ended.
 */
#include <stdio.h>
#include <string.h>

#include "base/http_internal.h"

/* libcurl's CURLE_TOO_LARGE, which older headers lack. */
enum { CODE_TOO_LARGE = 100 };

static bool is_connected(const struct http_call *call)
{
	curl_off_t sent_us = 0;
	curl_easy_getinfo(call->slot->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
	return sent_us > 0;
}

/* " (proxy http://host:port)" or nothing. */
static void describe_proxy(const struct http_call *call, char *text, size_t size)
{
	text[0] = '\0';
	if (call->has_proxy)
		snprintf(text, size, " (proxy %s:%d)", call->peer.name, call->peer.port);
}

static void set_err(struct http_call *call, enum err_kind kind, const char *code,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

static void set_err(
	struct http_call *call, enum err_kind kind, const char *code, const char *format, ...)
{
	char proxy[HTTP_NAME_MAX + 32];
	describe_proxy(call, proxy, sizeof(proxy));
	va_list args;
	va_start(args, format);
	err_vset(&call->err, kind, format, args);
	va_end(args);
	err_wrap(&call->err, "%s%s", call->host->key, proxy);
	err_set_code(&call->err, code);
	call->has_failed = true;
}

/* What a connection that is not there yet waits for. A TCP connection has a port of its own. */
static const char *connect_phase(const struct http_call *call)
{
	long local_port = 0;
	curl_easy_getinfo(call->slot->easy, CURLINFO_LOCAL_PORT, &local_port);
	if (local_port == 0)
		return "the TCP connection";
	return call->has_proxy ? "the proxy or TLS" : "the TLS handshake";
}

static void set_connect_timeout(struct http_call *call, const char *phase)
{
	set_err(call, ERR_TIMEOUT, "connect", "no connection within %d ms: waited for %s",
		call->request.timeouts->connect_ms, phase);
}

static void set_no_connection(struct http_call *call, const char *reason)
{
	long proxy_status = 0, system_error = 0;
	curl_easy_getinfo(call->slot->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
	curl_easy_getinfo(call->slot->easy, CURLINFO_OS_ERRNO, &system_error);
	if (proxy_status != 0 && proxy_status / 100 != 2)
		set_err(call, ERR_UNREACHABLE, "connect", "the proxy refused to connect: HTTP %ld",
			proxy_status);
	else if (system_error != 0)
		set_err(call, ERR_UNREACHABLE, "connect", "no connection: %s (%s)", reason,
			strerror((int)system_error));
	else
		set_err(call, ERR_UNREACHABLE, "connect", "no connection: %s", reason);
}

/* The connection broke: when, and what had come, decide what it means. */
static void set_broken(struct http_call *call, const char *reason)
{
	if (!is_connected(call)) {
		set_no_connection(call, reason);
		return;
	}
	if (call->last_byte_ms != 0) {
		set_err(call, ERR_PROTOCOL, "", "the answer is cut short: %s", reason);
		return;
	}
	long new_connections = 0;
	curl_easy_getinfo(call->slot->easy, CURLINFO_NUM_CONNECTS, &new_connections);
	set_err(call, ERR_UNREACHABLE, new_connections == 0 ? "reset" : "",
		"the connection broke before any answer: %s", reason);
}

static void set_ca_err(struct http_call *call)
{
	const char *file = call->request.route->ca_bundle;
	if (file == NULL || file[0] == '\0')
		file = call->http->ca_bundle;
	set_err(call, ERR_CONFIG, "", "the CA bundle %s cannot be read, or holds no certificate",
		file != NULL ? file : "");
}

void http_set_header_cut_err(struct http_call *call)
{
	set_err(call, ERR_PROTOCOL, "", "the answer is cut short: its header has no end");
}

void http_set_transfer_err(struct http_call *call, CURLcode code)
{
	if (call->has_failed)
		return; /* a callback ended it and has said why */
	const char *reason = call->slot->error;
	if (reason[0] == '\0')
		reason = curl_easy_strerror(code);
	/* CURLcode grows with each libcurl; what is not named here is judged by how far it came. */
	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		set_connect_timeout(call, connect_phase(call));
		break;
	case CURLE_SSL_CACERT_BADFILE:
		set_ca_err(call);
		break;
	case CURLE_URL_MALFORMAT:
		set_err(call, ERR_CONFIG, "", "%s", reason);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		set_err(call, ERR_UNREACHABLE, "connect", "no TLS connection: %s", reason);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PROXY:
		set_no_connection(call, reason);
		break;
	case CURLE_OUT_OF_MEMORY: /* in truth: a header line too long for its buffer */
	case CODE_TOO_LARGE:
		set_err(call, ERR_LIMIT, "", "the answer's header is too large: %s", reason);
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		set_err(call, ERR_PROTOCOL, "", "the answer is not HTTP: %s", reason);
		break;
	default:
		set_broken(call, reason);
		break;
	}
}

/* --- time limits, which the watch in http.c asks for ------------------------------------ */

static void set_total_timeout(struct http_call *call)
{
	const char *phase = "the answer to begin";
	if (!is_connected(call))
		phase = connect_phase(call);
	else if (call->last_byte_ms != 0)
		phase = "the rest of the answer";
	set_err(call, ERR_TIMEOUT, "total", "not complete within %d ms: waited for %s",
		call->request.timeouts->total_ms, phase);
}

/* From when the first byte is waited for; -1: still connecting, which libcurl limits. A large body
 * on a slow line is still being sent: the wait begins anew with each part that goes. */
static int64_t sent_at_ms(struct http_call *call, int64_t now_ms)
{
	curl_off_t sent_us = 0, uploaded_bytes = 0;
	curl_easy_getinfo(call->slot->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
	if (sent_us == 0)
		return -1;
	curl_easy_getinfo(call->slot->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded_bytes);
	if (uploaded_bytes != call->uploaded_bytes) {
		call->uploaded_bytes = uploaded_bytes;
		call->upload_ms = now_ms;
	}
	int64_t at_ms = call->sent_ms + sent_us / 1000;
	return call->upload_ms > at_ms ? call->upload_ms : at_ms;
}

static bool is_name_overdue(struct http_call *call, int64_t now_ms)
{
	const struct http_timeouts *limit = call->request.timeouts;
	int limit_ms = limit->connect_ms < limit->total_ms ? limit->connect_ms : limit->total_ms;
	if (now_ms - call->made_ms < limit_ms)
		return false;
	char phase[HTTP_NAME_MAX + 32];
	snprintf(phase, sizeof(phase), "the address of %s", call->peer.name);
	set_connect_timeout(call, phase);
	return true;
}

bool http_is_overdue(struct http_call *call, int64_t now_ms)
{
	const struct http_timeouts *limit = call->request.timeouts;
	if (call->state == HTTP_WAIT_NAME)
		return is_name_overdue(call, now_ms);
	if (call->resolve_ms + now_ms - call->sent_ms >= limit->total_ms) {
		set_total_timeout(call);
		return true;
	}
	if (call->last_byte_ms != 0) {
		if (now_ms - call->last_byte_ms < limit->stall_ms)
			return false;
		set_err(call, ERR_TIMEOUT, "stall",
			"the answer stopped for %d ms after %zu bytes of its body", limit->stall_ms,
			call->reply.body.len);
		return true;
	}
	int64_t at_ms = sent_at_ms(call, now_ms);
	if (at_ms < 0 || now_ms - at_ms < limit->first_byte_ms)
		return false;
	set_err(call, ERR_TIMEOUT, "first_byte",
		"no answer within %d ms after the request was sent", limit->first_byte_ms);
	return true;
}
