/*
 * Writing JSON. Text without anything to escape, nearly all of it, is found by one scan and copied
 * at once into room taken beforehand; no byte is added alone but the punctuation.
 */
#include "base/json_write.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* A comma, a newline, a tab for each level: what may come before any value or key. */
enum { LEAD_MAX = 2 + JSON_WRITE_DEPTH_MAX };

struct lead {
	char text[LEAD_MAX];
	size_t len;
};

void json_writer_init(struct json_writer *writer, struct buf *out, bool is_pretty)
{
	*writer = (struct json_writer){.out = out, .is_pretty = is_pretty};
}

static void add_newline(const struct json_writer *writer, struct lead *lead)
{
	lead->text[lead->len++] = '\n';
	memset(lead->text + lead->len, '\t', (size_t)writer->depth);
	lead->len += (size_t)writer->depth;
}

/* What separates the next member or item from what is before it. */
static void take_lead(struct json_writer *writer, struct lead *ret_lead)
{
	ret_lead->len = 0;
	if (writer->depth == 0)
		return;
	bool *has_member = &writer->has_member[writer->depth - 1];
	if (*has_member)
		ret_lead->text[ret_lead->len++] = ',';
	*has_member = true;
	if (writer->is_pretty)
		add_newline(writer, ret_lead);
}

/* Before a value: after a key nothing is due, in an array the separator. */
static void take_value_lead(struct json_writer *writer, struct lead *ret_lead)
{
	assert(writer->after_key || writer->depth == 0 || !writer->is_object[writer->depth - 1]);
	ret_lead->len = 0;
	if (!writer->after_key)
		take_lead(writer, ret_lead);
	writer->after_key = false;
}

/* A value whose bytes are known: null, true, numbers, brackets. */
static void add_token(struct json_writer *writer, const char *token, size_t len)
{
	struct lead lead;
	take_value_lead(writer, &lead);
	char *to = buf_room(writer->out, lead.len + len);
	if (to == NULL)
		return;
	memcpy(to, lead.text, lead.len);
	memcpy(to + lead.len, token, len);
	buf_advance(writer->out, lead.len + len);
}

void json_raw(struct json_writer *writer, const char *json)
{
	add_token(writer, json, strlen(json));
}

void json_raw_members(struct json_writer *writer, const char *object)
{
	struct lead lead;
	size_t len = strlen(object);
	assert(len > 2 && object[0] == '{' && object[len - 1] == '}');
	assert(writer->depth > 0 && writer->is_object[writer->depth - 1] && !writer->after_key);
	take_lead(writer, &lead);
	buf_add(writer->out, lead.text, lead.len);
	buf_add(writer->out, object + 1, len - 2);
}

static void open_container(struct json_writer *writer, bool is_object)
{
	assert(writer->depth < JSON_WRITE_DEPTH_MAX);
	add_token(writer, is_object ? "{" : "[", 1);
	writer->has_member[writer->depth] = false;
	writer->is_object[writer->depth] = is_object;
	writer->depth++;
}

static void close_container(struct json_writer *writer, bool is_object)
{
	assert(writer->depth > 0 && !writer->after_key);
	writer->depth--;
	assert(writer->is_object[writer->depth] == is_object);
	struct lead lead = {.len = 0};
	if (writer->is_pretty && writer->has_member[writer->depth])
		add_newline(writer, &lead);
	buf_add(writer->out, lead.text, lead.len);
	buf_add_char(writer->out, is_object ? '}' : ']');
	if (writer->is_pretty && writer->depth == 0)
		buf_add_char(writer->out, '\n');
}

void json_open_object(struct json_writer *writer)
{
	open_container(writer, true);
}

void json_close_object(struct json_writer *writer)
{
	close_container(writer, true);
}

void json_open_array(struct json_writer *writer)
{
	open_container(writer, false);
}

void json_close_array(struct json_writer *writer)
{
	close_container(writer, false);
}

