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

/* The coverage state that discovery must end with, design.md 4.6. region -1: the account's own
 * ("*"), NULL when the account's regions can be visited. */
const char *truth_account_state(const struct world *world, size_t account);
const char *truth_pair_state(const struct world *world, size_t account, size_t region);

#endif
