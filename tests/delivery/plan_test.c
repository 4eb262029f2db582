/* The decision, its reasons and the way back; on facts made by hand. */
#include "delivery/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/delivery/plan_fixture.h"

/* --- the decision ----------------------------------------------------------------------------- */

static void what_fits_is_reimported(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	plan_expect(world, PLAN_REIMPORT,
		"ACM takes it under the same ARN, and nothing has to be moved");
	assert_int_equal(world->plan.warning_count, 0);
	assert_int_equal(world->plan.rules.count, 19);
	assert_int_equal(rule_results_verdict(&world->plan.rules), RULE_PASSED);
	plan_use(world, ALB);
	plan_expect(world, PLAN_REIMPORT,
		"ACM takes it under the same ARN, and the one that uses it picks it up by itself");
	plan_use(world, NLB);
	plan_expect(world, PLAN_REIMPORT,
		"ACM takes it under the same ARN, and all that use it pick it up by themselves");
	world->old.ext_key_usage = "TLS_WEB_CLIENT_AUTHENTICATION";
	world->new.ext_key_usage = NULL;
	plan_expect(world, PLAN_REIMPORT,
		"ACM should take it under the same ARN, though not every rule is confirmed, and "
		"all that use it pick it up by themselves");
}

static void without_arn_it_is_new(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	static const char reason[] =
		"no ARN is to be replaced, so it is imported as a new certificate";
	world->input.arn = NULL;
	plan_expect(world, PLAN_IMPORT_NEW, reason);
	world->input.arn = "";
	plan_expect(world, PLAN_IMPORT_NEW, reason);
	assert_int_equal(world->plan.rules.count, 11);
	assert_int_equal(world->plan.warning_count, 0);
}

static void a_new_arn_is_taken_only_when_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->input.reimport_allowed = false;
	world->input.reimport_off_by = "--new-arn";
	plan_expect(world, PLAN_IMPORT_NEW,
		"--new-arn: it is imported as a new certificate with an ARN of its own; nothing "
		"uses the old one");
	plan_use(world, ALB);
	plan_expect(world, PLAN_IMPORT_NEW,
		"--new-arn: it is imported as a new certificate with an ARN of its own; 1 binding "
		"of the old ARN has to be moved");
	plan_use(world, NLB);
	world->input.reimport_off_by = "reimport = no of connector prod";
	plan_expect(world, PLAN_IMPORT_NEW,
		"reimport = no of connector prod: it is imported as a new certificate with an ARN "
		"of its own; 2 bindings of the old ARN have to be moved");
	/* What a reimport would ask for is not asked for. */
	world->new.key = "RSA_2048";
	world->new.signature = "SHA256WITHRSA";
	(void)snprintf(world->remote.detail.type, sizeof(world->remote.detail.type), "PRIVATE");
	assert_int_equal(plan_world_decide(world)->decision, PLAN_IMPORT_NEW);
	assert_int_equal(world->plan.rules.count, 11);
}

static void what_hinders_only_a_reimport_is_refused_with_advice(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->old.key = "EC_secp384r1";
	plan_expect(world, PLAN_REFUSE,
		"ACM would refuse it under this ARN: key type and size must stay: EC_secp384r1 "
		"would become EC_prime256v1; --new-arn imports it as a new certificate");
	world->old.names = "a.example.com";
	plan_expect(world, PLAN_REFUSE,
		"ACM would refuse it under this ARN: key type and size must stay: EC_secp384r1 "
		"would become EC_prime256v1 (and another rule is broken); --new-arn imports it as "
		"a new certificate");
	world = plan_world();
	world->old.key_usage = NO_KEY_USAGE;
	plan_expect(world, PLAN_REFUSE,
		"ACM would refuse it under this ARN: where there is no key usage ACM allows none "
		"to be added: DIGITAL_SIGNATURE would be; --new-arn imports it as a new "
		"certificate");
}

