#include "sensor/sensor.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "alert/alerts.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/machine.h"
#include "base/mem.h"
#include "base/resolve.h"
#include "sensor/api.h"
#include "sensor/connector.h"
#include "sensor/connector_retire.h"
#include "sensor/credential.h"
#include "sensor/desk.h"
#include "sensor/heartbeat.h"
#include "sensor/local_api.h"
#include "sensor/log_override.h"
#include "sensor/metrics_server.h"
#include "sensor/notify.h"
#include "sensor/retention.h"
#include "sensor/sensor_internal.h"
#include "sensor/signals.h"
#include "store/events.h"
#include "store/store.h"

enum {
	PER_HOST_MAX = 16, /* design.md section 8: 8 to 16 connections a host */
	IDLE_MAX = 1024,   /* 58 KB each: a host for each of AWS's regions, times 16, with room */
};

static void on_stop(void *arg)
{
	struct sensor *sensor = arg;
	sensor->is_interrupted = true;
	sensor_stop(sensor);
}

static void on_reload(void *arg)
{
	sensor_reload(arg);
}

static int open_base(struct sensor *sensor, struct err *err)
{
	const struct http_limits limits = {.max_requests = (int)sensor->config->max_requests,
		.per_host_max = PER_HOST_MAX,
		.idle_max = IDLE_MAX};
	sensor->loop = loop_new(err);
	if (sensor->loop == NULL)
		return -1;
	notify_status("opening the store in %s", sensor->config->data_dir);
	unsigned char machine[MACHINE_LEN];
	bool has_machine = machine_read(MACHINE_ID_FILE, machine);
	sensor->store = store_open(sensor->loop,
		&(struct store_options){.data_dir = sensor->config->data_dir,
			.machine = has_machine ? machine : NULL},
		err);
	if (sensor->store == NULL)
		return -1;
	sensor->resolve = resolve_new(sensor->loop, getaddrinfo, err);
	if (sensor->resolve == NULL)
		return -1;
	sensor->http = http_new(sensor->loop, sensor->resolve, &limits, err);
	return sensor->http != NULL ? 0 : -1;
}

int sensor_fail_connector(const struct sensor *sensor, const char *name, struct err *err)
{
	struct buf names;
	if (sensor->slot_count == 0)
		return err_set(err, ERR_NOT_FOUND, "no connector is configured");
	buf_init(&names, ERR_TEXT_MAX);
	for (size_t i = 0; i < sensor->slot_count; i++)
		buf_addf(&names, "%s%s", i > 0 ? ", " : "",
			connector_config(sensor->slot[i].connector)->name);
	if (name[0] == '\0')
		(void)err_set(err, ERR_CONFIG, "there is more than one connector; name one of %s",
			buf_text(&names));
	else
		(void)err_set(err, ERR_CONFIG, "there is no connector \"%.40s\"; there is %s", name,
			buf_text(&names));
	buf_clear(&names);
	return -1;
}

struct connector *sensor_find_connector(void *arg, const char *name, struct err *err)
{
	const struct sensor *sensor = arg;
	for (size_t i = 0; i < sensor->slot_count; i++) {
		struct connector *connector = sensor->slot[i].connector;
		bool is_it = name[0] == '\0' ? sensor->slot_count == 1
					     : strcmp(connector_config(connector)->name, name) == 0;
		if (is_it)
			return connector;
	}
	(void)sensor_fail_connector(sensor, name, err);
	return NULL;
}

static struct connector *connector_at(void *arg, size_t i)
{
	const struct sensor *sensor = arg;
	return i < sensor->slot_count ? sensor->slot[i].connector : NULL;
}

int64_t sensor_told_now_s(const struct sensor *sensor)
{
	int64_t now_s = 0;
	for (size_t i = 0; i < sensor->slot_count && now_s == 0; i++)
		now_s = connector_told_now_s(sensor->slot[i].connector);
	return now_s;
}

