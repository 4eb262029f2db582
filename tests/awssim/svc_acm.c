/* ACM: permission, ARN look-up, GetCertificate, ListTagsForCertificate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/awssim/acm.h"
#include "tests/awssim/consistency.h"

bool acm_may(struct call *call, const char *action, const char *resource)
{
	const struct account *account = &call->sim->world->account[call->who->account];
	bool is_region_denied =
		call->region >= 0 && (account->scp_regions >> call->region & 1) != 0;
	if (account->scp_all || account->scp_acm || is_region_denied) {
		call_deny_scp(call, action, resource);
		return false;
	}
	if (account->acm_denied || world_denies(call->sim->world, call->who->account, action)) {
		call_deny_identity(call, action, resource);
		return false;
	}
	return true;
}

/* Cuts the text up to separator off; false when there is none. */
static bool cut(const char **at, char separator, struct slice *ret_part)
{
	const char *stop = strchr(*at, separator);
	if (stop == NULL)
		return false;
	*ret_part = (struct slice){*at, (size_t)(stop - *at)};
	*at = stop + 1;
	return true;
}

enum acm_arn acm_read_arn(const struct call *call, const char *arn, const char **ret_uuid)
{
	const struct world *world = call->sim->world;
	struct slice word, partition, service, region, account;
	const char *at = arn;
	bool is_arn = strlen(arn) >= 20 && strlen(arn) <= 2048 && cut(&at, ':', &word) &&
		      slice_is(word, "arn") && cut(&at, ':', &partition) &&
		      slice_is(partition, world->partition->id) && cut(&at, ':', &service) &&
		      slice_is(service, "acm") && cut(&at, ':', &region) &&
		      cut(&at, ':', &account) && strncmp(at, "certificate/", 12) == 0;
	if (!is_arn)
		return ACM_ARN_BAD;
	*ret_uuid = at + 12;
	bool is_own = slice_is(region, call->region_name) &&
		      slice_is(account, world->account[call->who->account].id);
	return is_own ? ACM_ARN_OWN : ACM_ARN_FOREIGN;
}

void acm_fail_bad_arn(struct call *call, const char *arn)
{
	call_fail(call, 400, "InvalidArnException", "arn '%.200s' is not a valid ACM ARN", arn);
}

void acm_fail_not_found(struct call *call, const char *arn)
{
	call_fail(call, 400, "ResourceNotFoundException",
		"Could not find certificate %.200s in account %s.", arn,
		call->sim->world->account[call->who->account].id);
}

/* The uuid of CertificateArn, when it is the caller's and may be used so. NULL after an error. */
static const char *read_own_arn(struct call *call, const char *action, const char **ret_arn)
{
	const char *uuid;
	if (!input_text(call, "CertificateArn", ret_arn))
		return NULL;
	if (*ret_arn == NULL) {
		acm_fail_null(call, "certificateArn");
		return NULL;
	}
	enum acm_arn kind = acm_read_arn(call, *ret_arn, &uuid);
	if (kind == ACM_ARN_BAD) {
		acm_fail_bad_arn(call, *ret_arn);
		return NULL;
	}
	if (kind == ACM_ARN_FOREIGN) {
		call_fail(call, 400, "AccessDeniedException", "%s", "");
		return NULL;
	}
	return acm_may(call, action, *ret_arn) ? uuid : NULL;
}

struct cert *acm_find(struct call *call, const char *action, struct cert_facts *ret_facts)
{
	struct world *world = call->sim->world;
	size_t account = call->who->account, region = (size_t)call->region;
	const char *arn, *uuid = read_own_arn(call, action, &arn);
	if (uuid == NULL)
		return NULL;
	struct cert *cert = cert_find(world, account, region, slice_of(uuid));
	if (cert == NULL) {
		acm_fail_not_found(call, arn);
		return NULL;
	}
	cert_describe(world, account, region, cert, call->now_s, ret_facts);
	return cert;
}

bool acm_see(struct call *call, const char *action, struct cert_facts *ret_facts)
{
	struct world *world = call->sim->world;
	size_t account = call->who->account, region = (size_t)call->region;
	int operation = (int)(call->operation - operations);
	const char *arn, *uuid = read_own_arn(call, action, &arn);
	if (uuid == NULL)
		return false;
	const struct cert *now = cert_find(world, account, region, slice_of(uuid));
	const struct cert *seen = now != NULL ? consistency_view(call->sim, now, operation)
					      : consistency_find_removed(call->sim, account, region,
							slice_of(uuid), operation);
	if (seen == NULL) {
		acm_fail_not_found(call, arn);
		return false;
	}
	cert_describe(world, account, region, seen, call->now_s, ret_facts);
	return true;
}

