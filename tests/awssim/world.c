/* Builds the organization: ids, units, accounts, and the pairs that hold certificates. */
#include "tests/awssim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/awssim/cert.h"
#include "tests/awssim/options.h"

enum {
	SALT_ORG = 101,
	SALT_UNIT,
	SALT_ACCOUNT_ID,
	SALT_ACCOUNT_UNIT,
	SALT_JOINED,
	SALT_CERT_COUNT,
	SALT_HUGE,
	CROWDED_UNIT_MIN = 30, /* with more accounts, one unit gets several pages of them */
	DAY_S = 86400,
};

static const char *const unit_names[] = {"Production", "Development", "Security", "Sandbox",
	"Infrastructure", "Z\xc3\xbcrich, Bern", "Payments \"core\"", "\xe6\x9d\xb1\xe4\xba\xac",
	"R&D <labs>", "Shared / Services", "Workloads", "Legacy"};

static const char *const account_names[] = {"payments", "webshop", "data-lake", "identity",
	"billing, invoices", "m\xc3\xbcnchen-hub", "\"quoted\" account", "mobile", "search",
	"partner api", "\xe5\xa4\xa7\xe9\x98\xaa", "analytics", "iot", "crm", "log archive",
	"caf\xc3\xa9 & bar", "backup", "network", "ml <beta>", "intranet"};

enum {
	UNIT_NAMES = sizeof(unit_names) / sizeof(unit_names[0]),
	ACCOUNT_NAMES = sizeof(account_names) / sizeof(account_names[0]),
};