/* Without a connector nobody else tells the time. */
static int64_t desk_now_s(void *arg)
{
	const struct sensor *sensor = arg;
	return sensor->slot_count > 0 ? sensor_told_now_s(sensor) : clock_now_s();
}

/* One that failed is told at once, not within the hour; what one has changed is read again. */
static void on_job_ended(void *arg, struct connector *connector)
{
	struct sensor *sensor = arg;
	if (sensor->alerts != NULL)
		alerts_look(sensor->alerts);
	if (connector != NULL)
		connector_expect_change(connector);
	sensor_pump(sensor);
}

struct desk_times sensor_desk_times(const struct config *config)
{
	return (struct desk_times){.of_delivery = {.plan_life_s = config->plan_life_s,
					   .keep_keys_s = config->keep_keys_s},
		.keep_jobs_s = config->keep_jobs_s};
}

static int open_desk(struct sensor *sensor, struct err *err)
{
	const struct config *config = sensor->config;
	char *key_file = credential_file(config->vault_key_file, LOCAL_API_VAULT_KEY);
	sensor->desk = desk_new(&(struct desk_options){.loop = sensor->loop,
					.store = sensor->store,
					.resolve = sensor->resolve,
					.sensor_name = config->name,
					.data_dir = config->data_dir,
					.vault_key_file = key_file != NULL ? key_file : "",
					.times = sensor_desk_times(config),
					.connector = sensor_find_connector,
					.connector_at = connector_at,
					.now_s = desk_now_s,
					.job_ended = on_job_ended,
					.arg = sensor},
		err);
	if (sensor->desk != NULL)
		log_info("open vault key=%s", key_file != NULL ? key_file : "data_dir");
	free(key_file);
	return sensor->desk != NULL ? 0 : -1;
}

static bool retention_limits(void *arg, struct retention_limits *ret_limits)
{
	const struct sensor *sensor = arg;
	*ret_limits = (struct retention_limits){.now_s = sensor_told_now_s(sensor),
		.keep_events_s = sensor->config->keep_events_s,
		.keep_gone_s = sensor->config->keep_gone_s};
	return ret_limits->now_s != 0;
}

static int open_metrics(struct sensor *sensor, struct err *err)
{
	const char *listen = sensor->config->metrics_listen;
	if (listen[0] == '\0')
		return 0;
	sensor->metrics = metrics_server_new(
		sensor->loop, sensor->store, listen, sensor_metrics, sensor, err);
	return sensor->metrics != NULL ? 0 : -1;
}

/* What a daemon has that goes on, beside its connectors. */
static int open_front(struct sensor *sensor, struct err *err)
{
	sensor->log = log_override_new(sensor->loop, sensor->config->log_level);
	if (open_desk(sensor, err) != 0 || sensor_alerts_open(sensor, err) != 0)
		return -1;
	sensor->api = api_new(&(struct api_options){.loop = sensor->loop,
				      .store = sensor->store,
				      .socket_path = sensor->config->control_socket,
				      .desk = sensor->desk,
				      .alerts = sensor->alerts,
				      .backend = &sensor_backend,
				      .arg = sensor},
		err);
	if (sensor->api == NULL || open_metrics(sensor, err) != 0)
		return -1;
	sensor->retention = retention_start(sensor->loop, sensor->store, retention_limits, sensor);
	sensor->heartbeat = heartbeat_new(sensor->loop, sensor_doing, sensor);
	return 0;
}

static int open_signals(struct sensor *sensor, struct err *err)
{
	sensor->signals =
		signals_new(sensor->loop, on_stop, sensor->is_once ? NULL : on_reload, sensor, err);
	return sensor->signals != NULL ? 0 : -1;
}

struct sensor *sensor_new(const struct sensor_options *options, struct err *err)
{
	struct sensor *sensor = xcalloc(1, sizeof(*sensor));
	sensor->config = options->config;
	sensor->is_once = options->is_once;
	sensor->on_idle = options->on_idle;
	sensor->arg = options->arg;
	sensor->started_s = clock_now_s();
	TAILQ_INIT(&sensor->events);
	if (open_base(sensor, err) != 0 || sensor_make_connectors(sensor, err) != 0 ||
		(!sensor->is_once && open_front(sensor, err) != 0) ||
		open_signals(sensor, err) != 0) {
		sensor_free(sensor);
		return NULL;
	}
	return sensor;
}

