/*
 * Looks at a store from outside the daemon, for end-to-end tests:
 *
 *   check_store DATA_DIR              opens as the daemon would (mending, locking) and checks all
 *   check_store --read-only DATA_DIR  as `acmsensor --offline` would
 *   check_store --hold DATA_DIR       keeps a read transaction open until its input ends; a line
 *                                     tells when it has begun, and in the end what it saw must
 *                                     still be there, unchanged
 *
 * Prints what it found as a line of JSON; problems go to stderr. Exit 0: no problem; 1: problems;
 * 2: it does not open.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/check.h"
#include "store/events.h"
#include "store/store.h"

enum { CODE_FINE = 0, CODE_PROBLEMS = 1, CODE_FAILED = 2 };

static int fail(const struct err *err)
{
	fprintf(stderr, "check_store: %s\n", err->text);
	return CODE_FAILED;
}

static void print_problem(void *arg, const char *problem, bool is_of_index)
{
	(void)is_of_index;
	(void)arg;
	fprintf(stderr, "check_store: %s\n", problem);
}

static int check(struct store *store)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	int64_t problems = 0;
	if (store_check(store, print_problem, NULL, &problems, &err) != 0 ||
		store_get_stats(store, &stats, &err) != 0)
		return fail(&err);
	printf("{\"problems\": %" PRId64 ", \"certificates\": %" PRId64 ", \"events\": %" PRId64
	       ", \"epoch\": \"%016" PRIx64 "\", \"readers\": %d, \"used_bytes\": %" PRId64
	       ", \"file_bytes\": %" PRId64 ", \"map_bytes\": %" PRId64 "}\n",
		problems, stats.certificates, stats.events, stats.epoch, stats.readers,
		stats.used_bytes, stats.file_bytes, stats.map_bytes);
	return problems == 0 ? CODE_FINE : CODE_PROBLEMS;
}

/* The sequence of the last event, after a look at every one before it. */
static int read_all(struct store_txn *txn, uint64_t *ret_last, struct err *err)
{
	struct event_record event = {.sequence = 0};
	if (store_event_verify(txn, err) != 0)
		return -1;
	(void)store_event_get_last(txn, 0, &event); /* none: 0 */
	*ret_last = event.sequence;
	return store_txn_check(txn, err);
}

static void wait_for_end_of_input(void)
{
	char ignored[64];
	while (read(STDIN_FILENO, ignored, sizeof(ignored)) > 0)
		;
}

static int hold(struct store *store)
{
	struct err err = ERR_INIT;
	struct store_txn *txn = NULL;
	uint64_t before = 0, after = 0;
	if (store_read_begin(store, &txn, &err) != 0)
		return fail(&err);
	int rc = read_all(txn, &before, &err);
	if (rc == 0) {
		printf("{\"held\": %" PRIu64 "}\n", before);
		fflush(stdout);
		wait_for_end_of_input();
		rc = read_all(txn, &after, &err);
	}
	store_read_end(txn);
	if (rc != 0)
		return fail(&err);
	printf("{\"seen\": %" PRIu64 "}\n", after);
	return before == after ? CODE_FINE : CODE_PROBLEMS;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	bool is_hold = argc == 3 && strcmp(argv[1], "--hold") == 0;
	bool is_read_only = is_hold || (argc == 3 && strcmp(argv[1], "--read-only") == 0);
	if (argc != (is_read_only ? 3 : 2)) {
		fprintf(stderr, "usage: check_store [--read-only | --hold] DATA_DIR\n");
		return CODE_FAILED;
	}
	struct store *store = store_open(NULL,
		&(struct store_options){.data_dir = argv[argc - 1], .is_read_only = is_read_only},
		&err);
	if (store == NULL)
		return fail(&err);
	int code = is_hold ? hold(store) : check(store);
	store_close(store);
	return code;
}
