/*
 * Endpoints of every service in every region with and without FIPS and dual stack, against AWS's
 * own data (tests/data/endpoints); overrides, and who of those that name one wins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "aws/endpoint.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/lib/read_file.h"

/* --- the table -------------------------------------------------------------------------------- */

static enum aws_service service_named(const char *name)
{
	for (int service = 0; service < AWS_SERVICES; service++) {
		if (strcmp(aws_service_info((enum aws_service)service)->name, name) == 0)
			return (enum aws_service)service;
	}
	fail_msg("no service %s", name);
	abort();
}

static void check_line(char *line)
{
	enum { FIELDS = 6 }; /* service, region, fips, dual stack, URL, signing region */
	char *field[FIELDS];
	for (size_t i = 0; i < FIELDS; i++) {
		field[i] = strsep(&line, "\t");
		assert_non_null(field[i]);
	}
	struct err err = ERR_INIT;
	struct endpoint endpoint = {.url = ""};
	const struct endpoint_options options = {
		.use_fips = field[2][0] == '1', .use_dualstack = field[3][0] == '1'};
	int rc = endpoint_resolve(service_named(field[0]), field[1], &options, &endpoint, &err);
	if (strcmp(field[4], "-") == 0) {
		if (rc != -1)
			fail_msg("%s %s has no endpoint, not %s", field[0], field[1], endpoint.url);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_non_null(strstr(err.text, "no FIPS endpoint"));
		assert_non_null(strstr(err.text, field[1]));
		return;
	}
	if (rc != 0)
		fail_msg("%s %s: %s", field[0], field[1], err.text);
	assert_string_equal(endpoint.url, field[4]);
	assert_string_equal(endpoint.signing_region, field[5]);
	assert_true(endpoint.is_tls);
	assert_string_equal(endpoint.path_prefix, "");
	assert_string_equal(endpoint.host_header, field[4] + strlen("https://"));
	char *host_key = xasprintf("%s:443", field[4]);
	assert_string_equal(endpoint.host_key, host_key);
	free(host_key);
}

static void every_combination_is_what_aws_publishes(void **state)
{
	(void)state;
	size_t len, lines = 0;
	char *table = read_data("endpoints", "expected", ".tsv", &len);
	for (char *rest = table, *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';) {
		check_line(line);
		lines++;
	}
	assert_int_equal(lines, AWS_SERVICES * 59 * 4);
	free(table);
}

static void what_is_no_region_is_refused(void **state)
{
	(void)state;
	static const char *const names[] = {"", "us", "US-EAST-1", "us-east-1.evil.example",
		"us-east-1/", "us east 1", "eu-central-1@x", "aws-global",
		"a-name-that-is-longer-than-any-region-1"};
	static const struct endpoint_options options;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct err err = ERR_INIT;
		struct endpoint endpoint = {.url = "untouched"};
		assert_int_equal(
			endpoint_resolve(AWS_ACM, names[i], &options, &endpoint, &err), -1);
		assert_int_equal(err.kind, ERR_CONFIG);
		assert_string_equal(endpoint.url, "untouched");
	}
}

/* --- overrides -------------------------------------------------------------------------------- */

static int resolve_override(const char *url, struct endpoint *ret_endpoint, struct err *err)
{
	struct endpoint_options options = {.use_fips = true, .use_dualstack = true};
	text_copy(options.overrides.all, ENDPOINT_URL_MAX, url);
	return endpoint_resolve(AWS_ORGANIZATIONS, "eu-central-1", &options, ret_endpoint, err);
}

