/* acmsensor apply: carries a plan out, and waits when it is told to. What comes of an order is in job_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

static void the_order_names_it(void **state)
{
	(void)state;
	run_answer("{'job': {'id': 'j-2', 'kind': 'k', 'state': 'running'}}");
	run_is("apply p-1", EXIT_DONE, NULL, "");
	assert_string_equal(run_asked(), "post /v1/apply {\"plan\":\"p-1\"}\n");
	run_refuse(ERR_REFUSED, "", "not now");
	run_is("apply p-1", EXIT_FAILED, "", "acmsensor: not now\n");
	run_is("apply", EXIT_USAGE, "", NULL);
}

static void the_end_is_waited_for_when_asked(void **state)
{
	(void)state;
	run_answer("{'job': {'id': 'j-2'}}");
	run_answer("{'jobs': [{'state': 'succeeded', 'reason': 'x; warning: y'}]}");
	run_is("apply p-1 --wait", EXIT_WARNINGS, NULL, NULL);
	assert_string_equal(
		run_asked(), "post /v1/apply {\"plan\":\"p-1\"}\nget /v1/jobs id=j-2 after=0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(the_order_names_it),
		RUN_TEST(the_end_is_waited_for_when_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
