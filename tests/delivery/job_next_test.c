/* The decisions of a job: every phase with everything that it can learn. */
#include "delivery/job_next.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "delivery/delivery.h"
#include "delivery/job_error.h"

enum { NOW_S = 1795219200 };

static struct job_known known_in(enum job_phase phase)
{
	return (struct job_known){.kind = JOB_DELIVER,
		.phase = phase,
		.has_arn = true,
		.now_s = NOW_S,
		.created_s = NOW_S,
		.began_s = NOW_S,
		.old_serial = "0a",
		.new_serial = "0b",
		.held_serial = "0a",
		.held_by_job = "",
		.in_use_by = "",
		.key_text = "",
		.missing_tags = "",
		.other_host = "",
		.tag_warning = "",
		.no_rollback = ""};
}

static struct err make_err(enum err_kind kind, const char *code)
{
	struct err err = ERR_INIT;
	err_set(&err, kind, "what AWS said");
	err_set_code(&err, code);
	return err;
}

static void expect(const struct job_known *known, enum job_phase phase, enum job_state state,
	int64_t wait_s, const char *text)
{
	struct job_decision decision;
	job_next(known, &decision);
	if (decision.phase != phase || decision.state != state || decision.wait_s != wait_s ||
		strstr(decision.reason, text) == NULL)
		fail_msg("phase %d state %d wait %d: \"%s\"; expected phase %d state %d wait %d "
			 "\"%s\"",
			(int)decision.phase, (int)decision.state, (int)decision.wait_s,
			decision.reason, (int)phase, (int)state, (int)wait_s, text);
}

static void expect_reason(const struct job_known *known, const char *text)
{
	struct job_decision decision;
	job_next(known, &decision);
	assert_string_equal(decision.reason, text);
}

static void check_goes_on_only_with_what_was_planned(void **state)
{
	(void)state;
	struct job_known known = known_in(JOB_CHECK);
	known.holds = JOB_HOLDS_OLD;
	expect(&known, JOB_KEEP, JOB_RUNNING, 0, "as planned");
	known.holds = JOB_HOLDS_NEW;
	expect(&known, JOB_TAG, JOB_RUNNING, 0, "already");
	known.kind = JOB_ROLLBACK;
	expect(&known, JOB_KEEP, JOB_RUNNING, 0, "sent to be sure");
	known.kind = JOB_DELIVER;
	known.holds = JOB_HOLDS_OTHER;
	known.held_serial = "0c";
	expect(&known, JOB_DONE, JOB_FAILED, 0,
		"void: someone else replaced it (serial 0c instead of 0a); nothing was changed in "
		"AWS: plan again");
	known.holds = JOB_HOLDS_NOTHING;
	expect(&known, JOB_CHECK, JOB_RUNNING, 1, "shows no certificate under this ARN");
	known.began_s -= JOB_FIND_PATIENCE_S;
	expect(&known, JOB_DONE, JOB_FAILED, 0,
		"no certificate under this ARN any more; nothing was changed in AWS: plan again");
	known.kind = JOB_ROLLBACK;
	expect_reason(&known, "void: ACM has no certificate under this ARN any more; nothing was "
			      "changed in AWS");
	known.holds = JOB_HOLDS_OTHER;
	expect_reason(&known, "void: someone else replaced it (serial 0c instead of 0a); nothing "
			      "was changed in AWS");
	known.held_by_job = "j-9";
	expect_reason(&known, "void: job j-9 replaced it (serial 0c instead of 0a); nothing was "
			      "changed in AWS");
	known.held_by_job = "";
	known.kind = JOB_DELIVER;
	known.holds = JOB_HOLDS_MIXED;
	expect(&known, JOB_CHECK, JOB_RUNNING, 1, "two serials");
	known.began_s -= JOB_OTHER_PATIENCE_S;
	expect(&known, JOB_DONE, JOB_FAILED, 0,
		"void: someone else replaced it (ACM's answers tell of two serials)");
	known = known_in(JOB_CHECK);
	known.has_arn = false;
	expect(&known, JOB_KEEP, JOB_RUNNING, 0, "first import");
}

