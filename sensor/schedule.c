#include "sensor/schedule.h"

#include <stddef.h>

#include "store/accounts.h"
#include "store/coverage.h"

static int64_t min_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

bool schedule_mend(struct schedule *schedule, int64_t now_s)
{
	int64_t latest_s = now_s + schedule->interval_s + schedule->interval_s / 10;
	bool is_mended = false;
	if (schedule->next_s > latest_s) {
		schedule->next_s = now_s + schedule->interval_s;
		is_mended = true;
	}
	if (schedule->not_before_s > now_s + SCHEDULE_PAUSE_S) {
		schedule->not_before_s = now_s + SCHEDULE_PAUSE_S;
		is_mended = true;
	}
	return is_mended;
}

/* When something is due next; INT64_MAX is never reached, because the next cycle always is. */
static int64_t due_s(const struct schedule *schedule)
{
	int64_t at_s = schedule->next_s;
	if (schedule->catch_up_s != 0)
		at_s = min_of(at_s, schedule->catch_up_s);
	return max_of(at_s, schedule->not_before_s);
}

enum schedule_what schedule_decide(const struct schedule *schedule, int64_t now_s)
{
	if (due_s(schedule) > now_s)
		return SCHEDULE_NOTHING;
	return schedule->next_s <= now_s ? SCHEDULE_CYCLE : SCHEDULE_CATCH_UP;
}

int64_t schedule_wait_ms(const struct schedule *schedule, int64_t now_s)
{
	int64_t wait_s = max_of(0, due_s(schedule) - now_s);
	return min_of(wait_s, SCHEDULE_LOOK_MAX_MS / 1000) * 1000;
}

int64_t schedule_next_s(int64_t started_s, int64_t interval_s, uint32_t random)
{
	int64_t tenth_s = interval_s / 10;
	return started_s + interval_s - tenth_s +
	       2 * tenth_s * (int64_t)random / (int64_t)SCHEDULE_RANDOM;
}

int64_t schedule_failure_s(int64_t now_s, int64_t interval_s, uint32_t failures_in_row)
{
	int64_t wait_s = SCHEDULE_FAILURE_MIN_S;
	for (uint32_t i = 1; i < failures_in_row && wait_s < interval_s; i++)
		wait_s *= 2;
	return now_s + min_of(wait_s, interval_s);
}

bool schedule_continues(const struct cycle_record *cycle, int64_t now_s, int64_t interval_s)
{
	return cycle->started_s != 0 && cycle->finished_s == 0 && cycle->started_s <= now_s &&
	       now_s - cycle->started_s < interval_s;
}

/* What only a person can change, so that asking again each cycle is noise. */
static bool is_refused(enum coverage_state state)
{
	return state == COVERAGE_ROLE_UNASSUMABLE || state == COVERAGE_DENIED ||
	       state == COVERAGE_DENIED_BY_SCP || state == COVERAGE_REGION_DISABLED;
}

bool schedule_is_due(enum schedule_rule rule, const struct coverage_record *record,
	int64_t continued_s, int64_t now_s)
{
	if (rule == SCHEDULE_BY_HAND || record == NULL || record->last_attempt_s > now_s)
		return true;
	int64_t changed_s = coverage_changed_s(record);
	if (rule == SCHEDULE_OF_CATCH_UP && changed_s != 0)
		return changed_s + SCHEDULE_SETTLE_S <= now_s;
	if (rule == SCHEDULE_OF_CATCH_UP)
		return coverage_is_problem(record->state) &&
		       record->state != COVERAGE_NEVER_TRIED && record->next_try_s <= now_s;
	if (continued_s != 0 && record->last_attempt_s >= continued_s)
		return false;
	return !is_refused(record->state) || record->next_try_s <= now_s;
}
