#include "sensor/connector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "sensor/connector_network.h"
#include "sensor/cycle.h"
#include "sensor/metrics.h"
#include "store/accounts.h"

struct connector {
	struct loop *loop;		/* borrowed */
	struct store *store;		/* borrowed */
	struct config_connector config; /* owned */
	char session_name[CONNECTOR_SESSION_NAME_MAX];
	struct connector_network network; /* owned */
	bool is_unknown;
	struct schedule schedule;
	uint32_t failures;	/* cycles in a row that failed as a whole */
	int64_t continued_s;	/* start of a cycle that a restart interrupted; 0: none */
	struct scope scope;	/* owned; of the last walk, for catch-ups; empty: none yet */
	struct overlap overlap; /* owned; of the running cycle */
	struct cycle *cycle;	/* owned; NULL: idle */
	bool is_running_whole;	/* the cycle reads everything and passes over nothing */
	unsigned cycles;	/* started, for their ids */
	struct connector_request queue[CONNECTOR_QUEUE_MAX];
	size_t queued;
	struct cycle_counts counts;
	struct progress history[CONNECTOR_HISTORY_MAX]; /* oldest first */
	size_t history_count;
	connector_event_fn *on_tree, *on_idle;
	void *arg;
};

void connector_session_name(const char *sensor_name, char *ret_name)
{
	char *name = ret_name;
	(void)snprintf(name, CONNECTOR_SESSION_NAME_MAX, "acmsensor-%s", sensor_name); /* cut */
	for (; *name != '\0'; name++)
		if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_+=,.@-") == 0)
			*name = '-';
}

struct connector *connector_new(const struct connector_options *options,
	connector_event_fn *on_tree, connector_event_fn *on_idle, void *arg, struct err *err)
{
	struct connector *connector = xcalloc(1, sizeof(*connector));
	connector->loop = options->loop;
	connector->store = options->store;
	config_connector_copy(&connector->config, options->config);
	connector_session_name(options->sensor_name, connector->session_name);
	connector->schedule.interval_s = connector->config.interval_s;
	connector->is_unknown = true;
	connector->on_tree = on_tree;
	connector->on_idle = on_idle;
	connector->arg = arg;
	if (connector_network_init(&connector->network, options->loop, options->http,
		    &connector->config, err) != 0) {
		(void)err_wrap(
			err, "%s: [connector %s]", connector->config.place, connector->config.name);
		connector_free(connector);
		return NULL;
	}
	if (options->usage != NULL)
		aws_count_into(connector->network.aws, options->usage);
	return connector;
}

void connector_free(struct connector *connector)
{
	if (connector == NULL)
		return;
	if (connector->cycle != NULL)
		log_info("cancel cycle connector=%s id=%s", connector->config.name,
			cycle_progress(connector->cycle)->cycle_id);
	cycle_cancel(connector->cycle);
	overlap_clear(&connector->overlap);
	scope_clear(&connector->scope);
	connector_network_clear(&connector->network);
	config_connector_clear(&connector->config);
	free(connector);
}

const struct config_connector *connector_config(const struct connector *connector)
{
	return &connector->config;
}

struct aws_client *connector_hub(struct connector *connector)
{
	return connector->network.hub;
}

const char *connector_session(const struct connector *connector)
{
	return connector->session_name;
}

const char *connector_source_name(const struct connector *connector)
{
	return cred_source_name(connector->network.source);
}

bool connector_credentials_end(const struct connector *connector, int64_t *ret_ends_s)
{
	return cred_source_expires(connector->network.source, ret_ends_s);
}

bool connector_is_running(const struct connector *connector)
{
	return connector->cycle != NULL;
}

bool connector_is_unknown(const struct connector *connector)
{
	return connector->is_unknown;
}

/* --- schedule --------------------------------------------------------------------------------- */

static void load_record(struct connector *connector, const struct cycle_record *record)
{
	int64_t now_s = clock_now_s();
	connector->is_unknown = record->hub_account_id[0] == '\0';
	if (schedule_continues(record, now_s, connector->config.interval_s))
		connector->continued_s = record->started_s;
	else if (record->finished_s != 0)
		connector->schedule.next_s = record->next_s;
	if (schedule_mend(&connector->schedule, now_s))
		log_warning("mend schedule connector=%s reason=\"the clock was set back, or the "
			    "interval is shorter now\"",
			connector->config.name);
}

