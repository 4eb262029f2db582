/* Jobs from their order to their end: what they do, and what they say. */
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/x509.h"
#include "store/certs.h"
#include "store/coverage.h"
#include "store/events.h"
#include "store/jobs.h"
#include "store/plans.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/make_cert.h"
#include "tests/lib/sample_delivery.h"

static void run_plan(struct job_fixture *fixture, struct job_outcome *ret_outcome)
{
	job_fixture_apply(fixture);
	job_fixture_start(fixture);
	job_fixture_finish(fixture);
	job_fixture_outcome(fixture, fixture->job_id, ret_outcome);
}

static void expect(const struct job_outcome *outcome, enum job_state state, const char *text)
{
	if (outcome->state != state || strstr(outcome->reason, text) == NULL)
		fail_msg("state %d: \"%s\"; expected %d \"%s\"", (int)outcome->state,
			outcome->reason, (int)state, text);
}

static void expect_tag(struct job_fixture *fixture, const char *key, const char *value)
{
	const char *text = write_acm_tag(&fixture->acm.cert[0], key);
	assert_non_null(text);
	assert_string_equal(text, value);
}

static void put_as_read(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_coverage_put(txn, &(struct coverage_record){.connector = "prod",
					.account_id = ACCOUNT,
					.region = REGION,
					.state = COVERAGE_OK,
					.code = "",
					.reason = ""});
}

/* When the inventory is to be read again there; 0: it need not. */
static int64_t changed_s(struct job_fixture *fixture)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct coverage_record record;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	assert_true(store_coverage_get(txn, "prod", ACCOUNT, REGION, &record));
	store_read_end(txn);
	return coverage_changed_s(&record);
}

static void the_inventory_is_to_see_what_was_changed(void **state)
{
	(void)state;
	for (int is_refused = 0; is_refused < 2; is_refused++) {
		struct err err = ERR_INIT;
		struct job_fixture fixture;
		struct job_outcome outcome;
		job_fixture_open(&fixture, NULL);
		assert_int_equal(store_write_now(fixture.store, put_as_read, NULL, &err), 0);
		if (is_refused)
			fake_call_fail_at(4, ERR_REFUSED, "ValidationException"); /* the import */
		run_plan(&fixture, &outcome);
		assert_int_equal(outcome.state, is_refused ? JOB_FAILED : JOB_SUCCEEDED);
		assert_int_equal(changed_s(&fixture), is_refused ? 0 : clock_now_s());
		job_fixture_close(&fixture);
	}
}

static void a_reimport_is_done_tagged_and_proved(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com"});
	fixture.acm.drops_tags = true;
	fixture.acm.import_stale_looks = 2;
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b; served by 1 of 1 host");
	assert_int_equal(
		delivery_get_stats(fixture.delivery)->ended[JOB_DELIVER][JOB_SUCCEEDED], 1);
	assert_int_equal(fixture.acm.imported, 1);
	assert_string_equal(fixture.acm.cert[0].pem, fixture.new_pem);
	assert_string_equal(fixture.acm.cert[0].key, NEW_KEY);
	expect_tag(&fixture, "team", "a"); /* it was lost, and is back */
	expect_tag(&fixture, "owner", "shop team");
	expect_tag(&fixture, "acmsensor:managed-by", "acmsensor");
	expect_tag(&fixture, "acmsensor:sensor", "sensor1");
	expect_tag(&fixture, "acmsensor:certificate-id", "shop");
	assert_non_null(strstr(outcome.evidence, "\"outcome\":\"served\""));
	assert_non_null(strstr(outcome.evidence, "\"restored\":\"team\""));
	assert_int_equal(outcome.keep_key_until_s, clock_now_s() + KEEP_KEYS_S);
	assert_string_equal(outcome.new_key_id, PLAN_ID);
	assert_string_equal(outcome.old_key_id, "p-20261101-000000-0000000001");
	assert_true(job_fixture_has_key(&fixture, PLAN_ID));
	job_fixture_close(&fixture);
}

/* One for each phase that was done, and one for the end. */
static void events_tell_what_was_done(void **state)
{
	(void)state;
	static const char *const told[] = {"deliver, check: delivery asked for",
		"deliver, check: ACM holds serial 0a, as planned",
		"deliver, keep: what the way back needs is kept",
		"deliver, import: ACM took serial 0b", "deliver, tag: tags are complete",
		"deliver, succeeded: ACM holds serial 0b"};
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct event_record event = {.sequence = 0};
	job_fixture_open(&fixture, NULL);
	run_plan(&fixture, &outcome);
	assert_int_equal(store_read_begin(fixture.store, &txn, &err), 0);
	assert_true(store_event_get_from(txn, 1, &event)); /* the store was created */
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		bool is_end = i + 1 == sizeof(told) / sizeof(told[0]);
		assert_true(store_event_get_from(txn, event.sequence + 1, &event));
		assert_string_equal(event.detail, told[i]);
		assert_int_equal(
			event.kind, is_end ? EVENT_DELIVERY_FINISHED : EVENT_DELIVERY_STEP);
		assert_string_equal(event.subject, fixture.job_id);
		assert_string_equal(event.arn, fixture.arn);
	}
	assert_false(store_event_get_from(txn, event.sequence + 1, &event));
	store_read_end(txn);
	job_fixture_close(&fixture);
}

static void a_first_import_carries_its_tags(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.is_first_import = true});
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_string_equal(outcome.arn, fixture.acm.cert[0].arn);
	expect_tag(&fixture, "owner", "shop team");
	expect_tag(&fixture, "acmsensor:certificate-id", "shop");
	assert_int_equal(fake_call_count_of("AddTagsToCertificate"), 0);
	job_fixture_close(&fixture);
}

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
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
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
		run_plan(&fixture, &outcome);
		assert_int_equal(store_write_now(fixture.store, put_back, fixture.job_id, &err), 0);
		if (!is_there) /* it is somebody else's */
			write_acm_set_tag(
				&fixture.acm.cert[0], "acmsensor:certificate-id", "another");
		fake_loop_advance_ms(3600000);
		job_fixture_start(&fixture);
		job_fixture_finish(&fixture);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
		assert_int_equal(fixture.acm.imported, is_there ? 1 : 2);
		assert_string_equal(outcome.arn, fixture.acm.cert[is_there ? 0 : 1].arn);
		assert_true(outcome.may_have_imported);
		job_fixture_close(&fixture);
	}
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
		job_fixture_finish(&fixture);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
		assert_int_equal(fixture.acm.imported, 1);
		job_fixture_close(&fixture);
	}
}

