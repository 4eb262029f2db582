/*
 * Records as JSON. Member names are the product's interface (design.md section 6): add, never
 * rename. Texts that are not known are null, so that "" never has to be told from "absent".
 */
#include "store/render.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/x509.h"

enum { DAY_S = 86400 };

static void member_text_or_null(struct json_writer *writer, const char *key, const char *text)
{
	json_member_text(writer, key, text[0] != '\0' ? text : NULL);
}

static void member_hex(struct json_writer *writer, const char *key, const unsigned char *sha256)
{
	static const unsigned char none[CERT_SHA256_LEN];
	char hex[2 * CERT_SHA256_LEN + 1];
	text_hex(sha256, CERT_SHA256_LEN, hex);
	json_member_text(writer, key, memcmp(sha256, none, sizeof(none)) != 0 ? hex : NULL);
}

static void member_pack(struct json_writer *writer, const char *key, const struct pack *pack)
{
	json_key(writer, key);
	json_open_array(writer);
	for (const char *text = pack_first(pack); text != NULL; text = pack_next(pack, text))
		json_text(writer, text);
	json_close_array(writer);
}

static void member_tags(struct json_writer *writer, const struct pack *tags)
{
	json_key(writer, "tags");
	json_open_object(writer);
	for (const char *key = NULL, *value = NULL; pack_next_pair(tags, &key, &value);)
		json_member_text(writer, key, value);
	json_close_object(writer);
}

static void certificate_place(
	struct json_writer *writer, struct store_txn *txn, const struct cert_record *record)
{
	struct account_record account;
	bool is_known = store_account_get(txn, record->connector, record->account_id, &account);
	json_member_text(writer, "arn", record->arn);
	json_member_text(writer, "account_id", record->account_id);
	member_text_or_null(writer, "account_name", is_known ? account.name : "");
	member_text_or_null(writer, "unit_path", is_known ? account.unit_path : "");
	json_member_text(writer, "region", record->region);
	json_member_text(writer, "connector", record->connector);
}

int64_t render_days_left(int64_t end_s, int64_t now_s)
{
	int64_t left_s = end_s - now_s;
	return left_s >= 0 ? left_s / DAY_S : -((-left_s + DAY_S - 1) / DAY_S);
}

static void certificate_x509(
	struct json_writer *writer, const struct cert_record *record, int64_t now_s)
{
	member_text_or_null(writer, "domain_name", record->domain_name);
	member_pack(writer, "subject_alternative_names", &record->sans);
	member_text_or_null(writer, "serial", record->serial);
	member_hex(writer, "fingerprint_sha256", record->fingerprint_sha256);
	json_member_time(writer, "not_before", record->not_before_s);
	json_member_time(writer, "not_after", record->not_after_s);
	json_key(writer, "days_left");
	if (record->not_after_s != 0)
		json_int(writer, render_days_left(record->not_after_s, now_s));
	else
		json_write_null(writer);
	json_member_bool(
		writer, "expired", record->not_after_s != 0 && record->not_after_s <= now_s);
	member_text_or_null(writer, "issuer", record->issuer);
	member_text_or_null(writer, "subject", record->subject);
	member_text_or_null(writer, "key_algorithm", record->key_algorithm);
	member_text_or_null(writer, "signature_algorithm", record->signature_algorithm);
	member_pack(writer, "key_usages", &record->key_usages);
	member_pack(writer, "extended_key_usages", &record->ext_key_usages);
}

static void certificate_acm(struct json_writer *writer, const struct cert_record *record)
{
	json_member_text(writer, "status", record->status);
	member_text_or_null(writer, "failure_reason", record->failure_reason);
	member_text_or_null(writer, "revocation_reason", record->revocation_reason);
	json_member_text(writer, "type", record->type);
	json_member_bool(writer, "in_use", record->in_use);
	member_pack(writer, "in_use_by", &record->in_use_by);
	member_text_or_null(writer, "renewal_eligibility", record->renewal_eligibility);
	member_text_or_null(writer, "renewal_status", record->renewal_status);
	member_text_or_null(writer, "renewal_reason", record->renewal_reason);
	json_member_bool(writer, "exported", record->exported);
	member_text_or_null(writer, "export_option", record->export_option);
	member_text_or_null(writer, "managed_by", record->managed_by);
	member_text_or_null(writer, "key_pair_origin", record->key_pair_origin);
	member_text_or_null(writer, "validation_method", record->validation_method);
	member_text_or_null(writer, "certificate_authority_arn", record->certificate_authority_arn);
	json_member_time(writer, "created_at", record->created_s);
	json_member_time(writer, "issued_at", record->issued_s);
	json_member_time(writer, "imported_at", record->imported_s);
	json_member_time(writer, "revoked_at", record->revoked_s);
	member_tags(writer, &record->tags);
}

