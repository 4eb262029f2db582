#include "sensor/tree_store.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "orgscope/scope.h"
#include "sensor/account_retire.h"
#include "sensor/config.h"
#include "sensor/overlap.h"
#include "sensor/region_plan.h"
#include "store/accounts.h"
#include "store/events.h"

enum {
	CHUNK = 64, /* accounts a write: with their coverage and events some 3 ms of commit */
	UNITS_CHUNK = 256,
};

enum state { UNITS, ACCOUNTS, MISSING, GONE };

/* What an account's state is after one walk without it. */
#define STATE_MISSING "MISSING"

struct id_list {
	char (*id)[13]; /* owned */
	size_t count, capacity;
};

struct tree_store {
	enum state state;
	struct loop *loop;		       /* borrowed */
	struct store *store;		       /* borrowed */
	const struct config_connector *config; /* borrowed */
	const struct overlap *overlap;	       /* borrowed */
	struct scope *scope;		       /* borrowed */
	struct loop_timer *timer;	       /* owned until it fires */
	struct store_write *write;	       /* owned until it ends */
	struct account_retire *retire;	       /* owned until it ends */
	bool has_begun;
	size_t from, to; /* the chunk of units, accounts or missing ones */
	/* Accounts on record that are not listed: now for the first time, and again. */
	struct id_list missing, gone;
	int64_t now_s;
	tree_store_done_fn *done;
	void *arg;
};

static void destroy(struct tree_store *tree)
{
	loop_timer_cancel(tree->timer);
	store_write_cancel(tree->write);
	account_retire_cancel(tree->retire);
	free(tree->missing.id);
	free(tree->gone.id);
	free(tree);
}

static void finish(struct tree_store *tree, const struct err *err)
{
	tree->done(tree->arg, err);
	destroy(tree);
}

static size_t min_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* --- units ------------------------------------------------------------------------------------ */

static bool has_unit(const struct scope *scope, const char *unit_id)
{
	for (size_t i = 0; i < scope->unit_count; i++)
		if (strcmp(scope->unit[i].id, unit_id) == 0)
			return true;
	return false;
}

/* Units that are no longer there; a few hundred at most in a real organization. */
static void delete_units(struct store_txn *txn, const struct tree_store *tree)
{
	char position[ACCOUNT_POSITION_MAX] = "";
	struct unit_record record;
	while (store_unit_next(txn, tree->config->name, position, &record)) {
		char unit_id[80];
		(void)text_copy(unit_id, sizeof(unit_id), record.unit_id);
		if (!has_unit(tree->scope, unit_id))
			store_unit_delete(txn, tree->config->name, unit_id);
	}
}

static void write_units(struct store_txn *txn, void *arg)
{
	const struct tree_store *tree = arg;
	if (tree->from == 0)
		delete_units(txn, tree);
	for (size_t i = tree->from; i < tree->to; i++) {
		const struct scope_unit *unit = &tree->scope->unit[i];
		store_unit_put(txn, &(struct unit_record){.connector = tree->config->name,
					    .unit_id = unit->id,
					    .parent_id = unit->parent_id,
					    .name = unit->name});
	}
}

/* --- accounts --------------------------------------------------------------------------------- */

static void account_event(struct store_txn *txn, const struct tree_store *tree,
	const struct scope_account *account, enum event_kind kind, const char *detail)
{
	store_event_append(txn, &(struct event_record){.at_s = tree->now_s,
					.kind = kind,
					.connector = tree->config->name,
					.account_id = account->id,
					.region = "",
					.arn = "",
					.subject = account->name,
					.detail = detail});
}

static void add_change(struct buf *detail, const char *what, const char *before, const char *after)
{
	if (strcmp(before, after) != 0)
		buf_addf(detail, "%s%s %s -> %s", detail->len > 0 ? ", " : "", what,
			before[0] != '\0' ? before : "none", after[0] != '\0' ? after : "none");
}

