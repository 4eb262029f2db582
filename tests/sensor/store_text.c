#include "tests/sensor/store_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "discovery/cert_fields.h"
#include "store/accounts.h"
#include "store/cert_query.h"
#include "store/coverage.h"
#include "store/events.h"
#include "tests/sensor/fixture.h"

enum { LOOKED_MAX = 1000 };

static struct store_txn *begin_read(struct fixture *fixture)
{
	struct store_txn *txn = NULL;
	struct err err = ERR_INIT;
	if (store_read_begin(fixture->store, &txn, &err) != 0)
		fail_msg("%s", err.text);
	return txn;
}

static void end_read(struct store_txn *txn)
{
	struct err err = ERR_INIT;
	if (store_txn_check(txn, &err) != 0)
		fail_msg("%s", err.text);
	store_read_end(txn);
}

/* --- certificates ------------------------------------------------------------------------------ */

static void add_hex(struct buf *to, const void *bytes, size_t len)
{
	static char hex[2 * 64 + 1];
	assert_true(len <= 64);
	text_hex(bytes, len, hex);
	buf_add_text(to, hex);
}

static void add_pack(struct buf *to, const struct pack *pack)
{
	for (const char *entry = pack_first(pack); entry != NULL; entry = pack_next(pack, entry))
		buf_addf(to, "%s,", entry);
}

static void add_field(
	struct buf *to, const struct cert_record *record, const struct cert_field *field)
{
	const void *member = (const char *)record + field->offset;
	buf_addf(to, " %s=", field->name);
	switch (field->kind) {
	case CERT_FIELD_TEXT:
		buf_add_text(to, *(const char *const *)member);
		return;
	case CERT_FIELD_LIST:
	case CERT_FIELD_PAIRS:
		add_pack(to, member);
		return;
	case CERT_FIELD_TIME:
		buf_addf(to, "%lld", (long long)*(const int64_t *)member);
		return;
	case CERT_FIELD_BOOL:
		buf_add_text(to, *(const bool *)member ? "yes" : "no");
		return;
	case CERT_FIELD_HASH:
	case CERT_FIELD_BYTES:
		add_hex(to, member, field->size);
		return;
	case CERT_FIELD_CHAIN:
		for (uint32_t i = 0; i < record->chain_count; i++)
			add_hex(to, record->chain_sha256[i], CERT_SHA256_LEN);
		return;
	}
	abort();
}

static void add_certificate(struct buf *to, const struct cert_record *record)
{
	buf_addf(to, "%s gone=%s", record->arn, record->gone_s != 0 ? "yes" : "no");
	for (size_t i = 0; i < cert_field_count; i++)
		if (cert_fields[i].use != CERT_FIELD_OWN &&
			cert_fields[i].offset != offsetof(struct cert_record, gone_s))
			add_field(to, record, &cert_fields[i]);
	buf_add_text(to, "\n");
}

static void add_history(struct store_txn *txn, struct buf *to, const char *arn)
{
	struct cert_history history;
	uint32_t position = 0;
	while (store_history_next(txn, arn, &position, &history)) {
		buf_addf(to, "  serial %s from %lld to %lld ", history.serial,
			(long long)history.not_before_s, (long long)history.not_after_s);
		add_hex(to, history.fingerprint_sha256, CERT_SHA256_LEN);
		buf_add_text(to, "\n");
	}
}

static void add_certificates(struct store_txn *txn, struct buf *to)
{
	struct cert_filter filter = {.in_use = -1, .include_gone = true, .now_s = NOW_S};
	struct err err = ERR_INIT;
	struct cert_query *query = cert_query_new(&filter, CERT_SORT_ACCOUNT, &err);
	struct cert_record record;
	bool is_end = false;
	while (!is_end)
		while (cert_query_next(query, txn, LOOKED_MAX, &record, &is_end)) {
			add_certificate(to, &record);
			add_history(txn, to, record.arn);
		}
	cert_query_free(query);
}

void store_text_pair(
	struct fixture *fixture, const char *account_id, const char *region, struct buf *to)
{
	struct store_txn *txn = begin_read(fixture);
	char position[CERT_ARN_MAX + 1] = "";
	struct cert_record record;
	while (store_cert_next_in_region(txn, "aws", region, account_id, position, &record))
		buf_addf(to, "%s %s %s%s\n", strrchr(record.arn, '/') + 1, record.status,
			record.serial, record.gone_s != 0 ? " gone" : "");
	end_read(txn);
}

/* --- the rest ---------------------------------------------------------------------------------- */

static void add_coverage(struct store_txn *txn, struct buf *to)
{
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record record;
	while (store_coverage_next(txn, NULL, NULL, position, &record))
		buf_addf(to, "%s %s %s %s %s count=%lld success=%lld failures=%u\n",
			record.connector, record.account_id, record.region,
			coverage_state_name(record.state), record.reason,
			(long long)record.certificate_count, (long long)record.last_success_s,
			record.failures_in_row);
}

static void add_accounts(struct store_txn *txn, struct buf *to)
{
	char position[ACCOUNT_POSITION_MAX] = "", unit_position[ACCOUNT_POSITION_MAX] = "";
	struct account_record account;
	struct unit_record unit;
	while (store_account_next(txn, NULL, position, &account))
		buf_addf(to, "%s %s %s %s %s %s\n", account.connector, account.account_id,
			account.name, account.state, account.unit_path,
			account.is_management ? "management" : "");
	while (store_unit_next(txn, "prod", unit_position, &unit))
		buf_addf(to, "%s %s %s %s\n", unit.connector, unit.unit_id, unit.parent_id,
			unit.name);
}

void store_text_inventory(struct fixture *fixture, struct buf *to)
{
	struct store_txn *txn = begin_read(fixture);
	add_certificates(txn, to);
	add_coverage(txn, to);
	add_accounts(txn, to);
	end_read(txn);
}

/* --- events ------------------------------------------------------------------------------------ */

static bool is_coming_or_going(enum event_kind kind)
{
	return kind == EVENT_CERT_APPEARED || kind == EVENT_CERT_RENEWED ||
	       kind == EVENT_CERT_REIMPORTED || kind == EVENT_CERT_GONE ||
	       kind == EVENT_CERT_EXPIRED || kind == EVENT_CERT_RETURNED ||
	       kind == EVENT_ACCOUNT_APPEARED || kind == EVENT_ACCOUNT_GONE;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void store_text_comings(struct fixture *fixture, uint64_t after, struct buf *to)
{
	struct store_txn *txn = begin_read(fixture);
	struct event_record event;
	char **line = NULL;
	size_t count = 0, capacity = 0;
	for (uint64_t from = after + 1; store_event_get_from(txn, from, &event);
		from = event.sequence + 1) {
		if (!is_coming_or_going(event.kind))
			continue;
		line = xgrow(line, &capacity, count, sizeof(*line));
		line[count++] = xasprintf("%s %s %s %s\n", event_kind_name(event.kind),
			event.account_id, event.region, event.arn);
	}
	end_read(txn);
	if (count > 0)
		qsort(line, count, sizeof(*line), compare_texts);
	for (size_t i = 0; i < count; i++) {
		buf_add_text(to, line[i]);
		free(line[i]);
	}
	free(line);
}
