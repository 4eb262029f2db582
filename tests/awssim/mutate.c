/* The changes of mutate.h: certificates first, then accounts; a table of orders each. */
#include "tests/awssim/mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/cert.h"
#include "tests/awssim/consistency.h"
#include "tests/awssim/foreign.h"
#include "tests/awssim/truth.h"

enum { EXPIRED_AGO_S = 3600, COUNT_MAX = 1000000 };

/* A certificate that may be chosen; by uid because positions move when others are removed. */
struct candidate {
	uint32_t account, region, uid;
};

typedef void change_fn(struct sim *sim, struct pair *pair, uint32_t index);

static void drop(struct sim *sim, struct pair *pair, uint32_t index)
{
	(void)sim;
	cert_remove(pair, index);
}

/* What was imported is replaced by somebody else's import; otherwise by a new draw. */
static void renew(struct sim *sim, struct pair *pair, uint32_t index)
{
	struct cert *cert = &pair->cert[index];
	struct cert_more *more = cert_more(cert);
	int64_t now_s = sim_now_s(sim);
	if (more->held != NULL)
		cert_reimport(cert,
			foreign_successor(
				sim->world, more->held, random_next(&sim->mutation_random), now_s),
			now_s);
	else
		cert_renew(cert, now_s);
	more->changed_ms = sim_mono_ms();
}

/*
 * The end moves into the past; the serial stays. No real certificate does that, so not for what was
 * really imported: use the clock (POST /clock) to let certificates expire as they do in life.
 */
static void expire(struct sim *sim, struct pair *pair, uint32_t index)
{
	struct cert *cert = &pair->cert[index];
	cert->not_after_s = sim_now_s(sim) - EXPIRED_AGO_S;
	if (cert->not_before_s >= cert->not_after_s)
		cert->not_before_s = cert->not_after_s - EXPIRED_AGO_S;
	free(cert->signature);
	cert->signature = NULL;
}

static void change_tags(struct sim *sim, struct pair *pair, uint32_t index)
{
	(void)sim;
	struct cert *cert = &pair->cert[index];
	char value[16];
	cert->tag_generation++;
	if (cert->more == NULL || !cert->more->has_tags)
		return;
	snprintf(value, sizeof(value), "%u", cert->tag_generation);
	if (cert->more->tag_count == CERT_TAGS_MAX)
		cert_tag_remove(cert->more, cert->more->tag_key[0], NULL);
	cert_tag_set(cert->more, "Changed", value);
}

static void flip_use(struct sim *sim, struct pair *pair, uint32_t index)
{
	(void)sim;
	pair->cert[index].in_use_flipped = !pair->cert[index].in_use_flipped;
}

static bool is_any(const struct cert *cert)
{
	return cert != NULL;
}

static bool is_renewable(const struct cert *cert)
{
	const struct cert_kind *kind = cert_kind_of(cert);
	return kind->type != IMPORTED && kind->status == ISSUED && kind->origin != ACME;
}

static bool is_imported(const struct cert *cert)
{
	return cert_kind_of(cert)->type == IMPORTED;
}

static bool is_issued(const struct cert *cert)
{
	return cert->not_after_s != 0 && (cert->more == NULL || cert->more->held == NULL);
}

static const struct {
	const char *op;
	bool (*fits)(const struct cert *cert);
	change_fn *change;
} cert_orders[] = {
	{"remove", is_any, drop},
	{"renew", is_renewable, renew},
	{"reimport", is_imported, renew},
	{"import_foreign", is_imported, renew},
	{"expire", is_issued, expire},
	{"tags", is_any, change_tags},
	{"in_use", is_any, flip_use},
};

/* Where an order applies: -1 is anywhere. */
struct where {
	int account, region;
};

static bool read_where(
	const struct sim *sim, const json_t *order, struct where *where, const char **ret_why)
{
	const char *account = json_string_value(json_object_get(order, "account"));
	const char *region = json_string_value(json_object_get(order, "region"));
	*where = (struct where){-1, -1};
	*ret_why = "unknown account or region";
	if (account != NULL)
		where->account = world_find_account(sim->world, slice_of(account));
	if (region != NULL)
		where->region = world_find_region(sim->world, slice_of(region));
	return (account == NULL || where->account >= 0) && (region == NULL || where->region >= 0);
}

/* Only what discovery can see is changed, unless the order names the place. */
static bool may_choose(
	const struct world *world, const struct where *where, size_t account, size_t region)
{
	if (where->account >= 0 && where->account != (int)account)
		return false;
	if (where->region >= 0 && where->region != (int)region)
		return false;
	return (where->account >= 0 && where->region >= 0) ||
	       (truth_account_state(world, account) == NULL &&
		       strcmp(truth_pair_state(world, account, region), "ok") == 0);
}

