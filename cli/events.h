/* The event log as lines of text, for other commands. */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

#include <stddef.h>

struct cli;
struct err;

enum { EVENTS_LAST_MAX = 1000 };

/* Prints the last ones since then, oldest first, one a line; at most count (EVENTS_LAST_MAX).
 * Errors as source_rows. */
int events_print_last(const struct cli *cli, const char *since, size_t count, struct err *err);

#endif
