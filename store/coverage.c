/* Coverage records by connector, account and region. */
#include "store/coverage.h"

#include <string.h>

#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"

#define COVERAGE(member) RECORD_FIELD(coverage_record, member)

static const struct record_field coverage_fields[] = {
	COVERAGE(state),
	COVERAGE(certificate_count),
	COVERAGE(last_attempt_s),
	COVERAGE(last_success_s),
	COVERAGE(next_try_s),
	COVERAGE(state_since_s),
	COVERAGE(failures_in_row),
	COVERAGE(connector),
	COVERAGE(account_id),
	COVERAGE(region),
	COVERAGE(code),
	COVERAGE(reason),
};
const struct record_format coverage_format = RECORD_FORMAT("coverage", 1, coverage_fields);

static const char *const state_names[COVERAGE_STATES] = {
	[COVERAGE_NEVER_TRIED] = "never_tried",
	[COVERAGE_OK] = "ok",
	[COVERAGE_ROLE_UNASSUMABLE] = "role_unassumable",
	[COVERAGE_DENIED] = "denied",
	[COVERAGE_DENIED_BY_SCP] = "denied_by_scp",
	[COVERAGE_REGION_DISABLED] = "region_disabled",
	[COVERAGE_THROTTLED] = "throttled",
	[COVERAGE_UNREACHABLE] = "unreachable",
	[COVERAGE_FAILED] = "failed",
	[COVERAGE_ACCOUNT_INACTIVE] = "account_inactive",
	[COVERAGE_EXCLUDED] = "excluded",
};

const char *coverage_state_name(enum coverage_state state)
{
	return (unsigned)state < COVERAGE_STATES ? state_names[state] : "unknown";
}

bool coverage_state_parse(const char *text, enum coverage_state *ret_state)
{
	for (unsigned state = 0; state < COVERAGE_STATES; state++) {
		if (strcmp(text, state_names[state]) == 0) {
			*ret_state = (enum coverage_state)state;
			return true;
		}
	}
	return false;
}

bool coverage_is_problem(enum coverage_state state)
{
	switch (state) {
	case COVERAGE_OK:
	case COVERAGE_REGION_DISABLED:
	case COVERAGE_ACCOUNT_INACTIVE:
	case COVERAGE_EXCLUDED:
		return false;
	case COVERAGE_NEVER_TRIED:
	case COVERAGE_ROLE_UNASSUMABLE:
	case COVERAGE_DENIED:
	case COVERAGE_DENIED_BY_SCP:
	case COVERAGE_THROTTLED:
	case COVERAGE_UNREACHABLE:
	case COVERAGE_FAILED:
	case COVERAGE_STATES:
		break;
	}
	return true;
}

void store_coverage_put(struct store_txn *txn, const struct coverage_record *record)
{
	struct key key = key_coverage(record->connector, record->account_id, record->region);
	if (key.len >= COVERAGE_POSITION_MAX)
		key.is_unfit = true;
	entry_put(txn, TABLE_COVERAGE, &key, &coverage_format, record);
}

/* A state that this version does not know is damage: new states come with a new schema. */
static bool check(struct store_txn *txn, const struct coverage_record *record)
{
	if ((unsigned)record->state < COVERAGE_STATES)
		return true;
	struct key key = key_coverage(record->connector, record->account_id, record->region);
	txn_fail_damaged(txn, TABLE_COVERAGE, (struct slice){.bytes = key.bytes, .len = key.len},
		"unknown state");
	return false;
}

bool store_coverage_get(struct store_txn *txn, const char *connector, const char *account_id,
	const char *region, struct coverage_record *ret_record)
{
	struct key key = key_coverage(connector, account_id, region);
	struct coverage_record record;
	if (!entry_get(txn, TABLE_COVERAGE, &key, &coverage_format, &record) ||
		!check(txn, &record))
		return false;
	*ret_record = record;
	return true;
}

/* A try has a time above 0; a change is noted in its place, with a minus. */
int64_t coverage_changed_s(const struct coverage_record *record)
{
	return record->state == COVERAGE_OK && record->next_try_s < 0 ? -record->next_try_s : 0;
}

void store_coverage_note_change(struct store_txn *txn, const char *connector,
	const char *account_id, const char *region, int64_t at_s)
{
	struct coverage_record record;
	if (!store_coverage_get(txn, connector, account_id, region, &record) ||
		record.state != COVERAGE_OK)
		return;
	record.next_try_s = -at_s;
	store_coverage_put(txn, &record);
}

void store_coverage_delete(
	struct store_txn *txn, const char *connector, const char *account_id, const char *region)
{
	struct key key = key_coverage(connector, account_id, region);
	txn_delete(txn, TABLE_COVERAGE, &key);
}

bool store_coverage_next(struct store_txn *txn, const char *connector, const char *account_id,
	char *position, struct coverage_record *ret_record)
{
	struct key prefix = key_coverage(connector, account_id, NULL);
	struct coverage_record record;
	if (!entry_next(txn, TABLE_COVERAGE, &prefix, position, COVERAGE_POSITION_MAX,
		    &coverage_format, &record) ||
		!check(txn, &record))
		return false;
	*ret_record = record;
	return true;
}
