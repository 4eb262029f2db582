/* ARNs: which are those of ACM certificates, and where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/arn_place.h"

#define ID "12345678-1234-1234-1234-0123456789ab"

static void account_and_region_are_taken_from_the_arn(void **state)
{
	(void)state;
	struct arn_place place;
	assert_true(arn_place_parse(
		"arn:aws-us-gov:acm:us-gov-west-1:123456789012:certificate/" ID, &place));
	assert_string_equal(place.account_id, "123456789012");
	assert_string_equal(place.region, "us-gov-west-1");
}

static void what_is_no_certificate_of_acm_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		":",
		"arn",
		"arn:aws:acm:eu-west-1:123456789012:",
		"arn:aws:acm:eu-west-1:123456789012:certificate/",
		"arn:aws:acm:eu-west-1:123456789012:certificate/short",
		"arn:aws:acm:eu-west-1:123456789012:account/" ID,
		"arn:aws:acm:eu-west-1:12345678901:certificate/" ID,
		"arn:aws:acm:eu-west-1::certificate/" ID,
		"arn:aws:acm::123456789012:certificate/" ID,
		"arn:aws:acm-pca:eu-west-1:123456789012:certificate/" ID,
		"arn:aws:iam:eu-west-1:123456789012:certificate/" ID,
		"arn::acm:eu-west-1:123456789012:certificate/" ID,
		"xarn:aws:acm:eu-west-1:123456789012:certificate/" ID,
		"arn:aws:acm:a-region-with-a-name-longer-than-any-1:123456789012:certificate/" ID,
	};
	(void)state;
	struct arn_place place = {.region = "untouched"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(arn_place_parse(wrong[i], &place));
	assert_string_equal(place.region, "untouched");
}

static void truncation_at_every_byte_is_refused(void **state)
{
	(void)state;
	const char *whole = "arn:aws:acm:eu-west-1:123456789012:certificate/12345678";
	struct arn_place place;
	char part[128];
	assert_true(arn_place_parse(whole, &place));
	for (size_t len = 0; len < strlen(whole); len++) {
		memcpy(part, whole, len);
		part[len] = '\0';
		assert_false(arn_place_parse(part, &place));
	}
}

static void the_tail_is_what_a_person_types(void **state)
{
	(void)state;
	assert_string_equal(arn_tail("certificate/" ID), "456789ab");
	assert_string_equal(arn_tail("short"), "short");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(account_and_region_are_taken_from_the_arn),
		cmocka_unit_test(what_is_no_certificate_of_acm_is_refused),
		cmocka_unit_test(truncation_at_every_byte_is_refused),
		cmocka_unit_test(the_tail_is_what_a_person_types),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
