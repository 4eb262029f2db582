/* What the local API shows of the daemon, and what it can ask for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/alerts.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/versions.h"
#include "sensor/attention.h"
#include "sensor/connector.h"
#include "sensor/desk.h"
#include "sensor/log_override.h"
#include "sensor/sensor_internal.h"
#include "sensor/tally.h"
#include "store/accounts.h"
#include "store/events.h"
#include "store/render.h"
#include "store/store.h"

enum {
	EPOCH_HEX_MAX = 17,
	LIBRARIES_MAX = 512,
};

/* --- status ----------------------------------------------------------------------------------- */

static void render_sensor(struct sensor *sensor, struct json_writer *writer)
{
	const struct config *config = sensor->config;
	struct buf libraries;
	json_open_object(writer);
	json_member_text(writer, "name", config->name);
	json_member_text(writer, "version", ACMSENSOR_VERSION);
	json_member_int(writer, "pid", getpid());
	json_member_time(writer, "started", sensor->started_s);
	json_member_text(writer, "data_dir", config->data_dir);
	json_member_text(writer, "config_file", config->file);
	buf_init(&libraries, LIBRARIES_MAX);
	versions_format(&libraries);
	buf_addf(&libraries, ", LMDB %s", store_library_version());
	json_member_text(writer, "libraries", buf_text(&libraries));
	buf_clear(&libraries);
	json_member_int(
		writer, "longest_stall_ms", loop_longest_stall_us(sensor->loop, false) / 1000);
	json_close_object(writer);
}

static void render_connector(
	const struct sensor_slot *slot, struct store_txn *txn, struct json_writer *writer)
{
	const struct connector *connector = slot->connector;
	const struct config_connector *config = connector_config(connector);
	struct cycle_record record;
	json_open_object(writer);
	json_member_text(writer, "name", config->name);
	json_member_text(writer, "scope", config->is_organization ? "organization" : "account");
	json_member_text(writer, "home_region", config->region);
	json_member_text(writer, "credentials", connector_source_name(connector));
	json_member_int(writer, "interval_s", config->interval_s);
	json_member_bool(writer, "running", connector_is_running(connector));
	json_member_bool(writer, "changes_after_cycle", slot->replacement != NULL);
	json_member_time(writer, "next", connector_next_s(connector));
	json_key(writer, "cycle");
	if (store_cycle_get(txn, config->name, &record))
		render_cycle(writer, &record);
	else
		json_write_null(writer);
	json_close_object(writer);
}

static void render_coverage_counts(const struct tally *tally, struct json_writer *writer)
{
	json_open_object(writer);
	for (int state = 0; state < COVERAGE_STATES; state++)
		json_member_int(writer, coverage_state_name((enum coverage_state)state),
			tally->state[state]);
	json_close_object(writer);
}

static void render_store(struct sensor *sensor, struct json_writer *writer)
{
	struct store_stats stats;
	struct err err = ERR_INIT;
	char epoch[EPOCH_HEX_MAX];
	json_open_object(writer);
	if (store_get_stats(sensor->store, &stats, &err) == 0) {
		(void)snprintf(epoch, sizeof(epoch), "%016llx", (unsigned long long)stats.epoch);
		json_member_text(writer, "epoch", epoch);
		json_member_int(writer, "used_bytes", stats.used_bytes);
		json_member_int(writer, "map_bytes", stats.map_bytes);
		json_member_int(writer, "file_bytes", stats.file_bytes);
		json_member_int(writer, "certificates", stats.certificates);
		json_member_int(writer, "events", stats.events);
		json_member_int(writer, "commits", stats.commits);
		json_member_int(writer, "longest_commit_ms", stats.longest_commit_us / 1000);
		json_member_int(writer, "commit_ms", stats.commit_us / 1000);
		json_member_int(writer, "run_ms", stats.run_us / 1000);
		json_member_int(writer, "records_written", stats.records_written);
	} else {
		json_member_text(writer, "error", err.text);
	}
	json_close_object(writer);
}

