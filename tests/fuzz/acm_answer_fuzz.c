/* Answers of ACM: the first byte chooses the operation. What fails leaves everything as it was. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aws/acm_read.h"
#include "aws/arn.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_err(int rc, const struct err *err)
{
	assert(rc == 0 ? err->kind == ERR_NONE
		       : err->kind == ERR_PROTOCOL || err->kind == ERR_LIMIT);
	assert(rc == 0 || err->text[0] != '\0');
}

static void take_page(const struct aws_reply *reply, struct acm_summary_list *list, char **token)
{
	struct err err = ERR_INIT;
	struct arn arn;
	size_t before = list->count;
	char *token_before = *token;
	int rc = acm_list_certificates_take(reply, list, token, &err);
	check_err(rc, &err);
	if (rc != 0) {
		assert(list->count == before && *token == token_before);
		return;
	}
	assert(list->count - before <= ACM_PAGE_MAX);
	assert(*token == NULL || ((*token)[0] != '\0' && strlen(*token) <= ACM_TOKEN_MAX));
	for (size_t i = before; i < list->count; i++)
		assert(arn_parse(list->item[i].arn, &arn) && list->item[i].domain_name != NULL);
}

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
		take_page(&reply, &summaries, &token);
		take_page(&reply, &summaries, &token);
		break;
	case 1:
		check_err(acm_describe_certificate_take(&reply, &detail, &err), &err);
		assert((detail.arn != NULL) == (err.kind == ERR_NONE));
		break;
	case 2:
		check_err(acm_get_certificate_take(&reply, &pem, &err), &err);
		assert((pem.certificate != NULL) == (err.kind == ERR_NONE));
		break;
	default:
		check_err(acm_list_tags_take(&reply, &tags, &err), &err);
		assert(tags.count <= ACM_TAGS_MAX && (err.kind == ERR_NONE || tags.count == 0));
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
