/* Left-over secrets: only those that this sensor made and no plan needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_clock.h"
#include "tests/lib/fake_loop.h"

struct answer {
	int ends;
	size_t deleted, left;
	struct err err;
};

static void on_done(
	void *arg, const char *const *deleted, size_t count, size_t left, const struct err *err)
{
	struct answer *answer = arg;
	answer->ends++;
	answer->deleted = count;
	answer->left = left;
	answer->err = err != NULL ? *err : (struct err)ERR_INIT;
	for (size_t i = 0; i < count; i++)
		assert_non_null(strstr(deleted[i], "acmsensor/sensor1/"));
}

static struct secret_sweep *start(struct job_fixture *fixture, struct answer *answer)
{
	const struct delivery_target target = {
		.hub = fixture->hub, .hub_region = "us-east-1", .connector = "prod"};
	*answer = (struct answer){.ends = 0};
	return secret_sweep_start(fixture->delivery, &target, on_done, answer);
}

static void run(struct job_fixture *fixture, struct answer *answer)
{
	(void)start(fixture, answer);
	fake_loop_run_ready();
	assert_int_equal(answer->ends, 1);
}

static void open_world(struct job_fixture *fixture)
{
	job_fixture_open(fixture, &(struct job_fixture_options){.escrow = ESCROW_SECRETS_MANAGER});
	write_acm_put_secret(&fixture->acm, "acmsensor/other/p-1", "another sensor's");
}

static void what_a_plan_needs_stays(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	open_world(&fixture);
	run(&fixture, &answer);
	assert_int_equal(answer.err.kind, ERR_NONE);
	assert_int_equal(answer.deleted, 0);
	job_fixture_apply(&fixture);
	fake_clock_set_now_s(NOW_S + PLAN_LIFE_S); /* the job runs: its key outlives the plan */
	run(&fixture, &answer);
	assert_int_equal(answer.deleted, 0);
	job_fixture_close(&fixture);
}

static void an_expired_plans_secret_goes(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	open_world(&fixture);
	fake_clock_set_now_s(NOW_S + PLAN_LIFE_S);
	run(&fixture, &answer);
	assert_int_equal(answer.deleted, 1);
	assert_int_equal(write_acm_secrets(&fixture.acm), 1);
	job_fixture_close(&fixture);
}

/* The daemon died between the end of the job and the secret's. */
static void an_ended_jobs_secret_goes(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	struct answer answer;
	struct err err = ERR_INIT;
	open_world(&fixture);
	job_fixture_apply(&fixture);
	assert_int_equal(job_fixture_cancel_job(&fixture, &err), 0);
	job_fixture_start(&fixture);
	do {
		assert_true(fake_loop_step());
		job_fixture_outcome(&fixture, fixture.job_id, &outcome);
	} while (outcome.state == JOB_RUNNING);
	job_run_cancel(fixture.run);
	fixture.run = NULL;
	assert_int_equal(write_acm_secrets(&fixture.acm), 2);
	run(&fixture, &answer);
	assert_int_equal(answer.deleted, 1);
	job_fixture_close(&fixture);
}

static void each_call_may_fail_or_be_cancelled(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 2; n++) {
		struct job_fixture fixture;
		struct answer answer;
		open_world(&fixture);
		fake_clock_set_now_s(NOW_S + PLAN_LIFE_S);
		fake_call_fail_at(n, ERR_DENIED, "AccessDeniedException");
		run(&fixture, &answer);
		assert_int_equal(answer.err.kind, ERR_DENIED);
		assert_int_equal(answer.deleted, 0);
		assert_int_equal(answer.left, n - 1); /* unknown when they cannot be listed */
		struct secret_sweep *sweep = start(&fixture, &answer);
		for (size_t i = 1; i < n; i++)
			assert_true(fake_loop_step());
		secret_sweep_cancel(sweep);
		assert_int_equal(answer.ends, 0);
		job_fixture_close(&fixture);
	}
}

/* write_acm.h, but for so many pages in front of the last. */
static size_t pages_before;

static bool answer_pages(
	void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	if (strcmp(call->operation, "ListSecrets") != 0 || pages_before == 0)
		return write_acm_answer(arg, call, ret_body, err);
	*ret_body = xasprintf("{\"SecretList\":[],\"NextToken\":\"%zu\"}", pages_before--);
	return true;
}

static void every_page_is_read_within_a_limit(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	open_world(&fixture);
	fake_clock_set_now_s(NOW_S + PLAN_LIFE_S);
	fake_call_set_answerer(answer_pages, &fixture.acm);
	pages_before = 100000;
	run(&fixture, &answer);
	assert_int_equal(answer.err.kind, ERR_LIMIT);
	assert_int_equal(answer.deleted, 0);
	pages_before = 2;
	run(&fixture, &answer);
	assert_int_equal(answer.err.kind, ERR_NONE);
	assert_int_equal(answer.deleted, 1);
	job_fixture_close(&fixture);
}

/* Names that escrow.c never makes, whatever tag they have. */
static void what_has_another_name_is_not_ours(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	open_world(&fixture);
	write_acm_put_secret(&fixture.acm,
		"acmsensor/sensor1/of-somebody-who-writes-long-names-for-"
		"whatever-there-is",
		"not ours");
	write_acm_put_secret(&fixture.acm, "sensor1", "not ours");
	fake_clock_set_now_s(NOW_S + 2 * PLAN_LIFE_S);
	run(&fixture, &answer);
	assert_int_equal(answer.deleted, 1); /* the fixture's plan's */
	assert_int_equal(write_acm_secrets(&fixture.acm), 3);
	job_fixture_close(&fixture);
}

static void one_that_cannot_be_deleted_keeps_no_other_there(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct answer answer;
	open_world(&fixture);
	write_acm_put_secret(
		&fixture.acm, "acmsensor/sensor1/p-20261101-000000-0000000009", "a key");
	fake_clock_set_now_s(NOW_S + 2 * PLAN_LIFE_S);
	fake_call_fail_at(2, ERR_DENIED, "AccessDeniedException"); /* the first of two deletes */
	run(&fixture, &answer);
	assert_int_equal(answer.err.kind, ERR_DENIED);
	assert_int_equal(answer.deleted, 1);
	assert_int_equal(answer.left, 1);
	assert_int_equal(write_acm_secrets(&fixture.acm), 2);
	job_fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_plan_needs_stays),
		cmocka_unit_test(an_expired_plans_secret_goes),
		cmocka_unit_test(an_ended_jobs_secret_goes),
		cmocka_unit_test(each_call_may_fail_or_be_cancelled),
		cmocka_unit_test(every_page_is_read_within_a_limit),
		cmocka_unit_test(what_has_another_name_is_not_ours),
		cmocka_unit_test(one_that_cannot_be_deleted_keeps_no_other_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
