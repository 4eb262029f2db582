/*
 * What the desk does by itself, at the start and every hour: sealed keys whose time is over go,
 * then the keys of epochs that nothing is left of, then plans and jobs that are over for long (in
 * steps of some milliseconds, so that nobody waits), then secrets in Secrets Manager that a crash
 * left over. Secrets that could not be deleted are tried again sooner: after a minute, doubled up
 * to the hour; and a minute after a job that left its own.
 *
 *   WAIT_HOUR -> WAIT_DUE -> WAIT_FORGOTTEN -> WAIT_SECRETS -> WAIT_HOUR
 *          |                 ^            |    ^ ^        |
 *          |                 +-- a step --+    | +--------+ a connector
 *          +-----------------------------------+ AWS has not told the time yet
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "sensor/desk_internal.h"

enum {
	FIRST_MS = 5000,
	HOUR_S = 3600,
	SOON_S = 60,
	STEP_MS = 200, /* between two steps */
	LOOKS_A_STEP = 500,
};

static void sweep_next(struct desk *desk);

static void wait_ms(struct desk *desk, int64_t delay_ms);

/* After a round in which one failed. */
static int64_t next_retry_s(const struct desk_upkeep *upkeep)
{
	if (upkeep->retry_s == 0 || upkeep->is_soon)
		return SOON_S;
	return 2 * upkeep->retry_s < HOUR_S ? 2 * upkeep->retry_s : HOUR_S;
}

/* What cannot be looked for may be there as before. */
static void note_failure(struct desk_upkeep *upkeep, size_t left, const struct err *err)
{
	size_t count = upkeep->round.count + left;
	if (left == 0 && count < upkeep->secrets.count)
		count = upkeep->secrets.count;
	upkeep->round.count = count;
	if (upkeep->round.error[0] == '\0')
		(void)text_copy(upkeep->round.error, sizeof(upkeep->round.error), err->text);
}

static void end_round(struct desk *desk)
{
	struct desk_upkeep *upkeep = &desk->upkeep;
	bool has_failed = upkeep->round.error[0] != '\0' || upkeep->is_soon;
	upkeep->retry_s = has_failed ? next_retry_s(upkeep) : 0;
	if (!upkeep->is_soon) /* else this round may not have seen what was left meanwhile */
		upkeep->secrets = upkeep->round;
	upkeep->is_soon = false;
	wait_ms(desk, 1000 * (has_failed ? upkeep->retry_s : HOUR_S));
}

static void on_secrets(
	void *arg, const char *const *deleted, size_t count, size_t left, const struct err *err)
{
	struct desk *desk = arg;
	const char *name = connector_config(desk->upkeep.connector)->name;
	desk->upkeep.sweep = NULL;
	for (size_t i = 0; i < count; i++)
		log_warning(
			"delete secret connector=%s name=%s reason=\"left over: no plan needs it\"",
			name, deleted[i]);
	if (err != NULL) {
		log_warning("look for secrets connector=%s error=%s left=%zu reason=\"%s\" "
			    "next=\"again in %lld s\"",
			name, err_kind_name(err->kind), left, err->text,
			(long long)next_retry_s(&desk->upkeep));
		note_failure(&desk->upkeep, left, err);
	}
	desk->upkeep.connector = NULL;
	sweep_next(desk);
}

static void sweep_next(struct desk *desk)
{
	struct connector *connector;
	while ((connector = desk->connector_at(desk->arg, desk->upkeep.next++)) != NULL) {
		const struct config_connector *config = connector_config(connector);
		/* The others may not have the right to look there. */
		if (config->key_escrow != ESCROW_SECRETS_MANAGER &&
			!forget_place_has_secrets(&desk->upkeep.from, config->name))
			continue;
		const struct delivery_target target = {.hub = connector_hub(connector),
			.hub_region = config->region,
			.connector = config->name,
			.kms_key_id = config->kms_key_id,
			.partition = "",
			.account_id = "",
			.region = config->region};
		desk->upkeep.connector = connector;
		desk->upkeep.sweep = secret_sweep_start(desk->delivery, &target, on_secrets, desk);
		return;
	}
	end_round(desk);
}

static void sweep_first(struct desk *desk)
{
	desk->upkeep.next = 0;
	desk->upkeep.round = (struct desk_left_over){.count = 0};
	sweep_next(desk);
}

/* --- plans and jobs -------------------------------------------------------------------------- */

static void forget_next(void *arg);

