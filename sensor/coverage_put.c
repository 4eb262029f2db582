#include "sensor/coverage_put.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "orgscope/outcome.h"
#include "store/events.h"

static void append_event(struct store_txn *txn, const struct coverage_place *place,
	enum coverage_state before, enum coverage_state after, const char *reason, int64_t now_s)
{
	struct buf detail;
	buf_init(&detail, 2048);
	buf_addf(&detail, "%s -> %s%s%s", coverage_state_name(before), coverage_state_name(after),
		reason[0] != '\0' ? ": " : "", reason);
	store_event_append(txn, &(struct event_record){
					.at_s = now_s,
					.kind = EVENT_COVERAGE_CHANGED,
					.connector = place->connector,
					.account_id = place->account_id,
					.region = place->region,
					.arn = "",
					.subject = place->account_name,
					.detail = buf_text(&detail),
				});
	buf_clear(&detail);
}

enum coverage_state coverage_put_attempt(struct store_txn *txn, const struct coverage_place *place,
	const struct coverage_attempt *attempt)
{
	struct coverage_record previous, record;
	bool has_previous = store_coverage_get(
		txn, place->connector, place->account_id, place->region, &previous);
	enum coverage_state before = has_previous ? previous.state : COVERAGE_NEVER_TRIED;
	struct outcome outcome;
	outcome_decide(&(struct outcome_input){.err = attempt->err,
			       .is_region_disabled = attempt->is_region_disabled,
			       .now_s = attempt->now_s,
			       .interval_s = attempt->interval_s,
			       .previous = has_previous ? &previous : NULL,
			       .certificate_count = attempt->certificate_count},
		&outcome);
	outcome_record(&outcome, place->connector, place->account_id, place->region, attempt->now_s,
		&record);
	if (has_previous && record.state == COVERAGE_OK &&
		coverage_changed_s(&previous) >= attempt->began_s &&
		coverage_changed_s(&previous) != 0)
		record.next_try_s = previous.next_try_s;
	store_coverage_put(txn, &record);
	if (outcome.is_changed)
		append_event(txn, place, before, outcome.state, outcome.reason, attempt->now_s);
	return outcome.state;
}

void coverage_put_state(struct store_txn *txn, const struct coverage_place *place,
	enum coverage_state state, const char *reason, int64_t now_s)
{
	struct coverage_record previous;
	bool has_previous = store_coverage_get(
		txn, place->connector, place->account_id, place->region, &previous);
	if (has_previous && previous.state == state && strcmp(previous.reason, reason) == 0)
		return; /* nothing to tell: a record that is written each cycle says no more */
	enum coverage_state before = has_previous ? previous.state : COVERAGE_NEVER_TRIED;
	struct coverage_record record = {
		.connector = place->connector,
		.account_id = place->account_id,
		.region = place->region,
		.state = state,
		.code = "",
		.reason = reason,
		.state_since_s = now_s,
	};
	if (has_previous) {
		record.certificate_count = previous.certificate_count;
		record.last_attempt_s = previous.last_attempt_s;
		record.last_success_s = previous.last_success_s;
		if (before == state)
			record.state_since_s = previous.state_since_s;
	}
	store_coverage_put(txn, &record);
	if (before != state)
		append_event(txn, place, before, state, reason, now_s);
}
