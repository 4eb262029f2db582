/* What a suggested command begins with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/cli.h"

static void expect(const char *socket_path, const char *offline_dir, const char *text)
{
	char *program = cli_program_new(socket_path, offline_dir);
	struct cli cli = {.program = program};
	assert_string_equal(cli_program(&cli), text);
	free(program);
}

static void what_was_given_is_repeated(void **state)
{
	(void)state;
	expect(NULL, NULL, "acmsensor");
	expect("/tmp/a-b_1.sock", NULL, "acmsensor --socket /tmp/a-b_1.sock");
	expect(NULL, "data", "acmsensor --offline data");
	assert_string_equal(cli_program(&(struct cli){.program = NULL}), "acmsensor");
}

static void a_shell_reads_it_as_it_was(void **state)
{
	(void)state;
	expect("/tmp/my socket", NULL, "acmsensor --socket '/tmp/my socket'");
	expect("it's;$(x)", NULL, "acmsensor --socket 'it'\\''s;$(x)'");
	expect("", NULL, "acmsensor --socket ''");
}

static void what_nobody_could_read_is_left_out(void **state)
{
	(void)state;
	char *path = xcalloc(1, 40000);
	memset(path, 'a', 39999);
	expect(NULL, path, "acmsensor");
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_given_is_repeated),
		cmocka_unit_test(a_shell_reads_it_as_it_was),
		cmocka_unit_test(what_nobody_could_read_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
