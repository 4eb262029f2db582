/* Programs that end well, badly, late, by a signal, that do not read, that say too much. */
#include "base/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"

enum { INPUT_BIG = 300000, TIMEOUT_MS = 20000, SHORT_MS = 200 };

static struct loop *loop;
static struct child *child;
static int ends;
static int exit_code;
static char said[CHILD_SAID_MAX];
static struct err end_err;

static int setup(void **state)
{
	struct err err = ERR_INIT;
	(void)state;
	loop = loop_new(&err);
	ends = 0;
	exit_code = -1;
	said[0] = '\0';
	end_err = (struct err)ERR_INIT;
	return loop != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_free(loop);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* none is left */
	return 0;
}

static void on_done(void *arg, const struct child_result *result, const struct err *err)
{
	(void)arg;
	child = NULL;
	ends++;
	if (err != NULL) {
		end_err = *err;
	} else {
		exit_code = result->exit_code;
		(void)snprintf(said, sizeof(said), "%s", result->said);
	}
	loop_stop(loop);
}

static const char *const environment[] = {"ONLY=this", NULL};

static void start(const char *const *argv, const char *input, size_t len, int64_t timeout_ms)
{
	ends = 0;
	child = child_start(loop,
		&(struct child_options){.argv = argv,
			.envp = environment,
			.input = input,
			.input_len = len,
			.timeout_ms = timeout_ms},
		on_done, NULL);
	assert_int_equal(ends, 0);
}

static void run_shell(const char *script, const char *input, size_t len, int64_t timeout_ms)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	start(argv, input, len, timeout_ms);
	loop_run(loop);
	assert_int_equal(ends, 1);
}

static void it_gets_its_input_and_its_exit_code_comes_back(void **state)
{
	(void)state;
	run_shell("read line; echo \"got $line\"; echo more; exit 7", "hello\n", 6, TIMEOUT_MS);
	assert_int_equal(exit_code, 7);
	assert_string_equal(said, "got hello");
}

static void it_gets_nothing_of_ours(void **state)
{
	(void)state;
	int fd = dup(STDIN_FILENO); /* without close-on-exec */
	assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1), 0);
	run_shell("echo $(env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=) $(ls /proc/self/fd "
		  "| wc -l) $PWD",
		"", 0, TIMEOUT_MS);
	close(fd);
	assert_int_equal(exit_code, 0);
	/* 0, 1, 2 and the folder that ls reads */
	assert_string_equal(said, "ONLY=this 4 /");
}

static void a_large_input_arrives_whole(void **state)
{
	(void)state;
	char *input = malloc(INPUT_BIG);
	memset(input, 'x', INPUT_BIG);
	run_shell("wc -c", input, INPUT_BIG, TIMEOUT_MS);
	free(input);
	assert_int_equal(atoi(said), INPUT_BIG);
}

static void one_that_does_not_read_is_no_error(void **state)
{
	(void)state;
	char *input = malloc(INPUT_BIG);
	memset(input, 'x', INPUT_BIG);
	run_shell("exec <&-; sleep 0.1; exit 0", input, INPUT_BIG, TIMEOUT_MS);
	free(input);
	assert_int_equal(exit_code, 0);
	assert_string_equal(said, "");
}

static void what_it_says_is_cut(void **state)
{
	(void)state;
	run_shell("echo; head -c 200000 /dev/zero | tr '\\0' y >&2", "", 0, TIMEOUT_MS);
	assert_int_equal(exit_code, 0);
	assert_int_equal(strlen(said), CHILD_SAID_MAX - 1);
	assert_int_equal(said[0], 'y');
}

