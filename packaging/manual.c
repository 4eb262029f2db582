/* The parts of man pages that come from tables (see manual.h). */
#include "packaging/manual.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/wrap.h"
#include "sensor/config_table.h"

#define DIRECTIVE ".\\\" @"

enum {
	TEXT_COLUMNS = 78, /* mandoc -Tlint wants lines of source that an editor shows */
	TEXT_MAX = 4096,
	WORD_MAX = 64,
	COMMANDS_MAX = 64,
};

static const char *const section_name[] = {
	[CONFIG_SENSOR] = "sensor", [CONFIG_CONNECTOR] = "connector", [CONFIG_CHANNEL] = "channel"};
enum { SECTIONS = sizeof(section_name) / sizeof(section_name[0]) };

/* What a page has named so far. */
struct named {
	bool section[SECTIONS];
	bool command[COMMANDS_MAX];
	bool has_section, has_command;
	bool is_behind_list; /* text that follows is a paragraph of its own */
};

/* --- mdoc ------------------------------------------------------------------------------------- */

static void add_escaped(struct buf *to, const char *text, size_t len)
{
	if (len > 0 && (text[0] == '.' || text[0] == '\''))
		buf_add_text(to, "\\&");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			buf_add_text(to, "\\e");
		else
			buf_add_char(to, text[i]);
	}
}

/* Lines of text, each sentence on lines of its own, as mdoc wants them. */
static void add_lines(struct buf *to, const char *text)
{
	while (text[0] != '\0') {
		size_t shown, used = wrap_line(text, TEXT_COLUMNS, false, &shown);
		const char *full_stop = strstr(text, ". ");
		if (full_stop != NULL && (size_t)(full_stop - text) < shown) {
			shown = (size_t)(full_stop - text) + 1;
			used = shown + 1;
		}
		add_escaped(to, text, shown);
		buf_add_char(to, '\n');
		text += used;
	}
}

/* Whether a text begins with a word, and not with what is to be typed as it stands (rsa2048). */
static bool begins_with_word(const char *text)
{
	size_t len = strcspn(text, " ,.:;");
	for (size_t i = 0; i < len; i++)
		if (!islower((unsigned char)text[i]))
			return false;
	return len > 0;
}

/* A help text of a table as sentences: with a capital and a full stop. */
static void add_sentence(struct buf *to, const char *help)
{
	struct buf text;
	buf_init(&text, TEXT_MAX);
	buf_addf(&text, "%s%s", help, text_has_suffix(help, "...") ? "" : ".");
	if (begins_with_word(help))
		text.data[0] = (char)toupper((unsigned char)help[0]);
	add_lines(to, buf_text(&text));
	buf_clear(&text);
}

/* --- options of the configuration ------------------------------------------------------------- */

static void add_config_option(struct buf *to, const struct config_option *option)
{
	struct buf expected;
	buf_init(&expected, TEXT_MAX);
	buf_add_text(&expected, "expected: ");
	config_option_expected(option, &expected);
	buf_addf(to, ".It Ic %s\n", option->name);
	add_sentence(to, option->help);
	add_sentence(to, buf_text(&expected));
	if (option->default_value[0] != '\0')
		buf_addf(to, "Default:\n.Ql %s .\n", option->default_value);
	buf_clear(&expected);
}

static int add_section(struct buf *to, const char *name, struct named *named, struct err *err)
{
	unsigned section = 0;
	while (section < SECTIONS && strcmp(section_name[section], name) != 0)
		section++;
	if (section == SECTIONS || named->section[section])
		return err_set(err, ERR_CONFIG, "there is no section \"%s\", or it is there", name);
	named->section[section] = named->has_section = true;
	buf_add_text(to, ".Bl -tag -width indent\n");
	for (size_t i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];
		if (option->section == section)
			add_config_option(to, option);
	}
	buf_add_text(to, ".El\n");
	return 0;
}

/* --- commands and their options --------------------------------------------------------------- */

/* " Ar JOB" of a table's "JOB", " Oo Ar JOB Oc" of "[JOB]", " Ar HOST[:PORT] ..." of what may come
 * more than once. */
