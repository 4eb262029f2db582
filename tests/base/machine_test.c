#include "base/machine.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/machine-test-XXXXXX";

static bool read_of(const char *content, unsigned char *ret_machine)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
	return machine_read(path, ret_machine);
}

static void each_machine_has_a_hash_of_its_own(void **state)
{
	(void)state;
	unsigned char one[MACHINE_LEN], same[MACHINE_LEN], other[MACHINE_LEN];
	assert_true(read_of("0123456789abcdef0123456789abcdef\n", one));
	assert_true(read_of("0123456789abcdef0123456789abcdef", same));
	assert_true(read_of("0123456789abcdef0123456789abcdee\n", other));
	assert_memory_equal(one, same, sizeof(one));
	assert_memory_not_equal(one, other, sizeof(one));
	assert_memory_not_equal(one, "\x01\x23\x45\x67", 4); /* not the id itself */
}

static void a_file_without_an_id_tells_nothing(void **state)
{
	(void)state;
	unsigned char machine[MACHINE_LEN];
	assert_false(read_of("", machine));
	assert_false(read_of("uninitialized\n", machine));
	assert_false(read_of("0123456789abcdef\n", machine));
	assert_false(read_of("0123456789abcdef0123456789abcdeg\n", machine));
	assert_false(machine_read("/nonexistent/machine-id", machine));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_machine_has_a_hash_of_its_own),
		cmocka_unit_test(a_file_without_an_id_tells_nothing),
	};
	close(mkstemp(path));
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
