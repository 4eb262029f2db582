#include "aws/organizations_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "tests/lib/answers.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/flow_fixture.h"

/* --- requests --------------------------------------------------------------------------------- */

static void requests_ask_for_whole_pages_and_carry_the_token(void **state)
{
	(void)state;
	struct flow flow;
	flow_open(&flow, "111111111111");
	fake_call_set_manual(true);
	aws_call_cancel(
		organizations_describe_start(flow.client, "us-east-1", flow_ignore_reply, NULL));
	aws_call_cancel(organizations_list_roots_start(
		flow.client, "us-east-1", NULL, flow_ignore_reply, NULL));
	aws_call_cancel(organizations_list_units_start(
		flow.client, "us-east-1", "r-ab12", "to\"ken", flow_ignore_reply, NULL));
	aws_call_cancel(organizations_list_accounts_start(
		flow.client, "us-east-1", "ou-ab12-cdef3456", NULL, flow_ignore_reply, NULL));
	assert_string_equal(fake_call_record(0)->operation, "DescribeOrganization");
	assert_string_equal(fake_call_record(0)->body, "{}");
	assert_string_equal(fake_call_record(1)->body, "{\"MaxResults\":20}");
	assert_string_equal(fake_call_record(2)->operation, "ListOrganizationalUnitsForParent");
	assert_string_equal(fake_call_record(2)->body,
		"{\"ParentId\":\"r-ab12\",\"MaxResults\":20,\"NextToken\":\"to\\\"ken\"}");
	assert_string_equal(fake_call_record(3)->operation, "ListAccountsForParent");
	assert_string_equal(
		fake_call_record(3)->body, "{\"ParentId\":\"ou-ab12-cdef3456\",\"MaxResults\":20}");
	flow_close(&flow);
}

/* --- answers ---------------------------------------------------------------------------------- */

static int take_organization(const struct aws_reply *reply, struct err *err)
{
	struct organization organization;
	return organizations_describe_take(reply, &organization, err);
}

static int take_roots(const struct aws_reply *reply, struct err *err)
{
	struct organization_unit_list list = {.item = NULL};
	char *token = NULL;
	int rc = organizations_list_roots_take(reply, &list, &token, err);
	assert_true(rc == 0 || list.count == 0);
	organization_unit_list_clear(&list);
	free(token);
	return rc;
}

static int take_units(const struct aws_reply *reply, struct err *err)
{
	struct organization_unit_list list = {.item = NULL};
	char *token = NULL;
	int rc = organizations_list_units_take(reply, &list, &token, err);
	assert_true(rc == 0 || (list.count == 0 && token == NULL));
	organization_unit_list_clear(&list);
	free(token);
	return rc;
}

static int take_accounts(const struct aws_reply *reply, struct err *err)
{
	struct organization_account_list list = {.item = NULL};
	char *token = NULL;
	int rc = organizations_list_accounts_take(reply, &list, &token, err);
	assert_true(rc == 0 || (list.count == 0 && token == NULL));
	organization_account_list_clear(&list);
	free(token);
	return rc;
}

static void organization_has_an_id_and_a_management_account(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "organizations/organization.json");
	struct organization organization;
	struct err err = ERR_INIT;
	assert_int_equal(organizations_describe_take(&reply, &organization, &err), 0);
	assert_string_equal(organization.id, "o-exampleorgid");
	assert_string_equal(organization.management_account_id, "111111111111");
	aws_reply_clear(&reply);
}

static void roots_and_units_append_to_one_list(void **state)
{
	(void)state;
	struct aws_reply roots = answer_file(AWS_JSON_1_1, "organizations/roots.json");
	struct aws_reply units = answer_file(AWS_JSON_1_1, "organizations/units.json");
	struct organization_unit_list list = {.item = NULL};
	struct err err = ERR_INIT;
	char *token = xstrdup("page1");
	assert_int_equal(organizations_list_roots_take(&roots, &list, &token, &err), 0);
	assert_null(token);
	assert_int_equal(organizations_list_units_take(&units, &list, &token, &err), 0);
	assert_string_equal(token, "page2");
	assert_int_equal(list.count, 3);
	assert_string_equal(list.item[0].id, "r-examplerootid111");
	assert_string_equal(list.item[0].name, "Root");
	assert_string_equal(list.item[2].name, "\xc3\x9c"
					       "berblick \xe4\xb8\x96\xe7\x95\x8c");
	free(token);
	organization_unit_list_clear(&list);
	aws_reply_clear(&roots);
	aws_reply_clear(&units);
}

