/*
 * What the CLI reads from a daemon, and what it makes of it on a terminal. The first byte chooses
 * the command line, the second the terminal, the third the pieces in which lists arrive; then the
 * answers, with a NUL between them. source_daemon.c is replaced; poll() returns at once.
 *
 * Whatever the answers hold, what is printed is UTF-8 without control bytes, and tables keep to the
 * terminal's width.
 */
#define main cli_main
int cli_main(int argc, char **argv);
#include "cli/main.c" /* for what it makes of the options */
#undef main

#include <assert.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/source_internal.h"
#include "tests/lib/temp_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 3, WORDS_MAX = 6, ASKED_MAX = 6, COLUMNS_WIDE = 60 };

static const struct {
	bool is_table; /* nothing in it may be wider than the terminal; an ARN alone may */
	int argc;
	const char *argv[WORDS_MAX];
} line[] = {
	{false, 1, {"status"}},
	{false, 3, {"status", "-o", "wide"}},
	{false, 3, {"status", "-o", "csv"}},
	{true, 1, {"certs"}},
	{true, 3, {"certs", "-o", "wide"}},
	{false, 3, {"certs", "-o", "csv"}},
	{false, 2, {"show", "x"}},
	{false, 4, {"show", "x", "-o", "csv"}},
	{true, 1, {"accounts"}},
	{true, 3, {"accounts", "-o", "wide"}},
	{false, 3, {"accounts", "-o", "csv"}},
	{true, 1, {"coverage"}},
	{true, 2, {"coverage", "--problems"}},
	{true, 3, {"coverage", "-o", "wide"}},
	{false, 3, {"coverage", "-o", "csv"}},
	{true, 1, {"events"}},
	{true, 3, {"events", "-o", "wide"}},
	{false, 3, {"events", "-o", "csv"}},
	{false, 2, {"events", "--follow"}},
	{false, 4, {"events", "--follow", "-o", "csv"}},
	{true, 1, {"config"}},
	{true, 3, {"config", "-o", "wide"}},
	{false, 1, {"scan"}},
	{false, 2, {"scan", "--wait"}},
	{false, 4, {"scan", "--wait", "-o", "csv"}},
	{true, 1, {"alerts"}},
	{true, 3, {"alerts", "-o", "wide"}},
	{false, 3, {"alerts", "-o", "csv"}},
	{false, 3, {"alerts", "ack", "x"}},
	{true, 1, {"plans"}},
	{true, 3, {"plans", "-o", "wide"}},
	{false, 3, {"plans", "-o", "csv"}},
	{false, 2, {"plans", "x"}},
	{true, 1, {"jobs"}},
	{true, 3, {"jobs", "-o", "wide"}},
	{false, 3, {"jobs", "-o", "csv"}},
	{false, 2, {"jobs", "x"}},
	{false, 3, {"jobs", "x", "--follow"}},
	{true, 2, {"csr", "--list"}},
};

/* --- the daemon ------------------------------------------------------------------------------- */

static struct {
	const char *at, *end;
	size_t piece;
	int asked;
} answers;

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	(void)fds, (void)count, (void)timeout_ms;
	return 0;
}

/* The next answer; a daemon that is asked again and again stops answering. */
static int next_answer(const char **ret_bytes, size_t *ret_len, struct err *err)
{
	if (answers.asked++ == ASKED_MAX)
		return err_set(err, ERR_LIMIT, "enough");
	const char *nul = memchr(answers.at, '\0', (size_t)(answers.end - answers.at));
	*ret_bytes = answers.at;
	*ret_len = (size_t)((nul != NULL ? nul : answers.end) - answers.at);
	answers.at = nul != NULL ? nul + 1 : answers.end;
	return 0;
}

int daemon_rows(const struct cli *cli, enum list_kind kind, const struct params *params,
	struct lines *lines, struct err *err)
{
	const char *bytes;
	size_t len;
	(void)cli, (void)kind, (void)params;
	if (next_answer(&bytes, &len, err) != 0)
		return -1;
	for (size_t at = 0; at < len; at += answers.piece) {
		size_t piece = len - at < answers.piece ? len - at : answers.piece;
		if (lines_take(lines, bytes + at, piece, err) != 0)
			return -1;
	}
	return 0;
}

int daemon_document(const struct cli *cli, enum list_kind kind, const struct params *params,
	FILE *out, struct err *err)
{
	(void)cli, (void)kind, (void)params, (void)out, (void)err;
	abort(); /* -o json: bytes are copied as they come */
}

