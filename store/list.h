/*
 * The lists that the product shows (certificates, accounts, coverage, events, alerts), from a name
 * and text parameters to JSON in slices. The daemon streams them over the local API, the CLI prints
 * them with --offline: one parser of parameters, one form of output.
 *
 * A list keeps its place between slices, so no read transaction crosses a wait.
 */
#ifndef STORE_LIST_H
#define STORE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct list;
struct store_txn;

enum list_kind {
	LIST_CERTIFICATES, /* parameters: expires expires_after domain domain_suffix account region
			      connector status type in_use tag sort gone fingerprint serial */
	LIST_CERTIFICATE,  /* in full; q: ARN, fingerprint, serial or domain; pem, gone */
	LIST_ACCOUNTS,	   /* connector; the document holds "units" too */
	LIST_COVERAGE,	   /* connector account region state problems */
	LIST_EVENTS,	   /* from since limit; oldest first */
	LIST_ALERTS,	   /* all (resolved ones too) class (the least) kind; in no order */
};

struct list_param {
	const char *key, *value; /* borrowed for list_new */
};

/*
 * is_ndjson: bare objects, one a line, instead of {"schema": 1, "<name>": [...]}.
 * Returns NULL with ERR_CONFIG that names the parameter: unknown, given twice, or a value that
 * makes no sense. Owned by the caller.
 */
struct list *list_new(enum list_kind kind, const struct list_param *param, size_t param_count,
	bool is_ndjson, int64_t now_s, struct err *err);
void list_free(struct list *list); /* NULL is fine */

/*
 * Appends the next rows until to holds slice_bytes or slice_records were looked at. *ret_is_end:
 * the document is complete. -1 with the transaction's failure: what was written so far is a part.
 */
int list_write(struct list *list, struct store_txn *txn, struct buf *to, size_t slice_bytes,
	size_t slice_records, bool *ret_is_end, struct err *err);

/* Rows written so far. */
size_t list_rows(const struct list *list);

#endif
