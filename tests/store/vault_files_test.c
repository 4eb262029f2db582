/* Files of the vault's folder are there as a whole or not at all, whatever ends the process. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/seal.h"
#include "base/secret.h"
#include "store/vault.h"
#include "store/vault_internal.h"
#include "tests/lib/child.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { NOW_S = SAMPLE_NOW_S, EPOCH_FILE_LEN = 24 + 60 };

static struct vault *open_vault(void)
{
	struct err err = ERR_INIT;
	struct vault *vault = vault_open(folder, NULL, &err);
	if (vault == NULL)
		print_error("%s\n", err.text);
	assert_non_null(vault);
	return vault;
}

/* -1: there is none. */
static int64_t bytes_of(const char *name)
{
	struct stat status;
	char *path = xasprintf("%s/vault/%s", folder, name);
	int64_t bytes = lstat(path, &status) == 0 ? status.st_size : -1;
	free(path);
	return bytes;
}

static void save(const char *name, const void *bytes, size_t len)
{
	char *path = xasprintf("%s/vault/%s", folder, name);
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
	free(path);
}

/* --- killed while making ---------------------------------------------------------------------- */

/* The write that passes the limit ends the process there and then, with what came before it in the
 * file. */
static void seal_within(void *arg)
{
	struct err err = ERR_INIT;
	const struct rlimit limit = {.rlim_cur = *(rlim_t *)arg, .rlim_max = RLIM_INFINITY};
	struct secret secret = SECRET_INIT;
	struct vault_sealed sealed;
	struct vault *vault = vault_open(folder, NULL, &err);
	CHECK(vault != NULL);
	signal(SIGXFSZ, SIG_DFL);
	CHECK(setrlimit(RLIMIT_CORE, &(struct rlimit){.rlim_cur = 0}) == 0);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	secret_set(&secret, "a key", 5);
	(void)vault_seal(vault, "csr-1", VAULT_KEY, &secret, NOW_S, 0, &sealed, &err);
	CHECK(false);
}

static void a_kill_while_an_epoch_is_made_leaves_nothing_to_be_used(void **state)
{
	(void)state;
	vault_close(open_vault());
	for (rlim_t limit = 0; limit < EPOCH_FILE_LEN; limit += 7) {
		assert_int_equal(child_run(seal_within, &limit), 128 + SIGXFSZ);
		assert_int_equal(bytes_of("epoch-1795219200"), -1);
		assert_int_equal(bytes_of("epoch-1795219200.new"), limit);
		struct vault *vault = open_vault();
		assert_int_equal(vault->epoch_count, 0);
		assert_int_equal(bytes_of("epoch-1795219200.new"), -1);
		vault_close(vault);
	}
}

static void seal_and_die(void *arg)
{
	struct err err = ERR_INIT;
	struct secret secret = SECRET_INIT;
	struct vault_sealed sealed;
	(void)arg;
	struct vault *vault = vault_open(folder, NULL, &err);
	CHECK(vault != NULL);
	secret_set(&secret, "a key", 5);
	CHECK(vault_seal(vault, "csr-1", VAULT_KEY, &secret, NOW_S, 0, &sealed, &err) == 0);
	raise(SIGKILL);
}

static void a_kill_between_file_and_use_leaves_an_epoch_that_goes_on(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct secret secret = SECRET_INIT;
	struct vault_sealed sealed;
	for (int i = 0; i < 3; i++)
		assert_int_equal(child_run(seal_and_die, NULL), 128 + SIGKILL);
	struct vault *vault = open_vault();
	assert_int_equal(vault->epoch_count, 1);
	secret_set(&secret, "a key", 5);
	assert_int_equal(
		vault_seal(vault, "csr-1", VAULT_KEY, &secret, NOW_S + 1, 0, &sealed, &err), 0);
	assert_int_equal(sealed.epoch, NOW_S);
	vault_sealed_clear(&sealed);
	secret_clear(&secret);
	vault_close(vault);
}

static void a_master_key_half_made_is_made_again(void **state)
{
	(void)state;
	vault_close(open_vault());
	char *path = xasprintf("%s/vault/master.key", folder);
	assert_int_equal(unlink(path), 0);
	free(path);
	save("master.key.new", "half a key", 10);
	vault_close(open_vault());
	assert_int_equal(bytes_of("master.key"), SEAL_KEY_LEN);
	assert_int_equal(bytes_of("master.key.new"), -1);
}

