/*
 * Runs a program beside the loop: no shell, an environment of its own, bytes on its standard input,
 * a bounded time. It gets a process group of its own, which is killed when the time is over, so
 * that what it has started ends too. A flow on the loop.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stddef.h>
#include <stdint.h>

struct child;
struct err;
struct loop;

enum { CHILD_SAID_MAX = 256 };

struct child_options {
	const char *const *argv; /* argv[0]: an absolute path; ends with NULL */
	const char *const *envp; /* all that it gets; ends with NULL */
	const char *input;	 /* copied; a program need not read it */
	size_t input_len;
	int64_t timeout_ms; /* above 0 */
};

struct child_result {
	int exit_code;
	const char *said; /* first line of standard output and error, cut, raw; "" */
};

/*
 * result  borrowed for the call; NULL with err. Any exit code is an answer.
 * err     begins with the path. ERR_CONFIG: it is not there or may not be run; ERR_SYSTEM: no
 *         process can be had, or its end is not told to us; ERR_TIMEOUT: killed; ERR_SERVICE: ended
 *         by a signal, which is named
 */
typedef void child_done_fn(void *arg, const struct child_result *result, const struct err *err);

/* options: borrowed for the call. */
struct child *child_start(
	struct loop *loop, const struct child_options *options, child_done_fn *done, void *arg);
void child_cancel(struct child *child); /* kills it */

#endif
