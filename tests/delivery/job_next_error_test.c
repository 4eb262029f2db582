/* The decisions of a job whose call failed: what ends it, what is tried again, what is looked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/job_error.h"
#include "tests/delivery/job_next_fixture.h"

static void a_failure_says_what_a_person_does_next(void **state)
{
	(void)state;
	struct err err = job_next_err(ERR_DENIED, "");
	struct job_known known = job_known_failed(JOB_CHECK, &err);
	known.kind = JOB_ROLLBACK;
	job_next_expect_reason(&known,
		"what AWS said; nothing was changed in AWS: order it again when that "
		"is mended");
	known.kind = JOB_DELIVER;
	known.phase = JOB_IMPORT;
	known.is_sent = true;
	job_next_expect_reason(&known,
		"ACM refused the import: what AWS said; nothing was changed in AWS: "
		"plan again when that is mended");
	known = job_known_in(JOB_CONFIRM);
	known.may_have_imported = true;
	known.holds = JOB_HOLDS_OLD;
	known.now_s += JOB_CONFIRM_PATIENCE_S;
	job_next_expect_reason(&known,
		"ACM took serial 0b but still shows serial 0a after 10 minutes: plan "
		"again");
	known.holds = JOB_HOLDS_NOTHING;
	job_next_expect_reason(&known,
		"ACM took serial 0b but has no certificate under this ARN now: plan "
		"again");
}

/* Every kind, in every phase that only reads, before the import: it passes or it ends the job. */
static void an_error_before_the_import_changes_nothing(void **state)
{
	(void)state;
	for (enum err_kind kind = ERR_CONFIG; kind <= ERR_STOPPED; kind++) {
		struct err err = job_next_err(kind, "");
		struct job_known known = job_known_failed(JOB_CHECK, &err);
		struct job_decision decision;
		job_next(&known, &decision);
		bool stays = decision.state == JOB_RUNNING && decision.phase == JOB_CHECK &&
			     decision.wait_s == 1;
		bool ends = decision.state == JOB_FAILED && decision.phase == JOB_DONE;
		assert_true(stays || ends);
		assert_true(decision.is_failure);
		assert_false(decision.may_have_imported);
		if (kind == ERR_DENIED || kind == ERR_DENIED_BY_SCP || kind == ERR_ROLE)
			assert_true(ends);
		if (kind == ERR_THROTTLED || kind == ERR_UNREACHABLE || kind == ERR_CREDENTIALS ||
			kind == ERR_TIMEOUT || kind == ERR_SERVICE)
			assert_true(stays);
		if (ends)
			assert_string_equal(decision.reason,
				"what AWS said; nothing was changed in AWS: plan again when that "
				"is mended");
		known.created_s -= JOB_LIFE_S;
		job_next(&known, &decision);
		assert_int_equal(decision.state, JOB_FAILED);
		assert_non_null(strstr(decision.reason, "nothing was changed in AWS"));
	}
}

static void after_the_import_no_error_ends_a_job_before_its_time(void **state)
{
	(void)state;
	static const enum job_phase late[] = {JOB_FIND, JOB_CONFIRM};
	for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
		for (enum err_kind kind = ERR_CONFIG; kind <= ERR_STOPPED; kind++) {
			struct err err = job_next_err(kind, "");
			struct job_known known = job_known_failed(late[i], &err);
			known.may_have_imported = true;
			job_next_expect(&known, late[i], JOB_RUNNING, 1, "will be tried again");
			known.created_s -= JOB_LIFE_S;
			job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "looked at by hand");
		}
	}
}

static void waits_double_up_to_their_bounds(void **state)
{
	(void)state;
	struct err err = job_next_err(ERR_THROTTLED, "");
	int64_t wait_s = 0, sum_s = 0;
	for (int i = 0; i < 20; i++) {
		struct job_known known = job_known_failed(JOB_CHECK, &err);
		known.last_wait_s = wait_s;
		struct job_decision decision;
		job_next(&known, &decision);
		assert_true(decision.wait_s >= wait_s && decision.wait_s <= JOB_RETRY_MAX_S);
		wait_s = decision.wait_s;
		sum_s += wait_s;
	}
	assert_int_equal(wait_s, JOB_RETRY_MAX_S);
	assert_true(sum_s > JOB_RETRY_MAX_S);
}

static void an_import_is_never_repeated_while_it_may_have_worked(void **state)
{
	(void)state;
	for (enum err_kind kind = ERR_CONFIG; kind <= ERR_STOPPED; kind++) {
		for (int lost = 0; lost < 2; lost++) {
			struct err err = job_next_err(kind, lost ? "answer_lost" : "x");
			struct job_known known = job_known_failed(JOB_IMPORT, &err);
			struct job_decision decision;
			job_next(&known, &decision);
			if (job_error_is_doubt(&err)) {
				assert_int_equal(decision.phase, JOB_FIND);
				assert_int_equal(decision.state, JOB_RUNNING);
				assert_true(decision.may_have_imported);
			} else {
				assert_false(lost);
				assert_false(decision.may_have_imported);
				assert_true(decision.phase == JOB_IMPORT ||
					    decision.state == JOB_FAILED);
				assert_non_null(strstr(decision.reason, "what AWS said"));
			}
		}
	}
}

/* A call may end with the first of its connections that could not be made. */
static void an_import_without_a_connection_is_tried_again(void **state)
{
	(void)state;
	const enum err_kind kind[] = {ERR_TIMEOUT, ERR_UNREACHABLE};
	for (size_t i = 0; i < 2; i++) {
		struct err err = job_next_err(kind[i], "connect");
		struct job_known known = job_known_failed(JOB_IMPORT, &err);
		struct job_decision decision;
		job_next_expect(&known, JOB_IMPORT, JOB_RUNNING, 1, "will be tried again");
		job_next(&known, &decision);
		assert_false(decision.may_have_imported);
	}
}

