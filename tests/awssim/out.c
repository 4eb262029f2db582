/* The growing text buffer and the JSON and XML writers on top of it (see util.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/util.h"

void out_clear(struct out *out)
{
	free(out->data);
	*out = (struct out){0};
}

void out_reserve(struct out *out, size_t more)
{
	if (out->cap - out->len > more)
		return;
	size_t cap = out->cap > 0 ? out->cap : 256;
	while (cap - out->len <= more)
		cap *= 2;
	out->data = mem_resize(out->data, cap);
	out->cap = cap;
}

void out_bytes(struct out *out, const void *bytes, size_t len)
{
	out_reserve(out, len);
	if (len > 0)
		memcpy(out->data + out->len, bytes, len);
	out->len += len;
	out->data[out->len] = '\0';
}

void out_text(struct out *out, const char *text)
{
	out_bytes(out, text, strlen(text));
}

void out_char(struct out *out, char c)
{
	out_bytes(out, &c, 1);
}

void out_vfmt(struct out *out, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	out_reserve(out, 128);
	int len = vsnprintf(out->data + out->len, out->cap - out->len, format, args);
	if (len < 0)
		abort();
	if ((size_t)len >= out->cap - out->len) {
		out_reserve(out, (size_t)len + 1);
		vsnprintf(out->data + out->len, out->cap - out->len, format, again);
	}
	va_end(again);
	out->len += (size_t)len;
}

void out_fmt(struct out *out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	out_vfmt(out, format, args);
	va_end(args);
}

void out_hex(struct out *out, const unsigned char *bytes, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	out_reserve(out, len * 2);
	for (size_t i = 0; i < len; i++) {
		out->data[out->len++] = digit[bytes[i] >> 4];
		out->data[out->len++] = digit[bytes[i] & 15];
	}
	out->data[out->len] = '\0';
}

void out_base64(struct out *out, const unsigned char *bytes, size_t len)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	out_reserve(out, (len + 2) / 3 * 4);
	char *to = out->data + out->len;
	for (size_t i = 0; i < len; i += 3) {
		unsigned word = (unsigned)bytes[i] << 16;
		if (i + 1 < len)
			word |= (unsigned)bytes[i + 1] << 8;
		if (i + 2 < len)
			word |= bytes[i + 2];
		*to++ = digit[word >> 18];
		*to++ = digit[word >> 12 & 63];
		*to++ = i + 1 < len ? digit[word >> 6 & 63] : '=';
		*to++ = i + 2 < len ? digit[word & 63] : '=';
	}
	*to = '\0';
	out->len = (size_t)(to - out->data);
}

void out_xml(struct out *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '<')
			out_text(out, "&lt;");
		else if (*text == '>')
			out_text(out, "&gt;");
		else if (*text == '&')
			out_text(out, "&amp;");
		else if (*text == '"')
			out_text(out, "&quot;");
		else
			out_char(out, *text);
	}
}

static void comma(struct out *out)
{
	char last = out->len > 0 ? out->data[out->len - 1] : '{';
	if (last != '{' && last != '[' && last != ':' && last != ',')
		out_char(out, ',');
}

void json_open(struct out *out, char bracket)
{
	comma(out);
	out_char(out, bracket);
}

void json_close(struct out *out, char bracket)
{
	out_char(out, bracket);
}

void json_text_len(struct out *out, const char *text, size_t len)
{
	comma(out);
	out_reserve(out, len + 2);
	out_char(out, '"');
	size_t plain = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		out_bytes(out, text + plain, i - plain);
		plain = i + 1;
		if (c == '\n')
			out_text(out, "\\n");
		else if (c < 0x20)
			out_fmt(out, "\\u%04x", c);
		else
			out_fmt(out, "\\%c", c);
	}
	out_bytes(out, text + plain, len - plain);
	out_char(out, '"');
}

void json_text(struct out *out, const char *text)
{
	if (text == NULL)
		json_raw(out, "null");
	else
		json_text_len(out, text, strlen(text));
}

void json_key(struct out *out, const char *key)
{
	json_text(out, key);
	out_char(out, ':');
}

void json_int(struct out *out, int64_t value)
{
	comma(out);
	out_fmt(out, "%lld", (long long)value);
}

void json_bool(struct out *out, bool value)
{
	json_raw(out, value ? "true" : "false");
}

void json_raw(struct out *out, const char *json)
{
	comma(out);
	out_text(out, json);
}

void json_member(struct out *out, const char *key, const char *text)
{
	json_key(out, key);
	json_text(out, text);
}

void json_member_int(struct out *out, const char *key, int64_t value)
{
	json_key(out, key);
	json_int(out, value);
}

void json_member_bool(struct out *out, const char *key, bool value)
{
	json_key(out, key);
	json_bool(out, value);
}
