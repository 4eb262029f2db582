/* The master key and epoch files: wrong, missing, damaged, half made and half destroyed ones. */
#include <errno.h>
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
#include "base/seal.h"
#include "base/secret.h"
#include "store/vault.h"
#include "store/vault_internal.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { NOW_S = SAMPLE_NOW_S, FILE_MAX = 4096 };

static char *vault_path(const char *name)
{
	return xasprintf("%s/vault/%s", folder, name);
}

static char *epoch_path(int64_t number)
{
	return xasprintf("%s/vault/epoch-%lld", folder, (long long)number);
}

static struct vault *open_with(const char *master)
{
	struct err err = ERR_INIT;
	struct vault *vault = vault_open(folder, master, &err);
	if (vault == NULL)
		print_error("%s\n", err.text);
	assert_non_null(vault);
	return vault;
}

static void assert_refused(const char *master, enum err_kind kind, const char *part)
{
	struct err err = ERR_INIT;
	assert_null(vault_open(folder, master, &err));
	assert_int_equal(err.kind, kind);
	if (strstr(err.text, part) == NULL)
		print_error("%s\n", err.text);
	assert_non_null(strstr(err.text, part));
}

static void make_epoch(int64_t now_s)
{
	struct err err = ERR_INIT;
	struct vault *vault = open_with(NULL);
	assert_non_null(vault_epoch_make(vault, now_s, &err));
	vault_close(vault);
}

static size_t load(const char *path, unsigned char *ret, size_t size)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t len = fread(ret, 1, size, file);
	fclose(file);
	return len;
}

static void save(const char *path, const void *bytes, size_t len, mode_t mode)
{
	(void)unlink(path); /* or there was none */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void assert_mode(const char *path, mode_t mode)
{
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, mode);
}

/* --- the master key -------------------------------------------------------------------------- */

static void the_first_start_makes_folder_and_master_key(void **state)
{
	(void)state;
	unsigned char first[FILE_MAX], second[FILE_MAX];
	char *path = vault_path("master.key"), *in = vault_path("");
	mode_t before = umask(0);
	vault_close(open_with(NULL));
	umask(before);
	assert_mode(in, 0700);
	assert_mode(path, 0600);
	assert_int_equal(load(path, first, sizeof(first)), SEAL_KEY_LEN);
	vault_close(open_with(NULL)); /* once */
	assert_int_equal(load(path, second, sizeof(second)), SEAL_KEY_LEN);
	assert_memory_equal(first, second, SEAL_KEY_LEN);
	free(path);
	free(in);
}

static void a_master_key_file_must_be_there_and_hold_32_bytes(void **state)
{
	(void)state;
	static const unsigned char bytes[SEAL_KEY_LEN + 1] = "0123456789abcdef0123456789abcdef";
	char *path = temp_path(folder, "credential");
	assert_refused(path, ERR_CONFIG, "credential does not exist");
	for (size_t len = 0; len < SEAL_KEY_LEN; len++) {
		save(path, bytes, len, 0400);
		assert_refused(path, ERR_CONFIG, "bytes, not 32");
	}
	save(path, bytes, SEAL_KEY_LEN + 1, 0400);
	assert_refused(path, ERR_CONFIG, "is larger than 32 bytes");
	save(path, bytes, SEAL_KEY_LEN, 0400);
	vault_close(open_with(path));
	char *made = vault_path("master.key");
	assert_int_equal(access(made, F_OK), -1); /* not made beside it */
	free(made);
	free(path);
}