static void state_is_read_before_status(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_JSON_1_1, "organizations/accounts.json");
	struct organization_account_list list = {.item = NULL};
	struct err err = ERR_INIT;
	char *token = NULL;
	assert_int_equal(organizations_list_accounts_take(&reply, &list, &token, &err), 0);
	assert_null(token);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.item[0].id, "000000000042");
	assert_string_equal(list.item[0].state, "SUSPENDED");
	assert_string_equal(list.item[0].email, "a@example.com");
	assert_string_equal(list.item[1].state, "PENDING_CLOSURE");
	assert_string_equal(list.item[1].email, "");
	assert_string_equal(list.item[2].state, "A_STATE_THAT_IS_LONGER_"); /* never "ACTIVE" */
	organization_account_list_clear(&list);
	aws_reply_clear(&reply);
}

static void empty_page_with_a_token_is_not_the_end(void **state)
{
	(void)state;
	struct aws_reply reply = answer_text(AWS_JSON_1_1, "{\"Accounts\":[],\"NextToken\":\"x\"}");
	struct organization_account_list list = {.item = NULL};
	struct err err = ERR_INIT;
	char *token = NULL;
	assert_int_equal(organizations_list_accounts_take(&reply, &list, &token, &err), 0);
	assert_int_equal(list.count, 0);
	assert_string_equal(token, "x");
	free(token);
	aws_reply_clear(&reply);
}

static void expect_refused(answer_take_fn *take, const char *text)
{
	answer_check_refused(AWS_JSON_1_1, text, take);
}

static void answers_without_their_list_are_not_empty_pages(void **state)
{
	(void)state;
	expect_refused(take_accounts, "{}");
	expect_refused(take_accounts, "{\"Accounts\":null}");
	expect_refused(take_units, "{\"Roots\":[]}");
	expect_refused(take_roots, "{\"OrganizationalUnits\":[]}");
	expect_refused(take_organization, "{}");
}

static void ids_are_only_what_ids_are_made_of(void **state)
{
	(void)state;
	expect_refused(take_accounts, "{\"Accounts\":[{\"Id\":\"12345678901\"}]}");
	expect_refused(take_accounts, "{\"Accounts\":[{\"Id\":\"abcdefghijkl\"}]}");
	expect_refused(take_accounts, "{\"Accounts\":[{\"Name\":\"x\"}]}");
	expect_refused(take_accounts, "{\"Accounts\":[{\"Id\":123456789012}]}");
	expect_refused(take_units, "{\"OrganizationalUnits\":[{\"Id\":\"../../x\"}]}");
	expect_refused(take_units, "{\"OrganizationalUnits\":[{\"Id\":\"\"}]}");
	expect_refused(take_organization,
		"{\"Organization\":{\"Id\":\"o-x\",\"MasterAccountId\":\"o-x\"}}");
}

static void absurd_pages_are_refused(void **state)
{
	(void)state;
	json_t *items = json_array();
	for (int i = 0; i < 1001; i++)
		json_array_append_new(
			items, json_pack("{s:s, s:s}", "Id", "123456789012", "Name", "x"));
	struct aws_reply reply = {.json = json_pack("{s:o}", "Accounts", items)};
	struct err err = ERR_INIT;
	assert_int_equal(take_accounts(&reply, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	aws_reply_clear(&reply);
}

static void types_that_lie_are_refused(void **state)
{
	(void)state;
	assert_true(answer_check_types("organizations/organization.json", take_organization) >= 15);
	assert_true(answer_check_types("organizations/roots.json", take_roots) >= 15);
	assert_true(answer_check_types("organizations/units.json", take_units) >= 25);
	assert_true(answer_check_types("organizations/accounts.json", take_accounts) >= 50);
}

static void cut_answers_are_not_read(void **state)
{
	(void)state;
	answer_check_cuts(AWS_JSON_1_1, "organizations/accounts.json");
	answer_check_cuts(AWS_JSON_1_1, "organizations/units.json");
	answer_check_cuts(AWS_JSON_1_1, "organizations/organization.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_ask_for_whole_pages_and_carry_the_token),
		cmocka_unit_test(organization_has_an_id_and_a_management_account),
		cmocka_unit_test(roots_and_units_append_to_one_list),
		cmocka_unit_test(state_is_read_before_status),
		cmocka_unit_test(empty_page_with_a_token_is_not_the_end),
		cmocka_unit_test(answers_without_their_list_are_not_empty_pages),
		cmocka_unit_test(ids_are_only_what_ids_are_made_of),
		cmocka_unit_test(absurd_pages_are_refused),
		cmocka_unit_test(types_that_lie_are_refused),
		cmocka_unit_test(cut_answers_are_not_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
