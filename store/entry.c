/* Records under keys: what put, get, walk and delete of every simple table have in common. */
#include <stdio.h>
#include <string.h>

#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"

void entry_put(struct store_txn *txn, enum store_table table, const struct key *key,
	const struct record_format *format, const void *record)
{
	struct buf bytes;
	struct err err = ERR_INIT;
	buf_init(&bytes, STORE_RECORD_MAX);
	if (record_encode(format, record, &bytes, &err) == 0)
		txn_put(txn, table, key, bytes.data, bytes.len);
	else
		store_txn_fail(txn, &err);
	buf_clear(&bytes);
}

bool entry_copy(struct store_txn *txn, const struct record_format *format, const void *record,
	struct buf *bytes, void *ret_record)
{
	struct err err = ERR_INIT;
	if (store_txn_failed(txn))
		return false;
	if (record_encode(format, record, bytes, &err) == 0 &&
		record_decode(format, (const unsigned char *)buf_text(bytes), bytes->len,
			ret_record, &err) == 0)
		return true;
	store_txn_fail(txn, &err);
	return false;
}

bool entry_decode(struct store_txn *txn, enum store_table table, struct slice key,
	struct slice value, const struct record_format *format, void *ret_record)
{
	struct err err = ERR_INIT;
	if (record_decode(format, value.bytes, value.len, ret_record, &err) == 0)
		return true;
	txn_fail_damaged(txn, table, key, err.text);
	return false;
}

bool entry_get(struct store_txn *txn, enum store_table table, const struct key *key,
	const struct record_format *format, void *ret_record)
{
	struct slice value;
	return txn_get(txn, table, key, &value) &&
	       entry_decode(txn, table, (struct slice){.bytes = key->bytes, .len = key->len}, value,
		       format, ret_record);
}

bool entry_next(struct store_txn *txn, enum store_table table, const struct key *prefix,
	char *position, size_t size, const struct record_format *format, void *ret_record)
{
	struct key after = position[0] != '\0' ? key_position(position) : *prefix;
	struct slice key, value;
	if (!txn_seek(txn, table, &after, false, &key, &value) ||
		!key_is_prefix_of(prefix, key.bytes, key.len))
		return false;
	/* A position is a text: one with a NUL would lead back to before it, for ever. */
	if (key.len >= size || memchr(key.bytes, '\0', key.len) != NULL) {
		txn_fail_damaged(txn, table, key, "longer than any key of this table, or no text");
		return false;
	}
	if (!entry_decode(txn, table, key, value, format, ret_record))
		return false;
	key_to_position(key.bytes, key.len, position, size);
	return true;
}

void entry_delete_all(struct store_txn *txn, enum store_table table, const struct key *prefix)
{
	struct slice key, value;
	while (txn_seek(txn, table, prefix, true, &key, &value) &&
		key_is_prefix_of(prefix, key.bytes, key.len)) {
		struct key found = key_bytes(key.bytes, key.len);
		txn_delete(txn, table, &found);
	}
}
