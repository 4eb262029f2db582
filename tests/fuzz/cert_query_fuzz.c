/*
 * The inventory's filters against each other: what a query finds by its index is what a look at
 * every certificate finds, each once and in the order asked for. The first byte is the order, the
 * second the size of the steps; then key=value&key=value with the filter's members.
 */
#include "store/cert_query.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/domain_name.h"
#include "tests/fuzz/split_params.h"
#include "tests/lib/filled_store.h"
#include "tests/lib/temp_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 2, SORTS = 8, CERTIFICATES = 48, FOUND_MAX = 256, PARAMS_MAX = 20 };

struct found {
	struct cert_record record[FOUND_MAX]; /* in the map */
	size_t count;
};

/* --- the filter ------------------------------------------------------------------------------- */

static void set_number(int64_t *ret, const char *text)
{
	struct err ignored = ERR_INIT;
	(void)text_parse_int(text, INT64_MIN, INT64_MAX, ret, &ignored);
}

static void set(struct cert_filter *filter, const struct list_param *param)
{
	const struct {
		const char *key, **member;
	} text[] = {{"connector", &filter->connector}, {"account", &filter->account_id},
		{"region", &filter->region}, {"status", &filter->status}, {"type", &filter->type},
		{"domain", &filter->domain}, {"suffix", &filter->domain_suffix},
		{"tag_key", &filter->tag_key}, {"tag_value", &filter->tag_value},
		{"arn", &filter->arn}, {"fingerprint", &filter->fingerprint},
		{"serial", &filter->serial}};
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		if (strcmp(text[i].key, param->key) == 0)
			*text[i].member = param->value;
	if (strcmp(param->key, "before") == 0)
		set_number(&filter->expires_before_s, param->value);
	else if (strcmp(param->key, "after") == 0)
		set_number(&filter->expires_after_s, param->value);
	else if (strcmp(param->key, "in_use") == 0)
		filter->in_use = param->value[0] == 'y';
	else if (strcmp(param->key, "gone") == 0)
		filter->include_gone = true;
}

/* Domains as the query takes them from a person. */
static void make_comparable(struct cert_filter *filter, char *domain, char *suffix)
{
	struct err err = ERR_INIT;
	const char *typed = filter->domain_suffix;
	if (filter->domain != NULL) {
		assert(domain_name_to_ascii(filter->domain, domain, &err) == 0);
		filter->domain = domain;
	}
	if (typed == NULL)
		return;
	typed += typed[0] == '*';
	typed += typed[0] == '.';
	assert(domain_name_to_ascii(typed, suffix, &err) == 0);
	filter->domain_suffix = suffix;
}

/* --- the order -------------------------------------------------------------------------------- */

static int compare_names(const char *a, const char *b)
{
	char *left = xstrdup(a), *right = xstrdup(b);
	text_lower(left);
	text_lower(right);
	int order = strcmp(left, right);
	free(left);
	free(right);
	return order;
}

static int compare_times(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_ends(const struct cert_record *a, const struct cert_record *b)
{
	return compare_times(a->not_after_s != 0 ? a->not_after_s : INT64_MAX,
		b->not_after_s != 0 ? b->not_after_s : INT64_MAX);
}

static int first_of(int a, int b, int c)
{
	return a != 0 ? a : b != 0 ? b : c;
}

static int compare(enum cert_sort sort, const struct cert_record *a, const struct cert_record *b)
{
	int account = compare_names(a->account_id, b->account_id);
	int region = compare_names(a->region, b->region);
	int domain = compare_names(a->domain_name, b->domain_name);
	switch (sort) {
	case CERT_SORT_EXPIRES:
		return compare_ends(a, b);
	case CERT_SORT_DOMAIN:
		return domain;
	case CERT_SORT_ACCOUNT:
		return first_of(account, region, domain);
	case CERT_SORT_REGION:
		return first_of(region, account, domain);
	case CERT_SORT_STATUS:
		return first_of(compare_names(a->status, b->status), compare_ends(a, b), 0);
	case CERT_SORT_TYPE:
		return first_of(compare_names(a->type, b->type), compare_ends(a, b), 0);
	case CERT_SORT_FIRST_SEEN:
		return compare_times(b->first_seen_s, a->first_seen_s);
	case CERT_SORT_ARN:
		break;
	}
	return 0;
}

static void check_order(enum cert_sort sort, const struct found *found)
{
	for (size_t i = 1; i < found->count; i++) {
		const struct cert_record *a = &found->record[i - 1], *b = &found->record[i];
		int order = compare(sort, a, b);
		assert(order < 0 || (order == 0 && strcmp(a->arn, b->arn) < 0));
	}
}

/* --- both ways -------------------------------------------------------------------------------- */

static void find(
	struct cert_query *query, struct store_txn *txn, size_t step, struct found *ret_found)
{
	struct cert_record record;
	struct err err = ERR_INIT;
	bool is_end = false;
	ret_found->count = 0;
	while (!is_end) {
		if (!cert_query_next(query, txn, step, &record, &is_end))
			continue;
		assert(!is_end && ret_found->count < FOUND_MAX);
		ret_found->record[ret_found->count++] = record;
	}
	assert(store_txn_check(txn, &err) == 0);
}

static void find_all(struct store_txn *txn, struct found *ret_found)
{
	struct err err = ERR_INIT;
	struct cert_filter all = {.in_use = -1, .include_gone = true};
	struct cert_query *query = cert_query_new(&all, CERT_SORT_ARN, &err);
	assert(query != NULL);
	find(query, txn, SIZE_MAX, ret_found);
	cert_query_free(query);
}

static void check_found(
	const struct cert_filter *filter, const struct found *all, const struct found *found)
{
	size_t matches = 0;
	for (size_t i = 0; i < all->count; i++) {
		size_t times = 0;
		bool matches_it = cert_filter_matches(filter, &all->record[i]);
		for (size_t j = 0; j < found->count; j++)
			times += strcmp(found->record[j].arn, all->record[i].arn) == 0;
		assert(times == (matches_it ? 1 : 0));
		matches += matches_it;
	}
	assert(matches == found->count);
}

static void ask(struct store_txn *txn, struct cert_filter *filter, enum cert_sort sort, size_t step)
{
	static struct found all, found;
	char domain[DOMAIN_NAME_MAX + 1], suffix[DOMAIN_NAME_MAX + 1];
	struct err err = ERR_INIT;
	struct cert_query *query = cert_query_new(filter, sort, &err);
	if (query == NULL) {
		assert(err.kind == ERR_CONFIG);
		return;
	}
	make_comparable(filter, domain, suffix);
	find_all(txn, &all);
	find(query, txn, step, &found);
	check_found(filter, &all, &found);
	check_order(sort, &found);
	cert_query_free(query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct store *store;
	struct list_param param[PARAMS_MAX];
	struct err err = ERR_INIT;
	struct store_txn *txn;
	if (store == NULL)
		store = filled_store_open(NULL, CERTIFICATES);
	if (size < HEAD)
		return 0;
	char *text = xstrndup((const char *)data + HEAD, size - HEAD);
	size_t count = split_params(text, param, PARAMS_MAX);
	struct cert_filter filter = {.in_use = -1, .now_s = SAMPLE_NOW_S};
	for (size_t i = 0; i < count; i++)
		set(&filter, &param[i]);
	if (store_read_begin(store, &txn, &err) != 0)
		abort();
	ask(txn, &filter, (enum cert_sort)(data[0] % SORTS), 1 + data[1] % 64);
	store_read_end(txn);
	free(text);
	return 0;
}
