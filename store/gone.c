/* Certificates that are gone for long. The flags in the expiry index tell which to look at. */
#include <assert.h>
#include <string.h>

#include "store/cert_internal.h"
#include "store/key_internal.h"

/* arn: from the index, outside the map. */
static bool delete_if_due(struct store_txn *txn, const struct key *arn, int64_t before_s)
{
	struct cert_record cert;
	struct slice value;
	char text[CERT_ARN_MAX + 1];
	if (!txn_get(txn, TABLE_CERTS, arn, &value) ||
		!cert_decode(
			txn, (struct slice){.bytes = arn->bytes, .len = arn->len}, value, &cert) ||
		cert.gone_s == 0 || cert.gone_s >= before_s)
		return false;
	key_to_position(arn->bytes, arn->len, text, sizeof(text));
	store_cert_delete(txn, text);
	return true;
}

bool store_gone_prune(struct store_txn *txn, const struct store_gone_place *from, int64_t before_s,
	size_t looks, struct store_gone_place *ret_to, size_t *ret_deleted)
{
	struct key at = key_bytes(from->key, from->len);
	struct slice key, flags;
	size_t deleted = 0, looked = 0;
	for (; looked < looks && txn_seek(txn, TABLE_CERT_EXPIRY, &at, false, &key, &flags);
		looked++) {
		bool is_gone = flags.len == 1 && (flags.bytes[0] & CERT_FLAG_GONE) != 0;
		at = key_bytes(key.bytes, key.len);
		if (!is_gone || at.len <= sizeof(uint64_t))
			continue;
		struct key arn = key_bytes(at.bytes + sizeof(uint64_t), at.len - sizeof(uint64_t));
		deleted += delete_if_due(txn, &arn, before_s);
	}
	assert(at.len <= sizeof(ret_to->key));
	memcpy(ret_to->key, at.bytes, at.len);
	ret_to->len = at.len;
	*ret_deleted = deleted;
	return looked == looks;
}
