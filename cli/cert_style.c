/* How urgent a certificate looks (see cert_style.h). */
#include "cli/cert_style.h"

#include "cli/row.h"

enum { DAY_S = 86400, VERY_SOON_DAYS = 7 };

enum style cert_style(const json_t *row, int64_t now_s)
{
	int64_t not_after_s = row_time(row, "not_after");
	if (row_bool(row, "gone"))
		return STYLE_DIM;
	if (not_after_s == 0)
		return STYLE_PLAIN;
	if (not_after_s <= now_s + VERY_SOON_DAYS * DAY_S)
		return STYLE_RED;
	return not_after_s <= now_s + CERT_SOON_DAYS * DAY_S ? STYLE_YELLOW : STYLE_PLAIN;
}

const char *cert_status_word(const json_t *row)
{
	if (row_bool(row, "gone"))
		return "GONE";
	return row_bool(row, "expired") ? "EXPIRED" : row_text(row, "status");
}
