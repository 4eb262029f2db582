/*
 * libcurl's callbacks for the answer. They only collect into the call; returning less than was
 * given makes libcurl end the transfer, and the call's err says why.
 */
#include <string.h>

#include "base/clock.h"
#include "base/http_internal.h"
#include "base/text.h"

enum {
	VALUE_MAX = 64, /* of a header that is parsed: a date, a number */
	RETRY_AFTER_MAX_S = 999999999,
};

static int too_large(struct http_call *call, const char *what, size_t max_bytes)
{
	call->has_failed = true;
	return err_set(&call->err, ERR_LIMIT, "%s: %s is larger than %zu bytes", call->host->key,
		what, max_bytes);
}

/* Outsiders' text for people and logs: what is not printable ASCII becomes '?'. */
static void copy_printable(char *ret, size_t size, const char *value, size_t len)
{
	size_t i = 0;
	for (; i < len && i < size - 1; i++)
		ret[i] = value[i] >= ' ' && value[i] <= '~' ? value[i] : '?';
	ret[i] = '\0';
}

/* As copy_printable; false when it is too long to be what is looked for. */
static bool copy_short(char *ret, const char *value, size_t len)
{
	copy_printable(ret, VALUE_MAX, value, len);
	return len < VALUE_MAX;
}

static void take_retry_after(struct http_call *call, const char *value, size_t len)
{
	char text[VALUE_MAX];
	if (!copy_short(text, value, len))
		return;
	if (!text_is_digits(text, len)) {
		(void)text_parse_http_date(text, &call->retry_at_s); /* broken: as if absent */
		return;
	}
	int64_t seconds = 0;
	for (size_t i = 0; i < len; i++)
		seconds = seconds < RETRY_AFTER_MAX_S ? seconds * 10 + (text[i] - '0') : seconds;
	call->reply.retry_after_s = seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S;
}

/* A body that says it is too large is not read at all. */
static int take_content_length(struct http_call *call, const char *value, size_t len)
{
	char text[VALUE_MAX];
	if (!copy_short(text, value, len) || !text_is_digits(text, len))
		return 0; /* libcurl refuses it */
	uint64_t bytes = 0;
	for (size_t i = 0; i < len && bytes < UINT64_MAX / 16; i++)
		bytes = bytes * 10 + (uint64_t)(text[i] - '0');
	if (bytes > call->request.reply_max_bytes)
		return too_large(call, "the answer", call->request.reply_max_bytes);
	return 0;
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
	return strlen(wanted) == len && strncasecmp(name, wanted, len) == 0;
}

static int take_field(
	struct http_call *call, const char *name, size_t name_len, const char *value, size_t len)
{
	struct http_reply *reply = &call->reply;
	char text[VALUE_MAX];
	if (is_name(name, name_len, "Date")) {
		if (copy_short(text, value, len))
			(void)text_parse_http_date(text, &reply->date_s); /* broken: 0 */
	} else if (is_name(name, name_len, "Content-Type")) {
		copy_printable(reply->content_type, sizeof(reply->content_type), value, len);
	} else if (is_name(name, name_len, "Content-Length")) {
		return take_content_length(call, value, len);
	} else if (is_name(name, name_len, "Retry-After")) {
		take_retry_after(call, value, len);
	} else if (is_name(name, name_len, "Age")) {
		reply->has_age = true;
	} else if (is_name(name, name_len, "x-amzn-ErrorType")) {
		copy_printable(reply->error_type, sizeof(reply->error_type), value, len);
	} else if (is_name(name, name_len, "x-amzn-RequestId") ||
		   is_name(name, name_len, "x-amz-request-id")) {
		copy_printable(reply->request_id, sizeof(reply->request_id), value, len);
	}
	return 0;
}

/* An interim answer (100 Continue) comes before the real one: each status line begins anew. */
static void begin_answer(struct http_call *call)
{
	struct buf body = call->reply.body;
	call->reply = (struct http_reply){.body = body, .retry_after_s = -1};
	call->retry_at_s = 0;
	call->is_header_complete = false;
}

size_t http_on_header(char *line, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * count;
	call->last_byte_ms = call->http->now_ms;
	call->http->stats.bytes_in += (int64_t)len;
	call->header_bytes += len;
	if (call->header_bytes > HTTP_HEADER_BYTES_MAX) {
		(void)too_large(call, "the answer's header", HTTP_HEADER_BYTES_MAX);
		return 0;
	}
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		begin_answer(call);
		return len;
	}
	if (call->is_header_complete)
		return len; /* a trailer: nothing that we know belongs there */
	if (len > 0 && (line[0] == '\r' || line[0] == '\n'))
		call->is_header_complete = true;
	const char *colon = memchr(line, ':', len);
	if (colon == NULL)
		return len;
	const char *value = colon + 1, *end = line + len;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	if (take_field(call, line, (size_t)(colon - line), value, (size_t)(end - value)) != 0)
		return 0;
	return len;
}

size_t http_on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * count;
	call->last_byte_ms = call->http->now_ms;
	call->http->stats.bytes_in += (int64_t)len;
	buf_add(&call->reply.body, bytes, len);
	if (call->reply.body.is_over) {
		(void)too_large(call, "the answer", call->request.reply_max_bytes);
		return 0;
	}
	return len;
}

void http_reply_finish(struct http_call *call)
{
	struct http_reply *reply = &call->reply;
	long status = 0;
	curl_off_t total_us = 0, sent_us = 0;
	curl_easy_getinfo(call->slot->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(call->slot->easy, CURLINFO_TOTAL_TIME_T, &total_us);
	curl_easy_getinfo(call->slot->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
	reply->status = (int)status;
	reply->elapsed_ms = (total_us - sent_us) / 1000;
	if (call->retry_at_s == 0)
		return;
	int64_t now_s = reply->date_s != 0 ? reply->date_s : clock_now_s();
	reply->retry_after_s = call->retry_at_s > now_s ? call->retry_at_s - now_s : 0;
}
