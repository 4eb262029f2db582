/* What a monitoring system reads of the daemon, from numbers made by hand. */
#include "sensor/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "alert/pass.h"
#include "alert/sender.h"
#include "aws/usage.h"
#include "base/buf.h"
#include "base/openmetrics.h"
#include "delivery/delivery.h"
#include "store/cert_query.h"
#include "store/coverage.h"
#include "store/store.h"

static struct buf text;

static void render(const struct metrics_input *input)
{
	struct openmetrics metrics;
	buf_init(&text, 1 << 20);
	openmetrics_begin(&metrics, &text, OPENMETRICS_1_0);
	metrics_render(input, &metrics);
}

static void expect(const char *line)
{
	char whole[512];
	(void)snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (strstr(buf_text(&text), whole) == NULL)
		fail_msg("no \"%s\" in:\n%s", line, buf_text(&text));
}

static void expect_none(const char *part)
{
	if (strstr(buf_text(&text), part) != NULL)
		fail_msg("\"%s\" in:\n%s", part, buf_text(&text));
}

static void each_number_of_a_connector_has_its_metric(void **state)
{
	static const struct cycle_counts cycles = {
		.ended = {[PROGRESS_CYCLE] = {[PROGRESS_COMPLETE] = 1, [PROGRESS_FAILED] = 2},
			[PROGRESS_CATCH_UP] = {[PROGRESS_INCOMPLETE] = 3},
			[PROGRESS_ASKED] = {[PROGRESS_COMPLETE] = 4}}};
	static const int64_t coverage[COVERAGE_STATES] = {[COVERAGE_OK] = 5, [COVERAGE_DENIED] = 6};
	static const struct aws_usage usage = {.count = 0};
	const struct metrics_connector connector = {.name = "prod",
		.cycles = &cycles,
		.is_running = true,
		.interval_s = 7,
		.next_s = 8,
		.has_cycle = true,
		.has_failed = true,
		.started_s = 100,
		.finished_s = 109,
		.last_complete_s = 10,
		.credentials = {.is_failing = true, .has_end = true, .left_s = -11},
		.clock_offset_s = -12,
		.coverage = coverage};
	(void)state;
	render(&(struct metrics_input){
		.version = "1", .connector = &connector, .connector_count = 1, .usage = &usage});
	expect("acmsensor_cycles_total{connector=\"prod\",kind=\"cycle\",result=\"complete\"} 1");
	expect("acmsensor_cycles_total{connector=\"prod\",kind=\"cycle\",result=\"failed\"} 2");
	expect("acmsensor_cycles_total{connector=\"prod\",kind=\"catch_up\",result=\"incomplete\"} 3");
	expect("acmsensor_cycles_total{connector=\"prod\",kind=\"asked\",result=\"complete\"} 4");
	expect("acmsensor_account_regions{connector=\"prod\",state=\"ok\"} 5");
	expect("acmsensor_account_regions{connector=\"prod\",state=\"denied\"} 6");
	expect("acmsensor_account_regions{connector=\"prod\",state=\"throttled\"} 0");
	expect("acmsensor_cycle_interval_seconds{connector=\"prod\"} 7");
	expect("acmsensor_cycle_next_timestamp_seconds{connector=\"prod\"} 8");
	expect("acmsensor_cycle_running{connector=\"prod\"} 1");
	expect("acmsensor_cycle_failing{connector=\"prod\"} 1");
	expect("acmsensor_cycle_start_timestamp_seconds{connector=\"prod\"} 100");
	expect("acmsensor_cycle_duration_seconds{connector=\"prod\"} 9");
	expect("acmsensor_cycle_complete_timestamp_seconds{connector=\"prod\"} 10");
	expect("acmsensor_credentials_remaining_seconds{connector=\"prod\"} -11");
	expect("acmsensor_credentials_failing{connector=\"prod\"} 1");
	expect("acmsensor_clock_offset_seconds{connector=\"prod\"} -12");
	buf_clear(&text);
}

