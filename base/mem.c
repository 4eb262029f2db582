/* Allocation that aborts instead of failing, and wiping. */
#include "base/mem.h"

#include <assert.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory)
{
	if (memory == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return memory;
}

/* malloc(0) may give NULL; one byte never does for that reason. */
void *xmalloc(size_t size)
{
	return checked(malloc(size > 0 ? size : 1));
}

void *xcalloc(size_t count, size_t size)
{
	if (count == 0 || size == 0)
		return checked(calloc(1, 1));
	return checked(calloc(count, size));
}

void *xreallocarray(void *memory, size_t count, size_t size)
{
	if (count == 0 || size == 0)
		return checked(realloc(memory, 1));
	return checked(reallocarray(memory, count, size));
}

char *xstrdup(const char *text)
{
	return text != NULL ? xstrndup(text, strlen(text)) : NULL;
}

char *xstrndup(const char *text, size_t len)
{
	assert(len < SIZE_MAX);
	char *copy = xmalloc(len + 1);
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	return checked(len >= 0 ? text : NULL);
}

void *xgrow(void *item, size_t *capacity, size_t count, size_t item_size)
{
	enum { FIRST_CAPACITY = 8 };
	if (count < *capacity)
		return item;
	assert(*capacity <= SIZE_MAX / 2);
	size_t grown = *capacity > 0 ? *capacity * 2 : FIRST_CAPACITY;
	while (grown <= count) {
		assert(grown <= SIZE_MAX / 2);
		grown *= 2;
	}
	item = xreallocarray(item, grown, item_size);
	*capacity = grown;
	return item;
}

void mem_trim(void)
{
	(void)malloc_trim(0); /* whether there was any */
}

void mem_wipe(void *memory, size_t size)
{
	if (size > 0)
		explicit_bzero(memory, size);
}