static void end_forgetting(struct desk *desk)
{
	struct desk_upkeep *upkeep = &desk->upkeep;
	if (upkeep->plans > 0 || upkeep->jobs > 0)
		log_info("forget plans=%zu jobs=%zu reason=\"over for longer than a day and than "
			 "keep_jobs\"",
			upkeep->plans, upkeep->jobs);
	sweep_first(desk);
}

static void on_forgotten(void *arg, const struct err *err)
{
	struct desk *desk = arg;
	struct desk_upkeep *upkeep = &desk->upkeep;
	upkeep->write = NULL;
	if (err != NULL) {
		log_warning(
			"forget plans and jobs error=%s reason=\"%s\" next=\"again in an hour\"",
			err_kind_name(err->kind), err->text);
		end_forgetting(desk);
		return;
	}
	upkeep->from = upkeep->step.to;
	upkeep->plans += upkeep->step.plans;
	upkeep->jobs += upkeep->step.jobs;
	if (upkeep->step.has_more)
		upkeep->timer = loop_timer_start(desk->loop, STEP_MS, forget_next, desk);
	else
		end_forgetting(desk);
}

static void write_forgotten(struct store_txn *txn, void *arg)
{
	struct desk_upkeep *upkeep = arg;
	delivery_forget(txn, &upkeep->from, upkeep->now_s, upkeep->keep_jobs_s, LOOKS_A_STEP,
		&upkeep->step);
}

static void forget_next(void *arg)
{
	struct desk *desk = arg;
	desk->upkeep.timer = NULL;
	desk->upkeep.write =
		store_write_start(desk->store, write_forgotten, &desk->upkeep, on_forgotten, desk);
}

/* --- sealed keys ----------------------------------------------------------------------------- */

static void on_due(void *arg, const struct err *write_err)
{
	struct desk *desk = arg;
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	desk->upkeep.write = NULL;
	int rc = write_err == NULL ? store_read_begin(desk->store, &txn, &err) : -1;
	if (rc == 0)
		rc = vault_sweep(desk->vault, txn, clock_now_s(), &err);
	store_read_end(txn);
	if (rc != 0)
		log_warning("wipe keys reason=\"%s\" next=\"again in an hour\"",
			write_err != NULL ? write_err->text : err.text);
	desk->upkeep.from = (struct forget_place){.is_at_jobs = false};
	desk->upkeep.plans = desk->upkeep.jobs = 0;
	forget_next(desk);
}

static void write_due(struct store_txn *txn, void *arg)
{
	const struct desk_upkeep *upkeep = arg;
	store_vault_delete_due(txn, upkeep->now_s);
}

static void on_hour(void *arg)
{
	struct desk *desk = arg;
	struct desk_upkeep *upkeep = &desk->upkeep;
	upkeep->timer = NULL;
	upkeep->now_s = desk->now_s(desk->arg);
	if (upkeep->now_s != 0)
		upkeep->write = store_write_start(desk->store, write_due, upkeep, on_due, desk);
	else
		sweep_first(desk);
}

static void wait_ms(struct desk *desk, int64_t delay_ms)
{
	desk->upkeep.timer = loop_timer_start(desk->loop, delay_ms, on_hour, desk);
}

void desk_upkeep_start(struct desk *desk)
{
	wait_ms(desk, FIRST_MS);
}

void desk_upkeep_release(struct desk *desk, const struct connector *connector)
{
	if (desk->upkeep.connector != connector)
		return;
	secret_sweep_cancel(desk->upkeep.sweep);
	desk->upkeep.sweep = NULL;
	desk->upkeep.connector = NULL;
	wait_ms(desk, FIRST_MS);
}

void desk_upkeep_job_ended(struct desk *desk)
{
	struct desk_upkeep *upkeep = &desk->upkeep;
	int64_t keys_left = delivery_get_stats(desk->delivery)->keys_left;
	if (keys_left == upkeep->keys_left)
		return;
	upkeep->secrets.count += (size_t)(keys_left - upkeep->keys_left);
	upkeep->keys_left = keys_left;
	if (upkeep->secrets.error[0] == '\0')
		(void)text_copy(upkeep->secrets.error, sizeof(upkeep->secrets.error),
			"the job that left it tells why");
	upkeep->is_soon = upkeep->timer == NULL;
	if (upkeep->is_soon)
		return; /* when this round has ended */
	loop_timer_cancel(upkeep->timer);
	upkeep->retry_s = 0;
	wait_ms(desk, 1000 * SOON_S);
}

void desk_upkeep_stop(struct desk *desk)
{
	loop_timer_cancel(desk->upkeep.timer);
	store_write_cancel(desk->upkeep.write);
	secret_sweep_cancel(desk->upkeep.sweep);
}
