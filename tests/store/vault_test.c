/* Sealed records: round trips, tampering, epochs and what is left of them on the disk. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/seal.h"
#include "base/secret.h"
#include "store/delivery_internal.h"
#include "store/key_internal.h"
#include "store/vault.h"
#include "store/vault_internal.h"
#include "tests/lib/temp_store.h"

enum { DAY_S = 86400, WEEK_S = VAULT_EPOCH_S, NOW_S = SAMPLE_NOW_S };

static const char key_text[] = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqG\n";

static char *folder;
static struct store *store;
static struct vault *vault;

static void open_vault(void)
{
	struct err err = ERR_INIT;
	vault = vault_open(folder, NULL, &err);
	if (vault == NULL)
		print_error("%s\n", err.text);
	assert_non_null(vault);
}

static void reopen(void)
{
	vault_close(vault);
	store_close(store);
	store = temp_store_open(NULL, folder);
	open_vault();
}

static int setup(void **state)
{
	(void)state;
	folder = temp_folder_new();
	store = temp_store_open(NULL, folder);
	open_vault();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vault_close(vault);
	vault = NULL;
	store_close(store);
	temp_folder_remove(folder);
	return 0;
}

/* --- writes and reads ------------------------------------------------------------------------ */

static void write_put(struct store_txn *txn, void *arg)
{
	store_vault_put(txn, arg);
}

static void write_delete(struct store_txn *txn, void *arg)
{
	store_vault_delete(txn, arg);
}

static void write_now(store_write_fn *write, void *arg)
{
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(store, write, arg, &err), 0);
}

static void seal_as(const char *id, const char *text, int64_t now_s, int64_t wipe_after_s,
	struct vault_sealed *ret)
{
	struct err err = ERR_INIT;
	struct secret secret = SECRET_INIT;
	secret_set(&secret, text, strlen(text));
	assert_int_equal(
		vault_seal(vault, id, VAULT_KEY, &secret, now_s, wipe_after_s, ret, &err), 0);
	secret_clear(&secret);
}

static void seal_and_put(const char *id, const char *text, int64_t now_s, int64_t wipe_after_s)
{
	struct vault_sealed sealed;
	seal_as(id, text, now_s, wipe_after_s, &sealed);
	write_now(write_put, &sealed);
	vault_sealed_clear(&sealed);
}

static struct store_txn *begin(void)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	return txn;
}

static bool has(const char *id)
{
	struct store_txn *txn = begin();
	bool is_there = store_vault_has(txn, id);
	store_read_end(txn);
	return is_there;
}

static int unseal(const char *id, struct secret *ret, struct err *err)
{
	struct store_txn *txn = begin();
	int rc = vault_unseal(vault, txn, id, ret, err);
	store_read_end(txn);
	return rc;
}

static void assert_opens(const char *id, const char *text)
{
	struct err err = ERR_INIT;
	struct secret secret = SECRET_INIT;
	if (unseal(id, &secret, &err) != 0)
		print_error("%s\n", err.text);
	assert_string_equal(secret_bytes(&secret), text);
	assert_int_equal(secret.len, strlen(text));
	secret_clear(&secret);
}

static void assert_fails(const char *id, enum err_kind kind, const char *part)
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

static void sweep(int64_t now_s)
{
	struct err err = ERR_INIT;
	struct store_txn *txn = begin();
	assert_int_equal(vault_sweep(vault, txn, now_s, &err), 0);
	store_read_end(txn);
}

static bool has_epoch(int64_t number)
{
	char *path = xasprintf("%s/vault/epoch-%lld", folder, (long long)number);
	bool is_there = access(path, F_OK) == 0;
	free(path);
	return is_there;
}

/* --- round trips ----------------------------------------------------------------------------- */

static void a_sealed_key_opens_again_also_after_a_restart(void **state)
{
	(void)state;
	seal_and_put("csr-1", key_text, NOW_S, 0);
	seal_and_put("csr-2", "another", NOW_S + 1, 0);
	assert_opens("csr-1", key_text);
	reopen();
	assert_opens("csr-1", key_text);
	assert_opens("csr-2", "another");
	assert_true(has("csr-1"));
	assert_false(has("csr-3"));
	assert_fails("csr-3", ERR_NOT_FOUND, "no key is sealed under the id csr-3");
	assert_fails("", ERR_NOT_FOUND, "no key");
	assert_fails("../../etc/passwd\n", ERR_NOT_FOUND, "no key");
	assert_int_equal(temp_store_problems(store), 0);
}

