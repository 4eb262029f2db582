#include "sensor/cycle_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "orgscope/agenda.h"
#include "orgscope/scope.h"
#include "sensor/account_visit.h"
#include "sensor/config.h"
#include "sensor/pair_scan.h"
#include "sensor/progress.h"
#include "sensor/region_plan.h"

enum {
	PREPARING_MAX = 64, /* accounts whose session and regions are asked for at once */
	TURN_US = 3000,	    /* of opening in one turn of the loop */
};

struct visit_slot {
	struct cycle_scan *scan;     /* borrowed: the owner */
	struct account_visit *visit; /* owned; NULL: not open */
	bool is_preparing;
};

/* What a region's ACM cannot do yet. Learnt anew in each cycle: AWS adds to it by region. */
struct region_note {
	struct region_note *next; /* owned */
	bool lacks_origins;	  /* acm_scan.h */
	char region[32];
};

struct pair_slot {
	struct cycle_scan *scan; /* borrowed: the owner */
	struct pair_scan *pair;	 /* owned; NULL: free */
	size_t account;
	char region[32];
	size_t next_free;
};

struct cycle_scan {
	struct cycle_scan_options options; /* all borrowed */
	struct loop_timer *timer;	   /* owned until it fires */
	struct agenda *agenda;		   /* owned */
	struct visit_slot *visit;	   /* owned; an item an account of the scope */
	struct pair_slot *pair;		   /* owned; pairs_max items */
	size_t first_free;		   /* of pair; pairs_max: none */
	struct region_note *notes;	   /* owned list */
	size_t account_at;		   /* the next one to look at */
	size_t visits_open, visits_preparing;
	size_t matches; /* accounts, or account-regions, that were asked for */
	cycle_scan_done_fn *done;
	void *arg;
};

static void pump(void *arg);

/* Pairs before visits: they use their sessions. */
static void destroy(struct cycle_scan *scan)
{
	loop_timer_cancel(scan->timer);
	for (size_t i = 0; i < scan->options.pairs_max; i++)
		pair_scan_cancel(scan->pair[i].pair);
	for (size_t i = 0; i < scan->options.scope->account_count; i++)
		account_visit_cancel(scan->visit[i].visit);
	while (scan->notes != NULL) {
		struct region_note *note = scan->notes;
		scan->notes = note->next;
		free(note);
	}
	agenda_free(scan->agenda);
	free(scan->visit);
	free(scan->pair);
	free(scan);
}

static void finish(struct cycle_scan *scan, const struct err *err)
{
	scan->options.progress->pairs_running = 0; /* a scan that fails cancels those it has */
	scan->done(scan->arg, err);
	destroy(scan);
}

static void pump_later(struct cycle_scan *scan)
{
	if (scan->timer == NULL)
		scan->timer = loop_timer_start(scan->options.loop, 0, pump, scan);
}

static const struct scope_account *account_at(const struct cycle_scan *scan, size_t i)
{
	return &scan->options.scope->account[i];
}

/* --- account-regions -------------------------------------------------------------------------- */

static void lose_account(struct cycle_scan *scan, size_t account)
{
	int64_t dropped = (int64_t)agenda_drop_account(scan->agenda, account);
	scan->options.progress->pairs_done += dropped;
	scan->options.progress->pairs_problem += dropped;
}

static void on_pair(
	void *arg, const struct pair_result *result, const struct err *lost, const struct err *err)
{
	struct pair_slot *slot = arg;
	struct cycle_scan *scan = slot->scan;
	struct progress *progress = scan->options.progress;
	slot->pair = NULL;
	progress->pairs_running--;
	if (err != NULL) {
		finish(scan, err);
		return;
	}
	slot->next_free = scan->first_free;
	scan->first_free = (size_t)(slot - scan->pair);
	progress->pairs_done++;
	progress->certificates += result->certificates;
	if (coverage_is_problem(result->state)) {
		progress->pairs_problem++;
		log_info("scan account-region connector=%s account=%s region=%s state=%s reason=%s",
			progress->connector, account_at(scan, slot->account)->id, slot->region,
			coverage_state_name(result->state), result->why->text);
		if (result->why->kind == ERR_STORE || result->why->kind == ERR_STORE_FULL)
			progress->store_err = *result->why;
	}
	if (lost != NULL)
		lose_account(scan, slot->account);
	account_visit_pair_done(scan->visit[slot->account].visit, lost);
	pump_later(scan);
}

