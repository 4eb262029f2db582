#include "tests/sensor/month_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "base/x509.h"
#include "tests/lib/make_cert.h"

enum { HOUR_S = 3600, DAY_S = 86400, FIRST_CERTS = 3, LATE_S = 2 * HOUR_S, OTHER_MONTH_HOURS = 61 };

const char *const month_account[MONTH_ACCOUNTS] = {FAKE_ORG_HUB, "222222222222", "333333333333",
	"444444444444", "555555555555", "666666666666"};
static const char *const name[MONTH_ACCOUNTS] = {"hub", "shop", "bank", "lab", "edge", "late"};
enum { SHOP = 1, BANK, LAB, EDGE, LATE };
const char *const month_region[MONTH_REGIONS] = {"ap-south-1", "eu-west-1", MONTH_HOME};

/* --- the script: accounts and regions ---------------------------------------------------------- */

enum act {
	UNLISTED,	/* the account is not in the organization */
	SUSPENDED,	/* the account */
	ROLE_BROKEN,	/* of the account */
	REGIONS_DENIED, /* to the account: neither way to list them works */
	WALK_FAILS,
	AP_DISABLED, /* ap-south-1, in every account */
	AP_VANISHED, /* from every list of regions */
	PAIR_FAILS,  /* account (-1: all) in a region */
};

/* In hours from the start, the last one excluded. The first four days hold some of everything, so
 * that a short run meets it too. */
static const struct {
	int from, to;
	enum act act;
	int account; /* index; -1: all, or none is meant */
	const char *region;
	enum err_kind kind;
	const char *code;
} script[] = {
	{6, 9, PAIR_FAILS, -1, "ap-south-1", ERR_UNREACHABLE, "connect"},
	{10, 14, AP_DISABLED, -1, NULL, ERR_NONE, NULL},
	{15, 18, AP_VANISHED, -1, NULL, ERR_NONE, NULL},
	{20, 44, ROLE_BROKEN, SHOP, NULL, ERR_ROLE, "AccessDenied"},
	{22, 25, WALK_FAILS, -1, NULL, ERR_SERVICE, "InternalFailure"},
	{28, 52, SUSPENDED, LAB, NULL, ERR_NONE, NULL},
	{30, 70, UNLISTED, EDGE, NULL, ERR_NONE, NULL},
	{40, 41, UNLISTED, BANK, NULL, ERR_NONE, NULL}, /* moved while it was walked */
	{46, 50, PAIR_FAILS, BANK, "eu-west-1", ERR_DENIED, "AccessDeniedException"},
	{54, 56, PAIR_FAILS, 0, MONTH_HOME, ERR_THROTTLED, "ThrottlingException"},
	{58, 66, PAIR_FAILS, SHOP, "ap-south-1", ERR_CREDENTIALS, "UnrecognizedClientException"},
	{60, 64, REGIONS_DENIED, LAB, NULL, ERR_DENIED, "AccessDeniedException"},
	{0, 80, UNLISTED, LATE, NULL, ERR_NONE, NULL},
	{82, 84, ROLE_BROKEN, LATE, NULL, ERR_UNREACHABLE, "connect"},
	{100, 106, PAIR_FAILS, -1, NULL, ERR_TIMEOUT, "first_byte"},
	{120, 123, WALK_FAILS, -1, NULL, ERR_DENIED, "AccessDeniedException"},
	{140, 190, PAIR_FAILS, -1, "eu-west-1", ERR_DENIED_BY_SCP, "AccessDeniedException"},
	{200, 230, AP_DISABLED, -1, NULL, ERR_NONE, NULL},
	{210, 260, ROLE_BROKEN, BANK, NULL, ERR_ROLE, "AccessDenied"},
	{240, 300, AP_VANISHED, -1, NULL, ERR_NONE, NULL},
	{250, 600, SUSPENDED, SHOP, NULL, ERR_NONE, NULL},
	{280, 500, UNLISTED, EDGE, NULL, ERR_NONE, NULL},
	{310, 311, UNLISTED, LAB, NULL, ERR_NONE, NULL},
	{320, 326, PAIR_FAILS, LATE, "eu-west-1", ERR_PROTOCOL, ""},
	{330, 345, ROLE_BROKEN, LAB, NULL, ERR_THROTTLED, "Throttling"},
	{350, 380, PAIR_FAILS, BANK, "eu-west-1", ERR_CREDENTIALS, "InvalidClientTokenId"},
	{400, 440, REGIONS_DENIED, BANK, NULL, ERR_DENIED, "AccessDeniedException"},
	{450, 452, PAIR_FAILS, 0, MONTH_HOME, ERR_CREDENTIALS, "UnrecognizedClientException"},
	{520, 720, UNLISTED, LAB, NULL, ERR_NONE, NULL}, /* for good */
	{560, 570, AP_VANISHED, -1, NULL, ERR_NONE, NULL},
	{565, 580, PAIR_FAILS, LATE, MONTH_HOME, ERR_SERVICE, "InternalFailure"},
	{640, 641, WALK_FAILS, -1, NULL, ERR_UNREACHABLE, "connect"},
};

