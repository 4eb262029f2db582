/* The progress of cycles as one line (see progress.h). */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/row.h"

enum { BAR_COLUMNS = 20, PART_MAX = 96, NUMBER_MAX = 32, PERCENT = 100 };

/* More than there can be, and far from overflow when it is multiplied. */
static const int64_t COUNT_MAX = INT64_C(1000000000000000);

/* In their order; "scan" and later know what there is to do. */
static const struct {
	const char *name, *words;
} phases[] = {
	{"queued", "waiting for the cycle that runs"},
	{"organization", "reading the organization"},
	{"accounts", "writing the accounts"},
	{"scan", "opening accounts"},
	{"finishing", "finishing"},
	{"done", "done"},
};

enum { PHASES = sizeof(phases) / sizeof(phases[0]) };

/* A phase of a newer daemon counts as the last. */
static size_t phase_index(const char *name)
{
	for (size_t i = 0; i < PHASES; i++)
		if (strcmp(phases[i].name, name) == 0)
			return i;
	return PHASES;
}

static const char *phase_words(const char *name)
{
	size_t index = phase_index(name);
	return index < PHASES ? phases[index].words : name;
}

void progress_view_init(struct progress_view *view)
{
	*view = (struct progress_view){.phase = "done", .is_known = true};
}

static void add_count(int64_t *sum, const json_t *progress, const char *name)
{
	int64_t count = row_int(progress, name);
	if (count > COUNT_MAX - *sum)
		*sum = COUNT_MAX;
	else if (count > 0)
		*sum += count;
}

void progress_view_add(struct progress_view *view, const json_t *progress)
{
	const char *phase = row_text(progress, "phase");
	bool is_done = row_has(progress, "result");
	add_count(&view->accounts_done, progress, "accounts_done");
	add_count(&view->accounts_total, progress, "accounts_total");
	add_count(&view->pairs_done, progress, "pairs_done");
	add_count(&view->pairs_total, progress, "pairs_total");
	add_count(&view->certificates, progress, "certificates");
	add_count(&view->calls, progress, "calls");
	add_count(&view->throttles, progress, "throttles");
	if (phase_index(phase) < phase_index(view->phase))
		view->phase = phase;
	if (is_done)
		return;
	if (row_int(progress, "pairs_total") == 0)
		view->is_known = false;
	if (!row_has(progress, "eta_s"))
		view->left_s = -1;
	else if (view->left_s >= 0 && row_int(progress, "eta_s") > view->left_s)
		view->left_s = row_int(progress, "eta_s");
}

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

struct line {
	struct buf *to;
	int columns, used;
	bool is_full; /* something did not fit: nothing follows */
};

static void add_part(struct line *line, const char *part)
{
	int width = (int)text_columns(part) + (line->used > 0 ? 2 : 0);
	if (line->is_full || (line->columns > 0 && line->used + width > line->columns)) {
		line->is_full = true;
		return;
	}
	if (line->used > 0)
		buf_add_text(line->to, "  ");
	buf_add_text(line->to, part);
	line->used += width;
}

static void add_number(struct line *line, int64_t number, const char *unit)
{
	char part[PART_MAX], digits[NUMBER_MAX];
	snprintf(part, sizeof(part), "%s %s", grouped(number, digits), unit);
	add_part(line, part);
}

static void add_share(struct line *line, int64_t done, int64_t total, const char *unit)
{
	char part[PART_MAX], a[NUMBER_MAX], b[NUMBER_MAX];
	snprintf(part, sizeof(part), "%s/%s %s", grouped(done, a), grouped(total, b), unit);
	add_part(line, part);
}

/* The total is an estimate at first: never more than all of it. */
static void add_bar(struct buf *to, int64_t done, int64_t total, bool is_utf8)
{
	int64_t known = done < total ? done : total;
	int64_t filled = total > 0 ? known * BAR_COLUMNS / total : 0;
	buf_add_char(to, '[');
	for (int64_t i = 0; i < BAR_COLUMNS; i++)
		buf_add_text(to, i >= filled ? (is_utf8 ? "\xE2\x96\x91" : "-")
				 : is_utf8   ? "\xE2\x96\x88"
					     : "#");
	buf_addf(to, "] %3d%%", total > 0 ? (int)(known * PERCENT / total) : 0);
}

void progress_line(
	struct buf *to, const struct progress_view *view, int columns, bool has_bar, bool is_utf8)
{
	struct line line = {.to = to, .columns = columns};
	char part[PART_MAX], duration[TEXT_DURATION_MAX];
	bool is_known = view->is_known && view->pairs_total > 0;
	if (has_bar) {
		add_bar(to, is_known ? view->pairs_done : 0, view->pairs_total, is_utf8);
		line.used = BAR_COLUMNS + (int)strlen("[] 100%");
	}
	if (!is_known) {
		add_part(&line, phase_words(view->phase));
		return;
	}
	add_share(&line, view->pairs_done, view->pairs_total, "account-regions");
	if (view->left_s >= 0 && view->pairs_done < view->pairs_total) {
		snprintf(part, sizeof(part), "%s left",
			text_format_duration(view->left_s, duration));
		add_part(&line, part);
	}
	add_number(&line, view->certificates, "certificates");
	add_share(&line, view->accounts_done, view->accounts_total, "accounts");
	add_number(&line, view->calls, "calls");
	if (view->throttles > 0)
		add_number(&line, view->throttles, "throttles");
}