/* Only AWS's clock tells that two days have not passed. */
static void a_clock_that_jumps_ahead_makes_no_job_give_up(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, NULL);
	job_fixture_apply(&fixture);
	fake_call_fail_from(4, ERR_THROTTLED, "ThrottlingException"); /* the import */
	job_fixture_start(&fixture);
	fake_loop_advance_ms(100000);
	fake_clock_set_now_s(clock_now_s() + 2 * 86400);
	fake_call_set_clock_offset_s(-2 * 86400);
	fake_loop_advance_ms(700000);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	assert_int_equal(outcome.state, JOB_RUNNING);
	fake_call_fail_at(0, ERR_NONE, "");
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	job_fixture_close(&fixture);
}

static void let_acm_hold(struct job_fixture *fixture, const char *pem)
{
	free(fixture->acm.cert[0].pem);
	fixture->acm.cert[0].pem = strdup(pem);
}

static void someone_elses_certificate_is_left_alone(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, NULL);
	free(fixture.acm.cert[0].pem);
	fixture.acm.cert[0].pem = strdup(fixture.other_pem);
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_FAILED, "void: someone else replaced it (serial 0c instead of 0a)");
	assert_int_equal(fixture.acm.imported, 0);
	assert_false(job_fixture_has_key(&fixture, PLAN_ID));
	assert_true(job_fixture_has_key(&fixture, "p-20261101-000000-0000000001"));
	job_fixture_close(&fixture);
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
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, NULL);
	fake_call_set_answerer(refuse_owner, &fixture.acm);
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_SUCCEEDED,
		"ACM holds serial 0b; warning: tags could not be set: TagPolicyException: owner");
	expect_tag(&fixture, "acmsensor:certificate-id", "shop");
	expect_tag(&fixture, "acmsensor:managed-by", "acmsensor");
	assert_null(write_acm_tag(&fixture.acm.cert[0], "owner"));
	job_fixture_close(&fixture);
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
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	assert_int_equal(store_write_now(fixture.store, put_own_other, &fixture, &err), 0);
	let_acm_hold(&fixture, fixture.other_pem);
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_FAILED, "void: job j-9 replaced it (serial 0c instead of 0a)");
	job_fixture_close(&fixture);
}

/* A day may pass until they can be looked at. */
static void tags_that_others_changed_after_the_import_stay_so(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, NULL);
	job_fixture_apply(&fixture);
	job_fixture_start(&fixture);
	while (fixture.acm.imported == 0)
		assert_true(fake_loop_step());
	write_acm_set_tag(&fixture.acm.cert[0], "team", "b");
	job_fixture_restart(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	expect_tag(&fixture, "team", "b");
	job_fixture_close(&fixture);
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
		let_acm_hold(&fixture, fixture.other_pem);
		fake_call_fail_at(0, ERR_NONE, "");
		if (restarts > 0)
			job_fixture_restart(&fixture);
		job_fixture_finish(&fixture);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		expect(&outcome, JOB_FAILED,
			"void: someone else replaced it (serial 0c instead of 0a)");
		assert_int_equal(fixture.acm.imported, 0);
		job_fixture_close(&fixture);
	}
}

/* What waits goes on with what is there then, its tags included. */
static void an_import_that_waited_keeps_what_is_there_now(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, NULL);
	job_fixture_apply(&fixture);
	fake_call_fail_from(4, ERR_THROTTLED, "ThrottlingException"); /* the import */
	job_fixture_start(&fixture);
	fake_loop_advance_ms(100000);
	write_acm_set_tag(&fixture.acm.cert[0], "team", "b");
	fake_call_fail_at(0, ERR_NONE, "");
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	expect_tag(&fixture, "team", "b");
	assert_int_equal(fixture.acm.imported, 1);
	job_fixture_close(&fixture);
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
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_step step;
	uint32_t number = 0;
	bool is_told = false;
	job_fixture_open(&fixture, NULL);
	fake_call_set_answerer(answer_another_arn, &fixture.acm);
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_string_equal(outcome.arn, fixture.arn);
	assert_int_equal(fixture.acm.imported, 1);
	assert_int_equal(store_read_begin(fixture.store, &txn, &err), 0);
	while (store_job_step_next(txn, fixture.job_id, &number, &step))
		is_told |= strstr(step.text, "answered another ARN") != NULL;
	store_read_end(txn);
	assert_true(is_told);
	job_fixture_close(&fixture);
}

static void what_is_there_already_is_not_imported_again(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, NULL);
	let_acm_hold(&fixture, fixture.new_pem);
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_int_equal(fake_call_count_of("ImportCertificate"), 0);
	job_fixture_close(&fixture);
}

/* Serials are unique for one CA only, and small CAs begin with the same. */
static void another_certificate_with_the_same_serial_is_left_alone(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	char *twin = make_cert_pem("www.example.com", 10, NOW_S - 86400, NOW_S + 60 * 86400);
	job_fixture_open(&fixture, NULL);
	let_acm_hold(&fixture, twin);
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_FAILED,
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
	let_acm_hold(&fixture, twin);
	assert_int_equal(store_write_now(fixture.store, put_old_serial, twin, &err), 0);
	fixture.acm.import_stale_looks = 2;
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_string_equal(fixture.acm.cert[0].pem, fixture.new_pem);
	assert_int_equal(fixture.acm.imported, 1);
	job_fixture_close(&fixture);
	free(twin);
}

static void a_refusal_is_said_in_amazons_words(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, NULL);
	fake_call_set_answerer(NULL, NULL);
	job_fixture_apply(&fixture);
	fake_call_fail(&(struct fake_match){.operation = "DescribeCertificate"}, ERR_DENIED,
		"AccessDeniedException", "not authorized to perform: acm:DescribeCertificate");
	job_fixture_start(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_FAILED,
		"not authorized to perform: acm:DescribeCertificate; nothing was changed in AWS");
	job_fixture_close(&fixture);
}

