/*
 * One query: walk the ranges of an index, check each record, and either give it at once or, when
 * the index has another order, collect first and give afterwards.
 *
 *   PLAN -> WALK --(index in the wanted order: gives here)--> CATCH_UP -> END
 *             +--> GATHER --(collected all; sorted)--> GIVE -->+
 *
 * Nothing of the map is kept between two calls: the position is a key. What is written between them
 * can move an entry of an index past the position, to and fro, and a record out of the filter and
 * in again. So what was given is remembered and given once; and GATHER and CATCH_UP look at each
 * certificate that an event since PLAN names, because whoever changes what an index or a filter
 * looks at appends an event in the same transaction (certs.h). They are through when the call's
 * transaction holds no later event; a query that ends in its first transaction meets none.
 */
#include "store/cert_query.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/cert_internal.h"
#include "store/cert_query_internal.h"
#include "store/domain_name.h"
#include "store/events.h"

enum query_state { QUERY_PLAN, QUERY_WALK, QUERY_GATHER, QUERY_GIVE, QUERY_CATCH_UP, QUERY_END };

enum { SERIAL_HEX_MAX = 128 };

struct cert_query {
	enum query_state state;
	struct cert_filter filter; /* texts owned */
	enum cert_sort sort;
	struct cert_ranges ranges;
	bool is_ordered; /* the walk gives the wanted order */
	size_t range;	 /* being walked */
	struct key at;	 /* last entry seen in it; empty: none yet */
	struct cert_collection collection;
	size_t at_item; /* of the collection: the next to give */
	struct arn_set given;
	uint64_t next_event; /* the first of those since PLAN that was not looked at yet */
	bool has_moved;	     /* events came while the ranges were walked */
	size_t scanned;
};

/* --- making ---------------------------------------------------------------------------------- */

static bool is_hex(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");
	return len > 0 && len <= SERIAL_HEX_MAX && text[len] == '\0';
}

static bool is_word(const char *text)
{
	return text[0] != '\0' &&
	       text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")] == '\0';
}

static int check_form(const struct cert_filter *filter, struct err *err)
{
	if (filter->account_id != NULL && !text_is_account_id(filter->account_id))
		return err_set(err, ERR_CONFIG, "account \"%s\": an account id has 12 digits",
			filter->account_id);
	if (filter->region != NULL && !text_is_region(filter->region))
		return err_set(
			err, ERR_CONFIG, "region \"%s\": not a region's name", filter->region);
	if (filter->arn != NULL && (filter->arn[0] == '\0' || strlen(filter->arn) > CERT_ARN_MAX))
		return err_set(
			err, ERR_CONFIG, "not the ARN of a certificate: \"%.80s\"", filter->arn);
	if (filter->fingerprint != NULL &&
		(!is_hex(filter->fingerprint) ||
			strlen(filter->fingerprint) != 2 * CERT_SHA256_LEN))
		return err_set(err, ERR_CONFIG,
			"fingerprint \"%s\": 64 lower-case hex digits of SHA-256 are expected",
			filter->fingerprint);
	if (filter->serial != NULL && !is_hex(filter->serial))
		return err_set(err, ERR_CONFIG, "serial \"%s\": lower-case hex digits are expected",
			filter->serial);
	if (filter->status != NULL && !is_word(filter->status))
		return err_set(err, ERR_CONFIG, "status \"%s\": not one of ACM's", filter->status);
	if (filter->type != NULL && !is_word(filter->type))
		return err_set(err, ERR_CONFIG, "type \"%s\": not one of ACM's", filter->type);
	if (filter->tag_key != NULL && filter->tag_key[0] == '\0')
		return err_set(err, ERR_CONFIG, "a tag's key is never empty");
	return 0;
}

/* As typed to as stored. "*.example.com" and ".example.com" are suffixes of the same meaning. */
static int copy_domains(const struct cert_filter *filter, struct cert_filter *copy, struct err *err)
{
	char domain[DOMAIN_NAME_MAX + 1], suffix[DOMAIN_NAME_MAX + 1];
	const char *typed = filter->domain_suffix;
	if (typed != NULL && typed[0] == '*')
		typed++;
	if (typed != NULL && typed[0] == '.')
		typed++;
	if (filter->domain != NULL && domain_name_to_ascii(filter->domain, domain, err) != 0)
		return -1;
	if (typed != NULL && domain_name_to_ascii(typed, suffix, err) != 0)
		return -1;
	copy->domain = filter->domain != NULL ? xstrdup(domain) : NULL;
	copy->domain_suffix = typed != NULL ? xstrdup(suffix) : NULL;
	return 0;
}

