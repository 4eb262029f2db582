/*
 * Reading JSON. jansson's messages quote the text near the fault; ours do not, because an answer
 * may hold credentials: they name the place and the kind of fault only.
 */
#include "base/json.h"

#include <math.h>

#include "base/err.h"
#include "base/json_internal.h"

/* jansson's parser recurses to a depth of 2048, so the depth is counted before it starts. Brackets
 * inside strings do not count; whether they match is jansson's business. */
static int check_depth(const char *text, size_t len, struct err *err)
{
	int depth = 0;
	bool is_in_string = false;
	for (size_t at = 0; at < len; at++) {
		char c = text[at];
		if (is_in_string) {
			if (c == '\\')
				at++;
			else if (c == '"')
				is_in_string = false;
		} else if (c == '"') {
			is_in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return err_set(err, ERR_LIMIT,
					"byte %zu: JSON nested more than %d deep", at,
					JSON_DEPTH_MAX);
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return 0;
}

static int refuse(const json_error_t *error, struct err *err)
{
	static const char *const reason[] = {
		[json_error_stack_overflow] = "nested too deep",
		[json_error_invalid_utf8] = "invalid UTF-8",
		[json_error_premature_end_of_input] = "ends too early",
		[json_error_end_of_input_expected] = "something follows the document",
		[json_error_invalid_syntax] = "not JSON",
		[json_error_null_character] = "NUL in a string",
		[json_error_null_byte_in_key] = "NUL in a member's name",
		[json_error_duplicate_key] = "a member appears twice",
		[json_error_numeric_overflow] = "a number is too large",
	};
	size_t code = (size_t)json_error_code(error);
	const char *text = code < sizeof(reason) / sizeof(reason[0]) ? reason[code] : NULL;
	return err_set(err, ERR_PROTOCOL, "line %d, column %d: %s", error->line, error->column,
		text != NULL ? text : "not JSON");
}

json_t *json_read_object(const char *text, size_t len, struct err *err)
{
	json_t *document = json_quick_read(text, len);
	if (document != NULL)
		return document;
	if (check_depth(text, len, err) != 0)
		return NULL;
	json_error_t error;
	document = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (document == NULL) {
		refuse(&error, err);
		return NULL;
	}
	if (!json_is_object(document)) {
		json_decref(document);
		err_set(err, ERR_PROTOCOL, "line 1: JSON, but not an object");
		return NULL;
	}
	return document;
}

/* NULL when absent or null. */
static const json_t *member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_null(value) ? NULL : value;
}

static int wrong_type(const char *name, const json_t *value, const char *expected, struct err *err)
{
	static const char *const type_name[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a text",
		[JSON_INTEGER] = "a number",
		[JSON_REAL] = "a number with a fraction",
		[JSON_TRUE] = "true",
		[JSON_FALSE] = "false",
		[JSON_NULL] = "null",
	};
	return err_set(err, ERR_PROTOCOL, "member \"%s\" is %s, not %s", name,
		type_name[json_typeof(value)], expected);
}

int json_get_text(const json_t *object, const char *name, size_t max_bytes, const char **ret_text,
	struct err *err)
{
	const json_t *value = member(object, name);
	if (value == NULL)
		return 0;
	if (!json_is_string(value))
		return wrong_type(name, value, "a text", err);
	if (json_string_length(value) > max_bytes)
		return err_set(
			err, ERR_LIMIT, "member \"%s\" is longer than %zu bytes", name, max_bytes);
	*ret_text = json_string_value(value);
	return 0;
}

int json_get_bool(const json_t *object, const char *name, bool *ret_value, struct err *err)
{
	const json_t *value = member(object, name);
	if (value == NULL)
		return 0;
	if (!json_is_boolean(value))
		return wrong_type(name, value, "true or false", err);
	*ret_value = json_is_true(value);
	return 0;
}

int json_get_int(const json_t *object, const char *name, int64_t *ret_value, struct err *err)
{
	const json_t *value = member(object, name);
	if (value == NULL)
		return 0;
	if (!json_is_integer(value))
		return wrong_type(name, value, "a whole number", err);
	*ret_value = json_integer_value(value);
	return 0;
}

int json_get_time(const json_t *object, const char *name, int64_t *ret_unix_s, struct err *err)
{
	static const double year_1_s = -62135596800.0, year_10000_s = 253402300800.0;
	const json_t *value = member(object, name);
	if (value == NULL)
		return 0;
	if (!json_is_number(value))
		return wrong_type(name, value, "seconds since 1970", err);
	double seconds = floor(json_number_value(value));
	if (seconds < year_1_s || seconds >= year_10000_s)
		return err_set(
			err, ERR_PROTOCOL, "member \"%s\" is not in the years 1 to 9999", name);
	*ret_unix_s = (int64_t)seconds;
	return 0;
}

int json_get_array(const json_t *object, const char *name, size_t max_items,
	const json_t **ret_array, struct err *err)
{
	const json_t *value = member(object, name);
	if (value == NULL)
		return 0;
	if (!json_is_array(value))
		return wrong_type(name, value, "an array", err);
	if (json_array_size(value) > max_items)
		return err_set(
			err, ERR_LIMIT, "member \"%s\" has more than %zu items", name, max_items);
	*ret_array = value;
	return 0;
}

int json_get_object(
	const json_t *object, const char *name, const json_t **ret_object, struct err *err)
{
	const json_t *value = member(object, name);
	if (value == NULL)
		return 0;
	if (!json_is_object(value))
		return wrong_type(name, value, "an object", err);
	*ret_object = value;
	return 0;
}
