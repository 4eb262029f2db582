#include "base/log_ring.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"

static void drop_oldest(struct log_ring *ring)
{
	char dropped;
	do {
		dropped = ring->bytes[ring->begin];
		ring->begin = (ring->begin + 1) % LOG_RING_BYTES;
		ring->len--;
	} while (dropped != '\n');
}

void log_ring_add(struct log_ring *ring, const char *line, size_t len)
{
	assert(len > 0 && len < LOG_RING_BYTES && line[len - 1] == '\n');
	while (LOG_RING_BYTES - ring->len < len)
		drop_oldest(ring);
	size_t end = (ring->begin + ring->len) % LOG_RING_BYTES;
	size_t before_wrap = LOG_RING_BYTES - end < len ? LOG_RING_BYTES - end : len;
	memcpy(ring->bytes + end, line, before_wrap);
	memcpy(ring->bytes, line + before_wrap, len - before_wrap);
	ring->len += len;
}

void log_ring_copy(const struct log_ring *ring, struct buf *to)
{
	size_t to_wrap = LOG_RING_BYTES - ring->begin;
	size_t before_wrap = to_wrap < ring->len ? to_wrap : ring->len;
	buf_add(to, ring->bytes + ring->begin, before_wrap);
	buf_add(to, ring->bytes, ring->len - before_wrap);
}
