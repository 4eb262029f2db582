/* Which partition a region belongs to, known or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "aws/partition.h"

static void assert_partition(const char *region, const char *name)
{
	assert_string_equal(partition_of_region(region)->name, name);
}

static void a_region_belongs_to_a_partition_by_its_name(void **state)
{
	(void)state;
	assert_partition("us-east-1", "aws");
	assert_partition("mx-central-1", "aws");
	assert_partition("cn-north-1", "aws-cn");
	assert_partition("us-gov-west-1", "aws-us-gov");
	assert_partition("us-iso-east-1", "aws-iso");
	assert_partition("us-isob-east-1", "aws-iso-b");
	assert_partition("eu-isoe-west-1", "aws-iso-e");
	assert_partition("us-isof-south-1", "aws-iso-f");
	assert_partition("eusc-de-east-1", "aws-eusc");
}

static void regions_of_the_future_follow_the_rule(void **state)
{
	(void)state;
	assert_partition("ap-southeast-42", "aws");
	assert_partition("cn-south-9", "aws-cn");
	assert_partition("us-gov-central-1", "aws-us-gov");
	assert_partition("us-isob-central-2", "aws-iso-b");
	assert_partition("eusc-de-north-3", "aws-eusc");
	assert_partition("us-gov-East_2-1", "aws-us-gov"); /* as the regex of AWS, \w */
	assert_false(partition_region_is_known("ap-southeast-42"));
	assert_true(partition_region_is_known("ap-southeast-7"));
	assert_true(partition_region_is_known("us-gov-east-1"));
}

static void what_no_rule_matches_belongs_to_aws(void **state)
{
	(void)state;
	static const char *const names[] = {"", "us", "us-", "us-east", "us-east-", "us-east-x",
		"us-east-1x", "us--1", "us-gov-1-1-1", "zz-east-1", "us-gov-west", "eusc-fr-east-1",
		"cn-north-1 ", "cn-a_b-"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_partition(names[i], "aws");
		assert_false(partition_region_is_known(names[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_region_belongs_to_a_partition_by_its_name),
		cmocka_unit_test(regions_of_the_future_follow_the_rule),
		cmocka_unit_test(what_no_rule_matches_belongs_to_aws),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
