#include "orgscope/account_regions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/loop.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/flow_fixture.h"

#define LIST	  (&(struct fake_match){.operation = "ListRegions"})
#define EC2	  (&(struct fake_match){.operation = "DescribeRegions"})
#define LIST_NEXT (&(struct fake_match){.operation = "ListRegions", .body_part = "\"t1\""})
#define EC2_REGIONS(items)                                                                         \
	"<DescribeRegionsResponse><regionInfo>" items "</regionInfo></DescribeRegionsResponse>"
#define EC2_REGION(name, status)                                                                   \
	"<item><regionName>" name "</regionName><optInStatus>" status "</optInStatus></item>"

struct fixture {
	struct flow flow;
	struct account_regions *regions;
	int ends;
	char list[1024]; /* "eu-west-1 -me-south-1": as delivered, disabled ones with '-' */
	struct err err;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.ends = 0};
	flow_open(&fixture.flow, "111122223333");
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	assert_null(fixture->regions);
	flow_close(&fixture->flow);
	return 0;
}

static void on_done(void *arg, const struct region_list *regions, const struct err *err)
{
	struct fixture *fixture = arg;
	fixture->regions = NULL;
	fixture->ends++;
	fixture->list[0] = '\0';
	assert_true((regions == NULL) != (err == NULL));
	fixture->err = err != NULL ? *err : (struct err)ERR_INIT;
	for (size_t i = 0; regions != NULL && i < regions->count; i++) {
		size_t len = strlen(fixture->list);
		snprintf(fixture->list + len, sizeof(fixture->list) - len, "%s%s%s",
			i > 0 ? " " : "", regions->item[i].state == REGION_DISABLED ? "-" : "",
			regions->item[i].name);
	}
}

static void start(struct fixture *fixture)
{
	fixture->ends = 0;
	fixture->regions =
		account_regions_start(fixture->flow.client, "eu-central-1", on_done, fixture);
}

static void run(struct fixture *fixture)
{
	start(fixture);
	assert_int_equal(fixture->ends, 0);
	fake_loop_run_ready();
	assert_int_equal(fixture->ends, 1);
}

static void script_pages(void)
{
	fake_call_reply(LIST_NEXT,
		"{\"Regions\": [{\"RegionName\": \"us-east-1\", \"RegionOptStatus\": "
		"\"ENABLED_BY_DEFAULT\"}]}");
	fake_call_reply(LIST,
		"{\"Regions\": [{\"RegionName\": \"eu-south-1\", \"RegionOptStatus\": "
		"\"ENABLED\"}, {\"RegionName\": \"me-south-1\", \"RegionOptStatus\": "
		"\"DISABLED\"}], \"NextToken\": \"t1\"}");
}

static void script_ec2(void)
{
	fake_call_reply(EC2, EC2_REGIONS(EC2_REGION("eu-west-1", "opt-in-not-required")
					     EC2_REGION("me-south-1", "not-opted-in")));
}

static void list_regions_is_read_to_the_last_page(void **state)
{
	struct fixture *fixture = *state;
	script_pages();
	run(fixture);
	assert_string_equal(fixture->list, "eu-south-1 -me-south-1 us-east-1");
	assert_int_equal(fake_call_count(), 2);
}

static void ec2_stands_in_when_list_regions_is_refused(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {ERR_DENIED, ERR_DENIED_BY_SCP, ERR_NOT_FOUND,
		ERR_REFUSED, ERR_UNREACHABLE, ERR_TIMEOUT, ERR_THROTTLED, ERR_SERVICE, ERR_PROTOCOL,
		ERR_LIMIT, ERR_CONFIG};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		fake_call_fail(LIST, kinds[i], "Refused", "no");
		script_ec2();
		run(fixture);
		assert_int_equal(fixture->err.kind, ERR_NONE);
		assert_string_equal(fixture->list, "eu-west-1 -me-south-1");
	}
}

static void ec2_stands_in_when_the_second_page_fails(void **state)
{
	struct fixture *fixture = *state;
	fake_call_fail(LIST_NEXT, ERR_SERVICE, "InternalServerException", "oh");
	script_pages();
	script_ec2();
	run(fixture);
	assert_string_equal(fixture->list, "eu-west-1 -me-south-1"); /* nothing of page one */
}

