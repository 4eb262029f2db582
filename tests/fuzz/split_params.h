/* "key=value&key=value": what is left of a query after evhttp has decoded it. */
#ifndef TESTS_FUZZ_SPLIT_PARAMS_H
#define TESTS_FUZZ_SPLIT_PARAMS_H

#include <stddef.h>

#include "store/list.h"

/* Splits text in place; those beyond max, and what is not UTF-8 (the API refuses it), are left
 * out. */
size_t split_params(char *text, struct list_param *ret_param, size_t max);

#endif
