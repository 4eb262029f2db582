/*
 * A disk that is full or read-only. The disk is a small tmpfs in a mount namespace of a child; where
 * the host allows neither root nor user namespaces, those tests say that they were skipped, and a
 * limit on the size of files (which never needs permission) stands in for the full disk.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "store/events.h"
#include "store/store_internal.h"
#include "tests/lib/child.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/temp_store.h"

enum { NO_NAMESPACE = 77, DISK_BYTES = 4 << 20, BALLAST_BYTES = 1 << 20, PER_WRITE = 20 };

/* --- the disk ------------------------------------------------------------------------------------ */

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "%s: cannot write\n", path);
	close(fd);
}

/* Mounts a small disk at path, seen by this process and its children alone. */
static void mount_disk(const char *path)
{
	char map[64], options[64];
	uid_t uid = geteuid();
	if (unshare(CLONE_NEWNS) != 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
			child_exit(NO_NAMESPACE);
		snprintf(map, sizeof(map), "0 %u 1", uid);
		write_text("/proc/self/setgroups", "deny");
		write_text("/proc/self/uid_map", map);
	}
	snprintf(options, sizeof(options), "size=%d,mode=700", DISK_BYTES);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", path, "tmpfs", 0, options) != 0)
		child_exit(NO_NAMESPACE);
}

static void add_ballast(const char *folder, size_t bytes)
{
	char *path = temp_path(folder, "ballast");
	char *zeroes = xcalloc(1, bytes);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK(write(fd, zeroes, bytes) > 0); /* as much as fits */
	close(fd);
	free(zeroes);
	free(path);
}

static void drop_ballast(const char *folder)
{
	char *path = temp_path(folder, "ballast");
	CHECK(unlink(path) == 0);
	free(path);
}

/* --- writing until it is full ---------------------------------------------------------------------- */

static void put_some(struct store_txn *txn, void *arg)
{
	const uint32_t *first = arg;
	for (uint32_t i = 0; i < PER_WRITE; i++)
		sample_cert_put(txn, *first + i);
	store_event_append(txn, &(struct event_record){.kind = EVENT_OPERATOR, .detail = "some"});
}

/* Returns the number of certificates that were stored before the first failure. */
static uint32_t fill(struct store *store, struct err *err)
{
	uint32_t first = 0;
	while (first < 100000 && store_write_now(store, put_some, &first, err) == 0)
		first += PER_WRITE;
	CHECK(first > 0 && first < 100000);
	return first;
}

static void check_full(const struct store *store, const struct err *err)
{
	if (err->kind != ERR_STORE_FULL)
		fprintf(stderr, "%s: %s\n", err_kind_name(err->kind), err->text);
	CHECK(err->kind == ERR_STORE_FULL);
	CHECK(strstr(err->text, "no space for the store") != NULL);
	CHECK(strstr(err->text, store->file) != NULL);
	CHECK(strstr(err->text, "bytes free") != NULL);
}

static void check_certificates(struct store *store, int64_t expected)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	CHECK(store_get_stats(store, &stats, &err) == 0);
	CHECK(stats.certificates == expected);
	CHECK(temp_store_problems(store) == 0);
}

static void fill_the_disk(void *arg)
{
	const char *folder = arg;
	struct err err = ERR_INIT;
	mount_disk(folder);
	struct store *store = temp_store_open(NULL, folder);
	add_ballast(folder, BALLAST_BYTES);
	uint32_t stored = fill(store, &err);
	check_full(store, &err);
	check_certificates(store, stored); /* whole writes only */
	for (int i = 0; i < 5; i++) {
		CHECK(store_write_now(store, put_some, &stored, &err) == -1);
		check_full(store, &err);
	}
	/* Full or not, it closes and opens again. */
	store_close(store);
	store = temp_store_open(NULL, folder);
	check_certificates(store, stored);
	drop_ballast(folder);
	CHECK(store_write_now(store, put_some, &stored, &err) == 0);
	check_certificates(store, stored + PER_WRITE);
	store_close(store);
}

/* --- the queue on a full disk ---------------------------------------------------------------------- */

struct job {
	uint32_t first;
	int ends;
	enum err_kind kind;
};

static void job_done(void *arg, const struct err *err)
{
	struct job *job = arg;
	job->ends++;
	job->kind = err != NULL ? err->kind : ERR_NONE;
}

static void queue_on_a_full_disk(void *arg)
{
	const char *folder = arg;
	struct err err = ERR_INIT;
	enum { JOBS = 8 };
	struct job job[2 * JOBS];
	mount_disk(folder);
	struct loop *loop = loop_new(&err);
	struct store *store = temp_store_open(loop, folder);
	add_ballast(folder, BALLAST_BYTES);
	uint32_t stored = fill(store, &err);
	for (uint32_t i = 0; i < 2 * JOBS; i++) {
		job[i] = (struct job){.first = stored + i * PER_WRITE};
		store_write_start(store, put_some, &job[i].first, job_done, &job[i]);
		if (i != JOBS - 1)
			continue;
		fake_loop_advance_ms(STORE_GROUP_MS);
		for (uint32_t j = 0; j < JOBS; j++)
			CHECK(job[j].ends == 1 && job[j].kind == ERR_STORE_FULL);
		check_certificates(store, stored);
		drop_ballast(folder);
	}
	fake_loop_advance_ms(STORE_GROUP_MS);
	for (uint32_t j = JOBS; j < 2 * JOBS; j++)
		CHECK(job[j].ends == 1 && job[j].kind == ERR_NONE);
	check_certificates(store, stored + JOBS * PER_WRITE);
	store_close(store);
	loop_free(loop);
}

