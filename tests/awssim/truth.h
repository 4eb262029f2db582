/* What a correct inventory of the simulated organization is; sent piece by piece. */
#ifndef TESTS_AWSSIM_TRUTH_H
#define TESTS_AWSSIM_TRUTH_H

#include "tests/awssim/sim.h"

struct truth_options {
	bool with_pem;	     /* PEM texts of leaf and chain */
	bool only_reachable; /* certificates of pairs whose coverage is ok */
	bool without_certificates;
};

/* Sets the reply up to stream the truth. */
void truth_answer(struct sim *sim, const struct truth_options *options, struct reply *reply);

/*
 * The coverage states that discovery must end with (design.md 4.6). Of an account: NULL when its
 * regions can be visited. Of a region: as if the account could be.
 */
const char *truth_account_state(const struct world *world, size_t index);
const char *truth_pair_state(const struct world *world, size_t index, size_t region);

#endif
