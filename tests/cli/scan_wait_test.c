/* Waiting for cycles: whose end counts, and what is said when one is lost. */
#include "cli/scan_wait.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/cli.h"
#include "cli/source.h"
#include "tests/cli/print_fixture.h"

static const struct cli cli = {.program = (char *)"acmsensor --socket /x"};

/* What the daemon answers, and how often it was asked. Linked in place of cli/source.c. */
static const char *answer;
static int asked;

int source_get(const struct cli *of, const char *path, const struct params *params, long timeout_s,
	json_t **ret_document, struct err *err)
{
	assert_ptr_equal(of, &cli);
	assert_string_equal(path, "/v1/progress");
	assert_null(params);
	assert_true(timeout_s > 0);
	asked++;
	if (answer == NULL)
		return err_set(err, ERR_UNREACHABLE, "no daemon");
	*ret_document = print_fixture_json(answer);
	return 0;
}

/* 0, or -1 with err; the results in order, each with a blank behind it. */
static int wait_for(const char *ids, char *results, size_t size, struct err *err)
{
	json_t *cycle_ids = print_fixture_json(ids), *progress = NULL, *one;
	size_t i;
	*err = (struct err)ERR_INIT;
	results[0] = '\0';
	asked = 0;
	int rc = scan_wait(&cli, cycle_ids, &progress, err);
	json_decref(cycle_ids);
	json_array_foreach(progress, i, one)
	{
		strncat(results, json_string_value(json_object_get(one, "result")),
			size - strlen(results) - 1);
		strncat(results, " ", size - strlen(results) - 1);
	}
	json_decref(progress);
	return rc;
}

static void cycles_that_ended_are_given_in_the_order_of_the_ids(void **state)
{
	(void)state;
	char results[64];
	struct err err;
	answer = "{'progress': [{'cycle_id': 'a', 'result': 'complete'},"
		 " {'cycle_id': 'other', 'phase': 'scan'}, {'cycle_id': 'b', 'result': 'failed'}]}";
	assert_int_equal(wait_for("['b', 'a']", results, sizeof(results), &err), 0);
	assert_string_equal(results, "failed complete ");
	assert_int_equal(asked, 1); /* another's that runs is not waited for */
	assert_int_equal(wait_for("[]", results, sizeof(results), &err), 0);
	assert_string_equal(results, "");
}

static void a_cycle_that_the_daemon_has_lost_is_an_error(void **state)
{
	(void)state;
	char results[64];
	struct err err;
	static const char *const answers[] = {
		"{'progress': [{'cycle_id': 'b'}]}", "{'progress': 'x'}", "{}", "[]"};
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		answer = answers[i];
		assert_int_equal(wait_for("['a']", results, sizeof(results), &err), -1);
		assert_int_equal(err.kind, ERR_NOT_FOUND);
		assert_string_equal(err.text,
			"the daemon no longer knows the cycle a; it was probably restarted and "
			"goes on by itself: acmsensor --socket /x status");
	}
	answer = "{'progress': [{'cycle_id': 'b'}]}";
	assert_int_equal(wait_for("[7]", results, sizeof(results), &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void no_daemon_ends_the_wait(void **state)
{
	(void)state;
	char results[64];
	struct err err;
	answer = NULL;
	assert_int_equal(wait_for("['a']", results, sizeof(results), &err), -1);
	assert_int_equal(err.kind, ERR_UNREACHABLE);
	assert_int_equal(asked, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cycles_that_ended_are_given_in_the_order_of_the_ids),
		cmocka_unit_test(a_cycle_that_the_daemon_has_lost_is_an_error),
		cmocka_unit_test(no_daemon_ends_the_wait),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
