#include "sensor/account_visit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "aws/client.h"
#include "aws/regions_read.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "orgscope/account_regions.h"
#include "orgscope/scope.h"
#include "sensor/config.h"
#include "sensor/coverage_put.h"
#include "sensor/region_plan.h"

enum {
	SESSION_S = 3600, /* the longest that a role assumed by a role may last */
	ROLE_ARN_MAX = 700,
};

enum state { START, SESSION, REGIONS, RECORDS, PAIRS, MARKS };

struct account_visit {
	enum state state;
	struct account_visit_options options; /* all borrowed */
	struct loop_timer *timer;	      /* owned until it fires */
	struct aws_client *session;	      /* owned; NULL for the hub's own account */
	struct aws_ready *ready;	      /* owned until it ends */
	struct account_regions *regions;      /* owned until it ends */
	struct store_write *write;	      /* owned until it ends */
	struct region_plan plan;	      /* owned; from RECORDS on */
	bool *is_begun;			      /* owned; an item a task of the plan */
	size_t pairs_left;		      /* handed out and not done */
	struct err lost;		      /* ERR_NONE: not lost */
	size_t marked;			      /* account-regions that got that state */
	bool is_hub_refused;
	int64_t now_s;
	account_visit_done_fn *done;
};

static void destroy(struct account_visit *visit)
{
	loop_timer_cancel(visit->timer);
	aws_client_ready_cancel(visit->ready);
	account_regions_cancel(visit->regions);
	store_write_cancel(visit->write);
	region_plan_clear(&visit->plan);
	free(visit->is_begun);
	aws_client_free(visit->session); /* wipes the session */
	free(visit);
}

static void finish(struct account_visit *visit, const struct err *err)
{
	const struct err *lost = visit->lost.kind != ERR_NONE ? &visit->lost : NULL;
	visit->done(visit->options.arg, err == NULL ? lost : NULL, visit->is_hub_refused, err);
	destroy(visit);
}

static struct aws_client *client_of(struct account_visit *visit)
{
	return visit->session != NULL ? visit->session : visit->options.hub;
}

static struct region_account account_of(const struct account_visit *visit)
{
	const struct account_visit_options *options = &visit->options;
	return (struct region_account){.config = options->config,
		.overlap = options->overlap,
		.account_id = options->account->id,
		.account_name = options->account->name,
		.now_s = visit->now_s};
}

/* --- the account as a whole is lost ----------------------------------------------------------- */

static void write_marks(struct store_txn *txn, void *arg)
{
	struct account_visit *visit = arg;
	visit->marked = region_mark_put(
		txn, &(struct region_mark){.account = account_of(visit), .err = &visit->lost});
}

static void on_marks(void *arg, const struct err *err)
{
	struct account_visit *visit = arg;
	visit->write = NULL;
	if (err == NULL)
		visit->options.known(
			visit->options.arg, visit->marked, visit->marked, visit->marked);
	finish(visit, err);
}

static void lose(struct account_visit *visit, const struct err *err)
{
	visit->lost = *err;
	visit->now_s = clock_now_s();
	visit->state = MARKS;
	visit->write = store_write_start(visit->options.store, write_marks, visit, on_marks, visit);
}

/* --- records and pairs ------------------------------------------------------------------------ */

static void write_plan(struct store_txn *txn, void *arg)
{
	struct account_visit *visit = arg;
	const struct region_account account = account_of(visit);
	region_plan_write(txn, &visit->plan, &account);
}

/* Whether the visit is about this region at all; a catch-up is about what is due alone. */
static bool is_counted(const struct account_visit *visit, const struct region_task *task)
{
	const char *only = visit->options.only_region;
	bool is_asked_for = only[0] == '\0' || strcmp(only, task->region) == 0;
	if (task->kind == REGION_TASK_VANISHED || !is_asked_for)
		return false;
	return task->kind == REGION_TASK_SCAN || visit->options.rule != SCHEDULE_OF_CATCH_UP;
}

static void tell_known(struct account_visit *visit)
{
	size_t pairs = 0, resting = 0, problems = 0;
	for (size_t i = 0; i < visit->plan.count; i++) {
		const struct region_task *task = &visit->plan.task[i];
		if (!is_counted(visit, task))
			continue;
		pairs++;
		resting += task->kind != REGION_TASK_SCAN;
		problems += task->kind == REGION_TASK_REST && coverage_is_problem(task->state);
	}
	visit->pairs_left = pairs - resting;
	visit->options.known(visit->options.arg, pairs, resting, problems);
}

static void on_end(void *arg)
{
	struct account_visit *visit = arg;
	visit->timer = NULL;
	finish(visit, NULL);
}

static void hand_out(struct account_visit *visit)
{
	visit->state = PAIRS;
	tell_known(visit);
	for (size_t i = 0; i < visit->plan.count; i++)
		if (visit->plan.task[i].kind == REGION_TASK_SCAN)
			visit->options.pair(visit->options.arg, visit->plan.task[i].region);
	if (visit->pairs_left == 0)
		visit->timer = loop_timer_start(visit->options.loop, 0, on_end, visit);
}

static void on_records(void *arg, const struct err *err)
{
	struct account_visit *visit = arg;
	visit->write = NULL;
	if (err != NULL)
		finish(visit, err);
	else
		hand_out(visit);
}

/* regions: NULL when they were not asked for. Without them a connector without a list of regions
 * tries again exactly what is on record. */
