/* acmsensor metrics: the daemon's text, in the format that was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/openmetrics.h"
#include "tests/cli/run_cli.h"

static void the_text_is_copied_whatever_the_output(void **state)
{
	(void)state;
	run_answer("['a 1\\n# EOF\\n']");
	run_is("metrics -o csv", EXIT_DONE, "a 1\n# EOF\n", "");
	assert_string_equal(run_asked(), "text /metrics " OPENMETRICS_CONTENT_TYPE "\n");
	run_answer("['a 1\\n']");
	run_is("metrics --classic", EXIT_DONE, "a 1\n", "");
	assert_string_equal(run_asked(), "text /metrics " OPENMETRICS_CLASSIC_TYPE "\n");
}

static void what_fails_says_why(void **state)
{
	(void)state;
	run_refuse(ERR_TIMEOUT, "", "slow");
	run_is("metrics", EXIT_FAILED, "", "acmsensor: slow\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(the_text_is_copied_whatever_the_output),
		RUN_TEST(what_fails_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