static void ec2_is_not_asked_without_a_session(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {ERR_ROLE, ERR_CREDENTIALS, ERR_STOPPED};
	for (size_t i = 0; i < 3; i++) {
		fake_call_fail(LIST, kinds[i], "Code", "no session");
		run(fixture);
		assert_int_equal(fixture->err.kind, kinds[i]);
		assert_string_equal(fixture->err.text, "no session");
	}
	assert_int_equal(fake_call_count_of("DescribeRegions"), 0);
}

static void session_that_is_lost_on_the_way_says_only_that(void **state)
{
	struct fixture *fixture = *state;
	fake_call_fail(LIST, ERR_DENIED, "AccessDeniedException", "no ListRegions");
	fake_call_fail(EC2, ERR_ROLE, "AccessDenied", "no session");
	run(fixture);
	assert_int_equal(fixture->err.kind, ERR_ROLE);
	assert_string_equal(fixture->err.text, "no session");
}

static void both_failures_are_told(void **state)
{
	struct fixture *fixture = *state;
	fake_call_fail(LIST, ERR_DENIED_BY_SCP, "AccessDeniedException", "no ListRegions");
	fake_call_fail(EC2, ERR_DENIED, "UnauthorizedOperation", "no DescribeRegions");
	run(fixture);
	assert_int_equal(fixture->err.kind, ERR_DENIED);
	assert_string_equal(fixture->err.code, "UnauthorizedOperation");
	assert_string_equal(fixture->err.text, "no ListRegions; and: no DescribeRegions");
}

static void passing_trouble_of_list_regions_decides_the_kind(void **state)
{
	struct fixture *fixture = *state;
	static const enum err_kind kinds[] = {
		ERR_THROTTLED, ERR_UNREACHABLE, ERR_TIMEOUT, ERR_SERVICE};
	for (size_t i = 0; i < 4; i++) {
		fake_call_fail(LIST, kinds[i], "First", "busy");
		fake_call_fail(EC2, ERR_DENIED, "Second", "no DescribeRegions");
		run(fixture);
		assert_int_equal(fixture->err.kind, kinds[i]);
		assert_string_equal(fixture->err.code, "First");
		assert_string_equal(fixture->err.text, "busy; and: no DescribeRegions");
	}
}

static void long_first_text_does_not_hide_the_second(void **state)
{
	struct fixture *fixture = *state;
	char text[ERR_TEXT_MAX];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	fake_call_fail(LIST, ERR_DENIED, "First", text);
	fake_call_fail(EC2, ERR_DENIED, "Second", "no DescribeRegions");
	run(fixture);
	assert_non_null(strstr(fixture->err.text, "no DescribeRegions"));
}

static void list_without_an_enabled_region_is_not_believed(void **state)
{
	struct fixture *fixture = *state;
	fake_call_reply(LIST, "{\"Regions\": []}");
	script_ec2();
	run(fixture);
	assert_string_equal(fixture->list, "eu-west-1 -me-south-1");

	fake_call_reply(LIST,
		"{\"Regions\": [{\"RegionName\": \"me-south-1\", \"RegionOptStatus\": "
		"\"DISABLED\"}]}");
	fake_call_reply(EC2, EC2_REGIONS(EC2_REGION("me-south-1", "not-opted-in")));
	run(fixture);
	assert_int_equal(fixture->err.kind, ERR_PROTOCOL);
}

static void region_on_two_pages_counts_once(void **state)
{
	struct fixture *fixture = *state;
	fake_call_reply(LIST_NEXT,
		"{\"Regions\": [{\"RegionName\": \"eu-south-1\", \"RegionOptStatus\": "
		"\"ENABLED\"}]}");
	fake_call_reply(LIST,
		"{\"Regions\": [{\"RegionName\": \"eu-south-1\", \"RegionOptStatus\": "
		"\"ENABLED\"}], \"NextToken\": \"t1\"}");
	run(fixture);
	assert_string_equal(fixture->list, "eu-south-1");
}

static void token_that_repeats_ends_the_list(void **state)
{
	struct fixture *fixture = *state;
	fake_call_reply_always(LIST, "{\"Regions\": [], \"NextToken\": \"t1\"}");
	fake_call_fail(EC2, ERR_DENIED, "", "no DescribeRegions");
	run(fixture);
	assert_non_null(strstr(fixture->err.text, "NextToken"));
	assert_int_equal(fake_call_count_of("ListRegions"), 2);
}