static void keys_elsewhere_are_gone_at_the_end(void **state)
{
	(void)state;
	static const enum key_escrow escrows[] = {ESCROW_MEMORY, ESCROW_SECRETS_MANAGER};
	for (size_t i = 0; i < 2; i++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = escrows[i]});
		run_plan(&fixture, &outcome);
		expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
		assert_string_equal(fixture.acm.cert[0].key, NEW_KEY);
		assert_int_equal(write_acm_secrets(&fixture.acm), 0);
		assert_string_equal(outcome.new_key_id, "");
		job_fixture_close(&fixture);
	}
}

/* A secret that was just made may not be found at once; one that is gone stays away. */
static void a_secret_that_does_not_show_yet_is_waited_for(void **state)
{
	(void)state;
	for (int is_late = 0; is_late < 2; is_late++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		job_fixture_open(
			&fixture, &(struct job_fixture_options){.escrow = ESCROW_SECRETS_MANAGER});
		char *name = fixture.acm.secret_name[0];
		fixture.acm.secret_name[0] = NULL;
		job_fixture_apply(&fixture);
		job_fixture_start(&fixture);
		fake_loop_advance_ms(10000);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		assert_int_equal(outcome.state, JOB_RUNNING);
		assert_true(outcome.next_attempt_s > 0);
		if (is_late)
			fixture.acm.secret_name[0] = name;
		job_fixture_finish(&fixture);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		assert_int_equal(outcome.state, is_late ? JOB_SUCCEEDED : JOB_FAILED);
		assert_int_equal(fixture.acm.imported, is_late);
		fixture.acm.secret_name[0] = is_late ? fixture.acm.secret_name[0] : name;
		job_fixture_close(&fixture);
	}
}

/* Its plan is over long before it comes to import. */
static void a_key_in_memory_waits_for_its_job(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = ESCROW_MEMORY});
	job_fixture_apply(&fixture);
	fake_call_fail_from(1, ERR_THROTTLED, "ThrottlingException");
	job_fixture_start(&fixture);
	fake_loop_advance_ms(2000LL * PLAN_LIFE_S);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	assert_int_equal(outcome.state, JOB_RUNNING);
	fake_call_fail_from(0, ERR_NONE, "");
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	job_fixture_close(&fixture);
}

static void a_key_in_memory_is_lost_with_the_daemon(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = ESCROW_MEMORY});
	job_fixture_apply(&fixture);
	job_fixture_restart(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_FAILED, "kept in memory only");
	assert_int_equal(fixture.acm.imported, 0);
	job_fixture_close(&fixture);
}

