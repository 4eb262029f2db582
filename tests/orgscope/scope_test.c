#include "orgscope/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"

static void add_unit(struct scope *scope, const char *id, const char *parent_id, const char *name)
{
	scope->unit =
		xgrow(scope->unit, &scope->unit_capacity, scope->unit_count, sizeof(*scope->unit));
	struct scope_unit *unit = &scope->unit[scope->unit_count++];
	*unit = (struct scope_unit){.name = xstrdup(name)};
	text_copy(unit->id, sizeof(unit->id), id);
	text_copy(unit->parent_id, sizeof(unit->parent_id), parent_id);
}

static void add_account(struct scope *scope, const char *id, const char *unit_id, const char *state)
{
	scope->account = xgrow(scope->account, &scope->account_capacity, scope->account_count,
		sizeof(*scope->account));
	struct scope_account *account = &scope->account[scope->account_count++];
	*account = (struct scope_account){.name = xstrdup(id), .email = xstrdup("")};
	text_copy(account->id, sizeof(account->id), id);
	text_copy(account->unit_id, sizeof(account->unit_id), unit_id);
	text_copy(account->state, sizeof(account->state), state);
}

/* Root > Security > Audit, Root > Workloads; an account in each and one outside. */
static void make_tree(struct scope *scope)
{
	*scope = (struct scope){.unit = NULL};
	add_unit(scope, "ou-audit", "ou-sec", "Audit");
	add_unit(scope, "r-1", "", "Root");
	add_unit(scope, "ou-sec", "r-1", "Security");
	add_unit(scope, "ou-work", "r-1", "Workloads");
	add_account(scope, "100000000001", "r-1", "ACTIVE");
	add_account(scope, "100000000002", "ou-sec", "ACTIVE");
	add_account(scope, "100000000003", "ou-audit", "ACTIVE");
	add_account(scope, "100000000004", "ou-work", "SUSPENDED");
	add_account(scope, "100000000005", "", "ACTIVE");
	add_account(scope, "100000000006", "ou-work", "");
}

static void paths_lead_from_the_root_to_the_account(void **state)
{
	(void)state;
	struct scope scope;
	struct err err = ERR_INIT;
	make_tree(&scope);
	assert_int_equal(scope_build_paths(&scope, &err), 0);
	assert_string_equal(scope.account[0].unit_path, "Root");
	assert_string_equal(scope.account[1].unit_path, "Root/Security");
	assert_string_equal(scope.account[2].unit_path, "Root/Security/Audit");
	assert_string_equal(scope.account[3].unit_path, "Root/Workloads");
	assert_string_equal(scope.account[4].unit_path, "");
	assert_int_equal(scope_build_paths(&scope, &err), 0); /* again replaces them */
	assert_string_equal(scope.account[2].unit_path, "Root/Security/Audit");
	scope_clear(&scope);
	assert_null(scope.account);
	scope_clear(&scope);
}

