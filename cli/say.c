/* What is said on stderr, and the exit code that goes with it (see cli.h). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/interrupt.h"

static int exit_code_of(const struct err *err)
{
	return interrupt_is(err)	      ? EXIT_INTERRUPTED
	       : err->kind == ERR_CONFIG      ? EXIT_USAGE
	       : err->kind == ERR_UNREACHABLE ? EXIT_NOT_REACHABLE
					      : EXIT_FAILED;
}

int cli_fail(const struct err *err)
{
	cli_note("%s", err->text);
	return exit_code_of(err);
}

void cli_note(const char *format, ...)
{
	char text[LOG_LINE_MAX];
	struct buf line;
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_init(&line, 4 * LOG_LINE_MAX);
	text_escape_line(&line, text, strlen(text), LOG_LINE_MAX);
	/* What was printed comes first, in one file too. main looks for errors. */
	(void)fflush(stdout);
	fprintf(stderr, "acmsensor: %s\n", buf_text(&line));
	buf_clear(&line);
}