static void a_put_under_the_same_id_replaces(void **state)
{
	(void)state;
	seal_and_put("csr-1", "first", NOW_S, 0);
	seal_and_put("csr-1", "second", NOW_S, 0);
	assert_opens("csr-1", "second");
	write_now(write_delete, (void *)(uintptr_t) "csr-1");
	assert_fails("csr-1", ERR_NOT_FOUND, "csr-1");
}

static void the_longest_id_fits(void **state)
{
	(void)state;
	char id[VAULT_ID_MAX + 1];
	memset(id, 'a', VAULT_ID_MAX);
	id[VAULT_ID_MAX] = '\0';
	seal_and_put(id, key_text, NOW_S, 0);
	assert_opens(id, key_text);
	sweep(NOW_S + 30 * DAY_S); /* walks over it */
	assert_opens(id, key_text);
}

static void write_wipe_after(struct store_txn *txn, void *arg)
{
	store_vault_need(txn, "csr-1", "arn:a", *(int64_t *)arg);
	store_vault_need(txn, "csr-none", "arn:a", *(int64_t *)arg);
}

static void write_delete_due(struct store_txn *txn, void *arg)
{
	store_vault_delete_due(txn, *(int64_t *)arg);
}

static void what_is_due_is_deleted_and_nothing_else(void **state)
{
	(void)state;
	int64_t at_s = NOW_S + 10;
	seal_and_put("csr-1", "1", NOW_S, 0);
	seal_and_put("csr-2", "2", NOW_S, at_s);
	seal_and_put("csr-3", "3", NOW_S, at_s + 1);
	seal_and_put("csr-4", "4", NOW_S, at_s - 1);
	write_now(write_delete_due, &at_s);
	assert_true(has("csr-1") && !has("csr-2") && has("csr-3") && !has("csr-4"));
	write_now(write_wipe_after, &at_s);
	assert_false(has("csr-none"));
	assert_opens("csr-1", "1"); /* when it is wiped may change */
	write_now(write_delete_due, &at_s);
	assert_true(!has("csr-1") && has("csr-3"));
}

static const struct need {
	const char *who;
	int64_t until_s;
} * need;

static void write_need(struct store_txn *txn, void *arg)
{
	store_vault_need(txn, arg, need->who, need->until_s);
}

static void write_release(struct store_txn *txn, void *arg)
{
	store_vault_release(txn, arg, need->who);
}

static bool stays_until(const char *id, int64_t until_s)
{
	int64_t before_s = until_s - 1;
	write_now(write_delete_due, &before_s);
	bool was_there = has(id);
	write_now(write_delete_due, &until_s);
	return was_there && !has(id);
}

static void a_key_stays_as_long_as_the_last_that_needs_it(void **state)
{
	(void)state;
	static const struct need one = {"arn:a", NOW_S + 30}, other = {"arn:b", NOW_S + 90},
				 job = {"j-1", 0}, less = {"arn:b", NOW_S + 20};
	char id[] = "csr-1", id_2[] = "csr-2", id_10[] = "csr-10";
	int64_t later_s = NOW_S + 1000;
	seal_and_put(id, "1", NOW_S, NOW_S + 5);
	seal_and_put(id_2, "2", NOW_S, 0);
	seal_and_put(id_10, "10", NOW_S, 0); /* begins as the first one does */
	write_now(write_need, ((need = &one), id));
	write_now(write_need, ((need = &other), id));
	write_now(write_need, ((need = &one), id)); /* the order does not matter */
	write_now(write_need, ((need = &job), id));
	write_now(write_delete_due, &later_s);
	assert_true(has(id)); /* the job runs */
	write_now(write_release, ((need = &job), id));
	write_now(write_release, ((need = &job), id_2)); /* nobody needed it: as it was */
	assert_true(stays_until(id, NOW_S + 90));
	assert_true(has(id_2) && has(id_10));
	seal_and_put(id, "1 again", NOW_S, NOW_S + 5); /* what needed the old one is forgotten */
	assert_true(stays_until(id, NOW_S + 5));
	write_now(write_need, ((need = &other), id_2));
	write_now(write_need, ((need = &less), id_2)); /* it may need it for less */
	assert_true(stays_until(id_2, NOW_S + 20));
}

/* --- tampering ------------------------------------------------------------------------------- */

struct raw {
	const char *id;
	unsigned char *bytes; /* owned */
	size_t len;
};

