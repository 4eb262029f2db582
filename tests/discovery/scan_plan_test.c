#include "discovery/scan_plan.h"

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
#include "store/coverage.h"
#include "tests/lib/temp_store.h"

enum { NOW_S = 1795219200, DAY_S = 86400 };

#define ACCOUNT "111122223333"
#define PREFIX	"arn:aws:acm:eu-west-1:" ACCOUNT ":certificate/"

static const struct import_policy import_valid = {.mode = IMPORT_VALID};

struct fixture {
	char *folder;
	struct store *store;
	struct acm_summary_list list;
	struct scan_plan plan;
};

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){.folder = temp_folder_new()};
	fixture.store = temp_store_open(NULL, fixture.folder);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	acm_summary_list_clear(&fixture->list);
	scan_plan_clear(&fixture->plan);
	store_close(fixture->store);
	temp_folder_remove(fixture->folder);
	return 0;
}

/* Lists a certificate that ends in a year; its digest is that of stored ones. */
static struct acm_summary *list(struct fixture *fixture, const char *id)
{
	struct acm_summary_list *to = &fixture->list;
	to->item = xgrow(to->item, &to->capacity, to->count, sizeof(*to->item));
	struct acm_summary *summary = &to->item[to->count++];
	*summary = (struct acm_summary){.arn = xasprintf("%s%s", PREFIX, id),
		.domain_name = xstrdup(id),
		.status = "ISSUED",
		.type = "AMAZON_ISSUED",
		.not_after_s = NOW_S + 365 * DAY_S};
	return summary;
}

struct stored {
	const char *arn, *connector;
	int64_t not_after_s, gone_s;
};

static void put_stored(struct store_txn *txn, void *arg)
{
	const struct stored *stored = arg;
	struct cert_record record = cert_record_empty();
	record.arn = stored->arn;
	record.connector = stored->connector;
	record.account_id = ACCOUNT;
	record.region = "eu-west-1";
	record.serial = "0fac";
	record.not_after_s = stored->not_after_s;
	record.gone_s = stored->gone_s;
	record.detailed_s = NOW_S - 60;
	store_cert_put(txn, &record);
}

static void store_one(struct fixture *fixture, const char *id, int64_t not_after_s, int64_t gone_s)
{
	struct err err = ERR_INIT;
	char *arn = xasprintf("%s%s", PREFIX, id);
	assert_int_equal(store_write_now(fixture->store, put_stored,
				 &(struct stored){.arn = arn,
					 .connector = "prod",
					 .not_after_s = not_after_s,
					 .gone_s = gone_s},
				 &err),
		0);
	free(arn);
}

static void put_success(struct store_txn *txn, void *arg)
{
	const int64_t *last_success_s = arg;
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = ACCOUNT,
					.region = "eu-west-1",
					.state = COVERAGE_OK,
					.code = "",
					.reason = "",
					.last_success_s = *last_success_s});
}

static void store_last_success(struct fixture *fixture, int64_t last_success_s)
{
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(fixture->store, put_success, &last_success_s, &err), 0);
}

static void make(struct fixture *fixture, const struct import_policy *import, const char *connector)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct scan_plan_input input = {.connector = connector,
		.partition = "aws",
		.account_id = ACCOUNT,
		.region = "eu-west-1",
		.import = import,
		.detail_max_age_s = 7 * DAY_S,
		.now_s = NOW_S};
	scan_plan_clear(&fixture->plan);
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	scan_plan_make(&input, txn, &fixture->list, &fixture->plan);
	assert_int_equal(store_txn_check(txn, &err), 0);
	store_read_end(txn);
	assert_int_equal(fixture->list.count, 0);
}

/* "a:all b:describe", by the last part of the ARN. */
static void expect_items(const struct fixture *fixture, const char *expected)
{
	static const char *const name[] = {"none", "describe", "all"};
	char got[512] = "";
	for (size_t i = 0; i < fixture->plan.count; i++) {
		const struct scan_item *item = &fixture->plan.item[i];
		size_t len = strlen(got);
		snprintf(got + len, sizeof(got) - len, "%s%s:%s", i > 0 ? " " : "",
			item->summary.arn + strlen(PREFIX), name[item->change]);
	}
	assert_string_equal(got, expected);
}

static void expect_texts(const struct acm_text_list *texts, const char *expected)
{
	char got[512] = "";
	for (size_t i = 0; i < texts->count; i++) {
		size_t len = strlen(got);
		snprintf(got + len, sizeof(got) - len, "%s%s", i > 0 ? " " : "",
			texts->item[i] + strlen(PREFIX));
	}
	assert_string_equal(got, expected);
}

