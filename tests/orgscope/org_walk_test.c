#include "orgscope/org_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/flow_fixture.h"

#define HUB	    "111111111111"
#define MANAGEMENT  "222222222222"
#define ROLE_ARN    "arn:aws:iam::222222222222:role/Lister"
#define UNITS	    "ListOrganizationalUnitsForParent"
#define ACCOUNTS    "ListAccountsForParent"
#define ANY(name)   (&(struct fake_match){.operation = name})
#define OF(name, p) (&(struct fake_match){.operation = name, .body_part = "\"" p "\""})

struct fixture {
	struct flow flow;
	struct org_walk *walk;
	int ends;
	struct scope scope; /* as delivered */
	struct err err;	    /* as delivered; ERR_NONE on success */
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.ends = 0};
	flow_open(&fixture.flow, "");
	*state = &fixture;
	return 0;
}

/* Also the check that every test shares: nothing is left behind. */
static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	assert_null(fixture->walk);
	scope_clear(&fixture->scope);
	flow_close(&fixture->flow);
	return 0;
}

static void on_done(void *arg, struct scope *scope, const struct err *err)
{
	struct fixture *fixture = arg;
	fixture->walk = NULL;
	fixture->ends++;
	assert_true((scope == NULL) != (err == NULL));
	fixture->err = err != NULL ? *err : (struct err)ERR_INIT;
	if (scope == NULL)
		return;
	fixture->scope = *scope;
	*scope = (struct scope){.unit = NULL};
}

static void start(struct fixture *fixture, bool is_organization, const char *role_arn)
{
	fixture->ends = 0;
	scope_clear(&fixture->scope);
	fixture->walk = org_walk_start(&(struct org_walk_options){.hub = fixture->flow.client,
					       .region = "eu-central-1",
					       .is_organization = is_organization,
					       .management_role_arn = role_arn,
					       .external_id = "secret-handshake",
					       .session_name = "acmsensor-test"},
		on_done, fixture);
}

static void run(struct fixture *fixture, bool is_organization, const char *role_arn)
{
	start(fixture, is_organization, role_arn);
	assert_int_equal(fixture->ends, 0); /* never from start */
	fake_loop_run_ready();
	assert_int_equal(fixture->ends, 1);
}

static void expect_error(struct fixture *fixture, enum err_kind kind, const char *text)
{
	assert_int_equal(fixture->err.kind, kind);
	if (strstr(fixture->err.text, text) == NULL)
		fail_msg("\"%s\" does not hold \"%s\"", fixture->err.text, text);
}

static void script_identity(void)
{
	fake_call_reply_always(ANY("GetCallerIdentity"),
		"<GetCallerIdentityResponse><GetCallerIdentityResult>"
		"<UserId>AROA:me</UserId><Account>" HUB "</Account>"
		"<Arn>arn:aws:sts::" HUB ":assumed-role/Hub/me</Arn>"
		"</GetCallerIdentityResult></GetCallerIdentityResponse>");
}

static void script_start(void)
{
	script_identity();
	fake_call_reply_always(ANY("DescribeOrganization"),
		"{\"Organization\": {\"Id\": \"o-example\", \"MasterAccountId\": \"" MANAGEMENT
		"\"}}");
}

/*
 * Root (hub and management account, on two pages) > A (one account) > AA (one suspended account
 * behind an empty page), Root > B (nothing).
 */