static void render_alerts(const struct sensor *sensor, struct json_writer *writer)
{
	const struct alert_counts *counts = alerts_counts(sensor->alerts);
	struct alert_sender_state state;
	json_open_object(writer);
	json_key(writer, "open");
	json_open_object(writer);
	for (int class = ALERT_NOTICE; class <= ALERT_EMERGENCY; class ++)
		json_member_int(writer, alert_class_name((enum alert_class) class),
			counts != NULL ? counts->open[class] : 0);
	json_close_object(writer);
	json_member_int(writer, "acknowledged", counts != NULL ? counts->acknowledged : 0);
	json_member_bool(writer, "looked", counts != NULL);
	const char *error = alerts_error(sensor->alerts);
	json_member_text(writer, "error", error[0] != '\0' ? error : NULL);
	json_key(writer, "channels");
	json_open_array(writer);
	for (size_t i = 0; alerts_channel_state(sensor->alerts, i, &state); i++) {
		json_open_object(writer);
		json_member_text(writer, "name", state.name);
		json_member_text(writer, "type", channel_type_name(state.type));
		json_member_time(writer, "sent", state.sent_s);
		json_member_time(writer, "failing_since", state.failing_since_s);
		json_member_text(writer, "error", state.error[0] != '\0' ? state.error : NULL);
		json_close_object(writer);
	}
	json_close_array(writer);
	json_close_object(writer);
}

static void look_at_alerts(const struct sensor *sensor, struct attention_channel *ret_channel,
	struct attention_input *input)
{
	struct alert_sender_state state;
	const struct alert_counts *counts = alerts_counts(sensor->alerts);
	if (counts != NULL)
		memcpy(input->alerts, counts->open, sizeof(input->alerts));
	for (size_t i = 0; alerts_channel_state(sensor->alerts, i, &state); i++)
		ret_channel[input->channel_count++] = (struct attention_channel){.name = state.name,
			.error = state.error,
			.failing_since_s = state.failing_since_s};
}

static void look_at_connectors(struct sensor *sensor, struct store_txn *txn,
	struct attention_connector *ret_connector, struct attention_input *input)
{
	for (size_t i = 0; i < sensor->slot_count; i++) {
		struct connector *connector = sensor->slot[i].connector;
		const struct progress *last = connector_last(connector);
		int64_t offset_s = connector_clock_offset_s(connector);
		struct attention_connector *to = &ret_connector[i];
		struct cycle_record record;
		*to = (struct attention_connector){.name = connector_config(connector)->name,
			.error = "",
			.interval_s = connector_config(connector)->interval_s};
		if (store_cycle_get(txn, to->name, &record)) {
			to->error = record.error;
			to->last_complete_s = record.last_complete_s;
			to->started_s = record.started_s;
		}
		if (llabs(offset_s) > llabs(input->clock_offset_s))
			input->clock_offset_s = offset_s;
		if (last == NULL)
			continue;
		bool has_failed = last->result == PROGRESS_FAILED;
		if (has_failed && (last->err.kind == ERR_STORE_FULL || last->err.kind == ERR_STORE))
			input->store_error = last->err.text;
		else if (last->store_err.kind != ERR_NONE)
			input->store_error = last->store_err.text;
		else if (has_failed && last->err.kind == ERR_SYSTEM)
			to->error = last->err.text; /* which may not have reached the store */
	}
}

