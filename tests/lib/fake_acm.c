/* See fake_acm.h. */
#include "tests/lib/fake_acm.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/x509.h"
#include "tests/lib/fake_call.h"
#include "tests/lib/read_file.h"

static void die(const char *why, const char *what)
{
	fprintf(stderr, "fake_acm: %s: %s\n", why, what);
	abort();
}

struct fake_acm_cert *fake_acm_add(struct fake_acm *acm, const char *id)
{
	if (acm->count == FAKE_ACM_CERTS_MAX)
		die("too many certificates", id);
	struct fake_acm_cert *cert = &acm->cert[acm->count++];
	*cert = (struct fake_acm_cert){.is_listed = true,
		.domain_name = "www.example.com",
		.status = "ISSUED",
		.type = "AMAZON_ISSUED",
		.pem = "rsa-2048"};
	text_copy(cert->id, sizeof(cert->id), id);
	return cert;
}

static char *arn_of(const struct fake_acm *acm, const struct fake_acm_cert *cert)
{
	return xasprintf(
		"arn:aws:acm:%s:%s:certificate/%s", acm->region, acm->account_id, cert->id);
}

static char *read_pem(const char *name)
{
	size_t len;
	return read_data("x509", name, ".pem", &len);
}

static bool has_pem(const struct fake_acm_cert *cert)
{
	return cert->pem != NULL || cert->pem_text != NULL;
}

static char *pem_of(const struct fake_acm_cert *cert)
{
	return cert->pem_text != NULL ? xstrdup(cert->pem_text) : read_pem(cert->pem);
}

static void facts_of(const struct fake_acm_cert *cert, struct x509_facts *ret_facts)
{
	struct err err = ERR_INIT;
	char *pem = pem_of(cert);
	const char *at = pem;
	unsigned char *der;
	size_t len;
	*ret_facts = (struct x509_facts){.san = NULL};
	if (x509_pem_next(&at, pem + strlen(pem), &der, &len, &err) != 1 ||
		x509_facts_from_der(der, len, ret_facts, &err) != 0)
		die(cert->id, err.text);
	free(der);
	free(pem);
}

/* AWS's way to write a serial: "0f:ac:01". */
static char *with_colons(const char *hex)
{
	char *text = xcalloc(strlen(hex) * 2 + 1, 1);
	for (size_t i = 0; hex[i] != '\0'; i++)
		snprintf(text + strlen(text), 3, i > 0 && i % 2 == 0 ? ":%c" : "%c", hex[i]);
	return text;
}

static int64_t set_validity(json_t *object, const struct fake_acm_cert *cert)
{
	int64_t not_after_s = cert->not_after_s;
	if (has_pem(cert)) {
		struct x509_facts facts;
		facts_of(cert, &facts);
		not_after_s = facts.not_after_s;
		json_object_set_new(object, "NotBefore", json_integer(facts.not_before_s));
		x509_facts_clear(&facts);
	}
	if (not_after_s != 0)
		json_object_set_new(object, "NotAfter", json_real((double)not_after_s));
	return not_after_s;
}

static json_t *summary_of(const struct fake_acm *acm, const struct fake_acm_cert *cert)
{
	char *arn = arn_of(acm, cert);
	json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s}", "CertificateArn", arn,
		"DomainName", cert->domain_name, "Status", cert->status, "Type", cert->type,
		"InUse", cert->in_use_by != NULL, "Exported", 0, "KeyAlgorithm", "RSA-2048");
	if (cert->is_acme)
		json_object_set_new(item, "CertificateKeyPairOrigin", json_string("ACME"));
	set_validity(item, cert);
	free(arn);
	return item;
}

/* The page behind the token "page-N": the N-th listed certificate comes first. */
static json_t *list(const struct fake_acm *acm, const char *token, bool has_origins)
{
	size_t first = 0, listed = 0;
	if (token != NULL && sscanf(token, "page-%zu", &first) != 1)
		die("a token that was never given", token);
	json_t *items = json_array();
	json_t *answer = json_pack("{s:o}", "CertificateSummaryList", items);
	for (size_t i = 0; i < acm->count; i++) {
		bool is_hidden = acm->cert[i].is_acme && !has_origins;
		if (!acm->cert[i].is_listed || is_hidden || listed++ < first)
			continue;
		if (acm->page_size > 0 && json_array_size(items) == acm->page_size) {
			char next[32];
			snprintf(next, sizeof(next), "page-%zu", listed - 1);
			json_object_set_new(answer, "NextToken", json_string(next));
			break;
		}
		json_array_append_new(items, summary_of(acm, &acm->cert[i]));
	}
	return answer;
}

static void set_pem_facts(json_t *detail, const struct fake_acm_cert *cert)
{
	struct x509_facts facts;
	facts_of(cert, &facts);
	char *serial = with_colons(cert->serial != NULL ? cert->serial : facts.serial);
	json_object_set_new(detail, "Serial", json_string(serial));
	json_object_set_new(detail, "Issuer", json_string("Amazon"));
	json_object_set_new(detail, "Subject", json_string(facts.subject));
	free(serial);
	x509_facts_clear(&facts);
}

