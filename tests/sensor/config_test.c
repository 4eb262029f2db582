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
#include "tests/sensor/config_fixture.h"

/* --- what is accepted -------------------------------------------------------------------------- */

static void defaults_hold_where_nothing_is_written(void **state)
{
	char host[65] = "";
	struct config *config = config_fixture_load(*state, "[connector prod]\n");
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
	assert_int_equal(config->plan_life_s, 3600);
	assert_int_equal(config->keep_keys_s, 30 * 86400);
	assert_int_equal(config->keep_events_s, 400 * 86400);
	assert_int_equal(config->keep_gone_s, 400 * 86400);
	assert_int_equal(config->keep_jobs_s, 400 * 86400);
	config_free(config);
}

static void drop_ins_follow_in_order_of_name_and_may_overrule_the_sensor(void **state)
{
	const struct config_fixture *fixture = *state;
	config_fixture_drop_in(fixture, "20.conf", "[sensor]\nname = twenty\n[connector b]\n");
	config_fixture_drop_in(
		fixture, "10.conf", "[sensor]\nname = ten\nmax_requests = 7\n[connector a]\n");
	config_fixture_drop_in(fixture, "30.conf~", "nonsense");
	config_fixture_drop_in(fixture, ".hidden.conf", "nonsense");
	struct config *config =
		config_fixture_load(fixture, "[sensor]\nname = main\n[connector c]\n");
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
	struct config *config = config_fixture_load(*state,
		"[connector one]\nscope = account\nregions = us-east-1,eu-west-1\ninterval = 90m\n"
		"proxy = http://proxy.internal:3128\n[connector two-2]\nimport_expired = 90d\n");
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
	struct config *other =
		config_fixture_load(*state, "[connector x]\n[connector y]\ninterval = 24h\n"
					    "[connector z]\ninterval = 23h\n");
	other->connector[1].name[0] = other->connector[2].name[0] = 'x';
	assert_true(config_connector_equal(&other->connector[0], &other->connector[1]));
	assert_false(config_connector_equal(&other->connector[0], &other->connector[2]));
	config_free(other);
	config_free(config);
}

/* --- what is refused --------------------------------------------------------------------------- */

