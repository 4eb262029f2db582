#include "tests/sensor/month_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/lib/fake_call.h"

enum { INTERVAL_S = 3600, RETRY_MIN_S = 300, DENIED_MAX_S = 7 * 86400, ANY = MONTH_REGIONS };

static const char *region_name(size_t region)
{
	return region == ANY ? COVERAGE_ANY_REGION : month_region[region];
}

void month_model_tell(struct month_model *model, const char *format, ...)
{
	va_list args;
	assert_true(model->line_count < LINES_MAX);
	va_start(args, format);
	assert_true(vasprintf(&model->line[model->line_count++], format, args) >= 0);
	va_end(args);
}

/* --- coverage ---------------------------------------------------------------------------------- */

static bool is_refused(enum coverage_state state)
{
	return state == COVERAGE_ROLE_UNASSUMABLE || state == COVERAGE_DENIED ||
	       state == COVERAGE_DENIED_BY_SCP || state == COVERAGE_REGION_DISABLED;
}

static bool is_passing(enum coverage_state state)
{
	return state == COVERAGE_THROTTLED || state == COVERAGE_UNREACHABLE ||
	       state == COVERAGE_FAILED;
}

static enum coverage_state state_of(enum err_kind kind)
{
	if (kind == ERR_NONE)
		return COVERAGE_OK;
	if (kind == ERR_ROLE)
		return COVERAGE_ROLE_UNASSUMABLE;
	if (kind == ERR_DENIED)
		return COVERAGE_DENIED;
	if (kind == ERR_DENIED_BY_SCP)
		return COVERAGE_DENIED_BY_SCP;
	if (kind == ERR_THROTTLED)
		return COVERAGE_THROTTLED;
	if (kind == ERR_UNREACHABLE || kind == ERR_TIMEOUT)
		return COVERAGE_UNREACHABLE;
	return COVERAGE_FAILED;
}

static int64_t doubled(int64_t first_s, uint32_t failures, int64_t max_s)
{
	while (--failures > 0 && first_s < max_s)
		first_s *= 2;
	return first_s < max_s ? first_s : max_s;
}

static int64_t delay_s(enum coverage_state state, uint32_t failures)
{
	if (failures > 0 && is_refused(state))
		return doubled(INTERVAL_S, failures, DENIED_MAX_S);
	return failures > 0 ? doubled(RETRY_MIN_S, failures, INTERVAL_S) : INTERVAL_S;
}

static void set_state(
	struct month_model *model, size_t account, size_t region, enum coverage_state state)
{
	struct model_pair *pair = &model->pair[account][region];
	if (pair->state != state)
		month_model_tell(model, "coverage_changed %s %s  %s -> %s", month_account[account],
			region_name(region), coverage_state_name(pair->state),
			coverage_state_name(state));
	pair->is_known = true;
	pair->state = state;
	model->coverage_writes++;
}

/* An attempt that ended so; is_counted: one that failed by itself. */
static void attempt(struct month_model *model, size_t account, size_t region,
	enum coverage_state state, bool is_counted)
{
	struct model_pair *pair = &model->pair[account][region];
	bool is_going_on = (is_refused(state) && is_refused(pair->state)) ||
			   (is_passing(state) && is_passing(pair->state));
	uint32_t before = pair->is_known && is_going_on ? pair->failures : 0;
	pair->failures = is_counted ? before + 1 : 0;
	pair->next_try_s = model->now_s + delay_s(state, pair->failures);
	if (state == COVERAGE_OK)
		pair->last_success_s = model->now_s;
	set_state(model, account, region, state);
}

/* A state that is no attempt's; nothing is written when nothing is new. */
static void put_state(
	struct month_model *model, size_t account, size_t region, enum coverage_state state)
{
	struct model_pair *pair = &model->pair[account][region];
	if (pair->is_known && pair->state == state)
		return;
	pair->failures = 0;
	pair->next_try_s = 0;
	set_state(model, account, region, state);
}

static void delete_pair(struct month_model *model, size_t account, size_t region)
{
	model->pair[account][region] = (struct model_pair){.is_known = false};
	model->coverage_writes++;
}

/* --- one account ------------------------------------------------------------------------------- */

static const struct fake_org *org_of(const struct month_model *model)
{
	return model->world->org;
}

static bool is_due(const struct month_model *model, const struct model_pair *pair)
{
	if (!pair->is_known)
		return true;
	if (model->kind == PROGRESS_CATCH_UP)
		return coverage_is_problem(pair->state) && pair->state != COVERAGE_NEVER_TRIED &&
		       pair->next_try_s <= model->now_s;
	return !is_refused(pair->state) || pair->next_try_s <= model->now_s;
}

