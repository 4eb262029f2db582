#include "sensor/doing.h"

#include <stdbool.h>

#include "base/buf.h"
#include "base/text.h"
#include "sensor/progress.h"

static void add_phase(const struct progress *progress, struct buf *to)
{
	switch (progress->phase) {
	case PROGRESS_QUEUED:
	case PROGRESS_ORGANIZATION:
		buf_add_text(to, "reading the organization");
		return;
	case PROGRESS_ACCOUNTS:
		buf_add_text(to, "storing the accounts");
		return;
	case PROGRESS_SCAN:
		buf_addf(to, "%lld of %lld account-regions", (long long)progress->pairs_done,
			(long long)progress_pairs_total(progress));
		if (progress->pairs_problem > 0)
			buf_addf(to, " (%lld not read)", (long long)progress->pairs_problem);
		return;
	case PROGRESS_FINISHING:
	case PROGRESS_DONE:
		buf_add_text(to, "finishing");
		return;
	}
}

static const char *kind_words(enum progress_kind kind)
{
	static const char *const words[] = {"cycle", "trying again what failed", "scan by hand"};
	return words[kind];
}

static const struct doing_connector *find_next(
	const struct doing_connector *connector, size_t count)
{
	const struct doing_connector *next = &connector[0];
	for (size_t i = 1; i < count; i++)
		if (connector[i].next_s < next->next_s)
			next = &connector[i];
	return next;
}

static void add_idle(
	const struct doing_connector *connector, size_t count, int64_t now_s, struct buf *to)
{
	char time[TEXT_TIME_MAX];
	if (count == 0) {
		buf_add_text(to, "no connector is configured");
		return;
	}
	const struct doing_connector *next = find_next(connector, count);
	if (next->next_s <= now_s)
		buf_addf(to, "idle; next cycle of %s at once", next->name);
	else
		buf_addf(to, "idle; next cycle of %s at %s", next->name,
			text_format_time(next->next_s, time));
}

void doing_line(const struct doing_connector *connector, size_t count, size_t deliveries,
	int64_t now_s, struct buf *to)
{
	bool is_first = true;
	for (size_t i = 0; i < count; i++) {
		const struct progress *running = connector[i].running;
		if (running == NULL)
			continue;
		buf_addf(to, "%s%s: %s, ", is_first ? "" : "; ", connector[i].name,
			kind_words(running->kind));
		add_phase(running, to);
		is_first = false;
	}
	if (is_first)
		add_idle(connector, count, now_s, to);
	if (deliveries > 0)
		buf_addf(to, "; %zu %s", deliveries, deliveries == 1 ? "delivery" : "deliveries");
}
