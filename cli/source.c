/* Where the CLI's data comes from (see source.h): the choice, and the store read in-process. */
#include "cli/source.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/source_internal.h"
#include "store/store.h"

enum {
	SLICE_BYTES = 256 << 10,
	SLICE_RECORDS = 4096,
};

void params_add(struct params *params, const char *key, const char *value)
{
	if (value == NULL)
		return;
	assert(params->count < SOURCE_PARAMS_MAX);
	params->item[params->count++] = (struct list_param){.key = key, .value = value};
}

/* --- rows from bytes -------------------------------------------------------------------------- */

void lines_init(struct lines *lines, source_row_fn *row, void *arg)
{
	*lines = (struct lines){.row = row, .arg = arg};
	buf_init(&lines->part, SOURCE_LINE_MAX);
}

void lines_clear(struct lines *lines)
{
	buf_clear(&lines->part);
}

static int take_line(struct lines *lines, const char *line, size_t len, struct err *err)
{
	json_t *row = json_read_object(line, len, err);
	if (row == NULL)
		return err_wrap(err, "answer of the daemon");
	int rc = lines->row(lines->arg, row, err);
	json_decref(row);
	return rc;
}

int lines_take(struct lines *lines, const char *bytes, size_t len, struct err *err)
{
	while (len > 0) {
		const char *newline = memchr(bytes, '\n', len);
		size_t line_len = newline != NULL ? (size_t)(newline - bytes) : len;
		if (newline != NULL && lines->part.len == 0) {
			if (take_line(lines, bytes, line_len, err) != 0)
				return -1;
		} else {
			buf_add(&lines->part, bytes, line_len);
			if (buf_check(&lines->part, "one row of the answer", err) != 0)
				return -1;
			if (newline != NULL) {
				if (take_line(lines, lines->part.data, lines->part.len, err) != 0)
					return -1;
				buf_reset(&lines->part);
			}
		}
		size_t used = newline != NULL ? line_len + 1 : len;
		bytes += used;
		len -= used;
	}
	return 0;
}

int lines_end(const struct lines *lines, struct err *err)
{
	if (lines->part.len > 0)
		return err_set(err, ERR_PROTOCOL, "the list broke off in the middle of a row");
	return 0;
}

/* --- the store, in-process -------------------------------------------------------------------- */

/* Where offline bytes go: rows or a stream; exactly one is set. */
struct sink {
	struct lines *lines;
	FILE *out;
};

static int sink_take(const struct sink *sink, const struct buf *slice, struct err *err)
{
	if (sink->lines != NULL)
		return lines_take(sink->lines, buf_text(slice), slice->len, err);
	if (fwrite(buf_text(slice), 1, slice->len, sink->out) != slice->len)
		return err_set_errno(err, ERR_SYSTEM, "standard output");
	return 0;
}

/* All slices in one read transaction: the process does nothing else meanwhile, and the list is one
 * consistent picture. */
static int write_slices(struct list *list, enum list_kind kind, struct store_txn *txn,
	const struct sink *sink, struct err *err)
{
	struct buf slice;
	bool is_end = false;
	int rc = 0;
	buf_init(&slice, SOURCE_DOCUMENT_MAX);
	while (rc == 0 && !is_end) {
		buf_reset(&slice);
		rc = list_write(list, txn, &slice, SLICE_BYTES, SLICE_RECORDS, &is_end, err);
		/* As the daemon answers it. */
		if (rc == 0 && is_end && kind == LIST_CERTIFICATE && list_rows(list) == 0)
			rc = err_set(err, ERR_NOT_FOUND, "no certificate matches");
		if (rc == 0)
			rc = buf_check(&slice, "one slice of the list", err);
		if (rc == 0)
			rc = sink_take(sink, &slice, err);
	}
	buf_clear(&slice);
	return rc;
}

static int offline_list(const struct cli *cli, enum list_kind kind, const struct params *params,
	const struct sink *sink, struct err *err)
{
	struct store_options options = {.data_dir = cli->offline_dir, .is_read_only = true};
	struct store_txn *txn = NULL;
	int rc = -1;
	struct list *list =
		list_new(kind, params->item, params->count, sink->lines != NULL, cli->now_s, err);
	if (list == NULL)
		return -1;
	struct store *store = store_open(NULL, &options, err);
	if (store != NULL && store_read_begin(store, &txn, err) == 0) {
		rc = write_slices(list, kind, txn, sink, err);
		store_read_end(txn);
	}
	store_close(store);
	list_free(list);
	return rc;
}

/* --- the choice ------------------------------------------------------------------------------- */

int source_rows(const struct cli *cli, enum list_kind kind, const struct params *params,
	source_row_fn *row, void *arg, struct err *err)
{
	struct lines lines;
	lines_init(&lines, row, arg);
	struct sink sink = {.lines = &lines};
	int rc = cli->offline_dir != NULL ? offline_list(cli, kind, params, &sink, err)
					  : daemon_rows(cli, kind, params, &lines, err);
	if (rc == 0)
		rc = lines_end(&lines, err);
	lines_clear(&lines);
	return rc;
}

int source_document(const struct cli *cli, enum list_kind kind, const struct params *params,
	FILE *out, struct err *err)
{
	struct sink sink = {.out = out};
	if (cli->offline_dir != NULL)
		return offline_list(cli, kind, params, &sink, err);
	return daemon_document(cli, kind, params, out, err);
}
