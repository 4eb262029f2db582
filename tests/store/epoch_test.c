/* The store's identity: it stays while the store goes on, and is renewed when it went back. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/events.h"
#include "store/store.h"
#include "tests/lib/child.h"
#include "tests/lib/temp_store.h"

static char *folder, *file, *note, *aside;

static int setup(void **state)
{
	(void)state;
	folder = temp_folder_new();
	file = temp_path(folder, "store.mdb");
	note = temp_path(folder, "store.epoch");
	aside = temp_path(folder, "aside.mdb");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(file);
	free(note);
	free(aside);
	temp_folder_remove(folder);
	return 0;
}

static void append(struct store_txn *txn, void *arg)
{
	const char *detail = arg;
	store_event_append(
		txn, &(struct event_record){.at_s = 1, .kind = EVENT_OPERATOR, .detail = detail});
}

static void append_some(struct store *store, const char *detail, int count)
{
	struct err err = ERR_INIT;
	char *copy = xstrdup(detail);
	for (int i = 0; i < count; i++)
		assert_int_equal(store_write_now(store, append, copy, &err), 0);
	free(copy);
}

/* Opens, appends, closes; returns the epoch. *ret_last: the newest event's sequence. */
static uint64_t live(const char *detail, int count, uint64_t *ret_last)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	struct store_txn *txn;
	struct event_record event;
	struct store *store = temp_store_open(NULL, folder);
	append_some(store, detail, count);
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_event_get_last(txn, 0, &event));
	*ret_last = event.sequence;
	assert_int_equal(store_event_verify(txn, &err), 0);
	store_read_end(txn);
	store_close(store);
	return stats.epoch;
}

/* As live without appending; the newest event must be of that kind and say that. */
static uint64_t live_and_expect(enum event_kind kind, const char *says)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	struct store_txn *txn;
	struct event_record event;
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_event_get_last(txn, 0, &event));
	assert_int_equal(event.kind, kind);
	assert_non_null(strstr(event.detail, says));
	store_read_end(txn);
	store_close(store);
	return stats.epoch;
}

static void copy_file(const char *from, const char *to)
{
	char *command[] = {"cp", (char *)(uintptr_t)from, (char *)(uintptr_t)to, NULL};
	pid_t pid = fork();
	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	assert_int_equal(child_wait(pid), 0);
}

static void a_new_store_begins_with_an_event_and_an_epoch(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	struct store_txn *txn;
	struct event_record event;
	struct store_stats stats;
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	assert_int_not_equal(stats.epoch, 0);
	assert_int_equal(stats.events, 1);
	assert_int_equal(store_read_begin(store, &txn, &err), 0);
	assert_true(store_event_get_from(txn, 1, &event));
	assert_int_equal(event.kind, EVENT_STORE_CREATED);
	assert_int_equal(event.sequence, 1);
	char *says = xasprintf("epoch %016llx: ", (unsigned long long)stats.epoch);
	assert_non_null(strstr(event.detail, says));
	free(says);
	store_read_end(txn);
	store_close(store);
}

static void the_epoch_stays_while_the_store_goes_on(void **state)
{
	(void)state;
	uint64_t last;
	uint64_t epoch = live("a", 3, &last);
	assert_int_equal(last, 4);
	assert_int_equal(live("b", 0, &last), epoch);
	assert_int_equal(live("c", 2, &last), epoch);
	assert_int_equal(last, 6);
}

static void append_and_die(void *arg)
{
	(void)arg;
	append_some(temp_store_open(NULL, folder), "b", 5); /* and never closed */
}

static void dying_is_not_going_back(void **state)
{
	(void)state;
	uint64_t last;
	uint64_t epoch = live("a", 3, &last);
	assert_int_equal(child_run(append_and_die, NULL), 0);
	assert_int_equal(live("c", 0, &last), epoch);
	assert_int_equal(last, 9);
}

static void a_side_file_that_lags_behind_is_fine(void **state)
{
	(void)state;
	uint64_t last;
	char *old = temp_path(folder, "old.epoch");
	uint64_t epoch = live("a", 1, &last);
	copy_file(note, old);
	assert_int_equal(live("b", 5, &last), epoch);
	copy_file(old, note);
	assert_int_equal(live("c", 0, &last), epoch);
	free(old);
}

static void an_older_copy_begins_a_new_epoch_and_goes_on_counting(void **state)
{
	(void)state;
	uint64_t last;
	uint64_t epoch = live("a", 3, &last);
	copy_file(file, aside);
	assert_int_equal(live("b", 1, &last), epoch);
	copy_file(aside, file);
	uint64_t renewed = live_and_expect(EVENT_STORE_RESTORED, "went back in time");
	assert_int_not_equal(renewed, epoch);
	assert_int_equal(live("c", 1, &last), renewed);
	assert_int_equal(last, 6); /* 4, restored, c */
}

