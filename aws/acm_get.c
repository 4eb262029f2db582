/* ACM GetCertificate and ListTagsForCertificate. source: ACM 2015-12-08 (facts.md 2.4, 2.5) */
#include <stdlib.h>
#include <string.h>

#include "aws/acm_internal.h"
#include "aws/take.h"
#include "base/err.h"
#include "base/json.h"

enum {
	CERTIFICATE_BYTES_MAX = 32768,
	CHAIN_BYTES_MAX = 2097152,
	/* Newlines are two bytes each in JSON, other bytes stay. */
	PEM_REPLY_MAX = 2 * (CERTIFICATE_BYTES_MAX + CHAIN_BYTES_MAX),
	TAG_KEY_BYTES_MAX = 128 * 4,
	TAG_VALUE_BYTES_MAX = 256 * 4,
	TAGS_REPLY_MAX = 262144, /* 50 tags of 128 + 256 characters, some of them escaped */
};

static const struct acm_operation get_certificate = {
	.name = "GetCertificate",
	.expects = "Certificate",
	.per_second = 10, /* facts.md 2.14 */
	.reply_max_bytes = PEM_REPLY_MAX,
};

static const struct acm_operation list_tags = {
	.name = "ListTagsForCertificate",
	.per_second = 10, /* facts.md 2.14 */
	.reply_max_bytes = TAGS_REPLY_MAX,
};

/* --- GetCertificate --------------------------------------------------------------------------- */

struct aws_call *acm_get_certificate_start(struct aws_client *client, const char *region,
	const char *arn, aws_call_done_fn *done, void *arg)
{
	return acm_arn_call_start(client, region, &get_certificate, arn, done, arg);
}

void acm_pem_clear(struct acm_pem *pem)
{
	free(pem->certificate);
	free(pem->chain);
	*pem = (struct acm_pem){.certificate = NULL};
}

int acm_get_certificate_take(
	const struct aws_reply *reply, struct acm_pem *ret_pem, struct err *err)
{
	struct acm_pem pem = {.certificate = NULL};
	if (take_text(reply->json, "Certificate", CERTIFICATE_BYTES_MAX, &pem.certificate, err) !=
			0 ||
		take_text(reply->json, "CertificateChain", CHAIN_BYTES_MAX, &pem.chain, err) != 0)
		goto out;
	if (pem.certificate[0] == '\0') {
		err_set(err, ERR_PROTOCOL, "the answer's Certificate is empty");
		goto out;
	}
	*ret_pem = pem;
	return 0;
out:
	acm_pem_clear(&pem);
	return -1;
}

/* --- ListTagsForCertificate ------------------------------------------------------------------- */

struct aws_call *acm_list_tags_start(struct aws_client *client, const char *region, const char *arn,
	aws_call_done_fn *done, void *arg)
{
	return acm_arn_call_start(client, region, &list_tags, arn, done, arg);
}

void acm_tag_list_clear(struct acm_tag_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->item[i].key);
		free(list->item[i].value);
	}
	list->count = 0;
}

/* tag is cleared by the caller, also after a failure. */
static int take_tag(const json_t *item, struct acm_tag *tag, struct err *err)
{
	if (take_text(item, "Key", TAG_KEY_BYTES_MAX, &tag->key, err) != 0 ||
		take_text(item, "Value", TAG_VALUE_BYTES_MAX, &tag->value, err) != 0)
		return -1;
	return tag->key[0] != '\0' ? 0 : err_set(err, ERR_PROTOCOL, "a tag without a Key");
}

int acm_list_tags_take(
	const struct aws_reply *reply, struct acm_tag_list *ret_tags, struct err *err)
{
	const json_t *items = NULL; /* optional in the model: absent is none */
	if (json_get_array(reply->json, "Tags", ACM_TAGS_MAX, &items, err) != 0)
		return -1;
	struct acm_tag_list tags = {.count = 0};
	for (size_t i = 0; i < json_array_size(items); i++) {
		struct acm_tag *tag = &tags.item[tags.count++];
		*tag = (struct acm_tag){.key = NULL};
		if (take_tag(json_array_get(items, i), tag, err) != 0) {
			acm_tag_list_clear(&tags);
			return err_wrap(err, "Tags[%zu]", i);
		}
	}
	*ret_tags = tags;
	return 0;
}
