#include "aws/regions_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "tests/lib/answers.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/flow_fixture.h"

static void requests_name_no_account_and_ask_for_all_regions(void **state)
{
	(void)state;
	struct flow flow;
	flow_open(&flow, "111111111111");
	fake_call_set_manual(true);
	aws_call_cancel(account_list_regions_start(
		flow.client, "us-east-1", NULL, flow_ignore_reply, NULL));
	aws_call_cancel(
		account_list_regions_start(flow.client, "us-east-1", "t", flow_ignore_reply, NULL));
	aws_call_cancel(
		ec2_describe_regions_start(flow.client, "eu-west-1", flow_ignore_reply, NULL));
	assert_string_equal(fake_call_record(0)->body, "{\"MaxResults\":50}");
	assert_string_equal(fake_call_record(1)->body, "{\"MaxResults\":50,\"NextToken\":\"t\"}");
	assert_string_equal(fake_call_record(2)->body,
		"Action=DescribeRegions&Version=2016-11-15&AllRegions=true");
	flow_close(&flow);
}

static int take_account(const struct aws_reply *reply, struct err *err)
{
	struct region_list list = {.count = 0};
	char *token = NULL;
	int rc = account_list_regions_take(reply, &list, &token, err);
	assert_true(rc == 0 || (list.count == 0 && token == NULL));
	free(token);
	return rc;
}

static void expect_region(
	const struct region_list *list, size_t i, const char *name, enum region_state is_enabled)
{
	assert_string_equal(list->item[i].name, name);
	assert_int_equal(list->item[i].state, is_enabled);
}

static void account_regions_are_on_only_when_they_are(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_REST_JSON, "regions/account.json");
	struct region_list list = {.count = 0};
	struct err err = ERR_INIT;
	char *token = NULL;
	assert_int_equal(account_list_regions_take(&reply, &list, &token, &err), 0);
	assert_int_equal(list.count, 4);
	expect_region(&list, 0, "eu-west-1", REGION_ENABLED);
	expect_region(&list, 1, "af-south-1", REGION_ENABLED);
	expect_region(&list, 2, "ap-east-1", REGION_DISABLED);
	expect_region(&list, 3, "me-south-1", REGION_DISABLED);
	assert_string_equal(token, "more");
	free(token);
	token = NULL;
	assert_int_equal(account_list_regions_take(&reply, &list, &token, &err), 0);
	assert_int_equal(list.count, 4); /* pages may overlap */
	free(token);
	aws_reply_clear(&reply);
}

static void ec2_regions_are_on_unless_not_opted_in(void **state)
{
	(void)state;
	struct aws_reply reply = answer_file(AWS_EC2_QUERY, "regions/ec2.xml");
	struct region_list list = {.count = 0};
	struct err err = ERR_INIT;
	assert_int_equal(ec2_describe_regions_take(&reply, &list, &err), 0);
	assert_int_equal(list.count, 4);
	expect_region(&list, 0, "eu-west-1", REGION_ENABLED);
	expect_region(&list, 1, "af-south-1", REGION_ENABLED);
	expect_region(&list, 2, "ap-east-1", REGION_DISABLED);
	expect_region(&list, 3, "us-gov-west-1", REGION_ENABLED);
	aws_reply_clear(&reply);
}

static void names_that_are_no_regions_are_refused(void **state)
{
	(void)state;
	static const char *const json[] = {"{}", "{\"Regions\":null}", "{\"Regions\":[{}]}",
		"{\"Regions\":[{\"RegionName\":\"eu west\"}]}",
		"{\"Regions\":[{\"RegionName\":\"eu-west-1\"},{\"RegionName\":\"a/../b\"}]}"};
	for (size_t i = 0; i < sizeof(json) / sizeof(json[0]); i++)
		answer_check_refused(AWS_REST_JSON, json[i], take_account);
	static const char *const xml[] = {"<R/>", "<R><regionInfo><item/></regionInfo></R>",
		"<R><regionInfo><item><regionName>&lt;</regionName></item></regionInfo></R>"};
	for (size_t i = 0; i < sizeof(xml) / sizeof(xml[0]); i++) {
		struct aws_reply reply = answer_text(AWS_EC2_QUERY, xml[i]);
		struct region_list list = {.count = 0};
		struct err err = ERR_INIT;
		assert_int_equal(ec2_describe_regions_take(&reply, &list, &err), -1);
		assert_int_equal(list.count, 0);
		aws_reply_clear(&reply);
	}
}

static void too_many_regions_are_a_limit(void **state)
{
	(void)state;
	json_t *items = json_array();
	for (int i = 0; i < 150; i++) {
		char name[32];
		snprintf(name, sizeof(name), "eu-north-%d", i);
		json_array_append_new(items, json_pack("{s:s}", "RegionName", name));
	}
	struct aws_reply reply = {.json = json_pack("{s:o}", "Regions", items)};
	struct region_list list = {.count = 0};
	struct err err = ERR_INIT;
	char *token = NULL;
	assert_int_equal(account_list_regions_take(&reply, &list, &token, &err), 0);
	for (size_t i = 0; i < list.count; i++)
		list.item[i].name[0] = 'x';
	assert_int_equal(account_list_regions_take(&reply, &list, &token, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(list.count, 150);
	aws_reply_clear(&reply);
}

static void lying_types_and_cut_answers_are_refused(void **state)
{
	(void)state;
	assert_true(answer_check_types("regions/account.json", take_account) >= 50);
	answer_check_cuts(AWS_REST_JSON, "regions/account.json");
	answer_check_cuts(AWS_EC2_QUERY, "regions/ec2.xml");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_name_no_account_and_ask_for_all_regions),
		cmocka_unit_test(account_regions_are_on_only_when_they_are),
		cmocka_unit_test(ec2_regions_are_on_unless_not_opted_in),
		cmocka_unit_test(names_that_are_no_regions_are_refused),
		cmocka_unit_test(too_many_regions_are_a_limit),
		cmocka_unit_test(lying_types_and_cut_answers_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
