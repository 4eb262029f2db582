/*
 * The indexes of a certificate: fingerprint, expiry, domain. A put touches only entries that
 * changed, because each touched entry is a page that the commit writes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/cert_internal.h"
#include "store/key_internal.h"

/* --- domain keys ----------------------------------------------------------------------------- */

struct domain_list {
	struct key *key; /* owned */
	size_t count, capacity;
};

static void list_add(struct domain_list *list, const char *name, const unsigned char *arn_hash)
{
	if (name[0] == '\0')
		return;
	list->key = xgrow(list->key, &list->capacity, list->count, sizeof(*list->key));
	list->key[list->count++] = key_cert_domain(name, arn_hash);
}

static int compare_keys(const void *a, const void *b)
{
	const struct key *left = a, *right = b;
	return key_compare(left->bytes, left->len, right->bytes, right->len);
}

void domain_keys_make(const struct cert_record *record, struct domain_keys *ret)
{
	unsigned char arn_hash[KEY_ARN_HASH_LEN];
	struct domain_list list = {.key = NULL};
	key_hash_arn(record->arn, arn_hash);
	list_add(&list, record->domain_name, arn_hash);
	const char *name = pack_first(&record->sans);
	for (; name != NULL; name = pack_next(&record->sans, name))
		list_add(&list, name, arn_hash);
	if (list.count > 1)
		qsort(list.key, list.count, sizeof(*list.key), compare_keys);
	size_t kept = 0;
	for (size_t i = 0; i < list.count; i++)
		if (kept == 0 || compare_keys(&list.key[kept - 1], &list.key[i]) != 0)
			list.key[kept++] = list.key[i];
	*ret = (struct domain_keys){.key = list.key, .count = kept};
}

void domain_keys_clear(struct domain_keys *keys)
{
	free(keys->key);
	*keys = (struct domain_keys){.key = NULL};
}

bool domain_keys_have(const struct domain_keys *keys, struct slice key)
{
	for (size_t i = 0; i < keys->count; i++)
		if (key_equals(&keys->key[i], key.bytes, key.len))
			return true;
	return false;
}

/* --- updating -------------------------------------------------------------------------------- */

static void domain_put(struct store_txn *txn, const struct key *key, const char *arn)
{
	txn_put(txn, TABLE_CERT_DOMAIN, key, arn, strlen(arn));
}

static bool has_same_names(const struct cert_record *a, const struct cert_record *b)
{
	return strcmp(a->domain_name, b->domain_name) == 0 && a->sans.len == b->sans.len &&
	       (a->sans.len == 0 || memcmp(a->sans.bytes, b->sans.bytes, a->sans.len) == 0);
}

/* Both are sorted: one walk finds what only one of them has. */
static void domain_merge(struct store_txn *txn, const struct domain_keys *before,
	const struct domain_keys *after, const char *arn)
{
	size_t old = 0, new = 0;
	while (old < before->count || new < after->count) {
		int order;
		if (old == before->count)
			order = 1;
		else if (new == after->count)
			order = -1;
		else
			order = compare_keys(&before->key[old], &after->key[new]);
		if (order < 0)
			txn_delete(txn, TABLE_CERT_DOMAIN, &before->key[old]);
		else if (order > 0)
			domain_put(txn, &after->key[new], arn);
		old += order <= 0;
		new += order >= 0;
	}
}

static void domain_update(
	struct store_txn *txn, const struct cert_record *before, const struct cert_record *after)
{
	struct domain_keys old = {.key = NULL}, new = {.key = NULL};
	if (before != NULL && after != NULL && has_same_names(before, after))
		return;
	if (before != NULL)
		domain_keys_make(before, &old);
	if (after != NULL)
		domain_keys_make(after, &new);
	domain_merge(txn, &old, &new, after != NULL ? after->arn : before->arn);
	domain_keys_clear(&old);
	domain_keys_clear(&new);
}

static void expiry_update(
	struct store_txn *txn, const struct cert_record *before, const struct cert_record *after)
{
	bool is_same_key =
		before != NULL && after != NULL && before->not_after_s == after->not_after_s;
	if (before != NULL && !is_same_key) {
		struct key key = key_cert_expiry(before->not_after_s, before->arn);
		txn_delete(txn, TABLE_CERT_EXPIRY, &key);
	}
	if (after == NULL || (is_same_key && cert_flags(before) == cert_flags(after)))
		return;
	struct key key = key_cert_expiry(after->not_after_s, after->arn);
	unsigned char flags = cert_flags(after);
	txn_put(txn, TABLE_CERT_EXPIRY, &key, &flags, sizeof(flags));
}

static void fingerprint_update(
	struct store_txn *txn, const struct cert_record *before, const struct cert_record *after)
{
	static const unsigned char none[CERT_SHA256_LEN];
	const unsigned char *old = before != NULL ? before->fingerprint_sha256 : none;
	const unsigned char *new = after != NULL ? after->fingerprint_sha256 : none;
	if (memcmp(old, new, CERT_SHA256_LEN) == 0)
		return;
	if (memcmp(old, none, CERT_SHA256_LEN) != 0) {
		struct key key = key_cert_fingerprint(old, before->arn);
		txn_delete(txn, TABLE_CERT_FINGERPRINT, &key);
	}
	if (memcmp(new, none, CERT_SHA256_LEN) != 0) {
		struct key key = key_cert_fingerprint(new, after->arn);
		txn_put(txn, TABLE_CERT_FINGERPRINT, &key, "", 0);
	}
}

void cert_index_update(
	struct store_txn *txn, const struct cert_record *before, const struct cert_record *after)
{
	expiry_update(txn, before, after);
	fingerprint_update(txn, before, after);
	domain_update(txn, before, after);
}
