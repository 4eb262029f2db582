/* Sealed records by id. The sealed bytes are kept as hex, which the record formats can check. */
#include "store/vault.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/seal.h"
#include "base/secret.h"
#include "base/text.h"
#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"
#include "store/vault_internal.h"

enum { SEALED_MAX = 32000 }; /* as hex it must fit a text of a record; a key takes 5 KB */

#define VAULT(member) RECORD_FIELD(vault_record, member)

static const struct record_field vault_fields[] = {
	VAULT(epoch),
	VAULT(sealed_s),
	VAULT(wipe_after_s),
	VAULT(kind),
	VAULT(id),
	VAULT(sealed),
};
const struct record_format vault_format = RECORD_FORMAT("sealed record", 1, vault_fields);

static struct key vault_key(const char *id)
{
	struct key key = key_id(id);
	if (key.len == 0 || key.len > VAULT_ID_MAX)
		key.is_unfit = true;
	return key;
}

/* What a record is: it opens as that one only. */
static void associate(struct buf *to, const char *id, uint32_t kind, int64_t epoch)
{
	buf_init(to, VAULT_ID_MAX + 64);
	buf_addf(to, "%s %" PRIu32 " %" PRId64, id, kind, epoch);
}

/* --- the vault -------------------------------------------------------------------------------- */

struct vault *vault_open(const char *data_dir, const char *master_key_file, struct err *err)
{
	struct vault *vault = xcalloc(1, sizeof(*vault));
	if (vault_keys_open(vault, data_dir, master_key_file, err) == 0)
		return vault;
	vault_close(vault);
	return NULL;
}

void vault_close(struct vault *vault)
{
	if (vault == NULL)
		return;
	for (size_t i = 0; i < vault->epoch_count; i++)
		secret_clear(&vault->epoch[i].key);
	secret_clear(&vault->master);
	free(vault->folder);
	free(vault);
}

static struct vault_epoch *find_epoch(struct vault *vault, int64_t number)
{
	for (size_t i = 0; i < vault->epoch_count; i++)
		if ((int64_t)vault->epoch[i].number == number)
			return &vault->epoch[i];
	return NULL;
}

/* The newest, when it is young enough to take new records; a clock that went back is no reason for
 * a new one. */
static struct vault_epoch *open_epoch(struct vault *vault, int64_t now_s)
{
	if (vault->epoch_count == 0)
		return NULL;
	struct vault_epoch *epoch = &vault->epoch[vault->epoch_count - 1];
	return now_s < epoch->created_s + VAULT_EPOCH_S ? epoch : NULL;
}

int vault_seal(struct vault *vault, const char *id, enum vault_kind kind,
	const struct secret *secret, int64_t now_s, int64_t wipe_after_s,
	struct vault_sealed *ret_sealed, struct err *err)
{
	struct buf data;
	if (secret->len == 0 || secret->len > SEALED_MAX - SEAL_EXTRA)
		return err_set(err, ERR_LIMIT, "vault: expected a secret of 1 to %d bytes",
			SEALED_MAX - SEAL_EXTRA);
	if (open_epoch(vault, now_s) == NULL && vault_keys_add(vault, now_s, err) != 0)
		return -1;
	struct vault_epoch *epoch = &vault->epoch[vault->epoch_count - 1];
	struct vault_sealed sealed = {.kind = kind,
		.epoch = epoch->number,
		.sealed_s = now_s,
		.wipe_after_s = wipe_after_s,
		.len = secret->len + SEAL_EXTRA};
	if (!text_copy(sealed.id, sizeof(sealed.id), id))
		return err_set(err, ERR_LIMIT, "vault: an id of more than %d bytes", VAULT_ID_MAX);
	sealed.bytes = xmalloc(sealed.len);
	associate(&data, id, (uint32_t)kind, (int64_t)epoch->number);
	seal_close(&epoch->key, data.data, data.len, secret, sealed.bytes);
	buf_clear(&data);
	epoch->used_s = now_s;
	*ret_sealed = sealed;
	return 0;
}

void vault_sealed_clear(struct vault_sealed *sealed)
{
	free(sealed->bytes);
	*sealed = (struct vault_sealed){.bytes = NULL};
}