struct cert_query *cert_query_new(
	const struct cert_filter *filter, enum cert_sort sort, struct err *err)
{
	struct cert_filter copy = *filter;
	if (check_form(filter, err) != 0 || copy_domains(filter, &copy, err) != 0)
		return NULL;
	copy.arn = xstrdup(filter->arn);
	copy.connector = xstrdup(filter->connector);
	copy.account_id = xstrdup(filter->account_id);
	copy.region = xstrdup(filter->region);
	copy.status = xstrdup(filter->status);
	copy.type = xstrdup(filter->type);
	copy.tag_key = xstrdup(filter->tag_key);
	copy.tag_value = xstrdup(filter->tag_value);
	copy.fingerprint = xstrdup(filter->fingerprint);
	copy.serial = xstrdup(filter->serial);
	struct cert_query *query = xcalloc(1, sizeof(*query));
	query->filter = copy;
	query->sort = sort;
	return query;
}

void cert_query_free(struct cert_query *query)
{
	if (query == NULL)
		return;
	const struct cert_filter *filter = &query->filter;
	const char *const text[] = {filter->arn, filter->connector, filter->account_id,
		filter->region, filter->status, filter->type, filter->domain, filter->domain_suffix,
		filter->tag_key, filter->tag_value, filter->fingerprint, filter->serial};
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		free((void *)(uintptr_t)text[i]);
	cert_ranges_clear(&query->ranges);
	cert_collection_clear(&query->collection);
	arn_set_clear(&query->given);
	free(query);
}

bool cert_sort_parse(const char *text, enum cert_sort *ret_sort)
{
	static const struct {
		const char *name;
		enum cert_sort sort;
	} sorts[] = {
		{"expires", CERT_SORT_EXPIRES},
		{"domain", CERT_SORT_DOMAIN},
		{"account", CERT_SORT_ACCOUNT},
		{"region", CERT_SORT_REGION},
		{"status", CERT_SORT_STATUS},
		{"type", CERT_SORT_TYPE},
		{"first_seen", CERT_SORT_FIRST_SEEN},
		{"first-seen", CERT_SORT_FIRST_SEEN},
		{"arn", CERT_SORT_ARN},
	};
	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		if (strcmp(text, sorts[i].name) == 0) {
			*ret_sort = sorts[i].sort;
			return true;
		}
	}
	return false;
}

size_t cert_query_scanned(const struct cert_query *query)
{
	return query->scanned;
}

/* --- walking --------------------------------------------------------------------------------- */

static void plan(struct cert_query *query, struct store_txn *txn)
{
	cert_ranges_make(txn, &query->filter, query->sort, &query->ranges);
	query->is_ordered =
		query->ranges.is_unique &&
		((query->sort == CERT_SORT_EXPIRES && query->ranges.is_in_order_of_expiry) ||
			(query->sort == CERT_SORT_ARN && query->ranges.is_in_order_of_arn));
	query->at = key_empty();
	query->next_event = store_event_last_sequence(txn) + 1;
	query->state = QUERY_WALK;
}

/* A record that matches. true: *ret_record is the next to give. */
static bool give_or_collect(
	struct cert_query *query, const struct cert_record *record, struct cert_record *ret_record)
{
	bool is_collecting =
		!query->is_ordered && (query->state == QUERY_WALK || query->state == QUERY_GATHER);
	if (is_collecting) {
		cert_collection_add(&query->collection, query->sort, record);
		return false;
	}
	if (!arn_set_add(&query->given, record->arn))
		return false;
	*ret_record = *record;
	return true;
}

/* The next entry of the ranges, or false behind the last. */
static bool next_entry(struct cert_query *query, struct store_txn *txn, struct slice *ret_key,
	struct slice *ret_value)
{
	struct slice key, value;
	while (query->range < query->ranges.count) {
		const struct cert_range *range = &query->ranges.range[query->range];
		bool is_first = query->at.len == 0;
		const struct key *from = is_first ? &range->low : &query->at;
		if (txn_seek(txn, query->ranges.table, from, is_first, &key, &value) &&
			(range->high.len == 0 || key_compare(key.bytes, key.len, range->high.bytes,
							 range->high.len) < 0)) {
			query->at = key_bytes(key.bytes, key.len);
			*ret_key = key;
			*ret_value = value;
			return true;
		}
		if (store_txn_failed(txn))
			return false;
		query->at = key_empty();
		query->range++;
	}
	return false;
}

/* The certificate that an entry of an index stands for. */
static bool read_indexed(struct cert_query *query, struct store_txn *txn, struct slice entry,
	struct slice arn, struct cert_record *ret_record)
{
	struct key key = key_bytes(arn.bytes, arn.len);
	struct slice slice_key = {.bytes = key.bytes, .len = key.len}, value;
	if (txn_get(txn, TABLE_CERTS, &key, &value))
		return cert_decode(txn, slice_key, value, ret_record);
	if (!store_txn_failed(txn))
		txn_fail_damaged(
			txn, query->ranges.table, entry, "stands for no certificate of the store");
	return false;
}

