/* Opening, locking and refusing: what a data folder may look like when the daemon starts. */
#include <fcntl.h>
#include <lmdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/certs.h"
#include "store/events.h"
#include "store/store.h"
#include "tests/lib/child.h"
#include "tests/lib/temp_store.h"

static void put_one(struct store_txn *txn, void *arg)
{
	const uint32_t *number = arg;
	sample_cert_put(txn, *number);
}

/* store_open, which must fail; the text is to say `says`. */
static void assert_refused(
	const char *folder, bool is_read_only, enum err_kind kind, const char *says)
{
	struct err err = ERR_INIT;
	struct store *store = store_open(NULL,
		&(struct store_options){.data_dir = folder, .is_read_only = is_read_only}, &err);
	assert_null(store);
	if (strstr(err.text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
	assert_int_equal(err.kind, kind);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char *path = temp_path(folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	free(path);
}

static void what_was_written_is_there_after_opening_again(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	struct err err = ERR_INIT;
	struct store *store = temp_store_open(NULL, folder);
	uint32_t number = 7;
	assert_int_equal(store_write_now(store, put_one, &number, &err), 0);
	store_close(store);

	store = temp_store_open(NULL, folder);
	struct store_txn *txn;
	struct cert_record record;
	struct sample_cert sample;
	sample_cert_init(&sample, 7);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_cert_get(txn, sample.arn, &record));
	assert_string_equal(record.domain_name, "www7.shop7.example.com");
	assert_int_equal(store_event_verify(txn, &err), 0);
	store_read_end(txn);
	assert_int_equal(temp_store_problems(store), 0);
	sample_cert_clear(&sample);
	store_close(store);
	temp_folder_remove(folder);
}

static mode_t mode_of(const char *folder, const char *name)
{
	struct stat status;
	char *path = temp_path(folder, name);
	assert_int_equal(stat(path, &status), 0);
	free(path);
	return status.st_mode & 07777;
}

static void a_missing_folder_is_made_and_all_in_it_is_private(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	char *data_dir = temp_path(folder, "data");
	mode_t before = umask(0);
	struct store *store = temp_store_open(NULL, data_dir);
	umask(before);
	assert_int_equal(mode_of(folder, "data"), 0700);
	assert_int_equal(mode_of(data_dir, "store.mdb"), 0600);
	assert_int_equal(mode_of(data_dir, "store.mdb-lock"), 0600);
	assert_int_equal(mode_of(data_dir, "store.lock"), 0600);
	assert_int_equal(mode_of(data_dir, "store.epoch"), 0600);
	store_close(store);
	free(data_dir);
	temp_folder_remove(folder);
}

static void a_second_daemon_is_refused_with_the_pid_of_the_first(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	struct store *store = temp_store_open(NULL, folder);
	char *says = xasprintf("in use by process %d", getpid());
	assert_refused(folder, false, ERR_STORE, says);
	store_close(store);
	store = temp_store_open(NULL, folder);
	store_close(store);
	free(says);
	temp_folder_remove(folder);
}

static void open_and_leave(void *arg)
{
	CHECK(temp_store_open(NULL, arg) != NULL); /* and never closed */
}

static void the_lock_ends_with_its_process(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	assert_int_equal(child_run(open_and_leave, folder), 0);
	struct store *store = temp_store_open(NULL, folder);
	store_close(store);
	temp_folder_remove(folder);
}

static void what_is_not_a_folder_is_refused(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	char *data_dir = temp_path(folder, "data");
	char *below = temp_path(folder, "missing/data");
	write_file(folder, "data", "text");
	assert_refused(data_dir, false, ERR_SYSTEM, "data is not a folder");
	assert_refused(below, false, ERR_SYSTEM, "missing/data: No such file or directory");
	free(data_dir);
	free(below);
	temp_folder_remove(folder);
}

static void what_is_not_a_store_is_refused_and_left_alone(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	char text[8192], after[8192];
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	write_file(folder, "store.mdb", text);
	assert_refused(folder, false, ERR_STORE, "is not a store of acmsensor");
	assert_refused(folder, true, ERR_STORE, "is not a store of acmsensor");
	char *path = temp_path(folder, "store.mdb");
	int fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, after, sizeof(after)), sizeof(text) - 1);
	assert_memory_equal(text, after, sizeof(text) - 1);
	close(fd);
	free(path);
	temp_folder_remove(folder);
}