static struct raw raw_get(const char *id)
{
	struct store_txn *txn = begin();
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

/* The one thing that may be changed is when it is wiped: eight bytes. */
static void no_changed_bit_of_a_record_goes_unseen(void **state)
{
	(void)state;
	seal_and_put("csr-1", "a key", NOW_S, NOW_S + 5);
	struct raw raw = raw_get("csr-1");
	size_t opened = 0;
	for (size_t bit = 0; bit < raw.len * 8; bit++) {
		struct err err = ERR_INIT;
		struct secret secret = SECRET_INIT;
		raw.bytes[bit / 8] = (unsigned char)(raw.bytes[bit / 8] ^ 1U << bit % 8);
		write_now(write_raw, &raw);
		if (unseal("csr-1", &secret, &err) == 0) {
			assert_string_equal(secret_bytes(&secret), "a key");
			opened++;
		} else {
			assert_int_equal(err.kind, ERR_STORE);
		}
		secret_clear(&secret);
		raw.bytes[bit / 8] = (unsigned char)(raw.bytes[bit / 8] ^ 1U << bit % 8);
	}
	assert_int_equal(opened, 64);
	free(raw.bytes);
}

static void a_record_cut_at_any_byte_does_not_open(void **state)
{
	(void)state;
	seal_and_put("csr-1", "a key", NOW_S, 0);
	struct raw raw = raw_get("csr-1");
	size_t whole = raw.len;
	for (raw.len = 0; raw.len < whole; raw.len++) {
		write_now(write_raw, &raw);
		assert_fails("csr-1", ERR_STORE, "csr-1");
	}
	assert_int_equal(temp_store_problems(store), 1);
	free(raw.bytes);
}

static struct vault_record decode_raw(const struct raw *raw)
{
	struct err err = ERR_INIT;
	struct vault_record record;
	assert_int_equal(record_decode(&vault_format, raw->bytes, raw->len, &record, &err), 0);
	return record;
}

static void write_record(struct store_txn *txn, void *arg)
{
	const struct vault_record *record = arg;
	struct key key = key_id(record->id, VAULT_ID_MAX);
	entry_put(txn, TABLE_VAULT, &key, &vault_format, record);
}

static void no_record_can_stand_for_another(void **state)
{
	(void)state;
	seal_and_put("csr-1", "key one", NOW_S, 0);
	seal_and_put("csr-2", "key two", NOW_S, 0);
	struct raw one = raw_get("csr-1"), two = raw_get("csr-2");
	one.id = "csr-2"; /* the whole entry */
	write_now(write_raw, &one);
	assert_fails("csr-2", ERR_STORE, "holds another record");
	struct vault_record record = decode_raw(&one);
	record.id = "csr-2"; /* renamed as well */
	write_now(write_record, &record);
	assert_fails("csr-2", ERR_STORE, "was changed after it was sealed");
	record = decode_raw(&two);
	record.sealed_s++;
	write_now(write_record, &record);
	assert_fails("csr-2", ERR_STORE, "was changed after it was sealed");
	record = decode_raw(&two);
	record.kind = 2;
	write_now(write_record, &record);
	assert_fails("csr-2", ERR_STORE, "unknown kind of record");
	write_now(write_raw, &two);
	assert_opens("csr-2", "key two");
	free(one.bytes);
	free(two.bytes);
}

static void a_record_under_another_epoch_does_not_open(void **state)
{
	(void)state;
	seal_and_put("csr-1", "key one", NOW_S, 0);
	seal_and_put("csr-2", "key two", NOW_S + WEEK_S, 0);
	struct raw one = raw_get("csr-1");
	struct vault_record record = decode_raw(&one);
	assert_int_equal(record.epoch, NOW_S);
	record.epoch = NOW_S + WEEK_S;
	write_now(write_record, &record);
	assert_fails("csr-1", ERR_STORE, "was changed after it was sealed");
	free(one.bytes);
}

/* --- epochs ---------------------------------------------------------------------------------- */

static void records_of_a_week_share_an_epoch(void **state)
{
	(void)state;
	seal_and_put("csr-1", "1", NOW_S, 0);
	seal_and_put("csr-2", "2", NOW_S + WEEK_S - 1, 0);
	seal_and_put("csr-3", "3", NOW_S + WEEK_S, 0);
	assert_true(has_epoch(NOW_S) && has_epoch(NOW_S + WEEK_S));
	assert_int_equal(vault->epoch_count, 2);
	seal_and_put("csr-4", "4", NOW_S + 5, 0); /* the clock was set back: no third one */
	assert_int_equal(vault->epoch_count, 2);
	reopen();
	seal_and_put("csr-5", "5", NOW_S + WEEK_S + 1, 0);
	assert_int_equal(vault->epoch_count, 2);
	assert_opens("csr-1", "1");
	assert_opens("csr-3", "3");
}

static void a_clock_that_was_years_ahead_does_not_keep_its_epoch(void **state)
{
	(void)state;
	seal_and_put("csr-1", "1", NOW_S + 3650LL * DAY_S, 0);
	seal_and_put("csr-2", "2", NOW_S, 0);
	assert_true(has_epoch(NOW_S));
	write_now(write_delete, (void *)(uintptr_t) "csr-1");
	reopen();
	sweep(NOW_S + 1);
	assert_false(has_epoch(NOW_S + 3650LL * DAY_S));
	assert_opens("csr-2", "2");
}

/* How often bytes are in a file. */
static size_t count_in_file(const char *path, const void *needle, size_t len)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size_t size = (size_t)ftell(file), count = 0;
	rewind(file);
	unsigned char *bytes = xmalloc(size + 1);
	assert_int_equal(fread(bytes, 1, size, file), size);
	fclose(file);
	for (unsigned char *at = bytes;
		(at = memmem(at, size - (size_t)(at - bytes), needle, len)) != NULL; at++)
		count++;
	free(bytes);
	return count;
}