static void one_job_at_a_time_and_one_for_a_plan(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	struct job_order delete = {.kind = JOB_DELETE, .arn = fixture.arn};
	struct job_order deliver = {.kind = JOB_DELIVER, .plan_id = PLAN_ID};
	assert_int_equal(job_fixture_order(&fixture, &deliver, &err), 0);
	assert_int_equal(job_fixture_order(&fixture, &delete, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_non_null(strstr(err.text, "one at a time"));
	struct job_order again = {.kind = JOB_DELIVER, .plan_id = PLAN_ID};
	assert_int_equal(job_fixture_order(&fixture, &again, &err), -1);
	assert_non_null(strstr(err.text, "applied already"));
	struct job_order unknown = {.kind = JOB_DELIVER, .plan_id = "p-x"};
	assert_int_equal(job_fixture_order(&fixture, &unknown, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	struct job_order back = {.kind = JOB_ROLLBACK, .of_job_id = deliver.id};
	assert_int_equal(job_fixture_order(&fixture, &back, &err), -1);
	assert_non_null(strstr(err.text, "rollback is impossible: the job is still running"));
	job_fixture_close(&fixture);
}

static void an_expired_plan_is_refused(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	fake_clock_set_now_s(NOW_S + PLAN_LIFE_S);
	struct job_order deliver = {.kind = JOB_DELIVER, .plan_id = PLAN_ID};
	assert_int_equal(job_fixture_order(&fixture, &deliver, &err), -1);
	assert_non_null(strstr(err.text, "expired at 2026-11-21T01:00:00Z: plan again"));
	job_fixture_close(&fixture);
}

static void roll_back(struct job_fixture *fixture, struct job_outcome *ret_outcome)
{
	struct err err = ERR_INIT;
	struct job_order order = {.kind = JOB_ROLLBACK};
	char id[DELIVERY_ID_MAX + 1];
	memcpy(id, fixture->job_id, sizeof(id));
	order.of_job_id = id;
	if (job_fixture_order(fixture, &order, &err) != 0)
		fail_msg("%s", err.text);
	job_fixture_start(fixture);
	job_fixture_finish(fixture);
	job_fixture_outcome(fixture, fixture->job_id, ret_outcome);
}

static void a_rollback_brings_the_old_one_back_and_can_be_undone(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com"});
	free(fixture.acm.cert[0].chain);
	fixture.acm.cert[0].chain = strdup(fixture.other_pem);
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_true(fixture.acm.cert[0].chain == NULL || fixture.acm.cert[0].chain[0] == '\0');
	roll_back(&fixture, &outcome);
	expect(&outcome, JOB_RESTORED, "ACM holds serial 0a; served by 1 of 1 host");
	assert_string_equal(fixture.acm.cert[0].pem, fixture.old_pem);
	assert_string_equal(fixture.acm.cert[0].key, OLD_KEY);
	assert_string_equal(fixture.acm.cert[0].chain, fixture.other_pem);
	roll_back(&fixture, &outcome);
	expect(&outcome, JOB_RESTORED, "ACM holds serial 0b");
	assert_string_equal(fixture.acm.cert[0].key, NEW_KEY);
	assert_int_equal(fixture.acm.imported, 3);
	job_fixture_close(&fixture);
}

static void write_due(struct store_txn *txn, void *arg)
{
	const int64_t *now_s = arg;
	store_vault_delete_due(txn, *now_s);
}

#define REQUEST_ID "q-20261101-000000-0000000001"
enum { REQUEST_LIFE_S = 90 * 86400 };

/* The plan's key is that of a request, which needs it for itself until somebody has it. */
static void put_request(struct store_txn *txn, void *arg)
{
	struct job_fixture *fixture = arg;
	struct vault_sealed sealed;
	struct plan_record plan;
	struct err err = ERR_INIT;
	struct secret key = SECRET_INIT;
	secret_set(&key, NEW_KEY, strlen(NEW_KEY));
	assert_int_equal(
		vault_seal(fixture->vault, REQUEST_ID, VAULT_KEY, &key, NOW_S, 0, &sealed, &err),
		0);
	secret_clear(&key);
	store_vault_put(txn, &sealed);
	vault_sealed_clear(&sealed);
	store_vault_need(txn, REQUEST_ID, REQUEST_ID, NOW_S + REQUEST_LIFE_S);
	assert_true(store_plan_get(txn, PLAN_ID, &plan));
	plan.key_id = REQUEST_ID;
	store_plan_put(txn, &plan);
}

static void expect_request_key_until(struct job_fixture *fixture, int64_t until_s)
{
	struct err err = ERR_INIT;
	int64_t before_s = until_s - 1;
	assert_int_equal(store_write_now(fixture->store, write_due, &before_s, &err), 0);
	assert_true(job_fixture_has_key(fixture, REQUEST_ID));
	assert_int_equal(store_write_now(fixture->store, write_due, &until_s, &err), 0);
	assert_false(job_fixture_has_key(fixture, REQUEST_ID));
}

static bool is_request_needed(struct job_fixture *fixture)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	bool is_needed = store_vault_is_needed(txn, REQUEST_ID, REQUEST_ID);
	store_read_end(txn);
	return is_needed;
}

/* Its certificate was paid for, and may be planned with again. */
static void a_request_has_its_key_back_from_a_job_that_changed_nothing(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	assert_int_equal(store_write_now(fixture.store, put_request, &fixture, &err), 0);
	job_fixture_apply(&fixture);
	assert_true(is_request_needed(&fixture));
	assert_int_equal(job_fixture_cancel_job(&fixture, &err), 0);
	job_fixture_start(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	assert_int_equal(outcome.state, JOB_CANCELLED);
	assert_false(is_request_needed(&fixture));
	expect_request_key_until(&fixture, NOW_S + REQUEST_LIFE_S);
	job_fixture_close(&fixture);
}

/* As every other one that was delivered, however young the request is. */
static void a_request_s_key_that_was_replaced_goes_when_its_time_is_over(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	assert_int_equal(store_write_now(fixture.store, put_request, &fixture, &err), 0);
	run_plan(&fixture, &outcome);
	assert_int_equal(outcome.state, JOB_SUCCEEDED);
	roll_back(&fixture, &outcome);
	assert_int_equal(outcome.state, JOB_RESTORED);
	expect_request_key_until(&fixture, clock_now_s() + KEEP_KEYS_S);
	job_fixture_close(&fixture);
}

/* Ordered in the last hour of its key, of which it needs more. */
static void a_key_stays_for_the_job_that_needs_it(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	char id[DELIVERY_ID_MAX + 1];
	job_fixture_open(&fixture, NULL);
	int64_t late_s = NOW_S + 400LL * 86400;
	job_fixture_apply(&fixture);
	assert_int_equal(store_write_now(fixture.store, write_due, &late_s, &err), 0);
	assert_true(job_fixture_has_key(&fixture, PLAN_ID));
	job_fixture_close(&fixture);
	job_fixture_open(&fixture, NULL);
	run_plan(&fixture, &outcome);
	memcpy(id, fixture.job_id, sizeof(id));
	struct job_order order = {.kind = JOB_ROLLBACK, .of_job_id = id};
	assert_int_equal(job_fixture_order(&fixture, &order, &err), 0);
	assert_int_equal(store_write_now(fixture.store, write_due, &late_s, &err), 0);
	assert_true(job_fixture_has_key(&fixture, "p-20261101-000000-0000000001"));
	job_fixture_start(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_RESTORED, "ACM holds serial 0a");
	job_fixture_close(&fixture);
}

static void an_impossible_rollback_is_refused_before_anything_is_sent(void **state)
{
	(void)state;
	static const struct {
		struct job_fixture_options options;
		const char *text;
	} row[] = {{{.is_first_import = true}, "it was a first import"},
		{{.lacks_old_key = true}, "does not keep the previous certificate's private key"}};
	for (size_t i = 0; i < 2; i++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		struct err err = ERR_INIT;
		job_fixture_open(&fixture, &row[i].options);
		run_plan(&fixture, &outcome);
		char id[DELIVERY_ID_MAX + 1];
		memcpy(id, fixture.job_id, sizeof(id));
		struct job_order order = {.kind = JOB_ROLLBACK, .of_job_id = id};
		assert_int_equal(job_fixture_order(&fixture, &order, &err), -1);
		assert_non_null(strstr(err.text, row[i].text));
		assert_int_equal(fixture.acm.imported, 1);
		job_fixture_close(&fixture);
	}
}

static void a_key_whose_time_is_over_is_no_way_back(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	run_plan(&fixture, &outcome);
	fake_clock_set_now_s(outcome.keep_key_until_s);
	char id[DELIVERY_ID_MAX + 1];
	memcpy(id, fixture.job_id, sizeof(id));
	struct job_order order = {.kind = JOB_ROLLBACK, .of_job_id = id};
	assert_int_equal(job_fixture_order(&fixture, &order, &err), -1);
	assert_non_null(strstr(err.text, "was wiped: its time was over"));
	job_fixture_close(&fixture);
}

static void an_old_certificate_that_expired_since_is_no_way_back(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	fixture.acm.import_stale_looks = 2; /* so that the key is kept for longer than it lives */
	run_plan(&fixture, &outcome);
	fake_clock_set_now_s(outcome.keep_key_until_s - 1);
	char id[DELIVERY_ID_MAX + 1];
	memcpy(id, fixture.job_id, sizeof(id));
	struct job_order order = {.kind = JOB_ROLLBACK, .of_job_id = id};
	assert_int_equal(job_fixture_order(&fixture, &order, &err), -1);
	assert_int_equal(err.kind, ERR_REFUSED);
	assert_non_null(strstr(
		err.text, "rollback is impossible: the old certificate expired on 2026-12-21"));
	assert_int_equal(fixture.acm.imported, 1);
	job_fixture_close(&fixture);
}

/* It gave up looking: if that is there nevertheless, its key is here, and a plan knows it. */
static void what_a_job_brought_that_gave_up_has_its_key(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_record job;
	job_fixture_open(&fixture, NULL);
	fixture.acm.import_stale_looks = 1000;
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_FAILED, "ACM took serial 0b but still shows serial 0a");
	assert_true(job_fixture_has_key(&fixture, PLAN_ID));
	assert_int_equal(store_read_begin(fixture.store, &txn, &err), 0);
	assert_true(store_job_get(txn, fixture.job_id, &job));
	assert_true(store_job_of_leaf(txn, fixture.arn, job.new_fingerprint_sha256, &job));
	assert_string_equal(job.new_key_id, PLAN_ID);
	store_read_end(txn);
	job_fixture_close(&fixture);
}

static void no_automatic_rollback_where_the_plan_saw_no_way_back(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com",
					   .auto_rollback = true,
					   .no_rollback = "ACM would refuse it"});
	fixture.served = fixture.old_pem;
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_SUCCEEDED,
		"still serves another certificate, and there is no way back: ACM would refuse it");
	job_fixture_running(&fixture, fixture.job_id);
	assert_string_equal(fixture.job_id, "");
	job_fixture_close(&fixture);
}

