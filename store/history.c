/* Every serial ever seen under an ARN, numbered from 1 in the order seen. */
#include <string.h>

#include "base/clock.h"
#include "store/cert_internal.h"
#include "store/key_internal.h"
#include "store/record_internal.h"

bool store_history_next(struct store_txn *txn, const char *arn, uint32_t *position,
	struct cert_history *ret_history)
{
	struct key prefix = key_history(arn, 0), after = key_history(arn, *position);
	struct slice key, value;
	if (!txn_seek(txn, TABLE_HISTORY, &after, false, &key, &value) ||
		!key_is_prefix_of(&prefix, key.bytes, key.len))
		return false;
	if (key.len != prefix.len + sizeof(uint32_t)) {
		txn_fail_damaged(txn, TABLE_HISTORY, key, "not a key of this table");
		return false;
	}
	struct cert_history history;
	if (!entry_decode(txn, TABLE_HISTORY, key, value, &cert_history_format, &history))
		return false;
	*ret_history = history;
	*position = key_read_u32(key.bytes + prefix.len);
	return true;
}

/* What Describe told alone is made whole by the PEM that came later. */
static void add_fingerprint(struct store_txn *txn, const struct cert_record *record,
	uint32_t position, struct cert_history *history)
{
	static const unsigned char none[CERT_SHA256_LEN];
	if (memcmp(history->fingerprint_sha256, none, CERT_SHA256_LEN) != 0 ||
		memcmp(record->fingerprint_sha256, none, CERT_SHA256_LEN) == 0)
		return;
	struct key key = key_history(record->arn, position);
	history->not_before_s = record->not_before_s;
	history->not_after_s = record->not_after_s;
	memcpy(history->fingerprint_sha256, record->fingerprint_sha256, CERT_SHA256_LEN);
	entry_put(txn, TABLE_HISTORY, &key, &cert_history_format, history);
}

/* A new certificate's serial was seen with it; one that comes later is seen now, whatever of its
 * details could be read. */
void history_note(struct store_txn *txn, const struct cert_record *record, bool is_known)
{
	struct cert_history history;
	uint32_t last = 0;
	if (record->serial[0] == '\0')
		return;
	while (store_history_next(txn, record->arn, &last, &history))
		if (strcmp(history.serial, record->serial) == 0) {
			add_fingerprint(txn, record, last, &history);
			return;
		}
	history = (struct cert_history){
		.serial = record->serial,
		.not_before_s = record->not_before_s,
		.not_after_s = record->not_after_s,
		.first_seen_s = is_known ? clock_now_s() : record->first_seen_s,
	};
	memcpy(history.fingerprint_sha256, record->fingerprint_sha256, CERT_SHA256_LEN);
	struct key key = key_history(record->arn, last + 1);
	entry_put(txn, TABLE_HISTORY, &key, &cert_history_format, &history);
}

void history_delete(struct store_txn *txn, const char *arn)
{
	struct key prefix = key_history(arn, 0);
	entry_delete_all(txn, TABLE_HISTORY, &prefix);
}
