/* The decision, its reasons, the warnings, the way back; on facts made by hand. */
#include "delivery/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/make_facts.h"

enum {
	NOW_S = 1795219200, /* 2026-11-21T00:00:00Z */
	DAY_S = 86400,
	SIGN = X509_KU_DIGITAL_SIGNATURE,
};

#define ARN	   "arn:aws:acm:eu-west-1:111122223333:certificate/1"
#define ALB	   "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/a/1"
#define NLB	   "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/n/1"
#define CLOUDFRONT "arn:aws:cloudfront::111122223333:distribution/E1"
#define API	   "arn:aws:apigateway:eu-west-1::/domainnames/api.example.com"

static const char server[] = "TLS_WEB_SERVER_AUTHENTICATION";
static const char both[] = "TLS_WEB_SERVER_AUTHENTICATION,TLS_WEB_CLIENT_AUTHENTICATION";

/* Everything that a decision is made of. */
struct world {
	struct plan_input input;
	struct bundle bundle;
	struct remote_state remote;
	struct facts_wish old, new, ca;
	struct plan plan; /* the last one */
	char *users[4];
	const char *hosts[3];
	struct acm_tag tags[2];
};

static struct world *make_world(void)
{
	static struct world world;
	world = (struct world){
		.old = {.serial = "01",
			.names = "www.example.com",
			.subject = "CN=www.example.com",
			.key_usage = SIGN,
			.ext_key_usage = server,
			.not_before_s = NOW_S - 300 * DAY_S,
			.not_after_s = NOW_S + 60 * DAY_S},
		.new = {.serial = "02",
			.names = "www.example.com",
			.subject = "CN=www.example.com",
			.key_usage = SIGN,
			.ext_key_usage = server,
			.not_before_s = NOW_S - DAY_S,
			.not_after_s = NOW_S + 364 * DAY_S},
		.ca = {.serial = "03",
			.subject = "CN=CA",
			.issuer = "CN=Root",
			.is_ca = true,
			.not_before_s = NOW_S - 900 * DAY_S,
			.not_after_s = NOW_S + 900 * DAY_S},
		.remote = {.exists = true,
			.has_facts = true,
			.detail = {.status = "ISSUED", .type = "IMPORTED"}},
		.input = {.id = "p-1",
			.connector = "prod",
			.partition = "aws",
			.account_id = "111122223333",
			.region = "eu-west-1",
			.arn = ARN,
			.certificate_id = "c-1",
			.reimport_allowed = true,
			.reimport_off_by = "",
			.escrow = ESCROW_SENSOR,
			.has_old_key = true,
			.old_key_until = "2026-12-21T00:00:00Z",
			.now_s = NOW_S,
			.expires_s = NOW_S + 3600},
	};
	world.remote.detail.in_use_by.item = world.users;
	world.input.verify_host = world.hosts;
	world.input.tag = world.tags;
	return &world;
}

static void use(struct world *world, const char *arn)
{
	struct acm_text_list *users = &world->remote.detail.in_use_by;
	users->item[users->count++] = (char *)(uintptr_t)arn;
}

static void tag_remote(struct world *world, const char *key, const char *value)
{
	world->remote.tags.item[world->remote.tags.count++] =
		(struct acm_tag){.key = (char *)(uintptr_t)key, .value = (char *)(uintptr_t)value};
}

static void tag_order(struct world *world, const char *key, const char *value)
{
	world->tags[world->input.tag_count++] =
		(struct acm_tag){.key = (char *)(uintptr_t)key, .value = (char *)(uintptr_t)value};
}

/* Without an ARN there is no remote state. */
static const struct plan *decide(struct world *world)
{
	make_facts(&world->bundle.leaf.facts, &world->new);
	make_facts(&world->bundle.chain[0].facts, &world->ca);
	make_facts(&world->remote.facts, &world->old);
	world->bundle.chain_count = 1;
	world->input.bundle = &world->bundle;
	bool has_arn = world->input.arn != NULL && world->input.arn[0] != '\0';
	world->input.remote = has_arn ? &world->remote : NULL;
	plan_decide(&world->input, &world->plan);
	x509_facts_clear(&world->bundle.leaf.facts);
	x509_facts_clear(&world->bundle.chain[0].facts);
	x509_facts_clear(&world->remote.facts);
	return &world->plan;
}

