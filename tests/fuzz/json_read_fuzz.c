/* Any bytes as JSON. What is read is asked for as every type, and each text must survive being
 * written and read again. What the quick reader reads, jansson reads alike. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_internal.h"
#include "base/json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read_again(const char *key, const char *text)
{
	struct err err = ERR_INIT;
	struct buf out;
	struct json_writer writer;
	buf_init(&out, 16 * (strlen(key) + strlen(text) + 16));
	json_writer_init(&writer, &out, true);
	json_open_object(&writer);
	json_member_text(&writer, key, text);
	json_close_object(&writer);
	json_t *document = json_read_object(buf_text(&out), out.len, &err);
	assert(document != NULL);
	assert(strcmp(json_string_value(json_object_get(document, key)), text) == 0);
	json_decref(document);
	buf_clear(&out);
}

static void compare_readers(const char *text, size_t len)
{
	json_t *quick = json_quick_read(text, len);
	if (quick == NULL)
		return;
	json_t *expected = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	assert(json_equal(quick, expected));
	json_decref(quick);
	json_decref(expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	compare_readers((const char *)data, size);
	json_t *document = json_read_object((const char *)data, size, &err);
	assert((document != NULL) == (err.kind == ERR_NONE));
	if (document == NULL)
		return 0;
	const char *key;
	json_t *value;
	json_object_foreach(document, key, value)
	{
		const char *text = NULL;
		bool flag = false;
		int64_t number = 0, unix_s = 0;
		const json_t *array = NULL, *object = NULL;
		int fitting = 0;
		fitting += json_get_bool(document, key, &flag, &err) == 0;
		fitting += json_get_int(document, key, &number, &err) == 0;
		fitting += json_get_array(document, key, 10, &array, &err) == 0;
		fitting += json_get_object(document, key, &object, &err) == 0;
		fitting += json_get_text(document, key, 1000, &text, &err) == 0;
		json_get_time(document, key, &unix_s, &err);
		assert(json_is_null(value) ? fitting == 5 : fitting <= 1);
		if (text != NULL)
			write_and_read_again(key, text);
	}
	json_decref(document);
	return 0;
}