/* --- opening and backing up -------------------------------------------------------------------------- */

static void open_on_a_full_disk(void *arg)
{
	const char *folder = arg;
	struct err err = ERR_INIT;
	mount_disk(folder);
	add_ballast(folder, DISK_BYTES);
	struct store *store = store_open(NULL, &(struct store_options){.data_dir = folder}, &err);
	CHECK(store == NULL);
	if (err.kind != ERR_STORE_FULL)
		fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.text);
	CHECK(err.kind == ERR_STORE_FULL);
	CHECK(strstr(err.text, folder) != NULL);
	drop_ballast(folder);
	store = temp_store_open(NULL, folder);
	check_certificates(store, 0);
	store_close(store);
}

static void back_up_to_a_full_disk(void *arg)
{
	const char *folder = arg;
	struct err err = ERR_INIT;
	char *disk = temp_path(folder, "disk"), *data_dir = temp_path(folder, "data");
	char *file = temp_path(disk, "backup.mdb");
	CHECK(mkdir(disk, 0700) == 0);
	mount_disk(disk);
	struct store *store = temp_store_open(NULL, data_dir);
	for (uint32_t first = 0; first < 4000; first += PER_WRITE)
		CHECK(store_write_now(store, put_some, &first, &err) == 0);
	CHECK(store_backup(store, file, &err) == -1);
	if (err.kind != ERR_STORE_FULL)
		fprintf(stderr, "%s: %s\n", err_kind_name(err.kind), err.text);
	CHECK(err.kind == ERR_STORE_FULL);
	CHECK(strstr(err.text, file) != NULL);
	CHECK(access(file, F_OK) != 0); /* no half of a backup stays */
	store_close(store);
}

static void open_on_a_read_only_disk(void *arg)
{
	const char *folder = arg;
	struct err err = ERR_INIT;
	uint32_t first = 0;
	mount_disk(folder);
	struct store *store = temp_store_open(NULL, folder);
	CHECK(store_write_now(store, put_some, &first, &err) == 0);
	store_close(store);
	CHECK(mount("none", folder, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);

	store = store_open(NULL, &(struct store_options){.data_dir = folder}, &err);
	CHECK(store == NULL);
	CHECK(err.kind == ERR_SYSTEM);
	CHECK(strstr(err.text, folder) != NULL);
	CHECK(strstr(err.text, "Read-only file system") != NULL);

	store = store_open(
		NULL, &(struct store_options){.data_dir = folder, .is_read_only = true}, &err);
	CHECK(store != NULL);
	check_certificates(store, PER_WRITE);
	store_close(store);
}

static void make_on_a_read_only_disk(void *arg)
{
	const char *folder = arg;
	struct err err = ERR_INIT;
	char *data_dir = temp_path(folder, "data");
	mount_disk(folder);
	CHECK(mount("none", folder, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	struct store *store = store_open(NULL, &(struct store_options){.data_dir = data_dir}, &err);
	CHECK(store == NULL && err.kind == ERR_SYSTEM);
	CHECK(strstr(err.text, data_dir) != NULL);
}

static void run_on_disk(child_fn *fn)
{
	char *folder = temp_folder_new();
	int code = child_run(fn, folder);
	temp_folder_remove(folder);
	if (code == NO_NAMESPACE) {
		fprintf(stderr, "no mount namespace on this host: NOT TESTED on a real disk\n");
		skip();
	}
	assert_int_equal(code, 0);
}

static void a_full_disk_names_itself_and_loses_nothing(void **state)
{
	(void)state;
	run_on_disk(fill_the_disk);
}

static void the_queue_goes_on_when_there_is_space_again(void **state)
{
	(void)state;
	run_on_disk(queue_on_a_full_disk);
}

static void a_store_cannot_be_made_on_a_full_disk_but_later(void **state)
{
	(void)state;
	run_on_disk(open_on_a_full_disk);
}

static void a_backup_that_does_not_fit_is_removed(void **state)
{
	(void)state;
	run_on_disk(back_up_to_a_full_disk);
}

static void a_read_only_disk_refuses_the_daemon_and_serves_readers(void **state)
{
	(void)state;
	run_on_disk(open_on_a_read_only_disk);
	run_on_disk(make_on_a_read_only_disk);
}

/* --- without permission ------------------------------------------------------------------------------ */

static void fill_up_to_a_limit(void *arg)
{
	const char *folder = arg;
	struct err err = ERR_INIT;
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit limit = {.rlim_cur = DISK_BYTES / 2, .rlim_max = RLIM_INFINITY};
	CHECK(getrlimit(RLIMIT_FSIZE, &limit) == 0);
	limit.rlim_cur = DISK_BYTES / 2;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	struct store *store = temp_store_open(NULL, folder);
	uint32_t stored = fill(store, &err);
	check_full(store, &err);
	check_certificates(store, stored);
	limit.rlim_cur = limit.rlim_max;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(store_write_now(store, put_some, &stored, &err) == 0);
	check_certificates(store, stored + PER_WRITE);
	store_close(store);
}

static void a_limit_on_files_is_a_full_disk(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	assert_int_equal(child_run(fill_up_to_a_limit, folder), 0);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_disk_names_itself_and_loses_nothing),
		cmocka_unit_test(the_queue_goes_on_when_there_is_space_again),
		cmocka_unit_test(a_store_cannot_be_made_on_a_full_disk_but_later),
		cmocka_unit_test(a_backup_that_does_not_fit_is_removed),
		cmocka_unit_test(a_read_only_disk_refuses_the_daemon_and_serves_readers),
		cmocka_unit_test(a_limit_on_files_is_a_full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