/* Lower-case letters and digits, as ids of Organizations use them. */
static void draw_id(uint64_t draw, char *ret_text, size_t len)
{
	static const char digit[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	for (size_t i = 0; i < len; i++)
		ret_text[i] = digit[hash_below(draw, i, 36)];
	ret_text[len] = '\0';
}

static void make_units(struct world *world)
{
	const struct options *options = world->options;
	char root[8], own[12];
	draw_id(hash_mix(world->seed, SALT_ORG), root, 4);
	snprintf(world->root_id, sizeof(world->root_id), "r-%s", root);
	draw_id(hash_mix(world->seed, SALT_ORG + 1), own, 10);
	snprintf(world->org_id, sizeof(world->org_id), "o-%s", own);
	world->unit_count = (size_t)options->units;
	world->unit = mem_alloc(world->unit_count * sizeof(*world->unit));
	for (size_t i = 0; i < world->unit_count; i++) {
		struct unit *unit = &world->unit[i];
		uint64_t draw = hash_mix(hash_mix(world->seed, SALT_UNIT), i);
		draw_id(draw, own, 8);
		snprintf(unit->id, sizeof(unit->id), "ou-%s-%s", root, own);
		unit->name = unit_names[(i + draw % 3) % UNIT_NAMES];
		unit->parent = -1;
		unit->depth = 1;
		/* The first ones form a chain, so that the wanted depth is reached. */
		size_t parent =
			(int64_t)i < options->unit_depth ? i - 1 : hash_below(draw, 1, i + 1);
		if (i > 0 && parent < i && world->unit[parent].depth < options->unit_depth) {
			unit->parent = (int)parent;
			unit->depth = world->unit[parent].depth + 1;
		}
	}
}

static size_t slot_of(const struct world *world, struct slice id)
{
	size_t slot = hash_bytes(id.ptr, id.len, 7) & (world->account_slots - 1);
	for (int at; (at = world->account_slot[slot]) != 0;
		slot = (slot + 1) & (world->account_slots - 1))
		if (slice_is(id, world->account[at - 1].id))
			break;
	return slot;
}

int world_find_account(const struct world *world, struct slice id)
{
	return id.len == ACCOUNT_ID_LEN ? world->account_slot[slot_of(world, id)] - 1 : -1;
}

int world_find_region(const struct world *world, struct slice name)
{
	for (size_t i = 0; i < world->region_count; i++)
		if (slice_is(name, world->region[i].name))
			return (int)i;
	return -1;
}

int world_find_unit(const struct world *world, struct slice id)
{
	for (size_t i = 0; i < world->unit_count; i++)
		if (slice_is(id, world->unit[i].id))
			return (int)i;
	return -1;
}

/* Every ninth id begins with zeros: an account id is not a number. */
static void make_account_id(struct world *world, size_t index)
{
	struct account *account = &world->account[index];
	const char *wanted = index == world->management ? world->options->management_id : NULL;
	for (uint64_t attempt = 0;; attempt++) {
		uint64_t draw = hash_mix(hash_mix(world->seed, SALT_ACCOUNT_ID), index);
		uint64_t limit = index % 9 == 3 ? 1000000000 : 900000000000;
		uint64_t number =
			hash_below(draw, attempt, limit) + (limit > 1000000000 ? 100000000000 : 0);
		snprintf(account->id, sizeof(account->id), "%012llu",
			(unsigned long long)(number % 1000000000000));
		if (wanted != NULL)
			memcpy(account->id, wanted, ACCOUNT_ID_LEN + 1);
		size_t slot = slot_of(world, slice_of(account->id));
		if (world->account_slot[slot] != 0)
			continue;
		world->account_slot[slot] = (int)index + 1;
		return;
	}
}

static void make_accounts(struct world *world)
{
	world->account_count = (size_t)world->options->accounts;
	world->account = mem_alloc(world->account_count * sizeof(*world->account));
	world->account_slots = 64;
	while (world->account_slots < world->account_count * 2)
		world->account_slots *= 2;
	world->account_slot = mem_alloc(world->account_slots * sizeof(*world->account_slot));
	for (size_t i = 0; i < world->account_count; i++) {
		struct account *account = &world->account[i];
		uint64_t draw = hash_mix(hash_mix(world->seed, SALT_ACCOUNT_UNIT), i);
		make_account_id(world, i);
		account->name = account_names[hash_below(draw, 1, ACCOUNT_NAMES)];
		account->name_number = (unsigned)i;
		account->unit = (int)hash_below(draw, 2, world->unit_count + 1) - 1;
		if (world->unit_count > 0 && i > CROWDED_UNIT_MIN && hash_below(draw, 3, 3) == 0)
			account->unit = (int)world->unit_count - 1;
		if (i == world->management)
			account->unit = -1;
		account->joined_s = world->base_s -
				    (int64_t)(DAY_S * (30 + hash_below(draw, SALT_JOINED, 2000)));
	}
}

/* Around the mean: a third has none or few, some have twice as many. */
static uint32_t draw_count(const struct world *world, size_t account, size_t region)
{
	uint64_t draw =
		hash_mix(hash_mix(world->seed, SALT_CERT_COUNT), account * REGIONS_MAX + region);
	double mean = world->options->certs_per_region;
	return (uint32_t)(hash_fraction(draw, 1) * 2 * mean + hash_fraction(draw, 2));
}

static bool is_plain(const struct account *account)
{
	return account->state == ACTIVE && !account->role_missing && !account->trust_refuses &&
	       !account->scp_all && !account->scp_acm && !account->acm_denied &&
	       !account->describe_regions_denied && account->scp_regions == 0;
}

static void make_certificates(struct world *world)
{
	size_t huge = world->account_count;
	for (size_t i = 0; world->options->huge_account > 0 && i < world->account_count; i++)
		if (i != world->management && i != world->hub && is_plain(&world->account[i])) {
			huge = i;
			break;
		}
	for (size_t i = 0; i < world->account_count; i++) {
		struct account *account = &world->account[i];
		account->pair = mem_alloc(world->region_count * sizeof(*account->pair));
		for (size_t region = 0; region < world->region_count; region++) {
			uint32_t count = draw_count(world, i, region);
			if (i == huge && region == 0)
				count = (uint32_t)world->options->huge_account;
			for (uint32_t n = 0; n < count; n++)
				cert_add(world, i, region);
		}
	}
}

static bool set_identity(struct world *world)
{
	const struct options *options = world->options;
	world->management = 0;
	bool is_member = strcmp(options->hub, "member") == 0;
	bool is_delegated = strcmp(options->hub, "delegated") == 0;
	if (!is_member && !is_delegated && strcmp(options->hub, "management") != 0) {
		fprintf(stderr, "awssim: --hub: management, delegated or member, not \"%s\"\n",
			options->hub);
		return false;
	}
	world->hub = is_member || is_delegated ? 1 : 0;
	if (world->hub == 1 && options->accounts < 2) {
		fprintf(stderr, "awssim: --hub %s needs two accounts\n", options->hub);
		return false;
	}
	const char *id = options->management_id;
	if (id != NULL &&
		(strlen(id) != ACCOUNT_ID_LEN || strspn(id, "0123456789") != ACCOUNT_ID_LEN)) {
		fprintf(stderr, "awssim: --management-id: 12 digits, not \"%s\"\n", id);
		return false;
	}
	world->partition = partition_find(options->partition);
	if (world->partition == NULL) {
		fprintf(stderr, "awssim: --partition: unknown \"%s\"\n", options->partition);
		return false;
	}
	const char *fields = options->account_fields;
	if (strcmp(fields, "both") != 0 && strcmp(fields, "state") != 0 &&
		strcmp(fields, "status") != 0) {
		fprintf(stderr, "awssim: --account-fields: state, status or both, not \"%s\"\n",
			fields);
		return false;
	}
	world->base_s = (int64_t)time(NULL) / DAY_S * DAY_S;
	if (options->now_base != NULL && !time_parse_rfc3339(options->now_base, &world->base_s)) {
		fprintf(stderr,
			"awssim: --now-base: 2026-01-31T00:00:00Z or Unix seconds, not \"%s\"\n",
			options->now_base);
		return false;
	}
	return true;
}

struct world *world_new(const struct options *options, const struct key_pool *keys)
{
	struct world *world = mem_alloc(sizeof(*world));
	world->options = options;
	world->keys = keys;
	world->seed = (uint64_t)options->seed;
	if (!set_identity(world) || !world_set_regions(world, options->regions)) {
		world_free(world);
		return NULL;
	}
	make_units(world);
	make_accounts(world);
	if (!world_make_odd(world)) {
		world_free(world);
		return NULL;
	}
	make_certificates(world);
	return world;
}

void world_free(struct world *world)
{
	if (world == NULL)
		return;
	for (size_t i = 0; i < world->account_count; i++) {
		struct pair *pair = world->account[i].pair;
		for (size_t region = 0; pair != NULL && region < world->region_count; region++) {
			while (pair[region].count > 0)
				cert_remove(&pair[region], pair[region].count - 1);
			free(pair[region].cert);
			free(pair[region].import_s);
		}
		free(pair);
	}
	for (size_t i = 0; i < world->removed_count; i++)
		cert_past_clear(&world->removed[i].past);
	free(world->removed);
	for (size_t i = 0; i < world->note_count; i++)
		free(world->note[i].arn);
	free(world->note);
	free(world->denial);
	arena_clear(&world->arena);
	free(world->account);
	free(world->account_slot);
	free(world->unit);
	free(world);
}

static bool is_denial_of(const struct denial *denial, int account, const char *action)
{
	return denial->account == account && strcmp(denial->action, action) == 0;
}

bool world_denies(const struct world *world, size_t account, const char *action)
{
	for (size_t i = 0; i < world->denial_count; i++)
		if (is_denial_of(&world->denial[i], -1, action) ||
			is_denial_of(&world->denial[i], (int)account, action))
			return true;
	return false;
}

void world_deny(struct world *world, int account, const char *action)
{
	struct denial denial = {.account = account};
	slice_copy(slice_of(action), denial.action, sizeof(denial.action));
	world->denial =
		mem_resize(world->denial, (world->denial_count + 1) * sizeof(*world->denial));
	world->denial[world->denial_count++] = denial;
}

void world_allow(struct world *world, int account, const char *action)
{
	size_t kept = 0;
	for (size_t i = 0; i < world->denial_count; i++)
		if (!is_denial_of(&world->denial[i], account, action))
			world->denial[kept++] = world->denial[i];
	world->denial_count = kept;
}

bool account_region_enabled(const struct account *account, size_t region)
{
	return ((account->disabled_regions | account->lying_regions) >> region & 1) == 0;
}

void account_name(const struct account *account, struct out *out)
{
	out_fmt(out, "%s %u", account->name, account->name_number);
}

void unit_path_ids(const struct world *world, int unit, struct out *out)
{
	int chain[8], count = 0;
	for (; unit >= 0 && count < 8; unit = world->unit[unit].parent)
		chain[count++] = unit;
	out_fmt(out, "%s/%s/", world->org_id, world->root_id);
	while (count-- > 0)
		out_fmt(out, "%s/", world->unit[chain[count]].id);
}
