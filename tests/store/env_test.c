/* The map grows, here and under the feet of readers; dead readers, too many readers, short files. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
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
#include "store/store_internal.h"
#include "tests/lib/child.h"
#include "tests/lib/temp_store.h"

enum { SMALL_MAP_BYTES = 512 * 1024, CERTS = 3000 };

static struct store *open_small(const char *folder)
{
	struct err err = ERR_INIT;
	struct store *store = store_open(NULL,
		&(struct store_options){.data_dir = folder, .map_bytes = SMALL_MAP_BYTES}, &err);
	assert_non_null(store);
	return store;
}

static struct store *open_to_read(const char *folder)
{
	struct err err = ERR_INIT;
	struct store *store = store_open(
		NULL, &(struct store_options){.data_dir = folder, .is_read_only = true}, &err);
	if (store == NULL)
		fprintf(stderr, "%s\n", err.text);
	return store;
}

struct put {
	uint32_t first, count;
};

static void put_many(struct store_txn *txn, void *arg)
{
	const struct put *put = arg;
	for (uint32_t i = 0; i < put->count; i++)
		sample_cert_put(txn, put->first + i);
}

static void fill(struct store *store)
{
	struct err err = ERR_INIT;
	for (uint32_t first = 0; first < CERTS; first += 100) {
		struct put put = {.first = first, .count = 100};
		assert_int_equal(store_write_now(store, put_many, &put, &err), 0);
	}
}

static int64_t certificates(struct store *store)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	return store_get_stats(store, &stats, &err) == 0 ? stats.certificates : -1;
}

static void the_map_grows_by_itself_and_loses_nothing(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_stats stats;
	char *folder = temp_folder_new();
	struct store *store = open_small(folder);
	fill(store);
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	assert_true(stats.map_bytes > 4 * SMALL_MAP_BYTES);
	assert_true(stats.used_bytes <= stats.file_bytes && stats.file_bytes <= stats.map_bytes);
	assert_int_equal(stats.certificates, CERTS);
	assert_int_equal(temp_store_problems(store), 0);
	store_close(store);
	/* A small first size is no limit for what is there already. */
	store = open_small(folder);
	assert_int_equal(certificates(store), CERTS);
	store_close(store);
	temp_folder_remove(folder);
}

static void one_write_larger_than_the_map_grows_it_until_it_fits(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char *folder = temp_folder_new();
	struct store *store = open_small(folder);
	struct put put = {.count = CERTS};
	assert_int_equal(store_write_now(store, put_many, &put, &err), 0);
	assert_int_equal(certificates(store), CERTS);
	store_close(store);
	temp_folder_remove(folder);
}

/* --- readers in other processes ------------------------------------------------------------------ */

struct reader {
	const char *folder;
	int ready[2], go[2]; /* pipes */
	bool is_in_txn;
};

static void tell(int fd)
{
	CHECK(write(fd, "x", 1) == 1);
}

static void hear(int fd)
{
	char byte;
	CHECK(read(fd, &byte, 1) == 1);
}

static void read_before_and_after(void *arg)
{
	struct reader *reader = arg;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct store *store = open_to_read(reader->folder);
	CHECK(store != NULL);
	CHECK(certificates(store) == 0);
	if (reader->is_in_txn)
		CHECK(store_read_begin(store, &txn, &err) == 0);
	tell(reader->ready[1]);
	hear(reader->go[0]);
	if (reader->is_in_txn)
		store_read_end(txn);
	CHECK(certificates(store) == CERTS);
	store_close(store);
}

static pid_t start_reader(struct reader *reader)
{
	assert_int_equal(pipe(reader->ready), 0);
	assert_int_equal(pipe(reader->go), 0);
	pid_t pid = child_start(read_before_and_after, reader);
	hear(reader->ready[0]);
	return pid;
}

static void end_reader(struct reader *reader)
{
	for (int i = 0; i < 2; i++) {
		close(reader->ready[i]);
		close(reader->go[i]);
	}
}

static void a_reader_follows_a_map_that_has_grown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		char *folder = temp_folder_new();
		struct store *store = open_small(folder);
		struct reader reader = {.folder = folder, .is_in_txn = i == 1};
		pid_t pid = start_reader(&reader);
		fill(store);
		tell(reader.go[1]);
		assert_int_equal(child_wait(pid), 0);
		end_reader(&reader);
		store_close(store);
		temp_folder_remove(folder);
	}
}

static int readers(struct store *store)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	return stats.readers;
}

