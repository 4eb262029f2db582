/* See folder_fixture.h. */
#include "tests/cli/folder_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/temp_store.h"

static char *folder;

int folder_enter(void **state)
{
	(void)state;
	folder = temp_folder_new();
	return chdir(folder);
}

int folder_leave(void **state)
{
	(void)state;
	int rc = chdir("/");
	temp_folder_remove(folder);
	return rc;
}

void folder_write(const char *name, const void *bytes, size_t len, unsigned mode)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}
