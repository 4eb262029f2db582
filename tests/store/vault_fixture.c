/* See vault_fixture.h. */
#include "tests/store/vault_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"
#include "store/key_internal.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

const char key_text[] = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqG\n";

struct vault *vault;

void vault_fixture_open(void)
{
	struct err err = ERR_INIT;
	vault = vault_open(folder, NULL, &err);
	if (vault == NULL)
		fail_msg("%s", err.text);
}

void vault_fixture_reopen(void)
{
	vault_close(vault);
	store_close(store);
	store = temp_store_open(NULL, folder);
	vault_fixture_open();
}

int vault_fixture_set_up(void **state)
{
	(void)store_fixture_open(state);
	vault_fixture_open();
	return 0;
}

int vault_fixture_tear_down(void **state)
{
	vault_close(vault);
	vault = NULL;
	return store_fixture_close_damaged(state);
}

/* --- records ---------------------------------------------------------------------------------- */

static void write_put(struct store_txn *txn, void *arg)
{
	store_vault_put(txn, arg);
}

void put_sealed(struct vault_sealed *sealed)
{
	store_fixture_write(write_put, sealed);
	vault_sealed_clear(sealed);
}

void seal_as(const char *id, const char *text, int64_t now_s, int64_t wipe_after_s,
	struct vault_sealed *ret)
{
	struct err err = ERR_INIT;
	struct secret secret = SECRET_INIT;
	secret_set(&secret, text, strlen(text));
	assert_int_equal(
		vault_seal(vault, id, VAULT_KEY, &secret, now_s, wipe_after_s, ret, &err), 0);
	secret_clear(&secret);
}

void seal_and_put(const char *id, const char *text, int64_t now_s, int64_t wipe_after_s)
{
	struct vault_sealed sealed;
	seal_as(id, text, now_s, wipe_after_s, &sealed);
	put_sealed(&sealed);
}

static void write_delete(struct store_txn *txn, void *arg)
{
	store_vault_delete(txn, arg);
}

void delete_sealed(const char *id)
{
	store_fixture_write(write_delete, id);
}

bool has_sealed(const char *id)
{
	struct store_txn *txn = store_fixture_read();
	bool is_there = store_vault_has(txn, id);
	store_read_end(txn);
	return is_there;
}

int unseal(const char *id, struct secret *ret, struct err *err)
{
	struct store_txn *txn = store_fixture_read();
	int rc = vault_unseal(vault, txn, id, ret, err);
	store_read_end(txn);
	return rc;
}

void assert_opens(const char *id, const char *text)
{
	struct err err = ERR_INIT;
	struct secret secret = SECRET_INIT;
	if (unseal(id, &secret, &err) != 0)
		print_error("%s\n", err.text);
	assert_string_equal(secret_bytes(&secret), text);
	assert_int_equal(secret.len, strlen(text));
	secret_clear(&secret);
}

void assert_fails(const char *id, enum err_kind kind, const char *part)
{
	struct err err = ERR_INIT;
	struct secret secret = SECRET_INIT;
	assert_int_equal(unseal(id, &secret, &err), -1);
	assert_int_equal(err.kind, kind);
	if (strstr(err.text, part) == NULL)
		print_error("%s\n", err.text);
	assert_non_null(strstr(err.text, part));
	assert_false(secret_is_set(&secret));
}

/* --- epochs ----------------------------------------------------------------------------------- */

void sweep(int64_t now_s)
{
	struct err err = ERR_INIT;
	struct store_txn *txn = store_fixture_read();
	assert_int_equal(vault_sweep(vault, txn, now_s, &err), 0);
	store_read_end(txn);
}

bool has_epoch(int64_t number)
{
	char *path = xasprintf("%s/vault/epoch-%lld", folder, (long long)number);
	bool is_there = access(path, F_OK) == 0;
	free(path);
	return is_there;
}

/* --- records as they are stored --------------------------------------------------------------- */

struct raw get_raw(const char *id)
{
	struct store_txn *txn = store_fixture_read();
	struct key key = key_id(id, VAULT_ID_MAX);
	struct slice value;
	assert_true(txn_get(txn, TABLE_VAULT, &key, &value));
	struct raw raw = {.id = id, .bytes = xmalloc(value.len), .len = value.len};
	memcpy(raw.bytes, value.bytes, value.len);
	store_read_end(txn);
	return raw;
}

static void write_raw(struct store_txn *txn, void *arg)
{
	const struct raw *raw = arg;
	struct key key = key_id(raw->id, VAULT_ID_MAX);
	txn_put(txn, TABLE_VAULT, &key, raw->bytes, raw->len);
}

void put_raw(const struct raw *raw)
{
	store_fixture_write(write_raw, raw);
}

struct vault_record decode_raw(const struct raw *raw)
{
	struct err err = ERR_INIT;
	struct vault_record record;
	assert_int_equal(record_decode(&vault_format, raw->bytes, raw->len, &record, &err), 0);
	return record;
}
