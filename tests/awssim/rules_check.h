/* The rules of import_rules.h asked directly, without an import (POST /rules). */
#ifndef TESTS_AWSSIM_RULES_CHECK_H
#define TESTS_AWSSIM_RULES_CHECK_H

#include <jansson.h>

#include "tests/awssim/sim.h"

/* Appends the verdict as JSON, see README.md. False with *ret_why (static): a wrong order. */
bool rules_check(const struct sim *sim, const json_t *order, struct out *out, const char **ret_why);

#endif
