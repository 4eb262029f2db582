/* CSV after RFC 4180 (see csv.h). */
#include "cli/csv.h"

#include <string.h>

#include "base/buf.h"

enum { CELL_MAX = 1 << 20 };

static void add_cell(struct buf *to, const char *text)
{
	bool is_formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
	if (!is_formula && strpbrk(text, ",\"\r\n") == NULL) {
		buf_add_text(to, text);
		return;
	}
	buf_add_char(to, '"');
	if (is_formula)
		buf_add_char(to, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_add_char(to, '"');
		buf_add_char(to, *text);
	}
	buf_add_char(to, '"');
}

/* A list's items joined with blanks, an object's members as k=v;k=v; scalars as they are. */
static void flatten(struct buf *to, const json_t *value)
{
	size_t i;
	const char *key;
	json_t *item;
	switch (json_typeof(value)) {
	case JSON_STRING:
		buf_add_text(to, json_string_value(value));
		break;
	case JSON_INTEGER:
		buf_addf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		buf_addf(to, "%g", json_real_value(value));
		break;
	case JSON_TRUE:
		buf_add_text(to, "true");
		break;
	case JSON_FALSE:
		buf_add_text(to, "false");
		break;
	case JSON_NULL:
		break;
	case JSON_ARRAY:
		json_array_foreach(value, i, item)
		{
			if (i > 0)
				buf_add_char(to, ' ');
			if (json_is_string(item))
				buf_add_text(to, json_string_value(item));
		}
		break;
	case JSON_OBJECT:
		json_object_foreach((json_t *)value, key, item)
		{
			if (to->len > 0)
				buf_add_char(to, ';');
			buf_addf(to, "%s=", key);
			if (json_is_string(item))
				buf_add_text(to, json_string_value(item));
			else if (json_is_integer(item))
				buf_addf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(item));
		}
		break;
	}
}

void csv_header(struct buf *to, const json_t *row)
{
	const char *key, *separator = "";
	json_t *value;
	json_object_foreach((json_t *)row, key, value)
	{
		buf_add_text(to, separator);
		add_cell(to, key);
		separator = ",";
	}
	buf_add_text(to, "\r\n");
}

void csv_row(struct buf *to, const json_t *row)
{
	const char *key, *separator = "";
	json_t *value;
	struct buf cell;
	buf_init(&cell, CELL_MAX);
	json_object_foreach((json_t *)row, key, value)
	{
		buf_reset(&cell);
		flatten(&cell, value);
		buf_add_text(to, separator);
		/* A negative number is no formula. */
		if (json_is_number(value))
			buf_add_text(to, buf_text(&cell));
		else
			add_cell(to, buf_text(&cell));
		separator = ",";
	}
	buf_clear(&cell);
	buf_add_text(to, "\r\n");
}
