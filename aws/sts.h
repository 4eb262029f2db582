/* AWS STS: who am I. (AssumeRole is cred_role.c's alone: its answer holds credentials.) */
#ifndef AWS_STS_H
#define AWS_STS_H

#include "aws/client.h"

struct sts_identity {
	char account_id[13];
	char partition[16]; /* "aws", "aws-cn", "aws-us-gov", ... */
	char arn[2049];
	char user_id[256];
};

/* source: STS 2011-06-15 GetCallerIdentity; needs no permission. */
struct aws_call *sts_get_caller_identity_start(
	struct aws_client *client, const char *region, aws_call_done_fn *done, void *arg);
int sts_get_caller_identity_take(
	const struct aws_reply *reply, struct sts_identity *ret_identity, struct err *err);

#endif