static bool answer_without_end(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	int *number = arg;
	(void)err;
	if (strcmp(call->operation, "ListRegions") != 0)
		return false;
	if (asprintf(ret_body, "{\"Regions\": [], \"NextToken\": \"t%d\"}", (*number)++) < 0)
		abort();
	return true;
}

static void endless_list_ends(void **state)
{
	struct fixture *fixture = *state;
	int number = 0;
	fake_call_set_answerer(answer_without_end, &number);
	fake_call_fail(EC2, ERR_DENIED, "", "no DescribeRegions");
	run(fixture);
	assert_non_null(strstr(fixture->err.text, "pages of regions"));
}

static void answers_that_lie_are_errors(void **state)
{
	struct fixture *fixture = *state;
	fake_call_reply(LIST, "{\"Regions\": [{\"RegionName\": 5}]}");
	fake_call_reply(EC2, EC2_REGIONS("<item/>"));
	run(fixture);
	assert_int_equal(fixture->err.kind, ERR_PROTOCOL);
	assert_non_null(strstr(fixture->err.text, "; and: "));
}

static bool is_about_session(enum err_kind kind)
{
	return kind == ERR_ROLE || kind == ERR_CREDENTIALS;
}

/* n: of the two pages of ListRegions, then DescribeRegions after the second page was refused. */
static void fail_call(struct fixture *fixture, size_t n, const struct fake_call_error *error)
{
	fake_call_reset();
	if (n == 3)
		fake_call_fail(LIST_NEXT, ERR_DENIED, "AccessDeniedException", "no");
	script_pages();
	script_ec2();
	fake_call_fail_at(n, error->kind, error->code);
	run(fixture);
	bool is_end = n == 3 || is_about_session(error->kind);
	assert_int_equal(fixture->err.kind, is_end ? error->kind : ERR_NONE);
	assert_string_equal(fixture->err.code, is_end ? error->code : "");
	assert_string_equal(fixture->list, is_end ? "" : "eu-west-1 -me-south-1");
	assert_int_equal(fake_call_count(), is_end ? n : n + 1);
}

static void every_call_may_fail(void **state)
{
	for (size_t n = 1; n <= 3; n++)
		for (size_t i = 0; i < FAKE_CALL_ERRORS; i++)
			fail_call(*state, n, &fake_call_errors[i]);
}

static void every_wait_may_be_cancelled(void **state)
{
	struct fixture *fixture = *state;
	for (size_t n = 0;; n++) {
		fake_call_reset();
		fake_call_fail(LIST_NEXT, ERR_DENIED, "", "no");
		script_pages();
		script_ec2();
		fake_call_set_manual(true);
		start(fixture);
		for (size_t i = 0; i < n && fake_call_deliver(); i++)
			continue;
		if (fixture->ends == 1)
			break;
		account_regions_cancel(fixture->regions);
		fixture->regions = NULL;
		assert_int_equal(fake_call_cancelled(), 1);
		assert_int_equal(fixture->ends, 0);
	}
	assert_int_equal(fake_call_count(), 3);
	account_regions_cancel(NULL);
}

int main(void)
{
#define REGIONS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		REGIONS_TEST(list_regions_is_read_to_the_last_page),
		REGIONS_TEST(ec2_stands_in_when_list_regions_is_refused),
		REGIONS_TEST(ec2_stands_in_when_the_second_page_fails),
		REGIONS_TEST(ec2_is_not_asked_without_a_session),
		REGIONS_TEST(session_that_is_lost_on_the_way_says_only_that),
		REGIONS_TEST(both_failures_are_told),
		REGIONS_TEST(passing_trouble_of_list_regions_decides_the_kind),
		REGIONS_TEST(long_first_text_does_not_hide_the_second),
		REGIONS_TEST(list_without_an_enabled_region_is_not_believed),
		REGIONS_TEST(region_on_two_pages_counts_once),
		REGIONS_TEST(token_that_repeats_ends_the_list),
		REGIONS_TEST(endless_list_ends),
		REGIONS_TEST(answers_that_lie_are_errors),
		REGIONS_TEST(every_call_may_fail),
		REGIONS_TEST(every_wait_may_be_cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
