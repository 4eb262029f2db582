/* The cycle of each connector, and forgetting a connector. */
#include "store/accounts.h"
#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"

#define CYCLE(member) RECORD_FIELD(cycle_record, member)

static const struct record_field cycle_fields[] = {
	CYCLE(started_s),
	CYCLE(finished_s),
	CYCLE(next_s),
	CYCLE(last_complete_s),
	CYCLE(accounts),
	CYCLE(pairs),
	CYCLE(pairs_ok),
	CYCLE(pairs_problem),
	CYCLE(certificates),
	CYCLE(calls),
	CYCLE(throttles),
	CYCLE(connector),
	CYCLE(hub_account_id),
	CYCLE(hub_arn),
	CYCLE(partition),
	CYCLE(organization_id),
	CYCLE(error),
};
const struct record_format cycle_format = RECORD_FORMAT("cycle", 1, cycle_fields);

void store_cycle_put(struct store_txn *txn, const struct cycle_record *record)
{
	struct key key = key_cycle(record->connector);
	if (key.len >= ACCOUNT_POSITION_MAX)
		key.is_unfit = true;
	entry_put(txn, TABLE_CYCLES, &key, &cycle_format, record);
}

bool store_cycle_get(struct store_txn *txn, const char *connector, struct cycle_record *ret_record)
{
	struct key key = key_cycle(connector);
	struct cycle_record record;
	if (!entry_get(txn, TABLE_CYCLES, &key, &cycle_format, &record))
		return false;
	*ret_record = record;
	return true;
}

bool store_cycle_next(struct store_txn *txn, char *position, struct cycle_record *ret_record)
{
	struct key prefix = key_empty();
	struct cycle_record record;
	if (!entry_next(txn, TABLE_CYCLES, &prefix, position, ACCOUNT_POSITION_MAX, &cycle_format,
		    &record))
		return false;
	*ret_record = record;
	return true;
}

void store_connector_delete(struct store_txn *txn, const char *connector)
{
	struct key coverage = key_coverage(connector, NULL, NULL);
	struct key accounts = key_account(connector, NULL);
	struct key units = key_unit(connector, NULL);
	struct key cycle = key_cycle(connector);
	entry_delete_all(txn, TABLE_COVERAGE, &coverage);
	entry_delete_all(txn, TABLE_ACCOUNTS, &accounts);
	entry_delete_all(txn, TABLE_UNITS, &units);
	txn_delete(txn, TABLE_CYCLES, &cycle);
}
