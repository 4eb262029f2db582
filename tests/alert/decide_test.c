/* What is told of an alert, and what not again. */
#include "alert/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { NOW = 1795219200, END = NOW + 100000 };

static const struct subject subject = {.kind = ALERT_CERTIFICATE,
	.id = "0123456789abcdef",
	.subject = "arn",
	.connector = "prod",
	.account_id = "1",
	.region = "r",
	.name = "www"};

static struct finding found(enum alert_class class, int64_t days)
{
	struct finding finding = {
		.verdict = VERDICT_ALERT, .class = class, .days = days, .ends_s = END};
	(void)snprintf(finding.text, sizeof(finding.text), "ends");
	return finding;
}

static struct finding nothing(void)
{
	return (struct finding){.verdict = VERDICT_NONE, .reason = "renewed"};
}

/* Decides, and stores what was decided, as a pass does. finding: outlives it. */
static enum change step(
	struct alert_record *stored, bool *is_stored, const struct finding *finding, int64_t now_s)
{
	struct alert_record next;
	enum change change =
		alert_decide(*is_stored ? stored : NULL, &subject, finding, now_s, &next);
	if (change == CHANGE_NONE)
		return change;
	*is_stored = change != CHANGE_FORGET;
	*stored = next;
	return change;
}

static void it_is_told_once_and_when_it_gets_worse(void **state)
{
	(void)state;
	struct alert_record alert;
	bool is_stored = false;
	struct finding notice_45 = found(ALERT_NOTICE, 45), notice_30 = found(ALERT_NOTICE, 30);
	struct finding emergency_30 = found(ALERT_EMERGENCY, 30);
	struct finding warning_14 = found(ALERT_WARNING, 14);
	assert_int_equal(step(&alert, &is_stored, &notice_45, NOW), CHANGE_RAISED);
	assert_int_equal(alert.raised_s, NOW);
	assert_string_equal(alert.name, "www");
	assert_int_equal(step(&alert, &is_stored, &notice_45, NOW + 1), CHANGE_NONE);
	assert_int_equal(step(&alert, &is_stored, &notice_30, NOW + 2), CHANGE_WORSE);
	assert_int_equal(alert.raised_s, NOW);
	assert_int_equal(alert.changed_s, NOW + 2);
	assert_int_equal(step(&alert, &is_stored, &emergency_30, NOW + 3), CHANGE_WORSE);
	/* Better, and as bad as it was told before: nobody hears. */
	assert_int_equal(step(&alert, &is_stored, &notice_30, NOW + 4), CHANGE_SILENT);
	assert_int_equal(alert.class, ALERT_NOTICE);
	assert_int_equal(step(&alert, &is_stored, &emergency_30, NOW + 5), CHANGE_SILENT);
	assert_int_equal(step(&alert, &is_stored, &notice_45, NOW + 6), CHANGE_SILENT);
	/* A nearer threshold is worse whatever the class. */
	assert_int_equal(step(&alert, &is_stored, &warning_14, NOW + 7), CHANGE_WORSE);
	assert_int_equal(alert.told_class, ALERT_EMERGENCY);
	assert_int_equal(alert.told_days, 14);
}

static void an_acknowledgement_lasts_until_it_gets_worse(void **state)
{
	(void)state;
	struct alert_record alert;
	bool is_stored = false;
	struct finding notice_45 = found(ALERT_NOTICE, 45), notice_30 = found(ALERT_NOTICE, 30);
	(void)step(&alert, &is_stored, &notice_45, NOW);
	alert.acknowledged_s = NOW + 1;
	alert.acknowledged_by = "uid 0";
	alert.note = "known";
	struct finding in_other_words = notice_45;
	(void)snprintf(in_other_words.text, sizeof(in_other_words.text), "other words");
	assert_int_equal(step(&alert, &is_stored, &in_other_words, NOW + 2), CHANGE_SILENT);
	assert_int_equal(alert.acknowledged_s, NOW + 1);
	assert_string_equal(alert.note, "known");
	assert_int_equal(step(&alert, &is_stored, &notice_30, NOW + 3), CHANGE_WORSE);
	assert_int_equal(alert.acknowledged_s, 0);
	assert_string_equal(alert.note, "");
	assert_string_equal(alert.acknowledged_by, "");
}