/* Its session ended while it waited: the same as when there is no way into the account at the start. */
static void a_role_that_is_lost_before_the_import_is_waited_for(void **state)
{
	(void)state;
	struct err err = job_next_err(ERR_ROLE, "AccessDenied");
	struct job_known known = job_known_failed(JOB_IMPORT, &err);
	struct job_decision decision;
	job_next_expect(&known, JOB_IMPORT, JOB_RUNNING, 1, "what AWS said; will be tried again");
	job_next(&known, &decision);
	assert_false(decision.may_have_imported);
}

/* Before it was sent, or for one that AWS has not carried out: no try brings another answer. */
static void what_acm_refuses_is_not_sent_again(void **state)
{
	(void)state;
	static const struct {
		enum err_kind kind;
		bool is_tried_again;
	} row[] = {{ERR_DENIED, false}, {ERR_DENIED_BY_SCP, false}, {ERR_ROLE, true},
		{ERR_REFUSED, false}, {ERR_NOT_FOUND, false}, {ERR_CONFIG, false},
		{ERR_THROTTLED, true}, {ERR_CREDENTIALS, true}, {ERR_UNREACHABLE, true}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct err err = job_next_err(row[i].kind, "x");
		struct job_known known = job_known_failed(JOB_IMPORT, &err);
		if (row[i].is_tried_again)
			job_next_expect(&known, JOB_IMPORT, JOB_RUNNING, 1,
				"what AWS said; will be tried again");
		else
			job_next_expect(&known, JOB_DONE, JOB_FAILED, 0,
				"ACM refused the import: what AWS said; nothing was changed in AWS");
	}
}

static void the_quota_is_no_throttling(void **state)
{
	(void)state;
	struct err err = job_next_err(ERR_THROTTLED, "LimitExceededException");
	struct job_known known = job_known_failed(JOB_IMPORT, &err);
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "quota");
	err = job_next_err(ERR_REFUSED, "LimitExceededException");
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "quota");
}

/* Of ACM's own doing, and over at some time. source: ACM 2015-12-08, ConflictException */
static void a_conflict_passes(void **state)
{
	(void)state;
	struct err err = job_next_err(ERR_REFUSED, "ConflictException");
	struct job_known known = job_known_failed(JOB_IMPORT, &err);
	struct job_decision decision;
	job_next_expect(&known, JOB_IMPORT, JOB_RUNNING, 1, "what AWS said; will be tried again");
	job_next(&known, &decision);
	assert_false(decision.may_have_imported);
	known.may_have_imported = true; /* the previous operation may be the one that was lost */
	job_next_expect(&known, JOB_FIND, JOB_RUNNING, 0, "ACM is asked whether it has it");
	job_next(&known, &decision);
	assert_true(decision.may_have_imported);
}

static void a_lost_key_ends_with_what_is_where(void **state)
{
	(void)state;
	struct err err = job_next_err(ERR_NOT_FOUND, "");
	struct job_known known = job_known_in(JOB_IMPORT); /* not sent without it */
	known.err = &err;
	known.is_key_lost = true;
	known.key_text = "the key is gone";
	job_next_expect_reason(&known,
		"the key is gone; nothing was changed in AWS: plan again when that is mended");
	known.kind = JOB_ROLLBACK;
	job_next_expect(&known, JOB_DONE, JOB_IMPOSSIBLE, 0, "nothing was changed in AWS");
	known.may_have_imported = true;
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "looked at by hand");
	known.is_key_lost = false;
	job_next_expect(&known, JOB_IMPORT, JOB_RUNNING, 1, "will be tried again");
}

/* The account cannot be entered: nothing is known, so nothing is decided but when to try again. */
static void without_a_way_into_the_account_it_waits(void **state)
{
	(void)state;
	struct err err = job_next_err(ERR_DENIED, "");
	struct job_known known = job_known_failed(JOB_FIND, &err);
	struct job_decision decision;
	known.may_have_imported = known.is_cancel_asked = true; /* too late for a cancel */
	job_next_away(&known, 77, &decision);
	assert_int_equal(decision.state, JOB_RUNNING);
	assert_int_equal(decision.phase, JOB_FIND);
	assert_int_equal(decision.wait_s, 77);
	assert_true(decision.may_have_imported);
	assert_non_null(strstr(decision.reason, "what AWS said"));
	known.may_have_imported = false;
	job_next_away(&known, 77, &decision);
	assert_int_equal(decision.state, JOB_CANCELLED);
	known.is_cancel_asked = false;
	job_next_away(&known, 77, &decision);
	assert_int_equal(decision.state, JOB_RUNNING);
	known.now_s += JOB_LIFE_S;
	job_next_away(&known, 77, &decision);
	assert_int_equal(decision.state, JOB_FAILED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_says_what_a_person_does_next),
		cmocka_unit_test(an_error_before_the_import_changes_nothing),
		cmocka_unit_test(after_the_import_no_error_ends_a_job_before_its_time),
		cmocka_unit_test(waits_double_up_to_their_bounds),
		cmocka_unit_test(an_import_is_never_repeated_while_it_may_have_worked),
		cmocka_unit_test(an_import_without_a_connection_is_tried_again),
		cmocka_unit_test(a_role_that_is_lost_before_the_import_is_waited_for),
		cmocka_unit_test(what_acm_refuses_is_not_sent_again),
		cmocka_unit_test(the_quota_is_no_throttling),
		cmocka_unit_test(a_conflict_passes),
		cmocka_unit_test(a_lost_key_ends_with_what_is_where),
		cmocka_unit_test(without_a_way_into_the_account_it_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