static void an_override_replaces_the_url_and_keeps_the_signing_region(void **state)
{
	(void)state;
	static const struct {
		const char *override, *url, *host_key, *host_header, *path_prefix;
		bool is_tls;
	} expected[] = {
		{"https://vpce-1-acm.eu-central-1.vpce.amazonaws.com",
			"https://vpce-1-acm.eu-central-1.vpce.amazonaws.com",
			"https://vpce-1-acm.eu-central-1.vpce.amazonaws.com:443",
			"vpce-1-acm.eu-central-1.vpce.amazonaws.com", "", true},
		{"http://127.0.0.1:4566/", "http://127.0.0.1:4566", "http://127.0.0.1:4566",
			"127.0.0.1:4566", "", false},
		{"http://localhost:80", "http://localhost", "http://localhost:80", "localhost", "",
			false},
		{"https://[2001:DB8::1]:8443/aws/acm//", "https://[2001:db8::1]:8443/aws/acm",
			"https://[2001:db8::1]:8443", "[2001:db8::1]:8443", "/aws/acm", true},
		{"https://HOST.Example.com:443/a%20b", "https://host.example.com/a%20b",
			"https://host.example.com:443", "host.example.com", "/a%20b", true},
		{"https://awssim", "https://awssim", "https://awssim:443", "awssim", "", true},
		{"https://a_b:1/-/~x", "https://a_b:1/-/~x", "https://a_b:1", "a_b:1", "/-/~x",
			true},
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct err err = ERR_INIT;
		struct endpoint endpoint = {.url = ""};
		if (resolve_override(expected[i].override, &endpoint, &err) != 0)
			fail_msg("%s: %s", expected[i].override, err.text);
		assert_string_equal(endpoint.url, expected[i].url);
		assert_string_equal(endpoint.host_key, expected[i].host_key);
		assert_string_equal(endpoint.host_header, expected[i].host_header);
		assert_string_equal(endpoint.path_prefix, expected[i].path_prefix);
		assert_string_equal(endpoint.signing_region, "us-east-1");
		assert_int_equal(endpoint.is_tls, expected[i].is_tls);
	}
}

static void an_override_of_one_service_leaves_the_others_alone(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct endpoint endpoint = {.url = ""};
	struct endpoint_options options = {.use_fips = false};
	text_copy(options.overrides.service[AWS_ACM], ENDPOINT_URL_MAX, "https://acm.test");
	assert_int_equal(endpoint_resolve(AWS_ACM, "eu-west-1", &options, &endpoint, &err), 0);
	assert_string_equal(endpoint.url, "https://acm.test");
	assert_string_equal(endpoint.signing_region, "eu-west-1");
	assert_int_equal(endpoint_resolve(AWS_STS, "eu-west-1", &options, &endpoint, &err), 0);
	assert_string_equal(endpoint.url, "https://sts.eu-west-1.amazonaws.com");
	text_copy(options.overrides.all, ENDPOINT_URL_MAX, "https://all.test");
	assert_int_equal(endpoint_resolve(AWS_ACM, "eu-west-1", &options, &endpoint, &err), 0);
	assert_string_equal(endpoint.url, "https://acm.test");
	assert_int_equal(endpoint_resolve(AWS_STS, "eu-west-1", &options, &endpoint, &err), 0);
	assert_string_equal(endpoint.url, "https://all.test");
}