int vault_unseal(struct vault *vault, struct store_txn *txn, const char *id,
	struct secret *ret_secret, struct err *err)
{
	struct vault_record record;
	struct key key = vault_key(id);
	if (!entry_get(txn, TABLE_VAULT, &key, &vault_format, &record)) {
		if (store_txn_check(txn, err) != 0)
			return -1;
		return err_set(err, ERR_NOT_FOUND, "vault: there is no sealed record %s", id);
	}
	const struct vault_epoch *epoch = find_epoch(vault, record.epoch);
	size_t len = strlen(record.sealed) / 2;
	if (epoch == NULL)
		return err_set(err, ERR_STORE,
			"vault: %s was sealed in epoch %" PRId64 ", whose key is gone", id,
			record.epoch);
	unsigned char *bytes = xmalloc(len + 1);
	struct buf data;
	associate(&data, id, record.kind, record.epoch);
	int rc = text_unhex(record.sealed, bytes, len)
			 ? seal_open(&epoch->key, data.data, data.len, bytes, len, ret_secret, err)
			 : err_set(err, ERR_STORE, "not hexadecimal");
	buf_clear(&data);
	free(bytes);
	return rc == 0 ? 0 : err_wrap(err, "vault: %s", id);
}

/* Whether each epoch has a record. */
static void mark_used(struct vault *vault, struct store_txn *txn, bool is_used[VAULT_EPOCHS_MAX])
{
	struct key prefix = key_empty();
	struct vault_record record;
	char position[VAULT_ID_MAX + 1] = "";
	while (entry_next(
		txn, TABLE_VAULT, &prefix, position, sizeof(position), &vault_format, &record)) {
		const struct vault_epoch *epoch = find_epoch(vault, record.epoch);
		if (epoch != NULL)
			is_used[epoch - vault->epoch] = true;
	}
}

int vault_sweep(struct vault *vault, struct store_txn *txn, int64_t now_s, struct err *err)
{
	bool is_used[VAULT_EPOCHS_MAX] = {false};
	mark_used(vault, txn, is_used);
	if (store_txn_check(txn, err) != 0)
		return -1;
	for (size_t i = vault->epoch_count; i-- > 0;) {
		/* What was sealed a moment ago may still be on its way into the store. */
		bool is_quiet = now_s - vault->epoch[i].used_s > VAULT_QUIET_S;
		if (!is_used[i] && is_quiet && vault_keys_destroy(vault, i, err) != 0)
			return -1;
	}
	return 0;
}

/* --- records ---------------------------------------------------------------------------------- */

void store_vault_put(struct store_txn *txn, const struct vault_sealed *sealed)
{
	struct key key = vault_key(sealed->id);
	char *hex = xmalloc(sealed->len * 2 + 1);
	text_hex(sealed->bytes, sealed->len, hex);
	entry_put(txn, TABLE_VAULT, &key, &vault_format,
		&(struct vault_record){.id = sealed->id,
			.kind = (uint32_t)sealed->kind,
			.epoch = (int64_t)sealed->epoch,
			.sealed_s = sealed->sealed_s,
			.wipe_after_s = sealed->wipe_after_s,
			.sealed = hex});
	free(hex);
}

bool store_vault_has(struct store_txn *txn, const char *id)
{
	struct key key = vault_key(id);
	struct vault_record record;
	return entry_get(txn, TABLE_VAULT, &key, &vault_format, &record);
}

void store_vault_set_wipe_after(struct store_txn *txn, const char *id, int64_t wipe_after_s)
{
	struct key key = vault_key(id);
	struct vault_record record;
	if (!entry_get(txn, TABLE_VAULT, &key, &vault_format, &record))
		return;
	char *sealed = xstrdup(record.sealed); /* what was read dies with the put */
	record.id = id;
	record.sealed = sealed;
	record.wipe_after_s = wipe_after_s;
	entry_put(txn, TABLE_VAULT, &key, &vault_format, &record);
	free(sealed);
}

void store_vault_delete(struct store_txn *txn, const char *id)
{
	struct key key = vault_key(id);
	txn_delete(txn, TABLE_VAULT, &key);
}

void store_vault_delete_due(struct store_txn *txn, int64_t now_s)
{
	struct key prefix = key_empty();
	struct vault_record record;
	char position[VAULT_ID_MAX + 1] = "";
	while (entry_next(
		txn, TABLE_VAULT, &prefix, position, sizeof(position), &vault_format, &record)) {
		if (record.wipe_after_s != 0 && record.wipe_after_s <= now_s)
			store_vault_delete(txn, position);
	}
}