/* ASCII that stands for itself in a JSON string. */
static bool is_plain(char c)
{
	unsigned char byte = (unsigned char)c;
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static void add_unit(struct buf *out, uint32_t utf16)
{
	static const char digit[] = "0123456789abcdef";
	buf_add(out,
		(char[]){'\\', 'u', digit[utf16 >> 12], digit[utf16 >> 8 & 0xf],
			digit[utf16 >> 4 & 0xf], digit[utf16 & 0xf]},
		6);
}

static void add_escape(struct buf *out, uint32_t code_point)
{
	static const char short_form[128] = {
		['"'] = '"',
		['\\'] = '\\',
		['\n'] = 'n',
		['\r'] = 'r',
		['\t'] = 't',
		['\b'] = 'b',
		['\f'] = 'f',
	};
	if (code_point < sizeof(short_form) && short_form[code_point] != 0) {
		buf_add(out, (char[]){'\\', short_form[code_point]}, 2);
	} else if (code_point < 0x10000) {
		add_unit(out, code_point);
	} else { /* a pair of surrogates */
		add_unit(out, 0xd800 + ((code_point - 0x10000) >> 10));
		add_unit(out, 0xdc00 + (code_point & 0x3ff));
	}
}

/* is_text: what is between quotes; otherwise a document, in which ASCII has its meaning. */
static void add_escaped(struct buf *out, const char *text, size_t len, bool is_text)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	size_t clean = 0; /* start of what stays as it is and is not added yet */
	for (size_t at = 0; at < len;) {
		uint32_t code_point = 0;
		size_t size = text_utf8_next(text + at, len - at, &code_point);
		bool is_kept = code_point < 0x7f ? !is_text || is_plain(text[at])
						 : text_is_printable(code_point);
		if (size > 0 && is_kept) {
			at += size;
			continue;
		}
		buf_add(out, text + clean, at - clean);
		if (size == 0)
			buf_add_text(out, replacement);
		else
			add_escape(out, code_point);
		at += size > 0 ? size : 1;
		clean = at;
	}
	buf_add(out, text + clean, len - clean);
}

void json_add_document(struct buf *out, const char *json, size_t len)
{
	add_escaped(out, json, len, false);
}

/* A quote, the text, and the tail: the other quote and what is behind it. */
static void add_quoted(struct json_writer *writer, const struct lead *lead, const char *text,
	size_t len, const char *tail)
{
	size_t plain = 0;
	while (plain < len && is_plain(text[plain]))
		plain++;
	char *to = buf_room(writer->out, lead->len + 1 + plain);
	if (to == NULL)
		return;
	memcpy(to, lead->text, lead->len);
	to[lead->len] = '"';
	memcpy(to + lead->len + 1, text, plain);
	buf_advance(writer->out, lead->len + 1 + plain);
	if (plain < len)
		add_escaped(writer->out, text + plain, len - plain, true);
	buf_add_text(writer->out, tail);
}

void json_key(struct json_writer *writer, const char *key)
{
	assert(writer->depth > 0 && writer->is_object[writer->depth - 1] && !writer->after_key);
	struct lead lead;
	take_lead(writer, &lead);
	add_quoted(writer, &lead, key, strlen(key), writer->is_pretty ? "\": " : "\":");
	writer->after_key = true;
}

void json_text(struct json_writer *writer, const char *text)
{
	if (text == NULL)
		json_write_null(writer);
	else
		json_text_len(writer, text, strlen(text));
}

void json_text_len(struct json_writer *writer, const char *text, size_t len)
{
	struct lead lead;
	take_value_lead(writer, &lead);
	add_quoted(writer, &lead, text, len, "\"");
}

void json_int(struct json_writer *writer, int64_t value)
{
	char digits[20]; /* -9223372036854775808 */
	char *at = digits + sizeof(digits);
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	do {
		*--at = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		*--at = '-';
	add_token(writer, at, (size_t)(digits + sizeof(digits) - at));
}

void json_bool(struct json_writer *writer, bool value)
{
	add_token(writer, value ? "true" : "false", value ? 4 : 5);
}

void json_write_null(struct json_writer *writer)
{
	add_token(writer, "null", 4);
}

void json_time(struct json_writer *writer, int64_t unix_s)
{
	char text[TEXT_TIME_MAX];
	if (unix_s == 0)
		json_write_null(writer);
	else
		json_text(writer, text_format_time(unix_s, text));
}

void json_member_text(struct json_writer *writer, const char *key, const char *text)
{
	json_key(writer, key);
	json_text(writer, text);
}

void json_member_int(struct json_writer *writer, const char *key, int64_t value)
{
	json_key(writer, key);
	json_int(writer, value);
}

void json_member_base64(struct json_writer *writer, const char *key, const void *bytes, size_t len)
{
	assert(len <= INT_MAX / 2);
	struct lead lead;
	json_key(writer, key);
	take_value_lead(writer, &lead);
	size_t encoded = (len + 2) / 3 * 4;
	char *to = buf_room(writer->out, encoded + 2);
	if (to == NULL)
		return;
	to[0] = '"';
	if (len > 0)
		(void)EVP_EncodeBlock((unsigned char *)to + 1, bytes, (int)len); /* cannot fail */
	to[encoded + 1] = '"';							 /* over its NUL */
	buf_advance(writer->out, encoded + 2);
}

void json_member_bool(struct json_writer *writer, const char *key, bool value)
{
	json_key(writer, key);
	json_bool(writer, value);
}

void json_member_time(struct json_writer *writer, const char *key, int64_t unix_s)
{
	json_key(writer, key);
	json_time(writer, unix_s);
}

bool json_writer_is_complete(const struct json_writer *writer)
{
	return writer->depth == 0;
}
