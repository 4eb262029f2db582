/* Times as a person reads them (see dates.h). */
#include "cli/dates.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char *none(char *buffer)
{
	snprintf(buffer, DATES_TEXT_MAX, "-");
	return buffer;
}

const char *dates_relative(int64_t at_s, int64_t now_s, char *buffer)
{
	static const struct {
		int64_t from_s, unit_s;
		const char *one, *many;
	} scale[] = {
		{2 * 365 * 86400, 365 * 86400, "year", "years"},
		{2 * 86400, 86400, "day", "days"},
		{2 * 3600, 3600, "hour", "hours"},
		{60, 60, "min", "min"},
		{1, 1, "s", "s"},
	};
	if (at_s == 0)
		return none(buffer);
	int64_t distance_s = at_s > now_s ? at_s - now_s : now_s - at_s;
	for (size_t i = 0; i < sizeof(scale) / sizeof(scale[0]); i++) {
		if (distance_s < scale[i].from_s)
			continue;
		int64_t count = distance_s / scale[i].unit_s;
		const char *unit = count == 1 ? scale[i].one : scale[i].many;
		snprintf(buffer, DATES_TEXT_MAX,
			at_s > now_s ? "in %" PRId64 " %s" : "%" PRId64 " %s ago", count, unit);
		return buffer;
	}
	snprintf(buffer, DATES_TEXT_MAX, "now");
	return buffer;
}

/* with: what stands between day and time. */
static const char *day_and_time(int64_t at_s, char with, char *buffer)
{
	if (at_s == 0)
		return none(buffer);
	text_format_time(at_s, buffer);
	char *t = strchr(buffer, 'T');
	if (t != NULL)
		*t = with;
	return buffer;
}

const char *dates_day(int64_t at_s, char *buffer)
{
	return day_and_time(at_s, '\0', buffer);
}

const char *dates_time(int64_t at_s, char *buffer)
{
	return day_and_time(at_s, ' ', buffer);
}

const char *dates_both(int64_t at_s, int64_t now_s, char *buffer)
{
	char relative[DATES_TEXT_MAX], absolute[DATES_TEXT_MAX];
	if (at_s == 0)
		snprintf(buffer, 2 * DATES_TEXT_MAX, "never");
	else
		snprintf(buffer, 2 * DATES_TEXT_MAX, "%s (%s)",
			dates_relative(at_s, now_s, relative), dates_time(at_s, absolute));
	return buffer;
}
