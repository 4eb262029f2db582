#include "sensor/metrics.h"

#include "alert/pass.h"
#include "alert/sender.h"
#include "aws/usage.h"
#include "base/openmetrics.h"
#include "delivery/delivery.h"
#include "store/coverage.h"
#include "store/metrics.h"
#include "store/store.h"

static void gauge(struct openmetrics *metrics, const char *name, const char *unit, int64_t value,
	const char *help)
{
	openmetrics_family(metrics, OPENMETRICS_GAUGE, name, unit, help);
	openmetrics_int(metrics, NULL, 0, value);
}

static void counter(struct openmetrics *metrics, const char *name, const char *unit, int64_t value,
	const char *help)
{
	openmetrics_family(metrics, OPENMETRICS_COUNTER, name, unit, help);
	openmetrics_int(metrics, NULL, 0, value);
}

/* --- connectors ------------------------------------------------------------------------------- */

/* Whether there is a value, and which. */
typedef bool connector_value_fn(const struct metrics_connector *connector, int64_t *ret_value);

static void of_connectors(const struct metrics_input *input, struct openmetrics *metrics,
	const char *name, const char *unit, connector_value_fn *value, const char *help)
{
	int64_t number;
	openmetrics_family(metrics, OPENMETRICS_GAUGE, name, unit, help);
	for (size_t i = 0; i < input->connector_count; i++) {
		const struct metrics_connector *connector = &input->connector[i];
		if (value(connector, &number))
			openmetrics_int(metrics,
				&(struct openmetrics_label){"connector", connector->name}, 1,
				number);
	}
}

static bool interval_of(const struct metrics_connector *connector, int64_t *ret_value)
{
	*ret_value = connector->interval_s;
	return true;
}

static bool running_of(const struct metrics_connector *connector, int64_t *ret_value)
{
	*ret_value = connector->is_running;
	return true;
}

static bool failing_of(const struct metrics_connector *connector, int64_t *ret_value)
{
	*ret_value = connector->has_failed;
	return true;
}

static bool next_of(const struct metrics_connector *connector, int64_t *ret_value)
{
	*ret_value = connector->next_s;
	return connector->next_s != 0;
}

static bool start_of(const struct metrics_connector *connector, int64_t *ret_value)
{
	*ret_value = connector->started_s;
	return connector->has_cycle;
}

static bool duration_of(const struct metrics_connector *connector, int64_t *ret_value)
{
	*ret_value = connector->finished_s - connector->started_s;
	return connector->has_cycle && connector->finished_s != 0;
}

static bool complete_of(const struct metrics_connector *connector, int64_t *ret_value)
{
	*ret_value = connector->last_complete_s;
	return connector->last_complete_s != 0;
}

static bool left_of(const struct metrics_connector *connector, int64_t *ret_value)
{
	*ret_value = connector->credentials.left_s;
	return connector->credentials.has_end;
}

static bool cred_failing_of(const struct metrics_connector *connector, int64_t *ret_value)
{
	*ret_value = connector->credentials.is_failing;
	return true;
}

static bool clock_of(const struct metrics_connector *connector, int64_t *ret_value)
{
	*ret_value = connector->clock_offset_s;
	return true;
}

static void cycle_counts(const struct metrics_input *input, struct openmetrics *metrics)
{
	openmetrics_family(metrics, OPENMETRICS_COUNTER, "acmsensor_cycles", "",
		"Cycles that ended since the daemon started; complete: everything in scope was "
		"read, incomplete: coverage names what was not, failed: as a whole");
	for (size_t i = 0; i < input->connector_count; i++) {
		const struct metrics_connector *connector = &input->connector[i];
		for (int kind = PROGRESS_CYCLE; kind <= PROGRESS_ASKED; kind++) {
			for (int result = PROGRESS_COMPLETE; result <= PROGRESS_FAILED; result++) {
				const struct openmetrics_label label[] = {
					{"connector", connector->name},
					{"kind", progress_kind_name((enum progress_kind)kind)},
					{"result", progress_result_name(
							   (enum progress_result)result)}};
				openmetrics_int(
					metrics, label, 3, connector->cycles->ended[kind][result]);
			}
		}
	}
}