static void cancel_is_heard_until_the_import(void **state)
{
	(void)state;
	static const enum job_phase early[] = {
		JOB_CHECK, JOB_DRAIN, JOB_KEEP, JOB_IMPORT, JOB_DELETE_CALL};
	for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
		struct job_known known = known_in(early[i]);
		known.is_cancel_asked = true;
		expect(&known, JOB_DONE, JOB_CANCELLED, 0, "nothing was changed in AWS");
	}
	struct job_known known = known_in(JOB_IMPORT);
	known.is_cancel_asked = known.is_sent = true;
	expect(&known, JOB_TAG, JOB_RUNNING, 0, "ACM took serial 0b");
}

static void without_a_way_back_it_says_why(void **state)
{
	(void)state;
	struct job_known known = known_in(JOB_KEEP);
	expect_reason(&known, "what the way back needs is kept");
	known.no_rollback = "it was a first import";
	expect_reason(&known, "what can be kept is kept; there will be no way back: it was a first "
			      "import");
}

static void a_failure_says_what_a_person_does_next(void **state)
{
	(void)state;
	struct err err = make_err(ERR_DENIED, "");
	struct job_known known = known_in(JOB_CHECK);
	known.err = &err;
	known.kind = JOB_ROLLBACK;
	expect_reason(&known, "what AWS said; nothing was changed in AWS: order it again when that "
			      "is mended");
	known.kind = JOB_DELIVER;
	known.phase = JOB_IMPORT;
	known.is_sent = true;
	expect_reason(&known, "ACM refused the import: what AWS said; nothing was changed in AWS: "
			      "plan again when that is mended");
	known = known_in(JOB_CONFIRM);
	known.may_have_imported = true;
	known.holds = JOB_HOLDS_OLD;
	known.now_s += JOB_CONFIRM_PATIENCE_S;
	expect_reason(&known, "ACM took serial 0b but still shows serial 0a after 10 minutes: plan "
			      "again");
	known.holds = JOB_HOLDS_NOTHING;
	expect_reason(&known, "ACM took serial 0b but has no certificate under this ARN now: plan "
			      "again");
}

/* Every kind, in every phase that only reads, before the import: it passes or it ends the job. */
static void an_error_before_the_import_changes_nothing(void **state)
{
	(void)state;
	for (enum err_kind kind = ERR_CONFIG; kind <= ERR_STOPPED; kind++) {
		struct err err = make_err(kind, "");
		struct job_known known = known_in(JOB_CHECK);
		known.err = &err;
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
			struct err err = make_err(kind, "");
			struct job_known known = known_in(late[i]);
			known.err = &err;
			known.may_have_imported = true;
			expect(&known, late[i], JOB_RUNNING, 1, "will be tried again");
			known.created_s -= JOB_LIFE_S;
			expect(&known, JOB_DONE, JOB_FAILED, 0, "looked at by hand");
		}
	}
}

static void waits_double_up_to_their_bounds(void **state)
{
	(void)state;
	struct err err = make_err(ERR_THROTTLED, "");
	int64_t wait_s = 0, sum_s = 0;
	for (int i = 0; i < 20; i++) {
		struct job_known known = known_in(JOB_CHECK);
		known.err = &err;
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
			struct err err = make_err(kind, lost ? "answer_lost" : "x");
			struct job_known known = known_in(JOB_IMPORT);
			known.err = &err;
			known.is_sent = true;
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
		struct err err = make_err(kind[i], "connect");
		struct job_known known = known_in(JOB_IMPORT);
		known.err = &err;
		known.is_sent = true;
		struct job_decision decision;
		expect(&known, JOB_IMPORT, JOB_RUNNING, 1, "will be tried again");
		job_next(&known, &decision);
		assert_false(decision.may_have_imported);
	}
}

