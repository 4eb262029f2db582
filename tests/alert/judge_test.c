/* What is worth an alert: each rule from both sides. */
#include "alert/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { NOW = 1795219200, DAY = 86400 };

static const struct alert_settings usual = {
	.days = {45, 30, 14, 7, 3, 1, 0}, .days_count = 7, .coverage_after_s = 3600};
static const struct alert_settings none = {.days_count = 0};

static struct cert_record cert_in(int64_t days)
{
	return (struct cert_record){.arn = "arn:aws:acm:eu-west-1:000000000001:certificate/1",
		.account_id = "000000000001",
		.region = "eu-west-1",
		.domain_name = "www.example.com",
		.sans = {.bytes = "www.example.com\0example.com", .len = 28, .count = 2},
		.status = "ISSUED",
		.type = "AMAZON_ISSUED",
		.renewal_eligibility = "ELIGIBLE",
		.renewal_status = "PENDING_AUTO_RENEWAL",
		.not_before_s = NOW - 300 * (int64_t)DAY,
		.not_after_s = NOW + days * DAY,
		.in_use = true};
}

static struct finding judge(const struct cert_record *cert, const char *twin)
{
	struct finding finding;
	judge_certificate(&usual, cert, twin, NOW - JUDGE_STALE_S, NOW, &finding);
	return finding;
}

static void expect_none(const struct cert_record *cert, const char *twin, const char *reason)
{
	struct finding finding = judge(cert, twin);
	assert_int_equal(finding.verdict, VERDICT_NONE);
	assert_string_equal(finding.reason, reason);
}

static void expect_class(const struct cert_record *cert, enum alert_class class, int64_t days)
{
	struct finding finding = judge(cert, "");
	assert_int_equal(finding.verdict, VERDICT_ALERT);
	assert_int_equal(finding.class, class);
	assert_int_equal(finding.days, days);
	assert_int_equal(finding.ends_s, cert->not_after_s);
}

