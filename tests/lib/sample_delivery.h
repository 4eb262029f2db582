/* Plans and jobs for tests: with every field set, and as little as there can be. */
#ifndef TESTS_LIB_SAMPLE_DELIVERY_H
#define TESTS_LIB_SAMPLE_DELIVERY_H

#include "store/jobs.h"
#include "store/plans.h"

struct store;

/* "plan-1" and "job-1", which belong together; no field is zero. */
extern const struct plan_record sample_plan;
extern const struct job_record sample_job;

/* A delivery of connector "prod" that has just begun; every text that is not given is "". */
struct job_record sample_job_running(const char *id, const char *account_id, const char *region);
/* A plan of connector "prod" that waits for an hour to be applied, and imports as new; its key is in
 * the vault under its id; every text that is not given is "". */
struct plan_record sample_plan_waiting(const char *id, const char *account_id, const char *region);
/* Must succeed. */
void sample_plan_put(struct store *store, const struct plan_record *plan);
void sample_job_put(struct store *store, const struct job_record *job);

#endif
