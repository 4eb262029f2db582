/* Each option's values: what is taken, and what is refused with which words. */
#include "sensor/config_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "tests/sensor/config_fixture.h"

static const char full[] =
	"[sensor]\n"
	"name = dc1-sensor.example\n"
	"data_dir = /srv/acm\n"
	"control_socket = /run/x.sock\n"
	"max_requests = 32\n"
	"max_open = 128\n"
	"log_level = debug\n"
	"vault_key_file = /run/credentials/vault\n"
	"metrics_listen = 127.0.0.1:9847\n"
	"plan_life = 8h\n"
	"keep_keys = 45d\n"
	"keep_events = 90d\n"
	"keep_gone = 1d\n"
	"keep_jobs = 60d\n"
	"[connector one]\n"
	"scope = account\n"
	"auth = profile\n"
	"profile = audit team\n"
	"region = eu-central-1\n"
	"role_name = path/to/Role+=,.@_-x\n"
	"external_id = a:b/c+=,.@_-\n"
	"exclude_units = ou-ab12-cdef3456,r-ab12\n"
	"include_accounts = 222222222222, 111111111111\n"
	"regions = us-east-1,eu-west-1\n"
	"import = all\n"
	"interval = 90m\n"
	"detail_max_age = 2w\n"
	"reimport = no\n"
	"key_escrow = secretsmanager\n"
	"kms_key_id = alias/acmsensor\n"
	"endpoint_url = https://127.0.0.1:8443/prefix\n"
	"endpoint_url_acm = http://acm.internal\n"
	"ca_bundle = /etc/ca.pem\n"
	"proxy = http://proxy.internal:3128\n"
	"no_proxy = 127.0.0.1,.internal\n"
	"use_fips = yes\n"
	"use_dualstack = no\n"
	"connect_timeout = 3s\n"
	"answer_timeout = 1m\n"
	"[connector two-2]\n"
	"management_role_arn = arn:aws-us-gov:iam::123456789012:role/service/Reader\n"
	"import_expired = 90d\n"
	"import_revoked = yes\n";

static void every_option_is_read(void **state)
{
	struct config *config = config_fixture_load(*state, full);
	assert_string_equal(config->name, "dc1-sensor.example");
	assert_string_equal(config->data_dir, "/srv/acm");
	assert_int_equal(config->max_requests, 32);
	assert_int_equal(config->max_open, 128);
	assert_int_equal(config->log_level, LOG_DEBUG);
	assert_string_equal(config->vault_key_file, "/run/credentials/vault");
	assert_string_equal(config->metrics_listen, "127.0.0.1:9847");
	assert_int_equal(config->plan_life_s, 8 * 3600);
	assert_int_equal(config->keep_keys_s, 45 * 86400);
	assert_int_equal(config->keep_events_s, 90 * 86400);
	assert_int_equal(config->keep_gone_s, 86400);
	assert_int_equal(config->keep_jobs_s, 60 * 86400);
	assert_int_equal(config->connector_count, 2);
	const struct config_connector *one = &config->connector[0];
	assert_false(one->is_organization);
	assert_false(one->reimport);
	assert_int_equal(one->key_escrow, ESCROW_SECRETS_MANAGER);
	assert_string_equal(one->kms_key_id, "alias/acmsensor");
	assert_int_equal(one->auth, CONFIG_AUTH_PROFILE);
	assert_string_equal(one->profile, "audit team");
	assert_string_equal(one->role_name, "path/to/Role+=,.@_-x");
	assert_string_equal(one->external_id, "a:b/c+=,.@_-");
	assert_int_equal(one->exclude_units.count, 2);
	assert_int_equal(one->include_accounts.count, 2);
	assert_string_equal(one->include_accounts.item[0], "111111111111");
	assert_int_equal(one->regions.count, 2);
	assert_int_equal(one->import.mode, IMPORT_ALL);
	assert_int_equal(one->interval_s, 5400);
	assert_int_equal(one->detail_max_age_s, 14 * 86400);
	assert_string_equal(one->endpoint_url_acm, "http://acm.internal");
	assert_string_equal(one->no_proxy, "127.0.0.1,.internal");
	assert_int_equal(one->use_fips, 1);
	assert_int_equal(one->use_dualstack, 0);
	assert_int_equal(one->connect_timeout_s, 3);
	assert_int_equal(one->answer_timeout_s, 60);
	const struct config_connector *two = &config->connector[1];
	assert_true(two->import.has_expired);
	assert_true(two->import.has_revoked);
	assert_string_equal(
		two->management_role_arn, "arn:aws-us-gov:iam::123456789012:role/service/Reader");
	config_free(config);
}