/* Its session ended while it waited: the same as when there is no way into the account at the start. */
static void a_role_that_is_lost_before_the_import_is_waited_for(void **state)
{
	(void)state;
	struct err err = make_err(ERR_ROLE, "AccessDenied");
	struct job_known known = known_in(JOB_IMPORT);
	struct job_decision decision;
	known.err = &err;
	known.is_sent = true;
	expect(&known, JOB_IMPORT, JOB_RUNNING, 1, "what AWS said; will be tried again");
	job_next(&known, &decision);
	assert_false(decision.may_have_imported);
}

/* A wait of days outlives a denial of minutes; one that is denied from the begin says so at once. */
static void a_delete_that_drains_outlives_a_denial(void **state)
{
	(void)state;
	static const enum err_kind kinds[] = {ERR_DENIED, ERR_DENIED_BY_SCP, ERR_ROLE};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct err err = make_err(kinds[i], "AccessDenied");
		struct job_known known = known_in(JOB_DRAIN);
		known.kind = JOB_DELETE;
		known.err = &err;
		expect(&known, JOB_DONE, JOB_FAILED, 0, "nothing was changed");
		known.last_wait_s = 4;
		expect(&known, JOB_DRAIN, JOB_RUNNING, 8, "what AWS said; will be tried again");
		known.created_s -= JOB_DRAIN_LIFE_S;
		expect(&known, JOB_DONE, JOB_FAILED, 0, "given up after 168 hours");
	}
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
		struct err err = make_err(row[i].kind, "x");
		struct job_known known = known_in(JOB_IMPORT);
		known.err = &err;
		known.is_sent = true;
		if (row[i].is_tried_again)
			expect(&known, JOB_IMPORT, JOB_RUNNING, 1,
				"what AWS said; will be tried again");
		else
			expect(&known, JOB_DONE, JOB_FAILED, 0,
				"ACM refused the import: what AWS said; nothing was changed in AWS");
	}
}

static void the_quota_is_no_throttling(void **state)
{
	(void)state;
	struct err err = make_err(ERR_THROTTLED, "LimitExceededException");
	struct job_known known = known_in(JOB_IMPORT);
	known.err = &err;
	known.is_sent = true;
	expect(&known, JOB_DONE, JOB_FAILED, 0, "quota");
	err = make_err(ERR_REFUSED, "LimitExceededException");
	expect(&known, JOB_DONE, JOB_FAILED, 0, "quota");
}

/* Of ACM's own doing, and over at some time. source: ACM 2015-12-08, ConflictException */
static void a_conflict_passes(void **state)
{
	(void)state;
	struct err err = make_err(ERR_REFUSED, "ConflictException");
	struct job_known known = known_in(JOB_IMPORT);
	struct job_decision decision;
	known.err = &err;
	known.is_sent = true;
	expect(&known, JOB_IMPORT, JOB_RUNNING, 1, "what AWS said; will be tried again");
	job_next(&known, &decision);
	assert_false(decision.may_have_imported);
	known.may_have_imported = true; /* the previous operation may be the one that was lost */
	expect(&known, JOB_FIND, JOB_RUNNING, 0, "ACM is asked whether it has it");
	job_next(&known, &decision);
	assert_true(decision.may_have_imported);
}

static void a_lost_key_ends_with_what_is_where(void **state)
{
	(void)state;
	struct err err = make_err(ERR_NOT_FOUND, "");
	struct job_known known = known_in(JOB_IMPORT);
	known.err = &err;
	known.is_key_lost = true;
	known.key_text = "the key is gone";
	expect_reason(&known,
		"the key is gone; nothing was changed in AWS: plan again when that is mended");
	known.kind = JOB_ROLLBACK;
	expect(&known, JOB_DONE, JOB_IMPOSSIBLE, 0, "nothing was changed in AWS");
	known.may_have_imported = true;
	expect(&known, JOB_DONE, JOB_FAILED, 0, "looked at by hand");
	known.is_key_lost = false;
	expect(&known, JOB_IMPORT, JOB_RUNNING, 1, "will be tried again");
}

