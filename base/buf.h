/*
 * A growing byte buffer with a maximum that must be named when it is made.
 *
 * Adding never fails at the call: an addition that would pass the maximum is left out as a whole
 * and the buffer turns `over`, keeps what it has and ignores the rest, and the owner asks once at
 * the end (buf_check). data is NUL-terminated for
 * convenience whenever it is not NULL; len does not count that NUL.
 *
 * A buffer opened with buf_init_secret never leaves a copy behind: growing allocates, copies,
 * wipes and frees; clearing wipes.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct err;

struct buf {
	char *data; /* owned; NULL while empty */
	size_t len;
	size_t capacity;
	size_t max_bytes;
	bool is_secret;
	bool is_over;
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_init_secret(struct buf *buf, size_t max_bytes);
void buf_clear(struct buf *buf); /* frees; keeps maximum and secrecy, so it may be used again */

void buf_reset(struct buf *buf); /* empties, keeps the memory (wiped when secret) */
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * For writers that make their bytes in place: room for len more bytes behind the data, or NULL when
 * they do not fit (the buffer is over then). What was written counts after buf_advance, with at
 * most the len that was asked for. Borrowed until the next change.
 */
char *buf_room(struct buf *buf, size_t len);
void buf_advance(struct buf *buf, size_t len);

/* The text so far; "" while empty. Borrowed until the next change. */
const char *buf_text(const struct buf *buf);

/* 0, or -1 with ERR_LIMIT "<what> is larger than N bytes" when something did not fit. */
int buf_check(const struct buf *buf, const char *what, struct err *err);

/* Moves the memory to the caller as a NUL-terminated string ("" while empty); not for secrets. */
char *buf_take(struct buf *buf);

#endif
