/*
 * Orders that no index has: each match leaves a sort key and its ARN, about 150 bytes; sorted, they
 * are the order in which the records are read again.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/cert_query_internal.h"

struct cert_item {
	size_t at; /* in bytes: sort key, then ARN */
	uint32_t sort_len, arn_len;
};

enum { SORT_NAME_MAX = 255 }; /* what lies behind no longer counts for the order */

/* --- sort keys ------------------------------------------------------------------------------- */

static void add(struct cert_collection *collection, const void *bytes, size_t len)
{
	while (collection->capacity - collection->len < len)
		collection->bytes =
			xgrow(collection->bytes, &collection->capacity, collection->capacity, 1);
	if (len > 0)
		memcpy(collection->bytes + collection->len, bytes, len);
	collection->len += len;
}

/* Lower case, ended by a NUL so that a shorter name sorts first. */
static void add_name(struct cert_collection *collection, const char *name)
{
	unsigned char lower[SORT_NAME_MAX + 1];
	size_t len = 0;
	for (; len < SORT_NAME_MAX && name[len] != '\0'; len++) {
		char c = name[len];
		lower[len] = (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	lower[len++] = '\0';
	add(collection, lower, len);
}

static void add_time(struct cert_collection *collection, int64_t time_s, bool is_newest_first)
{
	uint64_t sorted = (uint64_t)time_s ^ (UINT64_C(1) << 63);
	uint64_t big = htobe64(is_newest_first ? ~sorted : sorted);
	add(collection, &big, sizeof(big));
}

static void add_expiry(struct cert_collection *collection, const struct cert_record *record)
{
	add_time(collection, record->not_after_s != 0 ? record->not_after_s : INT64_MAX, false);
}

static void add_sort_key(
	struct cert_collection *collection, enum cert_sort sort, const struct cert_record *record)
{
	switch (sort) {
	case CERT_SORT_EXPIRES:
		add_expiry(collection, record);
		return;
	case CERT_SORT_DOMAIN:
		add_name(collection, record->domain_name);
		return;
	case CERT_SORT_ACCOUNT:
		add_name(collection, record->account_id);
		add_name(collection, record->region);
		add_name(collection, record->domain_name);
		return;
	case CERT_SORT_REGION:
		add_name(collection, record->region);
		add_name(collection, record->account_id);
		add_name(collection, record->domain_name);
		return;
	case CERT_SORT_STATUS:
		add_name(collection, record->status);
		add_expiry(collection, record);
		return;
	case CERT_SORT_TYPE:
		add_name(collection, record->type);
		add_expiry(collection, record);
		return;
	case CERT_SORT_FIRST_SEEN:
		add_time(collection, record->first_seen_s, true);
		return;
	case CERT_SORT_ARN:
		return; /* ties are broken by ARN anyway */
	}
}

/* --- the collection -------------------------------------------------------------------------- */

void cert_collection_add(
	struct cert_collection *collection, enum cert_sort sort, const struct cert_record *record)
{
	struct cert_item item = {.at = collection->len};
	add_sort_key(collection, sort, record);
	item.sort_len = (uint32_t)(collection->len - item.at);
	item.arn_len = (uint32_t)strlen(record->arn);
	add(collection, record->arn, item.arn_len);
	collection->item = xgrow(collection->item, &collection->item_capacity, collection->count,
		sizeof(*collection->item));
	collection->item[collection->count++] = item;
}

static int compare_arns(const void *a, const void *b, void *bytes)
{
	const struct cert_item *left = a, *right = b;
	const unsigned char *from = bytes;
	return key_compare(from + left->at + left->sort_len, left->arn_len,
		from + right->at + right->sort_len, right->arn_len);
}

/* Of one ARN the last collected first. */
static int compare_arns_and_age(const void *a, const void *b, void *bytes)
{
	const struct cert_item *left = a, *right = b;
	int order = compare_arns(a, b, bytes);
	if (order != 0)
		return order;
	return (left->at < right->at) - (left->at > right->at);
}

static int compare_items(const void *a, const void *b, void *bytes)
{
	const struct cert_item *left = a, *right = b;
	const unsigned char *from = bytes;
	int order = key_compare(from + left->at, left->sort_len, from + right->at, right->sort_len);
	return order != 0 ? order : compare_arns(a, b, bytes);
}

void cert_collection_sort(struct cert_collection *collection, bool is_unique)
{
	if (collection->count < 2)
		return;
	size_t kept = collection->count;
	if (!is_unique) {
		qsort_r(collection->item, collection->count, sizeof(*collection->item),
			compare_arns_and_age, collection->bytes);
		kept = 0;
		for (size_t i = 0; i < collection->count; i++)
			if (kept == 0 || compare_arns(&collection->item[kept - 1],
						 &collection->item[i], collection->bytes) != 0)
				collection->item[kept++] = collection->item[i];
	}
	collection->count = kept;
	qsort_r(collection->item, collection->count, sizeof(*collection->item), compare_items,
		collection->bytes);
}

struct key cert_collection_arn(const struct cert_collection *collection, size_t i)
{
	const struct cert_item *item = &collection->item[i];
	return key_bytes(collection->bytes + item->at + item->sort_len, item->arn_len);
}

void cert_collection_clear(struct cert_collection *collection)
{
	free(collection->bytes);
	free(collection->item);
	*collection = (struct cert_collection){.bytes = NULL};
}