static void expect(struct world *world, enum plan_decision decision, const char *reason)
{
	const struct plan *plan = decide(world);
	assert_string_equal(plan->reason, reason);
	assert_int_equal(plan->decision, decision);
}

/* Exactly that warning; name NULL: none. */
static void expect_warning(struct world *world, const char *name, const char *text)
{
	const struct plan *plan = decide(world);
	size_t count = name != NULL ? 1 : 0;
	for (size_t i = 0; plan->warning_count != count && i < plan->warning_count; i++)
		print_message("%s: %s\n", plan->warning[i].name, plan->warning[i].text);
	assert_int_equal(plan->warning_count, count);
	if (name == NULL)
		return;
	assert_string_equal(plan->warning[0].name, name);
	assert_string_equal(plan->warning[0].text, text);
}

static void expect_warns(struct world *world, const char *name)
{
	const struct plan *plan = decide(world);
	for (size_t i = 0; i < plan->warning_count; i++)
		if (strcmp(plan->warning[i].name, name) == 0)
			return;
	fail_msg("no warning %s", name);
}

static void expect_rollback(struct world *world, bool is_possible, const char *reason)
{
	const struct plan *plan = decide(world);
	assert_string_equal(plan->rollback_reason, reason);
	assert_int_equal(plan->may_roll_back, is_possible);
}

/* --- the decision ----------------------------------------------------------------------------- */

static void what_fits_is_reimported(void **state)
{
	(void)state;
	struct world *world = make_world();
	expect(world, PLAN_REIMPORT,
		"ACM takes it under the same ARN, and nothing has to be moved");
	assert_int_equal(world->plan.warning_count, 0);
	assert_int_equal(world->plan.rules.count, 17);
	assert_int_equal(rule_results_verdict(&world->plan.rules), RULE_PASSED);
	use(world, ALB);
	expect(world, PLAN_REIMPORT,
		"ACM takes it under the same ARN, and the one that uses it picks it up by itself");
	use(world, NLB);
	expect(world, PLAN_REIMPORT,
		"ACM takes it under the same ARN, and all that use it pick it up by themselves");
	world->old.ext_key_usage = "TLS_WEB_CLIENT_AUTHENTICATION";
	world->new.ext_key_usage = NULL;
	expect(world, PLAN_REIMPORT,
		"ACM should take it under the same ARN, though not every rule is confirmed, and "
		"all that use it pick it up by themselves");
}

static void without_arn_it_is_new(void **state)
{
	(void)state;
	struct world *world = make_world();
	static const char reason[] =
		"no ARN is to be replaced, so it is imported as a new certificate";
	world->input.arn = NULL;
	expect(world, PLAN_IMPORT_NEW, reason);
	world->input.arn = "";
	expect(world, PLAN_IMPORT_NEW, reason);
	assert_int_equal(world->plan.rules.count, 9);
	assert_int_equal(world->plan.warning_count, 0);
}

static void a_new_arn_is_taken_only_when_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->input.reimport_allowed = false;
	world->input.reimport_off_by = "--new-arn";
	expect(world, PLAN_IMPORT_NEW,
		"--new-arn: it is imported as a new certificate with an ARN of its own; nothing "
		"uses the old one");
	use(world, ALB);
	expect(world, PLAN_IMPORT_NEW,
		"--new-arn: it is imported as a new certificate with an ARN of its own; 1 binding "
		"of the old ARN has to be moved");
	use(world, NLB);
	world->input.reimport_off_by = "reimport = no of connector prod";
	expect(world, PLAN_IMPORT_NEW,
		"reimport = no of connector prod: it is imported as a new certificate with an ARN "
		"of its own; 2 bindings of the old ARN have to be moved");
	/* What a reimport would ask for is not asked for. */
	world->new.key = "RSA_2048";
	world->new.signature = "SHA256WITHRSA";
	(void)snprintf(world->remote.detail.type, sizeof(world->remote.detail.type), "PRIVATE");
	assert_int_equal(decide(world)->decision, PLAN_IMPORT_NEW);
	assert_int_equal(world->plan.rules.count, 9);
}

