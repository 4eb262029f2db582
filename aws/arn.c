/* ARNs, field by field. */
#include "aws/arn.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

/* Copies the field up to the next ':' and moves *at behind it. */
static bool take_field(const char **at, char *ret, size_t size)
{
	const char *end = strchr(*at, ':');
	if (end == NULL || (size_t)(end - *at) >= size)
		return false;
	memcpy(ret, *at, (size_t)(end - *at));
	ret[end - *at] = '\0';
	*at = end + 1;
	return true;
}

static bool is_clean(const char *text)
{
	size_t len = 0;
	for (; text[len] != '\0'; len++) {
		unsigned char c = (unsigned char)text[len];
		if (c <= ' ' || c == 0x7f || len >= ARN_MAX)
			return false;
	}
	return text_is_utf8(text, len);
}

bool arn_parse(const char *text, struct arn *ret_arn)
{
	struct arn arn;
	if (!is_clean(text) || !text_has_prefix(text, "arn:"))
		return false;
	const char *at = text + 4;
	if (!take_field(&at, arn.partition, sizeof(arn.partition)) ||
		!take_field(&at, arn.service, sizeof(arn.service)) ||
		!take_field(&at, arn.region, sizeof(arn.region)) ||
		!take_field(&at, arn.account_id, sizeof(arn.account_id)))
		return false;
	if (arn.partition[0] == '\0' || arn.service[0] == '\0' || at[0] == '\0')
		return false;
	if (arn.region[0] != '\0' && !text_is_region(arn.region))
		return false;
	if (arn.account_id[0] != '\0' && !text_is_account_id(arn.account_id))
		return false;
	arn.resource = at;
	*ret_arn = arn;
	return true;
}

bool arn_parse_certificate(const char *text, struct arn *ret_arn)
{
	struct arn arn;
	if (!arn_parse(text, &arn) || strcmp(arn.service, "acm") != 0 ||
		!text_has_prefix(arn.resource, "certificate/"))
		return false;
	*ret_arn = arn;
	return true;
}
