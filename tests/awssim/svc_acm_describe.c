/* ACM DescribeCertificate. */
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/acm.h"

enum { SALT_RECORD = 601, DAY_S = 86400 };

static void add_record(struct out *out, const char *name, uint64_t draw)
{
	const char *base =
		strncmp(name, "*.", 2) == 0 ? name + 2 : name; /* shared with the wildcard */
	uint64_t token = hash_bytes(base, strlen(base), draw);
	struct out text = {0};
	json_key(out, "ResourceRecord");
	json_open(out, '{');
	out_fmt(&text, "_%016llx%016llx.%s.", (unsigned long long)token,
		(unsigned long long)hash_mix(token, 1), base);
	json_member(out, "Name", text.data);
	json_member(out, "Type", "CNAME");
	text.len = 0;
	out_fmt(&text, "_%016llx%016llx.xlfgrmvvlj.acm-validations.aws.",
		(unsigned long long)hash_mix(token, 2), (unsigned long long)hash_mix(token, 3));
	json_member(out, "Value", text.data);
	json_close(out, '}');
	out_clear(&text);
}

static void add_validations(const struct call *call, struct out *out,
	const struct cert_facts *facts, const char *status)
{
	const char *account = call->sim->world->account[facts->account].id;
	/* Just requested: the record is not there yet. */
	bool has_record = facts->status != PENDING_VALIDATION || facts->cert->draw % 4 != 0;
	json_key(out, "DomainValidationOptions");
	json_open(out, '[');
	for (size_t i = 0; i < facts->dns_count; i++) {
		json_open(out, '{');
		json_member(out, "DomainName", facts->dns[i]);
		json_member(out, "ValidationDomain", facts->dns[i]);
		json_member(out, "ValidationStatus", status);
		json_member(out, "ValidationMethod", cert_validation_name[facts->kind->validation]);
		if (facts->kind->validation == VALIDATED_EMAIL) {
			json_key(out, "ValidationEmails");
			json_raw(out, "[\"admin@example.com\",\"hostmaster@example.com\"]");
		} else if (facts->kind->validation == VALIDATED_DNS && has_record) {
			add_record(out, facts->dns[i],
				hash_bytes(account, strlen(account), SALT_RECORD));
		} else if (facts->kind->validation == VALIDATED_HTTP) {
			json_key(out, "HttpRedirect");
			json_raw(out, "{\"RedirectFrom\":\"http://cdn.example/a\","
				      "\"RedirectTo\":\"https://validation.example/b\"}");
		}
		json_close(out, '}');
	}
	json_close(out, ']');
}

static const char *validation_status(const struct cert_facts *facts)
{
	if (facts->status == PENDING_VALIDATION)
		return "PENDING_VALIDATION";
	return facts->has_pem ? "SUCCESS" : "FAILED";
}

static void add_renewal(const struct call *call, struct out *out, const struct cert_facts *facts)
{
	if (facts->renewal == RENEWAL_NONE)
		return;
	static const char *const validation[] = {
		"", "PENDING_VALIDATION", "PENDING_VALIDATION", "SUCCESS", "FAILED"};
	json_key(out, "RenewalSummary");
	json_open(out, '{');
	json_member(out, "RenewalStatus", cert_renewal_name[facts->renewal]);
	if (facts->kind->type == AMAZON_ISSUED) {
		add_validations(call, out, facts, validation[facts->renewal]);
	} else {
		json_key(out, "DomainValidationOptions");
		json_raw(out, "[]");
	}
	if (facts->renewal == RENEWAL_FAILED)
		json_member(out, "RenewalStatusReason", facts->kind->failure_reason);
	acm_time(out, "UpdatedAt",
		facts->renewal == RENEWAL_SUCCESS ? facts->issued_s
						  : facts->cert->not_after_s - 45 * DAY_S,
		facts->cert->draw, true);
	json_close(out, '}');
}

/* Here the algorithm comes with a hyphen: RSA-2048, EC-prime256v1. */
static void add_key(struct out *out, const struct cert_facts *facts)
{
	char name[24];
	slice_copy(slice_of(key_type_name[facts->key_type]), name, sizeof(name));
	char *mark = strchr(name, '_');
	if (mark != NULL)
		*mark = '-';
	json_member(out, "KeyAlgorithm", name);
	json_key(out, "KeyUsages");
	json_open(out, '[');
	for (unsigned i = 0; i < KEY_USAGES; i++) {
		if ((facts->key_usage >> i & 1) == 0)
			continue;
		json_open(out, '{');
		json_member(out, "Name", key_usage_name[i]);
		json_close(out, '}');
	}
	json_close(out, ']');
	json_key(out, "ExtendedKeyUsages");
	json_open(out, '[');
	for (size_t i = 0; i < facts->ext_key_usage_count; i++) {
		json_open(out, '{');
		json_member(out, "Name", ext_key_usage_name(facts->ext_key_usage[i]));
		json_member(out, "OID", facts->ext_key_usage[i]);
		json_close(out, '}');
	}
	json_close(out, ']');
}

