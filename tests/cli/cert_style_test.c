/* How urgent a certificate looks, at each of the days that count. */
#include "cli/cert_style.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/cli/print_fixture.h"

enum { NOW_S = 1795219200, DAY_S = 86400 }; /* 2026-11-21T00:00:00Z */

static void expect(const char *text, int64_t now_s, enum style style, const char *status)
{
	json_t *row = print_fixture_json(text);
	assert_int_equal(cert_style(row, now_s), style);
	assert_string_equal(cert_status_word(row), status);
	json_decref(row);
}

static void urgency_is_a_matter_of_days(void **state)
{
	(void)state;
	const char *row = "{'status': 'ISSUED', 'not_after': '2026-11-21T00:00:00Z'}";
	expect(row, NOW_S - 31 * DAY_S, STYLE_PLAIN, "ISSUED");
	expect(row, NOW_S - 30 * DAY_S - 1, STYLE_PLAIN, "ISSUED");
	expect(row, NOW_S - 30 * DAY_S, STYLE_YELLOW, "ISSUED");
	expect(row, NOW_S - 7 * DAY_S - 1, STYLE_YELLOW, "ISSUED");
	expect(row, NOW_S - 7 * DAY_S, STYLE_RED, "ISSUED");
	expect(row, NOW_S + DAY_S, STYLE_RED, "ISSUED");
}

static void what_is_gone_or_has_no_end_is_not_urgent(void **state)
{
	(void)state;
	expect("{'status': 'PENDING_VALIDATION'}", NOW_S, STYLE_PLAIN, "PENDING_VALIDATION");
	expect("{'status': 'ISSUED', 'gone': true, 'expired': true,"
	       " 'not_after': '2026-11-20T00:00:00Z'}",
		NOW_S, STYLE_DIM, "GONE");
	expect("{'status': 'ISSUED', 'expired': true, 'not_after': '2026-11-20T00:00:00Z'}", NOW_S,
		STYLE_RED, "EXPIRED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urgency_is_a_matter_of_days),
		cmocka_unit_test(what_is_gone_or_has_no_end_is_not_urgent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