/* Under another name, what the former one left with AWS is not found any more. */
static void tell_start(struct sensor *sensor)
{
	const char *name = sensor->config->name;
	struct err err = ERR_INIT;
	char *former = NULL, *detail;
	if (store_note_name(sensor->store, name, &former, &err) != 0)
		log_warning("note name name=%s reason=%s", name, err.text);
	if (former != NULL)
		log_warning("start sensor name=%s former_name=%s reason=\"the name has changed: "
			    "sessions and tags carry the new one, secrets kept in Secrets Manager "
			    "under the former one are not cleared; set name to keep one\"",
			name, former);
	detail = former != NULL
			 ? xasprintf("version " ACMSENSOR_VERSION ", its name was %s", former)
			 : xstrdup("version " ACMSENSOR_VERSION);
	sensor_event_now(sensor, EVENT_SENSOR_STARTED, name, detail);
	free(detail);
	free(former);
}

void sensor_run(struct sensor *sensor)
{
	const struct config *config = sensor->config; /* until the loop runs: a reload swaps it */
	log_info("start sensor name=%s version=%s data_dir=%s connectors=%zu", config->name,
		ACMSENSOR_VERSION, config->data_dir, config->connector_count);
	if (config->connector_count == 0)
		log_warning("start sensor reason=\"no connector is configured\"");
	tell_start(sensor);
	sensor_retire_next(sensor);
	sensor_pump(sensor);
	if (sensor->desk != NULL)
		desk_pump(sensor->desk);
	sensor_alerts_configure(sensor);
	notify_send("READY=1");
	heartbeat_beat(sensor->heartbeat);
	loop_run(sensor->loop);
	notify_send("STOPPING=1");
	sensor_event_now(sensor, EVENT_SENSOR_STOPPED, sensor->config->name,
		sensor->is_interrupted ? "by a signal" : "");
	log_tell_repeats(true);
	log_info("end sensor name=%s", sensor->config->name);
}

void sensor_stop(struct sensor *sensor)
{
	sensor->is_stopping = true;
	loop_stop(sensor->loop);
}

void sensor_free(struct sensor *sensor)
{
	if (sensor == NULL)
		return;
	heartbeat_free(sensor->heartbeat);
	signals_free(sensor->signals);
	metrics_server_free(sensor->metrics);
	api_free(sensor->api);
	retention_stop(sensor->retention);
	alerts_free(sensor->alerts);
	sensor->alerts = NULL;
	desk_free(sensor->desk);
	log_override_free(sensor->log);
	sensor->desk = NULL;
	loop_timer_cancel(sensor->pump_timer);
	loop_timer_cancel(sensor->look_timer);
	connector_retire_cancel(sensor->retire);
	for (size_t i = 0; i < sensor->slot_count; i++) {
		connector_free(sensor->slot[i].replacement);
		connector_free(sensor->slot[i].connector);
	}
	free(sensor->slot);
	http_free(sensor->http);
	resolve_free(sensor->resolve);
	store_close(sensor->store);
	sensor_events_clear(sensor);
	loop_free(sensor->loop);
	config_free(sensor->config);
	free(sensor);
}

bool sensor_was_interrupted(const struct sensor *sensor)
{
	return sensor->is_interrupted;
}

struct loop *sensor_loop(struct sensor *sensor)
{
	return sensor->loop;
}

struct store *sensor_store(struct sensor *sensor)
{
	return sensor->store;
}

size_t sensor_connector_count(const struct sensor *sensor)
{
	return sensor->slot_count;
}

struct connector *sensor_connector(struct sensor *sensor, size_t i)
{
	return sensor->slot[i].connector;
}
