/*
 * From what is stored of an alert and what is found now to what is stored next, and whether anybody
 * is to be told. Pure.
 *
 * Told once: when it is raised, and again only when it is worse than what was told of it: a higher
 * class, or a threshold nearer to the end. What is back within ALERT_REPEAT_S after it was
 * resolved, and no worse, stays resolved until that time is over, then it is told as new; so is
 * another end (a new certificate under the ARN).
 */
#ifndef ALERT_DECIDE_H
#define ALERT_DECIDE_H

#include "alert/judge.h"

enum {
	ALERT_REPEAT_S = 3600,
	ALERT_KEEP_S = 30 * 86400, /* a resolved one is shown for so long */
};

enum change {
	CHANGE_NONE,	 /* nothing to write */
	CHANGE_SILENT,	 /* to be written, nobody is told */
	CHANGE_RAISED,	 /* told as new */
	CHANGE_WORSE,	 /* told again */
	CHANGE_RESOLVED, /* told to who wants it */
	CHANGE_FORGET,	 /* to be deleted */
};

/* Who and where an alert is about; borrowed. */
struct subject {
	enum alert_kind kind;
	const char *id, *subject, *connector, *account_id, *region, *name;
};

/* stored NULL: none. ret_next points into subject, finding and stored; the numbers of notices in it
 * are the stored ones (0 after CHANGE_RAISED). */
enum change alert_decide(const struct alert_record *stored, const struct subject *subject,
	const struct finding *finding, int64_t now_s, struct alert_record *ret_next);

#endif
