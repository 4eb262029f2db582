/* acmsensor cancel: asks for the end of a job. What comes of an order is in job_test.c. */
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
	run_is("cancel j-1", EXIT_DONE, NULL, "");
	assert_string_equal(run_asked(), "post /v1/cancel {\"job\":\"j-1\"}\n");
	run_refuse(ERR_REFUSED, "", "not now");
	run_is("cancel j-1", EXIT_FAILED, "", "acmsensor: not now\n");
	run_is("cancel", EXIT_USAGE, "", NULL);
}

static void nobody_waits_for_it(void **state)
{
	(void)state;
	run_is("cancel j-1 --wait", EXIT_USAGE, "", NULL);
	assert_string_equal(run_asked(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(the_order_names_it),
		RUN_TEST(nobody_waits_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
