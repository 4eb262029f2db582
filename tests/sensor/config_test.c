#include "sensor/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "tests/lib/temp_store.h"

struct fixture {
	char *folder, *file;
};

static void write_file(const char *path, const char *text)
{
	FILE *stream = fopen(path, "w");
	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
}

static void write_drop_in(const struct fixture *fixture, const char *name, const char *text)
{
	char *folder = temp_path(fixture->folder, "conf.d");
	char *path = xasprintf("%s/%s", folder, name);
	mkdir(folder, 0755);
	write_file(path, text);
	free(path);
	free(folder);
}

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture.folder = temp_folder_new();
	fixture.file = temp_path(fixture.folder, "a.conf");
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	free(fixture->file);
	temp_folder_remove(fixture->folder);
	return 0;
}

static struct config *load(const struct fixture *fixture, const char *text)
{
	struct err err = ERR_INIT;
	write_file(fixture->file, text);
	struct config *config = config_load(fixture->file, &err);
	if (config == NULL)
		fail_msg("%s", err.text);
	return config;
}

/* The first problem, behind "FILE:". */
static void expect_problem(const struct fixture *fixture, const char *text, const char *expected)
{
	struct err err = ERR_INIT;
	write_file(fixture->file, text);
	struct config *config = config_load(fixture->file, &err);
	if (config != NULL)
		fail_msg("accepted: %s", text);
	assert_int_equal(err.kind, ERR_CONFIG);
	size_t len = strlen(fixture->file);
	assert_memory_equal(err.text, fixture->file, len);
	assert_string_equal(err.text + len + 1, expected);
}

/* --- what is accepted -------------------------------------------------------------------------- */

static void defaults_hold_where_nothing_is_written(void **state)
{
	char host[65] = "";
	struct config *config = load(*state, "[connector prod]\n");
	gethostname(host, sizeof(host) - 1);
	assert_int_equal(strlen(config->name), strlen(host));
	assert_string_equal(config->data_dir, "/var/lib/acmsensor");
	assert_string_equal(config->control_socket, "/run/acmsensor/control.sock");
	assert_int_equal(config->max_requests, 64);
	assert_int_equal(config->max_open, 1024);
	assert_int_equal(config->log_level, LOG_INFO);
	const struct config_connector *connector = &config->connector[0];
	assert_string_equal(connector->name, "prod");
	assert_true(connector->is_organization);
	assert_int_equal(connector->auth, CONFIG_AUTH_DEFAULT);
	assert_string_equal(connector->region, "us-east-1");
	assert_string_equal(connector->role_name, "OrganizationAccountAccessRole");
	assert_string_equal(connector->external_id, "");
	assert_string_equal(connector->management_role_arn, "");
	assert_int_equal(connector->regions.count, 0);
	assert_int_equal(connector->import.mode, IMPORT_VALID);
	assert_false(connector->import.has_expired);
	assert_false(connector->import.has_revoked);
	assert_int_equal(connector->interval_s, 86400);
	assert_int_equal(connector->detail_max_age_s, 7 * 86400);
	assert_int_equal(connector->use_fips, -1);
	assert_int_equal(connector->use_dualstack, -1);
	assert_true(connector->reimport);
	assert_int_equal(connector->key_escrow, ESCROW_SENSOR);
	assert_string_equal(connector->kms_key_id, "");
	assert_string_equal(config->vault_key_file, "");
	assert_string_equal(config->metrics_listen, "");
	assert_int_equal(config->keep_keys_s, 30 * 86400);
	assert_int_equal(config->keep_events_s, 400 * 86400);
	assert_int_equal(config->keep_gone_s, 400 * 86400);
	assert_int_equal(config->keep_jobs_s, 400 * 86400);
	config_free(config);
}

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
	struct config *config = load(*state, full);
	assert_string_equal(config->name, "dc1-sensor.example");
	assert_string_equal(config->data_dir, "/srv/acm");
	assert_int_equal(config->max_requests, 32);
	assert_int_equal(config->max_open, 128);
	assert_int_equal(config->log_level, LOG_DEBUG);
	assert_string_equal(config->vault_key_file, "/run/credentials/vault");
	assert_string_equal(config->metrics_listen, "127.0.0.1:9847");
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
	for (int i = 0; i < 4000; i++)
		buf_addf(&text, "%012d,", i); /* 52,000 bytes: a line may have 65,536 */
	struct config *config = load(*state, buf_text(&text));
	assert_int_equal(config->connector[0].include_accounts.count, 4000);
	config_free(config);
	buf_clear(&text);
}

