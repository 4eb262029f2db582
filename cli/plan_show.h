/* A plan as a person reads it. */
#ifndef CLI_PLAN_SHOW_H
#define CLI_PLAN_SHOW_H

#include <jansson.h>

#include "cli/cli.h"

void plan_show(const struct cli *cli, const json_t *plan);

#endif
