/* The progress of cycles as one line. Pure. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct buf;

/* Of one cycle, or of several that were asked for together. */
struct progress_view {
	const char *phase; /* "organization", "scan" ... of the one that is furthest behind */
	int64_t accounts_done, accounts_total, pairs_done, pairs_total;
	int64_t certificates, calls, throttles;
	int64_t left_s; /* -1: not known yet */
	bool is_known;	/* false: a cycle does not know yet what there is to do */
};

void progress_view_init(struct progress_view *view);
/* Adds an object of GET /v1/progress; phase is borrowed from it. */
void progress_view_add(struct progress_view *view, const json_t *progress);

/* "[#####-----] 52%  83/160 account-regions  40s left  1,204 certificates ..."; what does not fit
 * into columns (0: no limit) is left out from the right. has_bar: false for plain lines. */
void progress_line(
	struct buf *to, const struct progress_view *view, int columns, bool has_bar, bool is_utf8);

#endif
