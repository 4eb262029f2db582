/*
 * AWS Certificate Manager, what changes it. For delivery/ only. source: ACM 2015-12-08, JSON 1.1;
 * facts.md 2.5, 2.6, 2.11.
 */
#ifndef AWS_ACM_WRITE_H
#define AWS_ACM_WRITE_H

#include "aws/acm_read.h"

struct secret;

/* Everything is borrowed for the call. */
struct acm_import {
	const char *arn;	      /* NULL: a new certificate */
	const char *certificate_pem;  /* exactly one */
	const struct secret *key_pem; /* PKCS#8, not encrypted */
	const char *chain_pem;	      /* "" or NULL: none */
	const struct acm_tag *tag;    /* only without arn */
	size_t tag_count;
};

/*
 * ImportCertificate has no idempotency token: it is never sent again once AWS may have taken it.
 * What was certainly refused for a reason that passes (throttled, expired session, clock) or never
 * reached AWS (no connection) is tried again as other calls are. err: as aws_call_start; with code
 * AWS_ANSWER_LOST when the request was sent and no answer, or none that says either way, came: look
 * before repeating. LimitExceededException is ERR_REFUSED: it counts certificates, not requests.
 */
struct aws_call *acm_import_start(struct aws_client *client, const char *region,
	const struct acm_import *import, aws_call_done_fn *done, void *arg);
/* ret_arn: owned. ERR_PROTOCOL, ERR_LIMIT with code AWS_ANSWER_LOST: imported, but where? */
int acm_import_take(const struct aws_reply *reply, char **ret_arn, struct err *err);

/* These may be asked again; their answers hold nothing to take. */
struct aws_call *acm_add_tags_start(struct aws_client *client, const char *region, const char *arn,
	const struct acm_tag *tag, size_t count, aws_call_done_fn *done, void *arg);
/* ERR_REFUSED with code ResourceInUseException while something uses it. ERR_NOT_FOUND: gone,
 * perhaps by an attempt of this call whose answer was lost. */
struct aws_call *acm_delete_start(struct aws_client *client, const char *region, const char *arn,
	aws_call_done_fn *done, void *arg);

#endif