static void list_and_store_are_compared_in_one_walk(void **state)
{
	struct fixture *fixture = *state;
	store_one(fixture, "b-known", NOW_S + 365 * DAY_S, 0);
	store_one(fixture, "c-gone", NOW_S + 365 * DAY_S, 0);
	store_one(fixture, "d-long-gone", NOW_S + 365 * DAY_S, NOW_S - DAY_S);
	store_one(fixture, "f-changed", NOW_S + 365 * DAY_S, 0);
	store_one(fixture, "g-returned", NOW_S + 365 * DAY_S, NOW_S - DAY_S);
	store_one(fixture, "i-gone", NOW_S + 365 * DAY_S, 0);
	list(fixture, "h-new");
	list(fixture, "g-returned");
	list(fixture, "f-changed")->digest[0] = 1;
	list(fixture, "b-known");
	list(fixture, "a-new");
	make(fixture, &import_valid, "prod");
	expect_items(fixture, "a-new:all f-changed:all g-returned:all h-new:all");
	expect_texts(&fixture->plan.gone, "c-gone i-gone");
	expect_texts(&fixture->plan.expired, "");
	assert_int_equal(fixture->plan.listed, 5);
	assert_int_equal(fixture->plan.tracked, 5);
	assert_string_equal(fixture->plan.item[0].serial, "");
	assert_int_equal(fixture->plan.item[0].not_after_s, 0);
	assert_string_equal(fixture->plan.item[1].serial, "0fac");
	assert_int_equal(fixture->plan.item[1].not_after_s, NOW_S + 365 * DAY_S);
}

static void empty_list_makes_everything_gone(void **state)
{
	struct fixture *fixture = *state;
	make(fixture, &import_valid, "prod");
	expect_texts(&fixture->plan.gone, "");
	store_one(fixture, "a", NOW_S, 0);
	store_one(fixture, "b", NOW_S, 0);
	make(fixture, &import_valid, "prod");
	expect_items(fixture, "");
	expect_texts(&fixture->plan.gone, "a b");
	assert_int_equal(fixture->plan.listed, 0);
	assert_int_equal(fixture->plan.tracked, 0);
}

static void certificate_that_is_listed_twice_counts_as_listed_last(void **state)
{
	struct fixture *fixture = *state;
	list(fixture, "a");
	list(fixture, "b");
	text_copy(list(fixture, "a")->status, 32, "INACTIVE");
	text_copy(list(fixture, "a")->status, 32, "REVOKED");
	make(fixture, &(struct import_policy){.mode = IMPORT_ALL}, "prod");
	expect_items(fixture, "a:all b:all");
	assert_string_equal(fixture->plan.item[0].summary.status, "REVOKED");
	assert_int_equal(fixture->plan.listed, 2);
}

static void policy_decides_what_enters_but_not_what_is_tracked(void **state)
{
	struct fixture *fixture = *state;
	store_one(fixture, "a-known", NOW_S + 365 * DAY_S, 0);
	text_copy(list(fixture, "a-known")->status, 32, "REVOKED");
	text_copy(list(fixture, "b-new")->status, 32, "REVOKED");
	list(fixture, "c-new");
	make(fixture, &import_valid, "prod");
	expect_items(fixture, "c-new:all");
	assert_int_equal(fixture->plan.listed, 3);
	assert_int_equal(fixture->plan.tracked, 2);
	expect_texts(&fixture->plan.gone, "");

	list(fixture, "a-known");
	list(fixture, "c-new");
	make(fixture, &(struct import_policy){.mode = IMPORT_OFF}, "prod");
	expect_items(fixture, "");
	assert_int_equal(fixture->plan.tracked, 1);
}

static void certificate_of_another_connector_is_taken_over(void **state)
{
	struct fixture *fixture = *state;
	store_one(fixture, "a", NOW_S + 365 * DAY_S, 0);
	list(fixture, "a");
	make(fixture, &import_valid, "second");
	expect_items(fixture, "a:none");
	assert_string_equal(fixture->plan.item[0].serial, "0fac");
}

static void certificate_near_its_end_is_described(void **state)
{
	struct fixture *fixture = *state;
	store_one(fixture, "a", NOW_S + 30 * DAY_S, 0);
	list(fixture, "a")->not_after_s = NOW_S + 30 * DAY_S;
	make(fixture, &import_valid, "prod");
	expect_items(fixture, "a:describe");
}