static void an_unusable_override_is_refused_with_its_reason(void **state)
{
	(void)state;
	static const struct {
		const char *url, *reason;
	} expected[] = {
		{"ftp://host", "https:// or http://"},
		{"host:443", "https:// or http://"},
		{"//host", "https:// or http://"},
		{"https:/host", "https:// or http://"},
		{"https://", "no host"},
		{"https:///path", "no host"},
		{"https://:443", "no host"},
		{"https://user:hunter2@host", "user name or password"},
		{"https://user@host/", "user name or password"},
		{"https://host/?a=b", "query"},
		{"https://host?", "query"},
		{"https://host/#top", "fragment"},
		{"https://host:", "not a port"},
		{"https://host:0", "between 1 and 65535"},
		{"https://host:65536", "between 1 and 65535"},
		{"https://host:99999999999999999999", "between 1 and 65535"},
		{"https://host:44a", "not a number"},
		{"https://host:-1", "not a number"},
		{"https://ho st", "characters"},
		{"https://host\r\nX: y", "characters"},
		{"https://host\\@evil", "characters"},
		{"https://h\xc3\xb6st", "characters"},
		{"https://host..name", "neither a name nor an address"},
		{"https://.host", "neither a name nor an address"},
		{"https://host.", "neither a name nor an address"},
		{"https://name.-x", "neither a name nor an address"},
		{"https://[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]",
			"neither a name nor an address"},
		{"https://127.1", "neither a name nor an address"},
		{"https://2130706433", "neither a name nor an address"},
		{"https://0x7f000001", "neither a name nor an address"},
		{"https://256.1.1.1", "neither a name nor an address"},
		{"https://%6c", "neither a name nor an address"},
		{"https://[::1", "closing bracket"},
		{"https://[::g]", "neither a name nor an address"},
		{"https://[]", "neither a name nor an address"},
		{"https://[", "closing bracket"},
		{"https://[fe80::1%25eth0]", "neither a name nor an address"},
		{"https://[::1]443", "not a port"},
		{"https://a[::1]", "neither a name nor an address"},
	};
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct err err = ERR_INIT;
		struct endpoint endpoint = {.url = "untouched"};
		if (resolve_override(expected[i].url, &endpoint, &err) == 0)
			fail_msg("%s is accepted", expected[i].url);
		assert_int_equal(err.kind, ERR_CONFIG);
		if (strstr(err.text, expected[i].reason) == NULL)
			fail_msg("%s: %s", expected[i].url, err.text);
		assert_null(strstr(err.text, "hunter2"));
		assert_string_equal(endpoint.url, "untouched");
	}
}

static void long_urls_are_refused_at_the_limit(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char url[ENDPOINT_URL_MAX + 2] = "https://host/";
	size_t start = strlen(url);
	memset(url + start, 'p', ENDPOINT_PATH_MAX - 2);
	assert_int_equal(endpoint_override_check(url, false, &err), 0);
	url[start + ENDPOINT_PATH_MAX - 2] = 'p';
	assert_int_equal(endpoint_override_check(url, false, &err), -1);
	assert_non_null(strstr(err.text, "path is longer than 255"));
	memset(url + start, 'p', ENDPOINT_URL_MAX - start);
	assert_int_equal(endpoint_override_check(url, false, &err), -1);
	assert_non_null(strstr(err.text, "longer than 511"));

	char host[ENDPOINT_URL_MAX] = "https://";
	memset(host + strlen(host), 'h', 64);
	assert_int_equal(endpoint_override_check(host, false, &err), -1);
	for (size_t i = 0; i < 60; i++)
		memcpy(host + 8 + i * 5, "host.", 6);
	strcat(host, "h");
	assert_int_equal(endpoint_override_check(host, false, &err), -1);
	assert_non_null(strstr(err.text, "host is too long"));
}

static void plain_http_is_for_this_host_only(void **state)
{
	(void)state;
	static const char *const near[] = {"http://localhost:8080", "http://127.0.0.1",
		"http://127.8.9.10:1", "http://[::1]:8080/x"};
	static const char *const far[] = {"http://host", "http://localhost.evil.example",
		"http://127.0.0.1.evil.example", "http://10.0.0.1", "http://[::2]",
		"http://[::ffff:127.0.0.1]"};
	struct err err = ERR_INIT;
	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++)
		assert_int_equal(endpoint_override_check(near[i], false, &err), 0);
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		assert_int_equal(endpoint_override_check(far[i], false, &err), -1);
		assert_non_null(strstr(err.text, "only for this host"));
		assert_int_equal(endpoint_override_check(far[i], true, &err), 0);
	}
}

/* --- who wins --------------------------------------------------------------------------------- */

/* The environment of a test: "NAME=value" each, NULL at the end. */
static const char *const *environment;

static const char *get(const char *name)
{
	size_t len = strlen(name);
	for (const char *const *at = environment; *at != NULL; at++) {
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
			return *at + len + 1;
	}
	return NULL;
}

