/* What a plan warns of; on facts made by hand. */
#include "delivery/plan_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/delivery/plan_fixture.h"

static void lost_names_are_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->old.names = "www.example.com,a.example.com,192.0.2.1";
	plan_expect_warning(world, "name_lost",
		"the new certificate lacks these names of the present one: 192.0.2.1, a.example.com");
	world->old.names = "www.example.com,WWW.EXAMPLE.COM";
	plan_expect_warning(world, NULL, NULL);
	world->old.names = "www.example.com,a.example.com,a.b.example.com";
	world->new.names = "www.example.com,example.com,*.example.com";
	assert_int_equal(plan_world_decide(world)->warning_count, 2);
	assert_string_equal(world->plan.warning[0].text,
		"the new certificate lacks these names of the present one: a.b.example.com");
	assert_string_equal(world->plan.warning[1].name, "name_by_wildcard");
	assert_string_equal(world->plan.warning[1].text,
		"the new certificate covers these names of the present one only by a wildcard: a.example.com");
}

static void a_wildcard_without_its_apex_is_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->new.names = "www.example.com,*.example.com,*.a.example.com,a.example.com";
	plan_expect_warning(world, "wildcard_without_apex",
		"the new certificate does not cover example.com: a wildcard such as *.example.com "
		"covers only names directly below");
	world->new.names = "www.example.com,*.example.com,example.com";
	plan_expect_warning(world, NULL, NULL);
}

static void private_names_are_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->new.names = "www.example.com,intranet,db.corp,10.1.2.3,192.0.2.1";
	plan_expect_warning(world, "private_names",
		"nobody on the Internet can know these names: 10.1.2.3, db.corp, intranet");
}

static void the_same_certificate_is_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->old = world->new;
	plan_expect_warning(world, "same_certificate",
		"this very certificate (serial 02) is in ACM already: nothing would change");
	world->input.reimport_allowed = false;
	plan_expect_warning(world, "same_certificate",
		"this very certificate (serial 02) is in ACM already: there would be two of it");
	world->input.arn = "";
	world->input.same_arn = ARN;
	plan_expect_warning(world, "same_certificate",
		"this very certificate (serial 02) is in ACM already, under " ARN
		": there would be two of it");
	world = plan_world();
	world->input.same_arn = ARN "-other"; /* each has its own users */
	plan_expect_warning(world, NULL, NULL);
	world->old.public_key = world->new.public_key = "k";
	plan_expect_warning(world, "key_reused",
		"the key is that of the present certificate: whoever has a copy of it has both");
}

static void an_arn_that_is_gone_is_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->input.certificate_id = "shop";
	world->input.former_arn = ARN;
	plan_expect_warning(world, NULL, NULL); /* the id is on one that is there */
	world->input.arn = "";
	plan_expect_warning(world, "arn_gone",
		ARN " carried the id shop and is gone: whatever was set up with that ARN is to be "
		    "given the new one");
	world->input.former_arn = NULL;
	world->input.arn = ARN;
	world->input.reimport_allowed = false;
	world->remote.exists = world->remote.has_facts = false;
	plan_expect_warning(
		world, "arn_gone", "ACM does not have " ARN ": it was deleted or never was");
}

static void a_region_that_is_not_read_is_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->input.is_region_unread = true;
	plan_expect_warning(world, "region_unread",
		"the list of regions of connector prod leaves out eu-west-1: whether that region is "
		"there is not known, and the inventory will not show the certificate");
	world->remote.exists = world->remote.has_facts = false;
	plan_expect_warning(world, NULL, NULL); /* refused */
}

static void a_place_that_cannot_be_read_is_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->input.read_problem = "denied_by_scp: an SCP denies it";
	plan_expect_warning(world, NULL, NULL); /* what is replaced was read */
	world->input.arn = "";
	plan_expect_warning(world, "inventory_blind",
		"connector prod cannot read account 111122223333 in eu-west-1 (denied_by_scp: an SCP "
		"denies it): whether such a certificate is there already is not known, and the "
		"inventory will not show this one");
}

static void odd_uses_are_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->old.ext_key_usage = world->new.ext_key_usage = "EMAIL_PROTECTION";
	plan_expect_warning(world, "no_server_authentication",
		"its extended key usages are not for servers: browsers refuse it");
	world->old.ext_key_usage = world->new.ext_key_usage = "ANY";
	plan_expect_warning(world, NULL, NULL);
	world->new.is_ca = true;
	plan_expect_warning(world, "is_ca", "it is a CA's certificate, not a server's");
}

