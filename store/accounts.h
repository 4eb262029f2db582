/* Accounts, units and cycles of each connector. */
#ifndef STORE_ACCOUNTS_H
#define STORE_ACCOUNTS_H

#include "store/store.h"

struct account_record {
	const char *connector, *account_id;
	const char *name, *email;
	const char *state;     /* AWS's word (ACTIVE ...); ours: MISSING (one walk), GONE */
	const char *unit_id;   /* parent: root or unit; "" in account scope */
	const char *unit_path; /* names from the root, "Root/Security/Prod"; "" in account scope */
	bool is_management;
	int64_t first_seen_s, last_seen_s;
};
void store_account_put(struct store_txn *txn, const struct account_record *record);
bool store_account_get(struct store_txn *txn, const char *connector, const char *account_id,
	struct account_record *ret_record);
enum { ACCOUNT_POSITION_MAX = 192 }; /* of accounts, units and cycles; "" to begin */
bool store_account_next(struct store_txn *txn, const char *connector, char *position,
	struct account_record *ret_record);
void store_account_delete(struct store_txn *txn, const char *connector, const char *account_id);

struct unit_record {
	const char *connector, *unit_id, *parent_id, *name; /* parent_id "": a root */
};
void store_unit_put(struct store_txn *txn, const struct unit_record *record);
bool store_unit_next(struct store_txn *txn, const char *connector, char *position,
	struct unit_record *ret_record);
void store_unit_delete(struct store_txn *txn, const char *connector, const char *unit_id);

/* One a connector: the cycle under way or the last one. Survives restarts. */
struct cycle_record {
	const char *connector;
	const char *hub_account_id, *hub_arn, *partition, *organization_id; /* as last learnt */
	const char *error;	       /* why the last cycle as a whole failed; "" */
	int64_t started_s, finished_s; /* finished_s 0: under way (or interrupted) */
	int64_t next_s;		       /* when the next is due */
	int64_t last_complete_s;       /* last end of a cycle that read everything in scope */
	uint32_t accounts, pairs, pairs_ok, pairs_problem;
	int64_t certificates, calls, throttles;
};
void store_cycle_put(struct store_txn *txn, const struct cycle_record *record);
bool store_cycle_get(struct store_txn *txn, const char *connector, struct cycle_record *ret_record);
bool store_cycle_next(struct store_txn *txn, char *position, struct cycle_record *ret_record);
/* Everything of a connector that is no longer configured: coverage, accounts, units, cycle. Its
 * certificates stay and are marked gone by the caller's policy. */
void store_connector_delete(struct store_txn *txn, const char *connector);

#endif
