/* See render_fixture.h. */
#include "tests/store/render_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/lib/store_fixture.h"

char *rendered(store_write_fn *put, render_fn *render, void *arg)
{
	struct err err = ERR_INIT;
	struct json_writer writer;
	struct buf text;
	if (put != NULL)
		store_fixture_write(put, arg);
	buf_init(&text, TEXT_MAX);
	json_writer_init(&writer, &text, false);
	struct store_txn *txn = store_fixture_read();
	render(&writer, txn, arg);
	assert_true(json_writer_is_complete(&writer));
	assert_int_equal(store_txn_check(txn, &err), 0);
	store_read_end(txn);
	return buf_take(&text);
}

json_t *rendered_row(store_write_fn *put, render_fn *render, void *arg)
{
	char *text = rendered(put, render, arg);
	json_t *row = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(row);
	free(text);
	return row;
}

void member_is(const json_t *row, const char *key, const char *json)
{
	json_t *expected = json_loads(json, JSON_DECODE_ANY, NULL);
	const json_t *value = json_object_get(row, key);
	assert_non_null(expected);
	if (value == NULL || !json_equal(expected, value)) {
		char *text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : strdup("absent");
		fail_msg("%s is %s, not %s", key, text, json);
	}
	json_decref(expected);
}
