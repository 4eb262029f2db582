/* The counters of stats.h. */
#include "tests/awssim/stats.h"

#include <stdlib.h>
#include <string.h>

#include "tests/awssim/service.h"

enum { OPERATIONS_MAX = 32, CODES_MAX = 64, FIRST_SLOTS = 1024 };

struct pair_count {
	uint64_t key; /* 0: free; operation, account + 1, region + 1 */
	uint32_t requests, throttles, errors;
};

struct stats {
	struct {
		uint64_t requests, ok, errors, throttles, faults;
	} operation[OPERATIONS_MAX + 1]; /* the last: unknown operations */
	struct {
		char code[48];
		uint64_t count;
	} error[CODES_MAX];
	uint64_t signature_failures;
	struct pair_count *slot; /* owned */
	size_t slots, used;
};

struct stats *stats_new(void)
{
	struct stats *stats = mem_alloc(sizeof(*stats));
	stats->slots = FIRST_SLOTS;
	stats->slot = mem_alloc(stats->slots * sizeof(*stats->slot));
	return stats;
}

void stats_free(struct stats *stats)
{
	if (stats == NULL)
		return;
	free(stats->slot);
	free(stats);
}

void stats_reset(struct stats *stats)
{
	struct pair_count *slot = stats->slot;
	size_t slots = stats->slots;
	memset(slot, 0, slots * sizeof(*slot));
	*stats = (struct stats){.slot = slot, .slots = slots};
}

static struct pair_count *place_of(const struct stats *stats, uint64_t key)
{
	size_t at = hash_mix(key, 9) & (stats->slots - 1);
	while (stats->slot[at].key != 0 && stats->slot[at].key != key)
		at = (at + 1) & (stats->slots - 1);
	return &stats->slot[at];
}

static struct pair_count *pair_of(struct stats *stats, uint64_t key)
{
	if (stats->used * 2 >= stats->slots) {
		struct pair_count *old = stats->slot;
		size_t old_slots = stats->slots;
		stats->slots *= 2;
		stats->slot = mem_alloc(stats->slots * sizeof(*stats->slot));
		for (size_t i = 0; i < old_slots; i++)
			if (old[i].key != 0)
				*place_of(stats, old[i].key) = old[i];
		free(old);
	}
	struct pair_count *pair = place_of(stats, key);
	stats->used += pair->key == 0;
	pair->key = key;
	return pair;
}

static void count_error(struct stats *stats, const char *code)
{
	for (size_t i = 0; i < CODES_MAX; i++) {
		if (stats->error[i].count == 0) {
			slice_copy(
				slice_of(code), stats->error[i].code, sizeof(stats->error[i].code));
			stats->error[i].count = 1;
			return;
		}
		if (strcmp(stats->error[i].code, code) == 0) {
			stats->error[i].count++;
			return;
		}
	}
}

void stats_count(struct stats *stats, int operation, int account, int region,
	enum stats_outcome outcome, const char *error_code)
{
	size_t index = operation < 0 ? OPERATIONS_MAX : (size_t)operation;
	stats->operation[index].requests++;
	stats->operation[index].ok += outcome == STATS_OK;
	stats->operation[index].errors += outcome == STATS_ERROR;
	stats->operation[index].throttles += outcome == STATS_THROTTLED;
	stats->operation[index].faults += outcome == STATS_FAULT;
	if (error_code != NULL)
		count_error(stats, error_code);
	uint64_t key =
		(uint64_t)(index + 1) << 40 | (uint64_t)(account + 1) << 8 | (uint64_t)(region + 1);
	struct pair_count *pair = pair_of(stats, key);
	pair->requests++;
	pair->throttles += outcome == STATS_THROTTLED;
	pair->errors += outcome == STATS_ERROR;
}

void stats_count_signature_failure(struct stats *stats)
{
	stats->signature_failures++;
}

static const char *name_of(size_t index)
{
	return index < operation_count ? operations[index].name : "unknown";
}

static const char *service_of(size_t index)
{
	return index < operation_count ? service_name[operations[index].service] : "unknown";
}

static void write_pairs(const struct stats *stats, const struct world *world, struct out *out)
{
	json_key(out, "pairs");
	json_open(out, '[');
	for (size_t i = 0; i < stats->slots; i++) {
		const struct pair_count *pair = &stats->slot[i];
		if (pair->key == 0)
			continue;
		size_t index = (size_t)(pair->key >> 40) - 1;
		int account = (int)(pair->key >> 8 & 0xffffffff) - 1,
		    region = (int)(pair->key & 0xff) - 1;
		json_open(out, '{');
		json_member(out, "service", service_of(index));
		json_member(out, "operation", name_of(index));
		json_member(out, "account_id", account >= 0 ? world->account[account].id : NULL);
		json_member(out, "region", region >= 0 ? world->region[region].name : NULL);
		json_member_int(out, "requests", pair->requests);
		json_member_int(out, "throttles", pair->throttles);
		json_member_int(out, "errors", pair->errors);
		json_close(out, '}');
	}
	json_close(out, ']');
}

void stats_write(
	const struct stats *stats, const struct world *world, bool with_pairs, struct out *out)
{
	uint64_t requests = 0, throttles = 0, faults = 0;
	json_key(out, "operations");
	json_open(out, '{');
	for (size_t i = 0; i <= OPERATIONS_MAX; i++) {
		if (stats->operation[i].requests == 0)
			continue;
		requests += stats->operation[i].requests;
		throttles += stats->operation[i].throttles;
		faults += stats->operation[i].faults;
		char key[80];
		struct out text = {0};
		out_fmt(&text, "%s:%s", service_of(i), name_of(i));
		slice_copy(slice_of(text.data), key, sizeof(key));
		out_clear(&text);
		json_key(out, key);
		json_open(out, '{');
		json_member_int(out, "requests", (int64_t)stats->operation[i].requests);
		json_member_int(out, "ok", (int64_t)stats->operation[i].ok);
		json_member_int(out, "errors", (int64_t)stats->operation[i].errors);
		json_member_int(out, "throttles", (int64_t)stats->operation[i].throttles);
		json_member_int(out, "faults", (int64_t)stats->operation[i].faults);
		json_close(out, '}');
	}
	json_close(out, '}');
	json_member_int(out, "requests", (int64_t)requests);
	json_member_int(out, "throttles", (int64_t)throttles);
	json_member_int(out, "faults", (int64_t)faults);
	json_member_int(out, "signature_failures", (int64_t)stats->signature_failures);
	json_key(out, "errors");
	json_open(out, '{');
	for (size_t i = 0; i < CODES_MAX && stats->error[i].count > 0; i++)
		json_member_int(out, stats->error[i].code, (int64_t)stats->error[i].count);
	json_close(out, '}');
	if (with_pairs)
		write_pairs(stats, world, out);
}