static void expect_no_path(struct scope *scope, const char *text)
{
	struct err err = ERR_INIT;
	assert_int_equal(scope_build_paths(scope, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_non_null(strstr(err.text, text));
	scope_clear(scope);
}

static void circle_of_units_is_refused(void **state)
{
	(void)state;
	struct scope scope = {.unit = NULL};
	add_unit(&scope, "ou-a", "ou-b", "A");
	add_unit(&scope, "ou-b", "ou-a", "B");
	expect_no_path(&scope, "ou-a");
	add_unit(&scope, "ou-self", "ou-self", "Self");
	expect_no_path(&scope, "ou-self");
}

static void missing_parent_is_refused(void **state)
{
	(void)state;
	struct scope scope = {.unit = NULL};
	add_unit(&scope, "ou-a", "ou-nowhere", "A");
	expect_no_path(&scope, "ou-a");
	add_account(&scope, "100000000001", "ou-nowhere", "ACTIVE");
	expect_no_path(&scope, "account 100000000001");
}

static void depth_is_limited(void **state)
{
	(void)state;
	struct scope scope = {.unit = NULL};
	struct err err = ERR_INIT;
	for (int i = 0; i < SCOPE_DEPTH_MAX; i++) {
		char id[16], parent_id[16] = "";
		snprintf(id, sizeof(id), "ou-%d", i);
		if (i > 0)
			snprintf(parent_id, sizeof(parent_id), "ou-%d", i - 1);
		add_unit(&scope, id, parent_id, "x");
	}
	assert_int_equal(scope_build_paths(&scope, &err), 0);
	add_unit(&scope, "ou-deep", "ou-15", "x");
	expect_no_path(&scope, "ou-deep");
}

static void longest_names_fit_a_path(void **state)
{
	(void)state;
	char name[4 * 128 + 1];
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	struct scope scope = {.unit = NULL};
	struct err err = ERR_INIT;
	for (int i = 0; i < SCOPE_DEPTH_MAX; i++) {
		char id[16], parent_id[16] = "";
		snprintf(id, sizeof(id), "ou-%d", i);
		if (i > 0)
			snprintf(parent_id, sizeof(parent_id), "ou-%d", i - 1);
		add_unit(&scope, id, parent_id, name);
	}
	assert_int_equal(scope_build_paths(&scope, &err), 0);
	scope_clear(&scope);
}

static void path_that_is_too_long_is_an_error(void **state)
{
	(void)state;
	char *name = xcalloc(20000, 1);
	memset(name, 'n', 19999);
	struct scope scope = {.unit = NULL};
	struct err err = ERR_INIT;
	add_unit(&scope, "r-1", "", name);
	assert_int_equal(scope_build_paths(&scope, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	scope_clear(&scope);
	free(name);
}

static void expect_verdicts(const struct scope_filter *filter, const char *expected)
{
	struct scope scope;
	char got[16] = "";
	make_tree(&scope);
	scope_apply_filter(&scope, filter);
	for (size_t i = 0; i < scope.account_count; i++)
		got[i] = "viE"[scope.account[i].verdict];
	assert_string_equal(got, expected);
	for (size_t i = 0; i < scope.account_count; i++)
		assert_int_equal(scope.account[i].reason[0] == '\0',
			scope.account[i].verdict == SCOPE_VISIT);
	scope_clear(&scope);
}

static void without_filters_active_accounts_are_visited(void **state)
{
	(void)state;
	expect_verdicts(&(struct scope_filter){.include_units = NULL}, "vvvivi");
}

static void unit_filter_holds_for_all_below(void **state)
{
	(void)state;
	static const char *const sec[] = {"ou-sec"};
	expect_verdicts(
		&(struct scope_filter){.include_units = sec, .include_unit_count = 1}, "EvvEEE");
	expect_verdicts(
		&(struct scope_filter){.exclude_units = sec, .exclude_unit_count = 1}, "vEEivi");
}

static void account_filter_names_single_accounts(void **state)
{
	(void)state;
	static const char *const two[] = {"100000000001", "100000000004"};
	expect_verdicts(&(struct scope_filter){.include_accounts = two, .include_account_count = 2},
		"vEEiEE");
	expect_verdicts(&(struct scope_filter){.exclude_accounts = two, .exclude_account_count = 2},
		"EvvEvi");
}

static void included_units_and_accounts_add_up(void **state)
{
	(void)state;
	static const char *const audit[] = {"ou-audit"};
	static const char *const outside[] = {"100000000005"};
	expect_verdicts(&(struct scope_filter){.include_units = audit,
				.include_unit_count = 1,
				.include_accounts = outside,
				.include_account_count = 1},
		"EEvEvE");
}

static void exclude_beats_include(void **state)
{
	(void)state;
	static const char *const root[] = {"r-1"};
	static const char *const audit[] = {"ou-audit"};
	static const char *const two[] = {"100000000002"};
	expect_verdicts(&(struct scope_filter){.include_units = root,
				.include_unit_count = 1,
				.include_accounts = two,
				.include_account_count = 1,
				.exclude_units = audit,
				.exclude_unit_count = 1,
				.exclude_accounts = two,
				.exclude_account_count = 1},
		"vEEiEi");
}

static void reason_names_what_decided(void **state)
{
	(void)state;
	static const char *const sec[] = {"ou-sec"};
	static const char *const one[] = {"100000000001"};
	struct scope scope;
	make_tree(&scope);
	scope_apply_filter(&scope, &(struct scope_filter){.exclude_units = sec,
					   .exclude_unit_count = 1,
					   .exclude_accounts = one,
					   .exclude_account_count = 1});
	assert_string_equal(scope.account[0].reason, "the account is in exclude_accounts");
	assert_string_equal(scope.account[2].reason, "its unit ou-sec is in exclude_units");
	assert_string_equal(scope.account[3].reason, "the account is SUSPENDED");
	assert_string_equal(scope.account[5].reason, "AWS does not tell the account's state");
	scope_apply_filter(&scope,
		&(struct scope_filter){.include_accounts = one, .include_account_count = 1});
	assert_string_equal(scope.account[0].reason, "");
	assert_string_equal(
		scope.account[1].reason, "neither include_accounts nor include_units names it");
	scope_clear(&scope);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_lead_from_the_root_to_the_account),
		cmocka_unit_test(circle_of_units_is_refused),
		cmocka_unit_test(missing_parent_is_refused),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(longest_names_fit_a_path),
		cmocka_unit_test(path_that_is_too_long_is_an_error),
		cmocka_unit_test(without_filters_active_accounts_are_visited),
		cmocka_unit_test(unit_filter_holds_for_all_below),
		cmocka_unit_test(account_filter_names_single_accounts),
		cmocka_unit_test(included_units_and_accounts_add_up),
		cmocka_unit_test(exclude_beats_include),
		cmocka_unit_test(reason_names_what_decided),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
