/* Answers of STS: the first byte chooses the operation. What is taken is whole. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "aws/cred_internal.h"
#include "aws/reply.h"
#include "aws/sts.h"
#include "base/err.h"
#include "base/text.h"

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
	int rc;
	if (data[0] % 2 == 0)
		rc = cred_role_take(&reply, &credentials, &err);
	else
		rc = sts_get_caller_identity_take(&reply, &identity, &err);
	assert(rc == 0 ? err.kind == ERR_NONE : err.kind == ERR_PROTOCOL || err.kind == ERR_LIMIT);
	assert(rc != 0 || data[0] % 2 == 0 ||
		(text_is_account_id(identity.account_id) && identity.partition[0] != '\0' &&
			text_has_prefix(identity.arn, "arn:")));
	aws_credentials_clear(&credentials);
	aws_reply_clear(&reply);
	return 0;
}