static void a_reader_that_was_killed_is_cleared_at_open(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	struct store *store = open_small(folder);
	struct reader reader = {.folder = folder, .is_in_txn = true};
	pid_t pid = start_reader(&reader);
	assert_int_equal(readers(store), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(child_wait(pid), 128 + SIGKILL);
	assert_int_equal(readers(store), 1);
	store_close(store);
	store = open_small(folder);
	assert_int_equal(readers(store), 0);
	end_reader(&reader);
	store_close(store);
	temp_folder_remove(folder);
}

/* As at the begin of each cycle: until then no page that it saw is used again. */
static void a_reader_that_was_killed_is_cleared_when_asked_for(void **state)
{
	(void)state;
	char *folder = temp_folder_new();
	struct store *store = open_small(folder);
	struct reader living = {.folder = folder, .is_in_txn = true}, dead = living;
	pid_t living_pid = start_reader(&living), pid = start_reader(&dead);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(child_wait(pid), 128 + SIGKILL);
	assert_int_equal(readers(store), 2);
	store_forget_dead_readers(store);
	assert_int_equal(readers(store), 1);
	fill(store); /* what the living one looks for in the end */
	tell(living.go[1]);
	assert_int_equal(child_wait(living_pid), 0);
	end_reader(&dead);
	end_reader(&living);
	store_close(store);
	temp_folder_remove(folder);
}

static void when_all_reader_slots_are_taken_the_error_says_so(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn[STORE_READERS_MAX], *more;
	char *folder = temp_folder_new();
	struct store *store = open_small(folder);
	for (int i = 0; i < STORE_READERS_MAX; i++)
		assert_int_equal(store_read_begin(store, &txn[i], &err), 0);
	assert_int_equal(store_read_begin(store, &more, &err), -1);
	assert_int_equal(err.kind, ERR_STORE);
	assert_non_null(strstr(err.text, "all 512 reader slots"));
	for (int i = 0; i < STORE_READERS_MAX; i++)
		store_read_end(txn[i]);
	assert_int_equal(store_read_begin(store, &more, &err), 0);
	store_read_end(more);
	store_close(store);
	temp_folder_remove(folder);
}

static void slots_of_dead_readers_are_taken_back_when_all_are_taken(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn[STORE_READERS_MAX];
	char *folder = temp_folder_new();
	struct store *store = open_small(folder);
	struct reader reader = {.folder = folder, .is_in_txn = true};
	pid_t pid = start_reader(&reader);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(child_wait(pid), 128 + SIGKILL);
	for (int i = 0; i < STORE_READERS_MAX; i++)
		assert_int_equal(store_read_begin(store, &txn[i], &err), 0);
	for (int i = 0; i < STORE_READERS_MAX; i++)
		store_read_end(txn[i]);
	end_reader(&reader);
	store_close(store);
	temp_folder_remove(folder);
}

/* --- files that were cut short --------------------------------------------------------------------- */

static void open_short_file(void *arg)
{
	struct err err = ERR_INIT;
	struct store *store = store_open(
		NULL, &(struct store_options){.data_dir = arg, .is_read_only = true}, &err);
	CHECK(store == NULL && err.kind == ERR_STORE);
	CHECK(strstr(err.text, "incomplete copy") != NULL);

	/* The daemon either refuses it as well, or each use of a lost page is an error. */
	err = (struct err)ERR_INIT;
	store = store_open(NULL, &(struct store_options){.data_dir = arg}, &err);
	if (store == NULL) {
		CHECK(err.kind == ERR_STORE);
		return;
	}
	struct store_txn *txn;
	struct sample_cert sample;
	struct cert_record record;
	CHECK(store_read_begin(store, &txn, &err) == 0);
	for (uint32_t i = 0; i < CERTS && !store_txn_failed(txn); i++) {
		sample_cert_init(&sample, i);
		store_cert_get(txn, sample.arn, &record);
		sample_cert_clear(&sample);
	}
	CHECK(store_txn_check(txn, &err) == -1);
	CHECK(err.kind == ERR_STORE);
	store_read_end(txn);
}

static void a_file_that_was_cut_short_is_an_error_and_no_crash(void **state)
{
	(void)state;
	struct stat status;
	char *folder = temp_folder_new();
	char *file = temp_path(folder, "store.mdb");
	struct store *store = open_small(folder);
	fill(store);
	store_close(store);
	assert_int_equal(stat(file, &status), 0);
	for (int tenths = 9; tenths > 0; tenths -= 2) {
		assert_int_equal(truncate(file, status.st_size * tenths / 10), 0);
		assert_int_equal(child_run(open_short_file, folder), 0);
	}
	free(file);
	temp_folder_remove(folder);
}

static void after_a_rest_everything_goes_on(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct put more = {.first = CERTS, .count = 10};
	char *folder = temp_folder_new();
	struct store *store = open_small(folder);
	fill(store);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	MDB_env *env = store->env;
	store_rest(store); /* does nothing: what was read must stay */
	assert_ptr_equal(store->env, env);
	store_read_end(txn);
	for (int i = 0; i < 3; i++) {
		store_rest(store);
		assert_int_equal(certificates(store), CERTS + 10 * i);
		assert_int_equal(store_write_now(store, put_many, &more, &err), 0);
		more.first += 10;
	}
	assert_int_equal(temp_store_problems(store), 0);
	store_close(store);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_map_grows_by_itself_and_loses_nothing),
		cmocka_unit_test(one_write_larger_than_the_map_grows_it_until_it_fits),
		cmocka_unit_test(a_reader_follows_a_map_that_has_grown),
		cmocka_unit_test(a_reader_that_was_killed_is_cleared_at_open),
		cmocka_unit_test(a_reader_that_was_killed_is_cleared_when_asked_for),
		cmocka_unit_test(when_all_reader_slots_are_taken_the_error_says_so),
		cmocka_unit_test(slots_of_dead_readers_are_taken_back_when_all_are_taken),
		cmocka_unit_test(a_file_that_was_cut_short_is_an_error_and_no_crash),
		cmocka_unit_test(after_a_rest_everything_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
