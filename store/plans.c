/* Plans by id. */
#include "store/plans.h"

#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"

#define PLAN(member) RECORD_FIELD(plan_record, member)

static const struct record_field plan_fields[] = {
	PLAN(created_s),
	PLAN(expires_s),
	PLAN(decision),
	PLAN(escrow),
	PLAN(may_roll_back),
	PLAN(auto_rollback),
	PLAN(id),
	PLAN(connector),
	PLAN(account_id),
	PLAN(region),
	PLAN(arn),
	PLAN(certificate_id),
	PLAN(old_serial),
	PLAN(old_fingerprint_sha256),
	PLAN(leaf_sha256),
	RECORD_HASH_LIST(plan_record, chain_sha256, chain_count),
	PLAN(key_id),
	PLAN(tags),
	PLAN(verify_hosts),
	PLAN(rollback_reason),
	PLAN(job_id),
	PLAN(requested_by),
	PLAN(document),
};
const struct record_format plan_format = RECORD_FORMAT("plan", 1, plan_fields);

const char *plan_decision_name(enum plan_decision decision)
{
	static const char *const name[] = {[PLAN_REIMPORT] = "reimport",
		[PLAN_IMPORT_NEW] = "import",
		[PLAN_REFUSE] = "refuse"};
	bool is_known = decision >= PLAN_REIMPORT && decision <= PLAN_REFUSE;
	return is_known ? name[decision] : "unknown";
}

const char *key_escrow_name(enum key_escrow escrow)
{
	static const char *const name[] = {[ESCROW_SENSOR] = "sensor",
		[ESCROW_MEMORY] = "memory",
		[ESCROW_SECRETS_MANAGER] = "secretsmanager"};
	bool is_known = escrow >= ESCROW_SENSOR && escrow <= ESCROW_SECRETS_MANAGER;
	return is_known ? name[escrow] : "unknown";
}

static struct key plan_key(const char *id)
{
	struct key key = key_id(id);
	if (key.len == 0 || key.len > DELIVERY_ID_MAX)
		key.is_unfit = true;
	return key;
}

void store_plan_put(struct store_txn *txn, const struct plan_record *plan)
{
	struct key key = plan_key(plan->id);
	entry_put(txn, TABLE_PLANS, &key, &plan_format, plan);
}

bool store_plan_get(struct store_txn *txn, const char *id, struct plan_record *ret_plan)
{
	struct key key = plan_key(id);
	struct plan_record plan;
	if (!entry_get(txn, TABLE_PLANS, &key, &plan_format, &plan))
		return false;
	*ret_plan = plan;
	return true;
}

void store_plan_delete(struct store_txn *txn, const char *id)
{
	struct key key = plan_key(id);
	txn_delete(txn, TABLE_PLANS, &key);
}

bool store_plan_next(struct store_txn *txn, char *position, struct plan_record *ret_plan)
{
	struct key prefix = key_empty();
	struct plan_record plan;
	if (!entry_next(
		    txn, TABLE_PLANS, &prefix, position, DELIVERY_ID_MAX + 1, &plan_format, &plan))
		return false;
	*ret_plan = plan;
	return true;
}
