/* What stdout is (see terminal.h). */
#include "cli/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"

enum { COLUMNS_MIN = 20, COLUMNS_MAX = 1000, COLUMNS_DEFAULT = 80 };

static bool is_set(const char *name)
{
	const char *value = getenv(name);
	return value != NULL && value[0] != '\0';
}

static int columns_of(int fd)
{
	struct winsize size;
	int64_t columns;
	struct err ignored = ERR_INIT;
	if (is_set("COLUMNS") && text_parse_int(getenv("COLUMNS"), COLUMNS_MIN, COLUMNS_MAX,
					 &columns, &ignored) == 0)
		return (int)columns;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= COLUMNS_MIN)
		return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
	return COLUMNS_DEFAULT;
}

struct terminal terminal_detect(int fd)
{
	const char *term = getenv("TERM");
	bool is_tty = isatty(fd) == 1;
	/* Only the encoding is taken from the locale: numbers and dates look the same everywhere.
	 * */
	setlocale(LC_CTYPE, "");
	return (struct terminal){
		.is_tty = is_tty,
		.has_color =
			is_tty && !is_set("NO_COLOR") && term != NULL && strcmp(term, "dumb") != 0,
		.is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.columns = is_tty || is_set("COLUMNS") ? columns_of(fd) : 0,
	};
}

const char *style_on(const struct terminal *terminal, enum style style)
{
	static const char *const sequence[] = {
		[STYLE_PLAIN] = "",
		[STYLE_BOLD] = "\033[1m",
		[STYLE_DIM] = "\033[2m",
		[STYLE_RED] = "\033[31m",
		[STYLE_YELLOW] = "\033[33m",
		[STYLE_GREEN] = "\033[32m",
	};
	return terminal->has_color ? sequence[style] : "";
}

const char *style_off(const struct terminal *terminal, enum style style)
{
	return terminal->has_color && style != STYLE_PLAIN ? "\033[0m" : "";
}
