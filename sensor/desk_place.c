/*
 * Where an order goes. AWS does not say that an account or a region is somebody else's or a typing
 * error: it denies a role or a signature, and a first import asks nothing before it is applied.
 * What the inventory knows of the place says it in one sentence, before AWS is asked; and behind
 * AWS's own reason, never instead of it, when the connector's list of regions leaves it open.
 */
#include <string.h>

#include "aws/partition.h"
#include "sensor/desk_internal.h"
#include "store/accounts.h"
#include "store/coverage.h"

enum place { PLACE_FINE, PLACE_FOREIGN_ACCOUNT, PLACE_FOREIGN_REGION, PLACE_UNREAD_REGION };

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

static bool is_listed(const struct config_list *regions, const char *region)
{
	size_t i = 0;
	while (i < regions->count && strcmp(regions->item[i], region) != 0)
		i++;
	return i < regions->count;
}

static enum place judge(const struct desk_op *op, struct store_txn *txn)
{
	const struct config_connector *config = connector_config(op->connector);
	bool is_known = is_read(txn, config->name);
	if (is_known && is_account_foreign(txn, config->name, op->account_id))
		return PLACE_FOREIGN_ACCOUNT;
	if (config->regions.count > 0 && !is_listed(&config->regions, op->region))
		return PLACE_UNREAD_REGION;
	if (is_known && is_region_foreign(txn, config->name, op->account_id, op->region))
		return PLACE_FOREIGN_REGION;
	return PLACE_FINE;
}

/* Sets err unless the place is fine. */
static void tell(const struct desk_op *op, enum place place, enum err_kind kind, struct err *err)
{
	const char *connector = connector_config(op->connector)->name;
	switch (place) {
	case PLACE_FINE:
		return;
	case PLACE_FOREIGN_ACCOUNT:
		(void)err_set(err, kind,
			"account %s is none of connector %s, by its last cycle: check the ARN or "
			"--account, or scan if the account is new",
			op->account_id, connector);
		return;
	case PLACE_FOREIGN_REGION:
	case PLACE_UNREAD_REGION:
		(void)err_set(err, kind,
			"region %s is none that connector %s reads in account %s: check the ARN or "
			"--region, or enable the region and scan",
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
	enum place place = judge(op, txn);
	int rc = store_txn_check(txn, err);
	store_read_end(txn);
	if (rc != 0)
		return -1;
	*ret_is_unread = place == PLACE_UNREAD_REGION;
	if (place == PLACE_FINE || place == PLACE_UNREAD_REGION)
		return 0;
	tell(op, place, ERR_REFUSED, err);
	return -1;
}

void desk_explain_place(const struct desk_op *op, struct err *err)
{
	struct store_txn *txn = NULL;
	struct err guess = ERR_INIT;
	const struct err told = *err;
	if (!may_be_place(err->kind) || store_read_begin(op->desk->store, &txn, &guess) != 0)
		return; /* what AWS said has to do */
	tell(op, judge(op, txn), err->kind, &guess);
	store_read_end(txn);
	if (guess.kind == ERR_NONE)
		return;
	(void)err_set(err, told.kind, "%s; %s", told.text, guess.text);
	(void)err_set_code(err, told.code);
}
