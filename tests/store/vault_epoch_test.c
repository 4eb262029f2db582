/* Epochs of the vault: which records share one, when it goes, what a store without it says, and what is on
 * the disk. */
#include "store/vault.h"

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
#include "store/delivery_internal.h"
#include "store/key_internal.h"
#include "store/vault_internal.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"
#include "tests/store/vault_fixture.h"

/* --- epochs ----------------------------------------------------------------------------------- */

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
	vault_fixture_reopen();
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
	delete_sealed("csr-1");
	vault_fixture_reopen();
	sweep(NOW_S + 1);
	assert_false(has_epoch(NOW_S + 3650LL * DAY_S));
	assert_opens("csr-2", "2");
}

static void an_epoch_stays_while_a_record_may_be_on_its_way(void **state)
{
	(void)state;
	struct vault_sealed sealed;
	seal_as("csr-1", "1", NOW_S, 0, &sealed); /* in nobody's store yet */
	sweep(NOW_S + 3599);
	assert_true(has_epoch(NOW_S));
	put_sealed(&sealed);
	sweep(NOW_S + 3600);
	assert_opens("csr-1", "1");
	delete_sealed("csr-1");
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
	delete_sealed("csr-1");
	put_raw(&(struct raw){.id = "csr-0", .bytes = (unsigned char[]){9}, .len = 1});
	struct store_txn *txn = store_fixture_read();
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
	vault_fixture_reopen();
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
	vault_fixture_open();
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
	store_fixture_write(write_forget_all, NULL);
	vault_fixture_reopen();
	assert_fails("csr-1", ERR_NOT_FOUND, "csr-1");
	sweep(NOW_S + WEEK_S);
	assert_false(has_epoch(NOW_S));
}

/* --- what is on the disk ---------------------------------------------------------------------- */

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
	struct raw raw = get_raw("csr-1");
	struct vault_record record = decode_raw(&raw);
	sweep(NOW_S + WEEK_S + DAY_S);
	assert_true(has_epoch(NOW_S)); /* it has a record */
	delete_sealed("csr-1");
	assert_true(count_in_folder(folder, record.bytes.bytes, record.bytes.len) > 0);
	sweep(NOW_S + WEEK_S + DAY_S);
	assert_false(has_epoch(NOW_S));
	assert_true(has_epoch(NOW_S + WEEK_S));
	assert_true(count_in_folder(folder, record.bytes.bytes, record.bytes.len) > 0);
	put_raw(&raw); /* somebody digs it out */
	for (int i = 0; i < 2; i++) {
		assert_fails("csr-1", ERR_STORE, "is gone: destroyed, or the store was restored");
		assert_opens("csr-2", "stays");
		vault_fixture_reopen();
	}
	free(raw.bytes);
}

static void no_key_is_on_the_disk_unsealed(void **state)
{
	(void)state;
	unsigned char master[SEAL_KEY_LEN], epoch[SEAL_KEY_LEN];
	seal_and_put("csr-1", key_text, NOW_S, 0);
	seal_and_put("csr-2", key_text, NOW_S, 0);
	delete_sealed("csr-2");
	memcpy(master, vault->master.bytes, sizeof(master));
	memcpy(epoch, vault->epoch[0].key.bytes, sizeof(epoch));
	assert_int_equal(count_in_folder(folder, key_text, 24), 0);
	assert_int_equal(count_in_folder(folder, epoch, sizeof(epoch)), 0);
	assert_int_equal(count_in_folder(folder, master, sizeof(master)), 1); /* its own file */
	char *path = temp_path(folder, "vault/master.key");
	assert_int_equal(count_in_file(path, master, sizeof(master)), 1);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VAULT_TEST(records_of_a_week_share_an_epoch),
		VAULT_TEST(a_clock_that_was_years_ahead_does_not_keep_its_epoch),
		VAULT_TEST(an_epoch_stays_while_a_record_may_be_on_its_way),
		VAULT_TEST(a_damaged_record_keeps_every_epoch),
		VAULT_TEST(a_missing_epoch_file_is_named),
		VAULT_TEST(a_store_restored_without_its_vault_says_so_and_goes_on),
		VAULT_TEST(a_store_that_lost_its_records_lets_their_epochs_go),
		VAULT_TEST(what_is_deleted_is_wiped_with_its_epoch),
		VAULT_TEST(no_key_is_on_the_disk_unsealed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