static void it_ends_with_its_reason_and_is_forgotten_in_time(void **state)
{
	(void)state;
	struct alert_record alert;
	bool is_stored = false;
	struct finding notice = found(ALERT_NOTICE, 45), no = nothing();
	assert_int_equal(step(&alert, &is_stored, &no, NOW), CHANGE_NONE);
	(void)step(&alert, &is_stored, &notice, NOW);
	assert_int_equal(step(&alert, &is_stored, &no, NOW + 5), CHANGE_RESOLVED);
	assert_int_equal(alert.resolved_s, NOW + 5);
	assert_string_equal(alert.resolution, "renewed");
	assert_int_equal(step(&alert, &is_stored, &no, NOW + 5 + ALERT_KEEP_S), CHANGE_NONE);
	assert_int_equal(step(&alert, &is_stored, &no, NOW + 6 + ALERT_KEEP_S), CHANGE_FORGET);
	assert_false(is_stored);
}

/* Told "resolved" and then silently open again would be a lie. */
static void what_comes_back_soon_is_over_until_it_has_stayed(void **state)
{
	(void)state;
	struct alert_record alert;
	bool is_stored = false;
	struct finding notice = found(ALERT_NOTICE, 45), no = nothing();
	struct finding warning = found(ALERT_WARNING, 45), notice_30 = found(ALERT_NOTICE, 30);
	(void)step(&alert, &is_stored, &notice, NOW);
	alert.acknowledged_s = NOW;
	(void)step(&alert, &is_stored, &no, NOW);
	assert_int_equal(step(&alert, &is_stored, &notice, NOW + ALERT_REPEAT_S - 1), CHANGE_NONE);
	assert_int_equal(alert.resolved_s, NOW);
	assert_int_equal(step(&alert, &is_stored, &notice, NOW + ALERT_REPEAT_S), CHANGE_RAISED);
	assert_int_equal(alert.raised_s, NOW + ALERT_REPEAT_S);
	assert_int_equal(alert.resolved_s, 0);
	assert_int_equal(alert.acknowledged_s, 0);
	assert_string_equal(alert.resolution, "");
	/* Worse than it was is told at once. */
	(void)step(&alert, &is_stored, &no, NOW);
	assert_int_equal(step(&alert, &is_stored, &warning, NOW + 1), CHANGE_RAISED);
	(void)step(&alert, &is_stored, &no, NOW + 2);
	assert_int_equal(step(&alert, &is_stored, &notice_30, NOW + 3), CHANGE_RAISED);
	/* Resolved by a clock that was ahead: it is not silent until then. */
	(void)step(&alert, &is_stored, &no, NOW + 900000);
	assert_int_equal(step(&alert, &is_stored, &notice_30, NOW + 4), CHANGE_RAISED);
}