int connector_load(struct connector *connector, struct err *err)
{
	struct cycle_record record;
	struct tally tally;
	struct store_txn *txn = NULL;
	if (store_read_begin(connector->store, &txn, err) != 0)
		return -1;
	if (store_cycle_get(txn, connector->config.name, &record))
		load_record(connector, &record);
	tally_init(&tally, connector->config.name);
	while (!tally_slice(&tally, txn))
		; /* before the loop runs: nobody waits */
	connector->schedule.catch_up_s = tally.first_try_s;
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

void connector_take_over(struct connector *connector, const struct connector *former)
{
	connector->schedule.catch_up_s = former->schedule.catch_up_s;
	connector->is_unknown = former->is_unknown;
	connector->failures = former->failures;
	connector->cycles = former->cycles;
	connector->counts = former->counts;
	memcpy(connector->queue, former->queue, sizeof(connector->queue));
	connector->queued = former->queued;
	memcpy(connector->history, former->history, sizeof(connector->history));
	connector->history_count = former->history_count;
}

int64_t connector_wait_ms(const struct connector *connector)
{
	return schedule_wait_ms(&connector->schedule, clock_now_s());
}

int64_t connector_next_s(const struct connector *connector)
{
	return connector->schedule.next_s;
}

const struct cycle_counts *connector_cycles(const struct connector *connector)
{
	return &connector->counts;
}

void connector_credentials(const struct connector *connector, struct cred_state *ret_state)
{
	cred_get_state(connector->network.source, ret_state);
}

int64_t connector_clock_offset_s(const struct connector *connector)
{
	struct aws_stats stats;
	aws_get_stats(connector->network.aws, &stats);
	return stats.clock_offset_s;
}

int64_t connector_told_now_s(const struct connector *connector)
{
	struct aws_stats stats;
	aws_get_stats(connector->network.aws, &stats);
	if (stats.date_s == 0)
		return 0;
	return stats.date_s + (clock_mono_ms() - stats.dated_mono_ms) / 1000;
}

void connector_rest(struct connector *connector)
{
	aws_rest(connector->network.aws);
}

/* --- cycles ----------------------------------------------------------------------------------- */

static void remember(struct connector *connector, const struct progress *progress)
{
	if (connector->history_count == CONNECTOR_HISTORY_MAX) {
		connector->history_count--;
		memmove(connector->history, connector->history + 1,
			connector->history_count * sizeof(connector->history[0]));
	}
	connector->history[connector->history_count++] = *progress;
}

static void log_end(const struct progress *progress)
{
	if (progress->result == PROGRESS_FAILED)
		log_warning("end cycle connector=%s id=%s kind=%s result=failed error=%s reason=%s",
			progress->connector, progress->cycle_id, progress_kind_name(progress->kind),
			err_kind_name(progress->err.kind), progress->err.text);
	else
		log_info("end cycle connector=%s id=%s kind=%s result=%s accounts=%lld pairs=%lld "
			 "not_read=%lld certificates=%lld calls=%lld throttles=%lld",
			progress->connector, progress->cycle_id, progress_kind_name(progress->kind),
			progress_result_name(progress->result), (long long)progress->accounts_done,
			(long long)progress->pairs_done, (long long)progress->pairs_problem,
			(long long)progress->certificates, (long long)progress->calls,
			(long long)progress->throttles);
}

/* When what comes next is due. */
static void reschedule(struct connector *connector, const struct cycle_result *result)
{
	const struct progress *progress = result->progress;
	struct schedule *schedule = &connector->schedule;
	int64_t now_s = clock_now_s();
	bool has_failed = progress->result == PROGRESS_FAILED;
	if (result->next_s != 0) {
		schedule->next_s = result->next_s;
		connector->failures = has_failed ? connector->failures + 1 : 0;
	}
	bool is_catch_up = progress->kind == PROGRESS_CATCH_UP;
	if (is_catch_up && has_failed)
		schedule->catch_up_s = now_s + SCHEDULE_FAILURE_MIN_S;
	else if (result->tally != NULL && is_catch_up && progress->pairs_known == 0)
		/* What is due is out of reach: the next cycle's matter. */
		schedule->catch_up_s = result->tally->later_try_s;
	else if (result->tally != NULL)
		schedule->catch_up_s = result->tally->first_try_s;
	schedule->not_before_s = now_s + SCHEDULE_PAUSE_S;
}

static void on_cycle(void *arg, const struct cycle_result *result)
{
	struct connector *connector = arg;
	connector->cycle = NULL;
	connector->continued_s = 0;
	overlap_clear(&connector->overlap);
	if (result->scope->account_count > 0) {
		scope_clear(&connector->scope);
		connector->scope = *result->scope;
		*result->scope = (struct scope){.unit = NULL};
	}
	log_end(result->progress);
	connector->counts.ended[result->progress->kind][result->progress->result]++;
	remember(connector, result->progress);
	reschedule(connector, result);
	connector->on_idle(connector->arg, connector);
}

static void on_cycle_tree(void *arg)
{
	struct connector *connector = arg;
	connector->is_unknown = false;
	connector->on_tree(connector->arg, connector);
}

static void make_id(struct connector *connector, char *ret_cycle_id)
{
	(void)snprintf(ret_cycle_id, PROGRESS_ID_MAX, "%s-%lld-%u", connector->config.name,
		(long long)clock_now_s(), ++connector->cycles);
}

static void start(struct connector *connector, struct cycle_options *options,
	const struct config_connector *const *earlier, size_t earlier_count)
{
	int64_t started_s = options->continued_s != 0 ? options->continued_s : clock_now_s();
	overlap_init(&connector->overlap, earlier, earlier_count);
	options->loop = connector->loop;
	options->store = connector->store;
	options->aws = connector->network.aws;
	options->hub = connector->network.hub;
	options->config = &connector->config;
	options->overlap = &connector->overlap;
	options->session_name = connector->session_name;
	options->failures_before = connector->failures;
	options->next_s = schedule_next_s(
		started_s, connector->config.interval_s, clock_random(SCHEDULE_RANDOM + 1));
	bool skips_nothing =
		options->is_by_hand || (connector->is_unknown && options->continued_s == 0);
	connector->is_running_whole = options->kind != PROGRESS_CATCH_UP && skips_nothing &&
				      options->account_id[0] == '\0' && options->region[0] == '\0';
	log_info("start cycle connector=%s id=%s kind=%s continued=%s", connector->config.name,
		options->cycle_id, progress_kind_name(options->kind),
		options->continued_s != 0 ? "yes" : "no");
	connector->cycle = cycle_start(options, on_cycle_tree, on_cycle, connector);
}

bool connector_start_due(struct connector *connector, const struct config_connector *const *earlier,
	size_t earlier_count, size_t pairs_max)
{
	char cycle_id[PROGRESS_ID_MAX];
	int64_t now_s = clock_now_s();
	if (connector->cycle != NULL)
		return false;
	(void)schedule_mend(&connector->schedule, now_s);
	enum schedule_what what = schedule_decide(&connector->schedule, now_s);
	if (what == SCHEDULE_NOTHING)
		return false;
	bool is_catch_up = what == SCHEDULE_CATCH_UP;
	make_id(connector, cycle_id);
	start(connector,
		&(struct cycle_options){.cycle_id = cycle_id,
			.kind = is_catch_up ? PROGRESS_CATCH_UP : PROGRESS_CYCLE,
			.account_id = "",
			.region = "",
			.continued_s = is_catch_up ? 0 : connector->continued_s,
			.pairs_max = pairs_max,
			.scope = is_catch_up ? &connector->scope : NULL},
		earlier, earlier_count);
	return true;
}

void connector_expect_change(struct connector *connector)
{
	int64_t at_s = clock_now_s() + SCHEDULE_SETTLE_S;
	int64_t *due_s = &connector->schedule.catch_up_s;
	if (*due_s == 0 || at_s < *due_s)
		*due_s = at_s;
}

/* --- scans that were asked for ---------------------------------------------------------------- */

static const struct connector_request *find_request(
	const struct connector *connector, const char *account_id, const char *region)
{
	for (size_t i = 0; i < connector->queued; i++) {
		const struct connector_request *request = &connector->queue[i];
		if (strcmp(request->account_id, account_id) == 0 &&
			strcmp(request->region, region) == 0)
			return request;
	}
	return NULL;
}

int connector_ask(struct connector *connector, const char *account_id, const char *region,
	enum connector_answer *ret_answer, char *ret_cycle_id, struct err *err)
{
	bool is_all = account_id[0] == '\0' && region[0] == '\0';
	const struct connector_request *same = find_request(connector, account_id, region);
	if (connector->cycle != NULL && connector->is_running_whole && is_all) {
		*ret_answer = CONNECTOR_JOINED;
		(void)text_copy(
			ret_cycle_id, PROGRESS_ID_MAX, cycle_progress(connector->cycle)->cycle_id);
		return 0;
	}
	if (same != NULL) {
		*ret_answer = CONNECTOR_QUEUED;
		(void)text_copy(ret_cycle_id, PROGRESS_ID_MAX, same->cycle_id);
		return 0;
	}
	if (connector->queued == CONNECTOR_QUEUE_MAX)
		return err_set(err, ERR_REFUSED,
			"%d scans of connector %s wait already; try again when they are done",
			CONNECTOR_QUEUE_MAX, connector->config.name);
	bool is_idle = connector->cycle == NULL && connector->queued == 0;
	struct connector_request *request = &connector->queue[connector->queued++];
	make_id(connector, request->cycle_id);
	(void)text_copy(request->account_id, sizeof(request->account_id), account_id);
	(void)text_copy(request->region, sizeof(request->region), region);
	*ret_answer = is_idle ? CONNECTOR_STARTED : CONNECTOR_QUEUED;
	(void)text_copy(ret_cycle_id, PROGRESS_ID_MAX, request->cycle_id);
	return 0;
}

bool connector_start_asked(struct connector *connector,
	const struct config_connector *const *earlier, size_t earlier_count, size_t pairs_max)
{
	if (connector->cycle != NULL || connector->queued == 0)
		return false;
	const struct connector_request request = connector->queue[0];
	connector->queued--;
	memmove(connector->queue, connector->queue + 1,
		connector->queued * sizeof(connector->queue[0]));
	start(connector,
		&(struct cycle_options){.cycle_id = request.cycle_id,
			.kind = PROGRESS_ASKED,
			.is_by_hand = true,
			.account_id = request.account_id,
			.region = request.region,
			.pairs_max = pairs_max},
		earlier, earlier_count);
	return true;
}

/* --- progress --------------------------------------------------------------------------------- */

static void queued_progress(const struct connector *connector,
	const struct connector_request *request, struct progress *ret_progress)
{
	*ret_progress = (struct progress){.kind = PROGRESS_ASKED, .phase = PROGRESS_QUEUED};
	(void)text_copy(ret_progress->cycle_id, sizeof(ret_progress->cycle_id), request->cycle_id);
	(void)text_copy(
		ret_progress->connector, sizeof(ret_progress->connector), connector->config.name);
}

bool connector_progress(struct connector *connector, size_t index, struct progress *ret_progress)
{
	if (index < connector->history_count) {
		*ret_progress = connector->history[index];
		return true;
	}
	index -= connector->history_count;
	if (connector->cycle != NULL) {
		if (index == 0) {
			*ret_progress = *cycle_progress(connector->cycle);
			return true;
		}
		index--;
	}
	if (index >= connector->queued)
		return false;
	queued_progress(connector, &connector->queue[index], ret_progress);
	return true;
}

const struct progress *connector_running(const struct connector *connector)
{
	return connector->cycle != NULL ? cycle_progress(connector->cycle) : NULL;
}

const struct progress *connector_last(const struct connector *connector)
{
	return connector->history_count == 0 ? NULL
					     : &connector->history[connector->history_count - 1];
}
