#include "sensor/metrics_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sensor/local_api.h"

struct piece {
	const char *at;
	size_t len;
};

static bool is_text(struct piece piece, const char *text)
{
	return piece.len == strlen(text) && memcmp(piece.at, text, piece.len) == 0;
}

/* Takes what comes before the separator off the rest; false: there is none. */
static bool take(struct piece *rest, char separator, struct piece *ret_piece)
{
	const char *end = memchr(rest->at, separator, rest->len);
	if (end == NULL)
		return false;
	*ret_piece = (struct piece){rest->at, (size_t)(end - rest->at)};
	rest->len -= ret_piece->len + 1;
	rest->at = end + 1;
	return true;
}

/* A line without its end; LF alone ends one too (RFC 9112, 2.2). */
static bool take_line(struct piece *rest, struct piece *ret_line)
{
	if (!take(rest, '\n', ret_line))
		return false;
	if (ret_line->len > 0 && ret_line->at[ret_line->len - 1] == '\r')
		ret_line->len--;
	return true;
}

static void refuse(struct metrics_request *request, int status, const char *text)
{
	request->status = status;
	request->text = text;
}

static bool is_version(struct piece version)
{
	return is_text(version, "HTTP/1.1") || is_text(version, "HTTP/1.0");
}

static void parse_first(struct piece line, struct metrics_request *request)
{
	struct piece method, target, path;
	if (!take(&line, ' ', &method) || !take(&line, ' ', &target) || !is_version(line)) {
		refuse(request, 400, "the request: expected GET /metrics HTTP/1.1");
		return;
	}
	path = target;
	const char *query = memchr(target.at, '?', target.len);
	if (query != NULL)
		path.len = (size_t)(query - target.at);
	request->has_body = !is_text(method, "HEAD");
	if (!is_text(path, LOCAL_API_METRICS))
		refuse(request, 404, "there is no such path; see " LOCAL_API_METRICS);
	else if (request->has_body && !is_text(method, "GET"))
		refuse(request, 405, "the method: expected GET or HEAD");
}

/* Accept's value, copied and cut. Of several the first: who sends several asks for either. */
static bool take_accept(struct piece line, char *ret_accept, size_t size)
{
	struct piece name;
	if (!take(&line, ':', &name) || name.len != strlen("Accept") ||
		strncasecmp(name.at, "Accept", name.len) != 0)
		return false;
	size_t len = line.len < size ? line.len : size - 1;
	memcpy(ret_accept, line.at, len);
	ret_accept[len] = '\0';
	return true;
}

void metrics_request_parse(const char *head, size_t len, struct metrics_request *ret_request)
{
	char accept[1024];
	struct piece rest = {head, len}, line = {head, 0};
	struct metrics_request request = {.status = 200, .has_body = true, .text = ""};
	bool has_accept = false;
	if (!take_line(&rest, &line))
		refuse(&request, 400, "the request: expected GET /metrics HTTP/1.1");
	else
		parse_first(line, &request);
	while (!has_accept && take_line(&rest, &line))
		has_accept = take_accept(line, accept, sizeof(accept));
	request.format = openmetrics_choose(has_accept ? accept : NULL);
	*ret_request = request;
}

const char *metrics_status_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} known[] = {{200, "OK"}, {400, "Bad Request"}, {404, "Not Found"},
		{405, "Method Not Allowed"}, {431, "Request Header Fields Too Large"},
		{503, "Service Unavailable"}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return known[i].phrase;
	abort(); /* a bug: it is used nowhere */
}