static void what_a_wrong_clock_told_too_early_is_told_again_in_time(void **state)
{
	(void)state;
	enum { DAY = 86400 };
	struct alert_record alert;
	bool is_stored = false;
	struct finding ended = found(ALERT_CRITICAL, 0), notice_45 = found(ALERT_NOTICE, 45);
	struct finding notice_30 = found(ALERT_NOTICE, 30);
	assert_int_equal(step(&alert, &is_stored, &ended, END + DAY), CHANGE_RAISED);
	assert_int_equal(step(&alert, &is_stored, &notice_45, END - 40 * DAY), CHANGE_SILENT);
	assert_int_equal(alert.told_days, 45);
	assert_int_equal(step(&alert, &is_stored, &notice_45, END - 40 * DAY), CHANGE_NONE);
	assert_int_equal(step(&alert, &is_stored, &notice_30, END - 30 * DAY), CHANGE_WORSE);
	/* Also when other thresholds were set meanwhile. */
	alert.days = 45;
	alert.class = ALERT_NOTICE;
	alert.told_days = 14;
	assert_int_equal(step(&alert, &is_stored, &notice_45, END - 40 * DAY), CHANGE_SILENT);
	assert_int_equal(alert.told_days, 45);
	(void)step(&alert, &is_stored, &notice_30, END - 30 * DAY);
	/* Minutes make no difference: two clocks are never quite the same. */
	assert_int_equal(step(&alert, &is_stored, &notice_45, END - 30 * DAY - 60), CHANGE_SILENT);
	assert_int_equal(alert.told_days, 30);
	assert_int_equal(step(&alert, &is_stored, &notice_30, END - 30 * DAY), CHANGE_SILENT);
}

static void another_end_is_another_alert(void **state)
{
	(void)state;
	struct alert_record alert;
	bool is_stored = false;
	struct finding critical = found(ALERT_CRITICAL, 0), notice = found(ALERT_NOTICE, 45);
	(void)step(&alert, &is_stored, &critical, NOW);
	alert.first_notice = alert.last_notice = 7;
	notice.ends_s = END + 5;
	assert_int_equal(step(&alert, &is_stored, &notice, NOW + 1), CHANGE_RAISED);
	assert_int_equal(alert.told_class, ALERT_NOTICE);
	assert_int_equal(alert.told_days, 45);
	assert_int_equal(alert.first_notice, 0);
	/* Also right after it was over. */
	struct finding no = nothing();
	(void)step(&alert, &is_stored, &no, NOW + 2);
	notice.ends_s++;
	assert_int_equal(step(&alert, &is_stored, &notice, NOW + 3), CHANGE_RAISED);
}

static void what_has_no_days_gets_worse_by_its_class_alone(void **state)
{
	(void)state;
	struct alert_record alert;
	bool is_stored = false;
	struct finding notice = found(ALERT_NOTICE, ALERT_NO_DAYS);
	struct finding warning = found(ALERT_WARNING, ALERT_NO_DAYS);
	struct finding days = found(ALERT_WARNING, 30);
	(void)step(&alert, &is_stored, &notice, NOW);
	assert_int_equal(step(&alert, &is_stored, &notice, NOW), CHANGE_NONE);
	assert_int_equal(step(&alert, &is_stored, &warning, NOW), CHANGE_WORSE);
	assert_int_equal(step(&alert, &is_stored, &days, NOW), CHANGE_WORSE);
}

static void what_cannot_be_told_now_stays(void **state)
{
	(void)state;
	struct alert_record alert;
	bool is_stored = false;
	struct finding notice = found(ALERT_NOTICE, 45);
	struct finding unknown = {.verdict = VERDICT_UNKNOWN};
	assert_int_equal(step(&alert, &is_stored, &unknown, NOW), CHANGE_NONE);
	(void)step(&alert, &is_stored, &notice, NOW);
	assert_int_equal(step(&alert, &is_stored, &unknown, NOW), CHANGE_NONE);
	assert_int_equal(alert.resolved_s, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_told_once_and_when_it_gets_worse),
		cmocka_unit_test(an_acknowledgement_lasts_until_it_gets_worse),
		cmocka_unit_test(it_ends_with_its_reason_and_is_forgotten_in_time),
		cmocka_unit_test(what_comes_back_soon_is_over_until_it_has_stayed),
		cmocka_unit_test(what_a_wrong_clock_told_too_early_is_told_again_in_time),
		cmocka_unit_test(another_end_is_another_alert),
		cmocka_unit_test(what_has_no_days_gets_worse_by_its_class_alone),
		cmocka_unit_test(what_cannot_be_told_now_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
