/* From an attempt's end to a coverage state; see outcome.h. */
#include "orgscope/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

enum { ESCAPED_MAX = 4 * ERR_TEXT_MAX + 4 }; /* a byte becomes four at most, "..." */

static enum coverage_state state_of(const struct outcome_input *input)
{
	if (input->is_region_disabled)
		return COVERAGE_REGION_DISABLED;
	if (input->err == NULL)
		return COVERAGE_OK;
	switch (input->err->kind) {
	case ERR_ROLE:
		return COVERAGE_ROLE_UNASSUMABLE;
	case ERR_DENIED:
		return COVERAGE_DENIED;
	case ERR_DENIED_BY_SCP:
		return COVERAGE_DENIED_BY_SCP;
	case ERR_THROTTLED:
		return COVERAGE_THROTTLED;
	case ERR_UNREACHABLE:
	case ERR_TIMEOUT:
		return COVERAGE_UNREACHABLE;
	case ERR_CONFIG:
	case ERR_SYSTEM:
	case ERR_LIMIT:
	case ERR_PROTOCOL:
	case ERR_CREDENTIALS:
	case ERR_NOT_FOUND:
	case ERR_REFUSED:
	case ERR_SERVICE:
	case ERR_STORE:
	case ERR_STORE_FULL:
		return COVERAGE_FAILED;
	case ERR_NONE:
	case ERR_STOPPED:
		break; /* the caller's bug: no error, or an attempt that was given up */
	}
	abort();
}

/* How soon it may look different. */
enum nature { NATURE_FINE, NATURE_REFUSED, NATURE_PASSING };

static enum nature nature_of(enum coverage_state state)
{
	switch (state) {
	case COVERAGE_ROLE_UNASSUMABLE:
	case COVERAGE_DENIED:
	case COVERAGE_DENIED_BY_SCP:
	case COVERAGE_REGION_DISABLED:
		return NATURE_REFUSED;
	case COVERAGE_THROTTLED:
	case COVERAGE_UNREACHABLE:
	case COVERAGE_FAILED:
		return NATURE_PASSING;
	case COVERAGE_NEVER_TRIED:
	case COVERAGE_OK:
	case COVERAGE_ACCOUNT_INACTIVE:
	case COVERAGE_EXCLUDED:
	case COVERAGE_STATES:
		break;
	}
	return NATURE_FINE;
}

/* first_s doubled for each failure after the first, at most max_s. */
static int64_t doubled(int64_t first_s, uint32_t failures, int64_t max_s)
{
	int64_t delay_s = first_s;
	for (uint32_t i = 1; i < failures && delay_s < max_s; i++)
		delay_s *= 2;
	return delay_s < max_s ? delay_s : max_s;
}

static int64_t delay_s(enum nature nature, uint32_t failures, int64_t interval_s)
{
	switch (nature) {
	case NATURE_FINE:
		return interval_s;
	case NATURE_REFUSED:
		return doubled(interval_s, failures,
			interval_s > OUTCOME_DENIED_MAX_S ? interval_s : OUTCOME_DENIED_MAX_S);
	case NATURE_PASSING:
		return doubled(OUTCOME_RETRY_MIN_S, failures, interval_s);
	}
	abort();
}

/* One line, printable, at most OUTCOME_REASON_MAX - 1 bytes. */
static void set_reason(struct outcome *outcome, const char *text)
{
	struct buf escaped;
	buf_init(&escaped, ESCAPED_MAX);
	text_escape_line(&escaped, text, strlen(text), ERR_TEXT_MAX);
	text_shorten(outcome->reason, sizeof(outcome->reason), buf_text(&escaped));
	buf_clear(&escaped);
}

void outcome_decide(const struct outcome_input *input, struct outcome *ret_outcome)
{
	const struct coverage_record *previous = input->previous;
	struct outcome outcome = {.state = state_of(input)};
	enum nature nature = nature_of(outcome.state);

	if (input->is_region_disabled)
		set_reason(&outcome, "the region is not enabled in this account");
	else if (input->err != NULL)
		set_reason(&outcome, input->err->text);
	if (input->err != NULL)
		text_copy(outcome.code, sizeof(outcome.code), input->err->code);

	/* Without an error it is no attempt that failed: ListRegions tells it again each cycle. */
	if (nature != NATURE_FINE && input->err != NULL) {
		bool is_going_on = previous != NULL && nature_of(previous->state) == nature;
		uint32_t before = is_going_on ? previous->failures_in_row : 0;
		outcome.failures_in_row = before < UINT32_MAX ? before + 1 : before;
	}
	outcome.next_try_s =
		input->now_s + delay_s(nature, outcome.failures_in_row, input->interval_s);

	outcome.is_changed = previous == NULL || outcome.state != previous->state;
	outcome.state_since_s = input->now_s;
	if (previous != NULL && !outcome.is_changed)
		outcome.state_since_s = previous->state_since_s;
	if (outcome.state == COVERAGE_OK) {
		outcome.last_success_s = input->now_s;
		outcome.certificate_count = input->certificate_count;
	} else if (previous != NULL) {
		outcome.last_success_s = previous->last_success_s;
		outcome.certificate_count = previous->certificate_count;
	}
	*ret_outcome = outcome;
}

void outcome_record(const struct outcome *outcome, const char *connector, const char *account_id,
	const char *region, int64_t now_s, struct coverage_record *ret_record)
{
	*ret_record = (struct coverage_record){
		.connector = connector,
		.account_id = account_id,
		.region = region,
		.state = outcome->state,
		.code = outcome->code,
		.reason = outcome->reason,
		.certificate_count = outcome->certificate_count,
		.last_attempt_s = now_s,
		.last_success_s = outcome->last_success_s,
		.next_try_s = outcome->next_try_s,
		.state_since_s = outcome->state_since_s,
		.failures_in_row = outcome->failures_in_row,
	};
}