static void make_lmdb_without_commit(void *arg)
{
	MDB_env *env;
	char *path = temp_path(arg, "store.mdb");
	CHECK(mdb_env_create(&env) == 0);
	CHECK(mdb_env_open(env, path, MDB_NOSUBDIR, 0600) == 0);
	mdb_env_close(env);
	free(path);
}

/* Killed, or out of space, while LMDB wrote the first two pages. */
static void a_store_whose_making_was_cut_short_is_made_again(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	char *path = temp_path(folder, "store.mdb");
	for (off_t size = 1; size < 8192; size += size < 32 ? 1 : 677) {
		assert_int_equal(child_run(make_lmdb_without_commit, folder), 0);
		assert_int_equal(truncate(path, size), 0);
		store_close(temp_store_open(NULL, folder));
		assert_int_equal(unlink(path), 0);
	}
	free(path);
	temp_folder_remove(folder);
}

/* The rest of an interrupted copy, say: something was in it. */
static void a_store_that_was_cut_short_later_is_refused_and_left_alone(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	char *path = temp_path(folder, "store.mdb");
	struct stat status;
	store_close(temp_store_open(NULL, folder));
	assert_int_equal(truncate(path, 4096), 0);
	assert_refused(folder, false, ERR_STORE, "is not a store of acmsensor");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, 4096);
	free(path);
	temp_folder_remove(folder);
}

static void a_short_file_of_somebody_else_is_refused_and_left_alone(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	char *path = temp_path(folder, "store.mdb");
	struct stat status;
	write_file(folder, "store.mdb", "not ours");
	assert_refused(folder, false, ERR_STORE, "is not a store of acmsensor");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_size, strlen("not ours"));
	free(path);
	temp_folder_remove(folder);
}

static void make_foreign_lmdb(void *arg)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	char *path = temp_path(arg, "store.mdb");
	CHECK(mdb_env_create(&env) == 0);
	CHECK(mdb_env_set_maxdbs(env, 4) == 0);
	CHECK(mdb_env_open(env, path, MDB_NOSUBDIR, 0600) == 0);
	CHECK(mdb_txn_begin(env, NULL, 0, &txn) == 0);
	CHECK(mdb_dbi_open(txn, "something else", MDB_CREATE, &dbi) == 0);
	CHECK(mdb_txn_commit(txn) == 0);
	mdb_env_close(env);
	free(path);
}

static void another_programs_lmdb_is_refused(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	assert_int_equal(child_run(make_foreign_lmdb, folder), 0);
	assert_refused(folder, false, ERR_STORE, "not a store of acmsensor");
	temp_folder_remove(folder);
}

static void reading_only_creates_nothing(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	char *data_dir = temp_path(folder, "data");
	assert_refused(folder, true, ERR_STORE, "store.mdb does not exist");
	assert_refused(data_dir, true, ERR_STORE, "store.mdb does not exist");
	assert_int_equal(rmdir(folder), 0); /* it is still empty */
	free(data_dir);
	temp_folder_remove(folder);
}

struct expected {
	const char *folder;
	int64_t certificates;
};

static void read_beside_the_daemon(void *arg)
{
	const struct expected *expected = arg;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct cert_record record;
	struct sample_cert sample;
	struct store *store = store_open(NULL,
		&(struct store_options){.data_dir = expected->folder, .is_read_only = true}, &err);
	CHECK(store != NULL);
	sample_cert_init(&sample, 3);
	CHECK(store_read_begin(store, &txn, &err) == 0);
	CHECK(store_cert_get(txn, sample.arn, &record));
	store_read_end(txn);
	struct store_stats stats;
	CHECK(store_get_stats(store, &stats, &err) == 0);
	CHECK(stats.certificates == expected->certificates && stats.epoch != 0);
	sample_cert_clear(&sample);
	store_close(store);
}

