/*
 * Where the CLI's data comes from: the daemon behind its socket (libcurl, blocking: this is a
 * user's program) or, with --offline, the store itself. Both give the same rows (store/list.h).
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include <jansson.h>
#include <stdio.h>

#include "store/list.h"

struct buf;
struct cli;
struct err;

enum {
	SOURCE_PARAMS_MAX = 24,
	SOURCE_LINE_MAX = 8 << 20, /* one row; a certificate with chain and PEM takes some 100 KB */
	SOURCE_DOCUMENT_MAX =
		64 << 20, /* documents that are read whole (status, progress, config) */
};

/* Parameters of a request, in order. */
struct params {
	struct list_param item[SOURCE_PARAMS_MAX];
	size_t count;
};
/* value NULL: not added. Both borrowed as long as params. More than SOURCE_PARAMS_MAX is a bug. */
void params_add(struct params *params, const char *key, const char *value);

/*
 * Errors of all of these: ERR_UNREACHABLE (no daemon behind the socket; says what to do),
 * ERR_TIMEOUT, ERR_PROTOCOL (broke off, not JSON), ERR_LIMIT, and the kind and code that the daemon
 * named; with --offline as of the store, and ERR_CONFIG where only a daemon can answer.
 * A list that broke off is an error, never a short list.
 */

/* Calls row for each object; row borrows it. row returns 0, or -1 with err to stop. */
typedef int source_row_fn(void *arg, const json_t *row, struct err *err);
int source_rows(const struct cli *cli, enum list_kind kind, const struct params *params,
	source_row_fn *row, void *arg, struct err *err);

/* Copies the list's JSON document to out as it comes. */
int source_document(const struct cli *cli, enum list_kind kind, const struct params *params,
	FILE *out, struct err *err);

/* Copies a text that is not JSON to out as it comes. Only from the daemon. accept: a content type;
 * timeout_s: of the whole. */
int source_text(const struct cli *cli, const char *path, const char *accept, long timeout_s,
	FILE *out, struct err *err);

/* A document that is no list, owned by the caller. Only from the daemon. timeout_s bounds the
 * whole. */
int source_get(const struct cli *cli, const char *path, const struct params *params, long timeout_s,
	json_t **ret_document, struct err *err);
/* The same for what changes something; waits for 3 minutes, for a plan reads AWS. ERR_CONFIG: a
 * text of body is not UTF-8. */
int source_post(const struct cli *cli, const char *path, const json_t *body, json_t **ret_document,
	struct err *err);
/* body: JSON, borrowed, opened with buf_init_secret; no copy of it is left behind (main gives
 * libcurl memory that wipes). */
int source_post_secret(const struct cli *cli, const char *path, const struct buf *body,
	json_t **ret_document, struct err *err);

#endif
