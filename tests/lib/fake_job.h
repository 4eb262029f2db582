/*
 * Replaces delivery/job.c: runs of jobs that a test ends, so that it decides how long each takes.
 * Records in the store are the test's too.
 */
#ifndef TESTS_LIB_FAKE_JOB_H
#define TESTS_LIB_FAKE_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "delivery/delivery.h"

/* One that runs. Texts are borrowed until it ends or is cancelled. */
struct fake_job {
	const char *id;
	struct delivery_target target; /* texts that were NULL are "" */
	bool is_away;
	struct err why; /* of one that is away */
};

size_t fake_job_count(void);			      /* that run */
size_t fake_job_started(void);			      /* ever, since the last reset */
const struct fake_job *fake_job_find(const char *id); /* NULL: it does not run */
/* Its done is called, with err or NULL. */
void fake_job_end(const char *id, const struct err *err);
void fake_job_reset(void); /* none may run */

#endif
