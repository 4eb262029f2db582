/* Private to the acm_*.c files: what their requests and answers share. */
#ifndef AWS_ACM_INTERNAL_H
#define AWS_ACM_INTERNAL_H

#include "aws/acm_read.h"

struct buf;
struct err;

struct acm_operation {
	const char *name;    /* "DescribeCertificate" */
	const char *expects; /* member of a good answer; NULL: none */
	double per_second;
	size_t reply_max_bytes;
	bool is_once; /* struct aws_request's */
};

/* A secret body (buf_init_secret) stays one. */
struct aws_call *acm_call_start(struct aws_client *client, const char *region,
	const struct acm_operation *operation, const struct buf *body, aws_call_done_fn *done,
	void *arg);

/* For the operations whose only parameter is CertificateArn. */
struct aws_call *acm_arn_call_start(struct aws_client *client, const char *region,
	const struct acm_operation *operation, const char *arn, aws_call_done_fn *done, void *arg);

/* A certificate's ARN as an owned copy. ERR_PROTOCOL: missing or not of that shape. */
int acm_take_arn(const json_t *object, const char *name, char **ret_arn, struct err *err);

/* AWS's underscore form: DescribeCertificate may answer "RSA-2048" (facts.md section 2). */
void acm_normalise_key_algorithm(char *key_algorithm);

#endif