/* A renewal at the last moment: nothing is claimed that cannot be done. */
static void no_automatic_rollback_to_what_has_expired_meanwhile(void **state)
{
	(void)state;
	for (int restarts = 0; restarts < 2; restarts++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com",
						   .auto_rollback = true});
		fixture.served = fixture.old_pem;
		job_fixture_apply(&fixture);
		fake_clock_set_now_s(NOW_S + 30 * 86400 - 60);
		job_fixture_start(&fixture);
		while (fixture.acm.imported == 0)
			assert_true(fake_loop_step());
		if (restarts > 0)
			job_fixture_restart(&fixture);
		job_fixture_finish(&fixture);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		expect(&outcome, JOB_SUCCEEDED,
			"still serves another certificate, and there is no way back: the previous "
			"certificate has expired");
		job_fixture_running(&fixture, fixture.job_id);
		assert_string_equal(fixture.job_id, "");
		job_fixture_close(&fixture);
	}
}

static void a_host_that_serves_another_one_is_a_warning(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com"});
	fixture.served = fixture.old_pem;
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_SUCCEEDED,
		"served by 0 of 1 host; warning: www.example.com:443 still serves another "
		"certificate");
	assert_non_null(strstr(outcome.evidence, "\"outcome\":\"other certificate\""));
	job_fixture_close(&fixture);
	job_fixture_open(&fixture, &(struct job_fixture_options){.host = "www.example.com"});
	fixture.is_unreachable = true;
	run_plan(&fixture, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "served by 0 of 1 host; warning: 1 not reachable");
	job_fixture_close(&fixture);
}

/* The rollback is a job of its own, written with the end of the one that it undoes. */
static void automatic_rollback_when_a_host_does_not_follow(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture,
		&(struct job_fixture_options){.host = "www.example.com", .auto_rollback = true});
	fixture.served = fixture.old_pem;
	run_plan(&fixture, &outcome);
	job_fixture_running(&fixture, fixture.job_id);
	assert_string_not_equal(fixture.job_id, "");
	char expected[128];
	snprintf(expected, sizeof(expected), "after 5 minutes; rollback %s was ordered",
		fixture.job_id);
	expect(&outcome, JOB_FAILED, expected);
	job_fixture_start(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_RESTORED, "ACM holds serial 0a; served by 1 of 1 host");
	assert_string_equal(fixture.acm.cert[0].key, OLD_KEY);
	job_fixture_close(&fixture);
}

static void wipe_old_key(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_vault_delete(txn, "p-20261101-000000-0000000001");
}

/* What the plan saw may be over when it is needed. */
static void no_automatic_rollback_with_a_key_that_went_meanwhile(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture,
		&(struct job_fixture_options){.host = "www.example.com", .auto_rollback = true});
	fixture.served = fixture.old_pem;
	job_fixture_apply(&fixture);
	job_fixture_start(&fixture);
	while (fixture.acm.imported == 0)
		assert_true(fake_loop_step());
	assert_int_equal(store_write_now(fixture.store, wipe_old_key, NULL, &err), 0);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_FAILED,
		"still serves another certificate after 5 minutes; no rollback was ordered: the "
		"previous certificate's private key was wiped: its time was over");
	job_fixture_running(&fixture, fixture.job_id);
	assert_string_equal(fixture.job_id, "");
	assert_int_equal(fixture.acm.imported, 1);
	job_fixture_close(&fixture);
}

static void automatic_rollback_when_acm_holds_a_third_one(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.auto_rollback = true});
	job_fixture_apply(&fixture);
	job_fixture_start(&fixture);
	while (fixture.acm.imported == 0)
		assert_true(fake_loop_step());
	free(fixture.acm.cert[0].pem);
	fixture.acm.cert[0].pem = strdup(fixture.other_pem);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_FAILED, "ACM holds serial 0c, neither the old one");
	assert_non_null(strstr(outcome.reason, "(0b); rollback r-"));
	job_fixture_running(&fixture, fixture.job_id);
	job_fixture_start(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_RESTORED, "ACM holds serial 0a");
	job_fixture_close(&fixture);
}

static void delete_refuses_drains_and_archives(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	fixture.acm.cert[0].in_use_by = "arn:aws:elasticloadbalancing:lb";
	struct job_order order = {.kind = JOB_DELETE, .arn = fixture.arn};
	assert_int_equal(job_fixture_order(&fixture, &order, &err), 0);
	job_fixture_start(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_FAILED, "in use by arn:aws:elasticloadbalancing:lb: not deleted");
	fixture.acm.cert[0].uses_left = 5;
	struct job_order patient = {
		.kind = JOB_DELETE, .arn = fixture.arn, .wait_until_unused = true};
	assert_int_equal(job_fixture_order(&fixture, &patient, &err), 0);
	job_fixture_start(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "deleted");
	assert_int_equal(fixture.acm.deleted, 1);
	job_fixture_close(&fixture);
}

/* Right after its import. */
static void a_delete_does_not_believe_the_first_look_that_shows_nothing(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	struct job_order order = {.kind = JOB_DELETE, .arn = fixture.arn};
	assert_int_equal(job_fixture_order(&fixture, &order, &err), 0);
	fake_call_fail_at(1, ERR_NOT_FOUND, "ResourceNotFoundException");
	job_fixture_start(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "deleted");
	assert_int_equal(fixture.acm.deleted, 1);
	job_fixture_close(&fixture);
}

