/*
 * One connector at run time: its way to AWS (network, credentials, hub client), its schedule, its
 * running cycle and the scans that wait for it.
 */
#ifndef SENSOR_CONNECTOR_H
#define SENSOR_CONNECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "orgscope/scope.h"
#include "sensor/config.h"
#include "sensor/overlap.h"
#include "sensor/progress.h"
#include "sensor/schedule.h"

struct aws;
struct aws_client;
struct aws_usage;
struct connector;
struct cred_source;
struct cred_state;
struct cycle;
struct cycle_counts;
struct cycle_result;
struct err;
struct http;
struct loop;
struct store;

enum {
	CONNECTOR_QUEUE_MAX = 16,	 /* scans asked for and waiting */
	CONNECTOR_HISTORY_MAX = 8,	 /* ended cycles kept for whoever waits for them */
	CONNECTOR_SESSION_NAME_MAX = 65, /* STS 2011-06-15 RoleSessionName, and a NUL */
};

/* "acmsensor-<sensor name>", in the characters that STS accepts, cut to its length. Pure. */
void connector_session_name(const char *sensor_name, char *ret_name);

/* A scan that was asked for. "": all. */
struct connector_request {
	char cycle_id[PROGRESS_ID_MAX];
	char account_id[13], region[32];
};

enum connector_answer { CONNECTOR_STARTED, CONNECTOR_JOINED, CONNECTOR_QUEUED };

struct connector_options {
	struct loop *loop;	 /* borrowed */
	struct http *http;	 /* borrowed */
	struct store *store;	 /* borrowed */
	struct aws_usage *usage; /* borrowed; counts its calls; NULL: nobody wants to know */
	const char *sensor_name;
	const struct config_connector *config; /* copied */
};

/* ended: borrowed, for the call; the connector is idle then. */
typedef void connector_event_fn(void *arg, struct connector *connector);

/*
 * on_tree   see cycle_tree_fn
 * on_idle   a cycle has ended, and the connector may be freed in the call
 * errors    ERR_CONFIG: an endpoint or switch that the environment or the profile sets is wrong,
 *           a profile that cannot be read
 */
struct connector *connector_new(const struct connector_options *options,
	connector_event_fn *on_tree, connector_event_fn *on_idle, void *arg, struct err *err);
void connector_free(struct connector *connector); /* cancels its cycle; NULL is fine */

const struct config_connector *connector_config(const struct connector *connector);
/* For deliveries; borrowed while the connector lives. */
struct aws_client *connector_hub(struct connector *connector);
const char *connector_session(const struct connector *connector);
const char *connector_source_name(const struct connector *connector);
/* When the hub's credentials end; 0: never. false: none were had yet. */
bool connector_credentials_end(const struct connector *connector, int64_t *ret_ends_s);
bool connector_is_running(const struct connector *connector);
/* Its first walk ever is not through: nobody knows yet which accounts it covers. */
bool connector_is_unknown(const struct connector *connector);

/* Reads the cycle record: when the next cycle is due, and whether one goes on. */
int connector_load(struct connector *connector, struct err *err);
/* The schedule of the runtime that this one replaces goes on; a full cycle is due at once. */
void connector_take_over(struct connector *connector, const struct connector *former);

/* What is due now; starts nothing while a cycle runs. earlier: connectors before this one in the
 * configuration; copied. Returns whether something was started. */
bool connector_start_due(struct connector *connector, const struct config_connector *const *earlier,
	size_t earlier_count, size_t pairs_max);
/* A delivery has changed what an account-region holds (store_coverage_note_change): it is read
 * again soon. */
void connector_expect_change(struct connector *connector);
/* How long to wait before asking again. */
int64_t connector_wait_ms(const struct connector *connector);

/*
 * A scan by hand. A request for everything joins a running cycle that reads everything (one by
 * hand, or the first ever); any other waits for the end of what runs, because a cycle by schedule
 * passes over what policy denied lately, and a continued one over what it has read before.
 * ret_cycle_id: PROGRESS_ID_MAX bytes. errors: ERR_REFUSED: CONNECTOR_QUEUE_MAX scans wait
 * already.
 */
int connector_ask(struct connector *connector, const char *account_id, const char *region,
	enum connector_answer *ret_answer, char *ret_cycle_id, struct err *err);
/* Starts the first scan that waits, if no cycle runs. */
bool connector_start_asked(struct connector *connector,
	const struct config_connector *const *earlier, size_t earlier_count, size_t pairs_max);

/* Running, waiting and ended ones, newest last: index from 0; false at the end. Borrowed. */
bool connector_progress(struct connector *connector, size_t index, struct progress *ret_progress);
/* The one that runs; NULL: none. Borrowed until the next turn of the loop. */
const struct progress *connector_running(const struct connector *connector);
/* The last one that ended; NULL: none in this process. */
const struct progress *connector_last(const struct connector *connector);
int64_t connector_next_s(const struct connector *connector);
/* Of those that ended in this process. Borrowed. */
const struct cycle_counts *connector_cycles(const struct connector *connector);
/* Of the connector's own identity. */
void connector_credentials(const struct connector *connector, struct cred_state *ret_state);
/* AWS's clock minus this host's; 0 until AWS has told. */
int64_t connector_clock_offset_s(const struct connector *connector);
/* The time, counted on from what AWS told last, so that no jump of this host's clock is in it; 0:
 * it has not told yet in this process. */
int64_t connector_told_now_s(const struct connector *connector);
/* Lets go of what is of no use until the next cycle. */
void connector_rest(struct connector *connector);

#endif