static void long_lists_are_taken_to_their_limit(void **state)
{
	struct buf text;
	buf_init(&text, 1 << 20);
	buf_add_text(&text, "[connector prod]\ninclude_accounts = ");
	for (int i = 0; i < CONFIG_LIST_MAX; i++)
		buf_addf(&text, "%012d, ", i);
	struct config *config = config_fixture_load(*state, buf_text(&text));
	assert_int_equal(config->connector[0].include_accounts.count, CONFIG_LIST_MAX);
	config_free(config);
	buf_clear(&text);
}

/* --- what is refused -------------------------------------------------------------------------- */

struct wrong_value {
	const char *line, *problem;
};

static const struct wrong_value wrong_sensor[] = {
	{"name = a b", "2:8: name = \"a b\": expected 1 to 64 letters, digits, '.', '_' or '-'"},
	{"data_dir = data", "2:12: data_dir = \"data\": expected an absolute path"},
	{"data_dir =", "2:11: data_dir = \"\": expected an absolute path"},
	{"control_socket = x",
		"2:18: control_socket = \"x\": expected an absolute path of at most 107 bytes"},
	{"max_requests = 0", "2:16: max_requests = \"0\": expected a number from 1 to 1024"},
	{"max_requests = 1025", "2:16: max_requests = \"1025\": expected a number from 1 to 1024"},
	{"max_requests = many", "2:16: max_requests = \"many\": expected a number from 1 to 1024"},
	{"max_open = 63", "2:12: max_open = \"63\": expected a number from 64 to 65536"},
	{"log_level = loud", "2:13: log_level = \"loud\": expected error, warning, info or debug"},
	{"metrics_listen = localhost:9847",
		"2:18: metrics_listen = \"localhost:9847\": expected off, or a numeric address and a "
		"port such as 127.0.0.1:9847 or [::1]:9847"},
	{"interval = 1h", "2:1: unknown option \"interval\" in [sensor]"},
	{"max_request = 1",
		"2:1: unknown option \"max_request\" in [sensor]; did you mean max_requests?"},
};

