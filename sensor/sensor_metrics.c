/* What the daemon tells a monitoring system: gathered here, rendered by metrics.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "alert/alerts.h"
#include "base/err.h"
#include "base/openmetrics.h"
#include "sensor/census.h"
#include "sensor/connector.h"
#include "sensor/desk.h"
#include "sensor/metrics.h"
#include "sensor/sensor_internal.h"
#include "store/accounts.h"
#include "store/store.h"

static void gather_connector(struct sensor *sensor, struct store_txn *txn, size_t i,
	struct metrics_connector *ret_connector)
{
	struct connector *connector = sensor->slot[i].connector;
	const char *name = connector_config(connector)->name;
	struct cycle_record record;
	*ret_connector = (struct metrics_connector){.name = name,
		.cycles = connector_cycles(connector),
		.is_running = connector_is_running(connector),
		.interval_s = connector_config(connector)->interval_s,
		.next_s = connector_next_s(connector),
		.clock_offset_s = connector_clock_offset_s(connector),
		.coverage = census_coverage(&sensor->census, name)};
	connector_credentials(connector, &ret_connector->credentials);
	if (!store_cycle_get(txn, name, &record))
		return;
	ret_connector->has_cycle = record.started_s != 0;
	ret_connector->has_failed = record.error[0] != '\0';
	ret_connector->started_s = record.started_s;
	ret_connector->finished_s = record.finished_s;
	ret_connector->last_complete_s = record.last_complete_s;
}

static int64_t cpu_us(void)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return 0;
	return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* Pages, the second number of statm (proc(5)); 0: not known. */
static int64_t resident_bytes(void)
{
	char line[128] = "";
	FILE *file = fopen("/proc/self/statm", "re");
	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	(void)fclose(file); /* was only read */
	const char *second = strchr(line, ' ');
	return second != NULL ? strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

static void gather_alerts(const struct alerts *alerts, struct alert_sender_state *channel,
	struct metrics_input *input)
{
	input->alerts = alerts_counts(alerts);
	input->channel = channel;
	while (alerts_channel_state(alerts, input->channel_count, &channel[input->channel_count]))
		input->channel_count++;
}

static void render(struct sensor *sensor, struct store_txn *txn, const struct store_stats *stats,
	enum openmetrics_format format, struct buf *to)
{
	struct metrics_connector connector[CONFIG_CONNECTORS_MAX];
	struct alert_sender_state channel[ALERT_CHANNELS_MAX + 1]; /* asked for one too many */
	struct openmetrics metrics;
	for (size_t i = 0; i < sensor->slot_count; i++)
		gather_connector(sensor, txn, i, &connector[i]);
	struct metrics_input input = {.version = ACMSENSOR_VERSION,
		.started_s = sensor->started_s,
		.connector = connector,
		.connector_count = sensor->slot_count,
		.certificates = sensor->census.is_there ? &sensor->census.certificates : NULL,
		.store = stats,
		.usage = &sensor->usage,
		.longest_stall_us = loop_longest_stall_us(sensor->loop, false),
		.cpu_us = cpu_us(),
		.resident_bytes = resident_bytes()};
	loop_get_stats(sensor->loop, &input.loop);
	http_get_stats(sensor->http, &input.http);
	if (sensor->desk != NULL) {
		input.delivery = desk_get_stats(sensor->desk);
		input.deliveries_running = (int64_t)desk_job_count(sensor->desk);
	}
	if (sensor->alerts != NULL)
		gather_alerts(sensor->alerts, channel, &input);
	openmetrics_begin(&metrics, to, format);
	metrics_render(&input, &metrics);
}

bool sensor_count(void *arg, struct store_txn *txn)
{
	struct sensor *sensor = arg;
	const char *name[CONFIG_CONNECTORS_MAX];
	struct store_stats stats;
	struct err err = ERR_INIT; /* status says what is wrong with the store */
	for (size_t i = 0; i < sensor->slot_count; i++)
		name[i] = connector_config(sensor->slot[i].connector)->name;
	return store_get_stats(sensor->store, &stats, &err) != 0 ||
	       census_go_on(&sensor->census, txn, name, sensor->slot_count, stats.commits,
		       loop_turn_began_us(sensor->loop));
}

bool sensor_metrics(
	void *arg, struct store_txn *txn, enum openmetrics_format format, struct buf *to)
{
	struct sensor *sensor = arg;
	struct store_stats stats;
	struct err err = ERR_INIT;
	if (!sensor_count(sensor, txn))
		return false;
	bool has_stats = store_get_stats(sensor->store, &stats, &err) == 0;
	render(sensor, txn, has_stats ? &stats : NULL, format, to);
	return true;
}
