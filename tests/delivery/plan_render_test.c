/* Plans as JSON, against golden files: tests/data/plans. */
#include "delivery/plan.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "tests/lib/make_facts.h"
#include "tests/lib/read_file.h"

enum {
	NOW_S = 1795219200, /* 2026-11-21T00:00:00Z */
	DAY_S = 86400,
};

#define ARN "arn:aws:acm:eu-west-1:111122223333:certificate/1"

static char text_web[] = "web", text_team[] = "team", text_shop[] = "shop", text_arn[] = ARN;
static char text_user[] =
	"arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/a/1";
static char text_note[] = "the chain repeated the leaf: left out";
static char text_name[] = "www.example.com", text_subject[] = "CN=www.example.com";
static char text_issuer[] = "Amazon", text_usage[] = "DIGITAL_SIGNATURE";
static char text_odd[] = "a \"b\" \xff\n";

static const struct facts_wish old_wish = {.serial = "0fac",
	.names = "www.example.com,old.example.com,me@example.com",
	.common_name = "WWW.example.com",
	.subject = "CN=WWW.example.com",
	.key_usage = X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_ENCIPHERMENT,
	.ext_key_usage = "TLS_WEB_SERVER_AUTHENTICATION,TLS_WEB_CLIENT_AUTHENTICATION",
	.not_before_s = NOW_S - 60 * DAY_S,
	.not_after_s = NOW_S + 30 * DAY_S};
static const struct facts_wish new_wish = {.serial = "0fad",
	.names = "www.example.com,192.0.2.1,new.example.com",
	.subject = "CN=www.example.com,O=\"Example\"",
	.key_usage = X509_KU_DIGITAL_SIGNATURE,
	.ext_key_usage = "TLS_WEB_SERVER_AUTHENTICATION",
	.not_before_s = NOW_S - DAY_S,
	.not_after_s = NOW_S + 89 * DAY_S};
static const struct facts_wish ca_wish = {.subject = "CN=CA",
	.issuer = "CN=Root",
	.is_ca = true,
	.not_before_s = NOW_S - 900 * DAY_S,
	.not_after_s = NOW_S + 900 * DAY_S};

struct world {
	struct plan_input input;
	struct bundle bundle;
	struct remote_state remote;
	struct acm_tag tag;
	char *user, *name, *usage;
};

static void open_world(struct world *world)
{
	static const char *const host[] = {"www.example.com:443", "[2001:db8::1]:443"};
	*world = (struct world){.user = text_user, .name = text_name, .usage = text_usage};
	make_facts(&world->bundle.leaf.facts, &new_wish);
	make_facts(&world->bundle.chain[0].facts, &ca_wish);
	make_facts(&world->remote.facts, &old_wish);
	world->bundle.chain_count = 1;
	world->bundle.note[0] = text_note;
	world->bundle.note_count = 1;
	world->tag = (struct acm_tag){.key = text_team, .value = text_shop};
	world->remote.exists = world->remote.has_facts = true;
	world->remote.detail =
		(struct acm_detail){.arn = text_arn, .type = "IMPORTED", .status = "ISSUED"};
	world->remote.detail.in_use_by = (struct acm_text_list){.item = &world->user, .count = 1};
	world->remote.tags.item[0] = (struct acm_tag){.key = text_team, .value = text_web};
	world->remote.tags.count = 1;
	world->input = (struct plan_input){.id = "p-20261121-000000-0011223344",
		.connector = "prod",
		.partition = "aws",
		.account_id = "111122223333",
		.region = "eu-west-1",
		.arn = ARN,
		.certificate_id = "shop-front",
		.reimport_allowed = true,
		.reimport_off_by = "",
		.bundle = &world->bundle,
		.remote = &world->remote,
		.escrow = ESCROW_SENSOR,
		.has_old_key = true,
		.old_key_until = "2026-12-21T00:00:00Z",
		.tag = &world->tag,
		.tag_count = 1,
		.verify_host = host,
		.verify_host_count = 2,
		.auto_rollback = true,
		.now_s = NOW_S,
		.aws_now_s = NOW_S,
		.expires_s = NOW_S + 3600};
}

