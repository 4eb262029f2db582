/*
 * Reading JSON with jansson, with limits; writing is json_write.h.
 *
 * Getters answer false or the default when a member is absent or null; a member of another type is
 * an error, because an API that lies about types must not be read as "empty". Messages name the
 * member and never quote its value, which may be a secret.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { JSON_DEPTH_MAX = 64 };

/*
 * Parses a whole document that must be an object; duplicate members, invalid UTF-8, NUL in
 * strings, numbers above 64 bits and trailing bytes are refused. The caller owns the result
 * (json_decref) and has bounded len before: the tree takes up to 20 times as much memory.
 * Errors: ERR_PROTOCOL with the place; ERR_LIMIT when nested deeper than JSON_DEPTH_MAX.
 */
json_t *json_read_object(const char *text, size_t len, struct err *err);

/* Each returns 0 (also when absent: *ret untouched), or -1 with ERR_PROTOCOL. Borrowed results live
 * as long as object. max_bytes bounds the text: ERR_LIMIT. */
int json_get_text(const json_t *object, const char *name, size_t max_bytes, const char **ret_text,
	struct err *err);
int json_get_bool(const json_t *object, const char *name, bool *ret_value, struct err *err);
int json_get_int(const json_t *object, const char *name, int64_t *ret_value, struct err *err);
/* Epoch seconds as integer or real (also exponent form), floored; outside years 1..9999: error. */
int json_get_time(const json_t *object, const char *name, int64_t *ret_unix_s, struct err *err);
int json_get_array(const json_t *object, const char *name, size_t max_items,
	const json_t **ret_array, struct err *err);
int json_get_object(
	const json_t *object, const char *name, const json_t **ret_object, struct err *err);

#endif
