/* Which certificates enter the store; see import_policy.h. */
#include "discovery/import_policy.h"

#include <string.h>

#include "aws/acm_read.h"
#include "base/err.h"
#include "base/text.h"

enum { DAY_S = 86400, DATE_LEN = 10, RANGE_SIDE_MAX = 64 };

static int bad_text(const char *text, struct err *err)
{
	return err_set(err, ERR_CONFIG,
		"\"%s\" is none of: no, a duration (90d), a range of dates "
		"(2024-01-01..2025-06-30)",
		text);
}

/* "2024-01-01..2025-06-30": from the first second of one to the last second of the other. */
static int parse_range(
	const char *text, const char *dots, struct import_policy *policy, struct err *err)
{
	char from[RANGE_SIDE_MAX], to[RANGE_SIDE_MAX];
	size_t from_len = (size_t)(dots - text);
	if (from_len >= sizeof(from) || !text_copy(to, sizeof(to), dots + strlen("..")))
		return bad_text(text, err);
	memcpy(from, text, from_len);
	from[from_len] = '\0';
	int64_t from_s, to_s;
	if (text_parse_time(from, &from_s, err) != 0 || text_parse_time(to, &to_s, err) != 0)
		return bad_text(text, err);
	if (strlen(to) == DATE_LEN)
		to_s += DAY_S - 1;
	if (from_s > to_s)
		return err_set(err, ERR_CONFIG, "\"%s\" ends before it begins", text);
	policy->has_expired = true;
	policy->expired_within_s = 0;
	policy->expired_from_s = from_s;
	policy->expired_to_s = to_s;
	return 0;
}

int import_expired_parse(const char *text, struct import_policy *policy, struct err *err)
{
	if (strcmp(text, "no") == 0) {
		policy->has_expired = false;
		return 0;
	}
	const char *dots = strstr(text, "..");
	if (dots != NULL)
		return parse_range(text, dots, policy, err);
	int64_t within_s;
	if (text_parse_duration(text, &within_s, err) != 0)
		return bad_text(text, err);
	if (within_s == 0)
		return err_set(
			err, ERR_CONFIG, "\"%s\" is no time at all; \"no\" switches it off", text);
	policy->has_expired = true;
	policy->expired_within_s = within_s;
	policy->expired_from_s = policy->expired_to_s = 0;
	return 0;
}

/* An end that AWS does not tell is not a reason to hide a certificate that was asked for. */
static bool admits_expired(const struct import_policy *policy, int64_t not_after_s, int64_t now_s)
{
	if (!policy->has_expired)
		return false;
	if (not_after_s == 0)
		return true;
	if (policy->expired_within_s > 0)
		return not_after_s >= now_s - policy->expired_within_s;
	return not_after_s >= policy->expired_from_s && not_after_s <= policy->expired_to_s;
}

bool import_policy_admits(
	const struct import_policy *policy, const struct acm_summary *summary, int64_t now_s)
{
	switch (policy->mode) {
	case IMPORT_ALL:
		return true;
	case IMPORT_OFF:
		return false;
	case IMPORT_VALID:
		break;
	}
	if (strcmp(summary->status, "REVOKED") == 0)
		return policy->has_revoked;
	/* AWS's status may lag behind the end of the certificate. */
	bool has_ended = summary->not_after_s != 0 && summary->not_after_s < now_s;
	if (strcmp(summary->status, "EXPIRED") == 0 || has_ended)
		return admits_expired(policy, summary->not_after_s, now_s);
	return true;
}