static void list_as_stored(struct fixture *fixture, const char *id, int64_t not_after_s)
{
	list(fixture, id)->not_after_s = not_after_s;
}

static void expiry_between_two_looks_is_told_once(void **state)
{
	struct fixture *fixture = *state;
	store_one(fixture, "a-before", NOW_S - 2 * DAY_S, 0);
	store_one(fixture, "b-at-the-last-look", NOW_S - DAY_S, 0);
	store_one(fixture, "c-between", NOW_S - DAY_S + 1, 0);
	store_one(fixture, "d-now", NOW_S, 0);
	store_one(fixture, "e-later", NOW_S + 1, 0);
	store_one(fixture, "f-renewed", NOW_S - 1, 0);
	store_one(fixture, "g-was-gone", NOW_S - 1, NOW_S - DAY_S);
	store_one(fixture, "h-not-listed", NOW_S - 1, 0);
	for (int look = 0; look < 2; look++) {
		list_as_stored(fixture, "a-before", NOW_S - 2 * DAY_S);
		list_as_stored(fixture, "b-at-the-last-look", NOW_S - DAY_S);
		list_as_stored(fixture, "c-between", NOW_S - DAY_S + 1);
		list_as_stored(fixture, "d-now", NOW_S);
		list_as_stored(fixture, "e-later", NOW_S + 1);
		list_as_stored(fixture, "f-renewed", NOW_S + 365 * DAY_S);
		list_as_stored(fixture, "g-was-gone", NOW_S - 1);
		store_last_success(fixture, look == 0 ? NOW_S - DAY_S : NOW_S);
		make(fixture, &import_valid, "prod");
		expect_texts(&fixture->plan.expired, look == 0 ? "c-between d-now" : "");
	}
}

static void expiry_before_the_first_look_is_not_told(void **state)
{
	struct fixture *fixture = *state;
	store_one(fixture, "a", NOW_S - 1, 0);
	list_as_stored(fixture, "a", NOW_S - 1);
	make(fixture, &import_valid, "prod");
	expect_texts(&fixture->plan.expired, "");
}

static void arn_must_be_of_the_place(void **state)
{
	struct fixture *fixture = *state;
	struct scan_plan_input input = {
		.partition = "aws", .account_id = ACCOUNT, .region = "eu-west-1"};
	static const char *const wrong[] = {"arn:aws:acm:eu-west-1:999999999999:certificate/a",
		"arn:aws:acm:eu-west-2:" ACCOUNT ":certificate/a",
		"arn:aws-cn:acm:eu-west-1:" ACCOUNT ":certificate/a",
		"arn:aws:acm-pca:eu-west-1:" ACCOUNT ":certificate/a",
		"arn:aws:acm:eu-west-1:" ACCOUNT ":certificate/", ""};
	struct err err = ERR_INIT;
	struct acm_summary *summary = list(fixture, "a");
	assert_int_equal(scan_plan_check_arns(&input, &fixture->list, 0, &err), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		free(summary->arn);
		summary->arn = xstrdup(wrong[i]);
		assert_int_equal(scan_plan_check_arns(&input, &fixture->list, 0, &err), -1);
		assert_int_equal(err.kind, ERR_PROTOCOL);
		assert_non_null(strstr(err.text, wrong[i]));
		/* what was checked before is not checked again */
		assert_int_equal(scan_plan_check_arns(&input, &fixture->list, 1, &err), 0);
	}
	free(summary->arn);
	summary->arn = xasprintf("%s%0*d", PREFIX, CERT_ARN_MAX, 1);
	assert_int_equal(scan_plan_check_arns(&input, &fixture->list, 0, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
}

int main(void)
{
#define PLAN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		PLAN_TEST(list_and_store_are_compared_in_one_walk),
		PLAN_TEST(empty_list_makes_everything_gone),
		PLAN_TEST(certificate_that_is_listed_twice_counts_as_listed_last),
		PLAN_TEST(policy_decides_what_enters_but_not_what_is_tracked),
		PLAN_TEST(certificate_of_another_connector_is_taken_over),
		PLAN_TEST(certificate_near_its_end_is_described),
		PLAN_TEST(expiry_between_two_looks_is_told_once),
		PLAN_TEST(expiry_before_the_first_look_is_not_told),
		PLAN_TEST(arn_must_be_of_the_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
