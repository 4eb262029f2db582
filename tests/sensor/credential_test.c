#include "sensor/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/lib/temp_store.h"

static void expect(const char *configured, const char *expected)
{
	char *path = credential_file(configured, "key");
	if (expected == NULL)
		assert_null(path);
	else
		assert_string_equal(path, expected);
	free(path);
}

static void a_credential_is_found_when_there_is_one(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	char *path = temp_path(folder, "key");
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	expect("", NULL);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	expect("", path);
	free(path);
	temp_folder_remove(folder);
}

static void what_is_configured_comes_first_there_or_not(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	expect("/nonexistent/key", "/nonexistent/key");
	temp_folder_remove(folder);
}

static void without_a_folder_of_credentials_there_is_none(void **state)
{
	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	expect("", NULL);
	setenv("CREDENTIALS_DIRECTORY", "relative", 1);
	expect("", NULL);
	setenv("CREDENTIALS_DIRECTORY", "", 1);
	expect("", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_credential_is_found_when_there_is_one),
		cmocka_unit_test(what_is_configured_comes_first_there_or_not),
		cmocka_unit_test(without_a_folder_of_credentials_there_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