static void what_hinders_only_a_reimport_is_refused_with_advice(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->old.key = "EC_secp384r1";
	expect(world, PLAN_REFUSE,
		"ACM would refuse it under this ARN: key type and size must stay: EC_secp384r1 "
		"would become EC_prime256v1; --new-arn imports it as a new certificate");
	world->old.names = "a.example.com";
	expect(world, PLAN_REFUSE,
		"ACM would refuse it under this ARN: key type and size must stay: EC_secp384r1 "
		"would become EC_prime256v1 (and another rule is broken); --new-arn imports it as "
		"a new certificate");
	world = make_world();
	world->old.key_usage = NO_KEY_USAGE;
	expect(world, PLAN_REFUSE,
		"ACM would refuse it under this ARN: where there is no key usage ACM allows none "
		"to be added: DIGITAL_SIGNATURE would be; --new-arn imports it as a new "
		"certificate");
}

static void what_acm_issued_is_not_replaced(void **state)
{
	(void)state;
	struct world *world = make_world();
	struct acm_detail *detail = &world->remote.detail;
	(void)snprintf(detail->type, sizeof(detail->type), "AMAZON_ISSUED");
	expect(world, PLAN_REFUSE,
		"ACM would refuse it under this ARN: what the ARN holds is of type AMAZON_ISSUED, "
		"not IMPORTED: ACM replaces by an import only what was imported; --new-arn imports "
		"it as a new certificate");
	(void)snprintf(detail->type, sizeof(detail->type), "PRIVATE");
	world->remote.has_facts = false;
	expect(world, PLAN_REFUSE,
		"ACM would refuse it under this ARN: what the ARN holds is of type PRIVATE, not "
		"IMPORTED: ACM replaces by an import only what was imported; --new-arn imports it "
		"as a new certificate");
}

static void what_no_import_takes_is_refused_without_advice(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->new.not_after_s = NOW_S - 1;
	static const char reason[] =
		"ACM would refuse the certificate: it is valid from 2026-11-20T00:00:00Z until "
		"2026-11-20T23:59:59Z, but now it is 2026-11-21T00:00:00Z";
	expect(world, PLAN_REFUSE, reason);
	world->input.arn = NULL;
	expect(world, PLAN_REFUSE, reason);
	world->input.arn = ARN;
	world->input.reimport_allowed = false;
	expect(world, PLAN_REFUSE, reason);
	world->new.names = NULL;
	assert_non_null(strstr(decide(world)->reason, "(and another rule is broken)"));
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
		struct world *world = make_world();
		world->input.arn = cases[i].arn;
		expect(world, PLAN_REFUSE, cases[i].reason);
		assert_int_equal(world->plan.rules.count, 0);
		world->input.reimport_allowed = false; /* nor as a new one: it is a mistake */
		expect(world, PLAN_REFUSE, cases[i].reason);
	}
}

static void an_arn_of_nothing_is_refused(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->remote.exists = false;
	world->remote.has_facts = false;
	expect(world, PLAN_REFUSE,
		"ACM does not have " ARN
		": it was deleted or never was; without an ARN the certificate is imported as a "
		"new one");
	make_facts(&world->bundle.leaf.facts, &world->new);
	world->input.remote = NULL; /* not read at all */
	plan_decide(&world->input, &world->plan);
	assert_int_equal(world->plan.decision, PLAN_REFUSE);
	x509_facts_clear(&world->bundle.leaf.facts);
}

static void more_tags_than_acm_keeps_are_refused(void **state)
{
	(void)state;
	struct world *world = make_world();
	char key[60][8];
	for (int i = 0; i < 46; i++) {
		(void)snprintf(key[i], sizeof(key[i]), "k%d", i);
		tag_remote(world, key[i], "v");
	}
	tag_remote(world, "aws:cloudformation:stack-name", "s"); /* not counted */
	tag_remote(world, "acmsensor:certificate-id", "c-1");	 /* counted as ours */
	tag_order(world, "k1", "v");				 /* there already */
	tag_order(world, "new", "v");
	assert_int_equal(decide(world)->decision, PLAN_REIMPORT); /* 46 + 1 + 3 */
	tag_remote(world, "one more", "v");
	expect(world, PLAN_REFUSE,
		"with its own tags, the given ones and those of where it comes from the "
		"certificate would have 51 tags, and ACM keeps at most 50");
	world->input.reimport_allowed = false;
	world->input.reimport_off_by = "--new-arn";
	assert_int_equal(decide(world)->decision, PLAN_IMPORT_NEW); /* it gets none of the old */
}

/* --- warnings --------------------------------------------------------------------------------- */

