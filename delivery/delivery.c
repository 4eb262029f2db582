/* What the flows share: ids, and the keys that wait in memory. */
#include "delivery/delivery.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aws/arn.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/delivery_internal.h"

enum { MEMORY_LOOK_MS = 60000 }; /* how late a key in memory may be wiped */

struct delivery *delivery_new(const struct delivery_options *options)
{
	struct delivery *delivery = xcalloc(1, sizeof(*delivery));
	delivery->loop = options->loop;
	delivery->store = options->store;
	delivery->vault = options->vault;
	delivery->resolve = options->resolve;
	delivery->sensor_name = xstrdup(options->sensor_name);
	delivery->times = options->times;
	return delivery;
}

void delivery_set_times(struct delivery *delivery, const struct delivery_times *times)
{
	delivery->times = *times;
}

void delivery_free(struct delivery *delivery)
{
	if (delivery == NULL)
		return;
	loop_timer_cancel(delivery->memory_timer);
	for (size_t i = 0; i < delivery->memory_count; i++)
		secret_clear(&delivery->memory[i].key);
	free(delivery->sensor_name);
	free(delivery);
}

const struct delivery_stats *delivery_get_stats(const struct delivery *delivery)
{
	return &delivery->stats;
}

int delivery_check_arn(const struct delivery_target *at, const char *text, struct err *err)
{
	struct arn arn;
	if (!arn_parse_certificate(text, &arn))
		return err_set(err, ERR_CONFIG, "not the ARN of an ACM certificate: %.400s", text);
	if (strcmp(arn.partition, at->partition) != 0)
		return err_set(err, ERR_CONFIG,
			"%.300s is of the partition %s; connector %s is in %s", text, arn.partition,
			at->connector, at->partition);
	if (strcmp(arn.account_id, at->account_id) != 0 || strcmp(arn.region, at->region) != 0)
		return err_set(err, ERR_CONFIG,
			"%.300s is in account %s and region %s, not in %s and %s", text,
			arn.account_id, arn.region, at->account_id, at->region);
	return 0;
}

/* Begins with the time, so that ids sort by it. */
void delivery_new_id(char prefix, int64_t now_s, char ret_id[DELIVERY_ID_MAX + 1])
{
	unsigned char random[4];
	struct tm tm;
	time_t now = (time_t)now_s;
	char at[20];
	if (RAND_bytes(random, sizeof(random)) != 1 || gmtime_r(&now, &tm) == NULL)
		abort();
	strftime(at, sizeof(at), "%Y%m%d-%H%M%S", &tm);
	snprintf(ret_id, DELIVERY_ID_MAX + 1, "%c-%s-%03d%02x%02x%02x%x", prefix, at,
		(int)(clock_now_ms() % 1000), random[0], random[1], random[2], random[3] & 0xfU);
}

/* --- keys in memory --------------------------------------------------------------------------- */

static void memory_key_remove(struct delivery *delivery, size_t i)
{
	secret_clear(&delivery->memory[i].key);
	struct memory_key *last = &delivery->memory[--delivery->memory_count];
	if (last != &delivery->memory[i]) {
		memcpy(delivery->memory[i].id, last->id, sizeof(last->id));
		secret_move(&delivery->memory[i].key, &last->key);
		delivery->memory[i].wipe_after_s = last->wipe_after_s;
	}
}

static void wipe_due(struct delivery *delivery)
{
	int64_t now_s = clock_now_s();
	for (size_t i = delivery->memory_count; i-- > 0;) {
		int64_t due_s = delivery->memory[i].wipe_after_s;
		if (due_s != 0 && due_s <= now_s)
			memory_key_remove(delivery, i);
	}
}

static void on_memory_timer(void *arg);

static void watch_memory(struct delivery *delivery)
{
	bool is_any = false;
	for (size_t i = 0; i < delivery->memory_count; i++)
		is_any |= delivery->memory[i].wipe_after_s != 0;
	if (is_any && delivery->memory_timer == NULL)
		delivery->memory_timer =
			loop_timer_start(delivery->loop, MEMORY_LOOK_MS, on_memory_timer, delivery);
}

static void on_memory_timer(void *arg)
{
	struct delivery *delivery = arg;
	delivery->memory_timer = NULL;
	wipe_due(delivery);
	watch_memory(delivery);
}

static struct memory_key *memory_key_find(struct delivery *delivery, const char *id)
{
	wipe_due(delivery);
	for (size_t i = 0; i < delivery->memory_count; i++) {
		if (strcmp(delivery->memory[i].id, id) == 0)
			return &delivery->memory[i];
	}
	return NULL;
}

int memory_key_put(struct delivery *delivery, const char *id, const struct secret *key,
	int64_t wipe_after_s, struct err *err)
{
	struct memory_key *entry = memory_key_find(delivery, id);
	if (entry == NULL && delivery->memory_count == DELIVERY_MEMORY_KEYS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d keys wait in memory",
			DELIVERY_MEMORY_KEYS_MAX);
	if (entry == NULL) {
		entry = &delivery->memory[delivery->memory_count++];
		*entry = (struct memory_key){.key = SECRET_INIT};
		text_copy(entry->id, sizeof(entry->id), id);
	}
	secret_copy(&entry->key, key);
	entry->wipe_after_s = wipe_after_s;
	watch_memory(delivery);
	return 0;
}

const struct secret *memory_key_get(struct delivery *delivery, const char *id)
{
	struct memory_key *entry = memory_key_find(delivery, id);
	return entry != NULL ? &entry->key : NULL;
}

void delivery_hold_key(struct delivery *delivery, const char *plan_id)
{
	struct memory_key *entry = memory_key_find(delivery, plan_id);
	if (entry != NULL)
		entry->wipe_after_s = 0;
}

void memory_key_drop(struct delivery *delivery, const char *id)
{
	struct memory_key *entry = memory_key_find(delivery, id);
	if (entry != NULL)
		memory_key_remove(delivery, (size_t)(entry - delivery->memory));
}

/* --- a target --------------------------------------------------------------------------------- */

void target_copy_make(const struct delivery_target *from, struct target_copy *ret_copy)
{
	*ret_copy = (struct target_copy){.target = *from};
	const char **field[] = {&ret_copy->target.hub_region, &ret_copy->target.kms_key_id,
		&ret_copy->target.connector, &ret_copy->target.partition,
		&ret_copy->target.account_id, &ret_copy->target.region};
	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
		ret_copy->text[i] = xstrdup(*field[i] != NULL ? *field[i] : "");
		*field[i] = ret_copy->text[i];
	}
}

void target_copy_clear(struct target_copy *copy)
{
	for (size_t i = 0; i < sizeof(copy->text) / sizeof(copy->text[0]); i++)
		free(copy->text[i]);
	*copy = (struct target_copy){.target = {.client = NULL}};
}

bool delivery_has_key(struct delivery *delivery, const struct plan_record *plan)
{
	return plan->escrow != ESCROW_MEMORY || memory_key_get(delivery, plan->id) != NULL;
}