static void drop_ins_follow_in_order_of_name_and_may_overrule_the_sensor(void **state)
{
	const struct fixture *fixture = *state;
	write_drop_in(fixture, "20.conf", "[sensor]\nname = twenty\n[connector b]\n");
	write_drop_in(
		fixture, "10.conf", "[sensor]\nname = ten\nmax_requests = 7\n[connector a]\n");
	write_drop_in(fixture, "30.conf~", "nonsense");
	write_drop_in(fixture, ".hidden.conf", "nonsense");
	struct config *config = load(fixture, "[sensor]\nname = main\n[connector c]\n");
	assert_string_equal(config->name, "twenty");
	assert_int_equal(config->max_requests, 7);
	assert_int_equal(config->connector_count, 3);
	assert_string_equal(config->connector[0].name, "c");
	assert_string_equal(config->connector[1].name, "a");
	assert_string_equal(config->connector[2].name, "b");
	config_free(config);
}

static void copies_are_equal_until_something_is_written_otherwise(void **state)
{
	struct config *config = load(*state, full);
	for (size_t i = 0; i < config->connector_count; i++) {
		struct config_connector copy = {.name = NULL};
		config_connector_copy(&copy, &config->connector[i]);
		assert_true(config_connector_equal(&copy, &config->connector[i]));
		assert_int_equal(copy.interval_s, config->connector[i].interval_s);
		assert_int_equal(copy.regions.count, config->connector[i].regions.count);
		assert_string_equal(copy.proxy, config->connector[i].proxy);
		config_connector_clear(&copy);
	}
	assert_false(config_connector_equal(&config->connector[0], &config->connector[1]));
	struct config *other = load(*state, "[connector x]\n[connector y]\ninterval = 24h\n"
					    "[connector z]\ninterval = 23h\n");
	other->connector[1].name[0] = other->connector[2].name[0] = 'x';
	assert_true(config_connector_equal(&other->connector[0], &other->connector[1]));
	assert_false(config_connector_equal(&other->connector[0], &other->connector[2]));
	config_free(other);
	config_free(config);
}

/* --- what is refused --------------------------------------------------------------------------- */

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
		expect_problem(*state, text, wrong_sensor[i].problem);
	}
	for (size_t i = 0; i < sizeof(wrong_connector) / sizeof(wrong_connector[0]); i++) {
		snprintf(text, sizeof(text), "[connector p]\n%s\n", wrong_connector[i].line);
		expect_problem(*state, text, wrong_connector[i].problem);
	}
}

static void wrong_endpoints_are_refused_with_the_reason(void **state)
{
	struct err err = ERR_INIT;
	const struct fixture *fixture = *state;
	write_file(fixture->file, "[connector p]\nendpoint_url = ftp://x\n");
	assert_null(config_load(fixture->file, &err));
	assert_non_null(strstr(err.text, ":2:16: endpoint_url: "));
	assert_non_null(strstr(err.text, "expected a URL such as https://host:port"));
}

static void channels_are_read(void **state)
{
	struct config *config = load(*state,
		"[sensor]\nalert_days = 1, 30,7\nalert_coverage_after = 2h\n"
		"[channel chat]\ntype = webhook\nurl_file = /run/url\nshape = slack\n"
		"minimum = critical\nresolved = yes\ntimeout = 5s\n"
		"[channel post]\ntype = mail\nserver = mail.example.com:2525\ntls = tls\n"
		"user = sensor\npassword_file = /run/password\nfrom = a@example.com\n"
		"to = b@example.com, c+d@example.com\n"
		"[channel hook]\ntype = command\ncommand = /bin/true\n[channel log]\n");
	assert_int_equal(config->alerts.days_count, 3);
	assert_int_equal(config->alerts.days[0], 30);
	assert_int_equal(config->alerts.days[1], 7);
	assert_int_equal(config->alerts.days[2], 1);
	assert_int_equal(config->alerts.coverage_after_s, 7200);
	assert_int_equal(config->channel_count, 4);
	const struct alert_channel *chat = &config->channel[0].channel;
	const struct alert_channel *post = &config->channel[1].channel;
	assert_string_equal(chat->name, "chat");
	assert_int_equal(chat->type, CHANNEL_WEBHOOK);
	assert_string_equal(chat->url_file, "/run/url");
	assert_int_equal(chat->shape, CHANNEL_SLACK);
	assert_int_equal(chat->minimum, ALERT_CRITICAL);
	assert_true(chat->resolved);
	assert_int_equal(chat->timeout_s, 5);
	assert_int_equal(post->type, CHANNEL_MAIL);
	assert_string_equal(post->server, "mail.example.com:2525");
	assert_int_equal(post->tls, MAIL_TLS);
	assert_int_equal(post->to_count, 2);
	assert_string_equal(post->to[1], "c+d@example.com");
	assert_string_equal(config->channel[2].channel.command, "/bin/true");
	assert_int_equal(config->channel[3].channel.type, CHANNEL_JOURNAL);
	assert_int_equal(config->channel[3].channel.minimum, ALERT_WARNING);
	config_free(config);
	config = load(*state, "[sensor]\nalert_days = off\n");
	assert_int_equal(config->alerts.days_count, 0);
	assert_int_equal(config->alerts.coverage_after_s, 3600);
	config_free(config);
	config = load(*state, "");
	assert_int_equal(config->alerts.days_count, 7);
	assert_int_equal(config->alerts.days[0], 45);
	assert_int_equal(config->alerts.days[6], 0);
	config_free(config);
}