/* Writes the record; tells what changed. */
static void put_account(
	struct store_txn *txn, const struct tree_store *tree, const struct scope_account *account)
{
	struct account_record before;
	struct buf detail;
	buf_init(&detail, 4096);
	bool is_known = store_account_get(txn, tree->config->name, account->id, &before);
	int64_t first_seen_s = is_known ? before.first_seen_s : tree->now_s;
	if (is_known) {
		add_change(&detail, "state", before.state, account->state);
		add_change(&detail, "name", before.name, account->name);
		add_change(&detail, "unit", before.unit_path, account->unit_path);
	}
	store_account_put(txn, &(struct account_record){.connector = tree->config->name,
				       .account_id = account->id,
				       .name = account->name,
				       .email = account->email,
				       .state = account->state,
				       .unit_id = account->unit_id,
				       .unit_path = account->unit_path,
				       .is_management = account->is_management,
				       .first_seen_s = first_seen_s,
				       .last_seen_s = tree->now_s});
	if (!is_known)
		account_event(txn, tree, account, EVENT_ACCOUNT_APPEARED, account->state);
	else if (detail.len > 0)
		account_event(txn, tree, account, EVENT_ACCOUNT_CHANGED, buf_text(&detail));
	buf_clear(&detail);
}

/* An account that will be visited has a record from now on: never_tried until it is its turn. */
static void put_coverage(
	struct store_txn *txn, const struct tree_store *tree, const struct scope_account *account)
{
	struct region_mark mark = {
		.account = {.config = tree->config,
			.overlap = tree->overlap,
			.account_id = account->id,
			.account_name = account->name,
			.now_s = tree->now_s},
		.reason = account->reason,
	};
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record record;
	switch (account->verdict) {
	case SCOPE_VISIT:
		if (store_coverage_next(txn, tree->config->name, account->id, position, &record))
			return;
		mark.state = COVERAGE_NEVER_TRIED;
		break;
	case SCOPE_INACTIVE:
		mark.state = COVERAGE_ACCOUNT_INACTIVE;
		break;
	case SCOPE_EXCLUDED:
		mark.state = COVERAGE_EXCLUDED;
		break;
	}
	(void)region_mark_put(txn, &mark);
}

static void write_accounts(struct store_txn *txn, void *arg)
{
	const struct tree_store *tree = arg;
	for (size_t i = tree->from; i < tree->to; i++) {
		put_account(txn, tree, &tree->scope->account[i]);
		put_coverage(txn, tree, &tree->scope->account[i]);
	}
}

/* --- accounts that left ----------------------------------------------------------------------- */

