/* Answers of STS: the first byte chooses the operation. */
#include <stdint.h>

#include "aws/cred_internal.h"
#include "aws/reply.h"
#include "aws/sts.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aws_reply reply;
	struct err err = ERR_INIT;
	if (size == 0 || aws_reply_read(AWS_QUERY, (const char *)data + 1, size - 1, NULL, &reply,
				 &err) != 0)
		return 0;
	struct sts_identity identity;
	struct aws_credentials credentials = AWS_CREDENTIALS_INIT;
	if (data[0] % 2 == 0)
		(void)cred_role_take(&reply, &credentials, &err);
	else
		(void)sts_get_caller_identity_take(&reply, &identity, &err);
	aws_credentials_clear(&credentials);
	aws_reply_clear(&reply);
	return 0;
}