static void coverage(const struct metrics_input *input, struct openmetrics *metrics)
{
	openmetrics_family(metrics, OPENMETRICS_GAUGE, "acmsensor_account_regions", "",
		"Account-regions by coverage state; counted when something was stored, at most "
		"every 5 seconds");
	for (size_t i = 0; i < input->connector_count; i++) {
		const struct metrics_connector *connector = &input->connector[i];
		for (int state = 0; connector->coverage != NULL && state < COVERAGE_STATES;
			state++) {
			const struct openmetrics_label label[] = {{"connector", connector->name},
				{"state", coverage_state_name((enum coverage_state)state)}};
			openmetrics_int(metrics, label, 2, connector->coverage[state]);
		}
	}
}

static void connectors(const struct metrics_input *input, struct openmetrics *metrics)
{
	cycle_counts(input, metrics);
	of_connectors(input, metrics, "acmsensor_cycle_interval_seconds", "seconds", interval_of,
		"Configured time from the start of a cycle to the start of the next");
	of_connectors(input, metrics, "acmsensor_cycle_running", "", running_of,
		"1 while a cycle or a part of one goes on");
	of_connectors(input, metrics, "acmsensor_cycle_failing", "", failing_of,
		"1 when the last cycle over everything failed as a whole; log and status say why");
	of_connectors(input, metrics, "acmsensor_cycle_start_timestamp_seconds", "seconds",
		start_of, "Start of the last cycle over everything");
	of_connectors(input, metrics, "acmsensor_cycle_duration_seconds", "seconds", duration_of,
		"How long the last cycle over everything took; none while one goes on");
	of_connectors(input, metrics, "acmsensor_cycle_complete_timestamp_seconds", "seconds",
		complete_of, "End of the last cycle that read everything in scope");
	of_connectors(input, metrics, "acmsensor_cycle_next_timestamp_seconds", "seconds", next_of,
		"When the next cycle is due");
	coverage(input, metrics);
	of_connectors(input, metrics, "acmsensor_credentials_remaining_seconds", "seconds", left_of,
		"What the connector's own credentials, as last fetched, have left; none when they "
		"do not end");
	of_connectors(input, metrics, "acmsensor_credentials_failing", "", cred_failing_of,
		"1 when the connector's own credentials could not be had or AWS rejected them");
	of_connectors(input, metrics, "acmsensor_clock_offset_seconds", "seconds", clock_of,
		"AWS's clock minus this host's, as learnt; requests are signed with it");
}

/* --- alerts ----------------------------------------------------------------------------------- */

static void alerts(const struct alert_counts *counts, struct openmetrics *metrics)
{
	openmetrics_family(metrics, OPENMETRICS_GAUGE, "acmsensor_alerts", "",
		"Alerts that are open and that nobody has acknowledged, by class");
	for (int class = ALERT_NOTICE; class <= ALERT_EMERGENCY; class ++)
		openmetrics_int(metrics,
			&(struct openmetrics_label){
				"class", alert_class_name((enum alert_class) class)},
			1, counts->open[class]);
	gauge(metrics, "acmsensor_alerts_acknowledged", "", counts->acknowledged,
		"Alerts that are open and acknowledged");
}

