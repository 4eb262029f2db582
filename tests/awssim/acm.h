/* Shared by the files of the simulated ACM (JSON 1.1, 2015-12-08). */
#ifndef TESTS_AWSSIM_ACM_H
#define TESTS_AWSSIM_ACM_H

#include "tests/awssim/cert.h"
#include "tests/awssim/service.h"

/* SCPs and the role's policy for an ACM action. False after a denial was answered. */
bool acm_may(struct call *call, const char *action, const char *resource);

/*
 * The certificate that CertificateArn names, described. NULL after an error was answered: malformed
 * ARN, another account's or region's, not existing, or no permission.
 */
struct cert *acm_find(struct call *call, const char *action, struct cert_facts *ret_facts);

/* A time as AWS writes it: whole, with a fraction (if it may have one), or with an exponent. */
void acm_time(
	struct out *out, const char *key, int64_t time_s, uint64_t draw, bool may_have_fraction);

/* The times that summary and description share. */
void acm_add_times(struct out *out, const struct cert_facts *facts);

#endif
