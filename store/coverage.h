/*
 * Coverage: what is known of every (connector, account, region): exactly one state, why, when it
 * last worked and when it is tried again. "Denied" is never "empty".
 */
#ifndef STORE_COVERAGE_H
#define STORE_COVERAGE_H

#include "store/store.h"

enum coverage_state { /* stored: numbers are fixed */
	COVERAGE_NEVER_TRIED = 0,
	COVERAGE_OK = 1, /* certificate_count may be a proven zero */
	COVERAGE_ROLE_UNASSUMABLE = 2,
	COVERAGE_DENIED = 3,
	COVERAGE_DENIED_BY_SCP = 4,
	COVERAGE_REGION_DISABLED = 5,
	COVERAGE_THROTTLED = 6,
	COVERAGE_UNREACHABLE = 7,
	COVERAGE_FAILED = 8, /* a bad answer, a limit, the store */
	COVERAGE_ACCOUNT_INACTIVE = 9,
	COVERAGE_EXCLUDED = 10,
	COVERAGE_STATES
};

const char *coverage_state_name(enum coverage_state state); /* "ok", "denied_by_scp" */
bool coverage_state_parse(const char *text, enum coverage_state *ret_state);
/* Whether the inventory misses something a person may want to mend: everything but ok,
 * region_disabled, account_inactive and excluded. */
bool coverage_is_problem(enum coverage_state state);

#define COVERAGE_ANY_REGION "*" /* where an account's regions cannot be known */

struct coverage_record {
	const char *connector, *account_id, *region;
	enum coverage_state state;
	const char *code;	   /* AWS's error code; "" */
	const char *reason;	   /* one sentence; "" when ok */
	int64_t certificate_count; /* at the last success */
	int64_t last_attempt_s, last_success_s;
	int64_t next_try_s; /* not before this, unless asked by hand; coverage_changed_s */
	int64_t state_since_s;
	uint32_t failures_in_row;
};

void store_coverage_put(struct store_txn *txn, const struct coverage_record *record);
bool store_coverage_get(struct store_txn *txn, const char *connector, const char *account_id,
	const char *region, struct coverage_record *ret_record);
/* When a certificate was changed there by us since it was last read (ok): it is read again soon.
 * 0: none was. */
int64_t coverage_changed_s(const struct coverage_record *record);
/* Notes that one was, at at_s (above 0). Nothing where the last attempt did not succeed, since that
 * one is tried again anyway, or where nothing is on record. */
void store_coverage_note_change(struct store_txn *txn, const char *connector,
	const char *account_id, const char *region, int64_t at_s);
void store_coverage_delete(
	struct store_txn *txn, const char *connector, const char *account_id, const char *region);

enum { COVERAGE_POSITION_MAX = 256 };
/* In order of connector, account, region. connector, account_id: NULL for all. position: "" to
 * begin, moved on. */
bool store_coverage_next(struct store_txn *txn, const char *connector, const char *account_id,
	char *position, struct coverage_record *ret_record);

#endif
