/*
 * Puts together what is known of a certificate into the record that is stored. Pure.
 *
 * The PEM is the truth for serial, names, fingerprint, validity, issuer, subject and algorithms;
 * where there is none AWS's own words stand in. What was not asked stays as it was stored. A PEM
 * that contradicts Describe is kept, with a mark in detail_error.
 */
#ifndef DISCOVERY_CERT_BUILD_H
#define DISCOVERY_CERT_BUILD_H

#include <stdint.h>

#include "discovery/cert_fields.h"

struct acm_summary;
struct cert_fetched;

struct cert_build_input {
	const char *connector, *account_id, *region;
	const struct acm_summary *summary;
	const struct cert_fetched *fetched; /* NULL: nothing was asked */
	const struct cert_record *previous; /* NULL: not in the store yet */
	int64_t now_s;
};

void cert_build(const struct cert_build_input *input, struct cert_copy *ret_copy);

#endif
