/* The desk's life, and the jobs that run. */
#include "sensor/desk.h"

#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/worker.h"
#include "sensor/desk_internal.h"
#include "store/jobs.h"

enum {
	PAUSE_S = 30,	 /* before a job that could not go on is started again */
	PUMP_MS = 50,	 /* between two looks at which jobs may start */
	PLACE_MS = 1000, /* until it is looked again whether there is room for one that waits */
	/* A longer wait between attempts is the job's own, which its record tells of. */
	PATIENCE_MS = 2000,
};

/* --- one job ---------------------------------------------------------------------------------- */

/* Its way into the account. */
static void leave_account(struct desk_job *job)
{
	account_access_end(job->access);
	aws_client_free(job->hub);
	job->access = NULL;
	job->hub = NULL;
}

static void free_job(struct desk_job *job)
{
	loop_timer_cancel(job->timer);
	job_run_cancel(job->run);
	leave_account(job);
	LIST_REMOVE(job, link);
	job->desk->job_count--;
	free(job);
}

static void on_pause(void *arg)
{
	struct desk_job *job = arg;
	struct desk *desk = job->desk;
	job->timer = NULL;
	free_job(job);
	desk_pump(desk);
}

/* The store failed, or the account cannot be entered: the job is as it was, and goes on later. */
static void pause_job(struct desk_job *job, const struct err *err)
{
	log_warning("delivery job=%s error=%s reason=\"%s\" next=\"again in %d s\"", job->id,
		err_kind_name(err->kind), err->text, PAUSE_S);
	(void)text_copy(job->held_up, sizeof(job->held_up), err->text);
	leave_account(job);
	job->connector = NULL;
	job->timer = loop_timer_start(job->desk->loop, 1000 * PAUSE_S, on_pause, job);
}

static void on_run(void *arg, const struct err *err)
{
	struct desk_job *job = arg;
	struct desk *desk = job->desk;
	struct connector *connector = job->connector;
	job->run = NULL;
	if (err != NULL) {
		pause_job(job, err);
		return;
	}
	free_job(job);
	desk_upkeep_job_ended(desk);
	desk_pump(desk); /* another may wait for its place */
	if (desk->job_ended != NULL)
		desk->job_ended(desk->arg, connector);
}

/* There is no way into its account, or none is needed: its record is to tell, or to end. */
static void run_away(struct desk_job *job, const struct err *why)
{
	const struct config_connector *config =
		job->connector != NULL ? connector_config(job->connector) : NULL;
	const struct delivery_target target = {.hub = job->hub,
		.hub_region = config != NULL ? config->region : "",
		.account_id = job->account_id,
		.region = job->region};
	job->has_place = false; /* it sends nothing: the next one is tried, and told the same */
	job->run = job_run_start_away(
		job->desk->delivery, &target, job->id, why, PAUSE_S, on_run, job);
}

static void on_access(void *arg, const struct err *err)
{
	struct desk_job *job = arg;
	const struct config_connector *config = connector_config(job->connector);
	if (err != NULL) {
		run_away(job, err);
		return;
	}
	const struct delivery_target target = {.client = account_access_client(job->access),
		.hub = job->hub,
		.hub_region = config->region,
		.kms_key_id = config->kms_key_id,
		.connector = config->name,
		.partition = account_access_partition(job->access),
		.account_id = job->account_id,
		.region = job->region};
	job->run = job_run_start(job->desk->delivery, &target, job->id, on_run, job);
}

static struct desk_job *find_job(const struct desk *desk, const char *id)
{
	struct desk_job *job = LIST_FIRST(&desk->jobs);
	while (job != NULL && strcmp(job->id, id) != 0)
		job = LIST_NEXT(job, link);
	return job;
}

