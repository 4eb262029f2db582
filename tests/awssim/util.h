/*
 * Small shared tools of the simulator: memory, byte slices, a growing text buffer with JSON and XML
 * writers on top, hashing for deterministic draws, hex, base64 and time formats.
 * The simulator shares no code with the product, so that an error there is not mirrored here.
 */
#ifndef TESTS_AWSSIM_UTIL_H
#define TESTS_AWSSIM_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory: failure aborts. */
void *mem_alloc(size_t size); /* zeroed */
void *mem_resize(void *old, size_t size);
char *mem_strdup(const char *text);

/* Bytes owned by someone else. */
struct slice {
	const char *ptr; /* borrowed; not terminated */
	size_t len;
};

struct slice slice_of(const char *text);
bool slice_is(struct slice s, const char *text);
bool slice_is_nocase(struct slice s, const char *text);
bool slice_starts(struct slice s, const char *prefix);
bool slice_copy(struct slice s, char *ret_text, size_t size); /* false: does not fit or holds NUL */

/* A buffer that grows; data is always terminated once something was added. */
struct out {
	char *data; /* owned */
	size_t len, cap;
};

void out_clear(struct out *out); /* frees */
void out_reserve(struct out *out, size_t more);
void out_bytes(struct out *out, const void *bytes, size_t len);
void out_text(struct out *out, const char *text);
void out_char(struct out *out, char c);
void out_fmt(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void out_vfmt(struct out *out, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
void out_hex(struct out *out, const unsigned char *bytes, size_t len);
void out_base64(struct out *out, const unsigned char *bytes, size_t len);
void out_xml(struct out *out, const char *text); /* escaped */

/*
 * JSON writer without state: a comma is put where the last byte calls for one, which is safe because
 * strings are written whole. json_key is followed by exactly one value.
 */
void json_open(struct out *out, char bracket);
void json_close(struct out *out, char bracket);
void json_key(struct out *out, const char *key);
void json_text(struct out *out, const char *text); /* NULL writes null */
void json_text_len(struct out *out, const char *text, size_t len);
void json_int(struct out *out, int64_t value);
void json_bool(struct out *out, bool value);
void json_raw(struct out *out, const char *json); /* a ready value */
void json_member(struct out *out, const char *key, const char *text);
void json_member_int(struct out *out, const char *key, int64_t value);
void json_member_bool(struct out *out, const char *key, bool value);

/* Deterministic draws: pure functions of their arguments. */
uint64_t hash_mix(uint64_t a, uint64_t b);
uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed);
uint64_t hash_below(uint64_t hash, uint64_t salt, uint64_t limit); /* 0 .. limit-1; 0 for limit 0 */
double hash_fraction(uint64_t hash, uint64_t salt);		   /* 0 <= f < 1 */

struct random {
	uint64_t state;
};

uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t limit);
double random_fraction(struct random *random);

bool hex_decode(struct slice text, unsigned char *ret_bytes, size_t len); /* exactly len bytes */

/* Times are Unix seconds. Formats write into text of at least TIME_TEXT_MAX bytes. */
enum { TIME_TEXT_MAX = 40 };
void time_format_rfc3339(int64_t time_s, char text[TIME_TEXT_MAX]);
void time_format_amz(int64_t time_s, char text[TIME_TEXT_MAX]);	 /* 20260131T235959Z */
void time_format_http(int64_t time_s, char text[TIME_TEXT_MAX]); /* Date header */
bool time_parse_amz(struct slice text, int64_t *ret_time_s);
bool time_parse_rfc3339(const char *text, int64_t *ret_time_s); /* or plain Unix seconds */

/* Strings that live until the next arena_reset; one arena serves one description at a time. */
struct arena {
	char *data; /* owned */
	size_t used, cap;
};

void arena_reset(struct arena *arena);
void arena_clear(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t size); /* aborts above its fixed size */
char *arena_fmt(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
