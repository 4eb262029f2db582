/* Plans by a certificate id: which ARN carries it, and which id an ARN is given. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/coverage.h"
#include "tests/delivery/planner_fixture.h"
#include "tests/lib/sample_delivery.h"

static void the_id_of_a_certificate_stays_with_it(void **state)
{
	(void)state;
	struct planner_answer answer;
	write_acm_set_tag(&world.acm.cert[0], "acmsensor:certificate-id", "shop");
	planner_run(&world,
		&(struct plan_request){
			.arn = world.arn, .reimport_allowed = true, .is_new_arn = true},
		&answer);
	assert_non_null(strstr(answer.document, "\"decision\":\"import\""));
	planner_expect_stored(&world, PLAN_IMPORT_NEW, "shop");
}

/* Else whoever names it by its old id would make a second one. */
static void a_certificate_that_lost_its_tag_keeps_its_id(void **state)
{
	(void)state;
	struct planner_answer answer;
	planner_run(&world, &(struct plan_request){.arn = world.arn, .reimport_allowed = true},
		&answer);
	planner_expect_stored(&world, PLAN_REFUSE, "shop"); /* the keys are of two types */
}

/* A job of this sensor that the inventory knows nothing of yet. */
struct earlier {
	const char *id, *arn, *certificate_id, *region;
	enum job_kind kind;
	int64_t age_s;
};

static void put_earlier(struct job_fixture *fixture, const struct earlier *earlier)
{
	struct job_record job = sample_job_running(earlier->id, ACCOUNT, earlier->region);
	job.kind = earlier->kind;
	job.arn = earlier->arn;
	job.certificate_id = earlier->certificate_id;
	job.phase = JOB_DONE;
	job.state = JOB_SUCCEEDED;
	job.created_s = job.ended_s = NOW_S - earlier->age_s;
	job.may_have_imported = true;
	job.old_serial = "0a";
	sample_job_put(fixture->store, &job);
}

#define NEW_ARN "arn:aws:acm:" REGION ":" ACCOUNT ":certificate/not-scanned-yet"

/* earlier: ended by a NULL id. */
static void put_jobs(struct job_fixture *fixture, const struct earlier *earlier)
{
	for (; earlier->id != NULL; earlier++)
		put_earlier(fixture, earlier);
}

static void run_after(struct earlier *earlier, const char *wanted)
{
	struct job_fixture fixture;
	struct planner_answer answer;
	job_fixture_open(&fixture, NULL);
	put_jobs(&fixture, earlier);
	planner_run(&fixture,
		&(struct plan_request){.certificate_id = "blog", .reimport_allowed = true},
		&answer);
	planner_expect_told(&answer, wanted);
	job_fixture_close(&fixture);
}

static void what_was_delivered_since_the_last_cycle_is_found_by_its_id(void **state)
{
	(void)state;
	struct earlier delivered = {
		"j-20261121-000000-00000000aa", NEW_ARN, "blog", REGION, JOB_DELIVER, 0};
	struct earlier again = delivered, deleted = delivered, elsewhere = delivered;
	struct earlier other_id = delivered, other_arn = delivered, other_deleted = delivered;
	again.id = "j-20261121-000001-00000000ab";
	deleted.id = other_deleted.id = "d-20261121-000002-00000000ac";
	deleted.kind = other_deleted.kind = JOB_DELETE;
	other_deleted.arn = NEW_ARN "-other";
	elsewhere.region = "us-east-1";
	other_id.certificate_id = "shop";
	other_arn.id = again.id;
	other_arn.arn = NEW_ARN "-other";
	run_after((struct earlier[]){delivered, again, other_deleted, {.id = NULL}}, NEW_ARN);
	run_after((struct earlier[]){delivered, deleted, {.id = NULL}}, "\"decision\":\"import\"");
	run_after((struct earlier[]){elsewhere, {.id = NULL}}, "\"decision\":\"import\"");
	run_after((struct earlier[]){other_id, {.id = NULL}}, "\"decision\":\"import\"");
	run_after((struct earlier[]){delivered, other_arn, {.id = NULL}},
		"two certificates would carry the id blog");
}

#define CAN_IMPORT "\"decision\":\"import\""
/* The keys of the fixture and of the plan are of two types. */
#define REPLACES "ACM would refuse it under this ARN: key type and size must stay"

/* Others deleted it, and no scan has told. */
static void what_acm_does_not_have_any_more_is_imported_anew(void **state)
{
	(void)state;
	struct earlier gone[] = {
		{"j-20261121-000000-00000000aa", NEW_ARN, "blog", REGION, JOB_DELIVER, 3600},
		{.id = NULL}};
	run_after(gone, CAN_IMPORT);
	run_after(gone, NEW_ARN " carried the id blog and is gone: whatever was set up with that "
				"ARN is to be given the new one");
}