/* Decides, renders, and compares with the golden file; with ACMSENSOR_GOLDEN=1 writes it. */
static void expect_golden(struct world *world, const char *name)
{
	struct buf rendered;
	struct plan plan;
	json_error_t error;
	char path[200];
	size_t len;
	buf_init(&rendered, PLAN_DOCUMENT_MAX);
	plan_decide(&world->input, &plan);
	plan_render(&world->input, &plan, &rendered);
	json_t *json = json_loads(buf_text(&rendered), JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		fail_msg("%s: %s", error.text, buf_text(&rendered));
	char *pretty = json_dumps(json, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	if (getenv("ACMSENSOR_GOLDEN") != NULL) {
		(void)snprintf(path, sizeof(path), "tests/data/plans/%s.json", name);
		FILE *file = fopen(path, "we");
		assert_non_null(file);
		fprintf(file, "%s\n", pretty);
		assert_int_equal(fclose(file), 0);
	}
	char *golden = read_data("plans", name, ".json", &len);
	assert_int_equal(golden[len - 1], '\n');
	golden[len - 1] = '\0';
	assert_string_equal(pretty, golden);
	free(golden);
	free(pretty);
	json_decref(json);
	buf_clear(&rendered);
	x509_facts_clear(&world->bundle.leaf.facts);
	x509_facts_clear(&world->bundle.chain[0].facts);
	x509_facts_clear(&world->remote.facts);
}

static void a_reimport_shows_both_and_the_way_back(void **state)
{
	(void)state;
	struct world world;
	size_t len;
	open_world(&world);
	char *chain = read_data("x509", "rsa-2048", ".pem", &len);
	world.remote.pem.chain = chain;
	expect_golden(&world, "reimport");
	free(chain);
}

static void a_first_import_has_no_current(void **state)
{
	(void)state;
	struct world world;
	open_world(&world);
	world.input.arn = NULL;
	world.input.remote = NULL;
	world.input.tag_count = world.input.verify_host_count = 0;
	world.input.auto_rollback = false;
	world.bundle.note_count = 0;
	world.input.escrow = ESCROW_MEMORY;
	expect_golden(&world, "first");
}

static void a_new_arn_names_the_bindings(void **state)
{
	(void)state;
	struct world world;
	open_world(&world);
	world.input.reimport_allowed = false;
	world.input.reimport_off_by = "--new-arn";
	world.input.escrow = ESCROW_SECRETS_MANAGER;
	expect_golden(&world, "new-arn");
}

static void a_refusal_names_the_rule(void **state)
{
	(void)state;
	struct world world;
	open_world(&world);
	struct facts_wish nameless = old_wish;
	nameless.names = nameless.common_name = NULL;
	nameless.key = "RSA_2048";
	x509_facts_clear(&world.remote.facts);
	make_facts(&world.remote.facts, &nameless);
	expect_golden(&world, "refuse");
}

/* Of a certificate without PEM there is what Describe says; an odd tag is still JSON. */
static void what_cannot_be_read_is_described(void **state)
{
	(void)state;
	struct world world;
	open_world(&world);
	struct acm_detail *detail = &world.remote.detail;
	world.remote.has_facts = false;
	(void)snprintf(detail->type, sizeof(detail->type), "AMAZON_ISSUED");
	(void)snprintf(detail->status, sizeof(detail->status), "PENDING_VALIDATION");
	(void)snprintf(detail->serial, sizeof(detail->serial), "0a");
	(void)snprintf(detail->key_algorithm, sizeof(detail->key_algorithm), "RSA_2048");
	(void)snprintf(
		detail->signature_algorithm, sizeof(detail->signature_algorithm), "SHA256WITHRSA");
	detail->subject = text_subject;
	detail->issuer = text_issuer;
	detail->not_after_s = NOW_S + DAY_S;
	detail->sans = (struct acm_text_list){.item = &world.name, .count = 1};
	detail->key_usages = (struct acm_text_list){.item = &world.usage, .count = 1};
	world.remote.tags.item[0].value = text_odd;
	expect_golden(&world, "unreadable");
}

static void an_arn_of_nothing_has_no_current(void **state)
{
	(void)state;
	struct world world;
	open_world(&world);
	world.remote.exists = world.remote.has_facts = false;
	expect_golden(&world, "nothing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reimport_shows_both_and_the_way_back),
		cmocka_unit_test(a_first_import_has_no_current),
		cmocka_unit_test(a_new_arn_names_the_bindings),
		cmocka_unit_test(a_refusal_names_the_rule),
		cmocka_unit_test(what_cannot_be_read_is_described),
		cmocka_unit_test(an_arn_of_nothing_has_no_current),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
