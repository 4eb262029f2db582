/*
 * ACM ImportCertificate, AddTagsToCertificate and DeleteCertificate.
 * source: ACM 2015-12-08 (facts.md 2.5, 2.6, 2.11)
 */
#include "aws/acm_write.h"

#include <string.h>

#include "aws/acm_internal.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/secret.h"

enum {
	ESCAPED = 6,	   /* bytes of JSON that one byte of text may become */
	BODY_MORE = 1024,  /* names of members, brackets, quotes */
	TAG_MORE = 32,	   /* the same of a tag */
	REPLY_MAX = 16384, /* an ARN, or nothing */
};

/* Rates: facts.md 2.14. */
static const struct acm_operation import_certificate = {
	.name = "ImportCertificate",
	.expects = "CertificateArn",
	.per_second = 1,
	.reply_max_bytes = REPLY_MAX,
	.is_once = true,
};

static const struct acm_operation add_tags = {
	.name = "AddTagsToCertificate",
	.expects = "",
	.per_second = 5,
	.reply_max_bytes = REPLY_MAX,
};

static const struct acm_operation delete_certificate = {
	.name = "DeleteCertificate",
	.expects = "",
	.per_second = 10,
	.reply_max_bytes = REPLY_MAX,
};

/* --- request bodies --------------------------------------------------------------------------- */

static size_t text_len(const char *text)
{
	return text != NULL ? strlen(text) : 0;
}

/* Never too small: what AWS finds too long it says itself. */
static size_t tags_max(const struct acm_tag *tag, size_t count)
{
	size_t max = 0;
	for (size_t i = 0; i < count; i++)
		max += ESCAPED * (text_len(tag[i].key) + text_len(tag[i].value)) + TAG_MORE;
	return max;
}

static void write_tags(struct json_writer *writer, const struct acm_tag *tag, size_t count)
{
	json_key(writer, "Tags");
	json_open_array(writer);
	for (size_t i = 0; i < count; i++) {
		json_open_object(writer);
		json_member_text(writer, "Key", tag[i].key);
		json_member_text(writer, "Value", tag[i].value != NULL ? tag[i].value : "");
		json_close_object(writer);
	}
	json_close_array(writer);
}

/* --- ImportCertificate ------------------------------------------------------------------------ */

static void write_import(struct json_writer *writer, const struct acm_import *import)
{
	json_open_object(writer);
	if (import->arn != NULL)
		json_member_text(writer, "CertificateArn", import->arn);
	json_member_base64(
		writer, "Certificate", import->certificate_pem, strlen(import->certificate_pem));
	json_member_base64(
		writer, "PrivateKey", secret_bytes(import->key_pem), import->key_pem->len);
	if (text_len(import->chain_pem) > 0)
		json_member_base64(
			writer, "CertificateChain", import->chain_pem, strlen(import->chain_pem));
	if (import->tag_count > 0)
		write_tags(writer, import->tag, import->tag_count);
	json_close_object(writer);
}

struct aws_call *acm_import_start(struct aws_client *client, const char *region,
	const struct acm_import *import, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	struct json_writer writer;
	size_t pem_bytes = text_len(import->certificate_pem) + import->key_pem->len +
			   text_len(import->chain_pem);
	buf_init_secret(&body, ESCAPED * text_len(import->arn) + 2 * pem_bytes +
				       tags_max(import->tag, import->tag_count) + BODY_MORE);
	json_writer_init(&writer, &body, false);
	write_import(&writer, import);
	struct aws_call *call =
		acm_call_start(client, region, &import_certificate, &body, done, arg);
	buf_clear(&body);
	return call;
}

int acm_import_take(const struct aws_reply *reply, char **ret_arn, struct err *err)
{
	if (acm_take_arn(reply->json, "CertificateArn", ret_arn, err) == 0)
		return 0;
	err_set_code(err, AWS_ANSWER_LOST); /* something was imported, but where is not said */
	return -1;
}

/* --- tags ------------------------------------------------------------------------------------- */

struct aws_call *acm_add_tags_start(struct aws_client *client, const char *region, const char *arn,
	const struct acm_tag *tag, size_t count, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	struct json_writer writer;
	buf_init(&body, ESCAPED * strlen(arn) + tags_max(tag, count) + BODY_MORE);
	json_writer_init(&writer, &body, false);
	json_open_object(&writer);
	json_member_text(&writer, "CertificateArn", arn);
	write_tags(&writer, tag, count);
	json_close_object(&writer);
	struct aws_call *call = acm_call_start(client, region, &add_tags, &body, done, arg);
	buf_clear(&body);
	return call;
}

/* --- DeleteCertificate ------------------------------------------------------------------------ */

struct aws_call *acm_delete_start(struct aws_client *client, const char *region, const char *arn,
	aws_call_done_fn *done, void *arg)
{
	return acm_arn_call_start(client, region, &delete_certificate, arn, done, arg);
}
