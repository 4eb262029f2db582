/* Account and region of an ARN (see arn_place.h). */
#include "cli/arn_place.h"

#include <string.h>

#include "base/text.h"

/* arn:PARTITION:acm:REGION:ACCOUNT:certificate/ID */
enum { PARTS = 6 };

static bool copy_part(char *to, size_t size, const char *part, size_t len)
{
	if (len >= size)
		return false;
	memcpy(to, part, len);
	to[len] = '\0';
	return true;
}

bool arn_place_parse(const char *arn, struct arn_place *ret_place)
{
	const char *part[PARTS];
	size_t len[PARTS] = {0};
	struct arn_place place;
	const char *at = arn;
	for (int i = 0; i < PARTS; i++) {
		part[i] = at;
		len[i] = i == PARTS - 1 ? strlen(at) : strcspn(at, ":");
		at += len[i];
		if (i < PARTS - 1 && *at++ != ':')
			return false;
	}
	if (strncmp(part[0], "arn:", 4) != 0 || len[1] == 0 || len[2] != 3 ||
		strncmp(part[2], "acm", 3) != 0 || !text_has_prefix(part[5], "certificate/") ||
		strlen(part[5]) < strlen("certificate/") + ARN_TAIL)
		return false;
	if (!copy_part(place.region, sizeof(place.region), part[3], len[3]) ||
		!copy_part(place.account_id, sizeof(place.account_id), part[4], len[4]) ||
		!text_is_region(place.region) || !text_is_account_id(place.account_id))
		return false;
	*ret_place = place;
	return true;
}

const char *arn_tail(const char *arn)
{
	size_t len = strlen(arn);
	return len > ARN_TAIL ? arn + len - ARN_TAIL : arn;
}
