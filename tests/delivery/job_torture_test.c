/*
 * Jobs under torture: each call fails in each way, with and without effect; each write fails; the
 * daemon dies at each turn; a cancel comes at each turn. However it went, there is one final state
 * that tells the truth, and never two certificates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/delivery/job_fixture.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/temp_store.h"

enum { ENDLESS = 400 };

static const struct job_fixture_options kinds[] = {
	{.host = "www.example.com"},
	{.is_first_import = true},
	{.is_first_import = true, .escrow = ESCROW_SECRETS_MANAGER},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void begin(struct job_fixture *fixture, const struct job_fixture_options *options)
{
	job_fixture_open(fixture, options);
	job_fixture_apply(fixture);
	job_fixture_start(fixture);
}

/* What the record says is what ACM holds. Returns the state. */
static enum job_state end(struct job_fixture *fixture)
{
	struct job_outcome outcome;
	job_fixture_see_end(fixture, &outcome);
	size_t held = write_acm_count(&fixture->acm, fixture->new_pem);
	bool says_unchanged = strstr(outcome.reason, "nothing was changed in AWS") != NULL;
	if (held > 1)
		fail_msg("two certificates: %s", outcome.reason);
	if (outcome.state == JOB_SUCCEEDED)
		assert_int_equal(held, 1);
	if (outcome.state == JOB_CANCELLED || says_unchanged)
		assert_int_equal(held, 0);
	assert_true(outcome.state == JOB_SUCCEEDED || outcome.state == JOB_CANCELLED ||
		    outcome.state == JOB_FAILED);
	assert_int_equal(outcome.phase, JOB_DONE);
	assert_int_equal(outcome.next_attempt_s, 0);
	assert_true(outcome.reason[0] != '\0');
	if (outcome.state == JOB_SUCCEEDED) {
		struct write_acm_cert *cert = write_acm_find(&fixture->acm, outcome.arn);
		assert_non_null(cert);
		assert_string_equal(cert->key, NEW_KEY);
		const char *id = write_acm_tag(cert, "acmsensor:certificate-id");
		if (id == NULL)
			assert_non_null(strstr(outcome.reason, "warning: tags"));
		else
			assert_string_equal(id, "shop");
	}
	return outcome.state;
}

static size_t count_calls(const struct job_fixture_options *options)
{
	struct job_fixture fixture;
	begin(&fixture, options);
	assert_int_equal(end(&fixture), JOB_SUCCEEDED);
	size_t calls = fake_call_count();
	job_fixture_close(&fixture);
	return calls;
}

/* Whether nobody but a person can put it right. */
static bool is_final(enum err_kind kind)
{
	return kind == ERR_DENIED || kind == ERR_DENIED_BY_SCP || kind == ERR_ROLE ||
	       kind == ERR_NOT_FOUND || kind == ERR_REFUSED || kind == ERR_CONFIG ||
	       kind == ERR_LIMIT;
}

static void each_call_fails_once_in_each_way(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		size_t calls = count_calls(&kinds[k]);
		for (size_t n = 1; n <= calls; n++) {
			for (size_t e = 0; e < FAKE_CALL_ERRORS; e++) {
				struct job_fixture fixture;
				begin(&fixture, &kinds[k]);
				fake_call_fail_at(
					n, fake_call_errors[e].kind, fake_call_errors[e].code);
				enum job_state last = end(&fixture);
				if (!is_final(fake_call_errors[e].kind))
					assert_int_equal(last, JOB_SUCCEEDED);
				job_fixture_close(&fixture);
			}
		}
	}
}

/* The request was taken, the answer never came; or the request never arrived. */
static void each_answer_is_lost_once(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		size_t calls = count_calls(&kinds[k]);
		for (size_t n = 1; n <= calls; n++) {
			struct job_fixture fixture;
			begin(&fixture, &kinds[k]);
			fixture.acm.lose_at = n;
			assert_int_equal(end(&fixture), JOB_SUCCEEDED);
			assert_int_equal(fixture.acm.imported, 1);
			assert_int_equal(write_acm_secrets(&fixture.acm), 0);
			job_fixture_close(&fixture);
			begin(&fixture, &kinds[k]);
			fake_call_fail_at(n, ERR_TIMEOUT, "answer_lost");
			assert_int_equal(end(&fixture), JOB_SUCCEEDED);
			assert_int_equal(fixture.acm.imported, 1);
			job_fixture_close(&fixture);
		}
	}
}