static json_t *describe(const struct fake_acm *acm, const struct fake_acm_cert *cert)
{
	json_t *detail = summary_of(acm, cert);
	json_object_del(detail, "InUse");
	json_object_del(detail, "Exported");
	if (cert->describe_id != NULL) {
		struct fake_acm_cert other = {.id = ""};
		snprintf(other.id, sizeof(other.id), "%s", cert->describe_id);
		char *arn = arn_of(acm, &other);
		json_object_set_new(detail, "CertificateArn", json_string(arn));
		free(arn);
	}
	json_object_set_new(detail, "SubjectAlternativeNames", json_pack("[s]", cert->domain_name));
	json_object_set_new(detail, "InUseBy",
		cert->in_use_by != NULL ? json_pack("[s]", cert->in_use_by) : json_array());
	if (has_pem(cert))
		set_pem_facts(detail, cert);
	if (cert->renewal_status != NULL)
		json_object_set_new(detail, "RenewalSummary",
			json_pack("{s:s, s:i}", "RenewalStatus", cert->renewal_status, "UpdatedAt",
				1790000000));
	return json_pack("{s:o}", "Certificate", detail);
}

static json_t *get(const struct fake_acm_cert *cert)
{
	char *pem = pem_of(cert);
	json_t *answer = json_pack("{s:s}", "Certificate", pem);
	free(pem);
	if (cert->chain == NULL)
		return answer;
	char *chain = xstrdup("");
	const char *at = cert->chain, *name;
	size_t len;
	while (text_next_item(&at, &name, &len)) {
		char *one_name = xstrndup(name, len), *one = read_pem(one_name);
		char *longer = xasprintf("%s%s", chain, one);
		free(chain);
		free(one);
		free(one_name);
		chain = longer;
	}
	json_object_set_new(answer, "CertificateChain", json_string(chain));
	free(chain);
	return answer;
}

static json_t *list_tags(const struct fake_acm_cert *cert)
{
	if (cert->tag == NULL)
		return json_pack("{s:[]}", "Tags");
	return json_pack("{s:[{s:s, s:s}]}", "Tags", "Key", "team", "Value", cert->tag);
}

static const struct fake_acm_cert *find(const struct fake_acm *acm, const char *arn)
{
	for (size_t i = 0; i < acm->count; i++) {
		char *known = arn_of(acm, &acm->cert[i]);
		bool is_it = strcmp(known, arn) == 0;
		free(known);
		if (is_it)
			return &acm->cert[i];
	}
	die("no such certificate", arn);
	return NULL;
}

/* An answer, or NULL and err. */
static json_t *answer_one(const struct fake_acm *acm, const char *operation, const char *arn,
	char **ret_body, struct err *err)
{
	const struct fake_acm_cert *cert = find(acm, arn);
	if (strcmp(operation, "DescribeCertificate") == 0) {
		*err = cert->describe_err;
		return err->kind == ERR_NONE ? describe(acm, cert) : NULL;
	}
	if (strcmp(operation, "ListTagsForCertificate") == 0) {
		*err = cert->tags_err;
		return err->kind == ERR_NONE ? list_tags(cert) : NULL;
	}
	if (strcmp(operation, "GetCertificate") != 0)
		die("no such operation", operation);
	*err = cert->get_err;
	if (err->kind != ERR_NONE)
		return NULL;
	if (cert->get_body != NULL) {
		*ret_body = xstrdup(cert->get_body);
		return NULL;
	}
	if (has_pem(cert))
		return get(cert);
	err_set(err, ERR_REFUSED, "acm GetCertificate: it is not issued yet");
	err_set_code(err, "RequestInProgressException");
	return NULL;
}

bool fake_acm_answer(void *arg, const struct fake_record *call, char **ret_body, struct err *err)
{
	const struct fake_acm *acm = arg;
	json_t *request = json_loads(call->body, 0, NULL), *made = NULL;
	if (request == NULL || strcmp(call->region, acm->region) != 0 ||
		strcmp(call->account, acm->account_id) != 0)
		die("a wrong request", call->body);
	const char *arn = json_string_value(json_object_get(request, "CertificateArn"));
	if (strcmp(call->operation, "ListCertificates") == 0) {
		bool has_origins = json_object_get(request, "CertificateKeyPairOrigins") != NULL;
		if (acm->refuses_origins && has_origins) {
			err_set(err, ERR_REFUSED, "acm ListCertificates: unknown parameter");
			err_set_code(err, "ValidationException");
		} else {
			made = list(acm, json_string_value(json_object_get(request, "NextToken")),
				has_origins);
		}
	} else {
		made = answer_one(acm, call->operation, arn != NULL ? arn : "", ret_body, err);
	}
	if (made != NULL)
		*ret_body = json_dumps(made, JSON_COMPACT);
	json_decref(made);
	json_decref(request);
	return true;
}

void fake_acm_install(struct fake_acm *acm)
{
	fake_call_set_answerer(fake_acm_answer, acm);
}
