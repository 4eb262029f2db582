/* The clock offset. */
#include "aws/skew.h"

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

bool skew_learn(
	struct skew *skew, int64_t date_s, bool has_age, int64_t local_s, int64_t elapsed_ms)
{
	if (date_s <= 0 || has_age || elapsed_ms > SKEW_ELAPSED_MAX_MS)
		return false;
	int64_t offset = date_s - local_s;
	/* Rounding and travel stay within this; correcting for them would only flicker. */
	if (distance(offset, skew->offset_s) <= SKEW_IGNORED_S)
		return false;
	skew->offset_s = distance(offset, 0) <= SKEW_IGNORED_S ? 0 : offset;
	return true;
}

bool skew_explains_refusal(const struct skew *skew, int64_t signed_offset_s)
{
	return distance(skew->offset_s, signed_offset_s) >= SKEW_REFUSED_S;
}