static void the_smallest_threshold_that_was_passed_counts(void **state)
{
	(void)state;
	static const struct {
		int64_t left_s, days;
	} all[] = {{46 * DAY, ALERT_NO_DAYS}, {45 * DAY + 1, ALERT_NO_DAYS}, {45 * DAY, 45},
		{30 * DAY + 1, 45}, {30 * DAY, 30}, {8 * DAY, 14}, {7 * DAY, 7}, {DAY + 1, 3},
		{DAY, 1}, {1, 1}, {0, 0}, {-100 * (int64_t)DAY, 0}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(judge_days(&usual, NOW + all[i].left_s, NOW), all[i].days);
	assert_int_equal(judge_days(&usual, 0, NOW), ALERT_NO_DAYS);
	assert_int_equal(judge_days(&none, NOW, NOW), ALERT_NO_DAYS);
	static const struct alert_settings rising = {.days = {7, 45}, .days_count = 2};
	assert_int_equal(judge_days(&rising, NOW + DAY, NOW), 7);
}

static void what_aws_renews_gets_more_urgent(void **state)
{
	(void)state;
	struct cert_record cert = cert_in(40);
	expect_class(&cert, ALERT_NOTICE, 45);
	cert = cert_in(13);
	expect_class(&cert, ALERT_WARNING, 14);
	cert = cert_in(3);
	expect_class(&cert, ALERT_CRITICAL, 3);
	cert = cert_in(-1); /* it has not */
	expect_class(&cert, ALERT_EMERGENCY, 0);
	assert_non_null(strstr(judge(&cert, "").text, "www.example.com has ended 2026-11-20T"));
	assert_non_null(strstr(judge(&cert, "").text, "; AWS does not renew what has ended"));
}

static void in_use_and_not_renewing_is_an_emergency_from_the_first(void **state)
{
	(void)state;
	static const struct {
		const char *type, *eligibility, *status, *why;
	} all[] = {{"IMPORTED", "INELIGIBLE", "", "it was imported"},
		{"AMAZON_ISSUED", "INELIGIBLE", "", "it is not eligible"},
		{"AMAZON_ISSUED", "", "", "; AWS has not said whether it renews it"},
		{"AMAZON_ISSUED", "ELIGIBLE", "FAILED", "the renewal failed"},
		{"AMAZON_ISSUED", "ELIGIBLE", "PENDING_VALIDATION",
			"the renewal waits for the owner to validate the names"}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct cert_record cert = cert_in(45);
		cert.type = all[i].type;
		cert.renewal_eligibility = all[i].eligibility;
		cert.renewal_status = all[i].status;
		expect_class(&cert, ALERT_EMERGENCY, 45);
		assert_non_null(strstr(judge(&cert, "").text, all[i].why));
		cert.in_use = false;
		cert.exported = true; /* it serves somewhere else */
		expect_class(&cert, ALERT_EMERGENCY, 45);
		assert_non_null(strstr(judge(&cert, "").text, "; exported; "));
	}
}

static void use_is_told(void **state)
{
	(void)state;
	struct cert_record cert = cert_in(45);
	assert_non_null(strstr(judge(&cert, "").text, "; in use; AWS renews it"));
	cert.in_use_by = (struct pack){.bytes = "a\0b", .len = 4, .count = 2};
	assert_non_null(strstr(judge(&cert, "").text, "; in use by 2; "));
	cert.domain_name = "";
	assert_non_null(
		strstr(judge(&cert, "").text, "a certificate without a name ends 2027-01-05T"));
}

static void what_was_not_read_for_days_may_have_changed(void **state)
{
	(void)state;
	struct finding finding;
	struct cert_record cert = cert_in(13);
	judge_certificate(&usual, &cert, "", NOW - JUDGE_STALE_S - 1, NOW, &finding);
	assert_non_null(strstr(finding.text, "; AWS renews it; last read 2026-11-18T23:59:59Z"));
	judge_certificate(&usual, &cert, "", 0, NOW, &finding);
	assert_null(strstr(finding.text, "last read"));
	assert_null(strstr(judge(&cert, "").text, "last read"));
}

static void what_nothing_uses_never_gets_more_than_a_warning(void **state)
{
	(void)state;
	struct cert_record cert = cert_in(40);
	cert.in_use = false;
	cert.type = "IMPORTED";
	cert.renewal_eligibility = "INELIGIBLE";
	expect_class(&cert, ALERT_NOTICE, 45);
	cert.not_after_s = NOW + 7 * DAY;
	expect_class(&cert, ALERT_WARNING, 7);
	cert.not_after_s = NOW - JUDGE_UNUSED_S;
	expect_class(&cert, ALERT_WARNING, 0);
	cert.not_after_s = NOW - JUDGE_UNUSED_S - 1;
	expect_none(&cert, "", "it has ended and nothing uses it");
	cert.in_use = true;
	expect_class(&cert, ALERT_EMERGENCY, 0);
}

static void what_has_no_end_is_not_about_to_end(void **state)
{
	(void)state;
	struct cert_record cert = cert_in(0);
	cert.not_after_s = 0;
	cert.status = "PENDING_VALIDATION";
	expect_none(&cert, "", "the certificate has no end");
	cert = cert_in(46);
	expect_none(&cert, "", "it ends 2027-01-06T00:00:00Z, later than any threshold");
	cert = cert_in(3);
	cert.gone_s = NOW;
	expect_none(&cert, "", "the certificate is gone");
	cert = cert_in(3);
	cert.status = "REVOKED";
	expect_class(&cert, ALERT_CRITICAL, 3); /* something still uses it */
	cert.in_use = false;
	expect_none(&cert, "", "revoked and not in use");
}

static void a_twin_silences_only_what_nothing_uses(void **state)
{
	(void)state;
	struct cert_record cert = cert_in(3);
	struct finding finding = judge(&cert, "arn:twin");
	assert_int_equal(finding.verdict, VERDICT_ALERT);
	assert_non_null(
		strstr(finding.text, "; a newer one with the same names is there: arn:twin"));
	cert.in_use = false;
	expect_none(&cert, "arn:twin", "replaced by arn:twin");
	cert.exported = true;
	assert_int_equal(judge(&cert, "arn:twin").verdict, VERDICT_ALERT);
}

static struct cert_record twin_of(const struct cert_record *old)
{
	struct cert_record twin = *old;
	twin.arn = "arn:aws:acm:eu-west-1:000000000001:certificate/2";
	twin.sans = (struct pack){.bytes = "EXAMPLE.com\0www.example.com", .len = 28, .count = 2};
	twin.domain_name = "Example.com";
	twin.not_after_s = NOW + 300 * (int64_t)DAY;
	return twin;
}

static void a_twin_has_the_same_names_and_ends_later(void **state)
{
	(void)state;
	struct cert_record old = cert_in(3), twin = twin_of(&old);
	assert_true(judge_is_twin(&old, &twin, NOW));
	assert_false(judge_is_twin(&old, &old, NOW));
	assert_false(judge_is_twin(&twin, &old, NOW));
	twin.account_id = "000000000002";
	assert_false(judge_is_twin(&old, &twin, NOW));
	twin = twin_of(&old);
	twin.region = "eu-west-2";
	assert_false(judge_is_twin(&old, &twin, NOW));
	twin = twin_of(&old);
	twin.gone_s = 1;
	assert_false(judge_is_twin(&old, &twin, NOW));
	twin = twin_of(&old);
	twin.status = "PENDING_VALIDATION";
	assert_false(judge_is_twin(&old, &twin, NOW));
	twin = twin_of(&old);
	twin.not_before_s = NOW + 1;
	assert_false(judge_is_twin(&old, &twin, NOW));
	twin = twin_of(&old);
	old.not_after_s = NOW - 2;
	twin.not_after_s = NOW - 1; /* it has ended too */
	assert_false(judge_is_twin(&old, &twin, NOW));
}

static void a_twin_must_cover_every_name_and_no_other(void **state)
{
	(void)state;
	struct cert_record old = cert_in(3), twin = twin_of(&old);
	twin.sans = (struct pack){.bytes = "www.example.com", .len = 16, .count = 1};
	assert_true(judge_is_twin(&old, &twin, NOW)); /* its domain name is the other one */
	twin.domain_name = "www.example.com";
	assert_false(judge_is_twin(&old, &twin, NOW));
	twin = twin_of(&old);
	twin.domain_name = "other.example.com";
	assert_false(judge_is_twin(&old, &twin, NOW));
	twin = twin_of(&old);
	old.domain_name = "";
	assert_true(judge_is_twin(&old, &twin, NOW));
	old.sans.count = twin.sans.count = 1000; /* more than anybody compares */
	assert_false(judge_is_twin(&old, &twin, NOW));
	old.sans = (struct pack){.count = 0};
	old.domain_name = "www.example.com";
	twin.sans.count = 201; /* more than anybody compares */
	assert_false(judge_is_twin(&old, &twin, NOW));
	twin.sans = old.sans = (struct pack){.count = 0};
	twin.domain_name = old.domain_name = "";
	assert_false(judge_is_twin(&old, &twin, NOW)); /* no names are not the same names */
}

/* --- the rest --------------------------------------------------------------------------------- */

static struct coverage_record place(enum coverage_state state, int64_t since_s, int64_t success_s)
{
	return (struct coverage_record){.connector = "prod",
		.account_id = "000000000001",
		.state = state,
		.reason = "no such role",
		.state_since_s = since_s,
		.last_success_s = success_s};
}

static struct finding judge_places(const struct coverage_record *record, size_t count)
{
	struct coverage_sum sum = {.total = 0};
	struct finding finding;
	for (size_t i = 0; i < count; i++)
		judge_coverage_add(&sum, &usual, &record[i], NOW);
	judge_coverage(&sum, "000000000001", false, &finding);
	return finding;
}

static void an_account_that_is_not_read_any_more_is_a_warning(void **state)
{
	(void)state;
	const struct coverage_record record[] = {place(COVERAGE_OK, 1, 1),
		place(COVERAGE_DENIED, 1, 0), place(COVERAGE_ROLE_UNASSUMABLE, NOW - 3600, 5),
		place(COVERAGE_THROTTLED, NOW - 7200, 5), place(COVERAGE_REGION_DISABLED, 1, 1)};
	struct finding finding = judge_places(record, 5);
	assert_int_equal(finding.class, ALERT_WARNING);
	assert_int_equal(finding.days, ALERT_NO_DAYS);
	assert_string_equal(finding.text, "account 000000000001: 2 of 5 regions cannot be read any "
					  "more: role_unassumable: no such role");
	finding = judge_places(record, 2);
	assert_int_equal(finding.class, ALERT_NOTICE);
	assert_string_equal(finding.text,
		"account 000000000001: 1 of 2 regions could never be read: denied: no such role");
	struct coverage_record never[] = {
		place(COVERAGE_THROTTLED, 1, 0), place(COVERAGE_DENIED, 1, 0)};
	assert_string_equal(judge_places(never, 2).text,
		"account 000000000001: 2 of 2 regions could never be read: throttled: no such role");
	assert_int_equal(judge_places(record, 1).verdict, VERDICT_NONE);
	assert_string_equal(judge_places(record, 1).reason, "it is read again, or not to be read");
	assert_string_equal(judge_places(record, 0).reason, "the account is not known any more");
}

static void a_connector_that_fails_speaks_for_its_accounts(void **state)
{
	(void)state;
	struct coverage_sum sum = {.total = 0};
	struct finding finding;
	struct coverage_record lost = place(COVERAGE_FAILED, 1, 1);
	judge_coverage_add(&sum, &usual, &lost, NOW);
	judge_coverage(&sum, "000000000001", true, &finding);
	assert_int_equal(finding.verdict, VERDICT_UNKNOWN);
	sum = (struct coverage_sum){.total = 3};
	judge_coverage(&sum, "000000000001", true, &finding);
	assert_int_equal(finding.verdict, VERDICT_NONE);
}

static void what_was_lost_just_now_is_not_worth_a_word(void **state)
{
	(void)state;
	struct coverage_record record = place(COVERAGE_UNREACHABLE, NOW - 3599, 5);
	record.reason = "";
	assert_int_equal(judge_places(&record, 1).verdict, VERDICT_NONE);
	record.failures_in_row = JUDGE_FAILURES; /* in whatever states */
	assert_string_equal(judge_places(&record, 1).text,
		"account 000000000001: 1 of 1 regions cannot be read any more: unreachable");
	record = place(COVERAGE_NEVER_TRIED, 0, 0);
	assert_int_equal(judge_places(&record, 1).verdict, VERDICT_NONE);
}

static void a_connector_whose_last_cycle_failed_is_critical(void **state)
{
	(void)state;
	struct finding finding;
	struct cycle_record cycle = {.connector = "prod", .error = "no credentials"};
	judge_connector(&cycle, &finding);
	assert_int_equal(finding.class, ALERT_CRITICAL);
	assert_string_equal(finding.text, "connector prod: the last cycle failed: no credentials");
	cycle.error = "";
	judge_connector(&cycle, &finding);
	assert_string_equal(finding.reason, "its last cycle worked");
	judge_connector(NULL, &finding);
	assert_string_equal(finding.reason, "the connector is not configured any more");
}

static void a_job_that_failed_is_told_for_a_week(void **state)
{
	(void)state;
	struct finding finding;
	struct job_record job = {.id = "j-1",
		.kind = JOB_DELIVER,
		.state = JOB_FAILED,
		.reason = "AWS refused",
		.ended_s = NOW - JUDGE_JOB_S};
	judge_job(&job, NOW, &finding);
	assert_int_equal(finding.class, ALERT_CRITICAL);
	assert_string_equal(finding.text, "job j-1 (deliver) failed: AWS refused");
	job.kind = JOB_DELETE;
	judge_job(&job, NOW, &finding);
	assert_int_equal(finding.class, ALERT_WARNING);
	job.kind = JOB_ROLLBACK;
	job.state = JOB_IMPOSSIBLE;
	judge_job(&job, NOW, &finding);
	assert_string_equal(finding.text, "job j-1 (rollback) was impossible: AWS refused");
	judge_job(&job, NOW + 1, &finding);
	assert_string_equal(finding.reason, "it failed more than a week ago");
	job.state = JOB_SUCCEEDED;
	judge_job(&job, NOW, &finding);
	assert_string_equal(finding.reason, "the job has not failed");
	judge_job(NULL, NOW, &finding);
	assert_string_equal(finding.reason, "there is no such job");
}

static void credentials_that_end_are_told(void **state)
{
	(void)state;
	static const struct {
		int64_t left_s;
		enum alert_class class;
	} all[] = {{20 * DAY, ALERT_NOTICE}, {7 * DAY, ALERT_WARNING}, {3600, ALERT_CRITICAL},
		{0, ALERT_EMERGENCY}};
	struct finding finding;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		judge_identity(&usual, "environment", NOW + all[i].left_s, NOW, &finding);
		assert_int_equal(finding.verdict, VERDICT_ALERT);
		assert_int_equal(finding.class, all[i].class);
	}
	assert_string_equal(finding.text,
		"the credentials (environment) have ended 2026-11-21T00:00:00Z and nobody renews "
		"them");
	judge_identity(&usual, "environment", 0, NOW, &finding);
	assert_int_equal(finding.verdict, VERDICT_NONE);
	judge_identity(&usual, "environment", NOW + 50 * (int64_t)DAY, NOW, &finding);
	assert_int_equal(finding.verdict, VERDICT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_threshold_that_was_passed_counts),
		cmocka_unit_test(what_aws_renews_gets_more_urgent),
		cmocka_unit_test(in_use_and_not_renewing_is_an_emergency_from_the_first),
		cmocka_unit_test(use_is_told),
		cmocka_unit_test(what_was_not_read_for_days_may_have_changed),
		cmocka_unit_test(what_nothing_uses_never_gets_more_than_a_warning),
		cmocka_unit_test(what_has_no_end_is_not_about_to_end),
		cmocka_unit_test(a_twin_silences_only_what_nothing_uses),
		cmocka_unit_test(a_twin_has_the_same_names_and_ends_later),
		cmocka_unit_test(a_twin_must_cover_every_name_and_no_other),
		cmocka_unit_test(an_account_that_is_not_read_any_more_is_a_warning),
		cmocka_unit_test(a_connector_that_fails_speaks_for_its_accounts),
		cmocka_unit_test(what_was_lost_just_now_is_not_worth_a_word),
		cmocka_unit_test(a_connector_whose_last_cycle_failed_is_critical),
		cmocka_unit_test(a_job_that_failed_is_told_for_a_week),
		cmocka_unit_test(credentials_that_end_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
