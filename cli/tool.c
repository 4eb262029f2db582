#include "cli/tool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

enum { CHUNK = 4096, READ_END = 0, WRITE_END = 1 };

static void close_both(const int pipe_fd[2])
{
	for (int i = 0; i < 2; i++)
		if (pipe_fd[i] >= 0)
			(void)close(pipe_fd[i]); /* nothing is lost with a pipe */
}

/* 0 or an errno. */
static int spawn(const char *const *argv, int in, int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int number = posix_spawn_file_actions_init(&actions);
	if (number != 0)
		return number;
	number = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (number == 0)
		number = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (number == 0)
		number = posix_spawnp(
			ret_pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return number;
}

/* A tool that does not read its input to the end says so by its exit code. */
static void write_input(int fd, const void *input, size_t len)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, former;
	(void)sigaction(SIGPIPE, &ignore, &former); /* cannot fail for this signal */
	if (len > 0)
		(void)!write(fd, input, len); /* see above */
	(void)sigaction(SIGPIPE, &former, NULL);
	(void)close(fd);
}

/* Also what does not fit is read, so that the tool comes to its end. */
static void read_output(int fd, struct buf *output)
{
	char chunk[CHUNK];
	for (;;) {
		ssize_t got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		buf_add(output, chunk, (size_t)got);
	}
	mem_wipe(chunk, sizeof(chunk)); /* it may have been a key */
}

static int await_end(pid_t pid, const char *name, struct err *err)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set_errno(err, ERR_SYSTEM, "cannot wait for %s", name);
	if (WIFSIGNALED(status))
		return err_set(
			err, ERR_SYSTEM, "%s was ended by signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(
			err, ERR_SYSTEM, "%s failed with code %d", name, WEXITSTATUS(status));
	return 0;
}

int tool_run(
	const char *const *argv, const void *input, size_t len, struct buf *output, struct err *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1};
	pid_t pid;
	assert(len <= TOOL_INPUT_MAX);
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
		close_both(in);
		return err_set_errno(err, ERR_SYSTEM, "cannot make a pipe to %s", argv[0]);
	}
	int number = spawn(argv, in[READ_END], out[WRITE_END], &pid);
	(void)close(in[READ_END]); /* the tool's */
	(void)close(out[WRITE_END]);
	if (number != 0) {
		(void)close(in[WRITE_END]);
		(void)close(out[READ_END]);
		errno = number;
		return err_set_errno(err, number == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM,
			"cannot start %s", argv[0]);
	}
	write_input(in[WRITE_END], input, len);
	read_output(out[READ_END], output);
	(void)close(out[READ_END]);
	if (await_end(pid, argv[0], err) != 0)
		return -1;
	return buf_check(output, "what it printed", err) == 0 ? 0 : err_wrap(err, "%s", argv[0]);
}