static void channels(const struct metrics_input *input, struct openmetrics *metrics)
{
	openmetrics_family(metrics, OPENMETRICS_GAUGE, "acmsensor_alert_channel_failing", "",
		"1 while the last message on the channel could not be sent; it is tried again");
	for (size_t i = 0; i < input->channel_count; i++)
		openmetrics_int(metrics,
			&(struct openmetrics_label){"channel", input->channel[i].name}, 1,
			input->channel[i].failing_since_s != 0);
	openmetrics_family(metrics, OPENMETRICS_GAUGE,
		"acmsensor_alert_channel_sent_timestamp_seconds", "seconds",
		"When a message was sent last; none while there was none");
	for (size_t i = 0; i < input->channel_count; i++)
		if (input->channel[i].sent_s != 0)
			openmetrics_int(metrics,
				&(struct openmetrics_label){"channel", input->channel[i].name}, 1,
				input->channel[i].sent_s);
}

/* --- the daemon ------------------------------------------------------------------------------- */

static void loop(const struct metrics_input *input, struct openmetrics *metrics)
{
	openmetrics_family(metrics, OPENMETRICS_GAUGE, "acmsensor_loop_longest_stall_seconds",
		"seconds", "The longest turn of the event loop since the daemon started");
	openmetrics_micro(metrics, NULL, 0, input->longest_stall_us);
	counter(metrics, "acmsensor_loop_stalls", "", input->loop.stalls,
		"Turns of the event loop that took more than 100 ms, in which others waited");
	counter(metrics, "acmsensor_loop_turns", "", input->loop.turns, "Turns of the event loop");
	openmetrics_family(metrics, OPENMETRICS_COUNTER, "acmsensor_loop_busy_seconds", "seconds",
		"Time that the event loop worked and did not wait");
	openmetrics_micro(metrics, NULL, 0, input->loop.busy_us);
}

static void http(const struct http_stats *stats, struct openmetrics *metrics)
{
	gauge(metrics, "acmsensor_http_requests_queued", "", stats->queued,
		"Requests to AWS that wait for a free slot");
	gauge(metrics, "acmsensor_http_requests_in_flight", "", stats->in_flight,
		"Requests to AWS that are under way");
	counter(metrics, "acmsensor_http_connections_opened", "", stats->connections_opened,
		"Connections opened to AWS or its proxy");
	counter(metrics, "acmsensor_http_received_bytes", "bytes", stats->bytes_in,
		"Bytes of answers");
	counter(metrics, "acmsensor_http_sent_bytes", "bytes", stats->bytes_out,
		"Bytes of requests");
}

static void process(const struct metrics_input *input, struct openmetrics *metrics)
{
	gauge(metrics, "process_start_time_seconds", "seconds", input->started_s,
		"Start of the daemon");
	openmetrics_family(metrics, OPENMETRICS_COUNTER, "process_cpu_seconds", "seconds",
		"User and system time of the daemon");
	openmetrics_micro(metrics, NULL, 0, input->cpu_us);
	if (input->resident_bytes != 0)
		gauge(metrics, "process_resident_memory_bytes", "bytes", input->resident_bytes,
			"Resident memory of the daemon; the store's file mapped into it counts");
}

void metrics_render(const struct metrics_input *input, struct openmetrics *metrics)
{
	openmetrics_family(metrics, OPENMETRICS_INFO, "acmsensor_build", "", "What runs here");
	openmetrics_int(metrics, &(struct openmetrics_label){"version", input->version}, 1, 1);
	connectors(input, metrics);
	if (input->certificates != NULL)
		cert_metrics(input->certificates, metrics);
	aws_usage_metrics(input->usage, metrics);
	http(&input->http, metrics);
	if (input->delivery != NULL) {
		gauge(metrics, "acmsensor_delivery_jobs_running", "", input->deliveries_running,
			"Deliveries, rollbacks and deletions under way");
		delivery_metrics(input->delivery, metrics);
	}
	if (input->alerts != NULL)
		alerts(input->alerts, metrics);
	if (input->channel_count > 0)
		channels(input, metrics);
	if (input->store != NULL)
		store_metrics(input->store, metrics);
	loop(input, metrics);
	process(input, metrics);
	openmetrics_end(metrics);
}