static void all_calls_fail_from_one_on(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		size_t calls = count_calls(&kinds[k]);
		for (size_t n = 1; n <= calls; n++) {
			for (size_t e = 0; e < FAKE_CALL_ERRORS; e += 3) {
				struct job_fixture fixture;
				begin(&fixture, &kinds[k]);
				fake_call_fail_from(
					n, fake_call_errors[e].kind, fake_call_errors[e].code);
				(void)end(&fixture);
				job_fixture_close(&fixture);
			}
		}
	}
}

static void each_write_fails_once(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		bool is_past = false;
		for (size_t n = 1; !is_past; n++) {
			struct job_fixture fixture;
			begin(&fixture, &kinds[k]);
			fake_store_fail_at(n, ERR_STORE_FULL);
			assert_int_equal(end(&fixture), JOB_SUCCEEDED);
			assert_int_equal(fixture.acm.imported, 1);
			is_past = fixture.ends == 1; /* it was never met */
			assert_true(n < ENDLESS);
			job_fixture_close(&fixture);
		}
	}
}

/* The calls under way may have reached AWS when the daemon dies. */
static void take_pending_effect(struct job_fixture *fixture)
{
	for (size_t i = 0; i < fake_call_count(); i++) {
		const struct fake_record *call = fake_call_record(i);
		struct err err = ERR_INIT;
		char *body = NULL;
		if (call->outcome == FAKE_PENDING)
			(void)write_acm_answer(&fixture->acm, call, &body, &err);
		free(body);
	}
}

static void the_daemon_dies_at_each_turn(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		for (int with_effect = 0; with_effect < 2; with_effect++) {
			bool is_past = false;
			for (size_t n = 0; !is_past; n++) {
				struct job_fixture fixture;
				begin(&fixture, &kinds[k]);
				for (size_t i = 0; i < n && fixture.run != NULL; i++)
					assert_true(fake_loop_step());
				is_past = fixture.run == NULL;
				if (!is_past && with_effect)
					take_pending_effect(&fixture);
				if (!is_past)
					job_fixture_restart(&fixture);
				assert_int_equal(end(&fixture), JOB_SUCCEEDED);
				assert_int_equal(fixture.acm.imported, 1);
				assert_true(n < ENDLESS);
				job_fixture_close(&fixture);
			}
		}
	}
}

/* Twice, at every pair of turns near each other; and the answer of the import is lost as well. */
static void the_daemon_dies_twice(void **state)
{
	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		for (size_t n = 4; n < 40; n += 3) {
			for (size_t m = 0; m < 12; m += 2) {
				struct job_fixture fixture;
				begin(&fixture, &kinds[k]);
				fixture.acm.lose_operation = "ImportCertificate";
				fixture.acm.lose_at = 1 + n % 2;
				for (size_t i = 0; i < n && fixture.run != NULL; i++)
					assert_true(fake_loop_step());
				if (fixture.run != NULL)
					job_fixture_restart(&fixture);
				for (size_t i = 0; i < m && fixture.run != NULL; i++)
					assert_true(fake_loop_step());
				if (fixture.run != NULL)
					job_fixture_restart(&fixture);
				assert_int_equal(end(&fixture), JOB_SUCCEEDED);
				assert_int_equal(fixture.acm.imported, 1);
				job_fixture_close(&fixture);
			}
		}
	}
}

static void a_cancel_at_each_turn_is_kept_or_refused(void **state)
{
	(void)state;
	size_t kept = 0, refused = 0;
	for (size_t k = 0; k < KINDS; k++) {
		bool is_past = false;
		for (size_t n = 0; !is_past; n++) {
			struct job_fixture fixture;
			struct err err = ERR_INIT;
			begin(&fixture, &kinds[k]);
			for (size_t i = 0; i < n && fixture.run != NULL; i++)
				assert_true(fake_loop_step());
			is_past = fixture.run == NULL;
			bool is_kept = !is_past && job_fixture_cancel_job(&fixture, &err) == 0;
			if (is_kept)
				job_fixture_restart(&fixture);
			enum job_state last = end(&fixture);
			assert_int_equal(last, is_kept ? JOB_CANCELLED : JOB_SUCCEEDED);
			assert_int_equal(fixture.acm.imported, is_kept ? 0 : 1);
			assert_int_equal(write_acm_secrets(&fixture.acm), 0);
			kept += is_kept;
			refused += !is_kept;
			assert_true(n < ENDLESS);
			job_fixture_close(&fixture);
		}
	}
	assert_true(kept > 5 && refused > 5);
}

