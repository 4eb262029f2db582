/* Somebody else's import: a successor with a key that the simulator has. */
#ifndef TESTS_AWSSIM_FOREIGN_H
#define TESTS_AWSSIM_FOREIGN_H

#include "tests/awssim/cert.h"

/* The same names, usages and kind of key; another key, serial and issuer, valid from now. Owned. */
struct held *foreign_successor(
	const struct world *world, const struct held *old, uint64_t draw, int64_t now_s);

#endif