/* Lives as long as the scan. */
static struct region_note *note_of(struct cycle_scan *scan, const char *region)
{
	struct region_note *note = scan->notes;
	while (note != NULL && strcmp(note->region, region) != 0)
		note = note->next;
	if (note != NULL)
		return note;
	note = xcalloc(1, sizeof(*note));
	(void)text_copy(note->region, sizeof(note->region), region);
	note->next = scan->notes;
	scan->notes = note;
	return note;
}

static void start_pair(struct cycle_scan *scan, const struct agenda_pair *next)
{
	struct pair_slot *slot = &scan->pair[scan->first_free];
	const struct scope_account *account = account_at(scan, next->account);
	scan->first_free = slot->next_free;
	slot->account = next->account;
	(void)text_copy(slot->region, sizeof(slot->region), next->region);
	scan->options.progress->pairs_running++;
	slot->pair = pair_scan_start(
		&(struct pair_scan_options){.store = scan->options.store,
			.client = account_visit_pair_begin(
				scan->visit[next->account].visit, next->region),
			.config = scan->options.config,
			.partition = scan->options.scope->partition,
			.account_id = account->id,
			.account_name = account->name,
			.region = next->region,
			.lacks_origins = &note_of(scan, next->region)->lacks_origins},
		on_pair, slot);
}

static void pump_pairs(struct cycle_scan *scan)
{
	int64_t until_us = clock_mono_us() + TURN_US;
	struct agenda_pair next;
	while (scan->first_free < scan->options.pairs_max && agenda_next(scan->agenda, &next)) {
		start_pair(scan, &next);
		if (clock_mono_us() > until_us) {
			pump_later(scan);
			return;
		}
	}
}

/* --- accounts --------------------------------------------------------------------------------- */

static void prepared(struct visit_slot *slot)
{
	slot->scan->visits_preparing -= slot->is_preparing;
	slot->is_preparing = false;
}

static void on_known(void *arg, size_t pairs, size_t resting, size_t problems)
{
	struct visit_slot *slot = arg;
	struct progress *progress = slot->scan->options.progress;
	prepared(slot);
	progress->accounts_opened++;
	progress->pairs_known += (int64_t)pairs;
	progress->pairs_done += (int64_t)resting;
	progress->pairs_problem += (int64_t)problems;
	slot->scan->matches += pairs;
}

static void on_pair_found(void *arg, const char *region)
{
	struct visit_slot *slot = arg;
	agenda_add(slot->scan->agenda, (size_t)(slot - slot->scan->visit), region);
	pump_later(slot->scan);
}

static void on_visit(void *arg, const struct err *lost, bool hub_refused, const struct err *err)
{
	struct visit_slot *slot = arg;
	struct cycle_scan *scan = slot->scan;
	slot->visit = NULL;
	prepared(slot);
	scan->visits_open--;
	scan->options.progress->accounts_done++;
	if (err != NULL || hub_refused) {
		finish(scan, err != NULL ? err : lost);
		return;
	}
	if (lost != NULL)
		log_info("visit account connector=%s account=%s error=%s reason=%s",
			scan->options.config->name,
			account_at(scan, (size_t)(slot - scan->visit))->id,
			err_kind_name(lost->kind), lost->text);
	pump_later(scan);
}

static void open_account(struct cycle_scan *scan, size_t i, bool needs_regions)
{
	const struct cycle_scan_options *options = &scan->options;
	struct visit_slot *slot = &scan->visit[i];
	scan->visits_open++;
	scan->visits_preparing++;
	slot->is_preparing = true;
	slot->visit = account_visit_start(
		&(struct account_visit_options){.loop = options->loop,
			.store = options->store,
			.hub = options->hub,
			.config = options->config,
			.overlap = options->overlap,
			.account = account_at(scan, i),
			.partition = options->scope->partition,
			.session_name = options->session_name,
			.only_region = options->region,
			.rule = options->rule,
			.continued_s = options->continued_s,
			.asks_regions = needs_regions && options->config->regions.count == 0,
			.known = on_known,
			.pair = on_pair_found,
			.arg = slot},
		on_visit);
}