static void script_organization(void)
{
	script_start();
	fake_call_reply_always(
		ANY("ListRoots"), "{\"Roots\": [{\"Id\": \"r-root\", \"Name\": \"Root\"}]}");
	fake_call_reply(OF(UNITS, "next-unit"),
		"{\"OrganizationalUnits\": [{\"Id\": \"ou-b\", \"Name\": \"B\"}]}");
	fake_call_reply(OF(UNITS, "r-root"),
		"{\"OrganizationalUnits\": [{\"Id\": \"ou-a\", \"Name\": \"A\"}], "
		"\"NextToken\": \"next-unit\"}");
	fake_call_reply(OF(UNITS, "ou-a"),
		"{\"OrganizationalUnits\": [{\"Id\": \"ou-aa\", \"Name\": \"AA\"}]}");
	fake_call_reply_always(ANY(UNITS), "{\"OrganizationalUnits\": []}");
	fake_call_reply(OF(ACCOUNTS, "next-account"),
		"{\"Accounts\": [{\"Id\": \"" HUB "\", \"Name\": \"Hub\", \"State\": \"ACTIVE\", "
		"\"Email\": \"hub@example.com\"}]}");
	fake_call_reply(OF(ACCOUNTS, "r-root"),
		"{\"Accounts\": [{\"Id\": \"" MANAGEMENT "\", \"Name\": \"Payer\", "
		"\"State\": \"ACTIVE\"}], \"NextToken\": \"next-account\"}");
	fake_call_reply(OF(ACCOUNTS, "ou-a"),
		"{\"Accounts\": [{\"Id\": \"000000000003\", \"Name\": \"a\\u0001b\", "
		"\"Status\": \"ACTIVE\"}]}");
	fake_call_reply(OF(ACCOUNTS, "after-nothing"),
		"{\"Accounts\": [{\"Id\": \"444444444444\", \"Name\": \"Old\", "
		"\"State\": \"SUSPENDED\"}]}");
	fake_call_reply(
		OF(ACCOUNTS, "ou-aa"), "{\"Accounts\": [], \"NextToken\": \"after-nothing\"}");
	fake_call_reply_always(ANY(ACCOUNTS), "{\"Accounts\": []}");
}

static void expect_organization(const struct scope *scope)
{
	assert_string_equal(scope->partition, "aws");
	assert_string_equal(scope->organization_id, "o-example");
	assert_string_equal(scope->management_account_id, MANAGEMENT);
	assert_string_equal(scope->hub_account_id, HUB);
	assert_string_equal(scope->hub_arn, "arn:aws:sts::" HUB ":assumed-role/Hub/me");
	assert_int_equal(scope->unit_count, 4);
	assert_int_equal(scope->account_count, 4);
	static const struct {
		const char *id, *name, *state, *path;
		bool is_management, is_hub;
	} expected[] = {
		{"000000000003", "a\001b", "ACTIVE", "Root/A", false, false},
		{HUB, "Hub", "ACTIVE", "Root", false, true},
		{MANAGEMENT, "Payer", "ACTIVE", "Root", true, false},
		{"444444444444", "Old", "SUSPENDED", "Root/A/AA", false, false},
	};
	for (size_t i = 0; i < 4; i++) {
		const struct scope_account *account = &scope->account[i];
		assert_string_equal(account->id, expected[i].id);
		assert_string_equal(account->name, expected[i].name);
		assert_string_equal(account->state, expected[i].state);
		assert_string_equal(account->unit_path, expected[i].path);
		assert_int_equal(account->is_management, expected[i].is_management);
		assert_int_equal(account->is_hub, expected[i].is_hub);
	}
	assert_string_equal(scope->account[1].email, "hub@example.com");
}

static void account_scope_is_the_hub_alone(void **state)
{
	struct fixture *fixture = *state;
	script_identity();
	run(fixture, false, NULL);
	assert_int_equal(fixture->err.kind, ERR_NONE);
	assert_int_equal(fake_call_count(), 1);
	const struct scope *scope = &fixture->scope;
	assert_string_equal(scope->organization_id, "");
	assert_int_equal(scope->account_count, 1);
	assert_string_equal(scope->account[0].id, HUB);
	assert_string_equal(scope->account[0].state, "ACTIVE");
	assert_string_equal(scope->account[0].unit_path, "");
	assert_true(scope->account[0].is_hub);
	assert_false(scope->account[0].is_management);
	assert_string_equal(aws_client_account(fixture->flow.client), HUB);
}

