/*
 * The queue with its thread and the real loop: the loop goes on while a write runs, and whoever
 * cancels, closes or writes at once waits for it. Order and grouping: queue_test.c.
 */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "store/certs.h"
#include "store/store.h"
#include "tests/lib/store_fixture.h"
#include "tests/lib/temp_store.h"

enum { JOBS = 8, SMALL_MAP_BYTES = 256 * 1024, LARGE = 2000 };

static struct loop *loop;
static sem_t running, gate;

struct job {
	uint32_t first, count;
	bool is_gated;
	struct store_write *write;
	int ends;
	enum err_kind kind;
};

static struct job jobs[JOBS];

static int setup(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	folder = temp_folder_new();
	loop = loop_new(&err);
	store = store_open(loop,
		&(struct store_options){.data_dir = folder, .map_bytes = SMALL_MAP_BYTES}, &err);
	assert_non_null(store);
	for (uint32_t i = 0; i < JOBS; i++)
		jobs[i] = (struct job){.first = i * LARGE, .count = 1};
	sem_init(&running, 0, 0);
	sem_init(&gate, 0, 0);
	return 0;
}

static int teardown(void **state)
{
	int rc = store_fixture_close(state);
	loop_free(loop);
	sem_destroy(&running);
	sem_destroy(&gate);
	return rc;
}

static void write_job(struct store_txn *txn, void *arg)
{
	const struct job *job = arg;
	if (job->is_gated) {
		sem_post(&running);
		sem_wait(&gate);
	}
	for (uint32_t i = 0; i < job->count; i++)
		sample_cert_put(txn, job->first + i);
}

static void job_done(void *arg, const struct err *err)
{
	struct job *job = arg;
	job->write = NULL;
	job->ends++;
	job->kind = err != NULL ? err->kind : ERR_NONE;
}

static void start(struct job *job)
{
	job->write = store_write_start(store, write_job, job, job_done, job);
}

/* Until the group of the first job runs. */
static void stop_when_running(void *arg)
{
	(void)arg;
	if (sem_trywait(&running) == 0)
		loop_stop(loop);
	else
		loop_timer_start(loop, 1, stop_when_running, NULL);
}

static void run_until_running(void)
{
	jobs[0].is_gated = true;
	start(&jobs[0]);
	start(&jobs[1]);
	loop_timer_start(loop, 0, stop_when_running, NULL);
	loop_run(loop);
}

static void loop_reads_and_queues_while_a_write_runs(void **state)
{
	(void)state;
	run_until_running();
	assert_false(store_fixture_has(jobs[0].first));
	start(&jobs[2]);
	sem_post(&gate);
	loop_run(loop);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(jobs[i].ends, 1);
		assert_true(store_fixture_has(jobs[i].first));
	}
}

static void cancelling_what_runs_waits_and_the_neighbour_hears(void **state)
{
	(void)state;
	run_until_running();
	start(&jobs[2]);
	sem_post(&gate);
	store_write_cancel(jobs[0].write);
	jobs[0].count = 0;			       /* ours again */
	assert_true(store_fixture_has(jobs[0].first)); /* it was too late */
	assert_int_equal(jobs[1].ends, 0);	       /* its done comes from the loop */
	loop_run(loop);
	assert_int_equal(jobs[0].ends, 0);
	assert_int_equal(jobs[1].ends, 1);
	assert_int_equal(jobs[2].ends, 1);
}

static void all_of_a_running_group_may_be_cancelled(void **state)
{
	(void)state;
	run_until_running();
	sem_post(&gate);
	store_write_cancel(jobs[1].write);
	store_write_cancel(jobs[0].write);
	start(&jobs[2]);
	loop_run(loop);
	assert_int_equal(jobs[0].ends + jobs[1].ends, 0);
	assert_int_equal(jobs[2].ends, 1);
	assert_true(store_fixture_has(jobs[2].first));
}

static void closing_waits_for_what_runs_and_commits_what_waits(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	run_until_running();
	start(&jobs[2]);
	sem_post(&gate);
	store_close(store);
	assert_int_equal(jobs[0].ends + jobs[1].ends + jobs[2].ends, 0);
	store = store_open(loop, &(struct store_options){.data_dir = folder}, &err);
	assert_non_null(store);
	for (int i = 0; i < 3; i++)
		assert_true(store_fixture_has(jobs[i].first));
}

static void writing_at_once_waits_its_turn(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	run_until_running();
	sem_post(&gate);
	assert_int_equal(store_write_now(store, write_job, &jobs[3], &err), 0);
	assert_true(store_fixture_has(jobs[0].first) && store_fixture_has(jobs[3].first));
	loop_run(loop);
	assert_int_equal(jobs[0].ends, 1);
}

static void read_often(void *arg)
{
	struct job *job = arg;
	struct err err = ERR_INIT;
	struct store_stats stats;
	(void)store_fixture_has(1);
	assert_int_equal(store_get_stats(store, &stats, &err), 0);
	if (job->ends == 0)
		loop_timer_start(loop, 0, read_often, job);
}

static void map_grows_while_the_loop_reads(void **state)
{
	(void)state;
	jobs[0].count = LARGE; /* several times the map */
	start(&jobs[0]);
	read_often(&jobs[0]);
	loop_run(loop);
	assert_int_equal(jobs[0].kind, ERR_NONE);
	assert_true(store_fixture_has(jobs[0].first + LARGE - 1));
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(loop_reads_and_queues_while_a_write_runs),
		WITH_STORE(cancelling_what_runs_waits_and_the_neighbour_hears),
		WITH_STORE(all_of_a_running_group_may_be_cancelled),
		WITH_STORE(closing_waits_for_what_runs_and_commits_what_waits),
		WITH_STORE(writing_at_once_waits_its_turn),
		WITH_STORE(map_grows_while_the_loop_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