static void the_key_of_what_was_deleted_goes_as_one_that_was_replaced(void **state)
{
	(void)state;
	static const char key_id[] = "p-20261101-000000-0000000001"; /* kept for 90 days */
	struct job_fixture fixture;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	struct job_order order = {.kind = JOB_DELETE, .arn = fixture.arn};
	assert_int_equal(job_fixture_order(&fixture, &order, &err), 0);
	job_fixture_start(&fixture);
	job_fixture_finish(&fixture);
	assert_int_equal(fixture.acm.deleted, 1);
	int64_t due_s = clock_now_s() + KEEP_KEYS_S, before_s = due_s - 1;
	assert_int_equal(store_write_now(fixture.store, write_due, &before_s, &err), 0);
	assert_true(job_fixture_has_key(&fixture, key_id));
	assert_int_equal(store_write_now(fixture.store, write_due, &due_s, &err), 0);
	assert_false(job_fixture_has_key(&fixture, key_id));
	job_fixture_close(&fixture);
}

static void write_need_elsewhere(struct store_txn *txn, void *arg)
{
	const int64_t *until_s = arg;
	store_vault_need(txn, "p-20261101-000000-0000000001", "arn:other", *until_s);
}

/* One key of acmsensor csr may be under many ARNs. */
static void a_key_that_another_arn_has_outlives_its_replacement_and_its_delete(void **state)
{
	(void)state;
	static const char key_id[] = "p-20261101-000000-0000000001";
	static const enum job_kind kinds[] = {JOB_DELIVER, JOB_DELETE};
	for (size_t i = 0; i < 2; i++) {
		struct job_fixture fixture;
		struct err err = ERR_INIT;
		int64_t until_s = NOW_S + 300 * 86400, before_s = until_s - 1;
		job_fixture_open(&fixture, NULL);
		assert_int_equal(
			store_write_now(fixture.store, write_need_elsewhere, &until_s, &err), 0);
		struct job_order order = {.kind = kinds[i], .plan_id = PLAN_ID, .arn = fixture.arn};
		assert_int_equal(job_fixture_order(&fixture, &order, &err), 0);
		job_fixture_start(&fixture);
		job_fixture_finish(&fixture);
		assert_int_equal(fixture.acm.imported + fixture.acm.deleted, 1);
		assert_int_equal(store_write_now(fixture.store, write_due, &before_s, &err), 0);
		assert_true(job_fixture_has_key(&fixture, key_id));
		assert_int_equal(store_write_now(fixture.store, write_due, &until_s, &err), 0);
		assert_false(job_fixture_has_key(&fixture, key_id));
		job_fixture_close(&fixture);
	}
}

static void a_draining_delete_can_be_cancelled(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	fixture.acm.cert[0].in_use_by = "arn:aws:elasticloadbalancing:lb";
	struct job_order order = {
		.kind = JOB_DELETE, .arn = fixture.arn, .wait_until_unused = true};
	assert_int_equal(job_fixture_order(&fixture, &order, &err), 0);
	job_fixture_start(&fixture);
	fake_loop_advance_ms(100000);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	assert_int_equal(outcome.state, JOB_RUNNING);
	assert_true(outcome.next_attempt_s > clock_now_s());
	assert_true(outcome.attempts > 3);
	assert_int_equal(job_fixture_cancel_job(&fixture, &err), 0);
	job_fixture_restart(&fixture);
	fake_loop_run_ready();
	assert_null(fixture.run);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_CANCELLED, "nothing was changed in AWS");
	job_fixture_close(&fixture);
}

/* However a cancel and the import meet: either nothing was sent, or the job goes on to its end. */
static void a_cancel_at_any_moment_is_heard_or_too_late(void **state)
{
	(void)state;
	size_t cancelled = 0, late = 0;
	bool is_over = false;
	for (int steps = 0; !is_over; steps++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		struct err err = ERR_INIT;
		job_fixture_open(&fixture, NULL);
		job_fixture_apply(&fixture);
		job_fixture_start(&fixture);
		for (int i = 0; i < steps && fixture.run != NULL; i++)
			(void)fake_loop_step();
		is_over = fixture.run == NULL;
		bool is_cancelled = job_fixture_cancel_job(&fixture, &err) == 0;
		job_fixture_finish(&fixture);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		assert_int_equal(outcome.state, is_cancelled ? JOB_CANCELLED : JOB_SUCCEEDED);
		assert_int_equal(fixture.acm.imported, is_cancelled ? 0 : 1);
		assert_int_equal(fake_call_count_of("ImportCertificate"), is_cancelled ? 0 : 1);
		assert_int_equal(outcome.may_have_imported, !is_cancelled);
		cancelled += is_cancelled;
		late += !is_cancelled;
		job_fixture_close(&fixture);
	}
	assert_true(cancelled > 5 && late > 5);
}

static void put_chain(struct store_txn *txn, void *arg)
{
	struct job_fixture *fixture = arg;
	struct plan_record plan;
	struct err err = ERR_INIT;
	const char *at = fixture->other_pem;
	unsigned char *der;
	size_t len;
	assert_int_equal(x509_pem_next(&at, at + strlen(at), &der, &len, &err), 1);
	assert_true(store_plan_get(txn, PLAN_ID, &plan));
	plan.chain_count = 1;
	SHA256(der, len, plan.chain_sha256[0]);
	store_pem_put(txn, plan.chain_sha256[0], der, len);
	store_plan_put(txn, &plan);
	free(der);
}

static void the_chain_of_the_plan_is_sent(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	assert_int_equal(store_write_now(fixture.store, put_chain, &fixture, &err), 0);
	run_plan(&fixture, &outcome);
	assert_int_equal(outcome.state, JOB_SUCCEEDED);
	assert_string_equal(fixture.acm.cert[0].chain, fixture.other_pem);
	job_fixture_close(&fixture);
}

/* ACM may show what a rollback brings before it was sent (a late read, a person who was faster): then
 * what it replaces is not seen, and has its chain all the same when that is undone. */
static void a_rollback_that_did_not_see_the_chain_can_be_undone_with_it(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	assert_int_equal(store_write_now(fixture.store, put_chain, &fixture, &err), 0);
	run_plan(&fixture, &outcome);
	for (int i = 0; i < 2; i++) { /* of the delivery, then of a rollback */
		let_acm_hold(&fixture, fixture.old_pem);
		roll_back(&fixture, &outcome);
		expect(&outcome, JOB_RESTORED, "ACM holds serial 0a");
		assert_string_equal(fixture.acm.cert[0].chain, "");
		roll_back(&fixture, &outcome);
		expect(&outcome, JOB_RESTORED, "ACM holds serial 0b");
		assert_string_equal(fixture.acm.cert[0].chain, fixture.other_pem);
	}
	job_fixture_close(&fixture);
}