static int make_plan(
	struct account_visit *visit, const struct region_list *regions, struct err *err)
{
	const struct region_account account = account_of(visit);
	struct region_plan_input input = {.account = &account,
		.regions = regions,
		.only_region = visit->options.only_region,
		.rule = visit->options.rule,
		.continued_s = visit->options.continued_s};
	struct store_txn *txn = NULL;
	if (store_read_begin(visit->options.store, &txn, err) != 0)
		return -1;
	region_plan_make(&input, txn, &visit->plan);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	visit->is_begun = xcalloc(visit->plan.count + 1, sizeof(*visit->is_begun));
	return rc;
}

static void plan_regions(struct account_visit *visit, const struct region_list *regions)
{
	struct err err = ERR_INIT;
	visit->now_s = clock_now_s();
	if (make_plan(visit, regions, &err) != 0) {
		finish(visit, &err);
		return;
	}
	if (region_plan_has_writes(&visit->plan)) {
		visit->state = RECORDS;
		visit->write = store_write_start(
			visit->options.store, write_plan, visit, on_records, visit);
	} else {
		hand_out(visit);
	}
}

/* --- session and regions ---------------------------------------------------------------------- */

static void on_regions(void *arg, const struct region_list *regions, const struct err *err)
{
	struct account_visit *visit = arg;
	visit->regions = NULL;
	if (err != NULL)
		lose(visit, err);
	else
		plan_regions(visit, regions);
}

static void ask_regions(struct account_visit *visit)
{
	if (!visit->options.asks_regions) {
		plan_regions(visit, NULL);
		return;
	}
	visit->state = REGIONS;
	visit->regions = account_regions_start(
		client_of(visit), visit->options.config->region, on_regions, visit);
}

static void on_session(void *arg, const struct err *err)
{
	struct account_visit *visit = arg;
	visit->ready = NULL;
	if (err != NULL) {
		visit->is_hub_refused = err->kind == ERR_CREDENTIALS;
		lose(visit, err);
		return;
	}
	ask_regions(visit);
}

static void assume_role(struct account_visit *visit)
{
	const struct account_visit_options *options = &visit->options;
	char role_arn[ROLE_ARN_MAX] = "arn:";
	struct buf arn;
	buf_init(&arn, sizeof(role_arn) - 1);
	buf_addf(&arn, "arn:%s:iam::%s:role/%s", options->partition, options->account->id,
		options->config->role_name);
	(void)text_copy(role_arn, sizeof(role_arn), buf_text(&arn));
	buf_clear(&arn);
	visit->state = SESSION;
	visit->session = aws_client_assume(
		options->hub, &(struct aws_role){.account_id = options->account->id,
				      .role_arn = role_arn,
				      .session_name = options->session_name,
				      .external_id = options->config->external_id,
				      .sts_region = options->config->region,
				      .duration_s = SESSION_S});
	visit->ready = aws_client_ready_start(visit->session, on_session, visit);
}

static void on_start(void *arg)
{
	struct account_visit *visit = arg;
	visit->timer = NULL;
	if (visit->options.account->is_hub)
		ask_regions(visit);
	else
		assume_role(visit);
}

struct account_visit *account_visit_start(
	const struct account_visit_options *options, account_visit_done_fn *done)
{
	struct account_visit *visit = xcalloc(1, sizeof(*visit));
	visit->options = *options;
	visit->done = done;
	visit->timer = loop_timer_start(options->loop, 0, on_start, visit);
	return visit;
}

void account_visit_cancel(struct account_visit *visit)
{
	if (visit != NULL)
		destroy(visit);
}

/* --- while its pairs are scanned -------------------------------------------------------------- */

struct aws_client *account_visit_pair_begin(struct account_visit *visit, const char *region)
{
	assert(visit->state == PAIRS);
	for (size_t i = 0; i < visit->plan.count; i++)
		if (strcmp(visit->plan.task[i].region, region) == 0)
			visit->is_begun[i] = true;
	return client_of(visit);
}

static bool is_withdrawn(const struct account_visit *visit, size_t i)
{
	return visit->plan.task[i].kind == REGION_TASK_SCAN && !visit->is_begun[i];
}

static void write_withdrawn(struct store_txn *txn, void *arg)
{
	struct account_visit *visit = arg;
	for (size_t i = 0; i < visit->plan.count; i++) {
		const struct coverage_place place = {.connector = visit->options.config->name,
			.account_id = visit->options.account->id,
			.account_name = visit->options.account->name,
			.region = visit->plan.task[i].region};
		if (is_withdrawn(visit, i))
			(void)coverage_put_attempt(txn, &place,
				&(struct coverage_attempt){.err = &visit->lost,
					.interval_s = visit->options.config->interval_s,
					.now_s = visit->now_s});
	}
}

static void on_withdrawn(void *arg, const struct err *err)
{
	struct account_visit *visit = arg;
	visit->write = NULL;
	if (err != NULL || visit->pairs_left == 0)
		finish(visit, err);
}

static void withdraw(struct account_visit *visit, const struct err *lost)
{
	size_t withdrawn = 0;
	for (size_t i = 0; i < visit->plan.count; i++)
		withdrawn += is_withdrawn(visit, i);
	if (withdrawn == 0)
		return;
	visit->lost = *lost;
	visit->now_s = clock_now_s();
	visit->pairs_left -= withdrawn;
	visit->write = store_write_start(
		visit->options.store, write_withdrawn, visit, on_withdrawn, visit);
}

void account_visit_pair_done(struct account_visit *visit, const struct err *lost)
{
	assert(visit->state == PAIRS && visit->pairs_left > 0);
	visit->pairs_left--;
	if (lost != NULL && visit->lost.kind == ERR_NONE)
		withdraw(visit, lost);
	if (visit->pairs_left == 0 && visit->write == NULL)
		visit->timer = loop_timer_start(visit->options.loop, 0, on_end, visit);
}