static bool has_room(const struct desk *desk, const struct job_record *record)
{
	int here = 0;
	for (const struct desk_job *job = LIST_FIRST(&desk->jobs); job != NULL;
		job = LIST_NEXT(job, link))
		here += job->has_place && strcmp(job->account_id, record->account_id) == 0 &&
			strcmp(job->region, record->region) == 0;
	return here < DESK_JOBS_PLACE_MAX;
}

static void start_job(struct desk *desk, const struct job_record *record)
{
	struct err err = ERR_INIT;
	struct desk_job *job = xcalloc(1, sizeof(*job));
	job->desk = desk;
	(void)text_copy(job->id, sizeof(job->id), record->id);
	(void)text_copy(job->account_id, sizeof(job->account_id), record->account_id);
	(void)text_copy(job->region, sizeof(job->region), record->region);
	LIST_INSERT_HEAD(&desk->jobs, job, link);
	desk->job_count++;
	job->has_place = job_waits_to_import(record);
	job->connector = desk->connector(desk->arg, record->connector, &err);
	if (job->connector != NULL)
		job->hub = aws_client_with_patience(connector_hub(job->connector), PATIENCE_MS);
	if (job->connector == NULL || (record->is_cancel_asked && !record->may_have_imported)) {
		run_away(job, &err);
		return;
	}
	job->access =
		account_access_start(&(struct account_access_options){.hub = job->hub,
					     .config = connector_config(job->connector),
					     .session_name = connector_session(job->connector),
					     .account_id = job->account_id},
			on_access, job);
}

void desk_restart_job(struct desk *desk, const char *id)
{
	struct desk_job *job = find_job(desk, id);
	if (job != NULL)
		free_job(job);
}

/* --- the pump --------------------------------------------------------------------------------- */

/* Those that are past their import by now make room. */
static void look_at_places(struct desk *desk, struct store_txn *txn)
{
	struct job_record record;
	for (struct desk_job *job = LIST_FIRST(&desk->jobs); job != NULL;
		job = LIST_NEXT(job, link))
		job->has_place = job->has_place && store_job_get(txn, job->id, &record) &&
				 job_waits_to_import(&record);
}

/* Of those after that id, until so many run. Whether one was left that waits for room. */
static bool start_jobs(struct desk *desk, struct store_txn *txn, const char *after, size_t max)
{
	struct job_record record;
	char position[DELIVERY_ID_MAX + 1] = "";
	bool is_left = false;
	(void)text_copy(position, sizeof(position), after);
	while (desk->job_count < max && store_job_next_running(txn, position, &record)) {
		if (find_job(desk, record.id) != NULL)
			continue;
		if (!job_waits_to_import(&record) || has_room(desk, &record))
			start_job(desk, &record);
		else
			is_left = true;
	}
	return is_left;
}

/* Rollbacks first: somebody's certificate is wrong, and hundreds of deliveries may wait there, or
 * for days as many deletes as may run. */
static void on_pump(void *arg)
{
	static const char rollbacks[] = {JOB_ID_ROLLBACK, '\0'}; /* ids begin with their kind */
	struct desk *desk = arg;
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	bool is_left = false;
	desk->pump_timer = NULL;
	desk->pumped_mono_ms = clock_mono_ms();
	int rc = store_read_begin(desk->store, &txn, &err);
	if (rc == 0) {
		look_at_places(desk, txn);
		is_left = start_jobs(desk, txn, rollbacks, DESK_JOBS_MAX + DESK_ROLLBACKS_MAX);
		is_left |= start_jobs(desk, txn, "", DESK_JOBS_MAX);
		rc = store_txn_check(txn, &err);
	}
	store_read_end(txn);
	if (rc != 0)
		log_warning(
			"delivery jobs error=%s reason=\"%s\"", err_kind_name(err.kind), err.text);
	if (is_left)
		desk->pump_timer = loop_timer_start(desk->loop, PLACE_MS, on_pump, desk);
}

