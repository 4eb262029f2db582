/* An account's regions in words ("1 denied, 3 read"); pure. */
#ifndef CLI_COVERAGE_WORDS_H
#define CLI_COVERAGE_WORDS_H

#include <jansson.h>

#include "cli/terminal.h"

struct buf;

/* Appends them. row: an account with its "coverage" object (state: number of regions) and "state".
 * Problems come first. Returns how it looks as a whole. */
enum style coverage_words(struct buf *to, const json_t *row);

/* How good a coverage state is. */
enum style coverage_style(const char *state_name);

#endif
