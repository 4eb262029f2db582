/* The decisions of a job that deletes: it refuses or waits while somebody uses the certificate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/delivery/job_next_fixture.h"

/* A wait of days outlives a denial of minutes; one that is denied from the begin says so at once. */
static void a_delete_that_drains_outlives_a_denial(void **state)
{
	(void)state;
	static const enum err_kind kinds[] = {ERR_DENIED, ERR_DENIED_BY_SCP, ERR_ROLE};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct err err = job_next_err(kinds[i], "AccessDenied");
		struct job_known known = job_known_failed(JOB_DRAIN, &err);
		known.kind = JOB_DELETE;
		job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "nothing was changed");
		known.last_wait_s = 4;
		job_next_expect(
			&known, JOB_DRAIN, JOB_RUNNING, 8, "what AWS said; will be tried again");
		known.created_s -= JOB_DRAIN_LIFE_S;
		job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "given up after 168 hours");
	}
}

static void delete_waits_or_refuses_while_in_use(void **state)
{
	(void)state;
	struct job_known known = job_known_in(JOB_CHECK);
	known.kind = JOB_DELETE;
	known.holds = JOB_HOLDS_OTHER;
	job_next_expect(&known, JOB_DELETE_CALL, JOB_RUNNING, 0, "archived");
	known.in_use_by = "arn:lb";
	job_next_expect_reason(&known,
		"in use by arn:lb: not deleted; nothing was changed in AWS: take it "
		"out of use there, or delete with --wait-until-unused");
	known.phase = JOB_DRAIN;
	job_next_expect(&known, JOB_DRAIN, JOB_RUNNING, 1, "in use by arn:lb");
	known.last_wait_s = 64;
	job_next_expect(&known, JOB_DRAIN, JOB_RUNNING, 128, "in use by arn:lb");
	known.last_wait_s = 256;
	job_next_expect(&known, JOB_DRAIN, JOB_RUNNING, JOB_RETRY_MAX_S, "in use by arn:lb");
	known.created_s -= JOB_DRAIN_LIFE_S;
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "nothing was changed");
	known.last_wait_s = 0;
	known.holds = JOB_HOLDS_NOTHING; /* or what was imported a moment ago does not show yet */
	job_next_expect(&known, JOB_DRAIN, JOB_RUNNING, 1, "shows no certificate under this ARN");
	known.phase = JOB_CHECK;
	known.created_s += JOB_DRAIN_LIFE_S;
	job_next_expect(&known, JOB_CHECK, JOB_RUNNING, 1, "shows no certificate under this ARN");
	known.began_s -= JOB_FIND_PATIENCE_S;
	job_next_expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "nothing to delete");
}

static void delete_call_is_repeated_safely(void **state)
{
	(void)state;
	struct job_known known = job_known_in(JOB_DELETE_CALL);
	known.kind = JOB_DELETE;
	known.is_sent = true;
	job_next_expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "deleted");
	struct err err = job_next_err(ERR_NOT_FOUND, "ResourceNotFoundException");
	known.err = &err;
	job_next_expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "deleted");
	err = job_next_err(ERR_REFUSED, "ResourceInUseException");
	job_next_expect(&known, JOB_DELETE_CALL, JOB_RUNNING, 1, "lags");
	known.now_s += JOB_IN_USE_PATIENCE_S;
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "nothing was changed");
	err = job_next_err(ERR_REFUSED, "ConflictException");
	job_next_expect(
		&known, JOB_DELETE_CALL, JOB_RUNNING, 1, "what AWS said; will be tried again");
	/* Its session ended: nothing was asked of ACM. */
	err = job_next_err(ERR_ROLE, "AccessDenied");
	job_next_expect(
		&known, JOB_DELETE_CALL, JOB_RUNNING, 1, "what AWS said; will be tried again");
	err = job_next_err(ERR_TIMEOUT, "");
	job_next_expect(&known, JOB_DELETE_CALL, JOB_RUNNING, 1, "will be tried again");
	known.created_s = known.began_s -= JOB_LIFE_S;
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "given up after 24 hours: what AWS said");
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "not known whether");
	err = job_next_err(ERR_DENIED, "AccessDeniedException");
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "refused to delete");
}

/* Its life was spent on waiting for the last user, not on being tried. */
static void a_delete_that_drained_for_days_has_its_time_too(void **state)
{
	(void)state;
	struct err err = job_next_err(ERR_THROTTLED, "ThrottlingException");
	struct job_known known = job_known_failed(JOB_DELETE_CALL, &err);
	known.kind = JOB_DELETE;
	known.created_s -= JOB_DRAIN_LIFE_S;
	job_next_expect(&known, JOB_DELETE_CALL, JOB_RUNNING, 1, "will be tried again");
	known.created_s -= JOB_LIFE_S; /* nor for ever, started again and again */
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "given up after 192 hours");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_delete_that_drains_outlives_a_denial),
		cmocka_unit_test(delete_waits_or_refuses_while_in_use),
		cmocka_unit_test(delete_call_is_repeated_safely),
		cmocka_unit_test(a_delete_that_drained_for_days_has_its_time_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
