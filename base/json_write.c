/*
 * Writing JSON. Text without anything to escape, nearly all of it, is found by one scan and copied
 * at once into room taken beforehand; no byte is added alone but the punctuation.
 */
#include "base/json_write.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum {
	ESCAPED_BYTE_MAX = 6, /* \u001f; U+FFFD takes three */
	/* A comma, a newline, a tab for each level: what may come before any value or key. */
	LEAD_MAX = 2 + JSON_WRITE_DEPTH_MAX,
	INT_MAX_LEN = 20, /* -9223372036854775808 */
	PLAIN_MAX = 4096, /* longer texts are added in pieces */
};

void json_writer_init(struct json_writer *writer, struct buf *out, bool is_pretty)
{
	*writer = (struct json_writer){.out = out, .is_pretty = is_pretty};
}

static char *put_newline(const struct json_writer *writer, char *to)
{
	*to++ = '\n';
	memset(to, '\t', (size_t)writer->depth);
	return to + writer->depth;
}

/* What separates the next member or item from what is before it. */
static char *put_lead(struct json_writer *writer, char *to)
{
	if (writer->depth == 0)
		return to;
	bool *has_member = &writer->has_member[writer->depth - 1];
	if (*has_member)
		*to++ = ',';
	*has_member = true;
	return writer->is_pretty ? put_newline(writer, to) : to;
}

/* Before a value: after a key nothing is due, in an array the separator. */
static char *put_value_lead(struct json_writer *writer, char *to)
{
	if (writer->after_key) {
		writer->after_key = false;
		return to;
	}
	assert(writer->depth == 0 || !writer->is_object[writer->depth - 1]);
	return put_lead(writer, to);
}

/* A value whose bytes are known: null, true, numbers, times. */
static void add_token(struct json_writer *writer, const char *token, size_t len)
{
	char lead_only[LEAD_MAX];
	char *room = buf_room(writer->out, LEAD_MAX + len);
	char *to = put_value_lead(writer, room != NULL ? room : lead_only);
	if (room == NULL)
		return; /* full: only the state goes on, the owner asks the buffer at the end */
	memcpy(to, token, len);
	buf_advance(writer->out, (size_t)(to + len - room));
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
	char *room = buf_room(writer->out, LEAD_MAX + 1);
	if (room == NULL)
		return;
	char *to = room;
	if (writer->is_pretty && writer->has_member[writer->depth])
		to = put_newline(writer, to);
	*to++ = is_object ? '}' : ']';
	if (writer->is_pretty && writer->depth == 0)
		*to++ = '\n';
	buf_advance(writer->out, (size_t)(to - room));
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
	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\' && byte != 0x7f;
}

static char *put_escape(char *to, unsigned char byte)
{
	static const char digit[] = "0123456789abcdef";
	static const char short_form[128] = {['"'] = '"',
		['\\'] = '\\',
		['\n'] = 'n',
		['\r'] = 'r',
		['\t'] = 't',
		['\b'] = 'b',
		['\f'] = 'f'};
	*to++ = '\\';
	if (short_form[byte] != 0) {
		*to++ = short_form[byte];
		return to;
	}
	memcpy(to, "u00", 3);
	to[3] = digit[byte >> 4];
	to[4] = digit[byte & 0xf];
	return to + 5;
}

/* One character that is not plain; moves *text on. */
static char *put_special(char *to, const char **text, size_t *len)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	uint32_t code_point = 0;
	size_t size = text_utf8_next(*text, *len, &code_point);
	if (size == 0) {
		memcpy(to, replacement, 3);
		to += 3;
		size = 1;
	} else if (size == 1) {
		to = put_escape(to, (unsigned char)**text);
	} else {
		memcpy(to, *text, size);
		to += size;
	}
	*text += size;
	*len -= size;
	return to;
}

/* The text between the quotes, in pieces whose worst case has room. */
static void add_escaped(struct buf *out, const char *text, size_t len)
{
	while (len > 0) {
		size_t plain = 0;
		while (plain < len && is_plain(text[plain]))
			plain++;
		buf_add(out, text, plain);
		text += plain;
		len -= plain;
		char *room = len > 0 ? buf_room(out, ESCAPED_BYTE_MAX) : NULL;
		if (room == NULL)
			return;
		char *to = put_special(room, &text, &len);
		buf_advance(out, (size_t)(to - room));
	}
}

/* Quotes, text and what follows it (": " behind a key). */
static void add_quoted(struct json_writer *writer, char *(*put)(struct json_writer *, char *),
	const char *text, size_t len, const char *tail)
{
	size_t plain = 0, tail_len = strlen(tail);
	while (plain < len && plain < PLAIN_MAX && is_plain(text[plain]))
		plain++;
	char lead_only[LEAD_MAX];
	char *room = buf_room(writer->out, LEAD_MAX + plain + 2 + tail_len);
	char *to = put(writer, room != NULL ? room : lead_only);
	if (room == NULL)
		return;
	*to++ = '"';
	memcpy(to, text, plain);
	to += plain;
	if (plain < len) {
		buf_advance(writer->out, (size_t)(to - room));
		add_escaped(writer->out, text + plain, len - plain);
		room = to = buf_room(writer->out, 1 + tail_len);
		if (room == NULL)
			return;
	}
	*to++ = '"';
	memcpy(to, tail, tail_len);
	buf_advance(writer->out, (size_t)(to + tail_len - room));
}

void json_key(struct json_writer *writer, const char *key)
{
	assert(writer->depth > 0 && writer->is_object[writer->depth - 1] && !writer->after_key);
	add_quoted(writer, put_lead, key, strlen(key), writer->is_pretty ? ": " : ":");
	writer->after_key = true;
}

void json_text(struct json_writer *writer, const char *text)
{
	if (text == NULL)
		json_null(writer);
	else
		json_text_len(writer, text, strlen(text));
}

void json_text_len(struct json_writer *writer, const char *text, size_t len)
{
	add_quoted(writer, put_value_lead, text, len, "");
}

void json_int(struct json_writer *writer, int64_t value)
{
	char digits[INT_MAX_LEN];
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

void json_null(struct json_writer *writer)
{
	add_token(writer, "null", 4);
}

void json_time(struct json_writer *writer, int64_t unix_s)
{
	char text[TEXT_TIME_MAX];
	if (unix_s == 0)
		json_null(writer);
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
	return writer->depth == 0 && !writer->after_key;
}