static void lost_names_are_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->old.names = "www.example.com,a.example.com,192.0.2.1";
	expect_warning(world, "name_lost",
		"of what is there the new one does not name: 192.0.2.1, a.example.com");
	world->old.names = "www.example.com,WWW.EXAMPLE.COM";
	expect_warning(world, NULL, NULL);
	world->old.names = "www.example.com,a.example.com,a.b.example.com";
	world->new.names = "www.example.com,example.com,*.example.com";
	assert_int_equal(decide(world)->warning_count, 2);
	assert_string_equal(world->plan.warning[0].text,
		"of what is there the new one does not name: a.b.example.com");
	assert_string_equal(world->plan.warning[1].name, "name_by_wildcard");
	assert_string_equal(world->plan.warning[1].text,
		"of what is there the new one names only by a wildcard: a.example.com");
}

static void a_wildcard_without_its_apex_is_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->new.names = "www.example.com,*.example.com,*.a.example.com,a.example.com";
	expect_warning(world, "wildcard_without_apex",
		"a wildcard does not stand for the name behind it, which is missing: "
		"*.example.com");
	world->new.names = "www.example.com,*.example.com,example.com";
	expect_warning(world, NULL, NULL);
}

static void private_names_are_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->new.names = "www.example.com,intranet,db.corp,10.1.2.3,192.0.2.1";
	expect_warning(world, "private_names",
		"nobody on the Internet can know these names: 10.1.2.3, db.corp, intranet");
}

static void the_same_certificate_is_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->old = world->new;
	expect_warning(world, "same_certificate",
		"this very certificate (serial 02) is there already: nothing would change");
	world->input.reimport_allowed = false;
	expect_warning(world, "same_certificate",
		"this very certificate (serial 02) is there already: there would be two of it");
	world = make_world();
	world->old.public_key = world->new.public_key = "k";
	expect_warning(world, "key_reused",
		"the key is the one of what is there: whoever has that has this too");
}

static void odd_uses_are_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->old.ext_key_usage = world->new.ext_key_usage = "EMAIL_PROTECTION";
	expect_warning(world, "no_server_authentication",
		"its extended key usages are not for servers: browsers refuse it");
	world->old.ext_key_usage = world->new.ext_key_usage = "ANY";
	expect_warning(world, NULL, NULL);
	world->new.is_ca = true;
	expect_warning(world, "is_ca", "it is a CA's certificate, not a server's");
}

static void dates_that_surprise_are_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->new.not_after_s = NOW_S + 59 * DAY_S;
	expect_warning(world, "shorter_validity",
		"it ends on 2027-01-19T00:00:00Z, before what is there (2027-01-20T00:00:00Z)");
	world->new.not_after_s = NOW_S + 61 * DAY_S;
	expect_warning(
		world, "shorter_validity", "it lives 62d, shorter than what is there (360d)");
	world = make_world();
	world->old.not_before_s = NOW_S - 20 * DAY_S;
	world->old.not_after_s = NOW_S + DAY_S;
	world->new.not_after_s = NOW_S + 29 * DAY_S;
	expect_warning(world, NULL, NULL); /* a short life that has just begun */
	world->new.not_before_s = NOW_S - 100 * DAY_S;
	expect_warning(world, "expires_soon", "it ends on 2026-12-20T00:00:00Z, in 29d");
	world->new.not_after_s = NOW_S + 30 * DAY_S;
	expect_warning(world, NULL, NULL);
}

static void another_issuer_is_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->old.issuer = "CN=Old CA";
	expect_warning(world, "issuer_changed",
		"another issuer: CN=CA; what is there was issued by CN=Old CA");
}

static void users_that_may_not_take_it_are_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	use(world, CLOUDFRONT);
	expect_warning(world, "cloudfront_region",
		"CloudFront takes certificates from us-east-1 only, and this one is for eu-west-1");
	world->input.region = "us-east-1";
	world->input.arn = "arn:aws:acm:us-east-1:111122223333:certificate/1";
	expect_warning(world, NULL, NULL);
	world->old.key = world->new.key = "EC_secp384r1";
	expect_warning(world, "cloudfront_key_type",
		"CloudFront takes RSA keys of 1024 to 4096 bits and EC_prime256v1, not "
		"EC_secp384r1");
	world->old.key = world->new.key = "RSA_4096";
	world->new.signature = "SHA256WITHRSA";
	expect_warning(world, NULL, NULL);
	world->users[0] = (char *)(uintptr_t)NLB;
	expect_warning(world, "nlb_key_type",
		"it is not confirmed that Network Load Balancers take RSA_4096 keys");
	world->users[0] = (char *)(uintptr_t)API;
	expect_warning(world, "api_gateway_key_type",
		"it is not confirmed that API Gateway takes keys above 2048 bits (RSA_4096)");
	world->users[0] = (char *)(uintptr_t)ALB;
	expect_warning(world, NULL, NULL);
	world->old.key = world->new.key = "RSA_2048";
	world->users[0] = (char *)(uintptr_t)NLB;
	expect_warning(world, NULL, NULL);
	world->users[0] = (char *)(uintptr_t)API;
	expect_warning(world, NULL, NULL);
}

