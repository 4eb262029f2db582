/*
 * Fills a store as a daemon would after a few cycles. Times are relative to now. What an
 * organization can hold that is awkward to show is in it: wide characters, escape sequences,
 * formulas, long names, every coverage state.
 */
#ifndef TESTS_LIB_FILL_H
#define TESTS_LIB_FILL_H

#include <stdint.h>

struct err;
struct store;

int fill(struct store *store, uint32_t certificates, int64_t now_s, struct err *err);

#endif
