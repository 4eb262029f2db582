/* acmsensor config: what holds and where it comes from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

#define VALUES                                                                                     \
	"{'config': [{'section': 'connector prod', 'key': 'external_id', 'value': 'e-1',"          \
	" 'source': '/etc/a.conf:3', 'help': 'of the role'},"                                      \
	" {'section': 'sensor', 'key': 'name', 'value': 'a\\u001b'}, 7]}"

static void each_value_has_its_source(void **state)
{
	(void)state;
	run_answer(VALUES);
	run_is("config", EXIT_DONE,
		"SECTION         OPTION       VALUE  SOURCE\n"
		"connector prod  external_id  e-1    /etc/a.conf:3\n"
		"sensor          name         a\\x1b\n"
		"\n",
		"");
	assert_string_equal(run_asked(), "get /v1/config\n");
	run_answer(VALUES);
	run_is("config -o wide", EXIT_DONE, NULL, "");
	run_shows("WHAT IT IS\n");
	run_shows("of the role\n");
}

static void an_external_id_is_not_for_others(void **state)
{
	(void)state;
	struct args args = {.option = NULL};
	struct cli cli = {.is_for_others = true};
	char *out = NULL;
	size_t len = 0;
	FILE *saved = stdout;
	run_answer(VALUES);
	stdout = open_memstream(&out, &len);
	int code = command_config(&cli, &args);
	fclose(stdout);
	stdout = saved;
	assert_int_equal(code, EXIT_DONE);
	assert_null(strstr(out, "e-1"));
	assert_non_null(strstr(out, "external_id  (set, not shown)"));
	free(out);
}

static void programs_get_the_values(void **state)
{
	(void)state;
	run_answer("{'config': [{'key': 'a', 'value': null}]}");
	run_is("config -o csv", EXIT_DONE, "key,value\r\na,\r\n", "");
	run_answer("{'config': []}");
	run_is("config -o json", EXIT_DONE, "{\n  \"config\": []\n}\n", "");
	run_refuse(ERR_TIMEOUT, "", "slow");
	run_is("config", EXIT_FAILED, "", "acmsensor: slow\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(each_value_has_its_source),
		RUN_TEST(an_external_id_is_not_for_others),
		RUN_TEST(programs_get_the_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
