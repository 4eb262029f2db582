/*
 * Times, numbers, names and escapes. The first byte chooses; a text ends at its first NUL. What is
 * accepted has the form that the header promises and comes back from its own text form.
 */
#include "base/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/arn.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { UNTOUCHED = 4711, OUT_MAX = 8 << 20 };

static void check_err(int rc, const struct err *err)
{
	assert(rc == 0 ? err->kind == ERR_NONE : err->kind == ERR_CONFIG && err->text[0] != '\0');
}

static void read_time(const char *text)
{
	struct err err = ERR_INIT;
	int64_t unix_s = UNTOUCHED, again_s;
	char buffer[TEXT_TIME_MAX];
	int rc = text_parse_time(text, &unix_s, &err);
	check_err(rc, &err);
	if (rc != 0) {
		assert(unix_s == UNTOUCHED);
		return;
	}
	assert(strlen(text_format_time(unix_s, buffer)) < sizeof(buffer));
	/* An offset may lead a day out of the years that have four digits. */
	if (text_parse_time(buffer, &again_s, &err) == 0)
		assert(again_s == unix_s);
	else
		assert(unix_s < INT64_C(-62135596800) || unix_s > INT64_C(253402300799));
}

static void read_http_date(const char *text)
{
	struct err err = ERR_INIT;
	int64_t unix_s = UNTOUCHED, again_s;
	char buffer[TEXT_TIME_MAX];
	if (!text_parse_http_date(text, &unix_s)) {
		assert(unix_s == UNTOUCHED);
		return;
	}
	assert(text_parse_time(text_format_time(unix_s, buffer), &again_s, &err) == 0 ||
		unix_s == INT64_C(253402300800)); /* a leap second at the end of 9999 */
}

static void read_duration(const char *text)
{
	struct err err = ERR_INIT;
	int64_t seconds = UNTOUCHED;
	char buffer[TEXT_DURATION_MAX];
	int rc = text_parse_duration(text, &seconds, &err);
	check_err(rc, &err);
	assert(rc == 0 ? seconds >= 0 : seconds == UNTOUCHED);
	assert(strlen(text_format_duration(seconds, buffer)) < sizeof(buffer));
	assert(strlen(text_format_duration(-seconds, buffer)) < sizeof(buffer));
}

static void read_int(const char *text)
{
	struct err err = ERR_INIT;
	int64_t value = UNTOUCHED, again;
	char buffer[24];
	int rc = text_parse_int(text, INT64_MIN, INT64_MAX, &value, &err);
	check_err(rc, &err);
	if (rc == 0) {
		(void)snprintf(buffer, sizeof(buffer), "%lld", (long long)value);
		assert(text_parse_int(buffer, value, value, &again, &err) == 0 && again == value);
	}
	assert(text_parse_int(text, -10, 10, &value, &err) != 0 || (value >= -10 && value <= 10));
}

/* Numbers as they come: eight bytes are any time. */
static void write_number(const char *bytes, size_t size)
{
	char buffer[TEXT_TIME_MAX];
	int64_t number;
	if (size < sizeof(number))
		return;
	memcpy(&number, bytes, sizeof(number));
	assert(strlen(text_format_time(number, buffer)) < TEXT_TIME_MAX);
	assert(strlen(text_format_duration(number, buffer)) < TEXT_DURATION_MAX);
}

/* What was escaped is printable and no longer than the header says, however broken it was. */
static void escape(const char *bytes, size_t size)
{
	struct buf out, line;
	buf_init(&out, OUT_MAX);
	buf_init(&line, OUT_MAX);
	text_escape(&out, bytes, size, size / 2 + 1);
	text_escape_line(&line, bytes, size, size);
	assert(text_is_utf8(buf_text(&out), out.len) && text_is_utf8(buf_text(&line), line.len));
	assert(out.len <= 4 * (size / 2 + 1) + strlen("...") && line.len <= 4 * size);
	for (size_t i = 0; i < line.len; i++)
		assert((unsigned char)line.data[i] >= ' ' && line.data[i] != 0x7f);
	assert(text_columns(buf_text(&line)) <= 2 * line.len);
	/* A second time changes nothing. */
	buf_reset(&out);
	text_escape_line(&out, buf_text(&line), line.len, line.len);
	assert(out.len == line.len && memcmp(buf_text(&out), buf_text(&line), out.len) == 0);
	buf_clear(&out);
	buf_clear(&line);
}

static void encode(const char *bytes, size_t size)
{
	char *hex = xmalloc(2 * size + 1), *back = xmalloc(size + 1);
	struct buf out;
	text_hex(bytes, size, hex);
	assert(text_unhex(hex, back, size) && memcmp(back, bytes, size) == 0);
	buf_init(&out, OUT_MAX);
	text_percent_encode(&out, bytes, size, "/");
	assert(out.len >= size && out.len <= 3 * size);
	for (size_t i = 0; i < out.len; i++)
		assert(out.data[i] > ' ' && out.data[i] <= '~');
	buf_clear(&out);
	free(hex);
	free(back);
}

static void cut(const char *text)
{
	char out[16];
	size_t len = strlen(text);
	bool is_utf8 = text_is_utf8(text, len);
	for (size_t size = 4; size <= sizeof(out); size++) {
		text_shorten(out, size, text);
		assert(strlen(out) < size);
		assert(len >= size || strcmp(out, text) == 0);
		assert(!is_utf8 || text_is_utf8(out, strlen(out)));
	}
}

static void read_names(const char *text)
{
	struct arn arn;
	const char *at = text, *item;
	size_t len, total = 0;
	if (arn_parse(text, &arn)) {
		char *again = xasprintf("arn:%s:%s:%s:%s:%s", arn.partition, arn.service,
			arn.region, arn.account_id, arn.resource);
		assert(strcmp(again, text) == 0);
		free(again);
	}
	while (text_next_item(&at, &item, &len)) {
		assert(len > 0 && memchr(item, ',', len) == NULL);
		assert(item >= text && item + len <= text + strlen(text));
		total += len;
	}
	assert(total <= strlen(text));
	assert(!text_is_region(text) || strlen(text) < 32);
	assert(!text_is_account_id(text) || strlen(text) == 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	char *text = xstrndup((const char *)data + 1, size - 1);
	switch (data[0] % 9) {
	case 0:
		read_time(text);
		break;
	case 1:
		read_http_date(text);
		break;
	case 2:
		read_duration(text);
		break;
	case 3:
		read_int(text);
		break;
	case 4:
		write_number((const char *)data + 1, size - 1);
		break;
	case 5:
		escape((const char *)data + 1, size - 1);
		break;
	case 6:
		encode((const char *)data + 1, size - 1);
		break;
	case 7:
		cut(text);
		break;
	default:
		read_names(text);
	}
	free(text);
	return 0;
}
