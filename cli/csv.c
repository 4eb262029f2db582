/* CSV after RFC 4180 (see csv.h). */
#include "cli/csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum {
	CELL_MAX = 4 << 20,
	ESCAPED_MAX = 5, /* bytes that one byte becomes at most, and room for dots */
};

static void add_quoted(struct buf *to, const char *text)
{
	bool is_formula = text[0] != '\0' && strchr("=+-@", text[0]) != NULL;
	if (!is_formula && strpbrk(text, ",\"") == NULL) {
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

static bool is_list_of_texts(const json_t *array)
{
	size_t i;
	json_t *item;
	json_array_foreach(array, i, item)
	{
		if (!json_is_string(item))
			return false;
	}
	return true;
}

static void add_json(struct buf *to, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	buf_add_text(to, text != NULL ? text : "");
	free(text);
}

static void add_array(struct buf *to, const json_t *array)
{
	size_t i;
	json_t *item;
	if (!is_list_of_texts(array)) {
		add_json(to, array);
		return;
	}
	json_array_foreach(array, i, item)
	{
		if (i > 0)
			buf_add_char(to, ' ');
		buf_add_text(to, json_string_value(item));
	}
}

static void add_object(struct buf *to, const json_t *object)
{
	const char *key, *separator = "";
	json_t *item;
	json_object_foreach((json_t *)object, key, item)
	{
		buf_add_text(to, separator);
		buf_add_text(to, key);
		buf_add_char(to, '=');
		if (json_is_string(item))
			buf_add_text(to, json_string_value(item));
		else
			add_json(to, item);
		separator = ";";
	}
}

static void add_cell(struct buf *to, const char *text)
{
	struct buf escaped;
	buf_init(&escaped, ESCAPED_MAX * CELL_MAX);
	text_escape_line(&escaped, text, strlen(text), CELL_MAX);
	add_quoted(to, buf_text(&escaped));
	buf_clear(&escaped);
}

/* One value as the text of one cell. */
static void flatten(struct buf *to, const json_t *value)
{
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
		add_array(to, value);
		break;
	case JSON_OBJECT:
		add_object(to, value);
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

/* Kept equal to store/render.c by tests/cli/csv_test.c. */
static const char *const columns[] = {
	[LIST_CERTIFICATES] =
		"arn,account_id,account_name,unit_path,region,connector,domain_name,"
		"subject_alternative_names,serial,fingerprint_sha256,not_before,not_after,days_left,"
		"expired,issuer,subject,key_algorithm,signature_algorithm,key_usages,"
		"extended_key_usages,status,failure_reason,revocation_reason,type,in_use,in_use_by,"
		"renewal_eligibility,renewal_status,renewal_reason,exported,export_option,"
		"managed_by,key_pair_origin,validation_method,certificate_authority_arn,created_at,"
		"issued_at,imported_at,revoked_at,tags,first_seen,last_seen,detailed_at,"
		"detail_error,gone,gone_since",
	[LIST_CERTIFICATE] = "", /* one that is not found is an error, not an empty list */
	[LIST_ACCOUNTS] =
		"connector,account_id,name,email,state,unit_id,unit_path,is_management,first_seen,"
		"last_seen,certificates,last_success,coverage",
	[LIST_COVERAGE] =
		"connector,account_id,account_name,unit_path,region,state,is_problem,code,reason,"
		"certificates,state_since,last_attempt,last_success,next_try,failures_in_row",
	[LIST_EVENTS] = "sequence,at,kind,connector,account_id,region,arn,subject,detail,hash",
	[LIST_ALERTS] =
		"id,kind,class,state,subject,text,threshold_days,ends,days_left,domain_name,arn,"
		"connector,account_id,region,raised,changed,resolved,resolution,acknowledged,"
		"acknowledged_by,note",
};

void csv_empty_header(struct buf *to, enum list_kind kind)
{
	if (columns[kind][0] == '\0')
		return;
	buf_add_text(to, columns[kind]);
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