static void dates_that_surprise_are_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->new.not_after_s = NOW_S + 59 * DAY_S;
	plan_expect_warning(world, "shorter_validity",
		"it ends on 2027-01-19T00:00:00Z, before the present one (2027-01-20T00:00:00Z)");
	world->new.not_after_s = NOW_S + 61 * DAY_S;
	plan_expect_warning(
		world, "shorter_validity", "it lives 62d, shorter than the present one (360d)");
	world = plan_world();
	world->old.not_before_s = NOW_S - 20 * DAY_S;
	world->old.not_after_s = NOW_S + DAY_S;
	world->new.not_after_s = NOW_S + 29 * DAY_S;
	plan_expect_warning(world, NULL, NULL); /* a short life that has just begun */
	world->new.not_before_s = NOW_S - 100 * DAY_S;
	plan_expect_warning(world, "expires_soon", "it ends on 2026-12-20T00:00:00Z, in 29d");
	world->new.not_after_s = NOW_S + 30 * DAY_S;
	plan_expect_warning(world, NULL, NULL);
}

static void another_issuer_is_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->old.issuer = "CN=Old CA";
	plan_expect_warning(world, "issuer_changed",
		"another issuer: CN=CA; the present one was issued by CN=Old CA");
}

static void users_that_may_not_take_it_are_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	plan_use(world, CLOUDFRONT);
	plan_expect_warning(world, "cloudfront_region",
		"CloudFront takes certificates from us-east-1 only, and this one is for eu-west-1");
	world->input.region = "us-east-1";
	world->input.arn = "arn:aws:acm:us-east-1:111122223333:certificate/1";
	plan_expect_warning(world, NULL, NULL);
	world->old.key = world->new.key = "EC_secp384r1";
	plan_expect_warning(world, "cloudfront_key_type",
		"CloudFront takes RSA keys of 1024 to 4096 bits and EC_prime256v1, not "
		"EC_secp384r1");
	world->old.key = world->new.key = "RSA_4096";
	world->new.signature = "SHA256WITHRSA";
	plan_expect_warning(world, NULL, NULL);
	world->users[0] = (char *)(uintptr_t)NLB;
	plan_expect_warning(world, "nlb_key_type",
		"it is not confirmed that Network Load Balancers take RSA_4096 keys");
	world->users[0] = (char *)(uintptr_t)API;
	plan_expect_warning(world, "api_gateway_key_type",
		"it is not confirmed that API Gateway takes keys above 2048 bits (RSA_4096)");
	world->users[0] = (char *)(uintptr_t)ALB;
	plan_expect_warning(world, NULL, NULL);
	world->old.key = world->new.key = "RSA_2048";
	world->users[0] = (char *)(uintptr_t)NLB;
	plan_expect_warning(world, NULL, NULL);
	world->users[0] = (char *)(uintptr_t)API;
	plan_expect_warning(world, NULL, NULL);
}

/* A kind of user that nobody here has heard of. */
static void users_of_no_known_kind_are_no_concern(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->old.key = world->new.key = "RSA_4096";
	world->new.signature = "SHA256WITHRSA";
	plan_use(world, "not an ARN");
	plan_use(world, "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/c");
	plan_use(world, "arn:aws:cloudfront::111122223333:other/E1");
	plan_expect_warning(world, NULL, NULL);
}

static void bindings_to_move_are_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	plan_use(world, ALB);
	world->input.reimport_allowed = false;
	world->input.reimport_off_by = "--new-arn";
	plan_expect_warning(world, "bindings_to_move",
		"these go on with the old certificate until they are given the new ARN: " ALB);
}

static void changed_tags_are_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	plan_tag_remote(world, "team", "web");
	plan_tag_remote(world, "env", "prod");
	plan_tag_remote(world, "acmsensor:certificate-id", "c-1");
	plan_tag_order(world, "team", "shop");
	plan_tag_order(world, "env", "prod");
	plan_expect_warning(world, "tag_changed", "tags that are there get another value: team");
	world->input.tag_count = 0;
	world->input.certificate_id = "c-2";
	plan_expect_warning(world, "certificate_id_changed",
		"the present certificate carries the id c-1, which becomes c-2");
	world->input.reimport_allowed = false;
	plan_expect_warning(world, NULL, NULL); /* they stay as they are */
}

