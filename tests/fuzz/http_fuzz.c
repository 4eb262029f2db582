/*
 * What base/http reads itself. The first byte chooses: 0 the header lines of an answer, as libcurl
 * hands them over; 1 a URL; 2 a proxy; 3 a no_proxy list for three targets.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_internal.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);
	assert(len < size);
	for (size_t i = 0; i < len; i++)
		assert(text[i] >= ' ' && text[i] <= '~');
}

static void read_header(char *text, size_t size)
{
	struct http http = {.now_ms = 1};
	struct http_host *host = xcalloc(1, sizeof(*host) + 1);
	struct http_call *call = xcalloc(1, sizeof(*call));
	call->http = &http;
	call->host = host;
	call->request.reply_max_bytes = 1000;
	buf_init(&call->reply.body, call->request.reply_max_bytes);
	call->reply.retry_after_s = -1;
	for (size_t at = 0; at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t len = end != NULL ? (size_t)(end - (text + at)) + 1 : size - at;
		/* A copy of its own, so that reading beyond the line is noticed. */
		char *line = xmalloc(len);
		memcpy(line, text + at, len);
		size_t taken = http_on_header(line, 1, len, call);
		free(line);
		assert(taken == len || (taken == 0 && call->has_failed));
		if (taken != len)
			break;
		at += len;
	}
	struct http_reply *reply = &call->reply;
	assert(reply->retry_after_s >= -1);
	check_text(reply->content_type, sizeof(reply->content_type));
	check_text(reply->error_type, sizeof(reply->error_type));
	check_text(reply->request_id, sizeof(reply->request_id));
	free(call);
	free(host);
}

static void check_target(const struct http_target *target)
{
	assert(target->name[0] != '\0' && target->port >= 1 && target->port <= 65535);
	assert(strpbrk(target->name, " \r\n/@[]") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct http_target target;
	struct err err = ERR_INIT;
	char *text = xstrndup((const char *)data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		read_header(text, size - 1);
		break;
	case 1:
		if (http_target_parse(text, &target, &err) == 0)
			check_target(&target);
		break;
	case 2:
		if (http_proxy_parse(text, &target, &err) == 0)
			check_target(&target);
		break;
	default: {
		static const char *const url[] = {
			"https://a.example.com", "https://10.1.2.3", "https://[fd00::1]"};
		for (size_t i = 0; i < sizeof(url) / sizeof(url[0]); i++) {
			if (http_target_parse(url[i], &target, &err) == 0)
				(void)http_no_proxy_matches(text, &target);
		}
	}
	}
	free(text);
	return 0;
}
