/* Sealed records and the files of their keys. */
#include "store/vault.h"

#include <dirent.h>
#include <fcntl.h>
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
#include "base/secret.h"
#include "store/key_internal.h"
#include "store/record_internal.h"
#include "store/store_internal.h"
#include "store/vault_internal.h"
#include "tests/lib/temp_store.h"

enum { NOW_S = SAMPLE_NOW_S, LATER_S = NOW_S + VAULT_EPOCH_S, QUIET_S = VAULT_QUIET_S + 1 };

static const char plain[] = "-----BEGIN PRIVATE KEY----- needle-in-the-vault -----END";

static char *folder;
static struct store *store;
static struct vault *vault;

static struct vault *open_vault(const char *master)
{
	struct err err = ERR_INIT;
	struct vault *opened = vault_open(folder, master, &err);
	if (opened == NULL)
		fail_msg("%s", err.text);
	return opened;
}

static int setup(void **state)
{
	(void)state;
	folder = temp_folder_new();
	store = temp_store_open(NULL, folder);
	vault = open_vault(NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vault_close(vault);
	store_close(store);
	temp_folder_remove(folder);
	return 0;
}

static void reopen(void)
{
	vault_close(vault);
	vault = open_vault(NULL);
}

static char *file_of(const char *name)
{
	char *below = xmalloc(strlen(name) + 7);
	sprintf(below, "vault/%s", name);
	char *path = temp_path(folder, below);
	free(below);
	return path;
}

static bool has_file(const char *name)
{
	char *path = file_of(name);
	bool is_there = access(path, F_OK) == 0;
	free(path);
	return is_there;
}

/* The whole file into memory; owned. */
static unsigned char *read_all(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*ret_len = (size_t)ftell(file);
	rewind(file);
	unsigned char *bytes = xmalloc(*ret_len + 1);
	assert_int_equal(fread(bytes, 1, *ret_len, file), *ret_len);
	fclose(file);
	return bytes;
}

static void write_all(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

/* --- records ---------------------------------------------------------------------------------- */

static struct vault_sealed seal(const char *id, int64_t now_s, int64_t wipe_after_s)
{
	struct err err = ERR_INIT;
	struct vault_sealed sealed;
	struct secret secret = SECRET_INIT;
	secret_set(&secret, plain, strlen(plain));
	if (vault_seal(vault, id, VAULT_KEY, &secret, now_s, wipe_after_s, &sealed, &err) != 0)
		fail_msg("%s", err.text);
	secret_clear(&secret);
	return sealed;
}

static void do_put(struct store_txn *txn, void *arg)
{
	store_vault_put(txn, arg);
}

static void do_delete(struct store_txn *txn, void *arg)
{
	store_vault_delete(txn, arg);
}

static void do_delete_due(struct store_txn *txn, void *arg)
{
	store_vault_delete_due(txn, *(int64_t *)arg);
}

static void write_now(store_write_fn *write, void *arg)
{
	struct err err = ERR_INIT;
	if (store_write_now(store, write, arg, &err) != 0)
		fail_msg("%s", err.text);
}

static void put(const char *id, int64_t now_s, int64_t wipe_after_s)
{
	struct vault_sealed sealed = seal(id, now_s, wipe_after_s);
	write_now(do_put, &sealed);
	vault_sealed_clear(&sealed);
}

static void delete (const char *id)
{
	char copy[VAULT_ID_MAX + 1] = "";
	strncpy(copy, id, VAULT_ID_MAX);
	write_now(do_delete, copy);
}

static struct store_txn *begin(void)
{
	struct err err = ERR_INIT;
	struct store_txn *txn;
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	return txn;
}

static bool is_there(const char *id)
{
	struct store_txn *txn = begin();
	bool has = store_vault_has(txn, id);
	store_read_end(txn);
	return has;
}

/* ERR_NONE: it opened as what was sealed. */
static enum err_kind unseal(const char *id)
{
	struct err err = ERR_INIT;
	struct secret secret = SECRET_INIT;
	struct store_txn *txn = begin();
	int rc = vault_unseal(vault, txn, id, &secret, &err);
	store_read_end(txn);
	assert_true(secret_is_set(&secret) == (rc == 0));
	if (rc == 0)
		assert_string_equal(secret_bytes(&secret), plain);
	else
		assert_null(strstr(err.text, "needle"));
	secret_clear(&secret);
	return err.kind;
}

static void sweep(int64_t now_s)
{
	struct err err = ERR_INIT;
	struct store_txn *txn = begin();
	if (vault_sweep(vault, txn, now_s, &err) != 0)
		fail_msg("%s", err.text);
	store_read_end(txn);
}

static void what_is_sealed_comes_back_after_a_restart_too(void **state)
{
	(void)state;
	assert_int_equal(unseal("plan-1"), ERR_NOT_FOUND);
	put("plan-1", NOW_S, 0);
	assert_int_equal(unseal("plan-1"), ERR_NONE);
	assert_int_equal(unseal("plan-2"), ERR_NOT_FOUND);
	reopen();
	assert_int_equal(unseal("plan-1"), ERR_NONE);
	delete ("plan-1");
	assert_int_equal(unseal("plan-1"), ERR_NOT_FOUND);
	assert_int_equal(temp_store_problems(store), 0);
}

static void ids_and_secrets_that_do_not_fit_are_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct vault_sealed sealed;
	struct secret secret = SECRET_INIT;
	char id[VAULT_ID_MAX + 2];
	memset(id, 'a', sizeof(id));
	id[VAULT_ID_MAX + 1] = '\0';
	secret_set(&secret, "x", 1);
	assert_int_equal(vault_seal(vault, id, VAULT_KEY, &secret, NOW_S, 0, &sealed, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	secret_set(&secret, "", 0);
	assert_int_equal(
		vault_seal(vault, "plan-1", VAULT_KEY, &secret, NOW_S, 0, &sealed, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	secret_clear(&secret);
	id[VAULT_ID_MAX] = '\0';
	put(id, NOW_S, 0);
	assert_int_equal(unseal(id), ERR_NONE);
}

/* --- changed records -------------------------------------------------------------------------- */

struct change {
	const char *from, *to; /* ids */
	size_t at;	       /* which digit of the sealed bytes is another one */
	bool is_changed;
	int64_t epoch; /* 0: as it was */
};

static void do_change(struct store_txn *txn, void *arg)
{
	const struct change *change = arg;
	struct vault_record record;
	struct key from = key_id(change->from), to = key_id(change->to);
	assert_true(entry_get(txn, TABLE_VAULT, &from, &vault_format, &record));
	char *sealed = xstrdup(record.sealed);
	record.sealed = sealed;
	record.id = change->to;
	if (change->is_changed)
		sealed[change->at] = sealed[change->at] == '0' ? '1' : '0';
	if (change->epoch != 0)
		record.epoch = change->epoch;
	entry_put(txn, TABLE_VAULT, &to, &vault_format, &record);
	free(sealed);
}

static void every_changed_byte_is_found(void **state)
{
	(void)state;
	struct vault_sealed sealed = seal("plan-1", NOW_S, 0);
	size_t digits = sealed.len * 2;
	write_now(do_put, &sealed);
	for (size_t at = 0; at < digits; at++) {
		write_now(do_change,
			&(struct change){
				.from = "plan-1", .to = "plan-1", .at = at, .is_changed = true});
		assert_int_equal(unseal("plan-1"), ERR_STORE);
		write_now(do_put, &sealed);
	}
	assert_int_equal(unseal("plan-1"), ERR_NONE);
	vault_sealed_clear(&sealed);
}

static void no_record_stands_for_another(void **state)
{
	(void)state;
	put("plan-1", NOW_S, 0);
	put("plan-2", NOW_S, 0);
	write_now(do_change, &(struct change){.from = "plan-1", .to = "plan-2"});
	assert_int_equal(unseal("plan-1"), ERR_NONE);
	assert_int_equal(unseal("plan-2"), ERR_STORE);
	put("plan-3", LATER_S, 0); /* another epoch */
	write_now(do_change, &(struct change){.from = "plan-1", .to = "plan-1", .epoch = 2});
	assert_int_equal(unseal("plan-1"), ERR_STORE);
	write_now(do_change, &(struct change){.from = "plan-1", .to = "plan-1", .epoch = 99});
	assert_int_equal(unseal("plan-1"), ERR_STORE);
}

/* --- what is due ------------------------------------------------------------------------------ */

static void set_wipe_after(struct store_txn *txn, void *arg)
{
	(void)arg;
	store_vault_set_wipe_after(txn, "kept", NOW_S + 5);
	store_vault_set_wipe_after(txn, "nobody", NOW_S + 5);
}

static void what_is_due_is_deleted(void **state)
{
	(void)state;
	int64_t now_s = NOW_S + 10;
	put("due-1", NOW_S, NOW_S + 9);
	put("due-2", NOW_S, NOW_S + 10);
	put("kept", NOW_S, 0);
	put("later", NOW_S, NOW_S + 11);
	write_now(do_delete_due, &now_s);
	assert_false(is_there("due-1"));
	assert_false(is_there("due-2"));
	assert_true(is_there("kept"));
	assert_true(is_there("later"));
	write_now(set_wipe_after, NULL);
	assert_int_equal(unseal("kept"), ERR_NONE);
	assert_false(is_there("nobody"));
	write_now(do_delete_due, &now_s);
	assert_false(is_there("kept"));
}

/* --- epochs ----------------------------------------------------------------------------------- */

static void records_go_to_a_new_epoch_after_a_while(void **state)
{
	(void)state;
	assert_false(has_file("epoch-1"));
	put("plan-1", NOW_S, 0);
	put("plan-2", LATER_S - 1, 0);
	put("plan-3", NOW_S - 100, 0); /* a clock that went back */
	assert_true(has_file("epoch-1"));
	assert_false(has_file("epoch-2"));
	put("plan-4", LATER_S, 0);
	assert_true(has_file("epoch-2"));
	reopen();
	put("plan-5", LATER_S + 1, 0);
	assert_false(has_file("epoch-3"));
	assert_int_equal(unseal("plan-1"), ERR_NONE);
	assert_int_equal(unseal("plan-5"), ERR_NONE);
}

static void an_epoch_is_destroyed_when_nothing_is_left_and_it_is_quiet(void **state)
{
	(void)state;
	put("plan-1", NOW_S, 0);
	put("plan-2", NOW_S, 0);
	put("plan-3", LATER_S, 0);
	delete ("plan-1");
	sweep(LATER_S + QUIET_S);
	assert_true(has_file("epoch-1")); /* plan-2 */
	struct vault_sealed on_its_way = seal("plan-4", LATER_S, 0);
	delete ("plan-2");
	delete ("plan-3");
	sweep(LATER_S + VAULT_QUIET_S);
	assert_false(has_file("epoch-1"));
	assert_true(has_file("epoch-2"));
	write_now(do_put, &on_its_way);
	sweep(LATER_S + QUIET_S);
	assert_true(has_file("epoch-2"));
	assert_int_equal(unseal("plan-4"), ERR_NONE);
	delete ("plan-4");
	sweep(LATER_S + QUIET_S);
	assert_false(has_file("epoch-2"));
	write_now(do_put, &on_its_way); /* a copy of the store brings it back: it stays shut */
	assert_int_equal(unseal("plan-4"), ERR_STORE);
	put("plan-5", LATER_S + QUIET_S, 0); /* the numbers begin anew: no other key fits */
	assert_int_equal(unseal("plan-4"), ERR_STORE);
	assert_int_equal(unseal("plan-5"), ERR_NONE);
	vault_sealed_clear(&on_its_way);
}

/* --- files ------------------------------------------------------------------------------------ */

static void expect_shut(const char *master, enum err_kind kind, const char *says)
{
	struct err err = ERR_INIT;
	struct vault *opened = vault_open(folder, master, &err);
	assert_null(opened);
	assert_int_equal(err.kind, kind);
	if (strstr(err.text, says) == NULL)
		fail_msg("%s (expected \"%s\")", err.text, says);
}

static void files_are_for_their_owner_alone(void **state)
{
	(void)state;
	static const char *const names[] = {"", "master.key", "epoch-1"};
	put("plan-1", NOW_S, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct stat status;
		char *path = file_of(names[i]);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode & 0777, i == 0 ? 0700 : 0600);
		if (i > 0) {
			assert_int_equal(chmod(path, 0644), 0);
			expect_shut(NULL, ERR_CONFIG, "chmod 600");
			assert_int_equal(chmod(path, 0600), 0);
		}
		free(path);
	}
	reopen();
	assert_int_equal(unseal("plan-1"), ERR_NONE);
}

static void another_master_key_is_refused(void **state)
{
	(void)state;
	char *path = temp_path(folder, "other.key"), *own = file_of("master.key");
	put("plan-1", NOW_S, 0);
	write_all(path, "0123456789abcdef0123456789abcdef", 32);
	expect_shut(path, ERR_CONFIG, "another master key");
	write_all(path, "0123456789abcdef0123456789abcdef", 31);
	expect_shut(path, ERR_CONFIG, "must hold 32 bytes");
	write_all(path, "0123456789abcdef0123456789abcdef\n", 33);
	expect_shut(path, ERR_CONFIG, "must hold 32 bytes");
	unlink(path);
	expect_shut(path, ERR_CONFIG, "cannot read");
	assert_int_equal(symlink(own, path), 0);
	expect_shut(path, ERR_CONFIG, "cannot read");
	assert_int_equal(unlink(own), 0);
	expect_shut(NULL, ERR_CONFIG, "is missing, though keys are sealed");
	assert_false(has_file("master.key"));
	free(path);
	free(own);
}

static void a_master_key_of_its_own_file_is_used(void **state)
{
	(void)state;
	char *path = temp_path(folder, "credential"), *own = file_of("master.key");
	write_all(path, "0123456789abcdef0123456789abcdef", 32);
	vault_close(vault);
	assert_int_equal(unlink(own), 0);
	vault = open_vault(path);
	put("plan-1", NOW_S, 0);
	assert_false(has_file("master.key"));
	vault_close(vault);
	vault = open_vault(path);
	assert_int_equal(unseal("plan-1"), ERR_NONE);
	if (geteuid() == 0) { /* as systemd makes credentials: root's, an ACL's mask as group */
		assert_int_equal(chown(path, 0, 0), 0);
		assert_int_equal(chmod(path, 0440), 0);
		vault_close(vault);
		vault = open_vault(path);
		assert_int_equal(unseal("plan-1"), ERR_NONE);
		assert_int_equal(chown(path, 0, 1), 0);
		expect_shut(path, ERR_CONFIG, "chmod 600");
		assert_int_equal(chown(path, 0, 0), 0);
		assert_int_equal(chmod(path, 0460), 0);
		expect_shut(path, ERR_CONFIG, "chmod 600");
	}
	free(path);
	free(own);
}

static void every_changed_byte_of_an_epoch_is_found(void **state)
{
	(void)state;
	size_t len;
	put("plan-1", NOW_S, 0);
	char *path = file_of("epoch-1"), *second = file_of("epoch-2");
	unsigned char *bytes = read_all(path, &len);
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 1;
		write_all(path, bytes, len);
		expect_shut(NULL, ERR_CONFIG, "epoch-1");
		bytes[i] ^= 1;
	}
	for (size_t cut = 0; cut < len; cut++) {
		write_all(path, bytes, cut);
		expect_shut(NULL, ERR_CONFIG, "must hold");
	}
	write_all(path, bytes, len);
	write_all(second, bytes, len); /* under another number */
	expect_shut(NULL, ERR_CONFIG, "epoch-2");
	unlink(second);
	reopen();
	assert_int_equal(unseal("plan-1"), ERR_NONE);
	free(bytes);
	free(path);
	free(second);
}

static void what_was_left_by_halves_is_removed(void **state)
{
	(void)state;
	char *path = file_of("epoch-1.part"), *foreign = file_of("epoch-x");
	write_all(path, "half", 4);
	write_all(foreign, "nothing", 7);
	reopen();
	assert_false(has_file("epoch-1.part"));
	assert_true(has_file("epoch-x"));
	put("plan-1", NOW_S, 0);
	assert_int_equal(unseal("plan-1"), ERR_NONE);
	free(path);
	free(foreign);
}

/* In no file below the folder, neither as it is nor as hex. */
static void expect_nowhere(const char *at, const void *bytes, size_t len)
{
	struct dirent *entry;
	DIR *dir = opendir(at);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		size_t file_len;
		if (entry->d_name[0] == '.')
			continue;
		char *path = temp_path(at, entry->d_name);
		if (entry->d_type == DT_DIR) {
			expect_nowhere(path, bytes, len);
		} else {
			unsigned char *content = read_all(path, &file_len);
			if (memmem(content, file_len, bytes, len) != NULL)
				fail_msg("in %s", path);
			free(content);
		}
		free(path);
	}
	closedir(dir);
}

static void nothing_is_on_disk_as_it_is(void **state)
{
	(void)state;
	char hex[2 * sizeof(plain)];
	put("plan-1", NOW_S, 0);
	for (size_t i = 0; i < 6; i++)
		sprintf(hex + 2 * i, "%02x", (unsigned)"needle"[i]);
	expect_nowhere(folder, "needle", 6);
	expect_nowhere(folder, hex, 12);
	expect_nowhere(folder, vault->epoch[0].key.bytes, vault->epoch[0].key.len);
}

#define WITH_VAULT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_VAULT(what_is_sealed_comes_back_after_a_restart_too),
		WITH_VAULT(ids_and_secrets_that_do_not_fit_are_refused),
		WITH_VAULT(every_changed_byte_is_found),
		WITH_VAULT(no_record_stands_for_another),
		WITH_VAULT(what_is_due_is_deleted),
		WITH_VAULT(records_go_to_a_new_epoch_after_a_while),
		WITH_VAULT(an_epoch_is_destroyed_when_nothing_is_left_and_it_is_quiet),
		WITH_VAULT(files_are_for_their_owner_alone),
		WITH_VAULT(another_master_key_is_refused),
		WITH_VAULT(a_master_key_of_its_own_file_is_used),
		WITH_VAULT(every_changed_byte_of_an_epoch_is_found),
		WITH_VAULT(what_was_left_by_halves_is_removed),
		WITH_VAULT(nothing_is_on_disk_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
