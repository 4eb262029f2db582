/* acmsensor support-bundle: what is in the file, and when there is none. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/cli/folder_fixture.h"
#include "tests/cli/run_cli.h"
#include "tests/lib/read_file.h"

/* --- a run, with stderr in a file of its own: the bundle takes the descriptors ---------------- */

static char said[1024];

static int bundle(const char *file, const char *offline_dir)
{
	const struct args args = {.positional = {file}, .positional_count = 1};
	struct cli cli = {.offline_dir = offline_dir, .now_s = RUN_NOW_S};
	int log = memfd_create("stderr", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
	fflush(stdout);
	dup2(log, STDERR_FILENO);
	int code = command_support_bundle(&cli, &args);
	dup2(saved, STDERR_FILENO);
	memset(said, 0, sizeof(said));
	assert_true(pread(log, said, sizeof(said) - 1, 0) >= 0);
	close(log);
	close(saved);
	return code;
}

static char *content(const char *file)
{
	size_t len;
	return read_file(file, &len);
}

static void has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("not there: %s\nin:\n%.700s", part, text);
}

#define STATUS                                                                                     \
	"{'status': {'sensor': {'pid': 7, 'version': '0.1.0', 'started': 'then',"                  \
	" 'libraries': 'libevent 2\\u001b[2J'}, 'store': {'events': 5},"                           \
	" 'connectors': [], 'alerts': {'looked': true}}}"

static void prepare(void)
{
	run_answer(STATUS); /* is there somebody? */
	run_answer(STATUS);
	run_answer(STATUS);
	run_answer("{'config': [{'section': 'connector prod', 'key': 'external_id',"
		   " 'value': 'e-1234'}, {'key': 'scope', 'value': 'account'}]}");
	run_answer("[{'state': 'denied', 'reason': 'no role'}]");
	run_answer("[]"); /* alerts, so the status is asked for */
	run_answer(STATUS);
	run_answer("{'jobs': [{'id': 'j-1', 'state': 'failed'}]}");
	run_answer("['# HELP x\\n# EOF\\n']");
	run_answer("[{'sequence': 1, 'hash': 'a', 'kind': 'seen'}]");
}

static void every_part_is_what_its_command_shows(void **state)
{
	(void)state;
	struct stat file;
	prepare();
	run_answer("{'log': {'level': 'info', 'lines': ['the last line']}}");
	assert_int_equal(bundle("b", NULL), EXIT_DONE);
	assert_string_equal(said, "acmsensor: b is written: read it before you send it\n");
	assert_int_equal(stat("b", &file), 0);
	assert_int_equal(file.st_mode & 07777, S_IRUSR | S_IWUSR);
	char *text = content("b");
	has(text, "Support bundle of acmsensor, made at 2026-11-21T01:00:00Z.\n");
	has(text, "\n=== versions\n\nacmsensor   ");
	has(text,
		"\nacmsensord  0.1.0\nstarted     then\nlibraries   libevent 2\\x1b[2J\nstore       {\n");
	has(text, "\n=== status\n");
	has(text, "external_id  (set, not shown)\n");
	has(text, "no role\n");
	has(text, "\n=== alerts\n\nacmsensor: there is no alert\n");
	has(text, "\n=== deliveries\n");
	has(text, "\n=== metrics\n\n# HELP x\n# EOF\n");
	has(text, "\n=== events, the last ones\n\n-  seen\n");
	has(text, "\n=== log, the last lines\n\nthe last line\nacmsensor: the level is info\n");
	assert_null(strstr(text, "e-1234"));
	assert_null(strchr(text, '\x1b'));
	free(text);
	unlink("b");
}

static void a_part_that_cannot_be_read_says_why(void **state)
{
	(void)state;
	prepare();
	run_refuse(ERR_TIMEOUT, "", "the daemon does not answer");
	assert_int_equal(bundle("b", NULL), EXIT_WARNINGS);
	assert_string_equal(said, "acmsensor: b is written: read it before you send it\n"
				  "acmsensor: 1 of its parts could not be read; it says why\n");
	char *text = content("b");
	has(text, "\n=== log, the last lines\n\nacmsensor: the daemon does not answer\n");
	free(text);
	unlink("b");
}

static void nothing_is_made_without_anybody_to_ask(void **state)
{
	(void)state;
	run_refuse(ERR_UNREACHABLE, "", "nobody there");
	assert_int_equal(bundle("b", NULL), EXIT_NOT_REACHABLE);
	assert_string_equal(said, "acmsensor: nobody there\n");
	assert_int_equal(access("b", F_OK), -1);
}

static void nothing_is_overwritten(void **state)
{
	(void)state;
	folder_write("there", "x", 1, 0600);
	assert_int_equal(symlink("there", "link"), 0);
	run_answer(STATUS);
	assert_int_equal(bundle("there", NULL), EXIT_USAGE);
	assert_string_equal(
		said, "acmsensor: cannot make there, nothing is overwritten: File exists\n");
	run_answer(STATUS);
	assert_int_equal(bundle("link", NULL), EXIT_USAGE);
	run_answer(STATUS);
	assert_int_equal(bundle("no/b", NULL), EXIT_FAILED);
	assert_string_equal(said, "acmsensor: cannot make no/b: No such file or directory\n");
	char *text = content("there");
	assert_string_equal(text, "x");
	free(text);
}

static void what_needs_the_daemon_is_left_out_without_one(void **state)
{
	(void)state;
	run_answer("[]"); /* coverage */
	run_answer("[]"); /* events */
	assert_int_equal(bundle("b", "/nonexistent"), EXIT_WARNINGS);
	char *text = content("b");
	has(text, "\n=== configuration\n\nleft out: it needs the daemon\n");
	has(text, "\n=== log, the last lines\n\nleft out: it needs the daemon\n");
	has(text, "\n=== status\n\nacmsensor: "); /* there is no such store */
	free(text);
	unlink("b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(every_part_is_what_its_command_shows),
		RUN_TEST(a_part_that_cannot_be_read_says_why),
		RUN_TEST(nothing_is_made_without_anybody_to_ask),
		RUN_TEST(nothing_is_overwritten),
		RUN_TEST(what_needs_the_daemon_is_left_out_without_one),
	};
	return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