static void expect_channel_problem(void **state, const char *options, const char *problem)
{
	char text[512];
	(void)snprintf(text, sizeof(text), "[channel x]\n%s\n", options);
	expect_problem(*state, text, problem);
}

static void channels_that_make_no_sense_are_refused(void **state)
{
	static const char mail[] = "type = mail\nserver = m\nfrom = a@b\nto = c@d\n";
	char text[256];
	expect_problem(*state, "[channel]\n",
		"1:1: a channel's name: expected [channel NAME], 1 to 32 of a-z, 0-9 and '-'");
	expect_channel_problem(state, "type = pager",
		"2:8: type = \"pager\": expected webhook, mail, command or journal");
	expect_channel_problem(state, "minimum = loud",
		"2:11: minimum = \"loud\": expected notice, warning, critical or emergency");
	expect_channel_problem(state, "server = a b",
		"2:10: server = \"a b\": expected a mail server as host or host:port");
	expect_channel_problem(state, "from = a@b c",
		"2:8: from = \"a@b c\": expected a mail address such as acmsensor@example.com");
	expect_channel_problem(state, "to = a@b, <c@d>",
		"2:6: to: \"<c@d>\": expected at most 32 mail addresses, comma separated");
	expect_channel_problem(
		state, "url = https://x", "2:1: unknown option \"url\" in [channel NAME]");
	expect_channel_problem(state, "type = webhook",
		"1:1: [channel x]: url_file is needed with type = webhook, and only there");
	expect_channel_problem(state, "url_file = /x",
		"1:1: [channel x]: url_file is needed with type = webhook, and only there");
	expect_channel_problem(state, "type = command",
		"1:1: [channel x]: command is needed with type = command, and only there");
	expect_channel_problem(state, "type = mail\nserver = m\nfrom = a@b",
		"1:1: [channel x]: server, from and to are needed with type = mail, and only there");
	expect_channel_problem(state, "user = me\npassword_file = /x",
		"1:1: [channel x]: user and password_file belong together, with type = mail");
	(void)snprintf(text, sizeof(text), "%suser = me", mail);
	expect_channel_problem(state, text,
		"1:1: [channel x]: user and password_file belong together, with type = mail");
	(void)snprintf(text, sizeof(text), "%suser = me\npassword_file = /x\ntls = off", mail);
	expect_channel_problem(state, text,
		"1:1: [channel x]: user is set, but tls = off would show the password to "
		"everybody");
	expect_channel_problem(
		state, "no_proxy = x", "1:1: [channel x]: no_proxy is set, but proxy is not");
	expect_channel_problem(state, "proxy = http://p:1",
		"1:1: [channel x]: proxy has a meaning with type = webhook only");
	for (size_t i = 0; i < 2; i++) {
		static const char *const wrong[] = {"7, 7", "-1"};
		char problem[256], line[64];
		(void)snprintf(line, sizeof(line), "[sensor]\nalert_days = %s\n", wrong[i]);
		(void)snprintf(problem, sizeof(problem),
			"2:14: alert_days = \"%s\": expected off, or at most 16 different numbers "
			"of days from 0 to 3650, comma separated",
			wrong[i]);
		expect_problem(*state, line, problem);
	}
}