static void what_acm_issued_is_not_replaced(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	struct acm_detail *detail = &world->remote.detail;
	(void)snprintf(detail->type, sizeof(detail->type), "AMAZON_ISSUED");
	plan_expect(world, PLAN_REFUSE,
		"ACM would refuse it under this ARN: what the ARN holds is of type AMAZON_ISSUED, "
		"not IMPORTED: ACM replaces by an import only what was imported; --new-arn imports "
		"it as a new certificate");
	(void)snprintf(detail->type, sizeof(detail->type), "PRIVATE");
	world->remote.has_facts = false;
	plan_expect(world, PLAN_REFUSE,
		"ACM would refuse it under this ARN: what the ARN holds is of type PRIVATE, not "
		"IMPORTED: ACM replaces by an import only what was imported; --new-arn imports it "
		"as a new certificate");
}

static void what_no_import_takes_is_refused_without_advice(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->new.not_after_s = NOW_S - 1;
	static const char reason[] =
		"ACM would refuse the certificate: it is valid from 2026-11-20T00:00:00Z until "
		"2026-11-20T23:59:59Z, but now it is 2026-11-21T00:00:00Z";
	plan_expect(world, PLAN_REFUSE, reason);
	world->input.arn = NULL;
	plan_expect(world, PLAN_REFUSE, reason);
	world->input.arn = ARN;
	world->input.reimport_allowed = false;
	plan_expect(world, PLAN_REFUSE, reason);
	world->new.names = NULL;
	assert_non_null(strstr(plan_world_decide(world)->reason, "(and another rule is broken)"));
}

static void arns_of_elsewhere_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *arn, *reason;
	} cases[] = {
		{"arn:aws-cn:acm:eu-west-1:111122223333:certificate/1",
			"the ARN is of partition aws-cn, and connector prod works in partition "
			"aws"},
		{"arn:aws:acm:us-east-1:111122223333:certificate/1",
			"the ARN is of account 111122223333 in us-east-1, and the delivery is for "
			"account 111122223333 in eu-west-1"},
		{"arn:aws:acm:eu-west-1:444455556666:certificate/1",
			"the ARN is of account 444455556666 in eu-west-1, and the delivery is for "
			"account 111122223333 in eu-west-1"},
		{"arn:aws:iam::111122223333:server-certificate/x",
			"arn:aws:iam::111122223333:server-certificate/x is not the ARN of an ACM "
			"certificate"},
		{"arn:aws:acm:eu-west-1:111122223333:account/x",
			"arn:aws:acm:eu-west-1:111122223333:account/x is not the ARN of an ACM "
			"certificate"},
		{"www.example.com", "www.example.com is not the ARN of an ACM certificate"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan_world *world = plan_world();
		world->input.arn = cases[i].arn;
		plan_expect(world, PLAN_REFUSE, cases[i].reason);
		assert_int_equal(world->plan.rules.count, 0);
		world->input.reimport_allowed = false; /* nor as a new one: it is a mistake */
		plan_expect(world, PLAN_REFUSE, cases[i].reason);
	}
}

static void an_arn_of_nothing_is_refused(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->remote.exists = false;
	world->remote.has_facts = false;
	plan_expect(world, PLAN_REFUSE,
		"ACM does not have " ARN
		": it was deleted or never was: check the ARN; --new-arn imports the certificate "
		"as a new one");
	world->input.is_unseen = true;
	world->input.certificate_id = "shop";
	plan_expect(world, PLAN_REFUSE,
		ARN " carries the id shop and is less than an hour old, and ACM does not show it: "
		    "it has yet to, or was deleted; plan again in an hour, or with --new-arn");
	make_facts(&world->bundle.leaf.facts, &world->new);
	world->input.remote = NULL; /* not read at all */
	plan_decide(&world->input, &world->plan);
	assert_int_equal(world->plan.decision, PLAN_REFUSE);
	x509_facts_clear(&world->bundle.leaf.facts);
}