static void organization_is_walked_to_the_end(void **state)
{
	struct fixture *fixture = *state;
	script_organization();
	run(fixture, true, "");
	assert_int_equal(fixture->err.kind, ERR_NONE);
	expect_organization(&fixture->scope);
	assert_int_equal(fake_call_count_of(UNITS), 5);
	assert_int_equal(fake_call_count_of(ACCOUNTS), 6);
	for (size_t i = 0; i < fake_call_count(); i++)
		assert_string_equal(fake_call_record(i)->role_arn, "");
}

static void management_role_asks_organizations(void **state)
{
	struct fixture *fixture = *state;
	script_organization();
	run(fixture, true, ROLE_ARN);
	assert_int_equal(fixture->err.kind, ERR_NONE);
	expect_organization(&fixture->scope);
	for (size_t i = 0; i < fake_call_count(); i++) {
		const struct fake_record *record = fake_call_record(i);
		bool is_hub = strcmp(record->operation, "GetCallerIdentity") == 0;
		assert_string_equal(record->role_arn, is_hub ? "" : ROLE_ARN);
		assert_string_equal(record->account, is_hub ? "" : MANAGEMENT);
	}
	assert_int_equal(fake_call_count_of("ready"), 1);
}

static void hub_that_is_the_management_account_is_both(void **state)
{
	struct fixture *fixture = *state;
	script_identity();
	fake_call_reply(ANY("DescribeOrganization"),
		"{\"Organization\": {\"Id\": \"o-example\", \"MasterAccountId\": \"" HUB "\"}}");
	fake_call_reply(
		ANY("ListRoots"), "{\"Roots\": [{\"Id\": \"r-root\", \"Name\": \"Root\"}]}");
	fake_call_reply(ANY(UNITS), "{\"OrganizationalUnits\": []}");
	fake_call_reply(ANY(ACCOUNTS), "{\"Accounts\": [{\"Id\": \"" HUB
				       "\", \"Name\": \"Hub\", \"State\": \"ACTIVE\"}]}");
	run(fixture, true, "");
	assert_true(fixture->scope.account[0].is_management);
	assert_true(fixture->scope.account[0].is_hub);
}

static void stand_alone_account_is_a_scope_of_one(void **state)
{
	struct fixture *fixture = *state;
	script_identity();
	fake_call_fail(ANY("DescribeOrganization"), ERR_REFUSED,
		"AWSOrganizationsNotInUseException", "not a member");
	run(fixture, true, "");
	assert_int_equal(fixture->err.kind, ERR_NONE);
	assert_int_equal(fixture->scope.account_count, 1);
	assert_true(fixture->scope.account[0].is_hub);
	assert_string_equal(fixture->scope.organization_id, "");
}

static void management_role_of_a_stand_alone_account_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	script_identity();
	fake_call_fail(ANY("DescribeOrganization"), ERR_REFUSED,
		"AWSOrganizationsNotInUseException", "not a member");
	run(fixture, true, ROLE_ARN);
	expect_error(fixture, ERR_REFUSED, "not a member");
}

static void role_that_cannot_be_assumed_is_named(void **state)
{
	struct fixture *fixture = *state;
	script_identity();
	fake_call_fail(ANY("ready"), ERR_ROLE, "AccessDenied", "not authorized");
	run(fixture, true, ROLE_ARN);
	expect_error(fixture, ERR_ROLE, "management role " ROLE_ARN ": not authorized");
}

static void management_role_must_be_a_role(void **state)
{
	struct fixture *fixture = *state;
	static const char *const wrong[] = {
		"Lister", "arn:aws:iam::222222222222:user/Lister", "arn:aws:iam:::role/Lister"};
	script_identity();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		run(fixture, true, wrong[i]);
		expect_error(fixture, ERR_CONFIG, wrong[i]);
	}
}

