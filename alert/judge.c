#include "alert/judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { DAY_S = 86400, NAMES_MAX = 200 }; /* ACM's own limit is 100 names by default */

__attribute__((format(printf, 2, 3))) static void set_none(
	struct finding *finding, const char *format, ...)
{
	va_list args;
	*finding = (struct finding){.verdict = VERDICT_NONE, .days = ALERT_NO_DAYS};
	va_start(args, format);
	(void)vsnprintf(finding->reason, sizeof(finding->reason), format, args); /* cut */
	va_end(args);
}

__attribute__((format(printf, 5, 6))) static void set_alert(struct finding *finding,
	enum alert_class class, int64_t days, int64_t ends_s, const char *format, ...)
{
	va_list args;
	*finding = (struct finding){
		.verdict = VERDICT_ALERT, .class = class, .days = days, .ends_s = ends_s};
	va_start(args, format);
	(void)vsnprintf(finding->text, sizeof(finding->text), format, args); /* cut */
	va_end(args);
}

int64_t judge_days(const struct alert_settings *settings, int64_t ends_s, int64_t now_s)
{
	int64_t passed = ALERT_NO_DAYS;
	for (size_t i = 0; ends_s != 0 && i < settings->days_count; i++)
		if (ends_s - now_s <= settings->days[i] * DAY_S &&
			(passed == ALERT_NO_DAYS || settings->days[i] < passed))
			passed = settings->days[i];
	return passed;
}

/* --- certificates ----------------------------------------------------------------------------- */

static bool is_used(const struct cert_record *cert)
{
	return cert->in_use || cert->exported;
}

/* "AWS renews it", or why not. Source: facts.md, renewal (PENDING_VALIDATION: the owner must act;
 * what has ended is not renewed). */
static bool renews(const struct cert_record *cert, int64_t now_s, const char **ret_text)
{
	bool is_eligible = strcmp(cert->renewal_eligibility, "ELIGIBLE") == 0;
	if (strcmp(cert->type, "IMPORTED") == 0)
		*ret_text = "AWS does not renew it: it was imported";
	else if (cert->renewal_eligibility[0] == '\0')
		*ret_text = "AWS has not said whether it renews it";
	else if (!is_eligible)
		*ret_text = "AWS does not renew it: it is not eligible";
	else if (strcmp(cert->renewal_status, "FAILED") == 0)
		*ret_text = "AWS does not renew it: the renewal failed";
	else if (cert->not_after_s <= now_s)
		*ret_text = "AWS does not renew what has ended";
	else if (strcmp(cert->renewal_status, "PENDING_VALIDATION") == 0)
		*ret_text = "AWS does not renew it: the renewal waits for the owner to validate "
			    "the names";
	else {
		*ret_text = "AWS renews it";
		return true;
	}
	return false;
}

static enum alert_class class_of(bool is_renewed, bool is_in_use, int64_t days)
{
	if (!is_in_use)
		return days <= 7 ? ALERT_WARNING : ALERT_NOTICE;
	if (!is_renewed)
		return ALERT_EMERGENCY;
	return days <= 3 ? ALERT_CRITICAL : days <= 14 ? ALERT_WARNING : ALERT_NOTICE;
}

static void describe(const struct cert_record *cert, const char *twin_arn, int64_t days,
	int64_t read_s, int64_t now_s, struct finding *ret)
{
	bool is_stale = read_s != 0 && now_s - read_s > JUDGE_STALE_S;
	char end[TEXT_TIME_MAX], read[TEXT_TIME_MAX], use[64] = "not in use";
	const char *renewal;
	bool is_renewed = renews(cert, now_s, &renewal);
	if (cert->in_use && cert->in_use_by.count > 0)
		(void)snprintf(use, sizeof(use), "in use by %u", cert->in_use_by.count);
	else if (cert->in_use)
		(void)snprintf(use, sizeof(use), "in use");
	else if (cert->exported)
		(void)snprintf(use, sizeof(use), "exported");
	(void)text_format_time(cert->not_after_s, end);
	set_alert(ret, class_of(is_renewed, is_used(cert), days), days, cert->not_after_s,
		"%s %s %s; %s; %s%s%s%s%s",
		cert->domain_name[0] != '\0' ? cert->domain_name : "a certificate without a name",
		cert->not_after_s <= now_s ? "has ended" : "ends", end, use, renewal,
		twin_arn[0] != '\0' ? "; a newer one with the same names is there: " : "", twin_arn,
		is_stale ? "; last read " : "", is_stale ? text_format_time(read_s, read) : "");
}

void judge_certificate(const struct alert_settings *settings, const struct cert_record *cert,
	const char *twin_arn, int64_t read_s, int64_t now_s, struct finding *ret)
{
	char end[TEXT_TIME_MAX];
	int64_t days = judge_days(settings, cert->not_after_s, now_s);
	if (cert->gone_s != 0)
		set_none(ret, "the certificate is gone");
	else if (cert->not_after_s == 0)
		set_none(ret, "the certificate has no end");
	else if (days == ALERT_NO_DAYS)
		set_none(ret, "it ends %s, later than any threshold",
			text_format_time(cert->not_after_s, end));
	else if (!is_used(cert) && twin_arn[0] != '\0')
		set_none(ret, "replaced by %s", twin_arn);
	else if (!is_used(cert) && strcmp(cert->status, "REVOKED") == 0)
		set_none(ret, "revoked and not in use");
	else if (!is_used(cert) && now_s - cert->not_after_s > JUDGE_UNUSED_S)
		set_none(ret, "it has ended and nothing uses it");
	else
		describe(cert, twin_arn, days, read_s, now_s, ret);
}

