/*
 * Lists of the local API and of --offline from their decoded parameters on. The first byte chooses
 * the list and its form, the second the size of the slices; then key=value&key=value. Each answer
 * is JSON, the same in whatever slices, and holds only what was asked for.
 */
#include "store/list.h"

#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "store/store.h"
#include "tests/fuzz/split_params.h"
#include "tests/lib/filled_store.h"
#include "tests/lib/temp_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 2, KINDS = 5, CERTIFICATES = 32, PARAMS_MAX = 32, TEXT_MAX = 16 << 20 };

struct question {
	enum list_kind kind;
	bool is_ndjson;
	const struct list_param *param;
	size_t count;
};

static struct list *open_list(const struct question *question)
{
	struct err err = ERR_INIT;
	struct list *list = list_new(question->kind, question->param, question->count,
		question->is_ndjson, SAMPLE_NOW_S, &err);
	assert(list != NULL ? err.kind == ERR_NONE : err.kind == ERR_CONFIG && err.text[0] != '\0');
	return list;
}

/* The whole list in slices, each in a transaction of its own. */
static size_t write_all(struct store *store, struct list *list, struct buf *to, size_t slice_bytes,
	size_t slice_records)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	for (bool is_end = false; !is_end;) {
		size_t before = list_rows(list);
		if (store_read_begin(store, &txn, &err) != 0 ||
			list_write(list, txn, to, to->len + slice_bytes, slice_records, &is_end,
				&err) != 0)
			abort(); /* the store is whole */
		assert(list_rows(list) - before <= slice_records);
		store_read_end(txn);
	}
	assert(!to->is_over);
	return list_rows(list);
}

static const char *wanted(const struct question *question, const char *key)
{
	for (size_t i = 0; i < question->count; i++)
		if (strcmp(question->param[i].key, key) == 0)
			return question->param[i].value;
	return NULL;
}

static void check_row(const struct question *question, const json_t *row)
{
	static const struct {
		const char *key, *member;
	} same[] = {{"account", "account_id"}, {"region", "region"}, {"connector", "connector"},
		{"state", "state"}};
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		const char *value = wanted(question, same[i].key);
		const char *is = json_string_value(json_object_get(row, same[i].member));
		assert(value == NULL || (is != NULL && strcmp(value, is) == 0));
	}
	const char *from = wanted(question, "from");
	assert(from == NULL ||
		json_integer_value(json_object_get(row, "sequence")) >= strtoll(from, NULL, 10));
}

static size_t check_lines(const struct question *question, const struct buf *text)
{
	struct err err = ERR_INIT;
	size_t count = 0;
	const char *at = buf_text(text);
	for (const char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		json_t *row = json_read_object(at, (size_t)(end - at), &err);
		assert(row != NULL);
		check_row(question, row);
		json_decref(row);
		count++;
	}
	assert(*at == '\0');
	return count;
}

static size_t check_document(const struct question *question, const struct buf *text)
{
	static const char *const name[] = {
		"certificates", "certificates", "accounts", "coverage", "events"};
	struct err err = ERR_INIT;
	size_t i;
	json_t *row, *document = json_read_object(buf_text(text), text->len, &err);
	assert(document != NULL);
	const json_t *rows = json_object_get(document, name[question->kind]);
	assert(json_is_array(rows));
	json_array_foreach(rows, i, row)
	{
		check_row(question, row);
	}
	size_t count = json_array_size(rows);
	json_decref(document);
	return count;
}

static void ask(struct store *store, const struct question *question, size_t slice)
{
	struct list *list = open_list(question), *again = open_list(question);
	assert((list != NULL) == (again != NULL));
	if (list != NULL) {
		struct buf text, same;
		buf_init(&text, TEXT_MAX);
		buf_init(&same, TEXT_MAX);
		size_t rows = write_all(store, list, &text, TEXT_MAX, SIZE_MAX);
		size_t same_rows = write_all(store, again, &same, 1 + slice * 16, 1 + slice % 7);
		assert(rows == same_rows && text.len == same.len);
		assert(memcmp(buf_text(&text), buf_text(&same), text.len) == 0);
		assert(rows == (question->is_ndjson ? check_lines(question, &text)
						    : check_document(question, &text)));
		const char *limit = wanted(question, "limit");
		assert(limit == NULL || rows <= strtoull(limit, NULL, 10));
		buf_clear(&text);
		buf_clear(&same);
	}
	list_free(list);
	list_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct store *store;
	struct list_param param[PARAMS_MAX];
	if (store == NULL)
		store = filled_store_open(NULL, CERTIFICATES);
	if (size < HEAD)
		return 0;
	char *text = xstrndup((const char *)data + HEAD, size - HEAD);
	struct question question = {.kind = (enum list_kind)(data[0] % KINDS),
		.is_ndjson = data[0] / KINDS % 2 == 1,
		.param = param,
		.count = split_params(text, param, PARAMS_MAX)};
	ask(store, &question, data[1]);
	free(text);
	return 0;
}
