/* Request bodies of the Query protocols. */
#include "aws/request.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

void query_begin(struct buf *body, enum aws_service service, const char *operation)
{
	buf_addf(body, "Action=%s&Version=%s", operation, aws_service_info(service)->api_version);
}

void query_add(struct buf *body, const char *key, const char *value)
{
	buf_addf(body, "&%s=", key);
	text_percent_encode(body, value, strlen(value), "");
}
