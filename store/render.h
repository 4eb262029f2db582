/*
 * The one JSON form of every record, served by the daemon and printed by the CLI with --offline.
 * Member names are fixed by design (snake_case, RFC 3339 UTC times, tags as an object).
 */
#ifndef STORE_RENDER_H
#define STORE_RENDER_H

#include "base/json_write.h"
#include "store/accounts.h"
#include "store/alerts.h"
#include "store/cert_query.h"
#include "store/coverage.h"
#include "store/events.h"

/* Whole days until the end, rounded down: -1 as soon as it is over. */
int64_t render_days_left(int64_t end_s, int64_t now_s);

/* account_name and unit_path are looked up in txn. now_s decides `expired` and `days_left`. */
void render_certificate(struct json_writer *writer, struct store_txn *txn,
	const struct cert_record *record, int64_t now_s);
/* As above plus history, chain (subject, issuer, not_after, fingerprint of each) and, on
 * request, pem and chain_pem. */
void render_certificate_full(struct json_writer *writer, struct store_txn *txn,
	const struct cert_record *record, int64_t now_s, bool has_pem);
/* With counts of certificates and of regions by coverage state. */
void render_account(
	struct json_writer *writer, struct store_txn *txn, const struct account_record *record);
void render_unit(struct json_writer *writer, const struct unit_record *record);
void render_coverage(
	struct json_writer *writer, struct store_txn *txn, const struct coverage_record *record);
void render_event(struct json_writer *writer, const struct event_record *record);
void render_cycle(struct json_writer *writer, const struct cycle_record *record);
/* now_s decides "days_left". */
void render_alert(struct json_writer *writer, const struct alert_record *record, int64_t now_s);
void render_counts(struct json_writer *writer, const struct cert_counts *counts);

#endif