static void a_master_key_that_others_can_read_is_refused(void **state)
{
	(void)state;
	static const unsigned char bytes[SEAL_KEY_LEN] = {1, 2, 3};
	static const mode_t refused[] = {0604, 0602, 0620, 0644, 0666, 0601};
	char *path = temp_path(folder, "credential"), *link_path = temp_path(folder, "link");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		save(path, bytes, sizeof(bytes), refused[i]);
		assert_refused(path, ERR_CONFIG, "is open to others");
	}
	save(path, bytes, sizeof(bytes), 0400);
	vault_close(open_with(path));
	assert_int_equal(symlink(path, link_path), 0);
	assert_refused(link_path, ERR_CONFIG, "is a symbolic link");
	assert_refused(folder, ERR_CONFIG, "is not a regular file");
	assert_int_equal(unlink(link_path), 0);
	assert_int_equal(mkfifo(link_path, 0600), 0);
	assert_refused(link_path, ERR_CONFIG, "is not a regular file"); /* and nobody waits */
	if (geteuid() == 0) {
		save(path, bytes, sizeof(bytes), 0440);
		vault_close(open_with(path)); /* of root and its group: a credential of systemd */
		assert_int_equal(chown(path, 0, 65534), 0);
		assert_refused(path, ERR_CONFIG, "is open to others");
		assert_int_equal(chown(path, 65534, 0), 0);
		assert_refused(path, ERR_CONFIG, "belongs to another user");
	}
	free(path);
	free(link_path);
}

static void without_its_master_key_nothing_is_made_anew(void **state)
{
	(void)state;
	unsigned char key[FILE_MAX];
	char *path = vault_path("master.key");
	make_epoch(NOW_S);
	size_t len = load(path, key, sizeof(key));
	assert_int_equal(unlink(path), 0);
	assert_refused(NULL, ERR_CONFIG, "there is no master key");
	assert_int_equal(access(path, F_OK), -1);
	save(path, key, len, 0600);
	struct vault *vault = open_with(NULL);
	assert_true(secret_is_set(&vault->epoch[0].key));
	vault_close(vault);
	free(path);
}

static void a_wrong_master_key_is_refused(void **state)
{
	(void)state;
	unsigned char key[FILE_MAX];
	char *path = vault_path("master.key");
	make_epoch(NOW_S);
	make_epoch(NOW_S + 1);
	size_t len = load(path, key, sizeof(key));
	for (size_t bit = 0; bit < len * 8; bit++) {
		key[bit / 8] = (unsigned char)(key[bit / 8] ^ 1U << bit % 8);
		save(path, key, len, 0600);
		assert_refused(NULL, ERR_CONFIG, "the master key opens none of the 2 epoch files");
		key[bit / 8] = (unsigned char)(key[bit / 8] ^ 1U << bit % 8);
	}
	save(path, key, len, 0600);
	vault_close(open_with(NULL));
	free(path);
}

/* --- epoch files ------------------------------------------------------------------------------ */

/* One that is no whole epoch file is not used, and does not keep the others from being used. */
static void assert_only_second_is_used(void)
{
	struct vault *vault = open_with(NULL);
	assert_int_equal(vault->epoch_count, 2);
	assert_false(secret_is_set(&vault_epoch_find(vault, NOW_S)->key));
	assert_true(secret_is_set(&vault_epoch_find(vault, NOW_S + 1)->key));
	assert_int_equal(vault_epoch_current(vault, NOW_S)->number, NOW_S + 1);
	vault_close(vault);
}

static void a_damaged_epoch_file_is_never_used_and_never_blocks(void **state)
{
	(void)state;
	unsigned char file[FILE_MAX];
	make_epoch(NOW_S);
	make_epoch(NOW_S + 1);
	char *path = epoch_path(NOW_S);
	assert_mode(path, 0600);
	size_t len = load(path, file, sizeof(file));
	for (size_t cut = 0; cut < len; cut++) {
		save(path, file, cut, 0600);
		assert_only_second_is_used();
	}
	for (size_t bit = 0; bit < len * 8; bit++) {
		file[bit / 8] = (unsigned char)(file[bit / 8] ^ 1U << bit % 8);
		save(path, file, len, 0600);
		assert_only_second_is_used();
		file[bit / 8] = (unsigned char)(file[bit / 8] ^ 1U << bit % 8);
	}
	char *other = epoch_path(NOW_S + 1);
	assert_int_equal(load(other, file, sizeof(file)), len);
	save(path, file, len, 0600); /* no epoch can stand for another */
	assert_only_second_is_used();
	free(path);
	free(other);
}

