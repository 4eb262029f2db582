#include "cli/tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"

static int run(const char *script, const char *input, struct buf *output, struct err *err)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	return tool_run(argv, input, input != NULL ? strlen(input) : 0, output, err);
}

static void bytes_go_in_and_come_out(void **state)
{
	struct err err = ERR_INIT;
	struct buf output;
	(void)state;
	buf_init(&output, 100);
	buf_add_text(&output, "> ");
	assert_int_equal(run("tr a-z A-Z", "key", &output, &err), 0);
	assert_string_equal(buf_text(&output), "> KEY");
	assert_int_equal(run("cat", NULL, &output, &err), 0);
	assert_string_equal(buf_text(&output), "> KEY");
	buf_clear(&output);
}

static void a_tool_that_reads_nothing_is_no_failure(void **state)
{
	static char input[TOOL_INPUT_MAX + 1];
	struct err err = ERR_INIT;
	struct buf output;
	(void)state;
	memset(input, 'a', TOOL_INPUT_MAX);
	buf_init(&output, 100);
	assert_int_equal(run("exec <&-; echo done", input, &output, &err), 0);
	assert_string_equal(buf_text(&output), "done\n");
	buf_clear(&output);
}

static void failures_name_the_tool(void **state)
{
	static const char *const missing[] = {"/nonexistent/tool", NULL};
	struct err err = ERR_INIT;
	struct buf output;
	(void)state;
	buf_init(&output, 100);
	assert_int_equal(run("exit 7", NULL, &output, &err), -1);
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_string_equal(err.text, "sh failed with code 7");
	assert_int_equal(run("kill -9 $$", NULL, &output, &err), -1);
	assert_string_equal(err.text, "sh was ended by signal 9");
	assert_int_equal(tool_run(missing, NULL, 0, &output, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "cannot start /nonexistent/tool"));
	buf_clear(&output);
}

static void more_output_than_fits_is_a_failure_and_no_hang(void **state)
{
	struct err err = ERR_INIT;
	struct buf output;
	(void)state;
	buf_init(&output, 5000);
	assert_int_equal(run("head -c 1000000 /dev/zero", NULL, &output, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "sh: what it printed is larger than 5000 bytes");
	buf_clear(&output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_go_in_and_come_out),
		cmocka_unit_test(a_tool_that_reads_nothing_is_no_failure),
		cmocka_unit_test(failures_name_the_tool),
		cmocka_unit_test(more_output_than_fits_is_a_failure_and_no_hang),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