static void readers_live_beside_the_daemon(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	struct err err = ERR_INIT;
	struct store *store = temp_store_open(NULL, folder);
	uint32_t number = 3;
	assert_int_equal(store_write_now(store, put_one, &number, &err), 0);
	struct expected expected = {.folder = folder, .certificates = 1};
	assert_int_equal(child_run(read_beside_the_daemon, &expected), 0);
	number = 4;
	assert_int_equal(store_write_now(store, put_one, &number, &err), 0);
	store_close(store);
	expected.certificates = 2;
	assert_int_equal(child_run(read_beside_the_daemon, &expected), 0);
	temp_folder_remove(folder);
}

static void open_as_nobody(void *arg)
{
	struct err err = ERR_INIT;
	CHECK(geteuid() != 0 || setuid(65534) == 0);
	struct store *store = store_open(NULL, &(struct store_options){.data_dir = arg}, &err);
	CHECK(store == NULL);
	CHECK(err.kind == ERR_SYSTEM);
	CHECK(strstr(err.text, "Permission denied") != NULL && strstr(err.text, arg) != NULL);
	err = (struct err)ERR_INIT;
	store = store_open(
		NULL, &(struct store_options){.data_dir = arg, .is_read_only = true}, &err);
	CHECK(store == NULL);
	CHECK(err.kind == ERR_SYSTEM);
	CHECK(strstr(err.text, "Permission denied") != NULL && strstr(err.text, arg) != NULL);
}

static void a_folder_that_may_not_be_read_is_named(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	store_close(temp_store_open(NULL, folder));
	assert_int_equal(chmod(folder, 0), 0);
	assert_int_equal(child_run(open_as_nobody, folder), 0);
	assert_int_equal(chmod(folder, 0700), 0);
	temp_folder_remove(folder);
}

static void root_looking_into_a_store_does_not_lock_out_its_owner(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return; /* without root the case cannot come up */
	char *folder = temp_folder_new();
	char *data = temp_path(folder, "store.mdb"), *lock = temp_path(folder, "store.mdb-lock");
	struct err err = ERR_INIT;
	struct stat status;
	store_close(temp_store_open(NULL, folder));
	assert_int_equal(chown(data, 1234, 1234), 0);
	assert_int_equal(unlink(lock), 0);
	struct store *store = store_open(
		NULL, &(struct store_options){.data_dir = folder, .is_read_only = true}, &err);
	assert_non_null(store);
	store_close(store);
	assert_int_equal(stat(lock, &status), 0);
	assert_int_equal(status.st_uid, 1234);
	free(data);
	free(lock);
	temp_folder_remove(folder);
}

static void closing_nothing_is_fine(void **state)
{
	(void)state;
	store_close(NULL);
	store_read_end(NULL);
	store_write_cancel(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_there_after_opening_again),
		cmocka_unit_test(a_missing_folder_is_made_and_all_in_it_is_private),
		cmocka_unit_test(a_second_daemon_is_refused_with_the_pid_of_the_first),
		cmocka_unit_test(the_lock_ends_with_its_process),
		cmocka_unit_test(what_is_not_a_folder_is_refused),
		cmocka_unit_test(what_is_not_a_store_is_refused_and_left_alone),
		cmocka_unit_test(a_store_whose_making_was_cut_short_is_made_again),
		cmocka_unit_test(a_store_that_was_cut_short_later_is_refused_and_left_alone),
		cmocka_unit_test(a_short_file_of_somebody_else_is_refused_and_left_alone),
		cmocka_unit_test(another_programs_lmdb_is_refused),
		cmocka_unit_test(reading_only_creates_nothing),
		cmocka_unit_test(readers_live_beside_the_daemon),
		cmocka_unit_test(a_folder_that_may_not_be_read_is_named),
		cmocka_unit_test(root_looking_into_a_store_does_not_lock_out_its_owner),
		cmocka_unit_test(closing_nothing_is_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
