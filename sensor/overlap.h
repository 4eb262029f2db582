/*
 * Two connectors that cover the same account and region: it belongs to the one that comes first in
 * the configuration. What a connector covers is read from the store, where the trees of earlier
 * connectors are, so the answer is the same after a restart.
 */
#ifndef SENSOR_OVERLAP_H
#define SENSOR_OVERLAP_H

#include <stdbool.h>
#include <stddef.h>

struct config_connector;
struct store_txn;

enum { OVERLAP_REASON_MAX = 128 };

/* Connectors before one's own; a value that owns its copies, since a reload may change them. */
struct overlap {
	struct config_connector *earlier; /* owned */
	size_t count;
};

void overlap_init(
	struct overlap *overlap, const struct config_connector *const *earlier, size_t count);
void overlap_clear(struct overlap *overlap); /* zeroed is fine */

/*
 * The earlier connector that an account-region belongs to, or NULL. Borrowed from overlap.
 * region: NULL asks whether one of them covers the whole account.
 */
const char *overlap_owner(const struct overlap *overlap, struct store_txn *txn,
	const char *account_id, const char *region);

/* Whether any of the account's regions is the connector's: it is in its organization, active and
 * not filtered out. */
bool overlap_reads(struct store_txn *txn, const char *connector, const char *account_id);

/* Why the other connector does not read it. ret_reason: OVERLAP_REASON_MAX bytes. */
void overlap_reason(const char *owner, char *ret_reason);
/* Whether a reason is one of these: it says nothing against delivering there. */
bool overlap_is_reason(const char *reason);

#endif