void acm_fail_null(struct call *call, const char *member)
{
	call_fail_common(call, ERROR_INVALID,
		"1 validation error detected: Value null at '%s' failed to satisfy constraint: Member "
		"must not be null",
		member);
}

void acm_time(
	struct out *out, const char *key, int64_t time_s, uint64_t draw, bool may_have_fraction)
{
	char digits[24];
	if (time_s == 0)
		return;
	json_key(out, key);
	uint64_t form = hash_below(draw, (uint64_t)time_s, 4);
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)time_s);
	if (form == 0)
		out_fmt(out, "%s.0", digits);
	else if (form == 1 && may_have_fraction)
		out_fmt(out, "%s.%03u", digits, (unsigned)(draw % 1000));
	else if (form == 2)
		out_fmt(out, "%c.%sE%d", digits[0], digits + 1, len - 1);
	else
		out_text(out, digits);
}

void acm_add_times(struct out *out, const struct cert_facts *facts)
{
	uint64_t draw = facts->cert->draw;
	acm_time(out, "CreatedAt", facts->created_s, draw, true);
	acm_time(out, "IssuedAt", facts->issued_s, draw, true);
	acm_time(out, "ImportedAt", facts->imported_s, draw, true);
	acm_time(out, "RevokedAt", facts->revoked_s, draw, true);
	acm_time(out, "NotBefore", facts->cert->not_before_s, draw, false);
	acm_time(out, "NotAfter", facts->cert->not_after_s, draw, false);
}

/* On demand, an import takes its time. True after that error was answered. */
static bool is_import_in_progress(struct call *call)
{
	const char *arn = json_string_value(json_object_get(call->input, "CertificateArn")), *uuid;
	if (call->sim->consistency.in_progress_ms == 0 || arn == NULL ||
		acm_read_arn(call, arn, &uuid) != ACM_ARN_OWN)
		return false;
	const struct cert *cert = cert_find(
		call->sim->world, call->who->account, (size_t)call->region, slice_of(uuid));
	if (cert == NULL || cert->more == NULL || cert->more->imports == 0 ||
		sim_mono_ms() >= cert->more->changed_ms + call->sim->consistency.in_progress_ms)
		return false;
	call_fail(
		call, 400, "RequestInProgressException", "Certificate %s is being imported.", arn);
	return true;
}

void acm_get_certificate(struct call *call)
{
	struct cert_facts facts;
	if (is_import_in_progress(call) || !acm_see(call, "acm:GetCertificate", &facts))
		return;
	if (facts.kind->get_fails) {
		call_fail_common(call, ERROR_INVALID, "Certificate %s is damaged.", facts.arn);
		return;
	}
	if (facts.status == PENDING_VALIDATION) {
		call_fail(call, 400, "RequestInProgressException",
			"Certificate %s is being issued.", facts.arn);
		return;
	}
	if (!facts.has_pem) {
		call_fail(call, 400, "ResourceNotFoundException",
			"The certificate %s was not issued: its status is %s.", facts.arn,
			cert_status_name[facts.status]);
		return;
	}
	struct out der = {0}, *body = &call->reply->body;
	out_reserve(body, 16384);
	cert_der((struct cert *)(uintptr_t)facts.cert, &facts, &der); /* only keeps a signature */
	out_text(body, "{\"Certificate\":\"");
	pem_add(body, (const unsigned char *)der.data, der.len, "\\n");
	out_char(body, '"');
	if (facts.held != NULL && facts.held->chain_pem.len > 0)
		json_member(body, "CertificateChain", facts.held->chain_pem.data);
	if (facts.issuer != NULL) {
		out_text(body, ",\"CertificateChain\":\"");
		out_bytes(body, facts.issuer->chain_json.data, facts.issuer->chain_json.len);
		out_char(body, '"');
	}
	add_unknown_member(call, body, facts.cert->draw);
	out_char(body, '}');
	out_clear(&der);
}

void acm_list_tags_for_certificate(struct call *call)
{
	struct cert_facts facts;
	if (!acm_see(call, "acm:ListTagsForCertificate", &facts))
		return;
	struct out *body = &call->reply->body;
	json_open(body, '{');
	json_key(body, "Tags");
	json_open(body, '[');
	for (size_t i = 0; i < facts.tag_count; i++) {
		json_open(body, '{');
		json_member(body, "Key", facts.tag[i].key);
		/* A tag may come without a value. */
		if (facts.tag[i].value[0] != '\0' || facts.cert->draw % 2 == 0)
			json_member(body, "Value", facts.tag[i].value);
		json_close(body, '}');
	}
	json_close(body, ']');
	json_close(body, '}');
}
