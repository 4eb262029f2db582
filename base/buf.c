/* The bounded byte buffer. The NUL behind the data is part of capacity and never of len. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum { FIRST_CAPACITY = 128 };

void buf_init(struct buf *buf, size_t max_bytes)
{
	assert(max_bytes < SIZE_MAX);
	*buf = (struct buf){.max_bytes = max_bytes};
}

void buf_init_secret(struct buf *buf, size_t max_bytes)
{
	buf_init(buf, max_bytes);
	buf->is_secret = true;
}

void buf_clear(struct buf *buf)
{
	if (buf->is_secret)
		mem_wipe(buf->data, buf->capacity);
	free(buf->data);
	*buf = (struct buf){.max_bytes = buf->max_bytes, .is_secret = buf->is_secret};
}

void buf_reset(struct buf *buf)
{
	if (buf->is_secret)
		mem_wipe(buf->data, buf->len); /* not capacity: resets may be many */
	if (buf->data != NULL)
		buf->data[0] = '\0';
	buf->len = 0;
	buf->is_over = false;
}

/* realloc may leave the old bytes behind, so a secret buffer moves by hand. */
static void grow(struct buf *buf, size_t needed)
{
	size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;
	while (capacity < needed)
		capacity = capacity <= SIZE_MAX / 2 ? capacity * 2 : needed;
	if (capacity > buf->max_bytes + 1)
		capacity = buf->max_bytes + 1;
	if (buf->is_secret) {
		char *grown = xmalloc(capacity);
		if (buf->data != NULL) {
			memcpy(grown, buf->data, buf->len);
			mem_wipe(buf->data, buf->capacity);
			free(buf->data);
		}
		buf->data = grown;
	} else {
		buf->data = xreallocarray(buf->data, capacity, 1);
	}
	buf->capacity = capacity;
	buf->data[buf->len] = '\0';
}

char *buf_room(struct buf *buf, size_t len)
{
	if (buf->is_over || len > buf->max_bytes - buf->len) {
		buf->is_over = true;
		return NULL;
	}
	if (buf->len + len + 1 > buf->capacity)
		grow(buf, buf->len + len + 1);
	return buf->data + buf->len;
}

void buf_advance(struct buf *buf, size_t len)
{
	assert(len < buf->capacity - buf->len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
	if (len == 0)
		return;
	char *to = buf_room(buf, len);
	if (to == NULL)
		return;
	memcpy(to, data, len);
	buf_advance(buf, len);
}

void buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len <= 0) {
		assert(len == 0); /* only a broken format fails */
		return;
	}
	char *to = buf_room(buf, (size_t)len);
	if (to == NULL)
		return;
	va_start(args, format);
	vsnprintf(to, (size_t)len + 1, format, args);
	va_end(args);
	buf_advance(buf, (size_t)len);
}

const char *buf_text(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

int buf_check(const struct buf *buf, const char *what, struct err *err)
{
	if (!buf->is_over)
		return 0;
	return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", what, buf->max_bytes);
}

char *buf_take(struct buf *buf)
{
	assert(!buf->is_secret);
	char *text = buf->data != NULL ? buf->data : xstrdup("");
	*buf = (struct buf){.max_bytes = buf->max_bytes};
	return text;
}
