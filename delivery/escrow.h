/*
 * Where the key of a plan waits for its delivery: one interface over the sensor's vault, memory,
 * and AWS Secrets Manager in the hub's account. What happens in the hub is done again safely: the
 * request's token follows from the plan's id, and deleting what is gone is no error.
 */
#ifndef DELIVERY_ESCROW_H
#define DELIVERY_ESCROW_H

#include "delivery/delivery.h"

struct escrow_call;
struct secret;

enum { ESCROW_KEY_ID_MAX = 512 };

struct escrow_place {
	enum key_escrow kind;
	const char *key_id;  /* escrow_key_id, or a vault id */
	const char *plan_id; /* of the key in memory, and of the tag */
	const struct delivery_target *target;
};

/* Where a new plan's key goes: the plan's id, or "acmsensor/<sensor>/<plan id>". */
void escrow_key_id(const struct delivery *delivery, enum key_escrow kind, const char *plan_id,
	char ret_key_id[ESCROW_KEY_ID_MAX + 1]);

/* key: what get brings, to be moved out; NULL otherwise. err of get: ERR_NOT_FOUND: the key is
 * gone for good (text says why); else as of the store, the vault or aws_call_start. */
typedef void escrow_done_fn(void *arg, struct secret *key, const struct err *err);

/* place and key are borrowed for the call; the target's clients outlive it. wipe_after_s: of the
 * vault and of memory; 0: until it is deleted. */
struct escrow_call *escrow_put_start(struct delivery *delivery, const struct escrow_place *place,
	const struct secret *key, int64_t wipe_after_s, escrow_done_fn *done, void *arg);
struct escrow_call *escrow_get_start(struct delivery *delivery, const struct escrow_place *place,
	escrow_done_fn *done, void *arg);
struct escrow_call *escrow_delete_start(struct delivery *delivery, const struct escrow_place *place,
	escrow_done_fn *done, void *arg);
void escrow_call_cancel(struct escrow_call *call);

#endif
