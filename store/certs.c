/* Certificates by ARN: put, get, delete, walk. */
#include "store/certs.h"

#include <string.h>

#include "base/err.h"
#include "store/cert_internal.h"
#include "store/key_internal.h"
#include "store/record_internal.h"

static bool check_arn(struct store_txn *txn, const struct cert_record *record)
{
	const char *arn = record->arn;
	if (strlen(arn) > CERT_ARN_MAX) {
		store_txn_fail_as(txn, ERR_LIMIT,
			"certificate ARN is longer than %d bytes: %.64s...", CERT_ARN_MAX, arn);
		return false;
	}
	if (cert_arn_is_of_place(record))
		return true;
	store_txn_fail_as(txn, ERR_PROTOCOL,
		"\"%s\" is not the ARN of an ACM certificate of %s in %s", arn, record->account_id,
		record->region);
	return false;
}

static bool get(struct store_txn *txn, const struct key *key, struct cert_record *ret_record)
{
	struct slice value;
	return txn_get(txn, TABLE_CERTS, key, &value) &&
	       cert_decode(txn, (struct slice){.bytes = key->bytes, .len = key->len}, value,
		       ret_record);
}

bool store_cert_get(struct store_txn *txn, const char *arn, struct cert_record *ret_record)
{
	struct key key = key_cert(arn);
	return get(txn, &key, ret_record);
}

/* The stored record as a copy outside the map, which the coming changes move under our feet. */
static bool get_copy(struct store_txn *txn, const struct key *key, struct cert_record *ret_record)
{
	struct slice value, slice_key = {.bytes = key->bytes, .len = key->len};
	if (!txn_get(txn, TABLE_CERTS, key, &value))
		return false;
	struct buf *copy = &txn->store->scratch_old;
	buf_reset(copy);
	buf_add(copy, value.bytes, value.len);
	if (copy->is_over) {
		txn_fail_damaged(txn, TABLE_CERTS, slice_key, "larger than any record");
		return false;
	}
	value.bytes = (const unsigned char *)buf_text(copy);
	return cert_decode(txn, slice_key, value, ret_record);
}

void store_cert_put(struct store_txn *txn, const struct cert_record *record)
{
	struct err err = ERR_INIT;
	struct buf *bytes = &txn->store->scratch;
	if (store_txn_failed(txn) || !check_arn(txn, record))
		return;
	buf_reset(bytes);
	if (record_encode(&cert_format, record, bytes, &err) != 0) {
		err_wrap(&err, "certificate %s", record->arn);
		store_txn_fail(txn, &err);
		return;
	}
	/* From here on both old and new are copies: what the caller gave may point into the map. */
	struct key key = key_cert(record->arn);
	struct slice slice_key = {.bytes = key.bytes, .len = key.len};
	struct slice value = {.bytes = (const unsigned char *)buf_text(bytes), .len = bytes->len};
	struct cert_record before, after;
	if (!cert_decode(txn, slice_key, value, &after))
		return;
	bool is_known = get_copy(txn, &key, &before);
	const struct buf *old = &txn->store->scratch_old;
	if (store_txn_failed(txn) || (is_known && old->len == bytes->len &&
					     memcmp(old->data, bytes->data, old->len) == 0))
		return;
	txn_put(txn, TABLE_CERTS, &key, value.bytes, value.len);
	cert_index_update(txn, is_known ? &before : NULL, &after);
	bool is_same =
		is_known && strcmp(before.serial, after.serial) == 0 &&
		memcmp(before.fingerprint_sha256, after.fingerprint_sha256, CERT_SHA256_LEN) == 0;
	if (!is_same)
		history_note(txn, &after, is_known);
}

void store_cert_delete(struct store_txn *txn, const char *arn)
{
	struct key key = key_cert(arn);
	struct cert_record before;
	if (!get_copy(txn, &key, &before))
		return;
	txn_delete(txn, TABLE_CERTS, &key);
	cert_index_update(txn, &before, NULL);
	history_delete(txn, before.arn);
}

bool store_cert_next_in_region(struct store_txn *txn, const char *partition, const char *region,
	const char *account_id, char *position, struct cert_record *ret_record)
{
	struct key prefix = key_cert_place(partition, region, account_id);
	struct key after = position[0] != '\0' ? key_position(position) : prefix;
	struct slice key, value;
	if (!txn_seek(txn, TABLE_CERTS, &after, false, &key, &value) ||
		!key_is_prefix_of(&prefix, key.bytes, key.len) ||
		!cert_decode(txn, key, value, ret_record))
		return false;
	key_to_position(key.bytes, key.len, position, CERT_ARN_MAX + 1);
	return true;
}

bool store_cert_next_of_name(struct store_txn *txn, const char *name,
	struct store_name_position *position, char *ret_arn)
{
	_Static_assert(sizeof(position->arn_hash) == KEY_ARN_HASH_LEN, "what ends the key");
	struct key prefix = key_cert_domain_exact(name);
	struct key at = position->is_begun ? key_cert_domain(name, position->arn_hash) : prefix;
	struct slice key, value;
	if (!txn_seek(txn, TABLE_CERT_DOMAIN, &at, false, &key, &value) ||
		!key_is_prefix_of(&prefix, key.bytes, key.len))
		return false;
	if (key.len != prefix.len + KEY_ARN_HASH_LEN || value.len > CERT_ARN_MAX) {
		txn_fail_damaged(txn, TABLE_CERT_DOMAIN, key, "not an entry of this index");
		return false;
	}
	memcpy(position->arn_hash, key.bytes + prefix.len, KEY_ARN_HASH_LEN);
	position->is_begun = true;
	memcpy(ret_arn, value.bytes, value.len);
	ret_arn[value.len] = '\0';
	return true;
}
