/* The past of certificates that changed lately (see consistency.h). */
#include "tests/awssim/consistency.h"

#include <stdlib.h>
#include <string.h>

int64_t sim_mono_ms(void)
{
	return (int64_t)(sim_mono_s() * 1000);
}

/* When this kind of read no longer sees what was before the change. */
static int64_t end_of(const struct sim *sim, const struct cert_past *past, int operation)
{
	uint64_t draw = hash_mix(hash_mix(sim->consistency.seed, (uint64_t)past->changed_ms),
		(uint64_t)operation + 1);
	return past->changed_ms + past->delay_ms +
	       (int64_t)hash_below(draw, 1, (uint64_t)past->jitter_ms + 1);
}

static struct cert copy_of(const struct cert *cert)
{
	struct cert copy = *cert;
	copy.signature = NULL;
	copy.signature_len = 0;
	copy.more = cert_more_copy(cert->more);
	return copy;
}

static struct cert_past past_now(const struct sim *sim)
{
	return (struct cert_past){.changed_ms = sim_mono_ms(),
		.delay_ms = sim->consistency.delay_ms,
		.jitter_ms = sim->consistency.jitter_ms};
}

static void note(struct sim *sim, size_t account, size_t region, const struct cert_past *past)
{
	struct pair *pair = &sim->world->account[account].pair[region];
	int64_t end = past->changed_ms + past->delay_ms + past->jitter_ms;
	if (end > pair->unsettled_ms)
		pair->unsettled_ms = end;
}

static bool is_on(const struct sim *sim)
{
	return sim->consistency.delay_ms + sim->consistency.jitter_ms > 0;
}

static void push(struct cert_more *more, const struct cert_past *past)
{
	int64_t now_ms = past->changed_ms;
	size_t kept = 0;
	for (size_t i = 0; i < more->past_count; i++) {
		struct cert_past *one = &more->past[i];
		if (one->changed_ms + one->delay_ms + one->jitter_ms > now_ms)
			more->past[kept++] = *one;
		else
			cert_past_clear(one);
	}
	more->past = mem_resize(more->past, (kept + 1) * sizeof(*more->past));
	more->past[kept] = *past;
	more->past_count = kept + 1;
}

void consistency_keep(struct sim *sim, size_t account, size_t region, struct cert *cert)
{
	if (!is_on(sim))
		return;
	struct cert_past past = past_now(sim);
	past.state = copy_of(cert);
	push(cert_more(cert), &past);
	note(sim, account, region, &past);
}

void consistency_keep_absence(struct sim *sim, size_t account, size_t region, struct cert *cert)
{
	if (!is_on(sim))
		return;
	struct cert_past past = past_now(sim);
	past.is_absent = true;
	push(cert_more(cert), &past);
	note(sim, account, region, &past);
}

/* Forgets the removed ones that nobody sees any more. */
static void forget_removed(struct world *world, int64_t now_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < world->removed_count; i++) {
		struct cert_removed *one = &world->removed[i];
		if (one->past.changed_ms + one->past.delay_ms + one->past.jitter_ms > now_ms)
			world->removed[kept++] = *one;
		else
			cert_past_clear(&one->past);
	}
	world->removed_count = kept;
}

void consistency_remove(struct sim *sim, size_t account, size_t region, uint32_t index)
{
	struct world *world = sim->world;
	struct pair *pair = &world->account[account].pair[region];
	forget_removed(world, sim_mono_ms());
	if (is_on(sim)) {
		struct cert_removed gone = {account, region, past_now(sim)};
		gone.past.state = copy_of(&pair->cert[index]);
		note(sim, account, region, &gone.past);
		world->removed = mem_resize(
			world->removed, (world->removed_count + 1) * sizeof(*world->removed));
		world->removed[world->removed_count++] = gone;
	}
	cert_remove(pair, index);
}

const struct cert *consistency_view(const struct sim *sim, const struct cert *cert, int operation)
{
	const struct cert_more *more = cert->more;
	int64_t now_ms = sim_mono_ms();
	for (size_t i = 0; more != NULL && i < more->past_count; i++)
		if (end_of(sim, &more->past[i], operation) > now_ms)
			return more->past[i].is_absent ? NULL : &more->past[i].state;
	return cert;
}

const struct cert *consistency_find_removed(
	const struct sim *sim, size_t account, size_t region, struct slice uuid, int operation)
{
	const struct world *world = sim->world;
	int64_t now_ms = sim_mono_ms();
	for (size_t i = 0; i < world->removed_count; i++) {
		const struct cert_removed *one = &world->removed[i];
		char own[UUID_LEN + 1];
		if (one->account != account || one->region != region ||
			end_of(sim, &one->past, operation) <= now_ms)
			continue;
		cert_uuid(world, account, region, &one->past.state, own);
		if (slice_is(uuid, own))
			return &one->past.state;
	}
	return NULL;
}

static int by_uid(const void *a, const void *b)
{
	const struct cert *left = *(const struct cert *const *)a;
	const struct cert *right = *(const struct cert *const *)b;
	return left->uid < right->uid ? -1 : left->uid > right->uid;
}

const struct cert **consistency_list(
	const struct sim *sim, size_t account, size_t region, int operation, uint32_t *ret_count)
{
	const struct world *world = sim->world;
	const struct pair *pair = &world->account[account].pair[region];
	int64_t now_ms = sim_mono_ms();
	if (pair->unsettled_ms <= now_ms)
		return NULL;
	const struct cert **list =
		mem_alloc((pair->count + world->removed_count + 1) * sizeof(*list));
	uint32_t count = 0;
	for (uint32_t i = 0; i < pair->count; i++)
		if ((list[count] = consistency_view(sim, &pair->cert[i], operation)) != NULL)
			count++;
	for (size_t i = 0; i < world->removed_count; i++) {
		const struct cert_removed *one = &world->removed[i];
		if (one->account == account && one->region == region &&
			end_of(sim, &one->past, operation) > now_ms)
			list[count++] = &one->past.state;
	}
	qsort(list, count, sizeof(*list), by_uid);
	*ret_count = count;
	return list;
}