static void add_argument(struct buf *to, const char *argument)
{
	size_t len = strlen(argument);
	bool is_optional = len > 0 && argument[0] == '[';
	bool is_repeated = text_has_suffix(argument, "...");
	const char *word = is_optional ? argument + 1 : argument;
	int word_len = (int)(strlen(word) - (is_optional ? 1 : 0) - (is_repeated ? 3 : 0));
	if (len > 0)
		buf_addf(to, " %sAr %.*s%s%s", is_optional ? "Oo " : "", word_len, word,
			is_repeated ? " ..." : "", is_optional ? " Oc" : "");
}

static void add_cli_options(struct buf *to, const struct option_spec *option)
{
	if (option->name == NULL)
		return;
	buf_add_text(to, ".Bl -tag -width indent\n");
	for (; option->name != NULL; option++) {
		buf_addf(to, ".It Fl -%s", option->name);
		if (option->argument != NULL)
			add_argument(to, option->argument);
		buf_add_char(to, '\n');
		add_sentence(to, option->help);
	}
	buf_add_text(to, ".El\n");
}

static int add_command(struct buf *to, const char *name, struct named *named, struct err *err)
{
	size_t at = 0;
	while (at < COMMANDS_MAX && commands[at].name != NULL &&
		strcmp(commands[at].name, name) != 0)
		at++;
	if (at == COMMANDS_MAX || commands[at].name == NULL || named->command[at])
		return err_set(err, ERR_CONFIG, "there is no command \"%s\", or it is there", name);
	const struct command *command = &commands[at];
	named->command[at] = named->has_command = true;
	buf_addf(to, ".Ss acmsensor %s\n.Nm acmsensor Ic %s%s", name, name,
		command->option->name != NULL ? " Oo Ar options Oc" : "");
	add_argument(to, command->arguments);
	buf_add_text(to, "\n.Pp\n");
	add_sentence(to, command->summary);
	add_cli_options(to, command->option);
	return 0;
}

/* --- the template ----------------------------------------------------------------------------- */

static int add_directive(struct buf *to, const char *text, struct named *named, struct err *err)
{
	static const char options[] = "options ", command[] = "command ";
	if (strcmp(text, "global-options") == 0) {
		add_cli_options(to, global_options);
		return 0;
	}
	if (text_has_prefix(text, command))
		return add_command(to, text + strlen(command), named, err);
	if (text_has_prefix(text, options))
		return add_section(to, text + strlen(options), named, err);
	return err_set(err, ERR_CONFIG, "\"@%s\" is not known", text);
}

static int take_line(
	struct buf *to, const char *line, size_t len, struct named *named, struct err *err)
{
	char text[WORD_MAX];
	size_t mark = strlen(DIRECTIVE);
	if (len < mark || memcmp(line, DIRECTIVE, mark) != 0) {
		if (named->is_behind_list && (len < 2 || memcmp(line, ".S", 2) != 0))
			buf_add_text(to, ".Pp\n");
		named->is_behind_list = false;
		buf_add(to, line, len);
		buf_add_char(to, '\n');
		return 0;
	}
	snprintf(text, sizeof(text), "%.*s", (int)(len - mark < WORD_MAX ? len - mark : WORD_MAX),
		line + mark);
	if (add_directive(to, text, named, err) != 0)
		return -1;
	named->is_behind_list = text_has_suffix(buf_text(to), ".El\n");
	return 0;
}

/* A page that names one names all. */
static int check_complete(const struct named *named, struct err *err)
{
	for (size_t i = 0; named->has_section && i < SECTIONS; i++)
		if (!named->section[i])
			return err_set(
				err, ERR_CONFIG, "section \"%s\" is missing", section_name[i]);
	for (size_t i = 0; named->has_command && commands[i].name != NULL; i++)
		if (i == COMMANDS_MAX || !named->command[i])
			return err_set(
				err, ERR_CONFIG, "command \"%s\" is missing", commands[i].name);
	return 0;
}

int manual_expand(const char *page, size_t len, struct buf *to, struct err *err)
{
	struct named named = {.has_section = false};
	int line_number = 0;
	while (len > 0) {
		const char *newline = memchr(page, '\n', len);
		size_t line_len = newline != NULL ? (size_t)(newline - page) : len;
		size_t used = line_len + (newline != NULL ? 1 : 0);
		line_number++;
		if (take_line(to, page, line_len, &named, err) != 0)
			return err_wrap(err, "line %d", line_number);
		page += used;
		len -= used;
	}
	if (check_complete(&named, err) != 0)
		return -1;
	return buf_check(to, "the page", err);
}
