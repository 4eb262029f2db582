#include "base/std_files.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Bits of the three that are closed; in a child, because the test itself needs its own. */
static int numbers_given_after(unsigned closed)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		for (int fd = 0; fd < 3; fd++)
			if ((closed >> fd & 1) != 0)
				(void)close(fd);
		std_files_open();
		struct stat null, status;
		for (int fd = 0; fd < 3; fd++)
			if ((closed >> fd & 1) != 0 &&
				(stat("/dev/null", &null) != 0 || fstat(fd, &status) != 0 ||
					status.st_rdev != null.st_rdev))
				_exit(100);
		_exit(open("/dev/zero", O_RDONLY));
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void next_file_is_none_of_the_three(void **state)
{
	(void)state;
	for (unsigned closed = 0; closed < 8; closed++) {
		int given = numbers_given_after(closed);
		assert_in_range(given, 3, 99);
	}
}

static void open_ones_are_left_alone(void **state)
{
	(void)state;
	struct stat before[3], after[3];
	for (int fd = 0; fd < 3; fd++)
		assert_int_equal(fstat(fd, &before[fd]), 0);
	std_files_open();
	for (int fd = 0; fd < 3; fd++) {
		assert_int_equal(fstat(fd, &after[fd]), 0);
		assert_int_equal(before[fd].st_ino, after[fd].st_ino);
	}
}

int main(void)
{
	std_files_open(); /* should this program have been started without them */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_file_is_none_of_the_three),
		cmocka_unit_test(open_ones_are_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