static struct candidate *candidates(const struct sim *sim, const struct where *where,
	const char *arn, bool (*fits)(const struct cert *cert), size_t *ret_count)
{
	struct world *world = sim->world;
	struct candidate *list = NULL;
	size_t count = 0, cap = 0;
	for (size_t a = 0; a < world->account_count; a++)
		for (size_t r = 0; r < world->region_count; r++) {
			if (!may_choose(world, where, a, r))
				continue;
			const struct pair *pair = &world->account[a].pair[r];
			for (uint32_t i = 0; i < pair->count; i++) {
				char uuid[UUID_LEN + 1];
				cert_uuid(world, a, r, &pair->cert[i], uuid);
				if (!fits(&pair->cert[i]) ||
					(arn != NULL && strstr(arn, uuid) == NULL))
					continue;
				if (count == cap) {
					cap = cap > 0 ? cap * 2 : 64;
					list = mem_resize(list, cap * sizeof(*list));
				}
				list[count++] = (struct candidate){
					(uint32_t)a, (uint32_t)r, pair->cert[i].uid};
			}
		}
	*ret_count = count;
	return list;
}

static void add_arn(const struct world *world, size_t account, size_t region,
	const struct cert *cert, struct out *out)
{
	char uuid[UUID_LEN + 1];
	struct out arn = {0};
	cert_uuid(world, account, region, cert, uuid);
	out_fmt(&arn, "arn:%s:acm:%s:%s:certificate/%s", world->partition->id,
		world->region[region].name, world->account[account].id, uuid);
	json_text(out, arn.data);
	out_clear(&arn);
}

/* "count" (default 1) or "percent" of what there is. */
static size_t wanted_of(const json_t *order, size_t available)
{
	const json_t *percent = json_object_get(order, "percent"),
		     *count = json_object_get(order, "count");
	if (json_is_number(percent))
		return (size_t)((double)available * json_number_value(percent) / 100 + 0.5);
	json_int_t wanted = json_is_integer(count) ? json_integer_value(count) : 1;
	return wanted < 0 ? 0 : (wanted > COUNT_MAX ? COUNT_MAX : (size_t)wanted);
}

static void change_certificates(struct sim *sim, const json_t *order, const struct where *where,
	size_t which, struct out *out)
{
	struct world *world = sim->world;
	size_t count;
	const char *arn = json_string_value(json_object_get(order, "arn"));
	struct candidate *list = candidates(sim, where, arn, cert_orders[which].fits, &count);
	size_t wanted = wanted_of(order, count);
	for (size_t i = 0; i < count && i < wanted; i++) {
		size_t other = i + (size_t)random_below(&sim->mutation_random, count - i);
		struct candidate chosen = list[other];
		list[other] = list[i];
		struct pair *pair = &world->account[chosen.account].pair[chosen.region];
		uint32_t index = cert_position(pair, chosen.uid);
		add_arn(world, chosen.account, chosen.region, &pair->cert[index], out);
		cert_orders[which].change(sim, pair, index);
	}
	free(list);
}

static bool text_fits(const json_t *order, const char *key, const char *own)
{
	const char *wanted = json_string_value(json_object_get(order, key));
	return wanted == NULL || strcmp(wanted, own) == 0;
}

/* The first kind with "kind", "type" and "key_algorithm" as given; -1: none given, or none fits. */
static int wanted_kind(const json_t *order, bool *ret_is_given)
{
	*ret_is_given = json_object_get(order, "kind") != NULL ||
			json_object_get(order, "type") != NULL ||
			json_object_get(order, "key_algorithm") != NULL;
	for (size_t i = 0; *ret_is_given && i < cert_kind_count; i++)
		if (text_fits(order, "kind", cert_kinds[i].name) && cert_kinds[i].weight > 0 &&
			text_fits(order, "type", cert_type_name[cert_kinds[i].type]) &&
			text_fits(order, "key_algorithm", key_type_name[cert_kinds[i].key]))
			return (int)i;
	return -1;
}

static void add_certificates(
	struct sim *sim, const json_t *order, const struct where *where, int kind, struct out *out)
{
	struct world *world = sim->world;
	size_t pairs = world->account_count * world->region_count, count = 0;
	size_t *list = mem_alloc(pairs * sizeof(*list));
	for (size_t i = 0; i < pairs; i++)
		if (may_choose(world, where, i / world->region_count, i % world->region_count))
			list[count++] = i;
	size_t wanted = wanted_of(order, world->cert_ordinal);
	for (size_t i = 0; i < wanted && count > 0; i++) {
		size_t at = list[random_below(&sim->mutation_random, count)];
		size_t account = at / world->region_count, region = at % world->region_count;
		add_arn(world, account, region, cert_add_kind(world, account, region, kind), out);
	}
	free(list);
}

typedef void account_change_fn(struct account *account, uint64_t region_bit);

static void suspend(struct account *account, uint64_t region_bit)
{
	(void)region_bit;
	account->state = SUSPENDED;
}

static void activate(struct account *account, uint64_t region_bit)
{
	(void)region_bit;
	account->state = ACTIVE;
}

static void break_role(struct account *account, uint64_t region_bit)
{
	(void)region_bit;
	account->role_missing = true;
}

static void restore_role(struct account *account, uint64_t region_bit)
{
	(void)region_bit;
	account->role_missing = account->trust_refuses = false;
}