static void an_id_where_nobody_ever_read_is_refused(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	struct plan_input *input = &world->input;
	input->arn = "";
	input->certificate_id = "shop";
	input->is_id_given = true;
	world->remote.exists = world->remote.has_facts = false;
	assert_int_equal(plan_world_decide(world)->decision, PLAN_IMPORT_NEW);
	input->read_problem = "denied: not now";
	assert_int_equal(plan_world_decide(world)->decision, PLAN_IMPORT_NEW); /* was read once */
	input->was_read = false;
	plan_expect(world, PLAN_REFUSE,
		"whether a certificate in account 111122223333 and eu-west-1 carries the id shop is "
		"not known, for connector prod never read them (denied: not now): plan with the "
		"--arn of the one to replace, with --new-arn if there is none, or after a scan that "
		"reads them");
	assert_int_equal(world->plan.rules.count, 0);
	input->read_problem = "";
	plan_expect(world, PLAN_REFUSE,
		"whether a certificate in account 111122223333 and eu-west-1 carries the id shop is "
		"not known, for connector prod never read them (no scan of it is on record): plan "
		"with the --arn of the one to replace, with --new-arn if there is none, or after a "
		"scan that reads them");
	input->is_region_unread = true;
	assert_non_null(
		strstr(plan_world_decide(world)->reason, "(its list of regions leaves it out)"));
	input->reimport_allowed = false; /* --new-arn */
	assert_int_equal(plan_world_decide(world)->decision, PLAN_IMPORT_NEW);
	input->reimport_allowed = true;
	input->is_id_given = false; /* made: nothing else carries it */
	assert_int_equal(plan_world_decide(world)->decision, PLAN_IMPORT_NEW);
	world = plan_world();
	world->input.is_id_given = true;
	world->input.was_read = false;
	assert_int_equal(plan_world_decide(world)->decision, PLAN_REIMPORT); /* by its ARN */
}

static void more_tags_than_acm_keeps_are_refused(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	char key[60][8];
	for (int i = 0; i < 46; i++) {
		(void)snprintf(key[i], sizeof(key[i]), "k%d", i);
		plan_tag_remote(world, key[i], "v");
	}
	plan_tag_remote(world, "aws:cloudformation:stack-name", "s"); /* not counted */
	plan_tag_remote(world, "acmsensor:certificate-id", "c-1");    /* counted as ours */
	plan_tag_order(world, "k1", "v");			      /* there already */
	plan_tag_order(world, "new", "v");
	assert_int_equal(plan_world_decide(world)->decision, PLAN_REIMPORT); /* 46 + 1 + 3 */
	plan_tag_remote(world, "one more", "v");
	plan_expect(world, PLAN_REFUSE,
		"with its own tags, the given ones and the 3 that acmsensor sets (acmsensor:...) "
		"the certificate would have 51 tags, and ACM keeps at most 50");
	world->input.reimport_allowed = false;
	world->input.reimport_off_by = "--new-arn";
	assert_int_equal(
		plan_world_decide(world)->decision, PLAN_IMPORT_NEW); /* it gets none of the old */
}

/* --- the way back ----------------------------------------------------------------------------- */

static void expect_rollback(struct plan_world *world, bool is_possible, const char *reason)
{
	const struct plan *plan = plan_world_decide(world);
	assert_string_equal(plan->rollback_reason, reason);
	assert_int_equal(plan->may_roll_back, is_possible);
}

static void the_way_back_needs_the_old_key(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	expect_rollback(world, true,
		"the certificate that is there (serial 01, valid until 2027-01-20T00:00:00Z) and "
		"its key are kept sealed until 2026-12-21T00:00:00Z and can be imported again");
	world->input.old_key_until = "";
	expect_rollback(world, true,
		"the certificate that is there (serial 01, valid until 2027-01-20T00:00:00Z) and "
		"its key are kept sealed and can be imported again");
	world->input.has_old_key = false;
	expect_rollback(world, false,
		"ACM never gives a private key back, and this sensor does not have the key of what "
		"is there: it did not deliver it, or keeps it no longer");
	plan_expect_warning(world, "no_rollback",
		"there is no way back: ACM never gives a private key back, and this sensor does "
		"not have the key of what is there: it did not deliver it, or keeps it no longer");
	world->input.auto_rollback = true;
	assert_int_equal(plan_world_decide(world)->warning_count, 2);
	plan_expect_warns(world, "no_auto_rollback");
	world->input.has_old_key = true;
	plan_expect_warning(world, NULL, NULL);
}

