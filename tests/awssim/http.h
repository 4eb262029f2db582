/* HTTP/1.1 as a server needs it: parsing a request's head, and the answer to be sent. */
#ifndef TESTS_AWSSIM_HTTP_H
#define TESTS_AWSSIM_HTTP_H

#include "tests/awssim/util.h"

/* A body holds ImportCertificate with the largest chain, in base64. */
enum { HTTP_HEADERS_MAX = 64, HTTP_HEAD_MAX = 65536, HTTP_BODY_MAX = 4 << 20 };

struct http_header {
	struct slice name, value;
};

struct http_request {
	struct slice method, target, path, query, body; /* borrowed from the connection */
	struct http_header header[HTTP_HEADERS_MAX];
	size_t header_count;
	size_t head_len, body_len;
	bool keep_alive, expects_continue;
	const char *connect_host; /* borrowed; NULL unless it came through CONNECT */
	bool is_tls;
};

/*
 * Parses a head that may still be incomplete. 1: complete; 0: more bytes needed; -1: not HTTP, too
 * large, or with a transfer encoding that no AWS client uses. path and query are target's parts.
 */
int http_parse(const char *data, size_t len, struct http_request *ret_request);

/* The header's value, or an empty slice with ptr NULL. */
struct slice http_header_value(const struct http_request *request, const char *name);

/* Value of name in "a=1&b=2", still encoded; ptr NULL when absent. */
struct slice form_value(struct slice form, const char *name);
/* Decodes %XX and '+' into ret_text; false when it does not fit or holds NUL. */
bool form_decode(struct slice encoded, char *ret_text, size_t size);

/* Produces the next piece of a body that is too large to hold; false after the last. */
typedef bool reply_more_fn(void *arg, struct out *out);

enum reply_manner {
	REPLY_WHOLE,
	REPLY_RESET,	/* TCP reset instead of an answer */
	REPLY_CLOSE,	/* closed without an answer */
	REPLY_STALL,	/* no answer until the client gives up */
	REPLY_TRUNCATE, /* half of the body, then closed */
	REPLY_SLOW,	/* the body in small pieces over slow_ms */
};

struct reply {
	int status;
	const char *content_type; /* static */
	struct out headers;	  /* owned; further header lines, each with CRLF */
	struct out body;	  /* owned */
	enum reply_manner manner;
	int64_t delay_ms, slow_ms;
	bool close_after;
	reply_more_fn *more; /* NULL: body is all; otherwise sent chunked after body */
	void *more_arg;	     /* owned through more_free */
	void (*more_free)(void *arg);
	int64_t more_bytes; /* >= 0: sent with this Content-Length instead of chunked */
};

void reply_reset(struct reply *reply); /* empties, keeps the memory; status 200 */
void reply_clear(struct reply *reply);
const char *http_reason(int status);

#endif
