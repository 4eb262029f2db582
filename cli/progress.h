/* The progress of a cycle as one line. Pure. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

struct progress_view {
	const char *phase; /* "organization", "accounts", "finished" ... */
	int64_t accounts_done, accounts_total, pairs_done, pairs_total;
	int64_t certificates, calls, throttles;
	int64_t left_s; /* -1: not known yet */
};

/* "[#####-----] 52%  12/40 accounts  83/160 account-regions  1,204 certificates ..."; parts that do
 * not fit into columns (0: no limit) are left out from the right. has_bar: false for plain lines. */
void progress_line(
	struct buf *to, const struct progress_view *view, int columns, bool has_bar, bool is_utf8);

#endif
