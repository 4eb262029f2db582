/* The parser and the small helpers of http.h. */
#include "tests/awssim/http.h"

#include <stdlib.h>
#include <string.h>

static struct slice trimmed(const char *from, const char *to)
{
	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
		to--;
	return (struct slice){from, (size_t)(to - from)};
}

/* METHOD SP target SP HTTP/1.x */
static bool parse_request_line(const char *at, const char *end, struct http_request *request)
{
	const char *first = memchr(at, ' ', (size_t)(end - at));
	if (first == NULL)
		return false;
	const char *second = memchr(first + 1, ' ', (size_t)(end - first - 1));
	if (second == NULL ||
		!slice_starts((struct slice){second, (size_t)(end - second)}, " HTTP/1."))
		return false;
	request->method = (struct slice){at, (size_t)(first - at)};
	request->target = (struct slice){first + 1, (size_t)(second - first - 1)};
	request->path = request->target;
	const char *mark = memchr(request->target.ptr, '?', request->target.len);
	if (mark != NULL) {
		request->path.len = (size_t)(mark - request->target.ptr);
		request->query =
			(struct slice){mark + 1, request->target.len - request->path.len - 1};
	}
	request->keep_alive = end[-1] != '0';
	return request->method.len > 0 && request->target.len > 0;
}

static bool take_header(struct http_request *request, struct slice name, struct slice value)
{
	if (request->header_count == HTTP_HEADERS_MAX || name.len == 0)
		return false;
	request->header[request->header_count++] = (struct http_header){name, value};
	if (slice_is_nocase(name, "content-length")) {
		char text[12], *end;
		if (!slice_copy(value, text, sizeof(text)))
			return false;
		request->body_len = strtoul(text, &end, 10);
		return *end == '\0' && end != text && request->body_len <= HTTP_BODY_MAX;
	}
	if (slice_is_nocase(name, "transfer-encoding"))
		return false;
	if (slice_is_nocase(name, "connection"))
		request->keep_alive = request->keep_alive && !slice_is_nocase(value, "close");
	if (slice_is_nocase(name, "expect"))
		request->expects_continue = slice_is_nocase(value, "100-continue");
	return true;
}

int http_parse(const char *data, size_t len, struct http_request *ret_request)
{
	const char *end = memmem(data, len, "\r\n\r\n", 4);
	if (end == NULL)
		return len > HTTP_HEAD_MAX ? -1 : 0;
	struct http_request *request = ret_request;
	request->query = request->body = (struct slice){"", 0};
	request->header_count = request->body_len = 0;
	request->expects_continue = false;
	request->head_len = (size_t)(end - data) + 4;
	const char *line_end = memmem(data, len, "\r\n", 2);
	if (!parse_request_line(data, line_end, request))
		return -1;
	for (const char *at = line_end + 2; at < end + 2; at = line_end + 2) {
		line_end = memmem(at, (size_t)(end + 2 - at), "\r\n", 2);
		const char *colon = memchr(at, ':', (size_t)(line_end - at));
		if (colon == NULL)
			return -1;
		if (!take_header(request, (struct slice){at, (size_t)(colon - at)},
			    trimmed(colon + 1, line_end)))
			return -1;
	}
	request->body = (struct slice){data + request->head_len, request->body_len};
	return 1;
}

struct slice http_header_value(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (slice_is_nocase(request->header[i].name, name))
			return request->header[i].value;
	return (struct slice){NULL, 0};
}

struct slice form_value(struct slice form, const char *name)
{
	size_t name_len = strlen(name);
	const char *at = form.ptr, *end = form.ptr + form.len;
	while (at < end) {
		const char *stop = memchr(at, '&', (size_t)(end - at));
		if (stop == NULL)
			stop = end;
		if ((size_t)(stop - at) > name_len && at[name_len] == '=' &&
			memcmp(at, name, name_len) == 0)
			return (struct slice){
				at + name_len + 1, (size_t)(stop - at) - name_len - 1};
		at = stop + 1;
	}
	return (struct slice){NULL, 0};
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool form_decode(struct slice encoded, char *ret_text, size_t size)
{
	size_t len = 0;
	for (size_t i = 0; i < encoded.len; i++) {
		char c = encoded.ptr[i];
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			if (i + 2 >= encoded.len || digit(encoded.ptr[i + 1]) < 0 ||
				digit(encoded.ptr[i + 2]) < 0)
				return false;
			c = (char)(digit(encoded.ptr[i + 1]) << 4 | digit(encoded.ptr[i + 2]));
			i += 2;
		}
		if (c == '\0' || len + 1 >= size)
			return false;
		ret_text[len++] = c;
	}
	ret_text[len] = '\0';
	return true;
}

void reply_reset(struct reply *reply)
{
	struct out headers = reply->headers, body = reply->body;
	headers.len = body.len = 0;
	*reply = (struct reply){.status = 200, .headers = headers, .body = body, .more_bytes = -1};
}

void reply_clear(struct reply *reply)
{
	out_clear(&reply->headers);
	out_clear(&reply->body);
}

const char *http_reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 429:
		return "Too Many Requests";
	case 500:
		return "Internal Server Error";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	default:
		return "Status";
	}
}
