/* Each decision, each warning, and whether there is a way back. */
#include "delivery/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/delivery/plan_fixture.h"

#define SET(field, text) ((void)snprintf((field), sizeof(field), "%s", (text)))

static struct plan_fixture fixture;
static struct plan plan;

static int setup(void **state)
{
	(void)state;
	plan_fixture_init(&fixture);
	return 0;
}

static void expect(enum plan_decision decision, const char *says)
{
	plan_decide(&fixture.input, &plan);
	if (plan.decision != decision || strstr(plan.reason, says) == NULL)
		fail_msg("%s: %s (expected %s: %s)", plan_decision_name(plan.decision), plan.reason,
			plan_decision_name(decision), says);
	assert_string_not_equal(plan.rollback_reason, "");
}

static int count_warnings(const char *name)
{
	int count = 0;
	for (size_t i = 0; i < plan.warning_count; i++)
		count += strcmp(plan.warning[i].name, name) == 0;
	return count;
}

static void expect_warning(const char *name, const char *says)
{
	plan_decide(&fixture.input, &plan);
	for (size_t i = 0; i < plan.warning_count; i++)
		if (strcmp(plan.warning[i].name, name) == 0 &&
			strstr(plan.warning[i].text, says) != NULL)
			return;
	fail_msg("no warning %s: %s", name, says);
}

static void expect_no_warning(const char *name)
{
	plan_decide(&fixture.input, &plan);
	assert_int_equal(count_warnings(name), 0);
}

/* --- decisions -------------------------------------------------------------------------------- */

static void a_certificate_like_the_old_one_is_reimported(void **state)
{
	(void)state;
	expect(PLAN_REIMPORT, "under the same ARN");
	assert_int_equal(plan.warning_count, 0);
	assert_int_equal(plan.rules.count, 10);
	assert_true(plan.may_roll_back);
	assert_non_null(strstr(plan.rollback_reason, "until 2026-12-31T00:00:00Z"));
}

static void without_an_arn_it_is_new(void **state)
{
	(void)state;
	static const char *const none[] = {NULL, ""};
	fixture.input.remote = NULL;
	for (size_t i = 0; i < 2; i++) {
		fixture.input.arn = none[i];
		expect(PLAN_IMPORT_NEW, "no ARN to replace was named");
		assert_int_equal(plan.rules.count, 5);
		assert_int_equal(plan.warning_count, 0);
		assert_false(plan.may_roll_back);
		assert_non_null(strstr(plan.rollback_reason, "nothing is replaced"));
	}
}

static void a_new_arn_is_said_who_asked_for_it(void **state)
{
	(void)state;
	fixture.input.reimport_allowed = false;
	fixture.input.reimport_off_by = "reimport = no of connector prod";
	expect(PLAN_IMPORT_NEW, "reimport = no of connector prod: a new certificate");
	assert_false(plan.may_roll_back);
	/* The rules of a reimport do not apply. */
	SET(fixture.remote.detail.type, "AMAZON_ISSUED");
	expect(PLAN_IMPORT_NEW, "of its own");
}

static void arns_of_elsewhere_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *arn, *says;
	} rows[] = {{"rubbish", "is not the ARN of an ACM certificate"},
		{"arn:aws:iam::000000000001:role/x", "is not the ARN of an ACM certificate"},
		{"arn:aws:acm:eu-west-1:000000000001:other/x", "is not the ARN of an ACM"},
		{"arn:aws-cn:acm:eu-west-1:000000000001:certificate/x", "is of partition aws-cn"},
		{"arn:aws:acm:eu-west-1:000000000002:certificate/x", "is of account 000000000002"},
		{"arn:aws:acm:us-east-1:000000000001:certificate/x", "in us-east-1, not of"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture.input.arn = rows[i].arn;
		expect(PLAN_REFUSE, rows[i].says);
		assert_string_equal(plan.rollback_reason, "nothing is done");
		assert_false(plan.may_roll_back);
	}
}

static void what_acm_does_not_have_is_refused(void **state)
{
	(void)state;
	fixture.remote.exists = fixture.remote.has_facts = false;
	expect(PLAN_REFUSE, "ACM does not have " PLAN_ARN);
}

static void broken_rules_of_any_import_are_refused(void **state)
{
	(void)state;
	fixture.bundle.chain_count = 0;
	expect(PLAN_REFUSE, "ACM would refuse it: a certificate of a CA needs its chain");
	fixture.input.reimport_allowed = false;
	expect(PLAN_REFUSE, "ACM would refuse it");
	fixture.input.arn = NULL;
	fixture.input.remote = NULL;
	expect(PLAN_REFUSE, "ACM would refuse it");
}

