#include "discovery/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "aws/acm_read.h"
#include "base/text.h"
#include "discovery/cert_fields.h"

enum { NOW_S = 1795219200, DAY_S = 86400, MAX_AGE_S = 7 * DAY_S };

struct pair {
	struct acm_summary summary;
	struct cert_record known;
};

/* An issued certificate that ends in a year and was read an hour ago. */
static struct pair unchanged(void)
{
	static char arn[] = "arn:aws:acm:eu-west-1:111122223333:certificate/1";
	struct pair pair = {.known = cert_record_empty()};
	pair.summary.arn = arn;
	pair.summary.not_after_s = NOW_S + 365 * DAY_S;
	text_copy(pair.summary.status, sizeof(pair.summary.status), "ISSUED");
	text_copy(pair.summary.type, sizeof(pair.summary.type), "AMAZON_ISSUED");
	memset(pair.summary.digest, 7, sizeof(pair.summary.digest));
	memset(pair.known.summary_digest, 7, sizeof(pair.known.summary_digest));
	pair.known.detailed_s = NOW_S - 3600;
	return pair;
}

static enum change decide(const struct pair *pair)
{
	return change_decide(&pair->summary, &pair->known, NOW_S, MAX_AGE_S);
}

static void unchanged_certificate_costs_nothing(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	assert_int_equal(decide(&pair), CHANGE_NONE);
}

static void new_certificate_is_read_in_full(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	assert_int_equal(change_decide(&pair.summary, NULL, NOW_S, MAX_AGE_S), CHANGE_ALL);
}

static void changed_summary_is_read_in_full(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	pair.summary.digest[ACM_DIGEST_LEN - 1] ^= 1;
	assert_int_equal(decide(&pair), CHANGE_ALL);
}

static void returned_certificate_is_read_in_full(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	pair.known.gone_s = NOW_S - DAY_S;
	assert_int_equal(decide(&pair), CHANGE_ALL);
}

static void certificate_whose_details_failed_is_tried_again(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	pair.known.detail_error = "throttled";
	assert_int_equal(decide(&pair), CHANGE_ALL);
}

/* The details came from before or after what was listed: AWS was changing, or not consistent yet. */
static void details_that_contradict_their_summary_are_asked_again(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	pair.known.not_after_s = pair.summary.not_after_s - 90 * DAY_S;
	assert_int_equal(decide(&pair), CHANGE_ALL);
	pair.known.not_after_s = pair.summary.not_after_s - 1; /* rounded */
	assert_int_equal(decide(&pair), CHANGE_NONE);
	pair.known.status = "PENDING_VALIDATION";
	assert_int_equal(decide(&pair), CHANGE_ALL);
	pair.known.status = "ISSUED";
	assert_int_equal(decide(&pair), CHANGE_NONE);
	pair.summary.in_use = true;
	assert_int_equal(decide(&pair), CHANGE_DESCRIBE);
	pair.known.in_use_by.count = 1;
	assert_int_equal(decide(&pair), CHANGE_NONE);
	pair.summary.in_use = false;
	assert_int_equal(decide(&pair), CHANGE_DESCRIBE);
}

static void pending_certificate_is_described(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	pair.summary.not_after_s = 0;
	text_copy(pair.summary.status, sizeof(pair.summary.status), "PENDING_VALIDATION");
	assert_int_equal(decide(&pair), CHANGE_DESCRIBE);
}

static void certificate_near_its_end_is_described_unless_imported(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	static const struct {
		int64_t left_s;
		enum change change;
	} expected[] = {{60 * DAY_S + 1, CHANGE_NONE}, {60 * DAY_S, CHANGE_DESCRIBE},
		{1, CHANGE_DESCRIBE}, {0, CHANGE_NONE}, {-DAY_S, CHANGE_NONE}};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		pair.summary.not_after_s = NOW_S + expected[i].left_s;
		assert_int_equal(decide(&pair), expected[i].change);
	}
	pair.summary.not_after_s = NOW_S + DAY_S;
	text_copy(pair.summary.type, sizeof(pair.summary.type), "PRIVATE");
	assert_int_equal(decide(&pair), CHANGE_DESCRIBE);
	text_copy(pair.summary.type, sizeof(pair.summary.type), "IMPORTED");
	assert_int_equal(decide(&pair), CHANGE_NONE);
}

static void details_are_never_older_than_their_greatest_age(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	char arn[64];
	pair.summary.arn = arn;
	int due_at_half = 0;
	for (int i = 0; i < 1000; i++) {
		snprintf(arn, sizeof(arn), "arn:aws:acm:eu-west-1:111122223333:certificate/%d", i);
		pair.known.detailed_s = NOW_S - MAX_AGE_S;
		assert_int_equal(decide(&pair), CHANGE_ALL);
		pair.known.detailed_s = NOW_S - MAX_AGE_S / 2 + 1;
		assert_int_equal(decide(&pair), CHANGE_NONE);
		pair.known.detailed_s = NOW_S - MAX_AGE_S * 3 / 4;
		due_at_half += decide(&pair) == CHANGE_ALL;
	}
	assert_in_range(due_at_half, 400, 600);
}

