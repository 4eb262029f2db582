/* Whether a function ends its process: for asserts and allocation, which must not return. */
#ifndef TESTS_LIB_ABORTS_H
#define TESTS_LIB_ABORTS_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static inline bool aborts(void (*function)(void))
{
	pid_t child = fork();
	if (child == 0) {
		close(STDERR_FILENO); /* the message of assert is not a failure of the test */
		function();
		_exit(0);
	}
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

#endif