static bool has_known(const struct month_model *model, size_t account)
{
	for (size_t region = 0; region < MONTH_REGIONS; region++)
		if (model->pair[account][region].is_known)
			return true;
	return false;
}

/* The state of each region that is known, of "*" when none is. */
static void mark(
	struct month_model *model, size_t account, enum coverage_state state, bool is_attempt)
{
	bool is_known = has_known(model, account);
	for (size_t region = is_known ? 0 : ANY; region < (is_known ? ANY : ANY + 1); region++) {
		if (is_known && !model->pair[account][region].is_known)
			continue;
		if (is_attempt)
			attempt(model, account, region, state, true);
		else
			put_state(model, account, region, state);
	}
	if (is_known && model->pair[account][ANY].is_known)
		delete_pair(model, account, ANY);
}

static const struct err *fault_of(const struct month_model *model, size_t account, size_t region)
{
	const struct fake_org *org = org_of(model);
	for (size_t i = 0; i < org->fault_count; i++) {
		const struct fake_org_fault *fault = &org->fault[i];
		if ((fault->account_id == NULL ||
			    strcmp(fault->account_id, month_account[account]) == 0) &&
			(fault->region == NULL || strcmp(fault->region, month_region[region]) == 0))
			return &fault->err;
	}
	return NULL;
}

/* Keys that one region does not know, but the home region does: the region is not enabled. */
static bool is_probed_disabled(const struct err *err, size_t region)
{
	return err->kind == ERR_CREDENTIALS && strcmp(month_region[region], MONTH_HOME) != 0 &&
	       (strcmp(err->code, "UnrecognizedClientException") == 0 ||
		       strcmp(err->code, "InvalidClientTokenId") == 0);
}

static void scan(struct month_model *model, size_t account, size_t region)
{
	const struct err *fault = fault_of(model, account, region);
	size_t place = account * MONTH_REGIONS + region;
	const struct fake_acm *acm = &model->world->place[place];
	if (fault != NULL) {
		enum coverage_state state = is_probed_disabled(fault, region)
						    ? COVERAGE_REGION_DISABLED
						    : state_of(fault->kind);
		attempt(model, account, region, state, true);
		return;
	}
	month_model_read(model, place);
	attempt(model, account, region, COVERAGE_OK, false);
	model->pair[account][region].count = 0;
	for (size_t i = 0; i < acm->count; i++)
		model->pair[account][region].count += acm->cert[i].is_listed;
}

/* org's own order of regions is the reverse of month_region's. */
static bool is_listed(const struct month_model *model, size_t region)
{
	return MONTH_REGIONS - 1 - region < org_of(model)->region_count;
}

static void visit_regions(struct month_model *model, size_t account, bool is_asked)
{
	for (size_t region = 0; region < MONTH_REGIONS; region++) {
		struct model_pair *pair = &model->pair[account][region];
		bool is_disabled = org_of(model)->is_disabled[MONTH_REGIONS - 1 - region];
		if (!is_asked && !pair->is_known)
			continue;
		if (is_asked && !is_listed(model, region)) {
			if (pair->is_known && pair->count > 0)
				put_state(model, account, region, COVERAGE_EXCLUDED);
			else if (pair->is_known)
				delete_pair(model, account, region);
			continue;
		}
		if (is_asked && is_disabled) {
			attempt(model, account, region, COVERAGE_REGION_DISABLED, false);
			continue;
		}
		bool is_enabled_now = is_asked && pair->state == COVERAGE_REGION_DISABLED;
		if (!pair->is_known)
			put_state(model, account, region, COVERAGE_NEVER_TRIED);
		else if (!is_enabled_now && !is_due(model, pair))
			continue;
		scan(model, account, region);
	}
	if (is_asked && model->pair[account][ANY].is_known)
		delete_pair(model, account, ANY);
}

static void visit(struct month_model *model, size_t account)
{
	const struct fake_org_account *real = &org_of(model)->account[account];
	bool is_any_due = false, is_asked = model->kind != PROGRESS_CATCH_UP, is_empty = true;
	for (size_t region = 0; region <= ANY; region++) {
		const struct model_pair *pair = &model->pair[account][region];
		if (!pair->is_known)
			continue;
		is_empty = false;
		is_any_due = is_any_due || is_due(model, pair);
		if (region == ANY && is_due(model, pair))
			is_asked = true;
	}
	if (!is_any_due && !(is_empty && model->kind != PROGRESS_CATCH_UP))
		return;
	if (account != 0 && real->role_err.kind != ERR_NONE)
		mark(model, account, state_of(real->role_err.kind), true);
	else if (is_asked && real->regions_err.kind != ERR_NONE)
		mark(model, account, state_of(real->regions_err.kind), true);
	else
		visit_regions(model, account, is_asked);
}

