/* One JSON object of the local API (see row.h). */
#include "cli/row.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"

const json_t *row_get(const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);
	return json_is_null(value) ? NULL : value;
}

const char *row_text(const json_t *row, const char *key)
{
	const char *text = json_string_value(row_get(row, key));
	return text != NULL ? text : "";
}

/* A file or a terminal may have it as it is. */
bool row_is_pem(const json_t *row, const char *key)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789+/=- \n";
	const char *text = row_text(row, key);
	return text[strspn(text, letters)] == '\0';
}

int64_t row_int(const json_t *row, const char *key)
{
	return json_integer_value(row_get(row, key));
}

bool row_bool(const json_t *row, const char *key)
{
	return json_is_true(row_get(row, key));
}

bool row_has(const json_t *row, const char *key)
{
	return row_get(row, key) != NULL;
}

int64_t row_time(const json_t *row, const char *key)
{
	const char *text = json_string_value(row_get(row, key));
	int64_t unix_s = 0;
	struct err ignored = ERR_INIT;
	if (text == NULL || text_parse_time(text, &unix_s, &ignored) != 0)
		return 0;
	return unix_s;
}

json_t *row_argument(const char *text)
{
	return json_string_nocheck(text);
}
