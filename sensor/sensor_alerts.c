/* Alerts of the daemon: what the engine asks of the connectors, the log as a channel, and the
 * channel that is there when none is configured. */
#include <stdlib.h>

#include "alert/alerts.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "sensor/connector.h"
#include "sensor/sensor_internal.h"

static bool identity_at(void *arg, size_t i, struct alert_identity *ret_identity)
{
	const struct sensor *sensor = arg;
	if (i >= sensor->slot_count)
		return false;
	const struct connector *connector = sensor->slot[i].connector;
	*ret_identity = (struct alert_identity){.connector = connector_config(connector)->name,
		.source = connector_source_name(connector)};
	ret_identity->is_known = connector_credentials_end(connector, &ret_identity->expires_s);
	return true;
}

/* Each line is the only one of its alert; a message is some twenty of them at most. */
static void write_journal(void *arg, enum alert_class class, const char *line)
{
	static const enum log_level level[] = {[ALERT_NOTICE] = LOG_INFO,
		[ALERT_WARNING] = LOG_WARNING,
		[ALERT_CRITICAL] = LOG_ERROR,
		[ALERT_EMERGENCY] = LOG_ERROR};
	(void)arg;
	log_always(level[class], line);
}

/* A host whose clock is wrong must not tell a company that its certificates have ended; without
 * an answer of AWS the host's clock has to do. */
static int64_t now_s(void *arg)
{
	int64_t told_s = sensor_told_now_s(arg);
	return told_s != 0 ? told_s : clock_now_s();
}

static bool is_busy(void *arg)
{
	const struct sensor *sensor = arg;
	for (size_t i = 0; i < sensor->slot_count; i++) {
		const struct connector *connector = sensor->slot[i].connector;
		if (connector_is_running(connector) || connector_wait_ms(connector) == 0)
			return true; /* a host that was suspended has everything due at once */
	}
	return false;
}

static void tell_failed(void *arg, const struct err *err)
{
	(void)arg;
	log_warning("look alerts reason=\"%s\" next=\"again within some minutes\"", err->text);
}

int sensor_alerts_open(struct sensor *sensor, struct err *err)
{
	sensor->alerts = alerts_new(&(struct alerts_options){.loop = sensor->loop,
					    .store = sensor->store,
					    .resolve = sensor->resolve,
					    .http = sensor->http,
					    .sensor_name = sensor->config->name,
					    .identity = identity_at,
					    .journal = write_journal,
					    .is_busy = is_busy,
					    .now_s = now_s,
					    .failed = tell_failed,
					    .arg = sensor},
		err);
	return sensor->alerts != NULL ? 0 : -1;
}

void sensor_alerts_configure(struct sensor *sensor)
{
	static char name[] = "journal", none[] = "";
	const struct config *config = sensor->config;
	struct alert_channel channel[CONFIG_CHANNELS_MAX] = {{.name = name,
		.type = CHANNEL_JOURNAL,
		.minimum = ALERT_WARNING,
		.url_file = none,
		.proxy = none,
		.no_proxy = none,
		.ca_bundle = none,
		.server = none,
		.user = none,
		.password_file = none,
		.from = none,
		.command = none,
		.timeout_s = 1}};
	if (sensor->alerts == NULL)
		return;
	for (size_t i = 0; i < config->channel_count; i++)
		channel[i] = config->channel[i].channel; /* borrowed for the call */
	alerts_configure(sensor->alerts, &config->alerts, channel,
		config->channel_count > 0 ? config->channel_count : 1);
}
