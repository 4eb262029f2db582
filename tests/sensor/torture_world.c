#include "tests/sensor/torture_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/make_cert.h"
#include "tests/sensor/fixture.h"

#define OLD	"444444444444"
#define NEW	"555555555555"
#define STOPPED "666666666666"

/* --- the organization -------------------------------------------------------------------------- */

/* Each of these has one certificate in each region, as all that have no place of their own. */
static void add_more(struct torture_world *world, struct fake_org *org)
{
	for (int i = 0; i < WORLD_MORE; i++) {
		snprintf(world->more[i], sizeof(world->more[i]), "7%011d", i);
		fake_org_add(org, world->more[i], "more");
	}
}

static void add_accounts(
	struct torture_world *world, struct fake_org *org, enum world_day day, bool is_large)
{
	fake_org_add(org, SHOP, "shop");
	if (day == DAY_FIRST)
		fake_org_add(org, BANK, "bank")->certificates = is_large ? 100 : -1;
	if (day != DAY_CHANGE)
		fake_org_add(org, OLD, "old");
	if (day >= DAY_CHANGE)
		fake_org_add(org, NEW, "new");
	fake_org_add(org, STOPPED, "stopped")->state = day >= DAY_CHANGE ? "SUSPENDED" : "ACTIVE";
	if (is_large)
		add_more(world, org);
}

/* --- certificates ------------------------------------------------------------------------------ */

static const char *pem_of(struct torture_world *world, uint32_t serial, int days)
{
	for (size_t i = 0; i < world->pem_count; i++)
		if (world->pem[i].serial == serial)
			return world->pem[i].text;
	struct world_pem *pem = &world->pem[world->pem_count++];
	pem->serial = serial;
	pem->text = make_cert_pem(
		"www.example.com", serial, NOW_S - DAY_S, NOW_S + (int64_t)days * DAY_S);
	return pem->text;
}

static struct fake_acm_cert *add_issued(struct torture_world *world, struct fake_acm *acm,
	const char *id, uint32_t serial, int days)
{
	struct fake_acm_cert *cert = fake_acm_add(acm, id);
	cert->pem_text = pem_of(world, serial, days);
	return cert;
}

static void fill_hub(struct torture_world *world, bool is_changed)
{
	struct fake_acm *acm = &world->hub;
	add_issued(world, acm, "kept", 1, 300)->tag = "stays";
	add_issued(world, acm, "renewed", is_changed ? 12 : 2, is_changed ? 390 : 30);
	struct fake_acm_cert *imported =
		add_issued(world, acm, "imported", is_changed ? 13 : 3, is_changed ? 200 : 100);
	imported->type = "IMPORTED";
	imported->chain = "chain-intermediate";
	add_issued(world, acm, "vanished", 4, 300)->is_listed = !is_changed;
	struct fake_acm_cert *ended = add_issued(world, acm, "ended", 5, 2);
	if (is_changed)
		ended->status = "EXPIRED"; /* its end came within the last day */
	struct fake_acm_cert *used = add_issued(world, acm, "used", 6, 300);
	used->tag = is_changed ? "after" : "before";
	used->in_use_by =
		is_changed ? "arn:aws:elasticloadbalancing:eu-west-1:111111111111:loadbalancer/a"
			   : NULL;
}

static void fill_shop(struct torture_world *world, bool is_changed)
{
	struct fake_acm *acm = &world->shop;
	acm->page_size = 2;
	add_issued(world, acm, "first", 7, 300);
	struct fake_acm_cert *pending = fake_acm_add(acm, "pending");
	pending->pem = NULL;
	pending->status = "PENDING_VALIDATION";
	if (is_changed) {
		pending->status = "ISSUED";
		pending->pem_text = pem_of(world, 8, 390);
	}
	add_issued(world, acm, "second", 9, 300);
	if (is_changed)
		add_issued(world, acm, "appeared", 10, 390);
}

