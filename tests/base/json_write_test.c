/* What is written is compared as text and read back with jansson, which is strict. */
#include "base/json_write.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "tests/lib/aborts.h"

static struct buf out;
static struct json_writer writer;

static int set_up(void **state)
{
	(void)state;
	buf_init(&out, 10000000);
	json_writer_init(&writer, &out, false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_clear(&out);
	return 0;
}

static void write_one_of_everything(void)
{
	json_open_object(&writer);
	json_member_int(&writer, "schema", 1);
	json_key(&writer, "certificates");
	json_open_array(&writer);
	json_open_object(&writer);
	json_member_text(&writer, "arn", "arn:aws");
	json_member_text(&writer, "reason", NULL);
	json_member_bool(&writer, "in_use", true);
	json_member_bool(&writer, "gone", false);
	json_member_time(&writer, "not_after", 1788267600);
	json_member_time(&writer, "never", 0);
	json_key(&writer, "names");
	json_open_array(&writer);
	json_text(&writer, "a");
	json_text_len(&writer, "bcd", 1);
	json_write_null(&writer);
	json_bool(&writer, true);
	json_int(&writer, -1);
	json_close_array(&writer);
	json_key(&writer, "tags");
	json_open_object(&writer);
	json_close_object(&writer);
	json_close_object(&writer);
	json_open_array(&writer);
	json_close_array(&writer);
	json_close_array(&writer);
	json_close_object(&writer);
}

static void compact_document(void **state)
{
	(void)state;
	assert_true(json_writer_is_complete(&writer));
	write_one_of_everything();
	assert_true(json_writer_is_complete(&writer));
	assert_string_equal(buf_text(&out),
		"{\"schema\":1,\"certificates\":[{\"arn\":\"arn:aws\",\"reason\":null,\"in_use\":true,"
		"\"gone\":false,\"not_after\":\"2026-09-01T13:00:00Z\",\"never\":null,\"names\":[\"a\","
		"\"b\",null,true,-1],\"tags\":{}},[]]}");
}

static void pretty_document(void **state)
{
	(void)state;
	json_writer_init(&writer, &out, true);
	write_one_of_everything();
	assert_string_equal(buf_text(&out), "{\n"
					    "\t\"schema\": 1,\n"
					    "\t\"certificates\": [\n"
					    "\t\t{\n"
					    "\t\t\t\"arn\": \"arn:aws\",\n"
					    "\t\t\t\"reason\": null,\n"
					    "\t\t\t\"in_use\": true,\n"
					    "\t\t\t\"gone\": false,\n"
					    "\t\t\t\"not_after\": \"2026-09-01T13:00:00Z\",\n"
					    "\t\t\t\"never\": null,\n"
					    "\t\t\t\"names\": [\n"
					    "\t\t\t\t\"a\",\n"
					    "\t\t\t\t\"b\",\n"
					    "\t\t\t\tnull,\n"
					    "\t\t\t\ttrue,\n"
					    "\t\t\t\t-1\n"
					    "\t\t\t],\n"
					    "\t\t\t\"tags\": {}\n"
					    "\t\t},\n"
					    "\t\t[]\n"
					    "\t]\n"
					    "}\n");
}

static void check_text(const char *text, size_t len, const char *expected)
{
	buf_reset(&out);
	json_text_len(&writer, text, len);
	assert_string_equal(buf_text(&out), expected);
	json_t *value = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert_non_null(value);
	json_decref(value);
}

static void text_is_escaped(void **state)
{
	(void)state;
	check_text("", 0, "\"\"");
	check_text("\"\\/\n\r\t\b\f", 8, "\"\\\"\\\\/\\n\\r\\t\\b\\f\"");
	check_text("a\0b\x01\x1f\x7f", 6, "\"a\\u0000b\\u0001\\u001f\\u007f\"");
	check_text("caf\xc3\xa9 \xf0\x9f\x94\x91!", 11, "\"caf\xc3\xa9 \xf0\x9f\x94\x91!\"");
}

/* Whatever a terminal would obey or not show: C1 controls, direction overrides, zero width, tags. */
static void hidden_characters_are_escaped(void **state)
{
	(void)state;
	check_text("a\xc2\x9b"
		   "31m\xe2\x80\xae\xef\xbb\xbf",
		12, "\"a\\u009b31m\\u202e\\ufeff\"");
	check_text("\xf3\xa0\x81\x81.\xc2\xa0", 7, "\"\\udb40\\udc41.\xc2\xa0\"");
}

static void document_of_others_hides_nothing(void **state)
{
	(void)state;
	const char document[] = "{\n  \"caf\xc3\xa9\": \"\x7f\xc2\x85\xe2\x80\xae\\n\xff\"\n}";
	json_add_document(&out, document, sizeof(document) - 1);
	assert_string_equal(buf_text(&out),
		"{\n  \"caf\xc3\xa9\": \"\\u007f\\u0085\\u202e\\n\xef\xbf\xbd\"\n}");
}

static void broken_utf8_becomes_the_replacement_character(void **state)
{
	(void)state;
	check_text("\xff", 1, "\"\xef\xbf\xbd\"");
	check_text("a\xc3", 2, "\"a\xef\xbf\xbd\"");
	check_text("\xc3(x", 3, "\"\xef\xbf\xbd(x\"");
	check_text("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	check_text("\xe2\x82\xac", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* cut by its length */
}

static void keys_are_escaped_as_texts_are(void **state)
{
	(void)state;
	json_open_object(&writer);
	json_member_int(&writer, "a\"\xff\n", 1);
	json_close_object(&writer);
	assert_string_equal(buf_text(&out), "{\"a\\\"\xef\xbf\xbd\\n\":1}");
}

static void every_byte_string_is_valid_json(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			char text[] = {'x', (char)a, (char)b, (char)a};
			buf_reset(&out);
			json_text_len(&writer, text, sizeof(text));
			json_t *value = json_loadb(
				out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
			if (value == NULL)
				fail_msg("%02x %02x", a, b);
			json_decref(value);
		}
	}
}

static void ends_of_the_numbers(void **state)
{
	(void)state;
	json_open_array(&writer);
	json_int(&writer, INT64_MIN);
	json_int(&writer, INT64_MAX);
	json_int(&writer, 0);
	json_time(&writer, -1);
	json_close_array(&writer);
	assert_string_equal(buf_text(&out),
		"[-9223372036854775808,9223372036854775807,0,\"1969-12-31T23:59:59Z\"]");
}

static void deepest_document(void **state)
{
	(void)state;
	for (int i = 0; i < JSON_WRITE_DEPTH_MAX; i++)
		json_open_array(&writer);
	assert_false(json_writer_is_complete(&writer));
	for (int i = 0; i < JSON_WRITE_DEPTH_MAX; i++)
		json_close_array(&writer);
	assert_true(json_writer_is_complete(&writer));
	assert_string_equal(buf_text(&out), "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]");
}

static void bytes_are_written_as_base64(void **state)
{
	(void)state;
	/* RFC 4648 section 10 */
	static const char *const expected[] = {"{\"a\":\"\",\"b\":\"\"}",
		"{\"a\":\"Zg==\",\"b\":\"Zg==\"}", "{\"a\":\"Zm8=\",\"b\":\"Zm8=\"}",
		"{\"a\":\"Zm9v\",\"b\":\"Zm9v\"}", "{\"a\":\"Zm9vYg==\",\"b\":\"Zm9vYg==\"}",
		"{\"a\":\"Zm9vYmE=\",\"b\":\"Zm9vYmE=\"}",
		"{\"a\":\"Zm9vYmFy\",\"b\":\"Zm9vYmFy\"}"};
	for (size_t len = 0; len <= 6; len++) {
		buf_reset(&out);
		json_open_object(&writer);
		json_member_base64(&writer, "a", "foobar", len);
		json_member_base64(&writer, "b", "foobar", len);
		json_close_object(&writer);
		assert_string_equal(buf_text(&out), expected[len]);
	}
}

static void base64_that_does_not_fit_is_left_out(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	for (size_t max = 0; max <= 18; max++) {
		struct buf small;
		buf_init_secret(&small, max);
		json_writer_init(&writer, &small, false);
		json_open_object(&writer);
		json_member_base64(&writer, "a", "foo\0\xff!", 6);
		json_close_object(&writer);
		assert_memory_equal(buf_text(&small), "{\"a\":\"Zm9vAP8h\"}", small.len);
		assert_int_equal(buf_check(&small, "x", &err), max < 16 ? -1 : 0);
		buf_clear(&small);
	}
}

static void full_buffer_keeps_a_beginning_and_says_so(void **state)
{
	(void)state;
	write_one_of_everything();
	char *whole = buf_take(&out);
	size_t len = strlen(whole);
	struct err err = ERR_INIT;
	for (size_t max = 0; max <= len; max++) {
		struct buf small;
		buf_init(&small, max);
		json_writer_init(&writer, &small, false);
		write_one_of_everything();
		assert_true(json_writer_is_complete(&writer));
		assert_true(small.len <= max);
		assert_memory_equal(buf_text(&small), whole, small.len);
		assert_int_equal(buf_check(&small, "x", &err), max < len ? -1 : 0);
		buf_clear(&small);
	}
	free(whole);
}

/* How the daemon streams: the buffer is emptied between objects and the writer goes on. */
static void stream_is_emptied_between_objects(void **state)
{
	(void)state;
	struct buf stream;
	buf_init(&stream, 10000000);
	json_open_array(&writer);
	for (int i = 0; i < 10000; i++) {
		json_open_object(&writer);
		json_member_int(&writer, "i", i);
		json_close_object(&writer);
		if (out.len > 4096) {
			buf_add(&stream, out.data, out.len);
			buf_reset(&out);
		}
	}
	json_close_array(&writer);
	buf_add(&stream, out.data, out.len);
	json_t *array = json_loadb(stream.data, stream.len, 0, NULL);
	assert_int_equal(json_array_size(array), 10000);
	json_decref(array);
	buf_clear(&stream);
}

static void value_without_a_key(void)
{
	json_open_object(&writer);
	json_int(&writer, 1);
}

static void key_in_an_array(void)
{
	json_open_array(&writer);
	json_key(&writer, "a");
}

static void key_after_a_key(void)
{
	json_open_object(&writer);
	json_key(&writer, "a");
	json_key(&writer, "b");
}

static void close_after_a_key(void)
{
	json_open_object(&writer);
	json_key(&writer, "a");
	json_close_object(&writer);
}

static void document_is_not_complete_while_something_is_open(void **state)
{
	(void)state;
	json_open_object(&writer);
	assert_false(json_writer_is_complete(&writer));
	json_key(&writer, "a");
	assert_false(json_writer_is_complete(&writer));
	json_int(&writer, 1);
	json_close_object(&writer);
	assert_true(json_writer_is_complete(&writer));
}

static void close_the_other_kind(void)
{
	json_open_object(&writer);
	json_close_array(&writer);
}

static void close_nothing(void)
{
	json_close_object(&writer);
}

static void open_too_deep(void)
{
	for (int i = 0; i <= JSON_WRITE_DEPTH_MAX; i++)
		json_open_array(&writer);
}

static void misuse_is_a_bug(void **state)
{
	(void)state;
	assert_true(aborts(value_without_a_key));
	assert_true(aborts(key_in_an_array));
	assert_true(aborts(key_after_a_key));
	assert_true(aborts(close_after_a_key));
	assert_true(aborts(close_the_other_kind));
	assert_true(aborts(close_nothing));
	assert_true(aborts(open_too_deep));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(compact_document, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pretty_document, set_up, tear_down),
		cmocka_unit_test_setup_teardown(text_is_escaped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			broken_utf8_becomes_the_replacement_character, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hidden_characters_are_escaped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			document_of_others_hides_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keys_are_escaped_as_texts_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_byte_string_is_valid_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ends_of_the_numbers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(deepest_document, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bytes_are_written_as_base64, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			base64_that_does_not_fit_is_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			full_buffer_keeps_a_beginning_and_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			stream_is_emptied_between_objects, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			document_is_not_complete_while_something_is_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(misuse_is_a_bug, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
