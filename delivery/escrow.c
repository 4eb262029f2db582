/*
 * Keys in escrow. One operation waits for one thing:
 *
 *   vault            put, delete: the store's commit (WAIT_COMMIT); get: the loop (WAIT_TURN)
 *   memory           the loop (WAIT_TURN)
 *   Secrets Manager  AWS's answer (WAIT_REPLY)
 */
#include "delivery/escrow.h"

#include <ctype.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/secretsmanager_write.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/text.h"
#include "delivery/delivery_internal.h"
#include "store/vault.h"

enum operation { ESCROW_PUT, ESCROW_GET, ESCROW_DELETE };

struct escrow_call {
	enum operation operation;
	enum key_escrow kind;
	struct delivery *delivery; /* borrowed */
	char key_id[ESCROW_KEY_ID_MAX + 1];
	struct secret key;	    /* what was got */
	struct err err;		    /* of what was done at once; ERR_NONE: it succeeded */
	struct vault_sealed sealed; /* owned; what is put */
	struct loop_timer *timer;   /* owned; these three: what is waited for, the others NULL */
	struct store_write *write;
	struct aws_call *call;
	escrow_done_fn *done;
	void *arg;
};

void escrow_key_id(const struct delivery *delivery, enum key_escrow kind, const char *plan_id,
	char ret_key_id[ESCROW_KEY_ID_MAX + 1])
{
	if (kind != ESCROW_SECRETS_MANAGER) {
		text_copy(ret_key_id, ESCROW_KEY_ID_MAX + 1, plan_id);
		return;
	}
	snprintf(ret_key_id, ESCROW_KEY_ID_MAX + 1, "acmsensor/%.200s/%s", delivery->sensor_name,
		plan_id);
	for (char *c = ret_key_id; *c != '\0'; c++) {
		if (!isalnum((unsigned char)*c) && strchr("/_+=.@-", *c) == NULL)
			*c = '-';
	}
}

/* A UUID that follows from the name, so that each try is the same request to AWS. */
static void make_token(const char *name, char ret_token[37])
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char hex[33];
	SHA256((const unsigned char *)name, strlen(name), hash);
	hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x80);
	hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
	text_hex(hash, 16, hex);
	snprintf(ret_token, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		hex + 20);
}

static void destroy(struct escrow_call *call)
{
	loop_timer_cancel(call->timer);
	store_write_cancel(call->write);
	aws_call_cancel(call->call);
	vault_sealed_clear(&call->sealed);
	secret_clear(&call->key);
	free(call);
}

static void finish(struct escrow_call *call, const struct err *err)
{
	bool has_key = err == NULL && call->operation == ESCROW_GET;
	call->done(call->arg, has_key ? &call->key : NULL, err);
	destroy(call);
}

static void on_turn(void *arg)
{
	struct escrow_call *call = arg;
	call->timer = NULL;
	finish(call, call->err.kind != ERR_NONE ? &call->err : NULL);
}

static void on_commit(void *arg, const struct err *err)
{
	struct escrow_call *call = arg;
	call->write = NULL;
	finish(call, err);
}

static void on_reply(void *arg, const struct aws_reply *reply, const struct err *call_err)
{
	struct escrow_call *call = arg;
	struct err err = call_err != NULL ? *call_err : (struct err)ERR_INIT;
	call->call = NULL;
	int rc = call_err != NULL ? -1 : 0;
	if (rc == 0 && call->operation == ESCROW_GET)
		rc = secretsmanager_get_take(reply, &call->key, &err);
	if (rc != 0 && call->operation == ESCROW_DELETE && err.kind == ERR_NOT_FOUND)
		rc = 0;
	finish(call, rc != 0 ? &err : NULL);
}

static void write_put(struct store_txn *txn, void *arg)
{
	const struct escrow_call *call = arg;
	store_vault_put(txn, &call->sealed);
}

static void write_delete(struct store_txn *txn, void *arg)
{
	const struct escrow_call *call = arg;
	store_vault_delete(txn, call->key_id);
}

static struct escrow_call *make(struct delivery *delivery, const struct escrow_place *place,
	enum operation operation, escrow_done_fn *done, void *arg)
{
	struct escrow_call *call = xcalloc(1, sizeof(*call));
	call->operation = operation;
	call->kind = place->kind;
	call->delivery = delivery;
	text_copy(call->key_id, sizeof(call->key_id), place->key_id);
	call->done = done;
	call->arg = arg;
	return call;
}

