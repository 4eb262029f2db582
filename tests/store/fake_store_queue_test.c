/* The fake queue that the tests of the layers above use keeps the contract of the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/loop.h"
#include "store/certs.h"
#include "store/store.h"
#include "tests/lib/fake_loop.h"
#include "tests/lib/fake_store_queue.h"
#include "tests/lib/temp_store.h"

struct job {
	uint32_t number;
	int runs, ends;
	enum err_kind kind;
};

static void write_job(struct store_txn *txn, void *arg)
{
	struct job *job = arg;
	job->runs++;
	sample_cert_put(txn, job->number);
}

static void job_done(void *arg, const struct err *err)
{
	struct job *job = arg;
	job->ends++;
	job->kind = err != NULL ? err->kind : ERR_NONE;
}

static int64_t certificates(struct store *store)
{
	struct err err = ERR_INIT;
	struct store_stats stats;
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	return stats.certificates;
}

static void the_nth_write_fails_and_is_not_stored(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	char *folder = temp_folder_new();
	struct loop *loop = loop_new(&err);
	struct store *store = temp_store_open(loop, folder);
	struct job job[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};
	fake_store_reset();
	fake_store_fail_at(2, ERR_STORE_FULL);
	struct store_write *write = NULL;
	for (size_t i = 0; i < 4; i++)
		write = store_write_start(store, write_job, &job[i], job_done, &job[i]);
	store_write_cancel(write);
	assert_int_equal(fake_store_waiting_count(), 3);
	assert_int_equal(job[0].ends, 0); /* never called back by start */
	fake_loop_run_ready();
	assert_int_equal(job[0].kind, ERR_NONE);
	assert_int_equal(job[1].kind, ERR_STORE_FULL);
	assert_int_equal(job[2].kind, ERR_NONE);
	assert_int_equal(job[3].ends, 0);
	assert_int_equal(job[0].runs, 2);
	assert_int_equal(job[1].runs, 1);
	assert_int_equal(fake_store_write_count(), 3);
	assert_int_equal(fake_store_cancel_count(), 1);
	assert_int_equal(certificates(store), 2);
	store_close(store);
	loop_free(loop);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nth_write_fails_and_is_not_stored),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
