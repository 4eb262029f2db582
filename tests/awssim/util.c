/* Memory, slices, hashing, time formats and the arena; the text buffer is in out.c. */
#include "tests/awssim/util.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { ARENA_BYTES = 1 << 18 }; /* the largest certificate description needs about 20 KB */

void *mem_alloc(size_t size)
{
	void *p = calloc(1, size > 0 ? size : 1);
	if (p == NULL)
		abort();
	return p;
}

void *mem_resize(void *old, size_t size)
{
	void *p = realloc(old, size > 0 ? size : 1);
	if (p == NULL)
		abort();
	return p;
}

char *mem_strdup(const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = mem_alloc(len);
	memcpy(copy, text, len);
	return copy;
}

struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

bool slice_is(struct slice s, const char *text)
{
	return s.len == strlen(text) && (s.len == 0 || memcmp(s.ptr, text, s.len) == 0);
}

bool slice_is_nocase(struct slice s, const char *text)
{
	return s.len == strlen(text) && (s.len == 0 || strncasecmp(s.ptr, text, s.len) == 0);
}

bool slice_starts(struct slice s, const char *prefix)
{
	size_t len = strlen(prefix);
	return s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}

bool slice_copy(struct slice s, char *ret_text, size_t size)
{
	if (s.len >= size || (s.len > 0 && memchr(s.ptr, 0, s.len) != NULL))
		return false;
	if (s.len > 0)
		memcpy(ret_text, s.ptr, s.len);
	ret_text[s.len] = '\0';
	return true;
}

/* The finaliser of splitmix64 over both words: cheap, and every input bit reaches every output bit. */
uint64_t hash_mix(uint64_t a, uint64_t b)
{
	uint64_t x = a ^ (b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2));
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed)
{
	const unsigned char *p = bytes;
	uint64_t hash = 0xcbf29ce484222325ULL ^ seed;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	return hash_mix(hash, len);
}

uint64_t hash_below(uint64_t hash, uint64_t salt, uint64_t limit)
{
	return limit == 0 ? 0 : hash_mix(hash, salt) % limit;
}

double hash_fraction(uint64_t hash, uint64_t salt)
{
	return (double)(hash_mix(hash, salt) >> 11) / 9007199254740992.0;
}

uint64_t random_next(struct random *random)
{
	random->state += 0x9e3779b97f4a7c15ULL;
	return hash_mix(random->state, 0x5bd1e995);
}

uint64_t random_below(struct random *random, uint64_t limit)
{
	return limit == 0 ? 0 : random_next(random) % limit;
}

double random_fraction(struct random *random)
{
	return (double)(random_next(random) >> 11) / 9007199254740992.0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool hex_decode(struct slice text, unsigned char *ret_bytes, size_t len)
{
	if (text.len != len * 2)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(text.ptr[2 * i]), low = hex_digit(text.ptr[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		ret_bytes[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static void format_time(int64_t time_s, const char *format, char text[TIME_TEXT_MAX])
{
	time_t t = (time_t)time_s;
	struct tm tm;
	gmtime_r(&t, &tm);
	/* The three formats are literals of this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	strftime(text, TIME_TEXT_MAX, format, &tm);
#pragma GCC diagnostic pop
}

void time_format_rfc3339(int64_t time_s, char text[TIME_TEXT_MAX])
{
	format_time(time_s, "%Y-%m-%dT%H:%M:%SZ", text);
}

void time_format_amz(int64_t time_s, char text[TIME_TEXT_MAX])
{
	format_time(time_s, "%Y%m%dT%H%M%SZ", text);
}

void time_format_http(int64_t time_s, char text[TIME_TEXT_MAX])
{
	format_time(time_s, "%a, %d %b %Y %H:%M:%S GMT", text);
}

static bool parse_time(const char *text, const char *format, int64_t *ret_time_s)
{
	struct tm tm = {0};
	const char *end = strptime(text, format, &tm);
	if (end == NULL || *end != '\0')
		return false;
	*ret_time_s = timegm(&tm);
	return true;
}

bool time_parse_amz(struct slice text, int64_t *ret_time_s)
{
	char copy[20];
	if (text.len != 16 || !slice_copy(text, copy, sizeof(copy)))
		return false;
	return parse_time(copy, "%Y%m%dT%H%M%SZ", ret_time_s);
}

bool time_parse_rfc3339(const char *text, int64_t *ret_time_s)
{
	char *end;
	long long seconds = strtoll(text, &end, 10);
	if (end != text && *end == '\0') {
		*ret_time_s = seconds;
		return true;
	}
	return parse_time(text, "%Y-%m-%dT%H:%M:%SZ", ret_time_s);
}

void arena_reset(struct arena *arena)
{
	arena->used = 0;
}

void arena_clear(struct arena *arena)
{
	free(arena->data);
	*arena = (struct arena){0};
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (arena->data == NULL) {
		arena->data = mem_alloc(ARENA_BYTES);
		arena->cap = ARENA_BYTES;
	}
	size = (size + 7) & ~(size_t)7;
	if (size > arena->cap - arena->used)
		abort(); /* descriptions are ours alone and bounded */
	void *p = arena->data + arena->used;
	arena->used += size;
	return p;
}

char *arena_fmt(struct arena *arena, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text))
		abort();
	char *copy = arena_alloc(arena, (size_t)len + 1);
	memcpy(copy, text, (size_t)len + 1);
	return copy;
}