static void broken_rules_of_a_reimport_name_the_way_out(void **state)
{
	(void)state;
	SET(fixture.remote.facts.key_algorithm, "RSA_4096");
	expect(PLAN_REFUSE, "under this ARN: key type and size stay: RSA_4096 before");
	assert_non_null(strstr(plan.reason, "--new-arn"));
	assert_string_equal(plan.rollback_reason, "nothing is done");
	SET(fixture.remote.detail.type, "AMAZON_ISSUED");
	expect(PLAN_REFUSE, "ACM replaces only what was imported");
}

static void what_is_not_known_is_no_refusal(void **state)
{
	(void)state;
	fixture.remote.has_facts = false;
	expect(PLAN_REIMPORT, "");
	expect_warning("rule_unconfirmed", "cannot be read");
	expect_warning("no_rollback", "cannot be read, so it cannot be kept");
}

/* --- warnings --------------------------------------------------------------------------------- */

static void names_that_are_lost_are_told(void **state)
{
	(void)state;
	plan_set_names(&fixture.bundle.leaf.facts, &fixture.new_names, "WWW.example.com", NULL);
	expect_warning("name_lost", "example.com is not in the new certificate");
	assert_int_equal(count_warnings("name_lost"), 1);
	/* Covered by a wildcard, but not that name. */
	plan_set_names(&fixture.bundle.leaf.facts, &fixture.new_names, "*.example.com",
		"example.com", "www.example.com", NULL);
	plan_set_names(&fixture.remote.facts, &fixture.old_names, "api.example.com", NULL);
	expect_warning("name_lost", "api.example.com");
}

/* Of whatever kind: it is there before and after. */
static void an_email_name_that_stays_is_not_lost(void **state)
{
	(void)state;
	fixture.old_names.san[1].kind = fixture.new_names.san[1].kind = X509_SAN_EMAIL;
	expect_no_warning("name_lost");
}

static void many_lost_names_leave_room_for_the_rest(void **state)
{
	(void)state;
	static char name[PLAN_NAMES_MAX][16];
	struct x509_facts *old = &fixture.remote.facts;
	for (int i = 0; i < PLAN_NAMES_MAX; i++) {
		SET(name[i], "");
		(void)snprintf(name[i], sizeof(name[i]), "*.n%d.example", i);
		fixture.old_names.san[i] = (struct x509_san){.kind = X509_SAN_DNS, .text = name[i]};
	}
	old->san_count = PLAN_NAMES_MAX;
	fixture.input.has_old_key = false;
	expect_warning("no_rollback", "never gives a private key back");
	assert_int_equal(count_warnings("name_lost"), 9);
	expect_warning("name_lost", "56 more names are not in the new certificate");
	/* And the other way round. */
	plan_fixture_init(&fixture);
	memcpy(fixture.new_names.san, fixture.old_names.san, sizeof(fixture.new_names.san));
	for (int i = 2; i < PLAN_NAMES_MAX; i++)
		fixture.new_names.san[i] = (struct x509_san){.kind = X509_SAN_DNS, .text = name[i]};
	fixture.bundle.leaf.facts.san_count = PLAN_NAMES_MAX;
	fixture.input.has_old_key = false;
	expect_warning("no_rollback", "never gives a private key back");
	assert_true(count_warnings("wildcard_without_apex") > 0);
}

static void a_wildcard_does_not_cover_its_apex(void **state)
{
	(void)state;
	plan_set_names(&fixture.bundle.leaf.facts, &fixture.new_names, "*.example.com",
		"www.example.com", NULL);
	expect_warning("wildcard_without_apex", "*.example.com does not cover example.com itself");
	plan_set_names(&fixture.bundle.leaf.facts, &fixture.new_names, "*.example.com",
		"example.com", NULL);
	expect_no_warning("wildcard_without_apex");
}

static void dates_are_compared(void **state)
{
	(void)state;
	struct x509_facts *now = &fixture.bundle.leaf.facts;
	now->not_after_s = PLAN_NOW_S + 30 * PLAN_DAY_S;
	expect_no_warning("expires_soon");
	now->not_after_s--;
	expect_warning("expires_soon", "2026-12-20T23:59:59Z");
	expect_no_warning("shorter_validity");
	fixture.remote.facts.not_after_s = now->not_after_s + 1;
	expect_warning("shorter_validity", "before what it replaces (2026-12-21T00:00:00Z)");
}

static void cloudfront_has_rules_of_its_own(void **state)
{
	(void)state;
	static char distribution[] = "arn:aws:cloudfront::000000000001:distribution/E1";
	expect_no_warning("cloudfront_region");
	fixture.in_use_by[1] = distribution;
	fixture.remote.detail.in_use_by.count = 2;
	expect_warning("cloudfront_region", "this one is in eu-west-1");
	expect_no_warning("cloudfront_key_type");
	SET(fixture.bundle.key_algorithm, "EC_prime256v1");
	expect_no_warning("cloudfront_key_type");
	SET(fixture.bundle.key_algorithm, "EC_secp384r1");
	expect_warning("cloudfront_key_type", "EC_secp384r1");
	fixture.input.region = "us-east-1";
	fixture.input.arn = "arn:aws:acm:us-east-1:000000000001:certificate/x";
	expect_no_warning("cloudfront_region");
}