static void what_is_not_known_is_not_told(void **state)
{
	static const struct cycle_counts cycles = {.ended = {{0}}};
	static const struct aws_usage usage = {.count = 0};
	const struct metrics_connector connector[] = {{.name = "new", .cycles = &cycles},
		{.name = "busy", .cycles = &cycles, .has_cycle = true, .started_s = 5}};
	(void)state;
	render(&(struct metrics_input){
		.version = "1", .connector = connector, .connector_count = 2, .usage = &usage});
	expect("acmsensor_cycle_failing{connector=\"new\"} 0");
	expect("acmsensor_cycle_start_timestamp_seconds{connector=\"busy\"} 5");
	expect_none("acmsensor_cycle_start_timestamp_seconds{connector=\"new\"}");
	expect_none("acmsensor_cycle_duration_seconds{");
	expect_none("acmsensor_cycle_complete_timestamp_seconds{");
	expect_none("acmsensor_cycle_next_timestamp_seconds{");
	expect_none("acmsensor_credentials_remaining_seconds{");
	expect_none("acmsensor_account_regions{");
	expect_none("acmsensor_certificate");
	expect_none("acmsensor_store");
	expect_none("acmsensor_delivery");
	expect_none("acmsensor_alert");
	expect_none("process_resident");
	buf_clear(&text);
}

static void each_number_of_the_daemon_has_its_metric(void **state)
{
	static const struct cert_counts certificates = {.issued = 1};
	static const struct store_stats store = {.file_bytes = 2};
	static const struct aws_usage usage = {
		.row = {{.service = "sts", .operation = "AssumeRole", .calls = 3}}, .count = 1};
	static const struct delivery_stats delivery = {.ended = {[JOB_DELIVER][JOB_SUCCEEDED] = 4}};
	(void)state;
	render(&(struct metrics_input){.version = "1.2.3",
		.started_s = 5,
		.certificates = &certificates,
		.store = &store,
		.usage = &usage,
		.delivery = &delivery,
		.deliveries_running = 6,
		.loop = {.turns = 7, .busy_us = 8, .stalls = 9},
		.longest_stall_us = 10,
		.http = {.queued = 11,
			.in_flight = 12,
			.connections_opened = 13,
			.bytes_in = 14,
			.bytes_out = 15},
		.cpu_us = 16,
		.resident_bytes = 17});
	expect("acmsensor_build_info{version=\"1.2.3\"} 1");
	expect("process_start_time_seconds 5");
	expect("acmsensor_certificates{status=\"issued\"} 1");
	expect("acmsensor_store_file_bytes 2");
	expect("acmsensor_aws_calls_total{service=\"sts\",operation=\"AssumeRole\"} 3");
	expect("acmsensor_delivery_jobs_total{kind=\"deliver\",outcome=\"succeeded\"} 4");
	expect("acmsensor_delivery_jobs_running 6");
	expect("acmsensor_loop_turns_total 7");
	expect("acmsensor_loop_busy_seconds_total 0.000008");
	expect("acmsensor_loop_stalls_total 9");
	expect("acmsensor_loop_longest_stall_seconds 0.000010");
	expect("acmsensor_http_requests_queued 11");
	expect("acmsensor_http_requests_in_flight 12");
	expect("acmsensor_http_connections_opened_total 13");
	expect("acmsensor_http_received_bytes_total 14");
	expect("acmsensor_http_sent_bytes_total 15");
	expect("process_cpu_seconds_total 0.000016");
	expect("process_resident_memory_bytes 17");
	assert_string_equal(buf_text(&text) + text.len - 6, "# EOF\n");
	buf_clear(&text);
}

static void alerts_and_their_channels_have_metrics(void **state)
{
	static const struct aws_usage usage = {.count = 0};
	static const struct alert_counts alerts = {
		.open = {[ALERT_NOTICE] = 1, [ALERT_EMERGENCY] = 2}, .acknowledged = 3};
	static const struct alert_sender_state channel[] = {
		{.name = "ops", .sent_s = 4}, {.name = "mail", .failing_since_s = 5}};
	(void)state;
	render(&(struct metrics_input){.version = "1",
		.usage = &usage,
		.alerts = &alerts,
		.channel = channel,
		.channel_count = 2});
	expect("acmsensor_alerts{class=\"notice\"} 1");
	expect("acmsensor_alerts{class=\"warning\"} 0");
	expect("acmsensor_alerts{class=\"critical\"} 0");
	expect("acmsensor_alerts{class=\"emergency\"} 2");
	expect("acmsensor_alerts_acknowledged 3");
	expect("acmsensor_alert_channel_failing{channel=\"ops\"} 0");
	expect("acmsensor_alert_channel_failing{channel=\"mail\"} 1");
	expect("acmsensor_alert_channel_sent_timestamp_seconds{channel=\"ops\"} 4");
	expect_none("sent_timestamp_seconds{channel=\"mail\"}");
	buf_clear(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_number_of_a_connector_has_its_metric),
		cmocka_unit_test(what_is_not_known_is_not_told),
		cmocka_unit_test(each_number_of_the_daemon_has_its_metric),
		cmocka_unit_test(alerts_and_their_channels_have_metrics),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
