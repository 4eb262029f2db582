/*
 * The delivery desk: takes orders from the local API, opens the way into the account, and runs
 * plans and jobs. Jobs that were running when the daemon ended go on at its next start.
 */
#ifndef SENSOR_DESK_H
#define SENSOR_DESK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "delivery/delivery.h"

struct buf;
struct connector;
struct desk;
struct desk_op;
struct json_writer;
struct loop;
struct resolve;
struct store;
struct store_txn;

enum {
	DESK_OPS_MAX = 64,	 /* asked for and not answered */
	DESK_JOBS_MAX = 1024,	 /* run side by side; the others wait */
	DESK_ROLLBACKS_MAX = 64, /* so many more when they are rollbacks */
	/* Of one account and region, up to their import: ACM takes one a second there, and a job
	 * that waits for its turn between its last look and its import leaves others time to change
	 * something. What waits for handshakes or for the last user to go keeps nobody off. */
	DESK_JOBS_PLACE_MAX = 4,
};

/* The connector of that name; "" is the only one. NULL and err: ERR_CONFIG (none of that name, or
 * more than one), ERR_NOT_FOUND (none at all). Borrowed until desk_release. */
typedef struct connector *desk_connector_fn(void *arg, const char *name, struct err *err);

/* The connectors in turn, NULL after the last. */
typedef struct connector *desk_connector_at_fn(void *arg, size_t i);

/* The time for what is forgotten and wiped for good, by AWS, so that a clock of this host that
 * jumped ahead does no harm; 0: not known yet, nothing is. */
typedef int64_t desk_now_fn(void *arg);

/* A job has ended, and is not under way any more. connector: NULL: it is configured no more. */
typedef void desk_job_ended_fn(void *arg, struct connector *connector);

/* What of the configuration may change while it runs. */
struct desk_times {
	struct delivery_times of_delivery;
	int64_t keep_jobs_s;
};

struct desk_options {
	struct loop *loop; /* borrowed, as are the others */
	struct store *store;
	struct resolve *resolve;
	const char *sensor_name, *data_dir; /* borrowed for desk_new */
	const char *vault_key_file;	    /* borrowed for desk_new; "": the vault's own */
	struct desk_times times;
	desk_connector_fn *connector;
	desk_connector_at_fn *connector_at;
	desk_now_fn *now_s;
	desk_job_ended_fn *job_ended; /* NULL: nobody is told */
	void *arg;		      /* for all four */
};

/* ERR_CONFIG, ERR_SYSTEM: the vault cannot be opened. */
struct desk *desk_new(const struct desk_options *options, struct err *err);
void desk_set_times(struct desk *desk, const struct desk_times *times);
void desk_free(struct desk *desk); /* stops what runs; jobs go on at the next start */

/* Starts jobs that are running by their record, from the loop. After anything that may let one go
 * on: the start of the daemon, a new connector, the end of another. */
void desk_pump(struct desk *desk);
/* Before the connector is freed: its jobs stop and go on after desk_pump, its plans fail. */
void desk_release(struct desk *desk, const struct connector *connector);
/* Jobs that run now. */
size_t desk_job_count(const struct desk *desk);
/* Why the job does not go on, where its record could not be written (a full store); "" otherwise.
 * Borrowed until the loop's next turn. */
const char *desk_job_held_up(const struct desk *desk, const char *id);

/* Private keys that should be gone from AWS Secrets Manager and are not, as far as is known. */
struct desk_left_over {
	size_t count;
	char error
		[ERR_TEXT_MAX]; /* why they are there, or cannot be looked for; "" when all is well */
};
const struct desk_left_over *desk_get_left_over(const struct desk *desk); /* borrowed */

struct delivery_stats;
const struct delivery_stats *desk_get_stats(const struct desk *desk); /* borrowed */

enum desk_verb {
	DESK_PLAN,
	DESK_APPLY,
	DESK_CANCEL,
	DESK_ROLLBACK,
	DESK_CSR,
	DESK_CSR_DROP,
	DESK_DELETE
};

/* document: the whole answer, borrowed for the call. */
typedef void desk_done_fn(void *arg, const struct buf *document, const struct err *err);
/* body: as local_api.h says; a reference is taken. by: who asks ("uid 0"); copied. */
struct desk_op *desk_op_start(struct desk *desk, enum desk_verb verb, json_t *body, const char *by,
	desk_done_fn *done, void *arg);
/* What was ordered already goes on; a plan is given up. */
void desk_op_cancel(struct desk_op *op);

struct job_record;
struct plan_record;
/* One object: local_api.h. with_steps: those of the job too. held_up: as desk_job_held_up tells. */
void desk_render_job(struct store_txn *txn, const struct job_record *job, bool with_steps,
	const char *held_up, struct json_writer *writer);
/* is_key_there: as desk_has_key tells. */
void desk_render_plan(struct store_txn *txn, const struct plan_record *plan, int64_t now_s,
	bool is_key_there, struct json_writer *writer);
/* A request that was made. false: there is none of that id. */
bool desk_render_request(
	struct desk *desk, struct store_txn *txn, const char *id, struct json_writer *writer);
/* The next one, in order of id. position: DELIVERY_ID_MAX + 1 bytes, "" to begin. */
bool desk_render_next_request(
	struct desk *desk, struct store_txn *txn, char *position, struct json_writer *writer);
/* false: the plan's key waited in memory, and a restart has lost it. */
bool desk_has_key(const struct desk *desk, const struct plan_record *plan);

#endif
