/* AWS STS: GetCallerIdentity. */
#include "aws/sts.h"

#include <string.h>

#include "aws/arn.h"
#include "aws/request.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/xml_read.h"

enum { BODY_MAX = 256, REPLY_MAX = 65536 };

/* Quota 600/s an account and region, for all of STS (facts.md 4.4). */
static const double get_caller_identity_per_second = 600;

struct aws_call *sts_get_caller_identity_start(
	struct aws_client *client, const char *region, aws_call_done_fn *done, void *arg)
{
	struct buf body;
	buf_init(&body, BODY_MAX);
	query_begin(&body, AWS_STS, "GetCallerIdentity");
	struct aws_request request = {
		.service = AWS_STS,
		.operation = "GetCallerIdentity",
		.region = region,
		.path = "/",
		.body = buf_text(&body),
		.body_len = body.len,
		.rate.per_second = get_caller_identity_per_second,
		.reply_max_bytes = REPLY_MAX,
		.expects = "GetCallerIdentityResult/Account",
	};
	struct aws_call *call = aws_call_start(client, &request, done, arg);
	buf_clear(&body);
	return call;
}

static int take_field(const struct xml_element *result, const char *name, char *ret_text,
	size_t size, struct err *err)
{
	const char *text = xml_child_text(result, name);
	if (text == NULL || text[0] == '\0')
		return err_set(err, ERR_PROTOCOL, "the answer has no %s", name);
	if (!text_copy(ret_text, size, text))
		return err_set(err, ERR_LIMIT, "%s is longer than %zu bytes", name, size - 1);
	return 0;
}

int sts_get_caller_identity_take(
	const struct aws_reply *reply, struct sts_identity *ret_identity, struct err *err)
{
	const struct xml_element *result = xml_child(reply->xml, "GetCallerIdentityResult");
	if (result == NULL)
		return err_set(err, ERR_PROTOCOL, "the answer has no GetCallerIdentityResult");
	struct sts_identity identity;
	if (take_field(result, "Account", identity.account_id, sizeof(identity.account_id), err) !=
			0 ||
		take_field(result, "Arn", identity.arn, sizeof(identity.arn), err) != 0 ||
		take_field(result, "UserId", identity.user_id, sizeof(identity.user_id), err) != 0)
		return -1;
	struct arn arn;
	if (!text_is_account_id(identity.account_id) || !arn_parse(identity.arn, &arn) ||
		strcmp(arn.account_id, identity.account_id) != 0)
		return err_set(err, ERR_PROTOCOL, "the answer's Account is not the one in its Arn");
	(void)text_copy(identity.partition, sizeof(identity.partition), arn.partition); /* fits */
	*ret_identity = identity;
	return 0;
}
