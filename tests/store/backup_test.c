/* Copies of a live store by another process; restoring them. */
#include <fcntl.h>
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
#include "store/events.h"
#include "store/store.h"
#include "tests/lib/child.h"
#include "tests/lib/temp_store.h"

enum { CERTS = 500 };

static char *folder, *data_dir, *restored_dir, *file;
static struct store *store;

static void put_some(struct store_txn *txn, void *arg)
{
	const uint32_t *first = arg;
	for (uint32_t i = 0; i < 50; i++)
		sample_cert_put(txn, *first + i);
	store_event_append(
		txn, &(struct event_record){.kind = EVENT_OPERATOR, .detail = "some more"});
}

static void put(uint32_t first)
{
	struct err err = ERR_INIT;
	assert_int_equal(store_write_now(store, put_some, &first, &err), 0);
}

static int setup(void **state)
{
	(void)state;
	folder = temp_folder_new();
	data_dir = temp_path(folder, "data");
	restored_dir = temp_path(folder, "restored");
	file = temp_path(folder, "backup.mdb");
	store = temp_store_open(NULL, data_dir);
	for (uint32_t i = 0; i < CERTS; i += 50)
		put(i);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(store);
	free(data_dir);
	free(restored_dir);
	free(file);
	temp_folder_remove(folder);
	return 0;
}

/* As `acmsensor backup` does it. */
static void back_up(void *arg)
{
	const char *to = arg;
	struct err err = ERR_INIT;
	struct store *reader = store_open(
		NULL, &(struct store_options){.data_dir = data_dir, .is_read_only = true}, &err);
	CHECK(reader != NULL);
	if (store_backup(reader, to, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		child_exit(2);
	}
	store_close(reader);
}

static struct store *open_restored(void)
{
	char *to = temp_path(restored_dir, "store.mdb");
	assert_int_equal(mkdir(restored_dir, 0700), 0);
	assert_int_equal(rename(file, to), 0);
	free(to);
	return temp_store_open(NULL, restored_dir);
}

static void get_stats(struct store *of, struct store_stats *ret)
{
	struct err err = ERR_INIT;
	assert_int_equal(store_get_stats(of, ret, &err), 0);
}

static void a_backup_opens_and_is_whole(void **state)
{
	(void)state;
	struct store_stats before, after;
	struct stat status;
	assert_int_equal(child_run(back_up, file), 0);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	get_stats(store, &before);
	struct store *restored = open_restored();
	get_stats(restored, &after);
	assert_int_equal(after.certificates, before.certificates);
	assert_int_equal(after.events, before.events + 1); /* restored */
	assert_int_not_equal(after.epoch, before.epoch);
	assert_int_equal(temp_store_problems(restored), 0);
	store_close(restored);
}

static void a_backup_can_be_read_without_restoring(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_stats stats;
	assert_int_equal(child_run(back_up, file), 0);
	char *to = temp_path(restored_dir, "store.mdb");
	assert_int_equal(mkdir(restored_dir, 0700), 0);
	assert_int_equal(rename(file, to), 0);
	free(to);
	struct store *reader = store_open(NULL,
		&(struct store_options){.data_dir = restored_dir, .is_read_only = true}, &err);
	assert_non_null(reader);
	get_stats(reader, &stats);
	assert_int_equal(stats.certificates, CERTS);
	store_close(reader);
}

static void the_daemon_goes_on_writing_meanwhile(void **state)
{
	(void)state;
	for (int round = 0; round < 5; round++) {
		pid_t pid = child_start(back_up, file);
		int status, writes = 0;
		while (waitpid(pid, &status, WNOHANG) == 0)
			put(CERTS + (uint32_t)(writes++ % 20) * 50);
		assert_int_equal(status, 0);
		struct store *restored = open_restored();
		assert_int_equal(temp_store_problems(restored), 0);
		store_close(restored);
		free(restored_dir);
		char name[32];
		snprintf(name, sizeof(name), "restored%d", round);
		restored_dir = temp_path(folder, name);
	}
}

static void nothing_is_overwritten(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char text[8] = "";
	int fd = open(file, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	assert_int_equal(store_backup(store, file, &err), -1);
	assert_int_equal(err.kind, ERR_CONFIG);
	assert_non_null(strstr(err.text, file));
	fd = open(file, O_RDONLY);
	assert_int_equal(read(fd, text, 8), 8);
	assert_memory_equal(text, "precious", 8);
	close(fd);
}

static void a_place_that_cannot_be_written_is_named(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char *nowhere = temp_path(folder, "missing/backup.mdb");
	assert_int_equal(store_backup(store, nowhere, &err), -1);
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, nowhere));
	free(nowhere);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_backup_opens_and_is_whole),
		WITH_STORE(a_backup_can_be_read_without_restoring),
		WITH_STORE(the_daemon_goes_on_writing_meanwhile),
		WITH_STORE(nothing_is_overwritten),
		WITH_STORE(a_place_that_cannot_be_written_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