static void sections_that_make_no_sense_are_refused(void **state)
{
	expect_problem(*state, "name = x\n", "1:1: a property before the first section");
	expect_problem(*state, "[conector p]\nscope = x\n",
		"1:1: unknown section [conector p]; expected [sensor], [connector NAME] or [channel NAME]");
	expect_problem(*state, "[connectors p]\n",
		"1:1: unknown section [connectors p]; expected [sensor], [connector NAME] or [channel NAME]");
	expect_problem(*state, "[connector]\n",
		"1:1: a connector's name: expected [connector NAME], 1 to 32 of a-z, 0-9 and '-'");
	expect_problem(*state, "[connector Prod]\n",
		"1:1: a connector's name: expected [connector NAME], 1 to 32 of a-z, 0-9 and '-'");
	expect_problem(*state, "[connector abcdefghijklmnopqrstuvwxyz0123456]\n",
		"1:1: a connector's name: expected [connector NAME], 1 to 32 of a-z, 0-9 and '-'");
	expect_problem(*state, "[sensor]\n[sensor]\n", "2:1: [sensor] is there twice in this file");
}

static void the_same_twice_names_the_first_place(void **state)
{
	const struct fixture *fixture = *state;
	char expected[512];
	snprintf(expected, sizeof(expected), "3:1: scope is set twice, first at %s:2",
		fixture->file);
	expect_problem(fixture, "[connector p]\nscope = account\nscope = account\n", expected);
	snprintf(expected, sizeof(expected), "2:1: [connector p] is there twice, first at %s:1:1",
		fixture->file);
	expect_problem(fixture, "[connector p]\n[connector p]\n", expected);
}

static void options_that_contradict_each_other_are_refused(void **state)
{
	expect_problem(*state, "\n[connector p]\nauth = profile\n",
		"2:1: [connector p]: auth = profile needs a profile");
	expect_problem(*state, "[connector p]\nprofile = x\n",
		"1:1: [connector p]: profile is set, but auth is not; expected auth = profile");
	expect_problem(*state,
		"[connector p]\nscope = account\nmanagement_role_arn = "
		"arn:aws:iam::111122223333:role/R\n",
		"1:1: [connector p]: management_role_arn has a meaning with scope = organization only");
	expect_problem(*state, "[connector p]\nimport = all\nimport_revoked = yes\n",
		"1:1: [connector p]: import_expired and import_revoked have a meaning with import = "
		"valid only");
	expect_problem(*state, "[connector p]\nno_proxy = x\n",
		"1:1: [connector p]: no_proxy is set, but proxy is not");
}

static void too_many_connectors_are_refused(void **state)
{
	struct buf text;
	buf_init(&text, 1 << 16);
	for (int i = 0; i < CONFIG_CONNECTORS_MAX; i++)
		buf_addf(&text, "[connector c%d]\n", i);
	struct config *config = load(*state, buf_text(&text));
	assert_int_equal(config->connector_count, CONFIG_CONNECTORS_MAX);
	config_free(config);
	buf_add_text(&text, "[connector more]\n");
	expect_problem(*state, buf_text(&text), "65:1: more than 64 connectors");
	buf_clear(&text);
}

static void files_that_cannot_be_trusted_or_read_are_refused(void **state)
{
	const struct fixture *fixture = *state;
	struct err err = ERR_INIT;
	expect_problem(
		fixture, "[sensor]\n\tname = x\n", "2:1: a line must not begin with a blank");
	assert_null(config_load("/nonexistent/a.conf", &err));
	assert_string_equal(err.text, "/nonexistent/a.conf: No such file or directory");
	assert_null(config_load(fixture->folder, &err));
	assert_non_null(strstr(err.text, ": not a regular file"));
	write_file(fixture->file, "[sensor]\n");
	assert_int_equal(chmod(fixture->file, 0666), 0);
	assert_null(config_load(fixture->file, &err));
	assert_non_null(
		strstr(err.text, ": everybody may write it (mode 0666); expected chmod o-w"));
	assert_int_equal(chmod(fixture->file, 0644), 0);
	write_drop_in(fixture, "x.conf", "[sensor]\nname = %\n");
	assert_null(config_load(fixture->file, &err));
	assert_non_null(strstr(err.text, "/conf.d/x.conf:2:8: name = \"%\""));
}

static void long_lines_are_values_like_others_up_to_their_limit(void **state)
{
	char *text = xcalloc(70001, 1);
	memcpy(text, "[sensor]\nname = ", 16);
	memset(text + 16, 'a', 10000);
	expect_problem(*state, text,
		"2:8: name = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\": "
		"expected 1 to 64 letters, digits, '.', '_' or '-'");
	memset(text + 16, 'a', 69000);
	struct err err = ERR_INIT;
	const struct fixture *fixture = *state;
	write_file(fixture->file, text);
	assert_null(config_load(fixture->file, &err));
	assert_non_null(strstr(err.text, ":2:"));
	free(text);
}

