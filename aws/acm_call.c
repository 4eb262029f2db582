/* What every ACM operation shares. source: ACM 2015-12-08, JSON 1.1 (facts.md section 2) */
#include <string.h>

#include "aws/acm_internal.h"
#include "aws/arn.h"
#include "aws/take.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/text.h"

enum { ARN_BODY_MAX = 6 * ACM_ARN_MAX + 64 }; /* every byte as \u00xx, at worst */

struct aws_call *acm_call_start(struct aws_client *client, const char *region,
	const struct acm_operation *operation, const struct buf *body, aws_call_done_fn *done,
	void *arg)
{
	struct aws_request request = {
		.service = AWS_ACM,
		.operation = operation->name,
		.region = region,
		.path = "/",
		.body = buf_text(body),
		.body_len = body->len,
		.rate.per_second = operation->per_second,
		.reply_max_bytes = operation->reply_max_bytes,
		.expects = operation->expects,
		.is_body_secret = body->is_secret,
		.is_once = operation->is_once,
	};
	return aws_call_start(client, &request, done, arg);
}

struct aws_call *acm_arn_call_start(struct aws_client *client, const char *region,
	const struct acm_operation *operation, const char *arn, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	struct json_writer writer;
	buf_init(&body, ARN_BODY_MAX);
	json_writer_init(&writer, &body, false);
	json_open_object(&writer);
	json_member_text(&writer, "CertificateArn", arn);
	json_close_object(&writer);
	struct aws_call *call = acm_call_start(client, region, operation, &body, done, arg);
	buf_clear(&body);
	return call;
}

int acm_take_arn(const json_t *object, const char *name, char **ret_arn, struct err *err)
{
	const char *text = "";
	if (json_get_text(object, name, ACM_ARN_MAX, &text, err) != 0)
		return -1;
	struct arn arn;
	if (!arn_parse(text, &arn) || strcmp(arn.service, "acm") != 0 || arn.region[0] == '\0' ||
		arn.account_id[0] == '\0' || !text_has_prefix(arn.resource, "certificate/"))
		return err_set(err, ERR_PROTOCOL, "%s is missing or no certificate's ARN", name);
	*ret_arn = xstrdup(text);
	return 0;
}

void acm_normalise_key_algorithm(char *key_algorithm)
{
	for (; *key_algorithm != '\0'; key_algorithm++) {
		if (*key_algorithm == '-')
			*key_algorithm = '_';
	}
}
