/* Hashes of ARNs in open addressing: one array of numbers, at most three quarters full. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/cert_query_internal.h"

enum { FIRST_SIZE = 64 }; /* slots; a power of two, as every size */

static uint64_t hash_arn(const struct arn_set *set, const char *arn)
{
	uint64_t hash = siphash(set->key, arn, strlen(arn));
	return hash != 0 ? hash : 1; /* 0 marks a free slot */
}

/* Where hash is, or the free slot where it belongs. */
static uint64_t *find(const struct arn_set *set, uint64_t hash)
{
	size_t i = (size_t)hash & (set->size - 1);
	while (set->slot[i] != 0 && set->slot[i] != hash)
		i = (i + 1) & (set->size - 1);
	return &set->slot[i];
}

static void grow(struct arn_set *set)
{
	struct arn_set larger = *set;
	larger.size = set->size > 0 ? 2 * set->size : FIRST_SIZE;
	larger.slot = xcalloc(larger.size, sizeof(*larger.slot));
	for (size_t i = 0; i < set->size; i++)
		if (set->slot[i] != 0)
			*find(&larger, set->slot[i]) = set->slot[i];
	free(set->slot);
	*set = larger;
}

static void make_key(struct arn_set *set)
{
	for (size_t at = 0; at < sizeof(set->key); at += sizeof(uint32_t)) {
		uint32_t word = clock_random(UINT32_MAX);
		memcpy(set->key + at, &word, sizeof(word));
	}
}

bool arn_set_add(struct arn_set *set, const char *arn)
{
	if (set->size == 0)
		make_key(set);
	if (4 * (set->count + 1) > 3 * set->size)
		grow(set);
	uint64_t hash = hash_arn(set, arn);
	uint64_t *slot = find(set, hash);
	if (*slot == hash)
		return false;
	*slot = hash;
	set->count++;
	return true;
}

bool arn_set_has(const struct arn_set *set, const char *arn)
{
	if (set->size == 0)
		return false;
	uint64_t hash = hash_arn(set, arn);
	return *find(set, hash) == hash;
}

void arn_set_clear(struct arn_set *set)
{
	free(set->slot);
	*set = (struct arn_set){.slot = NULL};
}
