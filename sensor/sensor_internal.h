/* What the files of the daemon share: sensor.c (life), sensor_pump.c (scheduling, reload) and
 * sensor_api.c (what the local API shows and asks). */
#ifndef SENSOR_SENSOR_INTERNAL_H
#define SENSOR_SENSOR_INTERNAL_H

#include <stdint.h>
#include <sys/queue.h>

#include "aws/usage.h"
#include "base/err.h"
#include "base/openmetrics.h"
#include "sensor/api.h"
#include "sensor/census.h"
#include "sensor/config.h"
#include "sensor/sensor.h"
#include "store/cert_query.h"
#include "store/events.h"

struct alerts;
struct connector_retire;
struct desk;
struct heartbeat;
struct http;
struct log_override;
struct metrics_server;
struct loop_timer;
struct resolve;
struct retention;
struct sensor_event;
struct signals;

struct sensor_slot {
	struct connector *connector;   /* owned */
	struct connector *replacement; /* owned; takes over when the cycle ends; NULL: none */
};

struct sensor {
	struct config *config;	  /* owned */
	struct loop *loop;	  /* owned */
	struct log_override *log; /* owned; NULL with is_once */
	struct store *store;	  /* owned */
	struct resolve *resolve;  /* owned */
	struct http *http;	  /* owned */
	struct sensor_slot *slot; /* owned; in the order of the configuration */
	size_t slot_count;
	struct connector_retire *retire; /* owned until it ends */
	struct loop_timer *pump_timer;	 /* owned until it fires */
	struct loop_timer *look_timer;	 /* owned until it fires: the next look at the schedule */
	struct retention *retention;	 /* owned; NULL with is_once */
	struct desk *desk;		 /* owned; NULL with is_once */
	struct alerts *alerts;		 /* owned; NULL with is_once */
	struct api *api;		 /* owned; NULL with is_once */
	struct metrics_server *metrics;	 /* owned; NULL: metrics_listen is off */
	struct signals *signals;	 /* owned */
	struct heartbeat *heartbeat;	 /* owned; NULL with is_once */
	TAILQ_HEAD(sensor_event_list, sensor_event) events; /* owned; not written yet */
	struct err event_err; /* why the last event could not be written; until a write works */
	bool is_once, is_interrupted, is_stopping;
	int64_t started_s;
	int64_t rested_requests; /* sent until the last rest; 0: none */
	struct aws_usage usage;	 /* of all connectors, those before a reload included */
	struct census census;	 /* for status and the metrics */
	sensor_idle_fn *on_idle;
	void *arg;
};

struct desk_times;
/* sensor.c: as configured. */
struct desk_times sensor_desk_times(const struct config *config);
/* sensor.c: the connector of that name, "" being the only one; for the desk. */
struct connector *sensor_find_connector(void *arg, const char *name, struct err *err);
/* Returns -1, with which ones there are: ERR_CONFIG; ERR_NOT_FOUND: none. name: "" when none was
 * given. */
int sensor_fail_connector(const struct sensor *sensor, const char *name, struct err *err);
/* sensor.c: the time as AWS told it last, counted on, so that no jump of this host's clock is in
 * it; 0: none of the connectors was told yet. */
int64_t sensor_told_now_s(const struct sensor *sensor);

/* sensor_pump.c */
void sensor_reload(struct sensor *sensor);
/* Fills slots for all connectors of config. */
int sensor_make_connectors(struct sensor *sensor, struct err *err);
/* Forgets connectors of the store that are not configured, one after the other; none while none is
 * configured at all. */
void sensor_retire_next(struct sensor *sensor);

/* sensor_pump.c: what is done now, a heartbeat_line_fn. */
bool sensor_doing(void *arg, struct buf *to);
/* sensor_alerts.c */
int sensor_alerts_open(struct sensor *sensor, struct err *err);
/* As the configuration says now; after a reload. */
void sensor_alerts_configure(struct sensor *sensor);

/* sensor_api.c */
extern const struct api_backend sensor_backend;

/* sensor_metrics.c: counts on for a slice; true: the census is as new as it need be, or cannot be
 * made. */
bool sensor_count(void *arg, struct store_txn *txn);
/* sensor_metrics.c: counts on for a slice; true: to has the whole text, with what txn let it
 * count. */
bool sensor_metrics(
	void *arg, struct store_txn *txn, enum openmetrics_format format, struct buf *to);

/* sensor_event.c: events of the sensor as a whole; texts are copied, a failure is logged. */
void sensor_event_start(
	struct sensor *sensor, enum event_kind kind, const char *subject, const char *detail);
/* Frees those whose done did not come; after store_close. */
void sensor_events_clear(struct sensor *sensor);
/* Before the loop runs and after it has. */
void sensor_event_now(
	struct sensor *sensor, enum event_kind kind, const char *subject, const char *detail);

#endif
