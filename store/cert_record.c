/* The formats of a certificate and of its history. Order of fields = order of bytes. */
#include <string.h>

#include "store/cert_internal.h"
#include "store/record_internal.h"

#define CERT(member)	RECORD_FIELD(cert_record, member)
#define HISTORY(member) RECORD_FIELD(cert_history, member)

static const struct record_field cert_fields[] = {
	CERT(created_s),
	CERT(issued_s),
	CERT(imported_s),
	CERT(revoked_s),
	CERT(not_before_s),
	CERT(not_after_s),
	CERT(renewal_updated_s),
	CERT(first_seen_s),
	CERT(detailed_s),
	CERT(gone_s),
	CERT(in_use),
	CERT(exported),
	CERT(has_pem),
	CERT(fingerprint_sha256),
	CERT(spki_sha256),
	RECORD_HASH_LIST(cert_record, chain_sha256, chain_count),
	CERT(summary_digest),
	CERT(arn),
	CERT(connector),
	CERT(account_id),
	CERT(region),
	CERT(domain_name),
	CERT(serial),
	CERT(subject),
	CERT(issuer),
	CERT(key_algorithm),
	CERT(signature_algorithm),
	CERT(status),
	CERT(type),
	CERT(failure_reason),
	CERT(revocation_reason),
	CERT(renewal_eligibility),
	CERT(renewal_status),
	CERT(renewal_reason),
	CERT(export_option),
	CERT(managed_by),
	CERT(key_pair_origin),
	CERT(validation_method),
	CERT(certificate_authority_arn),
	CERT(detail_error),
	CERT(sans),
	CERT(in_use_by),
	CERT(key_usages),
	CERT(ext_key_usages),
	CERT(tags),
};
const struct record_format cert_format = RECORD_FORMAT("certificate", 1, cert_fields);

static const struct record_field history_fields[] = {
	HISTORY(serial),
	HISTORY(fingerprint_sha256),
	HISTORY(not_before_s),
	HISTORY(not_after_s),
	HISTORY(first_seen_s),
};
const struct record_format cert_history_format = RECORD_FORMAT("history", 1, history_fields);

bool cert_arn_is_of_place(const struct cert_record *record)
{
	const char *arn = record->arn;
	const char *partition = strncmp(arn, "arn:", 4) == 0 ? arn + 4 : NULL;
	const char *end = partition != NULL ? strchr(partition, ':') : NULL;
	if (end == NULL || end == partition || strncmp(end, ":acm:", 5) != 0)
		return false;
	const char *at = end + 5;
	size_t region_len = strlen(record->region), account_len = strlen(record->account_id);
	return strncmp(at, record->region, region_len) == 0 && at[region_len] == ':' &&
	       strncmp(at + region_len + 1, record->account_id, account_len) == 0 &&
	       at[region_len + 1 + account_len] == ':';
}

const char *cert_flaw(struct slice key, const struct cert_record *record)
{
	if (strlen(record->arn) != key.len || memcmp(record->arn, key.bytes, key.len) != 0)
		return "holds another ARN";
	if (key.len > CERT_ARN_MAX || !cert_arn_is_of_place(record))
		return "not the ARN of its region and account";
	return record->tags.count % 2 != 0 ? "a tag has no value" : NULL;
}

bool cert_decode(
	struct store_txn *txn, struct slice key, struct slice value, struct cert_record *ret_record)
{
	struct cert_record record;
	if (!entry_decode(txn, TABLE_CERTS, key, value, &cert_format, &record))
		return false;
	const char *flaw = cert_flaw(key, &record);
	if (flaw != NULL) {
		txn_fail_damaged(txn, TABLE_CERTS, key, flaw);
		return false;
	}
	*ret_record = record;
	return true;
}

unsigned char cert_flags(const struct cert_record *record)
{
	unsigned flags = 0;
	if (record->gone_s != 0)
		flags |= CERT_FLAG_GONE;
	if (record->in_use)
		flags |= CERT_FLAG_IN_USE;
	if (strcmp(record->type, "IMPORTED") == 0)
		flags |= CERT_FLAG_IMPORTED;
	if (strcmp(record->renewal_eligibility, "ELIGIBLE") == 0)
		flags |= CERT_FLAG_RENEWING;
	if (record->detail_error[0] != '\0')
		flags |= CERT_FLAG_DETAIL_FAILED;
	if (strcmp(record->status, "ISSUED") == 0)
		flags |= CERT_FLAG_ISSUED;
	if (strcmp(record->status, "PENDING_VALIDATION") == 0)
		flags |= CERT_FLAG_PENDING;
	if (strcmp(record->status, "EXPIRED") == 0)
		flags |= CERT_FLAG_EXPIRED;
	return (unsigned char)flags;
}
