/* Sealed records, and the vault as a whole. */
#include "store/vault.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/seal.h"
#include "base/secret.h"
#include "store/delivery_internal.h"
#include "store/key_internal.h"
#include "store/vault_internal.h"

/* What was sealed is in the store, or lost with its process, long before that. */
enum { SETTLE_S = 3600 };

#define SEALED(member) RECORD_FIELD(vault_record, member)

static const struct record_field sealed_fields[] = {
	SEALED(kind),
	SEALED(epoch),
	SEALED(sealed_s),
	SEALED(wipe_after_s),
	SEALED(id),
	SEALED(bytes),
};
const struct record_format vault_format = RECORD_FORMAT("sealed key", 1, sealed_fields);

/* --- open and close -------------------------------------------------------------------------- */

struct vault *vault_open(const char *data_dir, const char *master_key_file, struct err *err)
{
	struct vault *vault = xcalloc(1, sizeof(*vault));
	vault->folder_fd = -1;
	vault->folder = xasprintf("%s/vault", data_dir);
	vault->seal = seal_new(err);
	if (vault->seal == NULL || vault_folder_open(vault, data_dir, err) != 0 ||
		vault_folder_tidy(vault, err) != 0 ||
		vault_keys_load(vault, master_key_file, err) != 0) {
		vault_close(vault);
		return NULL;
	}
	return vault;
}

void vault_close(struct vault *vault)
{
	if (vault == NULL)
		return;
	vault_keys_clear(vault);
	seal_free(vault->seal);
	if (vault->folder_fd >= 0)
		(void)close(vault->folder_fd); /* was only read */
	free(vault->folder);
	free(vault);
}

/* --- sealing --------------------------------------------------------------------------------- */

/* Everything of a record but when it is wiped, which may change; owned. */
static char *context_of(const char *id, unsigned kind, int64_t epoch, int64_t sealed_s)
{
	return xasprintf("acmsensor vault 1 %s %u %" PRId64 " %" PRId64, id, kind, epoch, sealed_s);
}

static struct seal_context context_bytes(const char *context)
{
	return (struct seal_context){.bytes = context, .len = strlen(context)};
}