static const struct wrong_value wrong_connector[] = {
	{"scope = org", "2:9: scope = \"org\": expected organization or account"},
	{"auth = vault", "2:8: auth = vault: not in this version; expected default or profile"},
	{"auth = magic", "2:8: auth = \"magic\": expected default or profile"},
	{"region = Europe",
		"2:10: region = \"Europe\": expected a region's name such as eu-central-1"},
	{"role_name = /Role",
		"2:13: role_name = \"/Role\": expected a role's name, 1 to 64 letters, digits or "
		"+=,.@_-, with its path in front if it has one"},
	{"role_name = a//b",
		"2:13: role_name = \"a//b\": expected a role's name, 1 to 64 letters, digits or "
		"+=,.@_-, with its path in front if it has one"},
	{"external_id = x", "2:15: external_id = \"x\": expected 2 to 1224 letters, digits or "
			    "+=,.@:/_-"},
	{"external_id = a b", "2:15: external_id = \"a b\": expected 2 to 1224 letters, digits "
			      "or +=,.@:/_-"},
	{"management_role_arn = arn:aws:iam::12:role/x",
		"2:23: management_role_arn = \"arn:aws:iam::12:role/x\": expected a role's ARN "
		"such as arn:aws:iam::111122223333:role/Name"},
	{"management_role_arn = arn:aws:iam::111122223333:user/x",
		"2:23: management_role_arn = \"arn:aws:iam::111122223333:user/x\": expected a "
		"role's ARN such as arn:aws:iam::111122223333:role/Name"},
	{"include_units = ou-ab12",
		"2:17: include_units: \"ou-ab12\": expected ids of roots or units (r-ab12, "
		"ou-ab12-cdef3456), comma separated"},
	{"exclude_units = x-ab12",
		"2:17: exclude_units: \"x-ab12\": expected ids of roots or units (r-ab12, "
		"ou-ab12-cdef3456), comma separated"},
	{"include_accounts = 1234",
		"2:20: include_accounts: \"1234\": expected account ids of 12 digits, comma "
		"separated"},
	{"exclude_accounts = 123456789012,123456789012",
		"2:20: exclude_accounts: \"123456789012\" is there twice"},
	{"regions =",
		"2:10: regions = \"\": expected enabled, or names of regions, comma separated"},
	{"regions = us-east-1, mars!",
		"2:11: regions: \"mars!\": expected enabled, or names of regions, comma separated"},
	{"import = some", "2:10: import = \"some\": expected valid, all or off"},
	{"import_expired = soon", "2:18: import_expired = \"soon\": expected no, an age such as "
				  "90d, or a range of days such as 2024-01-01..2025-06-30"},
	{"import_revoked = perhaps", "2:18: import_revoked = \"perhaps\": expected yes or no"},
	{"interval = 59s",
		"2:12: interval = \"59s\": expected a duration from 1m to 31d (s, m, h, d or w)"},
	{"interval = 5 parsecs", "2:12: interval = \"5 parsecs\": expected a duration from 1m to "
				 "31d (s, m, h, d or w)"},
	{"interval = 32d",
		"2:12: interval = \"32d\": expected a duration from 1m to 31d (s, m, h, d or w)"},
	{"reimport = maybe", "2:12: reimport = \"maybe\": expected yes or no"},
	{"key_escrow = vault", "2:14: key_escrow = \"vault\": expected sensor, memory or "
			       "secretsmanager"},
	{"ca_bundle = ca.pem",
		"2:13: ca_bundle = \"ca.pem\": expected an absolute path of a PEM file"},
	{"proxy = proxy:3128", "2:9: proxy = \"proxy:3128\": expected a URL such as "
			       "http://proxy.example.com:3128"},
	{"proxy = http://me:secret@proxy",
		"2:9: proxy: user and password are not supported; expected a URL such as "
		"http://proxy.example.com:3128"},
	{"use_fips = maybe", "2:12: use_fips = \"maybe\": expected yes or no"},
	{"intervall = 1h", "2:1: unknown option \"intervall\" in [connector NAME]; did you mean "
			   "interval?"},
	{"totally_different = 1", "2:1: unknown option \"totally_different\" in [connector NAME]"},
};

static void wrong_values_are_refused_with_what_was_expected(void **state)
{
	char text[512];
	for (size_t i = 0; i < sizeof(wrong_sensor) / sizeof(wrong_sensor[0]); i++) {
		snprintf(text, sizeof(text), "[sensor]\n%s\n", wrong_sensor[i].line);
		config_fixture_refuse(*state, text, wrong_sensor[i].problem);
	}
	for (size_t i = 0; i < sizeof(wrong_connector) / sizeof(wrong_connector[0]); i++) {
		snprintf(text, sizeof(text), "[connector p]\n%s\n", wrong_connector[i].line);
		config_fixture_refuse(*state, text, wrong_connector[i].problem);
	}
}

static void wrong_endpoints_are_refused_with_the_reason(void **state)
{
	struct err err = ERR_INIT;
	const struct config_fixture *fixture = *state;
	config_fixture_write(fixture->file, "[connector p]\nendpoint_url = ftp://x\n");
	assert_null(config_load(fixture->file, &err));
	assert_non_null(strstr(err.text, ":2:16: endpoint_url: "));
	assert_non_null(strstr(err.text, "expected a URL such as https://host:port"));
}

