/* Shared by the files of the simulated ACM (JSON 1.1, 2015-12-08). */
#ifndef TESTS_AWSSIM_ACM_H
#define TESTS_AWSSIM_ACM_H

#include "tests/awssim/cert.h"
#include "tests/awssim/service.h"

/* SCPs and the role's policy for an ACM action. False after a denial was answered. */
bool acm_may(struct call *call, const char *action, const char *resource);

enum acm_arn { ACM_ARN_BAD, ACM_ARN_FOREIGN, ACM_ARN_OWN };
/* Whether arn is a certificate's, and of the caller's account and region. ret_uuid is its end. */
enum acm_arn acm_read_arn(const struct call *call, const char *arn, const char **ret_uuid);
void acm_fail_bad_arn(struct call *call, const char *arn);
void acm_fail_not_found(struct call *call, const char *arn);
void acm_fail_null(struct call *call, const char *member);

/* A tag as it was asked for. Borrowed from the call's input. */
struct acm_tag {
	const char *key, *value; /* value NULL: none given */
};

/* Reads Tags into ret_tags. False after an error was answered. */
bool acm_read_tags(struct call *call, struct acm_tag ret_tags[CERT_TAGS_MAX], size_t *ret_count);

/*
 * The certificate that CertificateArn names, described. NULL after an error was answered: malformed
 * ARN, another account's or region's, not existing, or no permission.
 */
struct cert *acm_find(struct call *call, const char *action, struct cert_facts *ret_facts);

/* The same for a read, which may see the past. False after an error was answered. */
bool acm_see(struct call *call, const char *action, struct cert_facts *ret_facts);

/* A time as AWS writes it: whole, with a fraction (if it may have one), or with an exponent. */
void acm_time(
	struct out *out, const char *key, int64_t time_s, uint64_t draw, bool may_have_fraction);

/* The times that summary and description share. */
void acm_add_times(struct out *out, const struct cert_facts *facts);

#endif
