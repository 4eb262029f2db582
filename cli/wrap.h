/* Where a text breaks into lines. Pure. */
#ifndef CLI_WRAP_H
#define CLI_WRAP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The first line of text, at most width columns (SIZE_MAX: no limit), broken behind a blank; at
 * least one character, 0 only for "".
 *
 * breaks_words  a word longer than a line is broken; else it is left whole
 * ret_shown  its bytes without the blanks at its end
 * returns    bytes to go on after
 */
size_t wrap_line(const char *text, size_t width, bool breaks_words, size_t *ret_shown);

#endif