static void take_plan_away(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_plan_delete(txn, PLAN_ID);
}

static void take_leaf_away(struct store_txn *txn, void *arg)
{
	struct plan_record plan;
	(void)arg;
	assert_true(store_plan_get(txn, PLAN_ID, &plan));
	memset(plan.leaf_sha256, 7, sizeof(plan.leaf_sha256));
	store_plan_put(txn, &plan);
}

/* A store that lost it; nothing is asked of AWS any more. */
static void a_job_without_what_it_brings_fails(void **state)
{
	(void)state;
	static const struct {
		store_write_fn *take_away;
		const char *says;
	} row[] = {{take_plan_away, "plan " PLAN_ID " is not in the store"},
		{take_leaf_away, "a certificate of the job is not in the store"}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct job_fixture fixture;
		struct job_outcome outcome;
		struct err err = ERR_INIT;
		job_fixture_open(&fixture, NULL);
		job_fixture_apply(&fixture);
		assert_int_equal(store_write_now(fixture.store, row[i].take_away, NULL, &err), 0);
		job_fixture_start(&fixture);
		job_fixture_finish(&fixture);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		expect(&outcome, JOB_FAILED, row[i].says);
		assert_false(outcome.may_have_imported);
		assert_int_equal(fake_call_count(), 0);
		job_fixture_close(&fixture);
	}
}

/* ACM may hold its certificate. */
static void a_job_without_what_it_brought_keeps_its_key(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	job_fixture_apply(&fixture);
	job_fixture_start(&fixture);
	while (fixture.acm.imported == 0)
		assert_true(fake_loop_step());
	assert_int_equal(store_write_now(fixture.store, take_plan_away, NULL, &err), 0);
	job_fixture_restart(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_FAILED, "plan " PLAN_ID " is not in the store; serial 0b was sent");
	int64_t due_s = clock_now_s() + KEEP_KEYS_S, before_s = due_s - 1;
	assert_int_equal(store_write_now(fixture.store, write_due, &before_s, &err), 0);
	assert_true(job_fixture_has_key(&fixture, PLAN_ID));
	assert_int_equal(store_write_now(fixture.store, write_due, &due_s, &err), 0);
	assert_false(job_fixture_has_key(&fixture, PLAN_ID));
	job_fixture_close(&fixture);
}

static struct err no_way_in(void)
{
	struct err err = ERR_INIT;
	err_set(&err, ERR_ROLE, "account " ACCOUNT ": not authorized to perform: sts:AssumeRole");
	return err;
}

static void a_job_that_cannot_enter_its_account_says_so(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	const struct err why = no_way_in();
	job_fixture_open(&fixture, NULL);
	job_fixture_apply(&fixture);
	job_fixture_be_away(&fixture, &why);
	assert_int_equal(fixture.err.kind, ERR_ROLE);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_RUNNING,
		"not authorized to perform: sts:AssumeRole; will be tried again");
	assert_int_equal(outcome.next_attempt_s, clock_now_s() + 30);
	job_fixture_start(&fixture); /* the way is open again */
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	job_fixture_close(&fixture);
}

static void a_job_that_cannot_enter_its_account_ends_all_the_same(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	const struct err why = no_way_in();
	job_fixture_open(&fixture, NULL);
	job_fixture_apply(&fixture);
	fake_clock_set_now_s(NOW_S + 86400);
	job_fixture_be_away(&fixture, &why);
	assert_int_equal(fixture.err.kind, ERR_NONE);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_FAILED, "given up after 24 hours: account " ACCOUNT);
	assert_non_null(strstr(outcome.reason, "; nothing was changed in AWS"));
	assert_false(job_fixture_has_key(&fixture, PLAN_ID));
	job_fixture_close(&fixture);
	static const enum key_escrow escrows[] = {
		ESCROW_SENSOR, ESCROW_MEMORY, ESCROW_SECRETS_MANAGER};
	for (size_t i = 0; i < 3; i++) {
		job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = escrows[i]});
		job_fixture_apply(&fixture);
		assert_int_equal(job_fixture_cancel_job(&fixture, &err), 0);
		job_fixture_be_away(&fixture, &why);
		assert_int_equal(fixture.err.kind, ERR_NONE);
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		expect(&outcome, JOB_CANCELLED, "nothing was changed in AWS");
		assert_int_equal(fake_call_count_of("DeleteSecret"), 0); /* the sweep's */
		job_fixture_close(&fixture);
	}
}

static size_t count_steps(struct job_fixture *fixture, const char *part)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct job_step step;
	uint32_t number = 0;
	size_t count = 0;
	assert_int_equal(store_read_begin(fixture->store, &txn, &err), 0);
	while (store_job_step_next(txn, fixture->job_id, &number, &step))
		count += strstr(step.text, part) != NULL;
	store_read_end(txn);
	return count;
}

/* Its connector was taken out of the configuration: nobody but a person can look there. */
static void a_secret_that_cannot_be_reached_is_told(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct err err = ERR_INIT;
	const struct err why = no_way_in();
	job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = ESCROW_SECRETS_MANAGER});
	job_fixture_apply(&fixture);
	assert_int_equal(job_fixture_cancel_job(&fixture, &err), 0);
	job_fixture_be_away(&fixture, &why);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_CANCELLED, "nothing was changed in AWS");
	static const char left_over[] =
		"the private key could not be deleted from AWS Secrets Manager (secret "
		"acmsensor/sensor1/" PLAN_ID "): there is no connector to delete it with";
	assert_int_equal(count_steps(&fixture, left_over), 1);
	expect(&outcome, JOB_CANCELLED, left_over); /* the record keeps it */
	job_fixture_close(&fixture);
}

#define LEFT_OVER                                                                                  \
	"the private key could not be deleted from AWS Secrets Manager (secret "                   \
	"acmsensor/sensor1/" PLAN_ID "): "

/* Who waits for the job must not hear that all is well. */
static void a_success_tells_that_its_key_is_left_over(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = ESCROW_SECRETS_MANAGER});
	job_fixture_apply(&fixture);
	job_fixture_start(&fixture);
	fixture.acm.keeps_secrets = true;
	while (fake_call_count_of("DeleteSecret") < 2) {
		assert_true(fake_loop_step());
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
		assert_int_equal(outcome.state, JOB_RUNNING);
	}
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_SUCCEEDED,
		"ACM holds serial 0b; warning: " LEFT_OVER "acm: AccessDeniedException");
	assert_non_null(strstr(outcome.reason,
		"; the sensor goes on trying, and acmsensor status tells while it is there"));
	assert_int_equal(delivery_get_stats(fixture.delivery)->keys_left, 1);
	assert_int_equal(fixture.acm.imported, 1);
	job_fixture_close(&fixture);
}

