/* The progress of a cycle as one line (see progress.h). */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

enum { BAR_COLUMNS = 20, PART_MAX = 64, NUMBER_MAX = 32 };

/* 1204 -> "1,204" */
static const char *grouped(int64_t number, char *buffer)
{
	char digits[NUMBER_MAX];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, number);
	char *at = buffer;
	for (int i = 0; i < len; i++) {
		*at++ = digits[i];
		int left = len - i - 1;
		if (left > 0 && left % 3 == 0 && digits[i] != '-')
			*at++ = ',';
	}
	*at = '\0';
	return buffer;
}

/* Adds a part when it fits. Columns are counted in ASCII parts; the bar counts for itself. */
static void add_part(struct buf *to, const char *part, int columns, int *used)
{
	int width = (int)text_columns(part) + (*used > 0 ? 2 : 0);
	if (columns > 0 && *used + width > columns)
		return;
	if (*used > 0)
		buf_add_text(to, "  ");
	buf_add_text(to, part);
	*used += width;
}

static void add_bar(struct buf *to, int64_t done, int64_t total, bool is_utf8)
{
	int64_t filled = total > 0 ? done * BAR_COLUMNS / total : 0;
	buf_add_char(to, '[');
	for (int64_t i = 0; i < BAR_COLUMNS; i++)
		buf_add_text(to, i >= filled ? (is_utf8 ? "\xE2\x96\x91" : "-")
				 : is_utf8   ? "\xE2\x96\x88"
					     : "#");
	buf_addf(to, "] %3d%%", (int)(total > 0 ? done * 100 / total : 0));
}

void progress_line(
	struct buf *to, const struct progress_view *view, int columns, bool has_bar, bool is_utf8)
{
	char part[PART_MAX], a[NUMBER_MAX], b[NUMBER_MAX], duration[TEXT_DURATION_MAX];
	int used = 0;
	if (has_bar) {
		add_bar(to, view->pairs_done, view->pairs_total, is_utf8);
		used = BAR_COLUMNS + (int)strlen("[] 100%");
	}
	if (view->pairs_total == 0) {
		add_part(to, view->phase, columns, &used);
		return;
	}
	snprintf(part, sizeof(part), "%s/%s account-regions", grouped(view->pairs_done, a),
		grouped(view->pairs_total, b));
	add_part(to, part, columns, &used);
	if (view->left_s >= 0) {
		snprintf(part, sizeof(part), "%s left",
			text_format_duration(view->left_s, duration));
		add_part(to, part, columns, &used);
	}
	snprintf(part, sizeof(part), "%s/%s accounts", grouped(view->accounts_done, a),
		grouped(view->accounts_total, b));
	add_part(to, part, columns, &used);
	snprintf(part, sizeof(part), "%s certificates", grouped(view->certificates, a));
	add_part(to, part, columns, &used);
	snprintf(part, sizeof(part), "%s calls", grouped(view->calls, a));
	add_part(to, part, columns, &used);
	if (view->throttles > 0) {
		snprintf(part, sizeof(part), "%s throttles", grouped(view->throttles, a));
		add_part(to, part, columns, &used);
	}
}
