/*
 * jansson spends most of its time on taking one byte at a time; an answer with a certificate and
 * its chain has 6,000. This reader skips along plain ASCII eight bytes at a time. It gives up
 * (returns NULL) on raw bytes beyond ASCII, surrogates, escapes in names, numbers of odd length,
 * members that appear twice, and on every mistake: jansson then reads the document from its start.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_internal.h"
#include "base/mem.h"
#include "base/mem_wiping.h"
#include "base/text.h"

enum { NUMBER_MAX = 40, INTEGER_DIGITS_MAX = 18 /* fit int64_t whatever they are */ };

/* What comes next. */
enum expect { NAME_OR_END, NAME, VALUE_OR_END, VALUE, COMMA_OR_END };

struct span {
	const char *data; /* borrowed: from the text or the scratch */
	size_t len;
};

struct reader {
	const char *at, *end;
	size_t text_len;
	char *scratch; /* owned; for a text with escapes, at most as long as the document; wiped */
	json_t *open[JSON_DEPTH_MAX]; /* borrowed; the containers around at, the outermost first */
	int depth;
	enum expect expect;
	struct span name; /* of the member whose value is expected */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && is_blank(*reader->at))
		reader->at++;
}

/* The next character that is not blank. NUL, which fits nowhere, at the end. */
static char next_char(struct reader *reader)
{
	skip_blanks(reader);
	return reader->at < reader->end ? *reader->at++ : '\0';
}

/* --- texts ------------------------------------------------------------------------------------ */

/* Whether a byte of word may be something else than a plain character. */
static bool has_special(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
	uint64_t quote = word ^ (ones * '"'), escape = word ^ (ones * '\\');
	return ((word | (word - ones * 0x20) | (quote - ones) | (escape - ones)) & highs) != 0;
}

static bool is_plain(char c)
{
	unsigned char byte = (unsigned char)c;
	return byte >= 0x20 && byte <= 0x7f && c != '"' && c != '\\';
}

/* The first byte from at that is no plain character of a text. */
static const char *skip_plain(const char *at, const char *end)
{
	uint64_t word;
	for (; (size_t)(end - at) >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		if (has_special(word))
			break;
	}
	while (at < end && is_plain(*at))
		at++;
	return at;
}

/* The four digits of \uXXXX; 0 for what is left to jansson. */
static uint32_t read_code(struct reader *reader)
{
	uint32_t code = 0;
	if (reader->end - reader->at < 4)
		return 0;
	for (int i = 0; i < 4; i++) {
		int value = text_hex_digit(*reader->at++);
		if (value < 0)
			return 0;
		code = code << 4 | (uint32_t)value;
	}
	bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
	return is_surrogate ? 0 : code;
}

static char *put_utf8(char *to, uint32_t code)
{
	if (code < 0x80) {
		*to++ = (char)code;
	} else if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
		*to++ = (char)(0x80 | (code & 0x3f));
	} else {
		*to++ = (char)(0xe0 | code >> 12);
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
		*to++ = (char)(0x80 | (code & 0x3f));
	}
	return to;
}

/* After a backslash: puts the character; NULL when it is left to jansson. */
static char *read_escape(struct reader *reader, char *to)
{
	static const char escaped[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	if (reader->at == reader->end)
		return NULL;
	char c = *reader->at++;
	if (c == 'u') {
		uint32_t code = read_code(reader);
		return code != 0 ? put_utf8(to, code) : NULL;
	}
	const char *found = c != '\0' ? strchr(escaped, c) : NULL;
	if (found == NULL)
		return NULL;
	*to++ = meant[found - escaped];
	return to;
}

/* The rest of a text whose first escape is at stop; what is before it begins at reader->at. */
static bool read_escaped(struct reader *reader, const char *stop, struct span *ret_text)
{
	if (reader->scratch == NULL)
		reader->scratch = xmalloc(reader->text_len);
	char *to = reader->scratch;
	for (;;) {
		memcpy(to, reader->at, (size_t)(stop - reader->at));
		to += stop - reader->at;
		reader->at = stop;
		if (stop == reader->end)
			return false;
		reader->at++;
		if (*stop == '"')
			break;
		if (*stop != '\\' || (to = read_escape(reader, to)) == NULL)
			return false;
		stop = skip_plain(reader->at, reader->end);
	}
	*ret_text = (struct span){reader->scratch, (size_t)(to - reader->scratch)};
	return true;
}

/* A text whose opening quote has been taken. */
static bool read_text(struct reader *reader, struct span *ret_text)
{
	const char *stop = skip_plain(reader->at, reader->end);
	if (stop == reader->end)
		return false;
	if (*stop != '"')
		return *stop == '\\' && read_escaped(reader, stop, ret_text);
	*ret_text = (struct span){reader->at, (size_t)(stop - reader->at)};
	reader->at = stop + 1;
	return true;
}

/* --- numbers and words ------------------------------------------------------------------------ */

static const char *skip_digits(const char *at)
{
	while (*at >= '0' && *at <= '9')
		at++;
	return at;
}

/* source: RFC 8259 section 6 */
static bool is_number(const char *text, bool *ret_is_real)
{
	const char *digits = text + (*text == '-'), *at = skip_digits(digits);
	*ret_is_real = false;
	if (at == digits || (*digits == '0' && at - digits > 1))
		return false;
	if (*at == '.') {
		const char *fraction = ++at;
		at = skip_digits(at);
		*ret_is_real = true;
		if (at == fraction)
			return false;
	}
	if (*at == 'e' || *at == 'E') {
		at += 1 + (at[1] == '+' || at[1] == '-');
		const char *exponent = at;
		at = skip_digits(at);
		*ret_is_real = true;
		if (at == exponent)
			return false;
	}
	return *at == '\0';
}

/* LC_NUMERIC is never set in this process: numbers have points, not commas. */
static json_t *read_number(struct reader *reader, char first)
{
	static const char part[] = "+-.0123456789Ee";
	char text[NUMBER_MAX + 1] = {first};
	size_t len = 1;
	bool is_real;
	while (reader->at < reader->end && *reader->at != '\0' &&
		strchr(part, *reader->at) != NULL) {
		if (len == NUMBER_MAX)
			return NULL;
		text[len++] = *reader->at++;
	}
	if (!is_number(text, &is_real))
		return NULL;
	if (!is_real)
		return len <= INTEGER_DIGITS_MAX ? json_integer(strtoll(text, NULL, 10)) : NULL;
	double value = strtod(text, NULL);
	return isfinite(value) ? json_real(value) : NULL;
}

static bool take_word(struct reader *reader, const char *rest)
{
	size_t len = strlen(rest);
	if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, rest, len) != 0)
		return false;
	reader->at += len;
	return true;
}

