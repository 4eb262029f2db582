/* Delivery plans by id. */
#include "store/plans.h"

#include <string.h>

#include "base/err.h"
#include "store/delivery_internal.h"
#include "store/key_internal.h"

#define PLAN(member) RECORD_FIELD(plan_record, member)

static const struct record_field plan_fields[] = {
	PLAN(decision),
	PLAN(escrow),
	PLAN(created_s),
	PLAN(expires_s),
	PLAN(may_roll_back),
	PLAN(auto_rollback),
	PLAN(old_fingerprint_sha256),
	PLAN(leaf_sha256),
	RECORD_HASH_LIST(plan_record, chain_sha256, chain_count),
	PLAN(id),
	PLAN(connector),
	PLAN(account_id),
	PLAN(region),
	PLAN(arn),
	PLAN(certificate_id),
	PLAN(old_serial),
	PLAN(key_id),
	PLAN(rollback_reason),
	PLAN(job_id),
	PLAN(requested_by),
	PLAN(tags),
	PLAN(verify_hosts),
	RECORD_LONG(plan_record, document),
};
const struct record_format plan_format = RECORD_FORMAT("plan", 1, plan_fields);

const char *plan_decision_name(enum plan_decision decision)
{
	switch (decision) {
	case PLAN_REIMPORT:
		return "reimport";
	case PLAN_IMPORT_NEW:
		return "import";
	case PLAN_REFUSE:
		return "refuse";
	}
	return "unknown";
}

const char *key_escrow_name(enum key_escrow escrow)
{
	switch (escrow) {
	case ESCROW_SENSOR:
		return "sensor";
	case ESCROW_MEMORY:
		return "memory";
	case ESCROW_SECRETS_MANAGER:
		return "secretsmanager";
	}
	return "unknown";
}

bool delivery_has_hash(const unsigned char *sha256)
{
	static const unsigned char none[CERT_SHA256_LEN];
	return memcmp(sha256, none, sizeof(none)) != 0;
}

bool delivery_id_is(struct slice key, const char *id, size_t max)
{
	return key.len <= max && strlen(id) == key.len && memcmp(id, key.bytes, key.len) == 0;
}

const char *plan_flaw(struct slice key, const struct plan_record *plan)
{
	if (!delivery_id_is(key, plan->id, DELIVERY_ID_MAX))
		return "holds another plan";
	if (plan->decision < PLAN_REIMPORT || plan->decision > PLAN_REFUSE)
		return "unknown decision";
	/* A plan that refuses has no key that waits. */
	bool has_escrow = plan->escrow >= ESCROW_SENSOR && plan->escrow <= ESCROW_SECRETS_MANAGER;
	if (!has_escrow && !(plan->escrow == 0 && plan->decision == PLAN_REFUSE))
		return "unknown escrow";
	if (strlen(plan->document) > PLAN_DOCUMENT_MAX)
		return "its document is too large";
	return plan->tags.count % 2 != 0 ? "a tag has no value" : NULL;
}

static struct slice slice_of(const struct key *key)
{
	return (struct slice){.bytes = key->bytes, .len = key->len};
}

static bool is_sound(struct store_txn *txn, struct slice key, const struct plan_record *plan)
{
	const char *flaw = plan_flaw(key, plan);
	if (flaw != NULL)
		txn_fail_damaged(txn, TABLE_PLANS, key, flaw);
	return flaw == NULL;
}

void store_plan_put(struct store_txn *txn, const struct plan_record *plan)
{
	struct buf bytes;
	struct plan_record copy;
	buf_init(&bytes, STORE_RECORD_MAX);
	if (entry_copy(txn, &plan_format, plan, &bytes, &copy)) {
		struct key key = key_id(copy.id, DELIVERY_ID_MAX);
		const char *flaw = plan_flaw(slice_of(&key), &copy);
		if (flaw == NULL || key.is_unfit)
			txn_put(txn, TABLE_PLANS, &key, bytes.data, bytes.len);
		else
			store_txn_fail_as(txn, ERR_LIMIT, "plan %s: %s", copy.id, flaw);
	}
	buf_clear(&bytes);
}

bool store_plan_get(struct store_txn *txn, const char *id, struct plan_record *ret_plan)
{
	struct key key = key_id(id, DELIVERY_ID_MAX);
	struct plan_record plan;
	if (!entry_get(txn, TABLE_PLANS, &key, &plan_format, &plan) ||
		!is_sound(txn, slice_of(&key), &plan))
		return false;
	*ret_plan = plan;
	return true;
}

void store_plan_delete(struct store_txn *txn, const char *id)
{
	struct key key = key_id(id, DELIVERY_ID_MAX);
	txn_delete(txn, TABLE_PLANS, &key);
}

bool store_plan_next(struct store_txn *txn, char *position, struct plan_record *ret_plan)
{
	struct key all = key_empty();
	struct plan_record plan;
	if (!entry_next(txn, TABLE_PLANS, &all, position, DELIVERY_ID_MAX + 1, &plan_format, &plan))
		return false;
	struct key key = key_position(position);
	if (!is_sound(txn, slice_of(&key), &plan))
		return false;
	*ret_plan = plan;
	return true;
}