void torture_world_make(
	struct torture_world *world, struct fake_org *org, enum world_day day, bool is_large)
{
	bool is_changed = day >= DAY_CHANGE;
	world->hub = (struct fake_acm){.account_id = HUB, .region = "eu-west-1"};
	world->shop = (struct fake_acm){.account_id = SHOP, .region = "eu-west-1"};
	world->bank = (struct fake_acm){.account_id = BANK, .region = "us-east-1"};
	fake_org_init(org);
	org->certificates = 1;
	org->region[org->region_count++] = "ap-south-1";
	org->is_disabled[2] = is_changed;
	add_accounts(world, org, day, is_large);
	fill_hub(world, is_changed);
	fill_shop(world, is_changed);
	add_issued(world, &world->bank, "lost", 11, 300);
	fake_org_place(org, &world->hub);
	fake_org_place(org, &world->shop);
	fake_org_place(org, &world->bank);
}

void torture_world_clear(struct torture_world *world)
{
	for (size_t i = 0; i < world->pem_count; i++)
		free(world->pem[i].text);
	world->pem_count = 0;
}

/* --- scenarios --------------------------------------------------------------------------------- */

#define ALL	 .account_id = "", .region = "", .pairs_max = 8
#define ORG	 .config = "import = all\n"
#define AS_KNOWN .days_before = 1, .day = DAY_FIRST

const struct scenario scenarios[] = {
	{.name = "first cycle", ORG, .day = DAY_FIRST, ALL},
	{.name = "cycle with every change", ORG, .days_before = 2, .day = DAY_CHANGE, ALL},
	{.name = "everything by hand",
		ORG,
		.days_before = 2,
		.day = DAY_CHANGE,
		.kind = PROGRESS_ASKED,
		.is_by_hand = true,
		ALL},
	{.name = "one account by hand",
		ORG,
		.days_before = 2,
		.day = DAY_CHANGE,
		.kind = PROGRESS_ASKED,
		.is_by_hand = true,
		.account_id = SHOP,
		.region = "",
		.pairs_max = 8},
	{.name = "one account-region by hand",
		ORG,
		.days_before = 2,
		.day = DAY_CHANGE,
		.kind = PROGRESS_ASKED,
		.is_by_hand = true,
		.account_id = HUB,
		.region = "eu-west-1",
		.pairs_max = 8},
	{.name = "catch-up",
		ORG,
		AS_KNOWN,
		.kind = PROGRESS_CATCH_UP,
		.has_scope = true,
		ALL,
		.trouble_account = SHOP,
		.trouble_region = "eu-west-1",
		.trouble_kind = ERR_TIMEOUT,
		.trouble_code = "first_byte",
		.trouble_came_before = true,
		.role_lost_account = BANK},
	{.name = "catch-up after a restart",
		ORG,
		AS_KNOWN,
		.kind = PROGRESS_CATCH_UP,
		ALL,
		.trouble_account = HUB,
		.trouble_kind = ERR_THROTTLED,
		.trouble_code = "ThrottlingException",
		.trouble_came_before = true,
		.role_lost_account = OLD},
	{.name = "cycle that goes on after a restart", ORG, AS_KNOWN, .is_continued = true, ALL},
	{.name = "keys that one region does not know",
		ORG,
		AS_KNOWN,
		ALL,
		.trouble_account = SHOP,
		.trouble_region = "eu-west-1",
		.trouble_kind = ERR_CREDENTIALS,
		.trouble_code = "UnrecognizedClientException"},
	{.name = "session that is lost on the way",
		ORG,
		AS_KNOWN,
		.account_id = "",
		.region = "",
		.pairs_max = 1,
		.trouble_account = SHOP,
		.trouble_kind = ERR_ROLE,
		.trouble_code = "AccessDenied"},
	{.name = "one account alone",
		.days_before = 1,
		.day = DAY_CHANGE,
		ALL,
		.config = "import = all\nscope = account\nregions = eu-west-1, us-east-1\n"},
	{.name = "organization read through a role",
		.day = DAY_FIRST,
		ALL,
		.config = "import = all\nregions = us-east-1\n"
			  "management_role_arn = arn:aws:iam::111111111111:role/walk\n"},
	{.name = "one account-region at a time",
		ORG,
		.days_before = 2,
		.day = DAY_CHANGE,
		.account_id = "",
		.region = "",
		.pairs_max = 1},
	{.name = "account-regions that an earlier connector reads",
		ORG,
		.days_before = 2,
		.day = DAY_CHANGE,
		ALL,
		.neighbour = "import = all\ninclude_accounts = " SHOP ", " BANK "\n"
			     "regions = eu-west-1, us-east-1\n"},
};
const size_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);
