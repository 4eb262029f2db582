/* Whether a certificate matches a filter. Pure. */
#include <string.h>

#include "base/text.h"
#include "store/cert_query.h"
#include "store/domain_name.h"

bool cert_name_covers(const char *pattern, const char *host)
{
	if (text_equal_ci(pattern, host))
		return true;
	if (pattern[0] != '*' || pattern[1] != '.')
		return false;
	const char *dot = strchr(host, '.');
	return dot != NULL && dot != host && text_equal_ci(dot + 1, pattern + 2);
}

static bool is_same_or_any(const char *wanted, const char *is)
{
	return wanted == NULL || strcmp(wanted, is) == 0;
}

static bool is_expired(const struct cert_record *record, int64_t now_s)
{
	return record->not_after_s != 0 && record->not_after_s <= now_s;
}

static bool matches_status(const struct cert_filter *filter, const struct cert_record *record)
{
	if (filter->status == NULL || text_equal_ci(filter->status, record->status))
		return true;
	return text_equal_ci(filter->status, "EXPIRED") && is_expired(record, filter->now_s);
}

static bool matches_expiry(const struct cert_filter *filter, const struct cert_record *record)
{
	if (filter->expires_before_s == 0 && filter->expires_after_s == 0)
		return true;
	if (record->not_after_s == 0)
		return false;
	return (filter->expires_before_s == 0 || record->not_after_s <= filter->expires_before_s) &&
	       (filter->expires_after_s == 0 || record->not_after_s > filter->expires_after_s);
}

static bool matches_name(const struct cert_filter *filter, const char *name)
{
	return (filter->domain == NULL || cert_name_covers(name, filter->domain)) &&
	       (filter->domain_suffix == NULL || domain_name_is_below(name, filter->domain_suffix));
}

/* With both filters one name has to satisfy both. */
static bool matches_names(const struct cert_filter *filter, const struct cert_record *record)
{
	if (filter->domain == NULL && filter->domain_suffix == NULL)
		return true;
	if (matches_name(filter, record->domain_name))
		return true;
	const char *name = pack_first(&record->sans);
	for (; name != NULL; name = pack_next(&record->sans, name))
		if (matches_name(filter, name))
			return true;
	return false;
}

static bool matches_tags(const struct cert_filter *filter, const struct cert_record *record)
{
	if (filter->tag_key == NULL)
		return true;
	for (const char *key = NULL, *value = NULL; pack_next_pair(&record->tags, &key, &value);)
		if (strcmp(key, filter->tag_key) == 0)
			return is_same_or_any(filter->tag_value, value);
	return false;
}

static bool matches_fingerprint(const struct cert_filter *filter, const struct cert_record *record)
{
	if (filter->fingerprint == NULL)
		return true;
	char hex[2 * CERT_SHA256_LEN + 1];
	text_hex(record->fingerprint_sha256, CERT_SHA256_LEN, hex);
	return strcmp(hex, filter->fingerprint) == 0;
}

bool cert_filter_matches(const struct cert_filter *filter, const struct cert_record *record)
{
	return (filter->include_gone || record->gone_s == 0) &&
	       is_same_or_any(filter->arn, record->arn) &&
	       is_same_or_any(filter->connector, record->connector) &&
	       is_same_or_any(filter->account_id, record->account_id) &&
	       is_same_or_any(filter->region, record->region) &&
	       is_same_or_any(filter->serial, record->serial) &&
	       (filter->in_use < 0 || (filter->in_use != 0) == record->in_use) &&
	       (filter->type == NULL || text_equal_ci(filter->type, record->type)) &&
	       matches_status(filter, record) && matches_expiry(filter, record) &&
	       matches_fingerprint(filter, record) && matches_names(filter, record) &&
	       matches_tags(filter, record);
}
