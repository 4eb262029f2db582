/* Which ARN a plan is for, answer by answer; tests/delivery/planner_id_test.c has whole plans. */
#include "delivery/arn_choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "delivery/delivery_internal.h"
#include "tests/lib/sample_delivery.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

#define ACCOUNT "111122223333"
#define REGION	"eu-west-1"
#define ARN	"arn:aws:acm:" REGION ":" ACCOUNT ":certificate/"

enum { NOW_S = SAMPLE_NOW_S, OLD_S = CERTIFICATE_ID_SHOWS_S, YOUNG_S = OLD_S - 1 };

static const struct delivery_target place = {
	.connector = "prod", .partition = "aws", .account_id = ACCOUNT, .region = REGION};

static struct arn_choice choice;

static void choose(const char *arn, const char *certificate_id, bool may_reimport)
{
	arn_choice_init(&choice, arn, certificate_id, may_reimport, NOW_S);
}

static int clear_choice(void **state)
{
	(void)state;
	arn_choice_clear(&choice);
	return 0;
}

/* As arn_choice_find would have it. */
static void add_carrier(const char *arn, int64_t age_s)
{
	struct certificate_id_arn *item = &choice.carriers.item[choice.carriers.count++];
	snprintf(item->arn, sizeof(item->arn), "%s", arn);
	item->since_s = NOW_S - age_s;
}

static void expect_next(const char *arn)
{
	const char *next = arn_choice_next(&choice);
	if (arn == NULL)
		assert_null(next);
	else
		assert_string_equal(next, arn);
}

/* What ACM has, with that id for its tag; NULL: none. */
static int take_there(const char *tagged, struct err *err)
{
	struct remote_state there = {.exists = true};
	if (tagged != NULL)
		there.tags.item[there.tags.count++] = (struct acm_tag){
			.key = xstrdup(TAG_CERTIFICATE_ID), .value = xstrdup(tagged)};
	int rc = arn_choice_take(&choice, &there, err);
	remote_state_clear(&there);
	return rc;
}

static void expect_taken(bool exists)
{
	struct err err = ERR_INIT;
	struct remote_state missing = {.exists = false};
	assert_int_equal(
		exists ? take_there(NULL, &err) : arn_choice_take(&choice, &missing, &err), 0);
}

static void nothing_given_is_nothing_to_read(void **state)
{
	(void)state;
	choose(NULL, NULL, true);
	expect_next(NULL);
	assert_string_equal(choice.arn, "");
	assert_false(choice.has_remote);
}

static void the_given_one_is_read_first_and_once(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	choose(ARN "a", "shop", true);
	add_carrier(ARN "a", OLD_S);
	add_carrier(ARN "b", OLD_S);
	expect_next(ARN "a");
	assert_int_equal(take_there("shop", &err), 0);
	expect_next(ARN "b");
	expect_taken(false);
	expect_next(NULL);
	assert_string_equal(choice.arn, ARN "a");
	assert_true(choice.has_remote && choice.remote.exists);
	assert_string_equal(certificate_id_tagged(&choice.remote), "shop"); /* was taken over */
	assert_string_equal(choice.former_arn, ARN "b");
}

static void what_acm_lacks_under_the_given_one_is_known_of_it(void **state)
{
	(void)state;
	choose(ARN "a", "", true);
	expect_next(ARN "a");
	expect_taken(false);
	expect_next(NULL);
	assert_true(choice.has_remote);
	assert_false(choice.remote.exists);
	assert_false(choice.is_unseen);
}

static void the_given_one_keeps_its_id_unless_it_is_left_alone(void **state)
{
	(void)state;
	static const struct {
		const char *tagged, *id;
		bool may_reimport, is_refused;
	} row[] = {{NULL, "blog", true, false}, {"blog", "blog", true, false},
		{"shop", "", true, false}, {"shop", "blog", false, false},
		{"shop", "blog", true, true}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct err err = ERR_INIT;
		choose(ARN "a", row[i].id, row[i].may_reimport);
		expect_next(ARN "a");
		int rc = take_there(row[i].tagged, &err);
		assert_int_equal(rc, row[i].is_refused ? -1 : 0);
		assert_int_equal(err.kind, row[i].is_refused ? ERR_CONFIG : ERR_NONE);
		if (row[i].is_refused)
			assert_string_equal(err.text,
				ARN "a carries the certificate id shop, not blog: leave out one of "
				    "--arn and --certificate-id");
		arn_choice_clear(&choice);
	}
}

static void the_one_that_carries_the_id_is_chosen(void **state)
{
	(void)state;
	choose("", "shop", true);
	add_carrier(ARN "a", OLD_S);
	add_carrier(ARN "b", YOUNG_S);
	expect_next(ARN "a");
	expect_taken(false);
	expect_next(ARN "b");
	expect_taken(true);
	expect_next(NULL);
	assert_string_equal(choice.arn, ARN "b");
	assert_string_equal(choice.former_arn, ARN "a");
	assert_true(choice.has_remote && choice.remote.exists);
	assert_false(choice.is_unseen);
}

