/* Gives accounts their odd kinds: inactive, without the role, denied, with disabled regions. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/awssim/options.h"
#include "tests/awssim/world.h"

enum {
	SALT_ORDER = 201,
	SALT_REGION,
	MIXED_SHARE = 40, /* with --mixed, one account in so many gets each kind, one at least */
};

/* One entry per kind: how many, and what it does to an account. */
struct odd_kind {
	const char *flag;
	int64_t count; /* -1: not given */
	void (*make)(struct world *world, struct account *account, uint64_t draw);
};

static void make_suspended(struct world *world, struct account *account, uint64_t draw)
{
	(void)world;
	(void)draw;
	account->state = SUSPENDED;
}

static void make_closed(struct world *world, struct account *account, uint64_t draw)
{
	(void)world;
	(void)draw;
	account->state = CLOSED;
}

static void make_pending_closure(struct world *world, struct account *account, uint64_t draw)
{
	(void)world;
	(void)draw;
	account->state = PENDING_CLOSURE;
}

static void make_pending_activation(struct world *world, struct account *account, uint64_t draw)
{
	(void)world;
	(void)draw;
	account->state = PENDING_ACTIVATION;
}

static void make_no_role(struct world *world, struct account *account, uint64_t draw)
{
	(void)world;
	(void)draw;
	account->role_missing = true;
}

static void make_trust_refuses(struct world *world, struct account *account, uint64_t draw)
{
	(void)world;
	(void)draw;
	account->trust_refuses = true;
}

/* Any region but the first, which is the home region of most set-ups. */
static uint64_t draw_region(const struct world *world, uint64_t draw)
{
	if (world->region_count < 2)
		return 1;
	return (uint64_t)1 << (1 + hash_below(draw, SALT_REGION, world->region_count - 1));
}

static void make_scp_region(struct world *world, struct account *account, uint64_t draw)
{
	account->scp_regions = draw_region(world, draw);
}

static void make_scp_account(struct world *world, struct account *account, uint64_t draw)
{
	(void)world;
	(void)draw;
	account->scp_all = true;
}

static void make_scp_acm(struct world *world, struct account *account, uint64_t draw)
{
	(void)world;
	(void)draw;
	account->scp_acm = true;
}

static void make_acm_denied(struct world *world, struct account *account, uint64_t draw)
{
	(void)world;
	(void)draw;
	account->acm_denied = true;
}

static void make_disabled_optin(struct world *world, struct account *account, uint64_t draw)
{
	(void)draw;
	for (size_t i = 0; i < world->region_count; i++)
		if (world->region[i].opt_in)
			account->disabled_regions |= (uint64_t)1 << i;
}

static void make_lying_regions(struct world *world, struct account *account, uint64_t draw)
{
	account->lying_regions = draw_region(world, draw);
}

static void make_list_regions_denied(struct world *world, struct account *account, uint64_t draw)
{
	(void)world;
	(void)draw;
	account->list_regions_denied = true;
}

static void make_regions_denied(struct world *world, struct account *account, uint64_t draw)
{
	(void)world;
	(void)draw;
	account->list_regions_denied = account->describe_regions_denied = true;
}

/* A deterministic order of the accounts, management and hub left out. */
static size_t *shuffled(const struct world *world, size_t *ret_count)
{
	size_t *order = mem_alloc(world->account_count * sizeof(*order)), count = 0;
	for (size_t i = 0; i < world->account_count; i++)
		if (i != world->management && i != world->hub)
			order[count++] = i;
	for (size_t i = count; i > 1; i--) {
		size_t j = hash_below(hash_mix(world->seed, SALT_ORDER), i, i);
		size_t held = order[i - 1];
		order[i - 1] = order[j];
		order[j] = held;
	}
	*ret_count = count;
	return order;
}

bool world_make_odd(struct world *world)
{
	const struct options *o = world->options;
	const struct odd_kind kinds[] = {
		{"suspended", o->suspended, make_suspended},
		{"no-role", o->no_role, make_no_role},
		{"scp-region", o->scp_region, make_scp_region},
		{"disabled-optin", o->disabled_optin, make_disabled_optin},
		{"trust-refuses", o->trust_refuses, make_trust_refuses},
		{"scp-account", o->scp_account, make_scp_account},
		{"scp-acm", o->scp_acm, make_scp_acm},
		{"acm-denied", o->acm_denied, make_acm_denied},
		{"list-regions-denied", o->list_regions_denied, make_list_regions_denied},
		{"regions-denied", o->regions_denied, make_regions_denied},
		{"lying-regions", o->lying_regions, make_lying_regions},
		{"closed", o->closed, make_closed},
		{"pending-closure", o->pending_closure, make_pending_closure},
		{"pending-activation", o->pending_activation, make_pending_activation},
	};
	size_t available, used = 0;
	size_t *order = shuffled(world, &available);
	bool ok = true;
	for (size_t i = 0; ok && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int64_t count = kinds[i].count;
		bool is_given = count >= 0;
		if (!is_given)
			count = !o->mixed ? 0
					  : (o->accounts < MIXED_SHARE ? 1
								       : o->accounts / MIXED_SHARE);
		/* What --mixed adds stops at half of the accounts; what was asked for is made. */
		for (int64_t n = 0; n < count && ok; n++) {
			if (!is_given && used >= (available + 1) / 2)
				break;
			if (used == available) {
				fprintf(stderr, "awssim: --%s %lld: not enough accounts\n",
					kinds[i].flag, (long long)kinds[i].count);
				ok = false;
				break;
			}
			size_t index = order[used++];
			kinds[i].make(world, &world->account[index], hash_mix(world->seed, index));
		}
	}
	free(order);
	return ok;
}