/* What follows from the certificate itself: only there once it was issued. */
static void add_issued(struct out *out, const struct cert_facts *facts)
{
	struct out text = {0};
	for (size_t i = 0; i < facts->serial_len; i++)
		out_fmt(&text, "%s%02x", i > 0 ? ":" : "", facts->serial[i]);
	json_member(out, "Serial", text.data);
	text.len = 0;
	if (facts->subject.common_name != NULL)
		out_fmt(&text, "CN=%s", facts->subject.common_name);
	else
		out_text(&text, facts->held->subject);
	json_member(out, "Subject", text.data);
	/* A name to show, not a distinguished name. */
	const struct dn *issuer = facts->issuer != NULL ? &facts->issuer->name : &facts->subject;
	const char *name =
		facts->kind->type == AMAZON_ISSUED ? issuer->organization : issuer->common_name;
	json_member(out, "Issuer", facts->held != NULL ? facts->held->issuer_name : name);
	json_member(out, "SignatureAlgorithm", facts->signature_name);
	out_clear(&text);
}

static void add_origin(const struct call *call, struct out *out, const struct cert_facts *facts)
{
	const struct world *world = call->sim->world;
	const char *account = world->account[facts->account].id;
	const char *region = world->region[facts->region].name, *partition = world->partition->id;
	struct out text = {0};
	if (facts->kind->type == PRIVATE_CA) {
		out_fmt(&text,
			"arn:%s:acm-pca:%s:%s:certificate-authority/%.8s-1111-2222-3333-%012u",
			partition, region, account, account, 1U);
		json_member(out, "CertificateAuthorityArn", text.data);
	}
	if (!call->sim->options.refuse_origins)
		json_member(out, "CertificateKeyPairOrigin", cert_origin_name[facts->kind->origin]);
	if (facts->kind->origin == ACME) {
		text.len = 0;
		out_fmt(&text, "arn:%s:acm:%s:%s:acme-endpoint/main", partition, region, account);
		json_member(out, "AcmeEndpointArn", text.data);
		json_member(out, "AcmeAccountId", "6f1c2c3e-0000-4000-a000-000000000001");
	}
	if (facts->kind->type != IMPORTED) {
		json_key(out, "Options");
		json_open(out, '{');
		json_member(out, "CertificateTransparencyLoggingPreference", "ENABLED");
		json_member(out, "Export", facts->kind->export_enabled ? "ENABLED" : "DISABLED");
		if (facts->kind->type == AMAZON_ISSUED)
			json_member(out, "ValidationMethod",
				cert_validation_name[facts->kind->validation]);
		json_close(out, '}');
	}
	out_clear(&text);
}

void acm_describe_certificate(struct call *call)
{
	struct cert_facts facts;
	if (!acm_see(call, "acm:DescribeCertificate", &facts))
		return;
	if (facts.kind->describe_fails) {
		call_fail_common(call, ERROR_INVALID, "Certificate %s is damaged.", facts.arn);
		return;
	}
	struct out *body = &call->reply->body;
	json_open(body, '{');
	json_key(body, "Certificate");
	json_open(body, '{');
	json_member(body, "CertificateArn", facts.arn);
	if (facts.domain != NULL)
		json_member(body, "DomainName", facts.domain);
	json_key(body, "SubjectAlternativeNames");
	json_open(body, '[');
	for (size_t i = 0; i < facts.dns_count; i++)
		json_text(body, facts.dns[i]);
	json_close(body, ']');
	if (facts.kind->by_cloudfront)
		json_member(body, "ManagedBy", "CLOUDFRONT");
	if (facts.kind->type == AMAZON_ISSUED)
		add_validations(call, body, &facts, validation_status(&facts));
	if (facts.has_pem)
		add_issued(body, &facts);
	acm_add_times(body, &facts);
	json_member(body, "Status", cert_status_name[facts.status]);
	json_member(body, "Type", cert_type_name[facts.kind->type]);
	if (facts.status == REVOKED)
		json_member(body, "RevocationReason", facts.kind->revocation_reason);
	if (facts.status == FAILED)
		json_member(body, "FailureReason", facts.kind->failure_reason);
	add_key(body, &facts);
	json_key(body, "InUseBy");
	json_open(body, '[');
	for (size_t i = 0; i < facts.used_by_count; i++)
		json_text(body, facts.used_by[i]);
	json_close(body, ']');
	add_renewal(call, body, &facts);
	json_member(body, "RenewalEligibility", facts.renewal_eligible ? "ELIGIBLE" : "INELIGIBLE");
	add_origin(call, body, &facts);
	add_unknown_member(call, body, facts.cert->draw);
	json_close(body, '}');
	json_close(body, '}');
}
