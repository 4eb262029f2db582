/* The last log lines, in memory, for who asks the daemon what happened. */
#ifndef BASE_LOG_RING_H
#define BASE_LOG_RING_H

#include <stddef.h>

struct buf;

enum { LOG_RING_BYTES = 65536 };

struct log_ring {
	char bytes[LOG_RING_BYTES]; /* whole lines, each with its newline */
	size_t begin, len;
};

/* line: ends with its only newline, shorter than the ring. The oldest lines make room. */
void log_ring_add(struct log_ring *ring, const char *line, size_t len);
/* Appends all lines, oldest first. */
void log_ring_copy(const struct log_ring *ring, struct buf *to);

#endif