static bool is_listed(const struct scope *scope, const char *account_id)
{
	size_t from = 0, to = scope->account_count; /* they are in order of id */
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(scope->account[middle].id, account_id);
		if (order == 0)
			return true;
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

static void add_id(struct id_list *list, const char *account_id)
{
	list->id = xgrow(list->id, &list->capacity, list->count, sizeof(*list->id));
	(void)text_copy(list->id[list->count++], sizeof(list->id[0]), account_id);
}

/*
 * An account that moves between units while they are walked may be seen in neither. So one walk
 * without it proves nothing: it is marked, and keeps all it has until the next one.
 */
static int read_unlisted(struct tree_store *tree, struct err *err)
{
	struct store_txn *txn = NULL;
	char position[ACCOUNT_POSITION_MAX] = "";
	struct account_record record;
	if (store_read_begin(tree->store, &txn, err) != 0)
		return -1;
	while (store_account_next(txn, tree->config->name, position, &record)) {
		if (strcmp(record.state, "GONE") == 0 || is_listed(tree->scope, record.account_id))
			continue;
		bool is_again = strcmp(record.state, STATE_MISSING) == 0;
		add_id(is_again ? &tree->gone : &tree->missing, record.account_id);
	}
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

static void mark_missing(struct store_txn *txn, const struct tree_store *tree, const char *id)
{
	struct account_record record;
	if (!store_account_get(txn, tree->config->name, id, &record))
		return;
	store_event_append(txn, &(struct event_record){.at_s = tree->now_s,
					.kind = EVENT_ACCOUNT_CHANGED,
					.connector = tree->config->name,
					.account_id = id,
					.region = "",
					.arn = "",
					.subject = record.name,
					.detail = "not listed by Organizations; gone when the next "
						  "cycle does not find it either"});
	/* What was read is valid only until the next change of the transaction. */
	if (store_account_get(txn, tree->config->name, id, &record)) {
		record.state = STATE_MISSING;
		store_account_put(txn, &record);
	}
}

static void write_missing(struct store_txn *txn, void *arg)
{
	const struct tree_store *tree = arg;
	for (size_t i = tree->from; i < tree->to; i++)
		mark_missing(txn, tree, tree->missing.id[i]);
}

/* --- flow ------------------------------------------------------------------------------------- */

static void step(struct tree_store *tree);

static void on_written(void *arg, const struct err *err)
{
	struct tree_store *tree = arg;
	tree->write = NULL;
	if (err != NULL)
		finish(tree, err);
	else
		step(tree);
}

static void on_retired(void *arg, const struct err *err)
{
	struct tree_store *tree = arg;
	tree->retire = NULL;
	if (err != NULL)
		finish(tree, err);
	else
		step(tree);
}

/* Which accounts of the chunk belong to an earlier connector. */
static int read_owners(struct tree_store *tree, struct err *err)
{
	struct store_txn *txn = NULL;
	if (store_read_begin(tree->store, &txn, err) != 0)
		return -1;
	for (size_t i = tree->from; i < tree->to; i++) {
		struct scope_account *account = &tree->scope->account[i];
		if (account->verdict != SCOPE_VISIT)
			continue;
		const char *owner = overlap_owner(tree->overlap, txn, account->id, NULL);
		if (owner == NULL)
			continue;
		account->verdict = SCOPE_EXCLUDED;
		overlap_reason(owner, account->reason);
	}
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	return rc;
}

static void start_retire(struct tree_store *tree)
{
	const char *account_id = tree->gone.id[--tree->gone.count];
	tree->retire = account_retire_start(
		&(struct account_retire_options){.loop = tree->loop,
			.store = tree->store,
			.connector = tree->config->name,
			.partition = tree->scope->partition,
			.account_id = account_id,
			.reason = tree->config->is_organization
					  ? "the account is no longer in the organization"
					  : "the account is no longer in the connector's scope",
			.keeps_account = true,
			.now_s = tree->now_s},
		on_retired, tree);
}

/* Each starts the next piece of its state's work; false: there is none left. */
static bool start_units(struct tree_store *tree)
{
	if (tree->has_begun && tree->to == tree->scope->unit_count)
		return false;
	tree->has_begun = true; /* without any unit the first write deletes the old ones */
	tree->from = tree->to;
	tree->to = min_of(tree->from + UNITS_CHUNK, tree->scope->unit_count);
	tree->write = store_write_start(tree->store, write_units, tree, on_written, tree);
	return true;
}

static bool start_accounts(struct tree_store *tree, struct err *err)
{
	tree->from = tree->to;
	tree->to = min_of(tree->from + CHUNK, tree->scope->account_count);
	if (tree->from == tree->to || read_owners(tree, err) != 0)
		return false;
	tree->write = store_write_start(tree->store, write_accounts, tree, on_written, tree);
	return true;
}

static bool start_missing(struct tree_store *tree)
{
	tree->from = tree->to;
	tree->to = min_of(tree->from + CHUNK, tree->missing.count);
	if (tree->from == tree->to)
		return false;
	tree->write = store_write_start(tree->store, write_missing, tree, on_written, tree);
	return true;
}

static void step(struct tree_store *tree)
{
	struct err err = ERR_INIT;
	switch (tree->state) {
	case UNITS:
		if (start_units(tree))
			return;
		tree->state = ACCOUNTS;
		tree->to = 0;
		__attribute__((fallthrough));
	case ACCOUNTS:
		if (start_accounts(tree, &err))
			return;
		tree->state = MISSING;
		tree->to = 0;
		if (err.kind != ERR_NONE || read_unlisted(tree, &err) != 0)
			break;
		__attribute__((fallthrough));
	case MISSING:
		if (start_missing(tree))
			return;
		tree->state = GONE;
		__attribute__((fallthrough));
	case GONE:
		if (tree->gone.count == 0)
			break;
		start_retire(tree);
		return;
	}
	finish(tree, err.kind != ERR_NONE ? &err : NULL);
}

static void on_start(void *arg)
{
	struct tree_store *tree = arg;
	tree->timer = NULL;
	step(tree);
}

struct tree_store *tree_store_start(
	const struct tree_store_options *options, tree_store_done_fn *done, void *arg)
{
	struct tree_store *tree = xcalloc(1, sizeof(*tree));
	*tree = (struct tree_store){.loop = options->loop,
		.store = options->store,
		.config = options->config,
		.overlap = options->overlap,
		.scope = options->scope,
		.now_s = clock_now_s(),
		.done = done,
		.arg = arg};
	tree->timer = loop_timer_start(tree->loop, 0, on_start, tree);
	return tree;
}

void tree_store_cancel(struct tree_store *tree)
{
	if (tree != NULL)
		destroy(tree);
}
