/*
 * Work that needs a process of its own: another user, another mount table, an end by kill -9. In the
 * child cmocka's assertions do not work (they jump back into the parent's stack): CHECK does.
 */
#ifndef TESTS_LIB_CHILD_H
#define TESTS_LIB_CHILD_H

#include <stdio.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ends the child by becoming another program, so that nothing of the parent's (exit handlers, the
 * search for leaks under valgrind and ASan) takes place here. */
__attribute__((noreturn)) static inline void child_exit(int code)
{
	char command[16];
	snprintf(command, sizeof(command), "exit %d", code);
	fflush(stderr);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(code);
}

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			child_exit(1);                                                             \
		}                                                                                  \
	} while (0)

typedef void child_fn(void *arg);

static inline pid_t child_start(child_fn *fn, void *arg)
{
	fflush(stdout);
	fflush(stderr);
	pid_t pid = fork();
	if (pid == 0) {
		fn(arg);
		child_exit(0);
	}
	return pid;
}

/* Exit code, or 128 and the signal that ended it. */
static inline int child_wait(pid_t pid)
{
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline int child_run(child_fn *fn, void *arg)
{
	return child_wait(child_start(fn, arg));
}

#endif
