/*
 * The daemon as one object: it owns everything and connects it. Built from below (loop, store,
 * resolver, HTTP, connectors, local API, signals) and destroyed in reverse order.
 *
 * Reload (SIGHUP): a configuration that cannot be used is refused and the old one stays. A
 * connector that did not change goes on undisturbed; one that changed finishes its running cycle
 * with the old options, then starts over with the new ones; one that is gone is stopped at once and
 * forgotten (connector_retire.h). name, data_dir, control_socket, metrics_listen and max_requests
 * need a restart.
 */
#ifndef SENSOR_SENSOR_H
#define SENSOR_SENSOR_H

#include <stdbool.h>
#include <stddef.h>

struct config;
struct connector;
struct err;
struct loop;
struct sensor;
struct store;

/* Told after each cycle that has ended; the connector may be another one afterwards. */
typedef void sensor_idle_fn(void *arg);

struct sensor_options {
	struct config *config;	 /* moved in, also on failure */
	bool is_once;		 /* no local API, no schedule, no reload: cycles by hand only */
	sensor_idle_fn *on_idle; /* or NULL */
	void *arg;		 /* for on_idle */
};

/* NULL: ERR_CONFIG (a connector cannot be used as configured; something is in the way of the
 * control socket), or what store_open and the system met. Nothing was started then. */
struct sensor *sensor_new(const struct sensor_options *options, struct err *err);
/* Until it was told to stop (a signal, sensor_stop). */
void sensor_run(struct sensor *sensor);
void sensor_stop(struct sensor *sensor);
/* Cancels what runs, commits what is queued. NULL is fine. */
void sensor_free(struct sensor *sensor);
/* Whether a signal ended it. */
bool sensor_was_interrupted(const struct sensor *sensor);

struct loop *sensor_loop(struct sensor *sensor);   /* borrowed */
struct store *sensor_store(struct sensor *sensor); /* borrowed */
size_t sensor_connector_count(const struct sensor *sensor);
struct connector *sensor_connector(struct sensor *sensor, size_t i); /* borrowed until on_idle */
/* Starts what is due or asked for, from the loop. */
void sensor_pump(struct sensor *sensor);

#endif