static void a_lost_answer_is_looked_for_before_it_is_sent_again(void **state)
{
	(void)state;
	struct job_known known = known_in(JOB_FIND);
	known.may_have_imported = true;
	known.holds = JOB_HOLDS_NEW;
	expect(&known, JOB_TAG, JOB_RUNNING, 0, "adopted");
	known.holds = JOB_HOLDS_OLD;
	expect(&known, JOB_FIND, JOB_RUNNING, 1, "not there yet");
	known.now_s += JOB_FIND_PATIENCE_S;
	expect(&known, JOB_IMPORT, JOB_RUNNING, 0, "sent again");
	struct job_decision decision;
	job_next(&known, &decision);
	assert_true(decision.is_resend && decision.may_have_imported);
	known.holds = JOB_HOLDS_NOTHING;
	expect(&known, JOB_DONE, JOB_FAILED, 0, "deleted meanwhile: plan again");
	known.has_arn = false; /* a first import has more patience */
	expect(&known, JOB_FIND, JOB_RUNNING, 1, "not there yet");
	known.now_s += JOB_FIND_NEW_PATIENCE_S;
	expect(&known, JOB_IMPORT, JOB_RUNNING, 0, "sent again");
	known.now_s += JOB_LIFE_S;
	expect(&known, JOB_DONE, JOB_FAILED, 0, "given up");
}

/* Describe and Get come from different places. Both certificates are known ones: there is no third, and
 * nothing to be rolled back. */
static void an_import_that_shows_in_part_is_there(void **state)
{
	(void)state;
	struct job_known known = known_in(JOB_FIND);
	known.may_have_imported = true;
	known.auto_rollback = true;
	known.holds = JOB_HOLDS_MIXED;
	known.held_serial = "0a";
	expect(&known, JOB_TAG, JOB_RUNNING, 0, "adopted");
	known.kind = JOB_ROLLBACK; /* what it brings was there before */
	expect(&known, JOB_FIND, JOB_RUNNING, 1, "not there yet");
	known.now_s += JOB_OTHER_PATIENCE_S;
	expect(&known, JOB_IMPORT, JOB_RUNNING, 0, "sent again");
}

/* The sensor was off for days: nobody expects it any more, and what was planned since does not know of
 * it. */
static void what_did_not_begin_in_its_time_changes_nothing(void **state)
{
	(void)state;
	static const enum job_kind kinds[] = {JOB_DELIVER, JOB_ROLLBACK, JOB_DELETE};
	static const char *const next[] = {": plan again", ": order it again", ": order it again"};
	for (size_t i = 0; i < 3; i++) {
		struct job_known known = known_in(JOB_CHECK);
		known.kind = kinds[i];
		known.holds = JOB_HOLDS_OLD;
		known.held_serial = "0a";
		known.created_s = known.now_s - JOB_LIFE_S;
		char text[256];
		snprintf(text, sizeof(text),
			"given up after 24 hours: it has not begun; nothing was changed in AWS%s "
			"when that is mended",
			next[i]);
		expect(&known, JOB_DONE, JOB_FAILED, 0, text);
		known.created_s++;
		struct job_decision decision;
		job_next(&known, &decision);
		assert_int_equal(decision.state, JOB_RUNNING);
	}
}

static void a_strange_serial_ends_it_after_patience(void **state)
{
	(void)state;
	static const enum job_phase phases[] = {JOB_FIND, JOB_CONFIRM};
	for (size_t i = 0; i < 2; i++) {
		struct job_known known = known_in(phases[i]);
		struct job_decision decision;
		known.may_have_imported = true;
		known.holds = JOB_HOLDS_OTHER;
		known.held_serial = "0c";
		expect(&known, phases[i], JOB_RUNNING, 1, "neither");
		known.now_s += JOB_OTHER_PATIENCE_S;
		expect_reason(&known, "ACM holds serial 0c, neither the old one (0a) nor the new "
				      "one (0b); plan again to replace it");
		job_next(&known, &decision);
		assert_int_equal(decision.state, JOB_FAILED);
		assert_false(decision.is_roll_back);
		known.held_by_job = "j-9";
		expect_reason(&known, "ACM holds serial 0c, neither the old one (0a) nor the new "
				      "one (0b): job j-9 brought it; plan again to replace it");
		known.held_by_job = "";
		known.auto_rollback = true;
		job_next(&known, &decision);
		assert_true(decision.is_roll_back);
		expect_reason(&known,
			"ACM holds serial 0c, neither the old one (0a) nor the new "
			"one (0b)"); /* whether a rollback was ordered, its write says */
		known.no_rollback = "no key";
		job_next(&known, &decision);
		assert_false(decision.is_roll_back);
		known.no_rollback = "";
		known.kind = JOB_ROLLBACK; /* no rollback of a rollback */
		job_next(&known, &decision);
		assert_false(decision.is_roll_back);
	}
}

