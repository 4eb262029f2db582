/* A job of delivery as a person reads it, and what its end means. */
#ifndef CLI_JOB_SHOW_H
#define CLI_JOB_SHOW_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/cli.h"

/* job: an object of GET /v1/jobs (local_api.h), read leniently. */

bool job_is_running(const json_t *job);
/* It succeeded, but a host serves something else or is not reachable, or tags are missing. Pure. */
bool job_has_warnings(const json_t *job);
/* Of a job that has ended. Pure. */
int job_exit_code(const json_t *job);
/* The rollback that was ordered with the end of a delivery that failed; "" for none. Pure. */
const char *job_automatic_rollback(const json_t *job);
enum style job_style(const json_t *job);

/* How it stands or ended, in short, and what may be typed next. */
void job_show_state(const struct cli *cli, const json_t *job);
/* All of it but the steps. */
void job_show(const struct cli *cli, const json_t *job);

/* "14:05:09Z import   ..."; a new day has a line of its own. day: DATES_TEXT_MAX, "" to begin. */
void job_show_step(const struct cli *cli, const json_t *step, char *day);

#endif
