/* Encodings: UTF-8, hex, percent, escapes for logs and terminals, width on a terminal. */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

size_t text_utf8_next(const char *text, size_t len, uint32_t *ret_code_point)
{
	const unsigned char *byte = (const unsigned char *)text;
	if (byte[0] < 0x80) {
		*ret_code_point = byte[0];
		return 1;
	}
	size_t size;
	uint32_t code_point, smallest;
	if ((byte[0] & 0xe0) == 0xc0) {
		size = 2;
		code_point = byte[0] & 0x1f;
		smallest = 0x80;
	} else if ((byte[0] & 0xf0) == 0xe0) {
		size = 3;
		code_point = byte[0] & 0x0f;
		smallest = 0x800;
	} else if ((byte[0] & 0xf8) == 0xf0) {
		size = 4;
		code_point = byte[0] & 0x07;
		smallest = 0x10000;
	} else {
		return 0;
	}
	if (size > len)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		code_point = code_point << 6 | (byte[i] & 0x3f);
	}
	bool is_surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
	if (code_point < smallest || code_point > 0x10ffff || is_surrogate)
		return 0;
	*ret_code_point = code_point;
	return size;
}

size_t text_utf8_count(const char *text, size_t len)
{
	size_t count = 0;
	for (size_t at = 0; at < len; count++) {
		uint32_t code_point;
		size_t size = text_utf8_next(text + at, len - at, &code_point);
		at += size > 0 ? size : 1;
	}
	return count;
}

bool text_is_utf8(const char *text, size_t len)
{
	uint32_t code_point;
	for (size_t at = 0; at < len;) {
		size_t size = text_utf8_next(text + at, len - at, &code_point);
		if (size == 0)
			return false;
		at += size;
	}
	return true;
}

struct range {
	uint32_t first, last;
};

static bool is_in(const struct range *range, size_t count, uint32_t code_point)
{
	for (size_t i = 0; i < count && code_point >= range[i].first; i++) {
		if (code_point <= range[i].last)
			return true;
	}
	return false;
}

bool text_is_printable(uint32_t code_point)
{
	static const struct range hidden[] = {{0x00, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad},
		{0x61c, 0x61c}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},
		{0x2060, 0x206f}, {0xfdd0, 0xfdef}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
		{0xfffe, 0xffff}, {0xe0000, 0xe0fff}, {0x10fffe, 0x10ffff}};
	return !is_in(hidden, sizeof(hidden) / sizeof(hidden[0]), code_point);
}

size_t text_columns(const char *text)
{
	/* Unicode 15, the ranges in common use: general category Mn and Me of the scripts with many
	 * users; East Asian Width W and F. A rare character off by one costs a crooked table. */
	static const struct range combining[] = {{0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd},
		{0x5bf, 0x5bf}, {0x5c1, 0x5c2}, {0x5c4, 0x5c5}, {0x610, 0x61a}, {0x64b, 0x65f},
		{0x670, 0x670}, {0x6d6, 0x6dc}, {0x6df, 0x6e4}, {0x93c, 0x93c}, {0x941, 0x948},
		{0x94d, 0x94d}, {0xe31, 0xe31}, {0xe34, 0xe3a}, {0xe47, 0xe4e}, {0x1ab0, 0x1aff},
		{0x1dc0, 0x1dff}, {0x200b, 0x200f}, {0x20d0, 0x20f0}, {0x302a, 0x302d},
		{0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef}};
	static const struct range wide[] = {{0x1100, 0x115f}, {0x231a, 0x231b}, {0x2329, 0x232a},
		{0x23e9, 0x23ec}, {0x25fd, 0x25fe}, {0x2614, 0x2615}, {0x2648, 0x2653},
		{0x26a1, 0x26a1}, {0x26bd, 0x26be}, {0x26c4, 0x26c5}, {0x26d4, 0x26d4},
		{0x2705, 0x2705}, {0x270a, 0x270b}, {0x2728, 0x2728}, {0x274c, 0x274c},
		{0x2753, 0x2755}, {0x2757, 0x2757}, {0x2795, 0x2797}, {0x2b50, 0x2b50},
		{0x2e80, 0x303e}, {0x3041, 0x4dbf}, {0x4e00, 0xa4cf}, {0xa960, 0xa97f},
		{0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe10, 0xfe19}, {0xfe30, 0xfe6f},
		{0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x16fe0, 0x18aff}, {0x1b000, 0x1b2ff},
		{0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x1fa70, 0x1faff},
		{0x20000, 0x3fffd}};

	size_t columns = 0, len = strlen(text);
	for (size_t at = 0; at < len;) {
		uint32_t code_point = 0;
		size_t size = text_utf8_next(text + at, len - at, &code_point);
		/* A broken byte shows as one replacement character, as wide as ASCII. */
		bool is_narrow = size <= 1;
		if (!is_narrow && is_in(wide, sizeof(wide) / sizeof(wide[0]), code_point))
			columns += 2;
		else if (is_narrow ||
			 !is_in(combining, sizeof(combining) / sizeof(combining[0]), code_point))
			columns += 1;
		at += size > 0 ? size : 1;
	}
	return columns;
}

