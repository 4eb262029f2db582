#include "aws/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/err.h"
#include "tests/lib/fake_environment.h"

static int setup(void **state)
{
	(void)state;
	fake_environment_begin();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_environment_end();
	return 0;
}

static struct aws_profile load(const char *name)
{
	struct aws_profile profile;
	struct err err = ERR_INIT;
	if (aws_profile_load(fake_getenv, name, &profile, &err) != 0)
		fail_msg("%s", err.text);
	return profile;
}

static void expect_keys(const char *name, const char *key_id, const char *secret, const char *token)
{
	struct aws_profile profile = load(name);
	assert_true(profile.has_keys);
	assert_string_equal(profile.credentials.access_key_id, key_id);
	assert_string_equal(secret_bytes(&profile.credentials.secret_access_key), secret);
	assert_string_equal(secret_bytes(&profile.credentials.session_token), token);
	aws_profile_clear(&profile);
}

static void expect_error(const char *name, const char *part)
{
	struct aws_profile profile = {.use_fips = 7};
	struct err err = ERR_INIT;
	assert_int_equal(aws_profile_load(fake_getenv, name, &profile, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	if (strstr(err.text, part) == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(profile.use_fips, 7);
}

static void without_files_there_is_no_profile(void **state)
{
	(void)state;
	struct aws_profile profile = load(NULL);
	assert_string_equal(profile.name, "default");
	assert_false(profile.is_found || profile.has_keys || profile.has_other_method);
	assert_int_equal(profile.use_fips, -1);
	fake_setenv("HOME", NULL);
	assert_false(load(NULL).is_found);
}

static void keys_come_from_either_file(void **state)
{
	(void)state;
	fake_environment_write("config",
		"[default]\nregion = eu-west-1\n[profile prod]\naws_access_key_id = AKIACONFIG\n"
		"aws_secret_access_key = c/o+n=\naws_session_token = tok\nregion=us-east-1\n");
	fake_environment_write("credentials",
		"[default]\naws_access_key_id=AKIADEFAULT\naws_secret_access_key=d\n");
	expect_keys(NULL, "AKIADEFAULT", "d", "");
	expect_keys("prod", "AKIACONFIG", "c/o+n=", "tok");
	struct aws_profile profile = load("prod");
	assert_string_equal(profile.region, "us-east-1");
	assert_non_null(strstr(profile.file, "/.aws/config"));
	aws_profile_clear(&profile);
}

static void credentials_file_beats_config_as_a_whole_set(void **state)
{
	(void)state;
	fake_environment_write("config",
		"[profile prod]\naws_access_key_id=AKIACONFIG\naws_secret_access_key=c\n"
		"aws_session_token=from-config\nregion=us-east-1\n");
	fake_environment_write("credentials",
		"[prod]\naws_access_key_id=AKIACRED\naws_secret_access_key=k\nregion=eu-west-2\n");
	expect_keys("prod", "AKIACRED", "k", "");
	struct aws_profile profile = load("prod");
	assert_string_equal(profile.region, "eu-west-2");
	assert_non_null(strstr(profile.file, "/.aws/credentials"));
	aws_profile_clear(&profile);
}

static void profile_default_beats_default_wherever_it_stands(void **state)
{
	(void)state;
	static const char *const file[] = {
		"[default]\nregion=eu-west-1\nca_bundle=/a\n[profile default]\nregion=us-east-1\n",
		"[profile default]\nregion=us-east-1\n[default]\nregion=eu-west-1\nca_bundle=/a\n"};
	for (int i = 0; i < 2; i++) {
		fake_environment_write("config", file[i]);
		struct aws_profile profile = load(NULL);
		assert_string_equal(profile.region, "us-east-1");
		assert_string_equal(profile.ca_bundle, "");
		assert_true(profile.is_found);
	}
}

static void sections_that_come_twice_are_merged_and_the_last_value_wins(void **state)
{
	(void)state;
	fake_environment_write("credentials",
		"[prod]\naws_access_key_id=AKIAONE\nregion=eu-west-1\n[other]\n"
		"aws_access_key_id=AKIAOTHER\n[prod]\nAWS_Secret_Access_Key=s ; comment\n"
		"aws_access_key_id=AKIATWO\n");
	expect_keys("prod", "AKIATWO", "s", "");
}

static void names_may_be_quoted_and_blanks_do_not_count(void **state)
{
	(void)state;
	fake_environment_write("config",
		"[ profile   \"my name\" ] # comment\nregion = eu-west-1\n[profile tab]\nregion=us-west-2\n"
		"[prod]\nregion=us-east-1\n");
	assert_string_equal(load("my name").region, "eu-west-1");
	assert_string_equal(load("tab").region, "us-west-2");
	assert_false(load("prod").is_found); /* config wants the prefix */
	fake_environment_write("config",
		"[profileprod]\nregion=eu-west-1\n[profile \"prod]\nregion="
		"eu-west-1\n");
	assert_false(load("prod").is_found);
	fake_environment_write("credentials", "[profile prod]\nregion=eu-west-1\n");
	assert_false(load("prod").is_found); /* and credentials does not know it */
}

static void the_variable_names_the_profile_unless_one_is_given(void **state)
{
	(void)state;
	fake_environment_write(
		"config", "[profile a]\nregion=eu-west-1\n[profile b]\nregion=eu-west-2\n");
	fake_setenv("AWS_PROFILE", "a");
	assert_string_equal(load(NULL).region, "eu-west-1");
	assert_string_equal(load("").region, "eu-west-1");
	assert_string_equal(load("b").region, "eu-west-2");
	fake_setenv("AWS_PROFILE", "");
	assert_string_equal(load(NULL).name, "default");
}

static void variables_name_the_files_and_a_first_tilde_is_home(void **state)
{
	(void)state;
	fake_environment_write("config", "[default]\nregion=eu-west-1\n");
	fake_setenv("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/config");
	fake_setenv("AWS_CONFIG_FILE", "/nonexistent/config");
	assert_string_equal(load(NULL).region, "eu-west-1");
	fake_setenv("AWS_SHARED_CREDENTIALS_FILE", "~"); /* a folder */
	expect_error(NULL, "not a regular file");
	fake_setenv("AWS_SHARED_CREDENTIALS_FILE", "~nobody/x");
	assert_false(load(NULL).is_found);
}

static void settings_and_switches(void **state)
{
	(void)state;
	fake_environment_write("config",
		"[default]\nuse_fips_endpoint = TRUE\nuse_dualstack_endpoint=false\n"
		"ignore_configured_endpoint_urls = true\nendpoint_url = https://all.example\n"
		"ca_bundle = /etc/ca.pem\nretry_mode = adaptive\ns3 =\n  max_concurrent_requests = 20\n"
		"output = json\n");
	struct aws_profile profile = load(NULL);
	assert_int_equal(profile.use_fips, 1);
	assert_int_equal(profile.use_dualstack, 0);
	assert_true(profile.endpoints.is_ignored);
	assert_string_equal(profile.endpoints.all, "https://all.example");
	assert_string_equal(profile.ca_bundle, "/etc/ca.pem");
}

static void services_section_gives_endpoints_wherever_it_stands(void **state)
{
	(void)state;
	fake_environment_write("config",
		"[services lab]\nacm =\n  endpoint_url = https://acm.lab\nsts =\n  endpoint_url = https://sts.lab\n"
		"  other = x\n[services other]\nec2 =\n  endpoint_url = https://ec2.other\n"
		"[default]\nservices = lab\n[services lab]\norganizations =\n  endpoint_url = https://org.lab\n"
		"secrets_manager =\n  endpoint_url = https://escrow.lab\n");
	struct aws_profile profile = load(NULL);
	assert_string_equal(profile.endpoints.service[AWS_ACM], "https://acm.lab");
	assert_string_equal(profile.endpoints.service[AWS_STS], "https://sts.lab");
	assert_string_equal(profile.endpoints.service[AWS_ORGANIZATIONS], "https://org.lab");
	assert_string_equal(profile.endpoints.service[AWS_SECRETSMANAGER], "https://escrow.lab");
	assert_string_equal(profile.endpoints.service[AWS_EC2], "");
}

static void expect_method(const char *text, const char *method)
{
	fake_environment_write("config", text);
	struct aws_profile profile = load("p");
	assert_true(profile.has_other_method);
	assert_false(profile.has_keys);
	assert_string_equal(profile.other_method, method);
	aws_profile_clear(&profile);
}

static void methods_of_other_kinds_are_named(void **state)
{
	(void)state;
	expect_method("[profile p]\ncredential_process = /bin/x\n", "credential_process");
	expect_method("[profile p]\nsso_session = s\nsso_account_id = 1\n", "sso_session");
	expect_method("[profile p]\nsso_start_url = https://x\n", "sso_start_url");
	expect_method("[profile p]\nlogin_session = x\n", "login_session");
	expect_method("[profile p]\nrole_arn = arn\nsource_profile = q\n", "role_arn");
	expect_method("[profile p]\nrole_arn = arn\nsource_profile = p\naws_access_key_id=AKIA\n"
		      "aws_secret_access_key=s\n",
		"role_arn");
}

static void static_keys_come_before_the_methods_behind_them(void **state)
{
	(void)state;
	fake_environment_write("config",
		"[profile p]\ncredential_process = /bin/x\naws_access_key_id=AKIA\naws_secret_access_key=s\n");
	expect_keys("p", "AKIA", "s", "");
	/* A role to assume comes first, but only with something to assume it from. */
	fake_environment_write("config",
		"[profile p]\nrole_arn = arn\naws_access_key_id=AKIA\naws_secret_access_key=s\n");
	expect_keys("p", "AKIA", "s", "");
	expect_method("[profile p]\nrole_arn = arn\ncredential_source = Environment\n"
		      "aws_access_key_id=AKIA\naws_secret_access_key=s\n",
		"role_arn");
}

static void an_empty_value_takes_a_key_back(void **state)
{
	(void)state;
	fake_environment_write("credentials",
		"[p]\naws_access_key_id=AKIA\naws_secret_access_key=s\naws_session_token=t\n"
		"[p]\naws_session_token=\n");
	expect_keys("p", "AKIA", "s", "");
	fake_environment_write("credentials",
		"[p]\naws_access_key_id=AKIA\naws_secret_access_key=s\n"
		"[p]\naws_secret_access_key=\naws_access_key_id=\n");
	assert_false(load("p").has_keys);
}

static void half_a_pair_is_an_error(void **state)
{
	(void)state;
	fake_environment_write("credentials", "[default]\naws_access_key_id = AKIA\n");
	expect_error(NULL, "aws_access_key_id but no aws_secret_access_key");
	fake_environment_write("credentials", "[default]\naws_secret_access_key = s\n");
	expect_error(NULL, "no aws_access_key_id");
}

static void faults_are_named_with_file_line_and_column(void **state)
{
	(void)state;
	fake_environment_write("config", "[default]\nregion = eu-west-1\n[profile x\n");
	expect_error(NULL, "/.aws/config:3:1: a section header without");
	fake_environment_write("config", "region = eu-west-1\n");
	expect_error(NULL, "/.aws/config:1:1: a property before");
	fake_environment_write("config", "[default]\nregion = Ireland!\n");
	expect_error(NULL, "/.aws/config:2:10: \"Ireland!\" is not a region");
	fake_environment_write("config", "[default]\nuse_fips_endpoint = yes\n");
	expect_error(NULL, ":2:21: use_fips_endpoint must be true or false");
	fake_environment_write("config", NULL);
	fake_environment_write("credentials",
		"[default]\naws_access_key_id = AKIA\naws_secret_access_key = a\n  b = c\n");
	expect_error(NULL, "credentials:3:25: aws_secret_access_key has blanks");
	fake_environment_write("credentials", "[default]\naws_access_key_id = AK\xc3\xa4\n");
	expect_error(NULL, "credentials:2:21: aws_access_key_id has blanks or control characters");
	fake_environment_write("credentials", NULL);
	char text[2048];
	(void)snprintf(text, sizeof(text),
		"[default]\nservices = lab\n[services lab]\nacm =\n  endpoint_url = https://%0600d\n",
		0);
	fake_environment_write("config", text);
	expect_error(NULL, "config:5:18: acm.endpoint_url is longer than 511 bytes");
}

static void faults_of_other_profiles_values_do_not_matter(void **state)
{
	(void)state;
	fake_environment_write(
		"config", "[profile x]\nregion = Ireland!\n[default]\nregion=eu-west-1\n");
	assert_string_equal(load(NULL).region, "eu-west-1");
}

static void secrets_are_never_in_messages(void **state)
{
	(void)state;
	fake_environment_write("credentials",
		"[default]\naws_access_key_id = AKIA\naws_secret_access_key = hidden\ttreasure\n");
	struct aws_profile profile;
	struct err err = ERR_INIT;
	assert_int_equal(aws_profile_load(fake_getenv, NULL, &profile, &err), -1);
	assert_null(strstr(err.text, "treasure"));
}

static void unreadable_files_are_an_error(void **state)
{
	(void)state;
	fake_setenv("AWS_CONFIG_FILE", "/tmp");
	expect_error(NULL, "/tmp: not a regular file");
}

static void too_long_values_are_refused(void **state)
{
	(void)state;
	char text[8192] = "[default]\nca_bundle = /";
	size_t len = strlen(text);
	memset(text + len, 'x', 5000);
	expect_error(text + len, "name of more than 127");
	strcat(text, "\n");
	fake_environment_write("config", text);
	expect_error(NULL, "ca_bundle is longer than 4095 bytes");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_files_there_is_no_profile),
		TEST(keys_come_from_either_file),
		TEST(credentials_file_beats_config_as_a_whole_set),
		TEST(profile_default_beats_default_wherever_it_stands),
		TEST(sections_that_come_twice_are_merged_and_the_last_value_wins),
		TEST(names_may_be_quoted_and_blanks_do_not_count),
		TEST(the_variable_names_the_profile_unless_one_is_given),
		TEST(variables_name_the_files_and_a_first_tilde_is_home),
		TEST(settings_and_switches),
		TEST(services_section_gives_endpoints_wherever_it_stands),
		TEST(methods_of_other_kinds_are_named),
		TEST(static_keys_come_before_the_methods_behind_them),
		TEST(an_empty_value_takes_a_key_back),
		TEST(half_a_pair_is_an_error),
		TEST(faults_are_named_with_file_line_and_column),
		TEST(faults_of_other_profiles_values_do_not_matter),
		TEST(secrets_are_never_in_messages),
		TEST(unreadable_files_are_an_error),
		TEST(too_long_values_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
