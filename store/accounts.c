/* Accounts and units of each connector, by connector and id. */
#include "store/accounts.h"

#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"

#define ACCOUNT(member) RECORD_FIELD(account_record, member)
#define UNIT(member)	RECORD_FIELD(unit_record, member)

static const struct record_field account_fields[] = {
	ACCOUNT(first_seen_s),
	ACCOUNT(last_seen_s),
	ACCOUNT(is_management),
	ACCOUNT(connector),
	ACCOUNT(account_id),
	ACCOUNT(name),
	ACCOUNT(email),
	ACCOUNT(state),
	ACCOUNT(unit_id),
	ACCOUNT(unit_path),
};
const struct record_format account_format = RECORD_FORMAT("account", 1, account_fields);

static const struct record_field unit_fields[] = {
	UNIT(connector),
	UNIT(unit_id),
	UNIT(parent_id),
	UNIT(name),
};
const struct record_format unit_format = RECORD_FORMAT("unit", 1, unit_fields);

void store_account_put(struct store_txn *txn, const struct account_record *record)
{
	struct key key = key_account(record->connector, record->account_id);
	if (key.len >= ACCOUNT_POSITION_MAX)
		key.is_unfit = true;
	entry_put(txn, TABLE_ACCOUNTS, &key, &account_format, record);
}

bool store_account_get(struct store_txn *txn, const char *connector, const char *account_id,
	struct account_record *ret_record)
{
	struct key key = key_account(connector, account_id);
	struct account_record record;
	if (!entry_get(txn, TABLE_ACCOUNTS, &key, &account_format, &record))
		return false;
	*ret_record = record;
	return true;
}

bool store_account_next(struct store_txn *txn, const char *connector, char *position,
	struct account_record *ret_record)
{
	struct key prefix = key_account(connector, NULL);
	struct account_record record;
	if (!entry_next(txn, TABLE_ACCOUNTS, &prefix, position, ACCOUNT_POSITION_MAX,
		    &account_format, &record))
		return false;
	*ret_record = record;
	return true;
}

void store_account_delete(struct store_txn *txn, const char *connector, const char *account_id)
{
	struct key key = key_account(connector, account_id);
	txn_delete(txn, TABLE_ACCOUNTS, &key);
}

void store_unit_put(struct store_txn *txn, const struct unit_record *record)
{
	struct key key = key_unit(record->connector, record->unit_id);
	if (key.len >= ACCOUNT_POSITION_MAX)
		key.is_unfit = true;
	entry_put(txn, TABLE_UNITS, &key, &unit_format, record);
}

bool store_unit_next(struct store_txn *txn, const char *connector, char *position,
	struct unit_record *ret_record)
{
	struct key prefix = key_unit(connector, NULL);
	struct unit_record record;
	if (!entry_next(txn, TABLE_UNITS, &prefix, position, ACCOUNT_POSITION_MAX, &unit_format,
		    &record))
		return false;
	*ret_record = record;
	return true;
}

void store_unit_delete(struct store_txn *txn, const char *connector, const char *unit_id)
{
	struct key key = key_unit(connector, unit_id);
	txn_delete(txn, TABLE_UNITS, &key);
}