static void escape_byte(struct buf *to, unsigned char byte)
{
	static const char digit[] = "0123456789abcdef";
	switch (byte) {
	case '\n':
		buf_add_text(to, "\\n");
		return;
	case '\r':
		buf_add_text(to, "\\r");
		return;
	case '\t':
		buf_add_text(to, "\\t");
		return;
	case '"':
		buf_add_text(to, "\\\"");
		return;
	case '\\':
		buf_add_text(to, "\\\\");
		return;
	default:
		buf_add(to, (char[]){'\\', 'x', digit[byte >> 4], digit[byte & 0xf]}, 4);
	}
}

static void escape(struct buf *to, const char *text, size_t len, size_t max_bytes, bool quotes_too)
{
	size_t clean = 0; /* start of what stays as it is and is not added yet */
	size_t at = 0;
	bool is_cut = false;
	while (at < len && !is_cut) {
		uint32_t code_point = 0;
		size_t size = text_utf8_next(text + at, len - at, &code_point);
		size_t step = size > 0 ? size : 1;
		bool is_quote = text[at] == '"' || text[at] == '\\';
		if (at + step > max_bytes) {
			is_cut = true;
			continue;
		}
		if (size == 0 || !text_is_printable(code_point) || (quotes_too && is_quote)) {
			buf_add(to, text + clean, at - clean);
			for (size_t i = 0; i < step; i++)
				escape_byte(to, (unsigned char)text[at + i]);
			clean = at + step;
		}
		at += step;
	}
	buf_add(to, text + clean, at - clean);
	if (is_cut)
		buf_add_text(to, "...");
}

void text_escape(struct buf *to, const char *text, size_t len, size_t max_bytes)
{
	escape(to, text, len, max_bytes, true);
}

void text_escape_line(struct buf *to, const char *text, size_t len, size_t max_bytes)
{
	escape(to, text, len, max_bytes, false);
}

void text_hex(const void *bytes, size_t len, char *ret)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *byte = bytes;
	for (size_t i = 0; i < len; i++) {
		ret[2 * i] = digit[byte[i] >> 4];
		ret[2 * i + 1] = digit[byte[i] & 0xf];
	}
	ret[2 * len] = '\0';
}

int text_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool text_unhex(const char *hex, void *ret, size_t len)
{
	/* Two passes, so that ret is untouched when hex is broken. */
	for (size_t i = 0; i < 2 * len; i++) {
		if (text_hex_digit(hex[i]) < 0)
			return false; /* also at a NUL that comes too early */
	}
	if (hex[2 * len] != '\0')
		return false;
	unsigned char *byte = ret;
	for (size_t i = 0; i < len; i++)
		byte[i] = (unsigned char)(text_hex_digit(hex[2 * i]) * 16 +
					  text_hex_digit(hex[2 * i + 1]));
	return true;
}

void text_percent_encode(struct buf *to, const char *text, size_t len, const char *keep)
{
	static const char digit[] = "0123456789ABCDEF";
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";
	size_t clean = 0;
	for (size_t at = 0; at < len; at++) {
		char c = text[at];
		if (c != '\0' && (strchr(unreserved, c) != NULL || strchr(keep, c) != NULL))
			continue;
		unsigned char byte = (unsigned char)c;
		buf_add(to, text + clean, at - clean);
		buf_add(to, (char[]){'%', digit[byte >> 4], digit[byte & 0xf]}, 3);
		clean = at + 1;
	}
	buf_add(to, text + clean, len - clean);
}
