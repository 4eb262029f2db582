/* What ACM holds when a job looks: what others have changed, what is there already, clocks that are wrong. */
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/x509.h"
#include "store/certs.h"
#include "store/jobs.h"
#include "store/plans.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/make_cert.h"
#include "tests/lib/sample_delivery.h"

/* It may be there and not show yet: the time to wait is real time, whatever the wall clock does. */
static void a_clock_that_jumps_sends_no_import_again(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.is_first_import = true});
	job_fixture_apply(&fixture);
	fake_call_fail_at(1, ERR_TIMEOUT, "answer_lost");
	job_fixture_start(&fixture);
	fake_loop_advance_ms(5000);
	fake_clock_set_now_s(clock_now_s() + 3600);
	fake_loop_advance_ms(60000);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	assert_int_equal(outcome.phase, JOB_FIND);
	assert_int_equal(fake_call_count_of("ImportCertificate"), 1);
	job_fixture_see_end(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_int_equal(fake_call_count_of("ImportCertificate"), 2);
	job_fixture_close(&fixture);
}

static void put_back(struct store_txn *txn, void *arg)
{
	struct job_record job;
	assert_true(store_job_get(txn, arg, &job));
	job.phase = JOB_CHECK;
	job.state = JOB_RUNNING;
	job.arn = "";
	job.may_have_imported = false;
	job.import_sent_s = job.ended_s = 0;
	store_job_put(txn, &job);
}

/* A store that was restored has a job that has yet to begin, and ACM has its certificate. */
static void a_first_import_that_waited_looks_whether_it_is_there(void **state)
{
	(void)state;
	for (int is_there = 0; is_there < 2; is_there++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		struct err err = ERR_INIT;
		job_fixture_open(&fixture, &(struct job_fixture_options){.is_first_import = true});
		job_fixture_run_plan(&fixture, &outcome);
		assert_int_equal(store_write_now(fixture.store, put_back, fixture.job_id, &err), 0);
		if (!is_there) /* it is somebody else's */
			write_acm_set_tag(
				&fixture.acm.cert[0], "acmsensor:certificate-id", "another");
		fake_loop_advance_ms(3600000);
		job_fixture_run(&fixture, &outcome);
		job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
		assert_int_equal(fixture.acm.imported, is_there ? 1 : 2);
		assert_string_equal(outcome.arn, fixture.acm.cert[is_there ? 0 : 1].arn);
		assert_true(outcome.may_have_imported);
		job_fixture_close(&fixture);
	}
}