static void member_account_is_told_what_it_needs(void **state)
{
	struct fixture *fixture = *state;
	script_start();
	fake_call_fail(ANY("ListRoots"), ERR_DENIED, "AccessDeniedException", "no access");
	run(fixture, true, "");
	expect_error(fixture, ERR_DENIED, "no access");
	expect_error(fixture, ERR_DENIED, "management_role_arn");
	expect_error(fixture, ERR_DENIED, MANAGEMENT);
}

static void account_that_moves_during_the_walk_counts_once(void **state)
{
	struct fixture *fixture = *state;
	script_start();
	fake_call_reply(
		ANY("ListRoots"), "{\"Roots\": [{\"Id\": \"r-root\", \"Name\": \"Root\"}]}");
	fake_call_reply(OF(UNITS, "r-root"),
		"{\"OrganizationalUnits\": [{\"Id\": \"ou-a\", \"Name\": \"A\"}]}");
	fake_call_reply(OF(UNITS, "ou-a"), "{\"OrganizationalUnits\": []}");
	fake_call_reply(OF(ACCOUNTS, "r-root"),
		"{\"Accounts\": [{\"Id\": \"333333333333\", \"Name\": \"old\", \"State\": "
		"\"ACTIVE\"}]}");
	fake_call_reply(OF(ACCOUNTS, "ou-a"),
		"{\"Accounts\": [{\"Id\": \"333333333333\", \"Name\": \"new\", \"State\": "
		"\"SUSPENDED\"}]}");
	run(fixture, true, "");
	assert_int_equal(fixture->err.kind, ERR_NONE);
	assert_int_equal(fixture->scope.account_count, 1);
	assert_string_equal(fixture->scope.account[0].unit_path, "Root/A");
	assert_string_equal(fixture->scope.account[0].name, "new");
	assert_string_equal(fixture->scope.account[0].state, "SUSPENDED");
}

static void organization_without_a_root_is_refused(void **state)
{
	struct fixture *fixture = *state;
	script_start();
	fake_call_reply(ANY("ListRoots"), "{\"Roots\": []}");
	run(fixture, true, "");
	expect_error(fixture, ERR_PROTOCOL, "no root");
}

static void unit_under_two_parents_is_refused(void **state)
{
	struct fixture *fixture = *state;
	script_start();
	fake_call_reply(
		ANY("ListRoots"), "{\"Roots\": [{\"Id\": \"r-root\", \"Name\": \"Root\"}]}");
	fake_call_reply_always(ANY(ACCOUNTS), "{\"Accounts\": []}");
	fake_call_reply_always(ANY(UNITS), /* each is its own child */
		"{\"OrganizationalUnits\": [{\"Id\": \"ou-a\", \"Name\": \"A\"}]}");
	run(fixture, true, "");
	expect_error(fixture, ERR_PROTOCOL, "unit ou-a is listed under \"r-root\" and");
}

static void unit_that_is_listed_twice_counts_once(void **state)
{
	struct fixture *fixture = *state;
	script_start();
	fake_call_reply(
		ANY("ListRoots"), "{\"Roots\": [{\"Id\": \"r-root\", \"Name\": \"Root\"}]}");
	fake_call_reply_always(ANY(ACCOUNTS), "{\"Accounts\": []}");
	fake_call_reply(OF(UNITS, "r-root"),
		"{\"OrganizationalUnits\": [{\"Id\": \"ou-a\", \"Name\": \"A\"}, "
		"{\"Id\": \"ou-a\", \"Name\": \"A\"}]}");
	fake_call_reply_always(ANY(UNITS), "{\"OrganizationalUnits\": []}");
	run(fixture, true, "");
	assert_int_equal(fixture->err.kind, ERR_NONE);
	assert_int_equal(fixture->scope.unit_count, 2);
}

static void token_that_repeats_ends_the_walk(void **state)
{
	struct fixture *fixture = *state;
	script_start();
	fake_call_reply_always(ANY("ListRoots"),
		"{\"Roots\": [{\"Id\": \"r-root\", \"Name\": \"Root\"}], \"NextToken\": \"same\"}");
	run(fixture, true, "");
	expect_error(fixture, ERR_PROTOCOL, "NextToken");
	assert_int_equal(fake_call_count_of("ListRoots"), 2);
}