static void count_problem(void *arg, const char *text)
{
	size_t *count = arg;
	assert_non_null(strstr(text, ".conf:"));
	(*count)++;
}

static void check_tells_every_problem(void **state)
{
	const struct fixture *fixture = *state;
	size_t count = 0;
	write_file(fixture->file, "[sensor]\nname = %\nnam = x\n[what]\nignored = yes\n"
				  "[connector p]\nscope = x\nauth = profile\n");
	write_drop_in(fixture, "x.conf", "[connector p]\n");
	assert_null(config_check(fixture->file, count_problem, &count));
	assert_int_equal(count, 6);
}

/* --- what others see --------------------------------------------------------------------------- */

static const json_t *find_row(const json_t *rows, const char *section, const char *key)
{
	size_t i;
	json_t *row;
	json_array_foreach(rows, i,
		row) if (strcmp(json_string_value(json_object_get(row, "section")), section) == 0 &&
			 strcmp(json_string_value(json_object_get(row, "key")), key) ==
				 0) return row;
	fail_msg("no %s in %s", key, section);
	return NULL;
}

static void rendering_tells_each_value_and_where_it_comes_from(void **state)
{
	const struct fixture *fixture = *state;
	struct config *config = load(fixture, "[sensor]\nmax_requests = 7\n[connector p]\n");
	struct json_writer writer;
	struct buf text;
	struct err err = ERR_INIT;
	char place[512];
	buf_init(&text, 1 << 20);
	json_writer_init(&writer, &text, false);
	json_open_object(&writer);
	json_key(&writer, "config");
	config_render(config, &writer);
	json_close_object(&writer);
	json_t *document = json_read_object(buf_text(&text), text.len, &err);
	const json_t *rows = json_object_get(document, "config");
	const json_t *row = find_row(rows, "sensor", "max_requests");
	snprintf(place, sizeof(place), "%s:2", fixture->file);
	assert_string_equal(json_string_value(json_object_get(row, "value")), "7");
	assert_string_equal(json_string_value(json_object_get(row, "source")), place);
	assert_string_equal(json_string_value(json_object_get(row, "default")), "64");
	row = find_row(rows, "connector p", "interval");
	assert_string_equal(json_string_value(json_object_get(row, "value")), "24h");
	assert_string_equal(json_string_value(json_object_get(row, "source")), "default");
	row = find_row(rows, "sensor", "name");
	assert_string_equal(json_string_value(json_object_get(row, "value")), config->name);
	row = find_row(rows, "sensor", "metrics_listen");
	assert_string_equal(json_string_value(json_object_get(row, "value")), "off");
	json_decref(document);
	buf_clear(&text);
	config_free(config);
}

static void example_is_a_configuration_with_every_default(void **state)
{
	struct buf text;
	buf_init(&text, 1 << 20);
	config_example(&text);
	struct config *config = load(*state, buf_text(&text));
	assert_int_equal(config->connector_count, 0);
	config_free(config);
	for (char *line = text.data; line != NULL; line = strchr(line, '\n')) {
		line += line != text.data;
		if (line[0] == ';')
			memmove(line, line + 1, strlen(line));
	}
	config = load(*state, buf_text(&text));
	struct config *defaults = load(*state, "[connector prod]\n");
	assert_true(config_connector_equal(&config->connector[0], &defaults->connector[0]));
	assert_string_equal(config->data_dir, defaults->data_dir);
	config_free(defaults);
	config_free(config);
	buf_clear(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_hold_where_nothing_is_written),
		TEST(every_option_is_read),
		TEST(long_lists_are_taken_to_their_limit),
		TEST(drop_ins_follow_in_order_of_name_and_may_overrule_the_sensor),
		TEST(copies_are_equal_until_something_is_written_otherwise),
		TEST(wrong_values_are_refused_with_what_was_expected),
		TEST(wrong_endpoints_are_refused_with_the_reason),
		TEST(channels_are_read),
		TEST(channels_that_make_no_sense_are_refused),
		TEST(sections_that_make_no_sense_are_refused),
		TEST(the_same_twice_names_the_first_place),
		TEST(options_that_contradict_each_other_are_refused),
		TEST(too_many_connectors_are_refused),
		TEST(files_that_cannot_be_trusted_or_read_are_refused),
		TEST(long_lines_are_values_like_others_up_to_their_limit),
		TEST(check_tells_every_problem),
		TEST(rendering_tells_each_value_and_where_it_comes_from),
		TEST(example_is_a_configuration_with_every_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
