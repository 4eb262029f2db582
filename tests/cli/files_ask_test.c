/* A passphrase at the terminal: no echo, one line, and a way out. The asking is done by a child whose
 * terminal we are. */
#include <errno.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/files.h"
#include "cli/interrupt.h"

enum { SHOWN_MAX = 8192, TOLD_MAX = 2048 };

#define PROMPT "Passphrase: "

/* What the child has to tell, by a pipe: the passphrase or the error, and whether echo is back. */
static void ask(int out)
{
	struct buf typed;
	struct err err = ERR_INIT;
	struct termios after;
	buf_init_secret(&typed, 4 * (PASSPHRASE_MAX + 1));
	int rc = files_ask_passphrase(PROMPT, &typed, &err);
	bool has_echo = tcgetattr(STDIN_FILENO, &after) == 0 && (after.c_lflag & ECHO) != 0;
	dprintf(out, "%s%s|%s", interrupt_is(&err) ? "interrupted " : "",
		rc == 0 ? buf_text(&typed) : err.text, has_echo ? "echo" : "silent");
	buf_clear(&typed);
	_exit(0);
}

/* Types text once the prompt is there. ret_shown: all that the terminal showed. */
static void types(
	const char *text, char ret_told[static TOLD_MAX], char ret_shown[static SHOWN_MAX])
{
	int ends[2], master, status;
	size_t shown = 0, told = 0;
	bool is_typed = false;
	memset(ret_told, 0, TOLD_MAX);
	memset(ret_shown, 0, SHOWN_MAX);
	assert_int_equal(pipe(ends), 0);
	pid_t child = forkpty(&master, NULL, NULL, NULL);
	assert_true(child >= 0);
	if (child == 0)
		ask(ends[1]);
	close(ends[1]);
	for (ssize_t got; (got = read(master, ret_shown + shown, SHOWN_MAX - 1 - shown)) > 0;) {
		shown += (size_t)got;
		if (!is_typed && strstr(ret_shown, PROMPT) != NULL) {
			is_typed = true;
			assert_int_equal(write(master, text, strlen(text)), (ssize_t)strlen(text));
		}
	}
	for (ssize_t got; (got = read(ends[0], ret_told + told, TOLD_MAX - 1 - told)) > 0;)
		told += (size_t)got;
	close(ends[0]);
	close(master);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
}

static void typed_is(const char *text, const char *told)
{
	char got[TOLD_MAX], shown[SHOWN_MAX];
	types(text, got, shown);
	assert_string_equal(got, told);
}

static void a_line_is_read_and_not_shown(void **state)
{
	(void)state;
	char told[TOLD_MAX], shown[SHOWN_MAX];
	types("sesame x\n", told, shown);
	assert_string_equal(told, "sesame x|echo");
	assert_string_equal(shown, PROMPT "\r\n");
	typed_is("p\xc3\xa4ss\n", "p\xc3\xa4ss|echo");
	typed_is("sesame\x04\x04", "sesame|echo"); /* Ctrl-D behind it ends it too */
}

#define EXPECTED "expected a passphrase of 1 to 1024 bytes of UTF-8|echo"

static void what_is_no_passphrase_is_refused(void **state)
{
	(void)state;
	char text[PASSPHRASE_MAX + 3];
	typed_is("\n", EXPECTED);
	typed_is("\x04", EXPECTED);
	typed_is("\xff\n", EXPECTED);
	memset(text, 'x', sizeof(text));
	strcpy(text + PASSPHRASE_MAX + 1, "\n");
	typed_is(text, EXPECTED);
}

static void ctrl_c_leaves_the_terminal_as_it_was(void **state)
{
	(void)state;
	typed_is("ses\x03", "interrupted interrupted; nothing was planned|echo");
}

static void without_a_terminal_a_file_is_asked_for(void **state)
{
	(void)state;
	int ends[2], status;
	char told[TOLD_MAX] = "";
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)setsid();
		ask(ends[1]);
	}
	close(ends[1]);
	assert_true(read(ends[0], told, TOLD_MAX - 1) > 0);
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	*strchr(told, '|') = '\0';
	assert_string_equal(told, "a passphrase is needed and there is no terminal to ask at; give "
				  "--passphrase-file FILE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_read_and_not_shown),
		cmocka_unit_test(what_is_no_passphrase_is_refused),
		cmocka_unit_test(ctrl_c_leaves_the_terminal_as_it_was),
		cmocka_unit_test(without_a_terminal_a_file_is_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
