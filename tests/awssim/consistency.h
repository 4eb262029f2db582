/*
 * Eventual consistency on demand: for a while after a change, reads answer what was before it.
 * Writes always see what is.
 */
#ifndef TESTS_AWSSIM_CONSISTENCY_H
#define TESTS_AWSSIM_CONSISTENCY_H

#include "tests/awssim/cert.h"
#include "tests/awssim/sim.h"

/* Milliseconds of a clock that never jumps. */
int64_t sim_mono_ms(void);

/* Before a change: keeps what the certificate is now for the readers that come too early. */
void consistency_keep(struct sim *sim, size_t account, size_t region, struct cert *cert);
/* After a certificate was made: early readers do not find it. */
void consistency_keep_absence(struct sim *sim, size_t account, size_t region, struct cert *cert);
/* Instead of cert_remove: early readers still find it. */
void consistency_remove(struct sim *sim, size_t account, size_t region, uint32_t index);

/* As a read of that operation (its index) sees it; NULL: not there yet. */
const struct cert *consistency_view(const struct sim *sim, const struct cert *cert, int operation);
/* A removed one that the read still finds. NULL: none. */
const struct cert *consistency_find_removed(
	const struct sim *sim, size_t account, size_t region, struct slice uuid, int operation);

/*
 * All that a list sees, in the order of uids: an owned array, or NULL when it is what the pair
 * holds.
 */
const struct cert **consistency_list(
	const struct sim *sim, size_t account, size_t region, int operation, uint32_t *ret_count);

#endif