static void one_that_does_not_end_is_killed_with_what_it_started(void **state)
{
	(void)state;
	char path[] = "/tmp/acmsensor-child-XXXXXX", script[256];
	int fd = mkstemp(path);
	int64_t begun_ms = clock_mono_ms();
	(void)snprintf(script, sizeof(script),
		"trap '' TERM; (sleep 1; echo alive > %s) & sleep 60", path);
	run_shell(script, "", 0, SHORT_MS);
	assert_true(clock_mono_ms() - begun_ms < TIMEOUT_MS);
	assert_int_equal(end_err.kind, ERR_TIMEOUT);
	assert_string_equal(end_err.text, "/bin/sh: has not ended after 1 s and was killed");
	struct stat st;
	usleep(1200000);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	close(fd);
	unlink(path);
}

static void a_grandchild_with_the_pipe_does_not_hold_it_up(void **state)
{
	(void)state;
	int64_t begun_ms = clock_mono_ms();
	run_shell("echo first; sleep 3 & exit 0", "", 0, TIMEOUT_MS);
	assert_true(clock_mono_ms() - begun_ms < 2500);
	assert_string_equal(said, "first");
}

static void a_signal_is_named(void **state)
{
	(void)state;
	run_shell("kill -SEGV $$", "", 0, TIMEOUT_MS);
	assert_int_equal(end_err.kind, ERR_SERVICE);
	assert_non_null(strstr(end_err.text, "/bin/sh: was ended by signal 11 (Segmentation"));
}

static void what_cannot_be_run_is_told(void **state)
{
	(void)state;
	static const char *const missing[] = {"/nonexistent/hook", NULL};
	static const char *const no_program[] = {"/etc/passwd", NULL};
	start(missing, "", 0, TIMEOUT_MS);
	loop_run(loop);
	assert_int_equal(end_err.kind, ERR_CONFIG);
	assert_string_equal(
		end_err.text, "/nonexistent/hook: cannot be run: No such file or directory");
	start(no_program, "", 0, TIMEOUT_MS);
	loop_run(loop);
	assert_string_equal(end_err.text, "/etc/passwd: cannot be run: Permission denied");
}

static void an_end_that_nobody_tells_is_an_error(void **state)
{
	(void)state;
	assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	run_shell("exit 0", "", 0, TIMEOUT_MS);
	assert_true(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	assert_int_equal(end_err.kind, ERR_SYSTEM);
	assert_non_null(strstr(end_err.text, "/bin/sh: its end is not told"));
}

static void cancel_now(void *arg)
{
	(void)arg;
	child_cancel(child);
	child = NULL;
	loop_stop(loop);
}

static void a_cancelled_one_is_killed_and_never_calls_back(void **state)
{
	(void)state;
	static const char *const argv[] = {"/bin/sleep", "60", NULL};
	start(argv, "", 0, TIMEOUT_MS);
	child_cancel(child); /* before it began */
	start(argv, "", 0, TIMEOUT_MS);
	(void)loop_timer_start(loop, 50, cancel_now, NULL);
	loop_run(loop);
	assert_int_equal(ends, 0);
	child_cancel(NULL);
}

#define IN_LOOP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void no_descriptors_is_told(void **state)
{
	(void)state;
	struct rlimit old, none;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	static const char *const argv[] = {"/bin/true", NULL};
	start(argv, "", 0, TIMEOUT_MS);
	loop_run(loop);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(end_err.kind, ERR_SYSTEM);
	assert_string_equal(end_err.text, "/bin/true: no pipe: Too many open files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_LOOP(it_gets_its_input_and_its_exit_code_comes_back),
		IN_LOOP(it_gets_nothing_of_ours),
		IN_LOOP(a_large_input_arrives_whole),
		IN_LOOP(one_that_does_not_read_is_no_error),
		IN_LOOP(what_it_says_is_cut),
		IN_LOOP(one_that_does_not_end_is_killed_with_what_it_started),
		IN_LOOP(a_grandchild_with_the_pipe_does_not_hold_it_up),
		IN_LOOP(a_signal_is_named),
		IN_LOOP(what_cannot_be_run_is_told),
		IN_LOOP(an_end_that_nobody_tells_is_an_error),
		IN_LOOP(no_descriptors_is_told),
		IN_LOOP(a_cancelled_one_is_killed_and_never_calls_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