/* A second certificate would come of it. */
static void what_may_have_yet_to_show_is_not_imported_again(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct planner_answer answer;
	struct earlier young[] = {
		{"j-20261121-000000-00000000aa", NEW_ARN, "blog", REGION, JOB_DELIVER, 3599},
		{.id = NULL}};
	run_after(young, "\"decision\":\"refuse\"");
	run_after(young, NEW_ARN " carries the id blog and is less than an hour old, and ACM does "
				 "not show it");
	job_fixture_open(&fixture, NULL);
	put_jobs(&fixture, young);
	planner_run(&fixture,
		&(struct plan_request){
			.certificate_id = "blog", .reimport_allowed = true, .is_new_arn = true},
		&answer);
	planner_expect_told(&answer, CAN_IMPORT);
	job_fixture_close(&fixture);
}

/* One certificate at the ARN of the fixture, and one more. */
static void run_with_two(const char *second_arn, const struct plan_request *request, int64_t age_s,
	const char *wanted)
{
	struct job_fixture fixture;
	struct planner_answer answer;
	job_fixture_open(&fixture, NULL);
	struct write_acm_cert *second =
		write_acm_add(&fixture.acm, fixture.other_pem, "the private key of other");
	if (second_arn == NULL)
		second_arn = second->arn;
	put_jobs(&fixture, (struct earlier[]){{"j-20261121-000000-00000000aa", fixture.arn, "blog",
						      REGION, JOB_DELIVER, age_s},
				   {"j-20261121-000000-00000000ab", second_arn, "blog", REGION,
					   JOB_DELIVER, age_s},
				   {.id = NULL}});
	planner_run(&fixture, request, &answer);
	planner_expect_told(&answer, wanted);
	job_fixture_close(&fixture);
}

static void two_that_carry_the_id_are_not_guessed_between(void **state)
{
	(void)state;
	const struct plan_request one = {.certificate_id = "blog", .reimport_allowed = true};
	struct plan_request new = one, off = one;
	new.is_new_arn = true;
	off.reimport_allowed = false;
	run_with_two(NULL, &one, 7200, "two certificates would carry the id blog, ");
	run_with_two(NULL, &one, 7200,
		": name the one to replace by --arn alone, or import a new one with --new-arn");
	run_with_two(NULL, &new, 7200, CAN_IMPORT);
	run_with_two(NULL, &off, 7200, CAN_IMPORT);
	run_with_two(NEW_ARN, &one, 7200, REPLACES); /* the other one is gone */
	run_with_two(NEW_ARN, &one, 60, "two certificates would carry the id blog");
}

static void too_many_that_carry_the_id_hinder_no_new_arn(void **state)
{
	(void)state;
	struct planner_answer answer;
	struct earlier many[10] = {{.id = NULL}};
	char id[9][DELIVERY_ID_MAX + 1], arn[9][128];
	struct plan_request request = {.certificate_id = "blog", .reimport_allowed = true};
	for (size_t i = 0; i < 9; i++) {
		snprintf(id[i], sizeof(id[i]), "j-20261121-000000-00000000a%zu", i);
		snprintf(arn[i], sizeof(arn[i]), NEW_ARN "-%zu", i);
		many[i] = (struct earlier){id[i], arn[i], "blog", REGION, JOB_DELIVER, 7200};
	}
	put_jobs(&world, many);
	planner_run(&world, &request, &answer);
	planner_expect_told(&answer, "more than 8 certificates carry the id blog");
	request.is_new_arn = true;
	planner_run(&world, &request, &answer);
	planner_expect_told(&answer, CAN_IMPORT);
}

static void run_given(const char *tag, const char *id, bool is_new_arn, const char *wanted)
{
	struct job_fixture fixture;
	struct planner_answer answer;
	job_fixture_open(&fixture, NULL);
	if (tag != NULL)
		write_acm_set_tag(&fixture.acm.cert[0], "acmsensor:certificate-id", tag);
	planner_run(&fixture,
		&(struct plan_request){.arn = fixture.arn,
			.certificate_id = id,
			.reimport_allowed = true,
			.is_new_arn = is_new_arn},
		&answer);
	planner_expect_told(&answer, wanted);
	job_fixture_close(&fixture);
}

