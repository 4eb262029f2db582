/*
 * The streaming JSON writer: jansson cannot write a million rows without holding them. Writes into
 * a buf; a sink empties the buf into a stream whenever it passes a threshold. Depth is bounded and
 * misuse (a value without a key, an unclosed object) is a bug that asserts. Invalid UTF-8 in
 * outsiders' text and keys becomes U+FFFD, so the output is always valid JSON; what is not
 * printable (text_is_printable) becomes \u escapes, so that a terminal shows it and does not obey
 * it. A pretty document ends with a newline.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { JSON_WRITE_DEPTH_MAX = 16 };

struct json_writer {
	struct buf *out; /* borrowed */
	int depth;
	bool is_pretty;
	bool has_member[JSON_WRITE_DEPTH_MAX];
	bool is_object[JSON_WRITE_DEPTH_MAX];
	bool after_key;
};

void json_writer_init(struct json_writer *writer, struct buf *out, bool is_pretty);
void json_open_object(struct json_writer *writer);
void json_close_object(struct json_writer *writer);
void json_open_array(struct json_writer *writer);
void json_close_array(struct json_writer *writer);
void json_key(struct json_writer *writer, const char *key);
void json_text(struct json_writer *writer, const char *text); /* NULL writes null */
void json_text_len(struct json_writer *writer, const char *text, size_t len);
void json_int(struct json_writer *writer, int64_t value);
void json_bool(struct json_writer *writer, bool value);
void json_write_null(struct json_writer *writer);	    /* json_null is a symbol of jansson */
void json_time(struct json_writer *writer, int64_t unix_s); /* RFC 3339 UTC; 0 writes null */

/* A value that is JSON already, as this writer wrote it before; and the members of such an object,
 * which has some. */
void json_raw(struct json_writer *writer, const char *json);
void json_raw_members(struct json_writer *writer, const char *object);

/* Key and value in one call, for the usual case. */
void json_member_text(struct json_writer *writer, const char *key, const char *text);
void json_member_int(struct json_writer *writer, const char *key, int64_t value);
/* Base64 with padding (RFC 4648 section 4), made in place: no copy but the one in out. */
void json_member_base64(struct json_writer *writer, const char *key, const void *bytes, size_t len);
void json_member_bool(struct json_writer *writer, const char *key, bool value);
void json_member_time(struct json_writer *writer, const char *key, int64_t unix_s);

/* Appends JSON that others made, with what is not printable in it escaped in the same way. */
void json_add_document(struct buf *out, const char *json, size_t len);

/* Every object and array is closed. */
bool json_writer_is_complete(const struct json_writer *writer);

#endif