static void tags_do_not_undo_a_delivery(void **state)
{
	(void)state;
	struct job_decision decision;
	struct job_known known = known_in(JOB_TAG);
	known.may_have_imported = true;
	expect(&known, JOB_CONFIRM, JOB_RUNNING, 0, "complete");
	known.missing_tags = "team";
	expect(&known, JOB_TAG, JOB_RUNNING, 1, "team");
	known.now_s += JOB_TAG_PATIENCE_S;
	expect(&known, JOB_CONFIRM, JOB_RUNNING, 0, "missing: team");
	struct err late = make_err(ERR_NOT_FOUND, "ResourceNotFoundException");
	known = known_in(JOB_TAG);
	known.err = &late; /* a first import that does not show yet */
	known.may_have_imported = true;
	expect(&known, JOB_TAG, JOB_RUNNING, 1, "will be tried again");
	for (enum err_kind kind = ERR_CONFIG; kind <= ERR_STOPPED; kind++) {
		struct err err = make_err(kind, "");
		known = known_in(JOB_TAG);
		known.err = &err;
		known.may_have_imported = true;
		job_next(&known, &decision);
		assert_int_equal(decision.state, JOB_RUNNING);
		known.now_s += JOB_TAG_PATIENCE_S;
		if (kind == ERR_UNREACHABLE || kind == ERR_CREDENTIALS || kind == ERR_ROLE) {
			/* Nothing could be confirmed either. */
			expect(&known, JOB_TAG, JOB_RUNNING, 1,
				"what AWS said; will be tried again");
			known.created_s -= JOB_LIFE_S;
			expect(&known, JOB_DONE, JOB_FAILED, 0, "looked at by hand");
			continue;
		}
		expect(&known, JOB_CONFIRM, JOB_RUNNING, 0, "could not be set");
		job_next(&known, &decision);
		assert_true(decision.has_tag_warning && decision.may_have_imported);
	}
}

static void confirm_is_patient(void **state)
{
	(void)state;
	struct job_known known = known_in(JOB_CONFIRM);
	known.may_have_imported = true;
	known.holds = JOB_HOLDS_NEW;
	expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "ACM holds serial 0b");
	known.tag_warning = "tags are missing: team";
	expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "warning: tags are missing: team");
	known.hosts = 2;
	expect(&known, JOB_VERIFY, JOB_RUNNING, 0, "ACM holds serial 0b");
	known.hosts = 0;
	known.kind = JOB_ROLLBACK;
	expect(&known, JOB_DONE, JOB_RESTORED, 0, "ACM holds serial 0b");
	struct job_decision decision;
	known.tag_warning = "";
	job_next(&known, &decision); /* the state says "restored": not once more */
	assert_string_equal(decision.reason, "ACM holds serial 0b");
	static const enum job_holds late[] = {JOB_HOLDS_OLD, JOB_HOLDS_MIXED, JOB_HOLDS_NOTHING};
	for (size_t i = 0; i < 3; i++) {
		known = known_in(JOB_CONFIRM);
		known.may_have_imported = true;
		known.holds = late[i];
		known.last_wait_s = 16;
		expect(&known, JOB_CONFIRM, JOB_RUNNING, JOB_LOOK_MAX_S, "looked at again");
		known.now_s += JOB_CONFIRM_PATIENCE_S;
		expect(&known, JOB_DONE, JOB_FAILED, 0, "ACM took serial 0b");
	}
}

