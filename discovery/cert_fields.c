/* The table of members, and what follows from it: see cert_fields.h. */
#include "discovery/cert_fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The kind follows from the member's type, so that the table cannot disagree with the struct. */
#define KIND_OF(member)                                                                            \
	_Generic(((struct cert_record *)0)->member,                                                \
		const char *: CERT_FIELD_TEXT,                                                     \
		struct pack: CERT_FIELD_LIST,                                                      \
		int64_t: CERT_FIELD_TIME,                                                          \
		bool: CERT_FIELD_BOOL,                                                             \
		unsigned char *: CERT_FIELD_BYTES)
#define FIELD_AS(member, name, use, kind)                                                          \
	{                                                                                          \
		name, kind, CERT_FIELD_##use, offsetof(struct cert_record, member),                \
			sizeof(((struct cert_record *)0)->member)                                  \
	}
#define FIELD(member, name, use) FIELD_AS(member, name, use, KIND_OF(member))

const struct cert_field cert_fields[] = {
	FIELD(serial, "serial", TOLD),
	FIELD(not_before_s, "not_before", TOLD),
	FIELD(not_after_s, "not_after", TOLD),
	FIELD(status, "status", TOLD),
	FIELD(failure_reason, "failure_reason", TOLD),
	FIELD(revocation_reason, "revocation_reason", TOLD),
	FIELD(renewal_status, "renewal_status", TOLD),
	FIELD(renewal_reason, "renewal_reason", TOLD),
	FIELD(renewal_eligibility, "renewal_eligibility", TOLD),
	FIELD(domain_name, "domain_name", TOLD),
	FIELD(sans, "subject_alternative_names", TOLD),
	FIELD(in_use, "in_use", TOLD),
	FIELD(in_use_by, "in_use_by", TOLD),
	FIELD_AS(tags, "tags", TOLD, CERT_FIELD_PAIRS),
	FIELD(type, "type", TOLD),
	FIELD(key_algorithm, "key_algorithm", TOLD),
	FIELD(signature_algorithm, "signature_algorithm", TOLD),
	FIELD(key_usages, "key_usages", TOLD),
	FIELD(ext_key_usages, "extended_key_usages", TOLD),
	FIELD(issuer, "issuer", TOLD),
	FIELD(subject, "subject", TOLD),
	FIELD(exported, "exported", TOLD),
	FIELD(export_option, "export_option", TOLD),
	FIELD(managed_by, "managed_by", TOLD),
	FIELD(validation_method, "validation_method", TOLD),
	FIELD(key_pair_origin, "key_pair_origin", TOLD),
	FIELD(certificate_authority_arn, "certificate_authority_arn", TOLD),
	FIELD(revoked_s, "revoked_at", TOLD),
	FIELD_AS(fingerprint_sha256, "fingerprint_sha256", TOLD, CERT_FIELD_HASH),
	FIELD_AS(chain_sha256, "chain", TOLD, CERT_FIELD_CHAIN),
	FIELD(has_pem, "has_pem", SILENT),
	FIELD_AS(spki_sha256, "spki_sha256", SILENT, CERT_FIELD_HASH),
	FIELD(created_s, "created_at", SILENT),
	FIELD(issued_s, "issued_at", SILENT),
	FIELD(imported_s, "imported_at", SILENT),
	FIELD(renewal_updated_s, "renewal_updated_at", SILENT),
	FIELD(gone_s, "gone", SILENT),
	FIELD(detail_error, "detail_error", SILENT),
	FIELD(connector, "connector", SILENT),
	FIELD(account_id, "account_id", SILENT),
	FIELD(region, "region", SILENT),
	FIELD(summary_digest, "summary_digest", SILENT),
	FIELD(arn, "arn", OWN),
	FIELD(first_seen_s, "first_seen", OWN),
	FIELD(detailed_s, "detailed", OWN),
};
const size_t cert_field_count = sizeof(cert_fields) / sizeof(cert_fields[0]);

static void *member_of(struct cert_record *record, const struct cert_field *field)
{
	return (char *)record + field->offset;
}

struct cert_record cert_record_empty(void)
{
	struct cert_record record = {.arn = NULL};
	for (size_t i = 0; i < cert_field_count; i++) {
		if (cert_fields[i].kind == CERT_FIELD_TEXT)
			*(const char **)member_of(&record, &cert_fields[i]) = "";
	}
	return record;
}

/* What the member points to: *ret_len bytes; none for members that are values. */
static const char *pointee(
	struct cert_record *record, const struct cert_field *field, size_t *ret_len)
{
	if (field->kind == CERT_FIELD_TEXT) {
		const char *text = *(const char **)member_of(record, field);
		*ret_len = strlen(text) + 1;
		return text;
	}
	if (field->kind == CERT_FIELD_LIST || field->kind == CERT_FIELD_PAIRS) {
		const struct pack *pack = member_of(record, field);
		*ret_len = pack->len;
		return pack->bytes;
	}
	*ret_len = 0;
	return NULL;
}

static void point_to(struct cert_record *record, const struct cert_field *field, const char *bytes)
{
	if (field->kind == CERT_FIELD_TEXT)
		*(const char **)member_of(record, field) = bytes;
	else
		((struct pack *)member_of(record, field))->bytes = bytes;
}

void cert_copy_make(const struct cert_record *record, struct cert_copy *ret_copy)
{
	struct cert_copy copy = {.record = *record};
	size_t len, total = 0;
	for (size_t i = 0; i < cert_field_count; i++) {
		(void)pointee(
			&copy.record, &cert_fields[i], &len); /* only the length counts here */
		total += len;
	}
	copy.memory = xmalloc(total);
	char *at = copy.memory;
	for (size_t i = 0; i < cert_field_count; i++) {
		const char *bytes = pointee(&copy.record, &cert_fields[i], &len);
		if (bytes == NULL)
			continue;
		point_to(&copy.record, &cert_fields[i], len > 0 ? memcpy(at, bytes, len) : NULL);
		at += len;
	}
	*ret_copy = copy;
}

void cert_copy_clear(struct cert_copy *copy)
{
	free(copy->memory);
	*copy = (struct cert_copy){.memory = NULL};
}
