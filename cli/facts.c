/* "label   value" lines (see facts.h). */
#include "cli/facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/dates.h"
#include "cli/wrap.h"

enum {
	MARGIN = 2,
	WIDTH_MIN = 10,
	LABEL_MAX = 1024,
	ESCAPED_MAX = 4, /* bytes that one byte becomes at most */
};

static void add_padding(struct buf *to, size_t columns)
{
	buf_addf(to, "%*s", (int)columns, "");
}

static void add_label(struct buf *to, const char *label)
{
	struct buf text;
	buf_init(&text, ESCAPED_MAX * LABEL_MAX + LABEL_MAX);
	text_escape_line(&text, label, strlen(label), LABEL_MAX);
	size_t columns = text_columns(buf_text(&text));
	add_padding(to, MARGIN);
	buf_add_text(to, buf_text(&text));
	if (columns >= FACTS_LABEL_COLUMNS) {
		buf_add_char(to, '\n');
		add_padding(to, MARGIN + FACTS_LABEL_COLUMNS);
	} else {
		add_padding(to, FACTS_LABEL_COLUMNS - columns);
	}
	buf_clear(&text);
}

void facts_wrap(struct buf *to, const struct terminal *terminal, const char *label,
	const char *value, enum style style)
{
	struct buf text;
	buf_init(&text, ESCAPED_MAX * FACTS_VALUE_MAX);
	text_escape_line(&text, value, strlen(value), FACTS_VALUE_MAX / ESCAPED_MAX);
	const char *rest = buf_text(&text);
	int room = terminal->columns - FACTS_LABEL_COLUMNS - MARGIN;
	size_t width = terminal->columns == 0 ? SIZE_MAX
		       : room > WIDTH_MIN     ? (size_t)room
					      : (size_t)WIDTH_MIN;
	while (*rest != '\0') {
		size_t shown, len = wrap_line(rest, width, false, &shown);
		add_label(to, label);
		buf_add_text(to, style_on(terminal, style));
		buf_add(to, rest, shown);
		buf_add_text(to, style_off(terminal, style));
		buf_add_char(to, '\n');
		rest += len;
		label = "";
	}
	buf_clear(&text);
}

void facts_heading(const struct cli *cli, const char *text)
{
	struct buf escaped;
	buf_init(&escaped, ESCAPED_MAX * LABEL_MAX + LABEL_MAX);
	text_escape_line(&escaped, text, strlen(text), LABEL_MAX);
	printf("%s%s%s\n", style_on(&cli->terminal, STYLE_BOLD), buf_text(&escaped),
		style_off(&cli->terminal, STYLE_BOLD));
	buf_clear(&escaped);
}

void facts_title(const struct cli *cli, const char *title)
{
	putchar('\n');
	facts_heading(cli, title);
}

void facts_styled(const struct cli *cli, const char *label, const char *value, enum style style)
{
	struct buf lines;
	buf_init(&lines, 8 * FACTS_VALUE_MAX);
	facts_wrap(&lines, &cli->terminal, label, value, style);
	fwrite(buf_text(&lines), 1, lines.len, stdout);
	buf_clear(&lines);
}

void facts_line(const struct cli *cli, const char *label, const char *value)
{
	facts_styled(cli, label, value, STYLE_PLAIN);
}

void facts_format(const struct cli *cli, const char *label, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	facts_line(cli, label, text);
}

void facts_command(const struct cli *cli, const char *label, const char *format, ...)
{
	struct buf command, lines;
	char text[1024];
	struct terminal endless = cli->terminal;
	va_list args;
	endless.columns = 0;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_init(&command, FACTS_VALUE_MAX);
	buf_init(&lines, 8 * FACTS_VALUE_MAX);
	buf_addf(&command, "%s %s", cli_program(cli), text);
	facts_wrap(&lines, &endless, label, buf_text(&command), STYLE_PLAIN);
	fwrite(buf_text(&lines), 1, lines.len, stdout);
	buf_clear(&command);
	buf_clear(&lines);
}

void facts_time(const struct cli *cli, const char *label, int64_t at_s)
{
	char text[2 * DATES_TEXT_MAX];
	if (at_s != 0)
		facts_line(cli, label, dates_both(at_s, cli->now_s, text));
}

void facts_join(struct buf *to, const json_t *list)
{
	size_t i;
	json_t *item;
	buf_init(to, FACTS_VALUE_MAX);
	json_array_foreach(list, i, item)
	{
		if (i > 0)
			buf_add_text(to, ", ");
		buf_add_text(to, json_is_string(item) ? json_string_value(item) : "");
	}
}

void facts_list(const struct cli *cli, const char *label, const json_t *list)
{
	struct buf text;
	facts_join(&text, list);
	facts_line(cli, label, buf_text(&text));
	buf_clear(&text);
}
