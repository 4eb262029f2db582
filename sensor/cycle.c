#include "sensor/cycle.h"

#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "orgscope/org_walk.h"
#include "orgscope/scope.h"
#include "sensor/config.h"
#include "sensor/cycle_record.h"
#include "sensor/cycle_scan.h"
#include "sensor/tree_store.h"
#include "store/accounts.h"

enum state { BEGIN, WALK, IDENTITY, TREE, SCAN, TALLY, END };
static const char *const state_name[] = {
	"BEGIN", "WALK", "IDENTITY", "TREE", "SCAN", "TALLY", "END"};

struct cycle {
	enum state state;
	struct cycle_options options; /* texts and scope are the members below */
	char account_id[13], region[32];
	bool is_full;
	int64_t started_s; /* of the cycle, also when it is continued; progress tells this run's */
	/* One at a time is not NULL; owned until it ends. */
	struct loop_timer *timer;
	struct store_write *write;
	struct org_walk *walk;
	struct tree_store *tree;
	struct cycle_scan *scan;
	struct scope scope; /* owned */
	struct tally tally;
	bool is_tallied;
	struct progress progress;
	struct aws_stats stats_before;
	int64_t next_s;
	cycle_tree_fn *on_tree;
	cycle_done_fn *done;
	void *arg;
};

static void step(struct cycle *cycle, const struct err *err);

static void cancel_work(struct cycle *cycle)
{
	loop_timer_cancel(cycle->timer);
	store_write_cancel(cycle->write);
	org_walk_cancel(cycle->walk);
	tree_store_cancel(cycle->tree);
	cycle_scan_cancel(cycle->scan);
}

static void destroy(struct cycle *cycle)
{
	cancel_work(cycle);
	scope_clear(&cycle->scope);
	free(cycle);
}

static void count_calls(struct cycle *cycle)
{
	struct aws_stats now;
	aws_get_stats(cycle->options.aws, &now);
	cycle->progress.calls = now.calls - cycle->stats_before.calls;
	cycle->progress.throttles = now.throttles - cycle->stats_before.throttles;
	cycle->progress.retries = now.retries - cycle->stats_before.retries;
}

/* --- BEGIN, IDENTITY, END: the cycle record --------------------------------------------------- */

static void write_begin(struct store_txn *txn, void *arg)
{
	const struct cycle *cycle = arg;
	cycle_record_begin(txn, &cycle->progress, cycle->started_s, cycle->options.next_s,
		cycle->options.continued_s != 0);
}

static void write_identity(struct store_txn *txn, void *arg)
{
	const struct cycle *cycle = arg;
	cycle_record_identity(txn, cycle->progress.connector, &cycle->scope);
}

static void write_end(struct store_txn *txn, void *arg)
{
	const struct cycle *cycle = arg;
	cycle_record_end(txn, &(struct cycle_end){.progress = &cycle->progress,
				      .tally = cycle->is_tallied ? &cycle->tally : NULL,
				      .is_full = cycle->is_full,
				      .next_s = cycle->next_s});
}

static void on_written(void *arg, const struct err *err)
{
	struct cycle *cycle = arg;
	cycle->write = NULL;
	step(cycle, err);
}

static void start_write(struct cycle *cycle, enum state state, store_write_fn *write)
{
	cycle->state = state;
	cycle->write = store_write_start(cycle->options.store, write, cycle, on_written, cycle);
}

/* --- WALK ------------------------------------------------------------------------------------- */

static void on_walk(void *arg, struct scope *scope, const struct err *err)
{
	struct cycle *cycle = arg;
	cycle->walk = NULL;
	if (err == NULL) {
		cycle->scope = *scope;
		*scope = (struct scope){.unit = NULL};
	}
	step(cycle, err);
}

static void start_walk(struct cycle *cycle)
{
	const struct config_connector *config = cycle->options.config;
	cycle->state = WALK;
	cycle->progress.phase = PROGRESS_ORGANIZATION;
	cycle->walk = org_walk_start(&(struct org_walk_options){.hub = cycle->options.hub,
					     .region = config->region,
					     .is_organization = config->is_organization,
					     .management_role_arn = config->management_role_arn,
					     .external_id = config->external_id,
					     .session_name = cycle->options.session_name},
		on_walk, cycle);
}

/*
 * A connector whose credentials were exchanged for those of another organization would find all its
 * accounts gone. That is a mistake far more often than a wish, so it is refused.
 */