static bool has_name(const struct cert_record *cert, const char *name)
{
	if (strcasecmp(cert->domain_name, name) == 0)
		return true;
	for (const char *at = pack_first(&cert->sans); at != NULL; at = pack_next(&cert->sans, at))
		if (strcasecmp(at, name) == 0)
			return true;
	return false;
}

static bool has_all_names(const struct cert_record *cert, const struct cert_record *of)
{
	if (of->domain_name[0] != '\0' && !has_name(cert, of->domain_name))
		return false;
	for (const char *at = pack_first(&of->sans); at != NULL; at = pack_next(&of->sans, at))
		if (!has_name(cert, at))
			return false;
	return true;
}

static bool has_same_names(const struct cert_record *a, const struct cert_record *b)
{
	bool is_nameless = a->domain_name[0] == '\0' && a->sans.count == 0;
	return !is_nameless && a->sans.count <= NAMES_MAX && b->sans.count <= NAMES_MAX &&
	       has_all_names(a, b) && has_all_names(b, a);
}

bool judge_is_twin(const struct cert_record *old, const struct cert_record *other, int64_t now_s)
{
	return strcmp(old->arn, other->arn) != 0 &&
	       strcmp(old->account_id, other->account_id) == 0 &&
	       strcmp(old->region, other->region) == 0 && other->gone_s == 0 &&
	       strcmp(other->status, "ISSUED") == 0 && other->not_after_s > old->not_after_s &&
	       other->not_after_s > now_s && other->not_before_s <= now_s &&
	       has_same_names(old, other);
}

/* --- coverage --------------------------------------------------------------------------------- */

void judge_coverage_add(struct coverage_sum *sum, const struct alert_settings *settings,
	const struct coverage_record *record, int64_t now_s)
{
	bool is_lasting = now_s - record->state_since_s >= settings->coverage_after_s ||
			  record->failures_in_row >= JUDGE_FAILURES;
	sum->total++;
	if (!coverage_is_problem(record->state) || record->state == COVERAGE_NEVER_TRIED ||
		!is_lasting)
		return;
	bool is_first = sum->lost == 0 && (record->last_success_s != 0 || sum->never == 0);
	if (is_first) {
		sum->state = record->state;
		(void)text_copy(sum->reason, sizeof(sum->reason), record->reason); /* cut */
	}
	if (record->last_success_s != 0)
		sum->lost++;
	else
		sum->never++;
}

void judge_coverage(const struct coverage_sum *sum, const char *account_id,
	bool is_connector_failing, struct finding *ret)
{
	if (sum->lost == 0 && sum->never == 0)
		set_none(ret, sum->total > 0 ? "it is read again, or not to be read"
					     : "the account is not known any more");
	else if (is_connector_failing)
		*ret = (struct finding){.verdict = VERDICT_UNKNOWN};
	else
		set_alert(ret, sum->lost > 0 ? ALERT_WARNING : ALERT_NOTICE, ALERT_NO_DAYS, 0,
			"account %s: %" PRId64 " of %" PRId64 " regions %s: %s%s%s", account_id,
			sum->lost > 0 ? sum->lost : sum->never, sum->total,
			sum->lost > 0 ? "cannot be read any more" : "could never be read",
			coverage_state_name(sum->state), sum->reason[0] != '\0' ? ": " : "",
			sum->reason);
}

/* --- the rest --------------------------------------------------------------------------------- */

void judge_connector(const struct cycle_record *cycle, struct finding *ret)
{
	if (cycle == NULL)
		set_none(ret, "the connector is not configured any more");
	else if (cycle->error[0] == '\0')
		set_none(ret, "its last cycle worked");
	else
		set_alert(ret, ALERT_CRITICAL, ALERT_NO_DAYS, 0,
			"connector %s: the last cycle failed: %s", cycle->connector, cycle->error);
}

void judge_job(const struct job_record *job, int64_t now_s, struct finding *ret)
{
	if (job == NULL)
		set_none(ret, "there is no such job");
	else if (job->state != JOB_FAILED && job->state != JOB_IMPOSSIBLE)
		set_none(ret, "the job has not failed");
	else if (now_s - job->ended_s > JUDGE_JOB_S)
		set_none(ret, "it failed more than a week ago");
	else
		set_alert(ret, job->kind == JOB_DELETE ? ALERT_WARNING : ALERT_CRITICAL,
			ALERT_NO_DAYS, 0, "job %s (%s) %s: %s", job->id, job_kind_name(job->kind),
			job->state == JOB_FAILED ? "failed" : "was impossible", job->reason);
}

void judge_identity(const struct alert_settings *settings, const char *source, int64_t expires_s,
	int64_t now_s, struct finding *ret)
{
	char end[TEXT_TIME_MAX];
	int64_t days = judge_days(settings, expires_s, now_s);
	if (expires_s == 0 || days == ALERT_NO_DAYS) {
		set_none(ret, "the credentials do not end soon");
		return;
	}
	set_alert(ret,
		days == 0   ? ALERT_EMERGENCY
		: days <= 1 ? ALERT_CRITICAL
		: days <= 7 ? ALERT_WARNING
			    : ALERT_NOTICE,
		days, expires_s, "the credentials (%s) %s %s and nobody renews them", source,
		expires_s <= now_s ? "have ended" : "end", text_format_time(expires_s, end));
}