static const struct endpoint_sources nothing = {
	.configured_use_fips = -1,
	.configured_use_dualstack = -1,
	.get = get,
	.profile_use_fips = -1,
	.profile_use_dualstack = -1,
};

static struct endpoint_options merge(const struct endpoint_sources *sources)
{
	struct err err = ERR_INIT;
	struct endpoint_options options;
	if (endpoint_options_merge(sources, &options, &err) != 0)
		fail_msg("%s", err.text);
	return options;
}

static void assert_override(
	const struct endpoint_options *options, enum aws_service service, const char *url)
{
	assert_string_equal(options->overrides.service[service], url);
}

static void the_strongest_place_names_the_url(void **state)
{
	(void)state;
	static const char *const all[] = {
		"AWS_ENDPOINT_URL_ACM=https://env-acm", "AWS_ENDPOINT_URL=https://env", NULL};
	static const char *const only_general[] = {
		"AWS_ENDPOINT_URL=https://env", "AWS_ENDPOINT_URL_ACM=", NULL};
	static const char *const none[] = {NULL};
	struct endpoint_overrides configured = {.all = "http://configured:8080"};
	struct endpoint_overrides profile = {.all = "https://profile"};
	text_copy(configured.service[AWS_STS], ENDPOINT_URL_MAX, "https://configured-sts");
	text_copy(profile.service[AWS_ACM], ENDPOINT_URL_MAX, "https://profile-acm");

	struct endpoint_sources sources = nothing;
	sources.profile = &profile;
	environment = none;
	struct endpoint_options options = merge(&sources);
	assert_override(&options, AWS_ACM, "https://profile-acm");
	assert_override(&options, AWS_STS, "https://profile");
	environment = only_general;
	options = merge(&sources);
	assert_override(&options, AWS_ACM, "https://env"); /* above the profile's own for ACM */
	assert_override(&options, AWS_STS, "https://env");
	environment = all;
	options = merge(&sources);
	assert_override(&options, AWS_ACM, "https://env-acm");
	assert_override(&options, AWS_EC2, "https://env");
	sources.configured = &configured;
	options = merge(&sources);
	assert_override(&options, AWS_ACM, "http://configured:8080");
	assert_override(&options, AWS_STS, "https://configured-sts");
}

static void a_service_of_two_words_has_one_variable(void **state)
{
	(void)state;
	static const char *const set[] = {"AWS_ENDPOINT_URL_SECRETS_MANAGER=https://escrow", NULL};
	struct endpoint_sources sources = nothing;
	environment = set;
	struct endpoint_options options = merge(&sources);
	assert_override(&options, AWS_SECRETSMANAGER, "https://escrow");
	assert_override(&options, AWS_ACM, "");
}