static void verify_says_what_hosts_serve(void **state)
{
	(void)state;
	struct job_decision decision;
	struct job_known known = known_in(JOB_VERIFY);
	known.may_have_imported = true;
	known.hosts = known.served = 2;
	expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "served by 2 of 2 hosts");
	known.served = known.unreachable = 1;
	expect(&known, JOB_VERIFY, JOB_RUNNING, 1, "1 not reachable");
	known.now_s += JOB_UNREACHABLE_PATIENCE_S;
	expect_reason(
		&known, "ACM holds serial 0b; served by 1 of 2 hosts; warning: 1 not reachable");
	known.hosts = 1;
	known.served = 0;
	expect_reason(
		&known, "ACM holds serial 0b; served by 0 of 1 host; warning: 1 not reachable");
	known = known_in(JOB_VERIFY);
	known.may_have_imported = true;
	known.hosts = 2;
	known.served = known.other = 1;
	known.other_host = "a.example:443";
	expect(&known, JOB_VERIFY, JOB_RUNNING, 1, "asked again");
	known.now_s += JOB_VERIFY_PATIENCE_S;
	expect(&known, JOB_DONE, JOB_SUCCEEDED, 0,
		"warning: a.example:443 still serves another certificate");
	known.auto_rollback = true;
	expect_reason(&known, "a.example:443 still serves another certificate after 5 minutes");
	job_next(&known, &decision);
	assert_int_equal(decision.state, JOB_FAILED);
	assert_true(decision.is_roll_back);
	known.no_rollback = "no key";
	expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "there is no way back: no key");
	known.no_rollback = "";
	known.kind = JOB_ROLLBACK; /* a way back is not taken back */
	expect_reason(&known, "ACM holds serial 0b; served by 1 of 2 hosts; warning: a.example:443 "
			      "still serves another certificate");
}

/* The account cannot be entered: nothing is known, so nothing is decided but when to try again. */
static void without_a_way_into_the_account_it_waits(void **state)
{
	(void)state;
	struct err err = make_err(ERR_DENIED, "");
	struct job_known known = known_in(JOB_FIND);
	struct job_decision decision;
	known.err = &err;
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

static void delete_waits_or_refuses_while_in_use(void **state)
{
	(void)state;
	struct job_known known = known_in(JOB_CHECK);
	known.kind = JOB_DELETE;
	known.holds = JOB_HOLDS_OTHER;
	expect(&known, JOB_DELETE_CALL, JOB_RUNNING, 0, "archived");
	known.in_use_by = "arn:lb";
	expect_reason(&known, "in use by arn:lb: not deleted; nothing was changed in AWS: take it "
			      "out of use there, or delete with --wait-until-unused");
	known.phase = JOB_DRAIN;
	expect(&known, JOB_DRAIN, JOB_RUNNING, 1, "in use by arn:lb");
	known.last_wait_s = 64;
	expect(&known, JOB_DRAIN, JOB_RUNNING, 128, "in use by arn:lb");
	known.last_wait_s = 256;
	expect(&known, JOB_DRAIN, JOB_RUNNING, JOB_RETRY_MAX_S, "in use by arn:lb");
	known.created_s -= JOB_DRAIN_LIFE_S;
	expect(&known, JOB_DONE, JOB_FAILED, 0, "nothing was changed");
	known.last_wait_s = 0;
	known.holds = JOB_HOLDS_NOTHING; /* or what was imported a moment ago does not show yet */
	expect(&known, JOB_DRAIN, JOB_RUNNING, 1, "shows no certificate under this ARN");
	known.phase = JOB_CHECK;
	known.created_s += JOB_DRAIN_LIFE_S;
	expect(&known, JOB_CHECK, JOB_RUNNING, 1, "shows no certificate under this ARN");
	known.began_s -= JOB_FIND_PATIENCE_S;
	expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "nothing to delete");
}