static void channels_are_read(void **state)
{
	struct config *config = config_fixture_load(*state,
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
	config = config_fixture_load(*state, "[sensor]\nalert_days = off\n");
	assert_int_equal(config->alerts.days_count, 0);
	assert_int_equal(config->alerts.coverage_after_s, 3600);
	config_free(config);
	config = config_fixture_load(*state, "");
	assert_int_equal(config->alerts.days_count, 7);
	assert_int_equal(config->alerts.days[0], 45);
	assert_int_equal(config->alerts.days[6], 0);
	config_free(config);
}

static void expect_channel_problem(void **state, const char *options, const char *problem)
{
	char text[512];
	(void)snprintf(text, sizeof(text), "[channel x]\n%s\n", options);
	config_fixture_refuse(*state, text, problem);
}

static void channels_that_make_no_sense_are_refused(void **state)
{
	static const char mail[] = "type = mail\nserver = m\nfrom = a@b\nto = c@d\n";
	char text[256];
	config_fixture_refuse(*state, "[channel]\n",
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
	expect_channel_problem(state, "type = mail\nserver = m\nto = c@d",
		"1:1: [channel x]: server, from and to are needed with type = mail, and only there");
	expect_channel_problem(state, "type = mail\nfrom = a@b\nto = c@d",
		"1:1: [channel x]: server, from and to are needed with type = mail, and only there");
	expect_channel_problem(state, "from = a@b",
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
		config_fixture_refuse(*state, line, problem);
	}
}

static void sections_that_make_no_sense_are_refused(void **state)
{
	config_fixture_refuse(*state, "name = x\n", "1:1: a property before the first section");
	config_fixture_refuse(*state, "[conector p]\nscope = x\n",
		"1:1: unknown section [conector p]; expected [sensor], [connector NAME] or [channel NAME]");
	config_fixture_refuse(*state, "[connectors p]\n",
		"1:1: unknown section [connectors p]; expected [sensor], [connector NAME] or [channel NAME]");
	config_fixture_refuse(*state, "[connector]\n",
		"1:1: a connector's name: expected [connector NAME], 1 to 32 of a-z, 0-9 and '-'");
	config_fixture_refuse(*state, "[connector Prod]\n",
		"1:1: a connector's name: expected [connector NAME], 1 to 32 of a-z, 0-9 and '-'");
	config_fixture_refuse(*state, "[connector abcdefghijklmnopqrstuvwxyz0123456]\n",
		"1:1: a connector's name: expected [connector NAME], 1 to 32 of a-z, 0-9 and '-'");
	static const char *const words[] = {"con", "chan", "connectorx", "sensors"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char text[64], problem[160];
		snprintf(text, sizeof(text), "[%s p]\n", words[i]);
		snprintf(problem, sizeof(problem),
			"1:1: unknown section [%s p]; expected [sensor], [connector NAME] or "
			"[channel NAME]",
			words[i]);
		config_fixture_refuse(*state, text, problem);
	}
	config_fixture_refuse(*state, "[connector -p]\n",
		"1:1: a connector's name: expected [connector NAME], 1 to 32 of a-z, 0-9 and '-'");
	config_fixture_refuse(
		*state, "[sensor]\n[sensor]\n", "2:1: [sensor] is there twice in this file");
}

static void the_same_twice_names_the_first_place(void **state)
{
	const struct config_fixture *fixture = *state;
	char expected[512];
	snprintf(expected, sizeof(expected), "3:1: scope is set twice, first at %s:2",
		fixture->file);
	config_fixture_refuse(
		fixture, "[connector p]\nscope = account\nscope = account\n", expected);
	snprintf(expected, sizeof(expected), "2:1: [connector p] is there twice, first at %s:1:1",
		fixture->file);
	config_fixture_refuse(fixture, "[connector p]\n[connector p]\n", expected);
	snprintf(expected, sizeof(expected), "3:1: [channel c] is there twice, first at %s:2:1",
		fixture->file);
	config_fixture_refuse(fixture, "[channel b]\n[channel c]\n[channel c]\n", expected);
}

static void options_that_contradict_each_other_are_refused(void **state)
{
	config_fixture_refuse(*state, "\n[connector p]\nauth = profile\n",
		"2:1: [connector p]: auth = profile needs a profile");
	config_fixture_refuse(*state, "[connector p]\nprofile = x\n",
		"1:1: [connector p]: profile is set, but auth is not; expected auth = profile");
	config_fixture_refuse(*state,
		"[connector p]\nscope = account\nmanagement_role_arn = "
		"arn:aws:iam::111122223333:role/R\n",
		"1:1: [connector p]: management_role_arn has a meaning with scope = organization only");
	config_fixture_refuse(*state, "[connector p]\nimport = all\nimport_revoked = yes\n",
		"1:1: [connector p]: import_expired and import_revoked have a meaning with import = "
		"valid only");
	config_fixture_refuse(*state, "[connector p]\nno_proxy = x\n",
		"1:1: [connector p]: no_proxy is set, but proxy is not");
}

/* As many sections as may be are taken, and one more is not. */
static void expect_sections(
	const struct config_fixture *fixture, const char *kind, int max, const char *problem)
{
	struct buf text;
	buf_init(&text, 1 << 16);
	for (int i = 0; i < max; i++)
		buf_addf(&text, "[%s c%d]\n", kind, i);
	config_free(config_fixture_load(fixture, buf_text(&text)));
	buf_addf(&text, "[%s more]\n", kind);
	config_fixture_refuse(fixture, buf_text(&text), problem);
	buf_clear(&text);
}

static void too_many_of_anything_are_refused(void **state)
{
	const struct config_fixture *fixture = *state;
	expect_sections(
		fixture, "connector", CONFIG_CONNECTORS_MAX, "65:1: more than 64 connectors");
	expect_sections(fixture, "channel", CONFIG_CHANNELS_MAX, "17:1: more than 16 channels");
	char name[16];
	for (int i = 0; i <= 1000; i++) {
		snprintf(name, sizeof(name), "%d.conf", i);
		config_fixture_drop_in(fixture, name, "");
	}
	struct err err = ERR_INIT;
	config_fixture_write(fixture->file, "");
	assert_null(config_load(fixture->file, &err));
	assert_non_null(strstr(err.text, "/conf.d: more than 1000 files"));
}

static void files_that_cannot_be_trusted_or_read_are_refused(void **state)
{
	const struct config_fixture *fixture = *state;
	struct err err = ERR_INIT;
	config_fixture_refuse(
		fixture, "[sensor]\n\tname = x\n", "2:1: a line must not begin with a blank");
	assert_null(config_load("/nonexistent/a.conf", &err));
	assert_string_equal(err.text, "/nonexistent/a.conf: No such file or directory");
	err = (struct err)ERR_INIT;
	assert_null(config_load("none.conf", &err)); /* and conf.d beside it, here */
	assert_string_equal(err.text, "none.conf: No such file or directory");
	assert_null(config_load(fixture->folder, &err));
	assert_non_null(strstr(err.text, ": not a regular file"));
	config_fixture_write(fixture->file, "[sensor]\n");
	assert_int_equal(chmod(fixture->file, 0666), 0);
	assert_null(config_load(fixture->file, &err));
	assert_non_null(
		strstr(err.text, ": everybody may write it (mode 0666); expected chmod o-w"));
	assert_int_equal(chmod(fixture->file, 0644), 0);
	char *folder = temp_path(fixture->folder, "conf.d");
	config_fixture_write(folder, "a file");
	assert_null(config_load(fixture->file, &err));
	assert_non_null(strstr(err.text, "/conf.d: Not a directory"));
	assert_int_equal(unlink(folder), 0);
	free(folder);
	config_fixture_drop_in(fixture, "x.conf", "[sensor]\nname = %\n");
	assert_null(config_load(fixture->file, &err));
	assert_non_null(strstr(err.text, "/conf.d/x.conf:2:8: name = \"%\""));
}

static void count_problem(void *arg, const char *text)
{
	size_t *count = arg;
	assert_non_null(strstr(text, ".conf:"));
	(*count)++;
}

static void check_tells_every_problem(void **state)
{
	const struct config_fixture *fixture = *state;
	size_t count = 0;
	config_fixture_write(fixture->file, "[sensor]\nname = %\nnam = x\n[what]\nignored = yes\n"
					    "[connector p]\nscope = x\nauth = profile\n");
	config_fixture_drop_in(fixture, "x.conf", "[connector p]\n");
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
	const struct config_fixture *fixture = *state;
	struct config *config =
		config_fixture_load(fixture, "[sensor]\nmax_requests = 7\n[connector p]\n"
					     "[channel hook]\ntype = command\ncommand = /x\n");
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
	row = find_row(rows, "channel hook", "command");
	assert_string_equal(json_string_value(json_object_get(row, "value")), "/x");
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
	struct config *config = config_fixture_load(*state, buf_text(&text));
	assert_int_equal(config->connector_count, 0);
	config_free(config);
	for (char *line = text.data; line != NULL; line = strchr(line, '\n')) {
		line += line != text.data;
		if (line[0] == ';')
			memmove(line, line + 1, strlen(line));
	}
	config = config_fixture_load(*state, buf_text(&text));
	struct config *defaults = config_fixture_load(*state, "[connector prod]\n");
	assert_true(config_connector_equal(&config->connector[0], &defaults->connector[0]));
	assert_string_equal(config->data_dir, defaults->data_dir);
	config_free(defaults);
	config_free(config);
	buf_clear(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(defaults_hold_where_nothing_is_written),
		CONFIG_TEST(drop_ins_follow_in_order_of_name_and_may_overrule_the_sensor),
		CONFIG_TEST(copies_are_equal_until_something_is_written_otherwise),
		CONFIG_TEST(channels_are_read),
		CONFIG_TEST(channels_that_make_no_sense_are_refused),
		CONFIG_TEST(sections_that_make_no_sense_are_refused),
		CONFIG_TEST(the_same_twice_names_the_first_place),
		CONFIG_TEST(options_that_contradict_each_other_are_refused),
		CONFIG_TEST(too_many_of_anything_are_refused),
		CONFIG_TEST(files_that_cannot_be_trusted_or_read_are_refused),
		CONFIG_TEST(check_tells_every_problem),
		CONFIG_TEST(rendering_tells_each_value_and_where_it_comes_from),
		CONFIG_TEST(example_is_a_configuration_with_every_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