static void render_attention(struct sensor *sensor, struct store_txn *txn,
	const struct tally *tally, struct json_writer *writer)
{
	struct attention_connector connector[CONFIG_CONNECTORS_MAX];
	struct attention_channel channel[ALERT_CHANNELS_MAX];
	struct attention *attention = xcalloc(1, sizeof(*attention));
	const struct desk_left_over *left_over = desk_get_left_over(sensor->desk);
	struct attention_input input = {.connector = connector,
		.connector_count = sensor->slot_count,
		.counts = &sensor->census.certificates,
		.tally = tally,
		.store_error = sensor->event_err.text,
		.alerts_error = alerts_error(sensor->alerts),
		.channel = channel,
		.secrets_left = left_over->count,
		.secrets_error = left_over->error,
		.now_s = clock_now_s()};
	look_at_connectors(sensor, txn, connector, &input);
	look_at_alerts(sensor, channel, &input);
	attention_find(&input, attention);
	attention_render(attention, writer);
	free(attention);
}

static void render_status(
	void *arg, struct store_txn *txn, const struct tally *tally, struct json_writer *writer)
{
	struct sensor *sensor = arg;
	json_open_object(writer);
	json_key(writer, "sensor");
	render_sensor(sensor, writer);
	json_key(writer, "attention");
	render_attention(sensor, txn, tally, writer);
	json_key(writer, "connectors");
	json_open_array(writer);
	for (size_t i = 0; i < sensor->slot_count; i++)
		render_connector(&sensor->slot[i], txn, writer);
	json_close_array(writer);
	json_key(writer, "counts");
	render_counts(writer, &sensor->census.certificates);
	json_key(writer, "coverage");
	render_coverage_counts(tally, writer);
	json_key(writer, "alerts");
	render_alerts(sensor, writer);
	json_key(writer, "store");
	render_store(sensor, writer);
	json_close_object(writer);
}

/* --- progress, configuration ------------------------------------------------------------------ */

static void render_progress(void *arg, struct json_writer *writer)
{
	struct sensor *sensor = arg;
	struct progress progress;
	json_open_array(writer);
	for (size_t i = 0; i < sensor->slot_count; i++)
		for (size_t k = 0; connector_progress(sensor->slot[i].connector, k, &progress); k++)
			progress_render(&progress, clock_mono_ms(), writer);
	json_close_array(writer);
}

static void render_config(void *arg, struct json_writer *writer)
{
	const struct sensor *sensor = arg;
	config_render(sensor->config, writer);
}

/* --- scan ------------------------------------------------------------------------------------- */

static bool knows_account(
	struct store_txn *txn, const struct connector *connector, const char *account_id)
{
	struct account_record record;
	return store_account_get(txn, connector_config(connector)->name, account_id, &record) &&
	       strcmp(record.state, "GONE") != 0;
}

/* Which connectors are asked: the named one, else those that know the account, else all: it may be
 * new. */
static int choose(struct sensor *sensor, const struct api_scan *scan,
	bool is_chosen[CONFIG_CONNECTORS_MAX], struct err *err)
{
	struct store_txn *txn = NULL;
	size_t chosen = 0, known = 0;
	bool is_known[CONFIG_CONNECTORS_MAX] = {false};
	if (store_read_begin(sensor->store, &txn, err) != 0)
		return -1;
	for (size_t i = 0; i < sensor->slot_count; i++) {
		const struct connector *connector = sensor->slot[i].connector;
		is_chosen[i] = scan->connector[0] == '\0' ||
			       strcmp(connector_config(connector)->name, scan->connector) == 0;
		is_known[i] = is_chosen[i] && scan->account_id[0] != '\0' &&
			      knows_account(txn, connector, scan->account_id);
		chosen += is_chosen[i];
		known += is_known[i];
	}
	store_read_end(txn);
	if (known > 0)
		memcpy(is_chosen, is_known, sizeof(is_known));
	return chosen > 0 ? 0 : sensor_fail_connector(sensor, scan->connector, err);
}

static void render_answer(struct json_writer *writer, const struct connector *connector,
	const char *cycle_id, enum connector_answer answer)
{
	static const char *const name[] = {"started", "joined", "queued"};
	json_open_object(writer);
	json_member_text(writer, "connector", connector_config(connector)->name);
	json_member_text(writer, "cycle_id", cycle_id);
	json_member_text(writer, "state", name[answer]);
	json_close_object(writer);
}