static void another_issuer_the_same_certificate_and_memory_are_told(void **state)
{
	(void)state;
	SET(fixture.remote.facts.issuer, "CN=Old CA");
	expect_warning("issuer_changed", "CN=Test CA, before CN=Old CA");
	memcpy(fixture.remote.facts.fingerprint_sha256,
		fixture.bundle.leaf.facts.fingerprint_sha256, X509_SHA256_LEN);
	expect_warning("same_certificate", "nothing would change");
	expect_no_warning("memory_escrow");
	fixture.input.escrow = ESCROW_MEMORY;
	expect_warning("memory_escrow", "a restart of the sensor loses it");
}

/* --- the way back ----------------------------------------------------------------------------- */

static void expect_no_way_back(const char *says)
{
	expect(PLAN_REIMPORT, "");
	assert_false(plan.may_roll_back);
	if (strstr(plan.rollback_reason, says) == NULL)
		fail_msg("%s (expected %s)", plan.rollback_reason, says);
	expect_warning("no_rollback", says);
}

static void without_the_old_key_there_is_no_way_back(void **state)
{
	(void)state;
	fixture.input.has_old_key = false;
	expect_no_way_back("ACM never gives a private key back");
}

static void an_expired_certificate_does_not_come_back(void **state)
{
	(void)state;
	fixture.remote.facts.not_after_s = PLAN_NOW_S;
	expect_no_way_back("has expired");
	fixture.remote.facts.not_after_s = PLAN_NOW_S + 1;
	expect(PLAN_REIMPORT, "");
	assert_true(plan.may_roll_back);
}

/* The new one has a usage more, which could not go again. */
static void the_way_back_has_the_same_rules(void **state)
{
	(void)state;
	fixture.bundle.leaf.facts.key_usage |= X509_KU_KEY_AGREEMENT;
	expect_no_way_back("ACM would refuse the way back: key usages may not go: KEY_AGREEMENT");
}

static void a_key_without_an_end_is_kept(void **state)
{
	(void)state;
	fixture.input.old_key_until = "";
	expect(PLAN_REIMPORT, "");
	assert_true(plan.may_roll_back);
	assert_null(strstr(plan.rollback_reason, "until"));
}

static void names_are_covered_without_regard_to_case(void **state)
{
	(void)state;
	const struct x509_facts *facts = &fixture.bundle.leaf.facts;
	assert_true(plan_covers(facts, "WWW.EXAMPLE.COM"));
	assert_true(plan_covers(facts, "example.com"));
	assert_false(plan_covers(facts, "xample.com"));
	assert_false(plan_covers(facts, "a.example.com"));
	fixture.bundle.leaf.facts.san_count = 0;
	assert_true(plan_covers(facts, "www.example.com")); /* the common name */
	assert_false(plan_covers(facts, "example.com"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_certificate_like_the_old_one_is_reimported, setup),
		cmocka_unit_test_setup(without_an_arn_it_is_new, setup),
		cmocka_unit_test_setup(a_new_arn_is_said_who_asked_for_it, setup),
		cmocka_unit_test_setup(arns_of_elsewhere_are_refused, setup),
		cmocka_unit_test_setup(what_acm_does_not_have_is_refused, setup),
		cmocka_unit_test_setup(broken_rules_of_any_import_are_refused, setup),
		cmocka_unit_test_setup(broken_rules_of_a_reimport_name_the_way_out, setup),
		cmocka_unit_test_setup(what_is_not_known_is_no_refusal, setup),
		cmocka_unit_test_setup(names_that_are_lost_are_told, setup),
		cmocka_unit_test_setup(an_email_name_that_stays_is_not_lost, setup),
		cmocka_unit_test_setup(many_lost_names_leave_room_for_the_rest, setup),
		cmocka_unit_test_setup(a_wildcard_does_not_cover_its_apex, setup),
		cmocka_unit_test_setup(dates_are_compared, setup),
		cmocka_unit_test_setup(cloudfront_has_rules_of_its_own, setup),
		cmocka_unit_test_setup(
			another_issuer_the_same_certificate_and_memory_are_told, setup),
		cmocka_unit_test_setup(without_the_old_key_there_is_no_way_back, setup),
		cmocka_unit_test_setup(an_expired_certificate_does_not_come_back, setup),
		cmocka_unit_test_setup(the_way_back_has_the_same_rules, setup),
		cmocka_unit_test_setup(a_key_without_an_end_is_kept, setup),
		cmocka_unit_test_setup(names_are_covered_without_regard_to_case, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
