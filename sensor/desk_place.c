/*
 * Where an order goes. AWS does not say that an account or a region is somebody else's or a typing
 * error: it denies a role or a signature, and a first import asks nothing before it is applied.
 * What the inventory knows of the place says it in one sentence, before AWS is asked; and behind
 * AWS's own reason, never instead of it, when the connector's list of regions leaves it open.
 */
#include <stdio.h>
#include <string.h>

#include "aws/partition.h"
#include "sensor/desk_internal.h"
#include "sensor/overlap.h"
#include "store/accounts.h"
#include "store/coverage.h"

enum { REASON_MAX = 256 }; /* a clause; what is longer is cut */

enum place {
	PLACE_FINE,
	PLACE_EXCLUDED_ACCOUNT,
	PLACE_FOREIGN_ACCOUNT,
	PLACE_FOREIGN_REGION,
	PLACE_UNREAD_REGION
};

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

/* Where the regions could not be known, or others read the account, there is none to miss. */
static bool is_region_foreign(
	struct store_txn *txn, const char *connector, const char *account_id, const char *region)
{
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record coverage;
	if (store_coverage_get(txn, connector, account_id, COVERAGE_ANY_REGION, &coverage))
		return false;
	if (store_coverage_get(txn, connector, account_id, region, &coverage))
		return coverage.state == COVERAGE_REGION_DISABLED;
	return store_coverage_next(txn, connector, account_id, position, &coverage);
}

static bool is_listed(const struct config_list *list, const char *name)
{
	size_t i = 0;
	while (i < list->count && strcmp(list->item[i], name) != 0)
		i++;
	return i < list->count;
}

/* What the account's number decides is so from a reload on; what its unit decides, and what has
 * just been taken off a list, is as the last cycle found it. ret_reason: a clause that names the
 * setting. */
static bool is_account_excluded(struct store_txn *txn, const struct config_connector *config,
	const char *account_id, char ret_reason[static REASON_MAX])
{
	struct coverage_record coverage;
	const char *reason = NULL;
	if (is_listed(&config->exclude_accounts, account_id))
		reason = "the account is in exclude_accounts";
	else if (config->include_accounts.count > 0 && config->include_units.count == 0 &&
		 !is_listed(&config->include_accounts, account_id))
		reason = "include_accounts does not name it";
	else if (store_coverage_get(
			 txn, config->name, account_id, COVERAGE_ANY_REGION, &coverage) &&
		 coverage.state == COVERAGE_EXCLUDED && !overlap_is_reason(coverage.reason))
		reason = coverage.reason;
	if (reason == NULL)
		return false;
	(void)snprintf(ret_reason, REASON_MAX, "%s", reason);
	return true;
}

/* ret_reason: why the account is excluded, if it is. */
static enum place judge(
	const struct desk_op *op, struct store_txn *txn, char ret_reason[static REASON_MAX])
{
	const struct config_connector *config = connector_config(op->connector);
	bool is_known = is_read(txn, config->name);
	if (is_account_excluded(txn, config, op->account_id, ret_reason))
		return PLACE_EXCLUDED_ACCOUNT;
	if (is_known && is_account_foreign(txn, config->name, op->account_id))
		return PLACE_FOREIGN_ACCOUNT;
	if (config->regions.count > 0 && !is_listed(&config->regions, op->region))
		return PLACE_UNREAD_REGION;
	if (is_known && is_region_foreign(txn, config->name, op->account_id, op->region))
		return PLACE_FOREIGN_REGION;
	return PLACE_FINE;
}

/* Sets err unless the place is fine. */
static void tell(const struct desk_op *op, enum place place, const char *reason, enum err_kind kind,
	struct err *err)
{
	const char *connector = connector_config(op->connector)->name;
	switch (place) {
	case PLACE_FINE:
		return;
	case PLACE_EXCLUDED_ACCOUNT:
		(void)err_set(err, kind,
			"connector %s leaves account %s out (%s), for orders too: change that "
			"setting, reload and scan, or name another connector",
			connector, op->account_id, reason);
		return;
	case PLACE_FOREIGN_ACCOUNT:
		(void)err_set(err, kind,
			"account %s is none of connector %s, by its last cycle: check the ARN or "
			"--account; if the account is new: acmsensor scan --connector %s "
			"--account %s --wait",
			op->account_id, connector, connector, op->account_id);
		return;
	case PLACE_FOREIGN_REGION:
		(void)err_set(err, kind,
			"region %s is none that connector %s reads in account %s: check the ARN or "
			"--region; once the region is enabled: acmsensor scan --connector %s "
			"--account %s --wait",
			op->region, connector, op->account_id, connector, op->account_id);
		return;
	case PLACE_UNREAD_REGION: /* no scan looks there */
		(void)err_set(err, kind,
			"region %s is not in regions of connector %s, so nobody knows whether "
			"account %s has enabled it: check the ARN or --region",
			op->region, connector, op->account_id);
		return;
	}
}

static int check_partition(const struct desk_op *op, const char *arn, struct err *err)
{
	const struct config_connector *config = connector_config(op->connector);
	const char *partition = partition_of_region(op->region)->name;
	const struct delivery_target at = {.connector = config->name,
		.partition = partition_of_region(config->region)->name,
		.account_id = op->account_id,
		.region = op->region};
	if (arn[0] != '\0' && delivery_check_arn(&at, arn, err) != 0)
		return -1;
	if (strcmp(partition, at.partition) != 0)
		return err_set(err, ERR_CONFIG,
			"region %s is of the partition %s; connector %s is in %s", op->region,
			partition, config->name, at.partition);
	return 0;
}

int desk_check_place(
	const struct desk_op *op, const char *arn, bool *ret_is_unread, struct err *err)
{
	struct store_txn *txn = NULL;
	if (check_partition(op, arn, err) != 0 || store_read_begin(op->desk->store, &txn, err) != 0)
		return -1;
	char reason[REASON_MAX] = "";
	enum place place = judge(op, txn, reason);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	if (rc != 0)
		return -1;
	*ret_is_unread = place == PLACE_UNREAD_REGION;
	if (place == PLACE_FINE || place == PLACE_UNREAD_REGION)
		return 0;
	tell(op, place, reason, ERR_REFUSED, err);
	return -1;
}

void desk_explain_place(const struct desk_op *op, struct err *err)
{
	struct store_txn *txn = NULL;
	struct err guess = ERR_INIT;
	const struct err told = *err;
	char reason[REASON_MAX] = "";
	if (!may_be_place(err->kind) || store_read_begin(op->desk->store, &txn, &guess) != 0)
		return; /* what AWS said has to do */
	enum place place = judge(op, txn, reason);
	tell(op, place, reason, err->kind, &guess);
	store_read_end(txn);
	if (guess.kind == ERR_NONE)
		return;
	(void)err_set(err, told.kind, "%s; %s", told.text, guess.text);
	(void)err_set_code(err, told.code);
}
