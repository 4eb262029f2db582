#include "alert/decide.h"

#include <string.h>

enum { DAY_S = 86400 };

static enum change decide_none(const struct alert_record *stored, const struct finding *finding,
	int64_t now_s, struct alert_record *ret_next)
{
	if (stored == NULL)
		return CHANGE_NONE;
	if (stored->resolved_s != 0)
		return now_s - stored->resolved_s > ALERT_KEEP_S ? CHANGE_FORGET : CHANGE_NONE;
	*ret_next = *stored;
	ret_next->resolved_s = now_s;
	ret_next->resolution = finding->reason;
	return CHANGE_RESOLVED;
}

static bool is_nearer(int64_t days, int64_t than)
{
	return days != ALERT_NO_DAYS && (than == ALERT_NO_DAYS || days < than);
}

static bool is_worse(const struct finding *finding, const struct alert_record *told)
{
	return finding->class > told->told_class || is_nearer(finding->days, told->told_days);
}

/* Nothing of what was told of it counts any more. */
static bool is_new(const struct alert_record *stored, const struct finding *finding)
{
	return stored == NULL || stored->resolved_s != 0 || stored->ends_s != finding->ends_s;
}

/* What comes and goes is not told each time: it is over until it has stayed. */
static bool is_back_too_soon(
	const struct alert_record *stored, const struct finding *finding, int64_t now_s)
{
	return stored != NULL && stored->resolved_s != 0 && stored->ends_s == finding->ends_s &&
	       now_s >= stored->resolved_s && now_s - stored->resolved_s < ALERT_REPEAT_S &&
	       !is_worse(finding, stored);
}

/* The clock, or AWS's word of the time, was a day ahead at least when the threshold was told: what
 * was told too early is told again in time. */
static bool was_told_early(const struct alert_record *told, int64_t now_s)
{
	return told->told_days != ALERT_NO_DAYS &&
	       told->ends_s - now_s > (told->told_days + 1) * DAY_S;
}

static bool is_same(const struct alert_record *a, const struct alert_record *b)
{
	return a->class == b->class && a->days == b->days && a->told_days == b->told_days &&
	       strcmp(a->text, b->text) == 0;
}

enum change alert_decide(const struct alert_record *stored, const struct subject *subject,
	const struct finding *finding, int64_t now_s, struct alert_record *ret_next)
{
	if (finding->verdict == VERDICT_UNKNOWN)
		return CHANGE_NONE;
	if (finding->verdict == VERDICT_NONE)
		return decide_none(stored, finding, now_s, ret_next);
	if (is_back_too_soon(stored, finding, now_s))
		return CHANGE_NONE;
	struct alert_record next = {.raised_s = now_s, .changed_s = now_s, .resolution = ""};
	bool is_fresh = is_new(stored, finding);
	if (!is_fresh)
		next = *stored;
	next.id = subject->id;
	next.kind = subject->kind;
	next.subject = subject->subject;
	next.connector = subject->connector;
	next.account_id = subject->account_id;
	next.region = subject->region;
	next.name = subject->name;
	next.class = finding->class;
	next.days = finding->days;
	next.ends_s = finding->ends_s;
	next.text = finding->text;
	if (!is_fresh && was_told_early(&next, now_s))
		next.told_days = finding->days;
	if (!is_fresh && !is_worse(finding, &next)) {
		*ret_next = next;
		return is_same(stored, &next) ? CHANGE_NONE : CHANGE_SILENT;
	}
	if (is_fresh || finding->class > next.told_class)
		next.told_class = finding->class;
	if (is_fresh || is_nearer(finding->days, next.told_days))
		next.told_days = finding->days;
	next.changed_s = now_s;
	next.acknowledged_s = 0;
	next.acknowledged_by = "";
	next.note = "";
	*ret_next = next;
	return is_fresh ? CHANGE_RAISED : CHANGE_WORSE;
}
