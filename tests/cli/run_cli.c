/* See run_cli.h. */
#include "tests/cli/run_cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define main cli_main
int cli_main(int argc, char **argv);
#include "cli/main.c" /* for what it makes of the options */
#undef main

#include <assert.h>
#include <poll.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/source.h"
#include "tests/cli/print_fixture.h"
#include "tests/lib/fake_clock.h"

enum { ANSWERS_MAX = 32, WORDS_MAX = 128, ASKED_MAX = 64 << 10 };

struct answer {
	json_t *value; /* owned; NULL: refused */
	enum err_kind kind;
	const char *code, *text; /* shared static */
	bool is_interrupt;
};

static struct {
	struct answer answer[ANSWERS_MAX];
	size_t count, next;
	struct buf asked;
	char *out, *err;
	int code;
} at;

struct terminal run_terminal;

int run_begin(void **state)
{
	(void)state;
	memset(&at, 0, sizeof(at));
	buf_init(&at.asked, ASKED_MAX);
	run_terminal = (struct terminal){.is_utf8 = true};
	return 0;
}

static void forget_run(void)
{
	free(at.out);
	free(at.err);
	at.out = at.err = NULL;
	buf_reset(&at.asked);
}

int run_end(void **state)
{
	(void)state;
	forget_run();
	buf_clear(&at.asked);
	for (size_t i = 0; i < at.count; i++)
		json_decref(at.answer[i].value);
	return 0;
}

/* --- answers ---------------------------------------------------------------------------------- */

void run_answer(const char *text)
{
	assert(at.count < ANSWERS_MAX);
	at.answer[at.count++] = (struct answer){.value = print_fixture_json(text)};
}

void run_answerf(const char *format, ...)
{
	char *text;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	assert_true(len >= 0);
	run_answer(text);
	free(text);
}

void run_refuse(enum err_kind kind, const char *code, const char *text)
{
	assert(at.count < ANSWERS_MAX);
	at.answer[at.count++] = (struct answer){.text = text, .kind = kind, .code = code};
}

void run_interrupt(void)
{
	at.answer[at.count - 1].is_interrupt = true;
}

/* A test that prepared too little sees it in the text. */
static int take(json_t **ret_value, struct err *err)
{
	if (at.next == at.count)
		return err_set(err, ERR_LIMIT, "no answer is prepared");
	const struct answer *answer = &at.answer[at.next++];
	if (answer->is_interrupt)
		raise(SIGINT);
	if (answer->value == NULL) {
		err_set(err, answer->kind, "%s", answer->text);
		return err_set_code(err, answer->code);
	}
	*ret_value = json_incref(answer->value);
	return 0;
}

static void note_params(const struct params *params)
{
	for (size_t i = 0; params != NULL && i < params->count; i++)
		buf_addf(&at.asked, " %s=%s", params->item[i].key, params->item[i].value);
	buf_add_char(&at.asked, '\n');
}

void params_add(struct params *params, const char *key, const char *value)
{
	assert(params->count < SOURCE_PARAMS_MAX);
	if (value != NULL)
		params->item[params->count++] = (struct list_param){.key = key, .value = value};
}

int source_rows(const struct cli *cli, enum list_kind kind, const struct params *params,
	source_row_fn *row, void *arg, struct err *err)
{
	json_t *rows = NULL, *one;
	size_t i;
	int rc = 0;
	(void)cli;
	buf_addf(&at.asked, "rows %d", (int)kind);
	note_params(params);
	if (take(&rows, err) != 0)
		return -1;
	json_array_foreach(rows, i, one)
	{
		rc = row(arg, one, err);
		if (rc != 0)
			break;
	}
	json_decref(rows);
	return rc;
}

int source_document(const struct cli *cli, enum list_kind kind, const struct params *params,
	FILE *out, struct err *err)
{
	json_t *document = NULL;
	(void)cli;
	buf_addf(&at.asked, "document %d", (int)kind);
	note_params(params);
	if (take(&document, err) != 0)
		return -1;
	json_dumpf(document, out, JSON_COMPACT);
	json_decref(document);
	return 0;
}

