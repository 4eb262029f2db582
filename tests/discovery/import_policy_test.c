#include "discovery/import_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "aws/acm_read.h"
#include "base/err.h"
#include "base/text.h"

enum { NOW_S = 1795219200, DAY_S = 86400 };

static bool admits(const struct import_policy *policy, const char *status, int64_t not_after_s)
{
	struct acm_summary summary = {.not_after_s = not_after_s};
	text_copy(summary.status, sizeof(summary.status), status);
	return import_policy_admits(policy, &summary, NOW_S);
}

static void all_admits_everything_and_off_nothing(void **state)
{
	(void)state;
	static const char *const status[] = {"ISSUED", "EXPIRED", "REVOKED", "FAILED", "NEW_ONE"};
	struct import_policy all = {.mode = IMPORT_ALL}, off = {.mode = IMPORT_OFF};
	for (size_t i = 0; i < 5; i++) {
		assert_true(admits(&all, status[i], NOW_S - 1));
		assert_false(admits(&off, status[i], NOW_S + DAY_S));
	}
}

static void valid_admits_all_but_expired_and_revoked(void **state)
{
	(void)state;
	struct import_policy valid = {.mode = IMPORT_VALID};
	static const char *const in[] = {"ISSUED", "PENDING_VALIDATION", "INACTIVE", "FAILED",
		"VALIDATION_TIMED_OUT", "NEW_ONE", ""};
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		assert_true(admits(&valid, in[i], NOW_S + DAY_S));
		assert_true(admits(&valid, in[i], 0));
	}
	assert_false(admits(&valid, "EXPIRED", NOW_S - DAY_S));
	assert_false(admits(&valid, "EXPIRED", 0));
	assert_false(admits(&valid, "REVOKED", NOW_S + DAY_S));
}

static void end_of_validity_counts_whatever_the_status_says(void **state)
{
	(void)state;
	struct import_policy valid = {.mode = IMPORT_VALID};
	assert_true(admits(&valid, "ISSUED", NOW_S));
	assert_false(admits(&valid, "ISSUED", NOW_S - 1));
}

static void revoked_ones_enter_when_asked_for(void **state)
{
	(void)state;
	struct import_policy policy = {.mode = IMPORT_VALID, .has_revoked = true};
	assert_true(admits(&policy, "REVOKED", NOW_S + DAY_S));
	assert_true(admits(&policy, "REVOKED", NOW_S - DAY_S));
	assert_false(admits(&policy, "EXPIRED", NOW_S - DAY_S));
}

static void parse(struct import_policy *policy, const char *text)
{
	struct err err = ERR_INIT;
	*policy = (struct import_policy){.mode = IMPORT_VALID};
	assert_int_equal(import_expired_parse(text, policy, &err), 0);
}

static void expired_ones_enter_within_a_time(void **state)
{
	(void)state;
	struct import_policy policy;
	parse(&policy, "90d");
	assert_true(admits(&policy, "EXPIRED", NOW_S - 90 * DAY_S));
	assert_true(admits(&policy, "ISSUED", NOW_S - 1));
	assert_false(admits(&policy, "EXPIRED", NOW_S - 90 * DAY_S - 1));
	assert_true(admits(&policy, "EXPIRED", 0)); /* nobody knows when */
	assert_true(admits(&policy, "ISSUED", NOW_S + DAY_S));
}

static void expired_ones_enter_within_a_range(void **state)
{
	(void)state;
	struct import_policy policy;
	parse(&policy, "2024-01-01..2025-06-30");
	enum { FROM_S = 1704067200, TO_S = 1751327999 };
	assert_true(admits(&policy, "EXPIRED", FROM_S));
	assert_true(admits(&policy, "EXPIRED", TO_S));
	assert_false(admits(&policy, "EXPIRED", FROM_S - 1));
	assert_false(admits(&policy, "EXPIRED", TO_S + 1));
	parse(&policy, "2024-01-01T00:00:00Z..2024-01-01T00:00:00Z");
	assert_true(admits(&policy, "EXPIRED", FROM_S));
	assert_false(admits(&policy, "EXPIRED", FROM_S + 1));
}

static void later_setting_replaces_the_former(void **state)
{
	(void)state;
	struct import_policy policy;
	struct err err = ERR_INIT;
	parse(&policy, "2024-01-01..2025-06-30");
	assert_int_equal(import_expired_parse("90d", &policy, &err), 0);
	assert_int_equal(policy.expired_from_s, 0);
	assert_int_equal(policy.expired_to_s, 0);
	assert_int_equal(import_expired_parse("2024-01-01..2025-06-30", &policy, &err), 0);
	assert_int_equal(policy.expired_within_s, 0);
	assert_int_equal(import_expired_parse("no", &policy, &err), 0);
	assert_false(policy.has_expired);
}

static void what_is_no_setting_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "yes", "90x", "-1d", "0d", "..", "2024-01-01..",
		"..2024-01-01", "2024-01-01..soon", "soon..2024-01-01", "2024-01-02..2024-01-01",
		"2024-13-01..2024-01-01",
		"0000000000000000000000000000000000000000000000000000000000000000..2024-01-01",
		"2024-01-01..0000000000000000000000000000000000000000000000000000000000000000"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct import_policy policy = {.expired_within_s = 5}, before = policy;
		struct err err = ERR_INIT;
		assert_int_equal(import_expired_parse(wrong[i], &policy, &err), -1);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_memory_equal(&policy, &before, sizeof(policy));
		if (wrong[i][0] != '\0')
			assert_non_null(strstr(err.text, wrong[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_admits_everything_and_off_nothing),
		cmocka_unit_test(valid_admits_all_but_expired_and_revoked),
		cmocka_unit_test(end_of_validity_counts_whatever_the_status_says),
		cmocka_unit_test(revoked_ones_enter_when_asked_for),
		cmocka_unit_test(expired_ones_enter_within_a_time),
		cmocka_unit_test(expired_ones_enter_within_a_range),
		cmocka_unit_test(later_setting_replaces_the_former),
		cmocka_unit_test(what_is_no_setting_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
