/* Where a text breaks into lines (see wrap.h). */
#include "cli/wrap.h"

#include <string.h>

#include "base/text.h"

static size_t line_bytes(const char *text, size_t width, bool breaks_words)
{
	size_t len = 0, columns = 0, blank = 0, rest = strlen(text);
	while (len < rest) {
		uint32_t ignored;
		char character[8] = "";
		size_t size = text_utf8_next(text + len, rest - len, &ignored);
		if (size == 0)
			size = 1;
		memcpy(character, text + len, size);
		columns += text_columns(character);
		/* A blank may stand beyond the edge: it is not shown there. */
		if (columns > width && character[0] != ' ' && (blank > 0 || breaks_words))
			return blank > 0 ? blank : len > 0 ? len : size;
		len += size;
		if (character[0] == ' ')
			blank = len;
	}
	return len;
}

size_t wrap_line(const char *text, size_t width, bool breaks_words, size_t *ret_shown)
{
	size_t len = line_bytes(text, width, breaks_words), shown = len;
	while (shown > 0 && text[shown - 1] == ' ')
		shown--;
	*ret_shown = shown;
	return len;
}