static bool is_id(const char *id)
{
	size_t len = strlen(id);
	return len > 0 && len <= VAULT_ID_MAX &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

int vault_seal(struct vault *vault, const char *id, enum vault_kind kind,
	const struct secret *secret, int64_t now_s, int64_t wipe_after_s,
	struct vault_sealed *ret_sealed, struct err *err)
{
	assert(is_id(id));
	struct vault_epoch *epoch = vault_epoch_current(vault, now_s);
	if (epoch == NULL)
		epoch = vault_epoch_make(vault, now_s, err);
	if (epoch == NULL)
		return -1;
	struct vault_sealed sealed = {.kind = kind,
		.epoch = epoch->number,
		.sealed_s = now_s,
		.wipe_after_s = wipe_after_s,
		.len = secret->len + SEAL_OVERHEAD};
	memcpy(sealed.id, id, strlen(id) + 1);
	sealed.bytes = xmalloc(sealed.len);
	char *context = context_of(id, kind, sealed.epoch, sealed.sealed_s);
	int rc = seal_close(
		vault->seal, &epoch->key, context_bytes(context), secret, sealed.bytes, err);
	free(context);
	if (rc != 0) {
		vault_sealed_clear(&sealed);
		return -1;
	}
	epoch->last_sealed_s = now_s;
	*ret_sealed = sealed;
	return 0;
}

void vault_sealed_clear(struct vault_sealed *sealed)
{
	free(sealed->bytes);
	*sealed = (struct vault_sealed){.bytes = NULL};
}

static int fail_open(
	const char *id, const struct vault *vault, int64_t epoch, const char *what, struct err *err)
{
	return err_set(err, ERR_STORE,
		"the sealed key %s cannot be opened: the key of its epoch, %s/epoch-%" PRId64
		", %s",
		id, vault->folder, epoch, what);
}

static int unseal(struct vault *vault, const struct vault_record *record, struct secret *ret_secret,
	struct err *err)
{
	const struct vault_epoch *epoch = vault_epoch_find(vault, record->epoch);
	if (epoch == NULL)
		return fail_open(record->id, vault, record->epoch,
			"is gone: destroyed, or the store was restored without it", err);
	if (!secret_is_set(&epoch->key))
		return fail_open(record->id, vault, record->epoch, "is damaged or destroyed", err);
	char *context = context_of(record->id, record->kind, record->epoch, record->sealed_s);
	bool is_open = seal_open(vault->seal, &epoch->key, context_bytes(context),
		record->bytes.bytes, record->bytes.len, ret_secret);
	free(context);
	if (is_open)
		return 0;
	return err_set(err, ERR_STORE,
		"the sealed key %s was changed after it was sealed, or was sealed for something "
		"else: it cannot be used",
		record->id);
}

/* --- records --------------------------------------------------------------------------------- */

static struct slice slice_of(const struct key *key)
{
	return (struct slice){.bytes = key->bytes, .len = key->len};
}

const char *vault_flaw(struct slice key, const struct vault_record *record)
{
	if (!delivery_id_is(key, record->id, VAULT_ID_MAX) || !is_id(record->id))
		return "holds another record";
	if (record->kind != VAULT_KEY && record->kind != VAULT_REQUEST)
		return "unknown kind of record";
	if (record->epoch <= 0)
		return "no epoch has that number";
	return record->bytes.len < SEAL_OVERHEAD ? "too short for what is sealed" : NULL;
}

const char *vault_need_flaw(struct slice value)
{
	return value.len == VAULT_NEED_LEN ? NULL : "no time";
}

static bool is_sound(struct store_txn *txn, struct slice key, const struct vault_record *record)
{
	const char *flaw = vault_flaw(key, record);
	if (flaw != NULL)
		txn_fail_damaged(txn, TABLE_VAULT, key, flaw);
	return flaw == NULL;
}

static bool get(struct store_txn *txn, const char *id, struct vault_record *ret_record)
{
	struct key key = key_id(id, VAULT_ID_MAX);
	return entry_get(txn, TABLE_VAULT, &key, &vault_format, ret_record) &&
	       is_sound(txn, slice_of(&key), ret_record);
}

/* position: VAULT_ID_MAX + 1 bytes. */
static bool next(struct store_txn *txn, char *position, struct vault_record *ret_record)
{
	struct key all = key_empty();
	if (!entry_next(
		    txn, TABLE_VAULT, &all, position, VAULT_ID_MAX + 1, &vault_format, ret_record))
		return false;
	struct key key = key_position(position);
	return is_sound(txn, slice_of(&key), ret_record);
}

static void put(struct store_txn *txn, const struct vault_record *record)
{
	struct key key = key_id(record->id, VAULT_ID_MAX);
	entry_put(txn, TABLE_VAULT, &key, &vault_format, record);
}

void store_vault_put(struct store_txn *txn, const struct vault_sealed *sealed)
{
	put(txn, &(struct vault_record){
			 .id = sealed->id,
			 .kind = sealed->kind,
			 .epoch = sealed->epoch,
			 .sealed_s = sealed->sealed_s,
			 .wipe_after_s = sealed->wipe_after_s,
			 .bytes = {.bytes = sealed->bytes, .len = sealed->len},
		 });
}

bool store_vault_has(struct store_txn *txn, const char *id)
{
	struct vault_record record;
	return get(txn, id, &record);
}

/* The one behind at, which is moved on. false: that was the last, or a damaged one. */
static bool next_need(
	struct store_txn *txn, const struct key *prefix, struct key *at, int64_t *ret_until_s)
{
	struct slice key, value;
	if (!txn_seek(txn, TABLE_VAULT_NEEDS, at, false, &key, &value) ||
		!key_is_prefix_of(prefix, key.bytes, key.len))
		return false;
	if (vault_need_flaw(value) != NULL) {
		txn_fail_damaged(txn, TABLE_VAULT_NEEDS, key, vault_need_flaw(value));
		return false;
	}
	*ret_until_s = (int64_t)key_read_u64(value.bytes);
	*at = key_bytes(key.bytes, key.len);
	return true;
}

/* The last of all needs, 0 when one has no end. false: there is none, or a damaged one. */
static bool last_need(struct store_txn *txn, const char *id, int64_t *ret_until_s)
{
	struct key prefix = key_vault_need(id, NULL), at = prefix;
	int64_t until_s, last_s = 0;
	bool is_any = false, is_endless = false;
	while (next_need(txn, &prefix, &at, &until_s)) {
		last_s = until_s > last_s ? until_s : last_s;
		is_endless |= until_s == 0;
		is_any = true;
	}
	*ret_until_s = is_endless ? 0 : last_s;
	return is_any && !store_txn_failed(txn);
}

static void set_wipe_after(struct store_txn *txn, const char *id)
{
	struct vault_record record;
	int64_t until_s;
	if (!last_need(txn, id, &until_s) || !get(txn, id, &record))
		return;
	record.wipe_after_s = until_s;
	put(txn, &record);
}

static void put_need(struct store_txn *txn, const char *id, const char *who, int64_t until_s)
{
	struct key key = key_vault_need(id, who);
	unsigned char value[VAULT_NEED_LEN];
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (unsigned char)((uint64_t)until_s >> (8 * (sizeof(value) - 1 - i)));
	txn_put(txn, TABLE_VAULT_NEEDS, &key, value, sizeof(value));
}

void store_vault_need(struct store_txn *txn, const char *id, const char *who, int64_t until_s)
{
	struct vault_record record;
	int64_t ignored;
	assert(who[0] != '\0');
	if (!get(txn, id, &record))
		return;
	int64_t sealed_until_s = record.wipe_after_s;
	if (sealed_until_s != 0 && !last_need(txn, id, &ignored))
		put_need(txn, id, id, sealed_until_s);
	put_need(txn, id, who, until_s);
	set_wipe_after(txn, id);
}

bool store_vault_is_needed(struct store_txn *txn, const char *id, const char *who)
{
	struct key prefix = key_vault_need(id, NULL), at = prefix, own = key_vault_need(id, who);
	int64_t ignored;
	while (next_need(txn, &prefix, &at, &ignored))
		if (!key_equals(&own, at.bytes, at.len))
			return true;
	return false;
}

bool store_vault_next(struct store_txn *txn, enum vault_kind kind, char *position)
{
	struct vault_record record;
	while (next(txn, position, &record))
		if (record.kind == kind)
			return true;
	return false;
}

void store_vault_release(struct store_txn *txn, const char *id, const char *who)
{
	struct key key = key_vault_need(id, who);
	txn_delete(txn, TABLE_VAULT_NEEDS, &key);
	set_wipe_after(txn, id);
}

void store_vault_delete(struct store_txn *txn, const char *id)
{
	struct key key = key_id(id, VAULT_ID_MAX), needs = key_vault_need(id, NULL);
	txn_delete(txn, TABLE_VAULT, &key);
	entry_delete_all(txn, TABLE_VAULT_NEEDS, &needs);
}

void store_vault_delete_due(struct store_txn *txn, int64_t now_s)
{
	struct vault_record record;
	char position[VAULT_ID_MAX + 1] = "";
	while (next(txn, position, &record))
		if (record.wipe_after_s != 0 && record.wipe_after_s <= now_s)
			store_vault_delete(txn, position);
}

int vault_unseal(struct vault *vault, struct store_txn *txn, const char *id,
	struct secret *ret_secret, struct err *err)
{
	struct vault_record record;
	if (get(txn, id, &record))
		return unseal(vault, &record, ret_secret, err);
	if (store_txn_check(txn, err) != 0)
		return -1;
	return err_set(err, ERR_NOT_FOUND, "no key is sealed under the id %s", id);
}

/* --- sweeping -------------------------------------------------------------------------------- */

struct sweep {
	int64_t number;
	bool is_used;
};

/* Also the one that takes records: the next one gets a new epoch, and what is deleted is wiped
 * within the hour instead of the week. */
static bool may_go(const struct vault_epoch *epoch, int64_t now_s)
{
	return epoch->last_sealed_s == 0 || now_s - epoch->last_sealed_s >= SETTLE_S;
}

static int compare_numbers(const void *a, const void *b)
{
	const struct sweep *one = a, *other = b;
	return (one->number > other->number) - (one->number < other->number);
}

/* -1: the store cannot be read as a whole, so that nothing is known to be unused. */
static int mark_used(struct store_txn *txn, struct sweep *sweep, size_t count, struct err *err)
{
	struct vault_record record;
	char position[VAULT_ID_MAX + 1] = "";
	while (next(txn, position, &record)) {
		struct sweep wanted = {.number = record.epoch};
		struct sweep *found =
			bsearch(&wanted, sweep, count, sizeof(*sweep), compare_numbers);
		if (found != NULL)
			found->is_used = true;
	}
	return store_txn_check(txn, err);
}

int vault_sweep(struct vault *vault, struct store_txn *txn, int64_t now_s, struct err *err)
{
	if (vault_folder_tidy(vault, err) != 0)
		return -1;
	struct sweep *sweep = xcalloc(vault->epoch_count + 1, sizeof(*sweep));
	size_t count = 0;
	for (size_t i = 0; i < vault->epoch_count; i++)
		if (may_go(&vault->epoch[i], now_s))
			sweep[count++].number = vault->epoch[i].number;
	int rc = count > 0 ? mark_used(txn, sweep, count, err) : 0;
	for (size_t i = 0; i < count && rc == 0; i++)
		if (!sweep[i].is_used)
			rc = vault_epoch_destroy(vault, sweep[i].number, err);
	free(sweep);
	return rc;
}
