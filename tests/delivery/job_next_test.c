/* The decisions of a job on its way: every phase with what it can learn of ACM and of hosts. */
#include "delivery/job_next.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/delivery.h"
#include "tests/delivery/job_next_fixture.h"

static void check_goes_on_only_with_what_was_planned(void **state)
{
	(void)state;
	struct job_known known = job_known_in(JOB_CHECK);
	known.holds = JOB_HOLDS_OLD;
	job_next_expect(&known, JOB_KEEP, JOB_RUNNING, 0, "as planned");
	known.holds = JOB_HOLDS_NEW;
	job_next_expect(&known, JOB_TAG, JOB_RUNNING, 0, "already");
	known.kind = JOB_ROLLBACK;
	job_next_expect(&known, JOB_KEEP, JOB_RUNNING, 0, "sent to be sure");
	known.kind = JOB_DELIVER;
	known.holds = JOB_HOLDS_OTHER;
	known.held_serial = "0c";
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0,
		"void: someone else replaced it (serial 0c instead of 0a); nothing was changed in "
		"AWS: plan again");
	known.holds = JOB_HOLDS_NOTHING;
	job_next_expect(&known, JOB_CHECK, JOB_RUNNING, 1, "shows no certificate under this ARN");
	known.began_s -= JOB_FIND_PATIENCE_S;
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0,
		"no certificate under this ARN any more; nothing was changed in AWS: plan again");
	known.kind = JOB_ROLLBACK;
	job_next_expect_reason(&known,
		"void: ACM has no certificate under this ARN any more; nothing was "
		"changed in AWS");
	known.holds = JOB_HOLDS_OTHER;
	job_next_expect_reason(&known,
		"void: someone else replaced it (serial 0c instead of 0a); nothing "
		"was changed in AWS");
	known.held_by_job = "j-9";
	job_next_expect_reason(&known,
		"void: job j-9 replaced it (serial 0c instead of 0a); nothing was "
		"changed in AWS");
	known.held_by_job = "";
	known.kind = JOB_DELIVER;
	known.holds = JOB_HOLDS_MIXED;
	job_next_expect(&known, JOB_CHECK, JOB_RUNNING, 1, "two serials");
	known.began_s -= JOB_OTHER_PATIENCE_S;
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0,
		"void: someone else replaced it (ACM's answers tell of two serials)");
	known = job_known_in(JOB_CHECK);
	known.has_arn = false;
	job_next_expect(&known, JOB_KEEP, JOB_RUNNING, 0, "first import");
}

static void cancel_is_heard_until_the_import(void **state)
{
	(void)state;
	static const enum job_phase early[] = {
		JOB_CHECK, JOB_DRAIN, JOB_KEEP, JOB_IMPORT, JOB_DELETE_CALL};
	for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
		struct job_known known = job_known_in(early[i]);
		known.is_cancel_asked = true;
		job_next_expect(&known, JOB_DONE, JOB_CANCELLED, 0, "nothing was changed in AWS");
	}
	struct job_known known = job_known_in(JOB_IMPORT);
	known.is_cancel_asked = known.is_sent = true;
	job_next_expect(&known, JOB_TAG, JOB_RUNNING, 0, "ACM took serial 0b");
}

static void without_a_way_back_it_says_why(void **state)
{
	(void)state;
	struct job_known known = job_known_in(JOB_KEEP);
	job_next_expect_reason(&known, "what the way back needs is kept");
	known.no_rollback = "it was a first import";
	job_next_expect_reason(&known,
		"what can be kept is kept; there will be no way back: it was a first "
		"import");
}

static void a_lost_answer_is_looked_for_before_it_is_sent_again(void **state)
{
	(void)state;
	struct job_known known = job_known_in(JOB_FIND);
	known.may_have_imported = true;
	known.holds = JOB_HOLDS_NEW;
	job_next_expect(&known, JOB_TAG, JOB_RUNNING, 0, "adopted");
	known.holds = JOB_HOLDS_OLD;
	job_next_expect(&known, JOB_FIND, JOB_RUNNING, 1, "not there yet");
	known.now_s += JOB_FIND_PATIENCE_S;
	job_next_expect(&known, JOB_IMPORT, JOB_RUNNING, 0, "sent again");
	struct job_decision decision;
	job_next(&known, &decision);
	assert_true(decision.is_resend && decision.may_have_imported);
	known.holds = JOB_HOLDS_NOTHING;
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "deleted meanwhile: plan again");
	known.has_arn = false; /* a first import has more patience */
	job_next_expect(&known, JOB_FIND, JOB_RUNNING, 1, "not there yet");
	known.now_s += JOB_FIND_NEW_PATIENCE_S;
	job_next_expect(&known, JOB_IMPORT, JOB_RUNNING, 0, "sent again");
	known.now_s += JOB_LIFE_S;
	job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "given up");
}