/* Fresh tokens without end, as many as are asked for; with or without the same unit each time. */
static bool answer_without_end(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	static int number;
	const char *units = arg;
	(void)err;
	if (strcmp(call->operation, UNITS) != 0)
		return false;
	if (asprintf(ret_body, "{\"OrganizationalUnits\": [%s], \"NextToken\": \"t%d\"}", units,
		    number++) < 0)
		abort();
	return true;
}

static void pages_that_bring_nothing_end_the_walk(void **state)
{
	struct fixture *fixture = *state;
	static char none[] = "", same[] = "{\"Id\": \"ou-a\", \"Name\": \"A\"}";
	script_start();
	fake_call_reply_always(
		ANY("ListRoots"), "{\"Roots\": [{\"Id\": \"r-root\", \"Name\": \"Root\"}]}");
	fake_call_reply_always(ANY(ACCOUNTS), "{\"Accounts\": []}");
	fake_call_set_answerer(answer_without_end, none);
	run(fixture, true, "");
	expect_error(fixture, ERR_LIMIT, "pages in a row brought nothing new");
	expect_error(fixture, ERR_LIMIT, "unit r-root");
	fake_call_set_answerer(answer_without_end, same);
	run(fixture, true, "");
	expect_error(fixture, ERR_LIMIT, "pages in a row brought nothing new");
}

/* Each page has 20 new ones. */
static bool answer_with_new_ones(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	int *number = arg;
	char items[4096] = "";
	bool is_units = strcmp(call->operation, UNITS) == 0;
	(void)err;
	if (!is_units && strcmp(call->operation, ACCOUNTS) != 0)
		return false;
	for (int i = 0; i < 20; i++) {
		size_t len = strlen(items);
		int at = (*number)++;
		if (is_units)
			snprintf(items + len, sizeof(items) - len,
				"%s{\"Id\": \"ou-%d\", \"Name\": \"x\"}", i > 0 ? "," : "", at);
		else
			snprintf(items + len, sizeof(items) - len,
				"%s{\"Id\": \"%012d\", \"Name\": \"x\", \"State\": \"ACTIVE\"}",
				i > 0 ? "," : "", at);
	}
	if (asprintf(ret_body, "{\"%s\": [%s], \"NextToken\": \"t%d\"}",
		    is_units ? "OrganizationalUnits" : "Accounts", items, *number) < 0)
		abort();
	return true;
}

static void number_of_units_is_limited(void **state)
{
	struct fixture *fixture = *state;
	int number = 0;
	script_start();
	fake_call_reply_always(
		ANY("ListRoots"), "{\"Roots\": [{\"Id\": \"r-root\", \"Name\": \"Root\"}]}");
	fake_call_set_answerer(answer_with_new_ones, &number);
	run(fixture, true, "");
	expect_error(fixture, ERR_LIMIT, "organizational units");
}

static bool answer_no_units_many_accounts(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	if (strcmp(call->operation, UNITS) == 0)
		return false;
	return answer_with_new_ones(arg, call, ret_body, err);
}

static void number_of_accounts_is_limited(void **state)
{
	struct fixture *fixture = *state;
	int number = 0;
	script_start();
	fake_call_reply_always(
		ANY("ListRoots"), "{\"Roots\": [{\"Id\": \"r-root\", \"Name\": \"Root\"}]}");
	fake_call_reply_always(ANY(UNITS), "{\"OrganizationalUnits\": []}");
	fake_call_set_answerer(answer_no_units_many_accounts, &number);
	run(fixture, true, "");
	expect_error(fixture, ERR_LIMIT, "accounts");
}