static void disable_region(struct account *account, uint64_t region_bit)
{
	account->disabled_regions |= region_bit;
}

static void enable_region(struct account *account, uint64_t region_bit)
{
	account->disabled_regions &= ~region_bit;
	account->lying_regions &= ~region_bit;
}

static void deny_region(struct account *account, uint64_t region_bit)
{
	account->scp_regions |= region_bit;
}

static void allow_region(struct account *account, uint64_t region_bit)
{
	account->scp_regions &= ~region_bit;
}

static void deny_account(struct account *account, uint64_t region_bit)
{
	(void)region_bit;
	account->scp_all = true;
}

static void allow_account(struct account *account, uint64_t region_bit)
{
	(void)region_bit;
	account->scp_all = account->scp_acm = account->acm_denied = false;
	account->list_regions_denied = account->describe_regions_denied = false;
}

static void deny_acm(struct account *account, uint64_t region_bit)
{
	(void)region_bit;
	account->acm_denied = true;
}

static const struct {
	const char *op;
	account_change_fn *change;
	bool needs_region;
} account_orders[] = {
	{"suspend_account", suspend, false},
	{"activate_account", activate, false},
	{"break_role", break_role, false},
	{"restore_role", restore_role, false},
	{"disable_region", disable_region, true},
	{"enable_region", enable_region, true},
	{"deny_region", deny_region, true},
	{"allow_region", allow_region, true},
	{"deny_account", deny_account, false},
	{"allow_account", allow_account, false},
	{"deny_acm", deny_acm, false},
};

/* Without an account, any reachable one but the hub and the management account. */
static int choose_account(struct sim *sim)
{
	const struct world *world = sim->world;
	for (int attempt = 0; attempt < 10000; attempt++) {
		size_t at = (size_t)random_below(&sim->mutation_random, world->account_count);
		if (at != world->hub && at != world->management &&
			truth_account_state(world, at) == NULL)
			return (int)at;
	}
	return -1;
}

static bool change_account(
	struct sim *sim, struct where where, size_t which, struct out *out, const char **ret_why)
{
	struct world *world = sim->world;
	if (where.account < 0)
		where.account = choose_account(sim);
	*ret_why = "no account to change";
	if (where.account < 0)
		return false;
	bool needs_region = account_orders[which].needs_region;
	if (where.region < 0 && needs_region)
		where.region = (int)random_below(&sim->mutation_random, world->region_count);
	struct account *account = &world->account[where.account];
	account_orders[which].change(account, where.region < 0 ? 0 : (uint64_t)1 << where.region);
	json_open(out, '{');
	json_member(out, "account_id", account->id);
	json_member(out, "region", needs_region ? world->region[where.region].name : NULL);
	json_close(out, '}');
	return true;
}

/* "action": "acm:ImportCertificate"; without an account everywhere. */
static bool change_action(struct sim *sim, const json_t *order, struct where where, bool is_denied,
	struct out *out, const char **ret_why)
{
	const char *action = json_string_value(json_object_get(order, "action"));
	*ret_why = "action missing or too long";
	if (action == NULL || strlen(action) >= sizeof(sim->world->denial->action))
		return false;
	if (is_denied)
		world_deny(sim->world, where.account, action);
	else
		world_allow(sim->world, where.account, action);
	json_open(out, '{');
	json_member(out, "account_id",
		where.account >= 0 ? sim->world->account[where.account].id : NULL);
	json_member(out, "action", action);
	json_close(out, '}');
	return true;
}

bool mutate(struct sim *sim, const json_t *order, struct out *out, const char **ret_why)
{
	const char *op = json_string_value(json_object_get(order, "op"));
	const json_t *seed = json_object_get(order, "seed");
	struct where where;
	*ret_why = "op missing";
	if (op == NULL || !read_where(sim, order, &where, ret_why))
		return false;
	if (json_is_integer(seed))
		sim->mutation_random.state = (uint64_t)json_integer_value(seed);
	json_key(out, "changed");
	json_open(out, '[');
	bool is_known = strcmp(op, "add") == 0, ok = true, is_given;
	int kind = wanted_kind(order, &is_given);
	*ret_why = "no such kind of certificate";
	if (is_known && (kind >= 0 || !is_given))
		add_certificates(sim, order, &where, kind, out);
	else if (is_known)
		ok = false;
	for (size_t i = 0; i < sizeof(cert_orders) / sizeof(cert_orders[0]); i++)
		if (strcmp(op, cert_orders[i].op) == 0) {
			is_known = true;
			change_certificates(sim, order, &where, i, out);
		}
	for (size_t i = 0; i < sizeof(account_orders) / sizeof(account_orders[0]); i++)
		if (strcmp(op, account_orders[i].op) == 0) {
			is_known = true;
			ok = change_account(sim, where, i, out, ret_why);
		}
	if (strcmp(op, "deny_action") == 0 || strcmp(op, "allow_action") == 0) {
		is_known = true;
		ok = change_action(sim, order, where, op[0] == 'd', out, ret_why);
	}
	json_close(out, ']');
	if (!is_known)
		*ret_why = "unknown op";
	return is_known && ok;
}
