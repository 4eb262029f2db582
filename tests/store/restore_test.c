/* A backup takes the place of a store whole or not at all, whatever lies in the way. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/events.h"
#include "store/key_internal.h"
#include "store/restore.h"
#include "store/store_internal.h"
#include "tests/lib/child.h"
#include "tests/lib/temp_store.h"

enum { CERTS_THEN = 30, CERTS_NOW = 50 };

static char *folder, *data_dir, *file;
static char problems[32768];

static void note(void *arg, const char *problem, bool is_of_index)
{
	(void)arg, (void)is_of_index;
	size_t len = strlen(problems);
	snprintf(problems + len, sizeof(problems) - len, "%s\n", problem);
}

static void put(struct store_txn *txn, void *arg)
{
	const uint32_t *range = arg;
	for (uint32_t i = range[0]; i < range[1]; i++)
		sample_cert_put(txn, i);
	store_event_append(txn, &(struct event_record){.kind = EVENT_OPERATOR, .detail = "put"});
}

static void put_range(uint32_t from, uint32_t to)
{
	struct err err = ERR_INIT;
	uint32_t range[] = {from, to};
	struct store *store = temp_store_open(NULL, data_dir);
	assert_int_equal(store_write_now(store, put, range, &err), 0);
	store_close(store);
}

static void back_up(const char *to)
{
	struct err err = ERR_INIT;
	const struct store_options options = {.data_dir = data_dir, .is_read_only = true};
	struct store *store = store_open(NULL, &options, &err);
	assert_non_null(store);
	assert_int_equal(store_backup(store, to, &err), 0);
	store_close(store);
}

static int setup(void **state)
{
	(void)state;
	folder = temp_folder_new();
	data_dir = temp_path(folder, "data");
	file = temp_path(folder, "backup.mdb");
	problems[0] = '\0';
	put_range(0, CERTS_THEN);
	back_up(file);
	put_range(CERTS_THEN, CERTS_NOW);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(data_dir);
	free(file);
	temp_folder_remove(folder);
	return 0;
}

static int64_t count_certs(const char *dir, uint64_t *ret_epoch)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	struct store *store = temp_store_open(NULL, dir);
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	assert_int_equal(temp_store_problems(store), 0);
	store_close(store);
	*ret_epoch = stats.epoch;
	return stats.certificates;
}

static size_t count_files(const char *pattern)
{
	glob_t found;
	char *path = temp_path(data_dir, pattern);
	int rc = glob(path, 0, NULL, &found);
	size_t count = rc == 0 ? found.gl_pathc : 0;
	globfree(&found);
	free(path);
	return count;
}

static void restore_must_work(struct store_restored *ret)
{
	struct err err = ERR_INIT;
	if (store_restore(data_dir, file, note, NULL, ret, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(count_files("restore.new"), 0);
}

/* Nothing is changed, and nothing is left over. */
static void assert_refused(const char *from, enum err_kind kind, const char *says)
{
	struct err err = ERR_INIT;
	struct store_restored restored;
	uint64_t epoch;
	assert_int_equal(store_restore(data_dir, from, note, NULL, &restored, &err), -1);
	if (err.kind != kind || strstr(err.text, says) == NULL ||
		strstr(err.text, "cannot restore ") != err.text)
		fail_msg("kind %d: %s", (int)err.kind, err.text);
	assert_int_equal(count_files("restore.new"), 0);
	assert_int_equal(count_files("store-replaced-*"), 0);
	assert_int_equal(count_certs(data_dir, &epoch), CERTS_NOW);
}