static void an_older_copy_after_a_crash_is_noticed_too(void **state)
{
	(void)state;
	uint64_t last;
	uint64_t epoch = live("a", 3, &last);
	copy_file(file, aside);
	assert_int_equal(child_run(append_and_die, NULL), 0);
	copy_file(aside, file);
	assert_int_not_equal(live_and_expect(EVENT_STORE_RESTORED, "went back in time"), epoch);
}

/* The same number of events, but others: the hash tells. */
static void a_copy_that_went_another_way_is_noticed(void **state)
{
	(void)state;
	uint64_t last;
	live("a", 3, &last);
	copy_file(file, aside);
	uint64_t epoch = live("b", 2, &last);
	char *other = temp_path(folder, "other.mdb");
	copy_file(file, other);
	copy_file(aside, file);
	uint64_t renewed = live("c", 1, &last); /* restored, c: as many as b, b */
	assert_int_not_equal(renewed, epoch);
	assert_int_equal(last, 6);
	copy_file(other, file);
	uint64_t again = live_and_expect(EVENT_STORE_RESTORED, "went back in time");
	assert_int_not_equal(again, epoch);
	assert_int_not_equal(again, renewed);
	free(other);
}

static void without_its_side_file_the_store_counts_as_restored(void **state)
{
	(void)state;
	uint64_t last;
	uint64_t epoch = live("a", 3, &last);
	assert_int_equal(unlink(note), 0);
	uint64_t renewed = live_and_expect(EVENT_STORE_RESTORED, "store.epoch is missing");
	assert_int_not_equal(renewed, epoch);
	int fd = open(note, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "acmsensor-epoch-1 zz", 20), 20);
	close(fd);
	assert_int_not_equal(
		live_and_expect(EVENT_STORE_RESTORED, "store.epoch is missing"), renewed);
}

static void a_reader_tells_the_epoch_and_changes_nothing(void **state)
{
	(void)state;
	uint64_t last;
	struct err err = ERR_INIT;
	struct store_stats stats;
	uint64_t epoch = live("a", 1, &last);
	assert_int_equal(unlink(note), 0);
	struct store *store = store_open(
		NULL, &(struct store_options){.data_dir = folder, .is_read_only = true}, &err);
	assert_non_null(store);
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	assert_int_equal(stats.epoch, epoch);
	assert_int_equal(stats.events, 2);
	store_close(store);
	assert_int_equal(access(note, F_OK), -1);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* Opens as that machine; returns the epoch. */
static uint64_t live_on(const char *machine)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	const struct store_options options = {
		.data_dir = folder, .machine = (const unsigned char *)machine};
	struct store *store = store_open(NULL, &options, &err);
	assert_non_null(store);
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	store_close(store);
	return stats.epoch;
}

static void a_store_of_another_machine_begins_an_epoch(void **state)
{
	(void)state;
	static const char one[] = "one machine, 32 bytes long.......";
	static const char other[] = "other machine, 32 bytes long.....";
	uint64_t first = live_on(one);
	assert_int_equal(live_on(one), first);
	assert_int_equal(live_on(NULL), first); /* not known is no reason */
	uint64_t second = live_on(other);
	assert_int_not_equal(second, first);
	live_and_expect(EVENT_STORE_RESTORED, "another machine wrote this store");
	assert_int_equal(live_on(other), second);
	assert_int_not_equal(live_on(one), second);
}

static void a_store_without_a_machine_gets_one_and_stays(void **state)
{
	(void)state;
	static const char one[] = "one machine, 32 bytes long.......";
	static const char other[] = "other machine, 32 bytes long.....";
	uint64_t first = live_on(NULL);
	assert_int_equal(live_on(one), first);
	assert_int_not_equal(live_on(other), first);
}

static void a_change_of_name_is_told_once(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char *former = NULL;
	struct store *store = temp_store_open(NULL, folder);
	assert_int_equal(store_note_name(store, "dc1", &former, &err), 0);
	assert_null(former);
	assert_int_equal(store_note_name(store, "dc1", &former, &err), 0);
	assert_null(former);
	assert_int_equal(store_note_name(store, "dc10", &former, &err), 0);
	assert_string_equal(former, "dc1");
	free(former);
	assert_int_equal(store_note_name(store, "dc10", &former, &err), 0);
	assert_null(former);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_new_store_begins_with_an_event_and_an_epoch),
		IN_FOLDER(the_epoch_stays_while_the_store_goes_on),
		IN_FOLDER(dying_is_not_going_back),
		IN_FOLDER(a_side_file_that_lags_behind_is_fine),
		IN_FOLDER(an_older_copy_begins_a_new_epoch_and_goes_on_counting),
		IN_FOLDER(an_older_copy_after_a_crash_is_noticed_too),
		IN_FOLDER(a_copy_that_went_another_way_is_noticed),
		IN_FOLDER(without_its_side_file_the_store_counts_as_restored),
		IN_FOLDER(a_reader_tells_the_epoch_and_changes_nothing),
		IN_FOLDER(a_store_of_another_machine_begins_an_epoch),
		IN_FOLDER(a_store_without_a_machine_gets_one_and_stays),
		IN_FOLDER(a_change_of_name_is_told_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