/* --- a full disk ------------------------------------------------------------------------------ */

static void a_full_disk_is_an_error_and_the_next_attempt_works(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct rlimit before, small = {.rlim_cur = 10};
	struct secret secret = SECRET_INIT;
	struct vault_sealed sealed;
	struct vault *vault = open_vault();
	secret_set(&secret, "a key", 5);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int rc = vault_seal(vault, "csr-1", VAULT_KEY, &secret, NOW_S, 0, &sealed, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(rc, -1);
	assert_int_equal(err.kind, ERR_STORE_FULL);
	assert_non_null(strstr(err.text, "cannot write "));
	assert_non_null(strstr(err.text, "/vault/epoch-"));
	assert_int_equal(bytes_of("epoch-1795219200.new"), -1);
	assert_int_equal(vault->epoch_count, 0);
	save("epoch-1795219200.new", "stale", 5); /* of an attempt whose removal failed too */
	assert_int_equal(
		vault_seal(vault, "csr-1", VAULT_KEY, &secret, NOW_S, 0, &sealed, &err), 0);
	assert_int_equal(bytes_of("epoch-1795219200"), EPOCH_FILE_LEN);
	vault_sealed_clear(&sealed);
	secret_clear(&secret);
	vault_close(vault);
}

static void what_is_no_folder_is_refused(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char *path = temp_path(folder, "vault");
	assert_int_equal(symlink("/tmp", path), 0);
	assert_null(vault_open(folder, NULL, &err));
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, "vault is not a folder"));
	assert_int_equal(unlink(path), 0);
	char *missing = temp_path(folder, "missing/too");
	assert_null(vault_open(missing, NULL, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	free(missing);
	free(path);
}

/* --- destroying ------------------------------------------------------------------------------- */

static void a_destroyed_file_is_overwritten_and_removed(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	static unsigned char large[10000];
	memset(large, 'k', sizeof(large));
	struct vault *vault = open_vault();
	assert_int_equal(vault_file_make(vault, "epoch-5", large, sizeof(large), &err), 0);
	char *path = xasprintf("%s/vault/epoch-5", folder);
	int fd = open(path, O_RDONLY); /* what is left of it can be seen through this */
	free(path);
	assert_true(fd >= 0);
	assert_int_equal(vault_file_destroy(vault, "epoch-5", &err), 0);
	assert_int_equal(bytes_of("epoch-5"), -1);
	assert_int_equal(bytes_of("epoch-5.gone"), -1);
	unsigned char left[sizeof(large)];
	assert_int_equal(pread(fd, left, sizeof(left), 0), sizeof(left));
	for (size_t i = 0; i < sizeof(left); i++)
		assert_int_equal(left[i], 0);
	close(fd);
	vault_close(vault);
}

static void what_was_half_destroyed_is_destroyed_at_the_next_open(void **state)
{
	(void)state;
	vault_close(open_vault());
	save("epoch-5.gone", "a whole epoch file or a part of it", 34);
	char *path = xasprintf("%s/vault/epoch-5.gone", folder);
	int fd = open(path, O_RDONLY);
	free(path);
	char left[34];
	struct vault *vault = open_vault();
	assert_int_equal(vault->epoch_count, 0);
	assert_int_equal(bytes_of("epoch-5.gone"), -1);
	assert_int_equal(pread(fd, left, sizeof(left), 0), sizeof(left));
	for (size_t i = 0; i < sizeof(left); i++)
		assert_int_equal(left[i], 0);
	close(fd);
	vault_close(vault);
}

#define WITH_FOLDER(test)                                                                          \
	cmocka_unit_test_setup_teardown(                                                           \
		test, store_fixture_make_folder, store_fixture_remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(a_kill_while_an_epoch_is_made_leaves_nothing_to_be_used),
		WITH_FOLDER(a_kill_between_file_and_use_leaves_an_epoch_that_goes_on),
		WITH_FOLDER(a_master_key_half_made_is_made_again),
		WITH_FOLDER(a_full_disk_is_an_error_and_the_next_attempt_works),
		WITH_FOLDER(what_is_no_folder_is_refused),
		WITH_FOLDER(a_destroyed_file_is_overwritten_and_removed),
		WITH_FOLDER(what_was_half_destroyed_is_destroyed_at_the_next_open),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
