/* Between source.c and source_daemon.c. */
#ifndef CLI_SOURCE_INTERNAL_H
#define CLI_SOURCE_INTERNAL_H

#include "base/buf.h"
#include "cli/source.h"

/* Cuts bytes that come in pieces into lines and hands each on as a parsed row. */
struct lines {
	struct buf part; /* the beginning of a line whose end has not come yet */
	source_row_fn *row;
	void *arg;
};
void lines_init(struct lines *lines, source_row_fn *row, void *arg);
void lines_clear(struct lines *lines);
/* errors  ERR_PROTOCOL: a line is no JSON object; ERR_LIMIT: longer than SOURCE_LINE_MAX; row's */
int lines_take(struct lines *lines, const char *bytes, size_t len, struct err *err);
/* ERR_PROTOCOL: the last line has no end, so the answer broke off. */
int lines_end(const struct lines *lines, struct err *err);

/* source_rows and source_document, of the daemon. */
int daemon_rows(const struct cli *cli, enum list_kind kind, const struct params *params,
	struct lines *lines, struct err *err);
int daemon_document(const struct cli *cli, enum list_kind kind, const struct params *params,
	FILE *out, struct err *err);

#endif