static void delete_call_is_repeated_safely(void **state)
{
	(void)state;
	struct job_known known = known_in(JOB_DELETE_CALL);
	known.kind = JOB_DELETE;
	known.is_sent = true;
	expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "deleted");
	struct err err = make_err(ERR_NOT_FOUND, "ResourceNotFoundException");
	known.err = &err;
	expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "deleted");
	err = make_err(ERR_REFUSED, "ResourceInUseException");
	expect(&known, JOB_DELETE_CALL, JOB_RUNNING, 1, "lags");
	known.now_s += JOB_IN_USE_PATIENCE_S;
	expect(&known, JOB_DONE, JOB_FAILED, 0, "nothing was changed");
	err = make_err(ERR_REFUSED, "ConflictException");
	expect(&known, JOB_DELETE_CALL, JOB_RUNNING, 1, "what AWS said; will be tried again");
	err = make_err(ERR_ROLE, "AccessDenied"); /* its session ended: nothing was asked of ACM */
	expect(&known, JOB_DELETE_CALL, JOB_RUNNING, 1, "what AWS said; will be tried again");
	err = make_err(ERR_TIMEOUT, "");
	expect(&known, JOB_DELETE_CALL, JOB_RUNNING, 1, "will be tried again");
	known.created_s = known.began_s -= JOB_LIFE_S;
	expect(&known, JOB_DONE, JOB_FAILED, 0, "given up after 24 hours: what AWS said");
	expect(&known, JOB_DONE, JOB_FAILED, 0, "not known whether");
	err = make_err(ERR_DENIED, "AccessDeniedException");
	expect(&known, JOB_DONE, JOB_FAILED, 0, "refused to delete");
}

/* Its life was spent on waiting for the last user, not on being tried. */
static void a_delete_that_drained_for_days_has_its_time_too(void **state)
{
	(void)state;
	struct err err = make_err(ERR_THROTTLED, "ThrottlingException");
	struct job_known known = known_in(JOB_DELETE_CALL);
	known.kind = JOB_DELETE;
	known.is_sent = true;
	known.err = &err;
	known.created_s -= JOB_DRAIN_LIFE_S;
	expect(&known, JOB_DELETE_CALL, JOB_RUNNING, 1, "will be tried again");
	known.created_s -= JOB_LIFE_S; /* nor for ever, started again and again */
	expect(&known, JOB_DONE, JOB_FAILED, 0, "given up after 192 hours");
}

static void a_new_run_goes_on_where_it_is_safe(void **state)
{
	(void)state;
	static const struct {
		enum job_phase stored, resumed;
		bool may_have_imported;
	} row[] = {{JOB_CHECK, JOB_CHECK, false}, {JOB_KEEP, JOB_CHECK, false},
		{JOB_IMPORT, JOB_CHECK, false}, {JOB_IMPORT, JOB_FIND, true},
		{JOB_FIND, JOB_FIND, true}, {JOB_TAG, JOB_TAG, true}, {JOB_CONFIRM, JOB_TAG, true},
		{JOB_VERIFY, JOB_TAG, true}, {JOB_DRAIN, JOB_DRAIN, false},
		{JOB_DELETE_CALL, JOB_DELETE_CALL, false}, {JOB_DONE, JOB_DONE, true}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct job_record job = {
			.phase = row[i].stored, .may_have_imported = row[i].may_have_imported};
		assert_int_equal(job_next_resumed(&job), row[i].resumed);
	}
}

static void only_what_is_before_its_import_waits_for_it(void **state)
{
	(void)state;
	static const struct {
		enum job_kind kind;
		enum job_phase phase;
		bool waits;
	} row[] = {{JOB_DELIVER, JOB_CHECK, true}, {JOB_DELIVER, JOB_KEEP, true},
		{JOB_ROLLBACK, JOB_IMPORT, true}, {JOB_ROLLBACK, JOB_FIND, true},
		{JOB_DELIVER, JOB_TAG, false}, {JOB_DELIVER, JOB_VERIFY, false},
		{JOB_DELETE, JOB_CHECK, false}, {JOB_DELETE, JOB_DRAIN, false}};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(job_waits_to_import(&(struct job_record){
					 .kind = row[i].kind, .phase = row[i].phase}),
			row[i].waits);
	struct job_record job = {.kind = JOB_DELIVER, .phase = JOB_CHECK, .is_cancel_asked = true};
	assert_false(job_waits_to_import(&job)); /* it ends at its next turn */
	job.phase = JOB_FIND;
	job.may_have_imported = true;
	assert_true(job_waits_to_import(&job)); /* too late for a cancel */
}

