/* acmsensor certs: the table, and that each option becomes its parameter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cli/run_cli.h"

static void the_end_is_told_relative_and_as_a_date(void **state)
{
	(void)state;
	run_answer("[{'domain_name': 'x.example', 'not_after': '2026-11-20T01:00:00Z',"
		   " 'status': 'ISSUED', 'expired': true, 'type': 'IMPORTED', 'in_use': true,"
		   " 'account_name': 'shop', 'account_id': '1', 'region': 'r'},"
		   " {'domain_name': 'a\\u001bb', 'not_after': '9999-12-31T23:59:59Z',"
		   " 'account_id': '2'}, {'not_after': 7}, 7]");
	run_is("certs", EXIT_DONE,
		"EXPIRES        DATE        DOMAIN       STATUS   TYPE      IN USE  ACCOUNT  REGION\n"
		"24 hours ago   2026-11-20  x.example    EXPIRED  IMPORTED  yes     shop     r\n"
		"in 7978 years  9999-12-31  a\\x1bb                          no      2\n"
		"-              -           (no domain)                     no\n"
		"-              -           (no domain)                     no\n",
		"");
	assert_string_equal(run_asked(), "rows 0\n");
}

static void wide_counts_the_names(void **state)
{
	(void)state;
	run_answer("[{'subject_alternative_names': ['a', 'b'], 'key_algorithm': 'RSA_2048',"
		   " 'serial': '0a', 'arn': 'arn:x'}]");
	run_is("certs -o wide", EXIT_DONE, NULL, "");
	run_shows("KEY       NAMES  SERIAL  ARN\n");
	run_shows("RSA_2048      2  0a      arn:x\n");
}

static void on_40_columns_end_name_and_status_stay(void **state)
{
	(void)state;
	run_terminal = (struct terminal){.is_tty = true, .is_utf8 = true, .columns = 40};
	run_answer("[{'domain_name': 'a-rather-long-name.example.com', 'status': 'ISSUED',"
		   " 'not_after': '2026-12-21T01:00:00Z', 'region': 'eu-central-1'}]");
	run_is("certs", EXIT_DONE,
		"EXPIRES     DOMAIN                STATUS\n"
		"in 30 days  a-rather-long-name.…  ISSUED\n",
		"");
}

static void each_option_becomes_its_parameter(void **state)
{
	(void)state;
	static const char *const options[][2] = {{"--expires 30d", "expires=30d"},
		{"--expires-after 0d", "expires_after=0d"}, {"--domain x", "domain=x"},
		{"--domain-suffix x", "domain_suffix=x"}, {"--connector c", "connector=c"},
		{"--account 1", "account=1"}, {"--region r", "region=r"},
		{"--status S", "status=S"}, {"--type T", "type=T"}, {"--in-use yes", "in_use=yes"},
		{"--tag k=v", "tag=k=v"}, {"--fingerprint f", "fingerprint=f"},
		{"--serial s", "serial=s"}, {"--sort arn", "sort=arn"}, {"--gone", "gone=yes"}};
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		char line[64], asked[64];
		snprintf(line, sizeof(line), "certs -o json %s", options[i][0]);
		snprintf(asked, sizeof(asked), "document 0 %s\n", options[i][1]);
		run_answer("{}");
		run_is(line, EXIT_DONE, "{}", "");
		assert_string_equal(run_asked(), asked);
	}
}

static void none_may_mean_that_not_everything_was_read(void **state)
{
	(void)state;
	run_answer("[]");
	run_answer("[{}]");
	run_is("certs", EXIT_DONE, "",
		"acmsensor: no certificates match; 1 account-regions could not be read: acmsensor "
		"coverage --problems\n");
	assert_string_equal(run_asked(), "rows 0\nrows 3 problems=yes\n");
	run_answer("[]");
	run_answer("[]");
	run_is("certs -o csv", EXIT_DONE, NULL, "acmsensor: no certificates match\n");
	run_shows("arn,account_id,");
	run_refuse(ERR_CONFIG, "", "in_use: \"maybe\"");
	run_is("certs --in-use maybe", EXIT_USAGE, "", "acmsensor: in_use: \"maybe\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(the_end_is_told_relative_and_as_a_date),
		RUN_TEST(wide_counts_the_names),
		RUN_TEST(on_40_columns_end_name_and_status_stay),
		RUN_TEST(each_option_becomes_its_parameter),
		RUN_TEST(none_may_mean_that_not_everything_was_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