/* An unchanged region writes nothing per certificate: what is not gone was last seen when its
 * account-region was last read to the end. */
static void certificate_seen(
	struct json_writer *writer, struct store_txn *txn, const struct cert_record *record)
{
	struct coverage_record coverage;
	int64_t last_seen_s = record->detailed_s;
	if (record->gone_s == 0 && store_coverage_get(txn, record->connector, record->account_id,
					   record->region, &coverage))
		last_seen_s = coverage.last_success_s;
	json_member_time(writer, "first_seen", record->first_seen_s);
	json_member_time(writer, "last_seen", last_seen_s);
	json_member_time(writer, "detailed_at", record->detailed_s);
	member_text_or_null(writer, "detail_error", record->detail_error);
	json_member_bool(writer, "gone", record->gone_s != 0);
	json_member_time(writer, "gone_since", record->gone_s);
}

static void certificate_members(struct json_writer *writer, struct store_txn *txn,
	const struct cert_record *record, int64_t now_s)
{
	certificate_place(writer, txn, record);
	certificate_x509(writer, record, now_s);
	certificate_acm(writer, record);
	certificate_seen(writer, txn, record);
}

void render_certificate(struct json_writer *writer, struct store_txn *txn,
	const struct cert_record *record, int64_t now_s)
{
	json_open_object(writer);
	certificate_members(writer, txn, record, now_s);
	json_close_object(writer);
}