/* Describe and Get come from different places. Both certificates are known ones: there is no third, and
 * nothing to be rolled back. */
static void an_import_that_shows_in_part_is_there(void **state)
{
	(void)state;
	struct job_known known = job_known_in(JOB_FIND);
	known.may_have_imported = true;
	known.auto_rollback = true;
	known.holds = JOB_HOLDS_MIXED;
	known.held_serial = "0a";
	job_next_expect(&known, JOB_TAG, JOB_RUNNING, 0, "adopted");
	known.kind = JOB_ROLLBACK; /* what it brings was there before */
	job_next_expect(&known, JOB_FIND, JOB_RUNNING, 1, "not there yet");
	known.now_s += JOB_OTHER_PATIENCE_S;
	job_next_expect(&known, JOB_IMPORT, JOB_RUNNING, 0, "sent again");
}

/* The sensor was off for days: nobody expects it any more, and what was planned since does not know of
 * it. */
static void what_did_not_begin_in_its_time_changes_nothing(void **state)
{
	(void)state;
	static const enum job_kind kinds[] = {JOB_DELIVER, JOB_ROLLBACK, JOB_DELETE};
	static const char *const next[] = {": plan again", ": order it again", ": order it again"};
	for (size_t i = 0; i < 3; i++) {
		struct job_known known = job_known_in(JOB_CHECK);
		known.kind = kinds[i];
		known.holds = JOB_HOLDS_OLD;
		known.held_serial = "0a";
		known.created_s = known.now_s - JOB_LIFE_S;
		char text[256];
		snprintf(text, sizeof(text),
			"given up after 24 hours: it has not begun; nothing was changed in AWS%s "
			"when that is mended",
			next[i]);
		job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, text);
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
		struct job_known known = job_known_in(phases[i]);
		struct job_decision decision;
		known.may_have_imported = true;
		known.holds = JOB_HOLDS_OTHER;
		known.held_serial = "0c";
		job_next_expect(&known, phases[i], JOB_RUNNING, 1, "neither");
		known.now_s += JOB_OTHER_PATIENCE_S;
		job_next_expect_reason(&known,
			"ACM holds serial 0c, neither the old one (0a) nor the new "
			"one (0b); plan again to replace it");
		job_next(&known, &decision);
		assert_int_equal(decision.state, JOB_FAILED);
		assert_false(decision.is_roll_back);
		known.held_by_job = "j-9";
		job_next_expect_reason(&known,
			"ACM holds serial 0c, neither the old one (0a) nor the new "
			"one (0b): job j-9 brought it; plan again to replace it");
		known.held_by_job = "";
		known.auto_rollback = true;
		job_next(&known, &decision);
		assert_true(decision.is_roll_back);
		job_next_expect_reason(&known,
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
	struct job_known known = job_known_in(JOB_TAG);
	known.may_have_imported = true;
	job_next_expect(&known, JOB_CONFIRM, JOB_RUNNING, 0, "complete");
	known.missing_tags = "team";
	job_next_expect(&known, JOB_TAG, JOB_RUNNING, 1, "team");
	known.now_s += JOB_TAG_PATIENCE_S;
	job_next_expect(&known, JOB_CONFIRM, JOB_RUNNING, 0, "missing: team");
	struct err late = job_next_err(ERR_NOT_FOUND, "ResourceNotFoundException");
	known = job_known_in(JOB_TAG);
	known.err = &late; /* a first import that does not show yet */
	known.may_have_imported = true;
	job_next_expect(&known, JOB_TAG, JOB_RUNNING, 1, "will be tried again");
	for (enum err_kind kind = ERR_CONFIG; kind <= ERR_STOPPED; kind++) {
		struct err err = job_next_err(kind, "");
		known = job_known_in(JOB_TAG);
		known.err = &err;
		known.may_have_imported = true;
		job_next(&known, &decision);
		assert_int_equal(decision.state, JOB_RUNNING);
		known.now_s += JOB_TAG_PATIENCE_S;
		if (kind == ERR_UNREACHABLE || kind == ERR_CREDENTIALS || kind == ERR_ROLE) {
			/* Nothing could be confirmed either. */
			job_next_expect(&known, JOB_TAG, JOB_RUNNING, 1,
				"what AWS said; will be tried again");
			known.created_s -= JOB_LIFE_S;
			job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "looked at by hand");
			continue;
		}
		job_next_expect(&known, JOB_CONFIRM, JOB_RUNNING, 0, "could not be set");
		job_next(&known, &decision);
		assert_true(decision.has_tag_warning && decision.may_have_imported);
	}
}

