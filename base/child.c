/*
 * A child process on the loop. Its end is told by a descriptor (pidfd_open), not by SIGCHLD, so
 * that nothing is shared with who else has children; what it has started may keep its pipes open
 * after its end, so nobody waits for the end of those.
 *
 *   start -> WAIT_BEGIN -> WAIT_END -> done
 *                             |  time is over: killed, and WAIT_END goes on
 */
#include "base/child.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"

enum {
	REAP_MS = 1000, /* a killed process may be in the kernel for a moment */
	FIRST_FREE_FD = 3,
};

struct child {
	struct loop *loop;   /* borrowed */
	char **argv, **envp; /* owned */
	char *input;	     /* owned */
	size_t input_len, written;
	int64_t timeout_ms;
	pid_t pid;				   /* 0: none yet, or ended */
	int pid_fd, input_fd, output_fd;	   /* -1: closed */
	struct event *ended, *writable, *readable; /* owned; NULL: not watched */
	struct loop_timer *timer;		   /* owned; the beginning, then the time limit */
	bool is_killed;
	char said[CHILD_SAID_MAX];
	size_t said_len;
	bool has_line;
	child_done_fn *done;
	void *arg;
};

static char **copy_texts(const char *const *text)
{
	size_t count = 0;
	while (text[count] != NULL)
		count++;
	char **copy = xcalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(text[i]);
	return copy;
}

static void free_texts(char **text)
{
	for (size_t i = 0; text[i] != NULL; i++)
		free(text[i]);
	free(text);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void forget_event(struct event **event)
{
	if (*event != NULL)
		event_free(*event);
	*event = NULL;
}

static void destroy(struct child *child)
{
	loop_timer_cancel(child->timer);
	forget_event(&child->ended);
	forget_event(&child->writable);
	forget_event(&child->readable);
	close_fd(&child->pid_fd);
	close_fd(&child->input_fd);
	close_fd(&child->output_fd);
	free_texts(child->argv);
	free_texts(child->envp);
	free(child->input);
	free(child);
}

static void kill_group(struct child *child)
{
	child->is_killed = true;
	(void)kill(-child->pid, SIGKILL); /* it may have ended */
	(void)kill(child->pid, SIGKILL);  /* before its group was made */
}

/* Leaves it to init when it does not end in time, which only a broken disk or driver does. */
static void kill_and_reap(struct child *child)
{
	if (child->pid == 0)
		return;
	kill_group(child);
	struct pollfd end = {.fd = child->pid_fd, .events = POLLIN};
	if (child->pid_fd >= 0)
		(void)poll(&end, 1, REAP_MS);
	(void)waitpid(child->pid, NULL, WNOHANG);
	child->pid = 0;
}

static void finish(struct child *child, const struct child_result *result, struct err *err)
{
	if (result == NULL)
		(void)err_wrap(err, "%s", child->argv[0]);
	child->done(child->arg, result, result == NULL ? err : NULL);
	destroy(child);
}

/* --- what it says ----------------------------------------------------------------------------- */

static void take_said(struct child *child, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len && !child->has_line; i++) {
		if (bytes[i] == '\n')
			child->has_line = child->said_len > 0;
		else if (child->said_len + 1 < sizeof(child->said) && bytes[i] != '\0')
			child->said[child->said_len++] = bytes[i];
	}
}

/* false: there is no more for now. */
static bool read_some(struct child *child)
{
	char bytes[4096];
	ssize_t got = read(child->output_fd, bytes, sizeof(bytes));
	if (got > 0)
		take_said(child, bytes, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		forget_event(&child->readable);
	return got > 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct child *child = arg;
	(void)fd, (void)what;
	loop_turn_mark(child->loop);
	(void)read_some(child);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct child *child = arg;
	(void)what;
	loop_turn_mark(child->loop);
	ssize_t put = write(fd, child->input + child->written, child->input_len - child->written);
	if (put >= 0)
		child->written += (size_t)put;
	bool is_broken = put < 0 && errno != EAGAIN && errno != EINTR; /* it does not want it */
	if (!is_broken && child->written < child->input_len)
		return;
	forget_event(&child->writable);
	close_fd(&child->input_fd);
}

/* --- its end ---------------------------------------------------------------------------------- */

static const char untold[] = "its end is not told (is SIGCHLD ignored?)";

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct child *child = arg;
	struct err err = ERR_INIT;
	int status = 0;
	(void)fd, (void)what;
	loop_turn_mark(child->loop);
	pid_t ended = waitpid(child->pid, &status, WNOHANG);
	if (ended == 0)
		return;
	child->pid = 0;
	if (ended < 0) { /* else it would be told again and again */
		(void)err_set_errno(&err, ERR_SYSTEM, "%s", untold);
		finish(child, NULL, &err);
		return;
	}
	for (int i = 0; i < 16 && child->readable != NULL && read_some(child); i++)
		; /* what it said last; bounded: others may hold the pipe and go on */
	struct child_result result = {.exit_code = WEXITSTATUS(status), .said = child->said};
	bool has_exited = WIFEXITED(status) && !child->is_killed;
	if (child->is_killed)
		(void)err_set(&err, ERR_TIMEOUT, "has not ended after %lld s and was killed",
			(long long)((child->timeout_ms + 999) / 1000));
	else if (!has_exited)
		(void)err_set(&err, ERR_SERVICE, "was ended by signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	finish(child, has_exited ? &result : NULL, &err);
}

static void on_time_over(void *arg)
{
	struct child *child = arg;
	child->timer = NULL;
	kill_group(child);
}

/* --- its beginning ---------------------------------------------------------------------------- */

struct pipes {
	int input[2], output[2]; /* -1: closed */
};

static int open_pipes(struct pipes *pipes, struct err *err)
{
	if (pipe2(pipes->input, O_CLOEXEC) != 0 || pipe2(pipes->output, O_CLOEXEC) != 0)
		return err_set_errno(err, ERR_SYSTEM, "no pipe");
	if (fcntl(pipes->input[1], F_SETFL, O_NONBLOCK) != 0 ||
		fcntl(pipes->output[0], F_SETFL, O_NONBLOCK) != 0)
		return err_set_errno(err, ERR_SYSTEM, "no pipe");
	return 0;
}

/* Standard files only, nothing else of ours; every call can only fail for lack of memory. */
static void set_files(posix_spawn_file_actions_t *files, const struct pipes *pipes)
{
	if (posix_spawn_file_actions_init(files) != 0 ||
		posix_spawn_file_actions_adddup2(files, pipes->input[0], STDIN_FILENO) != 0 ||
		posix_spawn_file_actions_adddup2(files, pipes->output[1], STDOUT_FILENO) != 0 ||
		posix_spawn_file_actions_adddup2(files, pipes->output[1], STDERR_FILENO) != 0 ||
		posix_spawn_file_actions_addclosefrom_np(files, FIRST_FREE_FD) != 0 ||
		posix_spawn_file_actions_addchdir_np(files, "/") != 0)
		abort();
}

/* A group of its own, and signals as a new program expects them. */
static void set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	if (posix_spawnattr_init(attributes) != 0 ||
		posix_spawnattr_setpgroup(attributes, 0) != 0 ||
		posix_spawnattr_setsigmask(attributes, &none) != 0 ||
		posix_spawnattr_setsigdefault(attributes, &all) != 0 ||
		posix_spawnattr_setflags(attributes,
			POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) !=
			0)
		abort();
}

