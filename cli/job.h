/* Orders of delivery over the local API, and following a job to its end. */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include <jansson.h>
#include <stdbool.h>

struct cli;
struct err;

enum { JOB_TIMEOUT_S = 30 }; /* of one question for jobs */

/* *ret_document: {"schema", "jobs": [job with steps]}, owned by the caller; *ret_job: in it.
 * Errors: as source_get; ERR_NOT_FOUND; ERR_PROTOCOL: an answer without the job. */
int job_get(const struct cli *cli, const char *id, json_t **ret_document, const json_t **ret_job,
	struct err *err);

/*
 * Shows each step of a job as it comes and how it ends; what went before is shown too. With -o json
 * and csv the steps are said on stderr, and the job is printed at its end. A delivery that failed
 * and is rolled back automatically is followed by its rollback; both are printed.
 *
 * returns  job_exit_code, of the delivery when its rollback was followed; EXIT_INTERRUPTED after
 *          Ctrl-C, which leaves the job running and says so; cli_fail's when it cannot be asked
 *          for. A daemon that went away is waited for: the job goes on with it.
 */
int job_follow(const struct cli *cli, const char *id);

/*
 * Posts an order whose answer is a job; then follows it or says how.
 *
 * body_taken  owned by this function from here on
 * returns     an exit code: EXIT_DONE when the order was taken, job_follow's when it is waited for;
 *             cli_fail's when the daemon does not take it
 */
int job_order(const struct cli *cli, const char *path, json_t *body_taken, bool is_waited_for);

/* {"name": "text"}, owned by the caller. */
json_t *job_order_body(const char *name, const char *text);

#endif