static void bindings_to_move_are_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	use(world, ALB);
	world->input.reimport_allowed = false;
	world->input.reimport_off_by = "--new-arn";
	expect_warning(world, "bindings_to_move",
		"these go on with the old certificate until they are given the new ARN: " ALB);
}

static void changed_tags_are_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	tag_remote(world, "team", "web");
	tag_remote(world, "env", "prod");
	tag_remote(world, "acmsensor:certificate-id", "c-1");
	tag_order(world, "team", "shop");
	tag_order(world, "env", "prod");
	expect_warning(world, "tag_changed", "tags that are there get another value: team");
	world->input.tag_count = 0;
	world->input.certificate_id = "c-2";
	expect_warning(world, "certificate_id_changed",
		"what is there carries the certificate id c-1, which becomes c-2");
	world->input.reimport_allowed = false;
	expect_warning(world, NULL, NULL); /* they stay as they are */
}

static void hosts_that_it_does_not_name_are_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->new.names = "www.example.com,example.com,*.example.com,2001:db8::1";
	world->hosts[0] = "a.example.com:443";
	world->hosts[1] = "[2001:db8::1]:8443";
	world->hosts[2] = "other.example.org:443";
	world->input.verify_host_count = 2;
	expect_warning(world, NULL, NULL);
	world->input.verify_host_count = 3;
	expect_warning(world, "verify_host_not_named",
		"the new certificate names none of these hosts that are to be verified: "
		"other.example.org:443");
}

static void a_key_in_memory_is_told(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->input.escrow = ESCROW_MEMORY;
	expect_warning(world, NULL, NULL); /* a CSR's key lies in the vault */
	secret_set(&world->bundle.key_pem, "k", 1);
	expect_warning(world, "memory_escrow",
		"the key waits in memory only: a restart of the sensor loses it, and the plan has "
		"to be made anew");
	secret_clear(&world->bundle.key_pem);
}

static void unconfirmed_rules_are_warnings(void **state)
{
	(void)state;
	struct world *world = make_world();
	world->new.signature = "SHA1WITHECDSA";
	expect_warning(world, "signature_algorithm",
		"it is signed with SHA1WITHECDSA, and it is not confirmed that ACM takes others "
		"than SHA-256, SHA-384 or SHA-512 with RSA or ECDSA");
	assert_int_equal(world->plan.decision, PLAN_REIMPORT);
	world = make_world();
	world->remote.has_facts = false;
	assert_int_equal(decide(world)->decision, PLAN_REIMPORT);
	expect_warns(world, "current_known");
	expect_warns(world, "no_rollback");
	assert_int_equal(world->plan.warning_count, 2);
}

/* --- the way back ----------------------------------------------------------------------------- */

static void the_way_back_needs_the_old_key(void **state)
{
	(void)state;
	struct world *world = make_world();
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
	expect_warning(world, "no_rollback",
		"there is no way back: ACM never gives a private key back, and this sensor does "
		"not have the key of what is there: it did not deliver it, or keeps it no longer");
	world->input.auto_rollback = true;
	assert_int_equal(decide(world)->warning_count, 2);
	expect_warns(world, "no_auto_rollback");
	world->input.has_old_key = true;
	expect_warning(world, NULL, NULL);
}