static void long_lines_are_values_like_others_up_to_their_limit(void **state)
{
	char *text = xcalloc(70001, 1);
	memcpy(text, "[sensor]\nname = ", 16);
	memset(text + 16, 'a', 10000);
	config_fixture_refuse(*state, text,
		"2:8: name = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\": "
		"expected 1 to 64 letters, digits, '.', '_' or '-'");
	memset(text + 16, 'a', 69000);
	struct err err = ERR_INIT;
	const struct config_fixture *fixture = *state;
	config_fixture_write(fixture->file, text);
	assert_null(config_load(fixture->file, &err));
	assert_non_null(strstr(err.text, ":2:"));
	free(text);
}

/* --- the edges of what is taken ---------------------------------------------------------------- */

/* format: of one line, for text. NULL: it is taken; else a part of the problem. */
static void expect_line(const struct config_fixture *fixture, const char *section, const char *line,
	const char *problem)
{
	struct err err = ERR_INIT;
	char *text = xasprintf("[%s]\n%s\n", section, line);
	config_fixture_write(fixture->file, text);
	struct config *config = config_load(fixture->file, &err);
	if (problem == NULL && config == NULL)
		fail_msg("%.200s: %s", line, err.text);
	if (problem != NULL && (config != NULL || strstr(err.text, problem) == NULL))
		fail_msg("%.200s: %s", line, config != NULL ? "taken" : err.text);
	config_free(config);
	free(text);
}

/* key = many letters, behind what stands in front of them. */
static void expect_long(const struct config_fixture *fixture, const char *section,
	const char *front, size_t letters, bool is_taken)
{
	char *many = xcalloc(letters + 1, 1);
	memset(many, 'a', letters);
	char *line = xasprintf("%s%s", front, many);
	expect_line(fixture, section, line, is_taken ? NULL : "expected ");
	free(line);
	free(many);
}

static void names_of_roles_are_those_of_iam(void **state)
{
	static const char *const wrong[] = {"", "path/", "a b", "R\xc3\xb6le"};
	static const char *const wrong_arn[] = {"role/R", "xrn:aws:iam::111122223333:role/R",
		"arn:aws:sts::111122223333:role/R", "arn:aws:iam::1111",
		"arn:aws:iam::11112222333x:role/R", "arn:aws:iam::111122223333:role//R",
		"arn:aws:iam::111122223333:role/", "arn:aws5:iam::111122223333:role/R"};
	char line[128];
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(line, sizeof(line), "role_name = %s", wrong[i]);
		expect_line(*state, "connector p", line, "role_name = ");
	}
	expect_long(*state, "connector p", "role_name = ", 64, true);
	expect_long(*state, "connector p", "role_name = ", 65, false);
	char *path = xcalloc(514, 1);
	memset(path, 'p', 511);
	char *longest = xasprintf("role_name = %s/R", path);
	expect_line(*state, "connector p", longest, NULL);
	free(longest);
	longest = xasprintf("role_name = p%s/R", path);
	expect_line(*state, "connector p", longest, "role_name = ");
	free(longest);
	free(path);
	for (size_t i = 0; i < sizeof(wrong_arn) / sizeof(wrong_arn[0]); i++) {
		(void)snprintf(line, sizeof(line), "management_role_arn = %s", wrong_arn[i]);
		expect_line(*state, "connector p", line, "expected a role's ARN");
	}
	expect_long(*state, "connector p", "management_role_arn = arn:aws:iam::111122223333:role/",
		2048, false);
	expect_long(*state, "connector p", "external_id = ", 1224, true);
	expect_long(*state, "connector p", "external_id = ", 1225, false);
}

static void units_are_ids_of_organizations(void **state)
{
	static const char *const right[] = {"r-abcd", "r-0123456789abcdef0123456789abcdef",
		"ou-abcd-01234567", "ou-abcd-0123456789abcdef0123456789abcdef"};
	static const char *const wrong[] = {"r-abc", "r-abcd-01234567", "r-ABCD",
		"r-0123456789abcdef0123456789abcdef0", "ou-abc-01234567", "ou-abcd-0123456",
		"ou-abcd-0123456789abcdef0123456789abcdef0", "ou-abcd-01234567-x", "ou-", "ou"};
	char line[128];
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		(void)snprintf(line, sizeof(line), "include_units = %s", right[i]);
		expect_line(*state, "connector p", line, NULL);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(line, sizeof(line), "include_units = %s", wrong[i]);
		expect_line(*state, "connector p", line, "expected ids of roots or units");
	}
}

