/* Answers of ACM: the first byte chooses the operation. */
#include <stdint.h>
#include <stdlib.h>

#include "aws/acm_read.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aws_reply reply;
	struct err err = ERR_INIT;
	if (size == 0 || aws_reply_read(AWS_JSON_1_1, (const char *)data + 1, size - 1, NULL,
				 &reply, &err) != 0)
		return 0;
	struct acm_summary_list summaries = {.item = NULL};
	struct acm_detail detail = {.arn = NULL};
	struct acm_pem pem = {.certificate = NULL};
	struct acm_tag_list tags = {.count = 0};
	char *token = NULL;
	switch (data[0] % 4) {
	case 0:
		(void)acm_list_certificates_take(&reply, &summaries, &token, &err);
		(void)acm_list_certificates_take(&reply, &summaries, &token, &err);
		break;
	case 1:
		(void)acm_describe_certificate_take(&reply, &detail, &err);
		break;
	case 2:
		(void)acm_get_certificate_take(&reply, &pem, &err);
		break;
	default:
		(void)acm_list_tags_take(&reply, &tags, &err);
		break;
	}
	free(token);
	acm_summary_list_clear(&summaries);
	acm_detail_clear(&detail);
	acm_pem_clear(&pem);
	acm_tag_list_clear(&tags);
	aws_reply_clear(&reply);
	return 0;
}
