/*
 * What the store of a fixture says, as text to compare: every certificate with every member and its
 * history, every coverage record, account and unit. Left out are the moments that only tell when the sensor looked
 * (first seen, details of, gone since), because what two ways to the same truth have in common is
 * all but these.
 */
#ifndef TESTS_SENSOR_STORE_TEXT_H
#define TESTS_SENSOR_STORE_TEXT_H

#include <stdint.h>

#include "base/buf.h"

struct fixture;

/* Appended, a record a line, in a fixed order. */
void store_text_inventory(struct fixture *fixture, struct buf *to);
/* Certificates of one account-region: "c0 ISSUED 0a gone". */
void store_text_pair(
	struct fixture *fixture, const char *account_id, const char *region, struct buf *to);
/* Events after a sequence that tell of certificates and accounts coming and going, sorted: "kind
 * account region arn". What changed in between depends on when one looked, and is left out. */
void store_text_comings(struct fixture *fixture, uint64_t after, struct buf *to);

#endif
