/*
 * Another program as a tool: bytes in, bytes out, its talk on our stderr.
 */
#ifndef CLI_TOOL_H
#define CLI_TOOL_H

#include <stddef.h>

struct buf;
struct err;

enum { TOOL_INPUT_MAX = 4096 }; /* fits a pipe, so that writing it never waits */

/*
 * Runs argv[0], found in PATH, to its end.
 *
 * argv    ended by NULL; never a secret
 * input   len bytes for its standard input, at most TOOL_INPUT_MAX (more is a bug); may be NULL
 * output  what it prints is appended; may be a secret's buffer
 * errors  ERR_NOT_FOUND: there is no such program; ERR_SYSTEM: it ended with another code than 0;
 *         ERR_LIMIT: it printed more than the buffer takes
 */
int tool_run(const char *const *argv, const void *input, size_t len, struct buf *output,
	struct err *err);

#endif