static void answers_that_lie_end_the_walk(void **state)
{
	struct fixture *fixture = *state;
	script_identity();
	fake_call_reply(ANY("DescribeOrganization"), "{\"Organization\": {\"Id\": 7}}");
	run(fixture, true, "");
	assert_int_equal(fixture->err.kind, ERR_PROTOCOL);
	fake_call_reply_always(ANY("DescribeOrganization"),
		"{\"Organization\": {\"Id\": \"o-x\", \"MasterAccountId\": \"" MANAGEMENT "\"}}");
	fake_call_reply_always(
		ANY("ListRoots"), "{\"Roots\": [{\"Id\": \"r-root\", \"Name\": \"Root\"}]}");
	fake_call_reply_always(ANY(UNITS), "{\"OrganizationalUnits\": []}");
	fake_call_reply(ANY(ACCOUNTS), "{\"Accounts\": [{\"Id\": \"12\"}]}");
	run(fixture, true, "");
	assert_int_equal(fixture->err.kind, ERR_PROTOCOL);
	expect_error(fixture, ERR_PROTOCOL, "unit r-root");
}

/* Returns whether there is an n-th call. */
static bool fail_call(struct fixture *fixture, size_t n, const struct fake_call_error *error)
{
	fake_call_reset();
	script_organization();
	fake_call_fail_at(n, error->kind, error->code);
	run(fixture, true, ROLE_ARN);
	if (fixture->err.kind == ERR_NONE) {
		assert_int_equal(n, fake_call_count() + 1); /* beyond the last */
		return false;
	}
	assert_int_equal(fixture->err.kind, error->kind);
	assert_string_equal(fixture->err.code, error->code);
	/* Nothing is asked after it; the other lane's call may be under way. */
	assert_in_range(fake_call_count(), n, n + 1);
	assert_int_equal(fake_clients_alive(), 1);
	return true;
}

static void every_call_may_fail(void **state)
{
	for (size_t i = 0; i < FAKE_CALL_ERRORS; i++)
		for (size_t n = 1; fail_call(*state, n, &fake_call_errors[i]); n++)
			continue;
}

static void every_wait_may_be_cancelled(void **state)
{
	struct fixture *fixture = *state;
	for (size_t n = 0;; n++) {
		fake_call_reset();
		script_organization();
		fake_call_set_manual(true);
		start(fixture, true, ROLE_ARN);
		for (size_t i = 0; i < n && fake_call_deliver(); i++)
			continue;
		if (fixture->ends == 1)
			break;
		org_walk_cancel(fixture->walk);
		fixture->walk = NULL;
		fake_loop_run_ready();
		assert_int_equal(fixture->ends, 0);
		assert_in_range(fake_call_cancelled(), 1, 2);
		assert_int_equal(fake_clients_alive(), 1);
	}
	assert_int_equal(fixture->err.kind, ERR_NONE);
	org_walk_cancel(NULL);
}

int main(void)
{
#define WALK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WALK_TEST(account_scope_is_the_hub_alone),
		WALK_TEST(organization_is_walked_to_the_end),
		WALK_TEST(management_role_asks_organizations),
		WALK_TEST(hub_that_is_the_management_account_is_both),
		WALK_TEST(stand_alone_account_is_a_scope_of_one),
		WALK_TEST(management_role_of_a_stand_alone_account_is_an_error),
		WALK_TEST(role_that_cannot_be_assumed_is_named),
		WALK_TEST(management_role_must_be_a_role),
		WALK_TEST(member_account_is_told_what_it_needs),
		WALK_TEST(account_that_moves_during_the_walk_counts_once),
		WALK_TEST(organization_without_a_root_is_refused),
		WALK_TEST(unit_under_two_parents_is_refused),
		WALK_TEST(unit_that_is_listed_twice_counts_once),
		WALK_TEST(token_that_repeats_ends_the_walk),
		WALK_TEST(pages_that_bring_nothing_end_the_walk),
		WALK_TEST(number_of_units_is_limited),
		WALK_TEST(number_of_accounts_is_limited),
		WALK_TEST(answers_that_lie_end_the_walk),
		WALK_TEST(every_call_may_fail),
		WALK_TEST(every_wait_may_be_cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
