/*
 * AWS does not say that an ARN or an account is somebody else's: it denies a role, or a signature.
 * What the inventory knows of the place says it in one sentence. Only after AWS has refused, since
 * an account may be younger than the last cycle.
 */
#include <string.h>

#include "sensor/desk_internal.h"
#include "store/accounts.h"
#include "store/coverage.h"

static bool may_be_place(enum err_kind kind)
{
	return kind == ERR_ROLE || kind == ERR_DENIED || kind == ERR_CREDENTIALS ||
	       kind == ERR_REFUSED || kind == ERR_SERVICE || kind == ERR_UNREACHABLE;
}

/* A first cycle that is under way has yet to come to what is missing. */
static bool is_read(struct store_txn *txn, const char *connector)
{
	struct cycle_record cycle;
	return store_cycle_get(txn, connector, &cycle) &&
	       (cycle.last_complete_s != 0 || (cycle.finished_s != 0 && cycle.error[0] == '\0'));
}

static bool is_account_foreign(struct store_txn *txn, const char *connector, const char *account_id)
{
	char position[ACCOUNT_POSITION_MAX] = "";
	struct account_record account;
	return !store_account_get(txn, connector, account_id, &account) &&
	       store_account_next(txn, connector, position, &account);
}

static bool is_region_foreign(
	struct store_txn *txn, const char *connector, const char *account_id, const char *region)
{
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record coverage;
	return !store_coverage_get(txn, connector, account_id, region, &coverage) &&
	       store_coverage_next(txn, connector, account_id, position, &coverage);
}

void desk_explain_place(const struct desk_op *op, struct err *err)
{
	const char *connector = connector_config(op->connector)->name;
	struct store_txn *txn = NULL;
	struct err unread = ERR_INIT;
	enum err_kind kind = err->kind;
	if (!may_be_place(kind) || store_read_begin(op->desk->store, &txn, &unread) != 0)
		return; /* what AWS said has to do */
	bool is_known = is_read(txn, connector);
	if (is_known && is_account_foreign(txn, connector, op->account_id))
		(void)err_set(err, kind,
			"account %s is none of connector %s, by its last cycle: check the ARN or "
			"--account, or scan if the account is new",
			op->account_id, connector);
	else if (is_known && is_region_foreign(txn, connector, op->account_id, op->region))
		(void)err_set(err, kind,
			"region %s is none that connector %s reads in account %s: check the ARN or "
			"--region, or enable the region",
			op->region, connector, op->account_id);
	store_read_end(txn);
}