static void the_way_back_needs_a_valid_old_certificate(void **state)
{
	(void)state;
	struct world *world = make_world();
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
	struct world *world = make_world();
	world->new.key_usage = SIGN | X509_KU_KEY_AGREEMENT;
	expect_rollback(world, false,
		"ACM would refuse the old certificate over the new one: key usages may not go: "
		"KEY_AGREEMENT would");
	assert_int_equal(world->plan.decision, PLAN_REIMPORT);
	world = make_world(); /* clientAuth may come and go */
	world->old.ext_key_usage = both;
	assert_true(decide(world)->may_roll_back);
	world = make_world();
	world->new.ext_key_usage = both;
	assert_true(decide(world)->may_roll_back);
	world = make_world(); /* an extension that goes by an exception cannot be added again */
	world->old.ext_key_usage = "TLS_WEB_CLIENT_AUTHENTICATION";
	world->new.ext_key_usage = NULL;
	assert_int_equal(decide(world)->decision, PLAN_REIMPORT);
	assert_false(world->plan.may_roll_back);
	world = make_world(); /* a doubt is told */
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
	struct world *world = make_world();
	world->input.arn = NULL;
	world->input.auto_rollback = true;
	expect_rollback(world, false,
		"nothing is replaced: the new certificate can be deleted while nothing uses it");
	expect_warning(world, "no_auto_rollback",
		"the automatic rollback that is asked for cannot be done");
	world->new.names = NULL;
	expect_rollback(world, false, "nothing is done, so there is nothing to take back");
	assert_int_equal(world->plan.decision, PLAN_REFUSE);
}

/* As many and as long texts as there can be. */
static void long_texts_are_cut_and_all_warnings_fit(void **state)
{
	(void)state;
	struct world *world = make_world();
	char names[64][300], list[64 * 300] = "", issuer[1000];
	size_t len = 0;
	memset(issuer, 'i', sizeof(issuer) - 1);
	issuer[sizeof(issuer) - 1] = '\0';
	for (int i = 0; i < 60; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "*.n%d.%0200d.local", i, 0);
		len += (size_t)snprintf(
			list + len, sizeof(list) - len, "%s%s", i > 0 ? "," : "", names[i]);
	}
	use(world, CLOUDFRONT);
	use(world, NLB);
	use(world, API);
	tag_remote(world, "team", "web");
	tag_remote(world, "acmsensor:certificate-id", "c-9");
	tag_order(world, "team", "shop");
	world->hosts[0] = "x.example.org:443";
	world->input.verify_host_count = 1;
	world->input.escrow = ESCROW_MEMORY;
	world->input.auto_rollback = true;
	world->input.has_old_key = false;
	secret_set(&world->bundle.key_pem, "k", 1);
	world->old.names = list;
	world->new.names = "*.n0.local,intranet";
	world->new.common_name = names[0];
	world->old.issuer = issuer;
	world->old.key = world->new.key = "RSA_4096";
	world->new.signature = "rsassaPss";
	world->new.is_ca = true;
	world->new.ext_key_usage = world->old.ext_key_usage = "CODE_SIGNING";
	world->new.not_after_s = NOW_S + DAY_S;
	world->new.not_before_s = NOW_S - 100 * DAY_S;
	world->new.public_key = world->old.public_key = "k";
	world->ca.is_ca = false;
	world->ca.not_after_s = NOW_S - 1;
	(void)snprintf(world->remote.detail.status, sizeof(world->remote.detail.status), "?");
	const struct plan *plan = decide(world);
	for (size_t i = 0; i < plan->warning_count; i++)
		assert_true(strlen(plan->warning[i].text) < PLAN_TEXT_MAX);
	assert_true(plan->warning_count >= 18);
	secret_clear(&world->bundle.key_pem);
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
		cmocka_unit_test(more_tags_than_acm_keeps_are_refused),
		cmocka_unit_test(lost_names_are_told),
		cmocka_unit_test(a_wildcard_without_its_apex_is_told),
		cmocka_unit_test(private_names_are_told),
		cmocka_unit_test(the_same_certificate_is_told),
		cmocka_unit_test(odd_uses_are_told),
		cmocka_unit_test(dates_that_surprise_are_told),
		cmocka_unit_test(another_issuer_is_told),
		cmocka_unit_test(users_that_may_not_take_it_are_told),
		cmocka_unit_test(bindings_to_move_are_told),
		cmocka_unit_test(changed_tags_are_told),
		cmocka_unit_test(hosts_that_it_does_not_name_are_told),
		cmocka_unit_test(a_key_in_memory_is_told),
		cmocka_unit_test(unconfirmed_rules_are_warnings),
		cmocka_unit_test(the_way_back_needs_the_old_key),
		cmocka_unit_test(the_way_back_needs_a_valid_old_certificate),
		cmocka_unit_test(the_way_back_obeys_the_rules_too),
		cmocka_unit_test(without_a_replacement_there_is_no_way_back),
		cmocka_unit_test(long_texts_are_cut_and_all_warnings_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
