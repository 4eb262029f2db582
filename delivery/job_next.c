/* The decisions of a job; see job_next.h. */
#include "delivery/job_next.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "delivery/delivery.h"
#include "delivery/job_error.h"

static const char nothing_changed[] = "nothing was changed in AWS";

/* --- shapes of a decision --------------------------------------------------------------------- */

static void say(struct job_decision *to, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void say(struct job_decision *to, const char *format, ...)
{
	char text[2 * JOB_REASON_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_shorten(to->reason, sizeof(to->reason), text);
}

static void go_on(struct job_decision *to, enum job_phase phase)
{
	to->phase = phase;
}

static void end(struct job_decision *to, enum job_state state)
{
	to->phase = JOB_DONE;
	to->state = state;
	to->is_failure = state == JOB_FAILED || state == JOB_IMPOSSIBLE;
}

static int64_t longer(int64_t last_wait_s, int64_t max_s)
{
	if (last_wait_s < 1)
		return 1;
	return last_wait_s * 2 < max_s ? last_wait_s * 2 : max_s;
}

static bool is_patient(const struct job_known *known, int64_t patience_s)
{
	return known->now_s - known->began_s < patience_s;
}

/* What drained for days has a day to be deleted, and not for ever, however often it is started. */
static int64_t life_s(const struct job_known *known)
{
	if (known->phase == JOB_DRAIN)
		return JOB_DRAIN_LIFE_S;
	bool is_new = known->phase == JOB_DELETE_CALL && is_patient(known, JOB_LIFE_S);
	return is_new ? JOB_DRAIN_LIFE_S + JOB_LIFE_S : JOB_LIFE_S;
}

static bool is_worn_out(const struct job_known *known)
{
	return known->now_s - known->created_s >= life_s(known);
}

/* What a person does after a job that changed nothing and whose trouble is to be mended. */
static const char *once_mended(const struct job_known *known)
{
	return known->kind == JOB_DELIVER ? ": plan again when that is mended"
					  : ": order it again when that is mended";
}

/* What is where, for the end of a job that could not find out more. */
static const char *whereabouts(const struct job_known *known, char *text, size_t size)
{
	if (known->phase == JOB_DELETE_CALL)
		snprintf(text, size, "it is not known whether the certificate was deleted");
	else if (!known->may_have_imported)
		snprintf(text, size, "%s%s", nothing_changed, once_mended(known));
	else
		snprintf(text, size,
			"serial %s was sent to ACM; whether ACM holds it or %s%s is to be looked "
			"at by hand",
			known->new_serial,
			known->old_serial[0] != '\0' ? "still serial " : "nothing",
			known->old_serial);
	return text;
}

static void give_up(const struct job_known *known, struct job_decision *to, const char *text)
{
	char where[512];
	end(to, JOB_FAILED);
	say(to, "given up after %lld hours: %s; %s", (long long)life_s(known) / 3600, text,
		whereabouts(known, where, sizeof(where)));
}

static void try_again(const struct job_known *known, struct job_decision *to, const char *text)
{
	to->is_failure = true;
	if (is_worn_out(known)) {
		give_up(known, to, text);
		return;
	}
	to->wait_s = longer(known->last_wait_s, JOB_RETRY_MAX_S);
	say(to, "%s; will be tried again", text);
}

static void look_again(const struct job_known *known, struct job_decision *to)
{
	to->wait_s = longer(known->last_wait_s, JOB_LOOK_MAX_S);
}

/* What waits for days, and could be read before, waits until it can be again. */
static bool outlives(const struct job_known *known)
{
	enum err_kind kind = known->err->kind;
	bool is_denial = kind == ERR_DENIED || kind == ERR_DENIED_BY_SCP || kind == ERR_ROLE;
	return is_denial && known->phase == JOB_DRAIN && known->last_wait_s > 0;
}

/* A step that only reads met an error. */
static void reading_failed(const struct job_known *known, struct job_decision *to)
{
	if (known->may_have_imported || job_error_passes(known->err) || outlives(known)) {
		try_again(known, to, known->err->text);
		return;
	}
	end(to, JOB_FAILED);
	say(to, "%s; %s%s", known->err->text, nothing_changed, once_mended(known));
}

static void cancelled(struct job_decision *to)
{
	end(to, JOB_CANCELLED);
	say(to, "cancelled before anything was sent; %s", nothing_changed);
}

/* --- CHECK, DRAIN, KEEP ----------------------------------------------------------------------- */

/* What was imported a moment ago may not show yet. */
static bool may_show_yet(const struct job_known *known, struct job_decision *to)
{
	if (known->holds != JOB_HOLDS_NOTHING || !is_patient(known, JOB_FIND_PATIENCE_S))
		return false;
	look_again(known, to);
	say(to, "ACM shows no certificate under this ARN; will be looked at again");
	return true;
}

static void check_delete(const struct job_known *known, struct job_decision *to)
{
	if (may_show_yet(known, to))
		return;
	if (known->holds == JOB_HOLDS_NOTHING) {
		end(to, JOB_SUCCEEDED);
		say(to, "ACM has no such certificate: there was nothing to delete");
	} else if (known->in_use_by[0] == '\0') {
		go_on(to, JOB_DELETE_CALL);
		say(to, "nothing uses serial %s; its public part is archived", known->held_serial);
	} else if (known->phase == JOB_DRAIN) {
		if (is_worn_out(known)) {
			end(to, JOB_FAILED);
			say(to, "still in use by %s after %d days; %s", known->in_use_by,
				JOB_DRAIN_LIFE_S / 86400, nothing_changed);
			return;
		}
		to->wait_s = longer(known->last_wait_s, JOB_RETRY_MAX_S);
		say(to, "in use by %s; waits until nothing uses it", known->in_use_by);
	} else {
		end(to, JOB_FAILED);
		say(to,
			"in use by %s: not deleted; %s: take it out of use there, or delete with "
			"--wait-until-unused",
			known->in_use_by, nothing_changed);
	}
}

/* After a void plan; a rollback has none to make anew. */
static const char *plan_again(const struct job_known *known)
{
	return known->kind == JOB_DELIVER ? ": plan again" : "";
}

static void replaced(const struct job_known *known, struct job_decision *to)
{
	char what[JOB_REASON_MAX];
	bool is_ours = known->held_by_job[0] != '\0';
	if (known->holds == JOB_HOLDS_MIXED)
		snprintf(what, sizeof(what), "ACM's answers tell of two serials");
	else if (strcmp(known->held_serial, known->old_serial) == 0)
		snprintf(what, sizeof(what), "another certificate with serial %s",
			known->held_serial);
	else
		snprintf(what, sizeof(what), "serial %s instead of %s", known->held_serial,
			known->old_serial);
	end(to, JOB_FAILED);
	say(to, "void: %s%s replaced it (%s); %s%s", is_ours ? "job " : "",
		is_ours ? known->held_by_job : "someone else", what, nothing_changed,
		plan_again(known));
}

static void check_import(const struct job_known *known, struct job_decision *to)
{
	if (!known->has_arn) {
		go_on(to, JOB_KEEP);
		say(to, "a first import: there is nothing to compare with");
		return;
	}
	if (may_show_yet(known, to))
		return;
	switch (known->holds) {
	case JOB_HOLDS_NOTHING:
		end(to, JOB_FAILED);
		say(to, "void: ACM has no certificate under this ARN any more; %s%s",
			nothing_changed, plan_again(known));
		return;
	case JOB_HOLDS_OLD:
		go_on(to, JOB_KEEP);
		say(to, "ACM holds serial %s, as planned", known->held_serial);
		return;
	case JOB_HOLDS_NEW:
		if (known->kind == JOB_ROLLBACK) { /* perhaps a stale read from before */
			go_on(to, JOB_KEEP);
			say(to, "ACM shows serial %s already; it is sent to be sure",
				known->held_serial);
			return;
		}
		go_on(to, JOB_TAG);
		to->may_have_imported = true;
		say(to, "ACM holds serial %s already: nothing is imported", known->held_serial);
		return;
	case JOB_HOLDS_MIXED:
		if (is_patient(known, JOB_OTHER_PATIENCE_S)) {
			look_again(known, to);
			say(to, "ACM's answers tell of two serials; will be looked at again");
			return;
		}
		break;
	case JOB_HOLDS_OTHER:
		break;
	}
	replaced(known, to);
}

static void after_check(const struct job_known *known, struct job_decision *to)
{
	if (known->is_cancel_asked)
		cancelled(to);
	else if (known->err != NULL)
		reading_failed(known, to);
	else if (known->phase == JOB_CHECK && is_worn_out(known))
		give_up(known, to, "it has not begun"); /* the sensor was off for so long */
	else if (known->kind == JOB_DELETE)
		check_delete(known, to);
	else
		check_import(known, to);
}

static void after_keep(const struct job_known *known, struct job_decision *to)
{
	if (known->is_cancel_asked) {
		cancelled(to);
		return;
	}
	go_on(to, JOB_IMPORT);
	if (known->no_rollback[0] == '\0')
		say(to, "what the way back needs is kept");
	else
		say(to, "what can be kept is kept; there will be no way back: %s",
			known->no_rollback);
}

/* --- IMPORT and FIND -------------------------------------------------------------------------- */

static void key_is_lost(const struct job_known *known, struct job_decision *to)
{
	char where[512];
	bool is_rollback = known->kind == JOB_ROLLBACK && !known->may_have_imported;
	end(to, is_rollback ? JOB_IMPOSSIBLE : JOB_FAILED);
	say(to, "%s; %s", known->key_text, whereabouts(known, where, sizeof(where)));
}

static void import_refused(const struct job_known *known, struct job_decision *to)
{
	bool is_quota = strcmp(known->err->code, "LimitExceededException") == 0;
	char where[512];
	if (job_error_is_conflict(known->err) && known->may_have_imported) {
		to->is_failure = true;
		go_on(to, JOB_FIND);
		say(to, "%s; perhaps of what was sent before: ACM is asked whether it has it",
			known->err->text);
		return;
	}
	bool may_pass = job_error_is_away(known->err) || job_error_is_conflict(known->err) ||
			known->err->kind == ERR_THROTTLED || known->err->kind == ERR_TIMEOUT;
	if (may_pass && !is_quota) {
		try_again(known, to, known->err->text);
		return;
	}
	end(to, JOB_FAILED);
	say(to, "ACM refused the import: %s%s; %s", known->err->text,
		is_quota ? " (a quota of the account: not tried again)" : "",
		whereabouts(known, where, sizeof(where)));
}

static void after_import(const struct job_known *known, struct job_decision *to)
{
	if (known->is_cancel_asked && !known->may_have_imported && !known->is_sent) {
		cancelled(to);
	} else if (known->is_key_lost) {
		key_is_lost(known, to);
	} else if (!known->is_sent && known->err != NULL) {
		try_again(known, to, known->err->text);
	} else if (known->err == NULL) {
		to->may_have_imported = true;
		go_on(to, JOB_TAG);
		say(to, "ACM took serial %s", known->new_serial);
	} else if (job_error_is_doubt(known->err)) {
		to->may_have_imported = true;
		to->is_failure = true;
		go_on(to, JOB_FIND);
		say(to, "%s; ACM is asked whether it has it before anything is repeated",
			known->err->text);
	} else {
		import_refused(known, to);
	}
}

static void someone_else(const struct job_known *known, struct job_decision *to)
{
	char bringer[160] = "";
	if (is_patient(known, JOB_OTHER_PATIENCE_S)) {
		look_again(known, to);
		say(to, "ACM shows serial %s, neither the old nor the new one; will be looked at again",
			known->held_serial);
		return;
	}
	if (known->held_by_job[0] != '\0')
		snprintf(bringer, sizeof(bringer), ": job %s brought it", known->held_by_job);
	end(to, JOB_FAILED);
	to->is_roll_back =
		known->auto_rollback && known->no_rollback[0] == '\0' && known->kind == JOB_DELIVER;
	say(to, "ACM holds serial %s, neither the old one (%s) nor the new one (%s)%s%s",
		known->held_serial, known->old_serial, known->new_serial, bringer,
		to->is_roll_back ? "" : "; plan again to replace it");
}

static void after_find(const struct job_known *known, struct job_decision *to)
{
	int64_t patience_s = known->has_arn ? JOB_FIND_PATIENCE_S : JOB_FIND_NEW_PATIENCE_S;
	if (known->err != NULL) {
		reading_failed(known, to);
		return;
	}
	/* One answer that tells of the new one is enough; of what a rollback brings, an old may. */
	bool is_in_part = known->holds == JOB_HOLDS_MIXED && known->kind == JOB_DELIVER;
	if (known->holds == JOB_HOLDS_NEW || is_in_part) {
		go_on(to, JOB_TAG);
		say(to, "ACM has serial %s: the import whose answer was lost is adopted",
			known->new_serial);
		return;
	}
	if (known->holds == JOB_HOLDS_OTHER) {
		someone_else(known, to);
		return;
	}
	if (is_patient(known, patience_s)) {
		look_again(known, to);
		say(to, "serial %s is not there yet; will be looked at again", known->new_serial);
		return;
	}
	if (known->has_arn && known->holds == JOB_HOLDS_NOTHING) {
		end(to, JOB_FAILED);
		say(to, "ACM has no certificate under this ARN any more: it was deleted meanwhile%s",
			plan_again(known));
		return;
	}
	if (is_worn_out(known)) {
		try_again(known, to, "the import got lost again and again");
		return;
	}
	go_on(to, JOB_IMPORT);
	to->is_resend = true;
	say(to, "not there after %lld s of looking: the import got lost and is sent again",
		(long long)patience_s);
}

/* --- TAG, CONFIRM, VERIFY --------------------------------------------------------------------- */

static void after_tag(const struct job_known *known, struct job_decision *to)
{
	const struct err *err = known->err;
	/* A first import may not show yet. */
	bool may_pass = err != NULL && (job_error_passes(err) || err->kind == ERR_NOT_FOUND);
	if (err != NULL &&
		(job_error_is_away(err) || (may_pass && is_patient(known, JOB_TAG_PATIENCE_S)))) {
		try_again(known, to, err->text);
		return;
	}
	if (err == NULL && known->missing_tags[0] != '\0' &&
		is_patient(known, JOB_TAG_PATIENCE_S)) {
		look_again(known, to);
		say(to, "tags do not show yet: %s; will be looked at again", known->missing_tags);
		return;
	}
	go_on(to, JOB_CONFIRM);
	if (err != NULL) {
		to->is_failure = to->has_tag_warning = true;
		say(to, "tags could not be set: %s", err->text);
	} else if (known->missing_tags[0] != '\0') {
		to->is_failure = to->has_tag_warning = true;
		say(to, "tags are missing: %s", known->missing_tags);
	} else {
		say(to, "tags are complete");
	}
}

/* How a job ends whose certificate is in ACM. */
static void proved(const struct job_known *known, struct job_decision *to, const char *hosts)
{
	end(to, known->kind == JOB_ROLLBACK ? JOB_RESTORED : JOB_SUCCEEDED);
	say(to, "ACM holds serial %s%s%s%s%s", known->new_serial, hosts[0] != '\0' ? "; " : "",
		hosts, known->tag_warning[0] != '\0' ? "; warning: " : "", known->tag_warning);
}

static void after_confirm(const struct job_known *known, struct job_decision *to)
{
	if (known->err != NULL) {
		reading_failed(known, to);
		return;
	}
	if (known->holds == JOB_HOLDS_OTHER) {
		someone_else(known, to);
	} else if (known->holds == JOB_HOLDS_NEW && known->hosts == 0) {
		proved(known, to, "");
	} else if (known->holds == JOB_HOLDS_NEW) {
		go_on(to, JOB_VERIFY);
		say(to, "ACM holds serial %s", known->new_serial);
	} else if (is_patient(known, JOB_CONFIRM_PATIENCE_S)) {
		look_again(known, to);
		say(to, "ACM does not show serial %s everywhere yet; will be looked at again",
			known->new_serial);
	} else if (known->holds == JOB_HOLDS_NOTHING) {
		end(to, JOB_FAILED);
		say(to, "ACM took serial %s but has no certificate under this ARN now%s",
			known->new_serial, plan_again(known));
	} else {
		end(to, JOB_FAILED);
		say(to, "ACM took serial %s but still shows serial %s after %d minutes%s",
			known->new_serial, known->held_serial, JOB_CONFIRM_PATIENCE_S / 60,
			plan_again(known));
	}
}

static void after_verify(const struct job_known *known, struct job_decision *to)
{
	char text[JOB_REASON_MAX], unreachable[48] = "";
	const char *hosts = known->hosts == 1 ? "host" : "hosts";
	if ((known->other > 0 && is_patient(known, JOB_VERIFY_PATIENCE_S)) ||
		(known->unreachable > 0 && is_patient(known, JOB_UNREACHABLE_PATIENCE_S))) {
		look_again(known, to);
		say(to,
			"served by %u of %u %s, %u with another certificate, %u not reachable; "
			"will be asked again",
			known->served, known->hosts, hosts, known->other, known->unreachable);
		return;
	}
	if (known->unreachable > 0)
		snprintf(unreachable, sizeof(unreachable), "; warning: %u not reachable",
			known->unreachable);
	if (known->other == 0) {
		snprintf(text, sizeof(text), "served by %u of %u %s%s", known->served, known->hosts,
			hosts, unreachable);
		proved(known, to, text);
		return;
	}
	bool is_asked = known->kind == JOB_DELIVER && known->auto_rollback;
	if (is_asked && known->no_rollback[0] == '\0') {
		end(to, JOB_FAILED);
		to->is_roll_back = true;
		say(to, "%s still serves another certificate after %d minutes", known->other_host,
			JOB_VERIFY_PATIENCE_S / 60);
		return;
	}
	snprintf(text, sizeof(text),
		"served by %u of %u %s; warning: %s still serves another certificate%s%s",
		known->served, known->hosts, hosts, known->other_host,
		is_asked ? ", and there is no way back: " : "", is_asked ? known->no_rollback : "");
	proved(known, to, text);
}

/* --- DELETE_CALL ------------------------------------------------------------------------------ */

static void after_delete(const struct job_known *known, struct job_decision *to)
{
	const struct err *err = known->err;
	if (known->is_cancel_asked && !known->is_sent) {
		cancelled(to);
	} else if (err == NULL || err->kind == ERR_NOT_FOUND) {
		end(to, JOB_SUCCEEDED);
		say(to, "deleted; its public part stays in the archive");
	} else if (strcmp(err->code, "ResourceInUseException") == 0) {
		if (is_patient(known, JOB_IN_USE_PATIENCE_S)) {
			to->is_failure = true;
			look_again(known, to);
			say(to, "%s; what ACM knows of its users lags; will be tried again",
				err->text);
			return;
		}
		end(to, JOB_FAILED);
		say(to, "%s; %s", err->text, nothing_changed);
	} else if (job_error_passes(err) || err->kind == ERR_ROLE || job_error_is_conflict(err)) {
		try_again(known, to, err->text);
	} else {
		end(to, JOB_FAILED);
		say(to, "ACM refused to delete it: %s; %s", err->text, nothing_changed);
	}
}

/* --- all -------------------------------------------------------------------------------------- */

static void stay(const struct job_known *known, struct job_decision *to)
{
	*to = (struct job_decision){.phase = known->phase,
		.state = JOB_RUNNING,
		.may_have_imported = known->may_have_imported};
}

void job_next_away(const struct job_known *known, int64_t wait_s, struct job_decision *ret_decision)
{
	struct job_decision *to = ret_decision;
	stay(known, to);
	if (known->is_cancel_asked && !known->may_have_imported) {
		cancelled(to);
		return;
	}
	try_again(known, to, known->err->text);
	if (to->state == JOB_RUNNING)
		to->wait_s = wait_s;
}

void job_next(const struct job_known *known, struct job_decision *ret_decision)
{
	struct job_decision *to = ret_decision;
	stay(known, to);
	switch (known->phase) {
	case JOB_CHECK:
	case JOB_DRAIN:
		after_check(known, to);
		return;
	case JOB_KEEP:
		after_keep(known, to);
		return;
	case JOB_IMPORT:
		after_import(known, to);
		return;
	case JOB_FIND:
		after_find(known, to);
		return;
	case JOB_TAG:
		after_tag(known, to);
		return;
	case JOB_CONFIRM:
		after_confirm(known, to);
		return;
	case JOB_VERIFY:
		after_verify(known, to);
		return;
	case JOB_DELETE_CALL:
		after_delete(known, to);
		return;
	case JOB_DONE:
		break;
	}
	abort(); /* nothing is done in JOB_DONE */
}

enum job_phase job_next_resumed(const struct job_record *job)
{
	switch (job->phase) {
	case JOB_KEEP: /* what ACM holds has to be read again */
	case JOB_IMPORT:
		return job->may_have_imported ? JOB_FIND : JOB_CHECK;
	case JOB_CONFIRM: /* what was seen of tags and hosts is told at the end: seen again */
	case JOB_VERIFY:
		return JOB_TAG;
	case JOB_CHECK:
	case JOB_FIND:
	case JOB_TAG:
	case JOB_DRAIN:
	case JOB_DELETE_CALL:
	case JOB_DONE:
		return job->phase;
	}
	return job->phase;
}
