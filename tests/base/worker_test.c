/* The thread beside the loop: what runs where, who waits for whom. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/worker.h"

struct job {
	struct worker *worker;
	struct loop *loop;
	sem_t gate; /* the work waits for it when is_gated */
	bool is_gated;
	pthread_t thread;
	int runs, ends, turns;
	int more; /* how often done starts it again */
};

static struct loop *loop;
static struct worker *worker;
static struct job job;

static int setup(void **state)
{
	(void)state;
	struct err err = ERR_INIT;
	loop = loop_new(&err);
	worker = worker_new(loop, &err);
	job = (struct job){.worker = worker, .loop = loop};
	sem_init(&job.gate, 0, 0);
	return worker != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	worker_free(worker);
	loop_free(loop);
	sem_destroy(&job.gate);
	return 0;
}

static void work(void *arg)
{
	struct job *this = arg;
	if (this->is_gated)
		sem_wait(&this->gate);
	this->thread = pthread_self();
	this->runs++;
}

static void done(void *arg)
{
	struct job *this = arg;
	assert_false(worker_is_busy(this->worker));
	this->ends++;
	if (this->more-- > 0)
		worker_start(this->worker, work, done, this);
}

static void job_runs_in_the_thread_and_ends_in_the_loop(void **state)
{
	(void)state;
	worker_start(worker, work, done, &job);
	assert_true(worker_is_busy(worker));
	assert_int_equal(job.ends, 0);
	loop_run(loop); /* ends by itself: an idle worker does not keep it */
	assert_int_equal(job.runs, 1);
	assert_int_equal(job.ends, 1);
	assert_false(pthread_equal(job.thread, pthread_self()));
}

static void done_may_start_the_next_job(void **state)
{
	(void)state;
	job.more = 100;
	worker_start(worker, work, done, &job);
	loop_run(loop);
	assert_int_equal(job.runs, 101);
	assert_int_equal(job.ends, 101);
}

static void open_gate(void *arg)
{
	struct job *this = arg;
	this->turns++;
	sem_post(&this->gate);
}

static void loop_goes_on_while_a_job_blocks(void **state)
{
	(void)state;
	job.is_gated = true;
	worker_start(worker, work, done, &job);
	loop_timer_start(loop, 5, open_gate, &job); /* else it would never end */
	loop_run(loop);
	assert_int_equal(job.turns, 1);
	assert_int_equal(job.ends, 1);
}

static void waiting_is_for_the_work_and_done_still_comes(void **state)
{
	(void)state;
	worker_wait(worker); /* for nothing */
	worker_start(worker, work, done, &job);
	worker_wait(worker);
	assert_int_equal(job.runs, 1);
	assert_int_equal(job.ends, 0);
	assert_true(worker_is_busy(worker));
	worker_wait(worker);
	loop_run(loop);
	assert_int_equal(job.ends, 1);
}

static void freeing_waits_for_the_work_and_done_does_not_come(void **state)
{
	(void)state;
	worker_start(worker, work, done, &job);
	worker_free(worker);
	worker = NULL;
	assert_int_equal(job.runs, 1);
	loop_run(loop);
	assert_int_equal(job.ends, 0);
}

#define WITH_WORKER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORKER(job_runs_in_the_thread_and_ends_in_the_loop),
		WITH_WORKER(done_may_start_the_next_job),
		WITH_WORKER(loop_goes_on_while_a_job_blocks),
		WITH_WORKER(waiting_is_for_the_work_and_done_still_comes),
		WITH_WORKER(freeing_waits_for_the_work_and_done_does_not_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