static void member_history(struct json_writer *writer, struct store_txn *txn, const char *arn)
{
	json_key(writer, "history");
	json_open_array(writer);
	struct cert_history history;
	for (uint32_t position = 0; store_history_next(txn, arn, &position, &history);) {
		json_open_object(writer);
		json_member_text(writer, "serial", history.serial);
		member_hex(writer, "fingerprint_sha256", history.fingerprint_sha256);
		json_member_time(writer, "not_before", history.not_before_s);
		json_member_time(writer, "not_after", history.not_after_s);
		json_member_time(writer, "first_seen", history.first_seen_s);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void chain_certificate(
	struct json_writer *writer, const unsigned char *sha256, const void *der, size_t len)
{
	struct x509_facts facts = {.san = NULL};
	struct err err = ERR_INIT;
	json_open_object(writer);
	member_hex(writer, "fingerprint_sha256", sha256);
	if (x509_facts_from_der(der, len, &facts, &err) == 0) {
		json_member_text(writer, "subject", facts.subject);
		json_member_text(writer, "issuer", facts.issuer);
		json_member_time(writer, "not_after", facts.not_after_s);
		json_member_text(writer, "key_algorithm", facts.key_algorithm);
	} else {
		json_member_text(writer, "error", err.text);
	}
	x509_facts_clear(&facts);
	json_close_object(writer);
}

static void member_chain(
	struct json_writer *writer, struct store_txn *txn, const struct cert_record *record)
{
	json_key(writer, "chain");
	json_open_array(writer);
	for (uint32_t i = 0; i < record->chain_count; i++) {
		const void *der;
		size_t len;
		if (store_pem_get(txn, record->chain_sha256[i], &der, &len))
			chain_certificate(writer, record->chain_sha256[i], der, len);
	}
	json_close_array(writer);
}

static void member_pem(
	struct json_writer *writer, struct store_txn *txn, const struct cert_record *record)
{
	struct buf pem;
	buf_init(&pem, X509_PEM_MAX);
	const void *der;
	size_t len;
	if (record->has_pem && store_pem_get(txn, record->fingerprint_sha256, &der, &len))
		x509_pem_add(&pem, der, len);
	member_text_or_null(writer, "pem", buf_text(&pem));
	buf_reset(&pem);
	for (uint32_t i = 0; i < record->chain_count; i++)
		if (store_pem_get(txn, record->chain_sha256[i], &der, &len))
			x509_pem_add(&pem, der, len);
	member_text_or_null(writer, "chain_pem", buf_text(&pem));
	buf_clear(&pem);
}

void render_certificate_full(struct json_writer *writer, struct store_txn *txn,
	const struct cert_record *record, int64_t now_s, bool has_pem)
{
	json_open_object(writer);
	certificate_members(writer, txn, record, now_s);
	member_history(writer, txn, record->arn);
	member_chain(writer, txn, record);
	if (has_pem)
		member_pem(writer, txn, record);
	json_close_object(writer);
}

/* "coverage": {"ok": 15, "denied": 2}, only states that occur; and the certificates of the ok ones. */
static void account_counts(
	struct json_writer *writer, struct store_txn *txn, const struct account_record *record)
{
	int64_t count[COVERAGE_STATES] = {0};
	int64_t certificates = 0, last_success_s = 0;
	char position[COVERAGE_POSITION_MAX] = "";
	struct coverage_record coverage;
	while (store_coverage_next(
		txn, record->connector, record->account_id, position, &coverage)) {
		count[coverage.state]++;
		certificates += coverage.certificate_count;
		if (coverage.last_success_s > last_success_s)
			last_success_s = coverage.last_success_s;
	}
	json_member_int(writer, "certificates", certificates);
	json_member_time(writer, "last_success", last_success_s);
	json_key(writer, "coverage");
	json_open_object(writer);
	for (int state = 0; state < COVERAGE_STATES; state++)
		if (count[state] != 0)
			json_member_int(writer, coverage_state_name((enum coverage_state)state),
				count[state]);
	json_close_object(writer);
}

void render_account(
	struct json_writer *writer, struct store_txn *txn, const struct account_record *record)
{
	json_open_object(writer);
	json_member_text(writer, "connector", record->connector);
	json_member_text(writer, "account_id", record->account_id);
	member_text_or_null(writer, "name", record->name);
	member_text_or_null(writer, "email", record->email);
	member_text_or_null(writer, "state", record->state);
	member_text_or_null(writer, "unit_id", record->unit_id);
	member_text_or_null(writer, "unit_path", record->unit_path);
	json_member_bool(writer, "is_management", record->is_management);
	json_member_time(writer, "first_seen", record->first_seen_s);
	json_member_time(writer, "last_seen", record->last_seen_s);
	account_counts(writer, txn, record);
	json_close_object(writer);
}

void render_unit(struct json_writer *writer, const struct unit_record *record)
{
	json_open_object(writer);
	json_member_text(writer, "connector", record->connector);
	json_member_text(writer, "unit_id", record->unit_id);
	member_text_or_null(writer, "parent_id", record->parent_id);
	json_member_text(writer, "name", record->name);
	json_close_object(writer);
}

void render_coverage(
	struct json_writer *writer, struct store_txn *txn, const struct coverage_record *record)
{
	struct account_record account;
	bool is_known = store_account_get(txn, record->connector, record->account_id, &account);
	json_open_object(writer);
	json_member_text(writer, "connector", record->connector);
	json_member_text(writer, "account_id", record->account_id);
	member_text_or_null(writer, "account_name", is_known ? account.name : "");
	member_text_or_null(writer, "unit_path", is_known ? account.unit_path : "");
	json_member_text(writer, "region", record->region);
	json_member_text(writer, "state", coverage_state_name(record->state));
	json_member_bool(writer, "is_problem", coverage_is_problem(record->state));
	member_text_or_null(writer, "code", record->code);
	member_text_or_null(writer, "reason", record->reason);
	json_member_int(writer, "certificates", record->certificate_count);
	json_member_time(writer, "state_since", record->state_since_s);
	json_member_time(writer, "last_attempt", record->last_attempt_s);
	json_member_time(writer, "last_success", record->last_success_s);
	json_member_time(
		writer, "next_try", coverage_changed_s(record) != 0 ? 0 : record->next_try_s);
	json_member_int(writer, "failures_in_row", record->failures_in_row);
	json_close_object(writer);
}

void render_event(struct json_writer *writer, const struct event_record *record)
{
	json_open_object(writer);
	json_member_int(writer, "sequence", (int64_t)record->sequence);
	json_member_time(writer, "at", record->at_s);
	json_member_text(writer, "kind", event_kind_name(record->kind));
	member_text_or_null(writer, "connector", record->connector);
	member_text_or_null(writer, "account_id", record->account_id);
	member_text_or_null(writer, "region", record->region);
	member_text_or_null(writer, "arn", record->arn);
	member_text_or_null(writer, "subject", record->subject);
	member_text_or_null(writer, "detail", record->detail);
	member_hex(writer, "hash", record->hash);
	json_close_object(writer);
}

void render_cycle(struct json_writer *writer, const struct cycle_record *record)
{
	json_open_object(writer);
	json_member_text(writer, "connector", record->connector);
	member_text_or_null(writer, "hub_account_id", record->hub_account_id);
	member_text_or_null(writer, "hub_arn", record->hub_arn);
	member_text_or_null(writer, "partition", record->partition);
	member_text_or_null(writer, "organization_id", record->organization_id);
	json_member_time(writer, "started", record->started_s);
	json_member_time(writer, "finished", record->finished_s);
	json_member_time(writer, "next", record->next_s);
	json_member_time(writer, "last_complete", record->last_complete_s);
	member_text_or_null(writer, "error", record->error);
	json_member_int(writer, "accounts", record->accounts);
	json_member_int(writer, "account_regions", record->pairs);
	json_member_int(writer, "account_regions_ok", record->pairs_ok);
	json_member_int(writer, "account_regions_problem", record->pairs_problem);
	json_member_int(writer, "certificates", record->certificates);
	json_member_int(writer, "calls", record->calls);
	json_member_int(writer, "throttles", record->throttles);
	json_close_object(writer);
}

void render_alert(struct json_writer *writer, const struct alert_record *record, int64_t now_s)
{
	bool is_cert = record->kind == ALERT_CERTIFICATE;
	json_open_object(writer);
	json_member_text(writer, "id", record->id);
	json_member_text(writer, "kind", alert_kind_name(record->kind));
	json_member_text(writer, "class", alert_class_name(record->class));
	json_member_text(writer, "state",
		record->resolved_s != 0	      ? "resolved"
		: record->acknowledged_s != 0 ? "acknowledged"
					      : "open");
	json_member_text(writer, "subject", record->subject);
	json_member_text(writer, "text", record->text);
	json_key(writer, "threshold_days");
	if (record->days != ALERT_NO_DAYS)
		json_int(writer, record->days);
	else
		json_write_null(writer);
	json_member_time(writer, "ends", record->ends_s);
	json_key(writer, "days_left");
	if (record->ends_s != 0)
		json_int(writer, render_days_left(record->ends_s, now_s));
	else
		json_write_null(writer);
	member_text_or_null(writer, "domain_name", record->name);
	member_text_or_null(writer, "arn", is_cert ? record->subject : "");
	member_text_or_null(writer, "connector", record->connector);
	member_text_or_null(writer, "account_id", record->account_id);
	member_text_or_null(writer, "region", record->region);
	json_member_time(writer, "raised", record->raised_s);
	json_member_time(writer, "changed", record->changed_s);
	json_member_time(writer, "resolved", record->resolved_s);
	member_text_or_null(writer, "resolution", record->resolution);
	json_member_time(writer, "acknowledged", record->acknowledged_s);
	member_text_or_null(writer, "acknowledged_by", record->acknowledged_by);
	member_text_or_null(writer, "note", record->note);
	json_close_object(writer);
}

void render_counts(struct json_writer *writer, const struct cert_counts *counts)
{
	static const char *const within[] = {"within_7_days", "within_14_days", "within_30_days",
		"within_45_days", "within_90_days"};
	json_open_object(writer);
	json_member_int(writer, "certificates", counts->total);
	json_member_int(writer, "issued", counts->issued);
	json_member_int(writer, "expired", counts->expired);
	json_member_int(writer, "pending", counts->pending);
	json_member_int(writer, "other", counts->other);
	json_member_int(writer, "in_use", counts->in_use);
	json_member_int(writer, "imported", counts->imported);
	json_key(writer, "expires");
	json_open_object(writer);
	for (size_t i = 0; i < sizeof(within) / sizeof(within[0]); i++)
		json_member_int(writer, within[i], counts->expires_in_days[i]);
	json_close_object(writer);
	json_member_int(
		writer, "in_use_not_renewing_within_30_days", counts->in_use_not_renewing_30);
	json_member_int(writer, "detail_failed", counts->detail_failed);
	json_member_int(writer, "gone", counts->gone);
	json_close_object(writer);
}