/* --- values ----------------------------------------------------------------------------------- */

static json_t *read_value(struct reader *reader, char first)
{
	struct span text;
	switch (first) {
	case '{':
		return json_object();
	case '[':
		return json_array();
	case '"':
		return read_text(reader, &text) ? json_stringn_nocheck(text.data, text.len) : NULL;
	case 't':
		return take_word(reader, "rue") ? json_true() : NULL;
	case 'f':
		return take_word(reader, "alse") ? json_false() : NULL;
	case 'n':
		return take_word(reader, "ull") ? json_null() : NULL;
	default:
		return read_number(reader, first);
	}
}

/* Into the innermost container, which owns it from here on. */
static bool add_value(struct reader *reader, json_t *value)
{
	json_t *inner = reader->open[reader->depth - 1];
	if (json_is_array(inner))
		return json_array_append_new(inner, value) == 0;
	if (json_object_getn(inner, reader->name.data, reader->name.len) != NULL) {
		json_decref(value);
		return false;
	}
	return json_object_setn_new_nocheck(inner, reader->name.data, reader->name.len, value) == 0;
}

static bool open_container(struct reader *reader, json_t *container)
{
	if (reader->depth == JSON_DEPTH_MAX)
		return false;
	reader->open[reader->depth++] = container;
	reader->expect = json_is_array(container) ? VALUE_OR_END : NAME_OR_END;
	return true;
}

static bool take_value(struct reader *reader, char first)
{
	json_t *value = read_value(reader, first);
	if (value == NULL || !add_value(reader, value))
		return false;
	if (json_is_object(value) || json_is_array(value))
		return open_container(reader, value);
	reader->expect = COMMA_OR_END;
	return true;
}

/* The end of the innermost container. */
static bool close_container(struct reader *reader, char c)
{
	bool is_array = json_is_array(reader->open[reader->depth - 1]);
	reader->depth--;
	reader->expect = COMMA_OR_END;
	return c == (is_array ? ']' : '}');
}

static bool take_name(struct reader *reader, char c)
{
	if (c != '"' || !read_text(reader, &reader->name) || reader->name.data == reader->scratch ||
		next_char(reader) != ':')
		return false;
	reader->expect = VALUE;
	return true;
}

static bool take_comma(struct reader *reader, char c)
{
	if (c != ',')
		return close_container(reader, c);
	reader->expect = json_is_array(reader->open[reader->depth - 1]) ? VALUE : NAME;
	return true;
}

static bool step(struct reader *reader)
{
	char c = next_char(reader);
	switch (reader->expect) {
	case NAME_OR_END:
		return c == '}' ? close_container(reader, c) : take_name(reader, c);
	case NAME:
		return take_name(reader, c);
	case VALUE_OR_END:
		return c == ']' ? close_container(reader, c) : take_value(reader, c);
	case VALUE:
		return take_value(reader, c);
	case COMMA_OR_END:
		return take_comma(reader, c);
	}
	abort();
}

json_t *json_quick_read(const char *text, size_t len)
{
	struct reader reader = {.at = text, .end = text + len, .text_len = len};
	if (next_char(&reader) != '{')
		return NULL;
	json_t *document = json_object();
	bool is_good = document != NULL && open_container(&reader, document);
	while (is_good && reader.depth > 0)
		is_good = step(&reader);
	skip_blanks(&reader);
	mem_wiping_free(reader.scratch);
	if (is_good && reader.at == reader.end)
		return document;
	json_decref(document);
	return NULL;
}