static void set_account(struct fake_org_account *account, size_t line)
{
	const char *code = script[line].code;
	switch (script[line].act) {
	case UNLISTED:
		account->is_unlisted = true;
		return;
	case SUSPENDED:
		account->state = "SUSPENDED";
		return;
	case ROLE_BROKEN:
		account->role_err = fake_org_err(script[line].kind, code);
		return;
	case REGIONS_DENIED:
		account->regions_err = fake_org_err(script[line].kind, code);
		return;
	case WALK_FAILS:
	case AP_DISABLED:
	case AP_VANISHED:
	case PAIR_FAILS:
		return;
	}
}

/* In other months it is another account that it happens to; never the hub in place of a member. */
static int account_in(uint32_t number, int account)
{
	int members = MONTH_ACCOUNTS - 1;
	return account <= 0 ? account : 1 + (account - 1 + (int)number - 1) % members;
}

static void act(struct fake_org *org, uint32_t number, size_t line)
{
	int account = account_in(number, script[line].account);
	switch (script[line].act) {
	case WALK_FAILS:
		org->walk_err = fake_org_err(script[line].kind, script[line].code);
		return;
	case AP_DISABLED:
		org->is_disabled[0] = true;
		return;
	case AP_VANISHED: /* it is the last in org's own order */
		org->region_count = MONTH_REGIONS - 1;
		return;
	case PAIR_FAILS:
		fake_org_fail(org, account >= 0 ? month_account[account] : NULL,
			script[line].region, script[line].kind, script[line].code);
		return;
	case UNLISTED:
	case SUSPENDED:
	case ROLE_BROKEN:
	case REGIONS_DENIED:
		set_account(&org->account[account], line);
		return;
	}
}

static void set_org(struct month_world *world, int64_t hour_of_month)
{
	struct fake_org *org = world->org;
	int64_t hour = (hour_of_month + (world->number - 1) * OTHER_MONTH_HOURS) % MONTH_HOURS;
	fake_org_init(org);
	for (size_t i = 1; i < MONTH_ACCOUNTS; i++)
		fake_org_add(org, month_account[i], name[i]);
	for (size_t i = 0; i < MONTH_REGIONS; i++)
		org->region[i] = month_region[MONTH_REGIONS - 1 - i];
	org->region_count = MONTH_REGIONS;
	for (size_t i = 0; i < MONTH_PLACES; i++)
		fake_org_place(org, &world->place[i]);
	for (size_t line = 0; line < sizeof(script) / sizeof(script[0]); line++)
		if (script[line].from <= hour && hour < script[line].to)
			act(org, world->number, line);
}

/* --- chance: certificates ---------------------------------------------------------------------- */

static uint32_t throw_dice(struct month_world *world, uint32_t sides)
{
	world->dice = world->dice * 1664525 + 1013904223;
	return (world->dice >> 16) % sides;
}

static void read_fingerprint(struct month_cert *cert)
{
	struct x509_facts facts = {.san = NULL};
	struct err err = ERR_INIT;
	const char *at = cert->pem;
	unsigned char *der;
	size_t len;
	if (x509_pem_next(&at, at + strlen(at), &der, &len, &err) != 1 ||
		x509_facts_from_der(der, len, &facts, &err) != 0)
		abort();
	text_hex(facts.fingerprint_sha256, sizeof(facts.fingerprint_sha256), cert->fingerprint);
	(void)text_copy(cert->serial, sizeof(cert->serial), facts.serial);
	x509_facts_clear(&facts);
	free(der);
}

/* A new version: first issue, renewal or reimport. */
static void issue(struct month_world *world, size_t place, size_t i, int64_t now_s)
{
	static const int64_t life_s[] = {
		5 * HOUR_S, 3 * DAY_S, 20 * DAY_S, 90 * DAY_S, 395 * DAY_S};
	struct fake_acm_cert *acm = &world->place[place].cert[i];
	struct month_cert *cert = &world->cert[place][i];
	if (cert->pem != NULL)
		world->pem_bytes -= (int64_t)strlen(cert->pem);
	free(cert->pem);
	cert->not_before_s = now_s - HOUR_S;
	cert->not_after_s = now_s + life_s[throw_dice(world, 5)] + (int64_t)throw_dice(world, 7200);
	cert->pem = make_cert_pem(
		cert->domain_name, ++world->serials, cert->not_before_s, cert->not_after_s);
	world->pem_bytes += (int64_t)strlen(cert->pem);
	read_fingerprint(cert);
	acm->pem_text = cert->pem;
	acm->status = "ISSUED";
}

