/* Which index a query walks, and where. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "store/cert_query_internal.h"

static void add_range(struct cert_ranges *ranges, struct key low, struct key high)
{
	ranges->range =
		xgrow(ranges->range, &ranges->capacity, ranges->count, sizeof(*ranges->range));
	ranges->range[ranges->count++] = (struct cert_range){.low = low, .high = high};
}

static void add_prefix(struct cert_ranges *ranges, struct key prefix)
{
	add_range(ranges, prefix, key_after_prefix(&prefix));
}

/* "shop.example.com": entries of that very name and of "*.example.com". */
static void domain_ranges(struct cert_ranges *ranges, const char *domain)
{
	add_prefix(ranges, key_cert_domain_exact(domain));
	const char *dot = strchr(domain, '.');
	if (dot == NULL || domain[0] == '*')
		return;
	char *wildcard = xasprintf("*%s", dot);
	add_prefix(ranges, key_cert_domain_exact(wildcard));
	free(wildcard);
}

static void expiry_range(struct cert_ranges *ranges, const struct cert_filter *filter)
{
	struct key low = key_empty(), high = key_empty();
	bool is_bounded = filter->expires_before_s != 0 || filter->expires_after_s != 0;
	if (filter->expires_after_s != 0 && filter->expires_after_s < INT64_MAX)
		low = key_cert_expiry(filter->expires_after_s + 1, NULL);
	if (filter->expires_before_s != 0 && filter->expires_before_s < INT64_MAX - 1)
		high = key_cert_expiry(filter->expires_before_s + 1, NULL);
	else if (is_bounded)
		high = key_cert_expiry(0, NULL); /* without those that have no NotAfter */
	add_range(ranges, low, high);
	ranges->table = TABLE_CERT_EXPIRY;
	ranges->is_in_order_of_expiry = true;
}

/* "arn:aws:acm:eu-west-1:..." -> "aws", "eu-west-1". false: not an ARN that certs.c lets in. */
static bool split_arn(struct slice arn, char partition[64], char region[64])
{
	char *part[] = {NULL, partition, NULL, region};
	const unsigned char *at = arn.bytes, *end = arn.bytes + arn.len;
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		const unsigned char *colon = memchr(at, ':', (size_t)(end - at));
		if (colon == NULL || colon - at >= 64)
			return false;
		if (part[i] != NULL) {
			memcpy(part[i], at, (size_t)(colon - at));
			part[i][colon - at] = '\0';
		}
		at = colon + 1;
	}
	return true;
}

/*
 * ARNs sort by partition, region, account. From one place that exists to the next takes one seek,
 * so that an account's certificates are found without knowing the regions beforehand.
 */
static void place_ranges(
	struct store_txn *txn, const struct cert_filter *filter, struct cert_ranges *ranges)
{
	struct key at = key_empty();
	struct slice key, value;
	while (txn_seek(txn, TABLE_CERTS, &at, true, &key, &value)) {
		char partition[64], region[64];
		struct key seen = key_empty();
		bool is_arn = split_arn(key, partition, region);
		if (is_arn)
			seen = key_cert_place(partition, region, NULL);
		/* It must begin with its own place: else the next seek would go back. */
		if (!is_arn || seen.is_unfit || !key_is_prefix_of(&seen, key.bytes, key.len)) {
			txn_fail_damaged(txn, TABLE_CERTS, key, "not a certificate's ARN");
			return;
		}
		const char *wanted = filter->region != NULL ? filter->region : region;
		add_prefix(ranges, key_cert_place(partition, wanted, filter->account_id));
		if (filter->region != NULL)
			seen.len = strlen("arn:") + strlen(partition) + strlen(":");
		at = key_after_prefix(&seen);
	}
	ranges->is_in_order_of_arn = true;
}

void cert_ranges_make(struct store_txn *txn, const struct cert_filter *filter, enum cert_sort sort,
	struct cert_ranges *ret)
{
	unsigned char sha256[CERT_SHA256_LEN];
	struct cert_ranges ranges = {.table = TABLE_CERTS, .is_unique = true};
	bool has_expiry = filter->expires_before_s != 0 || filter->expires_after_s != 0;
	bool has_place = filter->account_id != NULL || filter->region != NULL;
	if (filter->arn != NULL) {
		/* One record: up to the least key above it. */
		struct key above = key_cert(filter->arn);
		above.bytes[above.len++] = '\0';
		ranges.is_in_order_of_arn = true;
		add_range(&ranges, key_cert(filter->arn), above);
	} else if (filter->fingerprint != NULL &&
		   text_unhex(filter->fingerprint, sha256, sizeof(sha256))) {
		ranges.table = TABLE_CERT_FINGERPRINT;
		ranges.is_in_order_of_arn = true;
		add_prefix(&ranges, key_cert_fingerprint(sha256, NULL));
	} else if (filter->domain != NULL) {
		ranges.table = TABLE_CERT_DOMAIN;
		ranges.is_unique = false;
		domain_ranges(&ranges, filter->domain);
	} else if (filter->domain_suffix != NULL) {
		ranges.table = TABLE_CERT_DOMAIN;
		ranges.is_unique = false;
		add_prefix(&ranges, key_cert_domain_exact(filter->domain_suffix));
		add_prefix(&ranges, key_cert_domain_below(filter->domain_suffix));
	} else if (has_expiry || (!has_place && sort == CERT_SORT_EXPIRES)) {
		expiry_range(&ranges, filter);
	} else if (has_place) {
		place_ranges(txn, filter, &ranges);
	} else {
		ranges.is_in_order_of_arn = true;
		add_range(&ranges, key_empty(), key_empty());
	}
	*ret = ranges;
}

void cert_ranges_clear(struct cert_ranges *ranges)
{
	free(ranges->range);
	*ranges = (struct cert_ranges){.range = NULL};
}
