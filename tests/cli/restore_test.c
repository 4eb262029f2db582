/* acmsensor restore: what is said of what came back. store/restore.c is replaced; its test has the
 * rest. */
#include "store/restore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

static struct {
	int problems, index_problems;
	struct store_restored restored;
	bool fails;
	char data_dir[32], file[32];
} store;

int store_restore(const char *data_dir, const char *file, store_check_fn *found, void *arg,
	struct store_restored *ret_restored, struct err *err)
{
	char problem[32];
	snprintf(store.data_dir, sizeof(store.data_dir), "%s", data_dir);
	snprintf(store.file, sizeof(store.file), "%s", file);
	for (int i = 0; i < store.problems; i++) {
		snprintf(problem, sizeof(problem), "problem %d\x1b", i);
		found(arg, problem, false);
	}
	for (int i = 0; i < store.index_problems; i++)
		found(arg, "an index", true);
	*ret_restored = store.restored;
	return store.fails ? err_set(err, ERR_STORE, "a daemon runs (pid 7)") : 0;
}

void store_restored_clear(struct store_restored *restored)
{
	assert_ptr_equal(restored->kept_as, store.restored.kept_as);
}

static int begin(void **state)
{
	memset(&store, 0, sizeof(store));
	store.restored.stats.certificates = 9;
	store.restored.stats.events = 5;
	store.restored.stats.epoch = 0xab;
	return run_begin(state);
}

#define HOLDS " holds b now: 9 certificates, 5 events, new epoch 00000000000000ab\n"
#define START "acmsensor: start the daemon: a cycle brings it up to date\n"

static void what_came_back_is_said(void **state)
{
	(void)state;
	run_is("restore b", EXIT_DONE, "", "acmsensor: /var/lib/acmsensor" HOLDS START);
	assert_string_equal(store.file, "b");
	store.restored.kept_as = (char *)(uintptr_t) "/d/old";
	run_is("restore b --offline /d", EXIT_DONE, "",
		"acmsensor: /d" HOLDS "acmsensor: the store before it is kept as /d/old\n" START);
	assert_string_equal(store.data_dir, "/d");
}

static void what_was_not_repaired_is_a_warning(void **state)
{
	(void)state;
	store.problems = 1;
	store.index_problems = 2;
	store.restored.mended = (struct store_mended){.found = 3, .repaired = 2, .left = 1};
	run_is("restore b --offline /d", EXIT_WARNINGS, "",
		"acmsensor: problem 0\\x1b\n"
		"acmsensor: /d" HOLDS
		"acmsensor: 3 problems were found in it: 2 repaired, 1 left (acmsensord "
		"--check-store lists them)\n" START);
	store.restored.mended.left = 0;
	run_is("restore b --offline /d", EXIT_DONE, "", NULL);
}

static void only_the_first_20_problems_are_told(void **state)
{
	(void)state;
	store.problems = 30;
	run_is("restore b", EXIT_DONE, "", NULL);
	assert_non_null(strstr(run_err(), "problem 19"));
	assert_null(strstr(run_err(), "problem 20"));
}

static void what_fails_says_why(void **state)
{
	(void)state;
	store.fails = true;
	run_is("restore b", EXIT_FAILED, "", "acmsensor: a daemon runs (pid 7)\n");
}

#define RESTORE_TEST(test) cmocka_unit_test_setup_teardown(test, begin, run_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RESTORE_TEST(what_came_back_is_said),
		RESTORE_TEST(what_was_not_repaired_is_a_warning),
		RESTORE_TEST(only_the_first_20_problems_are_told),
		RESTORE_TEST(what_fails_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
