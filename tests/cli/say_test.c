/* What is said on stderr, and the exit code that goes with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/interrupt.h"

enum { SAID_MAX = 512 };

/* Calls cli_fail with stderr in a file; what it held is in ret_said. */
static int fail_with(const struct err *err, char ret_said[static SAID_MAX])
{
	FILE *file = tmpfile();
	int former = dup(STDERR_FILENO);
	assert_non_null(file);
	assert_true(former >= 0);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	int code = cli_fail(err);
	fflush(stderr);
	dup2(former, STDERR_FILENO);
	close(former);
	rewind(file);
	ret_said[fread(ret_said, 1, SAID_MAX - 1, file)] = '\0';
	fclose(file);
	return code;
}

static void each_kind_has_its_exit_code(void **state)
{
	static const struct {
		enum err_kind kind;
		int code;
	} row[] = {{ERR_CONFIG, EXIT_USAGE}, {ERR_UNREACHABLE, EXIT_NOT_REACHABLE},
		{ERR_DENIED, EXIT_FAILED}, {ERR_TIMEOUT, EXIT_FAILED}, {ERR_STOPPED, EXIT_FAILED}};
	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char said[SAID_MAX];
		struct err err = ERR_INIT;
		(void)err_set(&err, row[i].kind, "the reason");
		assert_int_equal(fail_with(&err, said), row[i].code);
		assert_string_equal(said, "acmsensor: the reason\n");
	}
}

static void an_interrupt_ends_as_a_shell_says(void **state)
{
	char said[SAID_MAX];
	struct err err = ERR_INIT;
	(void)state;
	(void)interrupt_fail("interrupted; the job goes on", &err);
	assert_int_equal(fail_with(&err, said), EXIT_INTERRUPTED);
}

static void what_a_terminal_would_obey_is_escaped(void **state)
{
	char said[SAID_MAX];
	struct err err = ERR_INIT;
	(void)state;
	(void)err_set(&err, ERR_SERVICE, "a\x1b[31mb\nc");
	assert_int_equal(fail_with(&err, said), EXIT_FAILED);
	assert_null(strchr(said, '\x1b'));
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_has_its_exit_code),
		cmocka_unit_test(an_interrupt_ends_as_a_shell_says),
		cmocka_unit_test(what_a_terminal_would_obey_is_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