static void a_store_that_stays_full_ends_the_run_alone(void **state)
{
	(void)state;
	for (size_t n = 1; n < 8; n++) {
		struct job_fixture fixture;
		begin(&fixture, &kinds[0]);
		fake_store_fail_from(n, ERR_STORE_FULL);
		while (fixture.run != NULL)
			assert_true(fake_loop_step());
		if (fixture.err.kind != ERR_NONE)
			assert_int_equal(fixture.err.kind, ERR_STORE_FULL);
		fake_store_fail_at(0, ERR_NONE);
		assert_int_equal(end(&fixture), JOB_SUCCEEDED);
		assert_int_equal(fixture.acm.imported, 1);
		job_fixture_close(&fixture);
	}
}

/* Orders the rollback of a delivery that succeeded. Calls are counted from here. */
static void begin_rollback(struct job_fixture *fixture)
{
	struct err err = ERR_INIT;
	begin(fixture, &kinds[0]);
	assert_int_equal(end(fixture), JOB_SUCCEEDED);
	assert_int_equal(job_fixture_order_roll_back(fixture, &err), 0);
	job_fixture_start(fixture);
}

/* What the record says of a rollback is what ACM holds: the old one once more, or not. */
static void end_rollback(struct job_fixture *fixture, bool may_fail)
{
	struct job_outcome outcome;
	job_fixture_see_end(fixture, &outcome);
	bool is_old = strcmp(fixture->acm.cert[0].pem, fixture->old_pem) == 0;
	bool says_unchanged = strstr(outcome.reason, "nothing was changed in AWS") != NULL;
	if (outcome.state != JOB_RESTORED && !(may_fail && outcome.state == JOB_FAILED))
		fail_msg("the rollback ended %d: %s", outcome.state, outcome.reason);
	if (outcome.state == JOB_RESTORED || says_unchanged)
		assert_int_equal(is_old, outcome.state == JOB_RESTORED);
	if (is_old)
		assert_string_equal(fixture->acm.cert[0].key, OLD_KEY);
	assert_int_equal(write_acm_count(&fixture->acm, fixture->old_pem), is_old);
	assert_int_equal(outcome.phase, JOB_DONE);
	assert_true(outcome.reason[0] != '\0');
}

static void each_call_of_a_rollback_fails_once_in_each_way(void **state)
{
	(void)state;
	struct job_fixture fixture;
	begin_rollback(&fixture);
	size_t before = fake_call_count();
	end_rollback(&fixture, false);
	size_t calls = fake_call_count() - before;
	job_fixture_close(&fixture);
	assert_true(calls > 5);
	for (size_t n = 1; n <= calls; n++) {
		for (size_t e = 0; e < FAKE_CALL_ERRORS; e++) {
			begin_rollback(&fixture);
			fake_call_fail_at(n, fake_call_errors[e].kind, fake_call_errors[e].code);
			end_rollback(&fixture, is_final(fake_call_errors[e].kind));
			job_fixture_close(&fixture);
		}
		begin_rollback(&fixture);
		fake_call_fail_at(n, ERR_TIMEOUT, "answer_lost"); /* and it never arrived */
		end_rollback(&fixture, false);
		job_fixture_close(&fixture);
	}
}

static void order_delete(struct job_fixture *fixture, bool wait_until_unused)
{
	struct err err = ERR_INIT;
	job_fixture_open(fixture, &kinds[0]);
	struct job_order order = {
		.kind = JOB_DELETE, .arn = fixture->arn, .wait_until_unused = wait_until_unused};
	assert_int_equal(job_fixture_order(fixture, &order, &err), 0);
	job_fixture_start(fixture);
}

