/*
 * Ctrl-C (and SIGTERM) while the CLI waits: noticed instead of died of, so that it can be said what
 * goes on without it, or that a terminal gets its echo back.
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

struct err;

/* From catch to release a signal only sets what interrupt_came tells; system calls that wait
 * return EINTR. Release: nothing has come, and the next signal ends the process again. */
void interrupt_catch(void);
bool interrupt_came(void);
void interrupt_release(void);

/* ERR_STOPPED with that text; cli_fail gives it EXIT_INTERRUPTED. Returns -1. */
int interrupt_fail(const char *text, struct err *err);
bool interrupt_is(const struct err *err);

#endif