static bool read_entry(struct cert_query *query, struct store_txn *txn, struct slice key,
	struct slice value, struct cert_record *ret_record)
{
	size_t skip = 0;
	if (query->ranges.table == TABLE_CERTS)
		return cert_decode(txn, key, value, ret_record);
	if (query->ranges.table == TABLE_CERT_DOMAIN)
		return read_indexed(query, txn, key, value, ret_record);
	skip = query->ranges.table == TABLE_CERT_EXPIRY ? sizeof(uint64_t) : CERT_SHA256_LEN;
	if (key.len <= skip) {
		txn_fail_damaged(txn, query->ranges.table, key, "not a key of this table");
		return false;
	}
	struct slice arn = {.bytes = key.bytes + skip, .len = key.len - skip};
	return read_indexed(query, txn, key, arn, ret_record);
}

/* Gone certificates are told by the expiry index alone. */
static bool is_skipped(const struct cert_query *query, struct slice value)
{
	return query->ranges.table == TABLE_CERT_EXPIRY && !query->filter.include_gone &&
	       value.len > 0 && (value.bytes[0] & CERT_FLAG_GONE) != 0;
}

/* One entry further. true: *ret_record is the next to give. */
static bool walk(struct cert_query *query, struct store_txn *txn, struct cert_record *ret_record)
{
	struct slice key, value;
	struct cert_record record;
	if (!next_entry(query, txn, &key, &value)) {
		query->state = query->is_ordered ? QUERY_CATCH_UP : QUERY_GATHER;
		return false;
	}
	if (is_skipped(query, value))
		return false;
	query->scanned++;
	if (!read_entry(query, txn, key, value, &record) ||
		!cert_filter_matches(&query->filter, &record))
		return false;
	return give_or_collect(query, &record, ret_record);
}

static void end_events(struct cert_query *query)
{
	if (query->state == QUERY_CATCH_UP) {
		query->state = QUERY_END;
		return;
	}
	cert_collection_sort(&query->collection, query->ranges.is_unique && !query->has_moved);
	query->state = QUERY_GIVE;
}

/* One event further: the certificate that it names may have moved past the walk. */
static bool look_at_event(
	struct cert_query *query, struct store_txn *txn, struct cert_record *ret_record)
{
	struct event_record event;
	struct cert_record record;
	if (!store_event_get_from(txn, query->next_event, &event)) {
		if (!store_txn_failed(txn))
			end_events(query);
		return false;
	}
	query->next_event = event.sequence + 1;
	query->has_moved = true;
	if (event.arn[0] == '\0' || arn_set_has(&query->given, event.arn))
		return false;
	query->scanned++;
	if (!store_cert_get(txn, event.arn, &record) ||
		!cert_filter_matches(&query->filter, &record))
		return false;
	return give_or_collect(query, &record, ret_record);
}

/* One that was deleted or changed since it was collected is left out. */
static bool give(struct cert_query *query, struct store_txn *txn, struct cert_record *ret_record)
{
	struct cert_record record;
	if (query->at_item == query->collection.count) {
		query->state = QUERY_CATCH_UP;
		return false;
	}
	struct key key = cert_collection_arn(&query->collection, query->at_item++);
	struct slice slice_key = {.bytes = key.bytes, .len = key.len}, value;
	if (!txn_get(txn, TABLE_CERTS, &key, &value) ||
		!cert_decode(txn, slice_key, value, &record) ||
		!cert_filter_matches(&query->filter, &record))
		return false;
	return give_or_collect(query, &record, ret_record);
}

static bool step(struct cert_query *query, struct store_txn *txn, struct cert_record *ret_record)
{
	switch (query->state) {
	case QUERY_PLAN:
		plan(query, txn);
		return false;
	case QUERY_WALK:
		return walk(query, txn, ret_record);
	case QUERY_GATHER:
	case QUERY_CATCH_UP:
		return look_at_event(query, txn, ret_record);
	case QUERY_GIVE:
		return give(query, txn, ret_record);
	case QUERY_END:
		return false;
	}
	abort();
}

bool cert_query_next(struct cert_query *query, struct store_txn *txn, size_t scanned_max,
	struct cert_record *ret_record, bool *ret_is_end)
{
	for (size_t i = 0; i < scanned_max && query->state != QUERY_END && !store_txn_failed(txn);
		i++) {
		if (step(query, txn, ret_record)) {
			*ret_is_end = false;
			return true;
		}
	}
	*ret_is_end = query->state == QUERY_END || store_txn_failed(txn);
	return false;
}