int source_get(const struct cli *cli, const char *path, const struct params *params, long timeout_s,
	json_t **ret_document, struct err *err)
{
	(void)cli;
	assert(timeout_s > 0);
	buf_addf(&at.asked, "get %s", path);
	note_params(params);
	int rc = take(ret_document, err);
	if (rc != 0 && err->kind == ERR_TIMEOUT)
		fake_clock_advance_ms(1000 * timeout_s);
	return rc;
}

/* The answer is a string. */
int source_text(const struct cli *cli, const char *path, const char *accept, long timeout_s,
	FILE *out, struct err *err)
{
	json_t *text = NULL;
	(void)cli;
	assert(timeout_s > 0);
	buf_addf(&at.asked, "text %s %s\n", path, accept);
	if (take(&text, err) != 0)
		return -1;
	fputs(json_string_value(json_array_get(text, 0)), out);
	json_decref(text);
	return 0;
}

int source_post(const struct cli *cli, const char *path, const json_t *body, json_t **ret_document,
	struct err *err)
{
	char *text = json_dumps(body, JSON_COMPACT);
	(void)cli;
	if (text == NULL)
		return err_set(err, ERR_CONFIG, "an argument is not UTF-8 text");
	buf_addf(&at.asked, "post %s %s\n", path, text);
	free(text);
	return take(ret_document, err);
}

int source_post_secret(const struct cli *cli, const char *path, const struct buf *body,
	json_t **ret_document, struct err *err)
{
	(void)cli;
	buf_addf(&at.asked, "post %s %s\n", path, buf_text(body));
	return take(ret_document, err);
}

/* Of completion. A test that is stopped would look as if it had passed. */
unsigned alarm(unsigned seconds)
{
	assert_in_range(seconds, 1, 3);
	return 0;
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	(void)fds, (void)count;
	fake_clock_advance_ms(timeout_ms);
	return 0;
}

/* --- runs ------------------------------------------------------------------------------------- */

static int run_words(int count, char **word)
{
	struct err err = ERR_INIT;
	const struct command *command = NULL;
	struct args global, args;
	struct cli cli = {.output = OUTPUT_TABLE};
	int code;
	if (options_parse(commands, count, word, &command, &global, &args, &err) != 0 ||
		fill_in(&cli, &global, &err) != 0) {
		code = cli_fail(&err);
	} else {
		cli.terminal = run_terminal;
		cli.now_s = RUN_NOW_S;
		code = command->run(&cli, &args);
	}
	free(cli.program);
	return code;
}

typedef int words_fn(int count, char **word);

static void run_with(words_fn *run_it, const char *line)
{
	char *words = xstrdup(line), *rest = words, *word[WORDS_MAX];
	int count = 0;
	size_t out_len, err_len;
	FILE *old_out = stdout, *old_err = stderr;
	for (char *one; (one = strsep(&rest, " ")) != NULL && count < WORDS_MAX;)
		word[count++] = one;
	forget_run();
	stdout = open_memstream(&at.out, &out_len);
	stderr = open_memstream(&at.err, &err_len);
	at.code = run_it(count, word);
	fclose(stdout);
	fclose(stderr);
	stdout = old_out;
	stderr = old_err;
	free(words);
}

void run_line(const char *line)
{
	run_with(run_words, line);
}

static int complete_words(int count, char **word)
{
	struct cli cli = {.output = OUTPUT_TABLE};
	return complete_run(&cli, count, word);
}

void run_complete(const char *line)
{
	run_with(complete_words, line);
}

int run_code(void)
{
	return at.code;
}

const char *run_out(void)
{
	return at.out;
}

const char *run_err(void)
{
	return at.err;
}

const char *run_asked(void)
{
	return buf_text(&at.asked);
}

void run_is(const char *line, int code, const char *out, const char *err)
{
	run_line(line);
	if (out != NULL)
		assert_string_equal(at.out, out);
	if (err != NULL)
		assert_string_equal(at.err, err);
	assert_int_equal(at.code, code);
	assert_int_equal(at.next, at.count); /* every answer was asked for */
}

void run_shows(const char *part)
{
	if (strstr(at.out, part) == NULL)
		fail_msg("not there: %s\nin:\n%s", part, at.out);
}

void run_hides(const char *part)
{
	if (strstr(at.out, part) != NULL)
		fail_msg("there: %s\nin:\n%s", part, at.out);
}
