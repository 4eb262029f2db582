/* Which connector does what and when: the schedule, scans by hand, reload. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alert/alerts.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "sensor/connector.h"
#include "sensor/connector_retire.h"
#include "sensor/desk.h"
#include "sensor/doing.h"
#include "sensor/heartbeat.h"
#include "sensor/log_override.h"
#include "sensor/notify.h"
#include "sensor/schedule.h"
#include "sensor/sensor_internal.h"
#include "store/accounts.h"
#include "store/events.h"
#include "store/store.h"

/* --- what is done now ------------------------------------------------------------------------- */

bool sensor_doing(void *arg, struct buf *to)
{
	const struct sensor *sensor = arg;
	struct doing_connector doing[CONFIG_CONNECTORS_MAX];
	size_t deliveries = desk_job_count(sensor->desk);
	bool is_busy = deliveries > 0;
	for (size_t i = 0; i < sensor->slot_count; i++) {
		const struct connector *connector = sensor->slot[i].connector;
		doing[i] = (struct doing_connector){.name = connector_config(connector)->name,
			.running = connector_running(connector),
			.next_s = connector_next_s(connector)};
		is_busy = is_busy || doing[i].running != NULL;
	}
	doing_line(doing, sensor->slot_count, deliveries, clock_now_s(), to);
	return is_busy;
}

/* --- the pump --------------------------------------------------------------------------------- */

static bool is_running(const struct sensor *sensor)
{
	for (size_t i = 0; i < sensor->slot_count; i++)
		if (connector_is_running(sensor->slot[i].connector))
			return true;
	return false;
}

/* What a cycle leaves behind is of no use until the next one, hours later: connections that the
 * other side has closed by then, full token buckets, pages of the store's next write. */
static void rest(struct sensor *sensor)
{
	struct http_stats stats;
	http_get_stats(sensor->http, &stats);
	if (stats.requests == sensor->rested_requests || is_running(sensor) ||
		!http_rest(sensor->http))
		return; /* or at a later look */
	sensor->rested_requests = stats.requests;
	for (size_t i = 0; i < sensor->slot_count; i++)
		connector_rest(sensor->slot[i].connector);
	store_rest(sensor->store);
	mem_trim();
}

static void on_look(void *arg)
{
	struct sensor *sensor = arg;
	sensor->look_timer = NULL;
	rest(sensor);
	log_tell_repeats(false);
	sensor_pump(sensor);
}

/* A connector waits with its first cycle until the earlier ones have told which accounts they
 * cover, so that an account of two connectors is read by one from the start. */
static bool is_held_up(const struct sensor *sensor, size_t i)
{
	for (size_t earlier = 0; earlier < i; earlier++) {
		const struct connector *connector = sensor->slot[earlier].connector;
		if (connector_is_unknown(connector) && connector_is_running(connector))
			return true;
	}
	return false;
}

static void pump_slot(
	struct sensor *sensor, size_t i, const struct config_connector *const *earlier)
{
	struct connector *connector = sensor->slot[i].connector;
	/* Shared evenly: simple, and never more than max_open over all. */
	size_t pairs_max = (size_t)sensor->config->max_open / sensor->slot_count;
	if (is_held_up(sensor, i) || connector_start_asked(connector, earlier, i, pairs_max) ||
		sensor->is_once)
		return;
	(void)connector_start_due(connector, earlier, i, pairs_max); /* or later */
}

static void on_pump(void *arg)
{
	struct sensor *sensor = arg;
	const struct config_connector *earlier[CONFIG_CONNECTORS_MAX];
	int64_t wait_ms = SCHEDULE_LOOK_MAX_MS;
	sensor->pump_timer = NULL;
	for (size_t i = 0; i < sensor->slot_count; i++) {
		pump_slot(sensor, i, earlier);
		struct connector *connector = sensor->slot[i].connector;
		int64_t connector_ms = connector_wait_ms(connector);
		if (!connector_is_running(connector) && !is_held_up(sensor, i) &&
			connector_ms < wait_ms)
			wait_ms = connector_ms;
		earlier[i] = connector_config(connector);
	}
	loop_timer_cancel(sensor->look_timer);
	sensor->look_timer = NULL;
	if (!sensor->is_once)
		sensor->look_timer = loop_timer_start(sensor->loop, wait_ms, on_look, sensor);
	heartbeat_beat(sensor->heartbeat);
}

void sensor_pump(struct sensor *sensor)
{
	if (sensor->pump_timer == NULL && !sensor->is_stopping)
		sensor->pump_timer = loop_timer_start(sensor->loop, 0, on_pump, sensor);
}

/* --- connectors ------------------------------------------------------------------------------- */

static void on_tree(void *arg, struct connector *connector)
{
	(void)connector;
	sensor_pump(arg);
}

/* Deliveries that use it stop, and go on with its successor. */
static void release(struct sensor *sensor, const struct connector *connector)
{
	if (sensor->desk != NULL && connector != NULL)
		desk_release(sensor->desk, connector);
}

