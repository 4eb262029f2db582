/*
 * Values of options, checked before they are sent: a person typed options, and the daemon names the
 * members of its API. Each function returns 0, or -1 with ERR_CONFIG, which names the option.
 */
#ifndef CLI_ARGUMENT_H
#define CLI_ARGUMENT_H

#include "cli/options.h"

struct err;

/* Each value of an option, which may be repeated: UTF-8 text of 1 to max_bytes. */
int argument_check_text(
	const struct args *args, const char *option, size_t max_bytes, struct err *err);
/* How often an option is given. */
int argument_check_count(const struct args *args, const char *option, size_t max, struct err *err);
/* One of the words that the option's argument stands for (values.h). */
int argument_check_word(const struct args *args, const char *option, struct err *err);

#endif