static void the_way_back_needs_a_valid_old_certificate(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->old.not_after_s = NOW_S;
	expect_rollback(world, false,
		"the old certificate expired on 2026-11-21T00:00:00Z, and ACM takes no expired "
		"certificate");
	world->old.not_after_s = NOW_S + 90 * DAY_S;
	world->old.not_before_s = NOW_S + DAY_S;
	expect_rollback(world, false,
		"the old certificate is valid from 2026-11-22T00:00:00Z only, and ACM takes none "
		"before");
	world->remote.has_facts = false;
	expect_rollback(world, false,
		"ACM gives no certificate that could be read, so there is nothing that could be "
		"kept");
}

/* What may be added on the way there may not go on the way back, and the other way round. */
static void the_way_back_obeys_the_rules_too(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->new.key_usage = SIGN | X509_KU_KEY_AGREEMENT;
	expect_rollback(world, false,
		"ACM would refuse the old certificate over the new one: key usages may not go: "
		"KEY_AGREEMENT would");
	assert_int_equal(world->plan.decision, PLAN_REIMPORT);
	world = plan_world(); /* clientAuth may come and go */
	world->old.ext_key_usage = BOTH_USES;
	assert_true(plan_world_decide(world)->may_roll_back);
	world = plan_world();
	world->new.ext_key_usage = BOTH_USES;
	assert_true(plan_world_decide(world)->may_roll_back);
	world = plan_world(); /* an extension that goes by an exception cannot be added again */
	world->old.ext_key_usage = "TLS_WEB_CLIENT_AUTHENTICATION";
	world->new.ext_key_usage = NULL;
	assert_int_equal(plan_world_decide(world)->decision, PLAN_REIMPORT);
	assert_false(world->plan.may_roll_back);
	world = plan_world(); /* a doubt is told */
	world->new.ext_key_usage = "";
	world->old.ext_key_usage = "";
	world->new.names = "a.example.com";
	world->new.common_name = "www.example.com";
	expect_rollback(world, true,
		"the certificate that is there (serial 01, valid until 2027-01-20T00:00:00Z) and "
		"its key are kept sealed until 2026-12-21T00:00:00Z and can be imported again, "
		"though not every rule of that is confirmed");
}

static void without_a_replacement_there_is_no_way_back(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->input.arn = NULL;
	world->input.auto_rollback = true;
	expect_rollback(world, false,
		"nothing is replaced: the new certificate can be deleted while nothing uses it");
	plan_expect_warning(world, "no_auto_rollback",
		"the automatic rollback that is asked for cannot be done");
	world->new.names = NULL;
	expect_rollback(world, false, "nothing is done, so there is nothing to take back");
	assert_int_equal(world->plan.decision, PLAN_REFUSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_reimported),
		cmocka_unit_test(without_arn_it_is_new),
		cmocka_unit_test(a_new_arn_is_taken_only_when_told),
		cmocka_unit_test(what_hinders_only_a_reimport_is_refused_with_advice),
		cmocka_unit_test(what_acm_issued_is_not_replaced),
		cmocka_unit_test(what_no_import_takes_is_refused_without_advice),
		cmocka_unit_test(arns_of_elsewhere_are_refused),
		cmocka_unit_test(an_arn_of_nothing_is_refused),
		cmocka_unit_test(an_id_where_nobody_ever_read_is_refused),
		cmocka_unit_test(more_tags_than_acm_keeps_are_refused),
		cmocka_unit_test(the_way_back_needs_the_old_key),
		cmocka_unit_test(the_way_back_needs_a_valid_old_certificate),
		cmocka_unit_test(the_way_back_obeys_the_rules_too),
		cmocka_unit_test(without_a_replacement_there_is_no_way_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
