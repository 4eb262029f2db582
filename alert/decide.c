#include "alert/decide.h"

#include <string.h>

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

/* Nothing of what was told of it counts any more. */
static bool is_new(const struct alert_record *stored, const struct finding *finding, int64_t now_s)
{
	return stored == NULL || stored->ends_s != finding->ends_s ||
	       (stored->resolved_s != 0 && now_s - stored->resolved_s >= ALERT_REPEAT_S);
}

static bool is_nearer(int64_t days, int64_t than)
{
	return days != ALERT_NO_DAYS && (than == ALERT_NO_DAYS || days < than);
}

static bool is_same(const struct alert_record *a, const struct alert_record *b)
{
	return a->class == b->class && a->days == b->days && a->resolved_s == b->resolved_s &&
	       strcmp(a->text, b->text) == 0;
}

enum change alert_decide(const struct alert_record *stored, const struct subject *subject,
	const struct finding *finding, int64_t now_s, struct alert_record *ret_next)
{
	if (finding->verdict == VERDICT_UNKNOWN)
		return CHANGE_NONE;
	if (finding->verdict == VERDICT_NONE)
		return decide_none(stored, finding, now_s, ret_next);
	struct alert_record next = {.raised_s = now_s, .changed_s = now_s, .note = ""};
	bool is_fresh = is_new(stored, finding, now_s);
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
	next.resolved_s = 0;
	next.resolution = "";
	bool is_worse = is_fresh || finding->class > next.told_class ||
			is_nearer(finding->days, next.told_days);
	if (!is_worse) {
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
