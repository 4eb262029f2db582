#include "sensor/attention.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "sensor/tally.h"

enum { NOW_S = 1795219200, DAY_S = 86400 };

struct fixture {
	struct attention_connector connector[40];
	struct cert_counts counts;
	struct tally tally;
	struct attention_input input;
	struct attention attention;
};

/* One connector with which all is well. */
static struct fixture *fine(void)
{
	static struct fixture fixture;
	fixture = (struct fixture){
		.connector = {{.name = "prod",
			.error = "",
			.last_complete_s = NOW_S - 3600,
			.started_s = NOW_S - 3700,
			.interval_s = DAY_S}},
	};
	fixture.input = (struct attention_input){.alerts_error = "",
		.connector = fixture.connector,
		.connector_count = 1,
		.counts = &fixture.counts,
		.tally = &fixture.tally,
		.store_error = "",
		.secrets_error = "",
		.now_s = NOW_S};
	return &fixture;
}

/* "severity text" a line each. */
static void expect(struct fixture *fixture, const char *expected)
{
	static char found[8192];
	attention_find(&fixture->input, &fixture->attention);
	found[0] = '\0';
	for (size_t i = 0; i < fixture->attention.count; i++) {
		const struct attention_item *item = &fixture->attention.item[i];
		size_t len = strlen(found);
		assert_true(item->hint[0] != '\0');
		snprintf(found + len, sizeof(found) - len, "%s %s\n",
			attention_severity_name(item->severity), item->text);
	}
	assert_string_equal(found, expected);
}

static void nothing_is_told_when_all_is_well(void **state)
{
	(void)state;
	expect(fine(), "");
}

static void failed_cycle_and_full_disk_come_first(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	fixture->tally.problems = 1;
	fixture->tally.state[COVERAGE_DENIED] = 1;
	fixture->connector[0].error = "no credentials";
	fixture->input.store_error = "no space left";
	fixture->counts.in_use_not_renewing_30 = 1;
	expect(fixture,
		"critical the store cannot be written: no space left\n"
		"critical connector prod: the last cycle failed: no credentials\n"
		"critical 1 certificate in use ends within 30 days and AWS will not renew it\n"
		"warning 1 account-region could not be read: 1 denied\n");
}

/* In whatever order they are found. */
static void what_is_worse_comes_first(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	fixture->input.clock_offset_s = 1200;
	fixture->counts.detail_failed = 1;
	fixture->counts.in_use_not_renewing_30 = 1;
	fixture->counts.expires_in_days[0] = 1;
	expect(fixture,
		"critical 1 certificate in use ends within 30 days and AWS will not renew it\n"
		"warning this host's clock is 20m behind AWS's\n"
		"warning 1 certificate ends within 7 days\n"
		"notice 1 certificate was listed but could not be described\n");
}

static void certificates_are_told_by_what_loses_most(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	fixture->counts.in_use_not_renewing_30 = 3;
	fixture->counts.expires_in_days[0] = 5;
	fixture->counts.detail_failed = 2;
	expect(fixture,
		"critical 3 certificates in use end within 30 days and AWS will not renew them\n"
		"warning 5 certificates end within 7 days\n"
		"notice 2 certificates were listed but could not be described\n");
	fixture->counts = (struct cert_counts){.detail_failed = 1};
	fixture->counts.expires_in_days[0] = 1;
	expect(fixture, "warning 1 certificate ends within 7 days\n"
			"notice 1 certificate was listed but could not be described\n");
}

static void open_alerts_are_counted_and_a_channel_that_fails_is_named(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	fixture->input.alerts[ALERT_NOTICE] = 1;
	expect(fixture, "notice 1 alert is open: 1 notice\n");
	fixture->input.alerts[ALERT_WARNING] = 2;
	expect(fixture, "warning 3 alerts are open: 2 warning, 1 notice\n");
	fixture->input.alerts[ALERT_EMERGENCY] = 4;
	struct attention_channel channel[] = {
		{.name = "ops",
			.error = "webhook: the receiver answered HTTP "
				 "404",
			.failing_since_s = NOW_S - 7200},
		{.name = "log", .error = ""},
		{.name = "post", .error = "mail: no", .failing_since_s = NOW_S - 60}};
	fixture->input.channel = channel;
	fixture->input.channel_count = 3;
	expect(fixture,
		"critical 7 alerts are open: 4 emergency, 2 warning, 1 notice\n"
		"warning alerts cannot be told on channel ops for 2h: webhook: the receiver "
		"answered HTTP 404\n"
		"warning alerts cannot be told on channel post for 1m: mail: no\n");
	/* When none works, nobody hears of anything. */
	fixture->input.channel_count = 1;
	expect(fixture,
		"critical 7 alerts are open: 4 emergency, 2 warning, 1 notice\n"
		"critical alerts cannot be told on channel ops for 2h: webhook: the receiver "
		"answered HTTP 404\n");
}