/* And its clock was set back: that the job has yet to be ordered makes it no young one. */
static void a_first_import_of_a_time_to_come_looks_whether_it_is_there(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_tear_down(NULL);
	job_fixture_open(&world, &(struct job_fixture_options){.is_first_import = true});
	job_fixture_run_plan(&world, &outcome);
	assert_int_equal(store_write_now(world.store, put_back, world.job_id, &err), 0);
	fake_clock_set_now_s(NOW_S - 3600);
	fake_call_set_clock_offset_s(3600);
	job_fixture_run(&world, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_int_equal(world.acm.imported, 1);
}

/* The host's clock is an hour ahead of AWS's, or was until the daemon was started again. */
static void a_wrong_clock_hides_no_import_whose_answer_was_lost(void **state)
{
	(void)state;
	for (int is_put_right = 0; is_put_right < 2; is_put_right++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		job_fixture_open(&fixture, &(struct job_fixture_options){.is_first_import = true});
		job_fixture_apply(&fixture);
		fixture.acm.lose_at = 1;
		fake_call_set_clock_offset_s(-3600);
		job_fixture_start(&fixture);
		while (fixture.acm.imported == 0)
			assert_true(fake_loop_step());
		fixture.acm.cert[0].created_s -= 3600;
		if (is_put_right) {
			fake_clock_set_now_s(NOW_S - 3600);
			fake_call_set_clock_offset_s(0);
			job_fixture_restart(&fixture);
		}
		job_fixture_see_end(&fixture, &outcome);
		job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
		assert_int_equal(fixture.acm.imported, 1);
		job_fixture_close(&fixture);
	}
}

/* Only AWS's clock tells that two days have not passed. */
static void a_clock_that_jumps_ahead_makes_no_job_give_up(void **state)
{
	(void)state;
	struct job_outcome outcome;
	job_fixture_apply(&world);
	fake_call_fail_from(4, ERR_THROTTLED, "ThrottlingException"); /* the import */
	job_fixture_start(&world);
	fake_loop_advance_ms(100000);
	fake_clock_set_now_s(clock_now_s() + 2 * 86400);
	fake_call_set_clock_offset_s(-2 * 86400);
	fake_loop_advance_ms(700000);
	job_fixture_outcome(&world, world.job_id, &outcome);
	assert_int_equal(outcome.state, JOB_RUNNING);
	fake_call_fail_at(0, ERR_NONE, "");
	job_fixture_see_end(&world, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
}

static void someone_elses_certificate_is_left_alone(void **state)
{
	(void)state;
	struct job_outcome outcome;
	free(world.acm.cert[0].pem);
	world.acm.cert[0].pem = strdup(world.other_pem);
	job_fixture_run_plan(&world, &outcome);
	job_fixture_expect(
		&outcome, JOB_FAILED, "void: someone else replaced it (serial 0c instead of 0a)");
	assert_int_equal(world.acm.imported, 0);
	assert_false(job_fixture_has_key(&world, PLAN_ID));
	assert_true(job_fixture_has_key(&world, "p-20261101-000000-0000000001"));
}

static bool refuse_owner(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	if (strcmp(call->operation, "AddTagsToCertificate") != 0 ||
		strstr(call->body, "\"owner\"") == NULL)
		return write_acm_answer(arg, call, ret_body, err);
	err_set(err, ERR_REFUSED, "TagPolicyException: owner: not one of the allowed values");
	err_set_code(err, "TagPolicyException");
	return true;
}

/* Without its id a certificate would not be found again, and be imported once more. */
static void tags_that_are_refused_do_not_cost_the_certificate_its_id(void **state)
{
	(void)state;
	struct job_outcome outcome;
	fake_call_set_answerer(refuse_owner, &world.acm);
	job_fixture_run_plan(&world, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED,
		"ACM holds serial 0b; warning: tags could not be set: TagPolicyException: owner");
	job_fixture_expect_tag(&world, "acmsensor:certificate-id", "shop");
	job_fixture_expect_tag(&world, "acmsensor:managed-by", "acmsensor");
	assert_null(write_acm_tag(&world.acm.cert[0], "owner"));
}

static void put_own_other(struct store_txn *txn, void *arg)
{
	struct job_fixture *fixture = arg;
	struct x509_facts facts = {.san_count = 0};
	struct err err = ERR_INIT;
	unsigned char *der = NULL;
	size_t len = 0;
	const char *at = fixture->other_pem;
	assert_int_equal(x509_pem_next(&at, at + strlen(at), &der, &len, &err), 1);
	assert_int_equal(x509_facts_from_der(der, len, &facts, &err), 0);
	struct job_record job = sample_job_running("j-9", ACCOUNT, REGION);
	job.state = JOB_SUCCEEDED;
	job.phase = JOB_DONE;
	job.arn = fixture->arn;
	memcpy(job.new_fingerprint_sha256, facts.fingerprint_sha256, CERT_SHA256_LEN);
	store_job_put(txn, &job);
	x509_facts_clear(&facts);
	free(der);
}

static void what_an_own_job_brought_is_not_called_someone_elses(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(world.store, put_own_other, &world, &err), 0);
	job_fixture_let_acm_hold(&world, world.other_pem);
	job_fixture_run_plan(&world, &outcome);
	job_fixture_expect(
		&outcome, JOB_FAILED, "void: job j-9 replaced it (serial 0c instead of 0a)");
}

/* A day may pass until they can be looked at. */
static void tags_that_others_changed_after_the_import_stay_so(void **state)
{
	(void)state;
	struct job_outcome outcome;
	job_fixture_apply(&world);
	job_fixture_start(&world);
	while (world.acm.imported == 0)
		assert_true(fake_loop_step());
	write_acm_set_tag(&world.acm.cert[0], "team", "b");
	job_fixture_restart(&world);
	job_fixture_see_end(&world, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	job_fixture_expect_tag(&world, "team", "b");
}

/* However long an import waits, by itself or for the daemon: ACM has no conditional one. */
static void what_others_bring_while_an_import_waits_is_left_alone(void **state)
{
	(void)state;
	for (int restarts = 0; restarts < 2; restarts++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		job_fixture_open(&fixture, NULL);
		job_fixture_apply(&fixture);
		fake_call_fail_from(4, ERR_THROTTLED, "ThrottlingException"); /* the import */
		job_fixture_start(&fixture);
		fake_loop_advance_ms(100000);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		assert_int_equal(outcome.phase, JOB_IMPORT);
		job_fixture_let_acm_hold(&fixture, fixture.other_pem);
		fake_call_fail_at(0, ERR_NONE, "");
		if (restarts > 0)
			job_fixture_restart(&fixture);
		job_fixture_see_end(&fixture, &outcome);
		job_fixture_expect(&outcome, JOB_FAILED,
			"void: someone else replaced it (serial 0c instead of 0a)");
		assert_int_equal(fixture.acm.imported, 0);
		job_fixture_close(&fixture);
	}
}

/* What waits goes on with what is there then, its tags included. */
static void an_import_that_waited_keeps_what_is_there_now(void **state)
{
	(void)state;
	struct job_outcome outcome;
	job_fixture_apply(&world);
	fake_call_fail_from(4, ERR_THROTTLED, "ThrottlingException"); /* the import */
	job_fixture_start(&world);
	fake_loop_advance_ms(100000);
	write_acm_set_tag(&world.acm.cert[0], "team", "b");
	fake_call_fail_at(0, ERR_NONE, "");
	job_fixture_see_end(&world, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	job_fixture_expect_tag(&world, "team", "b");
	assert_int_equal(world.acm.imported, 1);
}

static bool answer_another_arn(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	bool is_answered = write_acm_answer(arg, call, ret_body, err);
	if (strcmp(call->operation, "ImportCertificate") == 0 && *ret_body != NULL) {
		free(*ret_body);
		*ret_body = strdup("{\"CertificateArn\":\"arn:aws:acm:" REGION ":" ACCOUNT
				   ":certificate/another\"}");
	}
	return is_answered;
}

/* Whatever that means: what the job's own ARN holds is looked at. */
static void another_arn_in_the_answer_is_not_believed(void **state)
{
	(void)state;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_step step;
	uint32_t number = 0;
	bool is_told = false;
	fake_call_set_answerer(answer_another_arn, &world.acm);
	job_fixture_run_plan(&world, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_string_equal(outcome.arn, world.arn);
	assert_int_equal(world.acm.imported, 1);
	assert_int_equal(store_read_begin(world.store, &txn, &err), 0);
	while (store_job_step_next(txn, world.job_id, &number, &step))
		is_told |= strstr(step.text, "answered another ARN") != NULL;
	store_read_end(txn);
	assert_true(is_told);
}

static void what_is_there_already_is_not_imported_again(void **state)
{
	(void)state;
	struct job_outcome outcome;
	job_fixture_let_acm_hold(&world, world.new_pem);
	job_fixture_run_plan(&world, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_int_equal(fake_call_count_of("ImportCertificate"), 0);
}

/* Serials are unique for one CA only, and small CAs begin with the same. */
static void another_certificate_with_the_same_serial_is_left_alone(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	char *twin = make_cert_pem("www.example.com", 10, NOW_S - 86400, NOW_S + 60 * 86400);
	job_fixture_open(&fixture, NULL);
	job_fixture_let_acm_hold(&fixture, twin);
	job_fixture_run_plan(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_FAILED,
		"void: someone else replaced it (another certificate with serial 0a)");
	assert_int_equal(fixture.acm.imported, 0);
	job_fixture_close(&fixture);
	free(twin);
}

static void put_old_serial(struct store_txn *txn, void *arg)
{
	struct plan_record plan;
	struct err err = ERR_INIT;
	const char *at = arg;
	unsigned char *der;
	size_t len;
	assert_int_equal(x509_pem_next(&at, at + strlen(at), &der, &len, &err), 1);
	assert_true(store_plan_get(txn, PLAN_ID, &plan));
	plan.old_serial = "0b";
	SHA256(der, len, plan.old_fingerprint_sha256);
	store_plan_put(txn, &plan);
	free(der);
}

static void a_certificate_replaces_one_with_the_same_serial(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	char *twin = make_cert_pem("www.example.com", 11, NOW_S - 86400, NOW_S + 60 * 86400);
	job_fixture_open(&fixture, NULL);
	job_fixture_let_acm_hold(&fixture, twin);
	assert_int_equal(store_write_now(fixture.store, put_old_serial, twin, &err), 0);
	fixture.acm.import_stale_looks = 2;
	job_fixture_run_plan(&fixture, &outcome);
	job_fixture_expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_string_equal(fixture.acm.cert[0].pem, fixture.new_pem);
	assert_int_equal(fixture.acm.imported, 1);
	job_fixture_close(&fixture);
	free(twin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_jumps_sends_no_import_again),
		cmocka_unit_test(a_first_import_that_waited_looks_whether_it_is_there),
		JOB_TEST(a_first_import_of_a_time_to_come_looks_whether_it_is_there),
		cmocka_unit_test(a_wrong_clock_hides_no_import_whose_answer_was_lost),
		JOB_TEST(a_clock_that_jumps_ahead_makes_no_job_give_up),
		JOB_TEST(someone_elses_certificate_is_left_alone),
		JOB_TEST(tags_that_are_refused_do_not_cost_the_certificate_its_id),
		JOB_TEST(what_an_own_job_brought_is_not_called_someone_elses),
		JOB_TEST(tags_that_others_changed_after_the_import_stay_so),
		cmocka_unit_test(what_others_bring_while_an_import_waits_is_left_alone),
		JOB_TEST(an_import_that_waited_keeps_what_is_there_now),
		JOB_TEST(another_arn_in_the_answer_is_not_believed),
		JOB_TEST(what_is_there_already_is_not_imported_again),
		cmocka_unit_test(another_certificate_with_the_same_serial_is_left_alone),
		cmocka_unit_test(a_certificate_replaces_one_with_the_same_serial),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