static void ignoring_leaves_only_the_configuration(void **state)
{
	(void)state;
	static const char *const ignore[] = {
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", "AWS_ENDPOINT_URL=https://env", NULL};
	static const char *const keep[] = {
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=False", "AWS_ENDPOINT_URL=https://env", NULL};
	static const char *const plain[] = {"AWS_ENDPOINT_URL=https://env", NULL};
	struct endpoint_overrides configured = {.all = ""};
	struct endpoint_overrides profile = {.all = "https://profile", .is_ignored = true};
	text_copy(configured.service[AWS_STS], ENDPOINT_URL_MAX, "https://configured-sts");
	struct endpoint_sources sources = nothing;
	sources.configured = &configured;
	sources.profile = &profile;
	environment = ignore;
	struct endpoint_options options = merge(&sources);
	assert_override(&options, AWS_STS, "https://configured-sts");
	assert_override(&options, AWS_ACM, "");
	environment = plain; /* the profile's own setting */
	options = merge(&sources);
	assert_override(&options, AWS_ACM, "");
	environment = keep; /* the environment is stronger than the profile */
	options = merge(&sources);
	assert_override(&options, AWS_ACM, "https://env");
}

static void switches_come_from_configuration_then_environment_then_profile(void **state)
{
	(void)state;
	static const char *const on[] = {
		"AWS_USE_FIPS_ENDPOINT=true", "AWS_USE_DUALSTACK_ENDPOINT=TRUE", NULL};
	static const char *const off[] = {
		"AWS_USE_FIPS_ENDPOINT=false", "AWS_USE_DUALSTACK_ENDPOINT=false", NULL};
	static const char *const none[] = {NULL};
	struct endpoint_sources sources = nothing;
	environment = none;
	struct endpoint_options options = merge(&sources);
	assert_false(options.use_fips || options.use_dualstack);
	sources.profile_use_fips = 1;
	sources.profile_use_dualstack = 1;
	options = merge(&sources);
	assert_true(options.use_fips && options.use_dualstack);
	environment = off;
	options = merge(&sources);
	assert_false(options.use_fips || options.use_dualstack);
	sources.profile_use_fips = -1;
	sources.profile_use_dualstack = -1;
	environment = on;
	options = merge(&sources);
	assert_true(options.use_fips && options.use_dualstack);
	sources.configured_use_fips = 0;
	sources.configured_use_dualstack = 0;
	options = merge(&sources);
	assert_false(options.use_fips || options.use_dualstack);
	environment = off;
	sources.configured_use_fips = 1;
	options = merge(&sources);
	assert_true(options.use_fips && !options.use_dualstack);
}

static void assert_refused(
	const struct endpoint_sources *sources, const char *variable, const char *name)
{
	const char *const list[] = {variable, NULL};
	struct err err = ERR_INIT;
	struct endpoint_options options = {.use_fips = true};
	environment = list;
	assert_int_equal(endpoint_options_merge(sources, &options, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	if (strstr(err.text, name) == NULL)
		fail_msg("%s: %s", variable, err.text);
	assert_true(options.use_fips);
}

static void a_wrong_setting_is_named(void **state)
{
	(void)state;
	struct endpoint_sources sources = nothing;
	assert_refused(&sources, "AWS_ENDPOINT_URL_ACM=acm.test", "AWS_ENDPOINT_URL_ACM: ");
	assert_refused(&sources, "AWS_ENDPOINT_URL=https://u:p@h", "AWS_ENDPOINT_URL: ");
	assert_refused(&sources, "AWS_ENDPOINT_URL=http://far.test", "only for this host");
	assert_refused(&sources, "AWS_USE_FIPS_ENDPOINT=yes", "AWS_USE_FIPS_ENDPOINT");
	assert_refused(&sources, "AWS_USE_DUALSTACK_ENDPOINT=1", "AWS_USE_DUALSTACK_ENDPOINT");
	assert_refused(&sources, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=x",
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	struct endpoint_overrides wrong = {.all = "nonsense"};
	sources.configured = &wrong;
	assert_refused(&sources, "X=", "endpoint_url: ");
	sources.configured = NULL;
	sources.profile = &wrong;
	assert_refused(&sources, "X=", "endpoint_url of the profile: ");
	text_copy(wrong.service[AWS_STS], ENDPOINT_URL_MAX, "http://far.test");
	assert_refused(&sources, "X=", "endpoint_url of sts in the profile's services: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination_is_what_aws_publishes),
		cmocka_unit_test(what_is_no_region_is_refused),
		cmocka_unit_test(an_override_replaces_the_url_and_keeps_the_signing_region),
		cmocka_unit_test(an_override_of_one_service_leaves_the_others_alone),
		cmocka_unit_test(an_unusable_override_is_refused_with_its_reason),
		cmocka_unit_test(long_urls_are_refused_at_the_limit),
		cmocka_unit_test(plain_http_is_for_this_host_only),
		cmocka_unit_test(the_strongest_place_names_the_url),
		cmocka_unit_test(a_service_of_two_words_has_one_variable),
		cmocka_unit_test(ignoring_leaves_only_the_configuration),
		cmocka_unit_test(switches_come_from_configuration_then_environment_then_profile),
		cmocka_unit_test(a_wrong_setting_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