void desk_pump(struct desk *desk)
{
	int64_t rest_ms = desk->pumped_mono_ms + PUMP_MS - clock_mono_ms();
	loop_timer_cancel(desk->pump_timer); /* it may be the patient one */
	desk->pump_timer = loop_timer_start(desk->loop, rest_ms > 0 ? rest_ms : 0, on_pump, desk);
}

void desk_release(struct desk *desk, const struct connector *connector)
{
	struct desk_job *job, *next_job;
	struct desk_op *op, *next_op;
	struct err err = ERR_INIT;
	desk_upkeep_release(desk, connector);
	(void)err_set(&err, ERR_STOPPED, "the connector was changed meanwhile; ask again");
	for (job = LIST_FIRST(&desk->jobs); job != NULL; job = next_job) {
		next_job = LIST_NEXT(job, link);
		if (job->connector == connector)
			free_job(job);
	}
	for (op = TAILQ_FIRST(&desk->ops); op != NULL; op = next_op) {
		next_op = TAILQ_NEXT(op, link);
		if (op->connector == connector)
			desk_op_end(op, NULL, &err);
	}
	desk_pump(desk);
}

size_t desk_job_count(const struct desk *desk)
{
	return desk->job_count;
}

const char *desk_job_held_up(const struct desk *desk, const char *id)
{
	const struct desk_job *job = find_job(desk, id);
	return job != NULL ? job->held_up : "";
}

const struct desk_left_over *desk_get_left_over(const struct desk *desk)
{
	return &desk->upkeep.secrets;
}

const struct delivery_stats *desk_get_stats(const struct desk *desk)
{
	return delivery_get_stats(desk->delivery);
}

/* --- life ------------------------------------------------------------------------------------- */

struct desk *desk_new(const struct desk_options *options, struct err *err)
{
	struct desk *desk = xcalloc(1, sizeof(*desk));
	desk->loop = options->loop;
	desk->upkeep.keep_jobs_s = options->times.keep_jobs_s;
	desk->store = options->store;
	desk->connector = options->connector;
	desk->connector_at = options->connector_at;
	desk->now_s = options->now_s;
	desk->job_ended = options->job_ended;
	desk->arg = options->arg;
	TAILQ_INIT(&desk->ops);
	LIST_INIT(&desk->jobs);
	const char *key_file = options->vault_key_file[0] != '\0' ? options->vault_key_file : NULL;
	desk->vault = vault_open(options->data_dir, key_file, err);
	if (desk->vault != NULL)
		desk->worker = worker_new(options->loop, err);
	if (desk->worker == NULL) {
		desk_free(desk);
		return NULL;
	}
	desk->delivery = delivery_new(&(struct delivery_options){.loop = options->loop,
		.store = options->store,
		.vault = desk->vault,
		.resolve = options->resolve,
		.sensor_name = options->sensor_name,
		.times = options->times.of_delivery});
	desk_upkeep_start(desk);
	return desk;
}

bool desk_has_key(const struct desk *desk, const struct plan_record *plan)
{
	return delivery_has_key(desk->delivery, plan);
}

void desk_set_times(struct desk *desk, const struct desk_times *times)
{
	desk->upkeep.keep_jobs_s = times->keep_jobs_s;
	delivery_set_times(desk->delivery, &times->of_delivery);
}

void desk_free(struct desk *desk)
{
	if (desk == NULL)
		return;
	loop_timer_cancel(desk->pump_timer);
	desk_upkeep_stop(desk);
	worker_free(desk->worker); /* waits for what it has */
	desk->worker = NULL;
	struct desk_op *next_op;
	for (struct desk_op *op = TAILQ_FIRST(&desk->ops); op != NULL; op = next_op) {
		next_op = TAILQ_NEXT(op, link);
		desk_op_destroy(op);
	}
	struct desk_job *next;
	for (struct desk_job *job = LIST_FIRST(&desk->jobs); job != NULL; job = next) {
		next = LIST_NEXT(job, link);
		free_job(job);
	}
	delivery_free(desk->delivery);
	vault_close(desk->vault);
	free(desk);
}
