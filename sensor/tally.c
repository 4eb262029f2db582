#include "sensor/tally.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/text.h"
#include "sensor/schedule.h"

enum { RECORDS_A_LOOK = 64 }; /* between two looks at the clock */

void tally_init(struct tally *tally, const char *connector)
{
	*tally = (struct tally){.now_s = clock_now_s()};
	(void)text_copy(
		tally->connector, sizeof(tally->connector), connector != NULL ? connector : "");
}

static void keep_sooner(int64_t *at_s, int64_t other_s)
{
	if (*at_s == 0 || other_s < *at_s)
		*at_s = other_s;
}

static void add_try(struct tally *tally, int64_t at_s)
{
	keep_sooner(&tally->first_try_s, at_s);
	if (at_s > tally->now_s)
		keep_sooner(&tally->later_try_s, at_s);
}

static void add(struct tally *tally, const struct coverage_record *record)
{
	tally->pairs++;
	tally->certificates += record->certificate_count;
	if (record->state < COVERAGE_STATES)
		tally->state[record->state]++;
	if (coverage_changed_s(record) != 0)
		add_try(tally, coverage_changed_s(record) + SCHEDULE_SETTLE_S);
	if (!coverage_is_problem(record->state))
		return;
	tally->problems++;
	if (record->state != COVERAGE_NEVER_TRIED)
		add_try(tally, record->next_try_s);
}

bool tally_slice(struct tally *tally, struct store_txn *txn)
{
	const char *connector = tally->connector[0] != '\0' ? tally->connector : NULL;
	int64_t until_us = clock_mono_us() + TALLY_SLICE_US;
	struct coverage_record record;
	do {
		for (int i = 0; i < RECORDS_A_LOOK; i++) {
			if (!store_coverage_next(txn, connector, NULL, tally->position, &record))
				return true;
			add(tally, &record);
		}
	} while (clock_mono_us() < until_us);
	return false;
}
