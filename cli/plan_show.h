/* A plan as a person reads it: the decision first, then what changes, then what to type. */
#ifndef CLI_PLAN_SHOW_H
#define CLI_PLAN_SHOW_H

#include <jansson.h>

#include "cli/cli.h"

/*
 * plan  an object of GET /v1/plans or POST /v1/plan (local_api.h), read leniently
 *
 * What differs is a line with "-" (there now) and one with "+" (afterwards), what stays has no
 * sign. -o wide also shows fingerprints, signatures, and lists that are cut otherwise.
 */
void plan_show(const struct cli *cli, const json_t *plan);

#endif
