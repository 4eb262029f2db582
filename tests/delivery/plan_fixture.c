#include "tests/delivery/plan_fixture.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SET(field, text) ((void)snprintf((field), sizeof(field), "%s", (text)))

static char *text_of(const char *text)
{
	return (char *)(uintptr_t)text; /* read only */
}

void plan_set_names(struct x509_facts *facts, struct plan_names *names, const char *name, ...)
{
	va_list more;
	facts->san = names->san;
	facts->san_count = 0;
	va_start(more, name);
	for (; name != NULL; name = va_arg(more, const char *))
		names->san[facts->san_count++] =
			(struct x509_san){.kind = X509_SAN_DNS, .text = text_of(name)};
	va_end(more);
}

static void init_facts(struct x509_facts *facts, struct plan_names *names, const char *serial)
{
	SET(facts->serial, serial);
	memset(facts->fingerprint_sha256, serial[1], X509_SHA256_LEN);
	SET(facts->subject, "CN=www.example.com");
	SET(facts->issuer, "CN=Test CA");
	SET(facts->common_name, "www.example.com");
	SET(facts->key_algorithm, "RSA_2048");
	SET(facts->signature_algorithm, "SHA256WITHRSA");
	facts->has_key_usage = facts->has_ext_key_usage = true;
	facts->key_usage = X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_ENCIPHERMENT;
	facts->ext_key_usage = names->usage;
	facts->ext_key_usage_count = 1;
	SET(names->usage[0], "TLS_WEB_SERVER_AUTHENTICATION");
	facts->not_before_s = PLAN_NOW_S - PLAN_DAY_S;
	facts->not_after_s = PLAN_NOW_S + 90 * PLAN_DAY_S;
	plan_set_names(facts, names, "www.example.com", "example.com", NULL);
}

void plan_fixture_init(struct plan_fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	struct bundle *bundle = &fixture->bundle;
	init_facts(&bundle->leaf.facts, &fixture->new_names, "0b");
	SET(bundle->key_algorithm, "RSA_2048");
	SET(bundle->chain[0].facts.subject, "CN=Test CA");
	bundle->chain[0].facts.is_ca = true;
	bundle->chain_count = 1;
	struct remote_state *remote = &fixture->remote;
	remote->exists = remote->has_facts = true;
	init_facts(&remote->facts, &fixture->old_names, "0a");
	remote->facts.not_after_s = PLAN_NOW_S + 10 * PLAN_DAY_S;
	SET(remote->detail.type, "IMPORTED");
	SET(remote->detail.status, "ISSUED");
	fixture->in_use_by[0] = text_of("arn:aws:elasticloadbalancing:eu-west-1:000000000001:lb/x");
	remote->detail.in_use_by =
		(struct acm_text_list){.item = fixture->in_use_by, .count = 1, .capacity = 2};
	remote->tags.item[0] = (struct acm_tag){.key = text_of("owner"), .value = text_of("ops")};
	remote->tags.count = 1;
	fixture->tag[0] = (struct acm_tag){.key = text_of("team"), .value = text_of("\"shop\"")};
	fixture->host[0] = "www.example.com:443";
	fixture->input = (struct plan_input){.id = "plan-1",
		.connector = "prod",
		.partition = "aws",
		.account_id = "000000000001",
		.region = "eu-west-1",
		.arn = PLAN_ARN,
		.certificate_id = "shop",
		.reimport_allowed = true,
		.reimport_off_by = "",
		.bundle = bundle,
		.remote = remote,
		.escrow = ESCROW_SENSOR,
		.has_old_key = true,
		.old_key_until = "2026-12-31T00:00:00Z",
		.tag = fixture->tag,
		.tag_count = 1,
		.verify_host = fixture->host,
		.verify_host_count = 1,
		.auto_rollback = true,
		.now_s = PLAN_NOW_S,
		.expires_s = PLAN_NOW_S + PLAN_DAY_S};
}