static void end_in_next_turn(struct escrow_call *call)
{
	call->timer = loop_timer_start(call->delivery->loop, 0, on_turn, call);
}

static void create_secret(
	struct escrow_call *call, const struct escrow_place *place, const struct secret *key)
{
	char token[37], description[128];
	struct acm_tag tag[] = {{.key = (char *)TAG_MANAGED_BY, .value = (char *)MANAGED_BY},
		{.key = (char *)TAG_SENSOR, .value = call->delivery->sensor_name},
		{.key = (char *)TAG_PLAN, .value = (char *)place->plan_id}};
	make_token(call->key_id, token);
	snprintf(description, sizeof(description),
		"Private key of acmsensor's plan %s; deleted after its delivery", place->plan_id);
	const struct secretsmanager_create create = {.name = call->key_id,
		.token = token,
		.value = key,
		.kms_key_id = place->target->kms_key_id,
		.description = description,
		.tag = tag,
		.tag_count = sizeof(tag) / sizeof(tag[0])};
	call->call = secretsmanager_create_start(
		place->target->hub, place->target->hub_region, &create, on_reply, call);
}

struct escrow_call *escrow_put_start(struct delivery *delivery, const struct escrow_place *place,
	const struct secret *key, int64_t wipe_after_s, escrow_done_fn *done, void *arg)
{
	struct escrow_call *call = make(delivery, place, ESCROW_PUT, done, arg);
	switch (place->kind) {
	case ESCROW_SENSOR:
		if (vault_seal(delivery->vault, call->key_id, VAULT_KEY, key, clock_now_s(),
			    wipe_after_s, &call->sealed, &call->err) != 0)
			end_in_next_turn(call);
		else
			call->write = store_write_start(
				delivery->store, write_put, call, on_commit, call);
		break;
	case ESCROW_MEMORY:
		(void)memory_key_put(delivery, place->plan_id, key, wipe_after_s,
			&call->err); /* told in the next turn */
		end_in_next_turn(call);
		break;
	case ESCROW_SECRETS_MANAGER:
		create_secret(call, place, key);
		break;
	}
	return call;
}

static void get_from_vault(struct escrow_call *call)
{
	struct delivery *delivery = call->delivery;
	struct store_txn *txn;
	if (store_read_begin(delivery->store, &txn, &call->err) != 0)
		return;
	if (vault_unseal(delivery->vault, txn, call->key_id, &call->key, &call->err) != 0)
		err_wrap(&call->err, "the private key");
	store_read_end(txn);
}

static void get_from_memory(struct escrow_call *call, const char *plan_id)
{
	const struct secret *key = memory_key_get(call->delivery, plan_id);
	if (key != NULL)
		secret_copy(&call->key, key);
	else
		err_set(&call->err, ERR_NOT_FOUND,
			"the private key was kept in memory only (key_escrow = memory) and is "
			"lost: the sensor was started again, or the plan expired");
}

struct escrow_call *escrow_get_start(struct delivery *delivery, const struct escrow_place *place,
	escrow_done_fn *done, void *arg)
{
	struct escrow_call *call = make(delivery, place, ESCROW_GET, done, arg);
	switch (place->kind) {
	case ESCROW_SENSOR:
		get_from_vault(call);
		end_in_next_turn(call);
		break;
	case ESCROW_MEMORY:
		get_from_memory(call, place->plan_id);
		end_in_next_turn(call);
		break;
	case ESCROW_SECRETS_MANAGER:
		call->call = secretsmanager_get_start(place->target->hub, place->target->hub_region,
			call->key_id, on_reply, call);
		break;
	}
	return call;
}

struct escrow_call *escrow_delete_start(struct delivery *delivery, const struct escrow_place *place,
	escrow_done_fn *done, void *arg)
{
	struct escrow_call *call = make(delivery, place, ESCROW_DELETE, done, arg);
	switch (place->kind) {
	case ESCROW_SENSOR:
		call->write =
			store_write_start(delivery->store, write_delete, call, on_commit, call);
		break;
	case ESCROW_MEMORY:
		memory_key_drop(delivery, place->plan_id);
		end_in_next_turn(call);
		break;
	case ESCROW_SECRETS_MANAGER:
		call->call = secretsmanager_delete_start(place->target->hub,
			place->target->hub_region, call->key_id, on_reply, call);
		break;
	}
	return call;
}

void escrow_call_cancel(struct escrow_call *call)
{
	if (call != NULL)
		destroy(call);
}
