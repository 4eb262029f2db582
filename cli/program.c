/* How a command that is suggested begins, so that it asks the same daemon or store (see cli.h). */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/cli.h"

enum { PROGRAM_MAX = 32768 };

static bool is_plain(const char *word)
{
	return word[0] != '\0' &&
	       word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "/._-+:@%,")] == '\0';
}

/* As a shell reads it. */
static void add_word(struct buf *to, const char *word)
{
	if (is_plain(word)) {
		buf_add_text(to, word);
		return;
	}
	buf_add_char(to, '\'');
	for (const char *at = word; *at != '\0'; at++)
		if (*at == '\'')
			buf_add_text(to, "'\\''");
		else
			buf_add_char(to, *at);
	buf_add_char(to, '\'');
}

char *cli_program_new(const char *socket_path, const char *offline_dir)
{
	struct buf text;
	buf_init(&text, PROGRAM_MAX);
	buf_add_text(&text, "acmsensor");
	if (socket_path != NULL) {
		buf_add_text(&text, " --socket ");
		add_word(&text, socket_path);
	} else if (offline_dir != NULL) {
		buf_add_text(&text, " --offline ");
		add_word(&text, offline_dir);
	}
	char *program = xstrdup(text.is_over ? "acmsensor" : buf_text(&text));
	buf_clear(&text);
	return program;
}

const char *cli_program(const struct cli *cli)
{
	return cli->program != NULL ? cli->program : "acmsensor";
}