static int compare_identity(
	const struct cycle *cycle, const struct cycle_record *record, struct err *err)
{
	const struct scope *scope = &cycle->scope;
	bool is_organization =
		cycle->options.config->is_organization && record->organization_id[0] != '\0';
	const char *before = is_organization ? record->organization_id : record->hub_account_id;
	const char *now = is_organization ? scope->organization_id : scope->hub_account_id;
	if (before[0] == '\0' || strcmp(before, now) == 0)
		return 0;
	return err_set(err, ERR_CONFIG,
		"connector %s read %s %s so far, but its credentials belong to %s now; give the "
		"connector another name, or its former credentials",
		cycle->progress.connector, is_organization ? "organization" : "account", before,
		now[0] != '\0' ? now : "none");
}

static int check_identity(struct cycle *cycle, struct err *err)
{
	struct cycle_record record;
	struct store_txn *txn = NULL;
	int rc = 0;
	if (store_read_begin(cycle->options.store, &txn, err) != 0)
		return -1;
	if (store_cycle_get(txn, cycle->progress.connector, &record))
		rc = compare_identity(cycle, &record, err);
	if (rc == 0)
		rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

static void filter_scope(struct cycle *cycle)
{
	const struct config_connector *config = cycle->options.config;
	scope_apply_filter(&cycle->scope,
		&(struct scope_filter){
			.include_units = (const char *const *)config->include_units.item,
			.exclude_units = (const char *const *)config->exclude_units.item,
			.include_unit_count = config->include_units.count,
			.exclude_unit_count = config->exclude_units.count,
			.include_accounts = (const char *const *)config->include_accounts.item,
			.exclude_accounts = (const char *const *)config->exclude_accounts.item,
			.include_account_count = config->include_accounts.count,
			.exclude_account_count = config->exclude_accounts.count});
}

/* --- TREE, SCAN ------------------------------------------------------------------------------- */

static void on_tree_stored(void *arg, const struct err *err)
{
	struct cycle *cycle = arg;
	cycle->tree = NULL;
	step(cycle, err);
}

static void start_tree(struct cycle *cycle)
{
	cycle->state = TREE;
	cycle->progress.phase = PROGRESS_ACCOUNTS;
	filter_scope(cycle);
	cycle->tree = tree_store_start(&(struct tree_store_options){.loop = cycle->options.loop,
					       .store = cycle->options.store,
					       .config = cycle->options.config,
					       .overlap = cycle->options.overlap,
					       .scope = &cycle->scope},
		on_tree_stored, cycle);
}

static void on_scanned(void *arg, const struct err *err)
{
	struct cycle *cycle = arg;
	cycle->scan = NULL;
	step(cycle, err);
}

static void start_scan(struct cycle *cycle)
{
	const struct cycle_options *options = &cycle->options;
	enum schedule_rule rule = SCHEDULE_OF_CYCLE;
	if (options->is_by_hand)
		rule = SCHEDULE_BY_HAND;
	else if (options->kind == PROGRESS_CATCH_UP)
		rule = SCHEDULE_OF_CATCH_UP;
	cycle->state = SCAN;
	cycle->progress.phase = PROGRESS_SCAN;
	cycle->scan = cycle_scan_start(&(struct cycle_scan_options){.loop = options->loop,
					       .store = options->store,
					       .hub = options->hub,
					       .config = options->config,
					       .overlap = options->overlap,
					       .scope = &cycle->scope,
					       .session_name = options->session_name,
					       .account_id = cycle->account_id,
					       .region = cycle->region,
					       .rule = rule,
					       .continued_s = options->continued_s,
					       .pairs_max = options->pairs_max,
					       .progress = &cycle->progress},
		on_scanned, cycle);
}

/* --- TALLY and the end ------------------------------------------------------------------------ */

static void on_tally(void *arg)
{
	struct cycle *cycle = arg;
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	cycle->timer = NULL;
	if (store_read_begin(cycle->options.store, &txn, &err) != 0) {
		step(cycle, &err);
		return;
	}
	bool is_end = tally_slice(&cycle->tally, txn);
	int rc = store_txn_check(txn, &err);
	store_read_end(txn);
	if (rc == 0 && !is_end) {
		cycle->timer = loop_timer_start(cycle->options.loop, 0, on_tally, cycle);
		return;
	}
	cycle->is_tallied = rc == 0;
	step(cycle, rc == 0 ? NULL : &err);
}

static void start_tally(struct cycle *cycle)
{
	cycle->state = TALLY;
	cycle->progress.phase = PROGRESS_FINISHING;
	tally_init(&cycle->tally, cycle->progress.connector);
	cycle->timer = loop_timer_start(cycle->options.loop, 0, on_tally, cycle);
}

/* What went wrong first is what is reported. */
static void start_end(struct cycle *cycle, const struct err *err)
{
	struct progress *progress = &cycle->progress;
	count_calls(cycle);
	progress->finished_s = clock_now_s();
	progress->phase = PROGRESS_FINISHING;
	cycle->next_s = cycle->options.next_s;
	int64_t missing = cycle->is_full ? cycle->tally.problems : progress->pairs_problem;
	progress->result = missing == 0 ? PROGRESS_COMPLETE : PROGRESS_INCOMPLETE;
	if (err != NULL) {
		progress->result = PROGRESS_FAILED;
		progress->err = *err;
		cycle->next_s = schedule_failure_s(progress->finished_s,
			cycle->options.config->interval_s, cycle->options.failures_before + 1);
	}
	start_write(cycle, END, write_end);
}

static void finish(struct cycle *cycle, const struct err *err)
{
	struct progress *progress = &cycle->progress;
	if (err != NULL && progress->result != PROGRESS_FAILED) {
		progress->result = PROGRESS_FAILED;
		progress->err = *err;
		cycle->next_s = schedule_failure_s(progress->finished_s,
			cycle->options.config->interval_s, cycle->options.failures_before + 1);
	}
	progress->phase = PROGRESS_DONE;
	cycle->done(cycle->arg, &(struct cycle_result){.progress = progress,
					.tally = cycle->is_tallied ? &cycle->tally : NULL,
					.scope = &cycle->scope,
					.next_s = cycle->is_full ? cycle->next_s : 0});
	destroy(cycle);
}

/* What was waited for has come, well or not: on to the next state. */
static void step(struct cycle *cycle, const struct err *step_err)
{
	struct err err = step_err != NULL ? *step_err : (struct err)ERR_INIT;
	log_debug("cycle %s state=%s error=%s", cycle->progress.connector, state_name[cycle->state],
		err_kind_name(err.kind));
	if (cycle->state == END) {
		finish(cycle, step_err);
		return;
	}
	if (cycle->state == WALK && step_err == NULL)
		(void)check_identity(cycle, &err); /* err tells */
	if (err.kind != ERR_NONE) {
		start_end(cycle, &err);
		return;
	}
	switch (cycle->state) {
	case BEGIN:
		start_walk(cycle);
		return;
	case WALK:
		start_write(cycle, IDENTITY, write_identity);
		return;
	case IDENTITY:
		start_tree(cycle);
		return;
	case TREE:
		cycle->on_tree(cycle->arg);
		start_scan(cycle);
		return;
	case SCAN:
		start_tally(cycle);
		return;
	case TALLY:
		start_end(cycle, NULL);
		return;
	case END:
		break;
	}
	abort(); /* handled above */
}

static void on_start(void *arg)
{
	struct cycle *cycle = arg;
	cycle->timer = NULL;
	store_forget_dead_readers(cycle->options.store);
	if (cycle->scope.account_count > 0)
		start_scan(cycle);
	else if (cycle->is_full)
		start_write(cycle, BEGIN, write_begin);
	else
		start_walk(cycle);
}

struct cycle *cycle_start(
	const struct cycle_options *options, cycle_tree_fn *on_tree, cycle_done_fn *done, void *arg)
{
	struct cycle *cycle = xcalloc(1, sizeof(*cycle));
	struct progress *progress = &cycle->progress;
	cycle->options = *options;
	(void)text_copy(cycle->account_id, sizeof(cycle->account_id), options->account_id);
	(void)text_copy(cycle->region, sizeof(cycle->region), options->region);
	cycle->is_full = options->kind != PROGRESS_CATCH_UP && cycle->account_id[0] == '\0' &&
			 cycle->region[0] == '\0';
	if (options->scope != NULL) {
		cycle->scope = *options->scope;
		*options->scope = (struct scope){.unit = NULL};
	}
	(void)text_copy(progress->cycle_id, sizeof(progress->cycle_id), options->cycle_id);
	(void)text_copy(progress->connector, sizeof(progress->connector), options->config->name);
	progress->kind = options->kind;
	progress->phase = PROGRESS_ORGANIZATION;
	progress->started_s = clock_now_s();
	cycle->started_s = options->continued_s != 0 ? options->continued_s : progress->started_s;
	aws_get_stats(options->aws, &cycle->stats_before);
	cycle->on_tree = on_tree;
	cycle->done = done;
	cycle->arg = arg;
	cycle->timer = loop_timer_start(options->loop, 0, on_start, cycle);
	return cycle;
}

void cycle_cancel(struct cycle *cycle)
{
	if (cycle != NULL)
		destroy(cycle);
}

const struct progress *cycle_progress(struct cycle *cycle)
{
	if (cycle->state != END) /* what is being written is final */
		count_calls(cycle);
	return &cycle->progress;
}