/* --- the walk ---------------------------------------------------------------------------------- */

static void retire(struct month_model *model, size_t account)
{
	for (size_t region = 0; region < MONTH_REGIONS; region++)
		if (model->pair[account][region].is_known)
			month_model_lose_certs(model, account * MONTH_REGIONS + region);
	for (size_t region = 0; region <= ANY; region++)
		if (model->pair[account][region].is_known)
			delete_pair(model, account, region);
	month_model_tell(model, "account_gone %s   the account is no longer in the organization",
		month_account[account]);
	model->account_state[account] = "GONE";
}

static void miss(struct month_model *model, size_t account)
{
	const char *state = model->account_state[account];
	if (state == NULL || strcmp(state, "GONE") == 0)
		return;
	if (strcmp(state, "MISSING") == 0) {
		retire(model, account);
		return;
	}
	month_model_tell(model,
		"account_changed %s   not listed by Organizations; gone when the next cycle does "
		"not find it either",
		month_account[account]);
	model->account_state[account] = "MISSING";
}

static void list(struct month_model *model, size_t account)
{
	const char *before = model->account_state[account];
	const char *now = org_of(model)->account[account].state;
	if (before == NULL)
		month_model_tell(model, "account_appeared %s   %s", month_account[account], now);
	else if (strcmp(before, now) != 0)
		month_model_tell(model, "account_changed %s   state %s -> %s",
			month_account[account], before, now);
	model->account_state[account] = now;
	model->accounts_written++;
	model->is_in_scope[account] = strcmp(now, "ACTIVE") == 0;
	if (!model->is_in_scope[account])
		mark(model, account, COVERAGE_ACCOUNT_INACTIVE, false);
	else if (!has_known(model, account) && !model->pair[account][ANY].is_known)
		put_state(model, account, ANY, COVERAGE_NEVER_TRIED);
}

static void walk(struct month_model *model)
{
	for (size_t account = 0; account < MONTH_ACCOUNTS; account++) {
		model->is_in_scope[account] = false;
		if (org_of(model)->account[account].is_unlisted)
			miss(model, account);
		else
			list(model, account);
	}
	model->has_scope = true;
}

/* --- a run ------------------------------------------------------------------------------------- */

static void tell_end(struct month_model *model)
{
	long long accounts = 0, read = 0, missing = 0, certificates = 0;
	for (size_t account = 0; account < MONTH_ACCOUNTS; account++) {
		accounts += model->is_in_scope[account];
		for (size_t region = 0; region <= ANY; region++) {
			const struct model_pair *pair = &model->pair[account][region];
			read += pair->is_known && pair->state == COVERAGE_OK;
			missing += pair->is_known && coverage_is_problem(pair->state);
			certificates += pair->count;
		}
	}
	month_model_tell(model,
		"cycle_finished    %lld accounts, %lld account-regions read, %lld not read, %lld "
		"certificates, %zu calls, 0s",
		accounts, read, missing, certificates, fake_call_count());
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void clear_lines(struct month_model *model)
{
	for (size_t i = 0; i < model->line_count; i++)
		free(model->line[i]);
	model->line_count = 0;
}

static void run(struct month_model *model, bool is_full)
{
	bool walks = is_full || !model->has_scope;
	const struct err *walk_err = &org_of(model)->walk_err;
	model->has_failed = walks && walk_err->kind != ERR_NONE;
	if (is_full)
		month_model_tell(model, "cycle_started    by schedule");
	if (is_full && model->has_failed)
		month_model_tell(model, "cycle_failed    %s", walk_err->text);
	if (model->has_failed)
		return;
	if (walks)
		walk(model);
	for (size_t account = 0; account < MONTH_ACCOUNTS; account++)
		if (model->is_in_scope[account])
			visit(model, account);
	if (is_full)
		tell_end(model);
}

void month_model_run(struct month_model *model, enum progress_kind kind, int64_t now_s)
{
	clear_lines(model);
	model->about_certs = model->coverage_writes = model->accounts_written = 0;
	model->details_read = 0;
	model->kind = kind;
	model->now_s = now_s;
	run(model, kind != PROGRESS_CATCH_UP);
	qsort(model->line, model->line_count, sizeof(model->line[0]), compare_texts);
}

void month_model_init(struct month_model *model, const struct month_world *world)
{
	*model = (struct month_model){.world = world};
}

void month_model_restart(struct month_model *model)
{
	model->has_scope = false;
}

void month_model_clear(struct month_model *model)
{
	clear_lines(model);
}
