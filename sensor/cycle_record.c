#include "sensor/cycle_record.h"

#include "base/buf.h"
#include "base/text.h"
#include "orgscope/scope.h"
#include "sensor/progress.h"
#include "sensor/tally.h"
#include "store/accounts.h"
#include "store/events.h"

/* The record so far, or an empty one. Its texts point into the store or are static. */
static struct cycle_record record_of(struct store_txn *txn, const char *connector)
{
	struct cycle_record record;
	if (!store_cycle_get(txn, connector, &record))
		record = (struct cycle_record){.hub_account_id = "",
			.hub_arn = "",
			.partition = "",
			.organization_id = "",
			.error = ""};
	record.connector = connector;
	return record;
}

static void append_event(struct store_txn *txn, const struct progress *progress, int64_t at_s,
	enum event_kind kind, const char *detail)
{
	store_event_append(txn, &(struct event_record){.at_s = at_s,
					.kind = kind,
					.connector = progress->connector,
					.account_id = "",
					.region = "",
					.arn = "",
					.subject = "",
					.detail = detail});
}

void cycle_record_begin(struct store_txn *txn, const struct progress *progress, int64_t started_s,
	int64_t next_s, bool is_continued)
{
	struct cycle_record record = record_of(txn, progress->connector);
	record.started_s = started_s;
	record.finished_s = 0;
	record.next_s = next_s;
	store_cycle_put(txn, &record);
	append_event(txn, progress, progress->started_s, EVENT_CYCLE_STARTED,
		is_continued ? "continued after a restart"
			     : (progress->kind == PROGRESS_ASKED ? "by hand" : "by schedule"));
}

void cycle_record_identity(struct store_txn *txn, const char *connector, const struct scope *scope)
{
	struct cycle_record record = record_of(txn, connector);
	record.hub_account_id = scope->hub_account_id;
	record.hub_arn = scope->hub_arn;
	record.partition = scope->partition;
	record.organization_id = scope->organization_id;
	store_cycle_put(txn, &record);
}

static void put_counts(struct cycle_record *record, const struct progress *progress,
	const struct tally *tally, bool is_full)
{
	if (tally != NULL) {
		record->pairs = (uint32_t)tally->pairs;
		record->pairs_ok = (uint32_t)tally->state[COVERAGE_OK];
		record->pairs_problem = (uint32_t)tally->problems;
		record->certificates = tally->certificates;
	}
	if (is_full) {
		record->accounts = (uint32_t)progress->accounts_total;
		record->calls = progress->calls;
		record->throttles = progress->throttles;
	}
}

static void append_end(
	struct store_txn *txn, const struct progress *progress, const struct tally *tally)
{
	char took[TEXT_DURATION_MAX];
	struct buf detail;
	buf_init(&detail, 1024);
	buf_addf(&detail,
		"%lld accounts, %lld account-regions read, %lld not read, %lld certificates, %lld "
		"calls, %s",
		(long long)progress->accounts_total,
		tally != NULL ? (long long)tally->state[COVERAGE_OK] : 0LL,
		tally != NULL ? (long long)tally->problems : 0LL,
		tally != NULL ? (long long)tally->certificates : 0LL, (long long)progress->calls,
		text_format_duration(progress->finished_s - progress->started_s, took));
	append_event(txn, progress, progress->finished_s, EVENT_CYCLE_FINISHED, buf_text(&detail));
	buf_clear(&detail);
}

void cycle_record_end(struct store_txn *txn, const struct cycle_end *end)
{
	const struct progress *progress = end->progress;
	bool has_failed = progress->result == PROGRESS_FAILED;
	struct cycle_record record = record_of(txn, progress->connector);
	put_counts(&record, progress, end->tally, end->is_full);
	if (end->is_full) {
		record.finished_s = progress->finished_s;
		record.next_s = end->next_s;
		record.error = has_failed ? progress->err.text : "";
	}
	if (progress->result == PROGRESS_COMPLETE && end->is_full)
		record.last_complete_s = progress->finished_s;
	store_cycle_put(txn, &record);
	if (has_failed && progress->kind != PROGRESS_CATCH_UP)
		append_event(txn, progress, progress->finished_s, EVENT_CYCLE_FAILED,
			progress->err.text);
	else if (end->is_full)
		append_end(txn, progress, end->tally);
}