/* In all files of the data folder and its vault. */
static size_t count_in_folder(const char *path, const void *needle, size_t len)
{
	size_t count = 0;
	DIR *open = opendir(path);
	assert_non_null(open);
	for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		char *name = temp_path(path, entry->d_name);
		struct stat status;
		assert_int_equal(lstat(name, &status), 0);
		count += S_ISDIR(status.st_mode) ? count_in_folder(name, needle, len)
						 : count_in_file(name, needle, len);
		free(name);
	}
	closedir(open);
	return count;
}

/* LMDB leaves what was deleted in free pages: it is there, and nothing can open it. */
static void what_is_deleted_is_wiped_with_its_epoch(void **state)
{
	(void)state;
	seal_and_put("csr-1", key_text, NOW_S, 0);
	seal_and_put("csr-2", "stays", NOW_S + WEEK_S, 0);
	struct raw raw = raw_get("csr-1");
	struct vault_record record = decode_raw(&raw);
	sweep(NOW_S + WEEK_S + DAY_S);
	assert_true(has_epoch(NOW_S)); /* it has a record */
	write_now(write_delete, (void *)(uintptr_t) "csr-1");
	assert_true(count_in_folder(folder, record.bytes.bytes, record.bytes.len) > 0);
	sweep(NOW_S + WEEK_S + DAY_S);
	assert_false(has_epoch(NOW_S));
	assert_true(has_epoch(NOW_S + WEEK_S));
	assert_true(count_in_folder(folder, record.bytes.bytes, record.bytes.len) > 0);
	write_now(write_raw, &raw); /* somebody digs it out */
	for (int i = 0; i < 2; i++) {
		assert_fails("csr-1", ERR_STORE, "is gone: destroyed, or the store was restored");
		assert_opens("csr-2", "stays");
		reopen();
	}
	free(raw.bytes);
}

static void an_epoch_stays_while_a_record_may_be_on_its_way(void **state)
{
	(void)state;
	struct vault_sealed sealed;
	seal_as("csr-1", "1", NOW_S, 0, &sealed); /* in nobody's store yet */
	sweep(NOW_S + 3599);
	assert_true(has_epoch(NOW_S));
	write_now(write_put, &sealed);
	vault_sealed_clear(&sealed);
	sweep(NOW_S + 3600);
	assert_opens("csr-1", "1");
	write_now(write_delete, (void *)(uintptr_t) "csr-1");
	sweep(NOW_S + 3599);
	assert_true(has_epoch(NOW_S));
	sweep(NOW_S + 3600); /* the epoch that takes records, too */
	assert_false(has_epoch(NOW_S));
	assert_int_equal(vault->epoch_count, 0);
	seal_and_put("csr-1", "again", NOW_S + 3600, 0);
	assert_opens("csr-1", "again");
}

static void a_damaged_record_keeps_every_epoch(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	seal_and_put("csr-1", "1", NOW_S, 0);
	seal_and_put("csr-2", "2", NOW_S + WEEK_S, 0);
	write_now(write_delete, (void *)(uintptr_t) "csr-1");
	write_now(write_raw, &(struct raw){.id = "csr-0", .bytes = (unsigned char[]){9}, .len = 1});
	struct store_txn *txn = begin();
	assert_int_equal(vault_sweep(vault, txn, NOW_S + 2 * WEEK_S + DAY_S, &err), -1);
	store_read_end(txn);
	assert_int_equal(err.kind, ERR_STORE);
	assert_non_null(strstr(err.text, "table vault, key \"csr-0\""));
	assert_true(has_epoch(NOW_S) && has_epoch(NOW_S + WEEK_S));
}