static void an_arn_may_be_given_an_id_and_keeps_it(void **state)
{
	(void)state;
	run_given(NULL, "blog", false, "\"certificate_id\":\"blog\"");
	run_given(NULL, "blog", false, REPLACES);
	run_given("blog", "blog", false, REPLACES);
	run_given("shop", "blog", false,
		" carries the certificate id shop, not blog: leave out one of --arn and "
		"--certificate-id");
	run_given("shop", "blog", true, CAN_IMPORT);
	struct job_fixture fixture;
	struct planner_answer answer;
	job_fixture_open(&fixture, NULL);
	put_jobs(&fixture, (struct earlier[]){{"j-20261121-000000-00000000aa", NEW_ARN, "blog",
						      REGION, JOB_DELIVER, 60},
				   {"j-20261121-000000-00000000ab", fixture.arn, "blog", REGION,
					   JOB_DELIVER, 60},
				   {.id = NULL}});
	planner_run(&fixture,
		&(struct plan_request){
			.arn = fixture.arn, .certificate_id = "blog", .reimport_allowed = true},
		&answer);
	planner_expect_told(&answer, "two certificates would carry the id blog");
	job_fixture_close(&fixture);
}

static void deny_it(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = ACCOUNT,
					.region = REGION,
					.state = COVERAGE_DENIED,
					.reason = "acm:ListCertificates is not allowed"});
}

/* "Denied" is not "empty": one that carries the id may be there. */
static void an_id_where_nobody_ever_read_is_not_imported_anew(void **state)
{
	(void)state;
	struct planner_answer answer;
	struct err err = ERR_INIT;
	struct plan_request request = {.certificate_id = "blog", .reimport_allowed = true};
	assert_int_equal(store_write_now(world.store, deny_it, NULL, &err), 0);
	planner_run(&world, &request, &answer);
	planner_expect_told(&answer, "\"decision\":\"refuse\"");
	planner_expect_told(&answer,
		"connector prod never read them (denied: acm:ListCertificates is not "
		"allowed)");
	planner_expect_stored(&world, PLAN_REFUSE, "blog");
	request.is_new_arn = true;
	planner_run(&world, &request, &answer);
	planner_expect_told(&answer, CAN_IMPORT);
	planner_expect_told(&answer, "\"inventory_blind\"");
	planner_run(&world, &(struct plan_request){.reimport_allowed = true}, &answer);
	planner_expect_told(&answer, CAN_IMPORT);
	planner_expect_told(&answer, "\"inventory_blind\"");
	put_jobs(&world, (struct earlier[]){{"j-20261121-000000-00000000aa", world.arn, "blog",
						    REGION, JOB_DELIVER, 7200},
				 {.id = NULL}});
	request.is_new_arn = false;
	planner_run(&world, &request, &answer);
	planner_expect_told(&answer, REPLACES); /* found: this sensor delivered it */
}

static void a_new_arn_does_not_need_the_old_one(void **state)
{
	(void)state;
	struct planner_answer answer;
	planner_run(&world,
		&(struct plan_request){
			.arn = NEW_ARN, .reimport_allowed = true, .is_new_arn = true},
		&answer);
	planner_expect_told(&answer, CAN_IMPORT);
	planner_expect_told(&answer, "ACM does not have " NEW_ARN ": it was deleted or never was");
}

static void put_same(struct store_txn *txn, void *arg)
{
	const struct bundle *bundle = arg;
	struct cert_record cert = {.arn = NEW_ARN,
		.connector = "prod",
		.account_id = ACCOUNT,
		.region = REGION,
		.has_pem = true};
	memcpy(cert.fingerprint_sha256, bundle->leaf.facts.fingerprint_sha256, CERT_SHA256_LEN);
	store_cert_put(txn, &cert);
}

static void what_is_there_under_another_arn_is_told(void **state)
{
	(void)state;
	struct planner_answer answer;
	struct bundle bundle;
	struct err err = ERR_INIT;
	planner_make_bundle(&bundle);
	assert_int_equal(store_write_now(world.store, put_same, &bundle, &err), 0);
	bundle_clear(&bundle);
	planner_run(&world, &(struct plan_request){.reimport_allowed = true}, &answer);
	planner_expect_told(
		&answer, "is in ACM already, under " NEW_ARN ": there would be two of it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(the_id_of_a_certificate_stays_with_it),
		JOB_TEST(a_certificate_that_lost_its_tag_keeps_its_id),
		cmocka_unit_test(what_was_delivered_since_the_last_cycle_is_found_by_its_id),
		cmocka_unit_test(what_acm_does_not_have_any_more_is_imported_anew),
		cmocka_unit_test(what_may_have_yet_to_show_is_not_imported_again),
		cmocka_unit_test(two_that_carry_the_id_are_not_guessed_between),
		JOB_TEST(too_many_that_carry_the_id_hinder_no_new_arn),
		cmocka_unit_test(an_arn_may_be_given_an_id_and_keeps_it),
		JOB_TEST(an_id_where_nobody_ever_read_is_not_imported_anew),
		JOB_TEST(a_new_arn_does_not_need_the_old_one),
		JOB_TEST(what_is_there_under_another_arn_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
