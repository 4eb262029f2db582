/* One object of the local API, read leniently: what is of another type counts as absent. */
#include "cli/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/print_fixture.h"

static void what_is_of_another_type_is_absent(void **state)
{
	(void)state;
	json_t *row = print_fixture_json("{'text': 'a', 'number': 7, 'yes': true, 'no': false,"
					 " 'null': null, 'at': '2026-11-21T00:00:00Z'}");
	assert_string_equal(row_text(row, "text"), "a");
	assert_string_equal(row_text(row, "number"), "");
	assert_int_equal(row_int(row, "number"), 7);
	assert_int_equal(row_int(row, "text"), 0);
	assert_true(row_bool(row, "yes"));
	assert_false(row_bool(row, "no") || row_bool(row, "text") || row_bool(row, "other"));
	assert_true(row_has(row, "no"));
	assert_false(row_has(row, "null") || row_has(row, "other"));
	assert_null(row_get(row, "null"));
	assert_int_equal(row_time(row, "at"), 1795219200);
	assert_int_equal(row_time(row, "text"), 0);
	assert_int_equal(row_time(row, "number"), 0);
	json_decref(row);
	assert_string_equal(row_text(NULL, "text"), "");
}

/* What would move a terminal's cursor is no PEM. */
static void pem_is_of_its_letters_alone(void **state)
{
	(void)state;
	json_t *row = print_fixture_json(
		"{'pem': '-----BEGIN CERTIFICATE-----\\nAb0+/=\\n-----END CERTIFICATE-----\\n',"
		" 'escape': '-----BEGIN\\u001b[31m', 'umlaut': '\\u00e4', 'return': 'A\\r\\n'}");
	assert_true(row_is_pem(row, "pem"));
	assert_false(row_is_pem(row, "escape"));
	assert_false(row_is_pem(row, "umlaut"));
	assert_false(row_is_pem(row, "return"));
	json_decref(row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_of_another_type_is_absent),
		cmocka_unit_test(pem_is_of_its_letters_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
