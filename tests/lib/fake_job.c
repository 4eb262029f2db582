#include "tests/lib/fake_job.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "delivery/delivery_internal.h"

struct job_run {
	LIST_ENTRY(job_run) link;
	struct fake_job job;
	char id[DELIVERY_ID_MAX + 1];
	struct target_copy where; /* owned */
	job_run_done_fn *done;
	void *arg;
};

static LIST_HEAD(run_list, job_run) runs = LIST_HEAD_INITIALIZER(runs);
static size_t started;

static struct job_run *find(const char *id)
{
	struct job_run *run = LIST_FIRST(&runs);
	while (run != NULL && strcmp(run->id, id) != 0)
		run = LIST_NEXT(run, link);
	return run;
}

size_t fake_job_count(void)
{
	size_t count = 0;
	for (const struct job_run *run = LIST_FIRST(&runs); run != NULL; run = LIST_NEXT(run, link))
		count++;
	return count;
}

size_t fake_job_started(void)
{
	return started;
}

const struct fake_job *fake_job_find(const char *id)
{
	const struct job_run *run = find(id);
	return run != NULL ? &run->job : NULL;
}

void fake_job_end(const char *id, const struct err *err)
{
	struct job_run *run = find(id);
	assert(run != NULL);
	run->done(run->arg, err);
	job_run_cancel(run);
}

void fake_job_reset(void)
{
	assert(LIST_EMPTY(&runs));
	started = 0;
}

struct job_run *job_run_start(struct delivery *delivery, const struct delivery_target *target,
	const char *job_id, job_run_done_fn *done, void *arg)
{
	(void)delivery;
	assert(find(job_id) == NULL); /* two runs of one job would send its import twice */
	struct job_run *run = xcalloc(1, sizeof(*run));
	strcpy(run->id, job_id);
	target_copy_make(target, &run->where);
	run->job = (struct fake_job){.id = run->id, .target = run->where.target};
	run->done = done;
	run->arg = arg;
	LIST_INSERT_HEAD(&runs, run, link);
	started++;
	return run;
}

struct job_run *job_run_start_away(struct delivery *delivery, const struct delivery_target *target,
	const char *job_id, const struct err *why, int64_t wait_s, job_run_done_fn *done, void *arg)
{
	struct job_run *run = job_run_start(delivery, target, job_id, done, arg);
	assert(wait_s > 0);
	run->job.is_away = true;
	run->job.why = *why;
	return run;
}

void job_run_cancel(struct job_run *run)
{
	if (run == NULL)
		return;
	LIST_REMOVE(run, link);
	target_copy_clear(&run->where);
	free(run);
}
