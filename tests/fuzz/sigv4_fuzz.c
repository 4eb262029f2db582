/*
 * The canonicaliser on any request: "path?query\nName:value\n...". What comes out must be well
 * formed, and a canonical query must be its own canonical form.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS = SIGV4_HEADERS_MAX + 4 };

/* Third line of a canonical request; owned. */
static char *query_of(const struct buf *canonical)
{
	const char *path = strchr(buf_text(canonical), '\n');
	const char *query = strchr(path + 1, '\n');
	const char *end = strchr(query + 1, '\n');
	assert(end != NULL);
	return xstrndup(query + 1, (size_t)(end - query - 1));
}

static int canonicalise(const struct sigv4_canonical *request, struct buf *to)
{
	struct err err = ERR_INIT;
	struct buf names;
	buf_init(&names, SIGV4_CANONICAL_MAX);
	int rc = sigv4_canonical_request(request, to, &names, &err);
	assert(rc == 0 || err.kind == ERR_CONFIG || err.kind == ERR_LIMIT);
	buf_clear(&names);
	return rc;
}

static void check(const struct sigv4_canonical *request)
{
	struct buf first, second;
	buf_init_secret(&first, SIGV4_CANONICAL_MAX);
	buf_init_secret(&second, SIGV4_CANONICAL_MAX);
	if (canonicalise(request, &first) == 0) {
		char *query = query_of(&first);
		struct sigv4_canonical again = *request;
		again.query = query;
		if (canonicalise(&again, &second) == 0) {
			char *same = query_of(&second);
			assert(strcmp(query, same) == 0);
			free(same);
		}
		free(query);
	}
	buf_clear(&first);
	buf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	char *rest = text;
	char *query = strsep(&rest, "\n");
	char *path = strsep(&query, "?");
	struct http_header header[HEADERS] = {{"host", "example.com"}};
	size_t count = 1;
	for (char *line; count < HEADERS && (line = strsep(&rest, "\n")) != NULL; count++) {
		char *name = strsep(&line, ":");
		header[count] = (struct http_header){name, line != NULL ? line : ""};
	}
	struct sigv4_canonical request = {
		.method = "POST",
		.path = path,
		.query = query,
		.header = header,
		.header_count = count,
		.body_sha256 = "hash",
		.keep_path = size % 2 == 1,
	};
	check(&request);
	free(text);
	return 0;
}