static void the_backup_takes_the_place_and_the_former_store_is_kept(void **state)
{
	(void)state;
	struct store_restored restored;
	struct stat status;
	uint64_t before, after, again;
	count_certs(data_dir, &before);
	restore_must_work(&restored);
	assert_int_equal(restored.stats.certificates, CERTS_THEN);
	assert_int_equal(restored.mended.found, 0);
	assert_int_equal(stat(restored.kept_as, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(count_certs(data_dir, &after), CERTS_THEN);
	assert_int_not_equal(after, before);
	assert_int_equal(after, restored.stats.epoch); /* its note came with it */
	count_certs(data_dir, &again);
	assert_int_equal(again, after);

	/* The kept one is whole. */
	char *aside = temp_path(folder, "aside"), *to = temp_path(aside, "store.mdb");
	assert_int_equal(mkdir(aside, 0700), 0);
	assert_int_equal(rename(restored.kept_as, to), 0);
	assert_int_equal(count_certs(aside, &again), CERTS_NOW);
	free(aside);
	free(to);
	store_restored_clear(&restored);
}

static void an_event_says_what_it_was_restored_from(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_restored restored;
	struct store_txn *txn;
	struct event_record event;
	restore_must_work(&restored);
	store_restored_clear(&restored);
	struct store *store = temp_store_open(NULL, data_dir);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_event_get_last(txn, 0, &event));
	assert_int_equal(event.kind, EVENT_STORE_RESTORED);
	assert_non_null(strstr(event.detail, ": the store was restored from "));
	assert_non_null(strstr(event.detail, file));
	store_read_end(txn);
	store_close(store);
}

static void each_replaced_store_has_a_name_of_its_own(void **state)
{
	(void)state;
	struct store_restored restored;
	for (size_t i = 1; i <= 3; i++) { /* the fake clock stands still */
		restore_must_work(&restored);
		store_restored_clear(&restored);
		assert_int_equal(count_files("store-replaced-*"), i);
	}
}

static void a_host_without_a_store_gets_one(void **state)
{
	(void)state;
	struct store_restored restored;
	uint64_t epoch;
	free(data_dir);
	data_dir = temp_path(folder, "fresh");
	restore_must_work(&restored);
	assert_null(restored.kept_as);
	assert_int_equal(count_certs(data_dir, &epoch), CERTS_THEN);
}

static void what_a_killed_attempt_left_is_in_nobodys_way(void **state)
{
	(void)state;
	struct store_restored restored;
	uint64_t epoch;
	char *work = temp_path(data_dir, "restore.new"), *part = temp_path(work, "store.mdb");
	assert_int_equal(mkdir(work, 0700), 0);
	int fd = open(part, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	restore_must_work(&restored);
	store_restored_clear(&restored);
	assert_int_equal(count_certs(data_dir, &epoch), CERTS_THEN);
	free(work);
	free(part);
}

/* Killed between the two renames: the store is new, its note is the former one's. */
static void a_kill_before_the_note_is_in_place_gives_one_more_epoch(void **state)
{
	(void)state;
	struct store_restored restored;
	uint64_t epoch;
	char *path = temp_path(data_dir, "store.epoch"), *former = temp_path(folder, "former");
	assert_int_equal(link(path, former), 0); /* rename leaves this one */
	restore_must_work(&restored);
	assert_int_equal(rename(former, path), 0);
	assert_int_equal(count_certs(data_dir, &epoch), CERTS_THEN);
	assert_int_not_equal(epoch, restored.stats.epoch);
	store_restored_clear(&restored);
	free(path);
	free(former);
}

static void write_file(const char *bytes, size_t len)
{
	int fd = open(file, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void what_is_no_store_is_refused(void **state)
{
	(void)state;
	char other[8192];
	memset(other, 'x', sizeof(other));
	assert_refused("/nonexistent/backup", ERR_SYSTEM, "cannot open /nonexistent/backup");
	assert_refused(folder, ERR_CONFIG, "is not a file");
	write_file("", 0);
	assert_refused(file, ERR_STORE, "is empty");
	write_file(other, sizeof(other));
	assert_refused(file, ERR_STORE, "is not a store of acmsensor");
}

static void an_incomplete_copy_is_refused(void **state)
{
	(void)state;
	struct stat status;
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(truncate(file, status.st_size / 2), 0);
	assert_refused(file, ERR_STORE, "an incomplete copy");
}

static void put_schema(struct store_txn *txn, void *arg)
{
	const uint64_t *schema = arg;
	meta_put_number(txn, META_SCHEMA, *schema);
}

static void set_schema_of_backup(uint64_t schema)
{
	struct err err = ERR_INIT;
	char *dir = temp_path(folder, "other"), *to = temp_path(dir, "store.mdb");
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(rename(file, to), 0);
	struct store *store = temp_store_open(NULL, dir);
	assert_int_equal(store_write_now(store, put_schema, &schema, &err), 0);
	store_close(store);
	assert_int_equal(rename(to, file), 0);
	free(dir);
	free(to);
}

static void a_newer_schema_is_refused_and_an_older_one_migrated(void **state)
{
	(void)state;
	struct store_restored restored;
	uint64_t epoch;
	set_schema_of_backup(STORE_SCHEMA + 1);
	assert_refused(file, ERR_STORE, "use the version that wrote it");
	free(file);
	file = temp_path(folder, "older.mdb");
	put_range(0, 1);
	back_up(file);
	char *dir = temp_path(folder, "other");
	temp_folder_remove(dir);
	set_schema_of_backup(1);
	restore_must_work(&restored);
	store_restored_clear(&restored);
	assert_int_equal(count_certs(data_dir, &epoch), CERTS_NOW);
}

static void hold(void *arg)
{
	const int *ready = arg;
	struct store *store = temp_store_open(NULL, data_dir);
	CHECK(store != NULL && write(ready[1], "", 1) == 1);
	pause();
	store_close(store);
}

static void a_store_in_use_is_left_alone(void **state)
{
	(void)state;
	int ready[2];
	char byte, pid_text[32];
	struct err err = ERR_INIT;
	struct store_restored restored;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = child_start(hold, ready);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(store_restore(data_dir, file, note, NULL, &restored, &err), -1);
	snprintf(pid_text, sizeof(pid_text), "in use by process %d", (int)pid);
	assert_non_null(strstr(err.text, pid_text));
	kill(pid, SIGKILL);
	child_wait(pid);
	close(ready[0]);
	close(ready[1]);
}

static void damage_backup(struct store_txn *txn, void *arg)
{
	(void)arg;
	struct key none = key_empty();
	struct slice key, value;
	assert_true(txn_seek(txn, TABLE_HISTORY, &none, false, &key, &value));
	struct key history = key_bytes(key.bytes, key.len);
	txn_put(txn, TABLE_HISTORY, &history, "", 0);
	txn_clear(txn, TABLE_CERT_EXPIRY);
}

static void a_damaged_backup_is_mended_told_of_and_restored(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_restored restored;
	struct store *store = temp_store_open(NULL, data_dir);
	assert_int_equal(store_write_now(store, damage_backup, NULL, &err), 0);
	store_close(store);
	free(file);
	file = temp_path(folder, "damaged.mdb");
	back_up(file);
	restore_must_work(&restored);
	assert_int_equal(restored.mended.left, 2); /* it, and its certificate that misses it */
	assert_int_equal(restored.mended.repaired, CERTS_NOW);
	assert_non_null(strstr(problems, "table history, key "));
	store_restored_clear(&restored);
}

static void fill_up(void *arg)
{
	(void)arg;
	struct err err = ERR_INIT;
	struct store_restored restored;
	const struct rlimit limit = {.rlim_cur = 65536, .rlim_max = 65536};
	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(store_restore(data_dir, file, note, NULL, &restored, &err) == -1);
	CHECK(err.kind == ERR_STORE_FULL);
}

static void a_full_disk_changes_nothing(void **state)
{
	(void)state;
	uint64_t epoch;
	assert_int_equal(child_run(fill_up, NULL), 0);
	assert_int_equal(count_files("restore.new"), 0);
	assert_int_equal(count_files("store-replaced-*"), 0);
	assert_int_equal(count_certs(data_dir, &epoch), CERTS_NOW);
}

#define WITH_BACKUP(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BACKUP(the_backup_takes_the_place_and_the_former_store_is_kept),
		WITH_BACKUP(an_event_says_what_it_was_restored_from),
		WITH_BACKUP(each_replaced_store_has_a_name_of_its_own),
		WITH_BACKUP(a_host_without_a_store_gets_one),
		WITH_BACKUP(what_a_killed_attempt_left_is_in_nobodys_way),
		WITH_BACKUP(a_kill_before_the_note_is_in_place_gives_one_more_epoch),
		WITH_BACKUP(what_is_no_store_is_refused),
		WITH_BACKUP(an_incomplete_copy_is_refused),
		WITH_BACKUP(a_newer_schema_is_refused_and_an_older_one_migrated),
		WITH_BACKUP(a_store_in_use_is_left_alone),
		WITH_BACKUP(a_damaged_backup_is_mended_told_of_and_restored),
		WITH_BACKUP(a_full_disk_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