static int survey(
	struct cycle_scan *scan, size_t i, struct region_survey *ret_survey, struct err *err)
{
	const struct region_account account = {.config = scan->options.config,
		.overlap = scan->options.overlap,
		.account_id = account_at(scan, i)->id,
		.account_name = account_at(scan, i)->name,
		.now_s = clock_now_s()};
	struct store_txn *txn = NULL;
	if (store_read_begin(scan->options.store, &txn, err) != 0)
		return -1;
	region_survey_make(&(struct region_plan_input){.account = &account,
				   .rule = scan->options.rule,
				   .continued_s = scan->options.continued_s},
		txn, ret_survey);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

static bool is_asked_for(const struct cycle_scan *scan, const struct scope_account *account)
{
	const char *only = scan->options.account_id;
	return account->verdict == SCOPE_VISIT &&
	       (only[0] == '\0' || strcmp(only, account->id) == 0);
}

/* Opens the account, or counts it as done when nothing of it is due. */
static int look_at(struct cycle_scan *scan, size_t i, struct err *err)
{
	struct progress *progress = scan->options.progress;
	struct region_survey found;
	if (!is_asked_for(scan, account_at(scan, i)))
		return 0;
	if (survey(scan, i, &found, err) != 0)
		return -1;
	if (found.is_due) {
		open_account(scan, i, found.needs_regions);
		return 0;
	}
	progress->accounts_opened++;
	progress->accounts_done++;
	if (scan->options.rule == SCHEDULE_OF_CATCH_UP)
		return 0; /* it is not about this account */
	progress->pairs_known += found.pairs;
	progress->pairs_done += found.pairs;
	progress->pairs_problem += found.problems;
	scan->matches += (size_t)found.pairs;
	return 0;
}

static bool has_room(const struct cycle_scan *scan)
{
	size_t pairs = agenda_count(scan->agenda) + (size_t)scan->options.progress->pairs_running;
	return scan->visits_preparing < PREPARING_MAX && pairs < scan->options.pairs_max;
}

static int pump_accounts(struct cycle_scan *scan, struct err *err)
{
	int64_t until_us = clock_mono_us() + TURN_US;
	while (scan->account_at < scan->options.scope->account_count && has_room(scan)) {
		if (look_at(scan, scan->account_at++, err) != 0)
			return -1;
		if (clock_mono_us() > until_us) {
			pump_later(scan);
			break;
		}
	}
	return 0;
}

/* --- both ------------------------------------------------------------------------------------- */

static void end(struct cycle_scan *scan)
{
	struct err err = ERR_INIT;
	const char *account_id = scan->options.account_id, *region = scan->options.region;
	bool is_part = account_id[0] != '\0' || region[0] != '\0';
	if (is_part && scan->matches == 0)
		(void)err_set(&err, ERR_NOT_FOUND, "connector %s reads no %s%s%s%s%s",
			scan->options.config->name, account_id[0] != '\0' ? "account " : "",
			account_id, account_id[0] != '\0' && region[0] != '\0' ? " in " : "",
			region[0] != '\0' ? "region " : "", region);
	finish(scan, err.kind != ERR_NONE ? &err : NULL);
}

static void pump(void *arg)
{
	struct cycle_scan *scan = arg;
	struct err err = ERR_INIT;
	scan->timer = NULL;
	if (pump_accounts(scan, &err) != 0) {
		finish(scan, &err);
		return;
	}
	pump_pairs(scan);
	bool is_end = scan->account_at == scan->options.scope->account_count &&
		      scan->visits_open == 0 && scan->timer == NULL;
	if (is_end)
		end(scan);
}

struct cycle_scan *cycle_scan_start(
	const struct cycle_scan_options *options, cycle_scan_done_fn *done, void *arg)
{
	struct cycle_scan *scan = xcalloc(1, sizeof(*scan));
	size_t accounts = options->scope->account_count;
	scan->options = *options;
	scan->done = done;
	scan->arg = arg;
	scan->agenda = agenda_new();
	scan->visit = xcalloc(accounts + 1, sizeof(*scan->visit));
	scan->pair = xcalloc(options->pairs_max, sizeof(*scan->pair));
	for (size_t i = 0; i < options->pairs_max; i++) {
		scan->pair[i].scan = scan;
		scan->pair[i].next_free = i + 1;
	}
	for (size_t i = 0; i < accounts; i++) {
		scan->visit[i].scan = scan;
		options->progress->accounts_total += is_asked_for(scan, account_at(scan, i));
	}
	options->progress->scan_mono_ms = clock_mono_ms();
	pump_later(scan);
	return scan;
}

void cycle_scan_cancel(struct cycle_scan *scan)
{
	if (scan != NULL)
		destroy(scan);
}
