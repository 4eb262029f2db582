/*
 * What a monitoring system is told of the daemon, as a whole: pure, from what the daemon gathers.
 * Labels are names of connectors, states, services and operations: as many as the configuration and
 * the code have, never accounts, regions, ARNs or names of certificates.
 */
#ifndef SENSOR_METRICS_H
#define SENSOR_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/cred.h"
#include "base/http.h"
#include "base/loop.h"
#include "sensor/progress.h"

struct alert_counts;
struct alert_sender_state;
struct aws_usage;
struct cert_counts;
struct delivery_stats;
struct openmetrics;
struct store_stats;

/* Cycles that ended. */
struct cycle_counts {
	int64_t ended[PROGRESS_ASKED + 1][PROGRESS_CANCELLED + 1]; /* [kind][result] */
};

struct metrics_connector {
	const char *name; /* borrowed, as the rest */
	const struct cycle_counts *cycles;
	bool is_running;
	int64_t interval_s, next_s;
	bool has_cycle; /* one over everything has begun, ever; else the next four are 0 */
	bool has_failed;
	int64_t started_s, finished_s; /* of the last; finished_s 0: under way */
	int64_t last_complete_s;
	struct cred_state credentials;
	int64_t clock_offset_s;
	const int64_t *coverage; /* by state; NULL: not counted */
};

struct metrics_input {
	const char *version;
	int64_t started_s;
	const struct metrics_connector *connector;
	size_t connector_count;
	const struct cert_counts *certificates; /* NULL: not counted */
	const struct store_stats *store;	/* NULL: it could not be asked */
	const struct aws_usage *usage;
	const struct delivery_stats *delivery; /* NULL: none in this daemon */
	int64_t deliveries_running;
	const struct alert_counts *alerts; /* NULL: not looked yet, or none in this daemon */
	const struct alert_sender_state *channel;
	size_t channel_count;
	struct loop_stats loop;
	int64_t longest_stall_us;
	struct http_stats http;
	int64_t cpu_us, resident_bytes; /* of the process; resident 0: not known */
};

/* With the end of the text. */
void metrics_render(const struct metrics_input *input, struct openmetrics *metrics);

#endif