static void alerts_that_cannot_be_looked_for_are_the_worst(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	fixture->input.alerts_error = "store: no space left on device";
	expect(fixture, "critical alerts cannot be looked for: store: no space left on device\n");
}

static void places_that_were_not_read_are_summed_up(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	fixture->tally.problems = 17;
	fixture->tally.state[COVERAGE_OK] = 100;
	fixture->tally.state[COVERAGE_REGION_DISABLED] = 9;
	fixture->tally.state[COVERAGE_ROLE_UNASSUMABLE] = 10;
	fixture->tally.state[COVERAGE_UNREACHABLE] = 2;
	fixture->tally.state[COVERAGE_NEVER_TRIED] = 5;
	expect(fixture,
		"warning 12 account-regions could not be read: 10 role_unassumable, 2 unreachable\n"
		"notice 5 account-regions have not been tried yet\n");
	fixture->tally = (struct tally){.problems = 1};
	fixture->tally.state[COVERAGE_NEVER_TRIED] = 1;
	expect(fixture, "notice 1 account-region has not been tried yet\n");
}

static void connector_that_has_long_not_read_everything_is_told(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	fixture->connector[0].last_complete_s = NOW_S - 2 * DAY_S;
	expect(fixture, "");
	fixture->connector[0].last_complete_s -= 1;
	expect(fixture, "warning connector prod: no cycle has read everything for 2d\n");
	fixture->connector[0].last_complete_s = 0; /* never: since it began */
	expect(fixture, "");
	fixture->connector[0].started_s = NOW_S - 3 * DAY_S;
	expect(fixture, "warning connector prod: no cycle has read everything for 3d\n");
	fixture->connector[0].started_s = 0;
	expect(fixture, "");
}

static void wrong_clock_is_told_with_its_direction(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	fixture->input.clock_offset_s = 59;
	expect(fixture, "");
	fixture->input.clock_offset_s = 1200;
	expect(fixture, "warning this host's clock is 20m behind AWS's\n");
	fixture->input.clock_offset_s = -60;
	expect(fixture, "warning this host's clock is 1m ahead of AWS's\n");
}

static void sensor_without_connectors_says_so(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	fixture->input.connector_count = 0;
	expect(fixture, "warning no connector is configured, so nothing is discovered\n");
}

static void more_than_anybody_can_read_is_cut(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	for (size_t i = 0; i < 40; i++) {
		fixture->connector[i] = fixture->connector[0];
		fixture->connector[i].error = "down";
	}
	fixture->input.connector_count = 40;
	attention_find(&fixture->input, &fixture->attention);
	assert_int_equal(fixture->attention.count, ATTENTION_MAX);
}

static void items_are_rendered_in_order(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	struct json_writer writer;
	struct buf to;
	fixture->counts.expires_in_days[0] = 1;
	attention_find(&fixture->input, &fixture->attention);
	buf_init(&to, 4096);
	json_writer_init(&writer, &to, false);
	attention_render(&fixture->attention, &writer);
	bool is_expected =
		strcmp(buf_text(&to),
			"[{\"severity\":\"warning\",\"text\":\"1 certificate ends "
			"within 7 days\",\"hint\":\"acmsensor certs --expires 7d\"}]") == 0;
	buf_clear(&to);
	assert_true(is_expected);
}

/* A private key where it should not be any more. */
static void a_secret_that_is_left_over_is_told(void **state)
{
	(void)state;
	struct fixture *fixture = fine();
	fixture->input.secrets_left = 1;
	fixture->input.secrets_error = "not allowed";
	expect(fixture, "warning 1 private key should be gone from AWS Secrets Manager and is not: "
			"not allowed\n");
	fixture->input.secrets_left = 2;
	expect(fixture, "warning 2 private keys should be gone from AWS Secrets Manager and are "
			"not: not allowed\n");
	fixture->input.secrets_left = 0;
	expect(fixture, "warning left-over private keys cannot be looked for in AWS Secrets "
			"Manager: not allowed\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_told_when_all_is_well),
		cmocka_unit_test(failed_cycle_and_full_disk_come_first),
		cmocka_unit_test(what_is_worse_comes_first),
		cmocka_unit_test(certificates_are_told_by_what_loses_most),
		cmocka_unit_test(open_alerts_are_counted_and_a_channel_that_fails_is_named),
		cmocka_unit_test(alerts_that_cannot_be_looked_for_are_the_worst),
		cmocka_unit_test(places_that_were_not_read_are_summed_up),
		cmocka_unit_test(connector_that_has_long_not_read_everything_is_told),
		cmocka_unit_test(wrong_clock_is_told_with_its_direction),
		cmocka_unit_test(sensor_without_connectors_says_so),
		cmocka_unit_test(more_than_anybody_can_read_is_cut),
		cmocka_unit_test(items_are_rendered_in_order),
		cmocka_unit_test(a_secret_that_is_left_over_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