static void lists_have_limits(void **state)
{
	struct buf line;
	buf_init(&line, 1 << 20);
	buf_add_text(&line, "regions = aa-1");
	for (int i = 0; i < CONFIG_LIST_MAX; i++)
		buf_add_text(&line, ",aa-1");
	expect_line(*state, "connector p", buf_text(&line), "regions: more than 10000 items");
	static const char mail[] = "type = mail\nserver = m\nfrom = a@b\nto = a0@b";
	for (int count = 32; count <= 33; count++) {
		buf_reset(&line);
		buf_add_text(&line, mail);
		for (int i = 1; i < count; i++)
			buf_addf(&line, ",a%d@b", i);
		expect_line(*state, "channel p", buf_text(&line),
			count == 32 ? NULL : "expected at most 32 mail addresses");
	}
	for (int count = 16; count <= 17; count++) {
		buf_reset(&line);
		buf_add_text(&line, "alert_days = 0");
		for (int i = 1; i < count; i++)
			buf_addf(&line, ",%d", i);
		expect_line(*state, "sensor", buf_text(&line),
			count == 16 ? NULL : "expected off, or at most 16 different numbers");
	}
	buf_clear(&line);
	expect_line(*state, "sensor", "alert_days =", "expected off, or at most 16");
	expect_line(*state, "sensor", "alert_days = 0000000000000001", "expected off, or at most");
}

static void mail_addresses_fit_into_a_header(void **state)
{
	static const char *const wrong[] = {"@b", "a@", "a", "a@b@c", "a b@c", "a@\xc3\xb6"};
	char line[64];
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		(void)snprintf(line, sizeof(line), "from = %s", wrong[i]);
		expect_line(*state, "channel p", line, "expected a mail address");
	}
	static const char front[] = "type = mail\nserver = m\nto = a@b\nfrom = a@";
	expect_long(*state, "channel p", front, 252, true);
	expect_long(*state, "channel p", front, 253, false);
}

static void long_places_are_refused(void **state)
{
	expect_long(*state, "channel p", "server = ", 1000, false);
	expect_long(*state, "sensor", "metrics_listen = ", 64, false);
	expect_long(*state, "connector p", "proxy = https://", 5000, false);
	expect_line(*state, "connector p", "proxy = https://proxy.example.com", NULL);
}

/* What says the default in words, or turns something off. */
static void words_are_taken(void **state)
{
	struct config *config = config_fixture_load(*state,
		"[sensor]\nmetrics_listen = off\n[connector p]\nkey_escrow = memory\nimport = off\n"
		"regions = enabled\nuse_fips =\nauth = default\n");
	assert_string_equal(config->metrics_listen, "");
	assert_int_equal(config->connector[0].key_escrow, ESCROW_MEMORY);
	assert_int_equal(config->connector[0].import.mode, IMPORT_OFF);
	assert_int_equal(config->connector[0].regions.count, 0);
	assert_int_equal(config->connector[0].use_fips, -1);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(every_option_is_read),
		CONFIG_TEST(long_lists_are_taken_to_their_limit),
		CONFIG_TEST(wrong_values_are_refused_with_what_was_expected),
		CONFIG_TEST(wrong_endpoints_are_refused_with_the_reason),
		CONFIG_TEST(long_lines_are_values_like_others_up_to_their_limit),
		CONFIG_TEST(names_of_roles_are_those_of_iam),
		CONFIG_TEST(units_are_ids_of_organizations),
		CONFIG_TEST(lists_have_limits),
		CONFIG_TEST(mail_addresses_fit_into_a_header),
		CONFIG_TEST(long_places_are_refused),
		CONFIG_TEST(words_are_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
