#include "aws/arn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void fields_are_found_in_every_partition(void **state)
{
	(void)state;
	struct arn arn;
	assert_true(
		arn_parse("arn:aws-us-gov:acm:us-gov-west-1:012345678901:certificate/a:b", &arn));
	assert_string_equal(arn.partition, "aws-us-gov");
	assert_string_equal(arn.service, "acm");
	assert_string_equal(arn.region, "us-gov-west-1");
	assert_string_equal(arn.account_id, "012345678901");
	assert_string_equal(arn.resource, "certificate/a:b");
}

static void region_and_account_may_be_empty(void **state)
{
	(void)state;
	struct arn arn;
	assert_true(arn_parse("arn:aws:iam::111122223333:role/path/name", &arn));
	assert_string_equal(arn.region, "");
	assert_true(arn_parse("arn:aws:s3:::bucket", &arn));
	assert_string_equal(arn.account_id, "");
	assert_string_equal(arn.resource, "bucket");
}

static void what_is_no_arn_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "arn", "arn:", "arn:aws:acm:eu-west-1",
		"arn:aws:acm::x:y",
		"arn:aws:acm:eu-west-1:111122223333:", "arn::acm:eu-west-1:111122223333:c",
		"arn:aws::eu-west-1:111122223333:c", "ARN:aws:acm:eu-west-1:111122223333:c",
		"arn:aws:acm:EU WEST:111122223333:c", "arn:aws:acm:europe:111122223333:c",
		"arn:aws:acm:eu-west-1:11112222333344445:c",
		"arn:aws:acm:eu-west-1:111122223333:c\x7f", "arn:aws:acm:eu-west-1:11112222333:c",
		"arn:aws:acm:eu-west-1:111122223333:c d", "arn:aws:acm:eu-west-1:111122223333:c\n",
		"arn:aws:acm:eu-west-1:111122223333:\xff",
		"arn:a-partition-much-too-long:acm:eu-west-1:111122223333:c"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct arn arn = {.partition = "untouched"};
		assert_false(arn_parse(wrong[i], &arn));
		assert_string_equal(arn.partition, "untouched");
	}
}

static void certificates_are_told_from_the_rest(void **state)
{
	(void)state;
	struct arn arn = {.resource = "untouched"};
	assert_false(arn_parse_certificate("arn:aws:iam::111122223333:certificate/1", &arn));
	assert_false(arn_parse_certificate("arn:aws:acm:eu-west-1:111122223333:account/1", &arn));
	assert_false(arn_parse_certificate("certificate/1", &arn));
	assert_string_equal(arn.resource, "untouched");
	assert_true(arn_parse_certificate(
		"arn:aws-cn:acm:cn-north-1:111122223333:certificate/1", &arn));
	assert_string_equal(arn.region, "cn-north-1");
}

static void longer_than_aws_allows_is_refused(void **state)
{
	(void)state;
	static char text[ARN_MAX + 2] = "arn:aws:acm:eu-west-1:111122223333:";
	size_t prefix = strlen(text);
	memset(text + prefix, 'x', ARN_MAX - prefix);
	struct arn arn;
	assert_true(arn_parse(text, &arn));
	text[ARN_MAX] = 'x';
	assert_false(arn_parse(text, &arn));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_found_in_every_partition),
		cmocka_unit_test(region_and_account_may_be_empty),
		cmocka_unit_test(what_is_no_arn_is_refused),
		cmocka_unit_test(certificates_are_told_from_the_rest),
		cmocka_unit_test(longer_than_aws_allows_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