static void hosts_that_it_does_not_name_are_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->new.names = "www.example.com,example.com,*.example.com,2001:db8::1";
	world->hosts[0] = "a.example.com:443";
	world->hosts[1] = "[2001:db8::1]:8443";
	world->hosts[2] = "other.example.org:443";
	world->input.verify_host_count = 2;
	plan_expect_warning(world, NULL, NULL);
	world->hosts[0] = "WWW.example.com.:443"; /* an absolute name */
	plan_expect_warning(world, NULL, NULL);
	world->hosts[2] = "no host:443"; /* the order is refused for it before */
	world->input.verify_host_count = 3;
	plan_expect_warning(world, NULL, NULL);
	world->hosts[2] = "other.example.org:443";
	plan_expect_warning(world, "verify_host_not_named",
		"the new certificate names none of these hosts that are to be verified: "
		"other.example.org:443");
}

static void a_key_in_memory_is_told(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->input.escrow = ESCROW_MEMORY;
	plan_expect_warning(world, NULL, NULL); /* a CSR's key lies in the vault */
	secret_set(&world->bundle.key_pem, "k", 1);
	plan_expect_warning(world, "memory_escrow",
		"the key waits in memory only: a restart of the sensor loses it, and the plan has "
		"to be made anew");
	secret_clear(&world->bundle.key_pem);
}

static void unconfirmed_rules_are_warnings(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	world->new.signature = "SHA1WITHECDSA";
	plan_expect_warning(world, "signature_algorithm",
		"it is signed with SHA1WITHECDSA, and it is not confirmed that ACM takes others "
		"than SHA-256, SHA-384 or SHA-512 with RSA or ECDSA");
	assert_int_equal(world->plan.decision, PLAN_REIMPORT);
	world = plan_world();
	world->remote.has_facts = false;
	assert_int_equal(plan_world_decide(world)->decision, PLAN_REIMPORT);
	plan_expect_warns(world, "current_known");
	plan_expect_warns(world, "no_rollback");
	assert_int_equal(world->plan.warning_count, 2);
}

/* As many and as long texts as there can be. */
static void long_texts_are_cut_and_all_warnings_fit(void **state)
{
	(void)state;
	struct plan_world *world = plan_world();
	char names[64][300], list[64 * 300] = "", issuer[1000];
	size_t len = 0;
	memset(issuer, 'i', sizeof(issuer) - 1);
	issuer[sizeof(issuer) - 1] = '\0';
	for (int i = 0; i < 60; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "*.n%d.%0200d.local", i, 0);
		len += (size_t)snprintf(
			list + len, sizeof(list) - len, "%s%s", i > 0 ? "," : "", names[i]);
	}
	plan_use(world, CLOUDFRONT);
	plan_use(world, NLB);
	plan_use(world, API);
	plan_tag_remote(world, "team", "web");
	plan_tag_remote(world, "acmsensor:certificate-id", "c-9");
	plan_tag_order(world, "team", "shop");
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
	const struct plan *plan = plan_world_decide(world);
	for (size_t i = 0; i < plan->warning_count; i++)
		assert_true(strlen(plan->warning[i].text) < PLAN_TEXT_MAX);
	assert_true(plan->warning_count >= 18);
	secret_clear(&world->bundle.key_pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_names_are_told),
		cmocka_unit_test(a_wildcard_without_its_apex_is_told),
		cmocka_unit_test(private_names_are_told),
		cmocka_unit_test(the_same_certificate_is_told),
		cmocka_unit_test(an_arn_that_is_gone_is_told),
		cmocka_unit_test(a_region_that_is_not_read_is_told),
		cmocka_unit_test(a_place_that_cannot_be_read_is_told),
		cmocka_unit_test(odd_uses_are_told),
		cmocka_unit_test(dates_that_surprise_are_told),
		cmocka_unit_test(another_issuer_is_told),
		cmocka_unit_test(users_that_may_not_take_it_are_told),
		cmocka_unit_test(users_of_no_known_kind_are_no_concern),
		cmocka_unit_test(bindings_to_move_are_told),
		cmocka_unit_test(changed_tags_are_told),
		cmocka_unit_test(hosts_that_it_does_not_name_are_told),
		cmocka_unit_test(a_key_in_memory_is_told),
		cmocka_unit_test(unconfirmed_rules_are_warnings),
		cmocka_unit_test(long_texts_are_cut_and_all_warnings_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
