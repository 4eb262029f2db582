/*
 * Times as a person reads them: relative and absolute, UTC; "-" for 0, which is what row_time gives
 * when there is none. Pure. All times are Unix seconds; each function writes into buffer, at least
 * DATES_TEXT_MAX bytes, and returns it.
 */
#ifndef CLI_DATES_H
#define CLI_DATES_H

#include <stddef.h>
#include <stdint.h>

enum { DATES_TEXT_MAX = 48 };

/* "in 12 days", "3 min ago", "now"; one unit, rounded down (an expiry is never made later). */
const char *dates_relative(int64_t at_s, int64_t now_s, char *buffer);

/* "2026-12-03" */
const char *dates_day(int64_t at_s, char *buffer);

/* "2026-12-03 14:05:09Z" */
const char *dates_time(int64_t at_s, char *buffer);

/* "in 12 days (2026-12-03 14:05:09Z)"; "never" for 0. buffer: at least 2 * DATES_TEXT_MAX. */
const char *dates_both(int64_t at_s, int64_t now_s, char *buffer);

#endif