static void swap(struct sensor *sensor, struct sensor_slot *slot)
{
	struct connector *former = slot->connector;
	slot->connector = slot->replacement;
	slot->replacement = NULL;
	connector_take_over(slot->connector, former);
	release(sensor, former);
	connector_free(former);
	log_info("swap connector name=%s reason=\"its configuration changed\"",
		connector_config(slot->connector)->name);
}

/* The connector has just become idle and may be freed: it does nothing after this call. */
static void on_idle(void *arg, struct connector *connector)
{
	struct sensor *sensor = arg;
	const struct progress *last = connector_last(connector);
	if (last != NULL && last->result != PROGRESS_FAILED && last->store_err.kind == ERR_NONE)
		sensor->event_err = (struct err)ERR_INIT; /* it has written its end */
	for (size_t i = 0; i < sensor->slot_count; i++)
		if (sensor->slot[i].connector == connector && sensor->slot[i].replacement != NULL)
			swap(sensor, &sensor->slot[i]);
	census_outdate(&sensor->census);
	if (sensor->alerts != NULL)
		alerts_look(sensor->alerts);
	if (sensor->on_idle != NULL)
		sensor->on_idle(sensor->arg);
	sensor_pump(sensor);
}

static struct connector *make_connector(struct sensor *sensor, const char *sensor_name,
	const struct config_connector *config, struct err *err)
{
	return connector_new(&(struct connector_options){.loop = sensor->loop,
				     .http = sensor->http,
				     .store = sensor->store,
				     .usage = &sensor->usage,
				     .sensor_name = sensor_name,
				     .config = config},
		on_tree, on_idle, sensor, err);
}

int sensor_make_connectors(struct sensor *sensor, struct err *err)
{
	const struct config *config = sensor->config;
	sensor->slot = xcalloc(CONFIG_CONNECTORS_MAX, sizeof(*sensor->slot));
	for (size_t i = 0; i < config->connector_count; i++) {
		struct connector *connector =
			make_connector(sensor, config->name, &config->connector[i], err);
		if (connector == NULL)
			return -1;
		sensor->slot[sensor->slot_count++].connector = connector;
		if (connector_load(connector, err) != 0)
			return -1;
	}
	return 0;
}

/* --- connectors that are gone ----------------------------------------------------------------- */

static void on_retired(void *arg, const struct err *err)
{
	struct sensor *sensor = arg;
	sensor->retire = NULL;
	if (err != NULL)
		log_warning("forget connector error=%s reason=%s next=\"at the next start\"",
			err_kind_name(err->kind), err->text);
	else
		sensor_retire_next(sensor);
}

static bool is_configured(const struct sensor *sensor, const char *name)
{
	for (size_t i = 0; i < sensor->slot_count; i++)
		if (strcmp(connector_config(sensor->slot[i].connector)->name, name) == 0)
			return true;
	return false;
}

/* The first connector of the store that is not configured; "" when there is none. */
static int find_retired(struct sensor *sensor, char name[CONFIG_NAME_MAX + 1], struct err *err)
{
	char position[ACCOUNT_POSITION_MAX] = "";
	struct cycle_record record;
	struct store_txn *txn = NULL;
	if (store_read_begin(sensor->store, &txn, err) != 0)
		return -1;
	while (store_cycle_next(txn, position, &record)) {
		if (is_configured(sensor, record.connector))
			continue;
		(void)text_copy(name, CONFIG_NAME_MAX + 1, record.connector);
		break;
	}
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

void sensor_retire_next(struct sensor *sensor)
{
	const char *remaining[CONFIG_CONNECTORS_MAX];
	char name[CONFIG_NAME_MAX + 1] = "";
	struct err err = ERR_INIT;
	if (sensor->slot_count == 0)
		return; /* an empty configuration is a mistake far more often than a wish */
	if (find_retired(sensor, name, &err) != 0) {
		on_retired(sensor, &err);
		return;
	}
	if (name[0] == '\0')
		return;
	for (size_t i = 0; i < sensor->slot_count; i++)
		remaining[i] = connector_config(sensor->slot[i].connector)->name;
	log_info("forget connector name=%s reason=\"it is not configured any more\"", name);
	sensor->retire =
		connector_retire_start(&(struct connector_retire_options){.loop = sensor->loop,
					       .store = sensor->store,
					       .connector = name,
					       .remaining = remaining,
					       .remaining_count = sensor->slot_count},
			on_retired, sensor);
}

/* --- reload ----------------------------------------------------------------------------------- */

static struct sensor_slot *find_slot(struct sensor_slot *slot, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (slot[i].connector != NULL &&
			strcmp(connector_config(slot[i].connector)->name, name) == 0)
			return &slot[i];
	return NULL;
}

static void free_slots(struct sensor_slot *slot, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		connector_free(slot[i].replacement);
		connector_free(slot[i].connector);
	}
	free(slot);
}

/* A connector for each one that is new or changed; nothing else is touched, so that a failure
 * leaves everything as it was. */