static void confirm_is_patient(void **state)
{
	(void)state;
	struct job_known known = job_known_in(JOB_CONFIRM);
	known.may_have_imported = true;
	known.holds = JOB_HOLDS_NEW;
	job_next_expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "ACM holds serial 0b");
	known.tag_warning = "tags are missing: team";
	job_next_expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "warning: tags are missing: team");
	known.hosts = 2;
	job_next_expect(&known, JOB_VERIFY, JOB_RUNNING, 0, "ACM holds serial 0b");
	known.hosts = 0;
	known.kind = JOB_ROLLBACK;
	job_next_expect(&known, JOB_DONE, JOB_RESTORED, 0, "ACM holds serial 0b");
	struct job_decision decision;
	known.tag_warning = "";
	job_next(&known, &decision); /* the state says "restored": not once more */
	assert_string_equal(decision.reason, "ACM holds serial 0b");
	static const enum job_holds late[] = {JOB_HOLDS_OLD, JOB_HOLDS_MIXED, JOB_HOLDS_NOTHING};
	for (size_t i = 0; i < 3; i++) {
		known = job_known_in(JOB_CONFIRM);
		known.may_have_imported = true;
		known.holds = late[i];
		known.last_wait_s = 16;
		job_next_expect(
			&known, JOB_CONFIRM, JOB_RUNNING, JOB_LOOK_MAX_S, "looked at again");
		known.now_s += JOB_CONFIRM_PATIENCE_S;
		job_next_expect(&known, JOB_DONE, JOB_FAILED, 0, "ACM took serial 0b");
	}
}

static void verify_says_what_hosts_serve(void **state)
{
	(void)state;
	struct job_decision decision;
	struct job_known known = job_known_in(JOB_VERIFY);
	known.may_have_imported = true;
	known.hosts = known.served = 2;
	job_next_expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "served by 2 of 2 hosts");
	known.served = known.unreachable = 1;
	job_next_expect(&known, JOB_VERIFY, JOB_RUNNING, 1, "1 not reachable");
	known.now_s += JOB_UNREACHABLE_PATIENCE_S;
	job_next_expect_reason(
		&known, "ACM holds serial 0b; served by 1 of 2 hosts; warning: 1 not reachable");
	known.hosts = 1;
	known.served = 0;
	job_next_expect_reason(
		&known, "ACM holds serial 0b; served by 0 of 1 host; warning: 1 not reachable");
	known = job_known_in(JOB_VERIFY);
	known.may_have_imported = true;
	known.hosts = 2;
	known.served = known.other = 1;
	known.other_host = "a.example:443";
	job_next_expect(&known, JOB_VERIFY, JOB_RUNNING, 1, "asked again");
	known.now_s += JOB_VERIFY_PATIENCE_S;
	job_next_expect(&known, JOB_DONE, JOB_SUCCEEDED, 0,
		"warning: a.example:443 still serves another certificate");
	known.auto_rollback = true;
	job_next_expect_reason(
		&known, "a.example:443 still serves another certificate after 5 minutes");
	job_next(&known, &decision);
	assert_int_equal(decision.state, JOB_FAILED);
	assert_true(decision.is_roll_back);
	known.no_rollback = "no key";
	job_next_expect(&known, JOB_DONE, JOB_SUCCEEDED, 0, "there is no way back: no key");
	known.no_rollback = "";
	known.kind = JOB_ROLLBACK; /* a way back is not taken back */
	job_next_expect_reason(&known,
		"ACM holds serial 0b; served by 1 of 2 hosts; warning: a.example:443 "
		"still serves another certificate");
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
		struct job_known known = job_known_in((enum job_phase)(JOB_CHECK + rest % 9));
		rest /= 9;
		known.kind = (enum job_kind)(JOB_DELIVER + rest % 3);
		rest /= 3;
		known.holds = (enum job_holds)(rest % 5);
		rest /= 5;
		known.now_s += ages[rest % 3];
		rest /= 3;
		struct err err = job_next_err(
			(enum err_kind)(rest % 18), rest % 19 == 18 ? "answer_lost" : "");
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
		cmocka_unit_test(a_lost_answer_is_looked_for_before_it_is_sent_again),
		cmocka_unit_test(an_import_that_shows_in_part_is_there),
		cmocka_unit_test(what_did_not_begin_in_its_time_changes_nothing),
		cmocka_unit_test(a_strange_serial_ends_it_after_patience),
		cmocka_unit_test(tags_do_not_undo_a_delivery),
		cmocka_unit_test(confirm_is_patient),
		cmocka_unit_test(verify_says_what_hosts_serve),
		cmocka_unit_test(a_new_run_goes_on_where_it_is_safe),
		cmocka_unit_test(only_what_is_before_its_import_waits_for_it),
		cmocka_unit_test(every_combination_is_a_decision),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