/* Whatever a phase learns: it ends, goes on, or waits for a while; and always says why. */
static void every_combination_is_a_decision(void **state)
{
	(void)state;
	static const int64_t ages[] = {0, JOB_CONFIRM_PATIENCE_S, JOB_DRAIN_LIFE_S};
	for (unsigned n = 0; n < 9u * 3 * 5 * 3 * 19 * 16; n++) {
		unsigned rest = n;
		struct job_known known = known_in((enum job_phase)(JOB_CHECK + rest % 9));
		rest /= 9;
		known.kind = (enum job_kind)(JOB_DELIVER + rest % 3);
		rest /= 3;
		known.holds = (enum job_holds)(rest % 5);
		rest /= 5;
		known.now_s += ages[rest % 3];
		rest /= 3;
		struct err err =
			make_err((enum err_kind)(rest % 18), rest % 19 == 18 ? "answer_lost" : "");
		known.err = rest % 19 == 0 ? NULL : &err;
		rest /= 19;
		known.has_arn = rest & 1;
		known.is_cancel_asked = rest & 2;
		known.may_have_imported = rest & 4;
		known.is_sent = rest & 8;
		struct job_decision decision;
		job_next(&known, &decision);
		assert_true(decision.reason[0] != '\0');
		assert_true(decision.phase >= JOB_CHECK && decision.phase <= JOB_DONE);
		assert_int_equal(decision.phase == JOB_DONE, decision.state != JOB_RUNNING);
		assert_true(decision.phase != known.phase || decision.wait_s > 0);
		assert_true(decision.state != JOB_CANCELLED || !decision.may_have_imported ||
			    known.phase != JOB_IMPORT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_goes_on_only_with_what_was_planned),
		cmocka_unit_test(cancel_is_heard_until_the_import),
		cmocka_unit_test(without_a_way_back_it_says_why),
		cmocka_unit_test(a_failure_says_what_a_person_does_next),
		cmocka_unit_test(an_error_before_the_import_changes_nothing),
		cmocka_unit_test(after_the_import_no_error_ends_a_job_before_its_time),
		cmocka_unit_test(waits_double_up_to_their_bounds),
		cmocka_unit_test(an_import_is_never_repeated_while_it_may_have_worked),
		cmocka_unit_test(an_import_without_a_connection_is_tried_again),
		cmocka_unit_test(a_role_that_is_lost_before_the_import_is_waited_for),
		cmocka_unit_test(a_delete_that_drains_outlives_a_denial),
		cmocka_unit_test(what_acm_refuses_is_not_sent_again),
		cmocka_unit_test(the_quota_is_no_throttling),
		cmocka_unit_test(a_conflict_passes),
		cmocka_unit_test(a_lost_key_ends_with_what_is_where),
		cmocka_unit_test(a_lost_answer_is_looked_for_before_it_is_sent_again),
		cmocka_unit_test(an_import_that_shows_in_part_is_there),
		cmocka_unit_test(what_did_not_begin_in_its_time_changes_nothing),
		cmocka_unit_test(a_strange_serial_ends_it_after_patience),
		cmocka_unit_test(tags_do_not_undo_a_delivery),
		cmocka_unit_test(confirm_is_patient),
		cmocka_unit_test(verify_says_what_hosts_serve),
		cmocka_unit_test(without_a_way_into_the_account_it_waits),
		cmocka_unit_test(delete_waits_or_refuses_while_in_use),
		cmocka_unit_test(delete_call_is_repeated_safely),
		cmocka_unit_test(a_delete_that_drained_for_days_has_its_time_too),
		cmocka_unit_test(a_new_run_goes_on_where_it_is_safe),
		cmocka_unit_test(only_what_is_before_its_import_waits_for_it),
		cmocka_unit_test(every_combination_is_a_decision),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