/* --- restored and cut stores ------------------------------------------------------------------ */

static void a_missing_epoch_file_is_named(void **state)
{
	(void)state;
	seal_and_put("csr-1", "1", NOW_S, 0);
	seal_and_put("csr-2", "2", NOW_S + WEEK_S, 0);
	char *path = xasprintf("%s/vault/epoch-%lld", folder, (long long)NOW_S);
	assert_int_equal(unlink(path), 0);
	reopen();
	assert_fails("csr-1", ERR_STORE, path);
	assert_fails("csr-1", ERR_STORE, "is gone");
	assert_opens("csr-2", "2");
	free(path);
}

static void a_store_restored_without_its_vault_says_so_and_goes_on(void **state)
{
	(void)state;
	seal_and_put("csr-1", "1", NOW_S, 0);
	vault_close(vault);
	char *from = temp_path(folder, "vault"), *to = temp_path(folder, "away");
	assert_int_equal(rename(from, to), 0);
	open_vault();
	assert_fails("csr-1", ERR_STORE, "the store was restored without it");
	seal_and_put("csr-2", "2", NOW_S, 0); /* an epoch of the same number, another key */
	assert_fails("csr-1", ERR_STORE, "was changed after it was sealed, or was sealed for");
	assert_opens("csr-2", "2");
	free(from);
	free(to);
}

static void write_forget_all(struct store_txn *txn, void *arg)
{
	struct key all = key_empty();
	(void)arg;
	entry_delete_all(txn, TABLE_VAULT, &all);
}

static void a_store_that_lost_its_records_lets_their_epochs_go(void **state)
{
	(void)state;
	seal_and_put("csr-1", "1", NOW_S, 0);
	write_now(write_forget_all, NULL);
	reopen();
	assert_fails("csr-1", ERR_NOT_FOUND, "csr-1");
	sweep(NOW_S + WEEK_S);
	assert_false(has_epoch(NOW_S));
}

/* --- what is on the disk ---------------------------------------------------------------------- */

static void no_key_is_on_the_disk_unsealed(void **state)
{
	(void)state;
	unsigned char master[SEAL_KEY_LEN], epoch[SEAL_KEY_LEN];
	seal_and_put("csr-1", key_text, NOW_S, 0);
	seal_and_put("csr-2", key_text, NOW_S, 0);
	write_now(write_delete, (void *)(uintptr_t) "csr-2");
	memcpy(master, vault->master.bytes, sizeof(master));
	memcpy(epoch, vault->epoch[0].key.bytes, sizeof(epoch));
	assert_int_equal(count_in_folder(folder, key_text, 24), 0);
	assert_int_equal(count_in_folder(folder, epoch, sizeof(epoch)), 0);
	assert_int_equal(count_in_folder(folder, master, sizeof(master)), 1); /* its own file */
	char *path = temp_path(folder, "vault/master.key");
	assert_int_equal(count_in_file(path, master, sizeof(master)), 1);
	free(path);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_sealed_key_opens_again_also_after_a_restart),
		WITH_STORE(a_put_under_the_same_id_replaces),
		WITH_STORE(the_longest_id_fits),
		WITH_STORE(what_is_due_is_deleted_and_nothing_else),
		WITH_STORE(a_key_stays_as_long_as_the_last_that_needs_it),
		WITH_STORE(no_changed_bit_of_a_record_goes_unseen),
		WITH_STORE(a_record_cut_at_any_byte_does_not_open),
		WITH_STORE(no_record_can_stand_for_another),
		WITH_STORE(a_record_under_another_epoch_does_not_open),
		WITH_STORE(records_of_a_week_share_an_epoch),
		WITH_STORE(a_clock_that_was_years_ahead_does_not_keep_its_epoch),
		WITH_STORE(what_is_deleted_is_wiped_with_its_epoch),
		WITH_STORE(an_epoch_stays_while_a_record_may_be_on_its_way),
		WITH_STORE(a_damaged_record_keeps_every_epoch),
		WITH_STORE(a_missing_epoch_file_is_named),
		WITH_STORE(a_store_restored_without_its_vault_says_so_and_goes_on),
		WITH_STORE(a_store_that_lost_its_records_lets_their_epochs_go),
		WITH_STORE(no_key_is_on_the_disk_unsealed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
