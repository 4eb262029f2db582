/* Plans on facts made by hand; see plan_fixture.h. */
#include "tests/delivery/plan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct plan_world *plan_world(void)
{
	static struct plan_world world;
	world = (struct plan_world){
		.old = {.serial = "01",
			.names = "www.example.com",
			.subject = "CN=www.example.com",
			.key_usage = SIGN,
			.ext_key_usage = SERVER_USE,
			.not_before_s = NOW_S - 300 * DAY_S,
			.not_after_s = NOW_S + 60 * DAY_S},
		.new = {.serial = "02",
			.names = "www.example.com",
			.subject = "CN=www.example.com",
			.key_usage = SIGN,
			.ext_key_usage = SERVER_USE,
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
			.was_read = true,
			.reimport_allowed = true,
			.reimport_off_by = "",
			.escrow = ESCROW_SENSOR,
			.has_old_key = true,
			.old_key_until = "2026-12-21T00:00:00Z",
			.now_s = NOW_S,
			.aws_now_s = NOW_S,
			.expires_s = NOW_S + 3600},
	};
	world.remote.detail.in_use_by.item = world.users;
	world.input.verify_host = world.hosts;
	world.input.tag = world.tags;
	return &world;
}

void plan_use(struct plan_world *world, const char *arn)
{
	struct acm_text_list *users = &world->remote.detail.in_use_by;
	users->item[users->count++] = (char *)(uintptr_t)arn;
}

void plan_tag_remote(struct plan_world *world, const char *key, const char *value)
{
	world->remote.tags.item[world->remote.tags.count++] =
		(struct acm_tag){.key = (char *)(uintptr_t)key, .value = (char *)(uintptr_t)value};
}

void plan_tag_order(struct plan_world *world, const char *key, const char *value)
{
	world->tags[world->input.tag_count++] =
		(struct acm_tag){.key = (char *)(uintptr_t)key, .value = (char *)(uintptr_t)value};
}

const struct plan *plan_world_decide(struct plan_world *world)
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

void plan_expect(struct plan_world *world, enum plan_decision decision, const char *reason)
{
	const struct plan *plan = plan_world_decide(world);
	assert_string_equal(plan->reason, reason);
	assert_int_equal(plan->decision, decision);
}

void plan_expect_warning(struct plan_world *world, const char *name, const char *text)
{
	const struct plan *plan = plan_world_decide(world);
	size_t count = name != NULL ? 1 : 0;
	for (size_t i = 0; plan->warning_count != count && i < plan->warning_count; i++)
		print_message("%s: %s\n", plan->warning[i].name, plan->warning[i].text);
	assert_int_equal(plan->warning_count, count);
	if (name == NULL)
		return;
	assert_string_equal(plan->warning[0].name, name);
	assert_string_equal(plan->warning[0].text, text);
}

void plan_expect_warns(struct plan_world *world, const char *name)
{
	const struct plan *plan = plan_world_decide(world);
	for (size_t i = 0; i < plan->warning_count; i++)
		if (strcmp(plan->warning[i].name, name) == 0)
			return;
	fail_msg("no warning %s", name);
}
