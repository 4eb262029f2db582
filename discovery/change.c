/* What a listed certificate costs in calls; see change.h. */
#include "discovery/change.h"

#include <string.h>

#include "aws/acm_read.h"
#include "base/x509.h"
#include "discovery/acm_scan.h"

/* FNV-1a: only to spread, nobody gains by choosing it. */
static uint64_t hash(const char *text)
{
	uint64_t value = 14695981039346656037ULL;
	for (; *text != '\0'; text++)
		value = (value ^ (unsigned char)*text) * 1099511628211ULL;
	return value;
}

static bool is_detail_due(
	const char *arn, int64_t detailed_s, int64_t now_s, int64_t detail_max_age_s)
{
	int64_t half_s = detail_max_age_s / 2;
	int64_t wait_s = detail_max_age_s - half_s + (int64_t)(hash(arn) % (uint64_t)(half_s + 1));
	return detailed_s > now_s /* the clock went back */ || now_s - detailed_s >= wait_s;
}

/* ACM renews these by itself (or fails to), and tells of it only in Describe. */
static bool is_renewal_near(const struct acm_summary *summary, int64_t now_s)
{
	return strcmp(summary->type, "IMPORTED") != 0 && summary->not_after_s > now_s &&
	       summary->not_after_s - now_s <= ACM_SCAN_PENDING_DAYS * (int64_t)86400;
}

/* What was read last told of another state than the list, then as now: AWS changed in between, or
 * was not consistent yet, and the digest of the list will not tell. */
static bool is_contradicted(const struct acm_summary *summary, const struct cert_record *known)
{
	bool is_other_status =
		known->status[0] != '\0' && strcmp(summary->status, known->status) != 0;
	return is_other_status || !change_is_same_time(summary->not_after_s, known->not_after_s);
}

enum change change_decide(const struct acm_summary *summary, const struct cert_record *known,
	int64_t now_s, int64_t detail_max_age_s)
{
	_Static_assert((int)CERT_DIGEST_LEN == (int)ACM_DIGEST_LEN, "one digest, kept as it is");
	if (known == NULL || known->gone_s != 0 || known->detail_error[0] != '\0')
		return CHANGE_ALL;
	if (memcmp(known->summary_digest, summary->digest, CERT_DIGEST_LEN) != 0)
		return CHANGE_ALL;
	if (is_contradicted(summary, known) ||
		is_detail_due(summary->arn, known->detailed_s, now_s, detail_max_age_s))
		return CHANGE_ALL;
	if (summary->in_use != (known->in_use_by.count > 0))
		return CHANGE_DESCRIBE; /* the same, where Describe alone tells more */
	if (strcmp(summary->status, "PENDING_VALIDATION") == 0 || is_renewal_near(summary, now_s))
		return CHANGE_DESCRIBE;
	return CHANGE_NONE;
}

bool change_is_same_serial(const char *a, const char *b)
{
	return a[0] == '\0' || b[0] == '\0' || x509_is_same_serial(a, b);
}

bool change_is_same_time(int64_t a_s, int64_t b_s)
{
	return a_s == 0 || b_s == 0 || (a_s - b_s <= 1 && b_s - a_s <= 1);
}

bool change_is_new_version(const struct acm_detail *detail, const char *serial, int64_t not_after_s)
{
	bool is_first = serial[0] == '\0' && detail->serial[0] != '\0';
	return is_first || !change_is_same_serial(detail->serial, serial) ||
	       !change_is_same_time(detail->not_after_s, not_after_s);
}

bool change_may_have_pem(const char *status)
{
	return strcmp(status, "PENDING_VALIDATION") != 0 &&
	       strcmp(status, "VALIDATION_TIMED_OUT") != 0 && strcmp(status, "FAILED") != 0;
}
