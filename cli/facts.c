/* "label   value" lines (see facts.h). */
#include "cli/facts.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/dates.h"

enum { VALUE_MAX = 1 << 20, WIDTH_MIN = 20 };

void facts_title(const struct cli *cli, const char *title)
{
	printf("\n%s%s%s\n", style_on(&cli->terminal, STYLE_BOLD), title,
		style_off(&cli->terminal, STYLE_BOLD));
}

/* Bytes of text that fit into width columns, cut behind a blank where there is one. */
static size_t line_bytes(const char *text, size_t width)
{
	size_t len = 0, columns = 0, blank = 0;
	while (text[len] != '\0') {
		size_t next = len + 1;
		while (((unsigned char)text[next] & 0xC0) == 0x80)
			next++;
		char character[8] = "";
		memcpy(character, text + len, next - len < sizeof(character) ? next - len : 0);
		columns += text_columns(character);
		if (columns > width)
			return blank > 0 ? blank : len > 0 ? len : next;
		if (text[len] == ' ')
			blank = next;
		len = next;
	}
	return len;
}

void facts_styled(const struct cli *cli, const char *label, const char *value, enum style style)
{
	struct buf text;
	if (value[0] == '\0')
		return;
	buf_init(&text, VALUE_MAX);
	text_escape(&text, value, strlen(value), VALUE_MAX / 4);
	const char *rest = buf_text(&text);
	int room = cli->terminal.columns - FACTS_LABEL_COLUMNS - 2;
	size_t width = cli->terminal.columns == 0 ? VALUE_MAX
						  : (size_t)(room > WIDTH_MIN ? room : WIDTH_MIN);
	do {
		size_t len = line_bytes(rest, width);
		printf("  %-*s%s%.*s%s\n", FACTS_LABEL_COLUMNS, label,
			style_on(&cli->terminal, style), (int)len, rest,
			style_off(&cli->terminal, style));
		rest += len;
		label = "";
	} while (*rest != '\0');
	buf_clear(&text);
}

void facts_line(const struct cli *cli, const char *label, const char *value)
{
	facts_styled(cli, label, value, STYLE_PLAIN);
}

void facts_time(const struct cli *cli, const char *label, int64_t at_s)
{
	char text[2 * DATES_TEXT_MAX];
	if (at_s != 0)
		facts_line(cli, label, dates_both(at_s, cli->now_s, text));
}

void facts_list(const struct cli *cli, const char *label, const json_t *list)
{
	struct buf text;
	size_t i;
	json_t *item;
	buf_init(&text, VALUE_MAX);
	json_array_foreach(list, i, item)
	{
		if (i > 0)
			buf_add_text(&text, ", ");
		buf_add_text(&text, json_is_string(item) ? json_string_value(item) : "");
	}
	facts_line(cli, label, buf_text(&text));
	buf_clear(&text);
}