/* With a new ARN it would hinder nobody. */
static void one_that_may_have_yet_to_show_is_chosen_for_a_reimport(void **state)
{
	(void)state;
	for (int may_reimport = 0; may_reimport < 2; may_reimport++) {
		choose("", "shop", may_reimport != 0);
		add_carrier(ARN "a", YOUNG_S);
		expect_next(ARN "a");
		expect_taken(false);
		expect_next(NULL);
		assert_string_equal(choice.arn, may_reimport ? ARN "a" : "");
		assert_int_equal(choice.is_unseen, may_reimport);
		assert_int_equal(choice.has_remote, may_reimport);
		assert_string_equal(choice.former_arn, "");
		arn_choice_clear(&choice);
	}
}

static void a_second_one_is_refused_where_one_is_replaced(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	choose("", "shop", false);
	add_carrier(ARN "a", OLD_S);
	add_carrier(ARN "b", OLD_S);
	expect_next(ARN "a");
	expect_taken(true);
	expect_next(ARN "b");
	expect_taken(true);
	assert_string_equal(choice.arn, ARN "a");
	arn_choice_clear(&choice);
	choose("", "shop", true);
	add_carrier(ARN "a", OLD_S);
	add_carrier(ARN "b", OLD_S);
	expect_next(ARN "a");
	expect_taken(true);
	expect_next(ARN "b");
	assert_int_equal(take_there(NULL, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_string_equal(err.text,
		"two certificates would carry the id shop, " ARN "a and " ARN "b: name the one to "
		"replace by --arn alone, or import a new one with --new-arn");
}

static void what_was_given_must_be_an_arn_of_the_place_and_an_id(void **state)
{
	(void)state;
	static const struct {
		const char *arn, *id, *text;
	} row[] = {{"", "", NULL}, {ARN "a", "shop", NULL},
		{"", "no blanks", "the certificate id \"no blanks\" is not 1 to"},
		{"arn:aws:acm:us-east-1:" ACCOUNT ":certificate/a", "", "region us-east-1"},
		{"not an ARN", "", "not the ARN of an ACM certificate: not an ARN"}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct err err = ERR_INIT;
		choose(row[i].arn, row[i].id, true);
		int rc = arn_choice_check(&choice, &place, &err);
		assert_int_equal(rc, row[i].text != NULL ? -1 : 0);
		assert_int_equal(err.kind, row[i].text != NULL ? ERR_CONFIG : ERR_NONE);
		if (row[i].text != NULL && strstr(err.text, row[i].text) == NULL)
			fail_msg("\"%s\" lacks \"%s\"", err.text, row[i].text);
		arn_choice_clear(&choice);
	}
}

static int find(struct err *err)
{
	struct store_txn *txn = store_fixture_read();
	int rc = arn_choice_find(&choice, txn, &place, err);
	store_read_end(txn);
	return rc;
}

static void deliver(const char *job_id, const char *arn)
{
	struct job_record job = sample_job_running(job_id, ACCOUNT, REGION);
	job.kind = JOB_DELIVER;
	job.phase = JOB_DONE;
	job.state = JOB_SUCCEEDED;
	job.may_have_imported = true;
	job.arn = arn;
	job.certificate_id = "shop";
	job.created_s = job.ended_s = NOW_S;
	sample_job_put(store, &job);
}

static void those_that_carry_the_id_are_found_in_the_store(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	deliver("j-20261121-000000-0000000001", ARN "a");
	choose("", "", true);
	assert_int_equal(find(&err), 0);
	expect_next(NULL);
	arn_choice_clear(&choice);
	choose("", "shop", true);
	assert_int_equal(find(&err), 0);
	expect_next(ARN "a");
}

static void too_many_hinder_a_reimport_alone(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	for (size_t i = 0; i <= CERTIFICATE_ID_ARNS_MAX; i++) {
		char id[DELIVERY_ID_MAX + 1], arn[CERT_ARN_MAX + 1];
		snprintf(id, sizeof(id), "j-20261121-000000-000000000%zu", i);
		snprintf(arn, sizeof(arn), ARN "%zu", i);
		deliver(id, arn);
	}
	choose("", "shop", false);
	assert_int_equal(find(&err), 0);
	assert_int_equal(err.kind, ERR_NONE);
	arn_choice_clear(&choice);
	choose("", "shop", true);
	assert_int_equal(find(&err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_non_null(strstr(err.text, "more than 8 certificates carry the id shop"));
}

static int close_store(void **state)
{
	clear_choice(state);
	return store_fixture_close(state);
}

#define TEST(name)	 cmocka_unit_test_teardown(name, clear_choice)
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, store_fixture_open, close_store)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_given_is_nothing_to_read),
		TEST(the_given_one_is_read_first_and_once),
		TEST(what_acm_lacks_under_the_given_one_is_known_of_it),
		TEST(the_given_one_keeps_its_id_unless_it_is_left_alone),
		TEST(the_one_that_carries_the_id_is_chosen),
		TEST(one_that_may_have_yet_to_show_is_chosen_for_a_reimport),
		TEST(a_second_one_is_refused_where_one_is_replaced),
		TEST(what_was_given_must_be_an_arn_of_the_place_and_an_id),
		STORE_TEST(those_that_carry_the_id_are_found_in_the_store),
		STORE_TEST(too_many_hinder_a_reimport_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