static int spawn(struct child *child, const struct pipes *pipes, struct err *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	set_files(&files, pipes);
	set_attributes(&attributes);
	int rc = posix_spawn(
		&child->pid, child->argv[0], &files, &attributes, child->argv, child->envp);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	if (rc == 0)
		return 0;
	child->pid = 0;
	bool is_program = rc == ENOENT || rc == EACCES || rc == ENOEXEC || rc == ENOTDIR ||
			  rc == ELOOP || rc == EISDIR;
	return err_set(
		err, is_program ? ERR_CONFIG : ERR_SYSTEM, "cannot be run: %s", strerror(rc));
}

static struct event *watch(struct child *child, int fd, short events, event_callback_fn callback)
{
	struct event *event =
		event_new(loop_event_base(child->loop), fd, events | EV_PERSIST, callback, child);
	if (event == NULL || event_add(event, NULL) != 0)
		abort(); /* for lack of memory only */
	return event;
}

static int begin(struct child *child, struct pipes *pipes, struct err *err)
{
	if (open_pipes(pipes, err) != 0 || spawn(child, pipes, err) != 0)
		return -1;
	child->pid_fd = (int)syscall(SYS_pidfd_open, child->pid, 0); /* close-on-exec by itself */
	if (child->pid_fd < 0 && errno == ESRCH) {
		child->pid = 0; /* it has ended, and may be somebody else's number by now */
		return err_set_errno(err, ERR_SYSTEM, "%s", untold);
	}
	if (child->pid_fd < 0)
		return err_set_errno(err, ERR_SYSTEM, "its end cannot be waited for");
	child->input_fd = pipes->input[1];
	child->output_fd = pipes->output[0];
	pipes->input[1] = pipes->output[0] = -1;
	child->ended = watch(child, child->pid_fd, EV_READ, on_ended);
	child->writable = watch(child, child->input_fd, EV_WRITE, on_writable);
	child->readable = watch(child, child->output_fd, EV_READ, on_readable);
	child->timer = loop_timer_start(child->loop, child->timeout_ms, on_time_over, child);
	return 0;
}

static void on_begin(void *arg)
{
	struct child *child = arg;
	struct pipes pipes = {.input = {-1, -1}, .output = {-1, -1}};
	struct err err = ERR_INIT;
	child->timer = NULL;
	int rc = begin(child, &pipes, &err);
	close_fd(&pipes.input[0]);
	close_fd(&pipes.input[1]);
	close_fd(&pipes.output[0]);
	close_fd(&pipes.output[1]);
	if (rc == 0)
		return;
	kill_and_reap(child);
	finish(child, NULL, &err);
}

struct child *child_start(
	struct loop *loop, const struct child_options *options, child_done_fn *done, void *arg)
{
	struct child *child = xcalloc(1, sizeof(*child));
	*child = (struct child){.loop = loop,
		.argv = copy_texts(options->argv),
		.envp = copy_texts(options->envp),
		.input = xstrndup(options->input, options->input_len),
		.input_len = options->input_len,
		.timeout_ms = options->timeout_ms,
		.pid_fd = -1,
		.input_fd = -1,
		.output_fd = -1,
		.done = done,
		.arg = arg};
	child->timer = loop_timer_start(loop, 0, on_begin, child);
	return child;
}

void child_cancel(struct child *child)
{
	if (child == NULL)
		return;
	kill_and_reap(child);
	destroy(child);
}