static void each_call_of_a_delete_fails_once_in_each_way(void **state)
{
	(void)state;
	struct job_fixture fixture;
	struct job_outcome outcome;
	order_delete(&fixture, false);
	job_fixture_finish(&fixture);
	size_t calls = fake_call_count();
	job_fixture_close(&fixture);
	assert_true(calls > 2);
	for (size_t n = 1; n <= calls; n++) {
		for (size_t e = 0; e < FAKE_CALL_ERRORS; e++) {
			order_delete(&fixture, false);
			fake_call_fail_at(n, fake_call_errors[e].kind, fake_call_errors[e].code);
			job_fixture_see_end(&fixture, &outcome);
			if (outcome.state == JOB_SUCCEEDED &&
				fake_call_errors[e].kind == ERR_NOT_FOUND)
				assert_true(fixture.acm.deleted <= 1); /* it believed ACM */
			else if (outcome.state == JOB_SUCCEEDED)
				assert_int_equal(fixture.acm.deleted, 1);
			else
				assert_true(is_final(fake_call_errors[e].kind) &&
					    fixture.acm.deleted == 0);
			job_fixture_close(&fixture);
		}
	}
}

/* A rollback is a job like others: it ends restored, or says what ACM holds. */
static void a_rollback_survives_the_same(void **state)
{
	(void)state;
	for (size_t n = 0, is_past = 0; is_past == 0; n++) {
		for (int how = 0; how < 3; how++) {
			struct job_fixture fixture;
			struct job_outcome outcome;
			begin_rollback(&fixture);
			if (how == 2)
				fixture.acm.lose_at = n + 1;
			for (size_t i = 0; how < 2 && i < n && fixture.run != NULL; i++)
				assert_true(fake_loop_step());
			if (how < 2 && fixture.run != NULL) {
				if (how == 1)
					take_pending_effect(&fixture);
				job_fixture_restart(&fixture);
			} else if (how < 2) {
				is_past = 1;
			}
			job_fixture_see_end(&fixture, &outcome);
			assert_int_equal(outcome.state, JOB_RESTORED);
			assert_string_equal(fixture.acm.cert[0].pem, fixture.old_pem);
			assert_string_equal(fixture.acm.cert[0].key, OLD_KEY);
			assert_int_equal(fixture.acm.imported, 2);
			job_fixture_close(&fixture);
		}
		assert_true(n < ENDLESS);
	}
}

static void a_delete_survives_the_same(void **state)
{
	(void)state;
	for (size_t n = 0, is_past = 0; is_past == 0; n++) {
		for (int how = 0; how < 3; how++) {
			struct job_fixture fixture;
			struct job_outcome outcome;
			order_delete(&fixture, n % 2 == 0);
			if (how == 2)
				fixture.acm.lose_at = n + 1;
			for (size_t i = 0; how < 2 && i < n && fixture.run != NULL; i++)
				assert_true(fake_loop_step());
			if (how < 2 && fixture.run != NULL) {
				if (how == 1)
					take_pending_effect(&fixture);
				job_fixture_restart(&fixture);
			} else if (how < 2) {
				is_past = 1;
			}
			job_fixture_see_end(&fixture, &outcome);
			assert_int_equal(outcome.state, JOB_SUCCEEDED);
			assert_int_equal(fixture.acm.deleted, 1);
			job_fixture_close(&fixture);
		}
		assert_true(n < ENDLESS);
	}
}

int main(void)
{
	/* Thousands of stores, each with dozens of commits: in memory, where they do not wait. */
	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 0); /* else slower */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_fails_once_in_each_way),
		cmocka_unit_test(each_answer_is_lost_once),
		cmocka_unit_test(all_calls_fail_from_one_on),
		cmocka_unit_test(each_write_fails_once),
		cmocka_unit_test(the_daemon_dies_at_each_turn),
		cmocka_unit_test(the_daemon_dies_twice),
		cmocka_unit_test(a_cancel_at_each_turn_is_kept_or_refused),
		cmocka_unit_test(a_store_that_stays_full_ends_the_run_alone),
		cmocka_unit_test(each_call_of_a_rollback_fails_once_in_each_way),
		cmocka_unit_test(a_rollback_survives_the_same),
		cmocka_unit_test(each_call_of_a_delete_fails_once_in_each_way),
		cmocka_unit_test(a_delete_survives_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