static int make_new(struct sensor *sensor, const struct config *config, struct sensor_slot *fresh,
	struct err *err)
{
	for (size_t i = 0; i < config->connector_count; i++) {
		const struct config_connector *wanted = &config->connector[i];
		const struct sensor_slot *former =
			find_slot(sensor->slot, sensor->slot_count, wanted->name);
		if (former != NULL &&
			config_connector_equal(connector_config(former->connector), wanted))
			continue;
		fresh[i].connector = make_connector(sensor, sensor->config->name, wanted, err);
		if (fresh[i].connector == NULL ||
			(former == NULL && connector_load(fresh[i].connector, err) != 0))
			return -1;
	}
	return 0;
}

/* fresh[i].connector is what make_new made for the i-th connector of config, or NULL. */
static void merge(struct sensor *sensor, const struct config *config, struct sensor_slot *fresh)
{
	for (size_t i = 0; i < config->connector_count; i++) {
		struct sensor_slot *former =
			find_slot(sensor->slot, sensor->slot_count, config->connector[i].name);
		struct connector *made = fresh[i].connector;
		if (former == NULL)
			continue;
		fresh[i].connector = former->connector;
		fresh[i].replacement = made; /* NULL: unchanged, a former replacement is void */
		former->connector = NULL;
		if (made != NULL && !connector_is_running(fresh[i].connector))
			swap(sensor, &fresh[i]);
	}
}

static void warn_restart(const char *option, const char *now, const char *wanted)
{
	if (strcmp(now, wanted) != 0)
		log_warning("reload option=%s in_use=%s configured=%s next=\"takes a restart\"",
			option, now, wanted);
}

/* Options that are not reloaded keep their values, so that what is shown is what holds. */
static void warn_restarts(const struct config *now, const struct config *wanted)
{
	warn_restart("name", now->name, wanted->name);
	warn_restart("data_dir", now->data_dir, wanted->data_dir);
	warn_restart("control_socket", now->control_socket, wanted->control_socket);
	warn_restart("vault_key_file", now->vault_key_file, wanted->vault_key_file);
	warn_restart("metrics_listen", now->metrics_listen, wanted->metrics_listen);
	if (now->max_requests != wanted->max_requests)
		log_warning("reload option=max_requests in_use=%lld configured=%lld next=\"takes a "
			    "restart\"",
			(long long)now->max_requests, (long long)wanted->max_requests);
}

static int reload(struct sensor *sensor, struct err *err)
{
	struct config *config = config_load(sensor->config->file, err);
	if (config == NULL)
		return -1;
	if (config->connector_count == 0 && sensor->slot_count > 0) {
		err_set(err, ERR_CONFIG,
			"%s: no connector is left, as in a file that is half written; to run with "
			"none, restart",
			config->file);
		config_free(config);
		return -1;
	}
	struct sensor_slot *fresh = xcalloc(CONFIG_CONNECTORS_MAX, sizeof(*fresh));
	if (make_new(sensor, config, fresh, err) != 0) {
		free_slots(fresh, config->connector_count);
		config_free(config);
		return -1;
	}
	connector_retire_cancel(sensor->retire);
	sensor->retire = NULL;
	warn_restarts(sensor->config, config);
	merge(sensor, config, fresh);
	for (size_t i = 0; i < sensor->slot_count; i++)
		release(sensor, sensor->slot[i].connector);
	free_slots(sensor->slot, sensor->slot_count); /* those that are gone */
	sensor->slot = fresh;
	sensor->slot_count = config->connector_count;
	census_forget(&sensor->census);
	config_free(sensor->config);
	sensor->config = config;
	if (sensor->log != NULL)
		log_override_configure(sensor->log, config->log_level);
	sensor_alerts_configure(sensor);
	const struct desk_times times = sensor_desk_times(config);
	if (sensor->desk != NULL)
		desk_set_times(sensor->desk, &times);
	return 0;
}

/* The daemon works with the new configuration, but for these connectors. */
static void tell_waiting(const struct sensor *sensor)
{
	for (size_t i = 0; i < sensor->slot_count; i++)
		if (sensor->slot[i].replacement != NULL)
			log_info("reload connector name=%s result=waits reason=\"its cycle runs\" "
				 "next=\"it changes when the cycle ends\"",
				connector_config(sensor->slot[i].connector)->name);
}

void sensor_reload(struct sensor *sensor)
{
	struct err err = ERR_INIT;
	notify_reloading();
	if (reload(sensor, &err) != 0) {
		log_error("reload configuration result=refused reason=%s next=\"the former one "
			  "stays\"",
			err.text);
		sensor_event_start(sensor, EVENT_OPERATOR, "SIGHUP", "reload refused");
	} else {
		log_info("reload configuration result=done connectors=%zu", sensor->slot_count);
		tell_waiting(sensor);
		sensor_event_start(sensor, EVENT_OPERATOR, "SIGHUP", "reload");
		sensor_retire_next(sensor);
		sensor_pump(sensor);
	}
	notify_send("READY=1");
}