static void add_cert(struct month_world *world, size_t place, int64_t now_s)
{
	struct fake_acm *acm = &world->place[place];
	size_t i = acm->count;
	char id[16];
	if (i == MONTH_CERTS)
		return;
	struct month_cert *cert = &world->cert[place][i];
	snprintf(id, sizeof(id), "c%02zu", i);
	snprintf(cert->domain_name, sizeof(cert->domain_name), "c%zu-%zu.example.com", place, i);
	struct fake_acm_cert *added = fake_acm_add(acm, id);
	added->pem = NULL;
	added->domain_name = cert->domain_name;
	added->status = "PENDING_VALIDATION";
	if (throw_dice(world, 3) == 0)
		added->type = "IMPORTED";
	if (strcmp(added->type, "IMPORTED") == 0 || throw_dice(world, 3) > 0)
		issue(world, place, i, now_s);
}

static void toggle_use(struct fake_acm_cert *acm)
{
	acm->in_use_by = acm->in_use_by == NULL
				 ? "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/a"
				 : NULL;
}

static void toggle_tag(struct fake_acm_cert *acm)
{
	acm->tag = acm->tag == NULL ? "a" : (strcmp(acm->tag, "a") == 0 ? "b" : NULL);
}

/* ACM renews what it issued itself; the others are imported again. */
static void renew(struct month_world *world, size_t place, size_t i, int64_t now_s)
{
	struct fake_acm_cert *acm = &world->place[place].cert[i];
	bool is_near = world->cert[place][i].not_after_s > now_s &&
		       world->cert[place][i].not_after_s < now_s + 50 * (int64_t)DAY_S;
	bool is_amazon = strcmp(acm->type, "IMPORTED") != 0;
	if (is_amazon && is_near && acm->renewal_status == NULL) {
		acm->renewal_status = "PENDING_AUTO_RENEWAL"; /* and later, perhaps, done */
		return;
	}
	if (acm->renewal_status != NULL)
		acm->renewal_status = "SUCCESS";
	issue(world, place, i, now_s);
}

static void change_one(struct month_world *world, int64_t now_s)
{
	size_t place = throw_dice(world, MONTH_PLACES);
	struct fake_acm *acm = &world->place[place];
	size_t i = throw_dice(world, (uint32_t)acm->count);
	struct fake_acm_cert *cert = &acm->cert[i];
	world->changes++;
	switch (throw_dice(world, 8)) {
	case 0:
		add_cert(world, place, now_s);
		return;
	case 1:
	case 2:
		cert->is_listed = !cert->is_listed;
		return;
	case 3:
		toggle_use(cert);
		return;
	case 4:
		toggle_tag(cert);
		return;
	case 5:
		toggle_use(cert);
		toggle_tag(cert);
		renew(world, place, i, now_s);
		return;
	default:
		renew(world, place, i, now_s);
		return;
	}
}

/* --- the world --------------------------------------------------------------------------------- */

void month_world_init(
	struct month_world *world, struct fake_org *org, int64_t start_s, uint32_t number)
{
	*world = (struct month_world){
		.org = org, .number = number, .dice = number, .start_s = start_s};
	for (size_t i = 0; i < MONTH_PLACES; i++) {
		world->place[i].account_id = month_account[i / MONTH_REGIONS];
		world->place[i].region = month_region[i % MONTH_REGIONS];
		world->place[i].page_size = i % 2 == 0 ? 2 : 0;
		for (size_t cert = 0; cert < FIRST_CERTS; cert++)
			add_cert(world, i, start_s);
	}
	set_org(world, 0);
}

void month_world_clear(struct month_world *world)
{
	for (size_t place = 0; place < MONTH_PLACES; place++)
		for (size_t i = 0; i < MONTH_CERTS; i++)
			free(world->cert[place][i].pem);
}

/* Two hours of three are quiet. */
void month_world_set_hour(struct month_world *world, int64_t hour)
{
	int64_t now_s = world->start_s + hour * HOUR_S;
	set_org(world, hour);
	if (throw_dice(world, 3) > 0)
		return;
	for (uint32_t count = 1 + throw_dice(world, 4); count > 0; count--)
		change_one(world, now_s);
}

void month_world_settle(struct month_world *world, int64_t now_s)
{
	for (size_t place = 0; place < MONTH_PLACES; place++)
		for (size_t i = 0; i < world->place[place].count; i++) {
			struct fake_acm_cert *acm = &world->place[place].cert[i];
			const struct month_cert *cert = &world->cert[place][i];
			int64_t told_s = cert->not_after_s + (i % 3 == 0 ? LATE_S : 0);
			if (strcmp(acm->status, "ISSUED") == 0 && told_s <= now_s)
				acm->status = "EXPIRED";
		}
}
