/*
 * What ACM holds under an ARN now: Describe, Get and the tags, read together. A flow; reads only.
 */
#ifndef DELIVERY_REMOTE_H
#define DELIVERY_REMOTE_H

#include "aws/acm_read.h"
#include "base/x509.h"

struct remote_read;

struct remote_state {
	bool exists; /* false: ResourceNotFoundException */
	struct acm_detail detail;
	struct acm_pem pem; /* texts NULL when there is none (not issued) */
	struct acm_tag_list tags;
	bool has_facts;
	struct x509_facts facts; /* of pem.certificate */
};
void remote_state_clear(struct remote_state *state); /* zeroed is fine */

/* state: the callee may take its members over and zero them. err: as aws_call_start, of whichever
 * of the three calls failed; ERR_PROTOCOL: an answer makes no sense. Not there is no error. */
typedef void remote_done_fn(void *arg, struct remote_state *state, const struct err *err);
struct remote_read *remote_read_start(struct aws_client *client, const char *region,
	const char *arn, remote_done_fn *done, void *arg);
void remote_read_cancel(struct remote_read *read);

/*
 * Looks for the certificate that an import made whose answer was lost: among the imported ones of
 * an account and region (ListCertificates, then Get of those whose dates fit and which are not
 * older), the one with that leaf; one that carries another certificate's id is not ours. err:
 * whatever kept it from looking at all of them. ret arn: "" when there is none.
 */
struct remote_wanted {
	const struct x509_facts *leaf;
	int64_t created_after_s;    /* what ACM says was made before is not looked at */
	const char *certificate_id; /* of the provenance tag */
};
struct remote_find;
typedef void remote_found_fn(void *arg, const char *arn, const struct err *err);
struct remote_find *remote_find_start(struct aws_client *client, const char *region,
	const struct remote_wanted *wanted, remote_found_fn *done, void *arg);
void remote_find_cancel(struct remote_find *find);

#endif