int source_get(const struct cli *cli, const char *path, const struct params *params, long timeout_s,
	json_t **ret_document, struct err *err)
{
	const char *bytes;
	size_t len;
	(void)cli, (void)path, (void)params, (void)timeout_s;
	if (next_answer(&bytes, &len, err) != 0)
		return -1;
	*ret_document = json_read_object(bytes, len, err);
	return *ret_document != NULL ? 0 : -1;
}

int source_text(const struct cli *cli, const char *path, const char *accept, long timeout_s,
	FILE *out, struct err *err)
{
	(void)cli, (void)path, (void)accept, (void)timeout_s, (void)out, (void)err;
	abort(); /* the same */
}

int source_post(const struct cli *cli, const char *path, const json_t *body, json_t **ret_document,
	struct err *err)
{
	(void)body;
	return source_get(cli, path, NULL, 0, ret_document, err);
}

int source_post_secret(const struct cli *cli, const char *path, const struct buf *body,
	json_t **ret_document, struct err *err)
{
	(void)body;
	return source_get(cli, path, NULL, 0, ret_document, err);
}

/* --- what is printed -------------------------------------------------------------------------- */

static void check_line(char *text, size_t len, int columns)
{
	char *end = text + len;
	char kept = *end;
	*end = '\0';
	if (columns >= COLUMNS_WIDE && text_columns(text) > (size_t)columns) {
		fprintf(stderr, "%zu columns: %s\n", text_columns(text), text);
		abort();
	}
	*end = kept;
}

/* Control characters and those that turn the direction of what follows. */
static bool is_obeyed(uint32_t code_point)
{
	return code_point < ' ' || (code_point >= 0x7f && code_point < 0xa0) ||
	       (code_point >= 0x202a && code_point <= 0x202e) ||
	       (code_point >= 0x2066 && code_point <= 0x2069);
}

static void check_output(char *text, size_t len, bool is_csv, int columns)
{
	size_t begin = 0, size;
	for (size_t at = 0; at < len; at += size) {
		uint32_t code_point = 0;
		size = text_utf8_next(text + at, len - at, &code_point);
		assert(size > 0);
		if (text[at] == '\n') {
			check_line(text + begin, at - begin, is_csv ? 0 : columns);
			begin = at + 1;
		} else if (text[at] == '\r') {
			assert(is_csv && text[at + 1] == '\n');
		} else {
			assert(!is_obeyed(code_point));
		}
	}
}

static void run_checked(
	struct cli *cli, const struct command *command, const struct args *args, bool is_table)
{
	char *out = NULL, *err = NULL;
	size_t out_len = 0, err_len = 0;
	FILE *old_out = stdout, *old_err = stderr;
	stdout = open_memstream(&out, &out_len);
	stderr = open_memstream(&err, &err_len);
	int code = command->run(cli, args);
	fclose(stdout);
	fclose(stderr);
	stdout = old_out;
	stderr = old_err;
	assert((code >= EXIT_DONE && code <= EXIT_WARNINGS) || code == 130);
	check_output(out, out_len, cli->output == OUTPUT_CSV, is_table ? cli->terminal.columns : 0);
	check_output(err, err_len, false, 0);
	free(out);
	free(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct args global, args;
	const struct command *command;
	struct cli cli = {.now_s = SAMPLE_NOW_S};
	char *argv[WORDS_MAX];
	if (size < HEAD)
		return 0;
	size_t chosen = data[0] % (sizeof(line) / sizeof(line[0]));
	for (int i = 0; i < line[chosen].argc; i++)
		argv[i] = (char *)(uintptr_t)line[chosen].argv[i];
	if (options_parse(commands, line[chosen].argc, argv, &command, &global, &args, &err) != 0 ||
		fill_in(&cli, &global, &err) != 0)
		abort();
	cli.terminal = (struct terminal){.is_utf8 = data[1] % 2 == 1, .columns = data[1]};
	cli.terminal.is_tty = cli.terminal.columns > 0;
	char *copy = xstrndup((const char *)data + HEAD, size - HEAD);
	answers.at = copy;
	answers.end = copy + size - HEAD;
	answers.piece = 1 + (size_t)data[2] * 8;
	answers.asked = 0;
	run_checked(&cli, command, &args, line[chosen].is_table);
	free(copy);
	free(cli.program);
	return 0;
}
