/*
 * Requests for certificates that were made: shown again, and dropped. What is shown of one lies in
 * the vault beside its key, for as long, so that no key is without its request.
 */
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/text.h"
#include "sensor/desk_internal.h"
#include "store/events.h"

#define SUFFIX "-request"

void desk_request_vault_id(const char *id, char ret_id[DESK_REQUEST_ID_MAX])
{
	(void)snprintf(ret_id, DESK_REQUEST_ID_MAX, "%.*s" SUFFIX, DELIVERY_ID_MAX, id);
}

/* The way back; false: it is none, as in a store that was changed by others. */
static bool take_id(const char *vault_id, char ret_id[DELIVERY_ID_MAX + 1])
{
	size_t len = strlen(vault_id), suffix = strlen(SUFFIX);
	if (!text_has_suffix(vault_id, SUFFIX) || len - suffix > DELIVERY_ID_MAX)
		return false;
	memcpy(ret_id, vault_id, len - suffix);
	ret_id[len - suffix] = '\0';
	return true;
}

/* --- shown ------------------------------------------------------------------------------------ */

bool desk_render_request(
	struct desk *desk, struct store_txn *txn, const char *id, struct json_writer *writer)
{
	struct secret document = SECRET_INIT;
	struct err err = ERR_INIT;
	char vault_id[DESK_REQUEST_ID_MAX];
	desk_request_vault_id(id, vault_id);
	if (!store_vault_has(txn, vault_id))
		return false;
	json_open_object(writer);
	if (vault_unseal(desk->vault, txn, vault_id, &document, &err) == 0) {
		json_raw_members(writer, secret_bytes(&document));
		json_member_text(
			writer, "state", store_vault_is_needed(txn, id, id) ? "applied" : "open");
	} else {
		json_member_text(writer, "id", id);
		json_member_text(writer, "error", err.text);
	}
	json_close_object(writer);
	secret_clear(&document);
	return true;
}

bool desk_render_next_request(
	struct desk *desk, struct store_txn *txn, char *position, struct json_writer *writer)
{
	char vault_id[VAULT_ID_MAX + 1] = "";
	if (position[0] != '\0')
		desk_request_vault_id(position, vault_id);
	while (store_vault_next(txn, VAULT_REQUEST, vault_id))
		if (take_id(vault_id, position))
			return desk_render_request(desk, txn, position, writer);
	return false;
}

/* --- dropped ---------------------------------------------------------------------------------- */

static bool waits_for_key(const struct plan_record *plan, const char *key_id, int64_t now_s)
{
	return strcmp(plan->key_id, key_id) == 0 && plan->decision != PLAN_REFUSE &&
	       plan->job_id[0] == '\0' && plan->expires_s > now_s;
}

static bool find_plan(
	struct store_txn *txn, const char *key_id, int64_t now_s, struct plan_record *ret_plan)
{
	char position[DELIVERY_ID_MAX + 1] = "";
	while (store_plan_next(txn, position, ret_plan))
		if (waits_for_key(ret_plan, key_id, now_s))
			return true;
	return false;
}

/* The key of a plan lies in the same vault, under the plan's id, and has nothing beside it. */
static int check_drop(struct store_txn *txn, const char *id, int64_t now_s, struct err *err)
{
	struct plan_record plan;
	char vault_id[DESK_REQUEST_ID_MAX], until[TEXT_TIME_MAX];
	desk_request_vault_id(id, vault_id);
	if (!store_vault_has(txn, vault_id))
		return err_set(err, ERR_NOT_FOUND, "there is no request %s", id);
	if (store_vault_is_needed(txn, id, id))
		return err_set(err, ERR_REFUSED,
			"the key of request %s is being delivered, or was delivered: it is kept "
			"for the way back, and wiped when its time is over",
			id);
	if (find_plan(txn, id, now_s, &plan))
		return err_set(err, ERR_REFUSED,
			"plan %s waits for the key of request %s: it expires at %s", plan.id, id,
			text_format_time(plan.expires_s, until));
	return 0;
}

void desk_request_drop(struct store_txn *txn, void *arg)
{
	const struct desk_op *op = arg;
	const char *id = op->plan.csr_id;
	struct err err = ERR_INIT;
	char vault_id[DESK_REQUEST_ID_MAX], detail[128];
	if (check_drop(txn, id, op->order.now_s, &err) != 0) {
		store_txn_fail(txn, &err);
		return;
	}
	desk_request_vault_id(id, vault_id);
	store_vault_delete(txn, id);
	store_vault_delete(txn, vault_id);
	(void)snprintf(detail, sizeof(detail), "request %s dropped, its key wiped", id);
	store_event_append(txn, &(struct event_record){.at_s = op->order.now_s,
					.kind = EVENT_OPERATOR,
					.connector = "",
					.account_id = "",
					.region = "",
					.arn = "",
					.subject = op->by,
					.detail = detail});
}