static void details_fall_due_spread_over_the_days(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	char arn[64];
	pair.summary.arn = arn;
	int due[8] = {0};
	for (int i = 0; i < 1000; i++) {
		snprintf(arn, sizeof(arn), "arn:aws:acm:eu-west-1:111122223333:certificate/%d", i);
		for (int day = 0; day < 8; day++) {
			pair.known.detailed_s = NOW_S - day * DAY_S;
			if (decide(&pair) == CHANGE_NONE)
				continue;
			due[day]++;
			break;
		}
	}
	for (int day = 0; day < 4; day++)
		assert_int_equal(due[day], 0);
	assert_int_equal(due[4] + due[5] + due[6] + due[7], 1000);
	for (int day = 4; day < 8; day++)
		assert_in_range(due[day], 100, 350);
}

static void clock_that_went_back_does_not_hide_a_certificate(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	pair.known.detailed_s = NOW_S + 100 * DAY_S;
	assert_int_equal(decide(&pair), CHANGE_ALL);
}

static void smallest_greatest_age_asks_each_time(void **state)
{
	(void)state;
	struct pair pair = unchanged();
	pair.known.detailed_s = NOW_S;
	assert_int_equal(change_decide(&pair.summary, &pair.known, NOW_S, 0), CHANGE_ALL);
	pair.known.detailed_s = NOW_S - 1;
	assert_int_equal(change_decide(&pair.summary, &pair.known, NOW_S, 1), CHANGE_ALL);
}

static void serials_are_compared_as_numbers(void **state)
{
	(void)state;
	assert_true(change_is_same_serial("0fac", "0fac"));
	assert_true(change_is_same_serial("0fac", "fac"));
	assert_true(change_is_same_serial("000fAC", "FAC"));
	assert_true(change_is_same_serial("00", "0"));
	assert_false(change_is_same_serial("0fac", "0fad"));
	assert_false(change_is_same_serial("0fac", "facf"));
	assert_true(change_is_same_serial("", "0fac")); /* unknown contradicts nothing */
	assert_true(change_is_same_serial("0fac", ""));
}

static void times_may_differ_by_a_second(void **state)
{
	(void)state;
	assert_true(change_is_same_time(100, 100));
	assert_true(change_is_same_time(100, 101));
	assert_true(change_is_same_time(101, 100));
	assert_false(change_is_same_time(100, 102));
	assert_false(change_is_same_time(102, 100));
	assert_true(change_is_same_time(0, 102));
	assert_true(change_is_same_time(102, 0));
}

static void new_version_has_another_serial_or_end(void **state)
{
	(void)state;
	struct acm_detail detail = {.serial = "0fac", .not_after_s = 1000};
	assert_false(change_is_new_version(&detail, "0fac", 1000));
	assert_true(change_is_new_version(&detail, "0fad", 1000));
	assert_true(change_is_new_version(&detail, "0fac", 2000));
	assert_true(change_is_new_version(&detail, "", 0)); /* its first */
	detail.serial[0] = '\0';
	detail.not_after_s = 0;
	assert_false(change_is_new_version(&detail, "0fac", 1000));
	assert_false(change_is_new_version(&detail, "", 0));
}

static void what_was_never_issued_has_no_pem(void **state)
{
	(void)state;
	static const char *const without[] = {
		"PENDING_VALIDATION", "VALIDATION_TIMED_OUT", "FAILED"};
	static const char *const with[] = {
		"ISSUED", "INACTIVE", "EXPIRED", "REVOKED", "NEW_ONE", ""};
	for (size_t i = 0; i < 3; i++)
		assert_false(change_may_have_pem(without[i]));
	for (size_t i = 0; i < 6; i++)
		assert_true(change_may_have_pem(with[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unchanged_certificate_costs_nothing),
		cmocka_unit_test(new_certificate_is_read_in_full),
		cmocka_unit_test(changed_summary_is_read_in_full),
		cmocka_unit_test(returned_certificate_is_read_in_full),
		cmocka_unit_test(certificate_whose_details_failed_is_tried_again),
		cmocka_unit_test(details_that_contradict_their_summary_are_asked_again),
		cmocka_unit_test(pending_certificate_is_described),
		cmocka_unit_test(certificate_near_its_end_is_described_unless_imported),
		cmocka_unit_test(details_are_never_older_than_their_greatest_age),
		cmocka_unit_test(details_fall_due_spread_over_the_days),
		cmocka_unit_test(clock_that_went_back_does_not_hide_a_certificate),
		cmocka_unit_test(smallest_greatest_age_asks_each_time),
		cmocka_unit_test(serials_are_compared_as_numbers),
		cmocka_unit_test(times_may_differ_by_a_second),
		cmocka_unit_test(new_version_has_another_serial_or_end),
		cmocka_unit_test(what_was_never_issued_has_no_pem),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