/* Who asked for what is part of the log. */
static void tell_operator(struct sensor *sensor, const struct api_scan *scan)
{
	char subject[32], detail[256];
	(void)snprintf(subject, sizeof(subject), "uid %ld", scan->uid);
	(void)snprintf(detail, sizeof(detail), "scan%s%s%s%s%s%s",
		scan->connector[0] != '\0' ? " connector " : "", scan->connector,
		scan->account_id[0] != '\0' ? " account " : "", scan->account_id,
		scan->region[0] != '\0' ? " region " : "", scan->region);
	log_info("ask %s by=\"%s\"", detail, subject);
	sensor_event_start(sensor, EVENT_OPERATOR, subject, detail);
}

static int ask(void *arg, const struct api_scan *scan, struct json_writer *writer, struct err *err)
{
	struct sensor *sensor = arg;
	bool is_chosen[CONFIG_CONNECTORS_MAX] = {false};
	enum connector_answer answer[CONFIG_CONNECTORS_MAX] = {CONNECTOR_STARTED};
	char cycle_id[CONFIG_CONNECTORS_MAX][PROGRESS_ID_MAX] = {""};
	if (choose(sensor, scan, is_chosen, err) != 0)
		return -1;
	for (size_t i = 0; i < sensor->slot_count; i++)
		if (is_chosen[i] && connector_ask(sensor->slot[i].connector, scan->account_id,
					    scan->region, &answer[i], cycle_id[i], err) != 0)
			return -1;
	tell_operator(sensor, scan);
	json_open_object(writer);
	json_key(writer, "cycle_ids");
	json_open_array(writer);
	for (size_t i = 0; i < sensor->slot_count; i++)
		if (is_chosen[i])
			json_text(writer, cycle_id[i]);
	json_close_array(writer);
	json_key(writer, "scans");
	json_open_array(writer);
	for (size_t i = 0; i < sensor->slot_count; i++)
		if (is_chosen[i])
			render_answer(writer, sensor->slot[i].connector, cycle_id[i], answer[i]);
	json_close_array(writer);
	json_close_object(writer);
	sensor_pump(sensor);
	return 0;
}

/* --- log -------------------------------------------------------------------------------------- */

static void render_log(void *arg, struct json_writer *writer)
{
	const struct sensor *sensor = arg;
	log_override_render(sensor->log, writer);
}

static void set_log(void *arg, const struct api_log *log)
{
	struct sensor *sensor = arg;
	char subject[32], detail[64], duration[TEXT_DURATION_MAX];
	(void)snprintf(subject, sizeof(subject), "uid %ld", log->uid);
	if (log->is_default)
		(void)snprintf(detail, sizeof(detail), "log default");
	else
		(void)snprintf(detail, sizeof(detail), "log %s for %s", log_level_name(log->level),
			text_format_duration(log->for_s, duration));
	log_info("ask %s by=\"%s\"", detail, subject);
	if (log->is_default)
		log_override_end(sensor->log);
	else
		log_override_start(sensor->log, log->level, log->for_s);
	sensor_event_start(sensor, EVENT_OPERATOR, subject, detail);
}

static void tell_alert_order(void *arg, bool is_test, const char *which, long uid)
{
	char subject[32], detail[600];
	(void)snprintf(subject, sizeof(subject), "uid %ld", uid);
	(void)snprintf(
		detail, sizeof(detail), "alerts %s %s", is_test ? "test" : "ack", which); /* cut */
	log_info("ask %s by=\"%s\"", detail, subject);
	sensor_event_start(arg, EVENT_OPERATOR, subject, detail);
}

const struct api_backend sensor_backend = {.count = sensor_count,
	.status = render_status,
	.progress = render_progress,
	.config = render_config,
	.log = render_log,
	.set_log = set_log,
	.metrics = sensor_metrics,
	.scan = ask,
	.alert_ordered = tell_alert_order};
