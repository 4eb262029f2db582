/* What stdout is: a terminal or not, how wide, whether colour and UTF-8 are welcome. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_YELLOW, STYLE_GREEN };

struct terminal {
	bool is_tty;
	bool has_color; /* a terminal, NO_COLOR unset or empty, TERM not dumb */
	bool is_utf8;	/* by locale */
	int columns;	/* COLUMNS, else the terminal's; 0: unlimited (not a terminal) */
};

struct terminal terminal_detect(int fd);

/* Escape sequences, or "" without colour; shared static. */
const char *style_on(const struct terminal *terminal, enum style style);
const char *style_off(const struct terminal *terminal, enum style style);

#endif
