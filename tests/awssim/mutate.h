/* Changes of the simulated organization at run time (POST /mutate). */
#ifndef TESTS_AWSSIM_MUTATE_H
#define TESTS_AWSSIM_MUTATE_H

#include <jansson.h>

#include "tests/awssim/sim.h"

/*
 * Carries out one change and appends what was changed as JSON. False with *ret_why (static) when
 * the order is wrong; nothing was changed then.
 */
bool mutate(struct sim *sim, const json_t *order, struct out *out, const char **ret_why);

#endif