/* It goes first: a daemon that dies then proves the delivery again, without it. */
static void a_success_whose_key_has_gone_is_told_after_a_kill(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	job_fixture_open(&fixture, &(struct job_fixture_options){.escrow = ESCROW_SECRETS_MANAGER});
	job_fixture_apply(&fixture);
	job_fixture_start(&fixture);
	while (write_acm_secrets(&fixture.acm) > 0)
		assert_true(fake_loop_step());
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	assert_int_equal(outcome.state, JOB_RUNNING);
	job_fixture_restart(&fixture);
	job_fixture_finish(&fixture);
	job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	expect(&outcome, JOB_SUCCEEDED, "ACM holds serial 0b");
	assert_null(strstr(outcome.reason, "warning"));
	assert_int_equal(fixture.acm.imported, 1);
	job_fixture_close(&fixture);
}

/* However long the daemon was away. */
static void an_old_job_keeps_its_arn(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct err err = ERR_INIT;
	job_fixture_open(&fixture, NULL);
	job_fixture_apply(&fixture);
	fake_clock_set_now_s(NOW_S + 30 * 86400);
	struct job_order order = {.kind = JOB_DELETE, .arn = fixture.arn};
	assert_int_equal(job_fixture_order(&fixture, &order, &err), -1);
	assert_non_null(strstr(err.text, "one at a time"));
	job_fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reimport_is_done_tagged_and_proved),
		cmocka_unit_test(the_inventory_is_to_see_what_was_changed),
		cmocka_unit_test(events_tell_what_was_done),
		cmocka_unit_test(a_first_import_carries_its_tags),
		cmocka_unit_test(a_first_import_that_waited_looks_whether_it_is_there),
		cmocka_unit_test(a_clock_that_jumps_sends_no_import_again),
		cmocka_unit_test(a_wrong_clock_hides_no_import_whose_answer_was_lost),
		cmocka_unit_test(a_clock_that_jumps_ahead_makes_no_job_give_up),
		cmocka_unit_test(someone_elses_certificate_is_left_alone),
		cmocka_unit_test(tags_that_are_refused_do_not_cost_the_certificate_its_id),
		cmocka_unit_test(what_an_own_job_brought_is_not_called_someone_elses),
		cmocka_unit_test(tags_that_others_changed_after_the_import_stay_so),
		cmocka_unit_test(what_others_bring_while_an_import_waits_is_left_alone),
		cmocka_unit_test(an_import_that_waited_keeps_what_is_there_now),
		cmocka_unit_test(another_arn_in_the_answer_is_not_believed),
		cmocka_unit_test(what_is_there_already_is_not_imported_again),
		cmocka_unit_test(another_certificate_with_the_same_serial_is_left_alone),
		cmocka_unit_test(a_certificate_replaces_one_with_the_same_serial),
		cmocka_unit_test(a_refusal_is_said_in_amazons_words),
		cmocka_unit_test(keys_elsewhere_are_gone_at_the_end),
		cmocka_unit_test(a_secret_that_does_not_show_yet_is_waited_for),
		cmocka_unit_test(a_key_in_memory_waits_for_its_job),
		cmocka_unit_test(a_key_in_memory_is_lost_with_the_daemon),
		cmocka_unit_test(one_job_at_a_time_and_one_for_a_plan),
		cmocka_unit_test(an_expired_plan_is_refused),
		cmocka_unit_test(a_rollback_brings_the_old_one_back_and_can_be_undone),
		cmocka_unit_test(a_request_has_its_key_back_from_a_job_that_changed_nothing),
		cmocka_unit_test(a_request_s_key_that_was_replaced_goes_when_its_time_is_over),
		cmocka_unit_test(a_key_stays_for_the_job_that_needs_it),
		cmocka_unit_test(an_impossible_rollback_is_refused_before_anything_is_sent),
		cmocka_unit_test(a_key_whose_time_is_over_is_no_way_back),
		cmocka_unit_test(an_old_certificate_that_expired_since_is_no_way_back),
		cmocka_unit_test(what_a_job_brought_that_gave_up_has_its_key),
		cmocka_unit_test(no_automatic_rollback_where_the_plan_saw_no_way_back),
		cmocka_unit_test(no_automatic_rollback_to_what_has_expired_meanwhile),
		cmocka_unit_test(a_host_that_serves_another_one_is_a_warning),
		cmocka_unit_test(automatic_rollback_when_a_host_does_not_follow),
		cmocka_unit_test(no_automatic_rollback_with_a_key_that_went_meanwhile),
		cmocka_unit_test(automatic_rollback_when_acm_holds_a_third_one),
		cmocka_unit_test(delete_refuses_drains_and_archives),
		cmocka_unit_test(a_delete_does_not_believe_the_first_look_that_shows_nothing),
		cmocka_unit_test(the_key_of_what_was_deleted_goes_as_one_that_was_replaced),
		cmocka_unit_test(
			a_key_that_another_arn_has_outlives_its_replacement_and_its_delete),
		cmocka_unit_test(a_draining_delete_can_be_cancelled),
		cmocka_unit_test(a_cancel_at_any_moment_is_heard_or_too_late),
		cmocka_unit_test(the_chain_of_the_plan_is_sent),
		cmocka_unit_test(a_rollback_that_did_not_see_the_chain_can_be_undone_with_it),
		cmocka_unit_test(a_job_without_what_it_brings_fails),
		cmocka_unit_test(a_job_without_what_it_brought_keeps_its_key),
		cmocka_unit_test(a_job_that_cannot_enter_its_account_says_so),
		cmocka_unit_test(a_job_that_cannot_enter_its_account_ends_all_the_same),
		cmocka_unit_test(a_secret_that_cannot_be_reached_is_told),
		cmocka_unit_test(a_success_tells_that_its_key_is_left_over),
		cmocka_unit_test(a_success_whose_key_has_gone_is_told_after_a_kill),
		cmocka_unit_test(an_old_job_keeps_its_arn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