static void the_only_epoch_file_cut_short_does_not_block(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	make_epoch(NOW_S);
	char *path = epoch_path(NOW_S);
	save(path, "acmsensor vault epoch 1\nhalf", 28, 0600);
	struct vault *vault = open_with(NULL);
	assert_null(vault_epoch_current(vault, NOW_S));
	struct vault_epoch *made = vault_epoch_make(vault, NOW_S, &err);
	assert_non_null(made);
	assert_int_equal(made->number, NOW_S + 1); /* the name is taken */
	vault_close(vault);
	free(path);
}

static void an_epoch_file_or_folder_open_to_others_is_refused(void **state)
{
	(void)state;
	make_epoch(NOW_S);
	char *path = epoch_path(NOW_S), *in = vault_path("");
	assert_int_equal(chmod(path, 0644), 0);
	assert_refused(NULL, ERR_CONFIG, "is open to others (mode 0644)");
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chmod(in, 0750), 0);
	assert_refused(NULL, ERR_CONFIG, "is open to others (mode 0750)");
	assert_int_equal(chmod(in, 0700), 0);
	vault_close(open_with(NULL));
	free(path);
	free(in);
}

static void files_of_other_names_are_left_alone(void **state)
{
	(void)state;
	static const char *const names[] = {"epoch-", "epoch-x", "epoch-01", "epoch-0", "epoch--1",
		"epoch-1234567890123456789", "README", "epoch-12 "};
	make_epoch(NOW_S);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = vault_path(names[i]);
		save(path, "x", 1, 0644);
		free(path);
	}
	struct vault *vault = open_with(NULL);
	assert_int_equal(vault->epoch_count, 1);
	vault_close(vault);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = vault_path(names[i]);
		assert_int_equal(access(path, F_OK), 0);
		free(path);
	}
}

static void epochs_are_kept_in_order_and_found(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct vault *vault = open_with(NULL);
	static const int64_t numbers[] = {50, 10, 40, 20, 30, 10};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_non_null(vault_epoch_make(vault, numbers[i], &err));
	assert_int_equal(vault->epoch_count, 6);
	for (size_t i = 1; i < vault->epoch_count; i++)
		assert_true(vault->epoch[i - 1].number < vault->epoch[i].number);
	assert_int_equal(vault->epoch[1].number, 11); /* the second of the same second */
	assert_int_equal(vault_epoch_destroy(vault, 20, &err), 0);
	assert_null(vault_epoch_find(vault, 20));
	assert_int_equal(vault->epoch_count, 5);
	for (size_t i = 0; i < vault->epoch_count; i++)
		assert_true(secret_is_set(&vault->epoch[i].key));
	assert_int_equal(vault_epoch_destroy(vault, 20, &err), 0); /* is done */
	vault_close(vault);
	vault = open_with(NULL);
	assert_int_equal(vault->epoch_count, 5);
	vault_close(vault);
}

#define WITH_FOLDER(test)                                                                          \
	cmocka_unit_test_setup_teardown(                                                           \
		test, store_fixture_make_folder, store_fixture_remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(the_first_start_makes_folder_and_master_key),
		WITH_FOLDER(a_master_key_file_must_be_there_and_hold_32_bytes),
		WITH_FOLDER(a_master_key_that_others_can_read_is_refused),
		WITH_FOLDER(without_its_master_key_nothing_is_made_anew),
		WITH_FOLDER(a_wrong_master_key_is_refused),
		WITH_FOLDER(a_damaged_epoch_file_is_never_used_and_never_blocks),
		WITH_FOLDER(the_only_epoch_file_cut_short_does_not_block),
		WITH_FOLDER(an_epoch_file_or_folder_open_to_others_is_refused),
		WITH_FOLDER(files_of_other_names_are_left_alone),
		WITH_FOLDER(epochs_are_kept_in_order_and_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
