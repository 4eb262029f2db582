/*
 * Replaces base/mail.c and base/child.c: each call is noted and takes the answer that was planned,
 * in the next turn of the loop. Link it with fake_loop.o and fake_clock.o.
 */
#ifndef TESTS_LIB_FAKE_WAYS_H
#define TESTS_LIB_FAKE_WAYS_H

#include <stddef.h>

#include "base/err.h"

void fake_ways_reset(void);
/* How every further mail and program ends. ERR_NONE: well; for programs with this exit code. */
void fake_ways_plan(enum err_kind kind, int exit_code, const char *said);
/* Mails and programs never end. */
void fake_ways_hang(void);

struct fake_way {
	char what[256];	 /* "mail host:port tls user/password helo name", "child path" */
	char text[8192]; /* the mail, or the program's input; cut */
	char more[512];	 /* recipients, or the environment */
};
size_t fake_ways_count(void);
const struct fake_way *fake_ways_call(size_t i);
size_t fake_ways_pending(void);

#endif
